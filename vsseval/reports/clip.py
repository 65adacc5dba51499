"""One clip of one run: every score it has, where it stands in the run, and what is odd about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsseval.errors import UnknownNameError
from vsseval.generate import ClipKey, clip_label
from vsseval.metrics.table import METRICS
from vsseval.records import RunRecord, read_record
from vsseval.reports.markdown import ARROW, EMPTY, number, table
from vsseval.reports.pairs import Results, Rows, is_set, record_folder, record_path
from vsseval.types import Score


@dataclass(frozen=True, slots=True)
class ClipScore:
    """One metric of one clip."""

    metric: str
    better: str
    value: float | None
    """The clip's own value; of set scope what its item adds to the value of the set."""
    rank: int | None
    """1 is the best clip of the run; equal values share a rank."""
    of: int
    """Clips with a value."""
    components: tuple[float, ...]
    note: str
    """Why there is no value."""


@dataclass(frozen=True, slots=True)
class ClipReport:
    """All that a run says of one clip."""

    clip: str
    scores: tuple[ClipScore, ...]
    findings: tuple[str, ...]
    """Failures, odd audio and what the audio checks found."""


def inspect_clip(run: Path, clip: str) -> ClipReport:
    """Scores of one clip with their ranks within the run.

    Args:
        run: A record.json, or the folder that holds one.
        clip: Item id, with ``.takeK`` for another take than the first.

    Raises:
        InputError: no record there, or files that were changed by hand.
        UnknownNameError: no such clip; the message lists close ones.
    """
    record = read_record(record_path(run))
    results = Results((record,), {record.run_id: record_folder(run)})
    rows = {score.metric: results.rows(record.run_id, score.metric) for score in record.scores}
    labels = {clip_label(*key): key for found in rows.values() for key in found}
    lost = {label for score in record.scores for label in score.excluded} | set(record.failures)
    if clip not in labels and clip not in lost:
        raise UnknownNameError("clip", clip, {*labels, *lost})
    key = labels.get(clip, (clip, 0))
    scores = tuple(_score(score, rows[score.metric], key, clip) for score in record.scores)
    return ClipReport(clip, scores, tuple(_findings(record, clip)))


def value_of_clip(metric: str, components: Sequence[float]) -> float | None:
    """A clip's own value from its components; None if its rate has no denominator."""
    row = METRICS.get(metric)
    if row is not None and row.pool == "percent_ratio":
        return 100.0 * components[0] / components[1] if components[1] else None
    return components[0]


def _score(score: Score, rows: Rows, key: ClipKey, clip: str) -> ClipScore:
    if is_set(score.metric):
        # An item contributes once for all its takes, under the first that was scored.
        key = next((at for at in rows if at[0] == key[0]), key)
    known = {at: value_of_clip(score.metric, row) for at, row in rows.items()}
    values = {at: value for at, value in known.items() if value is not None}
    value = values.get(key)
    rank = None
    if value is not None:
        sign = -1.0 if score.better == "higher" else 1.0
        rank = 1 + sum(sign * other < sign * value for other in values.values())
    note = score.excluded.get(clip, "")
    if not note and value is None:
        note = "no contributions of clips" if is_set(score.metric) else "not scored"
    elif not note and is_set(score.metric):
        note = "what the item adds to the value of the set"
    return ClipScore(
        score.metric, score.better, value, rank, len(values), tuple(rows.get(key, ())), note
    )


def _findings(record: RunRecord, clip: str) -> list[str]:
    found = []
    if clip in record.failures:
        found.append(f"not generated: {record.failures[clip]}")
    if clip in record.warnings:
        found.append(record.warnings[clip])
    if record.sanity is not None:
        found += [
            f"{check}: {clips[clip]}"
            for check, clips in record.sanity.findings.items()
            if clip in clips
        ]
    return found


def markdown(report: ClipReport) -> str:
    """A table of the scores, and a list of what is odd."""
    rows = [["metric", "value", "rank in the run", "components", "note"]]
    rows += [
        [
            f"{one.metric} {ARROW[one.better]}",
            EMPTY if one.value is None else number(one.value),
            "" if one.rank is None else f"{one.rank} of {one.of}",
            ", ".join(number(value) for value in one.components),
            one.note,
        ]
        for one in report.scores
    ]
    odd = [f"- {text}" for text in report.findings]
    return "\n".join([f"## {report.clip}", "", *table(rows), "", *odd, *([""] if odd else [])])
