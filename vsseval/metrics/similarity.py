"""Similarity of two embeddings.

Goal: how close the voice, or the sound, of two clips is in the space of one encoder, or sound and
picture in the space of two that were trained together.

Conventions:
    Embeddings are float vectors (d,) of one encoder, or matrices (windows, d) where it says so;
    arithmetic is float64. Higher is better.

Functions:
    cosine_similarity               in [-1, 1]
    speaker_similarity_components   100 times that, as a component vector for the METRICS table
    mean_cosine_components          mean over the windows of a clip, as a component vector

Edge cases:
    an all-zero embedding   InputError: it has no direction
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector


def cosine_similarity(reference: Floats, generated: Floats) -> float:
    """Cosine of the angle between two embeddings: a'b / (|a| |b|).

    Args:
        reference: embedding, float (d,), of any length above zero.
        generated: likewise.

    Returns:
        In [-1, 1]; 1 iff the two point the same way. Symmetric.

    Raises:
        InputError: different sizes, an all-zero vector, or a value that is not finite.
    """
    a = finite_vector(reference, name="reference embedding")
    b = finite_vector(generated, name="generated embedding")
    if a.shape != b.shape:
        raise InputError(
            f"embeddings differ in size: {a.size} and {b.size}; both must come from one encoder"
        )
    norm_a, norm_b = np.linalg.norm(a), np.linalg.norm(b)
    if norm_a == 0 or norm_b == 0:
        side = "reference" if norm_a == 0 else "generated"
        raise InputError(f"the {side} embedding is all zero, so it has no direction")
    return float(np.clip((a / norm_a) @ (b / norm_b), -1.0, 1.0))


def speaker_similarity_components(speaker: Floats, generated: Floats) -> NDArray[np.float64]:
    """100 * :func:`cosine_similarity` of the wanted voice and the generated one, float64 (1,)."""
    return np.array([100.0 * cosine_similarity(speaker, generated)])


def mean_cosine_components(
    reference: Floats, generated: Floats, *, factor: float = 1.0
) -> NDArray[np.float64]:
    """``factor`` times the mean of :func:`cosine_similarity` over all pairs of rows, float64 (1,).

    The CLAP score: one row for a text or for a clip of one window, more for a clip that is heard in
    windows. The cosines are averaged, not the embeddings.

    Args:
        reference: embedding of the text or the reference sound, float (d,) or (windows, d).
        generated: embedding of the generated sound, likewise.
        factor: 100 where papers print it so (ImageBind).

    Raises:
        InputError: no rows, different sizes, an all-zero row, or a value that is not finite.
    """
    rows = [np.atleast_2d(np.asarray(side)) for side in (reference, generated)]
    cosines = [cosine_similarity(a, b) for a in rows[0] for b in rows[1]]
    if not cosines:
        raise InputError("no embedding to compare: the encoder gave no window")
    return np.array([factor * np.mean(cosines)])
