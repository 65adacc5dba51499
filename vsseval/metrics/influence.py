"""Standard error, bias and per-clip contribution of a Frechet distance.

Goal: how far a Frechet distance would move with another draw of clips, how far few rows lift it,
and which clips raise it. All three follow from its first and second derivative at the samples.

Conventions:
    As :mod:`vsseval.metrics.frechet`: rows are embeddings, float64 arithmetic, covariances divide
    by n - 1. Clips are the unit that is drawn: the rows of a clip form one cluster.

Notation (D = mu1 - mu2, S1 = L L' by Cholesky, L' S2 L = V diag(s^2) V'):
    w(x) = V' L^-1 (x - mu1)                    whitened rows of the reference
    u(y) = diag(1 / s) V' L' (y - mu2)          the same coordinates of the generated rows
    C_ij = s_i s_j / (s_i + s_j)                half the curvature of the trace term

Functions:
    frechet_influence       value, standard error, bias, contributions
    frechet_set_value       value with interval and note, for the METRICS table

Edge cases:
    no more rows than dimensions    no bias and no interval, with a note: the bias outweighs both;
                                    contributions and standard error are within about 20 %
    a singular covariance           value only, with a note; dimensions that are constant on both
                                    sides are left out first, as rectified embeddings have such
    fewer than 10 clips             no interval, with a note
    several takes of an item        their rows join the item's cluster; without ``items`` value only
    clips that belong together      with ``groups`` a group is one cluster; contributions stay those
                                    of the clips
    both sides of one distribution  the first derivative vanishes, and the error is indicative only

References:
    F. R. Hampel (1974), The influence curve and its role in robust estimation. R. Bhatia, T. Jain
    and Y. Lim (2019), On the Bures-Wasserstein distance, for the derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, rows_of_items, stack_rows
from vsseval.metrics.frechet import cholesky, frechet_distance
from vsseval.metrics.statistics import NORMAL_975, standard_error, too_few
from vsseval.types import SetValue

Pairing = Literal["paired", "independent", "fixed"]

_ROWS_PER_DIMENSION = 8
"""Below this the bias correction is too small to give an interval its nominal coverage."""
_PAIRED_ROWS = 4
"""Clusters of at most this many rows are summed over pairs of rows, larger ones as matrices."""
_NUMBERS_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True)
class FrechetEstimate:
    """A Frechet distance and what its samples say about it."""

    value: float
    """The distance, as :func:`frechet_distance` gives it."""
    standard_error: float | None
    """Standard deviation over draws of clips, or None where undefined."""
    bias: float | None
    """Expected value of (value - true distance), or None where undefined."""
    contributions: NDArray[np.float64] | None
    """float64 (clips,), sum 0: what each clip adds to the value; positive makes it larger."""
    note: str
    """Empty, or why some of the three are None."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of some clips of one set."""

    centred: NDArray[np.float64]
    """Rows less the mean of the set (k, d)."""
    white: NDArray[np.float64]
    """The same rows as w or u (k, d)."""
    clip: NDArray[np.intp]
    """Clip of each row, (k,), from 0 for the first of the part."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One set, and how its rows come into the coordinates of the transport."""

    rows: NDArray[np.float64]
    """(n, d)."""
    mean: NDArray[np.float64]
    """(d,)."""
    clip: NDArray[np.intp]
    """Clip, or group of clips, of each row, (n,), ascending."""
    drift: NDArray[np.float64]
    """(d,): mean of this set less that of the other."""
    whiten: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """From centred rows to w or u."""

    def part(self, first: int, last: int) -> _Part:
        """The rows of clips ``first`` to ``last``, that one excluded."""
        start, stop = np.searchsorted(self.clip, (first, last))
        centred = self.rows[start:stop] - self.mean
        return _Part(centred, self.whiten(centred), self.clip[start:stop] - first)


