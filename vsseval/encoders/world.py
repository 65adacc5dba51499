"""Mel-cepstra of WORLD envelopes, as package pymcd 0.2.1 computes them (profile ``pymcd``).

    22,050 Hz, float64, frames every 5 ms; F0 by DIO and StoneMask; envelope by CheapTrick with
    FFT 512: a power spectrum sp, (T, 257), T = floor(n / 110.25) + 1
    log spectrum   ln(sp^2 + 1e-8): squared although it is a power already (the profile's trap)
    cepstrum       inverse real FFT, coefficients 0 and 256 halved
    mel-cepstrum   warped with alpha 0.65 to order 13: (T, 14)

The warping is linear, one matrix A of (14, 257): A[0, j] = alpha^j, A[i, 0] = 0 for i > 0, and
A[i, j] = A[i - 1, j - 1] + alpha (A[i, j - 1] - A[i - 1, j]). It equals SPTK's mcep without an
iteration. D4C, which pymcd computes and throws away, is left out; DIO is that of
:mod:`vsseval.encoders.dio`, equal to the library's and several times as fast. FFT 512 puts the F0
floor of CheapTrick at 130 Hz: lower voices are analysed as unvoiced. Silence is defined: every
frame is (ln(1e-8) / 2, 0, ..., 0).

Source: pymcd 0.2.1 (mcd.py), pyworld 0.3.5 (wav2world); checked against pysptk 1.0.1.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vsseval.encoders.dio import dio
from vsseval.errors import InputError
from vsseval.types import Features

with warnings.catch_warnings():  # it imports pkg_resources, which warns on standard error
    warnings.simplefilter("ignore")
    import pyworld

SAMPLE_RATE = 22_050
FFT = 512
ORDER = 13
ALPHA = 0.65
FLOOR = 1e-8
SHORTEST = 1024
"""Fewer samples than this (46 ms) are refused."""


@cache
def warping_matrix(order: int, length: int, alpha: float) -> NDArray[np.float64]:
    """Matrix (order + 1, length) from a cepstrum of ``length`` to a mel-cepstrum of ``order``."""
    warp = np.zeros((order + 1, length))
    warp[0] = alpha ** np.arange(length)
    for i in range(1, order + 1):
        for j in range(1, length):
            warp[i, j] = warp[i - 1, j - 1] + alpha * (warp[i, j - 1] - warp[i - 1, j])
    return warp


def warped_cepstrum(
    log_spectrum: NDArray[np.float64], order: int, alpha: float
) -> NDArray[np.float64]:
    """Mel-cepstra (T, order + 1) of natural-log spectra (T, bins), both float64."""
    bins = log_spectrum.shape[1]
    cepstrum = np.fft.irfft(log_spectrum, axis=1)[:, :bins]
    cepstrum[:, [0, -1]] /= 2
    return cepstrum @ warping_matrix(order, bins, alpha).T


def mel_cepstrum(envelope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mel-cepstra (T, 14) of power envelopes (T, 257), both float64."""
    return warped_cepstrum(np.log(envelope**2 + FLOOR), ORDER, ALPHA)


@dataclass(frozen=True, slots=True)
class WorldEncoder:
    """Mel-cepstra of a clip."""

    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``mcep`` float64 (T, 14) of 22.05-kHz samples.

        Raises:
            InputError: fewer than 1024 samples.
        """
        if samples.size < SHORTEST:
            raise InputError(
                f"mcep-pymcd needs {SHORTEST} samples at 22.05 kHz, got {samples.size}"
            )
        wave = samples.astype(np.float64)
        f0, times = dio(wave, SAMPLE_RATE)
        f0 = pyworld.stonemask(wave, f0, times, SAMPLE_RATE)
        envelope = pyworld.cheaptrick(wave, f0, times, SAMPLE_RATE, fft_size=FFT)
        return {"mcep": mel_cepstrum(envelope)}


def signature(device: str = "cpu") -> str:
    """Version of the WORLD binding."""
    del device
    return f"mcep-pymcd:pyworld-{pyworld.__version__}"


def load(device: str = "cpu") -> WorldEncoder:
    """The analyser; ``device`` makes no difference."""
    return WorldEncoder(signature(device))
