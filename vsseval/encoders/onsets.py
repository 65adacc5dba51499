"""Onsets of a sound by spectral flux, at the two thresholds that published metrics use.

The detector is librosa's, computed here to the same bits (metrics of the CondFoleyGen line set
delta 0.3, AV-Align keeps the library's 0.07):

    22,050 Hz; 128 mel bands 0 to 11,025 Hz (FFT 2048, hop 512) in dB, at most 80 dB below the
    maximum; difference to the previous frame, negatives to 0, mean over bands, delayed by 3 frames;
    shifted and scaled to [0, 1]; frame n is an onset if it is the maximum of frames [n - 1, n], is
    at least delta above the mean of [n - 4, n + 4], and comes more than 1 frame after the last one

For ``onset-condfoley`` each onset at delta 0.3 also carries two values of the rectified wave |x|,
mapped linearly so that the clip's minimum is 0 and its maximum 1: ``amplitude`` at the onset's own
sample, and ``confidence``, the maximum over samples [o - 1102, o + 1102) (50 ms to each side). Both
come before any suppression of near neighbours.

Edge cases: silence, or an envelope that is constant, has no onsets. An onset is never reported in
the first 3 frames (70 ms).

Source: librosa 0.11 (onset.py); XYPB/CondFoleyGen 88b7367 (predict_onset.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.types import Features

SAMPLE_RATE = 22_050
FFT, HOP = 2048, 512
REACH = 1102
"""Half width of the window of ``confidence`` in samples."""
RULE = "librosa-0.11.0"
"""What the detector does, bit for bit; the library itself takes longer to import than a clip."""
_BLOCK = 32
"""Frames that are transformed at a time."""
_MEL_HERTZ = 200.0 / 3
_LOG_MEL = 1000.0 / _MEL_HERTZ
_LOG_STEP = np.log(6.4) / 27.0


def envelope(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spectral flux of 22.05-kHz samples (n,) before scaling, float32 (n // 512 + 1,), >= 0."""
    power = np.einsum("ft,mf->mt", _power(samples), _mel_filters(), optimize=True)
    decibels = 10.0 * np.log10(np.maximum(1e-10, power))
    decibels = np.maximum(decibels, decibels.max() - 80.0)
    rises = np.maximum(0.0, decibels[:, 1:] - decibels[:, :-1]).mean(axis=0)
    # A frame is late by its lag and by half a window, and the end is cut.
    late = np.pad(rises, (1 + FFT // (2 * HOP), 0))[: decibels.shape[1]]
    return np.asarray(late, dtype=np.float32)


def detect(flux: NDArray[np.float32], delta: float) -> NDArray[np.int64]:
    """Onsets of an envelope (frames,) as sample indices, int64 (k,), ascending multiples of 512."""
    scaled = flux - flux.min()
    scaled = scaled / (scaled.max() + np.finfo(np.float32).tiny)
    if not scaled.any() or not np.isfinite(scaled).all():
        return np.zeros(0, dtype=np.int64)
    peaks = scaled >= _neighbourhood_means(scaled) + np.float32(delta)
    peaks[1:] &= scaled[1:] >= scaled[:-1]
    onsets: list[int] = []
    for frame in np.flatnonzero(peaks):
        if not onsets or frame > onsets[-1] + 1:
            onsets.append(int(frame))
    return np.array(onsets, dtype=np.int64) * HOP


def _power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power spectrogram of frames that are centred on multiples of the hop, (1025, frames)."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, FFT // 2), FFT)[::HOP]
    spectrum = np.empty((len(frames), FFT // 2 + 1), np.complex64)
    for at in range(0, len(frames), _BLOCK):
        spectrum[at : at + _BLOCK] = np.fft.rfft(frames[at : at + _BLOCK] * _window())
    return np.asarray(np.abs(spectrum.T) ** 2)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float64]:
    """Hann window of one FFT, periodic."""
    return np.asarray(0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, FFT + 1)[:-1]))


@lru_cache(maxsize=1)
def _mel_filters() -> NDArray[np.float32]:
    """Slaney's 128 triangles of equal area over 0 to 11,025 Hz, (128, 1025)."""
    edges = _slaney_hertz(np.linspace(0.0, _LOG_MEL + np.log(11.025) / _LOG_STEP, 130))
    ramps = np.subtract.outer(edges, np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE))
    widths = np.diff(edges)[:, np.newaxis]
    triangles = np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:])
    filters = np.maximum(0, triangles).astype(np.float32)
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, np.newaxis]
    return np.asarray(filters)


def _slaney_hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequencies [Hz]: linear to 1 kHz, 27 steps for a factor of 6.4 above."""
    log = 1000.0 * np.exp(_LOG_STEP * (mels - _LOG_MEL))
    return np.asarray(np.where(mels >= _LOG_MEL, log, _MEL_HERTZ * mels))


def _neighbourhood_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of [n - 4, n + 4] as far as there are frames, summed in float32 from the left."""
    n, reach = len(values), 4
    padded = np.pad(values, reach)
    sums = np.zeros(n, np.float32)
    for at in range(2 * reach + 1):
        sums += padded[at : at + n]
    frames = np.arange(n)
    counts = np.minimum(frames, reach) + np.minimum(frames[::-1], reach) + 1
    return np.asarray(sums / counts, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class OnsetEncoder:
    """Onset times with their loudness."""

    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """Onsets of 22.05-kHz samples (n,), every output float64 (k,), in time order.

        ``times_030`` [s], ``confidence_030`` and ``amplitude_030`` in [0, 1] at delta 0.3;
        ``times_007`` [s] at delta 0.07.

        Raises:
            InputError: fewer than 2048 samples (93 ms).
        """
        if samples.size < FFT:
            raise InputError(f"onsets need {FFT} samples at 22.05 kHz, got {samples.size}")
        flux = envelope(samples)
        strict = detect(flux, 0.3)
        loudness = np.abs(samples.astype(np.float64))
        low, high = loudness.min(), loudness.max()
        loudness = (loudness - low) / (high - low) if high > low else np.zeros_like(loudness)
        peaks = [loudness[max(0, o - REACH) : o + REACH].max() for o in strict]
        return {
            "times_030": strict / SAMPLE_RATE,
            "confidence_030": np.array(peaks, dtype=np.float64),
            "amplitude_030": loudness[np.minimum(strict, samples.size - 1)],
            "times_007": detect(flux, 0.07) / SAMPLE_RATE,
        }


def signature(device: str = "cpu") -> str:
    """Rule and thresholds."""
    del device
    return f"onsets:{RULE}|delta:0.3,0.07"


def load(device: str = "cpu") -> OnsetEncoder:
    """The detector; ``device`` makes no difference."""
    return OnsetEncoder(signature(device))
