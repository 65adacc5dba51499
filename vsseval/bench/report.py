"""The report of a benchmark run as Markdown: command, machine, table."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_info

from vsseval.bench.measure import BenchRow

PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "soxr",
    "soundfile",
    "av",
    "pyworld",
    "faster-whisper",
    "ctranslate2",
    "openai-whisper",
)
HEADS = ("what", "ours [s]", "beside", "its time [s]", "ratio", "aim", "agreement", "peak memory")


def speed_report(rows: Sequence[BenchRow], command: str, *, repeats: int, load: float) -> str:
    """The whole document.

    Args:
        rows: in the order they are to stand in.
        command: what was typed.
        repeats: how often each route ran.
        load: load average of the machine before the run.
    """
    lines = [
        "# Speed",
        "",
        f"`{command}`",
        "",
        f"Wall time, median of {repeats}, the two routes in turn in one process. Memory is the "
        "peak of what one further call allocates (tracemalloc: numpy's arrays and Python's "
        "objects), input not counted. Embeddings are made up (`vsseval/bench/made_up.py`); the "
        "routes beside ours are restated in `vsseval/bench`.",
        "",
        *(f"- {line}" for line in machine()),
        f"- load average before the run: {load:.1f}",
        "",
        f"| {' | '.join(HEADS)} |",
        "|---" * len(HEADS) + "|",
        *(f"| {' | '.join(cells(row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def cells(row: BenchRow) -> tuple[str, ...]:
    """One row as text, in the order of ``HEADS``."""
    return (
        row.what,
        _seconds(row.ours),
        row.reference_route,
        "" if row.reference is None else _seconds(row.reference),
        "" if row.ratio is None else f"{row.ratio:.3g}x",
        "" if row.target is None else f"{row.target:g}x",
        row.agreement,
        row.memory,
    )


def machine() -> list[str]:
    """Processor, cores, BLAS and package versions; no host and no path."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    blas = sorted(
        f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', '?')}, "
        f"{pool['num_threads']} threads)"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    )
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return [
        f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}, {', '.join(versions)}",
        f"BLAS: {', '.join(dict.fromkeys(blas)) or 'none loaded'}",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def _seconds(value: float) -> str:
    return f"{value:.3g}"
