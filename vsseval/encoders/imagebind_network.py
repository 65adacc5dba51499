"""The towers of ImageBind (huge) that hear sound, watch frames and read text.

A tower turns its input into tokens, runs them through pre-norm transformer blocks, takes one token,
and projects it onto the space that all towers share; a unit vector times a constant comes out.

    vision   3-D patches (2 frames, 14 x 14 pixels), first token learned, norm before the blocks;
             width 1280, 32 blocks, 16 heads
    audio    16 x 16 patches every 10 of a mel spectrogram (128 bands, 204 frames), normed, first
             token learned; one learned key and value more in each attention; 768, 12, 12; times 20
    text     77 tokens, each attends to those before it; the last one is taken; 1024, 24, 16;
             times a learned constant, at most 100

The published file holds six towers in one; see :data:`IGNORED`.

Source: facebookresearch/ImageBind at 53680b0 (models/imagebind_model.py); Girdhar et al., CVPR
2023. Written from key names and shapes; code and weights there are CC BY-NC-SA 4.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize

from vsseval.encoders.checkpoints import build, read_state, renamed

Modality = Literal["vision", "audio", "text"]
WIDTH = 1024
"""Dimension of the shared space."""
IGNORED = r"modality_(preprocessors|trunks|heads|postprocessors)\.(depth|thermal|imu)\..*"
"""Keys of the published file that are left out on purpose: towers nothing here uses."""
NAMES = {
    "vision.first_token": "modality_preprocessors.vision.cls_token",
    "vision.positions": "modality_preprocessors.vision.pos_embedding_helper.pos_embed",
    "vision.patches": "modality_preprocessors.vision.rgbt_stem.proj.1",
    "vision.norm": "modality_trunks.vision.pre_transformer_layer.0",
    "vision.blocks": "modality_trunks.vision.blocks",
    "vision.last_norm": "modality_heads.vision.0",
    "vision.projection": "modality_heads.vision.2",
    "audio.first_token": "modality_preprocessors.audio.cls_token",
    "audio.positions": "modality_preprocessors.audio.pos_embedding_helper.pos_embed",
    "audio.patches": "modality_preprocessors.audio.rgbt_stem.proj",
    "audio.norm": "modality_preprocessors.audio.rgbt_stem.norm_layer",
    "audio.blocks": "modality_trunks.audio.blocks",
    "audio.last_norm": "modality_heads.audio.0",
    "audio.projection": "modality_heads.audio.2",
    "audio.scale": "modality_postprocessors.audio.1.log_logit_scale",
    "text.embedding": "modality_preprocessors.text.token_embedding",
    "text.positions": "modality_preprocessors.text.pos_embed",
    "text.mask": "modality_preprocessors.text.mask",
    "text.blocks": "modality_trunks.text.blocks",
    "text.last_norm": "modality_heads.text.proj.0",
    "text.projection": "modality_heads.text.proj.1",
    "text.scale": "modality_postprocessors.text.1.log_logit_scale",
}
"""A parameter of a tower, or the module that holds it -> the published name."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width, depth and heads of a tower."""

    width: int
    blocks: int
    heads: int


HUGE: Mapping[Modality, Size] = {
    "vision": Size(1280, 32, 16),
    "audio": Size(768, 12, 12),
    "text": Size(1024, 24, 16),
}


