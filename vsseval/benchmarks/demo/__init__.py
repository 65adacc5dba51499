"""Generator of the benchmarks ``demo-sound`` and ``demo-speech``; see docs/demo-data.md."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from vsseval.progress import Progress, silent

__all__ = ["generate_demo"]


def generate_demo(
    split: Literal["train", "val", "test"],
    out: Path,
    *,
    tasks: tuple[str, ...] = ("sound", "speech"),
    count: int | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> None:
    """Write OUT/demo-sound and OUT/demo-speech in the form of a benchmark on disk.

    Every clip depends on its split and index alone (seed: sha256 of ``demo-sound/train/17``), so
    number of clips, order and workers change nothing in it, except which clip the last four
    speech clips have as ``speaker_audio``.

    Args:
        split: ``train``, ``val`` or ``test``; no two share a seed or a sentence.
        out: folder in which the benchmark folders are written; existing clips are written again.
        tasks: ``sound``, ``speech`` or both.
        count: clips of each task, or None for 3000 + 4000 (train), 64 + 64 (val), 96 + 96 (test).
        workers: processes.
        progress: where finished clips are shown.

    Raises:
        InputError: unknown split or task, or a count below 1.
        ExternalToolError: speech was asked for and ``flite`` is missing or fails.
    """
    from vsseval.benchmarks.demo.generate import write_split

    write_split(split, out, tasks, count, workers, progress)
