"""One clip from a full-size checkpoint: published front ends, transformer, AudioLDM2's codec."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.types import ModelOutput
from vsseval.video import read_video
from vssflow.alignment import align
from vssflow.audioldm2 import AudioLdm2
from vssflow.clip_vision import semantic_tokens
from vssflow.duration_predictor import Prediction, said_when
from vssflow.durations import SILENT, padded, timed
from vssflow.full_features import WIDTHS, read_array
from vssflow.network import Networks
from vssflow.phonemes import uniform_timing
from vssflow.sampler import sample, seeded_noise
from vssflow.system import Settings, fitted
from vssflow.timeline import MIN_SECONDS

if TYPE_CHECKING:
    from transformers import CLIPVisionModel


class Given(NamedTuple):
    """Features that were computed elsewhere, as ``.npy`` files of one clip."""

    sync: Path | None
    """Synchformer, (30, 8, 768) or (240, 768); None: for v1, which does not see it."""
    lips: Path | None = None
    """AV-HuBERT large, (n, 1024); None: zeros, as for a sound."""
    speaker: Path | None = None
    """RawNet3, (256,); None: zeros, no reference."""


class FullModel(NamedTuple):
    """What a full-size model needs to make a clip."""

    networks: Networks
    """The transformer."""
    codec: AudioLdm2
    """Latents to waveforms."""
    clip: CLIPVisionModel
    """CLIP's vision tower."""
    settings: Settings
    """Integration."""
    prediction: Prediction | None = None
    """What times the phonemes of v1; None: an even stretch."""


def generate_full(
    model: FullModel,
    video: Path,
    given: Given,
    *,
    words: Sequence[Sequence[int]] | None,
    seed: int,
) -> ModelOutput:
    """Audio of one video of at most 10 s; the latent always has 250 frames, the audio is cut.

    Args:
        model: networks and solver.
        video: frames for CLIP; its length decides that of the audio.
        given: sync, lip and speaker features.
        words: phoneme ids of each word, stretched evenly over the clip or, for v1, timed by its
            predictor; None: no speech.
        seed: of the noise.

    Raises:
        InputError: the video is shorter than 0.2 s or longer than 10 s, or features are broken or
            lacking.
    """
    config = model.networks.config
    if "sync" in config.streams and given.sync is None:
        raise InputError(f"preset {config.preset} needs Synchformer's features; give --sync")
    decoded = read_video(video)
    duration = decoded.frames.shape[0] / decoded.fps
    if not MIN_SECONDS <= duration <= config.clip_seconds:
        raise InputError(
            f"{video} lasts {duration:.2f} s; a full-size model takes {MIN_SECONDS} to "
            f"{config.clip_seconds:g} s"
        )
    frames = config.clip_frames
    spoken = max(1, int(duration * config.frame_rate))
    lips = _optional(given.lips, "lips")
    durations = None
    if config.phoneme_positions:
        seen = None if given.lips is None else lips
        said = SILENT if words is None else said_when(words, spoken, model.prediction, seen)
        ids, durations = timed(padded(said, frames))
    else:
        ids = torch.zeros(1, frames, dtype=torch.int64)
        if words is not None:
            ids[0, :spoken] = torch.from_numpy(uniform_timing(words, spoken))
    features = align(
        semantic=torch.from_numpy(semantic_tokens(model.clip, decoded.frames, decoded.fps))[None],
        sync=_batch(_optional(given.sync, "sync")),
        lips=_batch(lips),
        phonemes=ids,
        speaker=_batch(_optional(given.speaker, "speaker")[0]),
        frames=frames,
        durations=durations,
    )
    with torch.inference_mode():
        drawn = sample(
            model.networks.flow,
            model.networks.flow.conditions(features),
            seeded_noise(frames, config.latent_channels, seed, "cpu"),
            num_steps=model.settings.num_steps,
            guidance_scale=model.settings.guidance_scale,
            solver=model.settings.solver,
            grid=model.settings.grid,
            drift=model.settings.drift,
        )
        wave = model.codec.decode(drawn.latent).numpy()
    return ModelOutput(fitted(wave, duration, config), drawn.nfe)


def _optional(path: Path | None, kind: str) -> NDArray[np.float32]:
    """(n, width) of a file; one row of zeros without one."""
    if path is None:
        return np.zeros((1, WIDTHS[kind]), np.float32)
    return read_array(path, kind).reshape(-1, WIDTHS[kind])


def _batch(values: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(values)[None]
