"""tests/reports/boards.py, which is no package, as a fixture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def boards() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "report_boards", Path(__file__).with_name("boards.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
