"""Two runs side by side, on the clips that both have, with paired tests and what decides them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics.paired import (
    Comparison,
    clips_to_flip,
    clustered,
    compare_influence,
    compare_paired,
    shares,
)
from vsseval.metrics.statistics import holm
from vsseval.records import RunRecord, read_record
from vsseval.reports.markdown import ARROW, EMPTY, number, table
from vsseval.reports.pairs import (
    Results,
    Rows,
    contributions_of,
    is_set,
    pair_of,
    record_folder,
    record_path,
)
from vsseval.reports.slices import membership, on_slices
from vsseval.score import INTERVAL_SEED, column_of
from vsseval.slices import clusters_of
from vsseval.types import Score

ALPHA = 0.05
DECIDING = 5
"""Clips that are named for each metric."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one item adds to a difference."""

    item: str
    share: float
    """Part of the difference, in its unit."""


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
    """95 % interval of the difference; None where nothing could be tested, or below ten items."""
    n_both: int | None
    """Items that both scored; None where nothing could be tested."""
    note: str
    """Why there is no difference or no test, or what to mind."""
    n_groups: int | None = None
    """Groups that these form and that are drawn and exchanged as one; None if each is alone."""
    p_value: float | None = None
    """Two-sided, of this metric alone."""
    p_holm: float | None = None
    """Holm's correction over all metrics of the comparison."""
    effect_size: float | None = None
    """Difference over the standard deviation of what one item says of it."""
    detectable: float | None = None
    """Least difference that 80 % of such comparisons would find at the 5 % level."""
    rests_on: int | None = None
    """Least number of items without which the difference would be gone."""
    deciding: tuple[Share, ...] = ()
    """Items with the largest shares of the difference, whichever way they pull."""

    @property
    def verdict(self) -> str:
        """``first`` or ``second`` if a run is better after Holm's correction, else ``tie``."""
        if self.p_holm is None or self.difference is None:
            return ""
        if self.p_holm >= ALPHA:
            return "tie"
        return "second" if (self.difference > 0) == (self.better == "higher") else "first"


@dataclass(frozen=True, slots=True)
class Tested:
    """A metric of two runs that can be tested."""

    comparison: Comparison
    items: tuple[str, ...]
    parts: NDArray[np.float64]
    """What each item adds to the difference, float64 (items,)."""
    clusters: list[Hashable] | None = None
    """The group of each item; None if each is drawn alone."""

    @property
    def over(self) -> str:
        """How many items it rests on, in words."""
        groups = "" if self.clusters is None else f" in {self.comparison.n} groups"
        return f"{len(self.items)} items{groups}"


@dataclass(frozen=True, slots=True)
class Runs:
    """Two records on one benchmark with their clips."""

    first: RunRecord
    second: RunRecord
    results: tuple[Results, Results]

    @property
    def groups(self) -> dict[str, str]:
        """The group of each item that is not independent of others, as either record knows it."""
        digest = self.first.benchmark.digest
        one, two = (of.groups(digest) for of in self.results)
        return one | two

    def rows(self, metric: str) -> tuple[Rows, Rows]:
        """Components of both runs by clip."""
        one, two = self.results
        return one.rows(self.first.run_id, metric), two.rows(self.second.run_id, metric)


def open_runs(first: Path, second: Path) -> Runs:
    """Two runs by their records.

    Raises:
        InputError: no record there, one that cannot be trusted, or runs on different benchmarks.
    """
    records = [read_record(record_path(path)) for path in (first, second)]
    one, two = records
    if one.benchmark.digest != two.benchmark.digest:
        raise InputError(
            f"runs on different benchmarks do not compare: {one.benchmark.name} "
            f"{one.benchmark.digest[:8]} and {two.benchmark.name} {two.benchmark.digest[:8]}"
        )
    found = [
        Results((record,), {record.run_id: record_folder(path)})
        for record, path in zip(records, (first, second), strict=True)
    ]
    return Runs(one, two, (found[0], found[1]))


