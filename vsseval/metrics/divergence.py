"""Kullback-Leibler divergence of class posteriors, and the inception score.

Goal: does a clip sound like the same class as its reference (KL), and are generated clips clearly
of some class and of many classes (IS)? Both read the logits of a sound classifier.

Conventions:
    Logits are floats, (classes,) for a clip or (blocks, classes) for the analysis windows of a
    clip; windows are averaged as logits, before the softmax. Argument order (reference,
    generated). Logarithms are natural, arithmetic is float64. No epsilon is added anywhere but in
    the profiles that say so.

Functions:
    kl_divergence       KL(reference || generated) of one clip [nat], 0 is best
    kl_components       the same as a component vector for the METRICS table
    kl_epsilon_*, kl_reversed_*, kl_sigmoid_*
                        other published dialects of it; their values do not compare
    inception_score     of a set of generated clips, in [1, classes], higher is better
    inception_set_value the same with an interval, for the METRICS table

Edge cases:
    fewer clips than splits     InputError: a split would be empty
    one clip for each split     1.0 exactly, whatever the posteriors: IS falls with the set size
    logits that are not finite  InputError

References:
    hkchengrex/av-benchmark at 050a5cd, av_bench/metrics/kl.py and isc.py (profile avbench).
    T. Salimans et al. (2016), Improved techniques for training GANs, arXiv 1606.03498.
    toshas/torch-fidelity at 5e211a9 for the order of shuffling and splitting.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax, xlogy

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats
from vsseval.metrics.statistics import cluster_sums, contribution_interval, too_few
from vsseval.types import SetValue

_ENOUGH_CLIPS = 1000
_LEAST_IN_SPLIT = 5
"""Below this many clips in a split the jackknife says nothing of use."""


def kl_divergence(reference: Floats, generated: Floats) -> float:
    """Divergence of the class posterior of a generated clip from that of its reference, in nat.

        KL(p || q) = sum_c p_c (ln p_c - ln q_c),   p = softmax(reference), q = softmax(generated)

    Args:
        reference: logits, float (classes,) or (blocks, classes); blocks are averaged first.
        generated: likewise; the number of blocks may differ.

    Returns:
        Divergence in nat, >= 0; 0 iff the posteriors agree. Not symmetric.

    Raises:
        InputError: different numbers of classes, no blocks, or a value that is not finite.

    Source: hkchengrex/av-benchmark at 050a5cd, av_bench/metrics/kl.py (``kl_softmax``).
    """
    p, q = _pair(reference, generated)
    log_p, log_q = log_softmax(p), log_softmax(q)
    return max(0.0, float(np.sum(np.exp(log_p) * (log_p - log_q))))


def kl_components(reference: Floats, generated: Floats) -> NDArray[np.float64]:
    """:func:`kl_divergence` as float64 (1,)."""
    return np.array([kl_divergence(reference, generated)])


def kl_pieces_components(reference: Floats, generated: Floats) -> NDArray[np.float64]:
    """(mean over pieces of KL(reference || generated), pieces), profile audiocraft.

    Each piece of a clip has posteriors of its own, where :func:`kl_divergence` averages the logits
    of the rows first.

    Args:
        reference: logits, float (pieces, classes).
        generated: logits of the same pieces.

    Raises:
        InputError: different numbers of pieces, or as :func:`kl_divergence`.

    Source: facebookresearch/audiocraft at 896ec7c, audiocraft/metrics/kld.py.
    """
    r, g = np.atleast_2d(np.asarray(reference)), np.atleast_2d(np.asarray(generated))
    if len(r) != len(g):
        raise InputError(f"reference and generated differ in pieces: {len(r)} and {len(g)}")
    values = [kl_divergence(one, other) for one, other in zip(r, g, strict=True)]
    return np.array([np.mean(values), len(values)], dtype=np.float64)


def kl_epsilon_divergence(reference: Floats, generated: Floats, *, epsilon: float = 1e-6) -> float:
    """KL with a number added to the generated posterior before the logarithm (profile audioldm).

        sum_c p_c (ln p_c - ln(q_c + epsilon)),   p = softmax(reference), q = softmax(generated)

    Args:
        reference: as :func:`kl_divergence`.
        generated: as :func:`kl_divergence`.
        epsilon: what is added, > 0.

    Returns:
        Divergence in nat, at most ln(1 / epsilon); of equal posteriors slightly below 0.

    Raises:
        InputError: as :func:`kl_divergence`.

    Source: haoheliu/audioldm_eval at 8dc07ee, audioldm_eval/metrics/kl.py.
    """
    p, q = (softmax(side) for side in _pair(reference, generated))
    return float(np.sum(xlogy(p, p) - p * np.log(q + epsilon)))


def kl_epsilon_components(
    reference: Floats, generated: Floats, *, epsilon: float = 1e-6
) -> NDArray[np.float64]:
    """:func:`kl_epsilon_divergence` as float64 (1,)."""
    return np.array([kl_epsilon_divergence(reference, generated, epsilon=epsilon)])


def kl_reversed_components(
    reference: Floats, generated: Floats, *, epsilon: float = 1e-6
) -> NDArray[np.float64]:
    """KL(generated || reference), profile stable-audio, as float64 (1,).

    :func:`kl_epsilon_divergence` with the two sides exchanged: the expectation is over the
    generated posterior, and epsilon is added to that of the reference.

    Args:
        reference: as :func:`kl_divergence`.
        generated: as :func:`kl_divergence`.
        epsilon: what is added, > 0.

    Raises:
        InputError: as :func:`kl_divergence`.

    Source: Stability-AI/stable-audio-metrics at fd55536, src/passt_kld.py.
    """
    return np.array([kl_epsilon_divergence(generated, reference, epsilon=epsilon)])


def kl_sigmoid_components(
    reference: Floats, generated: Floats, *, epsilon: float = 0.0
) -> NDArray[np.float64]:
    """One-sided KL of independent classes, as float64 (1,).

        sum_c p_c (ln p_c - ln(q_c + epsilon)),   p = sigmoid(reference), q = sigmoid(generated)

    The terms (1 - p_c) ln((1 - p_c) / (1 - q_c)) of a divergence between yes-or-no answers are
    missing, so the sum can be negative and a classifier that is sure of everything scores well.

    Args:
        reference: as :func:`kl_divergence`.
        generated: as :func:`kl_divergence`.
        epsilon: what is added: 1e-6 in profile audioldm, 0 in profile avbench.

    Raises:
        InputError: as :func:`kl_divergence`.

    Source: audioldm_eval at 8dc07ee and av-benchmark at 050a5cd, ``kl_sigmoid`` in kl.py.
    """
    p, q = _pair(reference, generated)
    log_q = np.log(expit(q) + epsilon) if epsilon else log_expit(q)
    return np.array([np.sum(expit(p) * (log_expit(p) - log_q))])


def inception_score(
    generated: Floats | Sequence[Floats], *, splits: int = 10, shuffle_seed: int = 2020
) -> float:
    """Inception score of a set of clips.

        IS = mean over splits of exp( mean_{i in split} KL(p_i || mean of p over the split) )

    Clips are shuffled by ``numpy.random.RandomState(shuffle_seed).permutation`` and cut at
    floor(k n / splits). The caller passes them sorted by item id: the order decides the splits.

    Args:
        generated: logits, float (n, classes), or a sequence of one (classes,) or (blocks, classes)
            array for each clip, sorted by item id; blocks are averaged first.
        splits: number of splits.
        shuffle_seed: seed of the legacy generator.

    Returns:
        Score in [1, classes]: 1 for equal posteriors, the number of classes for sure and evenly
        spread ones. Values at different set sizes do not compare.

    Raises:
        InputError: fewer clips than splits, unequal numbers of classes, or a value that is not
            finite.

    Reference: Salimans et al. (2016), section 4. Source: av-benchmark at 050a5cd, isc.py.
    """
    return float(
        np.mean([_split_score(part) for _, part in _splits(generated, splits, shuffle_seed)])
    )


def inception_set_value(
    generated: Sequence[Floats],
    *,
    splits: int = 10,
    shuffle_seed: int = 2020,
    items: Sequence[int] | None = None,
    groups: Sequence[int] | None = None,
) -> SetValue:
    """:func:`inception_score` with a jackknife interval, and a warning below 1,000 clips.

    A clip is left out of the split it is in, the other splits held. With S_k the score of its split
    of n_k clips, S_k(-c) the one without it and K splits, clip c contributes

        (n_k - 1) / (n_k K) * ( mean over the split of S_k(-i) - S_k(-c) )

    and the interval is that of :func:`vsseval.metrics.statistics.contribution_interval`: where
    the score of another such set of as many clips would lie. No interval where a split has fewer
    than 5 clips.

    Args:
        generated: as :func:`inception_score`.
        splits: as :func:`inception_score`.
        shuffle_seed: as :func:`inception_score`.
        items: for each clip the item it is a take of, whose contributions are summed; None if each
            clip is an item of its own.
        groups: for each item the number of its group, where some are not independent of each other:
            the interval is then that of drawing whole groups.

    Raises:
        InputError: as :func:`inception_score`.
    """
    n = len(generated)
    parts = _splits(generated, splits, shuffle_seed)
    value = float(np.mean([_split_score(part) for _, part in parts]))
    notes = [f"{n} clips: below {_ENOUGH_CLIPS} it falls with their number"] * (n < _ENOUGH_CLIPS)
    if n // splits < _LEAST_IN_SPLIT:
        return SetValue(value, None, "; ".join([*notes, "too few in a split: no interval"]))
    contributions = np.empty(n)
    for places, part in parts:
        without = _split_scores_without(part)
        share = (len(part) - 1) / (len(part) * splits)
        contributions[places] = share * (without.mean() - without)
    if items is not None:
        contributions = cluster_sums(contributions[:, None], items)[:, 0]
    interval = contribution_interval(value, contributions, clusters=groups)
    notes += [few] if (few := too_few(n, groups)) else []
    return SetValue(value, interval, "; ".join(notes), contributions)


def _splits(
    generated: Floats | Sequence[Floats], splits: int, shuffle_seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Places of the clips of each split, and their log posteriors (clips, classes)."""
    n = len(generated)
    if n < splits:
        raise InputError(f"an inception score over {splits} splits needs {splits} clips, got {n}")
    clips = [_clip_logits(clip, name="generated") for clip in generated]
    if len({clip.size for clip in clips}) != 1:
        raise InputError("generated clips differ in classes; all must come from one classifier")
    # The legacy generator is part of the definition: published scores use this permutation.
    order = np.random.RandomState(shuffle_seed).permutation(n)
    log_p = log_softmax(np.stack(clips)[order], axis=1)
    ends = [k * n // splits for k in range(splits + 1)]
    return [(order[start:end], log_p[start:end]) for start, end in itertools.pairwise(ends)]


def _split_score(log_p: NDArray[np.float64]) -> float:
    """Exponential of the mean divergence from the marginal of a split (clips, classes)."""
    marginal = np.exp(log_p).mean(axis=0)
    # A class whose posterior underflows in every clip contributes 0, not 0 * log 0.
    log_marginal = np.log(np.where(marginal > 0, marginal, 1.0))
    return float(np.exp((np.exp(log_p) * (log_p - log_marginal)).sum(axis=1).mean()))


def _split_scores_without(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores without each clip in turn: exp of mean negative entropy less that of the mean."""
    p = np.exp(log_p)
    n = len(p)
    own = (p * log_p).sum(axis=1)
    marginals = np.maximum((p.sum(axis=0) - p) / (n - 1), 0.0)
    means = (own.sum() - own) / (n - 1)
    return np.asarray(np.exp(means - xlogy(marginals, marginals).sum(axis=1)))


def _pair(reference: Floats, generated: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits of both sides of a clip, each (classes,); InputError if they differ in classes."""
    p = _clip_logits(reference, name="reference")
    q = _clip_logits(generated, name="generated")
    if p.shape != q.shape:
        raise InputError(
            f"reference and generated differ in classes: {p.size} and {q.size}; "
            "both must come from one classifier"
        )
    return p, q


def _clip_logits(logits: Floats, *, name: str) -> NDArray[np.float64]:
    """Mean over the blocks as float64 (classes,)."""
    blocks = np.atleast_2d(np.asarray(logits, dtype=np.float64))
    if blocks.ndim != 2 or 0 in blocks.shape:
        raise InputError(
            f"{name} logits must be (classes,) or (blocks, classes), got {np.shape(logits)}"
        )
    if not np.isfinite(blocks).all():
        raise InputError(f"{name} logits hold a value that is not finite")
    return np.asarray(blocks.mean(axis=0))
