"""Training of the three visual front ends from pixels: sync, lips and semantic tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vsseval.errors import InputError
from vssflow.config import Config
from vssflow.devices import bfloat16, device_of
from vssflow.durations import phone_targets
from vssflow.features import Clip
from vssflow.frontends import LipFrontEnd, SemanticFrontEnd, SyncFrontEnd
from vssflow.training import Draw, Job

SYNC_BATCH, SYNC_FRAMES = 12, 64
LIP_BATCH, LIP_FRAMES = 24, 50
SEMANTIC_BATCH = 64
SOUND_SHARE = 0.75
"""Of the sync batches; speech clips need little from whole frames."""


def onset_targets(clip: Clip, config: Config) -> NDArray[np.float32]:
    """1 in each latent frame that holds an annotated onset, 0.5 in its neighbours, float32 (T,)."""
    targets = np.zeros(config.clip_frames + 2, np.float32)
    for onset in clip.onsets:
        frame = int(onset * config.frame_rate)
        if 0 <= frame < config.clip_frames:
            near = targets[frame : frame + 3]
            np.maximum(near, [0.5, 1.0, 0.5], out=near)
    return targets[1:-1]


@dataclass(frozen=True, slots=True)
class Material:
    """What the front ends are trained on; row i of each array belongs to clip i."""

    clips: Sequence[Clip]
    """The clips."""
    scene: NDArray[np.uint8]
    """(N, T, 2, S, S)."""
    mouth: NDArray[np.uint8]
    """(N, T, S, S)."""
    colour: NDArray[np.uint8]
    """(N, V, S, S, 3)."""
    latent: NDArray[np.float16]
    """Normalised codec latents (N, T, latent_channels)."""


def _draw(rows: Sequence[int], count: int, generator: torch.Generator) -> list[int]:
    picked = torch.randint(len(rows), (count,), generator=generator).tolist()
    return [rows[i] for i in picked]


def _jitter(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Shift clips by up to 2 pixels and change brightness and contrast; uint8 (B, T, ..., S, S)."""
    batch = pictures.shape[0]
    size = pictures.shape[-1]
    places = torch.arange(size)
    shifts = torch.randint(-2, 3, (batch, 2), generator=generator)
    moved = torch.stack(
        [
            clip[..., (places + y).clamp(0, size - 1)[:, None], (places + x).clamp(0, size - 1)]
            for clip, (y, x) in zip(pictures, shifts.tolist(), strict=True)
        ]
    ).float()
    shape = (batch,) + (1,) * (pictures.dim() - 1)
    gain = 0.85 + 0.3 * torch.rand(shape, generator=generator)
    offset = 40 * torch.rand(shape, generator=generator) - 20
    return ((moved - 128) * gain + 128 + offset).clamp(0, 255).to(torch.uint8)


def _cuts(
    array: NDArray[np.generic], rows: Sequence[int], starts: Sequence[int], length: int
) -> Tensor:
    return torch.from_numpy(
        np.stack([array[row, at : at + length] for row, at in zip(rows, starts, strict=True)])
    )


def _starts(total: int, length: int, count: int, generator: torch.Generator) -> list[int]:
    picked: list[int] = torch.randint(total - length + 1, (count,), generator=generator).tolist()
    return picked


def sync_job(front_end: SyncFrontEnd, material: Material, config: Config) -> Job:
    """Predict each frame's latent (MSE) and onset (BCE, weighted 10 to 1) from whole frames."""
    sounds = [i for i, clip in enumerate(material.clips) if clip.transcript is None]
    speech = [i for i, clip in enumerate(material.clips) if clip.transcript is not None]
    num_sound = SYNC_BATCH if not speech else round(SYNC_BATCH * SOUND_SHARE) if sounds else 0
    onsets = np.stack([onset_targets(clip, config) for clip in material.clips])
    device = device_of(front_end)
    weight = torch.tensor(10.0).to(device)
    length = min(SYNC_FRAMES, config.clip_frames)

    def losses(draw: Draw) -> Mapping[str, Tensor]:
        generator = draw.generator
        rows = _draw(sounds, num_sound, generator) if num_sound else []
        rows += _draw(speech, SYNC_BATCH - num_sound, generator) if num_sound < SYNC_BATCH else []
        starts = _starts(config.clip_frames, length, SYNC_BATCH, generator)
        scene = _jitter(_cuts(material.scene, rows, starts, length), generator).to(device)
        latent = _cuts(material.latent, rows, starts, length).float().to(device)
        onset = _cuts(onsets, rows, starts, length).to(device)
        with bfloat16(device):
            predicted = front_end.predict(front_end(scene))
        parts = {
            "latent": functional.mse_loss(predicted.latent.float(), latent),
            "onset": functional.binary_cross_entropy_with_logits(
                predicted.onset.float(), onset, pos_weight=weight
            ),
        }
        return {"loss": parts["latent"] + parts["onset"], **parts}

    return Job("sync", front_end, losses, learning_rate=1e-3)


