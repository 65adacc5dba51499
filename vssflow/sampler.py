"""Solvers of dx/dt = v(x, t) from t = 0 (noise) to t = 1 (data), and the guided sampler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vsseval.errors import UnknownNameError
from vssflow.dit import Conditions, VSSFlow
from vssflow.flow import guided

Solver = Literal["euler", "midpoint"]
VelocityField = Callable[[Tensor, float], Tensor]


class Sample(NamedTuple):
    """The end of an integration."""

    latent: Tensor
    """x at t = 1."""
    nfe: int
    """Network evaluations; a guided one counts two."""


def euler(velocity: VelocityField, x_0: Tensor, *, num_steps: int) -> Tensor:
    """X at t = 1 by ``num_steps`` Euler updates (order 1, one evaluation an update)."""
    x, step = x_0, 1.0 / num_steps
    for i in range(num_steps):
        x = x + step * velocity(x, i * step)
    return x


def midpoint(velocity: VelocityField, x_0: Tensor, *, num_steps: int) -> Tensor:
    """X at t = 1 by ``num_steps`` midpoint updates (order 2, two evaluations an update)."""
    x, step = x_0, 1.0 / num_steps
    for i in range(num_steps):
        half = x + step / 2 * velocity(x, i * step)
        x = x + step * velocity(half, (i + 0.5) * step)
    return x


SOLVERS: dict[str, Callable[..., Tensor]] = {"euler": euler, "midpoint": midpoint}


def guided_field(model: VSSFlow, conditions: Conditions, guidance_scale: float) -> VelocityField:
    """Guided velocity of one or more clips; keys and values are computed here, once.

    At w = 1 only the conditional branch is evaluated; otherwise both run in one forward pass of
    twice the batch.
    """
    if guidance_scale == 1.0:
        branches = conditions
    else:
        null = model.null(conditions)
        branches = Conditions(*(torch.cat(pair) for pair in zip(conditions, null, strict=True)))
    tokens = model.encode_tokens(branches.tokens)

    def velocity(x: Tensor, t: float) -> Tensor:
        copies = branches.channels.shape[0] // x.shape[0]
        both = x.repeat(copies, 1, 1)
        times = torch.full((both.shape[0],), t, device=x.device)
        out = model.velocity(both, times, branches.channels, tokens)
        if copies == 1:
            return out
        v_c, v_u = out.chunk(2)
        return guided(v_c, v_u, guidance_scale)

    return velocity


def sample(
    model: VSSFlow,
    conditions: Conditions,
    noise: Tensor,
    *,
    num_steps: int,
    guidance_scale: float,
    solver: str = "euler",
) -> Sample:
    """Integrate noise (B, T, latent_channels) to latents under guidance.

    Raises:
        UnknownNameError: there is no such solver.
    """
    if solver not in SOLVERS:
        raise UnknownNameError("solver", solver, SOLVERS)
    field = guided_field(model, conditions, guidance_scale)
    latent = SOLVERS[solver](field, noise, num_steps=num_steps)
    calls = num_steps * (2 if solver == "midpoint" else 1)
    return Sample(latent, calls * (1 if guidance_scale == 1.0 else 2))


def seeded_noise(frames: int, channels: int, seed: int, device: str) -> Tensor:
    """Standard normal (1, frames, channels), drawn on the CPU: the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, frames, channels, generator=generator).to(device)
