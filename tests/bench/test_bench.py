"""The benchmarks of speed at tiny sizes: they run, both routes agree, the report is whole."""

from __future__ import annotations

import itertools
import platform
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vsseval.bench import measure as timing
from vsseval.bench.made_up import embeddings
from vsseval.bench.measure import BenchRow, alone, peak_bytes, side_by_side
from vsseval.bench.report import HEADS, cells, speed_report
from vsseval.bench.sampling import REAL_TIME
from vsseval.bench.table import SPEED, measure
from vsseval.cli.main import main
from vsseval.errors import UnknownNameError


# Two recognisers need not agree, and they need weights: test_speech_bench.py. Those that start
# many processes or load every network: test_scale.py.
@pytest.mark.parametrize("name", [n for n in SPEED if n not in ("wer", "scale", "costs")])
def test_both_routes_agree(name: str) -> None:
    rows = measure(name, quick=True)
    assert rows
    for row in rows:
        assert row.ours > 0
        assert (row.reference is None) == (row.reference_route == "")
        if row.reference_route == REAL_TIME:
            assert row.reference == 4.0
            assert row.ratio == 4.0 / row.ours
        elif row.reference is not None:
            difference = re.search(r"difference (\de[+-]\d+)", row.agreement)
            assert difference, row.agreement
            # sqrtm of a singular product is right to about 1e-8 itself.
            assert float(difference[1]) < 1e-6
            assert row.ratio == row.reference / row.ours


def test_an_unknown_benchmark_lists_close_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean frechet"):
        measure("frechett")


def test_routes_run_in_turn_and_medians_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    # Durations in the order of the calls: ours 3, 1, 2, the other 30, 50, 40.
    ends = itertools.accumulate(
        itertools.chain.from_iterable((0, took) for took in (3, 30, 1, 50, 2, 40))
    )
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(ends))
    calls: list[str] = []
    found = side_by_side(lambda: calls.append("a"), lambda: calls.append("b"), repeats=3)
    assert (found.ours, found.reference) == (2, 40)
    assert calls == ["a", "b"] * 3


def test_one_route_gives_its_median_and_result(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = itertools.accumulate((0, 9, 0, 5, 0, 7))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(ends))
    assert alone(lambda: "done", repeats=3) == (7, "done")


def test_the_peak_is_what_is_held_at_once() -> None:
    def route() -> None:
        for _ in range(3):
            np.ones(1 << 20)  # 8 MiB, freed before the next

    assert 8 << 20 <= peak_bytes(route) < 18 << 20


def test_embeddings_come_from_the_seed() -> None:
    first = embeddings(1500, 8, 1)
    assert first.dtype == np.float32
    assert (first >= 0).all()
    np.testing.assert_array_equal(first, embeddings(1500, 8, 1))
    assert (first != embeddings(1500, 8, 2)).any()
    assert embeddings(1500, 8, 1, shift=0.5).mean() > first.mean()


def test_the_report_says_command_and_machine_but_not_which_one() -> None:
    row = BenchRow(
        "thing, N = 2", 0.5, "other route", 6.0, 10.0, "relative difference 1e-12", "3 MiB"
    )
    text = speed_report([row, BenchRow("alone", 1.25)], "vsseval bench", repeats=5, load=0.2)
    assert "`vsseval bench`" in text
    assert "median of 5" in text
    assert f"numpy {np.__version__}" in text
    assert "BLAS: " in text
    assert str(Path.cwd()) not in text
    assert not platform.node() or platform.node() not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    agreement = "relative difference 1e-12"
    assert cells(row) == (
        "thing, N = 2",
        "0.5",
        "other route",
        "6",
        "12x",
        "10x",
        agreement,
        "3 MiB",
    )
    assert cells(BenchRow("alone", 1.25)) == ("alone", "1.25", "", "", "", "", "", "")


def test_the_command_writes_the_report(tmp_path) -> None:
    path = tmp_path / "new" / "speed.md"
    done = CliRunner().invoke(main, ["bench", "--quick", "--only", "frechet", "--out", str(path)])
    assert done.exit_code == 0, done.output
    text = path.read_text(encoding="utf-8")
    assert "`vsseval bench --only frechet --quick`" in text
    assert "median of 1" in text
    assert str(tmp_path) not in text


def test_the_command_shows_a_table_without_a_file() -> None:
    done = CliRunner().invoke(main, ["bench", "--quick", "--only", "frechet-few-rows"])
    assert done.exit_code == 0, done.output
    assert all(head in done.stdout for head in HEADS)
    assert "N = 48, d = 64" in done.stdout


def test_the_command_refuses_an_unknown_name() -> None:
    done = CliRunner().invoke(main, ["bench", "--only", "kadd"])
    assert done.exit_code == 2
    assert "did you mean kad?" in done.stderr
