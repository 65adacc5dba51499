r"""Leaderboards as LaTeX tables with booktabs, to be put into a paper with ``\input``.

The best value of a column is bold and the second underlined; a dagger marks a value that no paired
test tells apart from the best, a double dagger one over fewer clips, which is not ranked.
"""

from __future__ import annotations

from collections.abc import Sequence

from vsseval.records import RunRecord
from vsseval.reports.leaderboard import Column, Leaderboard, Row, leaderboards
from vsseval.reports.markdown import number
from vsseval.reports.pairs import Results
from vsseval.reports.remarks import notes
from vsseval.reports.reported import ReportedTable

ARROW = {"higher": r"$\uparrow$", "lower": r"$\downarrow$"}
EMPTY = "--"
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "[": "{[}",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "²": r"\textsuperscript{2}",
    "±": r"$\pm$",
    "\u00d7": r"$\times$",
    "µ": r"$\mu$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
}
_BREAKS = "|:;,+@/"
"""Characters of a signature after which a line may end."""


def latex_report(records: Sequence[RunRecord] | Results, patterns: Sequence[str] = ()) -> str:
    """One table for each benchmark, and one for each published table on it.

    Args:
        records: as :func:`vsseval.reports.leaderboard.leaderboards`.
        patterns: likewise.

    Raises:
        InputError: likewise.
    """
    parts = ["% written by `vsseval report --format latex`; needs \\usepackage{booktabs}"]
    for board in leaderboards(records, patterns):
        parts.append(_table(board))
        parts += [_reported(board, table) for table in board.reported]
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Text as LaTeX sets it; letters beyond the Latin ones, which it may not know, as numbers."""
    return "".join(
        _SPECIAL.get(character, character if ord(character) < 0x180 else f"U+{ord(character):04X}")
        for character in text
    )


def _table(board: Leaderboard) -> str:
    heads = [_head(column, at) for at, column in enumerate(board.columns)]
    lines = [rf"\begin{{tabular}}{{l{'c' * len(heads)}}}", r"\toprule"]
    lines += [rf"Model & {' & '.join(heads)} \\", r"\midrule"]
    groups = [
        [row for row in board.rows if row.ranked],
        [row for row in board.rows if not row.ranked and not row.oracle],
        [row for row in board.rows if row.oracle],
    ]
    bodies = [[_line(row, board) for row in group] for group in groups if group]
    for at, body in enumerate(bodies):
        lines += [*([r"\midrule"] if at else []), *body]
    lines += [r"\bottomrule", r"\end{tabular}"]
    said = [_legend(board), *(escaped(f"{text}.") for text in notes(board))]
    said += [
        rf"\textsuperscript{{{_letter(at)}}} {_signature(column)}"
        for at, column in enumerate(board.columns)
    ]
    return _float(lines, rf"Leaderboard of {escaped(board.title)}.", said)


def _head(column: Column, at: int) -> str:
    """Title over two lines, what stands in brackets below, so that columns stay narrow."""
    title = column.title
    cut = title.find(" (") if " (" in title else title.rfind(" ")
    mark = rf"{ARROW[column.better]}\textsuperscript{{{_letter(at)}}}"
    if cut < 0:
        return f"{escaped(title)} {mark}"
    return rf"\shortstack{{{escaped(title[:cut])}\\{escaped(title[cut + 1 :])} {mark}}}"


def _float(lines: Sequence[str], caption: str, said: Sequence[str]) -> str:
    return "\n".join(
        [
            r"\begin{table*}",
            r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{caption}}}",
            *lines,
            r"\par\smallskip\raggedright\tiny",
            *(rf"{text}\par" for text in said),
            r"\end{table*}",
            "",
        ]
    )


def _line(row: Row, board: Leaderboard) -> str:
    name = escaped(row.label)
    if not row.ranked:
        name = rf"\textit{{{name}}}"
    return rf"{name} & {' & '.join(_cell(row, column, board) for column in board.columns)} \\"


def _cell(row: Row, column: Column, board: Leaderboard) -> str:
    score = row.cells.get(column.signature)
    if score is None or score.value is None:
        return EMPTY
    at = (row.record.run_id, column.signature)
    text = _number(score.value)
    if at in board.best:
        text = rf"\textbf{{{text}}}"
    elif at in board.second:
        text = rf"\underline{{{text}}}"
    if at in board.short or (row.failed and score.n_scored != score.n_expected):
        text += r"\textsuperscript{\ddag}"
    elif board.ranks.get(at) == 1 and at not in board.best:
        text += r"\textsuperscript{\dag}"
    if column.signature in row.deviations:
        text += rf"\,$\pm$\,{_number(row.deviations[column.signature])}"
    if score.interval is not None:
        low, high = score.interval
        ends = rf"{{\tiny[{_number(low)}, {_number(high)}]}}"
        text = rf"\begin{{tabular}}[t]{{@{{}}c@{{}}}}{text}\\{ends}\end{{tabular}}"
    return text


def _number(value: float) -> str:
    return number(value).replace("-", "$-$", 1) if value < 0 else number(value)


def _legend(board: Leaderboard) -> str:
    text = "Value [95\\,\\% interval over clips]"
    if board.best:
        text += r", best of each column in bold, second underlined"
    if board.ranks:
        text += (
            r"; \textsuperscript{\dag} not told apart from the best by a paired test "
            r"(5\,\%, Holm's correction within the column)"
        )
    if board.short or any(row.failed for row in board.rows):
        text += r"; \textsuperscript{\ddag} over fewer clips and not ranked"
    return f"{text}. Rows in italics are not ranked."


def _signature(column: Column) -> str:
    set_ = "".join(
        escaped(character) + (r"\allowbreak{}" if character in _BREAKS else "")
        for character in column.signature
    )
    return rf"\texttt{{{set_}}}, {escaped(column.unit)}, {column.better} is better."


def _letter(at: int) -> str:
    """Footnote mark of a column: a to z, then aa, ab, and so on."""
    return chr(97 + at) if at < 26 else _letter(at // 26 - 1) + chr(97 + at % 26)


def _reported(board: Leaderboard, table: ReportedTable) -> str:
    heads = [f"{escaped(one.name)} {ARROW.get(one.better, '')}".rstrip() for one in table.metrics]
    lines = [rf"\begin{{tabular}}{{l{'c' * len(heads)}}}", r"\toprule"]
    lines += [rf"Method & {' & '.join(heads)} \\", r"\midrule"]
    lines += [
        rf"{escaped(method)} & "
        + " & ".join(escaped(values.get(one.name, EMPTY)) for one in table.metrics)
        + r" \\"
        for method, values in table.rows.items()
    ]
    lines += [r"\bottomrule", r"\end{tabular}"]
    caption = (
        f"Reported on {board.name}, not measured here: {table.table}, setting {table.setting}."
    )
    said = f"Source: {table.source}; protocol {table.protocol}; {table.quality}."
    return _float(lines, escaped(caption), [escaped(said)])
