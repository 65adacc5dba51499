"""The benchmark of a record, where its files are on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vsseval.benchmarks.manifest import read_benchmark
from vsseval.benchmarks.table import BENCHMARKS, EMBEDDED_MEDIA, default_data
from vsseval.records import BenchmarkEntry
from vsseval.types import Benchmark


def find_benchmark(entry: BenchmarkEntry, data: Sequence[Path]) -> tuple[Benchmark | None, str]:
    """The benchmark of a record on this machine, or None and the reason.

    A benchmark of another digest has other clips and does not count.

    Args:
        entry: of the record.
        data: folders of benchmarks, or folders that hold such folders.
    """
    row = BENCHMARKS.get(entry.name)
    roots = [path for folder in data for path in (folder, folder / entry.name)]
    roots.append((EMBEDDED_MEDIA if row and row.embedded else default_data()) / entry.name)
    others = []
    for root in roots:
        if not (root / "benchmark.json").is_file():
            continue
        benchmark = read_benchmark(root)
        if benchmark.digest == entry.digest:
            return benchmark, ""
        if benchmark.name == entry.name:
            others.append(benchmark.digest[:8])
    if others:
        return None, (
            f"the files of {entry.name} that are here are another version "
            f"({', '.join(others)}) than the one of the records ({entry.digest[:8]})"
        )
    return None, f"the files of {entry.name} are not here; --data DIR says where they are"