class _Block(nn.Module):
    """Attention and a two-layer perceptron, each normed before and added to what came in."""

    def __init__(self, size: Size, *, extra_key: bool) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(size.width, eps=1e-6)
        self.attn = nn.MultiheadAttention(
            size.width, size.heads, add_bias_kv=extra_key, batch_first=True
        )
        self.norm_2 = nn.LayerNorm(size.width, eps=1e-6)
        self.mlp = nn.ModuleDict(
            {
                "fc1": nn.Linear(size.width, 4 * size.width),
                "fc2": nn.Linear(4 * size.width, size.width),
            }
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = self.norm_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp["fc2"](gelu(self.mlp["fc1"](self.norm_2(x))))


class Tower(nn.Module):
    """What the towers share: the blocks, the head and the scale."""

    def __init__(
        self, size: Size, out: int, *, extra_key: bool = False, scaled: bool = True
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(size, extra_key=extra_key) for _ in range(size.blocks))
        self.last_norm = nn.LayerNorm(size.width, eps=1e-6)
        self.projection = nn.Linear(size.width, out, bias=False)
        self.scale = nn.Parameter(torch.zeros(())) if scaled else None

    def transform(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Tokens (b, n, width) after the blocks."""
        for block in self.blocks:
            tokens = block(tokens, mask)
        return tokens

    def head(self, token: Tensor) -> Tensor:
        """Embeddings (b, out) of the token (b, width) of each input that stands for it."""
        unit = normalize(self.projection(self.last_norm(token)), dim=-1)
        return unit if self.scale is None else unit * self.scale.exp().clamp(max=100)


class VisionTower(Tower):
    """Embeds clips of two frames."""

    def __init__(self, size: Size = HUGE["vision"], out: int = WIDTH) -> None:
        super().__init__(size, out, scaled=False)
        self.patches = nn.Conv3d(3, size.width, (2, 14, 14), stride=(2, 14, 14), bias=False)
        self.first_token = nn.Parameter(torch.zeros(1, 1, size.width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + 16 * 16, size.width))
        self.norm = nn.LayerNorm(size.width, eps=1e-6)

    def forward(self, clips: Tensor) -> Tensor:
        """Unit vectors (b, out) of normalised RGB clips (b, 3, 2, 224, 224)."""
        patches = self.patches(clips).flatten(2).transpose(1, 2)
        tokens = _after(self.first_token, patches) + self.positions
        return self.head(self.transform(self.norm(tokens))[:, 0])


class AudioTower(Tower):
    """Embeds mel spectrograms of two seconds."""

    def __init__(self, size: Size = HUGE["audio"], out: int = WIDTH) -> None:
        super().__init__(size, out, extra_key=True)
        self.patches = nn.Conv2d(1, size.width, 16, stride=10, bias=False)
        self.norm = nn.LayerNorm(size.width)
        self.first_token = nn.Parameter(torch.zeros(1, 1, size.width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + 12 * 19, size.width))

    def forward(self, mels: Tensor) -> Tensor:
        """Vectors (b, out), of length 20 as published, of spectrograms (b, 1, 128, 204)."""
        patches = self.norm(self.patches(mels).flatten(2).transpose(1, 2))
        tokens = _after(self.first_token, patches) + self.positions
        return self.head(self.transform(tokens)[:, 0])


class TextTower(Tower):
    """Embeds 77 token numbers, zeros after the end."""

    def __init__(
        self, size: Size = HUGE["text"], out: int = WIDTH, *, vocabulary: int = 49_408
    ) -> None:
        super().__init__(size, out)
        self.embedding = nn.Embedding(vocabulary, size.width)
        self.positions = nn.Parameter(torch.zeros(1, 77, size.width))
        self.mask = nn.Parameter(torch.zeros(77, 77))

    def forward(self, numbers: Tensor) -> Tensor:
        """Vectors (b, out) of token numbers int64 (b, 77); the end token is the largest number."""
        tokens = self.transform(self.embedding(numbers) + self.positions, self.mask)
        return self.head(tokens[range(len(numbers)), numbers.argmax(dim=-1)])


def _after(first: Tensor, patches: Tensor) -> Tensor:
    """Patches (b, n, width) behind the learned first token (1, 1, width)."""
    return torch.cat([first.expand(len(patches), -1, -1), patches], dim=1)


TOWERS: Mapping[Modality, Callable[[], Tower]] = {
    "vision": VisionTower,
    "audio": AudioTower,
    "text": TextTower,
}


published_name = renamed(NAMES)
"""Published name of a parameter that is called such as ``audio.patches.weight`` here."""


def all_towers() -> nn.ModuleDict:
    """Every tower under its name."""
    return nn.ModuleDict({name: make() for name, make in TOWERS.items()})


def load_tower(path: Path, modality: Modality) -> Tower:
    """One tower of the published file, for inference on the CPU.

    All keys of the file are checked, whichever tower is asked for; the memory of the other towers
    is freed again.

    Raises:
        InputError: the file is no checkpoint, or its keys are not those of the published one.
    """
    state = read_state(path)
    towers = build(all_towers, state, path, naming=published_name, unused=IGNORED)
    return cast(Tower, towers[modality])
