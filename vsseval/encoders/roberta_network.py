"""RoBERTa (Liu et al., 2019): a transformer over a whole text, named as its checkpoints name it.

Source: huggingface/transformers 4.57.1, ``RobertaModel`` with the settings of ``roberta-base``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

PADDING = 1
"""Id of the padding token; positions are counted from the number after it."""


@dataclass(frozen=True, slots=True)
class Size:
    """What tells one RoBERTa from another."""

    vocabulary: int = 50_265
    positions: int = 514
    width: int = 768
    layers: int = 12
    heads: int = 12


class Roberta(nn.Module):
    """Pooled state (b, width) in (-1, 1) of token ids, int64 (b, t), without padding."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embeddings = _Embeddings(size)
        self.encoder = _Layers(size)
        self.pooler = nn.ModuleDict({"dense": nn.Linear(size.width, size.width)})

    def forward(self, tokens: Tensor) -> Tensor:
        """Pooled state of texts of equal length."""
        x = self.encoder(self.embeddings(tokens))
        return torch.tanh(self.pooler["dense"](x[:, 0]))


class _Embeddings(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(size.vocabulary, size.width)
        self.position_embeddings = nn.Embedding(size.positions, size.width)
        self.token_type_embeddings = nn.Embedding(1, size.width)
        self.LayerNorm = nn.LayerNorm(size.width)

    def forward(self, tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device) + PADDING + 1
        x = self.word_embeddings(tokens) + self.token_type_embeddings.weight[0]
        return self.LayerNorm(x + self.position_embeddings(positions))


class _Layers(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(size) for _ in range(size.layers))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layer:
            x = layer(x)
        return x


class _Layer(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.attention = nn.ModuleDict(
            {"self": _Attention(width, size.heads), "output": _AddAndNorm(width, width)}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, 4 * width)})
        self.output = _AddAndNorm(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention["output"](self.attention["self"](x), x)
        return self.output(gelu(self.intermediate["dense"](x)), x)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        query, key, value = (
            layer(x).reshape(batch, length, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        mixed = scaled_dot_product_attention(query, key, value)
        return mixed.transpose(1, 2).reshape(batch, length, width)


class _AddAndNorm(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, width)
        self.LayerNorm = nn.LayerNorm(width)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + residual)
