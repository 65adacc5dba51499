"""The index of a site: a card for each benchmark, without a script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vsseval.reports.html.content import Board, Row
from vsseval.reports.markdown import number

TOP = 5
"""Systems on a card."""


def index_html(boards: Sequence[Board]) -> str:
    """The document that links to the page of each board."""
    from vsseval.reports.html.page import document

    cards = "\n".join(_card(board) for board in boards)
    return document("index.html", script="", cards=cards)


def _card(board: Board) -> str:
    systems = [row for row in board.rows if row.group == "system"][:TOP]
    lines = "".join(_line(board, row) for row in systems) or (
        "<tr><td>no system without failures yet</td></tr>"
    )
    clips = f"{len(board.clips)} clips, {len(board.rows)} models, {len(board.columns)} metrics"
    about = f"{board.about}. " if board.about else ""
    return (
        f'<li><a href="{escape(board.id)}.html"><h3>{escape(board.name)} '
        f"<small>version {escape(board.version)}, {escape(board.digest[:8])}</small></h3>"
        f"<p>{escape(about)}{clips}.</p><table>{lines}</table></a></li>"
    )


def _line(board: Board, row: Row) -> str:
    """A system, with its mean rank or its value in the first column that has one."""
    said = ""
    if row.mean_rank is not None:
        said = f"mean rank {row.mean_rank:.1f}"
    else:
        for column, cell in zip(board.columns, row.cells, strict=True):
            if cell is not None and cell.value is not None:
                said = f"{column.title} {number(cell.value)}"
                break
    return f'<tr><td>{escape(row.label)}</td><td class="number">{escape(said)}</td></tr>'
