"""Features of the full-size model: CLIP, Synchformer, AV-HuBERT, RawNet3, phonemes, latents.

CLIP and AudioLDM2 run here; sync, lip and speaker features are read from ``.npy`` files of the
user, one a clip, since their networks live in environments of their own. All arrays are at latent
rate, 250 frames for 10 s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from vsseval.audio import read_audio
from vsseval.errors import InputError
from vsseval.resampling import resample
from vsseval.types import mono
from vsseval.video import read_video
from vssflow.alignment import centre_index, fit_frames, lower_index
from vssflow.audioldm2 import AudioLdm2
from vssflow.clip_vision import semantic_tokens
from vssflow.config import Config
from vssflow.duration_predictor import Prediction, spoken_lips
from vssflow.features import Clip
from vssflow.full_durations import timed_row
from vssflow.phonemes import Pronunciations, text_to_phonemes, uniform_timing
from vssflow.shards import write_shards

if TYPE_CHECKING:
    from transformers import CLIPVisionModel

WIDTHS = {"sync": 768, "lips": 1024, "speaker": 256}


@dataclass(frozen=True, slots=True)
class FullFrontEnds:
    """Networks, and folders of features that were computed elsewhere."""

    codec: AudioLdm2
    """AudioLDM2."""
    clip: CLIPVisionModel
    """ViT-B/16."""
    sync: Path | None
    """``<clip id>.npy``: Synchformer, (30, 8, 768) or (240, 768)."""
    lips: Path | None
    """``<clip id>.npy``: AV-HuBERT large, (n, 1024) at 25 a second; speech alone needs it."""
    speaker: Path | None
    """``<clip id>.npy``: RawNet3, (256,); speech alone needs it."""
    dictionary: Pronunciations
    """Of the transcripts."""
    prediction: Prediction | None = None
    """What times v1's phonemes where there is no alignment; None: an even stretch."""


def read_feature(folder: Path | None, kind: str, clip: Clip) -> NDArray[np.float32]:
    """Given features of a clip, see :func:`read_array`.

    Raises:
        InputError: no folder was given, or as :func:`read_array`.
    """
    if folder is None:
        raise InputError(f"clip {clip.id} needs {kind} features; give --{kind} DIR")
    path = folder / f"{clip.id}.npy"
    if not path.is_file():
        raise InputError(f"clip {clip.id} has no {kind} features at {path}")
    return read_array(path, kind)


def read_array(path: Path, kind: str) -> NDArray[np.float32]:
    """Features of a ``.npy`` file, float32 (..., width of the kind).

    Raises:
        InputError: no such file or none of numpy's, another width, or a value that is not finite.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {kind} features {path}: {error}") from error
    if values.shape[-1:] != (WIDTHS[kind],):
        raise InputError(f"{path} has shape {values.shape}, expected (..., {WIDTHS[kind]})")
    if not np.isfinite(values).all():
        raise InputError(f"{path} holds values that are not finite")
    return np.asarray(values, np.float32)


def clip_row(clip: Clip, ends: FullFrontEnds, config: Config) -> Mapping[str, NDArray[Any]]:
    """Arrays of one clip, as :mod:`vssflow.shards` keeps them.

    Raises:
        InputError: media or given features are missing or broken, or the transcript is empty.
    """
    frames = config.clip_frames
    audio = read_audio(Path(clip.audio))
    wave = resample(mono(audio), audio.sample_rate, config.sample_rate)
    lasts = max(1, min(frames, int(audio.duration * config.frame_rate)))
    with torch.inference_mode():
        mean, deviation = ends.codec.posterior(torch.from_numpy(wave)[None])
    video = read_video(Path(clip.video))
    semantic = semantic_tokens(ends.clip, video.frames, video.fps)
    sync = np.zeros((1, 0), np.float32)
    if "sync" in config.streams:
        sync = read_feature(ends.sync, "sync", clip).reshape(-1, WIDTHS["sync"])
    words = None if clip.transcript is None else text_to_phonemes(clip.transcript, ends.dictionary)
    lips = np.zeros((frames, WIDTHS["lips"]), np.float32)
    speaker = np.zeros(WIDTHS["speaker"], np.float32)
    phonemes = np.zeros(frames, np.int16)
    if words is not None:
        if "lips" in config.streams or ends.lips is not None:
            given = torch.from_numpy(read_feature(ends.lips, "lips", clip))
            lips = fit_frames(given[None], frames)[0].numpy()
        else:
            lips[:lasts] = spoken_lips(None, lasts)
        speaker = read_feature(ends.speaker, "speaker", clip).reshape(-1)
        ids = uniform_timing(words, lasts)
        phonemes[: len(ids)] = ids[:frames]
    row: Mapping[str, NDArray[Any]] = {}
    if config.phoneme_positions:
        row = timed_row(words, clip, lips[:lasts], ends.prediction, config)
    return {
        "latent": mean[0].numpy().astype(np.float16),
        "deviation": deviation[0].numpy().astype(np.float16),
        "semantic": semantic[lower_index(len(semantic), frames)].astype(np.float16),
        "sync": sync[centre_index(len(sync), frames)].astype(np.float16),
        "lips": lips.astype(np.float16),
        "phonemes": phonemes,
        "speaker": speaker,
        "frames": np.array(lasts, np.int32),
        **row,
    }


def store_features(
    clips: Sequence[Clip],
    folder: Path,
    ends: FullFrontEnds,
    config: Config,
    report: Callable[[str], None],
) -> dict[str, str]:
    """Write the shards of all clips that are not there yet; reasons of those that failed.

    Raises:
        InputError: as :func:`vssflow.shards.write_shards`.
    """
    settings = f"clips of {config.clip_frames} frames, {config.latent_channels} latent channels"
    if config.phoneme_positions:
        by = "an even stretch" if ends.prediction is None else ends.prediction.digest
        settings += f", durations by alignment or {by}"
    return write_shards(
        [clip.id for clip in clips],
        folder,
        lambda index: clip_row(clips[index], ends, config),
        settings,
        report,
    )
