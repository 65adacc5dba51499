"""What stands beside a leaderboard: failures, odd audio, metrics that were gamed, few clips."""

from __future__ import annotations

from collections.abc import Sequence

from vsseval.reports.leaderboard import Column, Leaderboard, Row, value_of
from vsseval.sanity import CHECKS

HOLLOW = ("silence", "noise")
"""Oracles that hear nothing: a metric they win says nothing by itself."""
MISMATCHED = ("shuffled",)
"""Oracles whose sound is real and belongs to another clip."""
FEW_CLIPS = 30


def notes(board: Leaderboard) -> list[str]:
    """Failures, odd audio and the remarks that values carry."""
    lines = []
    remarks: dict[tuple[str, str], list[str]] = {}
    shown = {column.signature for column in board.columns}
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
                lines.append(f"{name}: {len(record.warnings)} clips are odd; {label}: {text}")
        for signature, score in row.cells.items():
            if score.note and signature in shown:
                remarks.setdefault((score.metric, score.note), []).append(row.label)
    for (metric, note), labels in remarks.items():
        whose = "" if len(labels) == len(board.rows) else f" ({', '.join(labels)})"
        lines.append(f"{metric}{whose}: {note}")
    return lines


def warnings(board: Leaderboard) -> list[str]:
    """Columns that can be gamed, and columns with few clips."""
    lines = []
    for column in board.columns:
        values = [value_of(row, column) for row in board.rows if row.ranked]
        known = [value for value in values if value is not None]
        if not known:
            continue
        top = max(known) if column.better == "higher" else min(known)
        winners = [row for row in board.rows if _beats(row, column, top)]
        hollow = [row.label for row in winners if row.record.model.name in HOLLOW]
        strangers = [row.label for row in winners if row.record.model.name in MISMATCHED]
        if hollow:
            lines.append(
                f"{column.title}: {' and '.join(hollow)} scores at least as well as the best "
                "system, so a good value alone proves nothing"
            )
        if strangers:
            lines.append(
                f"{column.title}: the sound of other clips scores at least as well as the best "
                "system, so it does not measure the match with the video"
            )
        clips = max(row.cells[column.signature].n_scored for row in board.rows if _has(row, column))
        if clips < FEW_CLIPS:
            lines.append(f"{column.title}: {clips} clips are too few for small differences to show")
        if column.signature in board.untested:
            lines.append(
                f"{column.title}: no paired test between systems, so they share a rank; "
                "the values alone do not tell them apart"
            )
    return lines


def sanity_table(rows: Sequence[Row]) -> list[list[str]]:
    """Head and a row for each run: clips checked, median levels, clips that each check found.

    Empty if no run was checked.
    """
    table = [["audio checks", "clips", "level (reference)", *CHECKS]]
    for row in rows:
        for record in row.records or (row.record,):
            found = record.sanity
            if found is None:
                continue
            name = row.label if len(row.records) < 2 else f"{row.label}, seed {record.seed}"
            counts = [str(len(found.findings.get(check, {}))) for check in CHECKS]
            table.append(
                [name, str(found.checked), _levels(found.level, found.reference_level), *counts]
            )
    return table if len(table) > 1 else []


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
