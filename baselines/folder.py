"""Audio that somebody generated already, as a model: ``folder:PATH``, or ``mmaudio:PATH`` and such.

``folder`` finds files named after items; the names of ``PRESETS`` find them as one system names its
outputs, and compare rates and lengths with what it publishes.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from baselines.presets import PRESETS, Preset, plain_id
from vsseval.audio import audio_digest, read_audio
from vsseval.errors import InputError
from vsseval.files import files_below
from vsseval.types import Call, Item, ModelContext, ModelOutput

SUFFIXES = (".wav", ".flac")

LENGTH_TOLERANCE = 0.1
"""How far a file's length may be from the published one before it is noted [s]."""

Key = tuple[str, int]
"""Item id and take."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Files by item id and take."""

    signature: Mapping[str, str]
    files: Mapping[Key, Path]
    notes: tuple[str, ...]
    """Coverage: how many items have a file, which have none, which files fit no item."""
    expected: str = "{id}.wav or {id}.flac"
    """Names in the error of an item without file."""
    _takes: dict[tuple[str, int], int] = field(default_factory=dict)

    def prepare(self, calls: Sequence[Call], folder: Path, advance: Callable[[], None]) -> None:
        """Note which seed is which take."""
        for call in calls:
            self._takes[call.item.id, call.seed] = call.take
            advance()

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """The file's audio.

        Raises:
            InputError: no file for the item, or one that cannot be decoded.
        """
        take = self._takes.get((item.id, seed), 0)
        if (item.id, take) not in self.files:
            sample = f" for take {take}" if take else ""
            names = self.expected.format(id=item.id)
            raise InputError(f"no file named {names}{sample} in the folder")
        return ModelOutput(read_audio(self.files[item.id, take]))


def load(context: ModelContext) -> Folder:
    """The files of ``context.argument`` matched to the items of the benchmark.

    A file belongs to an item if its path below the folder, without suffix, is the item's id, the
    id with every ``/`` written ``_`` or ``-``, or the id as another lineage writes it
    (``plain_id``). ``ID.takeK`` is take K. Suffixes: wav, flac.

    Raises:
        InputError: no such folder, not one file fits, or two files fit one item.
    """
    root = _root(context, "folder")
    found = _sound_files(root)
    by_name: dict[str, str] = {}
    for item in context.benchmark.items:
        for name in (item.id, item.id.replace("/", "_"), item.id.replace("/", "-")):
            by_name[name] = item.id

    plain = _plain_names(context)

    def key(stem: str) -> Key | None:
        name, take = stem, 0
        if name not in by_name and (match := re.fullmatch(r"(.+)\.take([1-9]\d*)", stem)):
            name, take = match[1], int(match[2])
        item = by_name.get(name) or plain.get(plain_id(name))
        return (item, take) if item else None

    files = _matched(root, found, key)
    if not files:
        raise InputError(
            f"none of the {len(found)} wav and flac files in {root} is named after an item of "
            f"{context.benchmark.name}; expected names such as {context.benchmark.items[0].id}.wav"
        )
    signature = {"name": root.resolve().name, "files": _content(files), "version": "1"}
    return Folder(signature, files, _coverage(context, root, found, files))


def load_preset(context: ModelContext) -> Folder:
    """The files of ``context.argument`` named as the system ``context.name`` names them.

    Raises:
        InputError: as for :func:`load`.
    """
    preset = PRESETS[context.name]
    root = _root(context, preset.name)
    found = [
        path
        for path in _sound_files(root)
        if not (preset.ignored and re.fullmatch(preset.ignored, _stem(root, path)))
    ]
    by_name = _plain_names(context)

    def key(stem: str) -> Key | None:
        match = re.fullmatch(preset.stem, stem)
        if match is None:
            return None
        name = _find(plain_id(match["id"]), by_name, preset.with_reference)
        take = match.groupdict().get("take")
        return (by_name[name], int(take or 0)) if name is not None else None

    files = _matched(root, found, key)
    if not files:
        raise InputError(
            f"none of the {len(found)} wav and flac files in {root} is named as {preset.name} names"
            f" an item of {context.benchmark.name}; expected names such as "
            f"{preset.example(context.benchmark.items[0].id)}; what is named by its id alone is "
            "read by --model folder:PATH"
        )
    notes = (
        *(_coverage(context, root, found, files)),
        *_unlike_published(preset, root, files),
        *(() if preset.seen else (f"how {preset.name} names its files was not verified",)),
    )
    signature = {
        "name": preset.name,
        "files": _content(files),
        "source": preset.source,
        "version": "1",
    }
    return Folder(signature, files, notes, f"as {preset.name} names {{id}}")


