"""PaSST as audiocraft reads it: pieces of 10 s, each a sample of its own.

    pieces   start at 0, 10 s, 20 s ...; not padded, one of 0.15 s or less dropped
    logits   a row for each piece; the softmax is the metric's

Front end and network: :mod:`vsseval.encoders.passt`.

Source: facebookresearch/audiocraft at 896ec7c (audiocraft/metrics/kld.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders.passt import LEAST_SAMPLES, WINDOW_SAMPLES, load_weights, outputs
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.passt_network import Network


def pieces(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The pieces of samples (n,) that are longer than 0.15 s; none if n is at most 4800."""
    starts = range(0, samples.size, WINDOW_SAMPLES)
    cut = [samples[start : start + WINDOW_SAMPLES] for start in starts]
    return [piece for piece in cut if piece.size >= LEAST_SAMPLES]


@dataclass(frozen=True, slots=True)
class PasstAudiocraftEncoder:
    """Logits of each piece."""

    network: Network
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``logits`` float32 (pieces, 527) of 32-kHz samples (n,).

        Raises:
            InputError: no piece is longer than 0.15 s.
        """
        if samples.size == 0:
            raise InputError("passt@audiocraft needs at least one sample")
        found = pieces(samples)
        if not found:
            raise InputError(
                f"passt@audiocraft needs more than 0.15 s, got {samples.size} samples at 32 kHz"
            )
        each = [outputs(self.network, piece[None], self.device)[0] for piece in found]
        return {"logits": np.concatenate(each)}


def signature(device: str = "cpu") -> str:
    """Weights and pieces; the device moves nothing above rounding."""
    del device
    return f"passt-s-ap476:{weights.fingerprint('passt')}|10s pieces"


def load(device: str = "cpu") -> PasstAudiocraftEncoder:
    """The encoder with published weights; raises as :func:`vsseval.encoders.passt.load`."""
    return PasstAudiocraftEncoder(load_weights(device), device, signature(device))
