"""Making a benchmark of a published data set that somebody has: ``vsseval data prepare``.

The folder that is written is a benchmark as :mod:`vsseval.benchmarks.manifest` reads it, with
``prepared.jsonl`` (one line a clip that was looked at, which a second run goes on from),
``missing.txt`` and ``broken.tsv``. Nothing is written below the root.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vsseval.benchmarks import vggsound
from vsseval.benchmarks.clip_job import (
    REASONS,
    UNDECODABLE,
    ClipJob,
    ClipResult,
    parse_line,
    prepare_clip,
)
from vsseval.benchmarks.coverage import Coverage
from vsseval.benchmarks.faces import detector
from vsseval.benchmarks.layout import DataSet, Entry, Files
from vsseval.benchmarks.manifest import PREPARATION_LOG, read_benchmark, read_items
from vsseval.benchmarks.scan import ClipList, Scan, difference, read_list, scan, shown
from vsseval.benchmarks.voices import NO_STRANGERS, Voices, choose_voices
from vsseval.errors import InputError
from vsseval.files import file_digest, write_atomic
from vsseval.metrics.patterns import chosen
from vsseval.metrics.table import METRICS
from vsseval.progress import Progress, silent
from vsseval.workers import Workers

_CHUNK = 200
"""Clips given to the processes at once, after which the log is flushed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks for."""

    root: Path
    """The data set as it was got."""
    out: Path
    list_file: Path | None = None
    keep: tuple[str, ...] = ()
    """Reasons for which a clip is not left out."""
    setting: int = 2
    """Dubbing setting; speech only."""
    voices: Path | None = None
    """A prepared set whose clips are the voices of setting 3."""
    labels: Path | None = None
    """VGGSounder's labels."""


