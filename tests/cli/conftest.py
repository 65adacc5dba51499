"""The command line in an empty folder, and a run on the toy benchmark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vsseval.cli import main


@pytest.fixture
def vsseval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def toy_run(vsseval, toy: Path) -> Callable[..., Result]:
    return lambda model, *words: vsseval(
        *("run", "--model", model, "--bench", "toy", "--data", toy, "--workers", 1), *words
    )
