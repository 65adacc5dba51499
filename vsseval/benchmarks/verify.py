"""Whether a benchmark on disk is what its manifest says: ``vsseval data verify``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsseval.benchmarks.clips import look_at, read_sound
from vsseval.benchmarks.manifest import read_items
from vsseval.errors import InputError
from vsseval.files import file_digest
from vsseval.progress import Progress, silent
from vsseval.types import Item
from vsseval.workers import Workers

DURATION_TOLERANCE = 0.5
"""How much shorter than the item a file may be [s]."""


@dataclass(frozen=True, slots=True)
class _Job:
    item: Item
    sha256: dict[str, str]


def verify(
    root: Path, *, workers: Workers | None = None, progress: Progress = silent
) -> dict[str, list[str]]:
    """What is wrong with each clip; empty lists for those that are right.

    Args:
        root: folder of the benchmark.
        workers: processes to share the clips; None for this one.
        progress: where steps are shown.

    Raises:
        InputError: the manifest does not fit.
    """
    jobs = [_Job(item, stated) for item, stated in read_items(root)]
    found: dict[str, list[str]] = {job.item.id: [] for job in jobs}
    with progress("verify", len(jobs)) as advance:
        for at, problems in (workers or Workers(1)).run(_verify, jobs):
            found[jobs[at].item.id] = problems
            advance()
    return found


def _verify(job: _Job) -> list[str]:
    problems = []
    for field in ("video", "audio", "speaker_audio"):
        path: Path | None = getattr(job.item, field)
        if path is None:
            continue
        if not path.is_file():
            problems.append(f"{field}: {path.name} is not there")
            continue
        if field in job.sha256 and file_digest(path) != job.sha256[field]:
            problems.append(f"{field}: {path.name} is not the file of the manifest (sha256)")
        try:
            if field == "video":
                picture = look_at(path)
                seconds = picture.seconds
                if picture.uneven:
                    problems.append(
                        f"{field}: {path.name} has a variable frame rate, and readers take frames "
                        f"for evenly spaced; ffmpeg -i {path.name} -vf fps={picture.fps:g} -an "
                        f"-c:v ffv1 {path.stem}.mkv"
                    )
            else:
                seconds = read_sound(path).duration
        except InputError as error:
            problems.append(f"{field}: {error}")
            continue
        if field != "speaker_audio" and seconds < job.item.duration - DURATION_TOLERANCE:
            problems.append(
                f"{field}: {path.name} lasts {seconds:.2f} s, the item {job.item.duration:.2f} s"
            )
    return problems
