"""Intervals and tests at the size of a full benchmark; no published route does the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.bench.measure import REPEATS, BenchRow, alone
from vsseval.metrics.divergence import inception_set_value
from vsseval.metrics.influence import frechet_set_value
from vsseval.metrics.paired import N_RESAMPLES, Paired, compare_paired, paired
from vsseval.metrics.statistics import bootstrap_interval


def paired_tests(*, quick: bool = False) -> list[BenchRow]:
    """Interval, exchange and bootstrap p-values of two runs: 15,000 clips, 12 metrics."""
    clips, metrics, repeats = (200, 3, 1) if quick else (15_000, 12, REPEATS)
    pairs = [_pair(at, clips) for at in range(metrics)]
    seconds, _ = alone(lambda: compare_paired(pairs, seed=0), repeats=repeats)
    what = f"paired tests, {N_RESAMPLES:,} resamples of {clips:,} clips x {metrics} metrics"
    return [BenchRow(what, seconds)]


def intervals(*, quick: bool = False) -> list[BenchRow]:
    """Interval of a mean, and of FD and IS with what each clip contributes: 15,000 clips."""
    clips, repeats = (200, 1) if quick else (15_000, REPEATS)
    random = np.random.default_rng(0)
    values: NDArray[np.float64] = random.normal(0, 1, (clips, 1))
    first, second = (list(random.normal(0, 1, (clips, 128))) for _ in range(2))
    logits = list(random.normal(0, 2, (clips, 527)))
    mean, _ = alone(lambda: bootstrap_interval(values, "mean", seed=0), repeats=repeats)
    distance, _ = alone(lambda: frechet_set_value(first, second), repeats=repeats)
    score, _ = alone(lambda: inception_set_value(logits), repeats=repeats)
    return [
        BenchRow(f"BCa interval of a mean, {clips:,} clips", mean),
        BenchRow(f"FD with interval and contributions, {clips:,} clips, d = 128", distance),
        BenchRow(f"IS with interval and contributions, {clips:,} clips, 527 classes", score),
    ]


def _pair(at: int, clips: int) -> Paired:
    """Two made-up runs; odd ones are ratios over the same words."""
    random = np.random.default_rng(at)
    words = random.integers(1, 12, (clips, 1)).astype(np.float64)
    first, second = (np.hstack([random.normal(at, 1, (clips, 1)), words]) for _ in range(2))
    return paired(first, second, "percent_ratio" if at % 2 else "mean")
