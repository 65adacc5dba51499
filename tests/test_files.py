"""Files appear whole, name what a full disk keeps from them; tensors give the same bytes again."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from vsseval.files import text_lines, write_safetensors, write_torch, written_whole

TENSORS = {
    "b": torch.arange(6.0).reshape(2, 3),
    "a": torch.arange(5, dtype=torch.float16),
    "counter": torch.tensor(3),
}
METADATA = {name: f'{{"{name}": "é\\n\\u007f"}}' for name in "hgfedcba"}


def test_metadata_stand_in_order_whatever_the_library_does(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.safetensors"
    saved, unordered = set(), set()
    for _ in range(5):
        write_safetensors(path, TENSORS, METADATA)
        saved.add(path.read_bytes())
        save_file(TENSORS, path, metadata=METADATA)
        unordered.add(path.read_bytes())
    assert len(saved) == 1
    # The flaw that this mends: five orders of eight names are not one by chance.
    assert len(unordered) > 1
    assert {len(content) for content in unordered} == {len(content) for content in saved}


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys, torch, pathlib; from vsseval.files import text_lines, write_safetensors\n"
        "names = {*'abcdefgh'}  # in an order that the seed decides\n"
        "write_safetensors(pathlib.Path(sys.argv[1]), {name: torch.ones(2) for name in names},"
        " {name: name for name in names})"
    )
    contents = []
    for seed in ("1", "2"):
        path = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("metadata", [None, METADATA], ids=["bare", "with metadata"])
def test_tensors_and_metadata_are_read_back(
    metadata: dict[str, str] | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, TENSORS, metadata)
    with safe_open(path, "pt") as file:
        assert file.metadata() == metadata
    found = load_file(path)
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)


def test_file_is_readable_by_everybody(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a.safetensors", TENSORS)
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o644


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_safetensors(path, TENSORS)
    with pytest.raises(RuntimeError, match="share memory"):
        write_safetensors(path, {"a": TENSORS["b"], "b": TENSORS["b"]})
    assert list(tmp_path.iterdir()) == [path]
    assert load_file(path).keys() == TENSORS.keys()


def test_failed_write_of_torch_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "codec.weights.pt"
    write_torch(path, {"a": TENSORS["a"]})
    with pytest.raises(AttributeError):
        write_torch(path, {"a": TENSORS["b"], "b": lambda: None})
    assert list(tmp_path.iterdir()) == [path]
    assert torch.load(path, weights_only=True)["a"].tolist() == TENSORS["a"].tolist()


def test_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with written_whole(path) as partial:
        partial.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    for error in (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            _break_off(path, error)
        assert path.read_text() == "one"
        assert list(path.parent.iterdir()) == [path]
        if isinstance(error, OSError):
            assert str(caught.value) == f"[Errno {errno.ENOSPC}] No space left on device: '{path}'"


def _break_off(path: Path, error: BaseException) -> None:
    with written_whole(path) as partial:
        partial.write_text("half")
        raise error


def test_name_of_a_file_is_not_in_it(tmp_path: Path) -> None:
    for name in ("a.pt", "b.ckpt"):
        write_torch(tmp_path / name, TENSORS)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()


@pytest.mark.parametrize("room", [0, 200_000])
def test_full_disk_is_an_oserror_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    class Full(io.BytesIO):
        def write(self, content: bytes) -> int:
            if self.tell() + len(content) > room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(content)

    path = tmp_path / "a.pt"
    write_torch(path, TENSORS)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *_: Full())
        with pytest.raises(OSError, match=rf"No space left on device: '{path}'") as caught:
            write_torch(path, {"a": torch.zeros(100_000)})
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_another_file_that_fails_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"), written_whole(tmp_path / "a"):
        (tmp_path / "absent").read_bytes()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\n\nb\n", ["a", "", "b"]),
        ("a\u2028b", ["a\u2028b"]),
    ],
)
def test_lines_end_at_newlines_alone(text: str, lines: list[str]) -> None:
    assert text_lines(text) == lines
