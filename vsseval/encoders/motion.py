"""How much moves from frame to frame, by dense optical flow: the video side of AV-Align.

    gray       OpenCV's RGB to gray
    flow       Farneback: pyramid scale 0.5, 3 levels, window 15, 3 iterations, polynomial 5 / 1.2
    magnitude  mean over pixels of the flow's length [pixels a frame]; entry i is the motion from
               frame i - 1 into frame i and belongs to time i / fps; entry 0 repeats entry 1

Source: guyyariv/TempoTokens 34d9502 and bf0b1e3 (av_align.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.types import Features
from vsseval.video import DECODER


@dataclass(frozen=True, slots=True)
class MotionEncoder:
    """Mean flow magnitude of each frame."""

    signature: str

    def __call__(self, frames: NDArray[np.uint8], fps: float) -> Features:
        """``magnitude`` float64 (n,) [pixels a frame], ``fps`` float64 (); RGB frames (n, h, w, 3).

        Raises:
            InputError: fewer than two frames.
        """
        if len(frames) < 2:
            raise InputError(f"motion needs at least two frames, got {len(frames)}")
        magnitude = np.empty(len(frames))
        previous = cv2.cvtColor(frames[0], cv2.COLOR_RGB2GRAY)
        for index, frame in enumerate(frames[1:], start=1):
            current = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
            flow = cv2.calcOpticalFlowFarneback(previous, current, None, 0.5, 3, 15, 3, 5, 1.2, 0)
            magnitude[index] = cv2.mean(cv2.magnitude(flow[..., 0], flow[..., 1]))[0]
            previous = current
        magnitude[0] = magnitude[1]
        return {"magnitude": magnitude, "fps": np.array(fps, dtype=np.float64)}


def signature(device: str = "cpu") -> str:
    """Method, and versions of OpenCV and of the video decoder."""
    del device
    return f"motion:farneback|cv2-{cv2.__version__}|{DECODER}"


def load(device: str = "cpu") -> MotionEncoder:
    """The flow; ``device`` makes no difference."""
    return MotionEncoder(signature(device))
