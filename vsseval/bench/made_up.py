"""Embeddings that look like those of a network, made from a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LATENT = 256


def embeddings(n: int, width: int, seed: int, *, shift: float = 0.0) -> NDArray[np.float32]:
    """Rows float32 (n, width) >= 0: a mixture of 256 factors of falling weight, noise, rectified.

    Args:
        n: rows.
        width: numbers of a row.
        seed: seed of the rows; the mixture is the same for all of one width.
        shift: added before the rectifier, so that two sets differ.
    """
    mixture = np.random.default_rng(width).standard_normal((_LATENT, width)) / np.sqrt(_LATENT)
    mixture *= 2.0 * np.exp(-np.arange(_LATENT) / 64)[:, None]
    random = np.random.default_rng([seed, width])
    rows = np.empty((n, width), dtype=np.float32)
    for start in range(0, n, 1024):
        part = rows[start : start + 1024]
        noise = 0.3 * random.standard_normal(part.shape)
        factors = random.standard_normal((len(part), _LATENT))
        part[:] = np.maximum(0.0, factors @ mixture + noise - 0.3 + shift)
    return rows
