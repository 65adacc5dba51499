"""Published checkpoints into our networks: every tensor in its place, and nothing left over.

A file is read (:func:`read_state`), a network is built without storage, and the tensors of the file
become its own (:func:`build`). What a network calls otherwise than its file does, and what of the
file it has no use for, is said by its module; any other difference is one :class:`InputError` that
names the file and, as the file has them, the keys.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from vsseval.errors import InputError
from vsseval.weights import load_torch

Network = TypeVar("Network", bound=nn.Module)
State = Mapping[str, Tensor]
Naming = Callable[[str], str]
"""Name of a tensor in a network -> its name in the file."""

SHOWN = 8
"""Keys of each fault that a message names."""
_COUNTER = "num_batches_tracked"
"""Counts batches of training: old files lack it, and nothing here uses it."""


def read_state(path: Path, within: str = "") -> State:
    """Tensors by name, on the CPU.

    Args:
        path: ``.safetensors``, or else what PyTorch wrote.
        within: where a file of PyTorch holds more than a state dict, the state dict's key; a file
            that is a bare state dict has none and is taken as it is.

    Raises:
        InputError: the file cannot be read, or holds no state dict.
    """
    if path.suffix != ".safetensors":
        return state_of(load_torch(path), path, within)
    try:
        return _own_memory(safetensors.torch.load_file(path))
    except (FileNotFoundError, safetensors.SafetensorError) as error:
        raise InputError(f"cannot read {path} as safetensors: {error}") from error


def read_shipped(path: Path, sha256: str) -> State:
    """Tensors of a safetensors file that comes with the package.

    Raises:
        InputError: no such file, or other bytes than those of the digest.
    """
    advice = "it comes with the package: install it again"
    if not path.is_file():
        raise InputError(f"no checkpoint at {path}; {advice}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(f"{path} has sha256 {found} instead of {sha256}; {advice}")
    return _own_memory(safetensors.torch.load(content))


def state_of(stored: object, path: Path, within: str = "") -> State:
    """The state dict among what a file of PyTorch holds, as for :func:`read_state`."""
    state = stored.get(within, stored) if within and isinstance(stored, Mapping) else stored
    if not isinstance(state, Mapping) or not all(isinstance(t, Tensor) for t in state.values()):
        raise InputError(f"{path} holds no state dict; is it another model's file?")
    return state


def renamed(modules: Mapping[str, str]) -> Naming:
    """The naming of a file that has other names for some modules or tensors of a network.

    Args:
        modules: dotted name in the network -> in the file; what is below it keeps its name.
    """

    def name(key: str) -> str:
        for ours, theirs in modules.items():
            if key == ours or key.startswith(f"{ours}."):
                return theirs + key.removeprefix(ours)
        return key

    return name


def build(
    make: Callable[[], Network],
    state: State,
    path: Path,
    *,
    naming: Naming = str,
    unused: str = "",
) -> Network:
    """The network that ``make`` builds, with the tensors of a file, for inference on the CPU.

    It is built without storage and nothing is initialised or copied, which matters for the large
    ones. ``make`` must compute nothing but what the file replaces.

    Args:
        make: a class, or a function without arguments.
        state: what the file holds.
        path: the file, for the message.
        naming: what the file calls a tensor of the network; the same unless told.
        unused: regular expression of names in the file that the network has no use for.

    Raises:
        InputError: as :func:`fit`.
    """
    with torch.device("meta"):
        network = make()
    fit(network, state, path, naming=naming, unused=unused)
    assert not any(t.is_meta for t in chain(network.parameters(), network.buffers()))
    return network


def fit(
    network: Network, state: State, path: Path, *, naming: Naming = str, unused: str = ""
) -> Network:
    """A network that is there already with the tensors of a file; otherwise as :func:`build`.

    Raises:
        InputError: a key is missing or unknown, or a tensor has another shape.
    """
    wanted = {naming(ours): (ours, tensor) for ours, tensor in network.state_dict().items()}
    left_out = re.compile(unused)
    missing = [key for key in wanted if key not in state and not key.endswith(_COUNTER)]
    unknown = sorted(key for key in state.keys() - wanted if not left_out.fullmatch(key))
    shapes = [
        f"{key} is {tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
        for key, (_, tensor) in wanted.items()
        if key in state and state[key].shape != tensor.shape
    ]
    faults = [
        f"{fault}: {_some(keys)}"
        for fault, keys in (("missing", missing), ("unknown", unknown), ("other shapes", shapes))
        if keys
    ]
    if faults:
        raise InputError(
            f"{path} is not the checkpoint that this network expects; {'; '.join(faults)}"
        )
    own = {
        ours: _as(tensor, state[key]) if key in state else torch.zeros((), dtype=tensor.dtype)
        for key, (ours, tensor) in wanted.items()
    }
    network.load_state_dict(own, strict=True, assign=True)
    return network.requires_grad_(False).eval()


def _as(wanted: Tensor, found: Tensor) -> Tensor:
    """In the network's number format, and in memory as if it had been copied into it."""
    return found.to(wanted.dtype).contiguous()


def _own_memory(state: State) -> State:
    """Copies: in the bytes of a file tensors lie at any address, which moves a sum's last digit."""
    return {key: tensor.clone() for key, tensor in state.items()}


def _some(keys: Iterable[str]) -> str:
    listed = list(keys)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
