"""Mel-cepstra, F0 and level of a clip, in the textbook form (profile ``standard``).

    16,000 Hz, float64, frames every 5 ms, T = floor(n / 80) + 1
    f0             Harvest, 71 to 800 Hz; 0 where unvoiced
    envelope       CheapTrick with FFT 1024: a power spectrum P, (T, 513)
    log spectrum   ln(P + 1e-8 max P): the floor lies 80 dB below the loudest bin of the clip
    cepstrum       inverse real FFT, coefficients 0 and 512 halved
    mel-cepstrum   warped with alpha 0.41 to order 24: (T, 25)
    rms            root of the mean square of all samples

A gain of g adds ln g to c0 and changes nothing else, because the floor follows the clip: that is
what profile pymcd does not keep. Digital silence has no envelope and is defined as all zero.

Source: WORLD (M. Morise et al., 2016; Harvest: 2017) by pyworld 0.3.5; alpha as SPTK has it for
16 kHz; the warping checked against pysptk 1.0.1, mcep with itype 4 and no iteration.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.encoders.world import warped_cepstrum
from vsseval.errors import InputError
from vsseval.types import Features

with warnings.catch_warnings():  # it imports pkg_resources, which warns on standard error
    warnings.simplefilter("ignore")
    import pyworld

SAMPLE_RATE = 16_000
FRAME_MILLISECONDS = 5.0
F0_FLOOR, F0_CEILING = 71.0, 800.0
FFT = 1024
ORDER = 24
ALPHA = 0.41
RELATIVE_FLOOR = 1e-8
HOP = 80
"""Samples from frame to frame: 5 ms."""
SHORTEST = 1024
"""Fewer samples than this (64 ms) are refused."""


def mel_cepstrum(envelope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mel-cepstra (T, 25) of the power envelopes (T, 513) of one clip, both float64."""
    floored = envelope + RELATIVE_FLOOR * envelope.max()
    return warped_cepstrum(np.log(floored), ORDER, ALPHA)


@dataclass(frozen=True, slots=True)
class StandardWorldEncoder:
    """Mel-cepstra, F0 and level of a clip."""

    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``mcep`` float64 (T, 25), ``f0`` float64 (T,) [Hz], ``rms`` float64 () at 16 kHz.

        Raises:
            InputError: fewer than 1024 samples.
        """
        if samples.size < SHORTEST:
            raise InputError(
                f"mcep-standard needs {SHORTEST} samples at 16 kHz, got {samples.size}"
            )
        wave = samples.astype(np.float64)
        if not wave.any():
            frames = wave.size // HOP + 1
            return {
                "mcep": np.zeros((frames, ORDER + 1)),
                "f0": np.zeros(frames),
                "rms": np.array(0.0),
            }
        f0, times = pyworld.harvest(
            wave, SAMPLE_RATE, F0_FLOOR, F0_CEILING, frame_period=FRAME_MILLISECONDS
        )
        envelope = pyworld.cheaptrick(wave, f0, times, SAMPLE_RATE, fft_size=FFT)
        return {
            "mcep": mel_cepstrum(envelope),
            "f0": f0,
            "rms": np.array(np.sqrt(np.mean(wave**2))),
        }


def signature(device: str = "cpu") -> str:
    """Version of the WORLD binding."""
    del device
    return f"mcep-standard:pyworld-{pyworld.__version__}"


def load(device: str = "cpu") -> StandardWorldEncoder:
    """The analyser; ``device`` makes no difference."""
    return StandardWorldEncoder(signature(device))
