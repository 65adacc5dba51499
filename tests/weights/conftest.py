"""The made-up file right and wrong, and no mirror."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_parts import CONTENT

from vsseval.weights_table import LocalPath


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VSSEVAL_WEIGHTS_FROM", raising=False)


@pytest.fixture
def good(tmp_path: Path) -> LocalPath:
    path = tmp_path / "good.bin"
    path.write_bytes(CONTENT)
    return LocalPath(str(path))


@pytest.fixture
def bad(tmp_path: Path) -> LocalPath:
    path = tmp_path / "bad.bin"
    path.write_bytes(CONTENT[:-1] + b"!")
    return LocalPath(str(path))
