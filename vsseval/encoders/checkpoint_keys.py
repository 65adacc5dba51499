"""Published checkpoints under the names of our own networks, and nothing left over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor, nn

from vsseval.errors import InputError

SHOWN = 6
"""Keys that an error lists."""


def renamed(
    state: Mapping[str, Tensor], prefixes: Mapping[str, str], *, unused: str
) -> dict[str, Tensor]:
    """The tensors a network needs, under its own names.

    Args:
        state: tensors by the checkpoint's names.
        prefixes: prefix in the checkpoint -> prefix in the network.
        unused: regular expression of the names that belong to the checkpoint but not to this
            network (another tower, a head, a buffer of an older library).

    Returns:
        A new mapping. A name that is neither unused nor has one of the prefixes is kept as it is,
        so that :func:`load_strictly` names it.
    """
    known = re.compile(unused)
    found = {}
    for key, tensor in state.items():
        if known.fullmatch(key):
            continue
        prefix = next((one for one in prefixes if key.startswith(one)), "")
        found[prefixes.get(prefix, "") + key.removeprefix(prefix)] = tensor
    return found


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Fill a network, ready for inference, with tensors of the same names and shapes.

    Raises:
        InputError: a name is missing or unknown, or a shape differs; the message lists them.
    """
    own = network.state_dict()
    shapes = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own.keys() & state.keys()
        if state[key].shape != own[key].shape
    ]
    faults = {
        "missing": own.keys() - state.keys(),
        "unknown": state.keys() - own.keys(),
        "other shapes": shapes,
    }
    lines = [f"{fault}: {_some(keys)}" for fault, keys in faults.items() if keys]
    if lines:
        raise InputError(f"{path} is not the checkpoint this network expects; {'; '.join(lines)}")
    network.load_state_dict(dict(state), strict=True)
    network.requires_grad_(False).eval()


def _some(keys: Iterable[str]) -> str:
    listed = sorted(keys)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
