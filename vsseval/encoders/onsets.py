"""Onsets of a sound by spectral flux, at the two thresholds that published metrics use.

The detector is librosa's with every parameter written out (metrics of the CondFoleyGen line set
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

import importlib.metadata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.types import Features

SAMPLE_RATE = 22_050
FFT, HOP = 2048, 512
REACH = 1102
"""Half width of the window of ``confidence`` in samples."""


def envelope(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spectral flux of 22.05-kHz samples (n,) before scaling, float32 (n // 512 + 1,), >= 0."""
    import librosa
    from librosa.onset import onset_strength

    power = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=FFT, hop_length=HOP, n_mels=128, fmin=0.0, fmax=11_025.0
    )
    decibels = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=80.0)
    flux = onset_strength(
        S=decibels, sr=SAMPLE_RATE, hop_length=HOP, lag=1, max_size=1, detrend=False, center=True
    )
    return np.asarray(flux, dtype=np.float32)


def detect(flux: NDArray[np.float32], delta: float) -> NDArray[np.int64]:
    """Onsets of an envelope (frames,) as sample indices, int64 (k,), ascending multiples of 512."""
    from librosa.onset import onset_detect

    samples = onset_detect(
        onset_envelope=flux,
        sr=SAMPLE_RATE,
        hop_length=HOP,
        units="samples",
        backtrack=False,
        normalize=True,
        pre_max=1,
        post_max=1,
        pre_avg=4,
        post_avg=5,
        wait=1,
        delta=delta,
    )
    return np.asarray(samples, dtype=np.int64)


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
    """Library version and thresholds."""
    del device
    return f"onsets:librosa-{importlib.metadata.version('librosa')}|delta:0.3,0.07"


def load(device: str = "cpu") -> OnsetEncoder:
    """The detector; ``device`` makes no difference."""
    return OnsetEncoder(signature(device))
