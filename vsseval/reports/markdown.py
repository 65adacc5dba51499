"""Leaderboards as Markdown, from records alone: the same records give the same text."""

from __future__ import annotations

from collections.abc import Sequence

from vsseval.records import RunRecord
from vsseval.reports.leaderboard import Column, Leaderboard, Row, leaderboards
from vsseval.reports.pairs import Results
from vsseval.reports.remarks import notes, sanity_table, warnings
from vsseval.reports.reported import ReportedTable, reported_rows
from vsseval.types import Score

ARROW = {"higher": "↑", "lower": "↓"}
EMPTY = "-"


def report(records: Sequence[RunRecord] | Results, patterns: Sequence[str] = ()) -> str:
    """One section for each benchmark.

    Args:
        records: the records; with their folders systems are tested and ranked.
        patterns: metrics to show, all if empty.

    Raises:
        InputError: as :func:`vsseval.reports.leaderboard.leaderboards`.
    """
    sections = [_section(board) for board in leaderboards(records, patterns)]
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


def cell(
    score: Score | None,
    *,
    bold: bool = False,
    rank: int | None = None,
    deviation: float | None = None,
) -> str:
    """Value, deviation over seeds, rank, interval; scored/expected where not all were scored."""
    if score is None or score.value is None:
        return EMPTY
    value = number(score.value)
    text = f"**{value}**" if bold else value
    if deviation is not None:
        text += f" ± {number(deviation)}"
    if rank is not None:
        text += f" #{rank}"
    if score.interval is not None:
        text += f" [{number(score.interval[0])}, {number(score.interval[1])}]"
    if score.n_scored != score.n_expected:
        text += f" ({score.n_scored}/{score.n_expected})"
    return text


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table, its head first."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]


def _section(board: Leaderboard) -> str:
    heads = [
        f"{column.title} {ARROW[column.better]}[^{_mark(board, at)}]"
        for at, column in enumerate(board.columns)
    ]
    place = ["mean rank"] if board.mean_ranks else []
    head = ["model", *place, *heads, "seconds a clip"]
    lines = [f"## {board.benchmark}", "", *table([head])]
    lines += [_line(row, board) for row in board.rows if row.ranked]
    failed = [row for row in board.rows if not row.ranked and not row.oracle]
    oracles = [row for row in board.rows if row.oracle]
    for title, group in (("incomplete, not ranked", failed), ("oracles, not ranked", oracles)):
        if group:
            lines.append(f"| *{title}* |{' |' * (len(head) - 1)}")
            lines += [_line(row, board) for row in group]
    lines += ["", _legend(board), ""]
    for bullets in (notes(board), [f"warning: {text}" for text in warnings(board)]):
        lines += [*(f"- {text}" for text in bullets), ""] if bullets else []
    checks = sanity_table(board.rows)
    lines += [*table(checks), "", _CHECKS, ""] if checks else []
    for reported in reported_rows(board.name):
        lines += _reported(reported)
    lines += [
        f"[^{_mark(board, at)}]: {_footnote(column)}" for at, column in enumerate(board.columns)
    ]
    return "\n".join([*lines, ""])


_CHECKS = (
    "Median level of the clips, that of the references in brackets, and the number of clips in "
    "which each check found something; `vsseval inspect RUN CLIP` says what."
)


def _mark(board: Leaderboard, at: int) -> str:
    digest = board.benchmark.rsplit("(", 1)[1][:4]
    return f"{board.name}-{digest}-{at + 1}"


def _line(row: Row, board: Leaderboard) -> str:
    run = row.record.run_id
    cells = [
        cell(
            row.cells.get(column.signature),
            bold=(run, column.signature) in board.best,
            rank=board.ranks.get((run, column.signature)),
            deviation=row.deviations.get(column.signature),
        )
        for column in board.columns
    ]
    name = f"*{row.label}*" if row.oracle else row.label
    place = [f"{board.mean_ranks[run]:.1f}" if run in board.mean_ranks else ""]
    return f"| {' | '.join([name, *(place if board.mean_ranks else []), *cells, _seconds(row)])} |"


def _seconds(row: Row) -> str:
    records = row.records or (row.record,)
    generated = sum(record.counts.generated for record in records)
    if not generated:
        return EMPTY
    seconds = sum(record.cost.seconds for record in records) / generated
    return number(seconds) if seconds >= 0.001 else "<0.001"


def _legend(board: Leaderboard) -> str:
    text = (
        "Value [95 % interval over clips] (clips scored/expected where not all). "
        "Systems stand in the order of their mean rank"
    )
    bold = ", the best of each column in bold" if board.best else ""
    text += f"{bold}; oracles read the reference audio and are not ranked."
    if any(row.deviations for row in board.rows):
        text += " ± is the standard deviation over seeds."
    if board.ranks:
        text += (
            " #1 + the number of systems that are better in a paired test (5 %, Holm's correction "
            "within the column): systems that cannot be told apart share a rank."
        )
    if board.short or any(row.failed for row in board.rows):
        text += " A value over fewer clips than another system's is not ranked."
    return text


def _footnote(column: Column) -> str:
    return f"`{column.signature}`, {column.unit}, {column.better} is better"


def _reported(reported: ReportedTable) -> list[str]:
    heads = [f"{one.name} {ARROW.get(one.better, '')}".rstrip() for one in reported.metrics]
    rows = [
        [method, *(values.get(one.name, EMPTY) for one in reported.metrics)]
        for method, values in reported.rows.items()
    ]
    title = f"Reported, not measured here: {reported.table}, setting {reported.setting}"
    said = f"Source: {reported.source}; protocol {reported.protocol}; {reported.quality}."
    return [f"### {title}", "", *table([["method", *heads], *rows]), "", said, ""]
