"""GPT-2 (Radford et al., 2019): a causal transformer, named as its checkpoints name it.

Source: huggingface/transformers 4.57.1, ``GPT2Model`` with the settings of ``gpt2``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


@dataclass(frozen=True, slots=True)
class Size:
    """What tells one GPT-2 from another."""

    vocabulary: int = 50_257
    positions: int = 1024
    width: int = 768
    layers: int = 12
    heads: int = 12


class Gpt2(nn.Module):
    """States (b, t, width) of token ids, int64 (b, t); each sees itself and those before it."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.wte = nn.Embedding(size.vocabulary, size.width)
        self.wpe = nn.Embedding(size.positions, size.width)
        self.h = nn.ModuleList(_Block(size) for _ in range(size.layers))
        self.ln_f = nn.LayerNorm(size.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """States of texts of equal length, at most ``size.positions`` tokens."""
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.h:
            x = block(x)
        return self.ln_f(x)


class _Block(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.heads = size.heads
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.ModuleDict(
            {"c_attn": _Affine(width, 3 * width), "c_proj": _Affine(width, width)}
        )
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict(
            {"c_fc": _Affine(width, 4 * width), "c_proj": _Affine(4 * width, width)}
        )

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = self.attn["c_attn"](self.ln_1(x)).reshape(batch, length, 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (b, heads, t, width / heads)
        mixed = scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.attn["c_proj"](mixed.transpose(1, 2).reshape(batch, length, width))
        hidden = gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh")
        return x + self.mlp["c_proj"](hidden)


class _Affine(nn.Module):
    """A linear layer whose weight is stored (inputs, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias
