"""DIO, the F0 estimate of WORLD, several times as fast as the library.

    bands       low-pass filters (Nuttall windows) with cutoffs half an octave apart, 100 to 803 Hz,
                after a filter that removes what is below 50 Hz
    candidate   of each band and frame: mean of four rates (of rising and falling zero crossings,
                peaks, dips), interpolated at the frame; none below half the cutoff or above it
    score       how far the four differ, by their mean; the band with the least wins
    contour     jumps of more than 10 % are unvoiced, and 3 frames on either side of anything
                unvoiced; then each voiced section is continued with candidates, forwards and back

What the library spends its time on are transforms of a power of two above twice the clip's length;
these are of any length with small factors, and the filters' are kept. Results agree to rounding. In
digital silence F0 means nothing: there both libraries read the noise of their own arithmetic.

Source: M. Morise et al. (2009), AES 35th conference; WORLD 0.3.5 as pyworld 0.3.5 has it (dio.cpp).
"""

from __future__ import annotations

from functools import lru_cache

import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

FLOOR, CEILING = 71.0, 800.0
CHANNELS_IN_OCTAVE = 2.0
CUTOFF = 50.0
FRAME_SECONDS = 0.005
ALLOWED_RANGE = 0.1
SHORTEST_VOICE = int(0.5 + 1 / FRAME_SECONDS / FLOOR) * 2 + 1
"""Frames; nothing shorter is voiced, nor are so many at either end."""
BANDS = 1 + int(np.log2(CEILING / FLOOR) * CHANNELS_IN_OCTAVE)
BOUNDARIES = FLOOR * 2.0 ** ((1 + np.arange(BANDS)) / CHANNELS_IN_OCTAVE)
"""Cutoff of each band [Hz]."""
WORST = 1e5
"""Deviation where there is no candidate [Hz]."""
TINY = 1e-12

Vector = NDArray[np.float64]


def dio(samples: Vector, rate: int) -> tuple[Vector, Vector]:
    """F0 of a clip [Hz], 0 where unvoiced, and the time of each frame [s].

    Args:
        samples: float64 (n,); at least 10 frames of 5 ms.
        rate: of the samples [Hz].

    Returns:
        Two float64 (floor(200 n / rate) + 1,).
    """
    frames = int(1000.0 * len(samples) / rate / (1000.0 * FRAME_SECONDS)) + 1
    times = np.arange(frames, dtype=np.float64) * (1000.0 * FRAME_SECONDS) / 1000.0
    wave = np.append(samples, 0.0)  # one sample more, as the library has it
    wave -= wave.mean()
    halves = _half_lengths(rate)
    cut = int(rate / CUTOFF + 0.5)
    size = int(scipy.fft.next_fast_len(len(wave) + 2 * cut + 4 * halves[0] + 5, real=True))
    spectrum = scipy.fft.rfft(wave, size)
    candidates = np.empty((BANDS, frames))
    scores = np.empty((BANDS, frames))
    for band, (half, filtering) in enumerate(zip(halves, _filters(rate, size), strict=True)):
        filtered = scipy.fft.irfft(spectrum * filtering, size)[2 * half :][: len(wave)]
        _candidates(filtered, float(rate), times, BOUNDARIES[band], candidates[band], scores[band])
    best = np.take_along_axis(candidates, scores.argmin(axis=0)[None], axis=0)[0]
    return _contour(best, candidates), times


def _half_lengths(rate: int) -> list[int]:
    """Half a period of each cutoff in samples, rounded."""
    return [int(rate / boundary / 2.0 + 0.5) for boundary in BOUNDARIES]


