"""Reports over clips cut from the same recordings: what the record knows reaches every test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsseval.reports.compare import compare, markdown
from vsseval.reports.gate import gate
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.pairs import find_results

COPIES = 4
NUMBER = 40
SETS = (("single", 1, True), ("all", COPIES, True), ("no", COPIES, False))
"""Folder, copies of each clip, and whether the record knows which are copies."""


@pytest.fixture
def runs(tmp_path: Path, boards):
    """Writes two runs whose clips are copies of forty, or the forty alone."""
    random = np.random.RandomState(4)
    hard = 5 + random.standard_normal(NUMBER)
    # On the forty p is about 0.07, on the copies taken as clips far below 0.05.
    gap = random.standard_normal(NUMBER)
    gap = (gap - gap.mean()) / gap.std(ddof=1) + 1.85 / np.sqrt(NUMBER)
    parts = random.standard_normal((2, NUMBER)) / NUMBER
    parts -= parts.mean(axis=1, keepdims=True)

    def write(folder: str, copies: int, *, known: bool = True, seeds: int = 1) -> tuple[Path, Path]:
        groups = {
            f"g{at}": tuple(f"i{at + NUMBER * copy:03d}" for copy in range(copies))
            for at in range(NUMBER)
        }
        return tuple(
            boards.run(
                tmp_path / folder,
                name,
                boards.scored("mcd", boards.column(np.tile(values, copies))),
                boards.scored(
                    "fd.aisfx", boards.column(np.tile(part, copies) / copies), value=value
                ),
                groups=groups if known and copies > 1 else {},
                seed=seed,
            )
            for name, values, part, value in (
                ("old", hard, parts[0], 3.0),
                ("new", hard + gap, parts[1], 3.4),
            )
            for seed in range(seeds)
        )

    return write


def test_comparison_of_copies_is_that_of_the_clips(runs) -> None:
    single = {one.metric: one for one in compare(*runs("single", 1))}
    copies = {one.metric: one for one in compare(*runs("copies", COPIES))}
    apart = {one.metric: one for one in compare(*runs("apart", COPIES, known=False))}
    for metric in ("mcd", "fd.aisfx"):
        one, other = single[metric], copies[metric]
        assert other.p_value == pytest.approx(one.p_value, rel=1e-9)
        assert other.interval == pytest.approx(one.interval, rel=1e-9)
        assert other.detectable == pytest.approx(one.detectable, rel=1e-9)
        assert (other.verdict, apart[metric].verdict) == ("tie", "first")
        assert (one.n_both, one.n_groups) == (NUMBER, None)
        assert (other.n_both, other.n_groups) == (COPIES * NUMBER, NUMBER)
        assert apart[metric].p_value < one.p_value / 5


def test_markdown_says_how_many_groups_there_are(runs) -> None:
    names = {"first": "a", "second": "b"}
    assert "| 160 in 40 groups |" in markdown(compare(*runs("copies", COPIES)), names)
    assert "groups |" not in markdown(compare(*runs("single", 1)), names)


def test_groups_that_one_record_knows_are_enough(runs, tmp_path: Path) -> None:
    old, _ = runs("apart", COPIES, known=False)
    _, new = runs("copies", COPIES)
    (both, _) = compare(*runs("copies", COPIES))
    assert compare(old, new)[0].p_value == both.p_value


def test_ranks_of_copies_are_those_of_the_clips(runs, tmp_path: Path) -> None:
    found = {}
    for folder, copies, known in (
        ("single", 1, True),
        ("all", COPIES, True),
        ("no", COPIES, False),
    ):
        runs(folder, copies, known=known)
        (board,) = leaderboards(find_results(tmp_path / folder))
        found[folder] = {
            (run.split("-")[0], signature.split("|")[0]): rank
            for (run, signature), rank in board.ranks.items()
        }
    assert set(found["all"].values()) == {1}
    assert found["all"] == found["single"]
    # Copies taken for clips would rank the new one second in both columns.
    assert found["no"]["new", "mcd"] == found["no"]["new", "fd.aisfx"] == 2


def test_interval_over_seeds_draws_groups(runs, tmp_path: Path) -> None:
    intervals = []
    for folder, copies, known in (
        ("single", 1, True),
        ("all", COPIES, True),
        ("no", COPIES, False),
    ):
        runs(folder, copies, known=known, seeds=2)
        (board,) = leaderboards(find_results(tmp_path / folder), ["mcd"])
        (row,) = [row for row in board.rows if row.record.model.name == "new"]
        intervals.append(row.cells[board.columns[0].signature].interval)
    single, drawn, apart = intervals
    assert drawn == pytest.approx(single, rel=1e-9)
    assert apart[1] - apart[0] < 0.6 * (single[1] - single[0])


def test_gate_judges_copies_as_the_clips(runs) -> None:
    def found(*folders: Path):
        return {check.metric: check for check in gate(*folders).checks}

    single, copies = found(*runs("single", 1)), found(*runs("copies", COPIES))
    apart = found(*runs("apart", COPIES, known=False))
    for metric in ("mcd", "fd.aisfx"):
        assert copies[metric].p_holm == pytest.approx(single[metric].p_holm, rel=1e-9)
    # One-sided: the forty are at 3.5 %, Holm's correction over two metrics leaves 7 %.
    assert (single["mcd"].status, copies["mcd"].status) == ("pass", "pass")
    assert "160 items in 40 groups" in copies["mcd"].reason
    assert apart["mcd"].status == "fail"
    assert apart["mcd"].reason.endswith("160 items)")
