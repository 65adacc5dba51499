"""PaSST: a transformer that tags sounds with the 527 classes of AudioSet (Koutini et al., 2022).

Model ``passt_s_swa_p16_128_ap476``, as av-benchmark hears it: the clip is cut or zero-padded to
exactly 10 s. KL and IS take the logits, FD the embedding. Two other readings of the same network
are rows of their own: :mod:`passt_stable_audio` and :mod:`passt_audiocraft`.

Front end at 32 kHz:

    pre-emphasis  x[n] - 0.97 x[n - 1], one sample shorter
    frames        window of 800 samples, symmetric Hann, in an FFT of 1024, hop 320, centred, the
                  ends reflected: 1 + (n - 1) // 320 of them
    bands         128 triangles of power on Kaldi's mel scale, 0 to 15,000 Hz, linear in mel, peak
                  1; the bin at 16 kHz weighs nothing
    value         (ln(power + 1e-5) + 4.5) / 5

Trap: the tool asks torch.stft for real pairs, which recent PyTorch refuses unless it is patched.

Source: kkoutini/passt_hear21 at 5f1cce6 (models/preprocess.py, models/passt.py, wrapper.py);
hkchengrex/av-benchmark at 050a5cd (extract.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.audio import fit_length
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from torch import Tensor

    from vsseval.encoders.passt_network import Network

SAMPLE_RATE = 32_000
WINDOW_SAMPLES = 320_000
"""10 s, what it was trained on."""
FFT, WINDOW, HOP, BANDS = 1024, 800, 320, 128
TOP = 15_000.0
PRE_EMPHASIS = 0.97
LEAST_SAMPLES = 15 * HOP + 1
"""Samples that fill one patch of 16 frames (0.15 s and one sample)."""
CHECKPOINT = "passt-s-f128-p16-s10-ap.476-swa.pt"


@cache
def mel_weights() -> Tensor:
    """Filter bank, float32 (128, 513).

    Trap: the origin computes mels in float32, which moves weak weights by up to 1e-3 of themselves;
    so does this, with the same logarithm.
    """
    import torch

    bins = 1127 * (1 + torch.arange(FFT // 2) * (SAMPLE_RATE / FFT) / 700).log()
    step = 1127 * math.log(1 + TOP / 700) / (BANDS + 1)
    edges = torch.arange(BANDS + 2) * step
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = torch.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    return torch.nn.functional.pad(triangles.clamp(min=0), (0, 1))


def spectrogram(samples: NDArray[np.float32], device: str = "cpu") -> Tensor:
    """Scaled log-mel spectrograms, float32 (b, 128, 1 + (n - 1) // 320), of samples (b, n).

    Raises:
        InputError: fewer than 4801 samples.
    """
    if samples.shape[-1] < LEAST_SAMPLES:
        raise InputError(
            f"PaSST needs at least {LEAST_SAMPLES} samples at 32 kHz (0.15 s), "
            f"got {samples.shape[-1]}"
        )
    import torch

    x = torch.from_numpy(np.ascontiguousarray(samples)).to(device)
    x = x[:, 1:] - PRE_EMPHASIS * x[:, :-1]
    window = torch.hann_window(WINDOW, periodic=False, device=x.device)
    spectrum = torch.stft(x, FFT, HOP, WINDOW, window, return_complex=True)
    power = torch.view_as_real(spectrum).square().sum(dim=-1)
    bands = mel_weights().to(device) @ power
    return ((bands + 1e-5).log() + 4.5) / 5


def outputs(
    network: Network, samples: NDArray[np.float32], device: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits (b, 527) and embeddings (b, 768) of samples (b, n), n from 4801 to 320,000.

    Raises:
        InputError: fewer samples.
    """
    import torch

    with torch.inference_mode():
        logits, embedding = network(spectrogram(samples, device))
    return logits.cpu().numpy(), embedding.cpu().numpy()


@dataclass(frozen=True, slots=True)
class PasstEncoder:
    """Logits and embedding of the first 10 s."""

    network: Network
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``logits`` float32 (1, 527) and ``embedding`` float32 (1, 768) of 32-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        if samples.size == 0:
            raise InputError("passt needs at least one sample")
        logits, embedding = outputs(
            self.network, fit_length(samples, WINDOW_SAMPLES)[None], self.device
        )
        return {"logits": logits, "embedding": embedding}


def signature(device: str = "cpu") -> str:
    """Weights and length; the device moves nothing above rounding."""
    del device
    return f"passt-s-ap476:{weights.fingerprint('passt')}|10s,padded"


def load_weights(device: str) -> Network:
    """The network with its published weights.

    Raises:
        MissingWeightsError: part ``passt`` is not in the store.
        InputError: the file is no checkpoint of this network.
    """
    from vsseval.encoders.passt_network import load_network

    return load_network(weights.require("passt") / CHECKPOINT).to(device)


def load(device: str = "cpu") -> PasstEncoder:
    """The encoder with published weights; raises as :func:`load_weights`."""
    return PasstEncoder(load_weights(device), device, signature(device))
