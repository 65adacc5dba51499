"""The resamplers of the field, each under the name that signatures carry.

Goal: the samples that another tool's metric hears. Published scores move with the resampler, so a
dialect names the one its origin uses.

Conventions:
    Mono float32 (n,) in, float32 (ceil(n * target / source),) out (soxr: rounded; resampy, julius:
    cut to an integer). Beyond both ends the signal is zero (julius: its first or last sample). The
    ratio is reduced first; with L outputs for every M inputs there are L filters, and a block of M
    inputs with its margins times their matrix gives L outputs.

Resamplers:
    soxr-hq       libsoxr HQ, the default of librosa since 0.10, and of everything of our own
    sinc6         torchaudio's default: Hann-windowed sinc of 6 zero crossings, roll-off 0.99
    kaiser64      Kaiser-windowed sinc of 64 zero crossings (fadtk, kadtk)
    resampy-best  resampy's ``kaiser_best``: a tabulated Kaiser sinc, interpolated linearly
    julius24      julius' default: Hann-windowed sinc of 24 zero crossings, roll-off 0.945, each
                  filter summing to 1 (audiocraft)

References:
    torchaudio.functional.resample of torchaudio 2.9.1; resampy 0.4.3, filters and interpn;
    julius 0.2.8, resample_frac;
    microsoft/fadtk at ec74b1f, fadtk/utils.py (parameters of kaiser64).
    J. O. Smith, Digital Audio Resampling Home Page, for the method.
"""

from __future__ import annotations

from functools import cache
from math import ceil, gcd

import numpy as np
import soxr
from numpy.typing import NDArray

from vsseval.errors import UnknownNameError

RESAMPLERS = ("soxr-hq", "sinc6", "kaiser64", "resampy-best", "julius24")

_KAISER64_ROLLOFF, _KAISER64_BETA = 0.9475937167399596, 14.769656459379492
_RESAMPY_ZEROS, _RESAMPY_BITS = 50, 13
_RESAMPY_ROLLOFF, _RESAMPY_BETA = 0.917347, 12.984585247040012


def resample(
    samples: NDArray[np.float32], source_rate: int, target_rate: int, resampler: str = "soxr-hq"
) -> NDArray[np.float32]:
    """Mono samples at another rate; the input itself where the rates agree.

    Args:
        samples: float32 (n,).
        source_rate: their rate [Hz].
        target_rate: the rate wanted [Hz].
        resampler: one of ``RESAMPLERS``.

    Raises:
        UnknownNameError: no such resampler.
    """
    if resampler not in RESAMPLERS:
        raise UnknownNameError("resampler", resampler, RESAMPLERS)
    if source_rate == target_rate:
        return samples
    if resampler == "soxr-hq":
        return np.asarray(
            soxr.resample(samples, source_rate, target_rate, quality="HQ"), dtype=np.float32
        )
    divisor = gcd(source_rate, target_rate)
    down, up = source_rate // divisor, target_rate // divisor
    filters = {
        "sinc6": _sinc6,
        "kaiser64": _kaiser64,
        "resampy-best": _resampy_best,
        "julius24": _julius24,
    }[resampler]
    outputs = samples.size * up / down
    length = int(outputs) if resampler in ("resampy-best", "julius24") else ceil(outputs)
    ends = (samples[0], samples[-1]) if resampler == "julius24" and samples.size else (0, 0)
    return _polyphase(samples, filters(down, up), down, ends)[:length]


def _polyphase(
    samples: NDArray[np.float32],
    filters: NDArray[np.float32],
    down: int,
    ends: tuple[float, float],
) -> NDArray[np.float32]:
    """Outputs of the filters (L, margin + M + margin) at every M-th input; ``ends`` goes on."""
    taps = filters.shape[1]
    margin = (taps - down) // 2
    blocks = samples.size // down + 1
    padded = np.zeros((blocks - 1) * down + taps, dtype=np.float32)
    padded[:margin], padded[margin + samples.size :] = ends
    padded[margin : margin + samples.size] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, taps)[::down]
    return (frames @ filters.T).reshape(-1)


def _offsets(down: int, up: int, margin: int) -> NDArray[np.float64]:
    """Time of each tap less that of each output, in inputs: (L, margin + M + margin)."""
    taps = np.arange(-margin, down + margin)
    outputs = np.arange(up) * down / up
    return np.asarray(taps[None, :] - outputs[:, None], dtype=np.float64)


@cache
def _sinc6(down: int, up: int) -> NDArray[np.float32]:
    cutoff = min(down, up) * 0.99 / down
    time = (_offsets(down, up, ceil(6 / cutoff)) * cutoff).clip(-6, 6)
    return np.asarray(cutoff * np.sinc(time) * np.cos(np.pi * time / 12) ** 2, dtype=np.float32)


@cache
def _julius24(down: int, up: int) -> NDArray[np.float32]:
    cutoff = min(down, up) * 0.945 / down
    time = (_offsets(down, up, ceil(24 / cutoff)) * cutoff).clip(-24, 24)
    values = np.sinc(time) * np.cos(np.pi * time / 48) ** 2
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float32)


@cache
def _kaiser64(down: int, up: int) -> NDArray[np.float32]:
    cutoff = min(down, up) * _KAISER64_ROLLOFF / down
    time = (_offsets(down, up, ceil(64 / cutoff)) * cutoff).clip(-64, 64)
    window = np.i0(_KAISER64_BETA * np.sqrt(1 - (time / 64) ** 2)) / np.i0(_KAISER64_BETA)
    return np.asarray(cutoff * np.sinc(time) * window, dtype=np.float32)


@cache
def _resampy_best(down: int, up: int) -> NDArray[np.float32]:
    """Trap: the step through the table is cut to an integer, as in resampy."""
    count = _RESAMPY_ZEROS << _RESAMPY_BITS
    places = np.linspace(0, _RESAMPY_ZEROS, count + 1)
    taper = np.kaiser(2 * count + 1, _RESAMPY_BETA)[count:]
    scale = min(1.0, up / down)
    table = scale * _RESAMPY_ROLLOFF * np.sinc(_RESAMPY_ROLLOFF * places) * taper
    slope = np.append(np.diff(table), 0.0)
    step = int(scale * (1 << _RESAMPY_BITS))
    margin = ceil((count + 1) / step) + 1
    offsets = _offsets(down, up, margin)
    # An output between two inputs lies `part` after the earlier and 1 - `part` before the later;
    # each wing walks away from it with the whole step.
    part = np.mod(-offsets[:, :1], 1.0)
    later = offsets > 1e-9
    start = np.where(later, 1.0 - part, part) * scale * (1 << _RESAMPY_BITS)
    steps = np.rint(np.where(later, offsets - (1.0 - part), -offsets - part))
    first = start.astype(np.int64)
    index = first + steps.astype(np.int64) * step
    inside = index < len(table)
    index = np.where(inside, index, 0)
    values = np.where(inside, table[index] + (start - first) * slope[index], 0.0)
    return np.asarray(values, dtype=np.float32)
