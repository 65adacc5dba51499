"""The simulated run of many clips, at a small count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsseval.bench.costs import per_clip
from vsseval.bench.scale import simulated_run, write_benchmark
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.encoders.table import ENCODERS


def test_made_up_benchmark_is_one(tmp_path: Path) -> None:
    write_benchmark(tmp_path / "many", 5)
    benchmark = read_benchmark(tmp_path / "many")
    assert [item.id for item in benchmark.items] == [f"clip0000{n}" for n in range(5)]
    sounds = {item.audio.read_bytes() for item in benchmark.items}
    assert len(sounds) == 5


@pytest.mark.slow
def test_killed_run_ends_in_the_record_of_one_that_was_left_alone() -> None:
    shared, whole = simulated_run(quick=True)
    assert shared.agreement == "largest difference 0e+00 of a clip's components"
    assert whole.agreement.startswith("largest difference 0e+00 from a run that was left alone; ")
    # What the killed worker was at may be in the log twice, no more than that.
    lines = re.search(r"(\d+) lines in the log of 60 clips", whole.agreement)
    assert 60 <= int(lines[1]) <= 64
    mebibytes = float(re.search(r"(\d+) MiB", whole.memory)[1])
    assert mebibytes < 1500


def test_costs_name_the_encoders_and_what_a_data_set_takes() -> None:
    rows = per_clip(quick=True)
    names = [row.what.partition(":")[0] for row in rows]
    expected = [row.id for row in ENCODERS.values() if not row.network]
    assert names == ["audio checks", *expected]
    for row in rows:
        hours = re.search(r"15,446 take (\S+) h$", row.what)
        assert float(hours[1]) == pytest.approx(row.ours * 15_446 / 3600, rel=5e-3)
