"""Audio that somebody generated already, as a model: ``folder:PATH``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vsseval.audio import audio_digest, read_audio
from vsseval.errors import InputError
from vsseval.types import Item, ModelContext, ModelOutput

SUFFIXES = (".wav", ".flac")


@dataclass(frozen=True, slots=True)
class Folder:
    """Files by item id."""

    signature: Mapping[str, str]
    files: Mapping[str, Path]
    notes: tuple[str, ...]
    """Coverage: how many items have a file, which have none, which files fit no item."""

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """The file's audio.

        Raises:
            InputError: no file for the item, or one that cannot be decoded.
        """
        if item.id not in self.files:
            raise InputError(f"no file named {item.id}.wav or {item.id}.flac in the folder")
        return ModelOutput(read_audio(self.files[item.id]))


def load(context: ModelContext) -> Folder:
    """The files of ``context.argument`` matched to the items of the benchmark.

    A file belongs to an item if its path below the folder, without suffix, is the item's id, or the
    id with every ``/`` written ``_`` or ``-``. Suffixes: wav, flac.

    Raises:
        InputError: no such folder, not one file fits, or two files fit one item.
    """
    root = Path(context.argument or "")
    if not root.is_dir():
        raise InputError(f"no folder at {root}; expected --model folder:PATH")
    found = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    by_stem: dict[str, list[Path]] = {}
    for path in found:
        stem = path.relative_to(root).with_suffix("").as_posix()
        by_stem.setdefault(stem, []).append(path)
    files: dict[str, Path] = {}
    for item in context.benchmark.items:
        names = {item.id, item.id.replace("/", "_"), item.id.replace("/", "-")}
        fitting = [path for name in sorted(names) for path in by_stem.get(name, [])]
        if len(fitting) > 1:
            raise InputError(f"item {item.id}: {fitting[0]} and {fitting[1]} both fit; keep one")
        if fitting:
            files[item.id] = fitting[0]
    if not files:
        raise InputError(
            f"none of the {len(found)} wav and flac files in {root} is named after an item of "
            f"{context.benchmark.name}; expected names such as {context.benchmark.items[0].id}.wav"
        )
    missing = [item.id for item in context.benchmark.items if item.id not in files]
    extra = sorted(set(found) - set(files.values()))
    notes = (
        f"coverage: {len(files)} of {len(context.benchmark.items)} items have a file, "
        f"{len(missing)} have none, {len(extra)} files fit no item",
        *(f"missing: {name}" for name in missing),
        *(f"extra: {path.relative_to(root).as_posix()}" for path in extra),
    )
    signature = {"name": root.resolve().name, "files": _content(files), "version": "1"}
    return Folder(signature, files, notes)


def _content(files: Mapping[str, Path]) -> str:
    """sha256 over ids and decoded audio: other files under the same names are another model."""
    digest = hashlib.sha256()
    for name in sorted(files):
        try:
            sound = audio_digest(read_audio(files[name]))
        except InputError as error:
            sound = f"unreadable: {type(error).__name__}"
        digest.update(f"{name}={sound}\n".encode())
    return digest.hexdigest()[:16]
