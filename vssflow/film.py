"""Audio for a whole video of any length: windows of the model's length, cross-faded as latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsseval.errors import InputError
from vsseval.types import ModelOutput
from vssflow.dit import Conditions, Features
from vssflow.frames import Box
from vssflow.memory import halve_until_it_fits
from vssflow.network import Networks, clip_features
from vssflow.sampler import Sample, sample, seeded_noise
from vssflow.system import FlowModel, fitted, reference_voice, words_of_transcript
from vssflow.timeline import Timeline, read_timeline

OVERLAP_SECONDS = 1.0
BATCH = 4
"""Windows in one forward pass."""


class Window(NamedTuple):
    """Latent frames from ``start`` to before ``stop``."""

    start: int
    stop: int


def windows(num_frames: int, longest: int, overlap: int) -> list[Window]:
    """Windows of one length that cover all frames, each sharing at least ``overlap`` with the next.

    A clip that fits is one window; others are spread evenly.
    """
    if num_frames <= longest:
        return [Window(0, num_frames)]
    count = -(-(num_frames - overlap) // (longest - overlap))
    starts = [round(i * (num_frames - longest) / (count - 1)) for i in range(count)]
    return [Window(start, start + longest) for start in starts]


def cross_fade(parts: Sequence[Tensor], places: Sequence[Window]) -> Tensor:
    """Windows (1, T_w, C) joined to (1, T, C) by linear ramps over what two of them share.

    The weights of a frame add up to one, so parts that agree are kept as they are.
    """
    total = places[-1].stop
    out = parts[0].new_zeros(1, total, parts[0].shape[-1])
    weight_sum = out.new_zeros(total, 1)
    for i, (part, place) in enumerate(zip(parts, places, strict=True)):
        frames = torch.arange(place.start, place.stop, device=out.device)
        weight = torch.ones(len(frames), device=out.device)
        if i > 0:
            shared = places[i - 1].stop - place.start
            weight = torch.minimum(weight, (frames - place.start + 0.5) / shared)
        if i + 1 < len(places):
            shared = place.stop - places[i + 1].start
            weight = torch.minimum(weight, (place.stop - frames - 0.5) / shared)
        out[:, place.start : place.stop] += weight[:, None] * part
        weight_sum[place.start : place.stop] += weight[:, None]
    return out / weight_sum


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
        report: is told how many windows there are, and of a batch that had to be halved.
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
    words = None if text is None else words_of_transcript(text)
    speaker = None
    if voice is not None:
        if text is None:
            raise InputError("a reference voice needs a text to speak; give --text")
        speaker = reference_voice(voice, config)
    num_frames = timeline.scene.shape[0]
    spoken = _span_frames(span, timeline, text, config.frame_rate)
    longest = round(config.max_seconds * config.frame_rate)
    places = windows(num_frames, longest, round(OVERLAP_SECONDS * config.frame_rate))
    if len(places) > 1:
        report(f"{timeline.duration:.1f} s in {len(places)} windows of {config.max_seconds:g} s")
    with torch.inference_mode():
        features = _window_features(model.networks, timeline, places, words, speaker, spoken)
        noise = seeded_noise(num_frames, config.latent_channels, seed, model.networks.device)
        latents, nfe = _sample_windows(model, features, noise, places, report)
        wave = model.networks.codec.decode(cross_fade(latents, places)).cpu().numpy()
    return ModelOutput(fitted(wave, timeline.duration, config), nfe)


def _span_frames(
    span: tuple[float, float] | None, timeline: Timeline, text: str | None, frame_rate: int
) -> tuple[int, int] | None:
    if span is None:
        return None
    start, stop = span
    if text is None:
        raise InputError("a span of speech needs a text to speak; give --text")
    if not 0 <= start < stop <= timeline.duration + 1 / frame_rate:
        raise InputError(
            f"the span of speech {start:g} to {stop:g} s is not within 0 to "
            f"{timeline.duration:.2f} s"
        )
    first = int(start * frame_rate)
    return first, min(timeline.scene.shape[0], max(first + 1, int(stop * frame_rate)))


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


def _sample_windows(
    model: FlowModel,
    features: Sequence[Features],
    noise: Tensor,
    places: Sequence[Window],
    report: Callable[[str], None],
) -> tuple[list[Tensor], int]:
    """Latents of each window, and network evaluations in all."""
    flow, settings = model.networks.flow, model.settings
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
        )

    # An adaptive solver shares its steps within a batch: one window at a time keeps them apart.
    size = 1 if settings.solver == "dopri5" else BATCH
    latents: list[Tensor] = []
    nfe = 0
    for drawn in halve_until_it_fits(run, range(len(places)), size, report):
        latents += drawn.latent[:, None]
        nfe += drawn.nfe * drawn.latent.shape[0]
    return latents, nfe
