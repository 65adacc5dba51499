"""Solvers of dx/dt = v(x, t) from t = 0 (noise) to t = 1 (data), on a grid of times.

Fixed-step solvers take the grid's intervals as their steps; dopri5 chooses its steps and reaches
t = 1 exactly. Each takes the velocity, x at t = 0 in any shape, and ascending times from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from vsseval.errors import InputError, UnknownNameError

VelocityField = Callable[[Tensor, float], Tensor]
"""x in any shape and the time to dx/dt in the same shape."""


class Solution(NamedTuple):
    """The end of an integration."""

    x_1: Tensor
    """x at t = 1, in the shape of x at t = 0."""
    evaluations: int
    """Calls of the velocity."""


def uniform_grid(num_steps: int) -> list[float]:
    """``num_steps`` equal intervals from 0 to 1."""
    return [i / num_steps for i in range(num_steps + 1)]


def sway_grid(num_steps: int, coefficient: float = -1.0) -> list[float]:
    """Uniform times u moved to u + s (cos(pi u / 2) - 1 + u); s < 0 takes smaller steps at first.

    Reference: Chen et al. (2024), F5-TTS (arXiv 2410.06885), equation 8; s in [-1, 2 / (pi - 2)].

    Raises:
        InputError: s lies outside.
    """
    largest = 2 / (math.pi - 2)
    if not -1 <= coefficient <= largest:
        raise InputError(f"sway coefficient {coefficient} is outside -1 to {largest:.4f}")
    times = uniform_grid(num_steps)
    moved = [u + coefficient * (math.cos(math.pi * u / 2) - 1 + u) for u in times]
    return [0.0, *moved[1:-1], 1.0]


def power_grid(num_steps: int, power: float = 2.0) -> list[float]:
    """Uniform times to the given power; 2 takes smaller steps at first.

    Raises:
        InputError: the power is not positive.
    """
    if power <= 0:
        raise InputError(f"grid power {power} is not positive")
    return [u**power for u in uniform_grid(num_steps)]


GRIDS: dict[str, Callable[[int], list[float]]] = {
    "uniform": uniform_grid,
    "sway": sway_grid,
    "quadratic": power_grid,
}


def time_grid(name: str, num_steps: int) -> list[float]:
    """Times from 0 to 1, ascending, of a named grid.

    Raises:
        UnknownNameError: there is no such grid.
    """
    if name not in GRIDS:
        raise UnknownNameError("time grid", name, GRIDS)
    return GRIDS[name](num_steps)


def euler(velocity: VelocityField, x_0: Tensor, times: Sequence[float]) -> Solution:
    """Euler's method: order 1, one evaluation an interval."""
    x = x_0
    for now, then in pairwise(times):
        x = x + (then - now) * velocity(x, now)
    return Solution(x, len(times) - 1)


def midpoint(velocity: VelocityField, x_0: Tensor, times: Sequence[float]) -> Solution:
    """The midpoint method: order 2, two evaluations an interval."""
    x = x_0
    for now, then in pairwise(times):
        step = then - now
        half = x + step / 2 * velocity(x, now)
        x = x + step * velocity(half, now + step / 2)
    return Solution(x, 2 * (len(times) - 1))


def heun(velocity: VelocityField, x_0: Tensor, times: Sequence[float]) -> Solution:
    """Heun's method, the mean of the slopes at both ends: order 2, two evaluations an interval."""
    x = x_0
    for now, then in pairwise(times):
        step, first = then - now, velocity(x, now)
        second = velocity(x + step * first, then)
        x = x + step / 2 * (first + second)
    return Solution(x, 2 * (len(times) - 1))


# Dormand and Prince (1980), A family of embedded Runge-Kutta formulae, table 2.
NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
FOURTH_ORDER = (
    5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40,
)  # fmt: skip
ERROR = tuple(b - a for b, a in zip((*STAGES[6], 0.0), FOURTH_ORDER, strict=True))
SAFETY, SHRINK, GROW = 0.9, 0.2, 10.0
MAX_STEPS = 10_000
MIN_STEP = 1e-9


