"""On which device the networks are.

Whatever is random is drawn on the CPU and then moved, so a seed draws the same on every device.
Results still differ in their last digits, since a GPU adds up in another order.
"""

from __future__ import annotations

import torch
from torch import nn

from vsseval.devices import require_device
from vsseval.ranks import ranks_of_environment, take_gpu


def device_of(network: nn.Module) -> torch.device:
    """Where the parameters of a network are."""
    return next(network.parameters()).device


def take_device(device: str) -> None:
    """Check that a device is there; under torchrun ``cuda`` is then the GPU of this rank.

    To be called before anything is put on a GPU.

    Raises:
        InputError: there is no GPU, or none for this rank.
    """
    ranks = ranks_of_environment()
    if device == "cuda" and ranks is not None:
        take_gpu(ranks)
    require_device(device)


def bfloat16(device: torch.device, *, enabled: bool = True) -> torch.autocast:
    """Products in bfloat16 on a device, inside ``with``."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
