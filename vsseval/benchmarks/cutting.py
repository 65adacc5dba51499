"""Cutting a clip's picture without harm.

Where nothing has to be cut the file is copied byte for byte, unless its frames are uneven: whatever
reads the set takes frame n for the one at n / rate seconds, so those are stored by FFV1, which
loses nothing, at an even rate, each instant with the frame that is seen then.

A cut at the end alone copies packets: every frame before the cut keeps its bits, and the few later
frames that some of them are predicted from may stay behind them, beyond the item's duration. A cut
that begins inside the file cannot copy packets, which need not begin with a whole picture there:
frames are decoded and stored by FFV1.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from vsseval.benchmarks.clips import opened
from vsseval.errors import InputError

_COPIED_INTO = (".mp4", ".mov", ".mkv", ".webm")
_INSTANT = 1e-6
"""Times nearer to each other are one [s]."""


def cut_picture(
    path: Path, target: Path, start: float, seconds: float | None, even_rate: float | None = None
) -> Path:
    """Copy the video, or its part, by the way that loses nothing.

    Args:
        path: Video file.
        target: Where it goes, without suffix.
        start: Beginning of the part [s].
        seconds: Length of the part [s]; None for what there is.
        even_rate: Rate at which frames are stored that are uneven in the file [1/s], which needs
            ``seconds``; None to leave them as they are.

    Returns:
        The file written: the suffix of the source, or ``.mkv`` where frames were stored.

    Raises:
        InputError: it cannot be decoded.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = start == 0 and seconds is None and even_rate is None
    suffix = path.suffix.lower()
    if not whole and (start > 0 or even_rate is not None or suffix not in _COPIED_INTO):
        suffix = ".mkv"
    written = Path(f"{target}{suffix}")
    partial = written.with_name(f".partial-{written.name}")
    try:
        if whole:
            shutil.copyfile(path, partial)
        elif even_rate is not None and seconds is not None:
            _store_evenly(path, partial, start, seconds, Fraction(even_rate))
        elif start == 0 and seconds is not None and _copy_packets(path, partial, seconds):
            pass
        else:
            written = written.with_suffix(".mkv")
            partial.unlink(missing_ok=True)
            partial = written.with_name(f".partial-{written.name}")
            _store_frames(path, partial, start, seconds)
        partial.replace(written)
    finally:
        partial.unlink(missing_ok=True)
    return written


def _copy_packets(path: Path, target: Path, seconds: float) -> bool:
    """Whether the packets of the first ``seconds`` could be copied; some have no time."""
    with opened(path) as source:
        stream = source.streams.video[0]
        fps = stream.average_rate or Fraction(25)
        packets = [packet for packet in source.demux(stream) if packet.size]
        if any(packet.pts is None or packet.dts is None for packet in packets):
            return False
        frames = max(1, round(seconds * float(fps)))
        last_time = sorted(packet.pts for packet in packets)[:frames][-1]
        last = max(at for at, packet in enumerate(packets) if packet.pts <= last_time)
        with av.open(str(target), "w") as out:
            copy = out.add_stream_from_template(stream)
            for packet in packets[: last + 1]:
                packet.stream = copy
                out.mux(packet)
    return True


def _store_frames(path: Path, target: Path, start: float, seconds: float | None) -> None:
    with opened(path) as source:
        stream = source.streams.video[0]
        fps = stream.average_rate or Fraction(25)
        begin = round(start * float(fps))
        end = None if seconds is None else begin + max(1, round(seconds * float(fps)))
        frames = itertools.islice(source.decode(stream), begin, end)
        if not _store(frames, target, fps):
            raise InputError(f"{path.name} ends before {start} s")


def _store_evenly(path: Path, target: Path, start: float, seconds: float, rate: Fraction) -> None:
    with opened(path) as source:
        frames = _seen_at(
            source.decode(source.streams.video[0]), start, max(1, round(seconds * rate)), rate
        )
        if not _store(frames, target, rate):
            raise InputError(f"{path.name} ends before {start} s")


def _seen_at(
    frames: Iterator[av.VideoFrame], start: float, count: int, rate: Fraction
) -> Iterator[av.VideoFrame]:
    """The frame that is seen at each of ``count`` instants from ``start``."""
    instants = (start + float(at / rate) for at in range(count))
    now = next(instants, None)
    first = seen = None
    for frame in frames:
        first = float(frame.time) if first is None else first
        while now is not None and seen is not None and now < float(frame.time) - first - _INSTANT:
            yield seen
            now = next(instants, None)
        if now is None:
            return
        seen = frame
    while now is not None and seen is not None:
        yield seen
        now = next(instants, None)


def _store(frames: Iterator[av.VideoFrame], target: Path, fps: Fraction) -> int:
    """Write frames by FFV1 at an even rate; how many there were."""
    count = 0
    with av.open(str(target), "w") as out:
        copy = None
        for frame in frames:
            if copy is None:
                copy = out.add_stream("ffv1", rate=fps)
                copy.width, copy.height = frame.width, frame.height
                copy.pix_fmt = frame.format.name
                copy.codec_context.thread_count = 1
            frame.pts, frame.time_base = count, 1 / fps
            out.mux(copy.encode(frame))
            count += 1
        if copy is not None:
            out.mux(copy.encode())
    return count
