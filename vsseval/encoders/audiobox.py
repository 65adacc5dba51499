"""Audiobox aesthetics: predicted enjoyment, usefulness, complexity and quality of any sound.

    16 kHz (mean of the channels, torchaudio's default resampling)
    windows of 10 s, one after the other; the last is zero-padded and the padding masked
    WavLM base, its states summed for each axis with learnt weights, mean over the kept frames,
    scaled to unit norm, a perceptron, then the mean and deviation of the listeners' scores
    clip: mean over windows, weighted by their length without padding

Numbers are float32 here. The published command runs in bfloat16 where the checkpoint says so, and
then depends on the hardware in the second decimal.

Source: facebookresearch/audiobox-aesthetics at 2618e9d (infer.py); A. Tjandra et al. (2025), arXiv
2502.05139.
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
    from vsseval.encoders.audiobox_network import Aesthetics

SAMPLE_RATE = 16_000
PART = "audiobox-aesthetics"
WINDOW = 10 * SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class AudioboxEncoder:
    """Four predicted opinion scores."""

    model: Aesthetics
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``pq``, ``pc``, ``ce``, ``cu``, float64 (), about 1 to 10, of 16-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        import torch

        from vsseval.encoders.audiobox_network import AXES
        from vsseval.encoders.wav2vec_network import kept_frames

        if samples.size == 0:
            raise InputError("audiobox-aesthetics needs at least one sample")
        scores, lengths = [], []
        for start in range(0, samples.size, WINDOW):
            window = samples[start : start + WINDOW]
            padded = torch.from_numpy(np.pad(window, (0, WINDOW - window.size)))
            kept = kept_frames(window.size, WINDOW)
            with torch.inference_mode():
                raw = self.model.network(padded.to(self.device), kept.to(self.device))
            scores.append(raw.double().cpu().numpy())
            lengths.append(window.size)
        means = np.average(scores, axis=0, weights=lengths)
        scaled = {
            axis: mean * self.model.scales[axis].std + self.model.scales[axis].mean
            for axis, mean in zip(AXES, means, strict=True)
        }
        return {axis.lower(): np.array(scaled[axis]) for axis in ("PQ", "PC", "CE", "CU")}


def signature(device: str = "cpu") -> str:
    """Weights and number format; the device moves nothing above rounding."""
    del device
    return f"{PART}:{weights.fingerprint(PART)}|float32"


def load(device: str = "cpu") -> AudioboxEncoder:
    """The network with its published weights.

    Raises:
        MissingWeightsError: part ``audiobox-aesthetics`` is not in the store.
    """
    from dataclasses import replace

    from vsseval.encoders.audiobox_network import load_network

    model = load_network(weights.require(PART) / "checkpoint.pt")
    model = replace(model, network=model.network.to(device))
    return AudioboxEncoder(model, device, signature(device))
