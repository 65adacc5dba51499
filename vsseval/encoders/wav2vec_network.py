"""wav2vec 2.0 and WavLM: waveform to frames of 20 ms, one small network for both.

    convolutions    seven, together 1 frame every 320 samples that sees 400; a norm for each channel
                    after the first alone (``group``), or over channels after each (``layer``)
    positions       a grouped convolution over 128 frames, its weight norm kept apart
    layers          attention and two linear maps, the norms after (base) or before (large)
    WavLM           every attention also has a bias by distance between frames, of one table that
                    the first layer holds, times a gate that each query computes

Names of modules and parameters are those of the published checkpoints (fairseq's), so that a state
dict loads as it is.

Source: A. Baevski et al. (2020), arXiv 2006.11477; S. Chen et al. (2022), arXiv 2110.13900;
microsoft/UniSpeech at 40d3227, WavLM; tarepan/SpeechMOS at ed25eac for the form without positions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, gelu, scaled_dot_product_attention

CONVOLUTIONS = ((10, 5), *((3, 2),) * 4, *((2, 2),) * 2)
"""Kernel and stride of each convolution [samples]."""
FRAME, HOP = 400, 320
"""Samples that a frame sees, and samples from frame to frame."""


@dataclass(frozen=True, slots=True)
class Size:
    """What distinguishes one published network from another."""

    layers: int
    width: int
    """Of the frames between layers."""
    hidden: int
    """Between the two linear maps of a layer."""
    heads: int
    norm: Literal["group", "layer"]
    """Norm of the convolutions."""
    norm_first: bool
    """Whether the norms of a layer come before its maps."""
    buckets: int = 0
    """Rows of the table of distances; 0 without gated positions (wav2vec 2.0)."""
    farthest: int = 800
    """Frames beyond which all distances share a row."""
    channels: int = 512
    """Of the convolutions."""


BASE = Size(12, 768, 3072, 12, "group", norm_first=False)
"""wav2vec 2.0 base."""
WAVLM_BASE = Size(12, 768, 3072, 12, "group", norm_first=False, buckets=320)
"""WavLM base and base+."""
WAVLM_LARGE = Size(24, 1024, 4096, 16, "layer", norm_first=True, buckets=320)
"""WavLM large."""


class ChannelNorm(nn.LayerNorm):
    """A layer norm over the channels of (b, c, t)."""

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, t) -> (b, c, t)."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class Convolutions(nn.Module):
    """Samples to frames."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList()
        inputs = 1
        for index, (kernel, stride) in enumerate(CONVOLUTIONS):
            block = nn.ModuleDict(
                {"0": nn.Conv1d(inputs, size.channels, kernel, stride, bias=False)}
            )
            if size.norm == "layer":
                block["2"] = nn.ModuleDict({"1": ChannelNorm(size.channels)})
            elif index == 0:
                block["2"] = nn.GroupNorm(size.channels, size.channels)
            self.conv_layers.append(block)
            inputs = size.channels

    def forward(self, samples: Tensor) -> Tensor:
        """Frames (b, channels, t) of samples (b, n), t = (n - 400) // 320 + 1."""
        x = samples[:, None]
        for block in self.conv_layers:
            assert isinstance(block, nn.ModuleDict)
            x = block["0"](x)
            if "2" in block:
                norm = block["2"]
                x = norm["1"](x) if isinstance(norm, nn.ModuleDict) else norm(x)
            x = gelu(x)
        return x


