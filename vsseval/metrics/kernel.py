"""Kernel audio distance: an unbiased squared maximum mean discrepancy (MMD) between embeddings.

Goal: the same question as the Frechet distance without assuming Gaussians, and unbiased at any n.

Conventions:
    Rows are embeddings, any float dtype, (n, d), pooled over clips; arithmetic is float64. The
    value is 100 * MMD^2, lower is better; it may be slightly negative when the two sets have the
    same distribution, because the estimator is unbiased. It is not symmetric in its arguments: the
    bandwidth comes from one of them.

Functions:
    kernel_audio_distance       the distance
    kernel_set_value            the same with an interval, for the METRICS table
    median_distance             lower median of all pairwise distances, the bandwidth rule

Edge cases:
    fewer than two rows on a side       InputError
    fewer than 10 clips                 no interval, with a note
    several takes of an item            left out together; without ``items`` no interval
    clips that belong together          with ``groups`` the interval leaves out whole groups
    all rows of the bandwidth set equal bandwidth 0; the 1e-8 in the kernel keeps the value finite

References:
    Y. Chung et al. (2025), KAD: No More FAD!, arXiv 2502.15602. Implementation followed:
    YoonjinXD/kadtk at 8bda71d, kadtk/kad.py (float32 there; whole matrices in memory).
    A. Gretton et al. (2012), A kernel two-sample test, equation 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, Rows, check_same_width, rows_of_items, stack_rows
from vsseval.metrics.statistics import contribution_interval, too_few
from vsseval.types import SetValue

_EPS = 1e-8
"""Added to 2 s^2 in the kernel, as kadtk does."""
_BLOCK_ROWS = 512
_BINS = 4096
_SELECT_LIMIT = 1 << 20
"""Candidates that may be held in memory while the median is searched."""


def kernel_audio_distance(
    reference: Rows,
    generated: Rows,
    *,
    bandwidth: Literal["reference", "generated"] = "reference",
) -> float:
    """Kernel audio distance, 100 times the unbiased squared MMD with a Gaussian kernel.

        KAD = 100 * (  sum_{i != j} k(x_i, x_j) / (m (m - 1))
                     + sum_{i != j} k(y_i, y_j) / (n (n - 1))
                     - 2 sum_{i, j} k(x_i, y_j) / (m n) )
        k(a, b) = exp(-|a - b|^2 / (2 s^2 + 1e-8))

    Distances are made in blocks of rows; no n x n matrix exists at any time.

    Args:
        reference: float (m, d), or a sequence of one (d,) or (k, d) array for each clip.
        generated: likewise, (n, d).
        bandwidth: the set whose lower median pairwise distance is s. ``reference`` is the rule of
            the paper (profile kad-paper); ``generated`` is what the command line of kadtk 1.1
            computes (profile kadtk-1.1), where each system is measured with a kernel of its own.

    Returns:
        100 * MMD^2; around 0 for equal distributions.

    Raises:
        InputError: fewer than two rows on a side, unequal widths, a value that is not finite, or
            an unknown bandwidth rule.

    Reference: Chung et al. (2025), equation 7.
    """
    x, y, gamma = _checked(reference, generated, bandwidth)
    return _value(*_kernel_sums(x, y, gamma))


def kernel_set_value(
    reference: Sequence[Floats],
    generated: Sequence[Floats],
    *,
    bandwidth: Literal["reference", "generated"] = "reference",
    items: Sequence[int] | None = None,
    groups: Sequence[int] | None = None,
) -> SetValue:
    """:func:`kernel_audio_distance` with a 95 % interval from the jackknife over clips.

    With v_c the value without clip c on both sides, bandwidth held, and G clips, the interval is
    value -+ 1.96 sqrt( (G - 1) / G * sum_c (v_c - mean v)^2 ), and clip c contributes
    (G - 1) / G * (mean v - v_c). Where the two distributions agree the error is indicative only.

    Args:
        reference: one float (d,) or (k, d) array for each clip.
        generated: likewise, in the same order of clips.
        bandwidth: as :func:`kernel_audio_distance`.
        items: for each generated clip the place of its item in ``reference``, where there are
            several takes of an item; None if the two sides pair one by one.
        groups: for each clip of ``reference`` the number of its group, from 0: the interval is then
            that of leaving out groups, with a group in place of c and G. None if each clip is one
            of its own.

    Raises:
        InputError: as :func:`kernel_audio_distance`.
    """
    if items is not None:
        generated = rows_of_items(generated, items)
    x, y, gamma = _checked(reference, generated, bandwidth)
    sums = _kernel_sums(x, y, gamma)
    value = _value(*sums)
    if len(reference) != len(generated):
        return SetValue(value, None, "several takes of an item: no interval")
    few = too_few(len(reference))
    if few:
        return SetValue(value, None, few)
    clips = [
        np.repeat(np.arange(len(side)), [len(np.atleast_2d(clip)) for clip in side])
        for side in (reference, generated)
    ]

    def left_out(units: Sequence[NDArray[np.intp]]) -> NDArray[np.float64]:
        without = _values_without(x, y, _rows_of(units[0]), _rows_of(units[1]), gamma, *sums)
        g = len(without)
        return np.asarray((g - 1) / g * (without.mean() - without))

    parts = left_out(clips)
    few = too_few(len(reference), groups)
    if groups is None or few:
        return SetValue(value, None if few else contribution_interval(value, parts), few, parts)
    of_clip = np.asarray(groups, dtype=np.intp)
    together = left_out([of_clip[rows] for rows in clips])
    return SetValue(value, contribution_interval(value, together), "", parts)


def median_distance(rows: Rows) -> float:
    """Lower median of the Euclidean distances of all n (n - 1) / 2 pairs of rows.

    Of an even number of distances the lower of the two middle ones is taken, as torch.median does.
    Exact: a histogram of the squared distances is narrowed until the bin with the median fits in
    memory. If more than a million pairs lie within 1e-12 of each other, exact to that.

    Args:
        rows: float (n, d), or a sequence of (d,) or (k, d) arrays.

    Raises:
        InputError: fewer than two rows, unequal widths, or a value that is not finite.
    """
    stacked = stack_rows(rows, name="the set")
    n = len(stacked)
    if n < 2:
        raise InputError(f"a median distance needs at least 2 rows, got {n}")
    inside = n * (n - 1) // 2
    rank = (inside - 1) // 2
    # |a - b|^2 <= 4 max |a - mean|^2; the factor leaves room for rounding.
    reach = ((stacked - stacked.mean(axis=0)) ** 2).sum(axis=1).max()
    low, high = 0.0, 4.0 * float(reach) * (1.0 + 1e-9)
    while inside > _SELECT_LIMIT:
        if high - low <= 1e-12 * high:
            return float(np.sqrt(high))
        edges = np.linspace(low, high, _BINS + 1)
        counts = np.zeros(_BINS, dtype=np.int64)
        for block in _pair_blocks(stacked):
            counts += np.histogram(block, _BINS, (low, high))[0]
        index = int(np.searchsorted(np.cumsum(counts), rank, side="right"))
        rank -= int(counts[:index].sum())
        low, high, inside = float(edges[index]), float(edges[index + 1]), int(counts[index])
    candidates = np.concatenate(
        [block[(block >= low) & (block <= high)] for block in _pair_blocks(stacked)]
    )
    return float(np.sqrt(np.partition(candidates, rank)[rank]))


def _checked(
    reference: Rows, generated: Rows, bandwidth: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Both sides stacked, and the factor of the squared distance in the exponent."""
    x = stack_rows(reference, name="reference")
    y = stack_rows(generated, name="generated")
    check_same_width(x, y)
    for name, rows in (("reference", x), ("generated", y)):
        if len(rows) < 2:
            raise InputError(
                f"a kernel audio distance needs at least 2 rows, {name} has {len(rows)}"
            )
    if bandwidth not in ("reference", "generated"):
        raise InputError(f"bandwidth must be 'reference' or 'generated', got {bandwidth!r}")
    scale = median_distance(x if bandwidth == "reference" else y)
    return x, y, 1.0 / (2.0 * scale**2 + _EPS)


