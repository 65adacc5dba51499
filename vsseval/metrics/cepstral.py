"""Mel-cepstral distortion, profile pymcd: how far generated speech lies from the recording.

Goal: the MCD, MCD-DTW and MCD-DTW-SL of the dubbing papers, equal to package pymcd 0.2.1 given the
same mel-cepstra. "MCD" without a profile means nothing: other programs differ by whole decibels.

Conventions:
    Mel-cepstra are float (frames, 14), c0..c13, one frame each 5 ms (encoder mcep-pymcd).
    Argument order (reference, generated). Decibels, >= 0, lower is better, symmetric. The cost of a
    pair of frames is the Euclidean distance over **all** coefficients, c0 included; the alignment
    uses c1..c13. Values are averaged over path cells, not over reference frames.

Functions:
    mel_cepstral_distortion             frame by frame
    mel_cepstral_distortion_dtw         over the path of FastDTW with radius 1
    mel_cepstral_distortion_dtw_sl      the same times max(Tr, Ts) / min(Tr, Ts)
    fast_dtw_path, dtw_path             the paths; FastDTW is not DTW, it overestimates
    level_difference                    how much louder the generated side is
    *_components                        component vectors for the METRICS table

Edge cases:
    fewer than two frames               InputError
    reference silent (constant)         InputError in *_components: there is no speech to match
    generated silent                    the finite value of the definition, 14 to 23 dB on
                                        speech, with component ``silent`` 1: leaving such items
                                        out would make a silent system look better than it is
    frame counts differ                 InputError for the frame-by-frame form
    levels more than 3 dB apart, or frame counts more than a factor 1.1: component ``warning`` 1

Traps of the profile: the value depends on loudness (a floor of 1e-8 on the squared power spectrum),
it doubles the log spectrum, and padding both sides with silence lowers it.

References:
    R. F. Kubichek (1993), Mel-cepstral distance measure for objective speech quality assessment.
    Q. Chen et al. (2022), V2C, arXiv 2111.12890, for the SL form. chenqi008/pymcd at 9321b74.
    S. Salvador and P. Chan (2007), FastDTW; package fastdtw 0.3.4 for the order of ties.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats

DECIBELS = 10.0 * math.sqrt(2.0) / math.log(10.0)
"""10 sqrt(2) / ln 10 = 6.1418..."""
WARN_DECIBELS = 3.0
"""Level difference above which a value is flagged [dB]."""
WARN_LENGTH = 1.1
"""Ratio of frame counts above which a value is flagged."""
_CONSTANT = 1e-6
"""Mel-cepstra that move less than this are those of silence."""
_LEAST_RMS = 1e-6
"""-120 dB of full scale, below the last bit of 16."""


def mel_cepstral_distortion(reference: Floats, generated: Floats) -> float:
    """Frame-by-frame mel-cepstral distortion in dB (MCD, mode ``plain`` of pymcd).

        MCD = (10 sqrt 2 / ln 10) * mean_t sqrt( sum_d (r_td - g_td)^2 )

    Args:
        reference: mel-cepstra, float (frames, d), c0 included.
        generated: likewise, same shape: pymcd zero-pads the shorter waveform before analysis.

    Returns:
        Distortion in dB, >= 0; 0 iff equal. One coefficient off by x costs 6.1418 |x|.

    Raises:
        InputError: shapes differ, fewer than two frames, or a value that is not finite.

    Source: pymcd 0.2.1.
    """
    r, g = check_cepstra(reference, generated)
    if len(r) != len(g):
        raise InputError(
            f"reference and generated differ in frames: {len(r)} and {len(g)}; "
            "pad the shorter waveform, or use the DTW form"
        )
    return DECIBELS * float(np.mean(np.sqrt(np.sum((r - g) ** 2, axis=1))))


def mel_cepstral_distortion_dtw(reference: Floats, generated: Floats) -> float:
    """Mel-cepstral distortion over an alignment, in dB (MCD-DTW, mode ``dtw`` of pymcd).

        MCD-DTW = (10 sqrt 2 / ln 10) * mean over (i, j) in P of sqrt( sum_d (r_id - g_jd)^2 )

    P is the path of FastDTW with radius 1 over coefficients 1 and above (:func:`fast_dtw_path`).

    Args:
        reference: mel-cepstra, float (frames, d), d >= 2, c0 included.
        generated: likewise, (other frames, d).

    Returns:
        Distortion in dB, >= 0. Not always below the frame-by-frame value: DTW minimises a sum over
        the path, and this is a mean.

    Raises:
        InputError: different or too few coefficients, fewer than two frames, or a value that is
            not finite.

    Source: pymcd 0.2.1 with fastdtw 0.3.4.
    """
    return _distortion_over_path(*check_cepstra(reference, generated))[0]


def mel_cepstral_distortion_dtw_sl(reference: Floats, generated: Floats) -> float:
    """MCD-DTW times max(Tr, Ts) / min(Tr, Ts), in dB (MCD-DTW-SL, mode ``dtw_sl`` of pymcd).

    Tr and Ts are the numbers of frames.

    Args:
        reference: as :func:`mel_cepstral_distortion_dtw`.
        generated: as :func:`mel_cepstral_distortion_dtw`.

    Raises:
        InputError: as :func:`mel_cepstral_distortion_dtw`.

    Source: pymcd 0.2.1; Chen et al. (2022).
    """
    r, g = check_cepstra(reference, generated)
    return _length_coefficient(r, g) * _distortion_over_path(r, g)[0]


def mcd_components(
    reference: Floats, generated: Floats, reference_rms: Floats, generated_rms: Floats
) -> NDArray[np.float64]:
    """:func:`mel_cepstral_distortion` and what to know beside it, float64 (8,).

    In order: distortion [dB]; path length; frames of the reference; of the generated; length
    coefficient, the longer by the shorter; level of the generated above that of the reference
    (:func:`level_difference`) [dB]; a warning, 1 if the levels are more than 3 dB apart or the
    length coefficient is above 1.1, else 0; and 1 if the generated side is silent, else 0.

    Args:
        reference: as :func:`mel_cepstral_distortion`.
        generated: likewise.
        reference_rms: as :func:`level_difference`.
        generated_rms: likewise.

    Raises:
        InputError: the reference is silent, or as :func:`mel_cepstral_distortion`.
    """
    r, g = check_cepstra(reference, generated)
    silent = _silence(r, g)
    value = mel_cepstral_distortion(r, g)
    level = level_difference(reference_rms, generated_rms)
    return np.array([value, len(r), *_beside(r, g, level), silent], dtype=np.float64)


def mcd_dtw_components(
    reference: Floats, generated: Floats, reference_rms: Floats, generated_rms: Floats
) -> NDArray[np.float64]:
    """:func:`mel_cepstral_distortion_dtw` with the numbers of :func:`mcd_components`, float64 (8,).

    Raises:
        InputError: the reference is silent, or as :func:`mel_cepstral_distortion_dtw`.
    """
    r, g = check_cepstra(reference, generated)
    silent = _silence(r, g)
    value, length = _distortion_over_path(r, g)
    level = level_difference(reference_rms, generated_rms)
    return np.array([value, length, *_beside(r, g, level), silent], dtype=np.float64)


def mcd_dtw_sl_components(
    reference: Floats, generated: Floats, reference_rms: Floats, generated_rms: Floats
) -> NDArray[np.float64]:
    """:func:`mel_cepstral_distortion_dtw_sl` with the numbers of :func:`mcd_components`.

    Raises:
        InputError: the reference is silent, or as :func:`mel_cepstral_distortion_dtw`.
    """
    components = mcd_dtw_components(reference, generated, reference_rms, generated_rms)
    components[0] *= components[4]
    return components


def level_difference(reference_rms: Floats, generated_rms: Floats) -> float:
    """Level of the generated side above that of the reference: 20 log10 of the ratio [dB].

    Args:
        reference_rms: root mean square of all samples, one float >= 0.
        generated_rms: likewise.

    Returns:
        In decibels; each side counts as -120 dB of full scale at least, so silence is finite.

    Raises:
        InputError: not one finite number >= 0.
    """
    levels = []
    for name, rms in (("reference", reference_rms), ("generated", generated_rms)):
        values = np.asarray(rms, dtype=np.float64).reshape(-1)
        if values.size != 1 or not (np.isfinite(values[0]) and values[0] >= 0):
            raise InputError(f"expected one finite level of the {name} side, got {rms!r}")
        levels.append(20.0 * math.log10(max(float(values[0]), _LEAST_RMS)))
    return levels[1] - levels[0]


def flagged_clips(components: NDArray[np.float64], *, flag: int = 6) -> str:
    """Remark on a set of clips: how many carry the warning of :func:`mcd_components`.

    Args:
        components: float64 (clips, k).
        flag: the component that is 1 where the warning stands.
    """
    count = int(np.count_nonzero(components[:, flag]))
    if not count:
        return ""
    return (
        f"{count} of {len(components)} clips: levels over {WARN_DECIBELS:g} dB apart or lengths "
        f"over a factor {WARN_LENGTH:g}"
    )


def is_flagged(length_coefficient: float, level: float) -> bool:
    """Whether a value is to be read with care: lengths or levels are too far apart."""
    return abs(level) > WARN_DECIBELS or length_coefficient > WARN_LENGTH


def dtw_path(reference: Floats, generated: Floats) -> NDArray[np.int64]:
    """Cheapest monotone path between two sequences, exact.

    Steps (1, 0), (0, 1), (1, 1), each cell costs the Euclidean distance of its frames once; of
    equally cheap predecessors (i-1, j) is taken before (i, j-1) before (i-1, j-1).

    Args:
        reference: float (n, d), n >= 1.
        generated: float (m, d), m >= 1.

    Returns:
        int64 (path length, 2), from (0, 0) to (n-1, m-1).
    """
    x, y = _contiguous(reference), _contiguous(generated)
    return np.asarray(
        _windowed_dtw(x, y, np.zeros(len(x), np.int64), np.full(len(x), len(y), np.int64))
    )


def fast_dtw_path(reference: Floats, generated: Floats, *, radius: int = 1) -> NDArray[np.int64]:
    """Approximate warping path of FastDTW, cell for cell that of package fastdtw 0.3.4.

    Both sequences are halved by pairwise means (an odd last frame is dropped) until one is shorter
    than radius + 2 and solved exactly there; each path is then widened by ``radius`` coarse cells,
    doubled, and searched at the next resolution. Ties as in :func:`dtw_path`.

    Args:
        reference: float (n, d), n >= 1.
        generated: float (m, d), m >= 1.
        radius: coarse cells on each side of the path that stay in the search, >= 0.

    Returns:
        int64 (path length, 2), from (0, 0) to (n-1, m-1).
    """
    levels = [(_contiguous(reference), _contiguous(generated))]
    while min(len(side) for side in levels[-1]) >= radius + 2:
        levels.append((_halve(levels[-1][0]), _halve(levels[-1][1])))
    path = dtw_path(*levels.pop())
    for x, y in reversed(levels):
        low, high = _widen(path, len(x), len(y), radius)
        path = np.asarray(_windowed_dtw(x, y, low, high))
    return path


def check_cepstra(
    reference: Floats, generated: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sides as float64: mel-cepstra (frames, D + 1) and (frames', D + 1), c0 first.

    Raises:
        InputError: not (frames, 2 or more), fewer than two frames, different numbers of
            coefficients, or a value that is not finite.
    """
    sides = []
    for name, values in (("reference", reference), ("generated", generated)):
        cepstra = np.asarray(values, dtype=np.float64)
        if cepstra.ndim != 2 or cepstra.shape[1] < 2:
            raise InputError(
                f"{name} mel-cepstra must be (frames, 2 or more coefficients), got {cepstra.shape}"
            )
        if len(cepstra) < 2:
            raise InputError(f"{name} has {len(cepstra)} frames of 5 ms, at least 2 are needed")
        if not np.isfinite(cepstra).all():
            raise InputError(f"{name} mel-cepstra hold a value that is not finite")
        sides.append(cepstra)
    r, g = sides
    if r.shape[1] != g.shape[1]:
        raise InputError(
            f"reference and generated differ in coefficients: {r.shape[1]} and {g.shape[1]}"
        )
    return r, g


