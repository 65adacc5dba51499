"""One clip of one run: values, ranks, reasons and findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import UnknownNameError
from vsseval.reports.clip import inspect_clip, markdown
from vsseval.sanity import Sanity


@pytest.fixture
def run(tmp_path: Path, boards) -> Path:
    words = [[2.0, 4.0], [0.0, 5.0], [3.0, 3.0], None]
    return boards.run(
        tmp_path,
        "ours",
        boards.scored("mcd", boards.column(np.array([3.0, 1.0, 1.0, 9.0]))),
        boards.scored("onset_f1", boards.column(np.array([0.5, 0.1, 0.9, 0.2]))),
        boards.scored("wer.tiny_en", words),
        boards.scored("fd.aisfx", boards.column(np.array([0.2, -0.1, -0.3, 0.2])), value=4.0),
        boards.scored("is.aisfx", [], value=2.0),
        failures={"lost": "no memory"},
        warnings={"i000": "0.50 s long"},
        sanity=Sanity(4, -20.0, None, {"silent": {"i000": "level -90 dBFS"}}),
    )


def by_metric(run: Path, clip: str) -> dict:
    return {one.metric: one for one in inspect_clip(run, clip).scores}


def test_ranks_follow_the_direction_and_share_places(run: Path) -> None:
    scores = by_metric(run, "i000")
    assert (scores["mcd"].value, scores["mcd"].rank, scores["mcd"].of) == (3.0, 3, 4)
    assert scores["onset_f1"].rank == 2
    assert by_metric(run, "i001")["mcd"].rank == by_metric(run, "i002")["mcd"].rank == 1


def test_rate_of_a_clip_is_its_own_ratio(run: Path) -> None:
    scores = by_metric(run, "i000")
    # 2 of 4 words; the others have 0 and 100 %.
    assert (scores["wer.tiny_en"].value, scores["wer.tiny_en"].rank) == (50.0, 2)
    assert scores["wer.tiny_en"].components == (2.0, 4.0)


def test_contribution_to_a_set_is_named_so(run: Path) -> None:
    fd = by_metric(run, "i002")["fd.aisfx"]
    assert (fd.value, fd.rank) == (-0.3, 1)
    assert fd.note == "what the item adds to the value of the set"
    assert by_metric(run, "i002")["is.aisfx"].note == "no contributions of clips"


def test_excluded_clip_has_its_reason(run: Path) -> None:
    wer = by_metric(run, "i003")["wer.tiny_en"]
    assert (wer.value, wer.rank, wer.note) == (None, None, "too short")


def test_findings_of_the_clip_are_listed(run: Path) -> None:
    assert inspect_clip(run, "i000").findings == ("0.50 s long", "silent: level -90 dBFS")
    assert inspect_clip(run, "i001").findings == ()
    assert inspect_clip(run / "record.json", "lost").findings == ("not generated: no memory",)


def test_unknown_clip_lists_close_ones(run: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown clip 'i00'; did you mean i00"):
        inspect_clip(run, "i00")


def test_further_takes_are_named_like_their_files(tmp_path: Path, boards) -> None:
    rows = boards.column(np.array([1.0, 2.0, 3.0, 4.0]))
    mcd = boards.scored("mcd", rows, takes=2)
    parts = boards.scored("kad.aisfx", [[0.5], None, [-0.5], None], value=3.0, takes=2)
    where = boards.run(tmp_path, "ours", mcd, parts, takes=2)
    scores = by_metric(where, "i001.take1")
    found = scores["mcd"]
    assert (found.value, found.rank, found.of) == (4.0, 4, 4)
    # An item contributes to a set once, for all its takes.
    assert scores["kad.aisfx"].value == -0.5


def test_markdown_has_a_line_a_metric_and_the_findings(run: Path) -> None:
    text = markdown(inspect_clip(run, "i000"))
    assert "| mcd ↓ | 3.000 | 3 of 4 | 3.000 |  |" in text
    assert "- silent: level -90 dBFS" in text
