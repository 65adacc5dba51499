"""Flow matching on the straight path.

t = 0 is noise and t = 1 is data; x_t = (1 - t) x_0 + t x_1 with x_0 standard normal; the velocity
is x_1 - x_0.
Guided velocity v_u + w (v_c - v_u): w = 1 is plain conditional.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class PathSample(NamedTuple):
    """A point of the path and its velocity."""

    x_t: Tensor
    """(B, T, C)."""
    velocity: Tensor
    """x_1 - x_0, (B, T, C)."""


def sample_path(x_0: Tensor, x_1: Tensor, t: Tensor) -> PathSample:
    """The straight path from x_0 to x_1 (B, T, C) at times t (B,)."""
    weight = t[:, None, None]
    return PathSample((1 - weight) * x_0 + weight * x_1, x_1 - x_0)


def guided(v_c: Tensor, v_u: Tensor, guidance_scale: float) -> Tensor:
    """Guided velocity v_u + w (v_c - v_u), w = guidance_scale."""
    return v_u + guidance_scale * (v_c - v_u)


def velocity_loss(predicted: Tensor, velocity: Tensor) -> Tensor:
    """Mean squared error of (B, T, C) over items, frames and latent channels, in float32."""
    return torch.mean((predicted.float() - velocity) ** 2)
