"""Two runs on the same clips: which is better, by how much, how surely, and because of which clips.

Goal: a difference is judged on the clips that both runs scored, pair by pair, so that what makes a
clip hard for everybody drops out.

Conventions:
    The difference is second - first. A run's value is 100 or 1 times the sum of its numerators over
    the sum of its denominators, as in :mod:`vsseval.metrics.pooling`; numerators and denominators
    of a clip may both differ between the runs. Takes of one item are summed: the item is what is
    drawn and exchanged, or the group of items that are not independent of each other. Arithmetic is
    float64; seeds are arguments, the generator is PCG64. Every metric sees the same draws.

Functions:
    paired              the sums of two runs over their common clips
    clustered           the same by group of items
    compare_paired      interval, p-values, effect size and power of several metrics at once
    compare_influence   the same of a value of a whole set, such as a Frechet distance
    exchange_p_values   p-values alone, of many pairs of runs at once
    shares              what each clip adds to the difference
    margin_p_value      is a run worse by more than it may be?
    clips_to_flip       on how few clips a difference rests

Edge cases:
    fewer than 10 clips     no interval; exchanges are enumerated, so the p-value stays exact
    runs that agree         difference 0, p-value 1

References:
    B. Efron and R. Tibshirani (1993), An introduction to the bootstrap. E. W. Noreen (1989),
    Computer-intensive methods for testing hypotheses, for the exchange of runs clip by clip.
    P. Koehn (2004), Statistical significance tests for machine translation evaluation.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from vsseval.errors import InputError
from vsseval.metrics.pooling import Rule, numerator_and_denominator
from vsseval.metrics.statistics import LEAST_CLIPS, bca_interval, cluster_sums, standard_error

N_RESAMPLES = 10_000
POWER_REACH = 2.801585218112969
"""97.5 % and 80 % quantiles of the normal distribution, added: a difference of so many standard
errors is found in four of five repetitions."""
_DRAWS_AT_ONCE = 1 << 20
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Paired:
    """Sums of two runs over the same items."""

    top: NDArray[np.float64]
    """float64 (items, 2): numerators of the first and the second run; 0 where not scored."""
    bottom: NDArray[np.float64]
    """float64 (items, 2): denominators; 0 where not scored."""
    factor: float
    """1, or 100 for rates in percent."""

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Items that take part."""
        return (self.bottom != 0).any(axis=1) | (self.top != 0).any(axis=1)

    @property
    def values(self) -> tuple[float, float]:
        """Values of both runs."""
        first, second = self.factor * self.top.sum(axis=0) / self.bottom.sum(axis=0)
        return float(first), float(second)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two runs' common clips say of their difference."""

    first: float
    """Value of the first run over the common clips, in the metric's unit."""
    second: float
    """Value of the second run over them."""
    difference: float
    """Second - first."""
    interval: tuple[float, float] | None
    """95 % BCa interval of the difference; None below ten items."""
    p_value: float
    """Two-sided. Of clip scope by exchanging the runs within items; of set scope by Student's t of
    the contributions."""
    p_bootstrap: float | None
    """Two-sided, from resamples moved to a difference of 0; None for set scope."""
    standard_error: float | None
    """Of the difference; None for a single item."""
    effect_size: float | None
    """Difference over the standard deviation of what one item says of it (Cohen's d_z)."""
    detectable: float | None
    """Least difference that 80 % of such comparisons would find at the 5 % level."""
    n: int
    """Items in both runs, or groups of items that are drawn as one."""


def paired(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    rule: Rule,
    *,
    items: Sequence[Hashable] | None = None,
) -> Paired:
    """Sums of two runs over the clips that both scored.

    Args:
        first: components float64 (clips, k) of one run; not a number in rows that one of the two
            did not score.
        second: likewise of the other, in the same order of clips.
        rule: how they are pooled.
        items: the item of each clip, where there are several takes; None if each is its own.

    Raises:
        InputError: no clip that both scored, or as :func:`vsseval.metrics.pooling.pool`.
    """
    if len(first) != len(second):
        raise InputError(f"runs must pair clip by clip, got {len(first)} and {len(second)} clips")
    both = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    if not both.any():
        raise InputError("no clip was scored in both runs")
    columns = np.zeros((len(first), 4))
    for at, components in enumerate((first, second)):
        top, bottom = numerator_and_denominator(components[both], rule)
        columns[both, at], columns[both, 2 + at] = top, bottom
    if items is not None:
        columns = cluster_sums(columns, items)
    return Paired(columns[:, :2], columns[:, 2:], 100.0 if rule == "percent_ratio" else 1.0)


