"""Test sounds and reference values for the encoders."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def signals() -> ModuleType:
    """tests/encoders/signals.py, which is no package (the recipe imports it by path, too)."""
    spec = importlib.util.spec_from_file_location("encoder_signals", HERE / "signals.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def reference() -> Callable[[str, str], dict]:
    """``reference("ge2e", "hits")``: one case of tests/reference/encoders_ge2e.json."""

    def case(name: str, case: str) -> dict:
        text = (HERE.parent / "reference" / f"encoders_{name}.json").read_text()
        return json.loads(text)["cases"][case]

    return case
