"""Run, generate and encode: what they print where, and what they refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest


def test_run_prints_table_on_stdout_and_remarks_on_stderr(toy_run) -> None:
    result = toy_run("reference")
    assert result.exit_code == 0, result.output
    assert "reference on toy 1" in result.stdout
    assert "onset_f1 ↑  1.000" in result.stdout
    assert "record.json" in result.stdout
    assert "generate" not in result.stdout
    assert "4 clips generated" in result.stderr


def test_json_is_the_record(toy_run) -> None:
    result = toy_run("reference", "--json")
    printed = json.loads(result.stdout)
    (path,) = Path("results").rglob("record.json")
    assert printed == json.loads(path.read_text())


def test_second_run_says_that_nothing_was_computed(toy_run) -> None:
    first, second = toy_run("noise", "--json"), toy_run("noise", "--json")
    assert second.stdout == first.stdout
    assert "0 clips generated (all kept); 0 network forward passes" in second.stderr


def test_stages_are_commands_that_meet_in_the_cache(vsseval, toy_run, toy: Path) -> None:
    asked = ["--model", "noise", "--bench", "toy", "--data", toy, "--workers", 1]
    early = vsseval("encode", *asked)
    assert early.exit_code == 2
    assert "run `vsseval generate --model noise --bench toy` first" in early.stderr
    made = vsseval("generate", *asked)
    assert made.exit_code == 0
    folder = Path(made.stdout.strip())
    assert sorted(path.name for path in folder.glob("*.wav")) == [f"{n}.wav" for n in "abcd"]
    encoded = vsseval("encode", *asked)
    assert encoded.exit_code == 0
    assert "generated:onsets  4 clips" in encoded.stdout
    features = sorted(Path("cache/features").rglob("*.npz"))
    before = [path.stat().st_mtime_ns for path in features]
    assert toy_run("noise").exit_code == 0
    assert [path.stat().st_mtime_ns for path in features] == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "refrence"], "error: unknown model 'refrence'; did you mean reference?"),
        (["--bench", "toi"], "error: .* holds benchmark 'toy', asked for 'toi'"),
        (["--metrics", "mcd,onset"], "error: unknown metric 'onset'"),
    ],
)
def test_unknown_name_is_one_line_and_status_2(toy_run, words: list, message: str) -> None:
    result = toy_run("reference", *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert re.match(message, line)


def test_bench_without_media_is_status_2_with_the_way_out(vsseval) -> None:
    result = vsseval("run", "--model", "noise", "--bench", "vggsound")
    assert result.exit_code == 2
    assert "data/vggsound/benchmark.json" in result.stderr
    assert "demo-sound" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_limit_below_one_is_a_usage_error(toy_run) -> None:
    assert toy_run("noise", "--limit", "0").exit_code == 2


def test_run_in_which_everything_fails_is_recorded_and_status_2(toy_run, toy: Path) -> None:
    for path in (toy / "audio").iterdir():
        path.unlink()
    result = toy_run("reference")
    assert result.exit_code == 2
    assert "no clip could be generated; the first: reference: no audio file at a.flac" in (
        result.stderr
    )
    assert list(Path("results").rglob("record.json"))


def test_folder_coverage_is_on_stderr(toy_run, toy: Path) -> None:
    (toy / "audio" / "d.flac").rename(toy / "audio" / "e.flac")
    result = toy_run(f"folder:{toy / 'audio'}")
    assert result.exit_code == 0
    assert "coverage: 3 of 4 items have a file, 1 have none, 1 files fit no item" in result.stderr
    assert "warning: 1 of 4 clips were not generated" in result.stderr
    assert "failed: d: no file named d.wav or d.flac in the folder" in result.stderr


def test_missing_weights_leave_a_note_and_the_other_metrics(
    toy_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no-weights"))
    result = toy_run("reference", "--metrics", "kl.aisfx,onset_f1", "--json")
    assert result.exit_code == 0
    scores = {one["metric"]: one for one in json.loads(result.stdout)["scores"]}
    assert scores["onset_f1"]["value"] == 1.0
    assert scores["kl.aisfx"]["value"] is None
    assert scores["kl.aisfx"]["note"] == "weights missing: vsseval weights pull aisfx"


def test_several_models_are_run_one_after_the_other(vsseval, toy: Path) -> None:
    words = ["run", "--model", "reference", "--model", "silence", "--bench", "toy", "--data", toy]
    result = vsseval(*words, "--metrics", "onset_f1", "--json", "--workers", 1)
    assert result.exit_code == 0
    records = [json.loads(line) for line in result.stdout.splitlines()]
    values = {record["model"]["name"]: record["scores"][0]["value"] for record in records}
    assert values == {"reference": 1.0, "silence": 0.0}


def test_unknown_model_among_several_is_said_before_any_work(vsseval, toy: Path) -> None:
    words = ["run", "--model", "reference", "--model", "sillence", "--bench", "toy", "--data", toy]
    result = vsseval(*words, "--workers", 1)
    assert result.exit_code == 2
    assert "unknown model 'sillence'" in result.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("option", ["--out", "--cache"])
def test_file_in_place_of_a_folder_is_said_before_any_work(
    vsseval, toy: Path, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").touch()
    result = vsseval(
        "run", "--model", "noise", "--bench", "toy", "--data", toy, option, tmp_path / "file"
    )
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.stderr
    assert "generate" not in result.stderr.partition("Error")[2]


def test_metrics_that_name_none_are_refused(vsseval, toy: Path) -> None:
    """An unset variable of a shell is not the default."""
    result = vsseval("run", "--model", "noise", "--bench", "toy", "--data", toy, "--metrics", " , ")
    assert result.exit_code == 2
    assert "names nothing; leave the option out for the default" in result.stderr
