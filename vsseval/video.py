"""Reading video frames through PyAV, which brings its own FFmpeg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

DECODER = f"pyav-{av.__version__}"
"""Decoder and version, for signatures of whatever depends on frames."""


@dataclass(frozen=True, slots=True)
class Video:
    """A decoded clip."""

    frames: NDArray[np.uint8]
    """RGB, uint8 (n, height, width, 3)."""
    fps: float
    """Frames a second."""


def read_video(path: Path) -> Video:
    """Decode every frame of the first video stream.

    Raises:
        InputError: the file is missing, has no video stream, no frame, or breaks off (fewer
            frames than its header states).
    """
    if not path.is_file():
        raise InputError(f"no video file at {path}")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path} has no video stream")
            stream = container.streams.video[0]
            stated = stream.frames
            fps = float(stream.average_rate or 0)
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    except av.error.FFmpegError as error:
        raise InputError(f"cannot decode video {path}: {error.strerror}") from error
    if not frames or fps <= 0:
        raise InputError(f"{path} holds no video frames")
    if stated and len(frames) < stated:
        raise InputError(
            f"{path} breaks off: {len(frames)} frames decoded of {stated} stated in its header"
        )
    return Video(np.stack(frames), fps)
