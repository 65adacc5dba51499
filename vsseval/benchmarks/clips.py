"""Looking at one clip's files, and its sound; :mod:`vsseval.benchmarks.cutting` cuts pictures.

Sound. Decoded once, at its own rate and with its own channels, to 16-bit FLAC. Time 0 is the first
frame of the picture that the sound came with: sound that begins earlier is cut, later is padded.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from vsseval.audio import write_audio
from vsseval.errors import InputError
from vsseval.types import Audio

PICTURE_CELLS = 16
"""Pictures are compared as so many by so many means of grey levels."""
PICTURES_A_SECOND = 5
STILL_LEVELS = 1.0
"""Two pictures no cell of which differs by more of 255 grey levels are the same."""
UNEVEN = 0.05
"""Distance of a frame from its place at an even rate, from which a file's frames are uneven [s]."""
_FASTEST = 60
"""Highest rate at which uneven frames are stored [1/s]."""
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding a whole video says of it."""

    frames: int
    fps: float
    first: float
    """Time of the first frame in the file's own clock [s]."""
    still: float
    """Share of neighbouring pictures, five a second, that are the same; 1 for a single picture."""
    uneven: bool = False
    """Whether frames stand elsewhere than an even rate has them; ``frames`` and ``fps`` are then
    those of the even rate at which they are stored."""

    @property
    def seconds(self) -> float:
        """Length [s]."""
        return self.frames / self.fps


@contextmanager
def opened(path: Path) -> Iterator[av.container.InputContainer]:
    """The file, open.

    Raises:
        InputError: it cannot be opened or decoded.
        OSError: the disk that is written to is full, which says nothing of the file.
    """
    try:
        with av.open(str(path)) as container:
            yield container
    except InputError:
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        if number in _DISK_FULL:
            raise OSError(number, os.strerror(number)) from error
        raise InputError(f"cannot decode {path.name}: {_plain(error)}") from error


def _plain(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error)


def look_at(path: Path, start: float = 0.0, seconds: float | None = None) -> Picture:
    """Decode a video and say how long and how still the part from ``start`` is.

    Args:
        path: Video file.
        start: Beginning of the part [s].
        seconds: Stillness is that of so many seconds; None for all.

    Raises:
        InputError: no video stream, no frame, or the file breaks off.
    """
    with opened(path) as container:
        if not container.streams.video:
            raise InputError(f"{path.name} has no video stream")
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stated, fps = stream.frames, float(stream.average_rate or 0)
        if fps <= 0:
            raise InputError(f"{path.name} does not say how many frames a second it has")
        begin = round(start * fps)
        end = None if seconds is None else begin + max(1, round(seconds * fps))
        step = max(1, round(fps / PICTURES_A_SECOND))
        count, pictures = 0, []
        times: list[float | None] = []
        for frame in container.decode(stream):
            times.append(frame.time)
            if count >= begin and (end is None or count < end) and (count - begin) % step == 0:
                small = frame.reformat(
                    PICTURE_CELLS, PICTURE_CELLS, format="gray", interpolation="AREA"
                )
                pictures.append(small.to_ndarray().astype(np.int16))
            count += 1
    if count == 0:
        raise InputError(f"{path.name} holds no video frames")
    if stated and count < stated:
        raise InputError(f"{path.name} breaks off: {count} frames decoded of {stated} stated")
    first = float(times[0] or 0.0)
    if even := _even_rate(times, fps):
        fps, count = even
        begin = round(start * fps)
    return Picture(max(0, count - begin), fps, first, stillness(pictures), uneven=bool(even))