def clustered(pair: Paired, clusters: Sequence[Hashable] | None) -> Paired:
    """The sums by group: what is drawn and exchanged as one.

    Args:
        pair: of :func:`paired`.
        clusters: the group of each item, or None if each is drawn alone.
    """
    if clusters is None:
        return pair
    top, bottom = (cluster_sums(columns, clusters) for columns in (pair.top, pair.bottom))
    return Paired(top, bottom, pair.factor)


def compare_paired(
    pairs: Sequence[Paired], *, seed: int, n_resamples: int = N_RESAMPLES
) -> list[Comparison]:
    """Interval, p-values, effect size and power of the difference of each metric.

    The interval is BCa over items drawn with replacement, each with the sums of both runs. The
    p-value counts how often exchanging the two runs in a random half of the items leaves a
    difference at least as large; up to 2^n <= ``n_resamples`` all exchanges are made.

    Args:
        pairs: one for each metric, over the same items in the same order.
        seed: seed of the draws.
        n_resamples: number of resampled sets, and of exchanges.

    Raises:
        InputError: metrics over different numbers of items.
    """
    if len({len(pair.top) for pair in pairs}) > 1:
        raise InputError("metrics that are compared together must list the same items")
    if not pairs:
        return []
    resampled = _resampled_differences(pairs, seed, n_resamples)
    exchanged = exchange_p_values(pairs, seed=seed, n_resamples=n_resamples)
    return [
        _comparison(pair, drawn[np.isfinite(drawn)], p_value)
        for pair, drawn, p_value in zip(pairs, resampled, exchanged, strict=True)
    ]


def compare_influence(
    first: float,
    second: float,
    first_contributions: NDArray[np.float64],
    second_contributions: NDArray[np.float64],
    *,
    clusters: Sequence[Hashable] | None = None,
) -> Comparison:
    """Difference of two values of whole sets from what each item adds to each of them.

    With e_c the difference of the contributions of item c and G items, the squared standard error
    is G / (G - 1) * sum_c (e_c - mean e)^2, and the difference over it is referred to Student's t
    with G - 1 degrees of freedom. First-order: where both sets agree with the reference in
    distribution it is indicative only, and a bias that the two values do not share stays in.

    Args:
        first: value of the first run.
        second: value of the second.
        first_contributions: float64 (items,), those of the first run.
        second_contributions: likewise of the second, in the same order of items.
        clusters: the group of each item, where some are not independent of each other: their
            contributions are summed, and groups take the place of items. None if there are none.

    Raises:
        InputError: contributions of different numbers of items, or of none.
    """
    n = len(first_contributions)
    if n != len(second_contributions) or n == 0:
        raise InputError(
            f"contributions must pair item by item, got {n} and {len(second_contributions)}"
        )
    gap = second - first
    apart = second_contributions - first_contributions
    if clusters is not None:
        apart = cluster_sums(apart[:, None], clusters)[:, 0]
        n = len(apart)
    if n == 1:
        return Comparison(first, second, gap, None, 1.0, None, None, None, None, 1)
    error = standard_error(apart)
    p_value = 2.0 * float(stdtr(n - 1, -abs(gap) / error)) if error > 0 else float(gap == 0)
    reach = float(stdtrit(n - 1, 0.975)) * error
    interval = (gap - reach, gap + reach) if n >= LEAST_CLIPS else None
    return Comparison(first, second, gap, interval, p_value, None, *_sizes(gap, error, n), n)


