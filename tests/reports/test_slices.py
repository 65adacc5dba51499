"""Slices: planted values of some clips, what names them, and what cannot be had of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from vsseval.cli import main
from vsseval.metrics.statistics import bootstrap_interval
from vsseval.records import read_record, record_json
from vsseval.reports import leaderboard
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.pairs import find_results
from vsseval.reports.reported import reported_rows
from vsseval.reports.slices import membership, on_slices
from vsseval.sanity import Sanity
from vsseval.score import INTERVAL_SEED

NUMBER = 48
NAMES = [f"i{at:03d}" for at in range(NUMBER)]
SPEAKER = {"s1": NAMES[:12], "s2": NAMES[12:32], "s3": NAMES[32:]}
SLICES = {
    **{f"speaker={name}": tuple(items) for name, items in SPEAKER.items()},
    "all/of-them": tuple(NAMES),
    "two|bars": tuple(NAMES[:3]),
}
WORDS = 1.0 + np.arange(NUMBER) % 7
SETTLED = np.random.RandomState(0).standard_normal(NUMBER)
MINE, THEIRS = SETTLED + 3.0, SETTLED + 3.0
MINE[:12] -= 2.0
THEIRS[12:32] -= 2.0
"""KL: the first system is better by 2 on s1, the second on s2, and they are equal on s3."""


@pytest.fixture
def vsseval() -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def results(tmp_path: Path, boards) -> Path:
    """Two systems on three speakers; the second lost a clip of s3 and scored one of s1 less."""
    folder = tmp_path / "results"
    edits = np.where(np.isin(NAMES, SPEAKER["s1"]), WORDS, 0.0)
    for name, kl, clips, failures in (
        ("mine", MINE, np.stack([edits, WORDS], axis=1).tolist(), {}),
        (
            "theirs",
            THEIRS,
            [None, *np.stack([0.5 * WORDS, WORDS], axis=1).tolist()[1:]],
            {"i047": "no memory"},
        ),
    ):
        boards.run(
            folder,
            name,
            boards.scored("kl.aisfx", boards.column(kl)),
            boards.scored("fd.aisfx", boards.column(kl - kl.mean()), value=4.0),
            boards.scored("wer.tiny_en", clips),
            slices=SLICES,
            failures=failures,
            warnings={"i020": "short"},
            sanity=Sanity(48, -23.0, -20.0, {"silent": {"i001": "x", "i040": "y"}}),
        )
    return folder


def rows(text: str) -> dict[tuple[str, str, str], dict[str, str]]:
    """Lines of a CSV report by model, slice and metric."""
    lines = csv.DictReader(io.StringIO(text))
    return {(line["model"], line["slice"], line["metric"]): line for line in lines}


def test_values_intervals_and_counts_are_those_of_the_clips(vsseval, results: Path) -> None:
    printed = vsseval("report", results, "--slice", "speaker", "--format", "csv")
    assert printed.exit_code == 0, printed.output
    found = rows(printed.stdout)
    assert len(found) == 2 * 3 * 3
    for speaker, items in SPEAKER.items():
        at = [NAMES.index(item) for item in items]
        line = found["mine", f"speaker={speaker}", "kl.aisfx"]
        assert float(line["value"]) == pytest.approx(MINE[at].mean(), rel=1e-12)
        expected = bootstrap_interval(MINE[at, None], "mean", seed=INTERVAL_SEED)
        assert (float(line["low"]), float(line["high"])) == expected
        assert (line["n_scored"], line["n_expected"]) == (str(len(at)), str(len(at)))
        assert f"|slice:speaker={speaker}|v:" in line["signature"]
    # Every word of s1 is wrong, and none else: rates are pooled over words, not clips.
    rates = [float(found["mine", f"speaker=s{at}", "wer.tiny_en"]["value"]) for at in (1, 2, 3)]
    assert rates == [100.0, 0.0, 0.0]
    short = found["theirs", "speaker=s1", "wer.tiny_en"]
    assert (short["value"], short["n_scored"], short["n_expected"]) == ("50.0", "11", "12")


def test_ranks_are_those_of_the_slice(results: Path) -> None:
    whole = find_results(results)
    sliced = on_slices(whole, ["speaker=s1", "speaker=s2"], membership(whole.records))
    found = [
        {row.label: board.ranks[row.record.run_id, column.signature] for row in board.rows}
        for board in leaderboards(sliced, ["kl.aisfx"])
        for column in board.columns
    ]
    # The clip that failed is of s3, so both take part.
    assert found == [{"mine": 1, "theirs": 2}, {"mine": 2, "theirs": 1}]
    (board,) = leaderboards(on_slices(whole, ["speaker=s3"], membership(whole.records)))
    assert [(row.label, row.failed) for row in board.rows] == [("mine", 0), ("theirs", 1)]
    assert not board.ranks


def test_value_of_a_set_is_not_available_and_says_why(vsseval, results: Path) -> None:
    line = rows(vsseval("report", results, "--slice", "speaker=s2", "--format", "csv").stdout)[
        "mine", "speaker=s2", "fd.aisfx"
    ]
    assert (line["value"], line["low"], line["rank"]) == ("", "", "")
    assert line["note"].startswith("not available on a slice: a value of a whole set needs the")
    text = vsseval("report", results, "--slice", "speaker=s2").stdout
    assert "FD (aiSFX)" in text
    assert f"- FD (aiSFX): {line['note']}" in text


def test_slice_of_all_clips_is_the_whole(results: Path) -> None:
    whole = find_results(results)
    (part,) = on_slices(whole, ["all"], membership(whole.records)).parts
    for record, sliced in zip(whole.records, part.records, strict=True):
        assert (sliced.counts.expected, sliced.failures) == (NUMBER, record.failures)
        for score, other in zip(record.scores, sliced.scores, strict=True):
            if score.metric != "fd.aisfx":
                assert other.value == score.value
                assert (other.n_scored, other.n_expected) == (score.n_scored, score.n_expected)
                assert other.excluded == score.excluded


def test_markdown_of_one_slice_is_a_section_and_of_several_a_table(vsseval, results: Path) -> None:
    one = vsseval("report", results, "--slice", "speaker=s1").stdout
    assert "## toy 1 (abcdef01), slice speaker=s1" in one
    assert "seconds a clip" not in one
    # Of the levels of its clips no record holds the median.
    assert "| audio checks | clips | silent |" in one
    assert "| mine | 12 | 1 | 0 |" in one
    assert "Level:" not in one
    assert "i020" not in one
    several = vsseval("report", results, "--slice", "speaker=s2", "--slice", "all/*").stdout
    assert "## toy 1 (abcdef01) by slice" in several
    head, _, *lines = [line for line in several.splitlines() if line.startswith("|")]
    assert head.startswith("| slice | clips | model | FD (aiSFX) ↓[^")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [cell[:3] for cell in cells] == [
        ["speaker=s2", "20", "mine"],
        ["speaker=s2", "20", "theirs"],
        ["all/of-them", "48", "mine"],
        ["all/of-them", "48", "theirs"],
    ]
    column = [cell.partition("[")[0] for cell in head.strip("|").split("|")].index(" KL (aiSFX) ↓")
    assert [cell[column].startswith("**") for cell in cells] == [False, True, False, False]
    (mark,) = [line for line in several.splitlines() if line.startswith("[^") and "kl.a" in line]
    assert mark.endswith(
        "`kl.aisfx|enc:e-1|takes:1|v:1`, nat, lower is better, on the slice of the line"
    )
    assert "1 of 48 clips were not generated, so it is not ranked; the first: no memory (slice all/"
    assert several.count("not available on a slice") == 1
    bars = vsseval("report", results, "--slice", "speaker=s2", "--slice", "two|bars").stdout
    assert "| two\\|bars | 3 | mine |" in bars


@pytest.mark.parametrize("form", ["markdown", "csv", "json", "latex"])
def test_every_format_names_the_slice(vsseval, results: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / "table"
    words = ("--slice", "two|bars", "--format", form, "--out", path)
    short = vsseval("report", results, *words)
    assert short.exit_code == 0, short.output
    assert "toy 1 (abcdef01), slice two|bars" in short.stdout
    # A bar parts the fields of a signature.
    text = path.read_text()
    assert "slice:two;bars" in text.replace("\\allowbreak{}", "")
    said = {"latex": "slice two\\textbar{}bars", "json": '"slice": "two|bars"'}
    assert said.get(form, "two|bars") in text


def test_published_tables_are_not_shown_beside_a_slice(
    vsseval, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reported.csv"
    path.write_text(
        "benchmark,setting,protocol,method,metric,value,unit,better,source,table,quality\n"
        "toy,8 s,their,Foley,FD,1.50,1,lower,A. Author,R1,primary\n"
    )
    monkeypatch.setattr(leaderboard, "reported_rows", lambda bench: reported_rows(bench, path))
    for form in ("markdown", "latex", "json"):
        whole = vsseval("report", results, "--format", form).stdout
        part = vsseval("report", results, "--format", form, "--slice", "speaker=s1").stdout
        assert ("A. Author" in whole, "A. Author" in part) == (True, False)


def test_takes_of_a_slice_are_counted_and_drawn_together(tmp_path: Path, boards) -> None:
    values = np.random.RandomState(3).standard_normal(40)
    clips = [*boards.column(values[:-1]), None]
    rows = boards.scored("kl.aisfx", clips, takes=2)
    excluded = {"i019.take1": "too short"}
    rows = replace(rows, score=replace(rows.score, excluded=excluded))
    slices = {"late": tuple(NAMES[8:20]), "early": tuple(NAMES[:8])}
    boards.run(
        tmp_path, "one", rows, takes=2, slices=slices, failures={"i000.take1": "x", "i009": "y"}
    )
    whole = find_results(tmp_path)
    late, early = on_slices(whole, ["late", "early"], membership(whole.records)).parts
    (record,) = late.records
    (score,) = record.scores
    assert (score.n_scored, score.n_expected, score.excluded) == (23, 24, excluded)
    expected = bootstrap_interval(
        values[16:39, None], "mean", seed=INTERVAL_SEED, clusters=[at // 2 for at in range(23)]
    )
    assert score.interval == expected
    assert (record.counts.expected, record.failures) == (24, {"i009": "y"})
    assert early.records[0].failures == {"i000.take1": "x"}
    assert early.records[0].scores[0].interval is None


def test_groups_are_drawn_together_in_a_slice(tmp_path: Path, boards) -> None:
    values = np.random.RandomState(5).standard_normal(60)
    groups = {f"film{at}": tuple(f"i{at + 15 * part:03d}" for part in range(4)) for at in range(15)}
    items = tuple(f"i{at:03d}" for at in range(45))
    boards.run(
        tmp_path,
        "one",
        boards.scored("kl.aisfx", boards.column(values)),
        groups=groups,
        slices={"most": items},
    )
    whole = find_results(tmp_path)
    (part,) = on_slices(whole, ["most"], membership(whole.records)).parts
    expected = bootstrap_interval(
        values[:45, None], "mean", seed=INTERVAL_SEED, clusters=[at % 15 for at in range(45)]
    )
    assert part.records[0].scores[0].interval == expected


def test_notes_are_those_of_the_slice(tmp_path: Path, boards) -> None:
    clips = np.zeros((20, 7))
    clips[:5, 6] = 1.0
    shared = "ge2e: encoder shared with the model's input, which favours it"
    rows = boards.scored(
        "mcd",
        clips,
        note=f"5 of 20 clips: levels over 3 dB apart or lengths over a factor 1.1; {shared}",
    )
    lost = boards.scored("kl.aisfx", [None] * 20)
    lost = replace(lost, score=replace(lost.score, note="weights missing: vsseval weights pull x"))
    alien = boards.scored("onset_f1", boards.column(np.ones(20)))
    alien = replace(alien, score=replace(alien.score, signature="onset_f1|n:20/20|v:99"))
    slices = {"flagged": tuple(NAMES[3:8]), "clean": tuple(NAMES[10:12])}
    boards.run(tmp_path, "one", rows, lost, alien, slices=slices)
    whole = find_results(tmp_path)
    flagged, clean = on_slices(whole, ["flagged", "clean"], membership(whole.records)).parts

    def notes(part) -> dict[str, str]:
        return {score.metric: score.note for score in part.records[0].scores}

    assert notes(flagged)["mcd"].startswith("2 of 5 clips: levels")
    assert notes(flagged)["mcd"].endswith(f"; {shared}")
    assert notes(clean)["mcd"] == shared
    assert notes(clean)["kl.aisfx"] == "weights missing: vsseval weights pull x"
    assert "does not have the metric in this version" in notes(clean)["onset_f1"]


def test_seeds_keep_the_reason_why_a_set_has_no_value(tmp_path: Path, boards) -> None:
    for seed in range(2):
        rows = boards.scored("fd.aisfx", boards.column(SETTLED), value=4.0)
        boards.run(tmp_path, "one", rows, seed=seed, slices={"some": tuple(NAMES[:9])})
    whole = find_results(tmp_path)
    (board,) = leaderboards(on_slices(whole, ["some"], membership(whole.records)))
    (score,) = board.rows[0].cells.values()
    assert score.note.startswith("not available on a slice")


def test_clips_that_were_all_excluded_say_why(tmp_path: Path, boards) -> None:
    rows = boards.scored("kl.aisfx", [None, None, *boards.column(np.ones(18))])
    boards.run(tmp_path, "one", rows, slices={"short": tuple(NAMES[:2])})
    whole = find_results(tmp_path)
    (part,) = on_slices(whole, ["short"], membership(whole.records)).parts
    (score,) = part.records[0].scores
    assert (score.value, score.note, score.n_scored) == (None, "too short", 0)


# --- two runs ---


def test_comparison_on_slices_is_that_of_their_clips(vsseval, results: Path) -> None:
    runs = results / "mine-0", results / "theirs-0"
    printed = vsseval("compare", *runs, "--slice", "speaker", "--json")
    assert printed.exit_code == 0, printed.output
    found = {(one["slice"], one["metric"]): one for one in json.loads(printed.stdout)}
    assert len(found) == 9
    for speaker, gap, n in (("s1", 2.0, 12), ("s2", -2.0, 20), ("s3", 0.0, 16)):
        one = found[f"speaker={speaker}", "kl.aisfx"]
        assert one["difference"] == pytest.approx(gap, abs=1e-12)
        assert one["interval"] == pytest.approx([gap, gap], abs=1e-9)
        assert one["n_both"] == n
    # All of the gaps are equal: the two exchanges of everything are as extreme, of 2^12.
    assert found["speaker=s1", "kl.aisfx"]["p_value"] == 2 / 4096
    assert found["speaker=s1", "kl.aisfx"]["verdict"] == "first"
    assert found["speaker=s3", "kl.aisfx"]["p_value"] == 1.0
    assert found["speaker=s1", "wer.tiny_en"]["n_both"] == 11
    fd = found["speaker=s1", "fd.aisfx"]
    assert (fd["difference"], fd["note"][:27]) == (None, "not available on a slice: a")
    text = vsseval("compare", *runs, "--slice", "speaker=s2").stdout
    assert text.startswith("## Slice speaker=s2\n\n| metric | mine | theirs |")
    assert "## Slice" not in vsseval("compare", *runs).stdout


# --- where slices are known from ---


def stripped(folder: Path) -> None:
    """Make the records below a folder those of a version that knows no slices."""
    for path in folder.rglob("record.json"):
        path.write_text(record_json(replace(read_record(path), slices={}, groups={})))


def test_unknown_slices_and_options_that_do_not_go_together(vsseval, results: Path) -> None:
    unknown = vsseval("report", results, "--slice", "speaker=s4")
    assert unknown.exit_code == 2
    assert "unknown slice 'speaker=s4'; did you mean speaker=s" in unknown.stderr
    refused = vsseval("report", results, "--slice", "speaker", "--json")
    assert (refused.exit_code, "--slice goes with" in refused.stderr) == (2, True)
    stripped(results)
    nothing = vsseval("report", results, "--slice", "speaker")
    assert nothing.exit_code == 2
    assert "the records state no slices: if the manifest does, pass its folder" in nothing.stderr


def test_benchmarks_without_the_slice_are_left_out_by_name(vsseval, results: Path, boards) -> None:
    other = replace(boards.BENCH, name="else", digest="0" * 64)
    rows = boards.scored("kl.aisfx", boards.column(MINE))
    boards.run(results, "plain", rows, benchmark=other)
    shown = vsseval("report", results, "--slice", "speaker=s1")
    assert shown.stderr == "else 1 (00000000): 1 runs without such a slice are left out\n"
    assert "## else" not in shown.stdout


def test_slices_reach_a_report_from_the_manifest_through_a_run(
    vsseval, toy: Path, manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for line, slices in enumerate((["v/loud"], ["v/loud", "v/soft"], None, ["v/soft"])):
        if slices:
            manifest(line, slices=slices)
        manifest(line, speaker="s1" if line < 3 else "s2", group="film" if line < 2 else f"g{line}")
    run = ("run", "--bench", "toy", "--data", toy, "--workers", 1, "--metrics", "onset_f1")
    for model in ("reference", "silence"):
        assert vsseval(*run, "--model", model).exit_code == 0
    record = read_record(next(tmp_path.glob("results/toy/silence/*/record.json")))
    assert record.groups == {"film": ("a", "b")}
    assert record.slices == {
        "label=metal": ("c", "d"),
        "label=wood": ("a", "b"),
        "speaker=s1": ("a", "b", "c"),
        "speaker=s2": ("d",),
        "v/loud": ("a", "b"),
        "v/soft": ("b", "d"),
    }
    words = ("report", "results", "--format", "csv", "--slice", "v", "--slice", "label=metal")
    printed = vsseval(*words).stdout
    found = rows(printed)
    assert [(key[0], key[1]) for key in found if key[0] == "silence"] == [
        ("silence", "v/loud"),
        ("silence", "v/soft"),
        ("silence", "label=metal"),
    ]
    assert {line["value"] for key, line in found.items() if key[0] == "reference"} == {"1.0"}
    assert {line["n_expected"] for line in found.values()} == {"2"}
    # Records that state none: the manifest does, where it is.
    stripped(tmp_path / "results")
    assert vsseval(*words).exit_code == 2
    assert vsseval(*words, "--data", toy).stdout == printed
    # One record that states them is enough for all on the same items.
    assert vsseval(*run, "--model", "silence").exit_code == 0
    assert vsseval(*words).stdout == printed
