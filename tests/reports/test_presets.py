"""Column sets of papers hold metrics that there are."""

from __future__ import annotations

import pytest

from vsseval.metrics.patterns import chosen
from vsseval.metrics.table import METRICS
from vsseval.reports.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_pattern_of_a_preset_fits_a_metric(name: str) -> None:
    for pattern in PRESETS[name]:
        assert chosen([pattern], METRICS), pattern
