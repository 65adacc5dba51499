"""Results on slices of a benchmark: each score computed anew from the clips of the slice.

A record holds which items a slice has, and ``clips.csv`` what each clip scored, so that values,
intervals and tests of metrics of clip scope need nothing else. A value of a whole set would need
the embeddings of the slice: it is shown as not available.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsseval.benchmarks.manifest import first_items
from vsseval.errors import InputError, UnknownNameError
from vsseval.generate import ClipKey, clip_label
from vsseval.metrics.table import METRICS
from vsseval.records import Components, Counts, RunRecord
from vsseval.reports.manifests import find_benchmark
from vsseval.reports.pairs import Results, Rows, is_set
from vsseval.sanity import Sanity
from vsseval.score import common_reason, pooled_value, remarks
from vsseval.slices import chosen_slices, slices_of
from vsseval.types import Score

NO_SET = (
    "not available on a slice: a value of a whole set needs the embeddings of its clips, which no "
    "record holds"
)
NO_RULE = "not available on a slice: this vsseval does not have the metric in this version"

Membership = Mapping[tuple[str, int | None], Mapping[str, tuple[str, ...]]]
"""Items of each slice by digest of the benchmark and limit of the run."""


def membership(records: Sequence[RunRecord], data: Sequence[Path] = ()) -> Membership:
    """Which items the slices of each benchmark have.

    As one of the records on it states; for records of 0.2.0, which state none, as the manifest
    does, if it is on this machine.

    Args:
        records: the records.
        data: folders of benchmarks, or folders that hold such folders.
    """
    found = {(one.benchmark.digest, one.limit): one.slices for one in records if one.slices}
    for record in records:
        key = record.benchmark.digest, record.limit
        if key not in found:
            benchmark, _ = find_benchmark(record.benchmark, data)
            items = first_items(benchmark, record.limit).items if benchmark else ()
            found[key] = slices_of(items)
    return found


def on_slices(results: Results, patterns: Sequence[str], known: Membership) -> Results:
    """The results with a part for each slice that fits a pattern, in the order of the patterns.

    Args:
        results: of whole benchmarks.
        patterns: names of slices, names with ``*``, or families such as ``speaker``.
        known: of :func:`membership`.

    Raises:
        UnknownNameError: a pattern that fits no slice.
        InputError: nothing states a slice, or ``clips.csv`` of a run cannot be trusted.
    """
    names = sorted({name for slices in known.values() for name in slices})
    if not names:
        raise InputError(
            "the records state no slices: if the manifest does, pass its folder with --data DIR, "
            "or run the same command again (nothing is generated or encoded anew)"
        )
    chosen: dict[str, None] = {}
    for pattern in patterns:
        fitting = chosen_slices(pattern, names)
        if not fitting:
            raise UnknownNameError("slice", pattern, names)
        chosen |= dict.fromkeys(fitting)
    return replace(results, parts=tuple(_part(results, name, known) for name in chosen))


def left_out(results: Results) -> list[str]:
    """Benchmarks of which no part of the results has a run, in words."""
    shown = {record.run_id for part in results.parts for record in part.records}
    counts: dict[str, int] = {}
    for record in results.records:
        if record.run_id not in shown:
            bench = record.benchmark
            title = f"{bench.name} {bench.version} ({bench.digest[:8]})"
            counts[title] = counts.get(title, 0) + 1
    return [
        f"{title}: {count} runs without such a slice are left out"
        for title, count in counts.items()
    ]


def _part(results: Results, name: str, known: Membership) -> Results:
    records = []
    components: dict[str, Components] = {}
    for record in results.records:
        items = known[record.benchmark.digest, record.limit].get(name, ())
        if items:
            groups = results.groups(record.benchmark.digest)
            one, components[record.run_id] = _sliced(record, results, name, items, groups)
            records.append(one)
    return Results(tuple(records), results.folders, components, name)


def _sliced(
    record: RunRecord,
    results: Results,
    name: str,
    items: Sequence[str],
    groups: Mapping[str, str],
) -> tuple[RunRecord, dict[str, Rows]]:
    """A record as if its benchmark were the slice, and the components of its clips."""
    keys = sorted((item, take) for item in items for take in range(record.takes))
    labels = [clip_label(*key) for key in keys]
    scores = []
    components: dict[str, Rows] = {}
    for score in record.scores:
        whole = results.rows(record.run_id, score.metric)
        rows = {key: whole[key] for key in keys if key in whole}
        excluded = _of(labels, score.excluded)
        one = replace(score, excluded=excluded, interval=None, n_expected=len(keys))
        if lost := _unavailable(score):
            note = score.note if score.value is None else lost
            one = replace(one, value=None, note=note, n_scored=len(keys) - len(excluded))
        else:
            components[score.metric] = rows
            one = replace(_pooled(one, rows, whole, groups), n_scored=len(rows))
        scores.append(replace(one, signature=_signature(one, name)))
    failures = _of(labels, record.failures)
    counts = Counts(len(keys), len(keys) - len(failures), len(failures))
    sliced = replace(
        record,
        counts=counts,
        failures=failures,
        warnings=_of(labels, record.warnings),
        scores=tuple(scores),
        sanity=record.sanity and _checks(record.sanity, labels, counts.generated),
    )
    return sliced, components


def _unavailable(score: Score) -> str:
    """Why the clips do not give a value; nothing where they do."""
    metric = METRICS.get(score.metric)
    if metric is None or score.signature.rpartition("|v:")[2] != str(metric.version):
        return NO_RULE
    return NO_SET if is_set(score.metric) else ""


def _of(labels: Sequence[str], texts: Mapping[str, str]) -> dict[str, str]:
    return {label: texts[label] for label in labels if label in texts}


def _pooled(score: Score, rows: Rows, whole: Rows, groups: Mapping[str, str]) -> Score:
    """Value, interval and note over the rows; what the whole set's note adds to its remark stays.

    Without a value of the whole set there is none, for its reason.
    """
    if score.value is None:
        return score
    metric = METRICS[score.metric]
    value, interval, note = pooled_value(metric, _arrays(rows), groups)
    if not rows and score.excluded:
        note = common_reason(score.excluded)
    rest = score.note
    if rest:
        for said in remarks(metric, _arrays(whole), groups):
            rest = rest.removeprefix(said).removeprefix("; ")
    said = "; ".join(text for text in (note, rest) if text)
    return replace(score, value=value, interval=interval, note=said)


def _arrays(rows: Rows) -> dict[ClipKey, NDArray[np.float64]]:
    return {key: np.array(row) for key, row in rows.items()}


def _signature(score: Score, name: str) -> str:
    """The signature with the counts and the name of the slice."""
    counts = f"n:{score.n_scored}/{score.n_expected}"
    parts = [counts if part.startswith("n:") else part for part in score.signature.split("|")]
    return "|".join([*parts[:-1], f"slice:{name.replace('|', ';')}", parts[-1]])


def _checks(sanity: Sanity, labels: Sequence[str], checked: int) -> Sanity:
    """What the checks found in the clips; levels are those of whole runs, so there are none."""
    found = {check: _of(labels, clips) for check, clips in sanity.findings.items()}
    return replace(sanity, checked=checked, level=None, reference_level=None, findings=found)
