"""DNSMOS P.835 and P.808: predicted opinion of noisy speech (Reddy et al., 2021 and 2022).

The published script's rules, its two oddities included:

    length     a clip shorter than 9.01 s (144,160 samples at 16 kHz) is appended to itself, then
               the whole again, until it is long enough: 4 s become 16 s
    windows    9.01 s every second, int(floor(seconds) - 9.01) + 1 of them; windows 7 to 23 come
               out one sample short by float truncation and are skipped, so that a long file is
               scored on windows 0 to 6 and from 24 on
    P.835      network on the window, then a quadratic for each of SIG, BAK, OVRL
    P.808      network on (dB + 40) / 40 of the window without its last 160 samples: 120 Slaney mel
               bands of equal area, Hann window and FFT 321, hop 160, dB relative to the window's
               maximum, at most 80 dB below it
    score      mean over windows

A doubled clip repeats itself, and that is used twice, without a change to the result: windows that
start at the same place of it are computed once; and the P.835 network, 3 x 3 convolutions and 2 x 2
pooling over frames of 160 samples with a maximum over all of them at the end, says the same of a
window from which whole repetitions are cut out, as long as one is left beside both borders and the
cut is a multiple of the pooled 8 frames.

Samples outside [-1, 1] are not refused here (package speechmos refuses them, the script does not).

Source: microsoft/DNS-Challenge 591184a (dnsmos_local.py); package speechmos 0.0.1.1 (dnsmos.py).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    import onnxruntime

SAMPLE_RATE = 16_000
WINDOW_SECONDS = 9.01
WINDOW = int(WINDOW_SECONDS * SAMPLE_RATE)
"""Windows that are computed at the same time."""

FRAME = 160
POOLED = 8 * FRAME
"""Samples of a P.835 frame, and of what three poolings make one of."""
BORDER = 40 * FRAME
"""Samples at each end of a window that its borders can reach: at most 18 frames, then pooled."""

POLYNOMIALS = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}
"""Coefficients of x^2, x and 1 that map the raw P.835 outputs, in the network's order."""


def doubled_length(length: int) -> int:
    """Samples after doubling until a window fits; ``length`` >= 1."""
    while length < WINDOW:
        length *= 2
    return length


def window_starts(length: int) -> list[int]:
    """Starts of the windows that are scored, of audio with ``length`` >= 144,160 samples."""
    count = int(length // SAMPLE_RATE - WINDOW_SECONDS) + 1
    ends = [min(int((i + WINDOW_SECONDS) * SAMPLE_RATE), length) for i in range(count)]
    return [i * SAMPLE_RATE for i, end in enumerate(ends) if end - i * SAMPLE_RATE >= WINDOW]


def shortest_window(period: int) -> int:
    """Samples of a window of periodic audio that the P.835 network cannot tell from 144,160."""
    if period % POOLED:
        return WINDOW
    spare = WINDOW - period - 2 * BORDER
    return WINDOW - max(0, spare // period) * period


def p835_session(
    path: Path, samples: int, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    """The P.835 network for windows of ``samples``; the file is made for 144,160."""
    import onnx
    import onnxruntime

    graph = onnx.load(str(path))
    frames = samples // FRAME - 1
    graph.graph.input[0].type.tensor_type.shape.dim[1].dim_value = samples
    for tensor in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.name.startswith("shape_tensor"):
            changed = np.where(values == WINDOW // FRAME - 1, frames, values)
        elif tensor.name == "input_1:01_cropping_end":
            changed = np.where(values == WINDOW - FRAME, samples - FRAME, values)
        else:
            continue
        tensor.CopyFrom(onnx.numpy_helper.from_array(changed.astype(values.dtype), tensor.name))
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def p808_input(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """Input of the P.808 network: float32 (900, 120) of a window of 144,160 samples."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=window[:-160], sr=SAMPLE_RATE, n_fft=321, hop_length=160, n_mels=120, fmax=8000.0
    )
    decibels = librosa.power_to_db(power, ref=np.max, amin=1e-10, top_db=80.0)
    return np.asarray((decibels.T + 40) / 40, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class DnsmosEncoder:
    """Four predicted opinion scores."""

    p835: Callable[[int], onnxruntime.InferenceSession]
    """By samples of a window."""
    p808: onnxruntime.InferenceSession
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``ovrl``, ``sig``, ``bak``, ``p808``, float64 (), about 1 to 5, of 16-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        if samples.size == 0:
            raise InputError("dnsmos needs at least one sample")
        length = doubled_length(samples.size)
        audio = np.tile(samples, length // samples.size)
        phases = [start % samples.size for start in window_starts(length)]
        distinct = sorted(set(phases))
        short = shortest_window(samples.size) if samples.size < WINDOW else WINDOW
        network = self.p835(short)
        windows = {phase: audio[phase : phase + WINDOW] for phase in distinct}
        scores = {phase: self._score(network, short, one) for phase, one in windows.items()}
        sig, bak, ovrl, p808 = np.mean([scores[phase] for phase in phases], axis=0)
        return {
            "ovrl": np.array(ovrl),
            "sig": np.array(sig),
            "bak": np.array(bak),
            "p808": np.array(p808),
        }

    def _score(
        self, network: onnxruntime.InferenceSession, short: int, window: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        raw = network.run(None, {"input_1": window[None, :short]})[0][0].astype(np.float64)
        mapped = [np.polyval(c, x) for c, x in zip(POLYNOMIALS.values(), raw, strict=True)]
        p808 = self.p808.run(None, {"input_1": p808_input(window)[None]})[0][0][0]
        return np.array([*mapped, p808], dtype=np.float64)


def signature(device: str = "cpu") -> str:
    """Weights and run time."""
    del device
    version = importlib.metadata.version("onnxruntime")
    return f"dnsmos:{weights.fingerprint('dnsmos')}|onnxruntime-{version}"


def load(device: str = "cpu") -> DnsmosEncoder:
    """Both networks; they are small and run on the CPU whatever ``device`` says.

    Raises:
        MissingWeightsError: part ``dnsmos`` is not in the store.
    """
    import onnxruntime

    folder = weights.require("dnsmos")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    p808 = onnxruntime.InferenceSession(
        str(folder / "model_v8.onnx"), options, providers=["CPUExecutionProvider"]
    )
    p835 = cache(lambda samples: p835_session(folder / "sig_bak_ovr.onnx", samples, options))
    return DnsmosEncoder(p835, p808, signature(device))
