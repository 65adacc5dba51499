"""LRS2: sentences from British television; by agreement with the BBC only.

``mvlrs_v1/main/<video>/<utterance>.mp4`` with the words in ``.txt`` beside it. Counts: the official
test set has 1,243 utterances, VSSFlow reports 697 of them and does not say which.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from vsseval.benchmarks.default_metrics import SPEECH_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    Files,
    KnownList,
    clip_in,
    list_lines,
    spoken_text,
    stem_of,
    unique,
)

_PATH = re.compile(r"(?:.*/)?(?:lrs2/|main/|pretrain/|trainval/|test/)?(\d{10,})/(\d{5})", re.ASCII)
_STEM = re.compile(
    r"(wav_pred_|speech_)?(?:main|pretrain)_(\d{10,})_(\d{5})(?:_(?:sample)?(\d{1,3}))?", re.ASCII
)


def parse(name: str) -> ClipName | None:
    """``<video>/<utterance>`` in any folder, or ``main_<video>_<utterance>``."""
    if match := _STEM.fullmatch(name.rpartition("/")[2]):
        made = match[1] is not None or match[4] is not None
        return ClipName(f"lrs2/{match[2]}/{match[3]}", int(match[4] or 0), generated=made)
    match = _PATH.fullmatch(name)
    return ClipName(f"lrs2/{match[1]}/{match[2]}") if match else None


def read_list(path: Path) -> list[Entry]:
    """A list whose lines begin with ``<video>/<utterance>``; what follows a space or | is left.

    Raises:
        InputError: a line names no clip, or one twice.
    """
    rows = []
    for number, line in list_lines(path):
        text = re.split(r"[|\s]", line)[0]
        clip = clip_in(path, number, text, "LRS2", parse(stem_of(text)))
        rows.append((number, Entry(clip.id)))
    return unique(path, rows)


def complete(entry: Entry, files: Files) -> Entry:
    """The words from the clip's ``.txt`` or ``.lab``; who speaks is known by the video alone."""
    video = entry.id.split("/")[1]
    return replace(entry, speaker=video, transcript=entry.transcript or spoken_text(files))


def prefer(path: PurePosixPath) -> int:
    """``main`` before ``pretrain``, whose clips are longer and untrimmed."""
    return int(any(part == "pretrain" or part.startswith("pretrain_") for part in path.parts))


DATA_SET = DataSet(
    name="lrs2",
    task="speech",
    title="LRS2, sentences from British television",
    clip_seconds=10.0,
    length="own",
    tolerance=0.5,
    sample_rate=16000,
    sound="file",
    list_names=("test.txt",),
    known=(
        KnownList("test", 1243, None, "the official test set, by its size"),
        KnownList("vssflow-test", 697, None, "VSSFlow's test set, by its size"),
    ),
    metrics=SPEECH_METRICS,
    layout="mvlrs_v1/main/<video>/<utterance>.mp4 and .txt, or "
    "video_25fps/main_<video>/main_<video>_<utterance>.mp4, and the list test.txt",
    parse=parse,
    read_list=read_list,
    complete=complete,
    prefer=prefer,
    group=lambda clip: clip.split("/")[1],
)