class Positions(nn.Module):
    """A convolution over 128 frames in 16 groups, its kernel a direction times a length."""

    KERNEL, GROUPS = 128, 16

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight_g = nn.Parameter(torch.ones(1, 1, self.KERNEL))
        self.weight_v = nn.Parameter(torch.ones(width, width // self.GROUPS, self.KERNEL))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """(b, t, width) -> (b, t, width)."""
        length = self.weight_v.norm(dim=(0, 1), keepdim=True)
        kernel = self.weight_g * self.weight_v / length
        padding = self.KERNEL // 2
        y = conv1d(x.transpose(1, 2), kernel, self.bias, padding=padding, groups=self.GROUPS)
        return gelu(y[:, :, :-1]).transpose(1, 2)  # an even kernel gives one frame too many


class Attention(nn.Module):
    """Self-attention, with gated positions where the network has them."""

    def __init__(self, size: Size, *, table: bool) -> None:
        super().__init__()
        self.heads = size.heads
        self.q_proj = nn.Linear(size.width, size.width)
        self.k_proj = nn.Linear(size.width, size.width)
        self.v_proj = nn.Linear(size.width, size.width)
        self.out_proj = nn.Linear(size.width, size.width)
        if size.buckets:
            self.grep_linear = nn.Linear(size.width // size.heads, 8)
            self.grep_a = nn.Parameter(torch.ones(1, size.heads, 1, 1))
        if table:
            self.relative_attention_bias = nn.Embedding(size.buckets, size.heads)

    def forward(self, x: Tensor, bias: Tensor | None, kept: Tensor | None) -> Tensor:
        """(b, t, width) -> (b, t, width).

        Args:
            x: frames.
            bias: (heads, t, t) before the gate, or None.
            kept: bool (b, t), False where a frame is padding and not attended to, or None.
        """
        q, k, v = (self.split(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        mask = None if bias is None else self.gate(x) * bias
        if kept is not None:
            mask = torch.zeros(1, device=x.device) if mask is None else mask
            mask = mask.masked_fill(~kept[:, None, None, :], -math.inf)
        y = scaled_dot_product_attention(q, k, v, attn_mask=mask)
        attended: Tensor = self.out_proj(y.transpose(1, 2).flatten(2))
        return attended

    def split(self, x: Tensor) -> Tensor:
        """(b, t, width) -> (b, heads, t, width / heads)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def gate(self, x: Tensor) -> Tensor:
        """Factor (b, heads, t, 1) of the bias, from what comes into the layer."""
        eight: Tensor = self.grep_linear(self.split(x))  # (b, heads, t, 8)
        halves = torch.sigmoid(eight.view(*eight.shape[:3], 2, 4).sum(4))
        update, reset = halves.chunk(2, 3)
        gate: Tensor = update * (reset * self.grep_a - 1) + 2
        return gate


class Layer(nn.Module):
    """Attention and two linear maps, each added to what came in."""

    def __init__(self, size: Size, *, table: bool) -> None:
        super().__init__()
        self.norm_first = size.norm_first
        self.self_attn = Attention(size, table=table)
        self.self_attn_layer_norm = nn.LayerNorm(size.width)
        self.fc1 = nn.Linear(size.width, size.hidden)
        self.fc2 = nn.Linear(size.hidden, size.width)
        self.final_layer_norm = nn.LayerNorm(size.width)

    def forward(self, x: Tensor, bias: Tensor | None, kept: Tensor | None) -> Tensor:
        """(b, t, width) -> (b, t, width); arguments as :meth:`Attention.forward`."""
        if self.norm_first:
            x = x + self.self_attn(self.self_attn_layer_norm(x), bias, kept)
            return x + self.fc2(gelu(self.fc1(self.final_layer_norm(x))))
        x = self.self_attn_layer_norm(x + self.self_attn(x, bias, kept))
        y: Tensor = self.final_layer_norm(x + self.fc2(gelu(self.fc1(x))))
        return y


class Encoder(nn.Module):
    """Positions and layers."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.pos_conv = nn.Sequential(Positions(size.width))
        self.layer_norm = nn.LayerNorm(size.width)
        self.layers = nn.ModuleList(
            Layer(size, table=index == 0 and size.buckets > 0) for index in range(size.layers)
        )

    def forward(self, x: Tensor, kept: Tensor | None) -> list[Tensor]:
        """What comes into the first layer, then what leaves each, (b, t, width) all."""
        if kept is not None:
            x = x * kept[:, :, None]
        x = x + self.pos_conv(x)
        if not self.size.norm_first:
            x = self.layer_norm(x)
        bias = self.bias(x.shape[1]) if self.size.buckets else None
        states = [x]
        for layer in self.layers:
            states.append(layer(states[-1], bias, kept))
        if self.size.norm_first:
            states[-1] = self.layer_norm(states[-1])
        return states

    def bias(self, frames: int) -> Tensor:
        """Bias by distance (heads, frames, frames), from the table of the first layer."""
        attention = self.layers[0].self_attn
        assert isinstance(attention, Attention)
        table = attention.relative_attention_bias.weight  # (buckets, heads)
        at = torch.arange(frames, device=table.device)
        rows = distance_rows(at[None, :] - at[:, None], self.size.buckets, self.size.farthest)
        return table[rows].permute(2, 0, 1)


def distance_rows(distance: Tensor, buckets: int, farthest: int) -> Tensor:
    """Row of the table for each signed distance in frames, int64 of the same shape.

    Half of the rows are for later frames, half for the frame itself and earlier ones; in each half
    one row a frame at first, then ever wider ones up to ``farthest``.
    """
    half, exact = buckets // 2, buckets // 4
    size = distance.abs()
    wide = torch.log(size.clamp(min=1).float() / exact) / math.log(farthest / exact)
    far = (exact + (wide * (half - exact)).long()).clamp(max=half - 1)
    return torch.where(size < exact, size, far) + half * (distance > 0)


class Network(nn.Module):
    """Samples to the frames of every layer."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.mask_emb = nn.Parameter(torch.zeros(size.width))  # of training; checkpoints hold it
        self.feature_extractor = Convolutions(size)
        self.layer_norm = nn.LayerNorm(size.channels)
        self.post_extract_proj = nn.Linear(size.channels, size.width)
        self.encoder = Encoder(size)

    def forward(self, samples: Tensor, kept: Tensor | None = None) -> list[Tensor]:
        """States (b, t, width): before the first layer, after each; the last is the output.

        Args:
            samples: float32 (b, n) at 16 kHz, n >= 400.
            kept: bool (b, t), see :func:`kept_frames`; None if nothing is padding.
        """
        frames = self.layer_norm(self.feature_extractor(samples).transpose(1, 2))
        states: list[Tensor] = self.encoder(self.post_extract_proj(frames), kept)
        return states


def kept_frames(length: int, padded: int) -> Tensor:
    """Which frames of ``padded`` samples begin before sample ``length``, bool (1, t)."""
    frames = (padded - FRAME) // HOP + 1
    span = (padded - padded % frames) // frames
    return (torch.arange(frames) * span < length)[None]
