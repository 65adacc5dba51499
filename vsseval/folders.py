"""Scoring two folders of anyone's files, matched by name, without any table but the metrics."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from vsseval.devices import require_device
from vsseval.encoders.table import ENCODERS
from vsseval.errors import InputError
from vsseval.features import Encoded, encode
from vsseval.files import file_digest, files_below, text_lines
from vsseval.progress import Progress, silent
from vsseval.run import score_all
from vsseval.run_record import odd_about
from vsseval.score import Scored, find_metrics, lacking_weights, needs, parse_input
from vsseval.sources import NONSPEECH, sources
from vsseval.types import Benchmark, Generation, Item, Metric
from vsseval.workers import Workers

AUDIO_SUFFIXES = (".wav", ".flac")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi")


@dataclass(frozen=True, slots=True)
class FolderScores:
    """Scores of one folder against another."""

    scored: tuple[Scored, ...]
    matched: int
    unmatched: tuple[str, ...]
    """Files of one folder that have no partner in the other, such as ``generated/a.wav``."""
    warnings: Mapping[str, str]
    encoded: Encoded


def score_folders(
    generated: Path,
    reference: Path,
    cache: Path,
    *,
    video: Path | None = None,
    transcripts: Path | None = None,
    heard: Path | None = None,
    metrics: Sequence[str] = (),
    device: str = "cpu",
    workers: Workers | None = None,
    progress: Progress = silent,
) -> FolderScores:
    """Score the audio of ``generated`` against that of ``reference``.

    Files belong together if their paths below the folders agree without suffix. The length of an
    item is that of its reference. The voice to compare with is the reference's own. Without
    ``metrics``: those for speech if there are transcripts, else those for sound, as far as their
    inputs exist.

    Args:
        generated: Folder of wav and flac files.
        reference: Folder of wav and flac files.
        cache: Root of the cache.
        video: Folder of videos.
        transcripts: What is said, in a file as :func:`read_transcripts` reads it.
        heard: What a recogniser made of the generated files, likewise; a text may be empty.
        metrics: Metric ids.
        device: ``cpu`` or ``cuda``.
        workers: Processes to share the work; None for this one.
        progress: Where steps are shown.

    Raises:
        InputError: the device or a folder is missing, two files have one name, or nothing fits
            together.
        UnknownNameError: no such metric.
    """
    require_device(device)
    ours, theirs = stems(generated, AUDIO_SUFFIXES), stems(reference, AUDIO_SUFFIXES)
    names = sorted(set(ours) & set(theirs))
    if not names:
        raise InputError(
            f"no file of {generated} ({len(ours)} wav or flac) is named like one of {reference} "
            f"({len(theirs)}); files belong together if their names agree without suffix"
        )
    videos = stems(video, VIDEO_SUFFIXES) if video else {}
    texts = read_transcripts(transcripts) if transcripts else {}
    transcriptions = read_transcripts(heard, may_be_empty=True) if heard else {}
    items = tuple(_item(name, theirs[name], videos.get(name), texts.get(name)) for name in names)
    durations = {item.id: item.duration for item in items}
    chosen = (
        find_metrics(metrics)
        if metrics
        else usable_metrics(bool(video), bool(transcripts), bool(heard))
    )
    benchmark = Benchmark(
        name="folders",
        version="1",
        task="speech" if transcripts else "sound",
        clip_seconds=max(durations.values()),
        sample_rate=0,
        items=items,
        metrics=tuple(metric.id for metric in chosen),
        digest=_digest(items),
    )
    rows = [Generation(name, 0, 0, ours[name], None, None, 0.0, 0) for name in names]
    encoded = encode(
        needs(chosen),
        sources(benchmark, rows, 1, transcriptions),
        cache,
        device=device,
        workers=workers,
        progress=progress,
    )
    scored = score_all(chosen, benchmark, encoded, rows, takes=1, limit=None)
    odd = {name: _odd(ours[name], durations[name]) for name in names}
    unmatched = (
        *(f"generated: {name}" for name in sorted(set(ours) - set(theirs))),
        *(f"reference: {name}" for name in sorted(set(theirs) - set(ours))),
    )
    warnings = {name: text for name, text in odd.items() if text}
    return FolderScores(tuple(scored), len(names), unmatched, warnings, encoded)


def stems(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Files below ``folder`` by path without suffix.

    Raises:
        InputError: no such folder, no such files, or two of them with one name.
    """
    if not folder.is_dir():
        raise InputError(f"no folder at {folder}")
    found: dict[str, Path] = {}
    for path in sorted(files_below(folder)):
        if path.suffix.lower() not in suffixes or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise InputError(f"{found[name]} and {path} have one name; keep one of them")
        found[name] = path
    if not found:
        raise InputError(f"{folder} holds no {', '.join(suffixes)} file")
    return found