def prepare(
    data_set: DataSet,
    options: Options,
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Coverage:
    """Write the benchmark in ``options.out``; what an earlier run finished is kept.

    Args:
        data_set: what to look for.
        options: where, and how.
        workers: processes to share the clips; None for this one.
        progress: where steps are shown.

    Raises:
        InputError: a folder, list or option that does not fit, or not one clip that can be used.
    """
    _check(data_set, options)
    seen = scan(data_set, options.root)
    clips = read_list(data_set, options.list_file, seen.lists)
    entries = list(clips.entries)
    unlabelled = None
    if options.labels is not None:
        entries = vggsound.vggsounder_slices(options.labels, entries)
        unlabelled = sum(not entry.slices for entry in entries)
    nothing = Files()
    entries = [data_set.complete(entry, seen.files.get(entry.source, nothing)) for entry in entries]
    here = [entry for entry in entries if seen.files.get(entry.source, nothing).video]
    if not here:
        such = f", such as {shown(seen.unnamed)}" if seen.unnamed else ""
        packed = f"; unpack first: {shown(seen.archives)}" if seen.archives else ""
        raise InputError(
            f"none of the {len(entries)} clips of {clips.path} is below {options.root}: "
            f"{seen.media} videos and sounds there{such}; looked for {data_set.layout}{packed}"
        )
    faces = detector() if data_set.speakers else ""
    jobs = [_job(data_set, options, seen.files[entry.source], entry, faces) for entry in here]
    results, fresh = _results(options.out, jobs, workers, progress)
    broken, kept = _judge(results, options.keep)
    used = [entry for entry in here if entry.id not in broken]
    if not used:
        first, why = next(iter(broken.items()))
        what = "; ".join(f"{reason}: {found}" for reason, found in why.items())
        raise InputError(f"all {len(here)} clips found are broken; {first}: {what}")
    voices, voice_files = _voices(data_set, options, used, results)
    metrics = tuple(chosen(data_set.metrics, METRICS))
    _write(data_set, options, seen, clips, used, results, voice_files, metrics)
    there = {entry.id for entry in here}
    missing = tuple(entry.id for entry in entries if entry.id not in there)
    _write_lists(options.out, missing, broken)
    return Coverage(
        data_set=data_set.name,
        clips=clips,
        difference=difference(data_set, clips, seen.lists),
        found=len(here),
        missing=missing,
        sound_only=sum(bool(seen.files.get(clip, nothing).audio) for clip in missing),
        broken=broken,
        kept=kept,
        taken=len(used),
        unlisted=len(set(seen.files) - {entry.source for entry in entries}),
        generated=seen.generated,
        doubled=seen.doubled,
        unnamed=seen.unnamed,
        archives=seen.archives,
        closed=seen.closed,
        clipped=sum(results[entry.id].clipped > 0 for entry in used),
        no_words=sum(data_set.speakers and entry.transcript is None for entry in used),
        faceless=sum(results[entry.id].face_box is None for entry in used) if faces else None,
        unlabelled=unlabelled,
        voices=voices,
        setting=options.setting if data_set.speakers else None,
        fresh=fresh,
        metrics=metrics,
        no_metrics=tuple(name for name in data_set.metrics if not chosen((name,), METRICS)),
    )


def _check(data_set: DataSet, options: Options) -> None:
    root, out = options.root.resolve(), options.out.resolve()
    if out == root or root in out.parents or out in root.parents:
        raise InputError(
            f"--out {options.out} and --root {options.root} must not lie in each other: nothing is "
            "written into a source"
        )
    if options.out.exists() and not options.out.is_dir():
        raise InputError(f"--out {options.out} is a file; pass a folder, which need not exist")
    for reason in options.keep:
        if reason not in REASONS or reason == UNDECODABLE:
            raise InputError(
                f"expected --keep with one of {', '.join(REASONS[1:])}, got {reason!r}"
            )
    if options.labels is not None and data_set.name != vggsound.DATA_SET.name:
        raise InputError(f"--labels are VGGSounder's, for vggsound and not for {data_set.name}")
    if options.voices is not None and (not data_set.speakers or options.setting != 3):
        raise InputError("--voices are for setting 3 of a speech set: add --setting 3")
    if data_set.speakers and options.setting == 3:
        # Not at the end, hours later.
        if options.voices is None:
            raise InputError(NO_STRANGERS)
        read_items(options.voices)
    if _name_of(options.out / "benchmark.json") not in (None, data_set.name):
        raise InputError(f"{options.out} holds another benchmark; pass another --out")


def _name_of(head: Path) -> object:
    """The name that a benchmark.json states; None if there is none."""
    if not head.is_file():
        return None
    try:
        return json.loads(head.read_text(encoding="utf-8"))["name"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{head} is not that of a benchmark: {error!r}") from error


def _results(
    out: Path, jobs: Sequence[ClipJob], workers: Workers | None, progress: Progress
) -> tuple[dict[str, ClipResult], int]:
    """Result of each clip, and how many are new."""
    log = out / PREPARATION_LOG
    before = _finished(log)
    results, todo = {}, []
    for job in jobs:
        done = before.get(job.id)
        if done is not None and done.key == job.key and _there(out, done):
            results[job.id] = done
        else:
            todo.append(job)
    out.mkdir(parents=True, exist_ok=True)
    if log.is_file() and not log.read_bytes().endswith(b"\n"):
        # A line that broke off must not swallow the next one.
        with log.open("a", encoding="utf-8") as stream:
            stream.write("\n")
    with progress("prepare", len(todo)) as advance, log.open("a", encoding="utf-8") as stream:
        pool = workers or Workers(1)
        for at in range(0, len(todo), _CHUNK):
            for _, result in pool.run(prepare_clip, todo[at : at + _CHUNK]):
                stream.write(result.line() + "\n")
                stream.flush()
                results[result.id] = result
                advance()
    return results, len(todo)


def _job(data_set: DataSet, options: Options, files: Files, entry: Entry, faces: str) -> ClipJob:
    videos, audios = (_alike(data_set, options.root, paths) for paths in (files.video, files.audio))
    (video, audio), *others = itertools.product(videos, audios or (None,))
    return ClipJob(
        id=entry.id,
        root=options.root,
        out=options.out,
        video=video,
        audio=audio,
        start=entry.start,
        clip_seconds=data_set.clip_seconds,
        length=data_set.length,
        tolerance=data_set.tolerance,
        sound=data_set.sound,
        faces=faces,
        others=tuple(others),
    )


def _alike(data_set: DataSet, root: Path, paths: Sequence[Path]) -> list[Path]:
    """The first of some paths and those after it that the data set does not put behind it."""
    ranks = [data_set.prefer(PurePosixPath(path.relative_to(root).as_posix())) for path in paths]
    return [path for path, rank in zip(paths, ranks, strict=True) if rank == ranks[0]]


def _finished(log: Path) -> dict[str, ClipResult]:
    if not log.is_file():
        return {}
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return {result.id: result for line in lines if (result := parse_line(line)) is not None}


def _there(out: Path, result: ClipResult) -> bool:
    names = [name for name in (result.video, result.audio) if name is not None]
    return all((out / name).is_file() for name in names)


def _judge(
    results: Mapping[str, ClipResult], keep: Sequence[str]
) -> tuple[dict[str, Mapping[str, str]], dict[str, int]]:
    """Clips to leave out with their reasons, and counts of reasons that do not count."""
    broken = {
        clip: result.problems
        for clip, result in sorted(results.items())
        if set(result.problems) - set(keep)
    }
    kept = Counter(
        reason
        for clip, result in results.items()
        if clip not in broken
        for reason in result.problems
    )
    return broken, dict(kept)


def _voices(
    data_set: DataSet, options: Options, used: Sequence[Entry], results: Mapping[str, ClipResult]
) -> tuple[Voices | None, dict[str, str]]:
    """Who speaks for whom, and the file of each clip's voice relative to the set."""
    if not data_set.speakers:
        return None, {}
    heard = {entry.id: entry.speaker for entry in used if results[entry.id].audio}
    if options.voices is None:
        voices = choose_voices(used, heard, options.setting, ())
        return voices, {clip: str(results[other].audio) for clip, other in voices.of.items()}
    other = read_benchmark(options.voices)
    sounds = {item.id: item.audio for item in other.items if item.audio and item.audio.is_file()}
    voices = choose_voices(used, heard, options.setting, sorted(sounds))
    files = {}
    for clip, voice in voices.of.items():
        name = Path("voices") / f"{voice}{sounds[voice].suffix}"
        target = options.out / name
        if not target.is_file() or file_digest(target) != file_digest(sounds[voice]):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sounds[voice], target)
        files[clip] = name.as_posix()
    return voices, files


def _write(
    data_set: DataSet,
    options: Options,
    seen: Scan,
    clips: ClipList,
    used: Sequence[Entry],
    results: Mapping[str, ClipResult],
    voice_files: Mapping[str, str],
    metrics: Sequence[str],
) -> None:
    digests = _digests(options.out, results, voice_files)
    lines = [
        _manifest_line(
            data_set,
            entry,
            results[entry.id],
            seen.files[entry.source],
            options.setting if data_set.speakers else None,
            voice_files.get(entry.id),
            digests,
        )
        for entry in used
    ]
    setting = f"-setting{options.setting}" if data_set.speakers else ""
    head = {
        "name": data_set.name,
        "version": f"{clips.name}{setting}",
        "task": data_set.task,
        "clip_seconds": data_set.clip_seconds,
        "sample_rate": data_set.sample_rate,
        "metrics": list(metrics),
    }
    write_atomic(options.out / "manifest.jsonl", "".join(lines).encode())
    write_atomic(options.out / "benchmark.json", (json.dumps(head, indent=1) + "\n").encode())


def _digests(
    out: Path, results: Mapping[str, ClipResult], voice_files: Mapping[str, str]
) -> dict[str, str]:
    """sha256 by name of the sounds that are voices."""
    known = {
        str(result.audio): str((result.sha256 or {})["audio"])
        for result in results.values()
        if result.audio
    }
    for name in set(voice_files.values()) - set(known):
        known[name] = file_digest(out / name)
    return known


def _manifest_line(
    data_set: DataSet,
    entry: Entry,
    result: ClipResult,
    files: Files,
    setting: int | None,
    voice: str | None,
    digests: Mapping[str, str],
) -> str:
    sha256 = dict(result.sha256 or {})
    if voice is not None:
        sha256["speaker_audio"] = digests[voice]
    onsets = data_set.onsets(entry, files, result.duration) if data_set.onsets else None
    fields: dict[str, object] = {
        "id": entry.id,
        "duration": result.duration,
        "video": result.video,
        "audio": result.audio,
        "speaker_audio": voice,
        "caption": entry.caption,
        "transcript": entry.transcript,
        "label": entry.label,
        "speaker": entry.speaker,
        "group": data_set.group(entry.id) if data_set.group else None,
        "face_box": list(result.face_box) if result.face_box else None,
        "setting": setting if voice is not None else None,
        "slices": list(entry.slices) or None,
        "onsets": list(onsets) if onsets is not None else None,
        "sha256": sha256,
    }
    line = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(line, ensure_ascii=False) + "\n"


def _write_lists(
    out: Path, missing: Sequence[str], broken: Mapping[str, Mapping[str, str]]
) -> None:
    write_atomic(out / "missing.txt", "".join(f"{clip}\n" for clip in missing).encode())
    rows = [
        f"{clip}\t{reason}\t{what}\n"
        for clip, why in broken.items()
        for reason, what in why.items()
    ]
    write_atomic(out / "broken.tsv", "".join(["id\treason\tfound\n", *rows]).encode())
