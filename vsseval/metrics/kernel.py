"""Kernel audio distance: an unbiased squared maximum mean discrepancy (MMD) between embeddings.

Goal: the same question as the Frechet distance without assuming Gaussians, and unbiased at any n.

Conventions:
    Rows are embeddings, any float dtype, (n, d), pooled over clips; arithmetic is float64. The
    value is 100 * MMD^2, lower is better; it may be slightly negative when the two sets have the
    same distribution, because the estimator is unbiased. It is not symmetric in its arguments: the
    bandwidth comes from one of them.

Functions:
    kernel_audio_distance       the distance
    median_distance             lower median of all pairwise distances, the bandwidth rule

Edge cases:
    fewer than two rows on a side       InputError
    all rows of the bandwidth set equal bandwidth 0; the 1e-8 in the kernel keeps the value finite

References:
    Y. Chung et al. (2025), KAD: No More FAD!, arXiv 2502.15602. Implementation followed:
    YoonjinXD/kadtk at 8bda71d, kadtk/kad.py (float32 there; whole matrices in memory).
    A. Gretton et al. (2012), A kernel two-sample test, equation 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Rows, check_same_width, stack_rows

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
    gamma = 1.0 / (2.0 * scale**2 + _EPS)
    m, n = len(x), len(y)
    within_x = 2.0 * sum(np.exp(-gamma * block).sum() for block in _pair_blocks(x))
    within_y = 2.0 * sum(np.exp(-gamma * block).sum() for block in _pair_blocks(y))
    across = sum(
        np.exp(-gamma * _squared_distances(x[start : start + _BLOCK_ROWS], y)).sum()
        for start in range(0, m, _BLOCK_ROWS)
    )
    mmd = within_x / (m * (m - 1)) + within_y / (n * (n - 1)) - 2.0 * across / (m * n)
    return float(100.0 * mmd)


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


def _pair_blocks(rows: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Squared distances of all pairs i < j, a flat float64 array for each block of rows."""
    n = len(rows)
    for start in range(0, n - 1, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, n)
        squared = _squared_distances(rows[start:stop], rows[start:])
        upper = np.arange(n - start)[None, :] > np.arange(stop - start)[:, None]
        yield squared[upper]


def _squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """|a_i - b_j|^2 as (len(a), len(b)), rounding below zero removed."""
    # Distances do not change under a common shift, and a small mean loses fewer digits.
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
    return np.maximum(squared, 0.0, out=squared)
