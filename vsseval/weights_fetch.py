"""Getting one file from one source: pip, the model hub, a URL with resume, or this machine.

Every function writes bytes to a path that nobody reads yet; hashing and publishing are the store's
work (:mod:`vsseval.weights`).
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import IO

from vsseval.errors import VssevalError
from vsseval.weights_table import HubFile, Joined, LocalPath, Source, Url, WheelFile

_CHUNK = 1 << 20
_TIMEOUT_SECONDS = 30.0
_UNKNOWN_SIZE = 1 << 50


class SourceError(VssevalError):
    """One source did not give the file; the message says why, and the next source is tried."""


def describe(source: Source) -> str:
    """One line that names a source, such as ``pip package aisfx 0.1.2: aisfx/models/a.pth``."""
    match source:
        case WheelFile(package, version, member):
            return f"pip package {package} {version}: {member}"
        case HubFile(repo, revision, path):
            return f"hub {repo} at {revision[:8]}: {path}"
        case Url(url):
            return url
        case LocalPath(path):
            return f"file {path}"
        case Joined(pieces):
            return " + ".join(describe(piece) for piece in pieces)


class Fetcher:
    """Fetches files into one scratch folder; a wheel that serves several files is downloaded once.

    Args:
        scratch: a folder that no other process uses; half downloads stay in it for the next
            attempt.
        report: called with the number of bytes of the current file that are there.
    """

    def __init__(self, scratch: Path, report: Callable[[int], None]) -> None:
        self._scratch = scratch
        self._report = report
        self._wheels: dict[tuple[str, str], Path | SourceError] = {}

    def fetch(self, source: Source, target: Path, size: int | None) -> None:
        """Write the bytes of ``source`` to ``target``, at most ``size`` + 1 of them if it is known.

        Raises:
            SourceError: the source cannot be reached, does not hold the file, or broke off.
        """
        with target.open("wb") as out:
            self._append(source, out, _UNKNOWN_SIZE if size is None else size)

    def close(self) -> None:
        """Delete the wheels; half downloads of URLs stay."""
        for folder in self._scratch.glob("wheel-*"):
            shutil.rmtree(folder)

    def _append(self, source: Source, out: IO[bytes], size: int) -> None:
        match source:
            case Joined(pieces):
                for piece in pieces:
                    self._append(piece, out, size)
            case WheelFile(package, version, member):
                self._append_member(self._wheel(package, version), member, out, size)
            case HubFile():
                self._append_path(_hub_file(source), out, size)
            case Url(url):
                part = self._download(url, size)
                self._append_path(part, out, size)
                part.unlink()
            case LocalPath(path):
                self._append_path(Path(path), out, size)

    def _append_path(self, path: Path, out: IO[bytes], size: int) -> None:
        if not path.is_file():
            raise SourceError("no such file")
        with path.open("rb") as stream:
            self._copy(stream, out, size)

    def _append_member(self, wheel: Path, member: str, out: IO[bytes], size: int) -> None:
        # The member is read as a stream: names inside the archive never become paths on this
        # machine.
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
                self._copy(stream, out, size)
        except (KeyError, zipfile.BadZipFile) as error:
            raise SourceError(f"{wheel.name} does not hold {member}: {error}") from error

    def _copy(self, stream: IO[bytes], out: IO[bytes], size: int) -> None:
        while out.tell() <= size and (chunk := stream.read(min(_CHUNK, size + 1 - out.tell()))):
            out.write(chunk)
            self._report(out.tell())

    def _wheel(self, package: str, version: str) -> Path:
        key = (package, version)
        if key not in self._wheels:
            try:
                self._wheels[key] = _pip_download(package, version, self._scratch)
            except SourceError as error:
                self._wheels[key] = error
        found = self._wheels[key]
        if isinstance(found, SourceError):
            raise found
        return found

    def _download(self, url: str, size: int) -> Path:
        """The complete download of ``url``, resumed from what an earlier attempt left."""
        part = self._scratch / f"{sha256(url.encode()).hexdigest()[:16]}.part"
        have = part.stat().st_size if part.exists() else 0
        if have > size or size == _UNKNOWN_SIZE:  # whether that was all of it cannot be told
            part.unlink(missing_ok=True)
            have = 0
        if have == size:
            return part
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
                resumed = have > 0 and _resumes_at(response.headers.get("Content-Range"), have)
                with part.open("ab" if resumed else "wb") as out:
                    self._copy(response, out, size)
                if size == _UNKNOWN_SIZE:
                    size = int(response.headers.get("Content-Length", 0))
        except urllib.error.HTTPError as error:
            error.close()
            raise SourceError(f"HTTP status {error.code} {error.reason}") from error
        except (
            urllib.error.URLError,
            http.client.HTTPException,
            ConnectionError,
            TimeoutError,
        ) as error:
            raise SourceError(f"cannot be reached: {error}") from error
        got = part.stat().st_size
        if got < size:
            raise SourceError(f"broke off after {got} of {size} bytes; run again to resume")
        return part


def _resumes_at(content_range: str | None, start: int) -> bool:
    """Whether a response continues at ``start``; a server without ranges sends it all instead."""
    return content_range is not None and content_range.startswith(f"bytes {start}-")


def _pip_download(package: str, version: str, scratch: Path) -> Path:
    # Wheels only: a source distribution would run its setup code here.
    folder = scratch / f"wheel-{package}-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder)]
    command.append(f"{package}=={version}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = [line for line in done.stderr.splitlines() if line and "WARNING" not in line]
        raise SourceError(
            f"`{' '.join(command[:4])} {command[-1]}` ended with status {done.returncode}: "
            + " / ".join(lines[-2:])
        )
    return wheels[0]


def _hub_file(source: HubFile) -> Path:
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError

    try:
        path = huggingface_hub.hf_hub_download(
            source.repo, source.path, revision=source.revision, etag_timeout=_TIMEOUT_SECONDS
        )
    except (OSError, EntryNotFoundError, ValueError) as error:
        offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SourceError(f"the hub did not give it{offline}: {first_line}") from error
    return Path(path)
