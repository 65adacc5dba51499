"""Video and sounds of a clip as data URIs, from the benchmark's files and the cache.

A sound is 16-bit mono FLAC at its own rate, which every browser plays and which loses nothing but
the second channel, or Opus, which is smaller. A video that is small goes in as it is; any other is
cut down to 360 lines of H.264 without sound.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import mono_at, read_audio
from vsseval.errors import InputError
from vsseval.files import file_digest
from vsseval.generate import ClipKey, clip_label, generation_folder, read_log
from vsseval.records import RunRecord
from vsseval.reports.html.clips import runs_of
from vsseval.reports.html.content import Media, Track
from vsseval.reports.rows import Row
from vsseval.types import Audio, Benchmark, Generation, Item, mono

OPUS_RATE = 48000
OPUS_BITS = 96000
SMALL_VIDEO = 400_000
"""Bytes up to which an MP4 or WebM goes in as it is."""
VIDEO_LINES = 360


@dataclass(frozen=True, slots=True)
class Sources:
    """Where media are looked for, and how much of them goes into a page."""

    cache: Path
    data: tuple[Path, ...] = ()
    """Folders of benchmarks, or folders that hold such folders."""
    clips: int = 8
    """Clips of each benchmark that can be heard."""
    sound: str = "flac"
    """``flac``, lossless, or ``opus``, smaller."""


class Library:
    """Media of one benchmark; logs of generations are read once."""

    def __init__(
        self, benchmark: Benchmark, rows: Sequence[Row], sources: Sources, *, onsets: bool = False
    ) -> None:
        """Look for what is there.

        Args:
            benchmark: whose clips are asked for.
            rows: whose sounds are.
            sources: where they are.
            onsets: whether to detect onsets in them.
        """
        self._items: Mapping[str, Item] = {item.id: item for item in benchmark.items}
        self._rows = rows
        self._sources = sources
        self._onsets = onsets
        self._logs = [
            {run.seed: _log(benchmark, run, sources.cache) for run in runs_of(row)} for row in rows
        ]

    def media(self, key: ClipKey, name: str) -> Media:
        """Video, ground truth and the sound of every row on one clip.

        Rows whose samples are the same share a track, as the oracle ``reference`` does with the
        ground truth.

        Args:
            key: item and take.
            name: of the media block.
        """
        item = self._items[key[0]]
        tracks = [self._track("Ground truth", "truth", item, *_reference(item))]
        for at, row in enumerate(self._rows):
            group = "oracle" if row.oracle else "system"
            tracks.append(self._track(_name(row), group, item, *self._generated(at, key)))
        merged: dict[str, Track] = {}
        for at, track in enumerate(tracks):
            same = track.audio or f"missing {at}"
            known = merged.get(same)
            merged[same] = replace(known, names=(*known.names, *track.names)) if known else track
        video, missing = _video(item.video)
        return Media(name, video, missing, tuple(merged.values()))

    def _generated(self, at: int, key: ClipKey) -> tuple[Path | None, str]:
        """The file of a row, or why it is not there."""
        run = self._rows[at].record
        label = clip_label(*key)
        if label in run.failures:
            return None, f"not generated: {run.failures[label]}"
        found = self._logs[at][run.seed].get(key)
        if found is None or found.path is None or not found.path.is_file():
            return None, "its sound is not in the cache"
        if file_digest(found.path) != found.digest:
            return None, "the file in the cache is not the one that was generated"
        return found.path, ""

    def _track(self, name: str, group: str, item: Item, path: Path | None, missing: str) -> Track:
        nothing = Track((name,), group, None, 0, missing, None)
        if path is None:
            return nothing
        try:
            audio = read_audio(path)
        except InputError:
            return replace(nothing, missing=f"cannot read {path.name}")
        encode = opus if self._sources.sound == "opus" else flac
        kind = "audio/ogg" if self._sources.sound == "opus" else "audio/flac"
        return replace(
            nothing,
            audio=data_uri(kind, encode(mono(audio), audio.sample_rate)),
            rate=audio.sample_rate,
            onsets=onset_times(audio, item.duration) if self._onsets else None,
        )


def onset_times(audio: Audio, duration: float) -> tuple[float, ...]:
    """Onsets as the onset metrics detect them, at delta 0.3 [s]; none in a sound too short."""
    from vsseval.encoders.onsets import SAMPLE_RATE, load

    try:
        features = load()(mono_at(audio, SAMPLE_RATE, duration))
    except InputError:
        return ()
    return tuple(round(float(time), 4) for time in features["times_030"])


def data_uri(kind: str, content: bytes) -> str:
    """``data:<kind>;base64,...``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def pcm16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Float32 (n,) in [-1, 1] as 16 bits, by the rule of :func:`vsseval.audio.write_audio`."""
    return np.clip(np.rint(samples.astype(np.float64) * 32768.0), -32768, 32767).astype(np.int16)


def flac(samples: NDArray[np.float32], rate: int) -> bytes:
    """FLAC of 16-bit mono.

    Args:
        samples: float32 (n,) in [-1, 1].
        rate: in hertz.
    """
    import soundfile

    encoded = io.BytesIO()
    soundfile.write(encoded, pcm16(samples), rate, subtype="PCM_16", format="FLAC")
    return encoded.getvalue()


def opus(samples: NDArray[np.float32], rate: int) -> bytes:
    """Opus at 96 kbit/s in Ogg.

    Args:
        samples: float32 (n,) in [-1, 1].
        rate: in hertz; Opus itself is at 48 kHz.
    """
    import av

    from vsseval.resampling import resample

    pcm = pcm16(resample(samples, rate, OPUS_RATE))
    encoded = io.BytesIO()
    # Without bitexact a stream has a random serial number, and no two pages were the same.
    with av.open(encoded, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE, layout="mono")
        stream.bit_rate = OPUS_BITS
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = OPUS_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return encoded.getvalue()


def small_video(path: Path) -> bytes:
    """H.264 of at most 360 lines without sound.

    Raises:
        av.error.FFmpegError: the file cannot be decoded.
    """
    import av

    encoded = io.BytesIO()
    with (
        av.open(str(path)) as source,
        av.open(encoded, "w", format="mp4") as target,
    ):
        pictures = source.streams.video[0]
        scale = min(1.0, VIDEO_LINES / pictures.height)
        rate = Fraction(pictures.average_rate or 25)
        stream = target.add_stream("libx264", rate=rate, options={"crf": "28"})
        # The common subsampling of colour needs even sizes.
        stream.width, stream.height = (
            2 * round(scale * size / 2) for size in (pictures.width, pictures.height)
        )
        stream.pix_fmt = "yuv420p"
        for frame in source.decode(pictures):
            small = frame.reformat(stream.width, stream.height, "yuv420p")
            target.mux(stream.encode(small))
        target.mux(stream.encode())
    return encoded.getvalue()


def _log(benchmark: Benchmark, run: RunRecord, cache: Path) -> Mapping[ClipKey, Generation]:
    return read_log(generation_folder(cache, benchmark, run.model.signature, run.seed))


def _name(row: Row) -> str:
    """Of several seeds the lowest is heard."""
    return f"{row.label}, seed {row.record.seed}" if len(runs_of(row)) > 1 else row.label


def _reference(item: Item) -> tuple[Path | None, str]:
    if item.audio is None:
        return None, "the benchmark has no sound for this clip"
    return (item.audio, "") if item.audio.is_file() else (None, f"{item.audio.name} is not here")


def _video(path: Path | None) -> tuple[str | None, str]:
    import av

    if path is None:
        return None, "the benchmark has no video for this clip"
    if not path.is_file():
        return None, f"{path.name} is not here"
    if path.suffix in (".mp4", ".webm") and path.stat().st_size <= SMALL_VIDEO:
        return data_uri(f"video/{path.suffix[1:]}", path.read_bytes()), ""
    try:
        return data_uri("video/mp4", small_video(path)), ""
    except (av.error.FFmpegError, IndexError):
        return None, f"cannot decode {path.name}"
