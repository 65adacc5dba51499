"""Weights that are the same everywhere: every key of a state dict filled from its own name.

A network whose published weights cannot be had is compared with its origin under such weights:
the recipe fills the origin's state dict, the test fills ours, and the outputs must agree. Needs
numpy alone, so that it runs in any environment.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray


def fill(key: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The float32 tensor of a key: drawn from RandomState(crc32(key)), sane for its kind.

    ``running_var`` lies in [0.5, 1.5]; vectors named ``weight`` or ``gamma`` (norms) are near 1,
    other vectors (biases, means) near 0; matrices and kernels have variance 1 / fan-in.
    """
    state = np.random.RandomState(zlib.crc32(key.encode()))
    values = state.standard_normal(shape)
    name = key.rpartition(".")[2]
    if name == "running_var":
        values = 0.5 + state.random_sample(shape)
    elif len(shape) <= 1 and name in ("weight", "gamma"):
        values = 1 + 0.1 * values
    elif len(shape) <= 1:
        values = 0.1 * values
    else:
        values = values / np.sqrt(np.prod(shape[1:]))
    return np.asarray(values, dtype=np.float32)


def filled(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """A whole state dict; counters (``num_batches_tracked``) are the caller's to leave out."""
    return {key: fill(key, tuple(shape)) for key, shape in shapes.items()}


def key_digest(shapes: Mapping[str, Iterable[int]]) -> str:
    """crc32 over the sorted keys and shapes: one word that says a key set is complete."""
    lines = "".join(f"{key} {tuple(shape)}\n" for key, shape in sorted(shapes.items()))
    return f"{zlib.crc32(lines.encode()):08x}"
