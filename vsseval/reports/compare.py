"""Two runs side by side, on the clips that both have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from vsseval.errors import InputError
from vsseval.metrics.pooling import Rule, pool
from vsseval.metrics.statistics import bootstrap_interval
from vsseval.metrics.table import METRICS
from vsseval.records import RECORD, read_components, read_record
from vsseval.score import INTERVAL_SEED, column_of
from vsseval.types import Score


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric in both runs."""

    metric: str
    better: str
    first: float | None
    second: float | None
    difference: float | None
    """second - first, over the clips that both scored; for set scope over all of each."""
    interval: tuple[float, float] | None
    """95 % interval of the difference, clips resampled in pairs; None for metrics of set scope."""
    n_both: int | None
    """Clips that both scored; None for metrics of set scope."""
    note: str
    """Why there is no difference, or what to mind."""


def compare(first: Path, second: Path) -> list[Difference]:
    """Every metric that both records hold under one signature.

    For a metric of clip scope, value and difference are pooled over the clips that both scored, and
    the interval comes from resampling these clips, each with both of its components.

    Args:
        first: A record.json, or the folder that holds one.
        second: Likewise.

    Raises:
        InputError: no record there, other benchmarks, or no metric in common.
    """
    folders = [path.parent if path.name == RECORD else path for path in (first, second)]
    records = [read_record(folder / RECORD) for folder in folders]
    one, two = records
    if one.benchmark.digest != two.benchmark.digest:
        raise InputError(
            f"runs on different benchmarks do not compare: {one.benchmark.name} "
            f"{one.benchmark.digest[:8]} and {two.benchmark.name} {two.benchmark.digest[:8]}"
        )
    ours = {score.metric: score for score in one.scores}
    theirs = {score.metric: score for score in two.scores}
    shared = [name for name in ours if name in theirs]
    if not shared:
        raise InputError(
            f"no metric in common: {', '.join(sorted(ours))} and {', '.join(sorted(theirs))}"
        )
    return [_difference(ours[name], theirs[name], folders[0], folders[1]) for name in shared]


def _difference(ours: Score, theirs: Score, first: Path, second: Path) -> Difference:
    both_columns = column_of(ours.signature), column_of(theirs.signature)
    if both_columns[0] != both_columns[1]:
        note = f"not comparable: {both_columns[0]} and {both_columns[1]}"
        return _plain(ours, theirs, None, note)
    metric = METRICS.get(ours.metric)
    if metric is None or metric.scope == "set":
        if ours.value is None or theirs.value is None:
            return _plain(ours, theirs, None, ours.note or theirs.note)
        return _plain(ours, theirs, theirs.value - ours.value, "")
    a, b = read_components(first, ours.metric), read_components(second, ours.metric)
    keys = sorted(set(a) & set(b))
    if not keys:
        return _plain(ours, theirs, None, "no clip was scored in both runs")
    left = np.array([a[key] for key in keys], dtype=np.float64)
    right = np.array([b[key] for key in keys], dtype=np.float64)
    rule = cast(Rule, metric.pool)
    gap = right - left
    interval = None
    note = ""
    if rule == "mean":
        interval = bootstrap_interval(gap, rule, seed=INTERVAL_SEED)
    elif np.array_equal(left[:, 1], right[:, 1]):
        gap[:, 1] = left[:, 1]
        interval = bootstrap_interval(gap, rule, seed=INTERVAL_SEED)
    else:
        note = "denominators differ between the runs: no interval"
    values = pool(left, rule), pool(right, rule)
    return Difference(
        ours.metric,
        ours.better,
        values[0],
        values[1],
        values[1] - values[0],
        interval,
        len(keys),
        note,
    )


def _plain(ours: Score, theirs: Score, difference: float | None, note: str) -> Difference:
    return Difference(
        ours.metric, ours.better, ours.value, theirs.value, difference, None, None, note
    )
