"""Every output of a leaderboard: Markdown panels, CSV, JSON, LaTeX that compiles, presets."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.patterns import chosen
from vsseval.metrics.table import METRICS
from vsseval.reports import latex, leaderboard, reported
from vsseval.reports.latex import escaped, latex_report
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.markdown import report
from vsseval.reports.pairs import find_results
from vsseval.reports.presets import PRESETS, preset
from vsseval.reports.reported import reported_rows
from vsseval.reports.tabular import csv_report, json_report
from vsseval.sanity import Sanity

REPORTED = """benchmark,setting,protocol,method,metric,value,unit,better,source,table,quality
toy,8 s,their,Foley & Co,FD,1.50,1,lower,"A. Author (2025), table 2",R1,primary
toy,8 s,their,Foley & Co,IS,9.1,1,higher,"A. Author (2025), table 2",R1,primary
toy,8 s,their,Other,FD,2,1,lower,"A. Author (2025), table 2",R1,primary
toy,8 s,their,Hearsay,FD,0.1,1,lower,a blog,R9,weak
else,8 s,their,Foley & Co,FD,7,1,lower,"A. Author (2025), table 2",R1,primary
"""


@pytest.fixture
def results(tmp_path: Path, boards):
    """Three systems and an oracle in two columns: b is near a in MCD, c lost a clip."""
    random = np.random.RandomState(0)
    hard = 5 + random.standard_normal(40)
    spread = 0.3 * random.standard_normal(40)
    near = hard + 0.01 + spread - spread.mean()
    f1 = random.uniform(0.4, 0.6, 40)
    runs = {
        "a_1": (boards.column(hard), boards.column(f1)),
        "b%2": (boards.column(near), boards.column(f1 - 0.2)),
        "c": ([None, *boards.column(hard[1:] + 1)], None),
    }
    folder = tmp_path / "results"
    for name, (mcd, onset) in runs.items():
        more = [boards.scored("onset_f1", onset)] if onset else []
        boards.run(
            folder,
            name,
            boards.scored("mcd", mcd),
            *more,
            sanity=Sanity(40, -23.0, -20.5, {"clipped": {"i000": "x", "i001": "y"}}),
        )
    boards.run(folder, "silence", boards.scored("mcd", boards.column(hard * 0)), kind="oracle")
    return find_results(folder)


def test_csv_has_a_line_for_every_number(results) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_report(results))))
    assert len(rows) == 6
    first = next(row for row in rows if (row["model"], row["metric"]) == ("a_1", "mcd"))
    assert float(first["value"]) == results_value(results, "a_1-0-id", "mcd")
    assert (first["rank"], first["best"], first["kind"], first["seeds"]) == (
        "1",
        "yes",
        "system",
        "0",
    )
    assert first["signature"] == "mcd|enc:e-1|takes:1|v:1"
    oracle = next(row for row in rows if row["model"] == "silence")
    assert (oracle["rank"], oracle["best"], oracle["kind"]) == ("", "", "oracle")
    short = next(row for row in rows if row["model"] == "c")
    assert (short["n_scored"], short["n_expected"], short["rank"]) == ("39", "40", "")


def results_value(results, run: str, metric: str) -> float:
    (record,) = [record for record in results.records if record.run_id == run]
    (score,) = [score for score in record.scores if score.metric == metric]
    return score.value


def test_json_holds_what_csv_does(results) -> None:
    (found,) = json.loads(json_report(results))
    flat = {
        (row["model"], score["metric"]): score["value"]
        for row in found["rows"]
        for score in row["scores"]
    }
    rows = csv.DictReader(io.StringIO(csv_report(results)))
    assert flat == {(row["model"], row["metric"]): float(row["value"]) for row in rows}
    assert found["rows"][0]["sanity"][0]["findings"] == {"clipped": {"i000": "x", "i001": "y"}}
    assert found["rows"][0]["runs"] == ["a_1-0-id"]
    assert any("silence" in text for text in found["warnings"])


def cells(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(name)]
    return [part.strip() for part in line.removesuffix(r"\\").split("&")][1:]


def test_latex_marks_best_second_ties_and_short_cells(results) -> None:
    text = latex_report(results)
    by_metric = [column.metric for column in leaderboards(results)[0].columns]
    mcd, onset = by_metric.index("mcd"), by_metric.index("onset_f1")
    a, b, c = (cells(text, name) for name in (r"a\_1", r"b\%2", "c "))
    assert a[mcd].startswith(r"\textbf{")
    assert b[mcd].startswith(r"\underline{")
    assert r"\textsuperscript{\dag}" in b[mcd]
    # Second in onset F1 as well, and surely worse.
    assert b[onset].startswith(r"\underline{")
    assert r"\dag" not in b[onset]
    assert r"\textsuperscript{\ddag}" in c[mcd]
    assert c[onset] == "--"
    assert r"\textit{silence}" in text
    assert r"\toprule" in text
    assert r"\shortstack{MCD\\(pymcd) $\downarrow$\textsuperscript{" in text
    assert r"\texttt{mcd\textbar{}\allowbreak{}enc:\allowbreak{}e-1" in text


def test_interval_stands_below_its_value(tmp_path: Path, boards) -> None:
    one = boards.scored("mcd", boards.column(np.arange(40.0)))
    one = replace(one, score=replace(one.score, interval=(-1.5, 40.0)))
    boards.run(tmp_path, "a", one)
    text = latex_report(find_results(tmp_path))
    assert r"a & \begin{tabular}[t]{@{}c@{}}19.50\\{\tiny[$-$1.500, 40.00]}\end{tabular}" in text


def test_special_characters_are_set_and_not_obeyed() -> None:
    assert escaped("100% of a_b & {c} #1 ^ ~ \\x $") == (
        r"100\% of a\_b \& \{c\} \#1 \textasciicircum{} \textasciitilde{} \textbackslash{}x \$"
    )
    assert escaped("MMD²") == r"MMD\textsuperscript{2}"
    assert escaped("é Ω") == "é U+03A9"


def test_footnote_marks_go_on_after_z() -> None:
    assert [latex._letter(at) for at in (0, 25, 26, 52)] == ["a", "z", "aa", "ba"]


def test_latex_compiles(results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed; texlive-latex-recommended of Debian has it")
    path = tmp_path / "reported.csv"
    path.write_text(REPORTED)
    monkeypatch.setattr(leaderboard, "reported_rows", lambda bench: reported_rows(bench, path))
    text = latex_report(results)
    assert r"Foley \& Co & 1.50 & 9.1 \\" in text
    (tmp_path / "table.tex").write_text(text)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
        "\\input{table}\n\\end{document}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


def test_markdown_ranks_and_their_legend(results) -> None:
    text = report(results)
    assert "| model | mean rank |" in text
    assert "systems that cannot be told apart share a rank" in text
    line = next(line for line in text.splitlines() if line.startswith("| b%2 |"))
    assert " #1 " in line


def test_panel_of_audio_checks(results) -> None:
    text = report(results)
    assert "| audio checks | clips | level (reference) | silent | clipped |" in text
    assert "| a_1 | 40 | -23.0 dBFS (-20.5) | 0 | 2 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "\nLevel: median over clips, that of the references in brackets. Numbers of" in text
    assert " dc: a channel's mean beyond 0.02 of full scale; " in text
    # The oracle was not checked.
    assert "| silence | " not in text.split("| audio checks")[1]


def test_metric_that_silence_wins_is_warned_of(results) -> None:
    text = report(results)
    assert "- warning: MCD (pymcd): silence scores at least as well as the best system" in text
    assert "warning: Onset F1" not in text


def test_copies_by_a_system_are_warned_of_and_those_by_an_oracle_are_not(
    tmp_path: Path, boards
) -> None:
    mcd = boards.scored("mcd", boards.column(np.arange(40.0)))
    copies = Sanity(40, -20.0, -20.0, {"near-copy": {"i003": "correlation 0.99"}})
    boards.run(tmp_path, "ours", mcd, sanity=copies)
    boards.run(tmp_path, "reference", mcd, sanity=copies, kind="oracle")
    text = report(find_results(tmp_path))
    warning = (
        "- warning: ours: 1 of 40 clips are near copies of the reference; i003: correlation 0.99"
    )
    assert warning in text
    assert text.count("near copies of the reference") == 1


def test_metric_under_two_signatures_is_named_with_what_differs(tmp_path: Path, boards) -> None:
    for name, encoder in (("a", "e-1"), ("b", "e-2")):
        clips = boards.column(np.arange(40.0))
        boards.run(tmp_path, name, boards.scored("mcd", clips, encoder=encoder))
    text = report(find_results(tmp_path))
    assert (
        "- warning: mcd was measured in 2 ways, which do not compare: enc:e-1 and enc:e-2" in text
    )


def test_few_clips_are_warned_of(tmp_path: Path, boards) -> None:
    boards.run(tmp_path, "a", boards.scored("mcd", boards.column(np.arange(29.0))))
    assert "MCD (pymcd): 29 clips are too few" in report(find_results(tmp_path))
    boards.run(tmp_path, "b", boards.scored("mcd", boards.column(np.arange(30.0))))
    assert "clips are too few" not in report(find_results(tmp_path))


# --- chosen columns ---


def test_columns_stand_in_the_order_they_are_asked_for(results) -> None:
    names = ["onset_f1", "mcd"]
    assert [column.metric for column in leaderboards(results, names)[0].columns] == names


def test_pattern_without_a_column_is_refused(results) -> None:
    with pytest.raises(InputError, match="no column fits wer; there are mcd, onset_f1"):
        leaderboards(results, ["wer"])


def test_patterns_are_ids_families_or_stars() -> None:
    known = ["wer.tiny_en", "wer.large", "wer_macro.tiny_en", "wer.tiny_en@x", "mcd", "mcd_dtw"]
    assert chosen(["wer"], known) == ["wer.tiny_en", "wer.large"]
    assert chosen(["mcd"], known) == ["mcd"]
    assert chosen(["mcd*", "wer.large"], known) == ["mcd", "mcd_dtw", "wer.large"]
    assert chosen(["wer.*@x"], known) == ["wer.tiny_en@x"]


def test_presets_are_known_by_name() -> None:
    assert set(PRESETS) == {"vssflow-v2s", "vssflow-vtts", "mmaudio", "hunyuan", "dubbing"}
    assert preset("mmaudio")[0] == "fd.passt@avbench"
    with pytest.raises(UnknownNameError, match="did you mean mmaudio"):
        preset("mmaudi")


@pytest.mark.parametrize("name", ["vssflow-v2s", "mmaudio", "hunyuan"])
def test_every_column_of_a_preset_for_sound_is_a_metric(name: str) -> None:
    assert chosen(PRESETS[name], METRICS) == list(PRESETS[name])


# --- published numbers ---


def test_reported_tables_stand_apart_with_their_source(
    results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reported.csv"
    path.write_text(REPORTED)
    (found,) = reported_rows("toy", path)
    assert found.rows == {"Foley & Co": {"FD": "1.50", "IS": "9.1"}, "Other": {"FD": "2"}}
    before = leaderboards(results)
    monkeypatch.setattr(leaderboard, "reported_rows", lambda bench: reported_rows(bench, path))
    text = report(results)
    assert "### Reported, not measured here: R1, setting 8 s" in text
    assert "| method | FD ↓ | IS ↑ |" in text
    assert "| Other | 2 | - |" in text
    assert "Source: A. Author (2025), table 2; protocol their; primary." in text
    assert leaderboards(results) == before


def test_no_file_means_no_reported_tables(tmp_path: Path) -> None:
    assert reported_rows("toy", tmp_path / "none.csv") == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("benchmark,setting", "bench,setting", "must have the columns benchmark, setting"),
        ("1.50", "about 1.5", "line 2: Foley & Co, FD: 'about 1.5' is no number"),
        ("1.50", "nan", "is no number"),
        ("Other,FD", "Foley & Co,FD", "line 4: Foley & Co, FD: '2'"),
    ],
    ids=["columns", "text", "nan", "twice"],
)
def test_bad_reported_numbers_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "reported.csv"
    path.write_text(REPORTED.replace(old, new))
    with pytest.raises(InputError, match=message):
        reported.reported_rows("toy", path)
