"""Preparing one clip: what is looked at, what is wrong with it, which files are written."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vsseval.benchmarks.clips import (
    Picture,
    cut_sound,
    has_sound,
    look_at,
    loudness,
    read_sound,
    write_sound,
)
from vsseval.benchmarks.cutting import cut_picture
from vsseval.benchmarks.faces import Box, face_box
from vsseval.errors import InputError
from vsseval.files import file_digest
from vsseval.types import Audio

VERSION = 2
"""Raised when the files that a clip is made into change, so that they are made anew."""

UNDECODABLE, SHORT, WRONG_DURATION = "undecodable", "short", "wrong duration"
SILENT, STILL = "silent", "still"
REASONS = (UNDECODABLE, SHORT, WRONG_DURATION, SILENT, STILL)
"""Why a clip is broken, the gravest first."""

SILENT_BELOW = 1e-4
"""Root mean square below which a clip is silent, -80 dB of full scale."""
STILL_FROM = 0.95
"""Share of neighbouring pictures that are the same, from which a clip is still."""


@dataclass(frozen=True, slots=True)
class ClipJob:
    """One clip to prepare; everything that decides the outcome."""

    id: str
    root: Path
    out: Path
    video: Path
    audio: Path | None
    start: float
    clip_seconds: float
    length: str
    tolerance: float
    sound: str
    faces: str = ""
    """The detector of faces with its weights; empty if none is looked for."""
    others: tuple[tuple[Path, Path | None], ...] = ()
    """Further files of the clip, video and sound, for when those before cannot be decoded."""

    @property
    def key(self) -> str:
        """sha256 of settings, and of name, size and time of the sources."""
        sources = []
        for path in dict.fromkeys(itertools.chain((self.video, self.audio), *self.others)):
            if path is not None:
                name = path.relative_to(self.root).as_posix()
                try:
                    state = path.stat()
                except OSError as error:
                    # A link that leads nowhere, say: such a clip is undecodable.
                    sources.append([name, error.errno])
                else:
                    sources.append([name, state.st_size, state.st_mtime_ns])
        settings = [self.start, self.clip_seconds, self.length, self.tolerance, self.sound]
        settings += [self.faces] if self.faces else []
        return hashlib.sha256(
            json.dumps([VERSION, self.id, settings, sources]).encode()
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class ClipResult:
    """A line of ``prepared.jsonl``."""

    key: str
    id: str
    problems: Mapping[str, str]
    """What is wrong, by reason; empty for a whole clip."""
    duration: float = 0.0
    video: str | None = None
    """Relative to the prepared set."""
    audio: str | None = None
    rate: int = 0
    sha256: Mapping[str, str] | None = None
    still: float = 0.0
    loudness: float = 0.0
    clipped: int = 0
    """Samples that 16 bits could not hold."""
    face_box: Box | None = None

    def line(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def parse_line(text: str) -> ClipResult | None:
    """The result in a line; None for one that broke off."""
    try:
        return ClipResult(**json.loads(text))
    except (json.JSONDecodeError, TypeError):
        return None


def prepare_clip(job: ClipJob) -> ClipResult:
    """Decode, judge and write one clip; what cannot be decoded is a result and no error."""
    key = job.key
    why = ""
    for video, audio in ((job.video, job.audio), *job.others):
        try:
            return _prepare(replace(job, video=video, audio=audio), key)
        except InputError as error:
            why = why or str(error)
    return ClipResult(key, job.id, {UNDECODABLE: why})


def _prepare(job: ClipJob, key: str) -> ClipResult:
    cuts = job.length == "cut"
    picture = look_at(job.video, job.start, job.clip_seconds if cuts else None)
    if picture.frames == 0:
        raise InputError(f"{job.video.name} ends before the clip begins, at {job.start} s")
    sound = _sound(job, picture)
    half_frame = 0.5 / picture.fps
    to_cut = cuts and (job.start > 0 or picture.seconds > job.clip_seconds + half_frame)
    duration = picture.seconds
    if job.length != "own":
        duration = min(duration, job.clip_seconds)
    duration = round(duration, 6)
    if sound is not None and cuts:
        sound = cut_sound(sound, job.start, duration)
    problems = _problems(job, picture, sound)

    video = cut_picture(
        job.video,
        job.out / "video" / job.id,
        job.start,
        duration if to_cut or picture.uneven else None,
        picture.fps if picture.uneven else None,
    )
    paths = {"video": video}
    clipped = 0
    if sound is not None and sound.samples.size:
        paths["audio"] = job.out / "audio" / f"{job.id}.flac"
        clipped = write_sound(paths["audio"], sound)
    names = {field: path.relative_to(job.out).as_posix() for field, path in paths.items()}
    return ClipResult(
        key,
        job.id,
        problems,
        duration,
        names["video"],
        names.get("audio"),
        sound.sample_rate if sound else 0,
        {field: file_digest(path) for field, path in paths.items()},
        round(picture.still, 4),
        round(loudness(sound), 7) if sound else 0.0,
        clipped,
        face_box(video, picture.frames) if job.faces else None,
    )


def _sound(job: ClipJob, picture: Picture) -> Audio | None:
    """The clip's sound from its own file or the video, as the data set prefers; None without."""
    if job.audio is not None and job.sound == "file":
        return read_sound(job.audio)
    if has_sound(job.video):
        return read_sound(job.video, picture.first)
    return read_sound(job.audio) if job.audio is not None else None


def _problems(job: ClipJob, picture: Picture, sound: Audio | None) -> dict[str, str]:
    found = {}
    seen = picture.seconds if job.length != "cut" else min(picture.seconds, job.clip_seconds)
    heard = sound.duration if sound is not None else None
    lengths = f"picture {seen:.2f} s" + (f", sound {heard:.2f} s" if heard is not None else "")
    least = min(seen, seen if heard is None else heard)
    if job.length != "own" and least < job.clip_seconds - job.tolerance:
        found[SHORT] = f"{lengths}, {job.clip_seconds:g} s expected"
    elif job.length == "exact" and seen > job.clip_seconds + job.tolerance:
        found[WRONG_DURATION] = f"{lengths}, {job.clip_seconds:g} s expected"
    elif heard is not None and abs(seen - heard) > job.tolerance:
        found[WRONG_DURATION] = lengths
    if sound is None:
        found[SILENT] = "no sound stream and no file of sound"
    elif loudness(sound) < SILENT_BELOW:
        found[SILENT] = f"root mean square {loudness(sound):.1e}"
    if picture.still >= STILL_FROM:
        found[STILL] = f"{100 * picture.still:.0f} % of neighbouring pictures are the same"
    return found
