"""WavLM-large with ECAPA-TDNN: the speaker similarity that papers call SIM-o.

    16 kHz, the whole clip at once, normalised to mean 0 and variance 1
    WavLM large, all 25 states summed with learnt weights
    ECAPA-TDNN, 256 numbers; similarity is the cosine of two of them

The published script reads the first channel of a file and resamples with torchaudio's default; here
the channels are averaged and soxr resamples, as for every speech metric. A clip is never padded.
Checked with filled weights at a reduced size, see docs/precision.md; no published figure was
reproduced.

Source: BytedanceSpeech/seed-tts-eval at 752f429 (verification.py), whose network is that of
microsoft/UniSpeech at 40d3227; S. Chen et al. (2022), arXiv 2110.13900.
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
    from vsseval.encoders.wavlm_ecapa_network import Network

SAMPLE_RATE = 16_000
PART = "wavlm-ecapa"
SHORTEST = 720
"""Two frames: fewer samples have no variance over time."""


@dataclass(frozen=True, slots=True)
class WavlmEcapaEncoder:
    """One vector for each utterance."""

    network: Network
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (256,), of any length, of 16-kHz samples (n,).

        Raises:
            InputError: fewer than 720 samples.
        """
        import torch

        if samples.size < SHORTEST:
            raise InputError(f"wavlm-ecapa needs {SHORTEST} samples at 16 kHz, got {samples.size}")
        with torch.inference_mode():
            embedding = self.network(torch.tensor(samples, device=self.device))
        return {"embedding": embedding.cpu().numpy()}


def signature(device: str = "cpu") -> str:
    """Weights; the device moves nothing above rounding."""
    del device
    return f"{PART}:{weights.fingerprint(PART)}"


def load(device: str = "cpu") -> WavlmEcapaEncoder:
    """The network with its published weights.

    Raises:
        MissingWeightsError: part ``wavlm-ecapa`` is not in the store.
    """
    from vsseval.encoders.wavlm_ecapa_network import load_network

    network = load_network(weights.require(PART) / "wavlm_large_finetune.pth")
    return WavlmEcapaEncoder(network.to(device), device, signature(device))
