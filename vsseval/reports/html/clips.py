"""Clips of a board: their scores in every row, how bad they are, and which to listen to first."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from vsseval.generate import ClipKey
from vsseval.metrics.table import METRICS
from vsseval.records import RunRecord
from vsseval.reports.leaderboard import Leaderboard
from vsseval.reports.pairs import Results, Rows, mean_rows
from vsseval.reports.remarks import HOLLOW, MISMATCHED, lost_clips
from vsseval.reports.rows import Column, Row

Scores = tuple[tuple[float, ...] | None, ...]
"""One column of one row, by clip."""


def clip_rows(board: Leaderboard, results: Results) -> list[list[Rows]]:
    """Components by row and column of a board; the mean over seeds where there are several."""
    return [
        [
            mean_rows([results.rows(run.run_id, column.metric) for run in runs_of(row)])
            if column.signature in row.cells
            else {}
            for column in board.columns
        ]
        for row in board.rows
    ]


def clip_keys(board: Leaderboard, rows: Sequence[Sequence[Rows]]) -> list[ClipKey]:
    """Every clip that has a score, was excluded from one, or failed, in any row; all of a slice."""
    found = {key for columns in rows for one in columns for key in one}
    for row in board.rows:
        for run in runs_of(row):
            # Its columns may all be metrics of a whole set, which have no scores of clips here.
            found |= set(itertools.product(run.slices.get(board.slice, ()), range(run.takes)))
    lost = {label for row in board.rows for run in runs_of(row) for label in run.failures}
    lost |= {label for row in board.rows for one in row.cells.values() for label in one.excluded}
    return sorted(found | {clip_of(label) for label in lost})


def clip_of(label: str) -> ClipKey:
    """Item and take of a label such as ``id.take1``."""
    item, separator, take = label.rpartition(".take")
    return (item, int(take)) if separator and take.isdigit() else (label, 0)


def scores_of(column: Column, rows: Rows, keys: Sequence[ClipKey]) -> Scores:
    """What a page needs of each clip: its value, or numerator and denominator of a rate."""
    width = 2 if pool_of(column) == "percent_ratio" else 1
    return tuple(
        tuple(_short(part) for part in rows[key][:width]) if key in rows else None for key in keys
    )


def pool_of(column: Column) -> str:
    """How clips become a value: ``mean``, ``percent_ratio``, ``set`` or ``unknown``."""
    row = METRICS.get(column.metric)
    # A metric of another version of this package may be pooled in any way.
    return "unknown" if row is None else row.pool


def percentiles(
    columns: Sequence[Column], scores: Sequence[Sequence[Scores]]
) -> NDArray[np.float64]:
    """How bad each score is among all scores of its column: 0 the best, 1 the worst.

    Args:
        columns: k of them.
        scores: by row and column.

    Returns:
        float64 (rows, k, clips), not a number where there is no score; equal scores share the mean
        of their percentiles. A column in which all are equal is 0.5 throughout.
    """
    values = np.array([[[_value(one) for one in column] for column in row] for row in scores])
    found = np.full(values.shape, np.nan)
    for at, column in enumerate(columns):
        known = ~np.isnan(values[:, at])
        total = int(known.sum())
        if total:
            sign = -1.0 if column.better == "higher" else 1.0
            ranks = rankdata(sign * values[:, at][known])
            found[:, at][known] = (ranks - 1) / (total - 1) if total > 1 else 0.5
    return found


def badness_of(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean percentile of each clip over the columns.

    Args:
        found: float64 (rows, columns, clips).

    Returns:
        float64 (rows, clips), not a number for a clip without a score.
    """
    return mean_of(found, axis=1)


def disagreement_of(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest difference of percentiles between two rows, mean over the columns.

    Args:
        found: float64 (rows, columns, clips).

    Returns:
        float64 (clips,) in 0..1, not a number where no column has two scores.
    """
    if len(found) < 2:
        return np.full(found.shape[-1], np.nan)
    low = np.where(np.isnan(found), np.inf, found).min(axis=0)
    high = np.where(np.isnan(found), -np.inf, found).max(axis=0)
    enough = (~np.isnan(found)).sum(axis=0) > 1
    apart = np.full(low.shape, np.nan)
    apart[enough] = high[enough] - low[enough]
    return mean_of(apart, axis=0)


def mean_of(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Mean over an axis of the values that are numbers; not a number where there are none."""
    known = ~np.isnan(values)
    counts = known.sum(axis=axis)
    sums = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def first_to_hear(worst: Sequence[float], disputed: Sequence[float], count: int) -> list[int]:
    """Clips to embed: by turns the worst and the most disputed one that is not chosen yet.

    Args:
        worst: how bad each clip is; not a number comes last.
        disputed: how much the rows disagree, likewise.
        count: how many at most.
    """
    orders = [_descending(values) for values in (worst, disputed)]
    turns = itertools.chain.from_iterable(zip(*orders, strict=True))
    return list(dict.fromkeys(turns))[:count]


def contestants(rows: Sequence[Row]) -> list[int]:
    """The rows whose disagreement counts.

    These are the systems; if there is one alone, it and the oracles that hear the clip's own sound.
    """
    systems = [at for at, row in enumerate(rows) if not row.oracle]
    if len(systems) > 1:
        return systems
    deaf = (*HOLLOW, *MISMATCHED)
    return [at for at, row in enumerate(rows) if row.record.model.name not in deaf]


def runs_of(row: Row) -> tuple[RunRecord, ...]:
    """The runs of a row, one a seed."""
    return row.records or (row.record,)


def findings_of(
    row: Row, numbers: Mapping[str, int], columns: Sequence[Column]
) -> dict[str, tuple[str, ...]]:
    """What is odd about each clip of a row: failures, warnings, audio checks, no score and why.

    Args:
        row: of a board.
        numbers: of its clips, by label.
        columns: of the board.
    """
    found: dict[str, dict[str, None]] = {}
    for run in runs_of(row):
        said = [(label, f"not generated: {why}") for label, why in run.failures.items()]
        said += list(run.warnings.items())
        if run.sanity is not None:
            for check, clips in run.sanity.findings.items():
                said += [(label, f"{check}: {text}") for label, text in clips.items()]
        for column in columns:
            if column.signature in row.cells:
                lost = lost_clips(row, row.cells[column.signature])
                said += [(label, f"no {column.title}: {why}") for label, why in lost.items()]
        for label, text in said:
            if label in numbers:
                found.setdefault(str(numbers[label]), {})[text] = None
    return {number: tuple(texts) for number, texts in found.items()}


def _value(score: tuple[float, ...] | None) -> float:
    if score is None:
        return np.nan
    if len(score) == 2:
        return 100.0 * score[0] / score[1] if score[1] else np.nan
    return score[0]


def _short(value: float) -> float:
    """Six significant digits are more than a page shows."""
    return float(f"{value:.6g}")


def _descending(values: Sequence[float]) -> list[int]:
    keys = np.nan_to_num(-np.asarray(values, dtype=np.float64), nan=np.inf)
    return [int(at) for at in np.argsort(keys, kind="stable")]
