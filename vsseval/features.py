"""Second stage: what the encoders say of each clip, through a cache addressed by content.

An audio clip is prepared once (channels averaged, soxr HQ to the encoder's rate, cut or zero-padded
to the item's duration; the voice to imitate keeps its own length) and looked up under

    sha256(encoder signature | digest of the prepared samples | preparation)

so the same sound is never encoded twice, whatever file it came from; a video clip under the sha256
of its file. Features are ``<cache>/features/<encoder>/<2 hex>/<key>.npz``, written by a rename. A
clip that an encoder refuses is missing, with the reason.
"""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import signal
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import RESAMPLER, audio_digest, mono_at, read_audio
from vsseval.encoders import table
from vsseval.errors import InputError, MissingWeightsError
from vsseval.files import file_digest, without_folders, write_atomic
from vsseval.generate import ClipKey
from vsseval.progress import Progress, silent
from vsseval.types import Audio, AudioEncoder, Features, VideoEncoder
from vsseval.video import read_video

REFUSED = "refused"
"""Output name under which the reason is cached when an encoder raises ``InputError``."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One file that an encoder is to look at."""

    key: ClipKey
    path: Path | None
    """None if there is none; ``reason`` says why."""
    duration: float | None
    """Length to cut or pad to [s]; None keeps the file's own."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """What one encoder says of one source."""

    source: str
    """``generated``, ``reference``, ``speaker`` or ``video``."""
    encoder: str
    signature: str
    """The encoder's signature."""
    sample_rate: int | None
    """Rate the encoder hears [Hz]; None for video."""
    rows: Mapping[ClipKey, Features]
    missing: Mapping[ClipKey, str]
    """Why a clip has no row."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """All tables of a run, and what they cost."""

    tables: Mapping[tuple[str, str], FeatureTable]
    """By (source, encoder)."""
    network_passes: int
    """Clips that went through a network in this call."""
    network_features: int
    """Rows that come from networks, cached or fresh."""
    lacking: tuple[str, ...] = ()
    """What the weight store says of weights that are missing, one message an encoder."""


@dataclass(frozen=True, slots=True)
class _Miss:
    """A clip that is not in the cache."""

    clip: Clip
    file: Path
    """Where its features will be."""


def encode(
    needs: Iterable[tuple[str, str]],
    clips: Mapping[str, Sequence[Clip]],
    cache: Path,
    *,
    device: str = "cpu",
    workers: int = 1,
    progress: Progress = silent,
) -> Encoded:
    """Features of every clip; a network is loaded only if something is not cached.

    Args:
        needs: (source, encoder id) pairs.
        clips: By source.
        cache: Root of the cache.
        device: ``cpu`` or ``cuda``.
        workers: Processes for the encoders that are no networks.
        progress: Where steps are shown.

    Raises:
        OSError: the disk is full or cannot be written; what was encoded before is kept.
    """
    needs = sorted(set(needs))
    signatures, lacking = _signatures({encoder for _, encoder in needs}, device)
    usable = [(source, encoder) for source, encoder in needs if encoder in signatures]
    files, missing = _look_up(usable, clips, signatures, cache, progress)
    misses: dict[str, dict[Path, _Miss]] = {}
    for source, encoder in usable:
        for clip in clips[source]:
            file = files.get((source, encoder, clip.key))
            if file is not None and _load(file) is None:
                misses.setdefault(encoder, {}).setdefault(file, _Miss(clip, file))
    reasons: dict[Path, str] = {}
    passes = 0
    for encoder in sorted(misses, key=list(table.ENCODERS).index):
        work = list(misses[encoder].values())
        reasons.update(_compute(encoder, work, device, workers, progress))
        if table.ENCODERS[encoder].network:
            passes += len(work)
    tables = {
        (source, encoder): _table(
            source, encoder, signatures[encoder], clips[source], files, missing, reasons
        )
        if encoder in signatures
        else _table_without_weights(source, encoder, clips[source])
        for source, encoder in needs
    }
    networks = [found for found in tables.values() if table.ENCODERS[found.encoder].network]
    return Encoded(tables, passes, sum(len(found.rows) for found in networks), lacking)


def feature_key(signature: str, content: str, preparation: str) -> str:
    """sha256 over encoder signature, content digest and preparation."""
    return hashlib.sha256("|".join((signature, content, preparation)).encode()).hexdigest()


_Lookup = tuple[str, str, ClipKey]


def _signatures(encoders: Iterable[str], device: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Signature of every encoder whose weights are in the store, and messages for the others."""
    signatures: dict[str, str] = {}
    lacking: list[str] = []
    for encoder in sorted(encoders):
        try:
            signatures[encoder] = table.signature(encoder, device)
        except MissingWeightsError as error:
            lacking.append(str(error))
    return signatures, tuple(lacking)


def _look_up(
    needs: Sequence[tuple[str, str]],
    clips: Mapping[str, Sequence[Clip]],
    signatures: Mapping[str, str],
    cache: Path,
    progress: Progress,
) -> tuple[dict[_Lookup, Path], dict[_Lookup, str]]:
    """Cache file of every (source, encoder, clip), or why it can have none."""
    files: dict[_Lookup, Path] = {}
    missing: dict[_Lookup, str] = {}
    sources = sorted({source for source, _ in needs})
    with progress("look up features", sum(len(clips[source]) for source in sources)) as advance:
        for source in sources:
            encoders = [encoder for of, encoder in needs if of == source]
            for clip in clips[source]:
                found = _contents(clip, encoders)
                for encoder in encoders:
                    at = (source, encoder, clip.key)
                    if isinstance(found, str):
                        missing[at] = found
                        continue
                    key = feature_key(signatures[encoder], *found[encoder])
                    files[at] = cache / "features" / encoder / key[:2] / f"{key}.npz"
                advance()
    return files, missing


