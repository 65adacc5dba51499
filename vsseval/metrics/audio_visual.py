"""AV-Align, profile avalign-2025: do sound onsets fall on peaks of visible motion?

Goal: agreement of audio onsets with motion peaks, as intersection over union.

Conventions:
    Motion is one magnitude for each video frame [pixels / frame], the mean length of Farneback
    flow into that frame, with the first value repeated so that value i belongs to time i / fps.
    Onsets are seconds, detected with librosa's default delta 0.07. Value in [0, 1], higher is
    better. The tolerance is one frame, so values at different frame rates do not compare.

Functions:
    av_align                intersection over union
    motion_peaks            times of the motion peaks [s]
    av_align_components     component vector for the METRICS table

Edge cases:
    no onsets and no peaks      InputError (the published code divides by zero)
    one of them empty           0
    a still video               no peaks: values below 0.1 pixels / frame never count

References:
    G. Yariv et al. (2024), Diverse and aligned audio-to-video generation via text-to-video model
    adaptation, arXiv 2309.16429. Implementation followed: guyyariv/TempoTokens at bf0b1e3
    (2025-02-13), av_align.py. Values printed before that commit follow another rule.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector

_LEAST_MOTION = 0.1
"""Peaks below this mean flow are ignored [pixels / frame]."""


def motion_peaks(magnitude: Floats, fps: float) -> NDArray[np.float64]:
    """Times of strict local maxima of at least 0.1, end points excluded [s].

    Args:
        magnitude: mean flow length of each frame [pixels / frame], float (n,).
        fps: frames per second, > 0.

    Raises:
        InputError: a value that is not finite, or fps that is not positive.
    """
    values = finite_vector(magnitude, name="motion magnitude")
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"the frame rate must be positive, got {fps}")
    middle = values[1:-1]
    peak = (values[:-2] < middle) & (middle > values[2:]) & (middle >= _LEAST_MOTION)
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
