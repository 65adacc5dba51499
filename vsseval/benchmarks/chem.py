"""Chem: sentences of one lecturer's chemistry videos, cut from YouTube lectures.

A clip is ``<youtube id>-<number of the sentence>``; the YouTube id may hold ``-`` itself. Counts
and digests: RanaCM/DSU-AVO 37f616e.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from vsseval.benchmarks.default_metrics import SPEECH_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    Files,
    KnownList,
    bar_lines,
    spoken_text,
    unique,
)

_NAME = re.compile(
    r"(?P<made>speech_|visual_tts_|wav_pred_)?(?:chem_00_)?(?P<clip>[A-Za-z0-9_-]{11}-\d{3,4})"
    r"(?:_(?:sample)?(?P<take>\d{1,3}))?",
    re.ASCII,
)
SPEAKER = "chem_00"


def parse(name: str) -> ClipName | None:
    """``chem_00_mgg27LTeNPo-030`` and the same with what generators put around it."""
    match = _NAME.fullmatch(name.rpartition("/")[2].removeprefix("chem/"))
    if match is None:
        return None
    made = match["made"] is not None or match["take"] is not None
    return ClipName(f"chem/{match['clip']}", int(match["take"] or 0), generated=made)


def read_list(path: Path) -> list[Entry]:
    """A list with lines ``<id>|<text>``, ``<id>|<path>|<phonemes>|<text>``, or ids alone.

    Raises:
        InputError: a line names no clip, or one twice.
    """
    rows = []
    for number, clip, cells in bar_lines(path, "Chem", parse):
        text = cells[-1] if len(cells) in (2, 4) else ""
        rows.append((number, Entry(clip, transcript=text or None, speaker=SPEAKER)))
    return unique(path, rows)


def complete(entry: Entry, files: Files) -> Entry:
    """The words, from the list or the clip's ``.lab``."""
    return replace(entry, transcript=entry.transcript or spoken_text(files))


DATA_SET = DataSet(
    name="chem",
    task="speech",
    title="Chem, sentences of one lecturer's chemistry videos",
    clip_seconds=10.0,
    length="own",
    tolerance=0.5,
    sample_rate=16000,
    sound="file",
    list_names=("test.txt", "chem_newphoneme_Test.txt"),
    known=(
        KnownList(
            "test",
            200,
            "733ee1b00fc3b1fb3fd8ce5e9f8bdeebc7e18213aa9618f37eebcd457f2c9a54",
            "the test set of Neural Dubber and DSU-AVO",
        ),
        KnownList(
            "val",
            200,
            "afbfec4e750d881418e80e868cae5005372a72ceff23f588dd9f3e8c6c178bfc",
            "DSU-AVO's validation set",
        ),
        KnownList(
            "train",
            6088,
            "789df7c520badc51948fd38e1b6b56deda45e92233f074ac0659f9a25db7493f",
            "DSU-AVO's training set",
        ),
        KnownList("hpm-test", 196, None, "the test set of HPMDubbing and EmoDubber, by its size"),
    ),
    metrics=SPEECH_METRICS,
    layout="chem_00_<youtube id>-<sentence>.wav and .lab, <youtube id>-<sentence>.mp4 in any "
    "folder, and the list test.txt",
    parse=parse,
    read_list=read_list,
    complete=complete,
    group=lambda clip: clip.removeprefix("chem/").rpartition("-")[0],
)
