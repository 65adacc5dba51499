"""Second stage: what the encoders say of each clip of a run, as tables that scores are read from.

A pair encoder reads what two other encoders say of a clip (Synchformer's head: video and audio), so
the video of a benchmark goes through its large network once, however many systems are scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import SPEECH_MARGIN
from vsseval.clip_features import Found, Setup, encode_clip, hearing, loaded_encoder
from vsseval.encoders import table
from vsseval.errors import MissingWeightsError
from vsseval.feature_cache import CachedRows, feature_file, load
from vsseval.generate import ClipKey
from vsseval.progress import Progress, silent
from vsseval.sources import NONSPEECH, Clip
from vsseval.types import Features, PairEncoder
from vsseval.weights import command
from vsseval.workers import Workers


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


_FoundBySource = dict[str, dict[ClipKey, Found]]


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
    setup = Setup(signatures, cache, device)
    found = _encode_clips(usable, clips, setup, workers or Workers(), progress)
    ready = [
        (source, encoder)
        for source, encoder in pairs
        if all(part in signatures for part in (encoder, *_part_encoders(encoder)))
    ]
    _encode_pairs(ready, clips, found, setup, progress)
    tables = {
        (source, encoder): _table(source, encoder, clips[source], found[source], setup)
        if (source, encoder) in usable or (source, encoder) in ready
        else _table_without_weights(source, encoder, clips[source], signatures)
        for source, encoder in needs
    }
    networks = [one for one in tables.values() if table.ENCODERS[one.encoder].network]
    passes = sum(one.passes for of in found.values() for one in of.values())
    return Encoded(tables, passes, sum(len(one.rows) for one in networks), lacking)


def _encode_clips(
    needs: Iterable[tuple[str, str]],
    clips: Mapping[str, Sequence[Clip]],
    setup: Setup,
    workers: Workers,
    progress: Progress,
) -> _FoundBySource:
    """Every clip of every source through its encoders."""
    order = list(table.ENCODERS)
    by_source: dict[str, list[str]] = {source: [] for source in clips}
    for source, encoder in sorted(needs, key=lambda need: order.index(need[1])):
        by_source[source].append(encoder)
    found: _FoundBySource = {source: {c.key: Found() for c in clips[source]} for source in clips}
    jobs = [(s, clip, names) for s, names in by_source.items() if names for clip in clips[s]]
    spread = [(clip, _spread(names, setup.device), setup) for _, clip, names in jobs]
    with progress("encode", len(jobs)) as advance:
        for at, done in workers.run(_encode_job, spread):
            source, clip, names = jobs[at]
            rest = [name for name in names if name not in spread[at][1]]
            if rest:
                here = encode_clip(clip, rest, setup)
                done = Found(
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
    setup: Setup,
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
                features = load(feature_file(setup.cache, part, key)) if key else None
                if features is None:
                    reason = at.reasons.get(part, "its features were removed from the cache")
                    mine.reasons.setdefault(encoder, f"{of}: {reason}" if of != source else reason)
                    break
                parts.append((key, features[join.rpartition(".")[2]]))
            else:

                def joined(
                    encoder: str = encoder, parts: Sequence[_Part] = tuple(parts)
                ) -> Features:
                    loaded = cast(PairEncoder, loaded_encoder(encoder, setup.device))
                    return loaded(*(array for _, array in parts))

                content = "+".join(key for key, _ in parts)
                setup.through(encoder, content, "pair", joined, mine)
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


def _table(
    source: str,
    encoder: str,
    clips: Sequence[Clip],
    found: Mapping[ClipKey, Found],
    setup: Setup,
) -> FeatureTable:
    here = {clip.key: found[clip.key] for clip in clips}
    keys = {at: mine.keys[encoder] for at, mine in here.items() if encoder in mine.keys}
    missing = {at: mine.reasons[encoder] for at, mine in here.items() if encoder not in mine.keys}
    signature = _whole_signature(encoder, setup.signatures)
    rows = CachedRows(setup.cache, encoder, keys)
    return FeatureTable(source, encoder, signature, _heard(source, encoder), rows, missing)


def _whole_signature(encoder: str, signatures: Mapping[str, str]) -> str:
    return "+".join(signatures[one] for one in (encoder, *_part_encoders(encoder)))


def _heard(source: str, encoder: str) -> tuple[str, ...]:
    rows = [table.ENCODERS[one] for one in (encoder, *_part_encoders(encoder))]
    before = f"without-speech:{SPEECH_MARGIN:g};" if source in NONSPEECH else ""
    return tuple(dict.fromkeys(before + hearing(row) for row in rows if row.kind == "audio"))


def _table_without_weights(
    source: str, encoder: str, clips: Sequence[Clip], signatures: Mapping[str, str]
) -> FeatureTable:
    lacking = [one for one in (encoder, *_part_encoders(encoder)) if one not in signatures]
    parts = dict.fromkeys(part for one in lacking for part in table.ENCODERS[one].weights)
    reason = f"weights missing: {'; '.join(command(part) for part in parts)}"
    absent = {clip.key: reason for clip in clips}
    return FeatureTable(source, encoder, f"{encoder}:missing", _heard(source, encoder), {}, absent)


def _encode_job(job: tuple[Clip, Sequence[str], Setup]) -> Found:
    clip, encoders, setup = job
    return encode_clip(clip, encoders, setup) if encoders else Found()
