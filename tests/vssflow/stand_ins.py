"""What tests put in the place of reports and networks."""

from __future__ import annotations

import torch


def silent(_: str) -> None:
    """A report that nobody reads."""


def brightness(x: torch.Tensor) -> torch.Tensor:
    """In the place of Synchformer: a token says how bright the first of its two frames is."""
    assert x.shape[1:] == (3, 16, 224, 224)
    level = x[:, :, ::2].mean((1, 3, 4)) / 2 + 0.5
    return level[..., None].expand(-1, -1, 768)