def is_constant(cepstra: Floats) -> bool:
    """Whether mel-cepstra (frames, d) do not move, as those of silence."""
    return bool(np.ptp(cepstra, axis=0).max() < _CONSTANT)


def _silence(reference: Floats, generated: Floats) -> bool:
    """Whether the generated side is silent; InputError if the reference is."""
    r, g = check_cepstra(reference, generated)
    if is_constant(r):
        raise InputError("the reference is silent: its mel-cepstra do not move")
    return is_constant(g)


def _beside(
    r: NDArray[np.float64], g: NDArray[np.float64], level: float
) -> tuple[float, float, float, float, float]:
    """Frames of both sides, length coefficient, level difference, warning."""
    length = _length_coefficient(r, g)
    return len(r), len(g), length, level, is_flagged(length, level)


def _length_coefficient(r: NDArray[np.float64], g: NDArray[np.float64]) -> float:
    return max(len(r), len(g)) / min(len(r), len(g))


def _distortion_over_path(r: NDArray[np.float64], g: NDArray[np.float64]) -> tuple[float, int]:
    """MCD-DTW [dB] and the length of its path."""
    path = fast_dtw_path(r[:, 1:], g[:, 1:], radius=1)
    gaps = r[path[:, 0]] - g[path[:, 1]]
    return DECIBELS * float(np.mean(np.sqrt(np.sum(gaps**2, axis=1)))), len(path)


