"""Leaderboards and comparisons from written-out records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.records import (
    BenchmarkEntry,
    Cost,
    Counts,
    ModelEntry,
    RunRecord,
    find_records,
    write_record,
)
from vsseval.reports.compare import compare
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.markdown import cell, number, report
from vsseval.reports.terminal import summary
from vsseval.score import Scored
from vsseval.types import Score


def score(metric: str, value: float | None, **changes: object) -> Score:
    fields = {
        "metric": metric,
        "value": value,
        "note": "" if value is not None else "undefined: why",
        "unit": "u",
        "better": "higher" if metric == "onset_f1" else "lower",
        "signature": f"{metric}|enc:e-1|n:4/4|v:1",
        "n_expected": 4,
        "n_scored": 4,
        "interval": None,
        "excluded": {},
    }
    return Score(**{**fields, **changes})


def record(name: str, *scores: Score, kind: str = "system", **changes: object) -> RunRecord:
    fields = {
        "run_id": f"{name}-id",
        "model": ModelEntry(name, kind, {"name": name}),
        "benchmark": BenchmarkEntry("toy", "1", "sound", "abcdef0123456789"),
        "seed": 0,
        "takes": 1,
        "limit": None,
        "counts": Counts(4, 4, 0),
        "cost": Cost(2.0, 0.5, 8),
        "failures": {},
        "warnings": {},
        "notes": (),
        "scores": scores,
        "environment": {},
    }
    return RunRecord(**{**fields, **changes})


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


def test_counts_do_not_split_a_column() -> None:
    fewer = score("mcd", 1.0, n_scored=3, signature="mcd|enc:e-1|n:3/4|v:1")
    text = report([record("ours", score("mcd", 3.0)), record("theirs", fewer)])
    assert line(text, "theirs")[1] == "**1.000** (3/4)"


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
    assert "- ours: 1 of 4 clips were not generated; the first: out of memory" in text
    assert "- ours: 1 clips are odd; a: 0.5 s long" in text
    assert "- mcd: undefined: why" in text


def test_remark_that_only_some_rows_have_names_them() -> None:
    rows = [record("a", score("mcd", None)), record("b", score("mcd", 1.0, note="few clips"))]
    text = report([*rows, record("c", score("mcd", 2.0, note="few clips"))])
    assert "- mcd (a): undefined: why" in text
    assert "- mcd (b, c): few clips" in text


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


# --- compare ---


def written(folder: Path, name: str, components: dict[str, list[float]], **changes: object) -> Path:
    """A record of mcd with these components, and of the set-scope metric fd.aisfx."""
    rows = {(item, 0): np.array(row) for item, row in components.items()}
    one = score("mcd", float(np.mean([row[0] for row in components.values()])))
    other = score("fd.aisfx", 10.0 * len(name))
    write_record(
        folder / name,
        record(name, one, other, **changes),
        [Scored(one, rows), Scored(other, {})],
    )
    return folder / name


def test_difference_is_over_the_clips_of_both(tmp_path: Path) -> None:
    first = written(tmp_path, "one", {"a": [1.0], "b": [2.0], "c": [90.0]})
    second = written(tmp_path, "three", {"b": [5.0], "a": [2.0], "d": [80.0]})
    fd, mcd = compare(first, second / "record.json")
    # Over a and b: 1.5 and 3.5.
    assert (mcd.metric, mcd.first, mcd.second, mcd.difference) == ("mcd", 1.5, 3.5, 2.0)
    assert mcd.n_both == 2
    assert (fd.first, fd.second, fd.difference, fd.n_both) == (30.0, 50.0, 20.0, None)


def test_pairing_finds_a_small_steady_difference(tmp_path: Path) -> None:
    spread = np.random.default_rng(0).normal(0, 10, 50)
    first = written(tmp_path, "one", {f"i{n}": [float(x)] for n, x in enumerate(spread)})
    second = written(tmp_path, "two", {f"i{n}": [float(x + 0.5)] for n, x in enumerate(spread)})
    _, mcd = compare(first, second)
    # Every clip differs by 0.5 although clips differ by 10 among themselves.
    assert mcd.interval == pytest.approx((0.5, 0.5))


def ratio_record(folder: Path, edits: list[float], words: list[float]) -> Path:
    rows = {(f"i{n}", 0): np.array(row) for n, row in enumerate(zip(edits, words, strict=True))}
    one = score("wer.tiny_en", 100 * sum(edits) / sum(words))
    write_record(folder, record(folder.name, one), [Scored(one, rows)])
    return folder


def test_ratio_is_compared_over_equal_denominators(tmp_path: Path) -> None:
    first = ratio_record(tmp_path / "one", [1.0] * 12, [4.0] * 12)
    second = ratio_record(tmp_path / "two", [2.0] * 12, [4.0] * 12)
    (wer,) = compare(first, second)
    assert (wer.first, wer.second, wer.difference) == (25.0, 50.0, 25.0)
    assert wer.interval == pytest.approx((25.0, 25.0))


def test_ratio_with_other_denominators_has_no_interval(tmp_path: Path) -> None:
    first = ratio_record(tmp_path / "one", [1.0] * 12, [4.0] * 12)
    second = ratio_record(tmp_path / "two", [2.0] * 12, [5.0] * 12)
    (wer,) = compare(first, second)
    assert wer.difference == 15.0
    assert wer.interval is None
    assert "denominators differ" in wer.note


def test_signatures_that_differ_are_not_subtracted(tmp_path: Path) -> None:
    first = written(tmp_path, "one", {"a": [1.0]})
    other = score("mcd", 5.0, signature="mcd|enc:e-2|n:4/4|v:1")
    write_record(tmp_path / "two", record("two", other), [Scored(other, {})])
    (mcd,) = compare(first, tmp_path / "two")
    assert mcd.difference is None
    assert mcd.note.startswith("not comparable")


def test_runs_without_a_common_clip_have_no_difference(tmp_path: Path) -> None:
    first = written(tmp_path, "one", {"a": [1.0]})
    second = written(tmp_path, "two", {"b": [1.0]})
    assert compare(first, second)[1].note == "no clip was scored in both runs"


def test_other_benchmarks_do_not_compare(tmp_path: Path) -> None:
    first = written(tmp_path, "one", {"a": [1.0]})
    bench = BenchmarkEntry("other", "1", "sound", "00000000ffff")
    second = written(tmp_path, "two", {"a": [1.0]}, benchmark=bench)
    with pytest.raises(InputError, match="different benchmarks do not compare"):
        compare(first, second)


def test_no_common_metric_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "one", record("one", score("mcd", 1.0)), [])
    write_record(tmp_path / "two", record("two", score("onset_f1", 1.0)), [])
    with pytest.raises(InputError, match="no metric in common: mcd and onset_f1"):
        compare(tmp_path / "one", tmp_path / "two")
