"""The names and shapes of a network's tensors, and a state dict that is filled from its names."""

from __future__ import annotations

from collections.abc import Callable

import fake_checkpoint
import torch
from torch import Tensor, nn


def shapes(make: Callable[[], nn.Module]) -> dict[str, tuple[int, ...]]:
    """Of the network that ``make`` builds, for which no memory is taken."""
    with torch.device("meta"):
        network = make()
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def without_counters(found: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Without the counts of training batches, which old files lack."""
    return {key: shape for key, shape in found.items() if not key.endswith("num_batches_tracked")}


def fake_state(make: Callable[[], nn.Module]) -> dict[str, Tensor]:
    """A checkpoint under the network's own names, without counters."""
    values = fake_checkpoint.filled(without_counters(shapes(make)))
    return {key: torch.from_numpy(value) for key, value in values.items()}
