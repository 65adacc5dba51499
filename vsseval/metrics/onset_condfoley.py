"""Onset accuracy and average precision of profile onset-condfoley, with their flaws.

Goal: the numbers of the published tables, item by item.

Conventions:
    As :mod:`vsseval.metrics.onset`; both lists are detected with delta 0.3.

Functions:
    onset_accuracy_condfoley                hits / reference onsets
    onset_average_precision_condfoley       of hits, misses and left-over candidates
    ranked_onsets                           the list behind both
    suppress_onsets                         50-ms thinning of the candidates
    silent_predictions                      remark on the items that flaw 1 rewards
    *_components                            component vectors for the METRICS table

Edge cases:
    no onsets on either side        InputError "no onsets on either side": nothing to compare
    no generated onsets             average precision **1.0** (flaw 1 below); accuracy 0
    no reference onsets             accuracy 0, average precision 0

Flaws, kept because published tables contain them
    1. A missed onset enters the list of the average precision as a positive with score 0, and an
       all-positive list has precision 1 everywhere: silence scores 1.0.
    2. For the same reason one hit and ten misses without a false alarm score 1.0.
    3. Matching stops when the generated onsets run out, so later misses never enter the list.
    4. Each reference onset takes the loudest candidate in its window, not the nearest.
    5. The thinning removes items from the list that it walks, so it skips every second neighbour.
    Read F1 or the average precision of :mod:`vsseval.metrics.onset` in their place.

References:
    XYPB/CondFoleyGen at c565db7, predict_onset.py. scikit-learn 1.9, average_precision_score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector
from vsseval.metrics.onset import BOTH_EMPTY, average_precision

RATE = 22050
"""Onsets are compared as sample indices at this rate [Hz]."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What becomes of the onsets of one clip."""

    accuracy: float
    """Hits / reference onsets, 0 if there are none."""
    labels: NDArray[np.float64]
    """1 for each hit and miss, in the order of the visit, then 0 for each candidate left over."""
    scores: NDArray[np.float64]
    """Confidence of each, 0 for a miss."""


def onset_accuracy_condfoley(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.1,
) -> float:
    """Detection accuracy of profile onset-condfoley: hits / reference onsets.

    Generated onsets are thinned (:func:`suppress_onsets`). Reference onsets are visited in time
    order; each takes, from the candidates left that lie strictly closer than ``tolerance``, the
    one with the largest amplitude (of equals the latest) and removes it. False alarms cost
    nothing.

    Args:
        reference: onset times [s], float (n,), detected with delta 0.3.
        generated: onset times [s], float (m,), ascending, detected with delta 0.3.
        confidence: float (m,): largest value of the min-max-scaled absolute waveform within 1,102
            samples of each generated onset.
        amplitude: float (m,): that waveform's value at each generated onset.
        tolerance: distance that is too far [s].

    Returns:
        In [0, 1]; 0 if there are no reference onsets.

    Raises:
        InputError: no onsets on either side, lists of different lengths, or a value that is not
            finite.

    Source: XYPB/CondFoleyGen at c565db7, predict_onset.py.
    """
    return _match(reference, generated, confidence, amplitude, tolerance).accuracy


def onset_average_precision_condfoley(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.1,
) -> float:
    """Average precision of profile onset-condfoley, with the flaws that the module lists.

    Matching as in :func:`onset_accuracy_condfoley`. The list that is ranked holds (1, confidence)
    for a hit, (1, 0) for a miss and (0, confidence) for each candidate left over; misses after the
    last candidate is used up are left out. The value is scikit-learn's average precision of it.

    Args:
        reference: as :func:`onset_accuracy_condfoley`.
        generated: as :func:`onset_accuracy_condfoley`.
        confidence: as :func:`onset_accuracy_condfoley`.
        amplitude: as :func:`onset_accuracy_condfoley`.
        tolerance: as :func:`onset_accuracy_condfoley`.

    Returns:
        In [0, 1]; **1.0 for silence**, 0 if there are no reference onsets.

    Raises:
        InputError: as :func:`onset_accuracy_condfoley`.

    Source: XYPB/CondFoleyGen at c565db7, predict_onset.py.
    """
    ranking = _match(reference, generated, confidence, amplitude, tolerance)
    return average_precision(ranking.labels, ranking.scores)


def onset_accuracy_condfoley_components(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.1,
) -> NDArray[np.float64]:
    """(accuracy, n_reference, n_generated before thinning) of :func:`onset_accuracy_condfoley`."""
    value = onset_accuracy_condfoley(
        reference, generated, confidence, amplitude, tolerance=tolerance
    )
    return np.array([value, len(reference), len(generated)], dtype=np.float64)