def lip_job(front_end: LipFrontEnd, material: Material, config: Config) -> Job:
    """Cross-entropy of the phone in each slot, over the clips that have an alignment.

    Raises:
        InputError: no clip has one.
    """
    rows_aligned = [i for i, clip in enumerate(material.clips) if clip.phones]
    if not rows_aligned:
        raise InputError("no clip has an alignment; the lip front end needs alignments.jsonl")
    targets = np.stack([phone_targets(clip, config) for clip in material.clips])
    targets = targets.reshape(len(material.clips), config.clip_frames, config.phonemes_per_frame)
    length = min(LIP_FRAMES, config.clip_frames)
    device = device_of(front_end)

    def losses(draw: Draw) -> Mapping[str, Tensor]:
        generator = draw.generator
        rows = _draw(rows_aligned, LIP_BATCH, generator)
        starts = _starts(config.clip_frames, length, LIP_BATCH, generator)
        mouth = _jitter(_cuts(material.mouth, rows, starts, length), generator).to(device)
        target = _cuts(targets, rows, starts, length).flatten().to(device)
        with bfloat16(device):
            log_posteriors = front_end.log_posteriors(front_end(mouth))
        flat = log_posteriors.flatten(0, 1)
        correct = (flat.argmax(-1) == target).float().mean()
        return {"loss": functional.nll_loss(flat, target), "accuracy": correct}

    return Job("lips", front_end, losses, learning_rate=5e-4, warmup_steps=50)


def labels_of(clips: Sequence[Clip]) -> list[str]:
    """Sorted sound classes; every speech clip is of the one class "speech"."""
    return sorted({_label(clip) for clip in clips})


def _label(clip: Clip) -> str:
    return "speech" if clip.transcript is not None else clip.label or "unlabelled"


def semantic_job(front_end: SemanticFrontEnd, material: Material, config: Config) -> Job:
    """Predict class, and the latent's mean and deviation over time, from single colour frames."""
    names = labels_of(material.clips)
    labels = torch.tensor([names.index(_label(clip)) for clip in material.clips])
    statistics = torch.from_numpy(
        np.concatenate(
            [np.mean(material.latent, 1, np.float32), np.std(material.latent, 1, np.float32)],
            axis=1,
        )
    )
    everything = range(len(material.clips))
    device = device_of(front_end)

    def losses(draw: Draw) -> Mapping[str, Tensor]:
        generator = draw.generator
        rows = _draw(everything, SEMANTIC_BATCH, generator)
        tokens = _starts(material.colour.shape[1], 2, SEMANTIC_BATCH, generator)
        colour = _cuts(material.colour, rows, tokens, 2).to(device)
        with bfloat16(device):
            features = front_end(colour)
            logits = front_end.label_head(features).float()
            predicted = front_end.latent_head(features).float()
        wanted = labels[rows][:, None].expand(-1, 2).to(device)
        correct = (logits.argmax(-1) == wanted).float().mean()
        parts = {
            "label": functional.cross_entropy(logits.flatten(0, 1), wanted.flatten()),
            "statistics": functional.mse_loss(
                predicted, statistics[rows][:, None].expand(-1, 2, -1).to(device)
            ),
        }
        return {"loss": parts["label"] + parts["statistics"], **parts, "accuracy": correct}

    return Job("semantic", front_end, losses, learning_rate=1e-3)
