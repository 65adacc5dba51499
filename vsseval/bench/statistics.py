"""How long the statistics take: rows of (what, seconds) on made-up numbers of the full size."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vsseval.metrics.divergence import inception_set_value
from vsseval.metrics.influence import frechet_set_value
from vsseval.metrics.paired import N_RESAMPLES, compare_paired, paired
from vsseval.metrics.statistics import bootstrap_interval


def rows(*, clips: int = 15_000, metrics: int = 12) -> list[tuple[str, float]]:
    """Wall time of each job [s].

    Args:
        clips: number of clips.
        metrics: number of metrics that are compared together, half of them ratios.
    """
    random = np.random.default_rng(0)
    words = random.integers(1, 12, (clips, 1)).astype(np.float64)
    pairs = []
    for at in range(metrics):
        sides = [np.hstack([random.normal(at, 1, (clips, 1)), words]) for _ in range(2)]
        pairs.append(paired(sides[0], sides[1], "percent_ratio" if at % 2 else "mean"))
    first: NDArray[np.float64] = random.normal(0, 1, (clips, 1))
    embeddings = [list(random.normal(0, 1, (clips, 128))) for _ in range(2)]
    logits = list(random.normal(0, 2, (clips, 527)))
    jobs: list[tuple[str, Callable[[], object]]] = [
        (
            f"paired tests, {N_RESAMPLES} resamples of {clips} clips x {metrics} metrics",
            lambda: compare_paired(pairs, seed=0),
        ),
        (
            f"bootstrap interval of {clips} clips",
            lambda: bootstrap_interval(first, "mean", seed=0),
        ),
        (
            f"Frechet distance of {clips} clips x 128 with interval and contributions",
            lambda: frechet_set_value(embeddings[0], embeddings[1]),
        ),
        (
            f"inception score of {clips} clips x 527 with interval and contributions",
            lambda: inception_set_value(logits),
        ),
    ]
    found = []
    for what, job in jobs:
        start = time.perf_counter()
        job()
        found.append((what, time.perf_counter() - start))
    return found
