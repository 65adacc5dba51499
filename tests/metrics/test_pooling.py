"""Pooling rules and the bootstrap interval."""

import numpy as np
import pytest
import scipy.stats

from vsseval.errors import InputError
from vsseval.metrics.pooling import pool
from vsseval.metrics.statistics import bootstrap_interval


def test_mean_takes_component_zero():
    assert pool(np.array([[1.0, 9.0], [3.0, 9.0]]), "mean") == 2.0


def test_percent_ratio_divides_sums():
    # (1 + 0) / (1 + 9) = 10 %, not the mean of 100 % and 0 %.
    assert pool(np.array([[1.0, 1.0], [0.0, 9.0]]), "percent_ratio") == 10.0


@pytest.mark.parametrize(
    ("components", "rule", "message"),
    [
        (np.zeros((0, 1)), "mean", "needs components"),
        (np.zeros(3), "mean", "needs components"),
        (np.zeros((3, 1)), "percent_ratio", r"\(clips, 2 or more\)"),
        (np.array([[np.nan]]), "mean", "not finite"),
        (np.array([[1.0, np.inf]]), "percent_ratio", "not finite"),
        (np.array([[1.0, 0.0]]), "percent_ratio", "denominators"),
        (np.ones((3, 1)), "median", "expected the rule"),
    ],
    ids=["no clips", "vector", "one column", "nan", "infinite", "zero", "rule"],
)
def test_bad_components_are_refused(components, rule, message):
    with pytest.raises(InputError, match=message):
        pool(components, rule)


@pytest.mark.parametrize("n", [10, 96], ids=["10 clips", "96 clips"])
@pytest.mark.parametrize("rule", ["mean", "percent_ratio"])
def test_interval_equals_scipy_bca_for_the_same_seed(n, rule):
    random = np.random.RandomState(n)
    words = random.randint(1, 9, n).astype(float)
    components = np.stack([random.poisson(words * 0.3), words], axis=1)
    top, bottom = components.T if rule == "percent_ratio" else (components[:, 0], np.ones(n))
    factor = 100.0 if rule == "percent_ratio" else 1.0

    def statistic(index, axis):
        return factor * top[index].sum(axis=axis) / bottom[index].sum(axis=axis)

    expected = scipy.stats.bootstrap(
        (np.arange(n),),
        statistic,
        vectorized=True,
        n_resamples=2000,
        method="BCa",
        rng=np.random.default_rng(7),
    ).confidence_interval
    interval = bootstrap_interval(components, rule, seed=7)
    np.testing.assert_allclose(interval, expected, rtol=1e-12)


def test_same_seed_same_interval_and_other_seed_another():
    components = np.random.RandomState(0).standard_normal((40, 1))
    first = bootstrap_interval(components, "mean", seed=1)
    assert bootstrap_interval(components, "mean", seed=1) == first
    assert bootstrap_interval(components, "mean", seed=2) != first


def test_interval_does_not_depend_on_how_many_draws_are_made_at_once(monkeypatch):
    from vsseval.metrics import statistics

    components = np.random.RandomState(0).standard_normal((40, 1))
    whole = bootstrap_interval(components, "mean", seed=1)
    monkeypatch.setattr(statistics, "_DRAWS_AT_ONCE", 120)
    assert bootstrap_interval(components, "mean", seed=1) == whole


def test_interval_covers_the_true_mean_about_as_often_as_it_says():
    # Skewed population with mean 1; 300 sets of 40. BCa covers 95 % up to O(1/n): accept 90-98 %.
    random = np.random.RandomState(0)
    covered = 0
    for seed in range(300):
        sample = random.exponential(1.0, (40, 1))
        low, high = bootstrap_interval(sample, "mean", seed=seed, n_resamples=500)
        covered += low <= 1.0 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_a_lower_level_gives_a_narrower_interval():
    components = np.random.RandomState(0).standard_normal((40, 1))
    wide = bootstrap_interval(components, "mean", seed=1)
    narrow = bootstrap_interval(components, "mean", seed=1, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_below_ten_clips_there_is_no_interval():
    assert bootstrap_interval(np.arange(9.0)[:, None], "mean", seed=0) is None
    assert bootstrap_interval(np.arange(10.0)[:, None], "mean", seed=0) is not None


def test_equal_clips_give_a_point():
    assert bootstrap_interval(np.full((20, 1), 3.0), "mean", seed=0) == (3.0, 3.0)


def test_one_odd_clip_still_gives_finite_ends():
    components = np.zeros((20, 1))
    components[0] = 1.0
    low, high = bootstrap_interval(components, "mean", seed=0)
    assert 0.0 <= low < high < 1.0
