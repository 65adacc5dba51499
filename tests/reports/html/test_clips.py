"""Which clips a page shows first: percentiles, disagreement, the choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsseval.reports.html.clips import (
    badness_of,
    clip_keys,
    clip_of,
    clip_rows,
    contestants,
    disagreement_of,
    findings_of,
    first_to_hear,
    percentiles,
    pool_of,
    scores_of,
)
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.pairs import find_results
from vsseval.reports.rows import Column
from vsseval.sanity import Sanity

LOWER = Column("mcd", "MCD", "lower", "dB", "mcd|v:1")
HIGHER = Column("onset_f1", "F1", "higher", "fraction", "onset_f1|v:1")
RATE = Column("wer.tiny_en", "WER", "lower", "%", "wer|v:1")


def ones(*values: float | None) -> tuple[tuple[float, ...] | None, ...]:
    return tuple(None if value is None else (value,) for value in values)


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("a", ("a", 0)),
        ("a.take2", ("a", 2)),
        ("dir/a.take11", ("dir/a", 11)),
        ("a.takeoff", ("a.takeoff", 0)),
    ],
)
def test_labels_are_items_and_takes(label: str, key: tuple[str, int]) -> None:
    assert clip_of(label) == key


def test_percentiles_run_from_best_to_worst_over_all_rows() -> None:
    found = percentiles([LOWER], [[ones(1.0, 4.0, None)], [ones(2.0, 3.0, 5.0)]])
    # 1 2 3 4 5 in order of badness: 0, 1/4, 1/2, 3/4, 1.
    np.testing.assert_array_equal(found[:, 0], [[0.0, 0.75, np.nan], [0.25, 0.5, 1.0]])


def test_percentiles_of_better_when_higher_are_turned() -> None:
    found = percentiles([HIGHER], [[ones(0.1, 0.5, 0.9)]])
    np.testing.assert_array_equal(found[0, 0], [1.0, 0.5, 0.0])


def test_equal_scores_share_their_percentile() -> None:
    assert percentiles([LOWER], [[ones(2.0, 2.0, 2.0)]])[0, 0].tolist() == [0.5] * 3
    assert percentiles([LOWER], [[ones(2.0)]])[0, 0].tolist() == [0.5]


def test_rates_are_ranked_by_rate_and_not_by_errors() -> None:
    found = percentiles([RATE], [[((2.0, 10.0), (1.0, 2.0), (0.0, 0.0))]])
    np.testing.assert_array_equal(found[0, 0], [0.0, 1.0, np.nan])


def test_badness_is_the_mean_over_the_columns_that_know_the_clip() -> None:
    found = np.array([[[0.0, np.nan, np.nan], [1.0, 0.25, np.nan]]])
    np.testing.assert_array_equal(badness_of(found), [[0.5, 0.25, np.nan]])


def test_disagreement_is_the_widest_gap_between_two_rows() -> None:
    found = np.array([[[0.0, 0.2]], [[0.9, np.nan]], [[0.4, np.nan]]])
    np.testing.assert_allclose(disagreement_of(found), [0.9, np.nan])
    assert np.isnan(disagreement_of(found[:1])).all()


def test_clips_to_hear_are_the_worst_and_the_most_disputed_by_turns() -> None:
    worst = [0.1, 0.9, 0.5, np.nan]
    disputed = [0.8, 0.7, 0.1, np.nan]
    assert first_to_hear(worst, disputed, 3) == [1, 0, 2]
    assert first_to_hear(worst, disputed, 9) == [1, 0, 2, 3]
    assert first_to_hear(worst, disputed, 0) == []


def test_page_scores_keep_what_a_slice_needs() -> None:
    rows = {("a", 0): (1.23456789, 7.0, 9.0), ("b", 0): (2.0, 8.0, 9.0)}
    keys = [("a", 0), ("b", 0), ("c", 0)]
    assert scores_of(LOWER, rows, keys) == ((1.23457,), (2.0,), None)
    assert scores_of(RATE, rows, keys) == ((1.23457, 7.0), (2.0, 8.0), None)


def test_metric_that_is_not_known_has_no_slices() -> None:
    assert pool_of(Column("new", "New", "lower", "u", "new|v:1")) == "unknown"
    assert pool_of(Column("fd.aisfx", "FD", "lower", "u", "fd|v:1")) == "set"


def test_one_system_is_held_against_the_oracles_that_hear_the_clip(boards, tmp_path: Path) -> None:
    clips = boards.column(np.arange(12.0))
    for name in ("reference", "noise", "shuffled", "codec-tiny"):
        boards.run(tmp_path, name, boards.scored("mcd", clips), kind="oracle")
    boards.run(tmp_path, "ours", boards.scored("mcd", clips))
    (board,) = leaderboards(find_results(tmp_path))
    names = [board.rows[at].label for at in contestants(board.rows)]
    assert sorted(names) == ["codec-tiny", "ours", "reference"]
    boards.run(tmp_path, "theirs", boards.scored("mcd", clips))
    (board,) = leaderboards(find_results(tmp_path))
    assert [board.rows[at].label for at in contestants(board.rows)] == ["ours", "theirs"]


def test_failed_and_excluded_clips_are_clips(boards, tmp_path: Path) -> None:
    clips = [[1.0], None, [2.0]]
    failures = {"i007.take1": "out of memory"}
    boards.run(tmp_path, "ours", boards.scored("mcd", clips), failures=failures)
    results = find_results(tmp_path)
    (board,) = leaderboards(results)
    keys = clip_keys(board, clip_rows(board, results))
    assert keys == [("i000", 0), ("i001", 0), ("i002", 0), ("i007", 1)]


def test_findings_gather_failures_warnings_checks_and_lost_scores(boards, tmp_path: Path) -> None:
    boards.run(
        tmp_path,
        "ours",
        boards.scored("mcd", [[1.0], None, None]),
        failures={"i001": "no face"},
        warnings={"i000": "0.5 s too short"},
        sanity=Sanity(1, None, None, {"silent": {"i000": "-80 dBFS"}}),
    )
    (board,) = leaderboards(find_results(tmp_path))
    assert findings_of(board.rows[0], {"i000": 0, "i001": 1, "i002": 2}, board.columns) == {
        "0": ("0.5 s too short", "silent: -80 dBFS"),
        "1": ("not generated: no face",),
        "2": ("no MCD (pymcd): too short",),
    }


def test_several_seeds_show_their_mean(boards, tmp_path: Path) -> None:
    for seed, values in enumerate(([1.0, 2.0], [3.0, 6.0])):
        boards.run(tmp_path, "ours", boards.scored("mcd", boards.column(values)), seed=seed)
    results = find_results(tmp_path)
    (board,) = leaderboards(results)
    ((rows,),) = clip_rows(board, results)
    assert scores_of(board.columns[0], rows, [("i000", 0), ("i001", 0)]) == ((2.0,), (4.0,))
