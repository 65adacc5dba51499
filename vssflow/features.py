"""Pictures, waveforms and features of many clips as memory-mapped arrays in one folder.

``clips.json`` lists the clips; each array is a ``.npy`` of one row a clip. Rows are written in
place and marked in ``<stage>_done.npy``, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import mono_at, read_audio
from vsseval.errors import InputError
from vsseval.files import text_lines
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
        InputError: there is no manifest, or a line lacks id, video or audio.
    """
    folders = [root] if (root / "manifest.jsonl").is_file() else sorted(root.iterdir())
    folders = [folder for folder in folders if (folder / "manifest.jsonl").is_file()]
    if not folders:
        raise InputError(
            f"no manifest.jsonl in {root} or its folders; "
            "make one with `vsseval data demo --split train`"
        )
    return [clip for folder in folders for clip in _read_folder(folder, limit)]


def _read_folder(folder: Path, limit: int | None) -> list[Clip]:
    alignments: dict[str, tuple[tuple[str, float, float], ...]] = {}
    aligned = folder / "alignments.jsonl"
    if aligned.is_file():
        for line in aligned.read_text().splitlines():
            row = json.loads(line)
            alignments[row["id"]] = tuple((p, float(s), float(e)) for p, s, e in row["phones"])
    clips = []
    for number, line in enumerate(text_lines((folder / "manifest.jsonl").read_text()), start=1):
        row = json.loads(line)
        missing = [key for key in ("id", "video", "audio") if key not in row]
        if missing:
            raise InputError(f"{folder / 'manifest.jsonl'} line {number} lacks {missing[0]!r}")
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


def store_clips(clips: Sequence[Clip], folder: Path) -> None:
    """Write the list of clips.

    Raises:
        InputError: the folder already holds another list.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(clip) for clip in clips])
    path = folder / "clips.json"
    if path.is_file() and path.read_text() != text:
        raise InputError(f"{folder} holds the features of other clips; give an empty --out")
    path.write_text(text)


def open_array(folder: Path, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> Array:
    """Memory-mapped array ``folder/name.npy``, made with zeros if absent, open for writing.

    Raises:
        InputError: the array on disk has another shape or type.
    """
    path = folder / f"{name}.npy"
    if not path.is_file():
        return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    array = np.load(path, mmap_mode="r+")
    if array.shape != shape or array.dtype != dtype:
        raise InputError(
            f"{path} is {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}; "
            "give an empty --out"
        )
    return array


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
    """Samples in 16 bits; what does not fit is clipped."""
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
        for call in calls:
            yield call.result()
