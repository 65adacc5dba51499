"""Standard error, bias and contributions of a Frechet distance: derivative, jackknife, draws."""

import re

import numpy as np
import pytest
from scipy.linalg import sqrtm

from vsseval.bench.measure import peak_bytes
from vsseval.errors import InputError
from vsseval.metrics import influence as module
from vsseval.metrics.frechet import GaussianStatistics, frechet_distance, frechet_distance_between
from vsseval.metrics.influence import frechet_influence, frechet_set_value
from vsseval.metrics.paired import compare_influence


def sides(seed, n1, n2, d, gap=0.5):
    random = np.random.RandomState(seed)
    x = random.standard_normal((n1, d)) @ random.standard_normal((d, d))
    return x, random.standard_normal((n2, d)) @ random.standard_normal((d, d)) + gap


def in_clips(rows, sizes):
    return np.split(rows, np.cumsum(sizes)[:-1])


def by_gradient(x, y):
    """Influences of all rows of x from the gradient as textbooks print it: 2 D and I - T."""
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.real(sqrtm(s1))
    inverse = np.linalg.inv(root)
    transport = inverse @ np.real(sqrtm(root @ s2 @ root)) @ inverse
    rest = np.eye(len(s1)) - transport
    centred = x - x.mean(axis=0)
    moved = 2 * centred @ (x.mean(axis=0) - y.mean(axis=0))
    moved += ((centred @ rest) * centred).sum(axis=1)
    return moved - (1 - 1 / len(x)) * np.trace(rest @ s1), rest


def test_gradient_agrees_with_central_differences():
    x, y = sides(1, 200, 300, 5)
    _, gradient = by_gradient(x, y)
    other = GaussianStatistics(300, y.mean(axis=0), np.cov(y, rowvar=False) * 299)
    random = np.random.RandomState(2)
    direction = random.standard_normal((5, 5))
    direction = (direction + direction.T) * 1e-4
    s1 = np.cov(x, rowvar=False)
    up, down = (
        frechet_distance_between(GaussianStatistics(200, x.mean(axis=0), (s1 + h) * 199), other)
        for h in (direction, -direction)
    )
    assert (up - down) / 2 == pytest.approx(float((gradient * direction).sum()), rel=1e-5)


def test_influences_of_single_rows_equal_the_gradient_form():
    x, y = sides(3, 60, 60, 6)
    expected = by_gradient(x, y)[0] / 60 + by_gradient(y, x)[0] / 60
    np.testing.assert_allclose(frechet_influence(x, y).contributions, expected, rtol=1e-6)
    fixed = frechet_influence(x, y, pairing="fixed").contributions
    np.testing.assert_allclose(fixed, by_gradient(y, x)[0] / 60, rtol=1e-6)


@pytest.mark.parametrize("pairing", ["paired", "independent", "fixed"])
def test_contributions_sum_to_zero(pairing):
    x, y = sides(4, 80, 80, 4)
    estimate = frechet_influence(x, y, pairing=pairing)
    scale = np.abs(estimate.contributions).sum()
    assert abs(estimate.contributions.sum()) < 1e-12 * scale
    assert estimate.value == frechet_distance(x, y)


def left_out(x, y):
    """Distances with each pair of clips left out in turn."""
    keep = range(len(x))
    return np.array(
        [
            frechet_distance([x[j] for j in keep if j != i], [y[j] for j in keep if j != i])
            for i in keep
        ]
    )


@pytest.mark.parametrize("sizes", [[1] * 200, [4] * 50], ids=["rows", "clips of four rows"])
def test_agrees_with_the_jackknife(sizes):
    x, y = (in_clips(side, sizes) for side in sides(5, 200, 200, 5))
    estimate = frechet_influence(x, y)
    g = len(sizes)
    without = left_out(x, y)
    gaps = (g - 1) * (without.mean() - without)
    assert np.corrcoef(gaps, estimate.contributions)[0, 1] > 0.999
    error = np.sqrt((g - 1) / g * ((without - without.mean()) ** 2).sum())
    assert estimate.standard_error == pytest.approx(error, rel=0.03)
    assert estimate.bias == pytest.approx((g - 1) * (without.mean() - estimate.value), rel=0.12)


