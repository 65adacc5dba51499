"""The audio half of ``relevance-demo``; see :mod:`vsseval.encoders.relevance`.

Front end at 16 kHz:

    frames   512 samples, Hann, hop 320, four to a step of 1280; frame i centred on 320 i + 160,
             zeros outside the clip, whose last step is filled up with zeros
    bands    64 Slaney mel bands of power, 50 to 8000 Hz, equal area
    level    divided by the mean over time of the power summed over bands, so a gain of the whole
             clip changes nothing; silence stays zero
    value    (ln(power + 1e-6) + 7) / 4
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval.encoders import relevance
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.relevance_network import Tower

SAMPLE_RATE = 16_000
FRAME, HOP, BANDS = 512, 320, 64
STEP = round(SAMPLE_RATE / relevance.STEPS_PER_SECOND)
FLOOR = 1e-6


@cache
def mel_weights() -> NDArray[np.float32]:
    """Filter bank, float32 (64, 257)."""
    from librosa.filters import mel

    bank = mel(sr=SAMPLE_RATE, n_fft=FRAME, n_mels=BANDS, fmin=50.0, fmax=8000.0)
    return np.asarray(bank, dtype=np.float32)


def band_power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power of each band over the clip's own level, float32 (4 ceil(n / 1280), 64), of (n,)."""
    count = -(-samples.size // STEP) * (STEP // HOP)
    margin = (FRAME - HOP) // 2
    padded = np.zeros(count * HOP + 2 * margin, dtype=np.float32)
    padded[margin : margin + samples.size] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    window = np.hanning(FRAME + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window)) ** 2 @ mel_weights().T.astype(np.float64)
    level = float(power.sum(axis=1).mean())
    return np.asarray(power / level if level > 0 else power, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class RelevanceAudioEncoder:
    """One unit vector for what is heard when."""

    network: Tower
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (864,), unit norm, of 16-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        if samples.size == 0:
            raise InputError("relevance-demo-audio needs at least one sample")
        import torch

        power = torch.from_numpy(band_power(samples)).T[None].to(self.device)
        with torch.inference_mode():
            return {"embedding": self.network.embed(power)[0].cpu().numpy()}


def signature(device: str = "cpu") -> str:
    """Checkpoint; the device moves nothing above rounding."""
    del device
    return f"relevance-demo-audio:{relevance.SIGNATURE}"


def load(device: str = "cpu") -> RelevanceAudioEncoder:
    """The network with the weights that come with the package.

    Raises:
        InputError: the checkpoint is absent or damaged.
    """
    from vsseval.encoders.relevance_network import load_towers

    towers = load_towers()
    return RelevanceAudioEncoder(towers.audio.to(device), device, signature(device))
