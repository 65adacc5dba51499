"""From records to tables: which numbers may stand in one column, and who ranks where.

- A column holds one metric under one signature; other benchmarks and digests are other tables.
- Runs of one model that differ in their seed alone are one row (:mod:`vsseval.reports.rows`).
- Oracles are shown and never ranked. Neither is a row of which a clip failed, nor a cell that was
  scored on fewer clips than the fullest of its column.
- Ranks come from paired tests (:mod:`vsseval.reports.ranks`). Without the clips of the runs nothing
  can be tested, and there are no ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsseval.errors import InputError
from vsseval.models import MODELS
from vsseval.records import RunRecord
from vsseval.reports.pairs import Results
from vsseval.reports.ranks import (
    contest_of,
    leaders,
    mean_rank,
    mean_shared_rank,
    shared_ranks,
    short_cells,
)
from vsseval.reports.reported import ReportedTable, reported_rows
from vsseval.reports.rows import Cell, Column, Row, columns_of, place_of, rows_of, value_of

__all__ = ["Column", "Leaderboard", "Row", "leaderboards", "value_of"]


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All runs on one benchmark."""

    benchmark: str
    """Name, version and the first digits of the digest."""
    name: str
    """Of the benchmark."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    """Ranked systems by mean rank, then systems with failed clips, then oracles in the order of the
    ``MODELS`` table."""
    best: frozenset[Cell]
    """The best of each column; columns with fewer than two ranked values have none."""
    second: frozenset[Cell]
    """The next best value of each column."""
    ranks: Mapping[Cell, int]
    """Rank of each ranked cell; empty where nothing could be tested for want of clips."""
    untested: frozenset[str]
    """Columns in which no test tells some pair of systems apart; such a pair shares its rank."""
    short: frozenset[Cell]
    """Cells of systems with fewer clips than the fullest of their column."""
    mean_ranks: Mapping[str, float]
    """By run id, over the columns; a column without a ranked value counts as last."""
    slice: str = ""
    """The part of the benchmark that all of it is of; empty for the whole."""

    @property
    def title(self) -> str:
        """Benchmark and slice."""
        return f"{self.benchmark}, slice {self.slice}" if self.slice else self.benchmark

    @property
    def reported(self) -> list[ReportedTable]:
        """Published tables to show beside it; nobody reports slices."""
        return [] if self.slice else reported_rows(self.name)


def leaderboards(
    records: Sequence[RunRecord] | Results, patterns: Sequence[str] = ()
) -> list[Leaderboard]:
    """A leaderboard for each benchmark and digest, in the order of their names.

    Args:
        records: the records; with their folders (:class:`Results`) systems are tested and ranked,
            and parts of them have leaderboards of their own in place of that of the whole.
        patterns: which metrics to show, in which order; all in the order of the table if empty.

    Raises:
        InputError: a run is there twice, ``clips.csv`` of a run cannot be trusted, or no column of
            any benchmark fits the patterns.
    """
    results = records if isinstance(records, Results) else Results(tuple(records))
    groups: dict[tuple[str, str, str], list[tuple[Results, list[RunRecord]]]] = {}
    for part in results.parts or (results,):
        of_part: dict[tuple[str, str, str], list[RunRecord]] = {}
        for record in part.records:
            bench = record.benchmark
            of_part.setdefault((bench.name, bench.version, bench.digest), []).append(record)
        for key, runs in of_part.items():
            groups.setdefault(key, []).append((part, runs))
    boards = [
        _leaderboard(runs, part, patterns) for key in sorted(groups) for part, runs in groups[key]
    ]
    if not patterns:
        return boards
    filled = [board for board in boards if board.columns]
    if not filled:
        held = sorted({score.metric for record in results.records for score in record.scores})
        raise InputError(f"no column fits {', '.join(patterns)}; there are {', '.join(held)}")
    return filled


def _leaderboard(
    records: Sequence[RunRecord], results: Results, patterns: Sequence[str]
) -> Leaderboard:
    columns = columns_of(records, patterns)
    rows = rows_of(records, results)
    ranked = [row for row in rows if row.ranked]
    failed = sorted((r for r in rows if r.failed and not r.oracle), key=lambda row: row.label)
    oracles = [row for row in rows if row.oracle]
    short = frozenset(short_cells([*ranked, *failed], columns))
    contests = {column.signature: contest_of(ranked, column, short) for column in columns}
    ranks: dict[Cell, int] = {}
    untested = []
    if results.folders:
        for column in columns:
            found, tested = shared_ranks(contests[column.signature], column, results)
            ranks |= found
            untested += [] if tested else [column.signature]
    by_value = {row.record.run_id: mean_rank(row, ranked, columns) for row in ranked}
    shared = {row.record.run_id: mean_shared_rank(row, ranked, columns, ranks) for row in ranked}
    first = shared if ranks else by_value
    ranked.sort(key=lambda r: (first[r.record.run_id], by_value[r.record.run_id], r.label))
    order = list(MODELS)
    oracles.sort(key=lambda row: (place_of(order, row.record.model.name), row.label))
    bench = records[0].benchmark
    best, second = leaders(contests)
    return Leaderboard(
        benchmark=f"{bench.name} {bench.version} ({bench.digest[:8]})",
        name=bench.name,
        columns=columns,
        rows=(*ranked, *failed, *oracles),
        best=frozenset(best),
        second=frozenset(second),
        ranks=ranks,
        untested=frozenset(untested),
        short=short,
        mean_ranks=shared if ranks else {},
        slice=results.slice,
    )