def exchange_p_values(
    pairs: Sequence[Paired], *, seed: int, n_resamples: int = N_RESAMPLES
) -> list[float]:
    """Two-sided p-values of exchanging the runs within items, as :func:`compare_paired`.

    Args:
        pairs: over the same items in the same order.
        seed: seed of the exchanges.
        n_resamples: number of exchanges.
    """
    scored = [pair.scored for pair in pairs]
    together = [at for at, of in enumerate(scored) if 2 ** int(of.sum()) > n_resamples]
    apart = [at for at in range(len(pairs)) if at not in together]
    p_values = [1.0] * len(pairs)
    for group in [together, *([at] for at in apart)]:
        if not group:
            continue
        # Of few items all exchanges are made, and absent items must not multiply them.
        keep = scored[group[0]] if len(group) == 1 else np.ones(len(scored[0]), dtype=bool)
        for at, p_value in zip(
            group, _exchanged([pairs[at] for at in group], keep, seed, n_resamples), strict=True
        ):
            p_values[at] = p_value
    return p_values


def shares(pair: Paired) -> NDArray[np.float64]:
    """What each item adds to the difference, float64 (items,), their sum.

    With V a run's value and B the sum of its denominators, an item moves the value by
    (factor * top - V * bottom) / B to first order; the difference itself is spread by the mean of
    the two runs' denominators. For means it is the plain difference of the item over n.
    """
    weight = (pair.bottom / pair.bottom.sum(axis=0)).mean(axis=1)
    first, second = pair.values
    moved = influence(pair)
    return np.asarray(moved[:, 1] - moved[:, 0] + weight * (second - first))


def influence(pair: Paired) -> NDArray[np.float64]:
    """How far each item moves the values of both runs, float64 (items, 2), columns of sum 0."""
    values = np.array(pair.values)
    return np.asarray((pair.factor * pair.top - values * pair.bottom) / pair.bottom.sum(axis=0))


def margin_p_value(
    parts: NDArray[np.float64],
    margin: float,
    *,
    seed: int,
    n_resamples: int = N_RESAMPLES,
    clusters: Sequence[Hashable] | None = None,
) -> float:
    """One-sided p-value of a difference above a margin, by flipping signs.

    Under the margin n * share - margin has mean 0 or less; the signs of its items are flipped at
    random, or in all ways up to 2^n <= ``n_resamples``.

    Args:
        parts: float64 (items,), what each item adds to the difference, :func:`shares`.
        margin: the difference that is still allowed.
        seed: seed of the flips.
        n_resamples: number of flips.
        clusters: the group of each item, whose items are flipped as one; None if each is alone.
    """
    beyond = len(parts) * parts - margin
    if clusters is not None:
        beyond = cluster_sums(beyond[:, None], clusters)[:, 0]
    total = beyond.sum()
    slack = _ROUNDING * np.abs(beyond).sum()
    count = draws = 0
    for bits in _bits(len(beyond), seed, n_resamples):
        flipped = total - 2.0 * (bits @ beyond)
        count += int(np.count_nonzero(flipped >= total - slack))
        draws += len(bits)
    return _p_value(count, draws, len(beyond), n_resamples)


def clips_to_flip(parts: NDArray[np.float64]) -> int:
    """Least number of items without which the difference is gone; 0 if there is no difference.

    Args:
        parts: what each item adds to the difference, float64 (n,), of either sign.
    """
    total = float(parts.sum())
    if total == 0:
        return 0
    pulled = np.cumsum(np.sort(parts * np.sign(total))[::-1])
    return int(np.searchsorted(pulled, abs(total) * (1.0 - _ROUNDING))) + 1


def _comparison(pair: Paired, drawn: NDArray[np.float64], p_value: float) -> Comparison:
    scored = pair.scored
    n = int(scored.sum())
    first, second = pair.values
    gap = second - first
    if n == 1:
        return Comparison(first, second, gap, None, p_value, None, None, None, None, 1)
    moved = influence(pair)[scored]
    interval = None
    if n >= LEAST_CLIPS:
        rest_top, rest_bottom = (
            column.sum(axis=0) - column[scored] for column in (pair.top, pair.bottom)
        )
        without = pair.factor * rest_top / rest_bottom
        interval = bca_interval(gap, drawn, without[:, 1] - without[:, 0])
    slack = _ROUNDING * (abs(first) + abs(second))
    beyond = int(np.count_nonzero(np.abs(drawn - gap) >= abs(gap) - slack))
    p_bootstrap = (beyond + 1) / (len(drawn) + 1)
    error = standard_error(moved[:, 1] - moved[:, 0])
    return Comparison(first, second, gap, interval, p_value, p_bootstrap, *_sizes(gap, error, n), n)


