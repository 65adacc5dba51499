"""Onset metrics: does the sound start when the reference sound starts?

Goal: agreement of two lists of onset times. The detector is an encoder; here are only lists.

Conventions:
    Times are seconds, float (n,), finite; F1 sorts them. Argument order (reference, generated).
    Values are fractions in [0, 1], higher is better.

Functions:
    match_onsets                    maximum one-to-one matching, with all counts
    onset_f1                        its F1
    onset_f1_outside                F1 of the onsets outside given intervals, such as speech
    onset_offset_components         median absolute offset of matched pairs
    onset_average_precision         area under precision over recall, onsets ranked by loudness
    average_precision               the area for any ranked list
    *_components                    component vectors for the METRICS table

Edge cases:
    no onsets on either side        InputError "no onsets on either side": nothing to compare
    no onsets on one side           F1 0, average precision 0; no offset
    no pair within the window       F1 0, average precision 0; InputError from the offset
    annotated onsets missing        InputError "no annotated onsets"
    all onsets within speech        InputError "no onsets on either side outside speech"

The published dialects, whose average precision of silence is 1, are in ``onset_condfoley`` and
``onset_mmaudio``.

References:
    mir_eval at fe73b35, onset.py. M. Everingham et al. (2010), The PASCAL visual object classes
    challenge, for the average precision of detections. scikit-learn 1.9, average_precision_score
    (recall-weighted mean of precisions, no interpolation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector

_ROUNDING = 1e-9
"""Slack that keeps the window closed when times are not exact in binary [s]."""
BOTH_EMPTY = "no onsets on either side"
"""Reason of exclusion where there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class OnsetMatch:
    """A one-to-one matching of generated to reference onsets."""

    n_reference: int
    """Number of reference onsets."""
    n_generated: int
    """Number of generated onsets."""
    offsets: NDArray[np.float64]
    """Generated minus reference time of each matched pair [s], in time order."""

    @property
    def precision(self) -> float:
        """Matched share of the generated onsets; 0 if there are none."""
        return len(self.offsets) / self.n_generated if self.n_generated else 0.0

    @property
    def recall(self) -> float:
        """Matched share of the reference onsets; 0 if there are none."""
        return len(self.offsets) / self.n_reference if self.n_reference else 0.0

    @property
    def f1(self) -> float:
        """2 matched / (reference + generated)."""
        return 2 * len(self.offsets) / (self.n_reference + self.n_generated)


def match_onsets(reference: Floats, generated: Floats, *, window: float = 0.1) -> OnsetMatch:
    """Largest one-to-one matching over pairs that lie at most ``window`` apart.

    Both lists are walked in time order and the earlier onset is given up when two are too far
    apart; for windows of equal width no matching is larger.

    Args:
        reference: onset times [s], float (n,).
        generated: onset times [s], float (m,).
        window: largest distance that counts, inclusive [s].

    Raises:
        InputError: both lists are empty, a time that is not finite, or a negative window.

    Reference: same F1 as mir_eval.onset.f_measure (mir_eval at fe73b35).
    """
    r = np.sort(finite_vector(reference, name="reference onsets"))
    e = np.sort(finite_vector(generated, name="generated onsets"))
    if window < 0:
        raise InputError(f"the onset window must not be negative, got {window} s")
    if len(r) == 0 and len(e) == 0:
        raise InputError(BOTH_EMPTY)
    offsets = []
    i = j = 0
    while i < len(r) and j < len(e):
        offset = float(e[j] - r[i])
        if abs(offset) <= window + _ROUNDING:
            offsets.append(offset)
            i += 1
            j += 1
        elif offset > 0:
            i += 1
        else:
            j += 1
    return OnsetMatch(len(r), len(e), np.array(offsets, dtype=np.float64))


