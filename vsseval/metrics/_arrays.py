"""Checks at the border of the set-scope metrics: rows of many clips as one float64 matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

Floats = NDArray[np.floating]
Rows = Floats | Sequence[Floats]
"""One (n, d) matrix, or one (d,) vector or (k, d) matrix for each clip, in item order."""


def stack_rows(rows: Rows, *, name: str) -> NDArray[np.float64]:
    """All rows of all clips as float64 (n, d), in item order.

    Args:
        rows: see :data:`Rows`.
        name: what the rows are, for the messages: ``reference`` or ``generated``.

    Raises:
        InputError: no rows, rows of different widths, or a value that is not finite.
    """
    if len(rows) == 0:
        raise InputError(f"{name} has no rows")
    matrices = [np.atleast_2d(np.asarray(clip, dtype=np.float64)) for clip in rows]
    widths = sorted({matrix.shape[1:] for matrix in matrices})
    if len(widths) != 1 or len(widths[0]) != 1 or widths[0] == (0,):
        raise InputError(f"{name} rows must be vectors of one width, got shapes {widths}")
    stacked = np.concatenate(matrices, axis=0)
    bad = int(np.count_nonzero(~np.isfinite(stacked).all(axis=1)))
    if bad:
        raise InputError(f"{name} has {bad} of {len(stacked)} rows that are not finite")
    return stacked


def check_same_width(reference: NDArray[np.float64], generated: NDArray[np.float64]) -> None:
    """Refuse two row matrices (n, d) and (m, d') of different widths, which two encoders gave.

    Raises:
        InputError: d is not d'.
    """
    if reference.shape[1] != generated.shape[1]:
        raise InputError(
            f"reference and generated differ in width: {reference.shape[1]} and "
            f"{generated.shape[1]}; both must come from one encoder"
        )


def finite_vector(values: Floats, *, name: str) -> NDArray[np.float64]:
    """``values`` as float64 (n,); InputError unless it is one-dimensional and finite."""
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise InputError(f"{name} must be one-dimensional, got shape {vector.shape}")
    if not np.isfinite(vector).all():
        raise InputError(f"{name} holds a value that is not finite")
    return vector


def rows_of_items(clips: Sequence[Floats], items: Sequence[int]) -> list[NDArray[np.float64]]:
    """The rows of all takes of each item, stacked, in the order of the items.

    Args:
        clips: one (d,) or (k, d) array for each clip, all of one width.
        items: the item of each clip, 0 to the number of items less one, each at least once.
    """
    takes: list[list[NDArray[np.float64]]] = [[] for _ in range(max(items) + 1)]
    for clip, item in zip(clips, items, strict=True):
        takes[item].append(np.atleast_2d(np.asarray(clip, dtype=np.float64)))
    return [np.concatenate(rows) for rows in takes]
