"""Audio of a video from a full-size checkpoint: published front ends, transformer, codec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.synchformer.network import VideoExtractor
from vsseval.types import ModelOutput
from vssflow.alignment import align, fit_frames
from vssflow.audioldm2 import AudioLdm2
from vssflow.clip_vision import semantic_tokens, side_of
from vssflow.dit import Features
from vssflow.duration_predictor import Prediction, said_when
from vssflow.durations import SILENT, Spoken, window_of
from vssflow.film import film_audio, film_windows, span_frames
from vssflow.full_features import read_lips, read_speaker, read_sync
from vssflow.full_pictures import read_pictures, read_stamps, sync_tokens
from vssflow.network import Networks
from vssflow.phonemes import uniform_timing
from vssflow.shown import breaking_off
from vssflow.system import Settings
from vssflow.windows import Window

if TYPE_CHECKING:
    from transformers import CLIPVisionModel


class Given(NamedTuple):
    """Features that were computed elsewhere, as ``.npy`` files of one clip."""

    sync: Path | None = None
    """Synchformer, (30, 8, 768) or (240, 768), of a video of at most 10 s; None: the model's."""
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
    sync: VideoExtractor | None = None
    """Synchformer; None: its features are given."""
    prediction: Prediction | None = None
    """What times the phonemes of v1; None: an even stretch."""


class _Whole(NamedTuple):
    """Features over the whole film at latent rate."""

    lips: torch.Tensor
    """(1, T, 1024)."""
    phonemes: torch.Tensor
    """(1, T)."""
    speaker: torch.Tensor
    """(1, 256)."""
    spoken: tuple[int, int]
    """First frame of the speech and the one after its last."""
    said: Spoken
    """Phonemes of v1 over the frames of the speech."""


def generate_full(
    model: FullModel,
    video: Path,
    given: Given,
    *,
    words: Sequence[Sequence[int]] | None,
    seed: int,
    report: Callable[[str], None],
    span: tuple[float, float] | None = None,
) -> ModelOutput:
    """Audio as long as a video: in one window of 10 s, or in several that are cross-faded.

    A window always has 250 frames; black pictures follow a shorter video, and the audio is cut.

    Args:
        model: networks and solver.
        video: anything FFmpeg decodes, 0.2 to 120 s.
        given: sync, lip and speaker features.
        words: phoneme ids of each word, stretched evenly over film or span, or timed by the
            predictor of v1; None: no speech.
        seed: of the noise.
        report: is told how many windows there are, of a batch that had to be halved, and of a file
            that breaks off.
        span: start and end of the speech [s], the rest being sound; None: all of it. Only a model
            that was trained on joint clips makes both.

    Raises:
        InputError: the video cannot be used (:func:`vssflow.shown.shown_frames`), features are
            absent or broken, the span is empty or outside the video, or the speech is longer than
            v1's predictor sees.
        OutOfMemoryError: one window does not fit into memory.
    """
    config = model.networks.config
    times = read_stamps(video)
    duration = float(times[-1])
    if (broken := breaking_off(video, duration)) is not None:
        report(broken)
    covered = int(np.ceil(round(duration * config.frame_rate, 6)))
    num_frames = max(config.clip_frames, covered)
    spoken = None
    if span is not None:
        spoken = span_frames(span, words, duration, covered, config.frame_rate)
    places = film_windows(num_frames, duration, config, report)
    whole = _whole(model, given, words, num_frames, int(duration * config.frame_rate), spoken)
    parts = _window_features(model, video, times, given.sync, whole, places)
    features = [part.to(model.networks.device) for part in parts]
    with torch.inference_mode():
        return film_audio(
            model.networks.flow,
            model.codec.decode,
            features,
            places,
            duration,
            settings=model.settings,
            seed=seed,
            report=report,
        )


def _whole(
    model: FullModel,
    given: Given,
    words: Sequence[Sequence[int]] | None,
    num_frames: int,
    lasts: int,
    spoken: tuple[int, int] | None,
) -> _Whole:
    """Lips, phonemes and speaker; outside a span of speech there are no lips and no phonemes."""
    config = model.networks.config
    lips = np.zeros((1, config.lip_features), np.float32)
    speaker = np.zeros(config.speaker_features, np.float32)
    if given.lips is not None:
        lips = read_lips(given.lips)
    if given.speaker is not None:
        speaker = read_speaker(given.speaker)
    fitted_lips = fit_frames(torch.from_numpy(lips)[None], num_frames)
    ids, said = np.zeros(num_frames, np.int64), SILENT
    start, stop = spoken or (0, max(1, lasts))
    if words is not None and config.phoneme_positions:
        seen = None if given.lips is None else fitted_lips[0, start:stop].numpy()
        said = said_when(words, stop - start, model.prediction, seen)
    elif words is not None:
        ids[start:stop] = uniform_timing(words, stop - start)
    if spoken is not None:
        fitted_lips[:, :start] = 0
        fitted_lips[:, stop:] = 0
    phonemes, voice = torch.from_numpy(ids)[None], torch.from_numpy(speaker)[None]
    return _Whole(fitted_lips, phonemes, voice, (start, stop), said)


def _window_features(
    model: FullModel,
    video: Path,
    times: Sequence[Fraction],
    given_sync: Path | None,
    whole: _Whole,
    places: Sequence[Window],
) -> list[Features]:
    config = model.networks.config
    blind = "sync" not in config.streams
    if given_sync is None and model.sync is None and not blind:
        raise InputError("a full-size model needs sync features; give --synchformer or --sync")
    if given_sync is not None and len(places) > 1 and not blind:
        raise InputError(f"{video} is longer than its given sync features; give --synchformer")
    starts = [place.start for place in places]
    pictures = read_pictures(video, times, starts, side_of(model.clip))
    parts = []
    for row, (start, stop) in enumerate(places):
        if blind:
            sync = np.zeros((1, config.sync_features), np.float32)
        elif given_sync is not None:
            sync = read_sync(given_sync)
        else:
            assert model.sync is not None
            sync = sync_tokens(model.sync, pictures.sync[start:stop], model.networks.device)
        phonemes, durations = whole.phonemes[:, start:stop], None
        if config.phoneme_positions:
            phonemes, durations = window_of(whole.said, whole.spoken[0], start, stop)
        parts.append(
            align(
                semantic=_batch(semantic_tokens(model.clip, pictures.semantic[row])),
                sync=_batch(sync),
                lips=whole.lips[:, start:stop],
                phonemes=phonemes,
                speaker=whole.speaker,
                frames=stop - start,
                durations=durations,
            )
        )
    return parts


def _batch(values: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(values)[None]