def slices_of_runs(
    runs: Runs, patterns: Sequence[str], data: Sequence[Path] = ()
) -> tuple[dict[str, Runs], list[str]]:
    """Two runs on each slice that fits a pattern.

    Args:
        runs: on the whole benchmark.
        patterns: as :func:`vsseval.reports.slices.on_slices`.
        data: as :func:`vsseval.reports.slices.membership`.

    Returns:
        The runs by slice, and the slices of which only one of them has clips.

    Raises:
        InputError: as :func:`vsseval.reports.slices.on_slices`, or no slice has items of both.
        UnknownNameError: likewise.
    """
    known = membership((runs.first, runs.second), data)
    one, two = (
        {part.slice: part for part in on_slices(whole, patterns, known).parts if part.records}
        for whole in runs.results
    )
    both = {
        name: Runs(one[name].records[0], two[name].records[0], (one[name], two[name]))
        for name in one
        if name in two
    }
    if not both:
        raise InputError(f"no clip of {', '.join(patterns)} is in both runs")
    return both, [name for name in {**one, **two} if name not in both]


def compare(first: Path, second: Path) -> list[Difference]:
    """:func:`differences` of two runs, each a record.json or the folder that holds one."""
    return differences(open_runs(first, second))


def differences(runs: Runs) -> list[Difference]:
    """Every metric that both records hold under one signature.

    For a metric of clip scope, value and difference are pooled over the clips that both scored and
    tested by :func:`vsseval.metrics.paired.compare_paired`; for one of set scope that has
    contributions by :func:`vsseval.metrics.paired.compare_influence`.

    Raises:
        InputError: no metric in common, or files that were changed by hand.
    """
    ours = {score.metric: score for score in runs.first.scores}
    theirs = {score.metric: score for score in runs.second.scores}
    shared = [name for name in ours if name in theirs]
    if not shared:
        raise InputError(
            f"no metric in common: {', '.join(sorted(ours))} and {', '.join(sorted(theirs))}"
        )
    same = [name for name in shared if _signatures_agree(ours[name], theirs[name])]
    tested = tested_metrics(runs, same)
    found = [_difference(ours[name], theirs[name], tested.get(name)) for name in shared]
    adjusted = iter(holm([one.p_value for one in found if one.p_value is not None]))
    return [one if one.p_value is None else replace(one, p_holm=next(adjusted)) for one in found]


def tested_metrics(runs: Runs, metrics: Sequence[str]) -> dict[str, Tested]:
    """Tests of those metrics that have clips in both runs; all see the same draws."""
    found: dict[str, Tested] = {}
    rows = {metric: runs.rows(metric) for metric in metrics}
    groups = runs.groups
    values = [{score.metric: score.value for score in r.scores} for r in (runs.first, runs.second)]
    keys = sorted({key for m in metrics if not is_set(m) for one in rows[m] for key in one})
    items = list(dict.fromkeys(key[0] for key in keys))
    clusters = clusters_of(items, groups)
    pairs = {m: pair_of(m, *rows[m], keys) for m in metrics if not is_set(m)}
    there = {metric: pair for metric, pair in pairs.items() if pair is not None}
    drawn = [clustered(pair, clusters) for pair in there.values()]
    compared = compare_paired(drawn, seed=INTERVAL_SEED)
    for (metric, pair), comparison in zip(there.items(), compared, strict=True):
        scored = np.flatnonzero(pair.scored)
        names = [items[at] for at in scored]
        parts = shares(pair)[scored]
        found[metric] = Tested(comparison, tuple(names), parts, clusters_of(names, groups))
    for metric in metrics:
        first, second = (of.get(metric) for of in values)
        if is_set(metric) and first is not None and second is not None:
            names, one, two = contributions_of(*rows[metric])
            if len(names) > 1:
                together = clusters_of(names, groups)
                comparison = compare_influence(first, second, one, two, clusters=together)
                parts = two - one - (two - one).mean() + comparison.difference / len(names)
                found[metric] = Tested(comparison, tuple(names), parts, together)
    return found


def _signatures_agree(ours: Score, theirs: Score) -> bool:
    return column_of(ours.signature) == column_of(theirs.signature)


