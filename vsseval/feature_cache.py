"""The cache of features, addressed by content.

    features are in      <cache>/features/<encoder>/<2 hex>/<key>.npz
        key              sha256(encoder signature | content digest | preparation)
    content digest       sha256 of the prepared samples; of a video's file; of a text
    digests are in       <cache>/prepared/<2 hex>/<sha256(file digest | preparation)>
                         so that a file that was prepared before need not be decoded to be found

The same sound is never encoded twice, whatever file it came from. Files appear by a rename, so that
two processes may share a cache.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from vsseval.errors import InputError
from vsseval.files import unless_read_only, write_atomic
from vsseval.generate import ClipKey
from vsseval.types import Features

REFUSED = "refused"
"""Output name under which the reason is cached when an encoder raises ``InputError``."""


_DAMAGED = (NotImplementedError, RuntimeError, zlib.error, struct.error)
"""What ``zipfile`` raises beside ``BadZipFile`` when it takes damaged bytes for what it knows."""
_END_OF_ZIP, _COUNT = 22, slice(10, 12)
"""Bytes of the last record of an archive, and where it states the number of members."""


def feature_key(signature: str, content: str, preparation: str) -> str:
    """sha256 over encoder signature, content digest and preparation."""
    return hashlib.sha256("|".join((signature, content, preparation)).encode()).hexdigest()


def feature_file(cache: Path, encoder: str, key: str) -> Path:
    """Where the features of a key are, or will be."""
    return cache / "features" / encoder / key[:2] / f"{key}.npz"


def store(file: Path, features: Features) -> None:
    """Write features; 0-d strings are kept as such.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    content = io.BytesIO()
    arrays = {name: np.asarray(value) for name, value in features.items()}
    np.savez(content, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    write_atomic(file, content.getvalue())


def load(file: Path) -> Features | None:
    """The stored features; None if there are none, or if the file is damaged."""
    try:
        # Through memory: numpy leaves a damaged file open.
        content = file.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            features = {name: stored[name] for name in stored.files}
    except (FileNotFoundError, EOFError, ValueError, KeyError, zipfile.BadZipFile, *_DAMAGED):
        return None
    # An archive whose list of members is damaged opens without some of them.
    stated = int.from_bytes(content[-_END_OF_ZIP:][_COUNT], "little")
    return features if features and len(features) == stated else None


class CachedRows(Mapping[ClipKey, Features]):
    """Features by clip, each read when it is asked for: a table takes no memory but its keys.

    The last row stays, because metrics ask for it one after the other.
    """

    def __init__(self, cache: Path, encoder: str, keys: Mapping[ClipKey, str]) -> None:
        """Rows of ``encoder`` whose files have these keys."""
        self._cache, self._encoder, self._keys = cache, encoder, keys
        self._last: tuple[ClipKey, Features] | None = None

    def __getitem__(self, clip: ClipKey) -> Features:
        """The features of a clip.

        Raises:
            KeyError: no such clip.
            InputError: its file is gone or damaged since it was found.
        """
        if self._last is None or self._last[0] != clip:
            features = load(feature_file(self._cache, self._encoder, self._keys[clip]))
            if features is None:
                raise InputError("its features were removed from the cache")
            self._last = (clip, features)
        return self._last[1]

    def __contains__(self, clip: object) -> bool:
        return clip in self._keys

    def __iter__(self) -> Iterator[ClipKey]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def known_digest(cache: Path, file_digest: str, preparation: str) -> str | None:
    """Content digest that a file had when it was prepared before, or None."""
    try:
        text = _digest_file(cache, file_digest, preparation).read_text(encoding="ascii")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return text if len(text) == 64 else None


def remember_digest(cache: Path, file_digest: str, preparation: str, content: str) -> None:
    """Keep the content digest of a prepared file, where the cache may be written.

    Raises:
        OSError: the disk is full or fails.
    """
    with unless_read_only():
        write_atomic(_digest_file(cache, file_digest, preparation), content.encode("ascii"))


def _digest_file(cache: Path, file_digest: str, preparation: str) -> Path:
    name = hashlib.sha256(f"{file_digest}|{preparation}".encode()).hexdigest()
    return cache / "prepared" / name[:2] / name
