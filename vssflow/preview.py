"""A video file with generated audio beside its pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from vsseval.errors import InputError
from vsseval.files import written_whole
from vsseval.types import Audio

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

COPIED = ("h264", "hevc", "mpeg4", "av1")
"""Codecs whose packets an MP4 file takes as they are."""


def write_preview(video: Path, audio: Audio, out: Path) -> bool:
    """Write MP4: the pictures of ``video`` and ``audio`` as AAC, both from time 0.

    Sound in the video is left out. The pictures are copied bit for bit where MP4 takes their codec;
    otherwise they are encoded as H.264, in even sizes, with their time stamps. The file appears by
    a rename.

    Returns:
        Whether the pictures were copied.

    Raises:
        InputError: the video cannot be read, or would be overwritten.
    """
    if out.exists() and out.samefile(video):
        raise InputError(f"--out {out} is the video itself; give another name")
    try:
        with (
            written_whole(out) as partial,
            av.open(str(video)) as source,
            av.open(str(partial), "w", format="mp4") as target,
        ):
            pictures = source.streams.video[0]
            copied = pictures.codec_context.name in COPIED
            sound = target.add_stream("aac", rate=audio.sample_rate)
            sound.codec_context.layout = "mono"
            if copied:
                _copy(source, target, target.add_stream_from_template(pictures))
            else:
                _encode(source, target)
            _write_sound(target, sound, audio)
    except av.error.FFmpegError as error:
        raise InputError(f"cannot write a preview of {video}: {error}") from error
    return copied


def _copy(source: InputContainer, target: OutputContainer, stream: av.VideoStream) -> None:
    first = source.streams.video[0].start_time or 0
    for packet in source.demux(source.streams.video[0]):
        if packet.dts is None:  # the empty packet at the end
            continue
        packet.dts -= first
        packet.pts = packet.dts if packet.pts is None else packet.pts - first
        packet.stream = stream
        target.mux(packet)


def _encode(source: InputContainer, target: OutputContainer) -> None:
    pictures = source.streams.video[0]
    stream = target.add_stream("libx264", rate=pictures.average_rate or 25)
    # 4:2:0 needs even sides: a row or column at the edge is scaled away.
    stream.width = max(2, pictures.codec_context.width // 2 * 2)
    stream.height = max(2, pictures.codec_context.height // 2 * 2)
    stream.pix_fmt = "yuv420p"
    base = pictures.time_base or Fraction(1, 25)
    stream.codec_context.time_base = base
    first: int | None = None
    for frame in source.decode(pictures):
        first = frame.pts if first is None else first
        plain = frame.reformat(stream.width, stream.height, format="yuv420p")
        plain.pts, plain.time_base = (frame.pts or 0) - (first or 0), base
        plain.pict_type = av.video.frame.PictureType.NONE
        target.mux(stream.encode(plain))
    target.mux(stream.encode(None))


def _write_sound(target: OutputContainer, stream: av.AudioStream, audio: Audio) -> None:
    samples = np.ascontiguousarray(audio.samples.mean(0, keepdims=True), np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate, frame.pts = audio.sample_rate, 0
    frame.time_base = Fraction(1, audio.sample_rate)
    target.mux(stream.encode(frame))
    target.mux(stream.encode(None))
