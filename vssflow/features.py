"""Pictures, waveforms and features of many clips as memory-mapped arrays in one folder.

``clips.json`` lists the clips; each array is a ``.npy`` of one row a clip. Rows are written in
place and marked in ``<stage>_done.npy``, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vsseval.audio import mono_at, read_audio
from vsseval.errors import InputError, VssevalError
from vsseval.files import text_lines, write_atomic
from vsseval.video import read_video
from vssflow.config import Config
from vssflow.frames import clip_frames

Array = NDArray[Any]
"""A memory-mapped array; its type is in the table that opens it."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One training clip as its manifest line states it."""

    id: str
    """Unique over all data folders: benchmark name, slash, id."""
    video: str
    """Path of the video file."""
    audio: str
    """Path of the audio file."""
    transcript: str | None = None
    """Words that are spoken, or None for a sound."""
    speaker: str | None = None
    """Speaker name."""
    label: str | None = None
    """Class of a sound."""
    onsets: tuple[float, ...] = ()
    """Annotated onsets [s]."""
    face_box: tuple[int, int, int, int] | None = None
    """Face in the video [pixels]."""
    phones: tuple[tuple[str, float, float], ...] = ()
    """Phone, start, end [s] where an alignment is given."""


def read_clips(root: Path, limit: int | None = None) -> list[Clip]:
    """Clips of a benchmark folder, or of every benchmark folder directly inside ``root``.

    Args:
        root: folder with ``manifest.jsonl``, or of such folders.
        limit: at most so many clips of each folder.

    Raises:
        InputError: there is no manifest or no clip, or a line is no JSON object or lacks id, video
            or audio.
    """
    folders = [root] if (root / "manifest.jsonl").is_file() else sorted(root.iterdir())
    folders = [folder for folder in folders if (folder / "manifest.jsonl").is_file()]
    if not folders:
        raise InputError(
            f"no manifest.jsonl in {root} or its folders; "
            "make one with `vsseval data demo --split train`"
        )
    clips = [clip for folder in folders for clip in _read_folder(folder, limit)]
    if not clips:
        raise InputError(f"the manifests in {root} list no clip")
    return clips


def _read_folder(folder: Path, limit: int | None) -> list[Clip]:
    alignments: dict[str, tuple[tuple[str, float, float], ...]] = {}
    aligned = folder / "alignments.jsonl"
    if aligned.is_file():
        for where, row in _json_lines(aligned):
            try:
                alignments[row["id"]] = tuple((p, float(s), float(e)) for p, s, e in row["phones"])
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{where}: expected id and phones [[phone, start, end]]"
                ) from error
    clips = []
    for where, row in _json_lines(folder / "manifest.jsonl"):
        for key in ("id", "video", "audio"):
            if key not in row:
                raise InputError(f"{where} lacks {key!r}")
            if not isinstance(row[key], str):
                raise InputError(f"{where}: {key!r} is {row[key]!r}, expected a string")
        face = row.get("face_box")
        clips.append(
            Clip(
                id=f"{folder.name}/{row['id']}",
                video=str(folder / row["video"]),
                audio=str(folder / row["audio"]),
                transcript=row.get("transcript"),
                speaker=row.get("speaker"),
                label=row.get("label"),
                onsets=tuple(row.get("onsets", ())),
                face_box=None if face is None else (face[0], face[1], face[2], face[3]),
                phones=alignments.get(row["id"], ()),
            )
        )
    return clips if limit is None else clips[:limit]


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each object of a file of JSON lines stands, and the object."""
    for number, line in enumerate(text_lines(path.read_text(encoding="utf-8")), start=1):
        where = f"{path} line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where} is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f"{where} is no JSON object")
        yield where, row


def store_clips(clips: Sequence[Clip], folder: Path) -> None:
    """Write the list of clips; the folder of their media may have moved since.

    Raises:
        InputError: the folder already holds another list.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = json.loads(json.dumps([asdict(clip) for clip in clips]))
    path = folder / "clips.json"
    if path.is_file():
        before = json.loads(path.read_text())
        pairs = zip(map(_without_folder, before), map(_without_folder, now), strict=False)
        other = next((new["id"] for old, new in pairs if old != new), None)
        if other is not None or len(before) != len(now):
            first = "" if other is None else f", first {other}"
            raise InputError(
                f"{folder} holds the features of other clips: {len(before)} there, {len(now)} "
                f"asked for{first}; give the same --data and --limit, or an empty --out"
            )
    write_atomic(path, json.dumps(now).encode())


def _without_folder(clip: dict[str, Any]) -> dict[str, Any]:
    return clip | {key: Path(clip[key]).name for key in ("video", "audio")}


