"""VGGSound: 10-s clips of videos from the web; lists, names, and VGGSounder's labels.

A clip is the 11 characters of its YouTube id, which may hold ``_`` and ``-``, and the second at
which it begins in six digits: ``ruK8QzIWrSY_000080``. Counts and digests: hche11/VGGSound 9bbc749,
cyanbx/Frieren-V2A 0c39692, Bizilizi/VGGSounder 5a91bf6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vsseval.benchmarks.default_metrics import SOUND_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    KnownList,
    clip_in,
    csv_cells,
    csv_table,
    ids_digest,
    stem_of,
    unique,
)
from vsseval.errors import InputError

_YOUTUBE = r"(?P<youtube>[A-Za-z0-9_-]{11})"
_SECONDS = re.compile(
    rf"(?P<made>audio_)?Y?{_YOUTUBE}_(?P<start>\d{{1,6}})(?:_(?P<take>\d{{1,3}}))?", re.ASCII
)
_MILLISECONDS = re.compile(rf"Y?{_YOUTUBE}_(?P<start>\d+)_(?P<end>\d{{4,}})", re.ASCII)

VGGSOUNDER_VERSIONS: Mapping[str, str] = {
    "c5097a942e9b3838a2850470d7070817ebca0877d0807cd8df77d593aac79a7e": "1.0",
    "36365aa310bfa680754adc6d79119b9dd175f1126b9d6cca9461ea2060fdd59f": "1.0",
    "5f86ebff80509a74822cfe39ccefb7c7f1289a021be066230c96a7e9670c559b": "0.1.6",
    "9dad658c2f9c76d3800201ccdfaa75863eff72807e8b1049f937878086438e4c": "0.1.6",
}
"""Version of VGGSounder's labels by the digest of the ids in its file, with the clips that have
background music (15,069 and 14,858) and without (12,014 and 11,801)."""

_FLAGS = {
    "background_music": "background-music",
    "static_image": "static-image",
    "voice_over": "voice-over",
}


def parse(name: str) -> ClipName | None:
    """``<youtube>_<second>`` with or without take, and ``<youtube>_<ms>_<ms>``."""
    stem = name.rpartition("/")[2]
    if match := _MILLISECONDS.fullmatch(stem):
        seconds, rest = divmod(int(match["start"]), 1000)
        return None if rest or seconds > 999_999 else ClipName(f"{match['youtube']}_{seconds:06}")
    if match := _SECONDS.fullmatch(stem):
        clip, take = f"{match['youtube']}_{int(match['start']):06}", match["take"]
        made = match["made"] is not None or take is not None
        return ClipName(clip, int(take or 0), generated=made)
    return None


def read_list(path: Path) -> list[Entry]:
    """The test clips of a list: ``vggsound.csv``, ``test.csv``, VGGSounder's, or ids alone.

    Raises:
        InputError: a line names no clip, or one twice.
    """
    rows = []
    for number, cells in csv_cells(path):
        if number == 1 and cells[0].strip().lower() in ("video_id", "id", "youtube_id"):
            if "modality" in cells:
                return [_entry(clip, None) for clip in dict.fromkeys(_vggsounder_ids(path))]
            continue
        if len(cells) == 4:
            # The whole data set: YouTube id, second, label, split.
            if cells[3].strip() != "test":
                continue
            text, label = f"{cells[0]}_{cells[1].strip()}", cells[2]
        else:
            text, label = stem_of(cells[0].strip()), cells[1] if len(cells) > 1 else ""
        clip = clip_in(path, number, text, "VGGSound", parse(text))
        rows.append((number, _entry(clip.id, label.strip() or None)))
    return unique(path, rows)


def _entry(clip: str, label: str | None) -> Entry:
    return Entry(clip, label=label, caption=label)


def _vggsounder_ids(path: Path) -> list[str]:
    ids = []
    for number, row in csv_table(path):
        text = row.get("video_id", "")
        ids.append(clip_in(path, number, text, "VGGSound", parse(text)).id)
    return ids


def vggsounder_slices(path: Path, entries: list[Entry]) -> list[Entry]:
    """The entries with the slices that VGGSounder's labels put them in.

    ``vggsounder-1.0/no-background-music`` and so on, and whether the clip's own label is seen
    (``label-visible``) or only heard (``label-audible-only``). A clip that the file does not hold
    is in no slice: the smaller of the two published files leaves clips with background music out.

    Args:
        path: ``vggsounder+background-music.csv`` or ``vggsounder.csv``.
        entries: clips with their VGGSound labels.

    Raises:
        InputError: a column is missing, a line names no clip, or no clip of the entries is there.
    """
    needed = {"video_id", "label", "modality", *_FLAGS}
    of_clip: dict[str, list[Mapping[str, str]]] = {}
    for number, row in csv_table(path):
        if missing := sorted(needed - set(row)):
            raise InputError(f"{path}: VGGSounder's labels need a column {missing[0]!r}")
        name = clip_in(path, number, row["video_id"], "VGGSound", parse(row["video_id"]))
        of_clip.setdefault(name.id, []).append(row)
    if not any(entry.id in of_clip for entry in entries):
        raise InputError(
            f"{path}: no clip of the list has a label there; expected "
            "vggsounder+background-music.csv of https://github.com/Bizilizi/VGGSounder"
        )
    digest = ids_digest(of_clip)
    prefix = f"vggsounder-{VGGSOUNDER_VERSIONS.get(digest, digest[:8])}"
    return [
        replace(
            entry,
            slices=tuple(f"{prefix}/{one}" for one in _slices(entry, of_clip.get(entry.id, []))),
        )
        for entry in entries
    ]


def _slices(entry: Entry, rows: list[Mapping[str, str]]) -> list[str]:
    if not rows:
        return []
    found = []
    for column, name in _FLAGS.items():
        yes = any(row[column].strip().lower() == "true" for row in rows)
        found.append(name if yes else f"no-{name}")
    own = {row["modality"].strip() for row in rows if row["label"].strip() == entry.label}
    if "AV" in own:
        found.append("label-visible")
    elif own == {"A"}:
        found.append("label-audible-only")
    return found


DATA_SET = DataSet(
    name="vggsound",
    task="sound",
    title="VGGSound test set, sound of videos from the web",
    clip_seconds=10.0,
    length="cut",
    tolerance=0.5,
    sample_rate=44100,
    sound="video",
    list_names=("test.csv", "vggsound.csv", "Test.txt"),
    known=(
        KnownList(
            "test",
            15446,
            "1f394a562025d493b8dabf6a6c9c59d808ada3f5b98680b1ce806c6d230a97cb",
            "the official test set",
        ),
        KnownList(
            "frieren-test",
            15337,
            "1d80dd2f7097218cd408c01ff7c5da20f660e09a3eba07d28ffa282511039c60",
            "Frieren's test set",
        ),
        KnownList(
            "vggsounder-1.0",
            15069,
            "c5097a942e9b3838a2850470d7070817ebca0877d0807cd8df77d593aac79a7e",
            "VGGSounder 1.0",
        ),
        KnownList(
            "vggsounder-1.0-no-music",
            12014,
            "36365aa310bfa680754adc6d79119b9dd175f1126b9d6cca9461ea2060fdd59f",
            "VGGSounder 1.0 without background music",
        ),
        KnownList("vssflow-test", 15263, None, "VSSFlow's test set; its ids are not published"),
    ),
    metrics=SOUND_METRICS,
    layout="<youtube id>_<second in six digits>.mp4 in any folder, such as "
    "test/10/ruK8QzIWrSY_000080.mp4, and the list test.csv or vggsound.csv",
    parse=parse,
    read_list=read_list,
    group=lambda clip: clip.rpartition("_")[0],
)
