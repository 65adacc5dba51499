"""Small things about files: digests, atomic writes, the cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vsseval.errors import InputError


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error}") from error


def write_atomic(path: Path, content: bytes) -> None:
    """Write through a temporary file and a rename: a reader sees all of it or nothing."""
    # Of this thread alone, on whichever machine. A cache has many small files: few calls for each.
    name = f".partial-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    partial = path.parent / name
    try:
        try:
            partial.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name to write a file under, which then takes its place by a rename.

    Nothing is left of a file that was not finished, and what was there before stays.

    Raises:
        OSError: as whatever is done in it; the error names the file.
    """
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        # A full disk names no file, and nobody knows the temporary one.
        if error.errno is None or error.filename not in (None, str(partial)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        partial.unlink(missing_ok=True)


def append_line(log: Path, line: bytes) -> None:
    """One line at the end of a log, whole, whatever other processes append to it.

    A last line that a kill broke off is ended first.
    """
    try:
        stream = log.open("a+b", buffering=0)
    except FileNotFoundError:
        log.parent.mkdir(parents=True, exist_ok=True)
        stream = log.open("a+b", buffering=0)
    with stream:
        # Local disks append in one piece anyway, NFS only under a lock, and some know no locks.
        with suppress(OSError):
            fcntl.flock(stream, fcntl.LOCK_EX)
        size = stream.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(stream.fileno(), 1, size - 1) != b"\n"
        stream.write((b"\n" if torn else b"") + line + b"\n")


def without_folders(text: str) -> str:
    """The text with absolute paths cut to file names, so that it reads the same everywhere."""
    return re.sub(r"(?<![\w./])/(?:[^\s/:'\"]+/)+", "", text)


def default_cache() -> Path:
    """``$VSSEVAL_CACHE``, else ``$XDG_CACHE_HOME/vsseval``, else ``~/.cache/vsseval``."""
    stated = os.environ.get("VSSEVAL_CACHE")
    if stated:
        return Path(stated)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "vsseval"
