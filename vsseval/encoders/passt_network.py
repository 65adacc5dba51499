"""The network of PaSST: a vision transformer over a spectrogram, with places in time and frequency.

The names of its state are the checkpoint's, ``passt-s-f128-p16-s10-ap.476-swa.pt``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from vsseval.encoders.checkpoints import build, read_state

WIDTH, HEADS, DEPTH, CLASSES = 768, 12, 12, 527
PATCH, STRIDE = 16, 10
PLACES = (12, 99)
"""Patches over 128 bands, and over the 998 frames it was trained on."""


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, _ = x.shape
        split = self.qkv(x).view(batch, tokens, 3, HEADS, WIDTH // HEADS)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (b, heads, tokens, 64)
        mixed = scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu(self.fc1(x)))


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.attn = _Attention()
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.mlp = _Mlp()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, WIDTH, PATCH, stride=STRIDE)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x)


class Network(nn.Module):
    """Spectrograms to class logits and an embedding."""

    def __init__(self, depth: int = DEPTH) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.dist_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.new_pos_embed = nn.Parameter(torch.zeros(1, 2, WIDTH))  # of these two tokens
        self.freq_new_pos_embed = nn.Parameter(torch.zeros(1, WIDTH, PLACES[0], 1))
        self.time_new_pos_embed = nn.Parameter(torch.zeros(1, WIDTH, 1, PLACES[1]))
        self.patch_embed = _Patches()
        self.blocks = nn.Sequential(*(_Block() for _ in range(depth)))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        # eps here is PyTorch's own, 1e-5
        self.head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES))
        self.head_dist = nn.Linear(WIDTH, CLASSES)  # for training alone

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (b, 527) and embedding (b, 768) of spectrograms (b, 128, 16 to 1005 frames)."""
        x = self.patch_embed(x[:, None])  # (b, 768, 12, time)
        x = x + self.time_new_pos_embed[..., : x.shape[3]] + self.freq_new_pos_embed
        tokens = torch.cat([self.cls_token, self.dist_token], dim=1) + self.new_pos_embed
        x = torch.cat([tokens.expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], dim=1)
        embedding = self.norm(self.blocks(x))[:, :2].mean(dim=1)
        return self.head(embedding), embedding


def load_network(path: Path, depth: int = DEPTH) -> Network:
    """The network of a checkpoint, for inference on the CPU.

    Raises:
        InputError: a key of the network is missing, there is another one, or a shape differs.
    """
    return build(lambda: Network(depth), read_state(path), path)
