"""Features of the full-size model in shards: safetensors files of 64 clips, written whole.

A shard appears by a rename when its clips are done, so an interrupted run loses one shard at most
and goes on with the next. A clip that fails is left out and named with its reason in the shard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

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
) -> dict[str, str]:
    """Write the shards that are not there yet.

    Args:
        ids: names of all clips, in order.
        folder: of the shards.
        make: arrays of clip i; the same names, shapes and types for every clip.
        settings: all that decides the arrays; kept in the files.
        report: is told about progress.

    Returns:
        Reasons by id of the clips that failed, those of earlier runs included.

    Raises:
        InputError: the folder holds shards of other clips or settings, or every clip of a shard
            fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    failed: dict[str, str] = {}
    for index, first in enumerate(range(0, len(ids), CLIPS_PER_SHARD)):
        part = list(ids[first : first + CLIPS_PER_SHARD])
        path = shard_path(folder, index)
        if not path.is_file():
            _write_shard(path, part, first, make, settings)
            report(f"features of {first + len(part)} of {len(ids)} clips")
        stored = _metadata(path)
        if stored["clips"] != part or stored["settings"] != settings:
            raise InputError(
                f"{path} was made from other clips or with other settings; give an empty --out"
            )
        failed |= stored["failed"]
    return failed


def _write_shard(
    path: Path, ids: Sequence[str], first: int, make: Callable[[int], Row], settings: str
) -> None:
    from safetensors.numpy import save_file

    rows: list[Row] = []
    failed: dict[str, str] = {}
    for place, name in enumerate(ids):
        try:
            rows.append(make(first + place))
        except InputError as error:
            failed[name] = str(error)
    if not rows:
        raise InputError(
            f"no clip of {path.name} could be used; first: {next(iter(failed.items()))}"
        )
    arrays = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    kept = [name for name in ids if name not in failed]
    notes = {"clips": list(ids), "kept": kept, "failed": failed, "settings": settings}
    partial = path.with_suffix(".partial")
    save_file(arrays, partial, metadata={"vssflow": json.dumps(notes)})
    partial.replace(path)


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
        return (int(self._starts[-1]), *self._slice(0).get_shape()[1:])

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


def open_shards(folder: Path) -> tuple[list[str], dict[str, ShardArray]]:
    """Ids of the usable clips and the arrays by name.

    Raises:
        InputError: there is no shard.
    """
    from safetensors import safe_open

    paths = sorted(folder.glob("shard-*.safetensors"))
    if not paths:
        raise InputError(f"no features in {folder}; run `vssflow preprocess` first")
    kept = [_metadata(path)["kept"] for path in paths]
    with safe_open(paths[0], "numpy") as file:
        names = list(file.keys())
    counts = tuple(map(len, kept))
    return [name for part in kept for name in part], {
        name: ShardArray(folder, name, counts) for name in names
    }