def onset_f1(reference: Floats, generated: Floats, *, window: float = 0.1) -> float:
    """F1 of generated onsets against reference onsets: 2 matched / (n_reference + n_generated).

    Args:
        reference: onset times [s], float (n,).
        generated: onset times [s], float (m,).
        window: largest distance that counts, inclusive [s].

    Returns:
        In [0, 1]; 1 iff all onsets pair up, 0 if one list is empty. Symmetric.

    Raises:
        InputError: as :func:`match_onsets`.
    """
    return match_onsets(reference, generated, window=window).f1


def onset_f1_components(
    reference: Floats, generated: Floats, *, window: float = 0.1
) -> NDArray[np.float64]:
    """(f1, matched, n_reference, n_generated, sum of |offset| [s]) of :func:`match_onsets`."""
    match = match_onsets(reference, generated, window=window)
    return np.array(
        [
            match.f1,
            len(match.offsets),
            match.n_reference,
            match.n_generated,
            np.abs(match.offsets).sum(),
        ],
        dtype=np.float64,
    )


def annotated_onset_f1_components(
    onsets: Floats, generated: Floats, *, window: float = 0.1
) -> NDArray[np.float64]:
    """:func:`onset_f1_components` against annotated onsets [s], float (n,).

    Raises:
        InputError: no annotated onsets (a continuous sound), or as :func:`match_onsets`.
    """
    if len(onsets) == 0:
        raise InputError("no annotated onsets")
    return onset_f1_components(onsets, generated, window=window)


def onset_f1_outside(
    spans: Floats,
    reference: Floats,
    generated: Floats,
    *,
    window: float = 0.1,
    margin: float = 0.1,
) -> NDArray[np.float64]:
    """F1 of the onsets outside some intervals: 2 P R / (P + R), 0 if nothing is matched.

    An onset counts if it lies more than ``margin`` outside every interval. P is the share of the
    generated onsets that count and have a reference onset in the one-to-one matching with all
    reference onsets; R is the share of the reference onsets that count and have a generated one,
    likewise. So an onset near the edge may have its partner on the other side of it. As the margin
    is no smaller than the window, the partner is never an onset within an interval.

    Args:
        spans: (start, end) of each interval [s], float (k, 2); empty for none.
        reference: onset times [s], float (n,).
        generated: onset times [s], float (m,).
        window: largest distance that counts, inclusive [s].
        margin: how far beyond an interval its sound may reach [s].

    Returns:
        (value, reference onsets that are matched, that count, generated onsets that are matched,
        that count). The value lies in [0, 1], is symmetric, and without intervals is
        :func:`onset_f1`.

    Raises:
        InputError: no onset counts on either side, a margin below the window, or as
            :func:`match_onsets`.
    """
    if margin < window:
        raise InputError(f"the margin must be at least the window, got {margin} and {window} s")
    edges = np.asarray(spans, dtype=np.float64).reshape(-1, 2)
    sides = [finite_vector(side, name="onsets") for side in (reference, generated)]
    counted = [_outside(side, edges, margin) for side in sides]
    if not counted[0].size and not counted[1].size:
        raise InputError(f"{BOTH_EMPTY} outside speech")
    hits = [
        len(match_onsets(mine, others, window=window).offsets) if mine.size else 0
        for mine, others in zip(counted, reversed(sides), strict=True)
    ]
    recall, precision = (hit / max(1, mine.size) for hit, mine in zip(hits, counted, strict=True))
    total = recall + precision
    value = 2 * recall * precision / total if total else 0.0
    return np.array([value, hits[0], counted[0].size, hits[1], counted[1].size], dtype=np.float64)


def _outside(times: Floats, edges: Floats, margin: float) -> NDArray[np.float64]:
    """The times that are more than ``margin`` from every interval (start, end)."""
    if not len(edges):
        return np.asarray(times, dtype=np.float64)
    distance = np.maximum(edges[:, 0] - times[:, None], times[:, None] - edges[:, 1])
    return np.asarray(times[(distance > margin + _ROUNDING).all(axis=1)], dtype=np.float64)


