"""Onset accuracy, average precision and F1 of profile onset-mmaudio, with their flaws.

Goal: the numbers that MMAudio's script prints on Greatest Hits, item by item.

Conventions:
    As :mod:`vsseval.metrics.onset`. The reference is the annotated list of the clip, the generated
    onsets are detected with delta 0.3, and the tolerance is 0.3 s: one option sets both.

Functions:
    onset_mmaudio               all three values
    onset_mmaudio_components    one of them, for the METRICS table

Edge cases:
    no onsets on either side        InputError (the script fails)
    annotated onsets missing        InputError "no annotated onsets"
    no generated onsets             accuracy 0, average precision **1.0**, F1 0

Flaws, kept because published tables contain them
    1. All flaws of profile onset-condfoley: silence has average precision 1, and matching stops
       when the generated onsets run out, so one early hit of eleven onsets has F1 1.
    2. The loudest candidate is looked up in the list before matching, by its index in the list of
       those left: after the first match another onset's amplitude decides.
    3. Amplitudes come from the signed wave, whose silence lies near 0.5.
    4. 0.3 s on either side lets an onset match almost anywhere in busy sound.

References:
    hkchengrex/MMAudio at 974010a, eval_onsets.py. scikit-learn 1.9 for the average precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector
from vsseval.metrics.onset import average_precision
from vsseval.metrics.onset_condfoley import RATE, ranked_onsets


@dataclass(frozen=True, slots=True)
class MmaudioOnsets:
    """The three values of one clip."""

    accuracy: float
    """Hits / reference onsets, 0 if there are none."""
    average_precision: float
    """Of hits, misses and left-over candidates ranked by confidence."""
    f1: float
    """Of the same list, an entry being predicted if its confidence is above 0."""


def onset_mmaudio(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.3,
) -> MmaudioOnsets:
    """Accuracy, average precision and F1 of one clip as MMAudio's script computes them.

    Generated onsets are thinned (``suppress_onsets`` of profile onset-condfoley). Reference onsets
    are visited in order; of the candidates left that lie strictly closer than ``tolerance``, the
    one whose position in the list points to the largest amplitude of the thinned list is taken (of
    equals the latest) and removed; the visit ends when none is left. The list holds
    (1, confidence) for a hit, (1, 0) for a miss and (0, confidence) for each candidate left over:

        accuracy = hits / n_reference
        average precision = that of scikit-learn on the list
        F1 = 2 TP / (2 TP + FP + FN), predicted where the confidence is above 0

    Args:
        reference: annotated onset times [s], float (n,), in the order of the annotation.
        generated: onset times [s], float (m,), ascending, detected with delta 0.3.
        confidence: float (m,): largest value of the min-max-scaled signed wave within 1,102
            samples of each generated onset.
        amplitude: float (m,): that wave's value at each generated onset.
        tolerance: distance that is too far [s].

    Raises:
        InputError: no onsets on either side, lists of different lengths, or a value that is not
            finite.

    Source: hkchengrex/MMAudio at 974010a, eval_onsets.py.
    """
    ranking = ranked_onsets(
        finite_vector(reference, name="reference onsets") * RATE,
        generated,
        confidence,
        amplitude,
        tolerance=tolerance,
        heard=lambda at, left, thinned: thinned[at],  # flaw 2
    )
    positive, predicted = ranking.labels > 0, ranking.scores > 0
    agreed = int(np.count_nonzero(positive & predicted))
    either = int(np.count_nonzero(positive)) + int(np.count_nonzero(predicted))
    return MmaudioOnsets(
        accuracy=ranking.accuracy,
        average_precision=average_precision(ranking.labels, ranking.scores),
        f1=2 * agreed / either if either else 0.0,
    )


def onset_mmaudio_components(
    onsets: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    value: Literal["accuracy", "average_precision", "f1"],
    tolerance: float = 0.3,
) -> NDArray[np.float64]:
    """(value, n_reference, n_generated before thinning) of :func:`onset_mmaudio`.

    Raises:
        InputError: no annotated onsets (a continuous sound), an unknown value, or as
            :func:`onset_mmaudio`.
    """
    if value not in ("accuracy", "average_precision", "f1"):
        raise InputError(f"expected accuracy, average_precision or f1, got {value!r}")
    if len(onsets) == 0:
        raise InputError("no annotated onsets")
    found = onset_mmaudio(onsets, generated, confidence, amplitude, tolerance=tolerance)
    return np.array([getattr(found, value), len(onsets), len(generated)], dtype=np.float64)
