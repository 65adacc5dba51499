"""Small things about files: digests, atomic writes, the cache folder."""

from __future__ import annotations

import errno
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
    """Write through a temporary file and a rename: a reader sees all of it or nothing.

    Raises:
        OSError: the disk is full or cannot be written; ``filename`` is the path.
    """
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
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # Neither the temporary name nor none, which is what a full disk gives.
            error.filename = str(path)
        raise


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold off every other process that does the same with this folder, which is made if need be.

    The folder itself is locked, so nothing is left in it. Where the disk knows no locks there is
    none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def unless_read_only() -> Iterator[None]:
    """For what only saves time: goes without it where nothing may be written.

    So a run whose features are all in a cache of somebody else's needs no right to write there.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise


def text_lines(text: str) -> list[str]:
    """The lines of a text that newlines end, and nothing else does.

    ``str.splitlines`` also splits at U+2028 and others, which JSON may hold unescaped and captions
    of the web contain.
    """
    return text.removesuffix("\n").split("\n")


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
