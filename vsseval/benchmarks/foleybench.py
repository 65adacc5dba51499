"""FoleyBench: 5,000 clips of sounds whose source is seen, with categories."""

from __future__ import annotations

import re
from pathlib import Path

from vsseval.benchmarks.default_metrics import SOUND_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    KnownList,
    clip_in,
    csv_table,
    unique,
)
from vsseval.errors import InputError

_STEM = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*", re.ASCII)
_ID_COLUMNS = ("key", "id", "video_id", "clip_id")


def parse(name: str) -> ClipName | None:
    """Any name: keys are numbers."""
    stem = name.rpartition("/")[2]
    return ClipName(stem) if _STEM.fullmatch(stem) else None


def read_list(path: Path) -> list[Entry]:
    """A table with a column key (or id), and where it has them caption and categories.

    Every other column whose name holds ``categor``, ``discrete`` or ``source`` makes slices.

    Raises:
        InputError: no column of ids, a line names no clip, or one twice.
    """
    rows = []
    for number, cells in csv_table(path):
        column = next((name for name in _ID_COLUMNS if name in cells), None)
        if column is None:
            raise InputError(f"{path}: expected a column {' or '.join(_ID_COLUMNS)}")
        clip = clip_in(path, number, cells[column], "FoleyBench", parse(cells[column]))
        kinds = {
            name: value.strip()
            for name, value in cells.items()
            if value.strip() and re.search("categor|discrete|source", name)
        }
        rows.append(
            (
                number,
                Entry(
                    clip.id,
                    caption=cells.get("caption", "").strip() or None,
                    label=kinds.get("ucs_category"),
                    slices=tuple(
                        f"{name}/{re.sub('[^a-z0-9]+', '-', value.lower()).strip('-')}"
                        for name, value in kinds.items()
                    ),
                ),
            )
        )
    return unique(path, rows)


DATA_SET = DataSet(
    name="foleybench",
    task="sound",
    title="FoleyBench, sounds whose source is seen, with categories",
    clip_seconds=10.0,
    length="own",
    tolerance=0.5,
    sample_rate=48000,
    sound="video",
    list_names=("metadata.csv", "foleybench.csv", "clips_index.csv"),
    known=(KnownList("all", 5000, None, "the benchmark, by its size"),),
    metrics=SOUND_METRICS,
    layout="<key>.mp4 in any folder and the table metadata.csv with a column key",
    parse=parse,
    read_list=read_list,
)
