"""Whose voice a dubbing model is given: settings 1, 2 and 3 of the dubbing papers.

1: the clip's own sound, which also tells its prosody and length. 2: another clip of the same
speaker. 3: a speaker who is not in the set, from another prepared set.

Where a list names the reference it is taken. Else it is drawn: of the clips that may be taken, the
one for which sha256 of both ids is least. So the choice needs no seed, and a clip that is missing
changes the voice of those alone that would have had it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from vsseval.benchmarks.layout import Entry
from vsseval.errors import InputError

SETTINGS = (1, 2, 3)
NO_STRANGERS = (
    "setting 3 needs voices that are not in the set: --voices DIR, a prepared set such as that of "
    "`vsseval data prepare grid`"
)


@dataclass(frozen=True, slots=True)
class Voices:
    """The reference of each clip."""

    of: Mapping[str, str]
    """Id of a clip -> id of the clip that is heard."""
    without: tuple[str, ...]
    """Clips for which there is none, such as the only one of its speaker."""
    stated: int
    """References that the list names and that are there."""


def choose_voices(
    entries: Sequence[Entry], heard: Mapping[str, str | None], setting: int, others: Sequence[str]
) -> Voices:
    """Choose a reference for every clip.

    Args:
        entries: clips that were prepared.
        heard: id -> speaker of the clips whose sound is there.
        setting: 1, 2 or 3.
        others: ids of the clips of the other set, for setting 3.

    Raises:
        InputError: no such setting, or setting 3 without another set.
    """
    if setting not in SETTINGS:
        raise InputError(f"expected dubbing setting 1, 2 or 3, got {setting}")
    if setting == 3 and not others:
        raise InputError(NO_STRANGERS)
    of_speaker: dict[str | None, list[str]] = {}
    for clip, speaker in heard.items():
        of_speaker.setdefault(speaker, []).append(clip)
    chosen, without, stated = {}, [], 0
    for entry in entries:
        if setting == 1:
            allowed = [entry.id] if entry.id in heard else []
        elif setting == 2:
            allowed = [clip for clip in of_speaker.get(entry.speaker, ()) if clip != entry.id]
        else:
            allowed = list(others)
        if entry.reference in allowed:
            chosen[entry.id] = str(entry.reference)
            stated += 1
        elif allowed:
            chosen[entry.id] = min(allowed, key=partial(_order, entry.id))
        else:
            without.append(entry.id)
    return Voices(chosen, tuple(without), stated)


def _order(clip: str, other: str) -> bytes:
    return hashlib.sha256(f"{clip}\n{other}".encode()).digest()
