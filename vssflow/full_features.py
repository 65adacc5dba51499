"""Features of the full-size model: CLIP, Synchformer, AV-HuBERT, RawNet3, phonemes, latents.

CLIP, Synchformer and AudioLDM2 run here; lip and speaker features are read from ``.npy`` files of
the user, one a clip, since their networks live in environments of their own, and sync features may
be. Features stand at their own rates, as joint clips mix them; training brings them to latent rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from vsseval.audio import mono_at, read_audio
from vsseval.errors import InputError
from vsseval.synchformer.network import VideoExtractor
from vssflow.alignment import fit_frames
from vssflow.audioldm2 import AudioLdm2
from vssflow.clip_vision import semantic_tokens, side_of
from vssflow.config import Config
from vssflow.devices import device_of
from vssflow.duration_predictor import Prediction, spoken_lips
from vssflow.features import Clip, pcm16
from vssflow.full_durations import timed_row
from vssflow.full_pictures import Pictures, read_pictures, read_stamps, sync_tokens
from vssflow.phonemes import Pronunciations, text_to_phonemes, uniform_timing
from vssflow.shards import write_shards

if TYPE_CHECKING:
    from transformers import CLIPVisionModel


@dataclass(frozen=True, slots=True)
class FullFrontEnds:
    """Networks, and folders of features that were computed elsewhere."""

    codec: AudioLdm2
    """AudioLDM2."""
    clip: CLIPVisionModel
    """ViT-B/16."""
    sync: VideoExtractor | Path | None
    """Synchformer, or a folder of ``<clip id>.npy`` made by it, (30, 8, 768) or (240, 768); None:
    for v1, which has no such features."""
    lips: Path | None
    """``<clip id>.npy``: AV-HuBERT large, (n, 1024) at 25 a second; speech alone needs it."""
    speaker: Path | None
    """``<clip id>.npy``: RawNet3, (256,); speech alone needs it."""
    dictionary: Pronunciations
    """Of the transcripts."""
    prediction: Prediction | None = None
    """What times v1's phonemes where there is no alignment; None: an even stretch."""


def _given(folder: Path | None, kind: str, clip: Clip) -> Path:
    if folder is None:
        raise InputError(f"clip {clip.id} needs {kind} features; give --{kind} DIR")
    return folder / f"{clip.id}.npy"


def read_sync(path: Path) -> NDArray[np.float32]:
    """Synchformer's features of 10 s, float32 (240, 768), given as (30, 8, 768) or flat.

    Raises:
        InputError: no such file or none of numpy's, another shape, or a value that is not finite.
    """
    return _read(path, "sync", (240, 768), (30, 8, 768))


def read_lips(path: Path) -> NDArray[np.float32]:
    """AV-HuBERT's features at 25 a second, float32 (n, 1024); errors as :func:`read_sync`."""
    return _read(path, "lips", (-1, 1024))


def read_speaker(path: Path) -> NDArray[np.float32]:
    """RawNet3's vector, float32 (256,), given as such or as one row; errors as above."""
    return _read(path, "speaker", (256,), (1, 256))


