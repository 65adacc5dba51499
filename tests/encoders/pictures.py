"""Test clips for encoders that watch, on which stored values were computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def noise(count: int, height: int, width: int) -> Frames:
    """RGB noise, frame i drawn from RandomState(i), so that a frame tells its number."""
    size = (height, width, 3)
    frames = [np.random.RandomState(i).randint(0, 256, size, np.uint8) for i in range(count)]
    return np.stack(frames)
