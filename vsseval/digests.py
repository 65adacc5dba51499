"""Digests of files, remembered beside the features so that a large benchmark is hashed once.

    a digest is a line of   <cache>/digests/<sha256(absolute folder)>.txt
    size, inode, times of modification and change [ns], sha256, name of the file

Lines are appended, and a process reads each once. A digest counts while the file's size, inode, and
times of change are those it was taken with; what is no such line is passed over. A file
that was changed less than ``SETTLED_SECONDS`` before is hashed but not remembered: on some disks a
second change could leave its times as they are.
"""

from __future__ import annotations

import hashlib
import os
import time
from functools import lru_cache
from pathlib import Path

from vsseval.errors import InputError
from vsseval.files import append_line, file_digest, unless_read_only

SETTLED_SECONDS = 2.0


def remembered_digest(path: Path, cache: Path | None, expected: str | None = None) -> str:
    """sha256 of a file's bytes, from the cache if the file is what it was.

    Args:
        path: the file.
        cache: root of the cache; None to hash the file in any case.
        expected: what it should be, if that is known. Another digest is not believed from the
            cache alone, which may be damaged: the file is hashed.

    Raises:
        InputError: the file cannot be read.
        OSError: the disk of the cache is full or fails. A cache that may not be written is read.
    """
    if cache is None:
        return file_digest(path)
    state, changed = _state(path)
    notes = _notes(_file_of_notes(cache, path.absolute().parent))
    digest = notes.digest(path.name, state)
    if digest is not None and expected in (None, digest):
        return digest
    now = time.time()
    digest = file_digest(path)
    # A file that changes while it is read has another state by now.
    if changed < now - SETTLED_SECONDS and _state(path)[0] == state:
        notes.add(path.name, state, digest)
    return digest


def _file_of_notes(cache: Path, folder: Path) -> Path:
    return cache / "digests" / f"{hashlib.sha256(str(folder).encode()).hexdigest()}.txt"


class _Notes:
    """The notes on the files of one folder; what other processes add is read on demand."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, tuple[str, str]] = {}
        """State and digest by name; the last line of a name counts."""
        self._end = 0
        """What of the file is read."""

    def digest(self, name: str, state: str) -> str | None:
        """The digest that the file had in this state, or None."""
        if self._known.get(name, ("",))[0] != state:
            self._read_on()
        known, digest = self._known.get(name, ("", ""))
        return digest if known == state else None

    def add(self, name: str, state: str, digest: str) -> None:
        """Note a digest, where the cache may be written.

        Raises:
            OSError: the disk is full or fails.
        """
        # A line of the form of the others, whatever the name.
        if "\n" in name:
            return
        with unless_read_only():
            append_line(self._file, os.fsencode(f"{state} {digest} {name}"))

    def _read_on(self) -> None:
        try:
            with self._file.open("rb") as stream:
                if self._end > os.fstat(stream.fileno()).st_size:
                    self._end = 0
                stream.seek(self._end)
                lines = stream.read().split(b"\n")
        except FileNotFoundError:
            self._end = 0
            return
        # The last one is not finished yet.
        for line in lines[:-1]:
            self._end += len(line) + 1
            fields = os.fsdecode(line).split(" ", 5)
            if len(fields) == 6 and len(fields[4]) == 64:
                self._known[fields[5]] = (" ".join(fields[:4]), fields[4])


@lru_cache(maxsize=64)
def _notes(file: Path) -> _Notes:
    return _Notes(file)


def _state(path: Path) -> tuple[str, float]:
    """Size, inode and times as text, and when the file was last changed [s]."""
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error}") from error
    text = f"{stat.st_size} {stat.st_ino} {stat.st_mtime_ns} {stat.st_ctime_ns}"
    return text, max(stat.st_mtime, stat.st_ctime)
