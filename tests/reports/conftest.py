"""tests/reports/boards.py as a fixture."""

from __future__ import annotations

from types import ModuleType

import boards as made_up_boards
import pytest


@pytest.fixture(scope="session")
def boards() -> ModuleType:
    return made_up_boards