def _sizes(gap: float, error: float, n: int) -> tuple[float, float | None, float]:
    """Standard error, effect size and least detectable difference."""
    effect = gap / (error * np.sqrt(n)) if error > 0 else None
    return error, None if effect is None else float(effect), POWER_REACH * error


def _resampled_differences(
    pairs: Sequence[Paired], seed: int, n_resamples: int
) -> NDArray[np.float64]:
    """Differences of the resampled sets, float64 (metrics, draws)."""
    generator = np.random.default_rng(seed)
    n = len(pairs[0].top)
    columns = np.concatenate([np.hstack([pair.top, pair.bottom]) for pair in pairs], axis=1)
    factors = np.array([pair.factor for pair in pairs])
    at_once = max(1, _DRAWS_AT_ONCE // n)
    found = []
    for start in range(0, n_resamples, at_once):
        rows = min(at_once, n_resamples - start)
        drawn = generator.integers(0, n, (rows, n))
        drawn += np.arange(rows)[:, None] * n
        # How often each item was drawn: sums of all metrics are then one product of matrices.
        weights = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        sums = (weights.astype(np.float64) @ columns).reshape(rows, len(pairs), 4)
        found.append(_difference(sums, factors))
    return np.concatenate(found).T


def _exchanged(
    pairs: Sequence[Paired], keep: NDArray[np.bool_], seed: int, n_resamples: int
) -> list[float]:
    tops, bottoms = (
        np.stack([getattr(pair, name)[keep] for pair in pairs], axis=1)
        for name in ("top", "bottom")
    )
    n = len(tops)
    moves = np.hstack([tops[..., 1] - tops[..., 0], bottoms[..., 1] - bottoms[..., 0]])
    whole = np.concatenate([tops.sum(axis=0), bottoms.sum(axis=0)], axis=1)
    factors = np.array([pair.factor for pair in pairs])
    values = np.array([pair.values for pair in pairs])
    gaps = np.abs(values[:, 1] - values[:, 0]) - _ROUNDING * np.abs(values).sum(axis=1)
    counts = np.zeros(len(pairs), dtype=np.int64)
    draws = 0
    for bits in _bits(n, seed, n_resamples):
        moved = bits @ moves
        up, down = moved[:, : len(pairs)], moved[:, len(pairs) :]
        sums = whole + np.stack([up, -up, down, -down], axis=2)
        counts += np.count_nonzero(np.abs(_difference(sums, factors)) >= gaps, axis=0)
        draws += len(bits)
    return [_p_value(int(count), draws, n, n_resamples) for count in counts]


def _difference(sums: NDArray[np.float64], factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Difference of values from sums (draws, metrics, 4): two numerators, two denominators."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = sums[..., :2] / sums[..., 2:]
    return np.asarray(factors * (values[..., 1] - values[..., 0]))


def _bits(n: int, seed: int, n_resamples: int) -> Iterator[NDArray[np.float64]]:
    """Blocks of rows of n zeros and ones: all 2^n of them if those are few, else random ones."""
    if 2**n <= n_resamples:
        yield (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(np.float64)
        return
    # A stream of its own, so that exchanges do not repeat the draws of the bootstrap.
    generator = np.random.default_rng([seed, 1])
    at_once = max(1, _DRAWS_AT_ONCE // n)
    for start in range(0, n_resamples, at_once):
        rows = min(at_once, n_resamples - start)
        # Whole words of 64 bits: narrower ones are buffered, and rows would depend on the blocks.
        words = generator.integers(0, 1 << 64, (rows, -(-n // 64)), dtype=np.uint64)
        yield np.unpackbits(words.view(np.uint8), axis=1, count=n).astype(np.float64)


def _p_value(count: int, draws: int, n: int, n_resamples: int) -> float:
    """Share of the draws; the observed labelling counts as one of the random ones."""
    return count / draws if 2**n <= n_resamples else (count + 1) / (draws + 1)
