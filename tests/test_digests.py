"""Digests that are remembered: only of settled files, and only while they are what they were."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vsseval import digests
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.digests import remembered_digest
from vsseval.errors import InputError
from vsseval.shards import Shard

ROOT = Path(__file__).parents[1]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were really hashed."""
    calls: list[Path] = []
    plain = digests.file_digest

    def counted(path: Path) -> str:
        calls.append(path)
        return plain(path)

    monkeypatch.setattr(digests, "file_digest", counted)
    return calls


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as settled at once, as if the clock were an hour ahead."""
    now = digests.time.time
    monkeypatch.setattr(digests.time, "time", lambda: now() + 3600)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"one")
    return tmp_path / "file"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.usefixtures("settled")
def test_settled_file_is_hashed_once(file: Path, tmp_path: Path, hashed: list[Path]) -> None:
    found = {remembered_digest(file, tmp_path / "cache") for _ in range(3)}
    assert found == {sha256(b"one")}
    assert hashed == [file]


def test_file_that_was_just_written_is_not_remembered(
    file: Path, tmp_path: Path, hashed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests.time, "time", lambda: file.stat().st_mtime + 1.9)
    for _ in range(2):
        remembered_digest(file, tmp_path / "cache")
    assert hashed == [file, file]
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("settled")
def test_change_that_keeps_size_and_time_is_seen(file: Path, tmp_path: Path) -> None:
    before = file.stat()
    remembered_digest(file, tmp_path / "cache")
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert remembered_digest(file, tmp_path / "cache") == sha256(b"two")


@pytest.mark.usefixtures("settled")
def test_damaged_note_is_made_again(file: Path, tmp_path: Path, hashed: list[Path]) -> None:
    cache = tmp_path / "cache"
    remembered_digest(file, cache)
    (note,) = [path for path in cache.rglob("*") if path.is_file()]
    whole = note.read_bytes()
    state, _, digest_and_name = whole.partition(sha256(b"one").encode())
    for content in (b"", b"\xff\xff", whole[:-1], state + b"0" * 63 + digest_and_name):
        note.write_bytes(content)
        digests._notes.cache_clear()
        assert remembered_digest(file, cache) == sha256(b"one")
    # A line that was broken off, and the next one whole behind it.
    digests._notes.cache_clear()
    hashed.clear()
    assert remembered_digest(file, cache) == sha256(b"one")
    assert hashed == []


@pytest.mark.usefixtures("settled")
def test_unexpected_note_is_not_believed(file: Path, tmp_path: Path, hashed: list[Path]) -> None:
    cache = tmp_path / "cache"
    remembered_digest(file, cache)
    (note,) = [path for path in cache.rglob("*") if path.is_file()]
    note.write_bytes(note.read_bytes().replace(sha256(b"one").encode(), b"ab" * 32))
    digests._notes.cache_clear()
    hashed.clear()
    assert remembered_digest(file, cache, sha256(b"one")) == sha256(b"one")
    assert hashed == [file]
    # And the note is mended.
    digests._notes.cache_clear()
    assert remembered_digest(file, cache, sha256(b"one")) == sha256(b"one")
    assert hashed == [file]
    assert remembered_digest(file, cache, "cd" * 32) == sha256(b"one")


@pytest.mark.usefixtures("settled")
def test_what_another_process_noted_is_not_hashed(
    file: Path, tmp_path: Path, hashed: list[Path]
) -> None:
    other = tmp_path / "a name with \u00e9"
    other.write_bytes(b"two")
    cache = tmp_path / "cache"
    assert remembered_digest(file, cache) == sha256(b"one")
    code = """
import sys, time
from pathlib import Path
from vsseval import digests
now = time.time
digests.time.time = lambda: now() + 3600
print(digests.remembered_digest(Path(sys.argv[1]), Path(sys.argv[2])))
"""
    words = [sys.executable, "-c", code, str(other), str(cache)]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    assert done.stdout.decode().strip() == sha256(b"two")
    assert remembered_digest(other, cache) == sha256(b"two")
    assert hashed == [file]
    assert len([path for path in cache.rglob("*") if path.is_file()]) == 1


def test_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        remembered_digest(tmp_path / "nothing", tmp_path / "cache")


@pytest.mark.usefixtures("settled")
def test_benchmark_is_hashed_once_and_its_digest_stays(
    toy: Path, tmp_path: Path, hashed: list[Path]
) -> None:
    first = read_benchmark(toy, cache=tmp_path / "cache").digest
    count = len(hashed)
    assert read_benchmark(toy, cache=tmp_path / "cache").digest == first
    assert read_benchmark(toy, cache=tmp_path / "cache", shard=Shard(2, 3)).digest == first
    # Each clip's audio and video; the audio that is another's voice is the same file.
    assert (count, len(hashed)) == (8, 8)
    assert read_benchmark(toy).digest == first


@pytest.mark.usefixtures("settled")
def test_shards_hash_their_own_media_first(toy: Path, tmp_path: Path, hashed: list[Path]) -> None:
    read_benchmark(toy, cache=tmp_path / "cache", shard=Shard(3, 4))
    assert [path.stem for path in hashed] == [*"ccddaabb"]
