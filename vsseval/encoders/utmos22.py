"""UTMOS22 strong: predicted opinion of how natural speech sounds, on the scale 1 to 5.

    16 kHz (mean of the channels, torchaudio's default resampling), one clip at a time
    wav2vec 2.0 base, recurrent layer in both directions, a score s for each frame of 20 ms
    score = 2 * mean of s + 3

The network has no mask: zeros after the end of a clip count as speech, so clips are never padded to
a batch. Clips go in as they are, without a change of level.

Source: tarepan/SpeechMOS at ed25eac (v1.2.0), ``utmos22_strong``; T. Saeki et al. (2022),
arXiv 2204.02152.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.utmos22_network import Network

SAMPLE_RATE = 16_000
PART = "utmos22-strong"
SHORTEST = 400
"""One frame."""


@dataclass(frozen=True, slots=True)
class UtmosEncoder:
    """A predicted opinion score."""

    network: Network
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``mos`` float64 (), about 1 to 5, of 16-kHz samples (n,).

        Raises:
            InputError: fewer than 400 samples.
        """
        import torch

        if samples.size < SHORTEST:
            raise InputError(
                f"utmos22-strong needs {SHORTEST} samples at 16 kHz, got {samples.size}"
            )
        with torch.inference_mode():
            mos = self.network(torch.tensor(samples, device=self.device))
        return {"mos": np.array(float(mos))}


def signature(device: str = "cpu") -> str:
    """Weights; the device moves nothing above rounding."""
    del device
    return f"{PART}:{weights.fingerprint(PART)}"


def load(device: str = "cpu") -> UtmosEncoder:
    """The network with its published weights.

    Raises:
        MissingWeightsError: part ``utmos22-strong`` is not in the store.
    """
    from vsseval.encoders.utmos22_network import load_network

    network = load_network(weights.require(PART) / "utmos22_strong_step7459_v1.pt")
    return UtmosEncoder(network.to(device), device, signature(device))
