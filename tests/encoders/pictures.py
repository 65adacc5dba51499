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


def sightings(name: str) -> list[list[list[float]]]:
    """Boxes of each frame: a face that sways, one that leaves, two faces, gaps, a cut."""
    state = np.random.RandomState(9)
    frames: list[list[list[float]]] = []
    for frame in range(60):
        x = 40 + 10 * np.sin(frame / 9) + state.standard_normal()
        first = [x, 30.0, x + 50, 95.0 + state.standard_normal()]
        second = [x + 120, 40.0, x + 160, 88.0]
        boxes = [first]
        if name == "leaves" and frame >= 41:
            boxes = []
        if name == "two":
            boxes = [second, first] if frame < 20 else [first]
        if name == "gaps" and (10 <= frame < 30 or frame % 7 == 3):
            boxes = []
        if name == "lost" and 10 <= frame < 36:
            boxes = []
        if name == "cut" and frame >= 25:
            boxes = [second]
        frames.append(boxes)
    return frames
