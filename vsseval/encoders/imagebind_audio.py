"""ImageBind's ear: three views of two seconds of a clip, as Kaldi-like mel spectrograms.

    views     3 windows of 2 s, spread over the clip; a clip under 2 s is seen three times over
    frames    400 samples at 16 kHz, hop 160, only whole ones; mean of each removed, pre-emphasis
              0.97 with the first sample repeated, symmetric Hann window, FFT 512, power
    bands     128 triangles on the scale 1127 ln(1 + f/700), 20 to 8000 Hz, linear in mel
    value     ln(max(power, 2^-23)), zeros up to 204 frames (2 s have 198), (x + 4.268) / 9.138
    embedding mean over the views of their vectors, each of length 20; the mean has less

Where the views start depends on the release of pytorchvideo, named in the signature:

    pytorchvideo-9368f30   commit of 2022-04-28 and later, also the pins of ImageBind and of the
                           fork that av-benchmark installs (ae9cfc6): 0, 4, 8 s of 10 s. Default.
    pytorchvideo-0.1.5     last release on PyPI: 0, 2.67, 5.33 s of 10 s

Traps
    overlap   upstream removes the mean of each view in place, so that views which overlap (clips
              under 6 s; under 8 s by the older rule) hear what earlier ones left: steps in the
              wave. So do these. As the mean of each frame is removed later, only frames across a
              step change: 3 or 4 of 612, by up to 0.14, in demo clips of 4 s.
    channels  upstream's mean runs over all channels, ours over the one that is heard, which for the
              same reason moves nothing else
    length    upstream and av-benchmark read the whole file; here the samples end with the item

Source: facebookresearch/ImageBind at 53680b0 (data.py), hkchengrex/av-benchmark at 050a5cd.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.imagebind_network import Tower

SAMPLE_RATE = 16_000
VIEW_SECONDS, VIEWS = 2, 3
FRAME, HOP, FFT, BANDS, FRAMES = 400, 160, 512, 128, 204
MEAN, DEVIATION = -4.268, 9.138
START_RULE = "pytorchvideo-9368f30"
START_RULES = {"pytorchvideo-9368f30": -1, "pytorchvideo-0.1.5": 0}
"""Rule -> what it adds to the number of views to divide the room by."""


def view_starts(duration: float, count: int, rule: str = START_RULE) -> list[Fraction]:
    """Start [s] of each of ``count`` views of two seconds in a clip of ``duration`` seconds."""
    room = Fraction(max(duration - VIEW_SECONDS, 0))
    return [room / max(count + START_RULES[rule], 1) * index for index in range(count)]


@cache
def mel_weights() -> NDArray[np.float64]:
    """Filter bank, float64 (128, 257): row b weighs the power of each FFT bin."""
    edges = np.linspace(_mel(np.array(20.0)), _mel(np.array(SAMPLE_RATE / 2)), BANDS + 2)
    bins = _mel(np.arange(FFT // 2 + 1, dtype=np.float64) * (SAMPLE_RATE / FFT))
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    return triangles.clip(0)


def _mel(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127 * np.log1p(frequency / 700)


def mel_spectrogram(samples: NDArray[np.float64]) -> NDArray[np.float32]:
    """Log-mel spectrogram, float32 (128, 1 + (n - 400) // 160), of samples (n,), n >= 400."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), FFT)) ** 2
    return np.log(np.maximum(power @ mel_weights().T, 2.0**-23)).T.astype(np.float32)


def views(samples: NDArray[np.float32], rule: str = START_RULE) -> NDArray[np.float32]:
    """What the network is given of samples (n,) at 16 kHz: float32 (3, 1, 128, 204)."""
    heard = samples.astype(np.float64)
    found = np.zeros((VIEWS, 1, BANDS, FRAMES), np.float32)
    starts = view_starts(samples.size / SAMPLE_RATE, VIEWS, rule)
    for view, start in zip(found, starts, strict=True):
        window = heard[int(start * SAMPLE_RATE) : int((start + VIEW_SECONDS) * SAMPLE_RATE)]
        window -= window.mean()
        mel = mel_spectrogram(window)
        view[0, :, : mel.shape[1]] = mel
    return (found - np.float32(MEAN)) / np.float32(DEVIATION)


@dataclass(frozen=True, slots=True)
class ImagebindAudioEncoder:
    """One vector a clip, in the space that ImageBind's towers share."""

    tower: Tower
    device: str
    signature: str
    rule: str = START_RULE

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (1024,) of 16-kHz samples (n,).

        Raises:
            InputError: fewer samples than one frame, 25 ms.
        """
        if samples.size < FRAME:
            raise InputError(f"imagebind-audio needs {FRAME} samples at 16 kHz, got {samples.size}")
        import torch

        batch = torch.from_numpy(views(samples, self.rule)).to(self.device)
        with torch.inference_mode():
            return {"embedding": self.tower(batch).mean(dim=0).cpu().numpy()}


def signature(device: str = "cpu") -> str:
    """Weights, views and the rule that places them; the device moves nothing above rounding."""
    del device
    part = weights.fingerprint("imagebind")
    return f"imagebind-huge:{part}|audio|views:{VIEWS}x{VIEW_SECONDS}s|starts:{START_RULE}"


def load(device: str = "cpu") -> ImagebindAudioEncoder:
    """The audio tower with its published weights.

    Raises:
        MissingWeightsError: part ``imagebind`` is not in the store.
    """
    from vsseval.encoders.imagebind_network import load_tower

    tower = load_tower(weights.require("imagebind") / "imagebind_huge.pth", "audio")
    return ImagebindAudioEncoder(tower.to(device), device, signature(device))
