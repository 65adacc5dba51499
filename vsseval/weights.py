"""The store of pretrained parts: where they are, how they come, and whether their bytes are right.

The store is a folder with one directory for each part of ``WEIGHTS``. A file appears in it only
after its sha256 has been verified, by a rename; two processes may pull the same part at once.
``.verified.json`` remembers size and modification time of the files that were hashed, so that
:func:`require` hashes a file again only when it has changed.

Nobody publishes the digest of some files. They are brought by :func:`add`, which keeps their
sha256 in ``.added.json`` beside them: from then on these bytes and no others are that part, and
their digest stands in every signature.

Environment:
    VSSEVAL_WEIGHTS: the store (otherwise ``$XDG_CACHE_HOME/vsseval/weights``, otherwise
        ``~/.cache/vsseval/weights``).
    VSSEVAL_WEIGHTS_FROM: a folder in the form of a store that :func:`pull` copies from before it
        tries any other source.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, cast

from vsseval.errors import InputError, MissingWeightsError, UnknownNameError, VssevalError
from vsseval.weights_fetch import Fetcher, SourceError, describe
from vsseval.weights_table import GROUPS, WEIGHTS, LocalPath, Part, Source, WeightFile

Progress = Callable[[str, int, int], None]
"""Called with (``part/file``, bytes done, bytes in all)."""

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


def expand(names: Iterable[str], *, table: Mapping[str, Part] = WEIGHTS) -> tuple[str, ...]:
    """Part names for part and group names (``demo``, ``all``), without repeats, in the order given.

    Raises:
        UnknownNameError: a name is neither a part nor a group.
    """
    groups = {**GROUPS, "all": tuple(name for name in table if not _is_added(table[name]))}
    parts: dict[str, None] = {}
    for name in names:
        if name not in table and name not in groups:
            raise UnknownNameError("weights", name, [*table, *groups])
        parts.update(dict.fromkeys((name,) if name in table else groups[name]))
    return tuple(parts)


def fingerprint(name: str, *, root: Path | None = None, table: Mapping[str, Part] = WEIGHTS) -> str:
    """Eight hex digits over the names and digests of a part's files, licence texts left out."""
    files = [
        _pinned(file, _read_json((root or store_root()) / name / _ADDED))
        for file in table[name].files
        if not file.optional
    ]
    lines = "".join(f"{file.path} {file.sha256}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()[:8]


def require(name: str, *, root: Path | None = None, table: Mapping[str, Part] = WEIGHTS) -> Path:
    """Directory that holds the files of a part, checked.

    Sizes are compared on each call; a file whose size or modification time changed since it was
    verified is hashed again.

    Raises:
        UnknownNameError: no part has this name.
        MissingWeightsError: a file is missing or has the wrong bytes; the message says where it
            looked and what to run.
    """
    if name not in table:
        raise UnknownNameError("weights", name, table)
    state = _check(name, table[name], root or store_root(), rehash=False)
    if state.state != "ok":
        raise MissingWeightsError(
            f"weights {name!r} are {state.state} in {state.path} ({'; '.join(state.problems)}); "
            f"run `{command(name, table=table)}`, or set VSSEVAL_WEIGHTS to a store that has them"
        )
    return state.path


def status(
    names: Iterable[str], *, root: Path | None = None, table: Mapping[str, Part] = WEIGHTS
) -> tuple[PartState, ...]:
    """State of each part; a file is hashed only if it was not verified before or has changed."""
    parts = expand(names, table=table)
    return tuple(_check(name, table[name], root or store_root(), rehash=False) for name in parts)


def verify(
    names: Iterable[str], *, root: Path | None = None, table: Mapping[str, Part] = WEIGHTS
) -> tuple[PartState, ...]:
    """State of each part with every byte hashed anew."""
    parts = expand(names, table=table)
    return tuple(_check(name, table[name], root or store_root(), rehash=True) for name in parts)


def pull(
    names: Iterable[str],
    *,
    root: Path | None = None,
    table: Mapping[str, Part] = WEIGHTS,
    progress: Progress | None = None,
) -> tuple[PartState, ...]:
    """Bring parts into the store; files that are there and right are left alone.

    Sources are tried in order. What a source gives is hashed before it becomes visible; wrong bytes
    are deleted and the next source is tried.

    Raises:
        UnknownNameError: a name is neither a part nor a group.
        MissingWeightsError: no source gave a file; the message lists each source with its reason.
        VssevalError: the store cannot be written (no space, no permission).
    """
    base = root or store_root()
    states = []
    for name in expand(names, table=table):
        try:
            _pull_part(name, table[name], base, progress)
        except OSError as error:
            raise VssevalError(
                f"cannot write weights {name!r} to {base}: {error}; "
                "set VSSEVAL_WEIGHTS to a folder with room"
            ) from error
        states.append(_check(name, table[name], base, rehash=False))
    return tuple(states)


def command(name: str, *, table: Mapping[str, Part] = WEIGHTS) -> str:
    """What to type to bring a part into the store."""
    if _is_added(table[name]):
        return _add_command(name, table[name])
    return f"vsseval weights pull {name}"


def add(
    name: str,
    files: Iterable[Path],
    *,
    root: Path | None = None,
    table: Mapping[str, Part] = WEIGHTS,
) -> PartState:
    """Copy files that the user has into the store, and keep their digests.

    For the parts whose bytes have no published digest. Files are told apart by their names.

    Args:
        name: The part.
        files: Every file of it that is not optional, under its published name.
        root: The store.
        table: The parts.

    Raises:
        UnknownNameError: no such part.
        InputError: the part has a published digest, or a file is missing, unknown or unreadable.
    """
    if name not in table:
        raise UnknownNameError("weights", name, table)
    part = table[name]
    if not _is_added(part):
        raise InputError(
            f"the bytes of weights {name!r} are known: run `vsseval weights pull {name}`; a copy "
            "from another machine comes in with VSSEVAL_WEIGHTS_FROM"
        )
    wanted = {PurePosixPath(file.path).name: file for file in part.files}
    given = {path.name: path for path in files}
    required = [base for base, file in wanted.items() if not file.optional]
    if set(given) - set(wanted) or not set(required) <= set(given):
        got = ", ".join(given) or "no file"
        raise InputError(f"weights {name!r} consist of {', '.join(required)}; got {got}")
    folder = (root or store_root()) / name
    digests = {}
    with _locked(folder):
        for base, path in given.items():
            target = _inside(folder, wanted[base].path)
            target.parent.mkdir(parents=True, exist_ok=True)
            incoming = target.with_name(f".incoming-{target.name}")
            try:
                shutil.copyfile(path, incoming)
            except OSError as error:
                incoming.unlink(missing_ok=True)
                raise InputError(f"cannot copy {path} to {target}: {error}") from error
            digests[wanted[base].path] = _sha256(incoming)
            incoming.replace(target)
        _write_json(folder / _ADDED, digests)
    return _check(name, part, root or store_root(), rehash=True)


def _add_command(name: str, part: Part) -> str:
    files = [PurePosixPath(file.path).name for file in part.files if not file.optional]
    return f"vsseval weights add {name} {' '.join(files)}"


def _is_added(part: Part) -> bool:
    return any(file.sha256 is None and not file.optional for file in part.files)


def _pinned(file: WeightFile, added: Mapping[str, object]) -> WeightFile:
    """The file with the digest that :func:`add` kept, where none is published."""
    if file.sha256 is not None:
        return file
    return replace(file, sha256=cast("str | None", added.get(file.path)))


def load_torch(path: Path) -> object:
    """Contents of a PyTorch checkpoint, on the CPU.

    Tensors, numbers, strings, containers, numpy scalars and numpy arrays of numbers are read;
    nothing else is unpickled.

    Raises:
        InputError: the file would need other types or code to be read, or is not a checkpoint.
    """
    import numpy as np
    import torch

    # numpy's private constructors, under the names they had before and after numpy 2
    scalar = cast("Callable[..., object]", np.float64(0).__reduce__()[0])
    array = cast("Callable[..., object]", np.zeros(0).__reduce__()[0])
    numpy_types: list[Callable[..., object] | tuple[Callable[..., object], str]] = [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
        array,
        (array, "numpy.core.multiarray._reconstruct"),
        np.ndarray,
        np.dtype,
        type(np.dtype(np.float64)),
        type(np.dtype(np.int64)),
    ]
    try:
        with torch.serialization.safe_globals(numpy_types):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"refused checkpoint {path}: it holds code or types other than tensors and numbers"
        ) from error
    except (RuntimeError, EOFError) as error:
        raise InputError(f"{path} is no checkpoint that PyTorch can read: {error}") from error