def frechet_influence(
    reference: Sequence[Floats],
    generated: Sequence[Floats],
    *,
    pairing: Pairing = "paired",
    groups: Sequence[int] | None = None,
) -> FrechetEstimate:
    """Standard error, bias and contributions of a Frechet distance by its influence function.

    A row at x moves the distance by I1(x) / n1 on the side of the reference, and one at y by
    I2(y) / n2 on the other, to first order:

        I1(x) =  2 D'(x - mu1) + |x - mu1|^2 - sum_i s_i w_i^2 - (1 - 1/n1) (tr S1 - sum_i s_i)
        I2(y) = -2 D'(y - mu2) + |y - mu2|^2 - sum_i s_i u_i^2 - (1 - 1/n2) (tr S2 - sum_i s_i)

    A clip c contributes e_c, the sum of I1 / n1 over its reference rows plus the sum of I2 / n2
    over its generated rows. With G clips, the squared standard error is

        G / (G - 1) * sum_c (e_c - mean e)^2

    and the bias, to second order, with (x - mu1)_c the sum over the rows of clip c,

        sum_c |(x - mu1)_c / n1 - (y - mu2)_c / n2|^2
        + 1/2 sum_c sum_ij C_ij ( (w_i w_j - d_ij)_c / n1 - (u_i u_j - d_ij)_c / n2 )^2

    The notation is in the module. The bias is always positive: few rows lift the distance. It is
    underestimated below about 8 rows a dimension.

    With no more rows than dimensions there is no transport map, but the quadratic form of a row of
    the sample itself still is: with X, Y the centred rows over sqrt(n - 1) and X Y' = U diag(s) V',

        sum_i s_i w_i^2 = (n1 - 1) sum_i s_i U_ki^2 of row k of X, (n2 - 1) sum_i s_i V_ki^2 of Y

    Args:
        reference: one float (d,) or (k, d) array for each clip.
        generated: likewise, in the same order of clips where they are paired.
        pairing: ``paired``: clip i of both sides is of one video and is drawn as one;
            ``independent``: the sides are drawn apart, and their errors and biases add up;
            ``fixed``: the reference is not drawn at all. In the last two cases contributions are
            those of the generated clips.
        groups: for each clip of both sides the number of its group, from 0, where clips are not
            independent of each other: error and bias are then those of drawing whole groups, with
            a group in place of c and G. Contributions remain those of the clips.

    Returns:
        The estimate; all but the value is None, with a note, where a side has a singular covariance
        or a single clip, and the bias where it has no more rows than dimensions.

    Raises:
        InputError: sides of unequal length that are to be paired or grouped, or as
            :func:`frechet_distance`.
    """
    if groups is not None and not len(groups) == len(reference) == len(generated):
        raise InputError(
            f"groups are those of both sides, got {len(groups)} for {len(reference)} and "
            f"{len(generated)} clips"
        )
    if pairing == "paired" and len(reference) != len(generated):
        raise InputError(
            f"paired sets need as many clips on both sides, got {len(reference)} and "
            f"{len(generated)}; pass pairing='independent' for sets that share no videos"
        )
    value = frechet_distance(reference, generated)
    x, y = stack_rows(reference, name="reference"), stack_rows(generated, name="generated")
    clips = [_clip_of_row(reference), _clip_of_row(generated)]
    drawn = clips
    if groups is not None:
        # Rows of a group must stand together.
        of_clip = np.asarray(groups, dtype=np.intp)
        orders = [np.argsort(of_clip[clip], kind="stable") for clip in clips]
        x, y = x[orders[0]], y[orders[1]]
        clips = [clip[order] for clip, order in zip(clips, orders, strict=True)]
        drawn = [of_clip[clip] for clip in clips]
    live = (np.ptp(x, axis=0) > 0) | (np.ptp(y, axis=0) > 0)
    x = x[:, live]
    y = y[:, live]
    least, d = min(len(x), len(y)), x.shape[1]
    few = f"no more rows ({least}) than dimensions ({d}): biased upwards, no interval"
    if min(int(unit[-1]) for unit in drawn) < 1:
        # The last row is of unit 0.
        lone = "a single clip" if groups is None else "a single group of clips"
        note = few if least <= d else f"{lone}: no interval"
        return FrechetEstimate(value, None, None, None, note)
    bias: float | None = None
    note = few
    if least <= d:
        influences = _influences_of_few_rows(x, y)
    else:
        transported = _transport(x, y, drawn[0], drawn[1])
        if transported is None:
            return FrechetEstimate(value, None, None, None, "singular covariance: no interval")
        (first, second), s = transported
        influences, bias = _over_clips(first, second, s, pairing)
        note = ""
    error, contributions = _error(influences, drawn, pairing)
    if groups is not None:
        _, contributions = _error(influences, clips, pairing)
    return FrechetEstimate(value, error, bias, contributions, note)


