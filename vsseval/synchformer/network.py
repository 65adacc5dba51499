"""The network of Synchformer (Iashin et al., ICASSP 2024), stage II.

Three parts, used apart: ``video`` and ``audio`` make tokens of each segment, ``head`` reads the
tokens of 14 segments of both and gives logits over 21 offsets. The checkpoint has other names for
the tensors (:mod:`vsseval.synchformer.checkpoint`).

Source: v-iashin/Synchformer at b66668a, configs/sync.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

FRAMES, SIDE, PATCH, FRAMES_A_TOKEN = 16, 224, 16, 2
"""A video segment: frames, pixels a side; a patch is 2 x 16 x 16 and they do not overlap."""
MEL_BANDS, MEL_FRAMES, MEL_STRIDE = 128, 66, 10
"""An audio segment: patches of 16 x 16 every 10 bands and every 10 frames."""
SEGMENTS = 14
CLASSES = 21

VIDEO_TOKENS = FRAMES // FRAMES_A_TOKEN
AUDIO_TOKENS = (MEL_FRAMES - PATCH) // MEL_STRIDE + 1
_PATCHES_A_FRAME = (SIDE // PATCH) ** 2
_AUDIO_BANDS = (MEL_BANDS - PATCH) // MEL_STRIDE + 1


@dataclass(frozen=True, slots=True)
class Size:
    """Width and depth; the published network has the defaults."""

    width: int = 768
    heads: int = 12
    """Of both extractors."""
    depth: int = 12
    """Of both extractors."""
    head_heads: int = 8
    head_depth: int = 3


def _split(x: Tensor, heads: int) -> Tensor:
    return x.reshape(*x.shape[:-1], heads, -1).transpose(-3, -2)  # (b, n, w) -> (b, heads, n, d)


def _merge(x: Tensor) -> Tensor:
    return x.transpose(-3, -2).flatten(-2)  # (b, heads, n, d) -> (b, n, w)


class _Block(nn.Module):
    """Attention and a two-layer perceptron, each after a norm and added to its input."""

    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=eps)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        q, k, v = (_split(f(y), self.heads) for f in (self.query, self.key, self.value))
        x = x + self.out(_merge(scaled_dot_product_attention(q, k, v)))
        return x + self.fc2(gelu(self.fc1(self.norm2(x))))


class _Pool(nn.Module):
    """One such block whose first token, learned, stands for all: (b, n, w) -> (b, w)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        first = self.cls_token.expand(len(x), -1, -1)
        y = self.qkv(self.norm1(torch.cat([first, x], dim=1)))
        q, k, v = (_split(part, self.heads) for part in y.chunk(3, dim=-1))
        y = first + self.out(_merge(scaled_dot_product_attention(q[:, :, :1], k, v)))
        return (y + self.fc2(gelu(self.fc1(self.norm2(y)))))[:, 0]


