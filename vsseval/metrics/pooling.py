"""From the components of each clip to the value of a benchmark.

Goal: one small rule between per-clip components and the printed number, so that value, interval
and drill-down come from the same matrix.

Conventions:
    Components are float64 (clips, k). Sums run in float64 in clip order.

Functions:
    pool        the value of all clips

Rules:
    mean            mean of component 0
    percent_ratio   100 * sum(component 0) / sum(component 1): WER is edits over words, pooled
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

Rule = Literal["mean", "percent_ratio"]


def pool(components: NDArray[np.float64], rule: Rule) -> float:
    """Value of a set of clips from their components.

    Args:
        components: float64 (clips, k), finite; k >= 2 for ``percent_ratio``.
        rule: ``mean`` or ``percent_ratio``, see the module.

    Raises:
        InputError: no clips, too few components, a value that is not finite, an unknown rule, or a
            ratio with a denominator of zero.
    """
    return float(pooled(*numerator_and_denominator(components, rule), rule))


def numerator_and_denominator(
    components: NDArray[np.float64], rule: Rule
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two columns (clips,) whose sums :func:`pool` divides; ones below a mean.

    Raises:
        InputError: as :func:`pool`.
    """
    matrix = np.asarray(components, dtype=np.float64)
    if rule not in ("mean", "percent_ratio"):
        raise InputError(f"expected the rule mean or percent_ratio, got {rule!r}")
    needed = 1 if rule == "mean" else 2
    if matrix.ndim != 2 or len(matrix) == 0 or matrix.shape[1] < needed:
        raise InputError(
            f"rule {rule} needs components (clips, {needed} or more), got {matrix.shape}"
        )
    top = matrix[:, 0]
    bottom = np.ones_like(top) if rule == "mean" else matrix[:, 1]
    if not (np.isfinite(top).all() and np.isfinite(bottom).all()):
        raise InputError("a component is not finite")
    if bottom.sum() == 0:
        raise InputError("the denominators of all clips are zero")
    return top, bottom


def pooled(
    top: NDArray[np.float64], bottom: NDArray[np.float64], rule: Rule
) -> NDArray[np.float64]:
    """Sum over the last axis of ``top`` by that of ``bottom``, times 100 for ``percent_ratio``.

    Args:
        top: numerators, float64 (..., n).
        bottom: denominators, likewise.
        rule: ``mean`` or ``percent_ratio``.

    Returns:
        float64 (...).
    """
    factor = 100.0 if rule == "percent_ratio" else 1.0
    return np.asarray(factor * top.sum(axis=-1) / bottom.sum(axis=-1), dtype=np.float64)
