"""Who ranks where: the contest of a column, its leaders, and ranks that are shared.

A system's rank in a column is 1 + the number of systems that are better in a paired test, Holm's
correction taken within the column; systems that cannot be told apart share a rank.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from vsseval.metrics.paired import N_RESAMPLES, clustered, compare_influence, exchange_p_values
from vsseval.metrics.statistics import holm
from vsseval.reports.pairs import Results, Rows, contributions_of, is_set, mean_rows, pair_of
from vsseval.reports.rows import Cell, Column, Row, value_of
from vsseval.score import INTERVAL_SEED
from vsseval.slices import clusters_of

ALPHA = 0.05
"""Level of the tests behind ranks, over all pairs of a column."""


def short_cells(systems: Sequence[Row], columns: Sequence[Column]) -> list[Cell]:
    """Cells with fewer clips than another system has in the column."""
    found = []
    for column in columns:
        counts = {
            row.record.run_id: row.cells[column.signature].n_scored
            for row in systems
            if column.signature in row.cells
        }
        most = max(counts.values(), default=0)
        found += [(run, column.signature) for run, count in counts.items() if count < most]
    return found


def contest_of(
    systems: Sequence[Row], column: Column, short: frozenset[Cell]
) -> list[tuple[float, Row]]:
    """Values that are ranked in a column, best first."""
    known = [(value_of(row, column), row) for row in systems]
    sign = -1.0 if column.better == "higher" else 1.0
    contest = [
        (value, row)
        for value, row in known
        if value is not None and (row.record.run_id, column.signature) not in short
    ]
    return sorted(contest, key=lambda one: (sign * one[0], one[1].label))


def leaders(contests: Mapping[str, Sequence[tuple[float, Row]]]) -> tuple[set[Cell], set[Cell]]:
    """Cells with the best and with the second best value; a single value has no contest."""
    best: set[Cell] = set()
    second: set[Cell] = set()
    for signature, contest in contests.items():
        if len(contest) < 2:
            continue
        values = list(dict.fromkeys(value for value, _ in contest))
        for place, cells in zip(values, (best, second), strict=False):
            cells.update((row.record.run_id, signature) for value, row in contest if value == place)
    return best, second


def shared_ranks(
    contest: Sequence[tuple[float, Row]], column: Column, results: Results
) -> tuple[dict[Cell, int], bool]:
    """Shared ranks of a column, and whether every pair of systems was tested."""
    if len(contest) < 2:
        return {}, True
    rows = [
        mean_rows([results.rows(run.run_id, column.metric) for run in row.records])
        for _, row in contest
    ]
    pairs = list(itertools.combinations(range(len(contest)), 2))
    values = [value for value, _ in contest]
    groups = results.groups(contest[0][1].record.benchmark.digest)
    p_values = _pair_p_values(column.metric, pairs, rows, values, groups)
    tested = [at for at, p_value in enumerate(p_values) if p_value is not None]
    adjusted = dict(zip(tested, holm([p_values[at] or 0.0 for at in tested]), strict=True))
    worse = [0] * len(contest)
    for at, (_, other) in enumerate(pairs):
        # A pair that no test can tell apart is not told apart by its values either.
        worse[other] += adjusted.get(at, 1.0) < ALPHA
    ranks = {
        (row.record.run_id, column.signature): 1 + worse[at] for at, (_, row) in enumerate(contest)
    }
    return ranks, len(tested) == len(pairs)


def _pair_p_values(
    metric: str,
    pairs: Sequence[tuple[int, int]],
    rows: Sequence[Rows],
    values: Sequence[float],
    groups: Mapping[str, str],
) -> list[float | None]:
    """p-value of each pair of systems, or None where there is no test.

    Items of one group (``groups``) are exchanged as one.
    """
    if is_set(metric):
        found: list[float | None] = []
        for one, other in pairs:
            items, first, second = contributions_of(rows[one], rows[other])
            if len(items) < 2:
                found.append(None)
                continue
            clusters = clusters_of(items, groups)
            sides = values[one], values[other], first, second
            found.append(compare_influence(*sides, clusters=clusters).p_value)
        return found
    keys = sorted(set().union(*rows))
    clusters = clusters_of(list(dict.fromkeys(key[0] for key in keys)), groups)
    sums = [pair_of(metric, rows[one], rows[other], keys) for one, other in pairs]
    there = [clustered(pair, clusters) for pair in sums if pair is not None]
    # Enough draws that a p-value can pass Holm's least level.
    draws = max(N_RESAMPLES, 100 * len(pairs))
    p_values = iter(exchange_p_values(there, seed=INTERVAL_SEED, n_resamples=draws))
    return [None if pair is None else next(p_values) for pair in sums]


def mean_rank(row: Row, rows: Sequence[Row], columns: Sequence[Column]) -> float:
    """Mean over the columns of 1 + the number of better values; no value comes last."""
    ranks = [1 + sum(_beats(other, row, column) for other in rows) for column in columns]
    return sum(ranks) / len(ranks) if ranks else 0.0


def mean_shared_rank(
    row: Row, rows: Sequence[Row], columns: Sequence[Column], ranks: Mapping[Cell, int]
) -> float:
    """Mean of the shared ranks over the columns that have any; no rank counts as last."""
    run = row.record.run_id
    with_ranks = {signature for _, signature in ranks}
    found = [
        ranks.get((run, column.signature), len(rows))
        for column in columns
        if column.signature in with_ranks
    ]
    return sum(found) / len(found) if found else 0.0


def _beats(one: Row, other: Row, column: Column) -> bool:
    ours, theirs = value_of(one, column), value_of(other, column)
    if ours is None or theirs is None:
        return ours is not None and theirs is None
    return ours > theirs if column.better == "higher" else ours < theirs
