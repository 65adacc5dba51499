"""HTSAT: a Swin transformer over a log-mel spectrogram folded into a square (Chen et al., 2022).

The audio tower of LAION-CLAP and of MS-CLAP 2023, named as their checkpoints name it. The front end
is part of the checkpoint: windowed DFT kernels and mel weights are frozen tensors in it, and are
used as they come.

    spectrum   1024 samples, periodic Hann, frames centred (reflected at the ends), power
    log-mel    64 Slaney bands of equal area, 10 log10(max(power, 1e-10)) [dB]; batch norm per band
    image      bicubic to 1024 frames; four quarters of 256 frames one below the other, bands as
               rows: 256 x 256
    network    4 x 4 patches, four stages of blocks of 8 x 8 windows (every second block shifted by
               4), sides 64, 32, 16, 8; mean over all positions of the last stage

The classifier of the paper (``tscam_conv``, ``head``) is left out: the embedding is taken before.

Source: LAION-AI/CLAP at 1fd4c37 and microsoft/CLAP at e8a6467, htsat.py of each (the same network);
torchlibrosa 0.1.0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, pad, softmax

FFT, BANDS = 1024, 64
FLOOR = 1e-10
"""Least mel power before the logarithm."""
SIDE, PATCH, WINDOW = 256, 4, 8
UNUSED = r"(tscam_conv|head)\.(weight|bias)"
"""Keys of a checkpoint's HTSAT that the embedding does not need."""


@dataclass(frozen=True, slots=True)
class Size:
    """What tells one HTSAT from another."""

    width: int
    """Channels of the first stage; each later stage has twice as many."""
    depths: tuple[int, ...]
    """Blocks of each stage."""
    heads: tuple[int, ...] = (4, 8, 16, 32)
    """Attention heads of each stage."""

    @property
    def embedding(self) -> int:
        """Length of the embedding."""
        return int(self.width * 2 ** (len(self.depths) - 1))


TINY = Size(96, (2, 2, 6, 2))
BASE = Size(128, (2, 2, 12, 2))


