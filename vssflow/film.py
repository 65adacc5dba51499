"""Audio for a whole video of any length: windows of the model's length, cross-faded as latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsseval.audio import read_audio
from vsseval.errors import InputError
from vsseval.types import ModelOutput
from vssflow.config import Config
from vssflow.devices import device_of
from vssflow.dit import Conditions, Features, VSSFlow
from vssflow.frames import Box
from vssflow.memory import halve_until_it_fits
from vssflow.network import Networks, clip_features
from vssflow.sampler import Sample, sample, seeded_noise
from vssflow.shown import breaking_off
from vssflow.system import FlowModel, Settings, fitted, reference_voice, words_of_transcript
from vssflow.timeline import Timeline, read_timeline
from vssflow.windows import Window, cross_fade, windows

OVERLAP_SECONDS = 1.0
VOICE_SECONDS = 0.5
"""A shorter reference voice is used, and that is said."""
BATCH = 4
"""Windows in one forward pass."""


def generate_film(
    model: FlowModel,
    video: Path,
    *,
    text: str | None,
    voice: Path | None,
    face: Box | None,
    seed: int,
    report: Callable[[str], None],
    span: tuple[float, float] | None = None,
) -> ModelOutput:
    """Audio as long as a video: speech if there is a text, else sound.

    Noise is drawn once for the whole film, so windows agree where they meet. A text is timed over
    the whole film. A film of one window gives what :meth:`FlowModel.generate` gives.

    Args:
        model: networks and solver.
        video: anything FFmpeg decodes, 0.2 to 120 s.
        text: words to speak, or None.
        voice: recording of the voice to imitate, or None.
        face: face in the video [pixels], or None.
        seed: of the noise.
        report: is told how many windows there are, of a batch that had to be halved, and of a file
            that breaks off.
        span: start and end of the speech [s], the rest being sound; None: all of it. Only a model
            that was trained on joint clips makes both.

    Raises:
        InputError: the span is empty or outside the video, the video cannot be used
            (:func:`read_timeline`), or the text does not fit.
        OutOfMemoryError: one window does not fit into memory.
    """
    config = model.networks.config
    model.require_front_ends()
    timeline = read_timeline(video, face, config)
    if (broken := breaking_off(video, timeline.duration)) is not None:
        report(broken)
    words = None if text is None else words_of_transcript(text)
    speaker = None
    if voice is not None:
        if text is None:
            raise InputError("a reference voice needs a text to speak; give --text")
        speaker = reference_voice(voice, config)
        seconds = read_audio(voice).duration
        if not speaker.any():
            report(f"{voice} is silent: spoken without a reference voice")
        elif seconds < VOICE_SECONDS:
            report(f"{voice} lasts {seconds:.3f} s: hardly a voice; some seconds are better")
    num_frames = timeline.scene.shape[0]
    spoken = None
    if span is not None:
        spoken = span_frames(span, words, timeline.duration, num_frames, config.frame_rate)
    places = film_windows(num_frames, timeline.duration, config, report)
    with torch.inference_mode():
        features = _window_features(model.networks, timeline, places, words, speaker, spoken)
        return film_audio(
            model.networks.flow,
            model.networks.codec.decode,
            features,
            places,
            timeline.duration,
            settings=model.settings,
            seed=seed,
            report=report,
        )


def film_windows(
    num_frames: int, duration: float, config: Config, report: Callable[[str], None]
) -> list[Window]:
    """Windows of the model's length, sharing at least a second; says how many if there are several.

    Args:
        num_frames: latent frames of the film.
        duration: of the film [s].
        config: of the model.
        report: is told.
    """
    longest = round(config.max_seconds * config.frame_rate)
    places = windows(num_frames, longest, round(OVERLAP_SECONDS * config.frame_rate))
    if len(places) > 1:
        report(f"{duration:.1f} s in {len(places)} windows of {config.max_seconds:g} s")
    return places


def span_frames(
    span: tuple[float, float],
    words: Sequence[Sequence[int]] | None,
    duration: float,
    num_frames: int,
    frame_rate: int,
) -> tuple[int, int]:
    """First frame of the speech and the one after its last.

    Args:
        span: start and end of the speech [s].
        words: what is spoken.
        duration: of the film [s].
        num_frames: latent frames of the film.
        frame_rate: of the latents.

    Raises:
        InputError: the span is empty or outside the film, or there is no text.
    """
    start, stop = span
    if words is None:
        raise InputError("a span of speech needs a text to speak; give --text")
    if not 0 <= start < stop <= duration + 1 / frame_rate:
        raise InputError(
            f"the span of speech {start:g} to {stop:g} s is not within 0 to {duration:.2f} s"
        )
    first = int(start * frame_rate)
    return first, min(num_frames, max(first + 1, int(stop * frame_rate)))


def _window_features(
    networks: Networks,
    timeline: Timeline,
    places: Sequence[Window],
    words: Sequence[Sequence[int]] | None,
    speaker: NDArray[np.float32] | None,
    spoken: tuple[int, int] | None,
) -> list[Features]:
    config, num_frames = networks.config, timeline.scene.shape[0]
    frames = timeline.window(0, num_frames, config)
    whole = clip_features(networks, frames, words, speaker, spoken)
    if len(places) == 1:
        return [whole]
    slots, parts = config.phonemes_per_frame, []
    for start, stop in places:
        colour = torch.from_numpy(timeline.window(start, stop, config).colour)[None]
        parts.append(
            whole._replace(
                lips=whole.lips[:, start:stop],
                phonemes=whole.phonemes[:, slots * start : slots * stop],
                sync=whole.sync[:, start:stop],
                semantic=networks.semantic(colour.to(networks.device)),
            )
        )
    return parts


def film_audio(
    flow: VSSFlow,
    decode: Callable[[Tensor], Tensor],
    features: Sequence[Features],
    places: Sequence[Window],
    duration: float,
    *,
    settings: Settings,
    seed: int,
    report: Callable[[str], None],
) -> ModelOutput:
    """Audio of a film from the features of its windows.

    Args:
        flow: the transformer.
        decode: latents (1, T, C) to waveforms (1, n).
        features: of each window.
        places: where the windows lie.
        duration: of the audio [s].
        settings: integration.
        seed: of the noise, which is drawn once for the whole film.
        report: is told of a batch that had to be halved.

    Raises:
        OutOfMemoryError: one window does not fit into memory.
    """
    frames, channels = places[-1].stop, flow.config.latent_channels
    noise = seeded_noise(frames, channels, seed, device_of(flow))
    latents, nfe = _sample_windows(flow, settings, features, noise, places, report)
    wave = decode(cross_fade(latents, places)).cpu().numpy()
    return ModelOutput(fitted(wave, duration, flow.config), nfe)


def _sample_windows(
    flow: VSSFlow,
    settings: Settings,
    features: Sequence[Features],
    noise: Tensor,
    places: Sequence[Window],
    report: Callable[[str], None],
) -> tuple[list[Tensor], int]:
    """Latents of each window, and network evaluations in all."""
    conditions = [flow.conditions(part) for part in features]

    def run(rows: Sequence[int]) -> Sample:
        batch = Conditions(
            torch.cat([conditions[row].channels for row in rows]),
            torch.cat([conditions[row].tokens for row in rows]),
        )
        return sample(
            flow,
            batch,
            torch.cat([noise[:, places[row].start : places[row].stop] for row in rows]),
            num_steps=settings.num_steps,
            guidance_scale=settings.guidance_scale,
            solver=settings.solver,
            grid=settings.grid,
            drift=settings.drift,
        )

    # An adaptive solver shares its steps within a batch: one window at a time keeps them apart.
    size = 1 if settings.solver == "dopri5" else BATCH
    latents: list[Tensor] = []
    nfe = 0
    for drawn in halve_until_it_fits(run, range(len(places)), size, report):
        latents += drawn.latent[:, None]
        nfe += drawn.nfe * drawn.latent.shape[0]
    return latents, nfe