class _DividedAttention(nn.Module):
    """A patch attends to the class token and to its own place (``time``) or time (``space``).

    The class token attends to everything.
    """

    def __init__(self, width: int, heads: int, over: str) -> None:
        super().__init__()
        self.heads = heads
        self.time = over == "time"
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (_split(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        first = scaled_dot_product_attention(q[:, :, :1], k, v)  # (b, heads, 1, d)
        rest = scaled_dot_product_attention(
            self._groups(q), self._with_first(k), self._with_first(v)
        )
        if self.time:
            rest = rest.transpose(2, 3)
        return self.out(_merge(torch.cat([first, rest.flatten(2, 3)], dim=2)))

    def _groups(self, x: Tensor) -> Tensor:
        x = x[:, :, 1:].reshape(*x.shape[:2], VIDEO_TOKENS, _PATCHES_A_FRAME, x.shape[-1])
        return x.transpose(2, 3) if self.time else x  # (b, heads, s, t, d) or (b, heads, t, s, d)

    def _with_first(self, x: Tensor) -> Tensor:
        groups = self._groups(x)
        first = x[:, :, None, :1].expand(-1, -1, groups.shape[2], -1, -1)
        return torch.cat([first, groups], dim=3)


class _VideoBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.time_norm = nn.LayerNorm(width, eps=1e-6)
        self.time = _DividedAttention(width, heads, "time")
        self.space_norm = nn.LayerNorm(width, eps=1e-6)
        self.space = _DividedAttention(width, heads, "space")
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.time(self.time_norm(x))
        x = x + self.space(self.space_norm(x))
        return x + self.fc2(gelu(self.fc1(self.norm2(x))))


class VideoExtractor(nn.Module):
    """MotionFormer with divided attention, its patches pooled over space."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        kernel = (FRAMES_A_TOKEN, PATCH, PATCH)
        self.patch = nn.Conv3d(3, width, kernel, stride=kernel)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, 1 + _PATCHES_A_FRAME, width))
        self.time = nn.Parameter(torch.zeros(1, VIDEO_TOKENS, width))
        self.blocks = nn.ModuleList(_VideoBlock(width, size.heads) for _ in range(size.depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pool = _Pool(width, size.heads)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (b, 8, w) of segments (b, 3, 16, 224, 224) in [-1, 1]."""
        x = self.patch(x).flatten(3).permute(0, 2, 3, 1)  # (b, 8, 196, w)
        x = x + self.position[:, None, 1:] + self.time[:, :, None]
        first = (self.cls_token + self.position[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([first, x.flatten(1, 2)], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x[:, 1:]).reshape(-1, _PATCHES_A_FRAME, x.shape[-1])
        return cast(Tensor, self.pool(x)).reshape(-1, VIDEO_TOKENS, x.shape[-1])


class AudioExtractor(nn.Module):
    """Audio spectrogram transformer, its patches pooled over frequency."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.patch = nn.Conv2d(1, width, PATCH, stride=MEL_STRIDE)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.distillation_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, 2 + _AUDIO_BANDS * AUDIO_TOKENS, width))
        self.blocks = nn.ModuleList(_Block(width, size.heads, 1e-12) for _ in range(size.depth))
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.pool = _Pool(width, size.heads)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (b, 6, w) of scaled mel spectrograms (b, 128, 66)."""
        x = self.patch(x[:, None]).flatten(2).transpose(1, 2)  # (b, 12 bands * 6, w)
        first = torch.cat([self.cls_token, self.distillation_token], dim=1)
        x = torch.cat([first.expand(len(x), -1, -1), x], dim=1) + self.position
        for block in self.blocks:
            x = block(x)
        x = self.norm(x[:, 2:]).reshape(len(x), _AUDIO_BANDS, AUDIO_TOKENS, -1).transpose(1, 2)
        return cast(Tensor, self.pool(x.flatten(0, 1))).reshape(len(x), AUDIO_TOKENS, -1)


class Head(nn.Module):
    """Transformer over (offset token, video tokens, separator, audio tokens) of 14 segments."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.video = nn.Linear(width, width)
        self.audio = nn.Linear(width, width)
        self.video_norm = nn.LayerNorm(width)
        self.audio_norm = nn.LayerNorm(width)
        self.offset_token = nn.Parameter(torch.zeros(1, 1, width))
        self.separator = nn.Parameter(torch.zeros(1, 1, width))
        tokens = 2 + SEGMENTS * (VIDEO_TOKENS + AUDIO_TOKENS)
        self.position = nn.Parameter(torch.zeros(1, tokens, width))
        self.blocks = nn.ModuleList(
            _Block(width, size.head_heads, 1e-5) for _ in range(size.head_depth)
        )
        self.norm = nn.LayerNorm(width)
        self.offset = nn.Linear(width, CLASSES)

    def forward(self, video: Tensor, audio: Tensor) -> Tensor:
        """Logits (b, 21) of video tokens (b, 14, 8, w) and audio tokens (b, 14, 6, w)."""
        video = self.video_norm(self.video(video.flatten(1, 2)))
        audio = self.audio_norm(self.audio(audio.flatten(1, 2)))
        first, middle = (t.expand(len(video), -1, -1) for t in (self.offset_token, self.separator))
        x = torch.cat([first, video, middle, audio], dim=1) + self.position
        for block in self.blocks:
            x = block(x)
        return self.offset(self.norm(x[:, 0]))


class Synchformer(nn.Module):
    """The three parts together."""

    def __init__(self, size: Size | None = None) -> None:
        super().__init__()
        size = size or Size()
        self.video = VideoExtractor(size)
        self.audio = AudioExtractor(size)
        self.head = Head(size)