@lru_cache(maxsize=4)
def _filters(rate: int, size: int) -> tuple[NDArray[np.complex128], ...]:
    """Spectra of the bands' filters, what is below 50 Hz taken out, for transforms of ``size``."""
    reach = int(rate / CUTOFF + 0.5)
    hann = 0.5 - 0.5 * np.cos(np.arange(1, 2 * reach + 2) * 2.0 * np.pi / (2 * reach + 2))
    low_cut = np.zeros(size)
    low_cut[: reach + 1] = -hann[reach:] / hann.sum()
    low_cut[size - reach :] = -hann[:reach] / hann.sum()
    low_cut[0] += 1.0
    without_low = scipy.fft.rfft(low_cut)
    spectra = []
    for half in _half_lengths(rate):
        angle = 2.0 * np.pi * np.arange(4 * half) / (4 * half - 1.0)
        nuttall = (
            0.355768
            - 0.487396 * np.cos(angle)
            + 0.144232 * np.cos(2 * angle)
            - 0.012604 * np.cos(3 * angle)
        )
        spectra.append(without_low * scipy.fft.rfft(nuttall, size))
    return tuple(spectra)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _crossings(signal: Vector, sign: float, slope: bool) -> Vector:
    """Where sign * signal falls through zero, in samples; of its slope if ``slope``."""
    length = len(signal) - 1 if slope else len(signal)
    found = np.empty(length)
    count = 0
    before = sign * (signal[1] - signal[0] if slope else signal[0])
    for i in range(1, length):
        now = sign * (signal[i + 1] - signal[i] if slope else signal[i])
        if before > 0.0 and now <= 0.0:
            found[count] = i - before / (now - before)
            count += 1
        before = now
    return found[:count]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _candidates(
    signal: Vector, rate: float, times: Vector, boundary: float, candidate: Vector, score: Vector
) -> None:
    """Fills candidate and score of one band, from its filtered signal."""
    four = np.empty((4, len(times)))
    for kind in range(4):
        at = _crossings(signal, 1.0 if kind % 2 == 0 else -1.0, kind >= 2)
        intervals = len(at) - 1
        if intervals <= 2:
            candidate[:] = 0.0
            score[:] = WORST / TINY
            return
        k = 1
        for frame in range(len(times)):
            while k < intervals - 1 and (at[k] + at[k + 1]) / 2.0 / rate <= times[frame]:
                k += 1
            left = (at[k - 1] + at[k]) / 2.0 / rate
            right = (at[k] + at[k + 1]) / 2.0 / rate
            low, high = rate / (at[k] - at[k - 1]), rate / (at[k + 1] - at[k])
            four[kind, frame] = low + (times[frame] - left) / (right - left) * (high - low)
    for frame in range(len(times)):
        mean = four[:, frame].sum() / 4.0
        deviation = np.sqrt(((four[:, frame] - mean) ** 2).sum() / 3.0)
        if mean > boundary or mean < boundary / 2.0 or mean > CEILING or mean < FLOOR:
            mean, deviation = 0.0, WORST
        candidate[frame] = mean
        score[frame] = deviation / (mean + TINY)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _continued(now: float, before: float, candidates: Vector) -> float:
    """The candidate nearest to where two frames point, or 0 if it is more than 10 % away."""
    expected = (now * 3.0 - before) / 2.0
    best = candidates[np.abs(expected - candidates).argmin()]
    return 0.0 if abs(1.0 - best / expected) > ALLOWED_RANGE else best


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _contour(best: Vector, candidates: NDArray[np.float64]) -> Vector:
    """Voiced sections of the best candidates, continued on both sides."""
    frames, edge = len(best), SHORTEST_VOICE
    f0 = np.zeros(frames)
    if frames <= edge:
        return f0
    inner = best.copy()
    inner[:edge] = 0.0
    inner[frames - edge :] = 0.0
    steady = np.zeros(frames)
    for i in range(edge, frames):
        if abs((inner[i] - inner[i - 1]) / (TINY + inner[i])) < ALLOWED_RANGE:
            steady[i] = inner[i]
    reach = (edge - 1) // 2
    f0[:] = steady
    for i in range(reach, frames - reach):
        if (steady[i - reach : i + reach + 1] == 0.0).any():
            f0[i] = 0.0
    starts = [i for i in range(1, frames) if f0[i - 1] == 0.0 and f0[i] != 0.0]
    ends = [i - 1 for i in range(1, frames) if f0[i - 1] != 0.0 and f0[i] == 0.0]
    for at in range(len(ends)):
        limit = frames - 1 if at == len(ends) - 1 else ends[at + 1]
        for i in range(ends[at], limit):
            f0[i + 1] = _continued(f0[i], f0[i - 1], candidates[:, i + 1])
            if f0[i + 1] == 0.0:
                break
    for at in range(len(starts) - 1, -1, -1):
        limit = 1 if at == 0 else starts[at - 1]
        for i in range(starts[at], limit, -1):
            f0[i - 1] = _continued(f0[i], f0[i + 1], candidates[:, i - 1])
            if f0[i - 1] == 0.0:
                break
    return f0
