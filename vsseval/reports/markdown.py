"""Leaderboards as Markdown, from records alone: the same records give the same text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vsseval.records import RunRecord
from vsseval.reports.leaderboard import Column, Leaderboard, Row, leaderboards
from vsseval.reports.pairs import Results
from vsseval.reports.remarks import checks_said, notes, sanity_table, warnings
from vsseval.reports.reported import ReportedTable
from vsseval.score import whole_signature
from vsseval.types import Score

ARROW = {"higher": "↑", "lower": "↓"}
EMPTY = "-"


def report(records: Sequence[RunRecord] | Results, patterns: Sequence[str] = ()) -> str:
    """One section for each benchmark; of several slices of it one table, a line a slice and model.

    Args:
        records: the records; with their folders systems are tested and ranked.
        patterns: metrics to show, all if empty.

    Raises:
        InputError: as :func:`vsseval.reports.leaderboard.leaderboards`.
    """
    groups: dict[str, list[Leaderboard]] = {}
    for board in leaderboards(records, patterns):
        groups.setdefault(board.benchmark, []).append(board)
    sections = [
        _section(boards[0]) if len(boards) == 1 else _breakdown(boards)
        for boards in groups.values()
    ]
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
    place = ["mean rank"] if board.mean_ranks else []
    heads = [_head(board, at, column) for at, column in enumerate(board.columns)]
    # Of single clips no record holds the time.
    head = ["model", *place, *heads, *([] if board.slice else ["seconds a clip"])]
    lines = [f"## {board.title}", "", *table([head])]
    lines += [_line(row, board) for row in board.rows if row.ranked]
    failed = [row for row in board.rows if not row.ranked and not row.oracle]
    oracles = [row for row in board.rows if row.oracle]
    for title, group in (("incomplete, not ranked", failed), ("oracles, not ranked", oracles)):
        if group:
            lines.append(f"| *{title}* |{' |' * (len(head) - 1)}")
            lines += [_line(row, board) for row in group]
    lines += ["", _legend([board]), ""]
    for bullets in (notes(board), [f"warning: {text}" for text in warnings(board)]):
        lines += [*(f"- {text}" for text in bullets), ""] if bullets else []
    checks = sanity_table(board.rows)
    said = f"{checks_said(checks)} `vsseval inspect RUN CLIP` says what was found in a clip."
    lines += [*table(checks), "", said, ""] if checks else []
    for reported in board.reported:
        lines += _reported(reported)
    lines += [
        f"[^{_mark(board, at)}]: {_footnote(column)}" for at, column in enumerate(board.columns)
    ]
    return "\n".join([*lines, ""])


def _breakdown(boards: Sequence[Leaderboard]) -> str:
    """Slices of one benchmark below each other."""
    columns: dict[str, Column] = {}
    for board in boards:
        for column in board.columns:
            columns.setdefault(whole_signature(column.signature), column)
    heads = [_head(boards[0], at, column) for at, column in enumerate(columns.values())]
    rows = [["slice", "clips", "model", *heads]]
    remarks: dict[str, list[str]] = {}
    for board in boards:
        signatures = {whole_signature(one.signature): one.signature for one in board.columns}
        for row in board.rows:
            cells = [_cell(row, board, signatures.get(column, "")) for column in columns]
            clips = str(row.record.counts.expected)
            rows.append([board.slice.replace("|", "\\|"), clips, _name(row), *cells])
        for text in [*notes(board), *(f"warning: {text}" for text in warnings(board))]:
            remarks.setdefault(text, []).append(board.slice)
    lines = [f"## {boards[0].benchmark} by slice", "", *table(rows), ""]
    lines += [f"A line a slice and model; ranks are within the slice. {_legend(boards)}", ""]
    for text, slices in remarks.items():
        whose = "" if len(slices) == len(boards) else f" (slice {', '.join(slices)})"
        lines.append(f"- {text}{whose}")
    lines += [""] if remarks else []
    lines += [
        f"[^{_mark(boards[0], at)}]: {_footnote(replace(column, signature=signature))}, on the "
        "slice of the line"
        for at, (signature, column) in enumerate(columns.items())
    ]
    return "\n".join([*lines, ""])


def _mark(board: Leaderboard, at: int) -> str:
    digest = board.benchmark.rsplit("(", 1)[1][:4]
    return f"{board.name}-{digest}-{at + 1}"


def _head(board: Leaderboard, at: int, column: Column) -> str:
    return f"{column.title} {ARROW[column.better]}[^{_mark(board, at)}]"


def _name(row: Row) -> str:
    return f"*{row.label}*" if row.oracle else row.label


def _line(row: Row, board: Leaderboard) -> str:
    run = row.record.run_id
    cells = [_cell(row, board, column.signature) for column in board.columns]
    place = [f"{board.mean_ranks[run]:.1f}" if run in board.mean_ranks else ""]
    seconds = [] if board.slice else [_seconds(row)]
    shown = [_name(row), *(place if board.mean_ranks else []), *cells, *seconds]
    return f"| {' | '.join(shown)} |"


def _cell(row: Row, board: Leaderboard, signature: str) -> str:
    at = (row.record.run_id, signature)
    return cell(
        row.cells.get(signature),
        bold=at in board.best,
        rank=board.ranks.get(at),
        deviation=row.deviations.get(signature),
    )


def _seconds(row: Row) -> str:
    records = row.records or (row.record,)
    generated = sum(record.counts.generated for record in records)
    if not generated:
        return EMPTY
    seconds = sum(record.cost.seconds for record in records) / generated
    return number(seconds) if seconds >= 0.001 else "<0.001"


def _legend(boards: Sequence[Leaderboard]) -> str:
    text = (
        "Value [95 % interval over clips] (clips scored/expected where not all). "
        "Systems stand in the order of their mean rank"
    )
    bold = ", the best of each column in bold" if any(board.best for board in boards) else ""
    text += f"{bold}; oracles read the reference audio and are not ranked."
    if any(row.deviations for board in boards for row in board.rows):
        text += " ± is the standard deviation over seeds."
    if any(board.ranks for board in boards):
        text += (
            " #1 + the number of systems that are better in a paired test (5 %, Holm's correction "
            "within the column): systems that cannot be told apart share a rank."
        )
    if any(board.short or any(row.failed for row in board.rows) for board in boards):
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
