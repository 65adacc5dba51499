"""What every metric of the table must keep: perfect value, symmetry, direction, degradation.

Each row of METRICS has one entry of CONTRACTS. The functions are called through the table, with
its parameters and its pooling rule, as a run calls them.
"""

from __future__ import annotations

import numpy as np
import pytest
from contracts import CONTRACTS, ORDER_MATTERS
from degradations import embeddings

from vsseval.metrics.pooling import pool
from vsseval.metrics.table import METRICS, metric, resolve
from vsseval.types import SetValue

LEVELS = (0, 1, 2, 3)
WITH_EXCHANGE = [name for name, contract in CONTRACTS.items() if contract.exchanged]
WITH_PERFECT = [name for name, contract in CONTRACTS.items() if contract.perfect is not None]


def value_of(metric_id, inputs):
    """Value of the metric; ``inputs`` holds for each input of the row a list over the clips."""
    row = metric(metric_id)
    compute = resolve(row.compute)
    params = {**row.params, **CONTRACTS[metric_id].params}
    if row.scope == "set":
        found = compute(*inputs, **params)
        return found.value if isinstance(found, SetValue) else found
    components = np.stack([compute(*clip, **params) for clip in zip(*inputs, strict=True)])
    assert components.dtype == np.float64
    return pool(components, row.pool)


def test_every_metric_has_a_contract():
    assert set(CONTRACTS) == set(METRICS)


def test_symmetry_is_stated_wherever_there_are_two_sides():
    for name, contract in CONTRACTS.items():
        assert (contract.symmetric is None) == (contract.exchanged is None), name


@pytest.mark.parametrize("name", WITH_PERFECT)
def test_a_perfect_match_has_the_perfect_value(name):
    contract = CONTRACTS[name]
    value = value_of(name, contract.degraded(0))
    assert value == pytest.approx(contract.perfect, abs=1e-9)


def test_a_set_against_itself_is_slightly_below_zero_in_kad():
    # With m = n and equal sets: within - across = 2 S / (m (m - 1)) - 2 (S + m) / m^2 < 0, where S
    # is the sum of the off-diagonal kernel.
    rows = embeddings(0)[0]
    assert -100.0 * 2 / sum(len(r) for r in rows) < value_of("kad.aisfx", (rows, rows)) < 0


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_each_degradation_is_worse_than_the_last(name):
    values = [value_of(name, CONTRACTS[name].degraded(level)) for level in LEVELS]
    steps = np.diff(values)
    worse = steps > 0 if METRICS[name].better == "lower" else steps < 0
    assert worse.all(), values


@pytest.mark.parametrize("name", WITH_EXCHANGE)
def test_symmetry_is_as_stated(name):
    contract = CONTRACTS[name]
    there, back = contract.exchanged()
    first, second = value_of(name, there), value_of(name, back)
    if contract.symmetric:
        assert first == pytest.approx(second, rel=1e-9)
    else:
        assert abs(first - second) > 1e-3


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_same_input_same_bits(name):
    inputs = CONTRACTS[name].degraded(1)
    assert value_of(name, inputs) == value_of(name, inputs)


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_inputs_are_left_as_they_were(name):
    inputs = CONTRACTS[name].degraded(2)
    before = [[clip.copy() for clip in side] for side in inputs]
    value_of(name, inputs)
    for side, copies in zip(inputs, before, strict=True):
        for clip, copy in zip(side, copies, strict=True):
            np.testing.assert_array_equal(clip, copy)


@pytest.mark.parametrize("name", sorted(set(CONTRACTS) - ORDER_MATTERS))
def test_the_order_of_clips_does_not_matter(name):
    inputs = CONTRACTS[name].degraded(1)
    backwards = [side[::-1] for side in inputs]
    assert value_of(name, backwards) == pytest.approx(value_of(name, inputs), rel=1e-9, abs=1e-9)