def test_both_sums_of_squares_agree():
    random = np.random.RandomState(6)
    white, weight = random.standard_normal((7, 3, 5)), random.standard_normal((7, 3))
    curvature = random.uniform(0, 1, (5, 5))
    curvature += curvature.T
    by_pairs = module._squares_by_pairs(white, weight, curvature)
    assert by_pairs == pytest.approx(
        module._squares_by_matrices(white, weight, curvature), rel=1e-12
    )


def test_bias_of_equal_spheres_has_its_closed_form():
    # Gaussian rows, both covariances 4 I: one side of n rows adds d * 4 * (d + 5) / (4 n).
    random = np.random.RandomState(7)
    x, y = 2 * random.standard_normal((4000, 6)), 2 * random.standard_normal((4000, 6)) + 1.0
    estimate = frechet_influence(x, y, pairing="independent")
    assert estimate.bias == pytest.approx(2 * 6 * 4 * 11 / (4 * 4000), rel=0.05)
    one = frechet_influence(x, y, pairing="fixed")
    assert one.bias == pytest.approx(6 * 4 * 11 / (4 * 4000), rel=0.05)


def test_error_of_a_pure_mean_gap_has_its_closed_form():
    # One dimension, equal rows but for a shift m: F = m^2, T = 1, I2 = 2 m (y - mu2).
    y = np.random.RandomState(8).standard_normal((50, 1))
    estimate = frechet_influence(y - 3.0, y, pairing="fixed")
    assert estimate.value == pytest.approx(9.0, rel=1e-9)
    expected = 2 * 3.0 * y.std(ddof=1) / np.sqrt(50)
    assert estimate.standard_error == pytest.approx(expected, rel=1e-9)


def test_a_video_on_both_sides_is_drawn_once():
    # The same shift for all clips: drawn as pairs the distance cannot move, apart it does.
    y = np.random.RandomState(9).standard_normal((50, 3))
    assert frechet_influence(y + 1.0, y).standard_error == pytest.approx(0.0, abs=1e-9)
    assert frechet_influence(y + 1.0, y).bias == pytest.approx(0.0, abs=1e-9)
    assert frechet_influence(y + 1.0, y, pairing="independent").standard_error > 0.1


@pytest.mark.parametrize("frames", [1, 5], ids=["single rows", "five alike rows a clip"])
def test_error_bias_and_coverage_over_draws(frames):
    # Paired clips of known Gaussians; the rows of a clip are alike, so clips are the unit.
    d, clips, draws = 4, 120, 150
    mixing = np.diag([1.0, 2.0, 0.5, 1.5])
    truth = float(np.sum(np.full(d, 0.4) ** 2)) + float(((np.diag(mixing) - 1) ** 2).sum())
    values, errors, biases, covered = [], [], [], 0
    for seed in range(draws):
        random = np.random.RandomState(seed)
        base = random.standard_normal((clips, 1, d)) * np.sqrt(0.7)
        x = (base + random.standard_normal((clips, frames, d)) * np.sqrt(0.3)) @ mixing
        y = random.standard_normal((clips, 1, d)) * np.sqrt(0.7)
        y = y + random.standard_normal((clips, frames, d)) * np.sqrt(0.3) + 0.4
        estimate = frechet_influence(list(x), list(y))
        values.append(estimate.value)
        errors.append(estimate.standard_error)
        biases.append(estimate.bias)
        gap = estimate.value - estimate.bias - truth
        covered += abs(gap) < 1.96 * estimate.standard_error
    # 150 draws leave 6 % on a standard deviation and 2 points on a coverage of 95 %.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)
    spread = np.std(values) / np.sqrt(draws)
    assert abs(np.mean(values) - np.mean(biases) - truth) < 3 * spread
    assert np.mean(biases) > 0
    assert covered >= 0.89 * draws


