"""Small things about files: digests, atomic writes, the cache folder."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vsseval.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


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


def files_below(
    root: Path, *, without: str = "", closed: Callable[[OSError], object] = lambda error: None
) -> Iterator[Path]:
    """Files of a folder and of all folders below it, sorted within each, through links too.

    What begins with a dot is left out, and a folder that a link leads to a second time.

    Args:
        root: folder.
        without: folders below it that hold a file of this name are left out with all in them.
        closed: called for each folder that cannot be read, which is left out.
    """
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, onerror=closed, followlinks=True):
        # Two links to one folder, or one that leads above itself.
        real = os.path.realpath(folder)
        if real in seen or (without in names and Path(folder) != root):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted(names) if not name.startswith("."))


def write_atomic(path: Path, content: bytes) -> None:
    """Write through a temporary file and a rename: a reader sees all of it or nothing.

    Raises:
        OSError: the disk is full or cannot be written; the error names ``path``.
    """
    # Of this thread alone, on whichever machine.
    name = f".partial-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    partial = path.parent / name
    with _renamed(partial, path):
        # A cache has many small files: few calls for each.
        try:
            partial.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name to write a file under, which then takes its place by a rename.

    Nothing is left of a file that was not finished, and what was there before stays.

    Raises:
        OSError: the disk is full or cannot be written; the error names ``path``.
    """
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _renamed(partial, path):
        yield partial


@contextmanager
def _renamed(partial: Path, path: Path) -> Iterator[None]:
    try:
        yield
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        # A full disk names no file, and nobody knows the temporary one.
        if isinstance(error, OSError) and error.filename in (None, str(partial)):
            error.filename = str(path)
        raise


def write_safetensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """A safetensors file, as :func:`written_whole` writes; the same bytes for the same content.

    Args:
        path: the file, readable by everybody.
        tensors: by name, contiguous, no two in one memory.
        metadata: texts by name, kept in the file's header.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with written_whole(path) as partial:
        try:
            save_file(dict(tensors), partial, metadata=dict(metadata) if metadata else None)
        except SafetensorError as error:
            raise OSError(errno.EIO, f"cannot be written whole: {error}", str(path)) from error
        _sort_metadata(partial)
        partial.chmod(0o644)  # safetensors leaves it readable by its owner alone


def write_torch(path: Path, content: object) -> None:
    """What ``torch.save`` writes of ``content``, as :func:`written_whole` writes.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    import torch

    # A stream, as torch.save puts the name of a file that it opens into the file.
    with written_whole(path) as partial, partial.open("wb") as stream:
        try:
            torch.save(content, stream)
        except RuntimeError as error:  # of the writer of archives, whatever the stream said
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            why = "cannot be written whole; is there space left?"
            raise OSError(errno.EIO, why, str(path)) from error


def _sort_metadata(path: Path) -> None:
    """Put the metadata of a safetensors file in the order of their names, in place.

    The library orders tensors by type and name, but writes metadata in the order of a hash table
    that is seeded anew for each.
    """
    with path.open("r+b") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
        if "__metadata__" not in header:
            return
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        content = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        # Tensors begin where the header ends; the library fills it up with spaces, too.
        assert len(content) <= length
        stream.seek(8)
        stream.write(content.ljust(length))


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
    return text.removesuffix("\n").split("\n") if text else []


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