def _difference(ours: Score, theirs: Score, tested: Tested | None) -> Difference:
    if not _signatures_agree(ours, theirs):
        columns = column_of(ours.signature), column_of(theirs.signature)
        return _plain(ours, theirs, None, f"not comparable: {columns[0]} and {columns[1]}")
    if tested is None:
        if ours.value is None or theirs.value is None:
            return _plain(ours, theirs, None, ours.note or theirs.note)
        if not is_set(ours.metric):
            return _plain(ours, theirs, None, "no value over the clips of both runs")
        note = "no contributions of clips: not tested"
        return _plain(ours, theirs, theirs.value - ours.value, note)
    found = tested.comparison
    order = np.argsort(-np.abs(tested.parts), kind="stable")[:DECIDING]
    return Difference(
        metric=ours.metric,
        better=ours.better,
        first=found.first,
        second=found.second,
        difference=found.difference,
        interval=found.interval,
        n_both=len(tested.items),
        n_groups=None if tested.clusters is None else found.n,
        note=_remark(ours, theirs),
        p_value=found.p_value,
        effect_size=found.effect_size,
        detectable=found.detectable,
        rests_on=clips_to_flip(tested.parts),
        deciding=tuple(
            Share(tested.items[at], float(tested.parts[at])) for at in order if tested.parts[at]
        ),
    )


def _remark(ours: Score, theirs: Score) -> str:
    """What to mind of the value of a set."""
    if not is_set(ours.metric):
        return ""
    apart = set(ours.excluded) != set(theirs.excluded)
    over = ["the two values are over different clips"] * apart
    # That a value has no interval of its own says nothing of the difference.
    notes = [re.sub("[,:] no interval", "", note) for note in (ours.note, theirs.note)]
    return "; ".join([*over, *dict.fromkeys(note for note in notes if note)])


def _plain(ours: Score, theirs: Score, difference: float | None, note: str) -> Difference:
    return Difference(
        ours.metric, ours.better, ours.value, theirs.value, difference, None, None, note
    )


def markdown(differences: Sequence[Difference], names: Mapping[str, str]) -> str:
    """Two tables: the differences, and the clips that decide them.

    Args:
        differences: of :func:`compare`.
        names: what to call ``first`` and ``second``.
    """
    first, second = names["first"], names["second"]
    rows = [
        [
            "metric",
            first,
            second,
            "difference",
            "95 % interval",
            "p (Holm)",
            "better",
            "effect",
            "detectable",
            "clips",
            "rests on",
            "note",
        ]
    ]
    rows += [
        [
            f"{one.metric} {ARROW[one.better]}",
            _shown(one.first),
            _shown(one.second),
            _shown(one.difference),
            f"[{_shown(one.interval[0])}, {_shown(one.interval[1])}]" if one.interval else "",
            "" if one.p_holm is None else p_text(one.p_holm),
            names.get(one.verdict, one.verdict),
            "" if one.effect_size is None else f"{one.effect_size:+.2f}",
            "" if one.detectable is None else number(one.detectable),
            _count(one),
            "" if one.rests_on is None else str(one.rests_on),
            one.note,
        ]
        for one in differences
    ]
    lines = [*table(rows), "", _LEGEND, ""]
    deciding = [one for one in differences if one.deciding]
    if deciding:
        heads = [["metric", "clips with the largest shares of the difference"]]
        heads += [
            [one.metric, ", ".join(f"{s.item} {s.share:+.3g}" for s in one.deciding)]
            for one in deciding
        ]
        lines += [*table(heads), ""]
    return "\n".join(lines)


_LEGEND = (
    "Difference: second - first, over the clips that both scored. p: two-sided, runs exchanged "
    "clip by clip, those of one group together (sets: influence of each clip), Holm's correction "
    "over the metrics; a tie is p >= 0.05. Effect: difference over the standard deviation of what "
    "one clip says of it. Detectable: the difference that four of five such comparisons would "
    "find. Rests on: the least number of clips without which the difference would be gone."
)


def _count(one: Difference) -> str:
    if one.n_both is None:
        return ""
    return str(one.n_both) + (f" in {one.n_groups} groups" if one.n_groups is not None else "")


def _shown(value: float | None) -> str:
    return EMPTY if value is None else number(value)


def p_text(value: float) -> str:
    """A p-value with three digits."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
