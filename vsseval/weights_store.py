"""The folder of pretrained parts: where each is, and whether its bytes are right.

``.verified.json`` beside a part's files remembers size and modification time of those that were
hashed, ``.added.json`` the sha256 of those that the user brought because nobody publishes one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, cast

from vsseval.errors import InputError
from vsseval.files import file_digest, write_atomic
from vsseval.weights_table import Part, WeightFile

_STAMP = ".verified.json"
_ADDED = ".added.json"


@dataclass(frozen=True, slots=True)
class PartState:
    """What the store holds of one part."""

    name: str
    path: Path
    """Directory of the part, whether it exists or not."""
    state: Literal["ok", "missing", "damaged"]
    problems: tuple[str, ...]
    """One line for each file that is missing or wrong."""
    size: int | None
    """Bytes of the part when it is complete; None where nobody publishes it."""


def store_root() -> Path:
    """Folder of the store; it need not exist yet."""
    if named := os.environ.get("VSSEVAL_WEIGHTS"):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "vsseval" / "weights"


def is_added(part: Part) -> bool:
    """Whether nobody publishes the sha256 of a file that the part needs: the user brings it."""
    return any(file.sha256 is None and not file.optional for file in part.files)


def pinned(file: WeightFile, added: Mapping[str, object]) -> WeightFile:
    """The file with the digest of what the user brought, where none is published.

    Args:
        file: As the table has it.
        added: Digests as :func:`added_digests` gives them.
    """
    if file.sha256 is not None:
        return file
    return replace(file, sha256=cast("str | None", added.get(file.path)))


def path_inside(folder: Path, path: str) -> Path:
    """Where a file of a part lies.

    Raises:
        InputError: that is not below the part's folder.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path:
        raise InputError(f"weight file {path!r} lies outside of its part")
    return folder.joinpath(*parts)


def part_state(name: str, part: Part, root: Path, *, rehash: bool) -> PartState:
    """What the store holds of a part.

    Args:
        name: Of the part.
        part: As the table has it.
        root: The store.
        rehash: Hash each file, also one that was hashed before and has not changed since.

    Raises:
        InputError: a file is there and cannot be read.
    """
    folder = root / name
    stamps = _read_json(folder / _STAMP)
    added = added_digests(folder)
    fresh: dict[str, object] = {}
    missing, damaged = [], []
    for listed in part.files:
        file = pinned(listed, added)
        path = path_inside(folder, file.path)
        if not path.is_file() or file.sha256 is None:
            if not file.optional:
                missing.append(f"no {file.path}")
            continue
        entry = path.stat()
        stamp = [entry.st_size, entry.st_mtime_ns, file.sha256]
        if file.size is not None and entry.st_size != file.size:
            damaged.append(f"{file.path} has {entry.st_size} bytes instead of {file.size}")
        elif (rehash or stamps.get(file.path) != stamp) and (
            got := file_digest(path)
        ) != file.sha256:
            damaged.append(f"{file.path} has sha256 {got} instead of {file.sha256}")
        else:
            fresh[file.path] = stamp
    if fresh != stamps and folder.is_dir():
        _write_json(folder / _STAMP, fresh)
    state: Literal["ok", "missing", "damaged"] = (
        "damaged" if damaged else "missing" if missing else "ok"
    )
    return PartState(name, folder, state, (*damaged, *missing), part_size(part))


def part_size(part: Part) -> int | None:
    """Bytes of all its files; None where nobody publishes the size of one."""
    sizes = [file.size for file in part.files if file.size is not None]
    return sum(sizes) if len(sizes) == len(part.files) else None


def added_digests(folder: Path) -> dict[str, object]:
    """sha256 by path of the files in a part's folder that the user brought."""
    return _read_json(folder / _ADDED)


def keep_digests(folder: Path, digests: Mapping[str, str]) -> None:
    """Write down what :func:`added_digests` reads."""
    _write_json(folder / _ADDED, digests)


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    # A store that is read-only for this user works too: its files are then hashed on each use.
    with suppress(OSError):
        write_atomic(path, json.dumps(content).encode())