def frechet_set_value(
    reference: Sequence[Floats],
    generated: Sequence[Floats],
    *,
    items: Sequence[int] | None = None,
    groups: Sequence[int] | None = None,
) -> SetValue:
    """:func:`frechet_distance` with a 95 % interval from :func:`frechet_influence`.

    The interval is (value - bias) -+ 1.96 standard errors, clips paired; it may lie below the
    value, which is left uncorrected because published tables are. Its lower end is cut at 0.

    Args:
        reference: one float (d,) or (k, d) array for each clip.
        generated: likewise, in the same order of clips.
        items: for each generated clip the place of its item in ``reference``, where there are
            several takes of an item; None if the two sides pair one by one.
        groups: for each clip of ``reference`` the number of its group, from 0; whole groups are
            drawn. None if each clip is one of its own.

    Raises:
        InputError: as :func:`frechet_distance`.
    """
    if items is not None:
        generated = rows_of_items(generated, items)
    if len(reference) != len(generated):
        value = frechet_distance(reference, generated)
        return SetValue(value, None, "several takes of an item: no interval")
    estimate = frechet_influence(reference, generated, groups=groups)
    parts = estimate.contributions
    if estimate.standard_error is None or estimate.bias is None:
        return SetValue(estimate.value, None, estimate.note, parts)
    if few := too_few(len(reference), groups):
        return SetValue(estimate.value, None, few, parts)
    middle = estimate.value - estimate.bias
    reach = NORMAL_975 * estimate.standard_error
    if middle + reach <= 0:
        return SetValue(estimate.value, None, "no larger than its bias: no interval", parts)
    note = f"interval around the value less its bias of {estimate.bias:.3g}"
    rows, d = (np.concatenate([np.atleast_2d(clip) for clip in generated])).shape
    if rows < _ROWS_PER_DIMENSION * d:
        note += f"; only {rows / d:.1f} rows a dimension, so the bias is underestimated"
    return SetValue(estimate.value, (max(0.0, middle - reach), middle + reach), note, parts)


def _clip_of_row(clips: Sequence[Floats]) -> NDArray[np.intp]:
    """Index of the clip of each stacked row."""
    return np.repeat(np.arange(len(clips)), [len(np.atleast_2d(clip)) for clip in clips])


