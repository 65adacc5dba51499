"""The simulated run of many clips, at a small count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsseval.bench.scale import simulated_run, write_benchmark
from vsseval.benchmarks.manifest import read_benchmark


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
