"""The audio checks of :mod:`vsseval.sanity` over the files of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsseval.audio import read_audio
from vsseval.errors import InputError
from vsseval.generate import clip_label
from vsseval.progress import Progress, silent
from vsseval.sanity import Examined, Output, Sanity, examine, gather
from vsseval.types import Benchmark, Generation
from vsseval.workers import Workers


@dataclass(frozen=True, slots=True)
class OutputFile:
    """One generated file and its reference."""

    clip: str
    item: str
    generated: Path
    reference: Path | None
    duration: float
    """Of the item [s]."""


def check_files(
    benchmark: Benchmark,
    rows: Sequence[Generation],
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Sanity:
    """What the audio checks find in the generated clips of a run.

    A clip that failed or cannot be read is left out: the scores say so. A reference that cannot be
    read is left out of the comparison alone.

    Args:
        benchmark: the items.
        rows: the generation log.
        workers: processes to share the work; None for this one.
        progress: where steps are shown.
    """
    items = {item.id: item for item in benchmark.items}
    jobs = [
        OutputFile(
            clip_label(row.item_id, row.take),
            row.item_id,
            row.path,
            items[row.item_id].audio,
            items[row.item_id].duration,
        )
        for row in sorted(rows, key=lambda row: (row.item_id, row.take))
        if row.path is not None
    ]
    found: list[Examined | None] = [None] * len(jobs)
    with progress("check audio", len(jobs)) as advance:
        for at, examined in (workers or Workers()).run(examine_file, jobs):
            found[at] = examined
            advance()
    return gather(one for one in found if one is not None)


def examine_file(file: OutputFile) -> Examined | None:
    """Checks of one file; None if it cannot be read."""
    try:
        generated = read_audio(file.generated)
    except InputError:
        return None
    reference = None
    if file.reference is not None:
        try:
            reference = read_audio(file.reference)
        except InputError:
            reference = None
    return examine(Output(file.clip, file.item, generated, reference, file.duration))