def _contiguous(values: Floats) -> NDArray[np.float64]:
    return np.ascontiguousarray(values, dtype=np.float64)


def _halve(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of consecutive pairs; an odd last frame is dropped."""
    even = len(frames) // 2 * 2
    return (frames[0:even:2] + frames[1:even:2]) / 2


def _widen(
    path: NDArray[np.int64], n: int, m: int, radius: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and one-past-last column to search in each of n fine rows, from a coarse path."""
    coarse_rows = int(path[-1, 0]) + 1
    first = np.full(coarse_rows, m, dtype=np.int64)
    last = np.zeros(coarse_rows, dtype=np.int64)
    np.minimum.at(first, path[:, 0], path[:, 1])
    np.maximum.at(last, path[:, 0], path[:, 1])
    # Columns rise along the path, so the widest reach comes from the outermost coarse rows.
    rows = np.arange(n) // 2
    above = np.clip(rows - radius, 0, coarse_rows - 1)
    below = np.clip(rows + radius, 0, coarse_rows - 1)
    low = np.maximum(2 * (first[above] - radius), 0)
    high = np.minimum(2 * (last[below] + radius) + 2, m)
    return low, high


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _windowed_dtw(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> NDArray[np.int64]:
    """DTW path through columns low[i] .. high[i] - 1 of each row i."""
    n, m, dim = x.shape[0], y.shape[0], x.shape[1]
    starts = np.zeros(n + 1, np.int64)
    for i in range(n):
        starts[i + 1] = starts[i] + high[i] - low[i]
    step = np.zeros(starts[n], np.int8)
    previous = np.full(m + 1, np.inf)
    current = np.full(m + 1, np.inf)
    previous[0] = 0.0
    for i in range(n):
        for j in range(m + 1):
            current[j] = np.inf
        for j in range(low[i], high[i]):
            squares = 0.0
            for k in range(dim):
                gap = x[i, k] - y[j, k]
                squares += gap * gap
            cost = math.sqrt(squares)
            # Sums are compared, not predecessors: rounding may tie them.
            best = previous[j + 1] + cost
            move = 0
            if current[j] + cost < best:
                best = current[j] + cost
                move = 1
            if previous[j] + cost < best:
                best = previous[j] + cost
                move = 2
            current[j + 1] = best
            step[starts[i] + j - low[i]] = move
        previous, current = current, previous
    path = np.empty((n + m, 2), np.int64)
    length = 0
    i, j = n - 1, m - 1
    while i >= 0 and j >= 0:
        path[length, 0] = i
        path[length, 1] = j
        length += 1
        move = step[starts[i] + j - low[i]]
        if move != 1:
            i -= 1
        if move != 0:
            j -= 1
    return path[:length][::-1].copy()
