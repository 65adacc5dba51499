"""The flow-matching transformer with its condition projections (v3 layout).

Concatenated with the latent, frame by frame: lips, phonemes, sync. In cross-attention: [speaker,
semantic video tokens]. Shapes: B batch, T latent frames, C = latent + lip + phoneme + sync
channels, V semantic tokens, X cross width, D width.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from vssflow.config import Config
from vssflow.layers import Block, KeyValue, TimeToken, rotation


class Features(NamedTuple):
    """What the frozen front ends say of a batch of clips."""

    lips: Tensor
    """(B, T, lip_features); zeros without a face."""
    phonemes: Tensor
    """Ids, int64 (B, T phonemes_per_frame); zeros without speech."""
    sync: Tensor
    """(B, T, sync_features)."""
    semantic: Tensor
    """(B, V, semantic_features)."""
    speaker: Tensor
    """(B, speaker_features); zeros without a reference voice."""


class Conditions(NamedTuple):
    """Projected conditions. The null condition is zero in both."""

    channels: Tensor
    """(B, T, lip + phoneme + sync channels)."""
    tokens: Tensor
    """(B, 1 + V, X), the speaker first."""


def null_conditions(conditions: Conditions) -> Conditions:
    """The unconditional counterpart: zeros of the same shape."""
    return Conditions(torch.zeros_like(conditions.channels), torch.zeros_like(conditions.tokens))


def drop_conditions(conditions: Conditions, dropped: Tensor) -> Conditions:
    """Null the conditions of the items where ``dropped``, bool (B,), is true."""
    keep = (~dropped).to(conditions.channels.dtype)[:, None, None]
    return Conditions(conditions.channels * keep, conditions.tokens * keep)


def _projection(width_in: int, hidden: int, width_out: int) -> nn.Sequential:
    """Linear - SiLU - Linear without bias, so that a zero feature gives a zero condition."""
    return nn.Sequential(
        nn.Linear(width_in, hidden, bias=False),
        nn.SiLU(),
        nn.Linear(hidden, width_out, bias=False),
    )


class VSSFlow(nn.Module):
    """Velocity field v(x_t, t | conditions) over latents (B, T, latent_channels)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        cross = config.cross_width
        self.cond_proj = _projection(config.semantic_features, 2 * cross, cross)
        self.ref_proj = _projection(config.speaker_features, 2 * cross, cross)
        self.lip_proj = _projection(
            config.lip_features, 2 * config.lip_channels, config.lip_channels
        )
        self.synch_proj = _projection(
            config.sync_features, 2 * config.sync_channels, config.sync_channels
        )
        self.phone_embedding = nn.Embedding(config.phoneme_rows, config.phoneme_width)
        self.preprocess_conv = nn.Linear(config.channels, config.channels, bias=False)
        self.proj_in = nn.Linear(config.channels, config.width, bias=False)
        self.time_token = TimeToken(config)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.depth)])
        self.proj_out = nn.Linear(config.width, config.channels, bias=False)
        self.postprocess_conv = nn.Linear(config.channels, config.channels, bias=False)
        # A fresh model is exactly the zero velocity field.
        nn.init.zeros_(self.proj_out.weight)

    def conditions(self, features: Features) -> Conditions:
        """Project the features of a batch; independent of time, so computed once a clip."""
        frames = features.lips.shape[1]
        phones = self.phone_embedding(features.phonemes)  # (B, T slots, phoneme_width)
        phones = phones.reshape(phones.shape[0], frames, self.config.phoneme_channels)
        lips, sync = self.lip_proj(features.lips), self.synch_proj(features.sync)
        channels = torch.cat([lips, phones.to(lips.dtype), sync], dim=-1)
        speaker = self.ref_proj(features.speaker)[:, None]  # (B, 1, X)
        return Conditions(channels, torch.cat([speaker, self.cond_proj(features.semantic)], dim=1))

    def encode_tokens(self, tokens: Tensor) -> list[KeyValue]:
        """Cross-attention keys and values of every block for tokens (B, 1 + V, X)."""
        return [cast(Block, block).attn2.encode(tokens) for block in self.blocks]

    def velocity(self, x_t: Tensor, t: Tensor, channels: Tensor, tokens: list[KeyValue]) -> Tensor:
        """Velocity (B, T, latent_channels) at x_t of that shape and t (B,)."""
        x = torch.cat([x_t, channels.to(x_t.dtype)], dim=-1)  # (B, T, C)
        x = x + self.preprocess_conv(x)
        h = self.proj_in(x)
        h = torch.cat([self.time_token(t).to(h.dtype), h], dim=1)  # (B, 1 + T, D)
        angles = rotation(h.shape[1], self.config.rotary_width, h.device)
        for block, encoded in zip(self.blocks, tokens, strict=True):
            h = block(h, encoded, angles)
        y = self.proj_out(h[:, 1:])  # (B, T, C); only the latent channels are ever trained
        y = y + self.postprocess_conv(y)
        return y[..., : self.config.latent_channels]

    def forward(self, x_t: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Velocity (B, T, latent_channels) under conditions, keys and values included."""
        return self.velocity(x_t, t, conditions.channels, self.encode_tokens(conditions.tokens))
