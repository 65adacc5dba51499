"""Second stage: what the encoders say of each clip, through the cache of ``feature_cache``.

A clip is decoded once, and only if something about it is not cached; each preparation of its sound
is made once and handed to every encoder that hears it. A network is loaded at its first clip. A
clip that an encoder refuses is missing, with the reason.

A pair encoder reads what two other encoders say of a clip (Synchformer's head: video and audio), so
the video of a benchmark goes through its large network once, however many systems are scored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache as remember
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import SPEECH_MARGIN, audio_digest, read_audio, without_speech
from vsseval.digests import remembered_digest
from vsseval.encoders import table
from vsseval.encoders.table import EncoderRow
from vsseval.errors import InputError, MissingWeightsError
from vsseval.feature_cache import (
    REFUSED,
    CachedRows,
    feature_file,
    feature_key,
    known_digest,
    load,
    remember_digest,
    store,
)
from vsseval.files import without_folders
from vsseval.generate import ClipKey
from vsseval.preparations import prepare
from vsseval.progress import Progress, silent
from vsseval.types import (
    Audio,
    AudioEncoder,
    FaceEncoder,
    Features,
    PairEncoder,
    TextEncoder,
    VideoEncoder,
)
from vsseval.video import read_video
from vsseval.weights import command
from vsseval.workers import Workers

NONSPEECH = {"generated_nonspeech": "generated", "reference_nonspeech": "reference"}
"""Sources that are heard with the speech erased, and what they are without that."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What an encoder is to look at: a file, or a text."""

    key: ClipKey
    path: Path | None
    """None if there is none; ``reason`` says why."""
    duration: float | None
    """Length to cut or pad to [s]; None keeps the file's own."""
    reason: str = ""
    text: str | None = None
    """In place of a file."""
    face_box: tuple[int, int, int, int] | None = None
    """Face in the video, for the encoders that use it."""
    erased: tuple[tuple[float, float], ...] = ()
    """Intervals of speech to erase before anything hears the sound [s]."""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """What one encoder says of one source."""

    source: str
    """``generated``, ``reference``, ``speaker``, ``video``, ``caption`` or ``heard``, or one of
    :data:`NONSPEECH`."""
    encoder: str
    signature: str
    """The encoder's signature; that of a pair encoder holds those of its parts."""
    hearing: tuple[str, ...]
    """Preparation and rate of what is heard, such as ``soxr-mean:16000``; empty for pictures."""
    rows: Mapping[ClipKey, Features]
    """Read from the cache as they are asked for."""
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


@dataclass(slots=True)
class _Found:
    """Key of the features of one clip, by encoder, or why there are none."""

    keys: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    passes: int = 0


_FoundBySource = dict[str, dict[ClipKey, _Found]]


