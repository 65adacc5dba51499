"""What stands beside a leaderboard: failures, odd audio, metrics that were gamed, few clips."""

from __future__ import annotations

from collections.abc import Sequence

from vsseval.reports.leaderboard import Column, Leaderboard, Row, value_of
from vsseval.sanity import CHECKS
from vsseval.types import Score

HOLLOW = ("silence", "noise")
"""Oracles that hear nothing: a metric they win says nothing by itself."""
MISMATCHED = ("shuffled",)
"""Oracles whose sound is real and belongs to another clip."""
FEW_CLIPS = 30
LEVEL = "level (reference)"
SUSPECT = {"near-copy": "near copies of the reference", "duplicate": "copies of each other"}
"""Audio checks that are told of beside the table, and how."""


def notes(board: Leaderboard) -> list[str]:
    """Failures, odd audio, clips that were not scored, and the remarks that values carry."""
    lines = []
    remarks: dict[tuple[str, str], list[str]] = {}
    titles = {column.signature: column.title for column in board.columns}
    for row in board.rows:
        for record in row.records or (row.record,):
            name = row.label if len(row.records) < 2 else f"{row.label}, seed {record.seed}"
            if record.counts.failed:
                reason = next(iter(record.failures.values()))
                lines.append(
                    f"{name}: {record.counts.failed} of {record.counts.expected} clips were "
                    f"not generated, so it is not ranked; the first: {reason}"
                )
            if record.warnings:
                label, text = next(iter(record.warnings.items()))
                odd = (
                    "1 clip is"
                    if len(record.warnings) == 1
                    else f"{len(record.warnings)} clips are"
                )
                lines.append(f"{name}: {odd} odd; {label}: {text}")
        for signature, score in row.cells.items():
            for text in (score.note, _not_scored(row, score)):
                if text and signature in titles:
                    remarks.setdefault((titles[signature], text), []).append(row.label)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (title, text), labels in remarks.items():
        alike.setdefault((text, tuple(labels)), []).append(title)
    for (text, names), of in alike.items():
        whose = "" if len(names) == len(board.rows) else f" of {', '.join(names)}"
        lines.append(f"{', '.join(dict.fromkeys(of))}{whose}: {text}")
    return lines


def lost_clips(row: Row, score: Score) -> dict[str, str]:
    """Clips of a row that were generated and are not in a value, with the reason of each."""
    failed = {label for record in row.records or (row.record,) for label in record.failures}
    excluded = score.excluded if score.value is not None else {}
    return {label: why for label, why in excluded.items() if label not in failed}


def _not_scored(row: Row, score: Score) -> str:
    lost = lost_clips(row, score)
    if not lost:
        return ""
    label, why = next(iter(lost.items()))
    said = f": {why}" if len(set(lost.values())) == 1 else f"; the first: {label}: {why}"
    return f"{len(lost)} of {score.n_expected} clips not scored{said}"


def warnings(board: Leaderboard) -> list[str]:
    """Metrics that can be gamed or are torn apart, columns with few clips, suspect audio."""
    hollow: dict[str, list[str]] = {}
    strangers: list[str] = []
    few: dict[int, list[str]] = {}
    for column in board.columns:
        known = [value_of(row, column) for row in board.rows if row.ranked]
        values = [value for value in known if value is not None]
        if not values:
            continue
        top = max(values) if column.better == "higher" else min(values)
        winners = [row for row in board.rows if _beats(row, column, top)]
        names = [row.label for row in winners if row.record.model.name in HOLLOW]
        if names:
            hollow.setdefault(" and ".join(names), []).append(column.title)
        if any(row.record.model.name in MISMATCHED for row in winners):
            strangers.append(column.title)
        clips = max(row.cells[column.signature].n_scored for row in board.rows if _has(row, column))
        if clips < FEW_CLIPS:
            few.setdefault(clips, []).append(column.title)
    untested = [column.title for column in board.columns if column.signature in board.untested]
    lines = [
        f"{', '.join(titles)}: {names} scores at least as well as the best system, so a good value "
        "alone proves nothing"
        for names, titles in hollow.items()
    ]
    if strangers:
        lines.append(
            f"{', '.join(strangers)}: the sound of other clips scores at least as well as the best "
            "system, so a good value does not show that it fits the video"
        )
    lines += [
        f"{', '.join(titles)}: {clips} clips are too few for small differences to show"
        for clips, titles in few.items()
    ]
    if untested:
        lines.append(
            f"{', '.join(untested)}: no paired test between systems, so they share a rank; the "
            "values alone do not tell them apart"
        )
    return [*lines, *_torn_columns(board.columns), *_suspect_audio(board.rows)]


