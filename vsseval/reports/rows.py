"""Columns and rows of a leaderboard: one signature a column, one model a row.

Runs of one model that differ in their seed alone are one row: mean and deviation over seeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vsseval.metrics.patterns import chosen
from vsseval.metrics.statistics import bootstrap_interval, mean_and_deviation
from vsseval.metrics.table import METRICS
from vsseval.records import RunRecord
from vsseval.reports.pairs import Results, is_set, matrix_of, mean_rows, rule_of
from vsseval.score import INTERVAL_SEED, column_of
from vsseval.slices import clusters_of
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
    """One run, or the runs of one model with several seeds."""

    label: str
    oracle: bool
    record: RunRecord
    """The run, or that with the lowest seed."""
    cells: Mapping[str, Score]
    """Score by column signature, over seeds their mean; a column without one is empty here."""
    records: tuple[RunRecord, ...] = ()
    """All seeds."""
    deviations: Mapping[str, float] = field(default_factory=dict)
    """Standard deviation over seeds by column signature; empty for a single seed."""

    @property
    def failed(self) -> int:
        """Clips that were not generated."""
        return sum(record.counts.failed for record in self.records or (self.record,))

    @property
    def ranked(self) -> bool:
        """Whether the row takes part in rankings."""
        return not self.oracle and not self.failed


Cell = tuple[str, str]
"""Run id of the row, and column signature."""


def value_of(row: Row, column: Column) -> float | None:
    """The row's value in this column, or None."""
    score = row.cells.get(column.signature)
    return None if score is None else score.value


def place_of(order: Sequence[str], name: str) -> int:
    """Place of a name in an order; names that are not in it come last."""
    return order.index(name) if name in order else len(order)


def columns_of(records: Sequence[RunRecord], patterns: Sequence[str]) -> tuple[Column, ...]:
    """Columns in the order of the patterns, or of the ``METRICS`` table without any."""
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
    if patterns:
        order = chosen(patterns, [*METRICS, *(column.metric for column in columns.values())])
        columns = {key: column for key, column in columns.items() if column.metric in order}
    return tuple(sorted(columns.values(), key=lambda c: (place_of(order, c.metric), c.signature)))


def rows_of(records: Sequence[RunRecord], results: Results) -> list[Row]:
    """A row for each model and setting."""
    groups: dict[str, list[RunRecord]] = {}
    for record in sorted(records, key=lambda record: record.seed):
        model = record.model
        group = [model.name, model.kind, dict(model.signature), record.takes, record.limit]
        groups.setdefault(json.dumps(group, sort_keys=True), []).append(record)
    rows = []
    for runs_of_model in groups.values():
        seeds = {record.seed for record in runs_of_model}
        # Runs of one seed that differ by id alone have nothing to be averaged over.
        single = len(seeds) < len(runs_of_model)
        apart = [[record] for record in runs_of_model] if single else [runs_of_model]
        rows += [_row(runs, records, results) for runs in apart]
    return rows


def _row(runs: Sequence[RunRecord], records: Sequence[RunRecord], results: Results) -> Row:
    record = runs[0]
    twins = [other for other in records if other.model.name == record.model.name]
    label = record.model.name
    if len(runs) > 1:
        label += f" ({len(runs)} seeds)"
    if len(twins) > len(runs):
        label = f"{record.model.name} ({_setting(runs)})"
    scores: dict[str, list[Score]] = {}
    for run in runs:
        for score in run.scores:
            scores.setdefault(column_of(score.signature), []).append(score)
    cells = {}
    deviations = {}
    for signature, found in scores.items():
        values = [score.value for score in found if score.value is not None]
        if len(runs) == 1 or len(found) < len(runs) or len(values) < len(runs):
            # A metric that not every seed has is no value of the model.
            cells[signature] = found[0] if len(runs) == 1 else _no_mean(found, runs)
            continue
        mean, deviations[signature] = mean_and_deviation(values)
        cells[signature] = replace(
            found[0],
            value=mean,
            interval=_interval_over_seeds(found, runs, results),
            n_scored=min(score.n_scored for score in found),
        )
    return Row(label, record.model.kind == "oracle", record, cells, tuple(runs), deviations)


def _no_mean(scores: Sequence[Score], runs: Sequence[RunRecord]) -> Score:
    """No value, and why: what all seeds say, or how many have one."""
    score = scores[0]
    values = sum(one.value is not None for one in scores)
    alike = len(scores) == len(runs) and len({one.note for one in scores}) == 1
    note = score.note if alike and not values else f"a value for {values} of {len(runs)} seeds"
    return replace(score, value=None, interval=None, note=note)


def _interval_over_seeds(
    scores: Sequence[Score], runs: Sequence[RunRecord], results: Results
) -> tuple[float, float] | None:
    """Interval of the mean over seeds, clips resampled; of a set the mean of the seeds' ends."""
    metric = scores[0].metric
    digest = runs[0].benchmark.digest
    if metric in METRICS and not is_set(metric):
        rows = mean_rows([results.rows(run.run_id, metric) for run in runs])
        if rows:
            keys = sorted(rows)
            return bootstrap_interval(
                matrix_of(rows, keys),
                rule_of(METRICS[metric]),
                seed=INTERVAL_SEED,
                clusters=clusters_of([key[0] for key in keys], results.groups(digest)),
            )
    ends = [score.interval for score in scores if score.interval is not None]
    if len(ends) < len(scores):
        return None
    return sum(low for low, _ in ends) / len(ends), sum(high for _, high in ends) / len(ends)


def _setting(runs: Sequence[RunRecord]) -> str:
    """What tells runs of one name apart."""
    record = runs[0]
    seeds = ", ".join(str(run.seed) for run in runs)
    parts = [f"seed{'s' * (len(runs) > 1)} {seeds}", f"takes {record.takes}"]
    if record.limit is not None:
        parts.append(f"first {record.limit}")
    return ", ".join([*parts, record.run_id[:6]])
