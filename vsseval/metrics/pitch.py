"""Errors of the fundamental frequency (F0), profile standard.

Goal: does the voice go up and down where the recording does? F0 is compared along the alignment of
the spectra, so that timing is left to other metrics.

Conventions:
    F0 is float (frames,) in hertz, one frame each 5 ms, 0 where unvoiced; mel-cepstra as in
    vsseval.metrics.cepstral_standard, both of encoder mcep-standard. Argument order
    (reference, generated). The path is standard_path, exact DTW over c1..c24. Lower is better.

Functions:
    pitch_errors                all of them from two F0 tracks and a path
    f0_rmse_components          root mean square error [Hz], for the METRICS table
    f0_rmse_cents_components    the same in cents
    voicing_error_components    share of cells that are voiced on one side only [%]

Edge cases:
    fewer than 10 cells voiced on both sides    InputError for the two RMSE; the voicing error is
                                                defined without
    silent on either side                       InputError: no path

Unvoiced frames never count as 0 Hz: where they do (VERSA without DTW), voicing errors decide the
value.

References:
    Voicing decision error: T. Nakatani et al. (2008), A method for fundamental frequency estimation
    and voicing decision. Harvest: M. Morise (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector
from vsseval.metrics.cepstral import check_cepstra
from vsseval.metrics.cepstral_standard import check_not_silent, standard_path

LEAST_VOICED = 10
"""Cells voiced on both sides below which the RMSE is undefined."""


@dataclass(frozen=True, slots=True)
class PitchErrors:
    """How two F0 tracks differ along a path."""

    rmse: float
    """Root mean square error over the cells voiced on both sides [Hz]; NaN if there are none."""
    rmse_cents: float
    """The same of 1200 log2 of the ratio [cents]."""
    voicing_error: float
    """Share of all cells that are voiced on one side only [%]."""
    num_voiced: int
    """Cells voiced on both sides."""
    num_cells: int
    """Length of the path."""


def pitch_errors(reference: Floats, generated: Floats, path: NDArray[np.int64]) -> PitchErrors:
    """Errors of F0 along an alignment.

        RMSE       sqrt( mean over V of (g_j - r_i)^2 )                   [Hz]
        RMSE       sqrt( mean over V of (1200 log2(g_j / r_i))^2 )        [cents]
        voicing    100 * cells with (r_i > 0) != (g_j > 0) / all cells    [%]

    V are the cells (i, j) of the path with r_i > 0 and g_j > 0.

    Args:
        reference: F0 in hertz, float (n,), 0 where unvoiced.
        generated: likewise, (m,).
        path: int64 (cells, 2), indices into the two.

    Raises:
        InputError: a value that is negative or not finite, or a path beyond the tracks.
    """
    r = finite_vector(reference, name="reference F0")
    g = finite_vector(generated, name="generated F0")
    if (r < 0).any() or (g < 0).any():
        raise InputError("F0 must not be negative")
    if path[:, 0].max() >= len(r) or path[:, 1].max() >= len(g):
        raise InputError(f"the path leaves the F0 tracks of {len(r)} and {len(g)} frames")
    x, y = r[path[:, 0]], g[path[:, 1]]
    both = (x > 0) & (y > 0)
    rmse = cents = float("nan")
    if both.any():
        rmse = float(np.sqrt(np.mean((y[both] - x[both]) ** 2)))
        cents = float(np.sqrt(np.mean((1200.0 * np.log2(y[both] / x[both])) ** 2)))
    voicing = 100.0 * float(np.mean((x > 0) != (y > 0)))
    return PitchErrors(rmse, cents, voicing, int(both.sum()), len(path))


def f0_rmse_components(
    reference: Floats, generated: Floats, reference_f0: Floats, generated_f0: Floats
) -> NDArray[np.float64]:
    """(RMSE [Hz], cells voiced on both sides, path length) of :func:`pitch_errors`.

    Along :func:`standard_path` of the mel-cepstra.

    Raises:
        InputError: fewer than 10 cells are voiced on both sides, a side is silent, or the frames of
            mel-cepstra and F0 differ.
    """
    errors = _voiced_errors(reference, generated, reference_f0, generated_f0)
    return np.array([errors.rmse, errors.num_voiced, errors.num_cells], dtype=np.float64)


def f0_rmse_cents_components(
    reference: Floats, generated: Floats, reference_f0: Floats, generated_f0: Floats
) -> NDArray[np.float64]:
    """(RMSE [cents], cells voiced on both sides, path length) of :func:`pitch_errors`.

    Along :func:`standard_path` of the mel-cepstra.

    Raises:
        InputError: as :func:`f0_rmse_components`.
    """
    errors = _voiced_errors(reference, generated, reference_f0, generated_f0)
    return np.array([errors.rmse_cents, errors.num_voiced, errors.num_cells], dtype=np.float64)


def voicing_error_components(
    reference: Floats, generated: Floats, reference_f0: Floats, generated_f0: Floats
) -> NDArray[np.float64]:
    """(voicing error [%], cells voiced on both sides, path length) of :func:`pitch_errors`.

    Along :func:`standard_path` of the mel-cepstra. Whispered speech has a voicing error though it
    has no F0.

    Raises:
        InputError: a side is silent, or the frames of mel-cepstra and F0 differ.
    """
    errors = _aligned_errors(reference, generated, reference_f0, generated_f0)
    return np.array([errors.voicing_error, errors.num_voiced, errors.num_cells], dtype=np.float64)


def _voiced_errors(
    reference: Floats, generated: Floats, reference_f0: Floats, generated_f0: Floats
) -> PitchErrors:
    errors = _aligned_errors(reference, generated, reference_f0, generated_f0)
    if errors.num_voiced < LEAST_VOICED:
        raise InputError(
            f"{errors.num_voiced} cells are voiced on both sides, {LEAST_VOICED} are needed"
        )
    return errors


def _aligned_errors(
    reference: Floats, generated: Floats, reference_f0: Floats, generated_f0: Floats
) -> PitchErrors:
    r, g = check_cepstra(reference, generated)
    check_not_silent(r, g)
    if len(r) != np.size(reference_f0) or len(g) != np.size(generated_f0):
        raise InputError(
            f"frames of mel-cepstra and F0 differ: {len(r)} and {np.size(reference_f0)} in the "
            f"reference, {len(g)} and {np.size(generated_f0)} in the generated"
        )
    return pitch_errors(reference_f0, generated_f0, standard_path(r, g))
