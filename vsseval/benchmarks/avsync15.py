"""AVSync15: short clips of 15 kinds of sound that are seen to be made; 150 of them for tests."""

from __future__ import annotations

import re
from pathlib import Path

from vsseval.benchmarks.default_metrics import ONSET_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    KnownList,
    clip_in,
    list_lines,
    stem_of,
    unique,
)

_PATH = re.compile(
    r"(?:.*/)?(?P<kind>[a-z][a-z_-]+)/(?P<clip>[A-Za-z0-9_+-][A-Za-z0-9._+-]*)", re.ASCII
)


def parse(name: str) -> ClipName | None:
    """``<kind>/<clip>``, the last two parts of a path."""
    match = _PATH.fullmatch(name)
    return ClipName(f"{match['kind']}/{match['clip']}") if match else None


def entry(clip: str) -> Entry:
    """The clip with its kind, the folder it is in, as label and caption."""
    kind = clip.partition("/")[0].replace("_", " ")
    return Entry(clip, label=kind, caption=kind)


def read_list(path: Path) -> list[Entry]:
    """A list of ``<kind>/<clip>.mp4``.

    Raises:
        InputError: a line names no clip, or one twice.
    """
    rows = []
    for number, line in list_lines(path):
        text = line.split(",")[0].strip()
        name = clip_in(path, number, text, "AVSync15", parse(stem_of(text)))
        rows.append((number, entry(name.id)))
    return unique(path, rows)


DATA_SET = DataSet(
    name="avsync15",
    task="sound",
    title="AVSync15, short clips of 15 kinds of sound that are seen to be made",
    clip_seconds=10.0,
    length="own",
    tolerance=0.5,
    sample_rate=16000,
    sound="video",
    list_names=("test.txt",),
    known=(KnownList("test", 150, None, "the test set, by its size"),),
    metrics=ONSET_METRICS,
    layout="videos/<kind>/<clip>.mp4 and the list test.txt",
    parse=parse,
    read_list=read_list,
)
