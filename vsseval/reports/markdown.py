"""Leaderboards as Markdown, from records alone: the same records give the same text."""

from __future__ import annotations

from collections.abc import Sequence

from vsseval.records import RunRecord
from vsseval.reports.leaderboard import Column, Leaderboard, Row, leaderboards
from vsseval.types import Score

ARROW = {"higher": "↑", "lower": "↓"}
EMPTY = "-"


def report(records: Sequence[RunRecord]) -> str:
    """One section for each benchmark."""
    sections = [_section(board) for board in leaderboards(records)]
    return "\n".join(["# Leaderboard", "", *sections])


def number(value: float) -> str:
    """Four significant digits without an exponent where that can be read."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    digits = max(0, 3 - _magnitude(value))
    return f"{value:.{min(digits, 4)}f}"


def _magnitude(value: float) -> int:
    return int(f"{value:e}".split("e")[1])


def cell(score: Score | None, *, bold: bool = False) -> str:
    """Value, interval in brackets, and scored/expected where not all clips were scored."""
    if score is None or score.value is None:
        return EMPTY
    value = number(score.value)
    text = f"**{value}**" if bold else value
    if score.interval is not None:
        text += f" [{number(score.interval[0])}, {number(score.interval[1])}]"
    if score.n_scored != score.n_expected:
        text += f" ({score.n_scored}/{score.n_expected})"
    return text


def _section(board: Leaderboard) -> str:
    heads = [
        f"{column.title} {ARROW[column.better]}[^{_mark(board, at)}]"
        for at, column in enumerate(board.columns)
    ]
    lines = [f"## {board.benchmark}", ""]
    lines.append(f"| model | {' | '.join(heads)} | seconds a clip |")
    lines.append("|---" * (len(heads) + 2) + "|")
    lines += [_line(row, board) for row in board.rows if not row.oracle]
    oracles = [row for row in board.rows if row.oracle]
    if oracles:
        lines.append(f"| *oracles, not ranked* |{' |' * (len(heads) + 1)}")
        lines += [_line(row, board) for row in oracles]
    lines += ["", _legend(board), ""]
    notes = _notes(board.rows)
    lines += [*notes, ""] if notes else []
    lines += [
        f"[^{_mark(board, at)}]: {_footnote(column)}" for at, column in enumerate(board.columns)
    ]
    return "\n".join([*lines, ""])


def _mark(board: Leaderboard, at: int) -> str:
    name = board.benchmark.split()[0]
    digest = board.benchmark.rsplit("(", 1)[1][:4]
    return f"{name}-{digest}-{at + 1}"


def _line(row: Row, board: Leaderboard) -> str:
    cells = [
        cell(
            row.cells.get(column.signature),
            bold=(row.record.run_id, column.signature) in board.best,
        )
        for column in board.columns
    ]
    name = f"*{row.label}*" if row.oracle else row.label
    return f"| {name} | {' | '.join(cells)} | {_seconds(row.record)} |"


def _seconds(record: RunRecord) -> str:
    if not record.counts.generated:
        return EMPTY
    seconds = record.cost.seconds / record.counts.generated
    return number(seconds) if seconds >= 0.001 else "<0.001"


def _legend(board: Leaderboard) -> str:
    text = (
        "Value [95 % interval over clips] (clips scored/expected where not all). "
        "Systems stand in the order of their mean rank"
    )
    bold = ", the best of each column in bold" if board.best else ""
    return f"{text}{bold}; oracles read the reference audio and are not ranked."


def _footnote(column: Column) -> str:
    return f"`{column.signature}`, {column.unit}, {column.better} is better"


def _notes(rows: Sequence[Row]) -> list[str]:
    """What a reader must know of a row: failures, odd audio, remarks on values."""
    lines = []
    remarks: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        record = row.record
        if record.counts.failed:
            reason = next(iter(record.failures.values()))
            lines.append(
                f"- {row.label}: {record.counts.failed} of {record.counts.expected} clips were "
                f"not generated; the first: {reason}"
            )
        if record.warnings:
            label, text = next(iter(record.warnings.items()))
            lines.append(f"- {row.label}: {len(record.warnings)} clips are odd; {label}: {text}")
        for score in record.scores:
            if score.note:
                remarks.setdefault((score.metric, score.note), []).append(row.label)
    for (metric, note), labels in remarks.items():
        whose = "" if len(labels) == len(rows) else f" ({', '.join(labels)})"
        lines.append(f"- {metric}{whose}: {note}")
    return lines
