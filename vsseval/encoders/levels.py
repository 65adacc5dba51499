"""Levels of a clip: of the whole, and every 10 ms.

16 kHz; frame t holds samples 160 t - 80 to 160 t + 240, zeros outside the clip
level    root of the mean square, with 1 full scale
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.types import Features

SAMPLE_RATE = 16_000
HOP, WINDOW = 160, 320
"""10 ms and 20 ms."""


@dataclass(frozen=True, slots=True)
class LevelsEncoder:
    """Root mean squares."""

    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``rms`` float64 () and ``frames`` float64 (ceil(n / 160),) of 16-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        if samples.size == 0:
            raise InputError("levels needs at least one sample")
        count = -(-samples.size // HOP)
        margin = (WINDOW - HOP) // 2
        padded = np.pad(samples.astype(np.float64), (margin, count * HOP - samples.size + margin))
        windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
        return {
            "rms": np.array(np.sqrt(np.mean(samples.astype(np.float64) ** 2))),
            "frames": np.sqrt(np.mean(windows**2, axis=1)),
        }


def signature(device: str = "cpu") -> str:
    """Window and hop."""
    del device
    return f"levels:{WINDOW}/{HOP}"


def load(device: str = "cpu") -> LevelsEncoder:
    """The meter; ``device`` makes no difference."""
    return LevelsEncoder(signature(device))
