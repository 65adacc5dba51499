"""Any video file as pictures at 25 frames a second, decoded frame by frame.

The time stamps of the file decide which frame is shown when, so a variable frame rate is met; only
the small pictures of the front ends are kept, so a long film in a large format needs little memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vssflow.config import Config
from vssflow.frames import Box, ClipFrames, mouth_box, scene_and_mouth, shrink

MIN_SECONDS = 0.2
PADDED_SECONDS = 0.5
"""A shorter video is continued with its last frame to so long; the audio is cut again."""
MAX_SECONDS = 120.0


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
class _Shown:
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
        InputError: no such file, no video stream, no frame, shorter than 0.2 s or longer than
            120 s, or a face box outside the picture.
    """
    if not path.is_file():
        raise InputError(f"no video file at {path}")
    rows: list[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]] = []
    first = at = end = 0.0
    count = 0
    shown: _Shown | None = None
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path} has no video stream")
            stream = container.streams.video[0]
            for frame in container.decode(stream):
                if frame.time is None:
                    raise InputError(f"{path}: frame {count + 1} has no time stamp")
                if shown is None:
                    first = frame.time
                at = frame.time - first
                if at > MAX_SECONDS:
                    raise InputError(
                        f"{path} lasts longer than {MAX_SECONDS:g} s; cut it into pieces"
                    )
                while shown is not None and _time(len(rows), config) < at:
                    rows.append(shown.get(config))
                count += 1
                shown = _Shown(frame, mouth_box(face, frame.width, frame.height))
                end = at + _seconds_shown(frame, stream, at / max(1, count - 1))
    except av.error.FFmpegError as error:
        raise InputError(f"cannot decode video {path}: {error}") from error
    if shown is None:
        raise InputError(f"{path} holds no video frames")
    if end < MIN_SECONDS:
        plural = "" if count == 1 else "s"
        raise InputError(
            f"{path} lasts {end:.2f} s ({count} frame{plural}); vssflow needs {MIN_SECONDS} s"
        )
    needed = int(np.ceil(round(max(end, PADDED_SECONDS) * config.frame_rate, 6)))
    while len(rows) < needed:
        rows.append(shown.get(config))
    scene, mouth, colour = (np.stack(part) for part in zip(*rows[:needed], strict=True))
    return Timeline(scene, mouth, colour, end)


def _time(index: int, config: Config) -> float:
    return (index + 0.5) / config.frame_rate


def _seconds_shown(frame: av.VideoFrame, stream: av.VideoStream, spacing: float) -> float:
    """How long a frame is shown: as the file says, or at its mean rate, or as those before."""
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    if stream.average_rate:
        return float(1 / stream.average_rate)
    return spacing or 0.04
