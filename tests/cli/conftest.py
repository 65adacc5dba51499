"""A run on the toy benchmark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result


@pytest.fixture
def toy_run(vsseval, toy: Path) -> Callable[..., Result]:
    return lambda model, *words: vsseval(
        *("run", "--model", model, "--bench", "toy", "--data", toy, "--workers", 1), *words
    )
