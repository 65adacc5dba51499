"""Training of the transformer by flow matching, on sound and speech clips in one mixed batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsseval.errors import InputError
from vssflow.alignment import aligned
from vssflow.config import Config
from vssflow.devices import bfloat16, device_of
from vssflow.distributed import Share
from vssflow.dit import Features, VSSFlow, select
from vssflow.durations import duration_matrix
from vssflow.features import Clip
from vssflow.flow import sample_path, velocity_loss
from vssflow.joint import Extent, Source, draw_overlay, mix
from vssflow.mixture import Mixture, mixture
from vssflow.training import Draw, Job

CONDITION_DROPOUT = 0.1
"""Chance that an item loses all its conditions."""
SPEAKER_DROPOUT = 0.1
"""Chance that it loses the speaker alone, so that a clip without a reference voice works."""


class Rows(Protocol):
    """An array of one row a clip, in memory or in shards."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all rows."""
        ...

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """One row, or those of a list."""
        ...


@dataclass(frozen=True, slots=True)
class FlowMaterial:
    """Latents and features; row i of each array belongs to clip i."""

    latent: Rows
    """(N, T, latent_channels)."""
    lips: Rows
    """(N, T, lip_features)."""
    phonemes: Rows
    """(N, T slots)."""
    sync: Rows
    """(N, T, sync_features); of a full-size model (N, 240, sync_features)."""
    semantic: Rows
    """(N, V, semantic_features); of a full-size model (N, 100, semantic_features)."""
    speaker: Rows
    """Voice of each clip itself, (N, speaker_features); zeros for a sound."""
    companions: Sequence[Sequence[int]]
    """For each clip the rows of the same speaker's other clips; empty for a sound."""
    spans: Rows | None = None
    """Phonemes of each frame, (N, T, 2), where they come with durations (v1)."""
    deviation: Rows | None = None
    """Of the latents, (N, T, latent_channels); they are then drawn afresh at each step."""


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


@dataclass(frozen=True, slots=True)
class FlowTraining:
    """How the transformer is trained."""

    batch: int = 32
    """Clips in an update, over all processes and accumulated parts."""
    seed: int = 0
    """Of the order of the clips."""
    joint_share: float = 0.0
    """Share of joint clips, made from a sound and a speech clip; the rest is mixed by their number,
    or by ``speech_share``."""
    speech_share: float | None = None
    """Share of speech among the clips that are not joint; None: as many as there are."""
    joint_extent: Extent = "span"
    """How far the pictures of the speech reach in a joint clip, see :func:`vssflow.joint.mix`."""
    dropout_per_batch: bool = False
    """Conditions, and the speaker alone, are dropped for a whole batch, as the authors do, and not
    item by item."""
    mask_lip_sync: tuple[float, ...] = ()
    """Shares of the frames that lose their lips, and others their sync features, in a clip; one of
    these is drawn for each batch. The authors have (0, 1) in their joint stages: all or nothing."""
    bfloat16: bool = True
    """Products in bfloat16, weights in float32."""
    gradient_checkpointing: bool = False
    """Blocks are computed again for their gradients: less memory, a third more time."""
    learning_rate: float = 1e-3
    """Peak of the schedule."""


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
    phonemes = torch.from_numpy(material.phonemes[index].astype(np.int64))
    durations = None
    if material.spans is not None:
        spans = torch.from_numpy(material.spans[index].astype(np.int64))
        durations = duration_matrix(spans, phonemes.shape[1])
    return Features(
        torch.from_numpy(material.lips[index]).float(),
        phonemes,
        torch.from_numpy(material.sync[index]).float(),
        torch.from_numpy(material.semantic[index]).float(),
        torch.from_numpy(np.stack(voices)),
        durations,
    )


@dataclass(frozen=True, slots=True)
class JointMaterial:
    """What joint clips need besides the features."""

    wave: Rows
    """16-bit samples (N, samples) at the model's rate."""
    frames: Sequence[float] | Rows
    """Latent frames that each clip truly lasts."""
    encode: Callable[[Tensor, torch.Generator], Tensor]
    """Waveforms (B, samples) to latents (B, T, latent_channels), which may be drawn; from the CPU
    to the CPU."""