def _read(
    path: Path, kind: str, shape: tuple[int, ...], *others: tuple[int, ...]
) -> NDArray[np.float32]:
    """An array of one of some shapes (-1: any length), in the first of them."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot read {kind} features {path}: {error}") from error
    fits = any(
        len(values.shape) == len(wanted)
        and all(want in (-1, got) for want, got in zip(wanted, values.shape, strict=True))
        for wanted in (shape, *others)
    )
    if not fits:
        said = str(shape).replace("-1", "n")
        raise InputError(f"{kind} features {path} have shape {values.shape}, expected {said}")
    if not np.isfinite(values).all():
        raise InputError(f"{kind} features {path} hold values that are not finite")
    return np.asarray(values, np.float32).reshape(shape)


def clip_row(clip: Clip, ends: FullFrontEnds, config: Config) -> Mapping[str, NDArray[Any]]:
    """Arrays of one clip, as :mod:`vssflow.shards` keeps them.

    Raises:
        InputError: media or given features are missing or broken, or the transcript is empty.
    """
    frames = config.clip_frames
    audio = read_audio(Path(clip.audio))
    wave = mono_at(audio, config.sample_rate, config.clip_seconds)
    # The authors round a clip's length to 10 ms.
    lasts = config.frame_rate * min(config.clip_seconds, round(audio.duration, 2))
    whole = max(1, int(lasts))
    words = None if clip.transcript is None else text_to_phonemes(clip.transcript, ends.dictionary)
    lips = np.zeros((frames, config.lip_features), np.float32)
    speaker = np.zeros(config.speaker_features, np.float32)
    phonemes = np.zeros(frames, np.int16)
    if words is not None:
        ids = uniform_timing(words, whole)
        phonemes[: len(ids)] = ids[:frames]
        if "lips" in config.streams or ends.lips is not None:
            given = torch.from_numpy(read_lips(_given(ends.lips, "lips", clip)))
            lips = fit_frames(given[None], frames)[0].numpy()
        else:
            lips[:whole] = spoken_lips(None, whole)
        speaker = read_speaker(_given(ends.speaker, "speaker", clip))
    timed: Mapping[str, NDArray[Any]] = {}
    if config.phoneme_positions:
        timed = timed_row(words, clip, lips[:whole], ends.prediction, config)
    times = read_stamps(Path(clip.video), config.clip_seconds)
    side = side_of(ends.clip)
    pictures = read_pictures(Path(clip.video), times, [0], side, config.clip_seconds)
    with torch.inference_mode():
        samples = torch.from_numpy(wave)[None].to(device_of(ends.codec))
        mean, deviation = ends.codec.posterior(samples)
    return {
        "latent": mean[0].cpu().numpy().astype(np.float16),
        "deviation": deviation[0].cpu().numpy().astype(np.float16),
        "semantic": semantic_tokens(ends.clip, pictures.semantic[0]).astype(np.float16),
        "sync": _sync(clip, ends, pictures).astype(np.float16),
        "lips": lips.astype(np.float16),
        "phonemes": phonemes,
        "speaker": speaker,
        "wave": pcm16(wave),
        "frames": np.array(lasts, np.float64),
        **timed,
    }


def _sync(clip: Clip, ends: FullFrontEnds, pictures: Pictures) -> NDArray[np.float32]:
    """(240, 768) of a clip; (1, 0) without."""
    if ends.sync is None:
        return np.zeros((1, 0), np.float32)
    if isinstance(ends.sync, Path):
        return read_sync(ends.sync / f"{clip.id}.npy")
    return sync_tokens(ends.sync, pictures.sync, device_of(ends.codec))


def store_features(
    clips: Sequence[Clip],
    folder: Path,
    ends: FullFrontEnds,
    config: Config,
    report: Callable[[str], None],
    *,
    retry: bool = False,
) -> dict[str, str]:
    """Write the shards of all clips that are not there yet; reasons of those that failed.

    With ``retry`` the clips that failed before are tried once more.

    Raises:
        InputError: as :func:`vssflow.shards.write_shards`.
    """
    sync = "given" if isinstance(ends.sync, Path) else "Synchformer"
    if ends.sync is None:
        sync = "none"
    settings = (
        f"clips of {config.clip_frames} frames, {config.latent_channels} latent channels, sync "
        f"features {sync}, waveforms"
    )
    if config.phoneme_positions:
        by = "an even stretch" if ends.prediction is None else ends.prediction.digest
        settings += f", durations by alignment or {by}"
    return write_shards(
        [clip.id for clip in clips],
        folder,
        lambda index: clip_row(clips[index], ends, config),
        settings,
        report,
        retry=retry,
    )