def test_dimensions_that_are_dead_on_both_sides_do_not_matter():
    x, y = sides(10, 60, 60, 3)
    dead = np.full((60, 2), 7.0)
    with_dead = frechet_influence(np.hstack([x, dead]), np.hstack([y, dead]))
    plain = frechet_influence(x, y)
    assert with_dead.standard_error == pytest.approx(plain.standard_error, rel=1e-9)
    assert with_dead.bias == pytest.approx(plain.bias, rel=1e-9)


def test_the_order_of_clips_only_moves_the_contributions():
    x, y = (in_clips(side, [2, 3, 1, 6] * 10) for side in sides(11, 120, 120, 3))
    estimate, backwards = frechet_influence(x, y), frechet_influence(x[::-1], y[::-1])
    np.testing.assert_allclose(backwards.contributions[::-1], estimate.contributions, rtol=1e-9)
    assert backwards.bias == pytest.approx(estimate.bias, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "clips", "d", "note"),
    [
        (8, 8, 12, r"no more rows \(8\) than dimensions \(12\): biased upwards, no interval"),
        (12, 12, 12, r"no more rows \(12\) than dimensions \(12\)"),
        (30, 1, 3, "a single clip: no interval"),
        (30, 9, 3, "fewer than 10 clips: no interval"),
    ],
)
def test_too_few_rows_or_clips_leave_the_value_and_a_note(n, clips, d, note):
    x, y = (np.array_split(side, clips) for side in sides(12, n, n, d))
    found = frechet_set_value(x, y)
    assert found.value == frechet_distance(x, y)
    assert found.interval is None
    assert re.match(note, found.note)


def test_a_singular_covariance_leaves_the_value_and_a_note():
    x, y = sides(13, 40, 40, 3)
    twice = frechet_set_value(x[:, [0, 1, 2, 2]], y[:, [0, 1, 2, 2]])
    assert (twice.interval, twice.note) == (None, "singular covariance: no interval")


def test_takes_leave_the_value_and_a_note():
    x, y = sides(14, 40, 80, 3)
    found = frechet_set_value(x, y)
    assert found.value == frechet_distance(x, y)
    assert (found.interval, found.note) == (None, "several takes of an item: no interval")


def test_the_interval_lies_around_the_corrected_value_and_says_so():
    x, y = sides(15, 40, 40, 3)
    estimate, found = frechet_influence(x, y), frechet_set_value(x, y)
    low, high = found.interval
    assert (low + high) / 2 == pytest.approx(estimate.value - estimate.bias, rel=1e-9)
    assert (high - low) / 2 == pytest.approx(1.96 * estimate.standard_error, rel=1e-4)
    assert found.note == f"interval around the value less its bias of {estimate.bias:.3g}"
    few = frechet_set_value(*sides(15, 20, 20, 3))
    assert few.note.endswith("only 6.7 rows a dimension, so the bias is underestimated")


def test_an_interval_never_reaches_below_zero():
    # One distribution on both sides: the value is bias alone.
    random = np.random.RandomState(3)
    x, y = random.standard_normal((2, 200, 4))
    estimate, found = frechet_influence(x, y), frechet_set_value(x, y)
    assert estimate.value - estimate.bias - 1.96 * estimate.standard_error < 0
    assert found.interval[0] == 0.0


def test_unequal_sides_do_not_pair():
    x, y = sides(16, 20, 30, 3)
    with pytest.raises(InputError, match="as many clips on both sides, got 20 and 30"):
        frechet_influence(x, y)
    assert frechet_influence(x, y, pairing="independent").standard_error > 0


# --- no more rows than dimensions ---


