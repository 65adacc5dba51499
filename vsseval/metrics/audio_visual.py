"""AV-Align: do sound onsets fall on peaks of visible motion?

Goal: agreement of audio onsets with motion peaks, as intersection over union.

Conventions:
    Motion is one magnitude for each video frame [pixels / frame], the mean length of Farneback
    flow into that frame, with the first value repeated so that value i belongs to time i / fps.
    Onsets are seconds, detected with librosa's default delta 0.07. Value in [0, 1], higher is
    better. The tolerance is one frame, so values at different frame rates do not compare.

Functions:
    av_align                intersection over union (profile avalign-2025)
    motion_peaks            times of the motion peaks [s]
    av_align_components     component vector for the METRICS table
    av_align_2023_components, av_align_svg_components
                            the same of profiles avalign-2023 and avalign-svg, which look at motion
                            peaks of any height and let one peak serve many onsets

Edge cases:
    no onsets and no peaks      InputError (the published code divides by zero)
                                but in profile avalign-svg: 0, as published
    one of them empty           0
    a still video               no peaks: values below 0.1 pixels / frame never count in profile
                                avalign-2025

References:
    G. Yariv et al. (2024), Diverse and aligned audio-to-video generation via text-to-video model
    adaptation, arXiv 2309.16429. Implementation followed: guyyariv/TempoTokens at bf0b1e3
    (2025-02-13), av_align.py. Values printed before that commit follow the rule of 34d9502
    (2023). M. Ishii et al. (2024), arXiv 2409.17550, and SonyResearch/SVG_baseline at e8ebd06.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector

_LEAST_MOTION = 0.1
"""Peaks below this mean flow are ignored [pixels / frame]."""


def motion_peaks(
    magnitude: Floats, fps: float, *, least: float = _LEAST_MOTION
) -> NDArray[np.float64]:
    """Times of strict local maxima of at least ``least``, end points excluded [s].

    Args:
        magnitude: mean flow length of each frame [pixels / frame], float (n,).
        fps: frames per second, > 0.
        least: lowest peak that counts [pixels / frame].

    Raises:
        InputError: a value that is not finite, or fps that is not positive.
    """
    values = finite_vector(magnitude, name="motion magnitude")
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"the frame rate must be positive, got {fps}")
    middle = values[1:-1]
    peak = (values[:-2] < middle) & (middle > values[2:]) & (middle >= least)
    return np.asarray((np.flatnonzero(peak) + 1) / fps)


def av_align(magnitude: Floats, fps: float, onsets: Floats) -> float:
    """Intersection over union of audio onsets A and motion peaks V: M / (|A| + |V| - M).

    Onsets in time order each take the first peak that is free and lies strictly closer than one
    frame; M is the number of onsets that find one.

    Args:
        magnitude: mean flow length of each frame [pixels / frame], float (n,).
        fps: frames per second, > 0.
        onsets: onset times of the generated sound [s], float (m,).

    Returns:
        In [0, 1]; 1 iff each onset has its own peak and each peak its onset.

    Raises:
        InputError: neither onsets nor peaks, a value that is not finite, or fps not positive.

    Source: guyyariv/TempoTokens at bf0b1e3, av_align.py.
    """
    return float(av_align_components(magnitude, np.float64(fps), onsets)[0])


def av_align_components(
    magnitude: Floats, fps: Floats | np.float64, onsets: Floats
) -> NDArray[np.float64]:
    """(value, matched, onsets, peaks) of :func:`av_align`; ``fps`` may be a 0-d array."""
    rate = float(fps)
    peaks = motion_peaks(magnitude, rate)
    times = np.sort(finite_vector(onsets, name="onsets"))
    if len(times) == 0 and len(peaks) == 0:
        raise InputError("neither onsets nor motion peaks")
    free = np.ones(len(peaks), dtype=np.bool_)
    for time in times:
        near = np.flatnonzero(free & (peaks - 1 / rate < time) & (time < peaks + 1 / rate))
        if len(near):
            free[near[0]] = False
    matched = int(np.count_nonzero(~free))
    union = len(times) + len(peaks) - matched
    return np.array([matched / union, matched, len(times), len(peaks)], dtype=np.float64)


def av_align_2023_components(
    magnitude: Floats, fps: Floats | np.float64, onsets: Floats, *, epsilon: float = 0.0
) -> NDArray[np.float64]:
    """(value, matched, onsets, peaks) of profile avalign-2023: M / (|A| + |V| - M).

    M is the number of onsets A that lie strictly closer than one frame to any motion peak V. One
    peak may serve many onsets, so the value can exceed 1, and peaks of any height count.

    Args:
        magnitude: as :func:`av_align`.
        fps: as :func:`av_align`; may be a 0-d array.
        onsets: as :func:`av_align`.
        epsilon: added to the denominator; 1e-6 in profile avalign-javis, where a clip with neither
            onsets nor peaks is 0 and not undefined.

    Raises:
        InputError: as :func:`av_align`; with an epsilon, nothing is undefined.

    Source: guyyariv/TempoTokens at 34d9502, av_align.py, where the undefined ``n`` of the peak
    finder is read as the number of frames; JavisVerse/JavisDiT at b505b37 for the epsilon.
    """
    times, peaks, near = _nearness(magnitude, fps, onsets)
    if len(times) == 0 and len(peaks) == 0 and not epsilon:
        raise InputError("neither onsets nor motion peaks")
    matched = int(near.any(axis=1).sum())
    union = len(times) + len(peaks) - matched + epsilon
    return np.array([matched / union, matched, len(times), len(peaks)], dtype=np.float64)


def av_align_svg_components(
    magnitude: Floats, fps: Floats | np.float64, onsets: Floats
) -> NDArray[np.float64]:
    """(value, p1, p2, onsets, peaks) of profile avalign-svg: p1 p2 / (p1 + p2 - p1 p2).

    p1 is the share of onsets that lie strictly closer than one frame to any motion peak, p2 the
    share of peaks that close to any onset, each 0 of an empty list. Peaks of any height count.

    Args:
        magnitude: as :func:`av_align`.
        fps: as :func:`av_align`; may be a 0-d array.
        onsets: as :func:`av_align`.

    Returns:
        Value in [0, 1]; 0 if either list is empty, or both.

    Raises:
        InputError: a value that is not finite, or fps not positive.

    Source: SonyResearch/SVG_baseline at e8ebd06, py_scripts/evaluation/av_align.py.
    """
    times, peaks, near = _nearness(magnitude, fps, onsets)
    p1 = float(near.any(axis=1).mean()) if len(times) else 0.0
    p2 = float(near.any(axis=0).mean()) if len(peaks) else 0.0
    value = p1 * p2 / (p1 + p2 - p1 * p2) if p1 > 0 or p2 > 0 else 0.0
    return np.array([value, p1, p2, len(times), len(peaks)], dtype=np.float64)


def _nearness(
    magnitude: Floats, fps: Floats | np.float64, onsets: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Onsets (m,), motion peaks of any height (n,), and which are within a frame (m, n)."""
    rate = float(fps)
    peaks = motion_peaks(magnitude, rate, least=0.0)
    times = np.sort(finite_vector(onsets, name="onsets"))
    near = (peaks - 1 / rate < times[:, None]) & (times[:, None] < peaks + 1 / rate)
    return times, peaks, near
