"""Features of the full-size model in shards: safetensors files of 64 clips, written whole.

A shard appears by a rename when its clips are done, so an interrupted run loses one shard at most
and goes on with the next. A clip that fails is left out and named with its reason in the shard.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.files import written_whole

CLIPS_PER_SHARD = 64
Row = Mapping[str, NDArray[Any]]


def shard_path(folder: Path, index: int) -> Path:
    """File of shard ``index``."""
    return folder / f"shard-{index:05d}.safetensors"


def write_shards(
    ids: Sequence[str],
    folder: Path,
    make: Callable[[int], Row],
    settings: str,
    report: Callable[[str], None],
    *,
    retry: bool = False,
) -> dict[str, str]:
    """Write the shards that are not there yet.

    Args:
        ids: names of all clips, in order.
        folder: of the shards.
        make: arrays of clip i; the same names, shapes and types for every clip.
        settings: all that decides the arrays; kept in the files.
        report: is told about progress.
        retry: try the clips of earlier runs that failed once more.

    Returns:
        Reasons by id of the clips that failed, those of earlier runs included.

    Raises:
        InputError: the folder holds shards of other clips or settings, or no clip at all could be
            used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    failed: dict[str, str] = {}
    for index, first in enumerate(range(0, len(ids), CLIPS_PER_SHARD)):
        part = list(ids[first : first + CLIPS_PER_SHARD])
        path = shard_path(folder, index)
        done = path.is_file()
        if done:
            notes = _metadata(path)
            if notes["clips"] != part or notes["settings"] != settings:
                raise InputError(
                    f"{path} was made from other clips or with other settings; give an empty --out"
                )
        if not done or (retry and notes["failed"]):
            notes = _write_shard(path, part, first, make, settings)
            report(f"features of {first + len(part)} of {len(ids)} clips")
        failed |= notes["failed"]
    if ids and len(failed) == len(ids):
        raise InputError(f"no clip could be used; first {ids[0]}: {failed[ids[0]]}")
    return failed


def _write_shard(
    path: Path,
    ids: Sequence[str],
    first: int,
    make: Callable[[int], Row],
    settings: str,
) -> dict[str, Any]:
    """Write one shard and return its notes; what a shard of that name holds is kept."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save_file

    stored = load_file(path) if path.is_file() else {}
    kept_before = _metadata(path)["kept"] if path.is_file() else []
    rows: list[Row] = []
    failed: dict[str, str] = {}
    for place, name in enumerate(ids):
        if name in kept_before:
            at = kept_before.index(name)
            rows.append({key: values[at] for key, values in stored.items()})
            continue
        try:
            rows.append(make(first + place))
        except InputError as error:
            failed[name] = str(error)
        except Exception as error:
            error.add_note(f"while features of clip {name} were computed")
            raise
    arrays = {key: np.stack([row[key] for row in rows]) for key in (rows[0] if rows else ())}
    kept = [name for name in ids if name not in failed]
    notes = {"clips": list(ids), "kept": kept, "failed": failed, "settings": settings}
    with written_whole(path) as partial:
        try:
            save_file(arrays, partial, metadata={"vssflow": json.dumps(notes)})
        except SafetensorError as error:
            raise OSError(errno.EIO, f"cannot be written whole: {error}", str(path)) from error
    return notes


def _metadata(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return json.loads((file.metadata() or {})["vssflow"])
    except (SafetensorError, KeyError) as error:
        raise InputError(f"{path} is no shard of features: {error}") from error


@dataclass(frozen=True)
class ShardArray:
    """One array over all shards: rows are read from disk when they are asked for."""

    folder: Path
    name: str
    counts: tuple[int, ...]
    """Rows of each shard."""

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.counts)])

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of the whole."""
        filled = next(shard for shard, count in enumerate(self.counts) if count)
        return (int(self._starts[-1]), *self._slice(filled).get_shape()[1:])

    def _slice(self, shard: int) -> Any:
        from safetensors import safe_open

        file: Any = safe_open(shard_path(self.folder, shard), "numpy")
        return file.get_slice(self.name)

    def __getitem__(self, rows: int | Sequence[int]) -> NDArray[Any]:
        if isinstance(rows, int):
            shard = int(np.searchsorted(self._starts, rows, side="right")) - 1
            at = rows - int(self._starts[shard])
            return np.asarray(self._slice(shard)[at : at + 1])[0]
        return np.stack([self[int(row)] for row in rows])


def open_shards(folder: Path, ids: Sequence[str]) -> tuple[list[str], dict[str, ShardArray]]:
    """Ids of the usable clips and the arrays by name.

    Args:
        folder: of the shards.
        ids: names of all clips that the shards were made for, in order.

    Raises:
        InputError: there is no shard, or the shards are not those of all these clips.
    """
    from safetensors import safe_open

    paths = sorted(folder.glob("shard-*.safetensors"))
    if not paths:
        raise InputError(f"no features in {folder}; run `vssflow preprocess` first")
    notes = [_metadata(path) for path in paths]
    found = [name for note in notes for name in note["clips"]]
    if found != list(ids):
        raise InputError(
            f"{folder} holds features of {len(found)} clips, --data has {len(ids)}, or others; "
            "run `vssflow preprocess` to its end, on the same data"
        )
    kept = [note["kept"] for note in notes]
    counts = tuple(map(len, kept))
    filled = next((path for path, count in zip(paths, counts, strict=True) if count), None)
    if filled is None:
        raise InputError(f"{folder} holds no clip that could be used")
    with safe_open(filled, "numpy") as file:
        names = list(file.keys())
    return [name for part in kept for name in part], {
        name: ShardArray(folder, name, counts) for name in names
    }
