"""Statistics of embeddings that come a few rows at a time, in constant memory.

Goal: mean and covariance of a set that need not fit in memory, such as 150,000 VGGish patches.

Conventions:
    Rows are embeddings, any float dtype, (d,) or (k, d); all of one width. Arithmetic is float64.
    Order and grouping of the rows matter only by rounding.

Functions:
    GaussianStream      takes rows, gives GaussianStatistics

Edge cases:
    no rows                     InputError when the statistics are asked for
    a value that is not finite  InputError, at the latest when the statistics are asked for

References:
    T. F. Chan, G. H. Golub, R. J. LeVeque (1979), Updating formulae and a pairwise algorithm for
    computing sample variances; here by blocks of rows.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats
from vsseval.metrics.frechet import GaussianStatistics

_BLOCK_NUMBERS = 1 << 21
"""Numbers that the buffer holds: 16 MiB."""


class GaussianStream:
    """Running count, mean and scatter.

    Rows wait in a buffer; a full one goes into the scatter by one matrix product, in place. Memory
    is one d x d matrix and the buffer, whatever the number of rows.
    """

    def __init__(self, width: int) -> None:
        """An empty stream of rows (width,)."""
        self._buffer = np.empty((max(1, _BLOCK_NUMBERS // width), width))
        self._waiting = 0
        self._n = 0
        self._mean = np.zeros(width)
        self._scatter = np.zeros((width, width), order="F")  # its lower half

    def add(self, rows: Floats) -> None:
        """Take the rows of one clip.

        Args:
            rows: float (d,) or (k, d).

        Raises:
            InputError: another width; or an earlier row is not finite.
        """
        matrix = np.atleast_2d(rows)
        if matrix.ndim != 2 or matrix.shape[1] != len(self._mean):
            raise InputError(f"expected rows of width {len(self._mean)}, got shape {rows.shape}")
        while len(matrix):
            taken = matrix[: len(self._buffer) - self._waiting]
            self._buffer[self._waiting : self._waiting + len(taken)] = taken
            self._waiting += len(taken)
            matrix = matrix[len(taken) :]
            if self._waiting == len(self._buffer):
                self._merge()

    def statistics(self) -> GaussianStatistics:
        """Statistics of all rows so far; more may be added afterwards.

        Raises:
            InputError: no rows, or one that is not finite.
        """
        self._merge()
        if self._n == 0:
            raise InputError("the set has no rows")
        scatter = np.tril(self._scatter)
        scatter += np.tril(self._scatter, -1).T
        return GaussianStatistics(self._n, self._mean.copy(), scatter)

    def _merge(self) -> None:
        """The buffer into the running statistics."""
        rows = self._buffer[: self._waiting]
        count, self._waiting = self._waiting, 0
        if count == 0:
            return
        mean = rows.mean(axis=0)
        if not np.isfinite(mean).all():
            raise InputError("the set has rows that are not finite")
        rows -= mean
        gap = mean - self._mean
        total = self._n + count
        # rows.T is in Fortran order: neither product copies anything.
        self._scatter = blas.dsyrk(1.0, rows.T, beta=1.0, c=self._scatter, lower=1, overwrite_c=1)
        self._scatter = blas.dsyr(
            self._n * count / total, gap, a=self._scatter, lower=1, overwrite_a=1
        )
        self._mean += gap * (count / total)
        self._n = total
