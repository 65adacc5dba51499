"""Greatest Hits: a drumstick on things, with the times of the hits annotated.

``<recording>_denoised.mp4`` (or ``_denoised_thumb``, ``_mic``), ``<recording>_denoised.wav``, and
``<recording>_times.txt`` with lines ``<second> <material> <motion> <reaction>``; hits without a
material (``None``) are hits. A clip is
``<recording>_<second>``, two seconds from there, as CondFoleyGen (XYPB/CondFoleyGen c565db7) names
its 194 targets in ``AMT_test_set.json``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

from vsseval.benchmarks.default_metrics import ONSET_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    Files,
    KnownList,
    clip_in,
    list_lines,
    unique,
)
from vsseval.errors import InputError

_DATE = r"\d{4}(?:-\d{2}){5}(?:-\d+)?"
_FILE = re.compile(rf"({_DATE})_(?:denoised|denoised_thumb|denoised_resampled|mic|times)", re.ASCII)
_CLIP = re.compile(rf"({_DATE})_(\d+\.\d+)", re.ASCII)
CLIP_SECONDS = 2.0


def parse(name: str) -> ClipName | None:
    """The recording that a file belongs to."""
    match = _FILE.fullmatch(name.rpartition("/")[2])
    return ClipName(match[1]) if match else None


def read_list(path: Path) -> list[Entry]:
    """``AMT_test_set.json``, whose keys are clips, or a text with one clip a line.

    Raises:
        InputError: a line names no clip, or one twice.
    """
    if path.suffix == ".json":
        try:
            keys = list(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, TypeError) as error:
            raise InputError(f"cannot read the list {path}: {error}") from error
        names = list(enumerate((str(key) for key in keys), start=1))
    else:
        names = list(list_lines(path))
    rows = []
    for number, text in names:
        match = _CLIP.fullmatch(text)
        name = clip_in(path, number, text, "Greatest Hits", ClipName(text) if match else None)
        if match:
            rows.append((number, Entry(name.id, recording=match[1], start=float(match[2]))))
    return unique(path, rows)


def hits(entry: Entry, files: Files, duration: float) -> tuple[float, ...] | None:
    """Times of the hits inside the clip, from its beginning [s]; None without annotations.

    Raises:
        InputError: a line does not begin with a number.
    """
    if not files.text:
        return None
    times = []
    for number, line in list_lines(files.text[0]):
        try:
            times.append(float(line.split()[0]) - entry.start)
        except ValueError:
            raise InputError(
                f"{files.text[0]}, line {number}: no time of a hit in {line!r}"
            ) from None
    return tuple(sorted(round(time, 6) for time in times if 0 <= time <= duration))


def prefer(path: PurePosixPath) -> int:
    """The denoised edition before its small pictures, those before the microphone's."""
    endings = ("_denoised", "_denoised_resampled", "_denoised_thumb", "_mic")
    return next((at for at, end in enumerate(endings) if path.stem.endswith(end)), len(endings))


DATA_SET = DataSet(
    name="greatest-hits",
    task="sound",
    title="Greatest Hits, a drumstick on things, with annotated hits",
    clip_seconds=CLIP_SECONDS,
    length="cut",
    tolerance=0.25,
    sample_rate=96000,
    sound="file",
    list_names=("AMT_test_set.json", "test.txt"),
    known=(
        KnownList(
            "condfoley",
            194,
            "668d4952e750260a7defe25e7167749832ef44955742b563150b38a9c5cafd36",
            "CondFoleyGen's targets",
        ),
    ),
    metrics=ONSET_METRICS,
    layout="<recording>_denoised.mp4, <recording>_denoised.wav, <recording>_times.txt in any "
    "folder, and the list AMT_test_set.json",
    parse=parse,
    read_list=read_list,
    prefer=prefer,
    group=lambda clip: clip.rpartition("_")[0],
    onsets=hits,
)
