"""Benchmarks on disk: read, validated, digested.

A benchmark is a folder::

    benchmark.json   {"name", "version", "task", "clip_seconds", "sample_rate", "metrics": [ids]}
    manifest.jsonl   one object a line: {"id", "duration", "video", "audio", "speaker_audio",
                     "caption", "transcript", "label", "speaker", "group", "setting", "slices",
                     "onsets", "speech_spans", "face_box", "sha256": {field: hex}}

``id`` and ``duration`` are required; what an item does not have is left out. Media paths are
relative to the folder and must stay inside it. A medium that is not on disk does not stop a run:
the item stays and is excluded, with the reason, by whatever needs the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import get_args

from vsseval.benchmarks.table import BENCHMARKS, EMBEDDED_MEDIA, default_data
from vsseval.digests import remembered_digest
from vsseval.errors import InputError, MissingMediaError, UnknownNameError
from vsseval.files import text_lines
from vsseval.shards import Shard
from vsseval.types import Benchmark, Item, Task

LONGEST_SECONDS = 86_400.0
"""A day: what is stated to last longer is a mistake, and would be padded with zeros to no end."""
MEDIA_FIELDS = ("video", "audio", "speaker_audio")
PREPARATION_LOG = "prepared.jsonl"
"""Written by ``vsseval data prepare`` from its first clip on, and benchmark.json at its end."""
TEXT_FIELDS = ("caption", "transcript", "label", "speaker", "group")
FIELDS = (
    *("id", "duration", *MEDIA_FIELDS, *TEXT_FIELDS),
    *("setting", "slices", "onsets", "speech_spans", "face_box", "sha256"),
)

# A take's file is named <id>.takeK.wav, so no id may end like that.
_ID = re.compile(
    r"(?!.*\.take\d+$)[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)*"
)


def load_benchmark(
    name: str,
    data: Path | None = None,
    limit: int | None = None,
    *,
    cache: Path | None = None,
    shard: Shard | None = None,
) -> Benchmark:
    """The benchmark ``name``: embedded, in ``data``, or in ``$VSSEVAL_DATA/<name>``.

    Args:
        name: A name of the table, or the name that ``data``'s own benchmark.json states.
        data: Folder that holds benchmark.json.
        limit: Keep the first so many items only; the digest stays that of the whole benchmark.
        cache: Where digests of media are remembered; None to hash them all.
        shard: Whose media are hashed first; what other shards hash meanwhile is found in the cache.

    Raises:
        UnknownNameError: no such name, and no ``data`` that states it.
        MissingMediaError: nothing there, or none of the media.
        InputError: the folder holds another benchmark, or a line does not fit.
    """
    row = BENCHMARKS.get(name)
    if row is None and data is None:
        raise UnknownNameError("benchmark", name, BENCHMARKS)
    root = data or (EMBEDDED_MEDIA / name if row and row.embedded else default_data() / name)
    if not (root / "benchmark.json").is_file():
        if (root / PREPARATION_LOG).is_file():
            raise MissingMediaError(f"benchmark {name!r}: {_stopped(root)}")
        how = f" To get it: {row.how_to_get}." if row else ""
        raise MissingMediaError(
            f"benchmark {name!r}: looked for {root / 'benchmark.json'} and found nothing. If it is "
            "elsewhere: --data DIR, or VSSEVAL_DATA, the folder that holds all sets."
            f"{how} `--bench demo-sound` is packaged with vsseval and needs nothing."
        )
    benchmark = read_benchmark(root, cache=cache, shard=shard)
    if benchmark.name != name:
        raise InputError(f"{root} holds benchmark {benchmark.name!r}, asked for {name!r}")
    if not any(path.is_file() for item in benchmark.items for path in _media(item)):
        how = row.how_to_get if row else "put them where manifest.jsonl says"
        raise MissingMediaError(
            f"benchmark {name!r}: none of the media of {len(benchmark.items)} items is in {root} "
            f"(looked for {', '.join(str(p) for p in _media(benchmark.items[0])[:1])} and so on). "
            f"To get them: {how}. `--bench demo-sound` is packaged with vsseval and needs nothing."
        )
    return first_items(benchmark, limit)


def first_items(benchmark: Benchmark, limit: int | None) -> Benchmark:
    """The benchmark cut to its first ``limit`` items, with the digest of the whole.

    Raises:
        InputError: ``limit`` is below 1.
    """
    if limit is None:
        return benchmark
    if limit < 1:
        raise InputError(f"expected a limit of at least 1 item, got {limit}")
    return replace(benchmark, items=benchmark.items[:limit])


def read_benchmark(
    root: Path, *, cache: Path | None = None, shard: Shard | None = None
) -> Benchmark:
    """Read and validate the benchmark in ``root``.

    Args:
        root: Folder that holds benchmark.json and manifest.jsonl.
        cache: Where digests of media are remembered; None to hash them all.
        shard: As in :func:`load_benchmark`.

    Raises:
        InputError: a file that cannot be read, JSON that does not parse, a field that is missing or
            does not fit, an id that comes twice, a path that leaves the folder, or media unlike
            their stated sha256.
    """
    root = root.absolute()
    head = _read_head(root / "benchmark.json")
    entries = _entries(root)
    lines: dict[int, str] = {}
    for at in shard.order(len(entries)) if shard else range(len(entries)):
        where, entry, item = entries[at]
        digests = _digests(item, entry.get("sha256", {}), where, cache)
        lines[at] = _canonical({**entry, "sha256": digests})
    # Which metrics are the default says nothing of the clips.
    about = _canonical({name: value for name, value in head.items() if name != "metrics"})
    digest = hashlib.sha256(
        "\n".join([about, *(lines[at] for at in sorted(lines))]).encode()
    ).hexdigest()
    return Benchmark(
        name=str(head["name"]),
        version=str(head["version"]),
        task=head["task"],  # type: ignore[arg-type]
        clip_seconds=float(head["clip_seconds"]),  # type: ignore[arg-type]
        sample_rate=int(head["sample_rate"]),  # type: ignore[call-overload]
        items=tuple(item for _, _, item in entries),
        metrics=tuple(head["metrics"]),  # type: ignore[arg-type]
        digest=digest,
    )


def read_items(root: Path) -> list[tuple[Item, dict[str, str]]]:
    """The items in ``root`` with the sha256 that the manifest states; no medium is read.

    Raises:
        InputError: as :func:`read_benchmark`, but for unlike media.
    """
    root = root.absolute()
    _read_head(root / "benchmark.json")
    found = []
    for where, entry, item in _entries(root):
        stated = entry.get("sha256", {})
        if not isinstance(stated, dict):
            raise InputError(f"{where}: sha256 must be an object of field -> hex, got {stated!r}")
        found.append((item, stated))
    return found


def _entries(root: Path) -> list[tuple[str, dict[str, object], Item]]:
    """Where it stands, fields and item of every line."""
    manifest = root / "manifest.jsonl"
    found: list[tuple[str, dict[str, object], Item]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text_lines(_read_text(manifest)), start=1):
        if not line.strip():
            continue
        where = f"{manifest}, line {number}"
        entry = _parse(line, where)
        item = _item(root, entry, where)
        if item.id in seen:
            raise InputError(f"{where}: id {item.id!r} was used in line {seen[item.id]} already")
        seen[item.id] = number
        found.append((where, entry, item))
    if not found:
        raise InputError(f"{manifest} holds no item")
    return found


def _media(item: Item) -> list[Path]:
    return [path for path in (item.video, item.audio) if path is not None]


def _canonical(entry: Mapping[str, object]) -> str:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _parse(text: str, where: str) -> dict[str, object]:
    try:
        entry = json.loads(text)
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: half a character (\\ud800 to \\udfff stand in pairs)"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(entry, dict):
        raise InputError(f"{where}: expected a JSON object, got {type(entry).__name__}")
    return entry


def _stopped(root: Path) -> str:
    return (
        f"its preparation in {root} was stopped; the same `vsseval data prepare` again does what "
        "is missing"
    )


def _read_head(path: Path) -> dict[str, object]:
    if not path.is_file():
        if (path.parent / PREPARATION_LOG).is_file():
            raise InputError(_stopped(path.parent))
        raise InputError(
            f"no benchmark in {path.parent} (no benchmark.json); `vsseval data prepare NAME --root "
            "DIR --out DIR` makes one of a data set"
        )
    head = _parse(_read_text(path), str(path))
    fields = ("name", "version", "task", "clip_seconds", "sample_rate", "metrics")
    missing = [field for field in fields if field not in head]
    if missing:
        raise InputError(f"{path}: missing {', '.join(missing)}")
    if head["task"] not in get_args(Task):
        raise InputError(f"{path}: expected task sound, speech or joint, got {head['task']!r}")
    if not _positive(head["clip_seconds"]) or not _positive(head["sample_rate"]):
        raise InputError(f"{path}: clip_seconds and sample_rate must be positive numbers")
    metrics = head["metrics"]
    if not isinstance(metrics, list) or not all(isinstance(name, str) for name in metrics):
        raise InputError(f"{path}: metrics must be a list of metric ids")
    return {field: head[field] for field in fields}


def _positive(value: object, largest: float = 1e9) -> bool:
    return _number(value) and 0 < value <= largest  # type: ignore[operator]


def _number(value: object) -> bool:
    """Whether it is a number; not NaN, and no integer that no float holds."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _item(root: Path, entry: Mapping[str, object], where: str) -> Item:
    for field in ("id", "duration"):
        if field not in entry:
            raise InputError(f"{where}: missing field {field!r}")
    unknown = sorted(set(entry) - set(FIELDS))
    if unknown:
        raise InputError(f"{where}: unknown field {unknown[0]!r}; known: {', '.join(FIELDS)}")
    identity = entry["id"]
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise InputError(
            f"{where}: bad id {identity!r}: letters, digits and ._@+- in parts joined by /, "
            "no part beginning with a dot, no ending .takeN"
        )
    where = f"{where} (item {identity})"
    if not _positive(entry["duration"], LONGEST_SECONDS):
        raise InputError(
            f"{where}: expected a duration above 0 s and at most {LONGEST_SECONDS:g} s, "
            f"got {_short(entry['duration'])}"
        )
    duration = float(entry["duration"])  # type: ignore[arg-type]
    text = {field: _text(entry, field, where) for field in TEXT_FIELDS}
    media = {field: _medium(root, entry, field, where) for field in MEDIA_FIELDS}
    return Item(
        id=identity,
        duration=duration,
        onsets=_onsets(entry.get("onsets"), duration, where),
        speech_spans=_speech_spans(entry.get("speech_spans"), duration, where),
        face_box=_face_box(entry.get("face_box"), where),
        video=media["video"],
        audio=media["audio"],
        speaker_audio=media["speaker_audio"],
        caption=text["caption"],
        transcript=text["transcript"],
        label=text["label"],
        speaker=text["speaker"],
        group=text["group"],
        setting=_setting(entry.get("setting"), where),
        slices=_slices(entry.get("slices"), where),
    )


