"""Features at their own rates brought to latent frames, by the authors' index rules.

CLIP (10 a second) and phonemes go by the nearest index below (``floor``), sync features (24 a
second) by the nearest centre; lips (25 a second) are padded with zeros or cut at the end.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vssflow.dit import Features


def lower_index(source: int, target: int) -> Tensor:
    """floor(i source / target) for i < target, int64 (target,); torch calls it ``nearest``."""
    return torch.arange(target) * source // target


def centre_index(source: int, target: int) -> Tensor:
    """floor((i + 1/2) source / target), int64 (target,); torch calls it ``nearest-exact``."""
    return (2 * torch.arange(target) + 1) * source // (2 * target)


def fit_frames(values: Tensor, frames: int) -> Tensor:
    """(B, n, ...) cut, or padded with zeros at the end, to (B, frames, ...)."""
    short = max(0, frames - values.shape[1])
    pads = [0, 0] * (values.dim() - 2) + [0, short]
    return functional.pad(values[:, :frames], pads)


def aligned(features: Features, frames: int) -> Features:
    """Features at their own rates, such as shards hold, at latent rate."""
    lips, phonemes, sync, semantic, speaker, durations = features
    return align(
        semantic=semantic,
        sync=sync,
        lips=lips,
        phonemes=phonemes,
        speaker=speaker,
        frames=frames,
        durations=durations,
    )


def align(
    *,
    semantic: Tensor,
    sync: Tensor,
    lips: Tensor,
    phonemes: Tensor,
    speaker: Tensor,
    frames: int,
    durations: Tensor | None = None,
) -> Features:
    """Features of a batch at latent rate.

    Args:
        semantic: CLIP tokens (B, n, semantic_features).
        sync: (B, n, sync_features), or (B, segments, tokens, sync_features) as stored.
        lips: (B, n, lip_features).
        phonemes: ids, int64 (B, n) at latent rate, or (B, P) with durations.
        speaker: (B, speaker_features).
        frames: latent frames T.
        durations: (B, T, P) for v1, else None.
    """
    sync = sync.flatten(1, -2)
    ids = phonemes if durations is not None else fit_frames(phonemes, frames)
    return Features(
        fit_frames(lips, frames),
        ids,
        sync[:, centre_index(sync.shape[1], frames)],
        semantic[:, lower_index(semantic.shape[1], frames)],
        speaker,
        durations,
    )
