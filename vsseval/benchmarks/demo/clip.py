"""A clip before it is written: samples, annotations, and a function that draws frames."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

SECONDS = 4.0
FPS = 25
FRAMES = 100
SIZE = 192
"""Width and height of a frame [px]."""
RATE = 16000
SAMPLES = 64000

FloatArray = NDArray[np.float64]
Frame = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Clip:
    """One generated clip."""

    samples: FloatArray
    """float64 (64000,) at 16 kHz, in (-1, 1)."""
    draw: Callable[[float], Frame]
    """Frame at a time [s]: RGB uint8 (192, 192, 3)."""
    label: str
    caption: str | None = None
    onsets: tuple[float, ...] | None = None
    """Times of the events [s], ascending; None for a continuous sound."""
    transcript: str | None = None
    speaker: str | None = None
    face_box: tuple[int, int, int, int] | None = None
    """(left, top, right, bottom) [px]."""
    phones: tuple[tuple[str, float, float], ...] | None = None
    """Flite phone, start [s], end [s]; covers the whole clip."""


def clip_rng(name: str) -> np.random.Generator:
    """Generator seeded by the sha256 of a name such as ``demo-sound/train/17``."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))


def render(clip: Clip) -> NDArray[np.uint8]:
    """All frames, RGB uint8 (100, 192, 192, 3); frame i shows the time i / 25 s."""
    return np.stack([clip.draw(index / FPS) for index in range(FRAMES)])
