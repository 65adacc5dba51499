"""The gate: what fails, what passes, what is refused, and what it writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vsseval.cli import main
from vsseval.errors import InputError, UnknownNameError
from vsseval.records import BenchmarkEntry
from vsseval.reports.gate import gate
from vsseval.reports.gate_text import junit, markdown

HARD = 5 + np.random.RandomState(0).standard_normal(60)
GAP = 0.5 + 0.5 * np.random.RandomState(1).standard_normal(60)
CENTRED = GAP - GAP.mean()


@pytest.fixture
def pair(tmp_path: Path, boards):
    """Writes a baseline and a candidate with these values of mcd and onset_f1."""

    def write(mcd=HARD, f1=0.1 * HARD, **changes: object) -> tuple[Path, Path]:
        folders = [
            boards.run(
                tmp_path,
                name,
                boards.scored("mcd", boards.column(values)),
                boards.scored("onset_f1", boards.column(onset)),
                **more,
            )
            for name, values, onset, more in (
                ("old", HARD, 0.1 * HARD, {}),
                ("new", mcd, f1, changes),
            )
        ]
        return folders[0], folders[1]

    return write


def statuses(verdict) -> dict[str, str]:
    return {check.metric: check.status for check in verdict.checks}


def check(verdict, metric: str):
    (found,) = [one for one in verdict.checks if one.metric == metric]
    return found


def test_equal_runs_pass(pair) -> None:
    verdict = gate(*pair())
    assert verdict.passed
    assert statuses(verdict) == {"generated": "pass", "mcd": "pass", "onset_f1": "pass"}


def test_significant_regression_fails_in_both_directions(pair) -> None:
    verdict = gate(*pair(mcd=HARD + GAP, f1=0.1 * (HARD - GAP)))
    assert not verdict.passed
    assert statuses(verdict) == {"generated": "pass", "mcd": "fail", "onset_f1": "fail"}
    mcd = check(verdict, "mcd")
    assert mcd.worse == pytest.approx(GAP.mean())
    assert mcd.reason == f"worse by {GAP.mean():.4f} (p <0.001, 60 items)"


def test_improvement_passes(pair) -> None:
    verdict = gate(*pair(mcd=HARD - GAP, f1=0.1 * (HARD + GAP)))
    assert verdict.passed
    assert [check.reason for check in verdict.checks[1:]] == ["better", "better"]


def test_difference_that_chance_explains_passes(pair) -> None:
    # The mean moves by half a standard error.
    worse = CENTRED + 0.5 * CENTRED.std(ddof=1) / np.sqrt(60)
    verdict = gate(*pair(mcd=HARD + worse))
    assert verdict.passed
    assert "as chance allows" in check(verdict, "mcd").reason


@pytest.mark.parametrize(
    ("margin", "status"), [("+0.2", "fail"), ("+0.45", "pass"), ("+1", "pass")]
)
def test_margin_must_be_exceeded_surely(pair, margin: str, status: str) -> None:
    # Worse by 0.504 with a standard error of 0.07.
    verdict = gate(*pair(mcd=HARD + GAP), [f"mcd:{margin}"])
    assert statuses(verdict)["mcd"] == status


def test_only_metrics_that_are_asked_for_are_judged(pair) -> None:
    verdict = gate(*pair(mcd=HARD + GAP), ["onset_f1:-0.01"])
    assert statuses(verdict) == {"generated": "pass", "onset_f1": "pass"}


def test_about_one_in_twenty_equal_systems_fails_at_most(pair, boards, tmp_path: Path) -> None:
    # Holm over two metrics that never differ: at most 5 % of 60 gates, and three deviations.
    failed = 0
    for seed in range(60):
        random = np.random.RandomState(seed)
        runs = [
            boards.run(
                tmp_path / str(seed),
                name,
                boards.scored("mcd", boards.column(random.standard_normal(30))),
                boards.scored("onset_f1", boards.column(random.standard_normal(30))),
            )
            for name in ("old", "new")
        ]
        failed += not gate(*runs).passed
    assert failed <= 60 * 0.05 + 3 * np.sqrt(60 * 0.05 * 0.95)


def test_last_digits_are_no_regression(pair) -> None:
    verdict = gate(*pair(mcd=HARD * (1 + 1e-6)))
    assert verdict.passed
    assert check(verdict, "mcd").reason == "no difference beyond rounding"


def test_lost_metric_value_and_clip_fail(tmp_path: Path, boards) -> None:
    mcd = boards.scored("mcd", boards.column(HARD))
    f1 = boards.scored("onset_f1", boards.column(HARD))
    old = boards.run(tmp_path, "old", mcd, f1)
    short = boards.scored("mcd", [*boards.column(HARD[:59]), None])
    empty = replace(f1, score=replace(f1.score, value=None, note="weights missing"), components={})
    for name, metrics, reasons in (
        ("gone", [mcd], {"onset_f1": "lost coverage: the candidate does not have this metric"}),
        ("empty", [mcd, empty], {"onset_f1": "lost coverage: no value any more: weights missing"}),
        (
            "short",
            [short, f1],
            {"mcd": "lost coverage: 59 of 60 clips scored, 60 of 60 before; the first: i059: too "
             "short"},
        ),
    ):  # fmt: skip
        verdict = gate(old, boards.run(tmp_path, name, *metrics))
        failed = {check.metric: check.reason for check in verdict.checks if check.status == "fail"}
        assert failed == reasons


def test_clips_that_failed_to_generate_fail(pair) -> None:
    verdict = gate(*pair(failures={"i000": "no memory"}))
    assert statuses(verdict)["generated"] == "fail"
    assert verdict.checks[0].reason == (
        "lost coverage: 0 clips failed before, 1 now; the first: no memory"
    )


def test_set_is_judged_by_contributions_and_said_where_it_has_none(tmp_path: Path, boards) -> None:
    parts = boards.column(0.01 * CENTRED)
    for name, value, other in (("old", 10.0, 3.0), ("new", 11.0, 4.0)):
        boards.run(
            tmp_path,
            name,
            boards.scored("fd.aisfx", parts, value=value),
            boards.scored("kad.aisfx", [], value=other),
        )
    verdict = gate(tmp_path / "old-0", tmp_path / "new-0")
    assert statuses(verdict) == {"generated": "pass", "fd.aisfx": "fail", "kad.aisfx": "untested"}


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ("mcd:-1", InputError, r"mcd is better when lower.*written mcd:\+1\.0, got 'mcd:-1'"),
        ("onset_f1:+0.1", InputError, r"better when higher.*written onset_f1:-1\.0"),
        ("mcd:much", InputError, "expected metric:margin such as"),
        ("mcd:nan", InputError, "written mcd"),
        ("mcd:inf", InputError, "written mcd"),
        ("mcdd", UnknownNameError, "unknown metric of the baseline 'mcdd'; did you mean mcd"),
    ],
)
def test_margins_that_make_no_sense_are_refused(
    pair, asked: str, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        gate(*pair(), [asked])


def test_records_that_do_not_compare_are_refused(tmp_path: Path, boards) -> None:
    old = boards.run(tmp_path, "old", boards.scored("mcd", boards.column(HARD)))
    other = boards.scored("mcd", boards.column(HARD), encoder="e-2")
    with pytest.raises(InputError, match=r"mcd was measured in two ways.*make the baseline anew"):
        gate(old, boards.run(tmp_path, "way", other))
    bench = BenchmarkEntry("toy", "2", "sound", "ffff00001111")
    elsewhere = boards.run(
        tmp_path, "bench", boards.scored("mcd", boards.column(HARD)), benchmark=bench
    )
    with pytest.raises(InputError, match="different benchmarks do not compare"):
        gate(old, elsewhere)


@pytest.mark.parametrize(("n", "status"), [(4, "untested"), (5, "fail")])
def test_items_that_no_regression_could_show_on_are_no_pass(
    tmp_path: Path, boards, n: int, status: str
) -> None:
    # All of the 2^n flips of signs but one are smaller: 1/16 is no proof, 1/32 is.
    for name, worse in (("old", 0.0), ("new", 9.0)):
        boards.run(tmp_path, name, boards.scored("mcd", boards.column(HARD[:n] + worse)))
    mcd = check(gate(tmp_path / "old-0", tmp_path / "new-0"), "mcd")
    assert (mcd.status, mcd.p_holm) == (status, 0.5**n)
    if n == 4:
        assert mcd.reason == (
            "worse by 9.000, too few items for any regression to show (p 0.062, 4 items)"
        )


# --- slices ---

SPEAKER = {"s1": range(12), "s2": range(12, 40), "s3": range(40, 60)}
SLICES = {f"speaker={name}": tuple(f"i{at:03d}" for at in of) for name, of in SPEAKER.items()}
ONE_WORSE = HARD + np.where(np.arange(60) < 12, 0.5 + 0.01 * np.arange(60), -0.5)
"""KL is worse on every clip of s1, and better on all others."""


@pytest.fixture
def sliced(tmp_path: Path, boards):
    """Writes a baseline and a candidate whose records state slices."""

    def write(
        kl=ONE_WORSE, slices=SLICES, baseline: dict | None = None, **changes: object
    ) -> tuple[Path, Path]:
        folders = []
        for name, values, more in (("old", HARD, baseline or {}), ("new", kl, changes)):
            clips = [None if np.isnan(value) else [value] for value in values]
            known = [value for value in values if not np.isnan(value)]
            metrics = (
                boards.scored("kl.aisfx", clips),
                boards.scored("fd.aisfx", boards.column(0.01 * CENTRED), value=np.mean(known)),
            )
            folders.append(boards.run(tmp_path, name, *metrics, **{"slices": slices, **more}))
        return folders[0], folders[1]

    return write


def test_regression_of_one_slice_fails_it_where_the_whole_passes(sliced) -> None:
    runs = sliced()
    assert gate(*runs, ["kl.aisfx"]).passed
    verdict = gate(*runs, ["kl.aisfx"], ["speaker=s2", "speaker=s1"])
    assert [(one.slice, one.metric, one.status) for one in verdict.checks] == [
        ("speaker=s2", "generated", "pass"),
        ("speaker=s2", "kl.aisfx", "pass"),
        ("speaker=s1", "generated", "pass"),
        ("speaker=s1", "kl.aisfx", "fail"),
    ]
    better, worse = (one for one in verdict.checks if one.metric == "kl.aisfx")
    assert worse.baseline == pytest.approx(HARD[:12].mean(), rel=1e-12)
    assert worse.candidate == pytest.approx(ONE_WORSE[:12].mean(), rel=1e-12)
    assert worse.worse == pytest.approx(0.5 + 0.055, rel=1e-12)
    assert better.worse == pytest.approx(-0.5, rel=1e-12)
    # One of 2^12 flips is as extreme; Holm's correction is over both slices.
    assert worse.p_holm == pytest.approx(2 / 4096)
    assert worse.reason == "worse by 0.5550 (p <0.001, 12 items)"


def test_margin_holds_on_each_slice(sliced) -> None:
    runs = sliced()
    assert not gate(*runs, ["kl.aisfx:+0.4"], ["speaker"]).passed
    assert gate(*runs, ["kl.aisfx:+0.6"], ["speaker"]).passed


def test_tests_of_many_slices_are_too_many_for_few_items(sliced) -> None:
    # 2^-6 is enough alone, and among three tests, but 3/64 is not among four.
    names = {f"part/{at}": SLICES["speaker=s1"][6 * (at % 2) : 6 + 6 * (at % 2)] for at in range(4)}
    runs = sliced(slices=names)
    for count, status in ((3, "fail"), (4, "untested")):
        verdict = gate(*runs, ["kl.aisfx"], [f"part/{at}" for at in range(count)])
        assert {one.status for one in verdict.checks if one.metric == "kl.aisfx"} == {status}
        assert verdict.passed == (status == "untested")


def test_flips_are_enough_for_many_slices(sliced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsseval.reports.gate.N_RESAMPLES", 100)
    runs = sliced(kl=HARD + 1.0, slices={f"part/{at}": SLICES["speaker=s3"] for at in range(6)})
    verdict = gate(*runs, ["kl.aisfx"], ["part"])
    # Six tests, 100 flips for each: 6/101 would be no proof.
    (level,) = {one.p_holm for one in verdict.checks if one.metric == "kl.aisfx"}
    assert level == pytest.approx(6 / 601)
    assert not verdict.passed


def test_set_is_said_not_to_be_available_on_a_slice(sliced) -> None:
    runs = sliced()
    verdict = gate(*runs, (), ["speaker=s3"])
    fd = check(verdict, "fd.aisfx")
    assert (fd.status, fd.baseline, fd.candidate) == ("untested", None, None)
    assert fd.reason.startswith("not available on a slice: a value of a whole set needs the emb")
    with pytest.raises(
        InputError,
        match=r"no metric has a value on speaker=s3: fd\.aisfx: not available on a slice",
    ):
        gate(*runs, ["fd"], ["speaker=s3"])


def test_coverage_that_a_slice_lost_fails_it_alone(sliced) -> None:
    lost = HARD.copy()
    lost[15] = np.nan
    runs = sliced(kl=lost, failures={"i050": "no memory"})
    verdict = gate(*runs, ["kl.aisfx"], ["speaker"])
    failed = {(one.slice, one.metric): one.reason for one in verdict.checks if one.status == "fail"}
    assert failed == {
        (
            "speaker=s2",
            "kl.aisfx",
        ): "lost coverage: 27 of 28 clips scored, 28 of 28 before; the first: i015: too short",
        ("speaker=s3", "generated"): "lost coverage: 0 clips failed before, 1 now; the first: "
        "no memory",
    }


def test_slices_that_do_not_compare_are_refused(sliced, boards, tmp_path: Path) -> None:
    runs = sliced()
    with pytest.raises(UnknownNameError, match="unknown slice 'speaker=s4'; did you mean speaker"):
        gate(*runs, (), ["speaker=s4"])
    few = {"speaker=s1": SLICES["speaker=s1"]}
    old, new = sliced(baseline={"limit": 12, "slices": few})
    with pytest.raises(
        InputError, match=r"only one of the runs has clips of speaker=s2, speaker=s3; make both"
    ):
        gate(old, new, ["kl.aisfx"], ["speaker"])
    said = CliRunner().invoke(main, ["compare", str(old), str(new), "--slice", "speaker"])
    assert said.stderr.splitlines() == [
        f"speaker={name}: only one of the runs has clips of it, so it is left out"
        for name in ("s2", "s3")
    ]
    other = boards.scored("kl.aisfx", boards.column(HARD), encoder="e-2")
    way = boards.run(tmp_path, "way", other, slices=SLICES)
    with pytest.raises(
        InputError, match=r"kl.aisfx was measured in two ways.*make the baseline anew"
    ):
        gate(runs[0], way, ["kl.aisfx"], ["speaker"])


# --- what it writes ---


def test_junit_has_a_case_a_metric(pair) -> None:
    verdict = gate(*pair(mcd=HARD + GAP))
    (suite,) = ET.fromstring(junit(verdict))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "0")
    failures = {case.get("name"): case.find("failure") for case in suite}
    assert failures["onset_f1"] is None
    assert failures["mcd"].get("message").startswith("worse by")


def test_junit_survives_what_xml_cannot_hold(pair) -> None:
    verdict = gate(*pair(failures={"i000": 'a "quote", <tag> & \x1b[31mcolour'}))
    (suite,) = ET.fromstring(junit(verdict))
    assert 'a "quote", <tag> & [31mcolour' in suite[0].find("failure").get("message")


def test_summary_is_a_table_with_the_reason(pair) -> None:
    text = markdown(gate(*pair(mcd=HARD + GAP)))
    assert text.startswith("## Gate failed: mcd\n")
    assert "| mcd ↓ |" in text
    assert markdown(gate(*pair())).startswith("## Gate passed\n")


def test_command_ends_in_0_1_or_2_and_writes_both_files(pair, tmp_path: Path) -> None:
    def run(*words: object):
        return CliRunner().invoke(main, ["gate", *map(str, words)])

    old, new = pair(mcd=HARD + GAP)
    files = ["--junit", tmp_path / "out/gate.xml", "--summary", tmp_path / "out/summary.md"]
    failed = run("--baseline", old, "--candidate", new / "record.json", *files)
    assert failed.exit_code == 1
    assert "the gate did not pass" in failed.stderr
    passed = run("--baseline", old, "--candidate", new, "--metric", "mcd:+1.0", *files)
    assert passed.exit_code == 0
    assert run("--baseline", old, "--candidate", new, "--metric", "mcd:-1.0").exit_code == 2
    summary = (tmp_path / "out/summary.md").read_text()
    assert summary == failed.stdout + passed.stdout
    assert ET.parse(tmp_path / "out/gate.xml").getroot()[0].get("failures") == "0"


def test_slices_are_named_in_what_is_written(sliced, tmp_path: Path) -> None:
    names = {**SLICES, "two|bars": SLICES["speaker=s3"]}
    old, new = sliced(slices=names)
    path = tmp_path / "gate.xml"
    words = ["gate", "--baseline", old, "--candidate", new, "--junit", path]

    def run(*slices: str):
        more = [word for name in slices for word in ("--slice", name)]
        return CliRunner().invoke(main, [str(word) for word in (*words, *more)])

    assert run().exit_code == 0
    assert run("two|bars", "speaker=s2").exit_code == 0
    failed = run("speaker=s1", "two|bars")
    assert (failed.exit_code, failed.stderr) == (1, "the gate did not pass\n")
    head, *_ = failed.stdout.splitlines()
    assert head == "## Gate failed: kl.aisfx (slice speaker=s1)"
    assert "| slice | metric | baseline |" in failed.stdout
    assert "| speaker=s1 | kl.aisfx ↓ |" in failed.stdout
    assert (
        "| two\\|bars | fd.aisfx ↓ | - | - | - | 0 |  | untested | not available" in failed.stdout
    )
    one, two = ET.parse(path).getroot()
    assert one.get("name") == "vsseval gate toy 1 (abcdef01), slice speaker=s1"
    assert {case.get("classname") for case in two} == {"toy 1 (abcdef01), slice two|bars"}
    counts = [[suite.get(key) for key in ("tests", "failures", "skipped")] for suite in (one, two)]
    assert counts == [["3", "1", "1"], ["3", "0", "1"]]
    assert run("speaker=s4").exit_code == 2
