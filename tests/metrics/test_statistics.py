"""Coverage of intervals by simulation, clusters, contributions of sets, Holm, seeds."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from vsseval.metrics.divergence import inception_score, inception_set_value
from vsseval.metrics.influence import frechet_set_value
from vsseval.metrics.kernel import kernel_audio_distance, kernel_set_value
from vsseval.metrics.statistics import (
    bootstrap_interval,
    cluster_sums,
    contribution_interval,
    holm,
    mean_and_deviation,
    standard_error,
)


def coverage(intervals, truth):
    return np.mean([low <= truth <= high for low, high in intervals])


def test_95_percent_intervals_of_means_cover_93_to_97_percent():
    # Skewed clips (gamma, shape 4) with mean 1.
    random = np.random.RandomState(0)
    found = [
        bootstrap_interval(random.gamma(4.0, 0.25, (120, 1)), "mean", seed=seed, n_resamples=600)
        for seed in range(1500)
    ]
    assert 0.93 <= coverage(found, 1.0) <= 0.97


def test_95_percent_intervals_of_ratios_cover_93_to_97_percent():
    # 30 % of the words of each sentence are wrong, long sentences are harder.
    random = np.random.RandomState(1)
    found = []
    for seed in range(1500):
        words = random.randint(3, 12, 120)
        edits = random.binomial(words, words / 25.0)
        components = np.stack([edits, words], axis=1).astype(float)
        found.append(bootstrap_interval(components, "percent_ratio", seed=seed, n_resamples=600))
    sizes = np.arange(3, 12)
    truth = 100 * np.mean(sizes**2 / 25.0) / sizes.mean()
    assert 0.93 <= coverage(found, truth) <= 0.97


def test_takes_of_an_item_must_be_drawn_together_to_cover():
    # 80 items with 4 takes each; takes share three quarters of the variance.
    random = np.random.RandomState(2)
    item = np.repeat(np.arange(80), 4)
    together, apart = [], []
    for seed in range(800):
        clips = 3**0.5 * random.standard_normal((80, 1))[item] + random.standard_normal((320, 1))
        clusters = item.tolist()
        together.append(
            bootstrap_interval(clips, "mean", seed=seed, n_resamples=400, clusters=clusters)
        )
        apart.append(bootstrap_interval(clips, "mean", seed=seed, n_resamples=100))
    assert 0.93 <= coverage(together, 0.0) <= 0.97
    assert coverage(apart, 0.0) < 0.85


def test_one_take_an_item_is_no_cluster():
    clips = np.random.RandomState(3).standard_normal((40, 1))
    assert bootstrap_interval(clips, "mean", seed=1, clusters=list(range(40))) == (
        bootstrap_interval(clips, "mean", seed=1)
    )


def test_fewer_than_ten_items_have_no_interval_however_many_takes():
    clips = np.random.RandomState(4).standard_normal((36, 1))
    item = np.repeat(np.arange(9), 4).tolist()
    assert bootstrap_interval(clips, "mean", seed=0, clusters=item) is None


def test_cluster_sums_keep_the_order_of_appearance():
    columns = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    assert cluster_sums(columns, ["b", "a", "b"]).tolist() == [[5.0, 50.0], [2.0, 20.0]]


def test_holm_is_the_textbook_example():
    # Sorted .01 .02 .03 .04 times 4 3 2 1 is .04 .06 .06 .04, made monotone.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.4]) == [0.8, 0.8]
    assert holm([]) == []


def test_holm_errs_at_all_in_at_most_5_percent():
    p = np.random.RandomState(5).uniform(size=(4000, 12))
    assert np.mean([min(holm(row)) < 0.05 for row in p]) == pytest.approx(0.05, abs=0.011)


def test_deviation_over_seeds_divides_by_n_less_one():
    assert mean_and_deviation([1.0, 2.0, 6.0]) == pytest.approx((3.0, 7.0**0.5))


def test_standard_error_of_a_mean_is_the_textbook_one():
    clips = np.random.RandomState(6).standard_normal(50)
    expected = scipy.stats.sem(clips)
    assert standard_error((clips - clips.mean()) / 50) == pytest.approx(expected, rel=1e-12)
    assert contribution_interval(1.0, None) is None
    assert contribution_interval(1.0, np.zeros(9)) is None


# --- inception score ---


def logits(random, n):
    """Clips of 5 classes that a classifier is more or less sure of."""
    return 4.0 * random.dirichlet(np.full(5, 0.3), n) + random.standard_normal((n, 5))


def test_contributions_of_the_inception_score_are_those_of_leaving_clips_out():
    generated = logits(np.random.RandomState(7), 45)
    found = inception_set_value(generated, splits=1)
    without = np.array(
        [inception_score(np.delete(generated, at, axis=0), splits=1) for at in range(45)]
    )
    np.testing.assert_allclose(
        found.contributions, 44 / 45 * (without.mean() - without), atol=1e-12
    )
    # The jackknife: variance (n - 1) / n sum (v - mean v)^2.
    error = np.sqrt(44 / 45 * ((without - without.mean()) ** 2).sum())
    reach = 1.959963984540054 * error
    assert found.interval == pytest.approx((found.value - reach, found.value + reach), rel=1e-12)


def test_interval_of_the_inception_score_covers_its_expectation_at_that_size():
    random = np.random.RandomState(8)
    found = [inception_set_value(logits(random, 300), splits=3) for _ in range(700)]
    truth = np.mean([one.value for one in found])
    assert 0.93 <= coverage([one.interval for one in found], truth) <= 0.97


def test_splits_are_those_of_the_value():
    generated = logits(np.random.RandomState(9), 61)
    found = inception_set_value(generated, splits=10)
    assert found.value == inception_score(generated, splits=10)
    assert abs(found.contributions.sum()) < 1e-12


def test_takes_contribute_together_to_the_inception_score():
    generated = logits(np.random.RandomState(10), 60)
    apart = inception_set_value(generated, splits=2).contributions
    items = [at // 3 for at in range(60)]
    together = inception_set_value(generated, splits=2, items=items).contributions
    np.testing.assert_allclose(together, apart.reshape(20, 3).sum(axis=1), atol=1e-15)


# --- several takes of an item in distances between sets ---


@pytest.mark.parametrize("compute", [frechet_set_value, kernel_set_value])
def test_takes_of_an_item_form_one_cluster(compute):
    random = np.random.RandomState(11)
    reference = list(random.standard_normal((40, 3)))
    takes = [x + 0.5 + 0.3 * random.standard_normal(3) for x in reference for _ in range(2)]
    items = [at // 2 for at in range(80)]
    found = compute(reference, takes, items=items)
    stacked = compute(reference, [np.stack(takes[2 * at : 2 * at + 2]) for at in range(40)])
    assert (found.value, found.interval) == (stacked.value, stacked.interval)
    assert len(found.contributions) == 40
    # In another order of clips, as a run may give them.
    order = random.permutation(80)
    mixed = compute(reference, [takes[at] for at in order], items=[items[at] for at in order])
    np.testing.assert_allclose(mixed.contributions, found.contributions, atol=1e-12)


def test_contributions_of_the_kernel_distance_are_those_of_leaving_clips_out():
    random = np.random.RandomState(12)
    x = random.standard_normal((30, 3))
    y = x + 0.4 + 0.5 * random.standard_normal((30, 3))
    found = kernel_set_value(list(x), list(y))
    assert found.value == kernel_audio_distance(x, y)
    assert abs(found.contributions.sum()) < 1e-12
    reach = 1.959963984540054 * standard_error(found.contributions)
    assert found.interval == pytest.approx((found.value - reach, found.value + reach), rel=1e-12)
