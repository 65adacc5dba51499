"""Looking at what there is: reports, comparisons, clips, tables, definitions, the doctor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vsseval.cli.look import WHAT
from vsseval.metrics.table import METRICS


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
