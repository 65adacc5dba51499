"""Mel-cepstral distortion, profile standard: the textbook form, independent of loudness.

Goal: decibels that mean the same for every system. Where profile pymcd counts c0, doubles the log
spectrum, has an absolute floor and an approximate path, this one leaves c0 out, has a floor that
follows the clip, and an exact path.

Conventions:
    Mel-cepstra are float (frames, 25), c0..c24, one frame each 5 ms (encoder mcep-standard).
    Argument order (reference, generated). Decibels, >= 0, lower is better, symmetric. Cost and
    alignment both use c1..c24; the value is averaged over path cells.

Functions:
    mel_cepstral_distortion_standard    over the path of exact DTW
    standard_path                       that path
    mcd_dtw_standard_components         component vector for the METRICS table, with warnings

Edge cases:
    fewer than two frames       InputError
    silent on either side       InputError in the components: silence has no spectral shape, and
                                no loudness in which to compare one
    levels more than 3 dB apart, or frame counts more than a factor 1.1: component ``warning`` 1

References:
    R. F. Kubichek (1993), Mel-cepstral distance measure for objective speech quality assessment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats
from vsseval.metrics.cepstral import (
    DECIBELS,
    check_cepstra,
    dtw_path,
    flagged_clips,
    is_constant,
    is_flagged,
    level_difference,
)


def mel_cepstral_distortion_standard(reference: Floats, generated: Floats) -> float:
    """Mel-cepstral distortion over the exact DTW path, without c0, in dB.

        MCD = (10 sqrt 2 / ln 10) * mean over (i, j) in P of sqrt( sum_(d >= 1) (r_id - g_jd)^2 )

    P is :func:`standard_path`.

    Args:
        reference: mel-cepstra, float (frames, d), d >= 2; c0 is not used.
        generated: likewise, (other frames, d).

    Returns:
        Distortion in dB, >= 0. A gain on either side does not move it.

    Raises:
        InputError: different or too few coefficients, fewer than two frames, or a value that is
            not finite.
    """
    r, g = check_cepstra(reference, generated)
    return float(np.mean(_costs(r, g, standard_path(r, g))))


def standard_path(reference: Floats, generated: Floats) -> NDArray[np.int64]:
    """Exact DTW path of two sequences of mel-cepstra over c1 and above.

    :func:`dtw_path` of the frames without c0; both sides must have some movement.

    Returns:
        int64 (path length, 2): frame of the reference, frame of the generated.

    Raises:
        InputError: as :func:`mel_cepstral_distortion_standard`.
    """
    r, g = check_cepstra(reference, generated)
    return dtw_path(r[:, 1:], g[:, 1:])


def mcd_dtw_standard_components(
    reference: Floats, generated: Floats, reference_rms: Floats, generated_rms: Floats
) -> NDArray[np.float64]:
    """:func:`mel_cepstral_distortion_standard` and what to know beside it, float64 (8,).

    In order: distortion [dB]; path length; frames of the reference; of the generated; length
    coefficient, the longer by the shorter; sum of the costs by the frames of the reference [dB];
    level of the generated above that of the reference, 20 log10 of the ratio of the root mean
    squares [dB]; and a warning, 1 if the levels are more than 3 dB apart or the length coefficient
    is above 1.1, else 0.

    Args:
        reference: as :func:`mel_cepstral_distortion_standard`.
        generated: likewise.
        reference_rms: as :func:`vsseval.metrics.cepstral.level_difference`.
        generated_rms: likewise.

    Raises:
        InputError: a side is silent, or as :func:`mel_cepstral_distortion_standard`.
    """
    r, g = check_cepstra(reference, generated)
    check_not_silent(r, g)
    path = standard_path(r, g)
    costs = _costs(r, g, path)
    length = max(len(r), len(g)) / min(len(r), len(g))
    level = level_difference(reference_rms, generated_rms)
    beside = [costs.sum() / len(r), level, is_flagged(length, level)]
    return np.array([costs.mean(), len(path), len(r), len(g), length, *beside], dtype=np.float64)


def check_not_silent(reference: Floats, generated: Floats) -> None:
    """Refuse a side whose mel-cepstra (frames, D + 1) do not move.

    Raises:
        InputError: one is silent.
    """
    for name, side in (("reference", reference), ("generated audio", generated)):
        if is_constant(side):
            raise InputError(f"the {name} is silent: its mel-cepstra do not move")


def _costs(
    r: NDArray[np.float64], g: NDArray[np.float64], path: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Distortion of each cell of a path [dB], c0 left out."""
    gaps = r[path[:, 0], 1:] - g[path[:, 1], 1:]
    return np.asarray(DECIBELS * np.sqrt(np.sum(gaps**2, axis=1)))


def flagged_clips_standard(components: NDArray[np.float64]) -> str:
    """:func:`vsseval.metrics.cepstral.flagged_clips` of :func:`mcd_dtw_standard_components`."""
    return flagged_clips(components, flag=7)
