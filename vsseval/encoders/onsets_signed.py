"""Onsets with the loudness that MMAudio's script gives them, from the signed wave.

The detector is that of :mod:`vsseval.encoders.onsets` at delta 0.3. ``amplitude`` and
``confidence`` are taken as there, but from

    (x - min x) / (max x - min x + 1e-6)

and not from the rectified wave: silence lies near 0.5, and the trough of a loud hit near 0. The
onset profile ``onset-mmaudio`` ranks by these values.

Source: hkchengrex/MMAudio 974010a (eval_onsets.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.encoders.onsets import FFT, REACH, RULE, SAMPLE_RATE, detect, envelope
from vsseval.errors import InputError
from vsseval.types import Features

DELTA = 0.3


@dataclass(frozen=True, slots=True)
class SignedOnsetEncoder:
    """Onset times with their loudness in the signed wave."""

    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """Onsets of 22.05-kHz samples (n,), every output float64 (k,), in time order.

        ``times`` [s], ``confidence`` and ``amplitude`` in [0, 1).

        Raises:
            InputError: fewer than 2048 samples (93 ms).
        """
        if samples.size < FFT:
            raise InputError(f"onsets need {FFT} samples at 22.05 kHz, got {samples.size}")
        onsets = detect(envelope(samples), DELTA)
        wave = samples.astype(np.float64)
        wave = (wave - wave.min()) / (wave.max() - wave.min() + 1e-6)
        peaks = [wave[max(0, o - REACH) : o + REACH].max() for o in onsets]
        return {
            "times": onsets / SAMPLE_RATE,
            "confidence": np.array(peaks, dtype=np.float64),
            "amplitude": wave[np.minimum(onsets, samples.size - 1)],
        }


def signature(device: str = "cpu") -> str:
    """Rule and threshold."""
    del device
    return f"onsets-signed:{RULE}|delta:{DELTA}"


def load(device: str = "cpu") -> SignedOnsetEncoder:
    """The detector; ``device`` makes no difference."""
    return SignedOnsetEncoder(signature(device))
