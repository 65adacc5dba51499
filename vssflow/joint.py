"""Joint clips made from a sound and a speech clip: waveforms and features are mixed, not pixels.

The speech lies somewhere within the sound. ``add``: the background is turned down inside the span
of the speech, and visual features add up. ``insert``: the span is the speech alone.
"""

from __future__ import annotations

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
    """Of T latent frames."""
    frames: int
    """Latent frames that the clip truly lasts, at most T."""


class Overlay(NamedTuple):
    """Where and how speech is laid over a sound."""

    start: int
    """First latent frame of the speech."""
    mode: Mode
    """``add`` or ``insert``."""
    background: float
    """Factor on the background under added speech."""


def draw_overlay(sound: Source, speech: Source, generator: torch.Generator) -> Overlay:
    """A random overlay; speech longer than the sound starts at 0."""
    room = max(0, sound.frames - speech.frames)
    start = int(torch.randint(room + 1, (1,), generator=generator))
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
    total = sound.features.sync.shape[1]
    start, stop = overlay.start, min(total, overlay.start + speech.frames)
    end = total if extent == "clip" else stop
    wave = _lay(
        sound.wave, speech.wave, start, stop, config.samples_per_frame, overlay, keep_level=False
    )
    sync = _lay(sound.features.sync, speech.features.sync, start, end, 1, overlay)
    # A semantic token stands for several frames: those that begin within the span are met.
    tokens, per_token = sound.features.semantic.shape[1], total / sound.features.semantic.shape[1]
    first, last = (min(tokens, int(-(-place // per_token))) for place in (start, end))
    semantic = _lay(sound.features.semantic, speech.features.semantic, first, last, 1, overlay)
    phonemes, durations = speech.features.phonemes, speech.features.durations
    if durations is None:
        phonemes = _shift(phonemes, start * (phonemes.shape[1] // total))
    else:
        late = delayed(Timed(phonemes, durations), start)
        width = phonemes.shape[1]  # the last one is padding
        phonemes, durations = late.phonemes[:, :width], late.durations[..., :width]
    features = Features(
        lips=_shift(speech.features.lips, start),
        phonemes=phonemes,
        sync=sync,
        semantic=semantic,
        speaker=speech.features.speaker,
        durations=durations,
    )
    return Source(wave, features, max(sound.frames, stop))


def _lay(
    under: Tensor,
    over: Tensor,
    start: int,
    stop: int,
    unit: int,
    overlay: Overlay,
    *,
    keep_level: bool = True,
) -> Tensor:
    """``over`` from its beginning laid into ``under`` between two places, in units."""
    first, last = start * unit, stop * unit
    part = over[:, : last - first]
    if overlay.mode == "add":
        factor = 1.0 if keep_level else overlay.background
        part = part + factor * under[:, first:last]
    return torch.cat([under[:, :first], part, under[:, last:]], dim=1)


def _shift(values: Tensor, places: int) -> Tensor:
    """Values moved to the right; zeros (for phonemes: no speech) come in, the end is cut."""
    head = torch.zeros_like(values[:, :places])
    return torch.cat([head, values[:, : values.shape[1] - places]], dim=1)
