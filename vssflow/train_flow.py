"""Training of the transformer by flow matching, on sound and speech clips in one mixed batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vssflow.dit import Features, VSSFlow, select
from vssflow.features import Clip
from vssflow.flow import sample_path, velocity_loss
from vssflow.training import Job

BATCH = 32
CONDITION_DROPOUT = 0.1  # of everything, item by item
SPEAKER_DROPOUT = 0.1  # of the speaker alone, so that a clip without a reference voice works


@dataclass(frozen=True, slots=True)
class FlowMaterial:
    """Latents and features; row i of each array belongs to clip i."""

    latent: NDArray[np.float16]
    """(N, T, latent_channels)."""
    lips: NDArray[np.float16]
    """(N, T, lip_features)."""
    phonemes: NDArray[np.int16]
    """(N, T slots)."""
    sync: NDArray[np.float16]
    """(N, T, sync_features)."""
    semantic: NDArray[np.float16]
    """(N, V, semantic_features)."""
    speaker: NDArray[np.float32]
    """Voice of each clip itself, (N, speaker_features); zeros for a sound."""
    companions: Sequence[Sequence[int]]
    """For each clip the rows of the same speaker's other clips; empty for a sound."""


def companions_of(clips: Sequence[Clip]) -> list[list[int]]:
    """For each clip the rows of its speaker's other clips; its own row where there is no other."""
    by_speaker: dict[str, list[int]] = {}
    for row, clip in enumerate(clips):
        if clip.transcript is not None and clip.speaker is not None:
            by_speaker.setdefault(clip.speaker, []).append(row)
    companions: list[list[int]] = []
    for row, clip in enumerate(clips):
        same = by_speaker.get(clip.speaker or "", []) if clip.transcript is not None else []
        companions.append([other for other in same if other != row] or same)
    return companions


def draw_features(
    material: FlowMaterial, rows: Sequence[int], generator: torch.Generator
) -> Features:
    """Features of a batch; the voice comes from another clip of the same speaker."""
    voices = []
    for row in rows:
        others = material.companions[row]
        pick = int(torch.randint(max(1, len(others)), (1,), generator=generator))
        voices.append(material.speaker[others[pick] if others else row])
    index = list(rows)
    return Features(
        torch.from_numpy(material.lips[index]).float(),
        torch.from_numpy(material.phonemes[index].astype(np.int64)),
        torch.from_numpy(material.sync[index]).float(),
        torch.from_numpy(material.semantic[index]).float(),
        torch.from_numpy(np.stack(voices)),
    )


def flow_job(flow: VSSFlow, material: FlowMaterial) -> Job:
    """Velocity regression on random clips at uniform times."""

    def losses(generator: torch.Generator) -> Mapping[str, Tensor]:
        rows = torch.randint(material.latent.shape[0], (BATCH,), generator=generator).tolist()
        features = draw_features(material, rows, generator)
        latent = torch.from_numpy(material.latent[rows]).float()
        return flow_losses(flow, latent, features, generator)

    return Job("flow", flow, losses, learning_rate=1e-3, warmup_steps=200, ema_decay=0.999)


def flow_losses(
    flow: VSSFlow, latent: Tensor, features: Features, generator: torch.Generator
) -> dict[str, Tensor]:
    """Velocity loss of one batch under condition dropout."""
    batch = latent.shape[0]
    # Uniform, and spread over the batch: one time in each of B equal intervals.
    places = torch.randperm(batch, generator=generator)
    t = (places + torch.rand(batch, generator=generator)) / batch
    noise = torch.randn(latent.shape, generator=generator)
    dropped = torch.rand(batch, generator=generator) < CONDITION_DROPOUT
    mute = torch.rand(batch, 1, generator=generator) < SPEAKER_DROPOUT
    features = features._replace(speaker=features.speaker.masked_fill(mute, 0.0))
    path = sample_path(noise, latent, t)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        conditions = flow.conditions(features)
        conditions = select(conditions, flow.null(conditions), dropped)
        predicted = flow(path.x_t, t, conditions)
    return {"loss": velocity_loss(predicted, path.velocity)}
