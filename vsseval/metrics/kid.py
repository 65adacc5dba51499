"""Kernel inception distance: the mean unbiased MMD^2 of random subsets under a cubic kernel.

Goal: the question of the Frechet distance without assuming Gaussians, as image papers ask it. The
name is kept although the embedding is not Inception's.

Conventions:
    Rows are embeddings, any float dtype, (n, d), pooled over clips in item order; arithmetic is
    float64. The value is an MMD^2 (papers print it as it is or times 1,000), lower is better,
    around 0 for equal distributions, where it may be negative.

Functions:
    kernel_inception_distance       the distance

Edge cases:
    fewer rows than a subset        InputError, as torch-fidelity refuses them; audioldm_eval
                                    shrinks the subset without saying so
    another order of clips          another value: the draws follow the order

References:
    M. Binkowski et al. (2018), Demystifying MMD GANs, arXiv 1801.01401. Implementation followed:
    toshas/torch-fidelity at 5e211a9, metric_kid.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Rows, check_same_width, stack_rows


def kernel_inception_distance(
    reference: Rows,
    generated: Rows,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    shuffle_seed: int = 2020,
) -> float:
    """Mean over random subsets of the unbiased squared MMD with a cubic kernel.

        KID = mean over subsets of   sum_{i != j} (k(x_i, x_j) + k(y_i, y_j)) / (m (m - 1))
                                   - 2 sum_{i, j} k(x_i, y_j) / m^2
        k(a, b) = (a'b / d + 1)^3

    For each subset m rows of the reference, then m of the generated side, are drawn without
    replacement by ``numpy.random.RandomState(shuffle_seed).choice``.

    Args:
        reference: float (n1, d), or a sequence of one (d,) or (k, d) array for each clip.
        generated: likewise, (n2, d).
        subsets: number of subsets.
        subset_size: rows of a subset, m.
        shuffle_seed: seed of the legacy generator.

    Raises:
        InputError: fewer rows than a subset on a side, unequal widths, or a value that is not
            finite.

    Reference: Binkowski et al. (2018), section 4. Source: torch-fidelity at 5e211a9.
    """
    x = stack_rows(reference, name="reference")
    y = stack_rows(generated, name="generated")
    check_same_width(x, y)
    for name, rows in (("reference", x), ("generated", y)):
        if len(rows) < subset_size:
            raise InputError(
                f"a kernel inception distance over subsets of {subset_size} rows needs as many, "
                f"{name} has {len(rows)}"
            )
    # The legacy generator is part of the definition: published values use these draws.
    random = np.random.RandomState(shuffle_seed)
    values = []
    for _ in range(subsets):
        a = x[random.choice(len(x), subset_size, replace=False)]
        b = y[random.choice(len(y), subset_size, replace=False)]
        within = _off_diagonal(a) + _off_diagonal(b)
        values.append(
            within / (subset_size * (subset_size - 1)) - 2.0 * _cubic(a, b).sum() / subset_size**2
        )
    return float(np.mean(values))


def _off_diagonal(rows: NDArray[np.float64]) -> float:
    """Sum of the kernel over ordered pairs of different rows."""
    kernel = _cubic(rows, rows)
    return float(kernel.sum() - np.trace(kernel))


def _cubic(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    base = a @ b.T / a.shape[1] + 1.0
    return np.asarray(base * base * base)
