"""Finding a data set's files below a folder, and the list that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vsseval.benchmarks.layout import DataSet, Entry, Files, ids_digest, stem_of
from vsseval.benchmarks.manifest import PREPARATION_LOG
from vsseval.benchmarks.table import BENCHMARKS
from vsseval.errors import InputError
from vsseval.files import files_below

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg", ".m4v")
AUDIO_SUFFIXES = (".wav", ".flac", ".m4a", ".mp3", ".ogg", ".aac")
TEXT_SUFFIXES = (".lab", ".txt")
UNFINISHED_SUFFIXES = (".part", ".ytdl", ".crdownload", ".tmp", ".download")
"""Of files that a program is still fetching, or was when it was stopped."""
ARCHIVE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".rar", ".7z")
"""Of files that may hold clips and are not looked into."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Scan:
    """What is below a folder."""

    files: Mapping[str, Files]
    """By id of the clip or recording."""
    media: int
    """Videos and sounds, whatever they are called."""
    unnamed: tuple[str, ...]
    """Media that are called like no clip, unfinished downloads too."""
    archives: tuple[str, ...]
    """Files that may hold clips and are not looked into."""
    closed: tuple[str, ...]
    """Folders that cannot be read, with the reason."""
    lists: tuple[Path, ...]
    """Files called like the data set's lists, the best first."""
    generated: int
    """Media called like what systems generate, which are left alone."""
    doubled: int
    """Clips with more than one video or more than one sound, of which the first is taken."""


@dataclass(frozen=True, slots=True)
class ClipList:
    """A list that was read."""

    path: Path
    entries: tuple[Entry, ...]
    digest: str
    name: str
    """Name of the published list with these ids, or ``list-`` and eight digits of the digest."""
    remark: str
    """What is known of it."""


def scan(data_set: DataSet, root: Path) -> Scan:
    """Look at every name below ``root``; no file is opened.

    Raises:
        InputError: no such folder, or no video in it.
    """
    if not root.is_dir():
        raise InputError(
            f"no folder at {root}: --root is the folder of {data_set.name} as you have it, with "
            f"{data_set.layout}"
        )
    found: dict[str, dict[str, list[tuple[int, str]]]] = {}
    lists: list[tuple[int, int, str]] = []
    media, videos, generated = 0, 0, 0
    unnamed: list[str] = []
    archives: list[str] = []
    closed: list[OSError] = []
    for file in files_below(root, without=PREPARATION_LOG, closed=closed.append):
        path = PurePosixPath(file.relative_to(root).as_posix())
        if path.name in data_set.list_names:
            lists.append((data_set.list_names.index(path.name), len(path.parts), str(path)))
        if path.suffix.lower() in ARCHIVE_SUFFIXES:
            archives.append(str(path))
        if path.suffix.lower() in UNFINISHED_SUFFIXES:
            unnamed.append(str(path))
        kind = _kind(path)
        if kind is None:
            continue
        clip = data_set.parse(stem_of(str(path)))
        if kind != "text":
            media += 1
            videos += kind == "video"
            if clip is None:
                unnamed.append(str(path))
        if clip is not None and clip.generated:
            generated += kind != "text"
        elif clip is not None:
            kinds = found.setdefault(clip.id, {"video": [], "audio": [], "text": []})
            kinds[kind].append((data_set.prefer(path), str(path)))
    if not videos:
        packed = f"; unpack first: {shown(archives)}" if archives else ""
        raise InputError(
            f"{root} holds no video ({media} sounds); looked for {data_set.layout}{packed}"
        )
    files = {
        clip: Files(**{kind: tuple(root / p for _, p in sorted(ps)) for kind, ps in kinds.items()})
        for clip, kinds in found.items()
    }
    return Scan(
        files,
        media,
        tuple(unnamed),
        tuple(archives),
        tuple(f"{error.filename}: {error.strerror}" for error in closed),
        tuple(root / path for _, _, path in sorted(lists)),
        generated,
        sum(len(one.video) > 1 or len(one.audio) > 1 for one in files.values()),
    )


def shown(names: Sequence[str]) -> str:
    """The first few of some names."""
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


def _kind(path: PurePosixPath) -> str | None:
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return "video"
    if suffix in AUDIO_SUFFIXES:
        return "audio"
    return "text" if suffix in TEXT_SUFFIXES else None


def read_list(data_set: DataSet, stated: Path | None, found: Sequence[Path]) -> ClipList:
    """The list that is asked for, or the first that was found.

    Raises:
        InputError: there is none, or it does not fit the data set.
    """
    if stated is not None and not stated.is_file():
        raise InputError(f"no list at {stated}")
    path = stated or (found[0] if found else None)
    if path is None:
        raise InputError(
            f"no list of {data_set.name} clips below the root: looked for "
            f"{', '.join(data_set.list_names)}; pass --list FILE "
            f"({BENCHMARKS[data_set.name].origin})"
        )
    try:
        entries = tuple(data_set.read_list(path))
    except InputError as error:
        raise InputError(
            f"{error}; another list is taken by --list FILE ({BENCHMARKS[data_set.name].origin})"
        ) from error
    digest = ids_digest(entry.id for entry in entries)
    name, remark = f"list-{digest[:8]}", ""
    for known in data_set.known:
        if known.digest == digest:
            name, remark = known.name, f"the ids of {known.origin}"
            break
        if known.count == len(entries) and not remark:
            remark = f"as many as {known.origin}" + (
                ", whose ids are not the same" if known.digest else " (checked by count alone)"
            )
    return ClipList(path, entries, digest, name, remark or "not a list that vsseval knows")


def difference(data_set: DataSet, used: ClipList, found: Sequence[Path]) -> str:
    """How the list in use differs from the first one below the root; empty if it is that one."""
    others = [path for path in found if path.resolve() != used.path.resolve()]
    if not others:
        return ""
    try:
        other = {entry.id for entry in data_set.read_list(others[0])}
    except InputError:
        return ""
    ours = {entry.id for entry in used.entries}
    if ours == other:
        return ""
    return (
        f"{others[0].name} below the root has {len(other)} clips: {len(other - ours)} are not in "
        f"the list in use, {len(ours - other)} of that are not in it"
    )
