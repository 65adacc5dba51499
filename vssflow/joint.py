"""Joint clips made from a sound and a speech clip: waveforms and features are mixed, not pixels.

The speech lies somewhere within the sound. ``add``: the background is turned down inside the span
of the speech, and visual features add up. ``insert``: the span is the speech alone.

Features of a full-size model stand at their own rates (CLIP 10 a second, sync 24, lips and phonemes
25), and a place in time is rounded down at each of them, as in the authors' code.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vssflow.config import Config
from vssflow.dit import Features
from vssflow.durations import Timed, delayed

Mode = Literal["add", "insert"]
Extent = Literal["span", "clip"]
BACKGROUND = (0.3, 0.7)
"""Range of the factor on the background under added speech."""


class Source(NamedTuple):
    """One clip: a batch of one."""

    wave: Tensor
    """(1, samples), float32."""
    features: Features
    """Lips and phonemes of T latent frames; sync and semantic features may have other rates."""
    frames: float
    """Latent frames that the clip truly lasts, at most T."""


class Overlay(NamedTuple):
    """Where and how speech is laid over a sound."""

    start: float
    """Where the speech begins [latent frames]."""
    mode: Mode
    """``add`` or ``insert``."""
    background: float
    """Factor on the background under added speech."""


def draw_overlay(
    sound: Source, speech: Source, generator: torch.Generator, *, whole_frames: bool = True
) -> Overlay:
    """A random overlay; speech longer than the sound starts at 0.

    Args:
        sound: the background.
        speech: what is laid over it.
        generator: of everything random.
        whole_frames: whether speech begins with a latent frame, or anywhere as with the authors.
    """
    room = max(0, sound.frames - speech.frames)
    start: float
    if whole_frames:
        start = int(torch.randint(int(room) + 1, (1,), generator=generator))
    else:
        start = room * float(torch.rand(1, generator=generator, dtype=torch.float64))
    mode: Mode = "add" if torch.rand(1, generator=generator) < 0.5 else "insert"
    low, high = BACKGROUND
    return Overlay(start, mode, low + (high - low) * float(torch.rand(1, generator=generator)))


def mix(
    sound: Source, speech: Source, overlay: Overlay, config: Config, extent: Extent = "span"
) -> Source:
    """The joint clip.

    Args:
        sound: the background; its lips, phonemes and speaker are not used.
        speech: what is laid over it.
        overlay: where and how.
        config: rates.
        extent: visual features of the speech reach to its end (``span``) or to the end of the clip
            (``clip``, as in the authors' code, where the background is then heard and not seen).
    """
    under, over = sound.features, speech.features
    total = under.lips.shape[1]
    start, stop = overlay.start, min(total, overlay.start + speech.frames)
    end = total if extent == "clip" else stop
    # A semantic token of ours stands for 0.4 s: those that begin within the span are met.
    round_place = math.ceil if config.trained_front_ends else math.floor

    def visual(name: Literal["sync", "semantic"]) -> Tensor:
        below, above = getattr(under, name), getattr(over, name)
        rate = Fraction(below.shape[1], total)
        first, last = (round_place(rate * Fraction(place)) for place in (start, end))
        return _lay(below, above, first, last, overlay, 1.0)

    per_frame = config.samples_per_frame
    first = int(start * per_frame)
    last = min(total * per_frame, first + int(speech.frames * per_frame))
    wave = _lay(sound.wave, speech.wave, first, last, overlay, overlay.background)
    phonemes, durations = over.phonemes, over.durations
    if durations is None:
        phonemes = _shift(phonemes, int(start) * (phonemes.shape[1] // total))
    else:
        late = delayed(Timed(phonemes, durations), round(start))
        width = phonemes.shape[1]  # the last one is padding
        phonemes, durations = late.phonemes[:, :width], late.durations[..., :width]
    features = Features(
        lips=_shift(over.lips, int(start)),
        phonemes=phonemes,
        sync=visual("sync"),
        semantic=visual("semantic"),
        speaker=over.speaker,
        durations=durations,
    )
    return Source(wave, features, max(sound.frames, stop))


def _lay(
    under: Tensor, over: Tensor, first: int, last: int, overlay: Overlay, factor: float
) -> Tensor:
    """``over`` from its beginning laid into ``under`` from ``first`` to before ``last``.

    The factor is that on the background where the two are added.
    """
    part = over[:, : last - first]
    if overlay.mode == "add":
        part = part + factor * under[:, first:last]
    return torch.cat([under[:, :first], part, under[:, last:]], dim=1)


def _shift(values: Tensor, places: int) -> Tensor:
    """Values moved to the right; zeros (for phonemes: no speech) come in, the end is cut."""
    head = torch.zeros_like(values[:, :places])
    return torch.cat([head, values[:, : values.shape[1] - places]], dim=1)