def flow_mixture(
    material: FlowMaterial, training: FlowTraining, joint: JointMaterial | None
) -> Mixture:
    """Sound, speech and joint clips in the shares that were asked for.

    Raises:
        InputError: joint clips are asked for without waveforms, or a group is empty.
    """
    if training.joint_share > 0 and joint is None:
        raise InputError("joint clips need waveforms and a codec")
    return mixture_of(material.companions, training)


def mixture_of(companions: Sequence[Sequence[int]], training: FlowTraining) -> Mixture:
    """As :func:`flow_mixture`, of what :func:`companions_of` gives.

    Raises:
        InputError: a group is empty.
    """
    spoken = [row for row, same in enumerate(companions) if same]
    silent = [row for row, same in enumerate(companions) if not same]
    if training.joint_share > 0 and not (spoken and silent):
        raise InputError("joint clips need both sound and speech clips")
    speech = training.speech_share
    if speech is None:
        speech = len(spoken) / (len(spoken) + len(silent))
    rest = 1 - training.joint_share
    shares = {
        "sound": rest * (1 - speech),
        "speech": rest * speech,
        "joint": training.joint_share,
    }
    # A joint clip is named by its speech; its sound is drawn beside it.
    groups = {"sound": silent, "speech": spoken, "joint": spoken}
    return mixture(groups, shares, training.batch, training.seed)


class _Batch(NamedTuple):
    """One share of a batch, ready for the network."""

    latent: Tensor
    """Data x_1, (B, T, C)."""
    features: Features


def flow_job(
    flow: VSSFlow,
    material: FlowMaterial,
    training: FlowTraining | None = None,
    *,
    joint: JointMaterial | None = None,
    ids: Sequence[str] | None = None,
) -> Job:
    """Velocity regression on mixed clips at uniform times.

    Args:
        flow: the transformer.
        material: latents and features of all clips.
        training: batch, mixture, precision.
        joint: waveforms, where joint clips are made.
        ids: names of the clips, for the message of a run that breaks.

    Raises:
        InputError: as :func:`flow_mixture`.
    """
    options = training or FlowTraining()
    mixed = flow_mixture(material, options, joint)
    flow.gradient_checkpointing = options.gradient_checkpointing
    silent = mixed.groups.get("sound") or [
        row for row, same in enumerate(material.companions) if not same
    ]

    def losses(draw: Draw) -> Mapping[str, Tensor]:
        picked = mixed.rows(draw.step)
        # Drawn for the whole batch, so that the share of a process does not move the noise.
        seeds = torch.randint(2**62, (len(picked),), generator=draw.generator).tolist()
        clips = [
            _clip(group, row, seed, material, silent, joint, options, flow.config)
            for (group, row), seed in draw.share.of(list(zip(picked, seeds, strict=True)))
        ]
        device = device_of(flow)
        return flow_losses(
            flow,
            torch.cat([clip.latent for clip in clips]).to(device),
            stacked([clip.features for clip in clips]).to(device),
            draw.generator,
            share=draw.share,
            options=options,
        )

    def batch_ids(step: int) -> list[str]:
        rows = [row for _, row in mixed.rows(step)]
        return [ids[row] if ids is not None else str(row) for row in rows]

    settings = f"{mixed.describe()}; dropout per {'batch' if options.dropout_per_batch else 'clip'}"
    if options.joint_share and options.joint_extent != "span":
        settings += f"; joint extent {options.joint_extent}"
    if options.mask_lip_sync:
        settings += f"; masks {', '.join(f'{ratio:g}' for ratio in options.mask_lip_sync)}"
    return Job(
        "flow",
        flow,
        losses,
        learning_rate=options.learning_rate,
        warmup_steps=200,
        ema_decay=0.999,
        batch=options.batch,
        batch_ids=batch_ids,
        settings=settings,
    )


