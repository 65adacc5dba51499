"""Mel-frequency cepstra at the scale of 16-bit integers, as SyncNet hears them.

    samples    pre-emphasis 0.97; frames of 25 ms every 10 ms, the last one filled up with zeros
    power      |FFT over 512|^2 / 512 of the bare frame (rectangular window)
    bands      26 triangles on the mel scale, corners at whole bins of the FFT
    cepstrum   DCT-II (orthonormal) of the logarithms, 13 coefficients, lifter 22
    energy     coefficient 0 is replaced by the logarithm of the summed power

A sum of exactly zero becomes the float64 epsilon before its logarithm. The scale matters: samples
in [-1, 1] lower coefficient 0 by ln(32768^2) = 20.8 and leave the others.

Source: package python_speech_features 0.6, the defaults of ``mfcc`` (base.py, sigproc.py).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

SAMPLE_RATE = 16_000
FRAME, HOP, FFT = 400, 160, 512
BANDS, COEFFICIENTS, LIFTER = 26, 13, 22
EMPHASIS = 0.97


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Samples in [-1, 1] as the whole numbers of 16-bit PCM, float64 (n,)."""
    return np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767)


def mfcc(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cepstra float64 (frames, 13) of 16-kHz samples (n,) at the scale of 16-bit integers.

    Frames: 1 + ceil((n - 400) / 160), at least one. A clip of exactly n video frames of 40 ms has
    4 n - 1, because the last 10 ms cannot fill a frame.
    """
    wave = np.asarray(samples, dtype=np.float64)
    wave = np.append(wave[:1], wave[1:] - EMPHASIS * wave[:-1])
    count = 1 + max(0, -(-(wave.size - FRAME) // HOP))
    wave = np.pad(wave, (0, (count - 1) * HOP + FRAME - wave.size))
    frames = np.lib.stride_tricks.sliding_window_view(wave, FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2 / FFT
    cepstra = dct(np.log(_positive(power @ _bands().T)), type=2, norm="ortho")[:, :COEFFICIENTS]
    cepstra *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    cepstra[:, 0] = np.log(_positive(power.sum(axis=1)))
    return np.asarray(cepstra)


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values == 0, np.finfo(np.float64).eps, values)


@cache
def _bands() -> NDArray[np.float64]:
    """Weights (26, 257) of the bins of the FFT in each band."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    corners = np.floor((FFT + 1) * hertz / SAMPLE_RATE)
    bins = np.arange(FFT // 2 + 1)
    low, middle, high = (corners[i : BANDS + i, None] for i in range(3))
    rising = np.where(
        (low <= bins) & (bins < middle), (bins - low) / np.maximum(middle - low, 1), 0
    )
    falling = np.where(
        (middle <= bins) & (bins < high), (high - bins) / np.maximum(high - middle, 1), 0
    )
    return np.asarray(rising + falling)
