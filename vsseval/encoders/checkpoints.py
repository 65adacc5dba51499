"""Strict loading of published state dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from vsseval.errors import InputError

Module = TypeVar("Module", bound=nn.Module)

SHOWN = 5
"""Keys that a message names."""


def load_strictly(make: Callable[[], Module], state: Mapping[str, Tensor], path: Path) -> Module:
    """The network that ``make`` builds, as :func:`fill_strictly` fills it.

    It is built without storage, so that nothing is initialised in vain; ``make`` must not compute
    anything but parameters and buffers of the state dict.

    Raises:
        InputError: as :func:`fill_strictly`.
    """
    with torch.device("meta"):
        network = make()
    return fill_strictly(network, state, path)


def fill_strictly(network: Module, state: Mapping[str, Tensor], path: Path) -> Module:
    """A network whose parameters are the tensors of a state dict, for inference.

    Args:
        network: of the right sizes.
        state: its parameters and buffers by key; they are used as they are, not copied.
        path: where they come from, for the message.

    Raises:
        InputError: keys are missing or too many, or a shape differs; the message names them.
    """
    wanted = network.state_dict()
    shared = wanted.keys() & state.keys()
    problems = [
        f"{len(keys)} {what} ({', '.join(sorted(keys)[:SHOWN])}{', ...' * (len(keys) > SHOWN)})"
        for what, keys in (
            ("missing", wanted.keys() - shared),
            ("unexpected", state.keys() - shared),
            ("of another shape", {k for k in shared if wanted[k].shape != state[k].shape}),
        )
        if keys
    ]
    if problems:
        raise InputError(
            f"{path} is not the checkpoint of {network.__class__.__module__}: "
            f"of {len(wanted)} keys {'; '.join(problems)}"
        )
    network.load_state_dict(dict(state), strict=True, assign=True)
    return network.requires_grad_(False).eval()
