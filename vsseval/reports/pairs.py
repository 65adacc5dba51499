"""From records on disk to pairs of runs: components of runs, and which of two is better.

A :class:`Results` is what reports read: records, and for each run the components of its clips,
whose file is read when it is asked for and must be the one that the record was written with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.generate import ClipKey
from vsseval.metrics.paired import Paired, paired
from vsseval.metrics.pooling import Rule
from vsseval.metrics.table import METRICS
from vsseval.records import RECORD, Components, RunRecord, check_clips, find_records, read_clips
from vsseval.slices import group_by_item
from vsseval.types import Metric

Rows = Mapping[ClipKey, tuple[float, ...]]
"""Components of one metric by clip."""


@dataclass(frozen=True, slots=True)
class Results:
    """Records with a way to their clips."""

    records: tuple[RunRecord, ...]
    folders: Mapping[str, Path] = field(default_factory=dict)
    """By run id; a run without one has no components, and nothing can be tested."""
    _read: dict[str, Components] = field(default_factory=dict)
    slice: str = ""
    """The part of the benchmarks that scores and components are of; empty for the whole."""
    parts: tuple[Results, ...] = ()
    """The same runs on slices, which are reported in place of the whole."""

    def groups(self, digest: str) -> dict[str, str]:
        """The group of each item of a benchmark that is not independent of others.

        A record of fewer items knows fewer of them, and one of 0.2.0 none.
        """
        groups: dict[str, str] = {}
        for record in self.records:
            if record.benchmark.digest == digest:
                groups |= group_by_item(record.groups)
        return groups

    def rows(self, run_id: str, metric: str) -> Rows:
        """Components of one metric of one run by clip; empty if there are none.

        Raises:
            InputError: ``clips.csv`` is gone, was changed, or holds a value that is not finite.
        """
        folder = self.folders.get(run_id)
        if folder is None:
            return {}
        if run_id not in self._read:
            (record,) = [one for one in self.records if one.run_id == run_id]
            check_clips(folder, record)
            self._read[run_id] = read_clips(folder)
        return self._read[run_id].get(metric, {})


def find_results(*folders: Path) -> Results:
    """All records below some folders.

    Raises:
        InputError: as :func:`vsseval.records.find_records`, or a run that is there twice.
    """
    found = dict(one for folder in folders for one in find_records(folder))
    places: dict[str, Path] = {}
    for path, record in found.items():
        other = places.setdefault(record.run_id, path.parent)
        if other != path.parent:
            raise InputError(
                f"run {record.run_id} is recorded twice, in {other} and {path.parent}; "
                "report on one of them"
            )
    return Results(tuple(found.values()), places)


def record_folder(path: Path) -> Path:
    """The folder of a run, given it or its record.json."""
    return path if path.is_dir() else path.parent


def record_path(path: Path) -> Path:
    """The record.json of a run, given it or its folder."""
    return path / RECORD if path.is_dir() else path


def is_set(metric: str) -> bool:
    """Whether the components of a metric are contributions to the value of the whole set."""
    row = METRICS.get(metric)
    return row is not None and row.scope == "set"


def rule_of(metric: Metric) -> Rule:
    """How a metric of clip scope is pooled."""
    return cast(Rule, metric.pool)


def matrix_of(rows: Rows, keys: Sequence[ClipKey]) -> NDArray[np.float64]:
    """Components as float64 (clips, k), not a number where a clip has none."""
    width = max((len(row) for row in rows.values()), default=1)
    nothing = (np.nan,) * width
    return np.array([rows.get(key, nothing) for key in keys], dtype=np.float64)


def items_of(keys: Sequence[ClipKey]) -> list[str] | None:
    """The item of each clip, or None if every clip is its own."""
    items = [key[0] for key in keys]
    return items if len(set(items)) < len(items) else None


def pair_of(metric: str, first: Rows, second: Rows, keys: Sequence[ClipKey]) -> Paired | None:
    """Sums of two runs over the clips that both scored; None if they have no value over them.

    Args:
        metric: a metric of clip scope.
        first: components of one run.
        second: of the other.
        keys: the clips to list, so that several metrics or pairs can be drawn together.
    """
    if metric not in METRICS or not set(first) & set(second):
        return None
    sides = matrix_of(first, keys), matrix_of(second, keys)
    try:
        return paired(*sides, rule_of(METRICS[metric]), items=items_of(keys))
    except InputError:
        # Such as rates over clips without a single word.
        return None


def contributions_of(
    first: Rows, second: Rows
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Items that contribute in both runs, and what they contribute to each.

    Contributions stand under the first take that was scored, which may differ between runs.
    """
    one, other = ({key[0]: row[0] for key, row in rows.items()} for rows in (first, second))
    items = sorted(set(one) & set(other))
    return (
        items,
        np.array([one[item] for item in items], dtype=np.float64),
        np.array([other[item] for item in items], dtype=np.float64),
    )


def mean_rows(runs: Sequence[Rows]) -> dict[ClipKey, tuple[float, ...]]:
    """Components averaged over the runs that have them: those of several seeds of one model."""
    if len(runs) == 1:
        return dict(runs[0])
    gathered: dict[ClipKey, list[tuple[float, ...]]] = {}
    for rows in runs:
        for key, row in rows.items():
            gathered.setdefault(key, []).append(row)
    return {key: tuple(np.mean(rows, axis=0).tolist()) for key, rows in sorted(gathered.items())}
