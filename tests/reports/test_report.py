"""Leaderboards and comparisons from written-out records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from boards import record, score

from vsseval.records import (
    BenchmarkEntry,
    Counts,
    find_records,
    write_record,
)
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.markdown import cell, number, report
from vsseval.reports.remarks import notes
from vsseval.reports.terminal import summary


def line(text: str, name: str) -> list[str]:
    (found,) = [
        row for row in text.splitlines() if row.startswith((f"| {name} |", f"| *{name}* |"))
    ]
    return [part.strip() for part in found.strip("|").split("|")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.0, "1.000"),
        (0.98765, "0.9877"),
        (12.3456, "12.35"),
        (123.456, "123.5"),
        (-4.42163, "-4.422"),
        (98765.4, "98765"),
        (5.684e-14, "5.68e-14"),
        (0.00012345, "0.0001"),
    ],
)
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_cell_shows_interval_and_incomplete_counts() -> None:
    full = score("mcd", 3.0, interval=(2.5, 3.5))
    assert cell(full) == "3.000 [2.500, 3.500]"
    assert cell(replace(full, n_scored=3), bold=True) == "**3.000** [2.500, 3.500] (3/4)"
    assert cell(score("mcd", None)) == "-"
    assert cell(None) == "-"


def test_best_system_is_bold_and_oracles_never_are() -> None:
    text = report(
        [
            record("ours", score("onset_f1", 0.5), score("mcd", 3.0)),
            record("theirs", score("onset_f1", 0.4), score("mcd", 2.0)),
            record("reference", score("onset_f1", 1.0), score("mcd", 0.0), kind="oracle"),
        ]
    )
    assert line(text, "ours") == ["ours", "**0.5000**", "3.000", "0.5000"]
    assert line(text, "theirs") == ["theirs", "0.4000", "**2.000**", "0.5000"]
    assert line(text, "reference")[1:3] == ["1.000", "0"]
    assert text.index("| theirs") < text.index("oracles, not ranked") < text.index("*reference*")


def test_single_system_has_no_contest() -> None:
    assert "**" not in report([record("ours", score("mcd", 3.0))])


def test_headings_point_in_the_better_direction() -> None:
    text = report([record("ours", score("onset_f1", 0.5), score("mcd", 3.0))])
    assert "Onset F1 ↑" in text
    assert "MCD (pymcd) ↓" in text


def test_two_signatures_never_share_a_column() -> None:
    other = score("mcd", 1.0, signature="mcd|enc:e-2|n:4/4|v:1")
    text = report([record("ours", score("mcd", 3.0)), record("theirs", other)])
    assert sorted([line(text, "ours")[1:3], line(text, "theirs")[1:3]]) == [
        ["-", "1.000"],
        ["3.000", "-"],
    ]
    assert text.count("]: `mcd|enc:") == 2
    assert "**" not in text


def test_counts_do_not_split_a_column_and_fewer_clips_have_no_best() -> None:
    fewer = score("mcd", 1.0, n_scored=3, signature="mcd|enc:e-1|n:3/4|v:1")
    text = report([record("ours", score("mcd", 3.0)), record("theirs", fewer)])
    assert line(text, "theirs")[1] == "1.000 (3/4)"


def test_every_column_has_a_footnote_with_its_signature() -> None:
    text = report([record("ours", score("onset_f1", 0.5), score("mcd", 3.0))])
    heading = next(row for row in text.splitlines() if row.startswith("| model"))
    marks = [part.split("]")[0] for part in heading.split("[^")[1:]]
    assert len(marks) == 2
    for mark in marks:
        assert f"\n[^{mark}]: `" in text
    assert "`mcd|enc:e-1|v:1`" in text


def test_benchmarks_and_their_versions_stand_apart() -> None:
    other = BenchmarkEntry("toy", "2", "sound", "ffffff0123456789")
    boards = leaderboards(
        [
            record("ours", score("mcd", 3.0)),
            record("ours", score("mcd", 3.0), benchmark=other, run_id="b"),
        ]
    )
    assert [board.benchmark for board in boards] == ["toy 1 (abcdef01)", "toy 2 (ffffff01)"]
    assert [len(board.rows) for board in boards] == [1, 1]


def test_systems_stand_in_the_order_of_mean_rank() -> None:
    # Ranks: worst (3, 3), middle (2, 1), top (1, 2); middle and top tie at 1.5 and go by name.
    records = [
        record("worst", score("onset_f1", 0.1), score("mcd", 9.0)),
        record("top", score("onset_f1", 0.9), score("mcd", 2.0)),
        record("middle", score("onset_f1", 0.5), score("mcd", 1.0)),
    ]
    (board,) = leaderboards(records)
    assert [row.label for row in board.rows] == ["middle", "top", "worst"]


def test_system_without_a_value_ranks_last_in_that_column() -> None:
    (board,) = leaderboards([record("a", score("mcd", None)), record("b", score("mcd", 9.0))])
    assert [row.label for row in board.rows] == ["b", "a"]


def test_runs_of_one_model_are_told_apart() -> None:
    text = report(
        [
            record("ours", score("mcd", 3.0), run_id="111111222222"),
            record("ours", score("mcd", 2.0), run_id="333333444444", seed=1, limit=8),
        ]
    )
    assert "| ours (seed 0, takes 1, 111111) |" in text
    assert "| ours (seed 1, takes 1, first 8, 333333) |" in text


def test_notes_say_failures_odd_audio_and_missing_values() -> None:
    one = record(
        "ours",
        score("mcd", None),
        counts=Counts(4, 3, 1),
        failures={"c": "out of memory"},
        warnings={"a": "0.5 s long"},
    )
    text = report([one])
    assert (
        "- ours: 1 of 4 clips were not generated, so it is not ranked; the first: out of memory"
        in text
    )
    assert "- ours: 1 clip is odd; a: 0.5 s long" in text
    assert "- MCD (pymcd): undefined: why" in text


def test_remark_that_only_some_rows_have_names_them() -> None:
    rows = [record("a", score("mcd", None)), record("b", score("mcd", 1.0, note="few clips"))]
    text = report([*rows, record("c", score("mcd", 2.0, note="few clips"))])
    assert "- MCD (pymcd) of a: undefined: why" in text
    assert "- MCD (pymcd) of b, c: few clips" in text


def test_remark_that_several_metrics_share_stands_once() -> None:
    (note,) = notes(
        leaderboards([record("a", *(score(m, 1.0, note="far apart") for m in ("mcd", "mcd_dtw")))])[
            0
        ]
    )
    assert note == "MCD (pymcd), MCD-DTW (pymcd): far apart"


def test_clips_that_were_not_scored_are_counted_with_the_reason() -> None:
    lost = {"n_scored": 2, "excluded": {"x": "too short", "y": "too short"}}
    rows = [
        record("a", score("mcd", 1.0, **lost), score("onset_f1", None, note="why", **lost)),
        record("b", score("mcd", 1.0, **lost), counts=Counts(4, 3, 1), failures={"y": "no memory"}),
        record("c", score("mcd", 1.0, n_scored=2, excluded={"x": "too short", "y": "no words"})),
    ]
    (board,) = leaderboards(rows)
    assert notes(board) == [
        "b: 1 of 4 clips were not generated, so it is not ranked; the first: no memory",
        "MCD (pymcd) of a: 2 of 4 clips not scored: too short",
        "Onset F1 of a: why",
        "MCD (pymcd) of c: 2 of 4 clips not scored; the first: x: too short",
        # That one failed is said above.
        "MCD (pymcd) of b: 1 of 4 clips not scored: too short",
    ]


def test_terminal_summary_has_models_as_columns() -> None:
    text = summary(
        [
            record("ours", score("mcd", 3.0)),
            record("theirs", score("mcd", 2.0)),
            record("noise", score("mcd", 8.0), kind="oracle"),
        ]
    )
    rows = [row.split() for row in text.splitlines()]
    assert ["theirs", "ours", "(noise)"] in rows
    assert ["MCD", "(pymcd)", "↓", "2.000*", "3.000", "8.000"] in rows


def test_report_depends_on_the_records_alone(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_record(tmp_path / name, record(name, score("mcd", 3.0)), [])
    records = [found for _, found in find_records(tmp_path)]
    assert report(records) == report(records[::-1])