def _torn_columns(columns: Sequence[Column]) -> list[str]:
    """Metrics that stand in several columns, with the first fields in which they differ."""
    by_metric: dict[str, list[Column]] = {}
    for column in columns:
        by_metric.setdefault(column.metric, []).append(column)
    lines = []
    for metric, apart in by_metric.items():
        if len(apart) < 2:
            continue
        first, second = (column.signature.split("|") for column in apart[:2])
        ours = " ".join(part for part in first if part not in second)
        theirs = " ".join(part for part in second if part not in first)
        lines.append(
            f"{metric} was measured in {len(apart)} ways, which do not compare: {ours or 'none'} "
            f"and {theirs or 'none'}"
        )
    return lines


def _suspect_audio(rows: Sequence[Row]) -> list[str]:
    """Outputs of systems that no honest system gives: copies, of the reference or of each other."""
    lines = []
    for row in rows:
        for record in row.records or (row.record,):
            if row.oracle or record.sanity is None:
                continue
            for check in SUSPECT:
                clips = record.sanity.findings.get(check, {})
                if clips:
                    name, text = next(iter(clips.items()))
                    lines.append(
                        f"{row.label}: {len(clips)} of {record.sanity.checked} clips are "
                        f"{SUSPECT[check]}; {name}: {text}"
                    )
    return lines


def sanity_table(rows: Sequence[Row]) -> list[list[str]]:
    """Head and a row for each run: clips checked, median levels, clips that each check found.

    Empty if no run was checked. On slices there are no levels.
    """
    runs = [
        (row.label if len(row.records) < 2 else f"{row.label}, seed {record.seed}", record.sanity)
        for row in rows
        for record in row.records or (row.record,)
    ]
    checked = [(name, sanity) for name, sanity in runs if sanity is not None]
    if not checked:
        return []
    levels = any(sanity.level is not None for _, sanity in checked)
    table = [["audio checks", "clips", *([LEVEL] if levels else []), *CHECKS]]
    for name, sanity in checked:
        level = [_levels(sanity.level, sanity.reference_level)] if levels else []
        counts = [str(len(sanity.findings.get(check, {}))) for check in CHECKS]
        table.append([name, str(sanity.checked), *level, *counts])
    return table


def checks_said(table: Sequence[Sequence[str]]) -> str:
    """What the columns of :func:`sanity_table` mean; empty for an empty one."""
    if not table:
        return ""
    level = "Level: median over clips, that of the references in brackets. "
    checks = "; ".join(f"{check}: {what}" for check, what in CHECKS.items())
    return f"{level if LEVEL in table[0] else ''}Numbers of clips with a finding. {checks}."


def _levels(level: float | None, reference: float | None) -> str:
    own = "-" if level is None else f"{level:.1f} dBFS"
    return own if reference is None else f"{own} ({reference:.1f})"


def _has(row: Row, column: Column) -> bool:
    return column.signature in row.cells


def _beats(row: Row, column: Column, top: float) -> bool:
    value = value_of(row, column)
    if value is None or not row.oracle:
        return False
    return value >= top if column.better == "higher" else value <= top
