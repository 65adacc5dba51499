"""Digests of files, remembered beside the features so that a large benchmark is hashed once.

    a digest is in   <cache>/digests/<2 hex>/<sha256(absolute path)>

It counts while the file's size, inode, and times of change are those it was taken with. A file
that was changed less than ``SETTLED_SECONDS`` before is hashed but not remembered: on some disks a
second change could leave its times as they are.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from vsseval.errors import InputError
from vsseval.files import file_digest, write_atomic

SETTLED_SECONDS = 2.0


def remembered_digest(path: Path, cache: Path | None) -> str:
    """sha256 of a file's bytes, from the cache if the file is what it was.

    Args:
        path: the file.
        cache: root of the cache; None to hash the file in any case.

    Raises:
        InputError: the file cannot be read.
        OSError: the cache cannot be written.
    """
    if cache is None:
        return file_digest(path)
    state, changed = _state(path)
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()
    note = cache / "digests" / name[:2] / name
    known, _, digest = _text(note).rpartition(" ")
    if known == state and len(digest) == 64:
        return digest
    now = time.time()
    digest = file_digest(path)
    # A file that changes while it is read has another state by now.
    if changed < now - SETTLED_SECONDS and _state(path)[0] == state:
        write_atomic(note, f"{state} {digest}".encode("ascii"))
    return digest


def _state(path: Path) -> tuple[str, float]:
    """Size, inode and times as text, and when the file was last changed [s]."""
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error}") from error
    text = f"{stat.st_size} {stat.st_ino} {stat.st_mtime_ns} {stat.st_ctime_ns}"
    return text, max(stat.st_mtime, stat.st_ctime)


def _text(note: Path) -> str:
    try:
        return note.read_text(encoding="ascii")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