def dopri5(
    velocity: VelocityField,
    x_0: Tensor,
    times: Sequence[float] = (0.0, 1.0),
    *,
    tolerance: float = 1e-5,
) -> Solution:
    """Order 5 with error control; six evaluations a step, refused steps included.

    A step is accepted when every item's root mean square of error / (tolerance (1 + |x|)) is at
    most 1. The norm is taken item by item over its latent alone, so that padding a batch with
    easy items changes nothing; the step is shared by a batch, and one item at a time gives results
    that depend on that item alone. The grid is ignored but for its ends. Where not even a step of
    1e-9 is accepted, the velocity is not finite, and neither is the result.

    Raises:
        InputError: the tolerance is so small that no step is accepted.
    """
    x, now, end = x_0, times[0], times[-1]
    first = velocity(x, now)
    step = _first_step(velocity, x, now, first, tolerance, end - now)
    evaluations = 2
    for _ in range(MAX_STEPS):
        last = now + step >= end - 1e-12
        if last:
            step = end - now
        slopes = [first]
        for node, weights in zip(NODES[1:], STAGES[1:], strict=True):
            slopes.append(velocity(x + step * _combine(weights, slopes), now + node * step))
        evaluations += 6
        proposed = x + step * _combine(STAGES[6], slopes)
        ratio = _largest_norm(
            step * _combine(ERROR, slopes),
            tolerance * (1 + torch.maximum(x.abs(), proposed.abs())),
        )
        if math.isnan(ratio):
            ratio = math.inf  # a smaller step may stay finite
        if ratio <= 1:
            x, now, first = proposed, now + step, slopes[6]
            if last:
                return Solution(x, evaluations)
        grow = SAFETY * ratio**-0.2 if ratio > 0 else GROW
        step *= min(GROW if ratio <= 1 else 1.0, max(SHRINK, grow))
        if not step >= MIN_STEP:
            return Solution(x * math.nan, evaluations)
    raise InputError(
        f"dopri5 took {MAX_STEPS} steps and is at t = {now:.6f}; give a larger tolerance"
    )


def _first_step(
    velocity: VelocityField, x: Tensor, now: float, slope: Tensor, tolerance: float, most: float
) -> float:
    """A step of about the right size (Hairer, Norsett and Wanner, Solving ODEs I, II.4)."""
    scale = tolerance * (1 + x.abs())
    size, speed = _largest_norm(x, scale), _largest_norm(slope, scale)
    unknown = min(size, speed) < 1e-5 or not math.isfinite(speed)
    guess = min(most, 1e-6 if unknown else 0.01 * size / speed)
    bend = _largest_norm(velocity(x + guess * slope, now + guess) - slope, scale) / guess
    steepest = max(speed, bend)
    wanted = max(1e-6, 1e-3 * guess) if steepest <= 1e-15 else (0.01 / steepest) ** 0.2
    return min(most, 100 * guess, wanted)


def _combine(weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor:
    pairs = zip(weights, slopes[: len(weights)], strict=True)
    return torch.stack([weight * slope for weight, slope in pairs if weight]).sum(0)


def _largest_norm(values: Tensor, scale: Tensor) -> float:
    """Largest root mean square of values / scale over the items of a batch."""
    return float((values / scale).flatten(1).square().mean(1).sqrt().max())


SOLVERS: dict[str, Callable[[VelocityField, Tensor, Sequence[float]], Solution]] = {
    "euler": euler,
    "midpoint": midpoint,
    "heun": heun,
    "dopri5": dopri5,
}


def solver_named(name: str) -> Callable[[VelocityField, Tensor, Sequence[float]], Solution]:
    """The solver of that name.

    Raises:
        UnknownNameError: there is no such solver.
    """
    if name not in SOLVERS:
        raise UnknownNameError("solver", name, SOLVERS)
    return SOLVERS[name]
