"""``folder:PATH`` finds files by item id and says what it did not find."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.folder import Folder, load
from vsseval.audio import read_audio
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.errors import InputError
from vsseval.types import Benchmark, ModelContext


@pytest.fixture
def benchmark(toy: Path) -> Benchmark:
    found = read_benchmark(toy)
    items = (replace(found.items[0], id="s1/a"), *found.items[1:])
    return replace(found, items=items)


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    (tmp_path / "ours").mkdir()
    return tmp_path / "ours"


def opened(benchmark: Benchmark, folder: Path) -> Folder:
    return load(ModelContext(benchmark, None, "cpu", str(folder)))


@pytest.mark.parametrize("name", ["s1/a.flac", "s1_a.flac", "s1-a.flac"])
def test_slash_of_an_id_may_be_written_three_ways(
    benchmark: Benchmark, ours: Path, name: str
) -> None:
    source = benchmark.items[0].audio
    (ours / name).parent.mkdir(exist_ok=True)
    shutil.copy(source, ours / name)
    output = opened(benchmark, ours).generate(benchmark.items[0], 1).audio
    assert np.array_equal(output.samples, read_audio(source).samples)


def test_coverage_names_missing_items_and_extra_files(benchmark: Benchmark, ours: Path) -> None:
    for name in ("b", "c", "stranger"):
        shutil.copy(benchmark.items[1].audio, ours / f"{name}.flac")
    assert opened(benchmark, ours).notes == (
        "coverage: 2 of 4 items have a file, 2 have none, 1 files fit no item",
        "missing: s1/a",
        "missing: d",
        "extra: stranger.flac",
    )


def test_item_without_file_fails_with_the_expected_name(benchmark: Benchmark, ours: Path) -> None:
    shutil.copy(benchmark.items[1].audio, ours / "b.flac")
    with pytest.raises(InputError, match=r"no file named d\.wav or d\.flac"):
        opened(benchmark, ours).generate(benchmark.items[3], 1)


def test_signature_follows_the_content(benchmark: Benchmark, ours: Path) -> None:
    shutil.copy(benchmark.items[1].audio, ours / "b.flac")
    first = opened(benchmark, ours).signature
    assert first["name"] == "ours"
    assert opened(benchmark, ours).signature == first
    shutil.copy(benchmark.items[2].audio, ours / "b.flac")
    assert opened(benchmark, ours).signature != first


def test_two_files_for_one_item_are_refused(benchmark: Benchmark, ours: Path) -> None:
    for name in ("s1_a.flac", "s1-a.flac"):
        shutil.copy(benchmark.items[0].audio, ours / name)
    with pytest.raises(InputError, match=r"item s1/a: .* both fit"):
        opened(benchmark, ours)


def test_folder_in_which_nothing_fits_is_refused(benchmark: Benchmark, ours: Path) -> None:
    shutil.copy(benchmark.items[0].audio, ours / "x.flac")
    with pytest.raises(InputError, match=r"none of the 1 wav and flac files .* s1/a\.wav"):
        opened(benchmark, ours)


def test_absent_folder_is_refused(benchmark: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no folder at .*nowhere"):
        opened(benchmark, tmp_path / "nowhere")