class Htsat(nn.Module):
    """Embedding (b, ``size.embedding``) of samples (b, n), n at most 1023 hops."""

    def __init__(self, size: Size, hop: int) -> None:
        super().__init__()
        self.spectrogram_extractor = _Spectrum(hop)
        self.logmel_extractor = _MelBands()
        self.bn0 = nn.BatchNorm1d(BANDS)
        self.patch_embed = _Patches(size.width)
        sides = [SIDE // PATCH // 2**stage for stage in range(len(size.depths))]
        self.layers = nn.ModuleList(
            _Stage(size.width * 2**stage, side, depth, heads, merge=side != sides[-1])
            for stage, (side, depth, heads) in enumerate(
                zip(sides, size.depths, size.heads, strict=True)
            )
        )
        self.norm = nn.LayerNorm(size.embedding)

    def log_mel(self, samples: Tensor) -> Tensor:
        """Decibels (b, n // hop + 1, 64) of samples (b, n)."""
        mel = self.logmel_extractor(self.spectrogram_extractor(samples))
        return 10 * torch.log10(mel.clamp(min=FLOOR))

    def forward(self, samples: Tensor) -> Tensor:
        """Embedding of samples (b, n)."""
        decibels = self.log_mel(samples)
        frames = self.bn0(decibels.transpose(1, 2)).transpose(1, 2)
        x = self.patch_embed(_square(frames))
        for stage in self.layers:
            x = stage(x)
        return self.norm(x).mean(dim=(1, 2))


def _square(frames: Tensor) -> Tensor:
    """The image (b, 1, 256, 256) of frames (b, t, 64), t at most 1024."""
    long = SIDE * SIDE // BANDS
    if frames.shape[1] < long:
        frames = interpolate(frames[:, None], (long, BANDS), mode="bicubic", align_corners=True)
    quarters = frames.reshape(-1, SIDE // BANDS, SIDE, BANDS)
    return quarters.transpose(2, 3).reshape(-1, 1, SIDE, SIDE)


class _Spectrum(nn.Module):
    """Power (b, t, 513) of samples (b, n), by the checkpoint's kernels."""

    def __init__(self, hop: int) -> None:
        super().__init__()
        kernels = {
            name: nn.Conv1d(1, FFT // 2 + 1, FFT, stride=hop, bias=False)
            for name in ("conv_real", "conv_imag")
        }
        self.stft = nn.ModuleDict(kernels)

    def forward(self, samples: Tensor) -> Tensor:
        padded = pad(samples[:, None], (FFT // 2, FFT // 2), mode="reflect")
        power = self.stft["conv_real"](padded) ** 2 + self.stft["conv_imag"](padded) ** 2
        return power.transpose(1, 2)


class _MelBands(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.melW = nn.Parameter(torch.empty(FFT // 2 + 1, BANDS))

    def forward(self, power: Tensor) -> Tensor:
        return power @ self.melW


class _Patches(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, width, PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.proj(image).permute(0, 2, 3, 1))  # (b, 64, 64, width)


class _Stage(nn.Module):
    def __init__(self, width: int, side: int, depth: int, heads: int, *, merge: bool) -> None:
        super().__init__()
        # A single window has no neighbours, so the last stage never shifts.
        self.blocks = nn.ModuleList(
            _Block(width, side, heads, shifted=index % 2 == 1 and side > WINDOW)
            for index in range(depth)
        )
        self.downsample = _Merge(width) if merge else None

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class _Merge(nn.Module):
    """Four neighbours (b, s, s, c) become one position (b, s / 2, s / 2, 2 c)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(corners, dim=-1)))


class _Block(nn.Module):
    attn_mask: Tensor

    def __init__(self, width: int, side: int, heads: int, *, shifted: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = _Mlp(width)
        self.shift = WINDOW // 2 if shifted else 0
        if shifted:
            self.register_buffer("attn_mask", _shift_mask(side))

    def forward(self, x: Tensor) -> Tensor:
        side = x.shape[1]
        y = torch.roll(self.norm1(x), (-self.shift, -self.shift), dims=(1, 2))
        y = self.attn(_windows(y), self.attn_mask if self.shift else None)
        y = torch.roll(_joined(y, side), (self.shift, self.shift), dims=(1, 2))
        x = x + y
        return x + self.mlp(self.norm2(x))


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu(self.fc1(x)))


class _Attention(nn.Module):
    """Attention inside each window, with a learnt bias for each offset of two positions."""

    relative_position_index: Tensor

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * WINDOW - 1) ** 2, heads))
        self.register_buffer("relative_position_index", _offsets())

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Of windows (b, w, 64, c); ``mask`` (w, 64, 64) is added to the scores."""
        batch, count, positions, width = x.shape
        split = self.qkv(x).reshape(batch, count, positions, 3, self.heads, width // self.heads)
        query, key, value = split.permute(3, 0, 1, 4, 2, 5)  # each (b, w, heads, 64, c / heads)
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        scores = query * (width // self.heads) ** -0.5 @ key.transpose(-2, -1) + bias
        if mask is not None:
            scores = scores + mask[:, None]
        mixed = softmax(scores, dim=-1) @ value
        return self.proj(mixed.transpose(2, 3).reshape(batch, count, positions, width))


def _windows(x: Tensor) -> Tensor:
    """Windows (b, w, 64, c) of positions (b, s, s, c), w = (s / 8)^2."""
    batch, side, _, width = x.shape
    cut = x.reshape(batch, side // WINDOW, WINDOW, side // WINDOW, WINDOW, width)
    return cut.transpose(2, 3).reshape(batch, -1, WINDOW * WINDOW, width)


def _joined(windows: Tensor, side: int) -> Tensor:
    """Inverse of :func:`_windows`."""
    batch, _, _, width = windows.shape
    cut = windows.reshape(batch, side // WINDOW, side // WINDOW, WINDOW, WINDOW, width)
    return cut.transpose(2, 3).reshape(batch, side, side, width)


def _offsets() -> Tensor:
    """Row of the bias table, int64 (64, 64), for each pair of positions of a window."""
    rows, columns = torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")
    row = rows.flatten()[:, None] - rows.flatten() + WINDOW - 1
    column = columns.flatten()[:, None] - columns.flatten() + WINDOW - 1
    return row * (2 * WINDOW - 1) + column


def _shift_mask(side: int) -> Tensor:
    """(w, 64, 64): -100 between positions that only the shift has brought together, else 0."""
    edge = torch.zeros(side)
    edge[-WINDOW:] = 1
    edge[-(WINDOW // 2) :] = 2
    region = 3 * edge[:, None] + edge  # (side, side)
    windows = _windows(region[None, :, :, None])[0, :, :, 0]
    return torch.where(windows[:, None, :] == windows[:, :, None], 0.0, -100.0)