def test_form_without_inverse_equals_the_transport_where_both_exist():
    x, y = sides(20, 60, 80, 6)
    expected = frechet_influence(x, y, pairing="independent")
    first, second = module._influences_of_few_rows(x, y)
    np.testing.assert_allclose(second / 80, expected.contributions, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(first / 60, by_gradient(x, y)[0] / 60, rtol=1e-6)


def test_contributions_of_few_rows_are_derivatives_by_the_weights_of_rows():
    # Twelve rows in 20 dimensions. A weight v_k on the outer product of a centred row moves
    # tr S1 - 2 tr (S1^1/2 S2 S1^1/2)^1/2; the mean moves |D|^2 by 2 D'(x - mu1).
    x, y = sides(21, 12, 12, 20)
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    gap = x.mean(axis=0) - y.mean(axis=0)

    def spread(weights):
        root = np.sqrt(weights)[:, None] * xc @ yc.T / np.sqrt(11)
        return weights @ (xc * xc).sum(axis=1) - 2 * np.linalg.svd(root, compute_uv=False).sum()

    step = 1e-7
    expected = np.array(
        [
            (spread(1 / 11 + step * one) - spread(1 / 11 - step * one)) / (2 * step)
            for one in np.eye(12)
        ]
    )
    expected += 2 * xc @ gap
    found, _ = module._influences_of_few_rows(x, y)
    np.testing.assert_allclose(found, expected - expected.mean(), rtol=1e-5, atol=1e-5)


def test_few_rows_have_contributions_and_an_error_and_no_bias_and_no_interval():
    x, y = sides(22, 30, 30, 40)
    estimate, found = frechet_influence(x, y), frechet_set_value(x, y)
    assert estimate.bias is None
    assert estimate.standard_error > 0
    assert abs(estimate.contributions.sum()) < 1e-10
    assert found.interval is None
    np.testing.assert_array_equal(found.contributions, estimate.contributions)


def test_error_of_few_rows_is_within_a_third_of_the_spread_over_draws():
    random = np.random.RandomState(23)
    scale = np.linspace(2.0, 0.1, 64)
    values, errors = [], []
    for _ in range(120):
        x = random.standard_normal((40, 64)) * scale
        y = 0.5 * x + random.standard_normal((40, 64)) * scale + 0.3
        estimate = frechet_influence(x, y)
        values.append(estimate.value)
        errors.append(estimate.standard_error)
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.33)


def test_test_between_systems_with_few_rows_rarely_errs():
    # Two systems of one kind: at most 5 % of 150 tests, and three deviations of that count.
    random = np.random.RandomState(24)
    errs = 0
    for _ in range(150):
        x = random.standard_normal((30, 40))
        one, two = (
            frechet_influence(x, 0.5 * x + random.standard_normal((30, 40))) for _ in range(2)
        )
        found = compare_influence(one.value, two.value, one.contributions, two.contributions)
        errs += found.p_value < 0.05
    assert errs <= 150 * 0.05 + 3 * np.sqrt(150 * 0.05 * 0.95)


@pytest.mark.parametrize("pairing", ["paired", "independent", "fixed"])
def test_groups_of_clips_give_what_all_clips_at_once_do(pairing, monkeypatch):
    x, y = sides(31, 120, 90, 5)
    sizes = np.random.RandomState(32).randint(1, 7, 30)
    first = in_clips(x, (4,) * 30)
    if pairing == "paired":
        second = in_clips(np.resize(y, (sizes.sum(), 5)), sizes)
    else:
        second = in_clips(y, (9,) * 10)  # fewer clips than the other side has
    whole = frechet_influence(first, second, pairing=pairing)
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 100)
    parts = frechet_influence(first, second, pairing=pairing)
    assert parts.value == whole.value
    assert parts.standard_error == pytest.approx(whole.standard_error, rel=1e-12)
    assert parts.bias == pytest.approx(whole.bias, rel=1e-12)
    np.testing.assert_allclose(parts.contributions, whole.contributions, rtol=1e-9, atol=1e-14)


def test_many_rows_take_little_more_than_copies_of_both_sides(monkeypatch):
    x, y = sides(33, 20_000, 20_000, 64)
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 1 << 16)
    peak = peak_bytes(lambda: frechet_influence(list(x[:, None]), list(y[:, None])))
    # Both sides as matrices, one of them twice while it is stacked; all rows in all coordinates
    # at once, as before, were more than 12.
    assert peak < 5 * x.nbytes
