"""aiSFX: a convolutional network trained to sort sound effects (Ma and Lerch, ISMIR 2022).

Front end at 44.1 kHz: the paper's, the default of package aisfx 0.1.2 (its Essentia route).
The samples are not normalised, so the features depend on the level.

    frames   2048 samples, hop 1024, frame i centred on sample 1024 i, zeros outside the clip,
             ceil(n / 1024) + 1 of them; symmetric Hann window
    bands    96 triangles on the HTK mel scale, 0 to 22,050 Hz, linear in mel, each sums to 1
    value    log10(10^4 * band power + 1) / 9.457798957824707

Trap: the package's other route (librosa) hands the network a spectrogram with time and frequency
exchanged, made of peak-normalised samples; nothing here follows it.

Blocks: 100 frames (2.3 s) every 50 frames. The last one is filled up with zeros, the value of
digital silence, so that every sample of the clip is heard (``drop_partial_block=False`` there).
A clip of 4 s gives 3 blocks; a clip of up to 2.3 s, however short, gives one (the package fails
below 50 frames, 1.1 s).

Source: package aisfx 0.1.2 (inference.py, preprocessing.py, models/cnn2d.py and
spectrogram_essentia.py); front end checked against essentia 2.1b6.dev1389.
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
    from vsseval.encoders.aisfx_network import Network

SAMPLE_RATE = 44_100
FRAME, HOP, BANDS = 2048, 1024, 96
BLOCK_FRAMES, BLOCK_HOP = 100, 50
TOP = 9.457798957824707
"""Largest value in the spectrograms of the paper's training sets; maps them to [0, 1]."""
HEAD = "ucsMixed"
"""The classifier head whose logits are returned (69 classes of the Universal Category System)."""


@cache
def mel_weights() -> NDArray[np.float64]:
    """Filter bank, float64 (96, 1025): row b weighs the power of each FFT bin, and sums to 1."""
    bins = _mel(np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME)
    edges = np.linspace(0.0, _mel(np.array(SAMPLE_RATE / 2)), BANDS + 2)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clip(0)
    return triangles / triangles.sum(axis=1, keepdims=True)


def _mel(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.01048 * np.log1p(frequency / 700)


def spectrogram(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled log-mel spectrogram, float32 (ceil(n / 1024) + 1, 96) >= 0, of samples (n,)."""
    count = -(-samples.size // HOP) + 1
    padded = np.zeros(count * HOP + FRAME)
    padded[HOP : HOP + samples.size] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[: count * HOP : HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME))) ** 2
    return (np.log10(1e4 * power @ mel_weights().T + 1) / TOP).astype(np.float32)


def blocks(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Overlapping blocks (b, 100, 96) of a spectrogram (t, 96), the last one filled up with zeros.

    b = max(1, ceil((t - 100) / 50) + 1).
    """
    count = max(1, -(-(len(frames) - BLOCK_FRAMES) // BLOCK_HOP) + 1)
    room = (count - 1) * BLOCK_HOP + BLOCK_FRAMES
    padded = np.pad(frames, ((0, max(0, room - len(frames))), (0, 0)))
    return np.stack([padded[i * BLOCK_HOP :][:BLOCK_FRAMES] for i in range(count)])


@dataclass(frozen=True, slots=True)
class AisfxEncoder:
    """Embedding and class logits of each block."""

    network: Network
    head: int
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (blocks, 512) and ``logits`` float32 (blocks, 69) of samples (n,).

        Raises:
            InputError: no samples.
        """
        if samples.size == 0:
            raise InputError("aisfx needs at least one sample")
        import torch

        batch = torch.from_numpy(blocks(spectrogram(samples))).to(self.device)
        with torch.inference_mode():
            embedding, logits = self.network(batch, self.head)
        return {"embedding": embedding.cpu().numpy(), "logits": logits.cpu().numpy()}


def signature(device: str = "cpu") -> str:
    """Weights, blocks and head; the device moves nothing above rounding."""
    del device
    return f"aisfx-0.1.2:{weights.fingerprint('aisfx')}|blocks:100/50pad|head:{HEAD}"


def load(device: str = "cpu") -> AisfxEncoder:
    """The network with its published weights.

    Raises:
        MissingWeightsError: part ``aisfx`` is not in the store.
    """
    from vsseval.encoders.aisfx_network import load_network

    network, heads = load_network(weights.require("aisfx") / "checkpoint.pth")
    return AisfxEncoder(network.to(device), heads[HEAD], device, signature(device))