def _even_rate(times: Sequence[float | None], fps: float) -> tuple[int, int] | None:
    """Rate at which uneven frames are stored, that of the densest tenth, and how many it has.

    None where frames are even, or where some have no time.
    """
    at = np.array([np.nan if time is None else time for time in times])
    if len(at) < 2 or not np.isfinite(at).all() or (np.diff(at) <= 0).any():
        return None
    at -= at[0]
    # The mean rate of a header may count the last frame as longer than it is.
    step = at[-1] / (len(at) - 1)
    places = np.arange(len(at))
    if min(np.abs(at - places * each).max() for each in (1 / fps, step)) <= UNEVEN:
        return None
    gaps = np.diff(at)
    rate = min(_FASTEST, max(1, round(1 / float(np.quantile(gaps, 0.1)))))
    return rate, max(1, round((at[-1] + gaps[-1]) * rate))


def stillness(pictures: Sequence[NDArray[np.int16]]) -> float:
    """Share of neighbours that are the same, as :data:`STILL_LEVELS` says; 1 for a single one."""
    if len(pictures) < 2:
        return 1.0
    moved = [
        bool(np.abs(after - before).max() > STILL_LEVELS)
        for before, after in itertools.pairwise(pictures)
    ]
    return 1.0 - sum(moved) / len(moved)


def frames_at(path: Path, places: Sequence[int]) -> list[NDArray[np.uint8]]:
    """The frames with these numbers, from 0, ascending: RGB uint8 (h, w, 3).

    Raises:
        InputError: the video cannot be decoded.
    """
    wanted, found = set(places), []
    with opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for at, frame in enumerate(container.decode(stream)):
            if at in wanted:
                found.append(frame.to_ndarray(format="rgb24"))
            if at >= max(wanted):
                break
    return found


def has_sound(path: Path) -> bool:
    """Whether a file has a sound stream.

    Raises:
        InputError: it cannot be opened.
    """
    with opened(path) as container:
        return bool(container.streams.audio)


def read_sound(path: Path, origin: float | None = None) -> Audio:
    """Decode the first sound stream, float32 (channels, n) at its own rate.

    Args:
        path: A file of sound, or a video.
        origin: Time of the first picture in the file's clock [s], which becomes sample 0; None
            for the first sample.

    Raises:
        InputError: no sound stream, or one that cannot be decoded or holds nothing.
    """
    blocks: list[NDArray[np.float32]] = []
    first = 0.0
    with opened(path) as container:
        if not container.streams.audio:
            raise InputError(f"{path.name} has no sound stream")
        stream = container.streams.audio[0]
        rate = int(stream.rate)
        converter = av.AudioResampler(format="fltp")
        for frame in container.decode(stream):
            if not blocks:
                first = float(frame.time or 0.0)
            blocks += [part.to_ndarray() for part in converter.resample(frame)]
        blocks += [part.to_ndarray() for part in converter.resample(None)] if blocks else []
    if not blocks:
        raise InputError(f"{path.name} holds no sound")
    samples = np.concatenate(blocks, axis=1)
    if not np.isfinite(samples).all():
        raise InputError(f"the sound of {path.name} holds values that are not finite")
    late = 0 if origin is None else round((first - origin) * rate)
    if late > 0:
        samples = np.pad(samples, ((0, 0), (late, 0)))
    elif late < 0:
        samples = samples[:, -late:]
    return Audio(np.ascontiguousarray(samples, dtype=np.float32), rate)


def loudness(audio: Audio) -> float:
    """Root mean square of the loudest channel without its mean, 0 to 1."""
    if audio.samples.size == 0:
        return 0.0
    return float(audio.samples.astype(np.float64).std(axis=1).max())


def cut_sound(audio: Audio, start: float, seconds: float | None) -> Audio:
    """The part from ``start`` that lasts ``seconds``, or to the end."""
    begin = round(start * audio.sample_rate)
    end = None if seconds is None else begin + round(seconds * audio.sample_rate)
    return Audio(audio.samples[:, begin:end], audio.sample_rate)


def write_sound(path: Path, audio: Audio) -> int:
    """Write FLAC; returns the number of samples that 16 bits could not hold."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_audio(path, audio)
