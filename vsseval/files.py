"""Small things about files: digests, atomic writes, the cache folder."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
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
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
