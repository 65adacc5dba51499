"""The flow-matching transformer with its condition projections.

A condition is projected and then either concatenated with the latent, frame by frame, or part of
the cross-attention tokens, whose first is the speaker; ``Config.concatenated`` and
``Config.crossed`` say which. Shapes: B batch, T latent frames, C = latent and concatenated
channels, V semantic tokens, X cross width, D width.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from vsseval.errors import InputError
from vssflow.config import Config, Stream
from vssflow.layers import Block, KeyValue, TimeToken, rotation


class Features(NamedTuple):
    """What the frozen front ends say of a batch of clips."""

    lips: Tensor
    """(B, T, lip_features); zeros without a face."""
    phonemes: Tensor
    """Ids, int64 (B, T phonemes_per_frame), with durations (B, P); zeros without speech."""
    sync: Tensor
    """(B, T, sync_features)."""
    semantic: Tensor
    """(B, V, semantic_features)."""
    speaker: Tensor
    """(B, speaker_features); zeros without a reference voice."""
    durations: Tensor | None = None
    """Which phoneme each frame says, float (B, T, P), rows nearly one-hot; v1 alone has it."""

    def to(self, device: torch.device) -> Features:
        """The same on a device."""
        moved = Features(*(value.to(device) for value in self[:5]))
        durations = None if self.durations is None else self.durations.to(device)
        return moved._replace(durations=durations)


class Conditions(NamedTuple):
    """Projected conditions."""

    channels: Tensor
    """(B, T, concatenated channels)."""
    tokens: Tensor
    """(B, 1 + V, X), the speaker first; without cross-attention (B, 1, D), added to the time."""


class Encoded(NamedTuple):
    """What a velocity needs of the tokens; independent of time, so computed once a clip."""

    key_values: list[KeyValue | None]
    """Of every block."""
    addend: Tensor | None
    """(B, 1, D) beside the time token, or None."""


def _projection(config: Config, width_in: int, width_out: int) -> nn.Sequential:
    """Linear - SiLU - Linear without bias, so that a zero feature gives a zero condition."""
    hidden = config.hidden_width(width_out)
    return nn.Sequential(
        nn.Linear(width_in, hidden, bias=False),
        nn.SiLU(),
        nn.Linear(hidden, width_out, bias=False),
    )


def select(conditions: Conditions, null: Conditions, dropped: Tensor) -> Conditions:
    """The null condition for the items where ``dropped``, bool (B,), is true."""
    drop = dropped[:, None, None]
    return Conditions(
        torch.where(drop, null.channels, conditions.channels),
        torch.where(drop, null.tokens, conditions.tokens),
    )


class VSSFlow(nn.Module):
    """Velocity field v(x_t, t | conditions) over latents (B, T, latent_channels)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.gradient_checkpointing = False
        used = config.streams
        semantic, width = config.semantic_channels, config.width
        self.cond_proj = _projection(config, config.semantic_features, semantic)
        self.ref_proj = _projection(config, config.speaker_features, config.speaker_channels)
        if "lips" in used:
            self.lip_proj = _projection(config, config.lip_features, config.lip_channels)
        if "sync" in used:
            self.synch_proj = _projection(config, config.sync_features, config.sync_channels)
        if "speech" in used:
            self.phone_proj = _projection(config, config.phoneme_channels, semantic)
        if "temporal" in used:
            self.temporal_cond_proj = nn.Sequential(
                nn.Linear(config.semantic_features, semantic, bias=False),
                nn.SiLU(),
                nn.Linear(semantic, semantic, bias=False),
                nn.SiLU(),
                nn.Linear(semantic, 1, bias=False),
            )
        self.phone_embedding = nn.Embedding(config.phoneme_rows, config.phoneme_width)
        if config.phoneme_positions:
            rows, phone = config.phoneme_positions, config.phoneme_width
            self.positional_embedding = nn.Embedding(rows, phone)
            self.exp_positional_embedding = nn.Embedding(rows, phone)
        if not config.crossed:
            self.global_proj = nn.Sequential(
                nn.Linear(semantic, width, bias=False),
                nn.SiLU(),
                nn.Linear(width, width, bias=False),
            )
        self.preprocess_conv = nn.Linear(config.channels, config.channels, bias=False)
        self.proj_in = nn.Linear(config.channels, width, bias=False)
        self.time_token = TimeToken(config)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.depth)])
        self.proj_out = nn.Linear(width, config.channels, bias=False)
        self.postprocess_conv = nn.Linear(config.channels, config.channels, bias=False)
        # A fresh model is exactly the zero velocity field.
        nn.init.zeros_(self.proj_out.weight)

    def conditions(self, features: Features) -> Conditions:
        """Project the features of a batch; independent of time, so computed once a clip."""
        channels = self._join(self.config.concatenated, features)
        if channels is None:
            channels = features.sync.new_zeros(*features.sync.shape[:2], 0)
        speaker = self.ref_proj(features.speaker)[:, None]  # (B, 1, X)
        tokens = self._join(self.config.crossed, features)
        if tokens is None:
            return Conditions(channels, self.global_proj(speaker))
        if "speech" in self.config.crossed:
            speaker = self.phone_proj(speaker)
        # The speaker takes the place of the first condition of a token; the others are zero.
        speaker = functional.pad(speaker, (0, tokens.shape[-1] - speaker.shape[-1]))
        return Conditions(channels, torch.cat([speaker, tokens], dim=1))

    def _join(self, streams: tuple[Stream, ...], features: Features) -> Tensor | None:
        """Projected conditions side by side, (B, T, sum of widths); None if there are none.

        Semantic tokens alone stay V; beside others, or the latent, each is repeated for the frames
        that it stands for.
        """
        if not streams:
            return None
        parts = [self._project(stream, features) for stream in streams]
        frames = features.sync.shape[1]
        if streams != self.config.crossed or len(streams) > 1:
            parts = [
                part
                if part.shape[1] == frames
                else part[:, torch.arange(frames, device=part.device) * part.shape[1] // frames]
                for part in parts
            ]
        return torch.cat([part.to(parts[0].dtype) for part in parts], dim=-1)

    def _project(self, stream: Stream, features: Features) -> Tensor:
        if stream == "lips":
            return self.lip_proj(features.lips)
        if stream == "sync":
            return self.synch_proj(features.sync)
        if stream == "semantic":
            return self.cond_proj(features.semantic)
        if stream == "temporal":
            return self.temporal_cond_proj(features.semantic)
        phonemes = self._phonemes(features)
        return self.phone_proj(phonemes) if stream == "speech" else phonemes

    def _phonemes(self, features: Features) -> Tensor:
        """(B, T, phoneme channels)."""
        vectors = self.phone_embedding(features.phonemes)  # (B, T slots or P, phoneme_width)
        if not self.config.phoneme_positions:
            return vectors.reshape(vectors.shape[0], -1, self.config.phoneme_channels)
        if features.durations is None:
            raise InputError(f"preset {self.config.preset} needs the durations of the phonemes")
        scale = self.config.token_width**-0.5
        vectors = vectors + scale * self.positional_embedding.weight[: vectors.shape[1]]
        expanded = features.durations @ vectors  # (B, T, phoneme_width)
        return expanded + scale * self.exp_positional_embedding.weight[: expanded.shape[1]]

    def null(self, conditions: Conditions) -> Conditions:
        """The unconditional counterpart, of the same shape.

        Zeros; the phonemes of v1 are not zero but "no speech" at position 0, in every frame.
        """
        channels, tokens = (torch.zeros_like(part) for part in conditions)
        if self.config.phoneme_positions:
            frames = channels.shape[1]
            null = self._null_phonemes(self.config.concatenated, frames)
            channels = channels + null.to(channels.dtype)
            if {"phonemes", "speech"} & {*self.config.crossed}:
                null = self._null_phonemes(self.config.crossed, frames)
                null = functional.pad(null, (0, 0, 1, 0))  # the speaker stays zero
                tokens = tokens + null.to(tokens.dtype)
        return Conditions(channels, tokens)

    def _null_phonemes(self, streams: tuple[Stream, ...], frames: int) -> Tensor:
        """Null of some streams of v1, (T, sum of widths): zero but for the phonemes."""
        scale = self.config.token_width**-0.5
        phone = self.phone_embedding.weight[0] + scale * self.positional_embedding.weight[0]
        phone = phone + scale * self.exp_positional_embedding.weight[:frames]
        parts = [phone.new_zeros(frames, 0)]
        for stream in streams:
            if stream == "phonemes":
                parts.append(phone)
            elif stream == "speech":
                parts.append(self.phone_proj(phone))
            else:
                parts.append(phone.new_zeros(frames, self.config.stream_width(stream)))
        return torch.cat(parts, dim=-1)

    def encode_tokens(self, tokens: Tensor) -> Encoded:
        """Cross-attention keys and values of every block for tokens (B, 1 + V, X)."""
        pairs = [cast(Block, block).encode(tokens) for block in self.blocks]
        return Encoded(pairs, None if self.config.crossed else tokens)

    def velocity(self, x_t: Tensor, t: Tensor, channels: Tensor, tokens: Encoded) -> Tensor:
        """Velocity (B, T, latent_channels) at x_t of that shape and t (B,)."""
        whole = self.whole_velocity(x_t, t, channels, tokens)
        return whole[..., : self.config.latent_channels]

    def whole_velocity(self, x_t: Tensor, t: Tensor, channels: Tensor, tokens: Encoded) -> Tensor:
        """What the network says of all channels (B, T, C); only those of the latent are trained."""
        x = torch.cat([x_t, channels.to(x_t.dtype)], dim=-1)  # (B, T, C)
        x = x + self.preprocess_conv(x)
        h = self.proj_in(x)
        time = self.time_token(t).to(h.dtype)
        if tokens.addend is not None:
            time = time + tokens.addend
        h = torch.cat([time, h], dim=1)  # (B, 1 + T, D)
        angles = rotation(h.shape[1], self.config.rotary_width, h.device)
        for block, encoded in zip(self.blocks, tokens.key_values, strict=True):
            if self.gradient_checkpointing and torch.is_grad_enabled():
                h = checkpoint(block, h, encoded, angles, use_reentrant=False)
            else:
                h = block(h, encoded, angles)
        y = self.proj_out(h[:, 1:])  # (B, T, C)
        return y + self.postprocess_conv(y)

    def forward(self, x_t: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """Velocity (B, T, latent_channels) under conditions, keys and values included."""
        return self.velocity(x_t, t, conditions.channels, self.encode_tokens(conditions.tokens))
