"""A board says of each row and cell what the leaderboard says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsseval.reports.html.board import board_of
from vsseval.reports.html.content import Board, Media
from vsseval.reports.html.index import index_html
from vsseval.reports.html.media import Sources
from vsseval.reports.leaderboard import Leaderboard, leaderboards
from vsseval.reports.pairs import find_results

N = 40


@pytest.fixture
def noise() -> np.ndarray:
    values = np.random.default_rng(5).normal(0, 0.1, N)
    return values - values.mean()


def made(folder: Path) -> tuple[Leaderboard, Board, list[Media]]:
    results = find_results(folder)
    (board,) = leaderboards(results)
    return board, *board_of(board, results, Sources(folder / "cache"))


@pytest.fixture
def several(boards, tmp_path: Path, noise: np.ndarray) -> tuple[Leaderboard, Board, list[Media]]:
    """Two systems alike, one worse, one that scored fewer clips, one that failed, an oracle."""
    for name, offset in (("one", 3.0), ("other", 3.001), ("worse", 5.0)):
        clips = boards.column(offset + noise * (1 if name != "other" else -1))
        boards.run(tmp_path, name, boards.scored("mcd", clips))
    boards.run(tmp_path, "fewer", boards.scored("mcd", [*boards.column(noise[1:]), None]))
    boards.run(tmp_path, "failed", boards.scored("mcd", boards.column(noise)), failures={"z": "x"})
    boards.run(tmp_path, "silence", boards.scored("mcd", boards.column(noise)), kind="oracle")
    return made(tmp_path)


def test_rows_keep_the_order_and_the_groups_of_the_leaderboard(several) -> None:
    board, page, _ = several
    assert [row.label for row in page.rows] == [row.label for row in board.rows]
    groups = {row.label: row.group for row in page.rows}
    assert groups == {
        "one": "system",
        "other": "system",
        "worse": "system",
        "fewer": "system",
        "failed": "incomplete",
        "silence": "oracle",
    }


def test_cells_carry_ranks_places_and_coverage(several) -> None:
    board, page, _ = several
    assert page.ranked
    (signature,) = [column.signature for column in board.columns]
    cells = {row.label: row.cells[0] for row in page.rows}
    for row in board.rows:
        assert cells[row.label].rank == board.ranks.get((row.record.run_id, signature))
        assert cells[row.label].value == row.cells[signature].value
    # Those that cannot be told apart share a rank, and the third is worse than both.
    ranks = {label: cell.rank for label, cell in cells.items()}
    assert ranks == {
        "one": 1,
        "other": 1,
        "worse": 3,
        "fewer": None,
        "failed": None,
        "silence": None,
    }
    assert sorted(cell.place for cell in cells.values()) == [0, 0, 0, 0, 1, 2]
    assert (cells["fewer"].scored, cells["fewer"].expected, cells["fewer"].short) == (39, 40, True)
    assert not cells["one"].short


def test_clips_that_failed_are_listed_with_the_reason(several) -> None:
    _, page, _ = several
    assert page.clips[-1].id == "z"
    (failed,) = [row for row in page.rows if row.label == "failed"]
    assert failed.findings == {str(N): ("not generated: x",)}
    assert failed.scores[0][-1] is None


def test_board_without_its_files_has_scores_and_a_reason(several) -> None:
    _, page, media = several
    assert media == []
    assert page.media_note.startswith("No clip can be heard: the files of toy are not here")
    assert {clip.media for clip in page.clips} == {None}
    assert page.id == "toy-1-abcdef01"


def test_seeds_of_a_model_are_one_row_with_their_deviation(
    boards, tmp_path: Path, noise: np.ndarray
) -> None:
    for seed, offset in ((0, 3.0), (1, 4.0)):
        clips = boards.column(offset + noise)
        boards.run(tmp_path, "ours", boards.scored("mcd", clips), seed=seed)
    _, page, _ = made(tmp_path)
    (row,) = page.rows
    assert row.seeds == (0, 1)
    # Two values 1 apart: standard deviation 1 / sqrt(2).
    assert row.cells[0].deviation == pytest.approx(0.5**0.5)
    assert row.scores[0][0][0] == pytest.approx(3.5 + noise[0], rel=1e-5)


def test_items_of_a_group_are_drawn_together(boards, tmp_path: Path, noise: np.ndarray) -> None:
    rows = boards.scored("mcd", boards.column(noise[:4]))
    boards.run(tmp_path, "one", rows, groups={"film": ("i000", "i002")})
    _, board, _ = made(tmp_path)
    assert [(clip.id, clip.item) for clip in board.clips] == [
        ("i000", 0),
        ("i001", 1),
        ("i002", 0),
        ("i003", 2),
    ]


def test_a_checkpoint_of_a_known_model_says_what_it_is(boards, tmp_path: Path) -> None:
    for name in ("vssflow-tiny", "vssflowery"):
        boards.run(tmp_path, name, boards.scored("mcd", [[1.0]]))
    _, page, _ = made(tmp_path)
    kinds = {row.label: row.kind for row in page.rows}
    assert kinds == {"vssflow-tiny": "sound and speech from video", "vssflowery": ""}


def test_index_names_systems_with_their_mean_rank(several) -> None:
    _, page, _ = several
    text = index_html([page])
    assert '<td>one</td><td class="number">mean rank 1.0</td>' in text
    assert "failed" not in text
    assert "silence" not in text
