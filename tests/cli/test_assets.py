"""What is brought in or made: weights and the demo data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def test_weights_verify_of_an_empty_store_is_status_2(
    vsseval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no-weights"))
    result = vsseval("weights", "verify", "ge2e")
    assert result.exit_code == 2
    assert "missing" in result.stdout
    assert "run `vsseval weights pull ge2e`" in result.stderr


def test_weights_pull_shows_states(vsseval, tmp_path: Path, monkeypatch) -> None:
    from vsseval.weights import PartState

    def pulled(names: tuple[str, ...], *, progress: Callable[[str, int, int], None]) -> tuple:
        progress("ge2e/weights", 5, 10)
        return tuple(PartState(name, tmp_path / name, "ok", (), 10) for name in names)

    monkeypatch.setattr("vsseval.weights.pull", pulled)
    result = vsseval("weights", "pull", "ge2e")
    assert result.exit_code == 0
    assert result.stdout.split() == ["ok", "ge2e", str(tmp_path / "ge2e")]


def test_weights_list_names_licence_and_use(vsseval) -> None:
    result = vsseval("weights", "list")
    assert "aisfx" in result.stdout
    assert "CC BY 4.0" in result.stdout


def test_data_demo_passes_its_options_on(vsseval, tmp_path: Path, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(
        "vsseval.benchmarks.demo.generate_demo", lambda *words, **more: calls.append((words, more))
    )
    words = ["--split", "train", "--out", tmp_path / "d", "--count", 7, "--workers", 3]
    assert vsseval("data", "demo", *words).exit_code == 0
    ((where, options),) = calls
    assert where == ("train", tmp_path / "d")
    assert (options["count"], options["workers"]) == (7, 3)