def _clip(
    group: str,
    row: int,
    seed: int,
    material: FlowMaterial,
    silent: Sequence[int],
    joint: JointMaterial | None,
    options: FlowTraining,
    config: Config,
) -> _Batch:
    """Latent, and features at latent rate, of one clip; a joint one is made here."""
    generator = torch.Generator().manual_seed(seed)
    features = draw_features(material, [row], generator)
    if group == "joint" and joint is not None:
        under = silent[int(torch.randint(len(silent), (1,), generator=generator))]
        speech = Source(_wave(joint, row), features, float(joint.frames[row]))
        background = draw_features(material, [under], generator)
        sound = Source(_wave(joint, under), background, float(joint.frames[under]))
        whole = config.trained_front_ends
        overlay = draw_overlay(sound, speech, generator, whole_frames=whole)
        wave, features, _ = mix(sound, speech, overlay, config, options.joint_extent)
        with torch.no_grad():
            latent = joint.encode(wave, generator).float()
    else:
        latent = torch.from_numpy(material.latent[[row]]).float()
        if material.deviation is not None:
            noise = torch.randn(latent.shape, generator=generator)
            latent += torch.from_numpy(material.deviation[[row]]).float() * noise
    if not config.trained_front_ends:
        features = aligned(features, config.clip_frames)
    return _Batch(latent, features)


def stacked(clips: Sequence[Features]) -> Features:
    """Clips as one batch."""
    durations = [clip.durations for clip in clips if clip.durations is not None]
    joined = Features(
        *(torch.cat(parts) for parts in zip(*(clip[:5] for clip in clips), strict=True))
    )
    return joined._replace(durations=torch.cat(durations)) if durations else joined


def _wave(joint: JointMaterial, row: int) -> Tensor:
    return torch.from_numpy(joint.wave[[row]].astype(np.float32) / 32768)


def flow_losses(
    flow: VSSFlow,
    latent: Tensor,
    features: Features,
    generator: torch.Generator,
    *,
    share: Share | None = None,
    options: FlowTraining | None = None,
) -> dict[str, Tensor]:
    """Velocity loss of one share of a batch, latents x_1 (B, T, C), under condition dropout.

    Times, noise and dropout are drawn for the whole batch; the share takes its part of them, to
    the device of its latents and features.
    """
    part, chosen = share or Share(), options or FlowTraining()
    batch = latent.shape[0] * part.count
    # Uniform, and spread over the batch: one time in each of B equal intervals.
    places = torch.randperm(batch, generator=generator)
    t = (places + torch.rand(batch, generator=generator)) / batch
    noise = torch.randn((batch, *latent.shape[1:]), generator=generator)
    dropped = torch.rand(batch, generator=generator) < CONDITION_DROPOUT
    if chosen.dropout_per_batch:
        dropped = dropped[:1].expand(batch)
    mute = torch.rand(batch, 1, generator=generator) < SPEAKER_DROPOUT
    if chosen.dropout_per_batch:
        mute = mute[:1].expand(batch, 1)
    t, noise, dropped, mute = (
        part.of_tensor(value).to(latent.device) for value in (t, noise, dropped, mute)
    )
    features = features._replace(speaker=features.speaker.masked_fill(mute, 0.0))
    if chosen.mask_lip_sync:
        features = masked(features, chosen.mask_lip_sync, generator, part)
    path = sample_path(noise, latent, t)
    with bfloat16(latent.device, enabled=chosen.bfloat16):
        conditions = flow.conditions(features)
        conditions = select(conditions, flow.null(conditions), dropped)
        predicted = flow(path.x_t, t, conditions)
    return {"loss": velocity_loss(predicted, path.velocity)}


def masked(
    features: Features, ratios: Sequence[float], generator: torch.Generator, share: Share
) -> Features:
    """Features of a share of a batch with the lips of some frames, and the sync of others, zero.

    The ratio is drawn once a batch; a frame is kept where a uniform draw exceeds it. The authors
    mask behind the projections, which have no bias and see each frame alone: it is the same.
    """
    ratio = ratios[int(torch.randint(len(ratios), (1,), generator=generator))]
    batch, frames = features.lips.shape[0] * share.count, features.lips.shape[1]
    lips, sync = (
        share.of_tensor(torch.rand(batch, frames, 1, generator=generator) > ratio) for _ in range(2)
    )
    device = features.lips.device
    return features._replace(
        lips=features.lips * lips.to(device), sync=features.sync * sync.to(device)
    )
