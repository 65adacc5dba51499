"""The command line: what it prints where, and with which status it ends."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vsseval.cli import main
from vsseval.cli.look import WHAT
from vsseval.cli.options import passes, score_table
from vsseval.errors import UnknownNameError
from vsseval.features import Encoded
from vsseval.metrics.table import METRICS
from vsseval.types import Score

ROOT = Path(__file__).parents[1]


@pytest.fixture
def vsseval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def toy_run(vsseval, toy: Path) -> Callable[..., Result]:
    return lambda model, *words: vsseval(
        *("run", "--model", model, "--bench", "toy", "--data", toy, "--workers", 1), *words
    )


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_help_takes_less_than_half_a_second_of_processor_time() -> None:
    # Processor time, since a loaded machine stretches the time on the wall.
    python("-m", "vsseval", "--help")
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python("-m", "vsseval", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.5


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "scipy", "librosa", "pandas", "av", "cv2", "numba", "rich")
    code = f"import sys, vsseval.cli; print([m for m in {heavy} if m in sys.modules])"
    assert python("-c", code).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "generate",
        "encode",
        "score",
        "report",
        "compare",
        "inspect",
        "gate",
        "list",
        "explain",
        "doctor",
        "weights",
        "data",
    ],
)
def test_every_command_has_help(vsseval, command: str) -> None:
    result = vsseval(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


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
    assert __import__("re").match(message, line)


def test_bench_without_media_is_status_2_with_the_way_out(vsseval) -> None:
    result = vsseval("run", "--model", "noise", "--bench", "vggsound")
    assert result.exit_code == 2
    assert "data/vggsound/benchmark.json" in result.stderr
    assert "demo-sound" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_debug_lets_the_exception_through(vsseval) -> None:
    result = vsseval("--debug", "run", "--model", "noise", "--bench", "vggsound")
    assert type(result.exception).__name__ == "MissingMediaError"


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


def test_full_disk_is_status_2_and_says_what_is_kept(
    toy_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "c.wav" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        result = toy_run("noise")
    assert result.exit_code == 2
    assert "error: No space left on device" in result.stderr
    assert "2 of 4 clips are kept" in result.stderr
    assert "4 clips generated" not in toy_run("noise").stderr


def test_defect_is_status_1_and_names_the_debug_switch(
    toy_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*words: object, **more: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("vsseval.run.run", broken)
    result = toy_run("noise")
    assert result.exit_code == 1
    assert "unexpected RuntimeError: a defect" in result.stderr
    assert "--debug" in result.stderr


def test_interrupt_is_status_130_and_the_rest_follows(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(
        "import time, numpy as np\n"
        "from vsseval.types import Audio, ModelOutput\n"
        "class Sleepy:\n"
        "    signature = {'name': 'sleepy'}\n"
        "    def generate(self, item, seed):\n"
        "        time.sleep(0 if item.id == 'a' else 60)\n"
        "        return ModelOutput(Audio(np.zeros((1, 16000), np.float32), 16000))\n"
        "def load(context):\n"
        "    return Sleepy()\n"
    )
    command = [sys.executable, "-m", "vsseval", "generate", "--model", "sleepy:load"]
    command += ["--bench", "toy", "--data", str(toy), "--cache", str(tmp_path / "cache")]
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background has Ctrl-C ignored, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "cache").rglob("a.wav")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, remarks = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped; what was finished is kept" in remarks
    assert "of 4 clips are kept" in remarks
    assert "Traceback" not in remarks


def test_full_disk_names_the_file(toy_run, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "results" in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    toy_run("noise")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        result = toy_run("noise")
    assert result.exit_code == 2
    assert re.search(r"error: No space left on device: .*/clips\.csv\n", result.stderr)


def test_lack_of_memory_is_no_defect(toy_run, monkeypatch: pytest.MonkeyPatch) -> None:
    def big(*words: object, **more: object) -> None:
        raise MemoryError("Unable to allocate 78 PiB")

    monkeypatch.setattr("vsseval.run.run", big)
    result = toy_run("noise")
    assert result.exit_code == 2
    assert "error: not enough memory: Unable to allocate 78 PiB" in result.stderr


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


def test_note_on_a_value_does_not_hide_what_was_left_out() -> None:
    score = Score("fd.aisfx", 1.0, "biased", "", "lower", "s", 2, 1, None, {"b": "cannot decode"})
    assert score_table([score]).endswith("1/2    biased; excluded 1: b: cannot decode")
    none = replace(score, value=None, note="cannot decode", n_scored=0)
    assert score_table([none]).endswith("0/2    cannot decode")


def test_remark_on_passes_says_why_there_are_none() -> None:
    tables = {("generated", "aisfx"): None, ("generated", "onsets"): None}

    def said(passes_made: int, rows: int, *lacking: str, of: str = "aisfx") -> str:
        some = {key: table for key, table in tables.items() if key[1] == of}
        return passes(Encoded(some, passes_made, rows, lacking))  # type: ignore[arg-type]

    assert said(0, 0, of="onsets").endswith("(no metric asked for a network)")
    assert said(0, 0, "weights 'aisfx' are missing").endswith("(weights are missing)")
    assert said(0, 0).endswith("(no clip could be encoded)")
    assert said(2, 0).startswith("2 network forward passes")
    assert said(0, 4).endswith("(all 4 features cached)")


def test_unknown_clip_of_many_lists_some() -> None:
    message = str(UnknownNameError("clip", "zz", [f"{at:05d}" for at in range(15_446)]))
    assert message.endswith("00028, 00029 and 15416 more")


# --- score: two folders ---


@pytest.fixture
def folders(toy: Path, tmp_path: Path) -> tuple[Path, Path]:
    import shutil

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


# --- looking ---


def test_report_is_markdown_on_stdout_or_a_file(vsseval, toy_run, tmp_path: Path) -> None:
    toy_run("reference")
    toy_run("noise")
    printed = vsseval("report", "results")
    assert printed.exit_code == 0
    assert "| *reference* | 1.000 |" in printed.stdout
    short = vsseval("report", "results", "--out", "results/report.md")
    assert (tmp_path / "results" / "report.md").read_text() == printed.stdout
    assert "(reference)" in short.stdout
    assert len(json.loads(vsseval("report", "results", "--json").stdout)) == 2


def test_report_joins_several_folders_and_averages_seeds(vsseval, toy_run, tmp_path: Path) -> None:
    for seed in (0, 1):
        toy_run("noise", "--seed", seed, "--out", f"seed-{seed}")
    alone = vsseval("report", "seed-0").stdout
    assert "(2 seeds)" not in alone
    assert vsseval("report", "seed-0", "seed-0/toy").stdout == alone
    text = vsseval("report", "seed-0", "seed-1").stdout
    assert "noise (2 seeds)" in text
    assert "±" in text
    toy_run("noise", "--out", "again")
    assert "is recorded twice" in vsseval("report", "seed-0", "again").stderr
    for name in ("empty", "bare"):
        (tmp_path / name).mkdir()
    assert "no record.json below empty, bare" in vsseval("report", "empty", "bare").stderr


def test_report_of_nothing_is_status_2(vsseval, tmp_path: Path) -> None:
    assert vsseval("report", "nowhere").exit_code == 2
    (tmp_path / "empty").mkdir()
    result = vsseval("report", "empty")
    assert result.exit_code == 2
    assert "no record.json below empty" in result.stderr


def test_compare_prints_both_and_the_difference(vsseval, toy_run, tmp_path: Path) -> None:
    toy_run("reference")
    toy_run("silence")
    first, second = (tmp_path / "results/toy" / name for name in ("reference", "silence"))
    words = [next(first.iterdir()), next(second.iterdir())]
    text = vsseval("compare", *words).stdout
    assert "| onset_f1 ↑ | 1.000 | 0 | -1.000 |  | 0.250 | tie |" in text
    assert "| metric | reference | silence |" in text
    printed = json.loads(vsseval("compare", *words, "--json").stdout)
    assert {one["metric"] for one in printed} == {"onset_f1", "mcd"}


def test_report_has_formats_presets_and_chosen_columns(vsseval, toy_run, tmp_path: Path) -> None:
    toy_run("noise")
    lines = vsseval("report", "results", "--format", "csv", "--metrics", "mcd").stdout.splitlines()
    assert len(lines) == 2
    assert len(json.loads(vsseval("report", "results", "--format", "json").stdout)) == 1
    assert "\\toprule" in vsseval("report", "results", "--format", "latex").stdout
    empty = vsseval("report", "results", "--preset", "mmaudio")
    assert (empty.exit_code, "no column fits fd.passt@avbench" in empty.stderr) == (2, True)
    assert "did you mean mmaudio" in vsseval("report", "results", "--preset", "mmaudi").stderr


def test_inspect_shows_a_clip(vsseval, toy_run, tmp_path: Path) -> None:
    toy_run("reference")
    (folder,) = (tmp_path / "results/toy/reference").iterdir()
    shown = vsseval("inspect", folder, "a")
    assert "| onset_f1 ↑ | 1.000 | 1 of 4 |" in shown.stdout
    assert json.loads(vsseval("inspect", folder, "a", "--json").stdout)["clip"] == "a"
    assert vsseval("inspect", folder, "z").exit_code == 2


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("models", "folder:PATH"),
        ("benches", "vggsound"),
        ("metrics", "onset_f1"),
        ("weights", "aisfx"),
        ("presets", "vssflow-v2s"),
    ],
)
def test_list_names_everything(vsseval, what: str, name: str) -> None:
    result = vsseval("list", what)
    assert result.exit_code == 0
    assert name in result.stdout
    entries = json.loads(vsseval("list", what, "--json").stdout)
    assert any(name in value for entry in entries for value in entry.values())


@pytest.mark.parametrize("what", WHAT)
def test_tables_fit_120_columns_and_cut_no_name(vsseval, monkeypatch, what: str) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    table = vsseval("list", what).stdout.splitlines()
    assert max(map(len, table)) <= 120
    names = {line.partition("  ")[0] for line in table}
    entries = json.loads(vsseval("list", what, "--json").stdout)
    assert {next(iter(entry.values())) for entry in entries} <= names


def test_list_of_metrics_says_what_brings_missing_weights(
    vsseval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no-weights"))
    printed = vsseval("list", "metrics").stdout
    (line,) = (line for line in printed.splitlines() if line.startswith("kl.aisfx "))
    assert "nat" in line
    assert "lower" in line
    assert "missing" in line
    assert "weights missing: vsseval weights pull aisfx  (metrics: " in printed


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_explained(vsseval, name: str) -> None:
    result = vsseval("explain", name)
    assert result.exit_code == 0, result.output
    assert METRICS[name].definition in result.stdout
    assert METRICS[name].source in result.stdout


def test_explain_prints_the_definition(vsseval) -> None:
    result = vsseval("explain", "onset_f1")
    assert result.exit_code == 0
    assert "100 ms" in result.stdout
    assert vsseval("explain", "onset_f").exit_code == 2


def test_doctor_names_what_is_missing_and_what_to_type(
    vsseval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no-weights"))
    result = vsseval("doctor")
    assert result.exit_code == 2
    assert "missing  weights aisfx" in result.stdout
    assert "-> vsseval weights pull aisfx" in result.stdout
    assert "ok       numpy" in result.stdout


def test_weights_verify_of_an_empty_store_is_status_2(
    vsseval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no-weights"))
    result = vsseval("weights", "verify", "ge2e")
    assert result.exit_code == 2
    assert "missing" in result.stdout
    assert "run `vsseval weights pull ge2e`" in result.stderr


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


# --- assets ---


def test_weights_pull_shows_states(vsseval, tmp_path: Path, monkeypatch) -> None:
    from vsseval.weights import PartState

    def pulled(names: tuple[str, ...], *, progress: Callable[[str, int, int], None]) -> tuple:
        progress("ge2e/weights", 5, 10)
        return tuple(PartState(name, tmp_path / name, "ok", (), 10) for name in names)

    monkeypatch.setattr("vsseval.weights.pull", pulled)
    result = vsseval("weights", "pull", "ge2e")
    assert result.exit_code == 0
    assert result.stdout.split() == ["ok", "ge2e", str(tmp_path / "ge2e")]


def test_weights_list_names_licence_and_use(vsseval) -> None:
    result = vsseval("weights", "list")
    assert "aisfx" in result.stdout
    assert "CC BY 4.0" in result.stdout


def test_data_demo_passes_its_options_on(vsseval, tmp_path: Path, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(
        "vsseval.benchmarks.demo.generate_demo", lambda *words, **more: calls.append((words, more))
    )
    words = ["--split", "train", "--out", tmp_path / "d", "--count", 7, "--workers", 3]
    assert vsseval("data", "demo", *words).exit_code == 0
    ((where, options),) = calls
    assert where == ("train", tmp_path / "d")
    assert (options["count"], options["workers"]) == (7, 3)


def test_many_remarks_are_cut(vsseval, toy: Path, tmp_path: Path) -> None:
    for number in range(15):
        (toy / "audio" / f"extra{number:02}.wav").write_bytes(b"")
    result = vsseval(
        *("generate", "--model", f"folder:{toy / 'audio'}", "--bench", "toy", "--data", toy)
    )
    assert result.exit_code == 0
    assert "15 files fit no item" in result.stderr
    assert "... and 6 more" in result.stderr


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
