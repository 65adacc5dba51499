"""VGGish: a VGG-like network trained to tag videos by their sound (Hershey et al., ICASSP 2017).

Front end at 16 kHz, in float64:

    frames   400 samples (periodic Hann window), hop 160, no padding: 1 + floor((n - 400) / 160)
    bands    |FFT of 512|, not its square, through 64 triangles that are linear on the mel scale
             1127 ln(1 + f / 700), edges 125 to 7500 Hz, peak 1; the bin of 0 Hz is left out
    value    ln(band + 0.01)
    patches  96 frames, hop 96, an incomplete last one dropped: 10 s give 10, 8 s give 8

The embedding is the last linear layer's output before its ReLU; PCA and 8-bit quantiser of the
AudioSet release are not applied. The tools that print a distance of VGGish all do so: av-benchmark,
audioldm_eval, fadtk and frechet-audio-distance differ in the preparation of the samples alone
(fadtk also rounds the stored embedding to float16, which is not imitated).

A clip shorter than 15,600 samples (0.975 s) has no patch and is refused. (fadtk pads to 1 s.)

Source: harritaylor/torchvggish at f3f9096 (vggish.py, vggish_input.py, mel_features.py);
hkchengrex/av-benchmark at 050a5cd (av_bench/vggish).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.vggish_network import Vggish

SAMPLE_RATE = 16_000
FRAME, HOP, FFT, BANDS = 400, 160, 512, 64
LOWEST, HIGHEST = 125.0, 7500.0
OFFSET = 0.01
PATCH = 96
"""Frames of a patch, and from one to the next."""
LEAST_SAMPLES = (PATCH - 1) * HOP + FRAME


@cache
def mel_weights() -> NDArray[np.float64]:
    """Filter bank, float64 (257, 64): column b weighs the magnitude of each FFT bin."""
    bins = _mel(np.linspace(0.0, SAMPLE_RATE / 2, FFT // 2 + 1))[:, None]
    edges = np.linspace(_mel(np.array(LOWEST)), _mel(np.array(HIGHEST)), BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clip(0)
    triangles[0] = 0.0
    return triangles


def _mel(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log(1.0 + frequency / 700.0)


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-mel spectrogram, float64 (1 + (n - 400) // 160, 64), of samples (n,), n >= 400."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    return np.log(np.abs(np.fft.rfft(frames * window, FFT)) @ mel_weights() + OFFSET)


def patches(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Input of the network, float32 (patches, 96, 64), of samples (n,).

    Raises:
        InputError: fewer than 15,600 samples.
    """
    if samples.size < LEAST_SAMPLES:
        raise InputError(
            f"vggish needs at least {LEAST_SAMPLES} samples ({LEAST_SAMPLES / SAMPLE_RATE} s, one "
            f"patch of 96 frames), got {samples.size} ({samples.size / SAMPLE_RATE:.3f} s)"
        )
    frames = log_mel(samples)
    count = len(frames) // PATCH
    return frames[: count * PATCH].reshape(count, PATCH, BANDS).astype(np.float32)


@dataclass(frozen=True, slots=True)
class VggishEncoder:
    """One embedding for each patch of 0.96 s."""

    network: Vggish
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (patches, 128), of either sign, of 16-kHz samples (n,).

        Raises:
            InputError: fewer than 15,600 samples (0.975 s).
        """
        import torch

        batch = torch.from_numpy(patches(samples)).to(self.device)
        with torch.inference_mode():
            return {"embedding": self.network(batch).cpu().numpy()}


def signature(device: str = "cpu") -> str:
    """Weights and what is left out; the device moves nothing above rounding."""
    del device
    return f"vggish-torchvggish:{weights.fingerprint('vggish')}|relu:0|pca:0"


def load(device: str = "cpu") -> VggishEncoder:
    """The network with its published weights.

    Raises:
        MissingWeightsError: part ``vggish`` is not in the store.
        InputError: its file has other keys than torchvggish's.
    """
    from vsseval.encoders.vggish_network import load_network

    network = load_network(weights.require("vggish") / "vggish-10086976.pth")
    return VggishEncoder(network.to(device), device, signature(device))