def markdown_table(table: Mapping[str, Part] = WEIGHTS) -> str:
    """The table of docs/weights.md."""
    lines = [
        "| part | what | size | licence | needed by | sources, in order |",
        "|---|---|---|---|---|---|",
    ]
    for name, part in table.items():
        sources: dict[str, None] = {}
        for file in part.files:
            sources.update(dict.fromkeys(_origin(source) for source in file.sources))
        size = _size(part)
        needed = ", ".join(f"`{user}`" for user in part.needed_by) or "nothing yet"
        cells = [
            f"`{name}`",
            part.title,
            "not published" if size is None else f"{size / 1e6:.1f} MB",
            part.licence,
            needed,
            "; ".join(sources),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _origin(source: Source) -> str:
    """A source without the file it is asked for, such as ``pip package aisfx 0.1.2``."""
    text = describe(source)
    if text.startswith("https://"):
        return "/".join(text.split("/")[2:5])
    return " + ".join(piece.split(":")[0] for piece in text.split(" + "))


def _inside(folder: Path, path: str) -> Path:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path:
        raise InputError(f"weight file {path!r} lies outside of its part")
    return folder.joinpath(*parts)


def _check(name: str, part: Part, root: Path, *, rehash: bool) -> PartState:
    folder = root / name
    stamps = _read_json(folder / _STAMP)
    added = _read_json(folder / _ADDED)
    fresh: dict[str, object] = {}
    missing, damaged = [], []
    for listed in part.files:
        file = _pinned(listed, added)
        path = _inside(folder, file.path)
        if not path.is_file() or file.sha256 is None:
            if not file.optional:
                missing.append(f"no {file.path}")
            continue
        entry = path.stat()
        stamp = [entry.st_size, entry.st_mtime_ns, file.sha256]
        if file.size is not None and entry.st_size != file.size:
            damaged.append(f"{file.path} has {entry.st_size} bytes instead of {file.size}")
        elif (rehash or stamps.get(file.path) != stamp) and (got := _sha256(path)) != file.sha256:
            damaged.append(f"{file.path} has sha256 {got} instead of {file.sha256}")
        else:
            fresh[file.path] = stamp
    if fresh != stamps and folder.is_dir():
        _write_json(folder / _STAMP, fresh)
    state: Literal["ok", "missing", "damaged"] = (
        "damaged" if damaged else "missing" if missing else "ok"
    )
    return PartState(name, folder, state, (*damaged, *missing), _size(part))


def _size(part: Part) -> int | None:
    sizes = [file.size for file in part.files if file.size is not None]
    return sum(sizes) if len(sizes) == len(part.files) else None


def _pull_part(name: str, part: Part, root: Path, progress: Progress | None) -> None:
    if _is_added(part):
        origins = dict.fromkeys(describe(one) for file in part.files for one in file.sources)
        raise MissingWeightsError(
            f"nobody publishes the sha256 of weights {name!r}, so they are not fetched: get "
            f"{', '.join(origins)} yourself, then run `{_add_command(name, part)}`"
        )
    folder = root / name
    targets = {file: _inside(folder, file.path) for file in part.files}
    with _locked(folder):
        scratch = folder / ".incoming"
        scratch.mkdir(exist_ok=True)
        total = _size(part) or 0
        done = 0
        current = ""

        def report(count: int) -> None:
            if progress is not None:
                progress(f"{name}/{current}", done + count, total)

        fetcher = Fetcher(scratch, report)
        try:
            for file, target in targets.items():
                current = file.path
                if not _is_right(target, file):
                    _pull_file(name, file, target, fetcher, scratch)
                done += file.size or 0
                report(0)
        finally:
            fetcher.close()
        shutil.rmtree(scratch)


def _pull_file(name: str, file: WeightFile, target: Path, fetcher: Fetcher, scratch: Path) -> None:
    sources: tuple[Source, ...] = file.sources
    if mirror := os.environ.get("VSSEVAL_WEIGHTS_FROM"):
        sources = (LocalPath(str(Path(mirror) / name / file.path)), *sources)
    incoming = scratch / "incoming"
    reasons = []
    for source in sources:
        try:
            fetcher.fetch(source, incoming, file.size)
            got_size, got = incoming.stat().st_size, _sha256(incoming)
            if got == file.sha256:
                target.parent.mkdir(parents=True, exist_ok=True)
                incoming.replace(target)
                return
            reasons.append(
                f"{describe(source)}: expected {_bytes(file.size)} with sha256 {file.sha256}, "
                f"got {got_size} bytes with sha256 {got}; deleted"
            )
        except SourceError as error:
            reasons.append(f"{describe(source)}: {error}")
        finally:
            incoming.unlink(missing_ok=True)
    if not file.optional:
        raise MissingWeightsError(
            f"no source gave {name}/{file.path}:\n  "
            + "\n  ".join(reasons)
            + f"\nPut the file at {target}, or point VSSEVAL_WEIGHTS_FROM at a store that has it, "
            f"and run `vsseval weights pull {name}` again"
        )


def _bytes(size: int | None) -> str:
    return "a file" if size is None else f"{size} bytes"


def _is_right(path: Path, file: WeightFile) -> bool:
    size = file.size
    right_size = path.is_file() and size in (None, path.stat().st_size)
    return right_size and _sha256(path) == file.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    # A store that is read-only for this user works too: its files are then hashed on each use.
    partial = path.with_name(f".{os.getpid()}{path.name}")
    try:
        partial.write_text(json.dumps(content))
        partial.replace(path)
    except OSError:
        return


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the part's lock, which the system frees when the process ends in whatever way."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
