"""Solvers against closed forms."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from vsseval.errors import InputError, UnknownNameError
from vssflow.solvers import (
    ERROR,
    FOURTH_ORDER,
    GRIDS,
    NODES,
    SOLVERS,
    STAGES,
    dopri5,
    euler,
    heun,
    midpoint,
    solver_named,
    sway_grid,
    time_grid,
    uniform_grid,
)

X_0 = torch.zeros(1, 2, 3, dtype=torch.float64)
FIXED = {"euler": 1, "midpoint": 2, "heun": 2}


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_constant_velocity_integrates_exactly_on_any_grid(solver, grid):
    end = SOLVERS[solver](lambda x, t: torch.full_like(x, 2.5), X_0, time_grid(grid, 3))
    torch.testing.assert_close(end.x_1, X_0 + 2.5, atol=1e-12, rtol=0)


@pytest.mark.parametrize("solver", FIXED)
def test_constant_velocity_needs_one_step(solver):
    end = SOLVERS[solver](lambda x, t: torch.full_like(x, 2.5), X_0, [0.0, 1.0])
    assert torch.equal(end.x_1, X_0 + 2.5)
    assert end.evaluations == FIXED[solver]


@pytest.mark.parametrize(("solver", "order"), FIXED.items())
def test_order_of_convergence_on_exponential_growth(solver, order):
    # x' = x from 1 ends at e; halving the step divides the error by 2^order.
    errors = []
    for num_steps in (40, 80):
        end = SOLVERS[solver](lambda x, t: x, X_0 + 1, uniform_grid(num_steps))
        errors.append(float((end.x_1 - math.e).abs().max()))
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.05)


@pytest.mark.parametrize(("solver", "order"), FIXED.items())
def test_order_of_convergence_on_v_3t_squared(solver, order):
    # x(1) = integral of 3 t^2 = 1: times matter, not only states.
    errors = []
    for num_steps in (20, 40):
        end = SOLVERS[solver](
            lambda x, t: torch.full_like(x, 3 * t * t), X_0, uniform_grid(num_steps)
        )
        errors.append(float((end.x_1 - 1).abs().max()))
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.05)


@pytest.mark.parametrize("name", SOLVERS)
def test_evaluations_are_the_calls_that_were_made(name):
    calls = []

    def velocity(x, t):
        calls.append(t)
        return x.cos() + t

    end = SOLVERS[name](velocity, X_0, uniform_grid(7))
    assert end.evaluations == len(calls)
    assert max(calls) <= 1.0


def test_weights_of_dormand_prince_meet_the_order_conditions():
    # Each row sums to its node; sum b c^k = 1 / (k + 1) up to k = 4 for order 5 and 3 for order 4.
    for node, row in zip(NODES, STAGES, strict=True):
        assert sum(row) == pytest.approx(node, abs=1e-14)
    fifth = (*STAGES[6], 0.0)
    for weights, order in ((fifth, 5), (FOURTH_ORDER, 4)):
        for power in range(order):
            found = sum(b * c**power for b, c in zip(weights, NODES, strict=True))
            assert found == pytest.approx(1 / (power + 1), abs=1e-13)
    assert sum(ERROR) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
def test_dopri5_keeps_its_tolerance_on_an_oscillation(tolerance):
    # x'' = -(6 pi)^2 x as two equations: three turns in unit time bring it back to (1, 0).
    turns = 6 * math.pi

    def velocity(x, t):
        return turns * torch.stack([x[:, 1], -x[:, 0]], dim=1)

    start = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    end = dopri5(velocity, start, tolerance=tolerance)
    assert float((end.x_1 - start).abs().max()) < 100 * tolerance


def test_dopri5_spends_more_on_a_smaller_tolerance_and_less_on_an_easier_field():
    def wave(x, t):
        return torch.full_like(x, math.cos(40 * t))

    costs = [dopri5(wave, X_0, tolerance=tolerance).evaluations for tolerance in (1e-3, 1e-7)]
    assert costs[0] < costs[1]
    easy = dopri5(lambda x, t: torch.full_like(x, 1.0), X_0, tolerance=1e-7).evaluations
    assert easy < costs[0]


def test_dopri5_on_a_harder_item_is_not_loosened_by_an_easy_one_beside_it():
    # One norm over the batch would divide the hard item's error by sqrt(4).
    rates = torch.tensor([30.0, 0.0, 0.0, 0.0], dtype=torch.float64)[:, None]
    start = torch.ones(4, 5, dtype=torch.float64)

    def velocity(x, t):
        return -rates[: x.shape[0]] * x

    alone = dopri5(velocity, start[:1], tolerance=1e-4)
    together = dopri5(velocity, start, tolerance=1e-4)
    torch.testing.assert_close(together.x_1[:1], alone.x_1, atol=1e-12, rtol=0)
    assert together.evaluations == alone.evaluations


def test_dopri5_that_cannot_step_says_so(monkeypatch):
    monkeypatch.setattr("vssflow.solvers.MAX_STEPS", 5)
    with pytest.raises(InputError, match="took 5 steps"):
        dopri5(lambda x, t: torch.full_like(x, math.cos(400 * t)), X_0, tolerance=1e-12)


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("num_steps", [1, 2, 25])
def test_grid_goes_from_zero_to_one_in_ascending_steps(name, num_steps):
    times = time_grid(name, num_steps)
    assert len(times) == num_steps + 1
    assert (times[0], times[-1]) == (0.0, 1.0)
    assert all(a < b for a, b in pairwise(times))


def test_sway_of_minus_one_is_one_minus_cosine_and_of_zero_is_uniform():
    # u - (cos(pi u / 2) - 1 + u) = 1 - cos(pi u / 2).
    expected = [1 - math.cos(math.pi * i / 8) for i in range(5)]
    assert sway_grid(4) == pytest.approx(expected)
    assert sway_grid(4, 0.0) == pytest.approx(uniform_grid(4))
    with pytest.raises(InputError, match=r"outside -1 to 1\.7519"):
        sway_grid(4, 2.0)


def test_grid_that_is_fine_where_the_field_is_fast_beats_the_uniform_one():
    # x = sqrt(t + c) is steep at the start.
    c = 1e-3
    expected = math.sqrt(1 + c) - math.sqrt(c)

    def velocity(x, t):
        return torch.full_like(x, 0.5 / math.sqrt(t + c))

    errors = {
        name: float((midpoint(velocity, X_0, time_grid(name, 20)).x_1 - expected).abs().max())
        for name in ("uniform", "sway", "quadratic")
    }
    assert errors["sway"] < errors["uniform"]
    assert errors["quadratic"] < errors["uniform"]


def test_unknown_names_give_close_ones():
    with pytest.raises(UnknownNameError, match="euler"):
        solver_named("eular")
    with pytest.raises(UnknownNameError, match="sway"):
        time_grid("swai", 4)


def test_heun_and_euler_agree_on_the_first_slope():
    # On v = 2 t Heun is exact in one step and Euler still at zero.
    def velocity(x, t):
        return torch.full_like(x, 2 * t)

    assert torch.equal(heun(velocity, X_0, [0.0, 1.0]).x_1, X_0 + 1)
    assert torch.equal(euler(velocity, X_0, [0.0, 1.0]).x_1, X_0)


@pytest.mark.parametrize("late", [False, True])
def test_dopri5_gives_up_where_the_velocity_is_not_finite(late):
    calls = []

    def velocity(x, t):
        calls.append(t)
        return torch.full_like(x, math.nan if t > 0.5 or not late else 1.0)

    solution = dopri5(velocity, torch.zeros(1, 2, 3))
    assert not torch.isfinite(solution.x_1).any()
    assert len(calls) < 1000


def test_dopri5_gives_up_where_the_velocity_is_too_large_to_square():
    solution = dopri5(lambda x, t: 1e30 * (1 + x), torch.zeros(1, 2, 3))
    assert not torch.isfinite(solution.x_1).any()