def _plain_names(context: ModelContext) -> dict[str, str]:
    """Ids by what they are in all lineages, where that tells one item."""
    names = [plain_id(item.id) for item in context.benchmark.items]
    counts = Counter(names)
    pairs = zip(names, context.benchmark.items, strict=True)
    return {name: item.id for name, item in pairs if counts[name] == 1}


def _root(context: ModelContext, name: str) -> Path:
    root = Path(context.argument or "").expanduser()
    if not root.is_dir():
        raise InputError(f"no folder at {root}; expected --model {name}:PATH")
    return root


def _sound_files(root: Path) -> list[Path]:
    return sorted(path for path in files_below(root) if path.suffix.lower() in SUFFIXES)


def _stem(root: Path, path: Path) -> str:
    return path.relative_to(root).with_suffix("").as_posix()


def _find(name: str, known: Mapping[str, str], with_reference: bool) -> str | None:
    """``name`` if it is an id, else the longest id that an underscore follows in it."""
    if name in known or not with_reference:
        return name if name in known else None
    ends = [at for at, letter in enumerate(name) if letter == "_"]
    return next((name[:at] for at in reversed(ends) if plain_id(name[:at]) in known), None)


def _matched(
    root: Path, found: Iterable[Path], key: Callable[[str], Key | None]
) -> dict[Key, Path]:
    files: dict[Key, Path] = {}
    for path in found:
        fitting = key(_stem(root, path))
        if fitting is None:
            continue
        if fitting in files:
            raise InputError(f"item {fitting[0]}: {files[fitting]} and {path} both fit; keep one")
        files[fitting] = path
    return files


def _coverage(
    context: ModelContext, root: Path, found: Sequence[Path], files: Mapping[Key, Path]
) -> tuple[str, ...]:
    takes = Counter(name for name, _ in files)
    items = context.benchmark.items
    missing = [item.id for item in items if item.id not in takes]
    extra = sorted(set(found) - set(files.values()))
    several = max(takes.values())
    uneven = sum(count != several for count in takes.values())
    return (
        f"coverage: {len(takes)} of {len(items)} items have a file, "
        f"{len(missing)} have none, {len(extra)} files fit no item",
        *((f"takes: up to {several} files an item, {uneven} items have fewer",) * (several > 1)),
        *(f"missing: {name}" for name in missing),
        *(f"extra: {path.relative_to(root).as_posix()}" for path in extra),
    )


def _unlike_published(preset: Preset, root: Path, files: Mapping[Key, Path]) -> tuple[str, ...]:
    """Files whose rate or length is not what the system publishes."""
    notes = []
    for path in files.values():
        name = path.relative_to(root).as_posix()
        try:
            info = soundfile.info(str(path))
        except (soundfile.LibsndfileError, RuntimeError):
            notes.append(f"undecodable: {name}")
            continue
        if info.samplerate not in preset.rates:
            rates = " or ".join(str(rate) for rate in preset.rates)
            notes.append(f"rate: {name} has {info.samplerate} Hz, {preset.name} writes {rates}")
        if preset.seconds and abs(info.duration - preset.seconds) > LENGTH_TOLERANCE:
            notes.append(
                f"length: {name} lasts {info.duration:.2f} s, "
                f"{preset.name} makes {preset.seconds} s"
            )
    return tuple(notes)


def _content(files: Mapping[Key, Path]) -> str:
    """sha256 over ids and decoded audio: other files under the same names are another model."""
    digest = hashlib.sha256()
    for name, take in sorted(files):
        try:
            sound = audio_digest(read_audio(files[name, take]))
        except InputError as error:
            sound = f"unreadable: {type(error).__name__}"
        label = f"{name}.take{take}" if take else name
        digest.update(f"{label}={sound}\n".encode())
    return digest.hexdigest()[:16]
