"""Whether a benchmark is sane: duplicates, muted and still clips, clips without a face.

Several folders are several splits: what is heard in two of them leaks from one into the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vsseval.benchmarks.clip_job import SILENT_BELOW
from vsseval.benchmarks.clips import look_at, loudness, read_sound
from vsseval.benchmarks.faces import NOT_LOOKED_FOR, face_finder
from vsseval.benchmarks.fingerprint import Fingerprint, Match, fingerprint, same_recordings
from vsseval.benchmarks.manifest import read_items
from vsseval.errors import InputError
from vsseval.progress import Progress, silent
from vsseval.types import Item
from vsseval.workers import Workers

MOSTLY_STILL = 0.8
"""Share of neighbouring pictures that are the same, from which a clip is shown as still."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found, by folder."""

    names: tuple[str, ...]
    """Names of the folders."""
    counts: Mapping[str, int]
    within: Mapping[str, tuple[Match, ...]]
    """Pairs of one folder that hold the same recording."""
    across: Mapping[str, tuple[Match, ...]]
    """The same of two folders, by ``first & second``."""
    muted: Mapping[str, tuple[str, ...]]
    still: Mapping[str, tuple[str, ...]]
    faceless: Mapping[str, tuple[str, ...]] | None
    """None if no detector was at hand."""
    unreadable: Mapping[str, Mapping[str, str]]

    def json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=1)

    def flags(self, name: str) -> dict[str, list[str]]:
        """What is said of each clip of a folder."""
        said: dict[str, list[str]] = {}
        for match in self.within[name]:
            said.setdefault(match.first, []).append(f"same as {match.second}")
            said.setdefault(match.second, []).append(f"same as {match.first}")
        for pair, matches in self.across.items():
            first, _, second = pair.partition(" & ")
            for match in matches:
                if first == name:
                    said.setdefault(match.first, []).append(f"also in {second}")
                if second == name:
                    said.setdefault(match.second, []).append(f"also in {first}")
        for what, clips in (
            ("muted", self.muted[name]),
            ("still", self.still[name]),
            ("no face", (self.faceless or {}).get(name, ())),
            ("unreadable", tuple(self.unreadable[name])),
        ):
            for clip in clips:
                said.setdefault(clip, []).append(what)
        return said

    def lines(self) -> list[str]:
        """For a person."""
        out = []
        for name in self.names:
            out.append(f"{name}: {self.counts[name]} clips")
            out += [f"  the same recording: {_pair(match)}" for match in self.within[name]]
            out += [f"  muted: {clip}" for clip in self.muted[name]]
            out += [f"  still: {clip}" for clip in self.still[name]]
            if self.faceless is not None:
                out += [f"  no face: {clip}" for clip in self.faceless[name]]
            out += [f"  unreadable: {clip}: {why}" for clip, why in self.unreadable[name].items()]
            if len(out) and out[-1].startswith(f"{name}: "):
                out.append("  nothing to mind")
        for pair, matches in self.across.items():
            out.append(f"{pair}: {len(matches)} recordings in both")
            out += [f"  the same recording: {_pair(match)}" for match in matches]
        if self.faceless is None:
            out.append(NOT_LOOKED_FOR)
        return out


def _pair(match: Match) -> str:
    later = f", {match.shift:+.2f} s" if abs(match.shift) >= 0.05 else ""
    return f"{match.first} and {match.second} ({100 * match.score:.0f} %{later})"


@dataclass(frozen=True, slots=True)
class _Clip:
    print: Fingerprint | None
    muted: bool
    still: bool
    face: bool | None
    problem: str


@dataclass(frozen=True, slots=True)
class _Job:
    item: Item
    faces: bool


def inspect(
    roots: Sequence[Path], *, workers: Workers | None = None, progress: Progress = silent
) -> Inspection:
    """Look at every clip of every folder.

    Args:
        roots: folders of benchmarks.
        workers: processes to share the clips; None for this one.
        progress: where steps are shown.

    Raises:
        InputError: a manifest does not fit, or a folder is given twice.
    """
    names = _names(roots)
    faces = face_finder() is not None
    found: dict[str, dict[str, _Clip]] = {}
    for name, root in zip(names, roots, strict=True):
        jobs = [_Job(item, faces) for item, _ in read_items(root)]
        found[name] = {}
        with progress(f"inspect {name}", len(jobs)) as advance:
            for at, clip in (workers or Workers(1)).run(_look, jobs):
                found[name][jobs[at].item.id] = clip
                advance()
        found[name] = {job.item.id: found[name][job.item.id] for job in jobs}
    prints = {
        name: {clip: one.print for clip, one in clips.items() if one.print is not None}
        for name, clips in found.items()
    }
    return Inspection(
        names=names,
        counts={name: len(clips) for name, clips in found.items()},
        within={name: tuple(same_recordings(prints[name])) for name in names},
        across={
            f"{first} & {second}": tuple(same_recordings(prints[first], prints[second]))
            for at, first in enumerate(names)
            for second in names[at + 1 :]
        },
        muted=_those(found, lambda clip: clip.muted),
        still=_those(found, lambda clip: clip.still),
        faceless=_those(found, lambda clip: clip.face is False) if faces else None,
        unreadable={
            name: {clip: one.problem for clip, one in clips.items() if one.problem}
            for name, clips in found.items()
        },
    )


def _names(roots: Sequence[Path]) -> tuple[str, ...]:
    """Names of folders, with as many parents as tell them apart."""
    paths = [root.resolve() for root in roots]
    if len(set(paths)) < len(paths):
        raise InputError("the same folder is given twice")
    for parts in range(1, max(len(path.parts) for path in paths) + 1):
        names = tuple("/".join(path.parts[-parts:]) for path in paths)
        if len(set(names)) == len(names):
            return names
    return tuple(str(path) for path in paths)


def _those(
    found: Mapping[str, Mapping[str, _Clip]], which: Callable[[_Clip], bool]
) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(clip for clip, one in clips.items() if which(one))
        for name, clips in found.items()
    }


def _look(job: _Job) -> _Clip:
    item, problems = job.item, []
    print_, muted, still, face = None, False, False, None
    if item.audio is not None:
        try:
            audio = read_sound(item.audio)
            muted = loudness(audio) < SILENT_BELOW
            print_ = fingerprint(audio)
        except InputError as error:
            problems.append(str(error))
    if item.video is not None:
        try:
            picture = look_at(item.video, 0.0, item.duration)
            still = picture.still >= MOSTLY_STILL
            # Speech has a face to be seen; a scene with sound need not.
            finder = face_finder() if job.faces and item.transcript is not None else None
            face = None if finder is None else finder(item.video, picture.frames) is not None
        except InputError as error:
            problems.append(str(error))
    return _Clip(print_, muted, still, face, "; ".join(problems))
