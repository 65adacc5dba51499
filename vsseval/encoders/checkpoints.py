"""Published state dicts into our networks, key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vsseval.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    Network = TypeVar("Network", bound=nn.Module)

_MOST = 8
"""Keys that a message names of each kind."""


def build_strict(make: Callable[[], Network], state: object, path: Path) -> Network:
    """The network that ``make`` builds, with the tensors of a state dict as its own.

    It is built without storage and nothing is initialised or copied, which matters for the large
    ones. ``make`` must compute nothing but what the state dict replaces.

    Raises:
        InputError: as :func:`load_strict`.
    """
    import torch

    with torch.device("meta"):
        network = make()
    return load_strict(network, state, path, assign=True)


def load_strict(network: Network, state: object, path: Path, *, assign: bool = False) -> Network:
    """The network with the weights of a state dict, ready for inference on the CPU.

    Args:
        network: its keys are those of the state dict.
        state: what the file holds where a state dict is expected.
        path: the file, for the message.
        assign: use the tensors of the state dict as they are, in place of a copy.

    Raises:
        InputError: no state dict, a key that is missing or unknown, or a tensor of another shape;
            the message names them.
    """
    if not isinstance(state, Mapping):
        raise InputError(f"{path} holds no state dict; is it another model's file?")
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in state]
    unknown = [str(key) for key in state if key not in wanted]
    shapes = [
        f"{key} is {_shape(state[key])} instead of {_shape(tensor)}"
        for key, tensor in wanted.items()
        if key in state and _shape(state[key]) != _shape(tensor)
    ]
    wrong = [
        f"{kind}: {', '.join(keys[:_MOST])}"
        + (f" and {len(keys) - _MOST} more" if len(keys) > _MOST else "")
        for kind, keys in (("missing", missing), ("unknown", unknown), ("shape", shapes))
        if keys
    ]
    if wrong:
        raise InputError(f"{path} does not fit {type(network).__name__}; {'; '.join(wrong)}")
    network.load_state_dict(state, strict=True, assign=assign)
    return network.requires_grad_(False).eval()


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(getattr(tensor, "shape", ()))
