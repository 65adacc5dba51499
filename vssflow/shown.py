"""The frames of any video file with the times at which they appear, decoded one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from vsseval.errors import InputError

MIN_SECONDS = 0.2
MAX_SECONDS = 120.0
STATED_MARGIN = 0.25
"""A file states its length to about a frame [s]."""


class Shown(NamedTuple):
    """A frame on the screen."""

    frame: av.VideoFrame
    """As it was decoded."""
    start: Fraction
    """When it appears, the first frame at 0 [s]."""
    stop: Fraction
    """When it disappears if no other follows [s]."""


def shown_frames(path: Path, seconds: float | None = None) -> Iterator[Shown]:
    """Frames of the first video stream in the order of their time stamps.

    Args:
        path: anything FFmpeg decodes; sound in it is not looked at.
        seconds: frames that appear later are left out; None: the video is wanted whole.

    Raises:
        InputError: no such file, no video stream, no frame, a frame without a time stamp, shorter
            than 0.2 s, or longer than 120 s where it is wanted whole.
    """
    if not path.is_file():
        what = " but a folder" if path.is_dir() else ""
        raise InputError(f"no video file at {path}{what}; give an MP4, MKV, MOV or the like")
    count, end = 0, Fraction(0)
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path} has no video stream")
            stream = container.streams.video[0]
            first = at = Fraction(0)
            for frame in container.decode(stream):
                count += 1
                if frame.pts is None or frame.time_base is None:
                    raise InputError(f"{path}: frame {count} has no time stamp")
                stamp = frame.pts * frame.time_base
                first = stamp if count == 1 else first
                at = stamp - first
                if seconds is not None and at > seconds:
                    break
                if at > MAX_SECONDS:
                    raise InputError(
                        f"{path} lasts longer than {MAX_SECONDS:g} s; cut it into pieces"
                    )
                end = at + _seconds_shown(frame, stream, at / max(1, count - 1))
                yield Shown(frame, at, end)
    except av.error.FFmpegError as error:
        where = f", behind {float(end):.2f} s" if count else ""
        raise InputError(
            f"cannot decode video {path}{where}: {error.strerror}; if other players show it, "
            f"`ffmpeg -i {path.name} mended.mp4` may mend it"
        ) from error
    if count == 0:
        raise InputError(f"{path} holds no video frames")
    if end < Fraction(str(MIN_SECONDS)):
        plural = "" if count == 1 else "s"
        raise InputError(
            f"{path} lasts {float(end):.2f} s ({count} frame{plural}); "
            f"vssflow needs {MIN_SECONDS} s"
        )


def breaking_off(path: Path, seconds: float) -> str | None:
    """What to say of a video whose pictures end before the file says; None: they do not.

    Args:
        path: a video that could be decoded.
        seconds: where its pictures end.
    """
    with av.open(str(path)) as container:
        stream, stated = container.streams.video[0], None
        if stream.duration is not None and stream.time_base is not None:
            stated = float(stream.duration * stream.time_base)
        elif container.duration is not None and len(container.streams) == 1:
            stated = container.duration / av.time_base
    if stated is None or stated - seconds <= STATED_MARGIN:
        return None
    return f"{path} breaks off: its pictures end at {seconds:.2f} s, it states {stated:.2f} s"


def _seconds_shown(frame: av.VideoFrame, stream: av.VideoStream, spacing: Fraction) -> Fraction:
    """How long a frame is shown: as the file says, or at its mean rate, or as those before."""
    if frame.duration and frame.time_base:
        return frame.duration * frame.time_base
    if stream.average_rate:
        return 1 / stream.average_rate
    return spacing or Fraction(1, 25)
