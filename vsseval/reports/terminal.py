"""Leaderboards for a terminal: a line for each metric, a column for each model."""

from __future__ import annotations

from collections.abc import Sequence

from vsseval.errors import InputError
from vsseval.records import RunRecord
from vsseval.reports.leaderboard import Leaderboard, leaderboards, value_of
from vsseval.reports.markdown import ARROW, EMPTY, number
from vsseval.reports.pairs import Results

BLOCK_START, BLOCK_END = "<!-- leaderboard -->", "<!-- /leaderboard -->"
"""Marks in a document between which the leaderboard stands."""


def insert_summary(document: str, records: Sequence[RunRecord] | Results) -> str:
    """The document with the leaderboard, as a code block, between its marks.

    Raises:
        InputError: the document does not hold the two marks, in this order.
    """
    before, start, rest = document.partition(BLOCK_START)
    _, end, after = rest.partition(BLOCK_END)
    if not (start and end):
        raise InputError(f"the document has no lines {BLOCK_START} and {BLOCK_END}, add them")
    return f"{before}{start}\n```text\n{summary(records)}\n```\n{end}{after}"


def summary(records: Sequence[RunRecord] | Results) -> str:
    """One table for each benchmark; ``*`` marks the best system, ``( )`` an oracle."""
    return "\n\n".join(_table(board) for board in leaderboards(records))


def _table(board: Leaderboard) -> str:
    heads = [f"({row.label})" if row.oracle else row.label for row in board.rows]
    rows = [["", *heads]]
    for column in board.columns:
        cells = []
        for row in board.rows:
            value = value_of(row, column)
            best = (row.record.run_id, column.signature) in board.best
            cells.append(EMPTY if value is None else number(value) + ("*" if best else ""))
        rows.append([f"{column.title} {ARROW[column.better]}", *cells])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(
            text.rjust(width) if at else text.ljust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([board.title, rule, lines[0], rule, *lines[1:]])
