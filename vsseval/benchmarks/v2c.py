"""V2C-Animation: lines of animated films; built by everyone from films of their own.

Original names are ``<film>_speeches/<Character>/00/<Character>-00-<NNNN>.wav`` and
``<film>_videos/<Character>/<NNNN>.mp4``; dubbing lists call the same clip
``<film>@<Character>_00_<NNNN>_00``. Counts and digests: ZZDoog/ProDubber 77a0797.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from vsseval.benchmarks import grid
from vsseval.benchmarks.default_metrics import SPEECH_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    Files,
    KnownList,
    bar_lines,
    spoken_text,
    stem_of,
    unique,
)

_CLIP = r"[A-Za-z0-9]+@[A-Za-z0-9-]+_\d\d_\d{4}_\d\d"
_NAME = re.compile(
    rf"(?P<made>wav_pred_)?(?P<clip>{_CLIP})(?:_(?P<reference>s\d+-[a-z0-9]{{6}}|{_CLIP}))?",
    re.ASCII,
)
_SPEECHES = re.compile(
    r"(?:.*/)?([A-Za-z0-9]+)_speeches/([A-Za-z0-9-]+)/00/[A-Za-z0-9-]+-00-(\d{4})"
)
_VIDEOS = re.compile(r"(?:.*/)?([A-Za-z0-9]+)_videos/([A-Za-z0-9-]+)/(\d{4})")


def parse(name: str) -> ClipName | None:
    """``Bossbaby@BossBaby_00_0559_00``, with the voice it joins, or the original folders."""
    if match := _NAME.fullmatch(name.rpartition("/")[2]):
        made = match["made"] is not None or match["reference"] is not None
        return ClipName(f"v2c/{match['clip']}", reference=match["reference"], generated=made)
    match = _SPEECHES.fullmatch(name) or _VIDEOS.fullmatch(name)
    return ClipName(f"v2c/{match[1]}@{match[2]}_00_{match[3]}_00") if match else None


def read_list(path: Path) -> list[Entry]:
    """A list with the name of a clip before the first ``|``.

    Five cells are ``name|text|speaker|reference|text of the reference`` (setting 2), four with a
    clip in the third ``name|phonemes|reference|text of the reference`` (setting 3).

    Raises:
        InputError: a line names no clip, or one twice.
    """
    rows = []
    for number, clip, cells in bar_lines(path, "V2C", parse):
        text, reference = None, None
        if len(cells) == 5:
            text, reference = cells[1] or None, _reference(cells[3])
        elif len(cells) == 4:
            reference = _reference(cells[2])
        rows.append((number, Entry(clip, transcript=text, reference=reference)))
    return unique(path, rows)


def _reference(text: str) -> str | None:
    name = parse(stem_of(text)) or grid.parse(stem_of(text))
    return name.id if name else None


def complete(entry: Entry, files: Files) -> Entry:
    """The words from list, ``.lab`` or ``.normalized.txt``; the speaker from the id."""
    speaker = entry.id.removeprefix("v2c/").partition("_00_")[0]
    return replace(entry, speaker=speaker, transcript=entry.transcript or spoken_text(files))


DATA_SET = DataSet(
    name="v2c",
    task="speech",
    title="V2C-Animation, lines of animated films",
    clip_seconds=10.0,
    length="own",
    tolerance=0.5,
    sample_rate=22050,
    sound="file",
    list_names=("V2C_val.txt", "test.txt"),
    known=(
        KnownList(
            "test",
            2779,
            "ac1198ca1a3cae49ff43aa10fa7a8d61b3be0ae278ba07ce05399530f7cd16d5",
            "ProDubber's test set",
        ),
        KnownList(
            "train",
            6517,
            "6337dc961e56192cf12893202afb1fa8abea6d218fecf1d083577c32eeec7d92",
            "ProDubber's training set",
        ),
        KnownList("vssflow-test", 1319, None, "VSSFlow's test set, by its size"),
        KnownList("dualbench", 1318, None, "DualBench, by its size"),
    ),
    metrics=SPEECH_METRICS,
    layout="<film>@<Character>_00_<NNNN>_00.wav, .lab and .mp4 in any folder, or the original "
    "<film>_speeches and <film>_videos, and the list V2C_val.txt",
    parse=parse,
    read_list=read_list,
    complete=complete,
    group=lambda clip: clip.removeprefix("v2c/").partition("@")[0],
)
