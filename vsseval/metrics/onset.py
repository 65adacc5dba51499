"""Onset metrics: does the sound start when the reference sound starts?

Goal: agreement of two lists of onset times. The detector is an encoder; here are only lists.

Conventions:
    Times are seconds, float (n,), finite; they are sorted here. Argument order (reference,
    generated). Values are fractions in [0, 1], higher is better.

Functions:
    match_onsets                    maximum one-to-one matching, with all counts
    onset_f1                        its F1; the honest default
    onset_offset_components         median absolute offset of matched pairs
    onset_accuracy                  profile onset-condfoley: hits / reference onsets
    onset_average_precision         profile onset-condfoley
    suppress_onsets                 50-ms thinning of profile onset-condfoley
    *_components                    component vectors for the METRICS table

Edge cases:
    no onsets on either side        InputError "no onsets on either side": nothing to compare
    no onsets on one side           F1 0, accuracy 0; no offset
    no pair within the window       F1 0; InputError from the offset
    no generated onsets             average precision **1.0** (flaw 1 below); F1 and accuracy 0
    no reference onsets             accuracy 0, average precision 0
    annotated onsets missing        InputError "no annotated onsets"

Flaws of profile onset-condfoley, kept because published tables contain them
    1. A missed onset enters the list of the average precision as a positive with score 0, and an
       all-positive list has precision 1 everywhere: silence scores 1.0.
    2. For the same reason one hit and ten misses without a false alarm score 1.0.
    3. Matching stops when the generated onsets run out, so later misses never enter the list.
    4. Each reference onset takes the loudest candidate in its window, not the nearest.
    5. The thinning removes items from the list that it walks, so it skips every second neighbour.
    Report F1 beside it, and read the average precision only where accuracy is high.

References:
    XYPB/CondFoleyGen at c565db7, predict_onset.py. mir_eval at fe73b35, onset.py. scikit-learn
    1.9, average_precision_score (recall-weighted mean of precisions, no interpolation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, finite_vector

_CONDFOLEY_RATE = 22050
"""CondFoleyGen compares onsets as sample indices at this rate [Hz]."""
_ROUNDING = 1e-9
"""Slack that keeps the window closed when times are not exact in binary [s]."""
_BOTH_EMPTY = "no onsets on either side"


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
        raise InputError(_BOTH_EMPTY)
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
    """:func:`onset_f1_components` against annotated onsets.

    Raises:
        InputError: no annotated onsets (a continuous sound), or as :func:`match_onsets`.
    """
    if len(onsets) == 0:
        raise InputError("no annotated onsets")
    return onset_f1_components(onsets, generated, window=window)


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


def onset_accuracy(
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
    return _condfoley(reference, generated, confidence, amplitude, tolerance)[0]


def onset_average_precision(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.1,
) -> float:
    """Average precision of profile onset-condfoley, with the flaws that the module lists.

    Matching as in :func:`onset_accuracy`. The list that is ranked holds (1, confidence) for a hit,
    (1, 0) for a miss and (0, confidence) for each candidate left over; misses after the last
    candidate is used up are left out. The value is scikit-learn's average precision of that list.

    Args:
        reference: as :func:`onset_accuracy`.
        generated: as :func:`onset_accuracy`.
        confidence: as :func:`onset_accuracy`.
        amplitude: as :func:`onset_accuracy`.
        tolerance: as :func:`onset_accuracy`.

    Returns:
        In [0, 1]; **1.0 for silence**, 0 if there are no reference onsets.

    Raises:
        InputError: as :func:`onset_accuracy`.

    Source: XYPB/CondFoleyGen at c565db7, predict_onset.py.
    """
    return _condfoley(reference, generated, confidence, amplitude, tolerance)[1]


def onset_accuracy_components(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.1,
) -> NDArray[np.float64]:
    """(accuracy, n_reference, n_generated before thinning) of :func:`onset_accuracy`."""
    value = onset_accuracy(reference, generated, confidence, amplitude, tolerance=tolerance)
    return np.array([value, len(reference), len(generated)], dtype=np.float64)


def onset_average_precision_components(
    reference: Floats,
    generated: Floats,
    confidence: Floats,
    amplitude: Floats,
    *,
    tolerance: float = 0.1,
) -> NDArray[np.float64]:
    """(value, n_reference, n_generated before thinning) of :func:`onset_average_precision`.

    An item with n_generated 0 has average precision 1 by flaw 1 of the module.
    """
    value = onset_average_precision(
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


def average_precision(labels: Floats, scores: Floats) -> float:
    """Sum over distinct scores, falling, of (recall gained) * (precision there).

    Args:
        labels: 1 for a positive, 0 for a negative, float (n,).
        scores: float (n,).

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
    gained = np.diff(hits, prepend=0.0) / labels.sum()
    return float(np.sum(gained * hits / seen))


def _condfoley(
    reference: Floats, generated: Floats, confidence: Floats, amplitude: Floats, tolerance: float
) -> tuple[float, float]:
    """Accuracy and average precision of one clip."""
    r = _sample_indices(reference, name="reference onsets")
    e = _sample_indices(generated, name="generated onsets")
    scores = finite_vector(confidence, name="onset confidence")
    heights = finite_vector(amplitude, name="onset amplitude")
    if not len(e) == len(scores) == len(heights):
        raise InputError(
            f"{len(e)} generated onsets need as many confidences and amplitudes, "
            f"got {len(scores)} and {len(heights)}"
        )
    if len(r) == 0 and len(e) == 0:
        raise InputError(_BOTH_EMPTY)
    candidates = suppress_onsets(e, scores)
    labels: list[float] = []
    ranks: list[float] = []
    hits = 0
    for onset in r:
        near = [k for k in candidates if abs(e[k] - onset) < tolerance * _CONDFOLEY_RATE]
        labels.append(1.0)
        if not near:
            ranks.append(0.0)
            continue
        match = near[int(np.argsort(heights[near], kind="stable")[-1])]
        hits += 1
        ranks.append(float(scores[match]))
        candidates.remove(match)
        if not candidates:
            break
    labels += [0.0] * len(candidates)
    ranks += [float(scores[k]) for k in candidates]
    accuracy = hits / len(r) if len(r) else 0.0
    return accuracy, average_precision(np.array(labels), np.array(ranks))


def _sample_indices(times: Floats, *, name: str) -> NDArray[np.int64]:
    """Times [s] as sample indices at 22,050 Hz."""
    return np.rint(finite_vector(times, name=name) * _CONDFOLEY_RATE).astype(np.int64)
