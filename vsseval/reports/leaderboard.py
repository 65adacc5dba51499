"""From records to tables: which numbers may stand in one column, and which of them is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsseval.metrics.table import METRICS
from vsseval.models import MODELS
from vsseval.records import RunRecord
from vsseval.score import column_of
from vsseval.types import Score


@dataclass(frozen=True, slots=True)
class Column:
    """Scores that can be compared: one metric under one signature."""

    metric: str
    title: str
    better: str
    """``higher`` or ``lower``."""
    unit: str
    signature: str
    """Without the counts, which may differ between rows and are shown in the cells."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run."""

    label: str
    oracle: bool
    record: RunRecord
    cells: Mapping[str, Score]
    """Score by column signature; a column without one is empty in this row."""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All runs on one benchmark."""

    benchmark: str
    """Name, version and the first digits of the digest."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    """Systems by mean rank, then oracles in the order of the ``MODELS`` table."""
    best: frozenset[tuple[str, str]]
    """(run id, column signature) of the best systems; empty columns and oracles have none."""


def leaderboards(records: Sequence[RunRecord]) -> list[Leaderboard]:
    """A leaderboard for each benchmark and digest, in the order of their names."""
    groups: dict[tuple[str, str, str], list[RunRecord]] = {}
    for record in records:
        bench = record.benchmark
        groups.setdefault((bench.name, bench.version, bench.digest), []).append(record)
    return [_leaderboard(groups[key]) for key in sorted(groups)]


def _leaderboard(records: Sequence[RunRecord]) -> Leaderboard:
    columns = _columns(records)
    rows = [_row(record, records) for record in records]
    systems = [row for row in rows if not row.oracle]
    oracles = [row for row in rows if row.oracle]
    ranks = {row.record.run_id: mean_rank(row, systems, columns) for row in systems}
    systems.sort(key=lambda row: (ranks[row.record.run_id], row.label))
    order = list(MODELS)
    oracles.sort(key=lambda row: (_place(order, row.record.model.name), row.label))
    bench = records[0].benchmark
    return Leaderboard(
        benchmark=f"{bench.name} {bench.version} ({bench.digest[:8]})",
        columns=columns,
        rows=(*systems, *oracles),
        best=frozenset(_best(systems, columns)),
    )


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _columns(records: Sequence[RunRecord]) -> tuple[Column, ...]:
    columns: dict[str, Column] = {}
    for record in records:
        for score in record.scores:
            signature = column_of(score.signature)
            row = METRICS.get(score.metric)
            columns.setdefault(
                signature,
                Column(
                    score.metric,
                    row.title if row else score.metric,
                    score.better,
                    score.unit,
                    signature,
                ),
            )
    order = list(METRICS)
    return tuple(sorted(columns.values(), key=lambda c: (_place(order, c.metric), c.signature)))


def _row(record: RunRecord, records: Sequence[RunRecord]) -> Row:
    twins = [other for other in records if other.model.name == record.model.name]
    label = record.model.name if len(twins) == 1 else f"{record.model.name} ({_setting(record)})"
    cells = {column_of(score.signature): score for score in record.scores}
    return Row(label, record.model.kind == "oracle", record, cells)


def _setting(record: RunRecord) -> str:
    """What tells runs of one name apart."""
    parts = [f"seed {record.seed}", f"takes {record.takes}"]
    if record.limit is not None:
        parts.append(f"first {record.limit}")
    return ", ".join([*parts, record.run_id[:6]])


def mean_rank(row: Row, rows: Sequence[Row], columns: Sequence[Column]) -> float:
    """Mean over the columns of 1 + the number of better rows; no value comes last."""
    ranks = [1 + sum(_beats(other, row, column) for other in rows) for column in columns]
    return sum(ranks) / len(ranks) if ranks else 0.0


def _beats(one: Row, other: Row, column: Column) -> bool:
    ours, theirs = value_of(one, column), value_of(other, column)
    if ours is None or theirs is None:
        return ours is not None and theirs is None
    return ours > theirs if column.better == "higher" else ours < theirs


def value_of(row: Row, column: Column) -> float | None:
    """The row's value in this column, or None."""
    score = row.cells.get(column.signature)
    return None if score is None else score.value


def _best(systems: Sequence[Row], columns: Sequence[Column]) -> set[tuple[str, str]]:
    """Best systems of each column; a column with a single value has no contest and no best."""
    best: set[tuple[str, str]] = set()
    for column in columns:
        values = {row.record.run_id: value_of(row, column) for row in systems}
        known = {run: value for run, value in values.items() if value is not None}
        if len(known) < 2:
            continue
        top = max(known.values()) if column.better == "higher" else min(known.values())
        best.update((run, column.signature) for run, value in known.items() if value == top)
    return best