def onset_offset_components(
    reference: Floats, generated: Floats, *, window: float = 0.2
) -> NDArray[np.float64]:
    """(median |offset| [s], matched, n_reference, n_generated) of :func:`match_onsets`.

    What is missed or added does not count: read it beside F1 at the same window.

    Args:
        reference: onset times [s], float (n,).
        generated: onset times [s], float (m,).
        window: largest distance that counts, inclusive [s].

    Raises:
        InputError: no pair within the window, or as :func:`match_onsets`.
    """
    match = match_onsets(reference, generated, window=window)
    if len(match.offsets) == 0:
        raise InputError(f"no onsets within {window:g} s of each other")
    median = float(np.median(np.abs(match.offsets)))
    counts = [len(match.offsets), match.n_reference, match.n_generated]
    return np.array([median, *counts], dtype=np.float64)


def onset_average_precision(
    reference: Floats, generated: Floats, confidence: Floats, *, window: float = 0.1
) -> float:
    """Average precision of generated onsets as detections of the reference onsets.

    Generated onsets are taken by falling confidence (of equals the earlier first). Each that finds
    a reference onset at most ``window`` away which none before it took is right, and takes the
    nearest; the others are wrong. With precision and recall after each distinct confidence, recall
    being a share of **all** reference onsets, the value is the sum of (recall gained) * precision.

    Args:
        reference: onset times [s], float (n,).
        generated: onset times [s], float (m,).
        confidence: how sure or how loud each generated onset is, float (m,).
        window: largest distance that counts, inclusive [s].

    Returns:
        In [0, 1]; 1 iff every reference onset is found before any false alarm; 0 if one list is
        empty, so silence scores 0. Asymmetric.

    Raises:
        InputError: both lists are empty, lists of different lengths, a value that is not finite,
            or a negative window.

    Reference: Everingham et al. (2010), section 4.2.
    """
    r = finite_vector(reference, name="reference onsets")
    e = finite_vector(generated, name="generated onsets")
    scores = finite_vector(confidence, name="onset confidence")
    if window < 0:
        raise InputError(f"the onset window must not be negative, got {window} s")
    if len(e) != len(scores):
        raise InputError(f"{len(e)} generated onsets need as many confidences, got {len(scores)}")
    if len(r) == 0 and len(e) == 0:
        raise InputError(BOTH_EMPTY)
    free = np.ones(len(r), dtype=bool)
    right = np.zeros(len(e))
    for k in np.lexsort((e, -scores)):
        distance = np.where(free, np.abs(r - e[k]), np.inf)
        if len(r) and distance.min() <= window + _ROUNDING:
            free[distance.argmin()] = False
            right[k] = 1.0
    return average_precision(right, scores, n_positives=len(r))


def onset_average_precision_components(
    reference: Floats, generated: Floats, confidence: Floats, *, window: float = 0.1
) -> NDArray[np.float64]:
    """(value, n_reference, n_generated) of :func:`onset_average_precision`."""
    value = onset_average_precision(reference, generated, confidence, window=window)
    return np.array([value, len(reference), len(generated)], dtype=np.float64)


def average_precision(labels: Floats, scores: Floats, *, n_positives: int | None = None) -> float:
    """Sum over distinct scores, falling, of (recall gained) * (precision there).

    Args:
        labels: 1 for a positive, 0 for a negative, float (n,).
        scores: float (n,).
        n_positives: what recall is a share of; None for the positives of the list.

    Returns:
        In [0, 1]; 0 if there is no positive.

    Source: definition of scikit-learn's average_precision_score.
    """
    labels, scores = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if labels.sum() == 0:
        return 0.0
    order = np.argsort(-scores, kind="stable")
    labels, scores = labels[order], scores[order]
    last_of_score = np.append(np.diff(scores) != 0, True)
    hits = np.cumsum(labels)[last_of_score]
    seen = (np.arange(len(labels)) + 1)[last_of_score]
    gained = np.diff(hits, prepend=0.0) / (n_positives or labels.sum())
    return float(np.sum(gained * hits / seen))
