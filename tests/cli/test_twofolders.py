"""Scoring one folder of files against another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folders(toy: Path, tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(toy / "audio", tmp_path / "ours")
    return tmp_path / "ours", toy / "audio"


def test_score_matches_by_stem_and_lists_what_is_left(vsseval, folders) -> None:
    ours, theirs = folders
    (ours / "d.flac").rename(ours / "e.flac")
    result = vsseval(
        *("score", "--generated", ours, "--reference", theirs, "--metrics", "mcd,onset_f1"),
        *("--workers", 1, "--json"),
    )
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed["matched"] == 3
    assert printed["unmatched"] == ["generated: e", "reference: d"]
    assert {one["metric"]: one["value"] for one in printed["scores"]} == {
        "mcd": 0.0,
        "onset_f1": 1.0,
    }
    assert "unmatched: reference: d" in result.stderr


def test_score_uses_video_and_transcripts(vsseval, folders, toy: Path, tmp_path: Path) -> None:
    ours, theirs = folders
    words = ["score", "--generated", ours, "--reference", theirs, "--workers", 1]
    result = vsseval(*words, "--video", toy / "video", "--metrics", "av_align")
    assert result.exit_code == 0
    assert "av_align" in result.stdout
    assert "4/4" in result.stdout
    without = vsseval(*words, "--metrics", "av_align")
    assert "the item has no video" in without.stdout


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", '{"id": "a", "text": " "}\n', "the transcript of 'a' is empty"),
        ("t.jsonl", '{"id": "a"}\n', "line 1: expected"),
        ("t.jsonl", '{"id": "a", "text": "so \\ud83d"}\n', "line 1: expected"),
        ("t.tsv", "a\tone\na\ttwo\n", "line 2: id 'a' comes a second time"),
        ("t.tsv", "a one\n", "expected id, a tab, and the text"),
        ("t.tsv", "\n", "holds no line"),
    ],
)
def test_bad_transcripts_are_status_2(
    vsseval, folders, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    ours, theirs = folders
    result = vsseval(
        *("score", "--generated", ours, "--reference", theirs),
        *("--transcripts", tmp_path / name),
    )
    assert result.exit_code == 2
    assert message in result.stderr


def test_score_of_folders_with_nothing_in_common_is_status_2(
    vsseval, folders, tmp_path: Path
) -> None:
    ours, theirs = folders
    for path in list(ours.iterdir()):
        path.rename(path.with_name(f"x{path.name}"))
    result = vsseval("score", "--generated", ours, "--reference", theirs)
    assert result.exit_code == 2
    assert "is named like one of" in result.stderr
    absent = vsseval("score", "--generated", tmp_path / "nowhere", "--reference", theirs)
    assert absent.exit_code == 2
    assert "no folder at" in absent.stderr


def test_score_excludes_an_unreadable_file_with_its_reason(vsseval, folders) -> None:
    ours, theirs = folders
    (ours / "b.flac").write_bytes(b"fLaC nonsense")
    result = vsseval(
        *("score", "--generated", ours, "--reference", theirs, "--metrics", "mcd"),
        *("--workers", 1, "--json"),
    )
    (score,) = json.loads(result.stdout)["scores"]
    assert list(score["excluded"]) == ["b"]
    assert "cannot decode audio b.flac" in score["excluded"]["b"]
