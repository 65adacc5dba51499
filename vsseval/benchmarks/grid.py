"""GRID: six-word sentences by 33 speakers on video; the sentence is in the name of the file.

Six characters: command, colour, preposition, letter, digit, adverb, such as ``bwba2a``: bin white
by a two again. Names are trusted and ``.align`` files are not: those of one published copy are
under the wrong speakers. Counts and digests: ZZDoog/ProDubber 77a0797.
"""

from __future__ import annotations

import re
import string
from dataclasses import replace
from pathlib import Path, PurePosixPath

from vsseval.benchmarks.default_metrics import GRID_METRICS
from vsseval.benchmarks.layout import (
    ClipName,
    DataSet,
    Entry,
    Files,
    KnownList,
    bar_lines,
    clip_in,
    stem_of,
    unique,
)
from vsseval.errors import InputError

_DIGITS = {"z": "zero"} | dict(
    zip(
        "123456789",
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
        strict=True,
    )
)
CODE: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in string.ascii_lowercase if letter != "w"},
    _DIGITS,
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
"""Words by the character of each slot."""

_SENTENCE = "".join(f"[{''.join(slot)}]" for slot in CODE)
_WHOLE = re.compile(
    rf"(?P<made>wav_pred_|meta_rec_|wav_rec_|rec_)?s0?(?P<speaker>\d{{1,2}})[-_](?P<sentence>{_SENTENCE})"
    r"(?:_(?:sample)?(?P<take>\d{1,3}))?",
    re.ASCII,
)
_PLAIN = re.compile(_SENTENCE)
_FOLDER = re.compile(r"s0?(\d{1,2})(?:[_.-].*)?", re.ASCII)
NUM_SPEAKERS = 34


def transcript(sentence: str) -> str:
    """The words of a sentence of six characters.

    Raises:
        InputError: it does not follow the grammar.
    """
    if not _PLAIN.fullmatch(sentence):
        raise InputError(
            f"not the name of a GRID sentence: {sentence!r}, expected such as 'bwba2a'"
        )
    return " ".join(slot[letter] for slot, letter in zip(CODE, sentence, strict=True))


def parse(name: str) -> ClipName | None:
    """``s06_bwba2a``, ``s6-bwba2a`` with or without take, or ``bwba2a`` in a speaker's folder."""
    made = False
    *folders, stem = name.removeprefix("grid/").split("/")
    if match := _WHOLE.fullmatch(stem):
        speaker, sentence, take = match["speaker"], match["sentence"], int(match["take"] or 0)
        made = match["made"] is not None or match["take"] is not None
    elif _PLAIN.fullmatch(stem):
        named = [found[1] for folder in folders if (found := _FOLDER.fullmatch(folder))]
        if not named:
            return None
        speaker, sentence, take = named[-1], stem, 0
    else:
        return None
    if not 1 <= int(speaker) <= NUM_SPEAKERS:
        return None
    return ClipName(f"grid/s{int(speaker)}/{sentence}", take, generated=made)


def read_list(path: Path) -> list[Entry]:
    """A list with the name of a clip before the first ``|``, in any of the forms of files.

    Five cells are ``name|text|speaker|reference|text of the reference`` (setting 2).

    Raises:
        InputError: a line names no clip, or one twice.
    """
    rows = []
    for number, clip, cells in bar_lines(path, "GRID", parse):
        reference = None
        if len(cells) == 5:
            text = stem_of(cells[3])
            reference = clip_in(path, number, cells[3], "GRID", parse(text)).id
        rows.append((number, Entry(clip, reference=reference)))
    return unique(path, rows)


def complete(entry: Entry, files: Files) -> Entry:
    """Speaker and words, from the id."""
    _, speaker, sentence = entry.id.split("/")
    return replace(entry, speaker=speaker, transcript=transcript(sentence), label="grid")


def prefer(path: PurePosixPath) -> int:
    """The 25-kHz edition before the 50-kHz one, which only some speakers' copies have."""
    return int(any("50k" in part.lower() for part in path.parts))


DATA_SET = DataSet(
    name="grid",
    task="speech",
    title="GRID audiovisual sentence corpus, 33 speakers on video",
    clip_seconds=3.0,
    length="exact",
    tolerance=0.5,
    sample_rate=25000,
    sound="file",
    list_names=("Grid_val.txt", "test.txt"),
    known=(
        KnownList(
            "test",
            3300,
            "50f550f9ab8a1c5aab4d40a6a6b0124d48111f35428fad3b1871007385aad6fa",
            "the test set of StyleDubber and ProDubber, 100 clips of each speaker",
        ),
        KnownList(
            "train",
            29694,
            "91d0ddfb0bf826993c5bc93eec9c07c07ff7a689c6c166b8a928008b9b076200",
            "ProDubber's training set",
        ),
        KnownList("vssflow-test", 3291, None, "VSSFlow's test set, by its size"),
    ),
    metrics=GRID_METRICS,
    layout="s6/bwba2a.mpg or .mp4, s6/s6-bwba2a.wav, s06/s06_bwba2a.wav in any folder, and the "
    "list Grid_val.txt",
    parse=parse,
    read_list=read_list,
    complete=complete,
    prefer=prefer,
    group=lambda clip: clip.split("/")[1],
)