def _kernel_sums(
    x: NDArray[np.float64], y: NDArray[np.float64], gamma: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sums of the kernel over the other rows, for each row.

    Of x over the rest of x (m,), of y over the rest of y (n,), of x over y (m,), of y over x (n,).
    """
    within = []
    for rows in (x, y):
        sums = np.zeros(len(rows))
        for start, block in _triangle(rows):
            kernel = np.triu(np.exp(-gamma * block), 1)
            sums[start : start + len(block)] += kernel.sum(axis=1)
            sums[start:] += kernel.sum(axis=0)
        within.append(sums)
    of_x, of_y = np.empty(len(x)), np.zeros(len(y))
    for start in range(0, len(x), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        kernel = np.exp(-gamma * _squared_distances(x[part], y))
        of_x[part] = kernel.sum(axis=1)
        of_y += kernel.sum(axis=0)
    return within[0], within[1], of_x, of_y


def _value(
    within_x: NDArray[np.float64],
    within_y: NDArray[np.float64],
    of_x: NDArray[np.float64],
    of_y: NDArray[np.float64],
) -> float:
    """The distance from the sums of :func:`_kernel_sums`."""
    del of_y
    m, n = len(within_x), len(within_y)
    mmd = within_x.sum() / (m * (m - 1)) + within_y.sum() / (n * (n - 1))
    return float(100.0 * (mmd - 2.0 * of_x.sum() / (m * n)))


def _values_without(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    parts_x: Sequence[NDArray[np.intp]],
    parts_y: Sequence[NDArray[np.intp]],
    gamma: float,
    within_x: NDArray[np.float64],
    within_y: NDArray[np.float64],
    of_x: NDArray[np.float64],
    of_y: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The distance without each part in turn, float64 (parts,), from the sums alone.

    A part takes its row sums with it, twice within a side and once from each side across; what both
    ends of lie in the part is then counted twice and given back once.

    Args:
        x: rows of the reference.
        y: of the generated side.
        parts_x: the rows of ``x`` in each clip or group.
        parts_y: those of ``y``, in the same order.
        gamma: as :func:`_checked` gives it.
        within_x: this and the others as :func:`_kernel_sums` gives them.
        within_y: likewise.
        of_x: likewise.
        of_y: likewise.
    """
    values = []
    for rows_x, rows_y in zip(parts_x, parts_y, strict=True):
        a, b = x[rows_x], y[rows_y]
        inner_x = np.exp(-gamma * _squared_distances(a, a)).sum() - len(a)
        inner_y = np.exp(-gamma * _squared_distances(b, b)).sum() - len(b)
        inner = np.exp(-gamma * _squared_distances(a, b)).sum()
        m, n = len(within_x) - len(a), len(within_y) - len(b)
        rest_x = within_x.sum() - 2.0 * within_x[rows_x].sum() + inner_x
        rest_y = within_y.sum() - 2.0 * within_y[rows_y].sum() + inner_y
        across = of_x.sum() - of_x[rows_x].sum() - of_y[rows_y].sum() + inner
        mmd = rest_x / (m * (m - 1)) + rest_y / (n * (n - 1)) - 2.0 * across / (m * n)
        values.append(100.0 * mmd)
    return np.array(values)


def _rows_of(units: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Places of the rows of each unit, ascending, for the unit of each row, numbered from 0."""
    order = np.argsort(units, kind="stable")
    return np.split(order, np.cumsum(np.bincount(units))[:-1])


def _pair_blocks(rows: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Squared distances of all pairs i < j, a flat float64 array for each block of rows."""
    for _, block in _triangle(rows):
        yield block[np.arange(block.shape[1])[None, :] > np.arange(len(block))[:, None]]


def _triangle(rows: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """First row of each block, and squared distances of its rows to it and all rows after it."""
    for start in range(0, len(rows) - 1, _BLOCK_ROWS):
        yield start, _squared_distances(rows[start : start + _BLOCK_ROWS], rows[start:])


def _squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """|a_i - b_j|^2 as (len(a), len(b)), rounding below zero removed."""
    # Distances do not change under a common shift, and a small mean loses fewer digits.
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
    return np.maximum(squared, 0.0, out=squared)
