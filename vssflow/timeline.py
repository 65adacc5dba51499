"""Any video file as pictures at 25 frames a second, decoded frame by frame.

The time stamps of the file decide which frame is shown when, so a variable frame rate is met; only
the small pictures of the front ends are kept, so a long film in a large format needs little memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vssflow.config import Config
from vssflow.frames import Box, ClipFrames, mouth_box, scene_and_mouth, shrink
from vssflow.shown import shown_frames

PADDED_SECONDS = 0.5
"""A shorter video is continued with its last frame to so long; the audio is cut again."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Pictures of a video at 25 frames a second."""

    scene: NDArray[np.uint8]
    """(T, 2, frame_size, frame_size), see :class:`vssflow.frames.ClipFrames`."""
    mouth: NDArray[np.uint8]
    """(T, mouth_size, mouth_size)."""
    colour: NDArray[np.uint8]
    """Every whole frame in RGB, (T, colour_size, colour_size, 3)."""
    duration: float
    """Of the video [s], to the end of its last frame; T may reach beyond."""

    def window(self, start: int, stop: int, config: Config) -> ClipFrames:
        """The frames from ``start`` to before ``stop`` as one clip."""
        return ClipFrames(
            self.scene[start:stop],
            self.mouth[start:stop],
            self.colour[start : stop : config.semantic_stride],
        )


@dataclass(slots=True)
class _Screen:
    """The frame that is on the screen, and its small pictures once they are asked for."""

    frame: av.VideoFrame
    crop: Box
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def get(self, config: Config) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        if self.pictures is None:
            rgb = self.frame.to_ndarray(format="rgb24")
            scene, mouth = scene_and_mouth(rgb, self.crop, config)
            self.pictures = (scene, mouth, shrink(rgb, config.colour_size))
        return self.pictures


def read_timeline(path: Path, face: Box | None, config: Config) -> Timeline:
    """Pictures of the first video stream.

    Output frame i shows what is on the screen at (i + 0.5) / 25 s after the first frame appears.

    Args:
        path: anything FFmpeg decodes; sound in it is not looked at.
        face: face in the video [pixels], or None.
        config: sizes of the pictures.

    Raises:
        InputError: as :func:`vssflow.shown.shown_frames`, or a face box outside the picture.
    """
    rows: list[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]] = []
    screen: _Screen | None = None
    end = Fraction(0)
    for frame, start, stop in shown_frames(path):
        while screen is not None and Fraction(2 * len(rows) + 1, 2 * config.frame_rate) < start:
            rows.append(screen.get(config))
        screen, end = _Screen(frame, mouth_box(face, frame.width, frame.height)), stop
    assert screen is not None  # a video without frames is refused
    duration = float(end)
    needed = int(np.ceil(round(max(duration, PADDED_SECONDS) * config.frame_rate, 6)))
    while len(rows) < needed:
        rows.append(screen.get(config))
    scene, mouth, colour = (np.stack(part) for part in zip(*rows[:needed], strict=True))
    return Timeline(scene, mouth, colour, duration)