def _contents(clip: Clip, encoders: Sequence[str]) -> dict[str, tuple[str, str]] | str:
    """(content digest, preparation) by encoder, or why the clip cannot be used."""
    if clip.path is None:
        return clip.reason
    if not clip.path.is_file():
        return f"file missing: {clip.path.name}"
    contents: dict[str, tuple[str, str]] = {}
    digests: dict[int, str] = {}
    try:
        for encoder in encoders:
            rate = table.ENCODERS[encoder].sample_rate
            if rate is None:
                contents[encoder] = (file_digest(clip.path), "frames")
                continue
            if not digests:
                audio = read_audio(clip.path)
            if rate not in digests:
                samples = _prepared(audio, rate, clip.duration)
                digests[rate] = audio_digest(Audio(samples[np.newaxis], rate))
            contents[encoder] = (digests[rate], f"{RESAMPLER}:mean:{rate}")
    except InputError as error:
        return without_folders(str(error))
    return contents


def _prepared(audio: Audio, rate: int, duration: float | None) -> NDArray[np.float32]:
    return mono_at(audio, rate, audio.duration if duration is None else duration)


def _compute(
    encoder: str, misses: Sequence[_Miss], device: str, workers: int, progress: Progress
) -> dict[Path, str]:
    """Encode and store; why some failed for now (out of memory), by cache file."""
    row = table.ENCODERS[encoder]
    reasons: dict[Path, str] = {}
    with progress(f"encode {encoder}", len(misses)) as advance:
        if not row.network and workers > 1 and len(misses) > 2 * workers:
            with _pool(workers) as pool:
                jobs = [(encoder, device, miss) for miss in misses]
                for miss, reason in zip(misses, pool.map(_pool_job, jobs), strict=True):
                    if reason:
                        reasons[miss.file] = reason
                    advance()
            return reasons
        loaded = table.load_encoder(encoder, device)
        for miss in misses:
            reason = _encode_one(loaded, row.sample_rate, miss)
            if reason:
                reasons[miss.file] = reason
            advance()
    return reasons


def _encode_one(encoder: AudioEncoder | VideoEncoder, rate: int | None, miss: _Miss) -> str:
    """Encode one clip into its cache file; the reason if it failed, else an empty string."""
    if miss.file.is_file() and _load(miss.file) is not None:
        return ""
    path = cast(Path, miss.clip.path)
    try:
        if rate is None:
            video = read_video(path)
            features = cast(VideoEncoder, encoder)(video.frames, video.fps)
        else:
            samples = _prepared(read_audio(path), rate, miss.clip.duration)
            features = cast(AudioEncoder, encoder)(samples)
    except InputError as error:
        features = {REFUSED: np.array(without_folders(str(error)))}
    except (ValueError, RuntimeError) as error:
        return f"{type(error).__name__}: {without_folders(str(error))}"
    _store(miss.file, features)
    return ""


def _store(file: Path, features: Features) -> None:
    content = io.BytesIO()
    arrays = {name: np.asarray(value) for name, value in features.items()}
    np.savez(content, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    write_atomic(file, content.getvalue())


def _load(file: Path) -> Features | None:
    """The stored features; None if there are none, or if the file is damaged."""
    try:
        # Through memory: numpy leaves a damaged file open.
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (FileNotFoundError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _table(
    source: str,
    encoder: str,
    signature: str,
    clips: Sequence[Clip],
    files: Mapping[_Lookup, Path],
    missing: Mapping[_Lookup, str],
    reasons: Mapping[Path, str],
) -> FeatureTable:
    rows: dict[ClipKey, Features] = {}
    absent: dict[ClipKey, str] = {}
    for clip in clips:
        at = (source, encoder, clip.key)
        features = _load(files[at]) if at in files else None
        if at in missing:
            absent[clip.key] = missing[at]
        elif features is None:
            absent[clip.key] = reasons.get(files[at], "its features were removed from the cache")
        elif REFUSED in features:
            absent[clip.key] = str(features[REFUSED])
        else:
            rows[clip.key] = features
    rate = table.ENCODERS[encoder].sample_rate
    return FeatureTable(source, encoder, signature, rate, rows, absent)


def _table_without_weights(source: str, encoder: str, clips: Sequence[Clip]) -> FeatureTable:
    row = table.ENCODERS[encoder]
    reason = f"weights missing: vsseval weights pull {' '.join(row.weights)}"
    absent = {clip.key: reason for clip in clips}
    return FeatureTable(source, encoder, f"{encoder}:missing", row.sample_rate, {}, absent)


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts_to_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _pool_job(job: tuple[str, str, _Miss]) -> str:
    encoder, device, miss = job
    return _encode_one(_loaded(encoder, device), table.ENCODERS[encoder].sample_rate, miss)


@remember
def _loaded(encoder: str, device: str) -> AudioEncoder | VideoEncoder:
    return table.load_encoder(encoder, device)
