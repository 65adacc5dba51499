"""Intervals for values that are pooled from per-clip components.

Goal: how far the value would move with another draw of clips from the same source.

Conventions:
    Components are float64 (clips, k) as in :mod:`vsseval.metrics.pooling`. Clips are the unit that
    is resampled, with replacement; several takes of one item, and clips cut from one recording, are
    no new draws of the source, so they form a cluster that is drawn as one. The seed is an
    argument, the generator is PCG64.

Functions:
    bootstrap_interval      bias-corrected and accelerated (BCa) bootstrap interval
    contribution_interval   interval of a value of a whole set from what each clip adds to it
    bca_interval            the ends of BCa from resampled values and values with one left out
    too_few                 why there is no interval
    cluster_sums            components summed over the clips of each cluster
    holm                    p-values of several tests, adjusted so that any of them may be believed
    mean_and_deviation      of the values of several seeds

Edge cases:
    fewer than 10 clips (clusters)  None: too few to say
    all clips equal                 (value, value)

References:
    B. Efron (1987), Better bootstrap confidence intervals. Same draws and same interval as
    scipy.stats.bootstrap(method="BCa") of SciPy 1.17 for the same seed. S. Holm (1979), A simple
    sequentially rejective multiple test procedure.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from vsseval.metrics.pooling import Rule, numerator_and_denominator, pooled

LEAST_CLIPS = 10
"""Below this number of clips no interval is given."""
NORMAL_975 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
_DRAWS_AT_ONCE = 1 << 20


def bootstrap_interval(
    components: NDArray[np.float64],
    rule: Rule,
    *,
    seed: int,
    n_resamples: int = 2000,
    level: float = 0.95,
    clusters: Sequence[Hashable] | None = None,
) -> tuple[float, float] | None:
    """BCa bootstrap interval of a pooled value.

    With G the normal distribution function, z_q = G^-1(q), z0 the normal quantile of the share of
    resampled values below the value (ties count half) and a the acceleration from the jackknife
    values t_i, a = sum((t - t_i)^3) / (6 (sum (t - t_i)^2)^1.5), the ends are the quantiles of the
    resampled values at

        G( z0 + (z0 + z_q) / (1 - a (z0 + z_q)) ),   q = (1 - level) / 2 and (1 + level) / 2

    Args:
        components: float64 (clips, k).
        rule: how they are pooled, see :func:`vsseval.metrics.pooling.pool`.
        seed: seed of the resampling.
        n_resamples: number of resampled sets.
        level: share of such intervals that are to hold the true value.
        clusters: what each clip is drawn with: its item, or the group that this belongs to. None if
            every clip is drawn alone.

    Returns:
        Lower and upper end, or None below ten clips (clusters).

    Raises:
        InputError: as :func:`vsseval.metrics.pooling.pool`.
    """
    top, bottom = numerator_and_denominator(components, rule)
    if clusters is not None:
        top, bottom = cluster_sums(np.stack([top, bottom], axis=1), clusters).T
    if len(top) < LEAST_CLIPS:
        return None
    value = float(pooled(top, bottom, rule))
    resampled = _resample(top, bottom, rule, n_resamples, seed)
    left_out = pooled((top.sum() - top)[:, None], (bottom.sum() - bottom)[:, None], rule)
    return bca_interval(value, resampled, left_out, level=level)


def contribution_interval(
    value: float,
    contributions: NDArray[np.float64] | None,
    *,
    clusters: Sequence[Hashable] | None = None,
) -> tuple[float, float] | None:
    """95 % interval of a value of a whole set, value -+ 1.96 standard errors.

    The squared standard error is G / (G - 1) * sum_c (e_c - mean e)^2 over G items.

    Args:
        value: the value, not corrected for bias.
        contributions: e_c, float64 (items,), what each item adds to the value.
        clusters: the group of each item, where some are not independent of each other: their
            contributions are summed, and G counts groups.

    Returns:
        Lower and upper end, or None without contributions or below ten items (groups).
    """
    if contributions is not None and clusters is not None:
        contributions = cluster_sums(contributions[:, None], clusters)[:, 0]
    if contributions is None or len(contributions) < LEAST_CLIPS:
        return None
    reach = NORMAL_975 * standard_error(contributions)
    return value - reach, value + reach


def too_few(clips: int, groups: Sequence[Hashable] | None = None) -> str:
    """Why there is no interval, or nothing where there are enough clips (groups of clips)."""
    if clips < LEAST_CLIPS:
        return f"fewer than {LEAST_CLIPS} clips: no interval"
    if groups is not None and len(set(groups)) < LEAST_CLIPS:
        return f"fewer than {LEAST_CLIPS} groups of clips: no interval"
    return ""


def standard_error(contributions: NDArray[np.float64]) -> float:
    """Standard deviation over draws of a sum of independent contributions, float64 (items,)."""
    g = len(contributions)
    return float(np.sqrt(g / (g - 1) * ((contributions - contributions.mean()) ** 2).sum()))


def bca_interval(
    value: float,
    resampled: NDArray[np.float64],
    left_out: NDArray[np.float64],
    *,
    level: float = 0.95,
) -> tuple[float, float]:
    """Ends of the BCa interval; the formula is in :func:`bootstrap_interval`.

    Args:
        value: of all clips.
        resampled: float64 (draws,), values of resampled sets.
        left_out: float64 (clips,), values without each clip in turn.
        level: as :func:`bootstrap_interval`.
    """
    if np.ptp(resampled) == 0:
        return value, value
    n_resamples = len(resampled)
    below = (np.count_nonzero(resampled < value) + np.count_nonzero(resampled <= value)) / 2
    # Half a draw keeps the quantile finite when every resampled value lies on one side.
    share = np.clip(below, 0.5, n_resamples - 0.5) / n_resamples
    # Takes longer to import than all else that a shard needs, which has no interval.
    from scipy.special import ndtr, ndtri

    z0 = ndtri(share)
    z = z0 + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    quantiles = ndtr(z0 + z / (1 - _acceleration(left_out) * z))
    low, high = np.quantile(resampled, quantiles)
    return float(low), float(high)


def cluster_sums(columns: NDArray[np.float64], clusters: Sequence[Hashable]) -> NDArray[np.float64]:
    """Sums of the rows of each cluster, float64 (clusters, k), in the order of first appearance.

    Args:
        columns: float64 (clips, k).
        clusters: the cluster of each clip.
    """
    places: dict[Hashable, int] = {}
    at = [places.setdefault(cluster, len(places)) for cluster in clusters]
    sums = np.zeros((len(places), columns.shape[1]))
    np.add.at(sums, at, columns)
    return sums


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: rejecting those below alpha errs at all with at most alpha.

    The k-th smallest of m is multiplied by m - k + 1, raised to the one before it, cut at 1.
    """
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for place, at in enumerate(order):
        least = max(least, min(1.0, p_values[at] * (len(p_values) - place)))
        adjusted[at] = least
    return adjusted


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and standard deviation with divisor n - 1, of the values of two or more seeds."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1))


def _resample(
    top: NDArray[np.float64],
    bottom: NDArray[np.float64],
    rule: Rule,
    n_resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Pooled values of ``n_resamples`` sets of clips drawn with replacement."""
    generator = np.random.default_rng(seed)
    n = len(top)
    at_once = max(1, _DRAWS_AT_ONCE // n)
    values = []
    for start in range(0, n_resamples, at_once):
        drawn = generator.integers(0, n, (min(at_once, n_resamples - start), n))
        values.append(pooled(top[drawn], bottom[drawn], rule))
    return np.concatenate(values)


def _acceleration(left_out: NDArray[np.float64]) -> float:
    """Acceleration of BCa from the values with each clip left out in turn."""
    gaps = left_out.mean() - left_out
    spread = float(np.sum(gaps**2))
    return float(np.sum(gaps**3)) / (6.0 * spread**1.5) if spread > 0 else 0.0