def _transport(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    clip_of_x: NDArray[np.intp],
    clip_of_y: NDArray[np.intp],
) -> tuple[tuple[_Side, _Side], NDArray[np.float64]] | None:
    """Both sides, and s (d,); None if a covariance is singular."""
    mean1, mean2 = x.mean(axis=0), y.mean(axis=0)
    gap = mean1 - mean2
    s1, s2 = _covariance(x, mean1), _covariance(y, mean2)
    lower = cholesky(s1)
    if lower is None or cholesky(s2) is None:
        return None
    squares, vectors = scipy.linalg.eigh(lower.T @ s2 @ lower, check_finite=False)
    if squares[0] <= 0:
        return None
    s = np.sqrt(squares)
    turned = lower @ vectors

    def w(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        solved = scipy.linalg.solve_triangular(lower, rows.T, lower=True, check_finite=False)
        return np.asarray(solved.T @ vectors)

    def u(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(rows @ turned / s)

    return (_Side(x, mean1, clip_of_x, gap, w), _Side(y, mean2, clip_of_y, -gap, u)), s


def _covariance(rows: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    at_once = max(1, _NUMBERS_AT_ONCE // rows.shape[1])
    blocks = (rows[at : at + at_once] - mean for at in range(0, len(rows), at_once))
    scatter: NDArray[np.float64] = sum(block.T @ block for block in blocks)  # type: ignore[assignment]
    return scatter / (len(rows) - 1)


def _over_clips(
    first: _Side, second: _Side, s: NDArray[np.float64], pairing: Pairing
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], float]:
    """I1 and I2 of all rows, and the bias, some clips at a time: rows are many times the memory."""
    curvature = s[:, None] * s[None, :] / (s[:, None] + s[None, :])
    moved: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    bias = 0.0
    for ends in _groups_of_clips(first, second):
        one, two = first.part(*ends), second.part(*ends)
        for side, part, to in ((first, one, moved[0]), (second, two, moved[1])):
            rows, white = part.centred, part.white
            to.append(2.0 * rows @ side.drift + (rows * rows).sum(axis=1) - (white * white) @ s)
        share1, share2 = 1.0 / len(first.rows), 1.0 / len(second.rows)
        if pairing == "paired":
            bias += _bias([(one, share1), (two, -share2)], curvature)
        else:
            bias += _bias([(two, share2)], curvature)
            if pairing == "independent":
                bias += _bias([(one, share1)], curvature)
    whole1, whole2 = np.concatenate(moved[0]), np.concatenate(moved[1])
    # The mean of the row terms is (1 - 1/n) (tr S - sum s), so the influences sum to zero.
    return (whole1 - whole1.mean(), whole2 - whole2.mean()), bias


def _groups_of_clips(first: _Side, second: _Side) -> Iterator[tuple[int, int]]:
    """First and last clip, that one excluded, of groups of bounded size."""
    sizes = np.bincount(np.concatenate([first.clip, second.clip])) * first.rows.shape[1]
    group = np.cumsum(sizes) // _NUMBERS_AT_ONCE
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    yield from zip(starts.tolist(), [*starts[1:].tolist(), len(sizes)], strict=True)


def _influences_of_few_rows(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """I1 of the rows of x and I2 of those of y without a covariance to invert, each with sum 0."""
    gap = x.mean(axis=0) - y.mean(axis=0)
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    product = xc @ yc.T / np.sqrt((len(x) - 1) * (len(y) - 1))
    u, s, vh = scipy.linalg.svd(product, full_matrices=False, check_finite=False)
    found = []
    for rows, vectors, drift in ((xc, u, gap), (yc, vh.T, -gap)):
        form = (len(rows) - 1) * (vectors * vectors) @ s
        moved = 2.0 * rows @ drift + (rows * rows).sum(axis=1) - form
        found.append(moved - moved.mean())
    return found[0], found[1]


def _by_clip(influence: NDArray[np.float64], clip: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sum of I / n over the rows of each clip."""
    return np.bincount(clip, influence) / len(influence)


def _error(
    influences: tuple[NDArray[np.float64], NDArray[np.float64]],
    units: Sequence[NDArray[np.intp]],
    pairing: Pairing,
) -> tuple[float, NDArray[np.float64]]:
    """Standard error, and contributions, where each row is drawn with those of its unit.

    Args:
        influences: I of the rows of both sides.
        units: the clip, or group of clips, of each of them.
        pairing: as :func:`frechet_influence`.
    """
    first, second = (_by_clip(*one) for one in zip(influences, units, strict=True))
    contributions = first + second if pairing == "paired" else second
    error = standard_error(contributions)
    if pairing == "independent":
        error = float(np.hypot(error, standard_error(first)))
    return error, contributions


def _bias(sides: Sequence[tuple[_Part, float]], curvature: NDArray[np.float64]) -> float:
    """Second-order bias of the sides that are drawn, each with the signed weight of its rows."""
    clip = np.concatenate([side.clip for side, _ in sides])
    if len(clip) == 0:
        return 0.0
    order = np.argsort(clip, kind="stable")
    weight = np.concatenate([np.full(len(side.clip), share) for side, share in sides])[order]
    centred = np.concatenate([side.centred for side, _ in sides])[order]
    white = np.concatenate([side.white for side, _ in sides])[order]
    sizes = np.bincount(clip)
    starts = np.cumsum(sizes) - sizes
    means = np.add.reduceat(centred * weight[:, None], starts, axis=0)
    total = float((means * means).sum())
    for size in np.unique(sizes):
        rows = starts[sizes == size][:, None] + np.arange(size)
        summed = _squares_by_pairs if size <= _PAIRED_ROWS else _squares_by_matrices
        at_once = max(1, _NUMBERS_AT_ONCE // (white.shape[1] * int(size)))
        for first in range(0, len(rows), at_once):
            part = rows[first : first + at_once]
            total += 0.5 * summed(white[part], weight[part], curvature)
    return total


def _squares_by_matrices(
    white: NDArray[np.float64], weight: NDArray[np.float64], curvature: NDArray[np.float64]
) -> float:
    """Sum over clusters of sum_ij C_ij B_ij^2 with B = sum_k weight_k (z_k z_k' - 1).

    ``white`` is (clusters, k, d), ``weight`` (clusters, k).
    """
    total = 0.0
    for z, a in zip(white, weight, strict=True):
        matrix = (z * a[:, None]).T @ z
        matrix[np.diag_indices_from(matrix)] -= a.sum()
        total += float(np.vdot(curvature * matrix, matrix))
    return total


def _squares_by_pairs(
    white: NDArray[np.float64], weight: NDArray[np.float64], curvature: NDArray[np.float64]
) -> float:
    """The same without a d x d matrix for each cluster, from the pairs of its rows z_k, z_l.

    sum_ij C_ij (z_k z_k')_ij (z_l z_l')_ij = (z_k z_l)' C (z_k z_l), products taken by element.
    """
    total = 0.0
    size = white.shape[1]
    for k in range(size):
        for m in range(k, size):
            product = white[:, k] * white[:, m]
            squares = ((product @ curvature) * product).sum(axis=1)
            total += (1 if k == m else 2) * float((weight[:, k] * weight[:, m]) @ squares)
    diagonal = np.diagonal(curvature)
    trace = weight.sum(axis=1)
    crossed = ((white * white) @ diagonal * weight).sum(axis=1)
    return total - 2.0 * float(trace @ crossed) + float(trace @ trace) * float(diagonal.sum())
