"""One clip through its encoders, and through the cache of ``feature_cache``.

A clip is decoded once, and only if something about it is not cached; each preparation of its sound
is made once and handed to every encoder that hears it. A network is loaded at its first clip. A
clip that an encoder refuses is missing, with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
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
from vsseval.errors import InputError
from vsseval.feature_cache import (
    REFUSED,
    feature_file,
    feature_key,
    known_digest,
    load,
    remember_digest,
    store,
)
from vsseval.files import without_folders
from vsseval.preparations import prepare
from vsseval.sources import Clip
from vsseval.types import Audio, AudioEncoder, FaceEncoder, Features, TextEncoder, VideoEncoder
from vsseval.video import read_video


@dataclass(slots=True)
class Found:
    """Key of the features of one clip, by encoder, or why there are none."""

    keys: dict[str, str] = field(default_factory=dict)
    """In the cache, by encoder."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why an encoder says nothing, by encoder."""
    passes: int = 0
    """How often it went through a network in this call."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What it takes to encode a clip in this process or another."""

    signatures: Mapping[str, str]
    """By encoder."""
    cache: Path
    """Root of the cache."""
    device: str
    """``cpu`` or ``cuda``."""

    def through(
        self,
        encoder: str,
        content: str,
        preparation: str,
        call: Callable[[], Features],
        to: Found,
    ) -> None:
        """Find the features, or make them by ``call``; :class:`InputError` is a refusal, and kept.

        Args:
            encoder: Its id.
            content: Digest of what goes in.
            preparation: What was done to it before.
            call: The encoder on it.
            to: Where key or reason are noted.
        """
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
        whole = f"{hearing(row)}:cut:{self.duration}"
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


def encode_clip(clip: Clip, encoders: Sequence[str], setup: Setup) -> Found:
    """One clip through some encoders."""
    found = Found()
    try:
        if clip.text is not None:
            _read_text(clip.text, encoders, setup, found)
        elif clip.path is None:
            raise InputError(clip.reason)
        elif not clip.path.is_file():
            raise InputError(f"file missing: {clip.path.name}")
        elif table.ENCODERS[encoders[0]].kind == "video":
            _watch(clip, clip.path, encoders, setup, found)
        else:
            _listen(clip, clip.path, encoders, setup, found)
    except InputError as error:
        for encoder in encoders:
            if encoder not in found.keys:
                found.reasons[encoder] = without_folders(str(error))
    return found


def _listen(clip: Clip, path: Path, encoders: Sequence[str], setup: Setup, found: Found) -> None:
    sound = _Sound(clip, path, setup.cache)
    for encoder in encoders:
        row = table.ENCODERS[encoder]

        def heard(encoder: str = encoder, row: EncoderRow = row) -> Features:
            return cast(AudioEncoder, loaded_encoder(encoder, setup.device))(sound.samples(row))

        setup.through(encoder, sound.content(row), hearing(row), heard, found)


def _watch(clip: Clip, path: Path, encoders: Sequence[str], setup: Setup, found: Found) -> None:
    pictures = _Pictures(path, clip.duration, setup.cache)
    for encoder in encoders:
        boxed = table.ENCODERS[encoder].uses_face_box
        preparation = f"frames:{clip.duration}" + (f":{clip.face_box}" if boxed else "")

        def seen(encoder: str = encoder, boxed: bool = boxed) -> Features:
            loaded = loaded_encoder(encoder, setup.device)
            if boxed:
                return cast(FaceEncoder, loaded)(*pictures.frames, face_box=clip.face_box)
            return cast(VideoEncoder, loaded)(*pictures.frames)

        setup.through(encoder, pictures.file, preparation, seen, found)


def _read_text(text: str, encoders: Sequence[str], setup: Setup, found: Found) -> None:
    content = hashlib.sha256(text.encode()).hexdigest()
    for encoder in encoders:

        def read(encoder: str = encoder) -> Features:
            return cast(TextEncoder, loaded_encoder(encoder, setup.device))(text)

        setup.through(encoder, content, "text", read, found)


def hearing(row: EncoderRow) -> str:
    """Preparation and rate of what an audio encoder hears, such as ``soxr-mean:16000``."""
    return f"{row.preparation}:{row.sample_rate}"


@remember
def loaded_encoder(encoder: str, device: str) -> object:
    """The encoder, which stays loaded in this process."""
    return table.load_encoder(encoder, device)
