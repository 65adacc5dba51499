"""Paired comparison of two runs: scipy, sacreBLEU, closed forms, planted gaps, null draws."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from vsseval.errors import InputError
from vsseval.metrics.influence import frechet_influence
from vsseval.metrics.paired import (
    clips_to_flip,
    compare_influence,
    compare_paired,
    influence,
    margin_p_value,
    paired,
    shares,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "statistics_sacrebleu.json"
CASES = json.loads(REFERENCE.read_text())["cases"]


def rates(seed, n, worse=0.0, other_words=False):
    """Edits and words of two runs; the second makes ``worse`` more of its words wrong."""
    random = np.random.RandomState(seed)
    words = random.randint(1, 12, n).astype(float)
    first = np.stack([random.binomial(words.astype(int), 0.3).astype(float), words], axis=1)
    if other_words:
        words = words + random.randint(0, 3, n)
    edits = random.binomial(words.astype(int), 0.3 + worse).astype(float)
    return first, np.stack([edits, words], axis=1)


def ratio(top_a, bottom_a, top_b, bottom_b, axis=-1):
    return 100 * (top_b.sum(axis) / bottom_b.sum(axis) - top_a.sum(axis) / bottom_a.sum(axis))


def test_interval_equals_scipy_paired_bca_for_the_same_seed():
    first, second = rates(1, 60, 0.1, other_words=True)
    expected = scipy.stats.bootstrap(
        (*first.T, *second.T),
        ratio,
        paired=True,
        vectorized=True,
        n_resamples=2000,
        method="BCa",
        rng=np.random.default_rng(5),
    ).confidence_interval
    (found,) = compare_paired([paired(first, second, "percent_ratio")], seed=5, n_resamples=2000)
    np.testing.assert_allclose(found.interval, expected, rtol=1e-10)


@pytest.mark.parametrize("rule", ["mean", "percent_ratio"])
def test_all_exchanges_equal_scipy_permutation_test(rule):
    first, second = rates(2, 11, 0.25, other_words=True)

    def statistic(a, b, axis=-1):
        # Pairs are exchanged as places of clips, since a clip has two components.
        a, b = a.astype(int), b.astype(int)
        rows = np.concatenate([first, second])
        if rule == "mean":
            return rows[b, 0].mean(axis) - rows[a, 0].mean(axis)
        return ratio(rows[a, 0], rows[a, 1], rows[b, 0], rows[b, 1], axis)

    expected = scipy.stats.permutation_test(
        (np.arange(11), np.arange(11, 22)), statistic, permutation_type="samples"
    ).pvalue
    (found,) = compare_paired([paired(first, second, rule)], seed=0)
    assert found.p_value == pytest.approx(expected, rel=1e-12)
    assert 0.0 < found.p_value < 0.5


def test_random_exchanges_agree_with_scipy():
    first, second = rates(3, 50, 0.06)
    expected = scipy.stats.permutation_test(
        (second[:, 0] - first[:, 0],),
        lambda gap, axis: gap.mean(axis),
        permutation_type="samples",
        n_resamples=20000,
        rng=np.random.default_rng(0),
    ).pvalue
    (found,) = compare_paired([paired(first, second, "mean")], seed=0)
    # Two independent estimates: three standard deviations of their difference.
    assert abs(found.p_value - expected) < 3 * np.sqrt(expected * (1 / 20000 + 1 / 10000))


def sacrebleu_bootstrap(resampled, first, second):
    """p-value of sacreBLEU: absolute differences less their mean, above the observed one."""
    gaps = np.abs(resampled[1] - resampled[0])
    beyond = np.count_nonzero(gaps - gaps.mean() > abs(second - first))
    return (beyond + 1) / (len(gaps) + 1)


@pytest.mark.parametrize("name", CASES)
def test_resamples_equal_those_of_sacrebleu(name):
    case = CASES[name]
    first, second = (np.array(stats, dtype=float) for stats in case["stats"])
    # The same stream as numpy's choice with replacement.
    drawn = np.random.default_rng(12345).integers(0, len(first), (1000, len(first)))
    values = [100 * s[drawn, 0].sum(1) / s[drawn, 1].sum(1) for s in (first, second)]
    assert values[1].mean() == pytest.approx(case["bs"]["mean"], rel=1e-6)
    assert sacrebleu_bootstrap(values, case["bs"]["first"], case["bs"]["second"]) == pytest.approx(
        case["bs"]["p"], abs=2e-3
    )
    (found,) = compare_paired(
        [paired(first, second, "percent_ratio")], seed=12345, n_resamples=1000
    )
    assert (found.first, found.second) == pytest.approx((case["bs"]["first"], case["bs"]["second"]))
    gaps = values[1] - values[0]
    beyond = np.count_nonzero(np.abs(gaps - found.difference) >= abs(found.difference) - 1e-12)
    assert found.p_bootstrap == (beyond + 1) / 1001


@pytest.mark.parametrize("name", CASES)
def test_exchanges_agree_with_approximate_randomisation_of_sacrebleu(name):
    case = CASES[name]
    first, second = (np.array(stats, dtype=float) for stats in case["stats"])
    (found,) = compare_paired([paired(first, second, "percent_ratio")], seed=1)
    # sacreBLEU counts only exchanges that leave a larger difference, we count equal ones too.
    exchange = np.random.default_rng(1).integers(0, 2, (10000, len(first), 1))
    one = (first + exchange * (second - first)).sum(axis=1)
    other = (second - exchange * (second - first)).sum(axis=1)
    gaps = np.abs(100 * (other[:, 0] / other[:, 1] - one[:, 0] / one[:, 1]))
    larger, equal = (
        (np.count_nonzero(gaps > abs(found.difference) + slack) + 1) / 10001
        for slack in (1e-9, -1e-9)
    )
    p = case["ar"]["p"]
    assert abs(larger - p) < 3 * np.sqrt(2 * p / 10000)
    assert abs(equal - found.p_value) < 3 * np.sqrt(2 * equal / 10000)


@pytest.mark.parametrize("rule", ["mean", "percent_ratio"])
def test_p_values_of_runs_that_do_not_differ_are_uniform(rule):
    # Sums without ties, of which exchanges would count both.
    random = np.random.RandomState(0)
    words = random.randint(4, 12, (400, 40, 1)).astype(float)
    edits = random.gamma(2.0, words / 8, (2, 400, 40, 1))
    sides = [np.concatenate([side, words], axis=-1) for side in edits]
    # All in one call: metrics share their draws, not their clips.
    pairs = [paired(first, second, rule) for first, second in zip(*sides, strict=True)]
    found = compare_paired(pairs, seed=0, n_resamples=2000)
    for name in ("p_value", "p_bootstrap"):
        values = np.array([getattr(one, name) for one in found])
        below = [np.mean(values <= level) for level in (0.05, 0.25, 0.5, 0.75)]
        # Three binomial deviations; ties of counts and the bootstrap's own error leave some room.
        np.testing.assert_allclose(below, [0.05, 0.25, 0.5, 0.75], atol=0.065, err_msg=name)


def test_p_values_of_frechet_distances_that_do_not_differ_are_uniform():
    random = np.random.RandomState(0)
    values = []
    for _ in range(200):
        x = random.standard_normal((100, 3))
        runs = [
            frechet_influence(x, 0.5 * x + 0.8 * random.standard_normal((100, 3)) + 0.7)
            for _ in range(2)
        ]
        one, two = runs
        values.append(
            compare_influence(one.value, two.value, one.contributions, two.contributions).p_value
        )
    assert scipy.stats.kstest(values, "uniform").pvalue > 0.01


def test_influence_test_of_means_is_the_paired_t_test():
    random = np.random.RandomState(4)
    first, second = random.standard_normal(30), random.standard_normal(30) + 0.4
    found = compare_influence(
        first.mean(),
        second.mean(),
        (first - first.mean()) / 30,
        (second - second.mean()) / 30,
    )
    expected = scipy.stats.ttest_rel(second, first)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()), rel=1e-10)


def test_effect_size_of_a_mean_is_cohens_d_of_the_differences():
    first, second = rates(5, 30, 0.2)
    (found,) = compare_paired([paired(first, second, "mean")], seed=0, n_resamples=500)
    gaps = second[:, 0] - first[:, 0]
    assert found.effect_size == pytest.approx(gaps.mean() / gaps.std(ddof=1), rel=1e-12)
    assert found.standard_error == pytest.approx(gaps.std(ddof=1) / np.sqrt(30), rel=1e-12)


def test_detectable_difference_is_found_in_four_of_five_repetitions():
    # Differences N(0.5, 1.5^2) of 60 clips; MDD from the known deviation: 2.8016 * 1.5 / sqrt(60).
    random = np.random.RandomState(6)
    detectable = 2.8016 * 1.5 / np.sqrt(60)
    pairs = []
    for _ in range(400):
        hard = random.standard_normal((60, 1)) * 5
        pairs.append(
            paired(hard, hard + detectable + 1.5 * random.standard_normal((60, 1)), "mean")
        )
    found = compare_paired(pairs, seed=0, n_resamples=1000)
    assert np.mean([one.p_value < 0.05 for one in found]) == pytest.approx(0.8, abs=0.06)
    assert np.mean([one.detectable for one in found]) == pytest.approx(detectable, rel=0.03)


def test_influence_of_a_ratio_is_its_derivative():
    pair = paired(*rates(7, 20, 0.1, other_words=True), "percent_ratio")
    step = 1e-6
    for item in (0, 7):
        weight = np.ones(20)
        weight[item] += step
        moved = 100 * (weight @ pair.top) / (weight @ pair.bottom) - np.array(pair.values)
        np.testing.assert_allclose(moved / step, influence(pair)[item], rtol=1e-5)


def test_shares_are_differences_of_edits_where_words_agree():
    first, second = rates(8, 25, 0.2)
    pair = paired(first, second, "percent_ratio")
    expected = 100 * (second[:, 0] - first[:, 0]) / first[:, 1].sum()
    np.testing.assert_allclose(shares(pair), expected, atol=1e-12)


@pytest.mark.parametrize("rule", ["mean", "percent_ratio"])
def test_shares_add_up_to_the_difference(rule):
    pair = paired(*rates(9, 25, 0.2, other_words=True), rule)
    first, second = pair.values
    assert shares(pair).sum() == pytest.approx(second - first, rel=1e-12)


def test_clips_to_flip_counts_the_least_set():
    parts = np.array([3.0, -1.0, 0.5, 0.25, -0.25])
    assert clips_to_flip(parts) == 1
    parts = np.array([1.0, 1.0, 1.0, 1.0])
    assert clips_to_flip(parts) == 4
    for sign in (1, -1):
        parts = sign * np.array([2.0, 1.0, 1.0, -0.5, -1.0])
        removed = [
            size
            for size in range(6)
            for chosen in itertools.combinations(range(5), size)
            if sign * np.delete(parts, chosen).sum() <= 0
        ]
        assert clips_to_flip(parts) == min(removed)
    assert clips_to_flip(np.zeros(3)) == 0


def test_takes_of_an_item_are_exchanged_together():
    random = np.random.RandomState(10)
    item = np.repeat(np.arange(30), 4)
    # Items differ between the runs, takes of an item hardly do.
    first = random.standard_normal((30, 1))[item] + 0.05 * random.standard_normal((120, 1))
    second = random.standard_normal((30, 1))[item] + 0.05 * random.standard_normal((120, 1)) + 0.9
    (apart,) = compare_paired([paired(first, second, "mean")], seed=0, n_resamples=2000)
    (together,) = compare_paired(
        [paired(first, second, "mean", items=item.tolist())], seed=0, n_resamples=2000
    )
    assert together.n == 30
    assert apart.difference == pytest.approx(together.difference, rel=1e-12)
    means = [side.reshape(30, 4).mean(1) for side in (first, second)]
    expected = scipy.stats.ttest_rel(*means)
    assert together.p_value == pytest.approx(expected.pvalue, rel=0.3)
    assert together.p_value > 3 * apart.p_value
    assert together.standard_error == pytest.approx(together.difference / -expected.statistic)


def test_clips_that_one_run_lacks_leave_both():
    first, second = rates(11, 40, 0.1)
    first[3], second[5] = np.nan, np.nan
    kept = np.delete(np.arange(40), [3, 5])
    holes = paired(first, second, "percent_ratio")
    whole = paired(first[kept], second[kept], "percent_ratio")
    assert holes.values == whole.values
    (found,) = compare_paired([holes], seed=0, n_resamples=2000)
    (expected,) = compare_paired([whole], seed=0, n_resamples=2000)
    assert found.n == expected.n == 38
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-2)
    # Ends of two bootstraps, whose quantiles wander by about a fifth of a standard error.
    np.testing.assert_allclose(
        found.interval, expected.interval, atol=0.2 * expected.standard_error
    )


def test_runs_that_agree_have_p_value_one():
    first, _ = rates(12, 30)
    (found,) = compare_paired([paired(first, first, "mean")], seed=0, n_resamples=500)
    assert (found.difference, found.interval, found.p_value) == (0.0, (0.0, 0.0), 1.0)
    assert found.effect_size is None


def test_below_ten_clips_there_is_a_p_value_and_no_interval():
    first = np.arange(6.0)[:, None]
    (found,) = compare_paired([paired(first, first + 1.0, "mean")], seed=0)
    # Of 64 labellings the observed one and its mirror are as extreme.
    assert (found.interval, found.p_value) == (None, 2 / 64)


def test_a_single_clip_decides_nothing():
    (found,) = compare_paired([paired(np.array([[1.0]]), np.array([[2.0]]), "mean")], seed=0)
    assert (found.p_value, found.standard_error, found.detectable) == (1.0, None, None)


def test_how_many_draws_are_made_at_once_changes_nothing(monkeypatch):
    from vsseval.metrics import paired as module

    pair = paired(*rates(13, 40, 0.1), "percent_ratio")
    whole = compare_paired([pair], seed=1, n_resamples=500)
    monkeypatch.setattr(module, "_DRAWS_AT_ONCE", 120)
    assert compare_paired([pair], seed=1, n_resamples=500) == whole


def test_margin_is_exceeded_only_by_more_than_it():
    random = np.random.RandomState(14)
    parts = (2.0 + 0.5 * random.standard_normal(50)) / 50
    assert margin_p_value(parts, 0.0, seed=0) < 0.001
    assert margin_p_value(parts, 1.5, seed=0) < 0.001
    assert margin_p_value(parts, float(parts.sum()), seed=0) > 0.4
    assert margin_p_value(parts, 2.5, seed=0) > 0.99


def test_margin_of_zero_is_half_the_two_sided_p_value():
    first, second = rates(15, 12, 0.3)
    pair = paired(first, second, "mean")
    (both,) = compare_paired([pair], seed=0)
    # 4096 exchanges, all of them; ties at the observed value count on both sides.
    assert margin_p_value(shares(pair), 0.0, seed=0) == pytest.approx(both.p_value / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired(np.ones((2, 1)), np.ones((3, 1)), "mean"), "pair clip by clip"),
        (lambda: paired(np.full((2, 1), np.nan), np.ones((2, 1)), "mean"), "no clip was scored"),
        (
            lambda: compare_paired(
                [paired(np.ones((n, 1)), np.ones((n, 1)), "mean") for n in (2, 3)], seed=0
            ),
            "must list the same items",
        ),
        (lambda: compare_influence(1.0, 2.0, np.zeros(2), np.zeros(3)), "pair item by item"),
    ],
    ids=["lengths", "none", "items", "contributions"],
)
def test_what_does_not_pair_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
