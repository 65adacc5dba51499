"""PANNs CNN14: a convolutional network trained to tag AudioSet (Kong et al., 2020), at two rates.

    rate     window, hop    mel bands                     file (mAP on AudioSet in its name)
    16 kHz   512, 160       64, Slaney, 50 to 8,000 Hz    Cnn14_16k_mAP=0.438.pth
    32 kHz   1024, 320      64, Slaney, 50 to 14,000 Hz   Cnn14_mAP=0.431.pth

Front end: Hann window, frames centred with the wave reflected at both ends, power, mel, 10 log10
of at least 1e-10, no limit of range; a batch norm scales each band. The Fourier kernels and the mel
matrix come with the checkpoint, so that a tool which states other band edges computes the same
(frechet-audio-distance says 16,000 Hz).

Output: one row a clip, however long. ``embedding`` is the first linear layer after its ReLU, which
published tools call "2048"; ``logits`` come before the sigmoid. What av-benchmark and audioldm_eval
compute differs in the preparation of the samples alone.

Five halvings of time need 32 frames: a clip shorter than 0.31 s is refused.

Source: qiuqiangkong/audioset_tagging_cnn at d2f4b8c (pytorch/models.py);
package torchlibrosa 0.1.0; hkchengrex/av-benchmark at 050a5cd (av_bench/panns);
haoheliu/audioldm_eval at 8dc07ee.
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
    from vsseval.encoders.panns_network import Cnn14

LEAST_FRAMES = 32


@dataclass(frozen=True, slots=True)
class Variant:
    """One published CNN14."""

    id: str
    """Encoder id, and part of the weight store."""
    file: str
    sample_rate: int
    fft: int
    hop: int

    @property
    def least_samples(self) -> int:
        """Samples that give 32 frames."""
        return (LEAST_FRAMES - 1) * self.hop


CNN14_16K = Variant("panns-16k", "Cnn14_16k_mAP=0.438.pth", 16_000, 512, 160)
CNN14_32K = Variant("panns-32k", "Cnn14_mAP=0.431.pth", 32_000, 1024, 320)
VARIANTS = {variant.id: variant for variant in (CNN14_16K, CNN14_32K)}


@dataclass(frozen=True, slots=True)
class PannsEncoder:
    """Embedding and class logits of a whole clip."""

    network: Cnn14
    variant: Variant
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (1, 2048) >= 0 and ``logits`` float32 (1, 527) of samples (n,).

        Raises:
            InputError: fewer than 32 frames (0.31 s).
        """
        least = self.variant.least_samples
        if samples.size < least:
            rate = self.variant.sample_rate
            raise InputError(
                f"{self.variant.id} needs at least {least} samples ({least / rate:.2f} s, 32 "
                f"frames), got {samples.size} ({samples.size / rate:.3f} s)"
            )
        import torch

        batch = torch.from_numpy(samples[None].copy()).to(self.device)  # PyTorch minds read-only
        with torch.inference_mode():
            embedding, logits = self.network(batch)
        return {"embedding": embedding.cpu().numpy(), "logits": logits.cpu().numpy()}


def signature(variant: str, device: str = "cpu") -> str:
    """Weights; the device moves nothing above rounding."""
    del device
    return f"{variant}-cnn14:{weights.fingerprint(variant)}"


def load(variant: str, device: str = "cpu") -> PannsEncoder:
    """A network of :data:`VARIANTS` with its published weights.

    Raises:
        MissingWeightsError: its part is not in the store.
        InputError: its file has other keys than the published one.
    """
    from vsseval.encoders.panns_network import load_network

    one = VARIANTS[variant]
    network = load_network(weights.require(variant) / one.file, one.fft, one.hop)
    return PannsEncoder(network.to(device), one, device, signature(variant))
