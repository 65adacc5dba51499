"""PaSST as stable-audio-metrics reads it: windows of 10 s every 5 s, the mean of their logits.

    level    largest |sample| at 32 kHz at -1 dB, by preparation ``stable-audio``; silence is left
             alone (NaN there)
    windows  start at 0, 5 s, 10 s ... below max(5 s, length - 5 s); zero-padded to 10 s, but one
             of at most 1.5 s (the clip itself, then) stays as it is
    logits   mean over the windows; the softmax is the metric's

Front end and network: :mod:`vsseval.encoders.passt`.

Source: Stability-AI/stable-audio-metrics at fd55536 (src/passt_kld.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.audio import fit_length
from vsseval.encoders.passt import WINDOW_SAMPLES, load_weights, outputs
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.passt_network import Network

HOP_SAMPLES = 160_000
UNPADDED_SAMPLES = 48_000
"""A window of up to so many samples keeps its length."""


def windows(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The windows of samples (n,), each 320,000 long but for a lone one of at most 48,000."""
    found = []
    for start in range(0, max(HOP_SAMPLES, samples.size - HOP_SAMPLES), HOP_SAMPLES):
        window = samples[start : start + WINDOW_SAMPLES]
        if window.size > UNPADDED_SAMPLES:
            window = fit_length(window, WINDOW_SAMPLES)
        found.append(window)
    return found


@dataclass(frozen=True, slots=True)
class PasstStableAudioEncoder:
    """Mean of the logits over the windows."""

    network: Network
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``logits`` float32 (1, 527) of 32-kHz samples (n,).

        Raises:
            InputError: fewer than 4801 samples.
        """
        if samples.size == 0:
            raise InputError("passt@stable-audio needs at least one sample")
        each = [outputs(self.network, window[None], self.device)[0] for window in windows(samples)]
        return {"logits": np.concatenate(each).mean(axis=0, keepdims=True)}


def signature(device: str = "cpu") -> str:
    """Weights and windows; the device moves nothing above rounding."""
    del device
    return f"passt-s-ap476:{weights.fingerprint('passt')}|10s/5s,mean"


def load(device: str = "cpu") -> PasstStableAudioEncoder:
    """The encoder with published weights; raises as :func:`vsseval.encoders.passt.load`."""
    return PasstStableAudioEncoder(load_weights(device), device, signature(device))
