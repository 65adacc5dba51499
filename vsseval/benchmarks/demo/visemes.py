"""From phones to the shape of the mouth, in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vsseval.benchmarks.demo.clip import SECONDS, FloatArray

STEP = 0.005
"""Grid of the track [s]."""
SMOOTHING = 0.018
"""Standard deviation of the Gaussian that blends neighbouring shapes [s]: about 40 ms wide."""


@dataclass(frozen=True, slots=True)
class Mouth:
    """A shape of the mouth; every field in 0..1."""

    opening: float
    """Distance of the lips."""
    width: float
    """Spread of the corners; 0.5 at rest."""
    rounding: float
    """Pursed lips."""
    upper_teeth: float
    lower_teeth: float
    tongue: float
    """How much of it shows."""
    tongue_height: float
    """0 at the floor of the mouth, 1 at the upper teeth."""
    press: float
    """Lips pressed together until their red vanishes."""
    tuck: float
    """Lower lip under the upper teeth."""


VISEMES: Mapping[str, Mouth] = {
    "rest": Mouth(0.03, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "press": Mouth(0.0, 0.45, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "labiodental": Mouth(0.22, 0.52, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    "dental": Mouth(0.34, 0.55, 0.0, 0.6, 0.25, 1.0, 0.95, 0.0, 0.0),
    "alveolar": Mouth(0.28, 0.58, 0.0, 0.7, 0.3, 0.35, 0.6, 0.0, 0.0),
    "lateral": Mouth(0.46, 0.5, 0.0, 0.45, 0.0, 1.0, 0.75, 0.0, 0.0),
    "sibilant": Mouth(0.22, 0.75, 0.0, 1.0, 1.0, 0.0, 0.2, 0.0, 0.0),
    "hushing": Mouth(0.32, 0.2, 0.6, 0.9, 0.8, 0.0, 0.2, 0.0, 0.0),
    "velar": Mouth(0.4, 0.48, 0.0, 0.3, 0.0, 0.4, 0.2, 0.0, 0.0),
    "breath": Mouth(0.45, 0.5, 0.0, 0.3, 0.0, 0.3, 0.1, 0.0, 0.0),
    "rhotic": Mouth(0.36, 0.28, 0.45, 0.3, 0.2, 0.25, 0.4, 0.0, 0.0),
    "glide": Mouth(0.1, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "close front": Mouth(0.3, 0.95, 0.0, 0.8, 0.2, 0.35, 0.5, 0.0, 0.0),
    "mid front": Mouth(0.58, 0.75, 0.0, 0.65, 0.1, 0.4, 0.25, 0.0, 0.0),
    "open front": Mouth(0.82, 0.8, 0.0, 0.7, 0.3, 0.5, 0.1, 0.0, 0.0),
    "open": Mouth(1.0, 0.45, 0.0, 0.4, 0.2, 0.5, 0.0, 0.0, 0.0),
    "central": Mouth(0.48, 0.5, 0.0, 0.4, 0.0, 0.3, 0.1, 0.0, 0.0),
    "open round": Mouth(0.72, 0.18, 0.6, 0.2, 0.0, 0.2, 0.0, 0.0, 0.0),
    "mid round": Mouth(0.42, 0.1, 0.85, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0),
    "close round": Mouth(0.2, 0.02, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}

PHONES: Mapping[str, tuple[str, ...]] = {
    "pau": ("rest",),
    "p": ("press",), "b": ("press",), "m": ("press",),
    "f": ("labiodental",), "v": ("labiodental",),
    "th": ("dental",), "dh": ("dental",),
    "t": ("alveolar",), "d": ("alveolar",), "n": ("alveolar",),
    "l": ("lateral",),
    "s": ("sibilant",), "z": ("sibilant",),
    "sh": ("hushing",), "zh": ("hushing",), "ch": ("hushing",), "jh": ("hushing",),
    "k": ("velar",), "g": ("velar",), "ng": ("velar",),
    "hh": ("breath",),
    "r": ("rhotic",), "er": ("rhotic",),
    "w": ("glide",), "y": ("close front",),
    "iy": ("close front",), "ih": ("mid front",), "eh": ("mid front",),
    "ey": ("mid front", "close front"),
    "ae": ("open front",), "aa": ("open",), "ah": ("central",), "ax": ("central",),
    "ao": ("open round",), "ow": ("mid round", "close round"), "oy": ("open round", "close front"),
    "uh": ("mid round",), "uw": ("close round",),
    "aw": ("open", "close round"), "ay": ("open", "close front"),
}  # fmt: skip
"""Visemes of each Flite phone; a diphthong passes through two."""


def mouth_values(mouth: Mouth) -> list[float]:
    """Its fields in order."""
    return [float(getattr(mouth, name)) for name in Mouth.__dataclass_fields__]


def mouth_track(phones: Sequence[tuple[str, float, float]]) -> FloatArray:
    """Mouth shapes over time, float64 (steps, 9): a grid of 5 ms, columns in the order of `Mouth`.

    Each phone holds its viseme; a Gaussian joins them.
    """
    steps = round(SECONDS / STEP) + 1
    track = np.tile(mouth_values(VISEMES["rest"]), (steps, 1))
    time = np.arange(steps) * STEP
    for phone, start, end in phones:
        shapes = PHONES[phone]
        for part, shape in enumerate(shapes):
            a = start + (end - start) * part / len(shapes)
            b = start + (end - start) * (part + 1) / len(shapes)
            track[(time >= a) & (time < b)] = mouth_values(VISEMES[shape])
    reach = int(3 * SMOOTHING / STEP)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP / SMOOTHING) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(track, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)


def mouth_at(track: FloatArray, t: float) -> Mouth:
    """The shape at a time [s], interpolated."""
    at = min(max(t / STEP, 0.0), len(track) - 1.000001)
    i = int(at)
    return Mouth(*(track[i] + (track[i + 1] - track[i]) * (at - i)).tolist())