def renew(folder: Path, name: str, done: Array, makers: Mapping[str, Tensor]) -> bool:
    """Take rows for not done that networks of other weights made.

    Args:
        folder: of the arrays.
        name: of what is made.
        done: which rows are done; set to false where the weights are others.
        makers: the weights that now make it. Rows without a note of them, of an older version, are
            taken to be theirs.

    Returns:
        Whether rows are to be made anew.
    """
    digest = hashlib.sha256()
    for key, value in makers.items():
        digest.update(key.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    note, now = folder / f"{name}.made-by", digest.hexdigest()
    before = note.read_text() if note.is_file() else now
    stale = before != now and bool(done.any())
    if stale:
        done[:] = False
    if before != now or not note.is_file():
        write_atomic(note, now.encode())
    return stale


def open_array(folder: Path, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> Array:
    """Memory-mapped array ``folder/name.npy``, made with zeros if absent, open for writing.

    Raises:
        InputError: the array on disk has another shape or type.
        OSError: there is no space for it.
    """
    path = folder / f"{name}.npy"
    if not path.is_file():
        array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
        _reserve(path)
        return array
    array = np.load(path, mmap_mode="r+")
    if array.shape != shape or array.dtype != dtype:
        raise InputError(
            f"{path} is {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}; "
            "give an empty --out"
        )
    return array


def _reserve(path: Path) -> None:
    """Take the space of a file now: a page without space would end the process without a word."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        path.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error


def media_arrays(num_clips: int, folder: Path, config: Config) -> dict[str, Array]:
    """The arrays that hold decoded media: wave, scene, mouth, colour, and which rows are done."""
    frames, size = config.clip_frames, config.frame_size
    mouth, colour = config.mouth_size, config.colour_size
    tokens = -(-frames // config.semantic_stride)
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "wave": ((num_clips, config.clip_samples), np.int16),
        "scene": ((num_clips, frames, 2, size, size), np.uint8),
        "mouth": ((num_clips, frames, mouth, mouth), np.uint8),
        "colour": ((num_clips, tokens, colour, colour, 3), np.uint8),
        "wave_done": ((num_clips,), np.bool_),
        "frames_done": ((num_clips,), np.bool_),
    }
    return {name: open_array(folder, name, *spec) for name, spec in shapes.items()}


def _decode_wave(clip: Clip, config: Config) -> NDArray[np.int16]:
    return pcm16(mono_at(read_audio(Path(clip.audio)), config.sample_rate, config.clip_seconds))


def pcm16(wave: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples (n,), full scale 1, in 16 bits; what does not fit is clipped."""
    return np.clip(np.rint(wave * 32768.0), -32768, 32767).astype(np.int16)


def _fill_rows(
    clips: Sequence[Clip], rows: Sequence[int], folder: Path, config: Config, waves_only: bool
) -> int:
    arrays = media_arrays(len(clips), folder, config)
    for row in rows:
        clip = clips[row]
        if not arrays["wave_done"][row]:
            arrays["wave"][row] = _decode_wave(clip, config)
            arrays["wave_done"][row] = True
        if waves_only or arrays["frames_done"][row]:
            continue
        frames = clip_frames(
            read_video(Path(clip.video)), clip.face_box, config.clip_frames, config
        )
        arrays["scene"][row], arrays["mouth"][row] = frames.scene, frames.mouth
        arrays["colour"][row] = frames.colour
        arrays["frames_done"][row] = True
    return len(rows)


def decode_media(
    clips: Sequence[Clip], folder: Path, config: Config, *, workers: int, waves_only: bool = False
) -> Iterable[int]:
    """Decode every clip that is not done yet; yields the size of each finished portion."""
    arrays = media_arrays(len(clips), folder, config)
    done = arrays["wave_done"] if waves_only else arrays["frames_done"] & arrays["wave_done"]
    rows = [int(row) for row in np.flatnonzero(~done)]
    portions = [rows[i : i + 50] for i in range(0, len(rows), 50)]
    if workers <= 1:
        for portion in portions:
            yield _fill_rows(clips, portion, folder, config, waves_only)
        return
    with ProcessPoolExecutor(workers) as pool:
        calls = [
            pool.submit(_fill_rows, clips, portion, folder, config, waves_only)
            for portion in portions
        ]
        try:
            for call in calls:
                yield call.result()
        except BrokenProcessPool as error:
            raise VssevalError(
                "a process that decodes was killed, perhaps for lack of memory: give fewer "
                "--workers; what was decoded is kept"
            ) from error
