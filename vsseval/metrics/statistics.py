"""Intervals for values that are pooled from per-clip components.

Goal: how far the value would move with another draw of clips from the same source.

Conventions:
    Components are float64 (clips, k) as in :mod:`vsseval.metrics.pooling`. Clips are the unit that
    is resampled, with replacement; the seed is an argument, the generator is PCG64.

Functions:
    bootstrap_interval      bias-corrected and accelerated (BCa) bootstrap interval

Edge cases:
    fewer than 10 clips             None: too few to say
    all clips equal                 (value, value)

References:
    B. Efron (1987), Better bootstrap confidence intervals. Same draws and same interval as
    scipy.stats.bootstrap(method="BCa") of SciPy 1.17 for the same seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

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

    Returns:
        Lower and upper end, or None below ten clips.

    Raises:
        InputError: as :func:`vsseval.metrics.pooling.pool`.
    """
    top, bottom = numerator_and_denominator(components, rule)
    n = len(top)
    if n < LEAST_CLIPS:
        return None
    value = float(pooled(top, bottom, rule))
    resampled = _resample(top, bottom, rule, n_resamples, seed)
    if np.ptp(resampled) == 0:
        return value, value
    below = (np.count_nonzero(resampled < value) + np.count_nonzero(resampled <= value)) / 2
    # Half a draw keeps the quantile finite when every resampled value lies on one side.
    share = np.clip(below, 0.5, n_resamples - 0.5) / n_resamples
    z0 = ndtri(share)
    acceleration = _acceleration(top, bottom, rule)
    z = z0 + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    quantiles = ndtr(z0 + z / (1 - acceleration * z))
    low, high = np.quantile(resampled, quantiles)
    return float(low), float(high)


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


def _acceleration(top: NDArray[np.float64], bottom: NDArray[np.float64], rule: Rule) -> float:
    """Acceleration of BCa from the values with each clip left out in turn."""
    left_out = pooled((top.sum() - top)[:, None], (bottom.sum() - bottom)[:, None], rule)
    gaps = left_out.mean() - left_out
    spread = float(np.sum(gaps**2))
    return float(np.sum(gaps**3)) / (6.0 * spread**1.5) if spread > 0 else 0.0
