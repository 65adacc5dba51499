"""Leaderboards as CSV and JSON: every number with its interval, rank, counts and signature."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from vsseval.records import RunRecord
from vsseval.reports.leaderboard import Column, Leaderboard, Row, leaderboards
from vsseval.reports.pairs import Results
from vsseval.reports.remarks import notes, warnings

HEAD = (
    "benchmark",
    "model",
    "kind",
    "seeds",
    "metric",
    "title",
    "better",
    "unit",
    "value",
    "low",
    "high",
    "deviation",
    "n_scored",
    "n_expected",
    "rank",
    "best",
    "note",
    "signature",
    "slice",
)


def csv_report(records: Sequence[RunRecord] | Results, patterns: Sequence[str] = ()) -> str:
    """A line for each number; empty fields for what there is not.

    Args:
        records: as :func:`vsseval.reports.leaderboard.leaderboards`.
        patterns: likewise.

    Raises:
        InputError: likewise.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, HEAD, lineterminator="\n")
    writer.writeheader()
    for board in leaderboards(records, patterns):
        for row in board.rows:
            for column in board.columns:
                entry = _entry(board, row, column)
                if entry is not None:
                    writer.writerow(
                        {
                            **entry,
                            "benchmark": board.benchmark,
                            "slice": board.slice,
                            "model": row.label,
                            "kind": _kind(row),
                            "seeds": " ".join(map(str, _seeds(row))),
                            "best": "yes" if entry["best"] else "",
                        }
                    )
    return text.getvalue()


def json_report(records: Sequence[RunRecord] | Results, patterns: Sequence[str] = ()) -> str:
    """One JSON list of leaderboards, published tables apart.

    Args:
        records: as :func:`vsseval.reports.leaderboard.leaderboards`.
        patterns: likewise.

    Raises:
        InputError: likewise.
    """
    boards = [_board(board) for board in leaderboards(records, patterns)]
    return json.dumps(boards, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _board(board: Leaderboard) -> dict[str, object]:
    return {
        "benchmark": board.benchmark,
        "slice": board.slice,
        "rows": [
            {
                "model": row.label,
                "kind": _kind(row),
                "ranked": row.ranked,
                "seeds": _seeds(row),
                "runs": [record.run_id for record in row.records or (row.record,)],
                "mean_rank": board.mean_ranks.get(row.record.run_id),
                "sanity": [
                    asdict(record.sanity)
                    for record in row.records or (row.record,)
                    if record.sanity is not None
                ],
                "scores": [
                    entry
                    for entry in (_entry(board, row, column) for column in board.columns)
                    if entry is not None
                ],
            }
            for row in board.rows
        ],
        "notes": notes(board),
        "warnings": warnings(board),
        "reported": [asdict(table) for table in board.reported],
    }


def _entry(board: Leaderboard, row: Row, column: Column) -> dict[str, object] | None:
    score = row.cells.get(column.signature)
    if score is None:
        return None
    at = (row.record.run_id, column.signature)
    low, high = score.interval or (None, None)
    return {
        "metric": column.metric,
        "title": column.title,
        "better": column.better,
        "unit": column.unit,
        "value": score.value,
        "low": low,
        "high": high,
        "deviation": row.deviations.get(column.signature),
        "n_scored": score.n_scored,
        "n_expected": score.n_expected,
        "rank": board.ranks.get(at),
        "best": at in board.best,
        "note": score.note,
        "signature": column.signature,
    }


def _kind(row: Row) -> str:
    return "oracle" if row.oracle else "system"


def _seeds(row: Row) -> list[int]:
    return [record.seed for record in row.records or (row.record,)]
