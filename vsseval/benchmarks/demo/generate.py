"""Writes a split: media, manifest.jsonl, benchmark.json, alignments.jsonl."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from vsseval.benchmarks.demo.clip import RATE, SECONDS, SPLITS, Clip, Split, render
from vsseval.benchmarks.demo.encode import write_flac, write_video
from vsseval.benchmarks.demo.face import SPEAKERS
from vsseval.benchmarks.demo.sounds import sound_clip
from vsseval.benchmarks.demo.speech import require_flite, speech_clip
from vsseval.errors import InputError
from vsseval.files import file_digest
from vsseval.progress import Progress

Row = tuple[dict[str, Any], dict[str, Any]]
"""Manifest line and alignment of a clip."""
COUNTS: dict[Split, dict[str, int]] = {
    "train": {"sound": 3000, "speech": 4000},
    "val": {"sound": 64, "speech": 64},
    "test": {"sound": 96, "speech": 96},
}
METRICS = {
    "sound": (
        "fd.aisfx",
        "kad.aisfx",
        "kl.aisfx",
        "is.aisfx",
        "onset_ap",
        "onset_f1",
        "onset_f1.annotated",
        "av_align",
        "relevance.demo",
        "label_accuracy.aisfx",
        "label_accuracy.demo",
    ),
    "speech": (
        "mcd",
        "mcd_dtw",
        "mcd_dtw_sl",
        "wer.tiny_en",
        "cer.tiny_en",
        "grid_slot_accuracy.tiny_en",
        "speaker_similarity.ge2e",
        "lse_d.demo",
        "lse_c.demo",
        "lse_offset.demo",
        "lse_d0.demo",
        "dnsmos.ovrl",
        "dnsmos.sig",
        "dnsmos.bak",
        "dnsmos.p808",
    ),
}


def write_split(
    split: Split,
    out: Path,
    tasks: tuple[str, ...],
    count: int | None,
    workers: int,
    progress: Progress,
) -> None:
    """See :func:`vsseval.benchmarks.demo.generate_demo`."""
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r}; expected one of {', '.join(SPLITS)}")
    for task in tasks:
        if task not in METRICS:
            raise InputError(f"unknown task {task!r}; expected sound or speech")
    if count is not None and count < 1:
        raise InputError(f"count is {count}; expected at least 1 clip")
    if "speech" in tasks:
        require_flite()
    for task in tasks:
        number = count or COUNTS[split][task]
        with progress(f"demo-{task} {split}", number) as advance:
            write_task(task, split, out / f"demo-{task}", number, workers, advance)


def write_task(
    task: str,
    split: Split,
    root: Path,
    count: int,
    workers: int,
    advance: Callable[[], None],
) -> None:
    """Write one benchmark folder; the manifest goes first and comes back last."""
    (root / "manifest.jsonl").unlink(missing_ok=True)
    for folder in ("audio", "video"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    rows = []
    for row in clips_written(partial(write_clip, task, split, root, count), count, workers):
        rows.append(row)
        advance()
    if task == "speech":
        write_lines(root / "alignments.jsonl", [alignment for _, alignment in rows])
    about = {
        "name": f"demo-{task}",
        "version": "1",
        "task": task,
        "clip_seconds": SECONDS,
        "sample_rate": RATE,
        "metrics": METRICS[task],
    }
    (root / "benchmark.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    write_lines(root / "manifest.jsonl", [line for line, _ in rows])


def clips_written(work: Callable[[int], Row], count: int, workers: int) -> Iterator[Row]:
    """Rows of clips 0..count-1 in order, written by one process or several."""
    if workers == 1:
        yield from map(work, range(count))
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(work, range(count), chunksize=4)


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write one JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def clip_id(task: str, split: Split, index: int) -> str:
    """Such as ``sound-test-0017``."""
    return f"{task}-{split}-{index:04d}"


def make_clip(task: str, split: Split, index: int) -> Clip:
    """Clip ``index`` of a split of a task, before encoding."""
    return sound_clip(split, index) if task == "sound" else speech_clip(split, index)


def write_clip(task: str, split: Split, root: Path, count: int, index: int) -> Row:
    """Write the media of one clip; its manifest line and its alignment (empty for sound)."""
    clip = make_clip(task, split, index)
    name = clip_id(task, split, index)
    video, audio = f"video/{name}.mp4", f"audio/{name}.flac"
    write_flac(root / audio, clip.samples)
    write_video(root / video, render(clip))
    line: dict[str, Any] = {"id": name, "duration": SECONDS, "video": video, "audio": audio}
    if task == "speech":
        other = next_of_speaker(index, count)
        if other is not None:
            line["speaker_audio"] = f"audio/{clip_id(task, split, other)}.flac"
    fields = {
        "caption": clip.caption,
        "transcript": clip.transcript,
        "label": clip.label,
        "speaker": clip.speaker,
        "onsets": None if clip.onsets is None else [round(t, 4) for t in clip.onsets],
        "face_box": clip.face_box,
    }
    line.update({key: value for key, value in fields.items() if value is not None})
    line["sha256"] = {"video": file_digest(root / video), "audio": file_digest(root / audio)}
    phones = [[p, round(a, 4), round(b, 4)] for p, a, b in clip.phones or ()]
    return line, {"id": name, "phones": phones}


def next_of_speaker(index: int, count: int) -> int | None:
    """The next clip of the same speaker, starting over at the end; None if there is no other."""
    same = range(index % len(SPEAKERS), count, len(SPEAKERS))
    return same[(same.index(index) + 1) % len(same)] if len(same) > 1 else None
