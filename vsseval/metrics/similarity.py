"""Similarity of two embeddings.

Goal: how close the voice, or the sound, of two clips is in the space of one encoder, or sound and
picture in the space of two that were trained together.

Conventions:
    Embeddings are float vectors (d,) of one space; arithmetic is float64. Higher is better.

Functions:
    cosine_similarity               in [-1, 1]
    speaker_similarity_components   100 times that, as a component vector for the METRICS table
    relevance_components            the same of a picture and a sound

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


def relevance_components(video: Floats, generated: Floats) -> NDArray[np.float64]:
    """100 * :func:`cosine_similarity` of what is seen and what was generated, float64 (1,)."""
    return np.array([100.0 * cosine_similarity(video, generated)])
