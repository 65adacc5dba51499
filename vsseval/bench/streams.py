"""Statistics of a set whose clips come one after the other, beside the whole set in memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vsseval.bench.made_up import embeddings
from vsseval.bench.measure import REPEATS, BenchRow, mebibytes, peak_bytes, side_by_side
from vsseval.metrics.frechet import GaussianStatistics
from vsseval.metrics.streams import GaussianStream

Rows = NDArray[np.float32]
_BATCH = 60
"""Clips of a batch."""


def vggish_statistics(*, quick: bool = False) -> list[BenchRow]:
    """15,000 clips of 10 rows of 128 numbers."""
    clips, repeats = (300, 1) if quick else (15_000, REPEATS)
    return [_statistics(clips, 10, 128, repeats)]


def panns_statistics(*, quick: bool = False) -> list[BenchRow]:
    """15,000 clips of one row of 2048 numbers."""
    clips, width, repeats = (300, 64, 1) if quick else (15_000, 2048, REPEATS)
    return [_statistics(clips, 1, width, repeats)]


def _statistics(clips: int, rows: int, width: int, repeats: int) -> BenchRow:
    stored = embeddings(clips * rows, width, 3).reshape(clips, rows, width)
    timed = side_by_side(lambda: _streamed(stored), lambda: _whole(stored), repeats=repeats)
    others = (
        timed.reference_result,
        _streamed(stored[at] for at in np.random.default_rng(4).permutation(clips)),
        _streamed(stored.reshape(-1, 1, width)),
        _streamed(stored.reshape(clips // _BATCH, _BATCH * rows, width)),
    )
    apart = max(_apart(timed.result, other) for other in others)
    half = mebibytes(peak_bytes(lambda: _streamed(stored[: clips // 2])))
    return BenchRow(
        f"mean and covariance of {clips:,} clips of {rows} x {width}, clip by clip",
        timed.ours,
        "numpy mean and cov of all rows in memory",
        timed.reference,
        agreement=f"largest difference {apart:.0e}, from numpy and from the same clips in random "
        f"order, row by row, and {_BATCH} at a time",
        memory=f"{mebibytes(peak_bytes(lambda: _streamed(stored)))} ({half} for half the clips) "
        f"against {mebibytes(peak_bytes(lambda: _whole(stored)))}",
    )


def _streamed(clips: Iterable[Rows]) -> GaussianStatistics:
    stream: GaussianStream | None = None
    for rows in clips:
        stream = stream or GaussianStream(rows.shape[1])
        stream.add(rows)
    assert stream is not None
    return stream.statistics()


def _whole(stored: Rows) -> GaussianStatistics:
    rows = stored.reshape(-1, stored.shape[-1]).astype(np.float64)
    covariance = np.cov(rows, rowvar=False)
    return GaussianStatistics(len(rows), rows.mean(axis=0), covariance * (len(rows) - 1))


def _apart(first: GaussianStatistics, second: GaussianStatistics) -> float:
    """Largest absolute difference of a mean or covariance."""
    means = np.abs(first.mean - second.mean)
    return float(max(means.max(), np.abs(first.covariance - second.covariance).max()))
