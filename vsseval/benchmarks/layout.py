"""What a data set's module says of it: names of clips, lists, and what counts as its whole.

A module of a data set (``vggsound``, ``chem``, ``grid`` ...) holds one :class:`DataSet` and the
rules behind it. Everything that touches media is shared and elsewhere (``prepare``, ``clips``).
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from vsseval.errors import InputError
from vsseval.types import Task


@dataclass(frozen=True, slots=True)
class ClipName:
    """What the name of a file says."""

    id: str
    """Id of the clip in its normal form, such as ``grid/s6/bwba2a``."""
    take: int = 0
    """Which of several generated clips."""
    reference: str | None = None
    """Id of the clip whose voice was imitated, where the name joins two."""
    generated: bool = field(default=False, compare=False)
    """Whether the form is one that systems give to what they generate."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One clip of a list."""

    id: str
    recording: str = ""
    """Id of the file it is cut from; empty if that is the clip's own id."""
    start: float = 0.0
    """Where in the recording it begins [s]."""
    label: str | None = None
    caption: str | None = None
    transcript: str | None = None
    speaker: str | None = None
    reference: str | None = None
    """Id of the clip whose voice is to be imitated, where the list says so."""
    slices: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Id of the file it is cut from."""
        return self.recording or self.id


@dataclass(frozen=True, slots=True)
class KnownList:
    """A published list."""

    name: str
    count: int
    digest: str | None
    """sha256 of its ids in normal form, sorted, joined by newlines; None if only the count is
    known."""
    origin: str


@dataclass(frozen=True, slots=True)
class Files:
    """The files that were found for one clip, best first."""

    video: tuple[Path, ...] = ()
    audio: tuple[Path, ...] = ()
    text: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set: what its files are called and what its lists say."""

    name: str
    task: Task
    title: str
    clip_seconds: float
    """Declared length [s]; where clips have lengths of their own, the longest that is taken."""
    length: Literal["cut", "exact", "own"]
    """``cut``: longer files are cut to it; ``exact``: no file is longer; ``own``: any length."""
    tolerance: float
    """How much shorter, or how unlike its sound, a clip may be and still count as whole [s]."""
    sample_rate: int
    """Of the sound as it is published [Hz]; that of the files is kept."""
    sound: Literal["file", "video"]
    """Where the sound is taken from if there are both: a file of its own, or the video's."""
    list_names: tuple[str, ...]
    """Names of list files that are looked for below the root; the first found counts."""
    known: tuple[KnownList, ...]
    metrics: tuple[str, ...]
    """Default metrics: ids, or patterns of ids."""
    layout: str
    """What is looked for, for messages."""
    parse: Callable[[str], ClipName | None]
    """Name of a file without suffix, or its path so, to what it says; None if not of this set."""
    read_list: Callable[[Path], list[Entry]]
    complete: Callable[[Entry, Files], Entry] = lambda entry, files: entry
    """Adds what stands in the clip's own name and text files."""
    prefer: Callable[[PurePosixPath], int] = lambda path: 0
    """Of several files for one clip, those with the lowest number come first."""
    group: Callable[[str], str] | None = None
    """What a clip's id says of the recording, film or speaker it shares with others."""
    onsets: Callable[[Entry, Files, float], tuple[float, ...] | None] | None = None
    """Annotated onsets of a clip of so many seconds, from its text files."""

    @property
    def speakers(self) -> bool:
        """Whether somebody speaks, so that there are a voice to imitate and a face to be seen."""
        return self.task == "speech"


def ids_digest(ids: Iterable[str]) -> str:
    """sha256 of ids, sorted, joined by newlines."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def list_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of the lines that are not empty.

    Raises:
        InputError: the file cannot be read, or is not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the list {path}: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def csv_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of a list with commas, quoted where a cell holds one."""
    for number, line in list_lines(path):
        yield number, next(csv.reader([line]))


def csv_table(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and cells by lower-case heading; the first line holds the headings."""
    lines = csv_cells(path)
    heads = [head.strip().lower() for head in next(lines, (0, []))[1]]
    for number, cells in lines:
        if len(cells) != len(heads):
            raise InputError(
                f"{path}, line {number}: {len(cells)} columns, the heading has {len(heads)}"
            )
        yield number, dict(zip(heads, cells, strict=True))


def clip_in(path: Path, number: int, text: str, data_set: str, name: ClipName | None) -> ClipName:
    """The name, if there is one.

    Raises:
        InputError: the line names no clip of the data set.
    """
    if name is None:
        raise InputError(f"{path}, line {number}: no {data_set} clip is called {text!r}")
    return name


def bar_lines(
    path: Path, data_set: str, parse: Callable[[str], ClipName | None]
) -> Iterator[tuple[int, str, list[str]]]:
    """Line number, id of the clip that the first cell names, and cells of a list with ``|``.

    Raises:
        InputError: a line names no clip of the data set.
    """
    for number, line in list_lines(path):
        cells = [cell.strip() for cell in line.split("|")]
        name = clip_in(path, number, cells[0], data_set, parse(stem_of(cells[0])))
        yield number, name.id, cells


def unique(path: Path, entries: Iterable[tuple[int, Entry]]) -> list[Entry]:
    """The entries of a list.

    Raises:
        InputError: none, or two with one id.
    """
    seen: dict[str, int] = {}
    found = []
    for number, entry in entries:
        if entry.id in seen:
            raise InputError(
                f"{path}, line {number}: {entry.id} stands in line {seen[entry.id]} already"
            )
        seen[entry.id] = number
        found.append(entry)
    if not found:
        raise InputError(f"{path} lists no clip")
    return found


def stem_of(name: str) -> str:
    """A file name or path without its suffix; dots inside the name stay."""
    return re.sub(r"\.(normalized\.txt|[A-Za-z0-9]{2,5})$", "", name)


def spoken_text(files: Files) -> str | None:
    """The words in a clip's ``.lab`` or ``.txt``: its first line, without LRS2's ``Text:``."""
    for path in files.text:
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        words = (lines[0] if lines else "").strip().removeprefix("Text:").strip()
        if words:
            return words
    return None