def read_transcripts(path: Path, *, may_be_empty: bool = False) -> dict[str, str]:
    """Text by file name without suffix: JSON lines ``{"id", "text"}`` or ``id<TAB>text`` lines.

    Raises:
        InputError: the file cannot be read, a line does not fit, an id comes twice, or a text is
            empty.
    """
    try:
        lines = text_lines(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read transcripts {path}: {error}") from error
    texts: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        name, text = _json_line(line, where) if path.suffix == ".jsonl" else _tab_line(line, where)
        if name in texts:
            raise InputError(f"{where}: id {name!r} comes a second time")
        if not text.strip() and not may_be_empty:
            raise InputError(f"{where}: the transcript of {name!r} is empty; leave the line out")
        texts[name] = text
    if not texts:
        raise InputError(f"transcripts {path} holds no line")
    return texts


def usable_metrics(
    with_video: bool, with_transcripts: bool, with_heard: bool = False
) -> list[Metric]:
    """Metrics whose inputs two folders have: speech ones with transcripts, sound ones without.

    Given transcriptions take the place of every recogniser.

    Profiles of other tools (``metric@profile``), and what needs weights that are not in the store,
    are left to be asked for by name.
    """
    from vsseval.metrics.table import METRICS

    task = "speech" if with_transcripts else "sound"
    return [
        metric
        for metric in METRICS.values()
        if metric.task in (task, "any")
        and "@" not in metric.id
        and not lacking_weights(metric)
        and all(_available(text, with_video, with_transcripts) for text in metric.inputs)
        and _listens(metric, with_heard)
    ]


def _listens(metric: Metric, with_heard: bool) -> bool:
    """Whether the metric takes its words, if it takes any, from where they are."""
    words = [one for one in map(parse_input, metric.inputs) if one.output == "text"]
    return all((one.source == "heard") == with_heard for one in words)


def _available(text: str, with_video: bool, with_transcripts: bool) -> bool:
    one = parse_input(text)
    if one.source == "item":
        return one.output == "transcript" and with_transcripts
    sources = {one.source, *(join.partition(":")[0] for join in ENCODERS[one.encoder].joins)}
    unknown = {"caption", *NONSPEECH}
    return not sources & unknown and ("video" not in sources or with_video)


def _json_line(line: str, where: str) -> tuple[str, str]:
    try:
        entry = json.loads(line)
        name, words = str(entry["id"]), str(entry["text"])
        words.encode()  # half a character, as a text cut within an emoji has, is a ValueError
        return name, words
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f'{where}: expected {{"id": ..., "text": ...}}, got {line!r}') from error


def _tab_line(line: str, where: str) -> tuple[str, str]:
    name, tab, text = line.partition("\t")
    if not tab:
        raise InputError(f"{where}: expected id, a tab, and the text, got {line!r}")
    return name.strip(), text


def _item(name: str, audio: Path, video: Path | None, text: str | None) -> Item:
    return Item(
        id=name,
        duration=_seconds(audio),
        video=video,
        audio=audio,
        speaker_audio=audio,
        transcript=text,
    )


def _seconds(path: Path) -> float:
    try:
        seconds = float(soundfile.info(str(path)).duration)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"cannot decode audio {path}: {error}") from error
    if seconds == 0:
        raise InputError(f"audio {path} holds no samples")
    return seconds


def _odd(path: Path, duration: float) -> str:
    """What to say of a generated file; nothing of an unreadable one, which scores exclude."""
    try:
        return "; ".join(odd_about(_seconds(path), duration, 0))
    except InputError:
        return ""


def _digest(items: Sequence[Item]) -> str:
    """sha256 over names, reference files, videos and texts."""
    digest = hashlib.sha256()
    for item in items:
        files = [file_digest(path) for path in (item.audio, item.video) if path is not None]
        digest.update(json.dumps([item.id, files, item.transcript]).encode() + b"\n")
    return digest.hexdigest()
