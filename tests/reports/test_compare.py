"""Two runs side by side: differences, tests, verdicts, and what does not compare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from boards import record, score

from vsseval.errors import InputError
from vsseval.metrics.statistics import holm
from vsseval.records import (
    BenchmarkEntry,
    write_record,
)
from vsseval.reports.compare import _remark, compare, markdown
from vsseval.score import Scored
from vsseval.types import Score


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


def test_ratio_is_compared_over_other_denominators_too(tmp_path: Path) -> None:
    first = ratio_record(tmp_path / "one", [1.0] * 12, [4.0] * 12)
    second = ratio_record(tmp_path / "two", [2.0] * 12, [5.0] * 12)
    (wer,) = compare(first, second)
    assert wer.difference == 15.0
    assert wer.interval == pytest.approx((15.0, 15.0))
    # 2 of the 4096 exchanges of twelve clips are as extreme.
    assert wer.p_value == 2 / 4096


def test_rate_without_words_is_undefined_and_stops_nothing(tmp_path: Path, boards) -> None:
    words = [[0.0, 0.0]] * 12
    nothing = boards.scored("wer.tiny_en", words, value=0.0)
    nothing = replace(nothing, score=replace(nothing.score, value=None, note="undefined: zero"))
    mcd = boards.scored("mcd", boards.column(np.arange(12.0)))
    folders = [boards.run(tmp_path, name, mcd, nothing) for name in ("one", "two")]
    found = {one.metric: one for one in compare(*folders)}
    assert found["mcd"].difference == 0.0
    assert (found["wer.tiny_en"].difference, found["wer.tiny_en"].note) == (None, "undefined: zero")


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
    assert compare(first, second)[1].note == "no value over the clips of both runs"


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


# --- tests and what decides ---


@pytest.fixture
def two(tmp_path: Path, boards) -> tuple[Path, Path]:
    """Runs that differ in mcd, not in onset_f1, and by contributions in fd.aisfx."""
    random = np.random.RandomState(0)
    hard = random.standard_normal(40)
    gap = 0.5 + 0.4 * random.standard_normal(40)
    f1 = random.uniform(0.3, 0.7, 40)
    jitter = 0.1 * random.standard_normal(40)
    e = random.standard_normal((2, 40)) / 40
    folders = []
    for name, mcd, onset, parts, value in (
        ("one", hard, f1, e[0], 10.0),
        ("two", hard + gap, f1 + jitter - jitter.mean(), e[1], 11.5),
    ):
        folders.append(
            boards.run(
                tmp_path,
                name,
                boards.scored("mcd", boards.column(mcd)),
                boards.scored("onset_f1", boards.column(onset)),
                boards.scored("fd.aisfx", boards.column(parts - parts.mean()), value=value),
            )
        )
    return folders[0], folders[1]


def test_verdicts_are_those_of_paired_tests_after_holm(two: tuple[Path, Path]) -> None:
    found = {one.metric: one for one in compare(*two)}
    assert {name: one.verdict for name, one in found.items()} == {
        "mcd": "first",
        "onset_f1": "tie",
        "fd.aisfx": "first",
    }
    order = list(found.values())
    assert [one.p_holm for one in order] == holm([one.p_value for one in order])
    assert found["onset_f1"].difference == pytest.approx(0.0, abs=1e-12)


def test_set_is_compared_by_the_contributions_of_its_clips(two: tuple[Path, Path]) -> None:
    fd = next(one for one in compare(*two) if one.metric == "fd.aisfx")
    random = np.random.RandomState(0)
    for size in (40, 40):
        random.standard_normal(size)
    random.uniform(0.3, 0.7, 40)
    random.standard_normal(40)
    e = random.standard_normal((2, 40))
    # A paired t-test of 40 e_c around the difference.
    expected = scipy.stats.ttest_1samp(1.5 + (e[1] - e[1].mean()) - (e[0] - e[0].mean()), 0.0)
    assert fd.difference == 1.5
    assert fd.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert fd.n_both == 40


def test_deciding_clips_are_those_with_the_largest_gaps(tmp_path: Path, boards) -> None:
    first, second = np.zeros(20), np.full(20, 0.1)
    second[7], second[3] = 9.0, -4.0
    folders = [
        boards.run(tmp_path, name, boards.scored("mcd", boards.column(values)))
        for name, values in (("one", first), ("two", second))
    ]
    (mcd,) = compare(*folders)
    assert [(one.item, one.share) for one in mcd.deciding[:2]] == [
        ("i007", pytest.approx(9 / 20)),
        ("i003", pytest.approx(-4 / 20)),
    ]
    # 18 * 0.1 - 4 + 9 = 6.8 rests on the one clip with 9.
    assert mcd.rests_on == 1


def test_markdown_and_json_say_the_same(two: tuple[Path, Path]) -> None:
    found = compare(*two)
    text = markdown(found, {"first": "ours", "second": "theirs"})
    (line,) = [line for line in text.splitlines() if line.startswith("| mcd ↓ |")]
    parts = [part.strip() for part in line.strip("|").split("|")]
    assert parts[6] == "ours"
    assert parts[9] == "40"
    assert "| onset_f1 ↑ |" in text
    assert " tie |" in text
    assert json.dumps(found[0].p_value) != "NaN"


def test_clips_that_were_changed_by_hand_are_not_compared(two: tuple[Path, Path]) -> None:
    path = two[1] / "clips.csv"
    path.write_text(path.read_text().replace("i000,0,", "i000,0,1"))
    with pytest.raises(InputError, match="changed by hand"):
        compare(*two)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("no more rows (3) than dimensions (5): biased upwards, no interval", "biased upwards"),
        ("fewer than 10 clips: no interval", "fewer than 10 clips"),
    ],
)
def test_note_on_a_difference_does_not_deny_its_interval(note: str, said: str) -> None:
    """That each value has no interval of its own stands beside the interval of the difference."""
    score = Score("fd.aisfx", 1.0, note, "", "lower", "fd.aisfx|v:1", 9, 9, None, {})
    assert _remark(score, score).endswith(said)
