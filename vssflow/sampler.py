"""The guided sampler: from noise and conditions to latents."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vsseval.errors import InputError
from vssflow.dit import Conditions, VSSFlow
from vssflow.flow import guided
from vssflow.solvers import VelocityField, solver_named, time_grid


class Sample(NamedTuple):
    """The end of an integration."""

    latent: Tensor
    """x at t = 1."""
    nfe: int
    """Network evaluations; a guided one counts two."""


def guided_field(
    model: VSSFlow, conditions: Conditions, guidance_scale: float, *, drift: bool = False
) -> VelocityField:
    """Guided velocity of one or more clips; keys and values are computed here, once.

    At w = 1 only the conditional branch is evaluated; otherwise both run in one forward pass of
    twice the batch. With ``drift`` the state holds the condition channels behind the latent.
    """
    latent_channels = model.config.latent_channels
    if guidance_scale == 1.0:
        branches = conditions
    else:
        null = model.null(conditions)
        branches = Conditions(*(torch.cat(pair) for pair in zip(conditions, null, strict=True)))
    tokens = model.encode_tokens(branches.tokens)

    def velocity(x: Tensor, t: float) -> Tensor:
        copies = branches.channels.shape[0] // x.shape[0]
        both = x[..., :latent_channels].repeat(copies, 1, 1)
        times = torch.full((both.shape[0],), t, device=x.device)
        if drift:
            # The unconditional branch has its own channels at every call.
            channels = torch.cat([x[..., latent_channels:], branches.channels[x.shape[0] :]])
            out = model.whole_velocity(both, times, channels, tokens)
        else:
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
    grid: str = "uniform",
    drift: bool = False,
) -> Sample:
    """Integrate noise (B, T, latent_channels) to latents under guidance.

    Args:
        model: the transformer.
        conditions: of the same B clips.
        noise: standard normal, float32.
        num_steps: intervals of the time grid; dopri5 chooses its own.
        guidance_scale: w in v_u + w (v_c - v_u).
        solver: name in ``vssflow.solvers.SOLVERS``.
        grid: name in ``vssflow.solvers.GRIDS``.
        drift: integrate the condition channels too, by what the network says of them though it was
            never trained to, as the authors' v1 does; otherwise they stay what they are.

    Raises:
        UnknownNameError: there is no such solver or grid.
        InputError: a value on the way is not finite.
    """
    solve, times = solver_named(solver), time_grid(grid, num_steps)
    field = guided_field(model, conditions, guidance_scale, drift=drift)
    start = torch.cat([noise, conditions.channels], dim=-1) if drift else noise
    solution = solve(field, start, times)
    latent = solution.x_1[..., : noise.shape[-1]]
    if not torch.isfinite(latent).all():
        raise InputError(
            f"the integration left the finite numbers (guidance {guidance_scale:g}, {solver}, "
            f"{num_steps} steps); give a guidance nearer to 1, or more steps"
        )
    branches = 1 if guidance_scale == 1.0 else 2
    return Sample(latent, solution.evaluations * branches)


def seeded_noise(frames: int, channels: int, seed: int, device: torch.device) -> Tensor:
    """Standard normal (1, frames, channels), drawn on the CPU: the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, frames, channels, generator=generator).to(device)