def encode(
    needs: Iterable[tuple[str, str]],
    clips: Mapping[str, Sequence[Clip]],
    cache: Path,
    *,
    device: str = "cpu",
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Encoded:
    """Features of every clip; a network is loaded only if something is not cached.

    Args:
        needs: (source, encoder id) pairs.
        clips: By source.
        cache: Root of the cache.
        device: ``cpu`` or ``cuda``.
        workers: Processes; on ``cuda`` they run the encoders that are no networks.
        progress: Where steps are shown.

    Raises:
        OSError: the disk is full or cannot be written; what was encoded before is kept.
    """
    needs = sorted(set(needs))
    pairs = [(source, encoder) for source, encoder in needs if table.ENCODERS[encoder].joins]
    single = {need for need in needs if need not in pairs}
    for source, encoder in pairs:
        single.update(_parts(source, encoder))
    signatures, lacking = _signatures({encoder for _, encoder in (*single, *pairs)}, device)
    usable = [need for need in single if need[1] in signatures]
    bench = _Bench(signatures, cache, device)
    found = _encode_clips(usable, clips, bench, workers or Workers(), progress)
    ready = [
        (source, encoder)
        for source, encoder in pairs
        if all(part in signatures for part in (encoder, *_part_encoders(encoder)))
    ]
    _encode_pairs(ready, clips, found, bench, progress)
    tables = {
        (source, encoder): _table(source, encoder, clips[source], found[source], bench)
        if (source, encoder) in usable or (source, encoder) in ready
        else _table_without_weights(source, encoder, clips[source], signatures)
        for source, encoder in needs
    }
    networks = [one for one in tables.values() if table.ENCODERS[one.encoder].network]
    passes = sum(one.passes for of in found.values() for one in of.values())
    return Encoded(tables, passes, sum(len(one.rows) for one in networks), lacking)


@dataclass(frozen=True, slots=True)
class _Bench:
    """What it takes to encode a clip in this process or another."""

    signatures: Mapping[str, str]
    cache: Path
    device: str

    def through(
        self,
        encoder: str,
        content: str,
        preparation: str,
        call: Callable[[], Features],
        to: _Found,
    ) -> None:
        """Find the features, or make them by ``call``."""
        key = feature_key(self.signatures[encoder], content, preparation)
        file = feature_file(self.cache, encoder, key)
        features = load(file)
        if features is None:
            to.passes += table.ENCODERS[encoder].network
            try:
                features = call()
            except InputError as error:
                features = {REFUSED: np.array(without_folders(str(error)))}
            except (ValueError, RuntimeError, MemoryError) as error:
                # Such as a lack of memory: not stored, and tried again by the next run.
                to.reasons[encoder] = f"{type(error).__name__}: {without_folders(str(error))}"
                return
            store(file, features)
        if REFUSED in features:
            to.reasons[encoder] = str(features[REFUSED])
        else:
            to.keys[encoder] = key


class _Sound:
    """A clip's audio: decoded once, each preparation made once."""

    def __init__(self, clip: Clip, path: Path, cache: Path) -> None:
        self.path, self.duration, self.cache = path, clip.duration, cache
        self.erased = clip.erased
        self.file = remembered_digest(path, cache)
        self._samples: dict[tuple[str, int], NDArray[np.float32]] = {}

    @cached_property
    def audio(self) -> Audio:
        return without_speech(read_audio(self.path), self.erased)

    def samples(self, row: EncoderRow) -> NDArray[np.float32]:
        """What the encoder of the row hears."""
        at = (row.preparation, row.sample_rate or 0)
        if at not in self._samples:
            self._samples[at] = prepare(self.audio, at[1], self.duration, row.preparation)
        return self._samples[at]

    def content(self, row: EncoderRow) -> str:
        """sha256 of :meth:`samples`, remembered from before where it can be."""
        # Cut before the other steps: digests of files that were cut after them are not these.
        whole = f"{_hearing(row)}:cut:{self.duration}"
        if self.erased:
            whole += f":without:{SPEECH_MARGIN}:{self.erased}"
        digest = known_digest(self.cache, self.file, whole)
        if digest is None:
            samples = self.samples(row)
            digest = audio_digest(Audio(samples[np.newaxis], row.sample_rate or 0))
            remember_digest(self.cache, self.file, whole, digest)
        return digest


class _Pictures:
    """A clip's video: decoded once."""

    def __init__(self, path: Path, duration: float | None, cache: Path) -> None:
        self.path, self.duration = path, duration
        self.file = remembered_digest(path, cache)

    @cached_property
    def frames(self) -> tuple[NDArray[np.uint8], float]:
        video = read_video(self.path)
        if self.duration is None:
            return video.frames, video.fps
        return video.frames[: max(1, round(self.duration * video.fps))], video.fps


def _encode_clip(clip: Clip, encoders: Sequence[str], bench: _Bench) -> _Found:
    """One clip through some encoders."""
    found = _Found()
    try:
        if clip.text is not None:
            _read_text(clip.text, encoders, bench, found)
        elif clip.path is None:
            raise InputError(clip.reason)
        elif not clip.path.is_file():
            raise InputError(f"file missing: {clip.path.name}")
        elif table.ENCODERS[encoders[0]].kind == "video":
            _watch(clip, clip.path, encoders, bench, found)
        else:
            _listen(clip, clip.path, encoders, bench, found)
    except InputError as error:
        for encoder in encoders:
            if encoder not in found.keys:
                found.reasons[encoder] = without_folders(str(error))
    return found


def _listen(clip: Clip, path: Path, encoders: Sequence[str], bench: _Bench, found: _Found) -> None:
    sound = _Sound(clip, path, bench.cache)
    for encoder in encoders:
        row = table.ENCODERS[encoder]

        def heard(encoder: str = encoder, row: EncoderRow = row) -> Features:
            return cast(AudioEncoder, _loaded(encoder, bench.device))(sound.samples(row))

        bench.through(encoder, sound.content(row), _hearing(row), heard, found)


def _watch(clip: Clip, path: Path, encoders: Sequence[str], bench: _Bench, found: _Found) -> None:
    pictures = _Pictures(path, clip.duration, bench.cache)
    for encoder in encoders:
        boxed = table.ENCODERS[encoder].uses_face_box
        preparation = f"frames:{clip.duration}" + (f":{clip.face_box}" if boxed else "")

        def seen(encoder: str = encoder, boxed: bool = boxed) -> Features:
            loaded = _loaded(encoder, bench.device)
            if boxed:
                return cast(FaceEncoder, loaded)(*pictures.frames, face_box=clip.face_box)
            return cast(VideoEncoder, loaded)(*pictures.frames)

        bench.through(encoder, pictures.file, preparation, seen, found)


def _read_text(text: str, encoders: Sequence[str], bench: _Bench, found: _Found) -> None:
    content = hashlib.sha256(text.encode()).hexdigest()
    for encoder in encoders:

        def read(encoder: str = encoder) -> Features:
            return cast(TextEncoder, _loaded(encoder, bench.device))(text)

        bench.through(encoder, content, "text", read, found)


def _encode_clips(
    needs: Iterable[tuple[str, str]],
    clips: Mapping[str, Sequence[Clip]],
    bench: _Bench,
    workers: Workers,
    progress: Progress,
) -> _FoundBySource:
    """Every clip of every source through its encoders."""
    order = list(table.ENCODERS)
    by_source: dict[str, list[str]] = {source: [] for source in clips}
    for source, encoder in sorted(needs, key=lambda need: order.index(need[1])):
        by_source[source].append(encoder)
    found: _FoundBySource = {source: {c.key: _Found() for c in clips[source]} for source in clips}
    jobs = [(s, clip, names) for s, names in by_source.items() if names for clip in clips[s]]
    spread = [(clip, _spread(names, bench.device), bench) for _, clip, names in jobs]
    with progress("encode", len(jobs)) as advance:
        for at, done in workers.run(_encode_job, spread):
            source, clip, names = jobs[at]
            rest = [name for name in names if name not in spread[at][1]]
            if rest:
                here = _encode_clip(clip, rest, bench)
                done = _Found(
                    done.keys | here.keys, done.reasons | here.reasons, done.passes + here.passes
                )
            found[source][clip.key] = done
            advance()
    return found


def _spread(encoders: Sequence[str], device: str) -> list[str]:
    """The encoders that run in processes: on a GPU, the one network is here."""
    return [name for name in encoders if device == "cpu" or not table.ENCODERS[name].network]


def _encode_pairs(
    pairs: Sequence[tuple[str, str]],
    clips: Mapping[str, Sequence[Clip]],
    found: _FoundBySource,
    bench: _Bench,
    progress: Progress,
) -> None:
    """What the pair encoders make of features that are cached by now; added to ``found``."""
    jobs = [(source, encoder, clip) for source, encoder in pairs for clip in clips[source]]
    if not jobs:
        return
    with progress("encode pairs", len(jobs)) as advance:
        for source, encoder, clip in jobs:
            mine = found[source][clip.key]
            parts = []
            for (of, part), join in zip(
                _parts(source, encoder), table.ENCODERS[encoder].joins, strict=True
            ):
                at = found[of][clip.key if of == source else (clip.key[0], 0)]
                key = at.keys.get(part, "")
                features = load(feature_file(bench.cache, part, key)) if key else None
                if features is None:
                    reason = at.reasons.get(part, "its features were removed from the cache")
                    mine.reasons.setdefault(encoder, f"{of}: {reason}" if of != source else reason)
                    break
                parts.append((key, features[join.rpartition(".")[2]]))
            else:

                def joined(
                    encoder: str = encoder, parts: Sequence[_Part] = tuple(parts)
                ) -> Features:
                    loaded = cast(PairEncoder, _loaded(encoder, bench.device))
                    return loaded(*(array for _, array in parts))

                content = "+".join(key for key, _ in parts)
                bench.through(encoder, content, "pair", joined, mine)
            advance()


_Part = tuple[str, NDArray[np.generic]]


def _parts(source: str, encoder: str) -> list[tuple[str, str]]:
    """(source, encoder) of what a pair encoder joins, for one of its sources."""
    heads = [join.rpartition(".")[0].partition(":") for join in table.ENCODERS[encoder].joins]
    return [(source if of == "own" else of, part) for of, _, part in heads]


def _part_encoders(encoder: str) -> list[str]:
    return [part for _, part in _parts("own", encoder)]


def _signatures(encoders: Iterable[str], device: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Signature of every encoder whose weights are in the store, and messages for the others."""
    signatures: dict[str, str] = {}
    lacking: dict[str, None] = {}
    for encoder in sorted(encoders):
        try:
            signatures[encoder] = table.signature(encoder, device)
        except MissingWeightsError as error:
            lacking[str(error)] = None
    return signatures, tuple(lacking)


def _hearing(row: EncoderRow) -> str:
    return f"{row.preparation}:{row.sample_rate}"


def _table(
    source: str,
    encoder: str,
    clips: Sequence[Clip],
    found: Mapping[ClipKey, _Found],
    bench: _Bench,
) -> FeatureTable:
    here = {clip.key: found[clip.key] for clip in clips}
    keys = {at: mine.keys[encoder] for at, mine in here.items() if encoder in mine.keys}
    missing = {at: mine.reasons[encoder] for at, mine in here.items() if encoder not in mine.keys}
    signature = _whole_signature(encoder, bench.signatures)
    rows = CachedRows(bench.cache, encoder, keys)
    return FeatureTable(source, encoder, signature, _heard(source, encoder), rows, missing)


def _whole_signature(encoder: str, signatures: Mapping[str, str]) -> str:
    return "+".join(signatures[one] for one in (encoder, *_part_encoders(encoder)))


def _heard(source: str, encoder: str) -> tuple[str, ...]:
    rows = [table.ENCODERS[one] for one in (encoder, *_part_encoders(encoder))]
    before = f"without-speech:{SPEECH_MARGIN:g};" if source in NONSPEECH else ""
    return tuple(dict.fromkeys(before + _hearing(row) for row in rows if row.kind == "audio"))


def _table_without_weights(
    source: str, encoder: str, clips: Sequence[Clip], signatures: Mapping[str, str]
) -> FeatureTable:
    lacking = [one for one in (encoder, *_part_encoders(encoder)) if one not in signatures]
    parts = dict.fromkeys(part for one in lacking for part in table.ENCODERS[one].weights)
    reason = f"weights missing: {'; '.join(command(part) for part in parts)}"
    absent = {clip.key: reason for clip in clips}
    return FeatureTable(source, encoder, f"{encoder}:missing", _heard(source, encoder), {}, absent)


def _encode_job(job: tuple[Clip, Sequence[str], _Bench]) -> _Found:
    clip, encoders, bench = job
    return _encode_clip(clip, encoders, bench) if encoders else _Found()


@remember
def _loaded(encoder: str, device: str) -> object:
    return table.load_encoder(encoder, device)