def onset_average_precision_condfoley_components(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.1,
) -> NDArray[np.float64]:
    """(value, n_reference, n_generated) of :func:`onset_average_precision_condfoley`.

    The counts are those before thinning; with n_generated 0 the value is 1 by flaw 1.
    """
    value = onset_average_precision_condfoley(
        reference, generated, confidence, amplitude, tolerance=tolerance
    )
    return np.array([value, len(reference), len(generated)], dtype=np.float64)


def suppress_onsets(
    onsets: NDArray[np.int64], confidence: NDArray[np.float64], *, radius: float = 1102.5
) -> list[int]:
    """Indices of the onsets that survive the thinning of profile onset-condfoley, in time order.

    Onsets are taken by falling confidence (of equals the later first: ties are common, and the
    published code leaves them to NumPy's unstable sort); each one taken removes those closer than
    ``radius`` that are still waiting. The published code removes while it walks
    the waiting list and so skips the entry after each removed one; this does the same.

    Args:
        onsets: sample indices, int (m,), distinct.
        confidence: float (m,).
        radius: distance below which the weaker one goes [samples].
    """
    waiting = list(range(len(onsets)))
    kept = []
    for taken in np.argsort(confidence, kind="stable")[::-1].tolist():
        if taken not in waiting:
            continue
        kept.append(taken)
        waiting.remove(taken)
        position = 0
        while position < len(waiting):
            if abs(int(onsets[taken]) - int(onsets[waiting[position]])) < radius:
                del waiting[position]
            position += 1
    return sorted(kept)


def ranked_onsets(
    reference: Floats | NDArray[np.int64],
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float,
    heard: Callable[[int, list[int], list[int]], int],
) -> Ranking:
    """The visit of reference onsets that this profile and onset-mmaudio have in common.

    Args:
        reference: positions at 22,050 Hz [samples], (n,), in the order in which they are visited.
        generated: onset times [s], float (m,), ascending.
        confidence: float (m,).
        amplitude: float (m,).
        tolerance: distance that is too far [s].
        heard: index of the generated onset whose amplitude stands for a candidate; called with the
            candidate's position, the indices of those left, and of all that were not thinned away.

    Raises:
        InputError: as :func:`onset_accuracy_condfoley`.
    """
    e = sample_indices(generated, name="generated onsets")
    scores = finite_vector(confidence, name="onset confidence")
    heights = finite_vector(amplitude, name="onset amplitude")
    if not len(e) == len(scores) == len(heights):
        raise InputError(
            f"{len(e)} generated onsets need as many confidences and amplitudes, "
            f"got {len(scores)} and {len(heights)}"
        )
    if len(reference) == 0 and len(e) == 0:
        raise InputError(BOTH_EMPTY)
    thinned = suppress_onsets(e, scores)
    left = list(thinned)
    labels: list[float] = []
    ranks: list[float] = []
    hits = 0
    for onset in reference:
        near = [at for at, k in enumerate(left) if abs(e[k] - onset) < tolerance * RATE]
        labels.append(1.0)
        if not near:
            ranks.append(0.0)
            continue
        loudness = heights[[heard(at, left, thinned) for at in near]]
        match = left.pop(near[int(np.argsort(loudness, kind="stable")[-1])])
        hits += 1
        ranks.append(float(scores[match]))
        if not left:
            break
    return Ranking(
        accuracy=hits / len(reference) if len(reference) else 0.0,
        labels=np.array(labels + [0.0] * len(left)),
        scores=np.array(ranks + [float(scores[k]) for k in left]),
    )


def _match(
    reference: Floats, generated: Floats, confidence: Floats, amplitude: Floats, tolerance: float
) -> Ranking:
    r = sample_indices(reference, name="reference onsets")
    return ranked_onsets(
        r,
        generated,
        confidence,
        amplitude,
        tolerance=tolerance,
        heard=lambda at, left, thinned: left[at],
    )


def sample_indices(times: Floats, *, name: str) -> NDArray[np.int64]:
    """Times [s], float (n,), as the nearest sample indices at 22,050 Hz, int64 (n,).

    Raises:
        InputError: not one-dimensional, or a value that is not finite; ``name`` says which.
    """
    return np.rint(finite_vector(times, name=name) * RATE).astype(np.int64)


def silent_predictions(components: NDArray[np.float64]) -> str:
    """Remark on a set of clips: how many have no generated onset, and so average precision 1.

    Args:
        components: float64 (clips, 3) of :func:`onset_average_precision_condfoley_components`.
    """
    silent = int(np.count_nonzero((components[:, 2] == 0) & (components[:, 1] > 0)))
    if not silent:
        return ""
    return f"{silent} of {len(components)} clips have no generated onset and score 1 by definition"
