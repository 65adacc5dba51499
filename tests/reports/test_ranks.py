"""Shared ranks, what takes a row or cell out of them, and several seeds of one model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from vsseval.errors import InputError
from vsseval.metrics.statistics import bootstrap_interval
from vsseval.records import read_record, write_record
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.markdown import report
from vsseval.reports.pairs import find_results
from vsseval.score import INTERVAL_SEED


def board(folder: Path, *patterns: str):
    (found,) = leaderboards(find_results(folder), patterns)
    return found


def ranks(folder: Path) -> dict[str, int]:
    """Rank by model, for boards of one column."""
    found = board(folder)
    labels = {row.record.run_id: row.label for row in found.rows}
    return {labels[run]: rank for (run, _), rank in found.ranks.items()}


def noise(seed: int, n: int = 40) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(n)


def test_systems_that_cannot_be_told_apart_share_a_rank(tmp_path: Path, boards) -> None:
    hard = 5 * noise(0)
    for name, gap, seed in (("a", 0.0, 1), ("b", 0.1, 2), ("c", 2.0, 3), ("d", 2.1, 4)):
        clips = boards.column(hard + gap + 0.5 * noise(seed))
        boards.run(tmp_path, name, boards.scored("mcd", clips))
    # Two are better than c and d, none is surely better than b.
    assert ranks(tmp_path) == {"a": 1, "b": 1, "c": 3, "d": 3}


def test_higher_is_better_turns_the_ranks(tmp_path: Path, boards) -> None:
    hard = 0.2 * noise(0)
    for name, gap in (("a", 0.0), ("b", 0.3)):
        rows = boards.column(hard + gap + 0.05 * noise(7))
        boards.run(tmp_path, name, boards.scored("onset_f1", rows))
    assert ranks(tmp_path) == {"a": 2, "b": 1}


def test_holm_within_the_column_keeps_what_a_single_test_would_tell_apart(
    tmp_path: Path, boards
) -> None:
    # Two systems whose single test has p near 0.02, and six more that are far from both.
    gap = noise(5)
    gap = (gap - gap.mean()) / gap.std(ddof=1) + 2.42 / np.sqrt(40)
    hard = 5 * noise(0)
    assert 0.015 < scipy.stats.ttest_1samp(gap, 0.0).pvalue < 0.025
    for name, clips in (("a", hard), ("b", hard + gap)):
        boards.run(tmp_path / "two", name, boards.scored("mcd", boards.column(clips)))
    assert ranks(tmp_path / "two") == {"a": 1, "b": 2}
    for name, clips in (("a", hard), ("b", hard + gap)):
        boards.run(tmp_path / "many", name, boards.scored("mcd", boards.column(clips)))
    for at in range(2):
        twin = boards.column(hard + 0.01 * noise(20 + at))
        boards.run(tmp_path / "many", f"c{at}", boards.scored("mcd", twin))
    # Of six tests the three with b have p near 0.02: none passes 0.05 / 6.
    assert ranks(tmp_path / "many") == {"a": 1, "b": 1, "c0": 1, "c1": 1}


def test_sets_are_ranked_by_contributions(tmp_path: Path, boards) -> None:
    e = noise(1)
    e -= e.mean()
    for name, value in (("a", 10.0), ("b", 10.02), ("c", 14.0)):
        other = 0.1 * (noise(2 if name == "a" else 3) + e) / 40
        clips = boards.column(other - other.mean())
        boards.run(tmp_path, name, boards.scored("fd.aisfx", clips, value=value))
    assert ranks(tmp_path) == {"a": 1, "b": 1, "c": 3}


def test_sets_without_contributions_share_a_rank_and_say_so(tmp_path: Path, boards) -> None:
    for name, value in (("a", 10.0), ("b", 90.0)):
        boards.run(tmp_path, name, boards.scored("fd.aisfx", [], value=value))
    assert ranks(tmp_path) == {"a": 1, "b": 1}
    assert "FD (aiSFX): no paired test between systems" in report(find_results(tmp_path))


def test_oracles_have_no_rank_and_take_none(tmp_path: Path, boards) -> None:
    hard = noise(0)
    boards.run(tmp_path, "reference", boards.scored("mcd", boards.column(hard * 0)), kind="oracle")
    boards.run(tmp_path, "a", boards.scored("mcd", boards.column(hard + 9)))
    boards.run(tmp_path, "b", boards.scored("mcd", boards.column(hard + 12)))
    assert ranks(tmp_path) == {"a": 1, "b": 2}


def test_row_with_a_failed_clip_is_marked_and_not_ranked(tmp_path: Path, boards) -> None:
    hard = noise(0)
    boards.run(tmp_path, "a", boards.scored("mcd", boards.column(hard + 9)))
    boards.run(tmp_path, "b", boards.scored("mcd", boards.column(hard + 12)))
    broken = [None, *boards.column(hard[1:])]
    boards.run(tmp_path, "best", boards.scored("mcd", broken), failures={"i000": "no memory"})
    assert ranks(tmp_path) == {"a": 1, "b": 2}
    found = board(tmp_path)
    assert [row.label for row in found.rows] == ["a", "b", "best"]
    assert {run for run, _ in found.best} == {"a-0-id"}
    text = report(find_results(tmp_path))
    assert text.index("| b |") < text.index("*incomplete, not ranked*") < text.index("| best |")
    assert "- best: 1 of 40 clips were not generated, so it is not ranked" in text


def test_cell_over_fewer_clips_is_marked_and_not_ranked(tmp_path: Path, boards) -> None:
    hard = noise(0)
    full = boards.scored("mcd", boards.column(hard + 9))
    boards.run(tmp_path, "a", full, boards.scored("onset_f1", boards.column(hard + 9)))
    boards.run(tmp_path, "b", replace(full), boards.scored("onset_f1", boards.column(hard)))
    short = boards.scored("mcd", [*boards.column(hard[:39]), None])
    boards.run(tmp_path, "c", short, boards.scored("onset_f1", boards.column(hard + 20)))
    found = board(tmp_path)
    mcd = next(c.signature for c in found.columns if c.metric == "mcd")
    assert found.short == {("c-0-id", mcd)}
    assert ("c-0-id", mcd) not in found.ranks
    # Of three systems, no rank in one of two columns counts as last: (3 + 1) / 2.
    assert found.mean_ranks["c-0-id"] == 2.0
    assert "A value over fewer clips than another system's is not ranked." in report(
        find_results(tmp_path)
    )


def test_without_clips_nothing_is_ranked(tmp_path: Path, boards) -> None:
    for name in "ab":
        boards.run(tmp_path, name, boards.scored("mcd", boards.column(noise(ord(name)))))
    (found,) = leaderboards(find_results(tmp_path).records)
    assert (found.ranks, found.mean_ranks) == ({}, {})


def test_clips_that_are_not_the_record_s_stop_the_report(tmp_path: Path, boards) -> None:
    for name in "ab":
        where = boards.run(tmp_path, name, boards.scored("mcd", boards.column(noise(0))))
    (where / "clips.csv").write_text("item,take,mcd\ni000,0,0.0\n")
    with pytest.raises(InputError, match="changed by hand"):
        board(tmp_path)


def test_run_that_is_there_twice_is_refused(tmp_path: Path, boards) -> None:
    for folder in ("old", "new"):
        boards.run(tmp_path / folder, "a", boards.scored("mcd", boards.column(noise(0))))
    with pytest.raises(InputError, match="run a-0-id is recorded twice"):
        find_results(tmp_path)


# --- seeds ---


def seeds(tmp_path: Path, boards, name: str, values: list[np.ndarray]) -> None:
    for seed, clips in enumerate(values):
        boards.run(tmp_path, name, boards.scored("mcd", boards.column(clips)), seed=seed)


def test_seeds_of_a_model_are_one_row_with_mean_and_deviation(tmp_path: Path, boards) -> None:
    hard = noise(0)
    seeds(tmp_path, boards, "ours", [hard + 1.0, hard + 2.0, hard + 6.0])
    (row,) = board(tmp_path).rows
    assert row.label == "ours (3 seeds)"
    (signature,) = row.cells
    assert row.cells[signature].value == pytest.approx(hard.mean() + 3.0)
    # Deviation of 1, 2, 6 with divisor 2.
    assert row.deviations[signature] == pytest.approx(7.0**0.5)
    # The interval is that of the clips' means over seeds.
    expected = bootstrap_interval((hard + 3.0)[:, None], "mean", seed=INTERVAL_SEED)
    assert row.cells[signature].interval == pytest.approx(expected)
    assert "± 2.646" in report(find_results(tmp_path))


def test_seeds_are_tested_by_their_mean_clip_by_clip(tmp_path: Path, boards) -> None:
    hard = 5 * noise(0)
    seeds(tmp_path, boards, "ours", [hard + 1.0, hard - 1.0])
    seeds(tmp_path, boards, "theirs", [hard + 0.2 + 0.01 * noise(3)])
    assert ranks(tmp_path) == {"ours (2 seeds)": 1, "theirs": 2}


def test_metric_that_one_seed_lacks_has_no_mean(tmp_path: Path, boards) -> None:
    boards.run(tmp_path, "ours", boards.scored("mcd", boards.column(noise(0))), seed=0)
    boards.run(tmp_path, "ours", boards.scored("onset_f1", boards.column(noise(0))), seed=1)
    (row,) = board(tmp_path).rows
    assert [score.value for score in row.cells.values()] == [None, None]
    assert {score.note for score in row.cells.values()} == {"a value for 1 of 2 seeds"}


def test_other_takes_are_no_seed(tmp_path: Path, boards) -> None:
    boards.run(tmp_path, "ours", boards.scored("mcd", boards.column(noise(0))), seed=0)
    twice = boards.scored("mcd", boards.column(noise(1, 80)), takes=2)
    boards.run(tmp_path, "ours", twice, seed=1, takes=2)
    found = board(tmp_path)
    assert len(found.rows) == 2
    # Nor do they share a column.
    assert len(found.columns) == 2


def test_copy_of_a_record_under_another_name_is_still_itself(tmp_path: Path, boards) -> None:
    where = boards.run(tmp_path / "a", "ours", boards.scored("mcd", boards.column(noise(0))))
    record = read_record(where / "record.json")
    write_record(tmp_path / "b", replace(record, run_id="other"), [])
    assert [row.label for row in board(tmp_path).rows] == [
        "ours (seed 0, takes 1, other)",
        "ours (seed 0, takes 1, ours-0)",
    ]