def _text(entry: Mapping[str, object], field: str, where: str) -> str | None:
    value = entry.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"{where}: {field} must be a text, got {_short(value)}")
    if not value.strip():
        raise InputError(f"{where}: {field} is empty; leave the field out where there is none")
    return value


def _medium(root: Path, entry: Mapping[str, object], field: str, where: str) -> Path | None:
    value = entry.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: {field} must be a path relative to the manifest, got {value!r}")
    path = root / PurePosixPath(value)
    try:
        inside = path.resolve().is_relative_to(root.resolve())
        path.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        # A loop of links, a NUL, a name that is too long.
        raise InputError(f"{where}: {field} {_short(value)} is no path: {error}") from error
    if not inside:
        raise InputError(f"{where}: {field} {value!r} lies outside {root}")
    return path


def _short(value: object) -> str:
    """What came, for a message: the beginning of it if it is long."""
    try:
        text = repr(value)
    except ValueError:
        return "an integer of thousands of digits"
    return text if len(text) <= 80 else f"{text[:79]}…"


def _setting(value: object, where: str) -> int | None:
    if value is not None and (type(value) is not int or value not in (1, 2, 3)):
        raise InputError(f"{where}: setting must be 1, 2 or 3, got {value!r}")
    return value


def _slices(value: object, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise InputError(f"{where}: slices must be a list of names, got {value!r}")
    return tuple(value)


def _onsets(value: object, duration: float, where: str) -> tuple[float, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(_number(onset) for onset in value):
        raise InputError(f"{where}: onsets must be a list of seconds, got {_short(value)}")
    onsets = tuple(float(onset) for onset in value)
    if any(not 0 <= onset <= duration for onset in onsets) or sorted(onsets) != list(onsets):
        raise InputError(f"{where}: onsets must ascend and lie in 0..{duration} s, got {value!r}")
    return onsets


def _speech_spans(
    value: object, duration: float, where: str
) -> tuple[tuple[float, float], ...] | None:
    if value is None:
        return None
    pairs = isinstance(value, list) and all(
        isinstance(span, list) and len(span) == 2 and all(_number(time) for time in span)
        for span in value
    )
    if not pairs:
        raise InputError(
            f"{where}: speech_spans must be a list of [start, end], got {_short(value)}"
        )
    spans = tuple((float(start), float(end)) for start, end in value)  # type: ignore[attr-defined]
    if any(not 0 <= start < end <= duration for start, end in spans) or any(
        later[0] < earlier[1] for earlier, later in pairwise(spans)
    ):
        raise InputError(
            f"{where}: speech_spans must ascend, not overlap, and lie in 0..{duration} s, "
            f"got {value!r}"
        )
    return spans


def _face_box(value: object, where: str) -> tuple[int, int, int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(type(x) is int for x in value):
        raise InputError(f"{where}: face_box must be [left, top, right, bottom], got {value!r}")
    left, top, right, bottom = value
    if not (0 <= left < right and 0 <= top < bottom):
        raise InputError(f"{where}: face_box {value!r} is empty or begins outside the frame")
    return left, top, right, bottom


def _digests(item: Item, stated: object, where: str, cache: Path | None) -> dict[str, str]:
    """sha256 of each medium by field; a file that is absent keeps the stated one, or ``absent``."""
    if not isinstance(stated, dict):
        raise InputError(f"{where}: sha256 must be an object of field -> hex, got {stated!r}")
    if unknown := sorted(set(stated) - set(MEDIA_FIELDS)):
        raise InputError(
            f"{where}: sha256 of {unknown[0]!r}, which is no medium; known: "
            f"{', '.join(MEDIA_FIELDS)}"
        )
    digests = {}
    for field in MEDIA_FIELDS:
        path: Path | None = getattr(item, field)
        if path is None:
            continue
        expected = stated.get(field)
        if not path.is_file():
            digests[field] = expected or "absent"
            continue
        digests[field] = remembered_digest(path, cache, expected)
        if expected is not None and expected != digests[field]:
            raise InputError(
                f"{where}: {path} is damaged or was changed: sha256 {expected} expected, "
                f"{digests[field]} found; fetch it again, or delete it to have the item excluded"
            )
    return digests
