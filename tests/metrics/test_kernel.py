"""Kernel audio distance: independent values, closed forms, bandwidth rules, blocks."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from vsseval.errors import InputError
from vsseval.metrics import kernel
from vsseval.metrics.kernel import kernel_audio_distance, kernel_set_value, median_distance

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_kernel.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]


def gaussian_rows(seed, n1, n2, d, gap):
    random = np.random.RandomState(seed)
    x = random.standard_normal((n1, d)) @ random.standard_normal((d, d))
    y = random.standard_normal((n2, d)) @ random.standard_normal((d, d)) + gap
    return x, y


@pytest.mark.parametrize("case", CASES, ids=lambda case: "x".join(map(str, case["case"])))
def test_agrees_with_kadtk_under_both_bandwidth_rules(case):
    # kadtk takes the median in float32: 1e-6 relative in the bandwidth.
    x, y = gaussian_rows(*case["case"])
    assert median_distance(x) == pytest.approx(case["median_distance"], rel=1e-6)
    by_generated = kernel_audio_distance(x, y, bandwidth="generated")
    assert by_generated == pytest.approx(case["kadtk_1_1"], rel=1e-5)
    assert kernel_audio_distance(x, y) == pytest.approx(case["kad_paper"], rel=1e-5)


def test_the_two_bandwidth_rules_differ():
    # Known bug of kadtk 1.1: the bandwidth comes from the evaluated set, not from the reference.
    x, y = gaussian_rows(1, 50, 50, 4, 3.0)
    assert (
        abs(kernel_audio_distance(x, y) - kernel_audio_distance(x, y, bandwidth="generated")) > 0.1
    )


def test_closed_form_of_two_points_a_side():
    # Reference 0 and 1, generated 0 and 2, s = 1: k(1) = e^-.5, k(2) = e^-2.
    # Within: e^-.5 and e^-2. Across: (k(0) + k(2) + k(1) + k(1)) / 4.
    expected = np.exp(-0.5) + np.exp(-2.0) - 2 * (1 + np.exp(-2.0) + 2 * np.exp(-0.5)) / 4
    value = kernel_audio_distance(np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]))
    assert value == pytest.approx(100 * expected, rel=1e-7)


def test_far_apart_sets_reach_the_sum_of_the_inner_terms():
    x = np.random.RandomState(0).standard_normal((20, 3))
    s = median_distance(x)
    inner = 2 * np.exp(-(pdist(x) ** 2) / (2 * s**2 + 1e-8)).mean()
    assert kernel_audio_distance(x, x + 1e6) == pytest.approx(100 * inner, rel=1e-6)


def test_is_unbiased_and_may_be_negative():
    random = np.random.RandomState(0)
    values = [
        kernel_audio_distance(random.standard_normal((20, 2)), random.standard_normal((20, 2)))
        for _ in range(300)
    ]
    standard_error = np.std(values) / np.sqrt(len(values))
    assert min(values) < 0
    # The bandwidth comes from the same draw, which the three standard errors allow for.
    assert abs(np.mean(values)) < 3 * standard_error


@pytest.mark.parametrize("rows_at_once", [1, 7, 64])
def test_blocks_do_not_change_the_value(monkeypatch, rows_at_once):
    x, y = gaussian_rows(2, 40, 33, 5, 0.5)
    whole = kernel_audio_distance(x, y)
    monkeypatch.setattr(kernel, "_BLOCK_ROWS", rows_at_once)
    assert kernel_audio_distance(x, y) == pytest.approx(whole, rel=1e-10)


@pytest.mark.parametrize("n", [2, 3, 4, 41, 42], ids=lambda n: f"{n * (n - 1) // 2} pairs")
def test_median_is_the_lower_one(n):
    rows = np.random.RandomState(n).standard_normal((n, 3)) + 50.0
    distances = np.sort(pdist(rows))
    assert median_distance(rows) == pytest.approx(distances[(len(distances) - 1) // 2], rel=1e-12)


@pytest.mark.parametrize("limit", [1, 10, 200])
def test_narrowed_search_finds_the_same_median(monkeypatch, limit):
    random = np.random.RandomState(5)
    rows = random.standard_normal((60, 3)) * random.choice([1e-3, 1.0, 1e3], (60, 1))
    direct = median_distance(rows)
    monkeypatch.setattr(kernel, "_SELECT_LIMIT", limit)
    monkeypatch.setattr(kernel, "_BINS", 8)
    assert median_distance(rows) == pytest.approx(direct, rel=1e-9)


def test_narrowed_search_ends_on_tied_distances(monkeypatch):
    monkeypatch.setattr(kernel, "_SELECT_LIMIT", 3)
    rows = np.repeat([[0.0], [1.0]], 10, axis=0)
    # 100 of 190 distances are 1, so the lower median is 1.
    assert median_distance(rows) == pytest.approx(1.0, rel=1e-9)


def test_equal_rows_give_a_finite_value():
    x = np.ones((4, 2))
    assert kernel_audio_distance(x, x) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("reference", "generated", "keywords", "message"),
    [
        (np.zeros((1, 2)), np.zeros((3, 2)), {}, "at least 2 rows, reference has 1"),
        (np.zeros((3, 2)), np.zeros((1, 2)), {}, "at least 2 rows, generated has 1"),
        (np.zeros((3, 2)), np.zeros((3, 4)), {}, "differ in width"),
        (np.zeros((3, 2)), np.full((3, 2), np.inf), {}, "not finite"),
        (np.zeros((3, 2)), np.zeros((3, 2)), {"bandwidth": "evaluated"}, "bandwidth must be"),
    ],
    ids=["one reference", "one generated", "widths", "infinite", "rule"],
)
def test_bad_input_is_refused(reference, generated, keywords, message):
    with pytest.raises(InputError, match=message):
        kernel_audio_distance(reference, generated, **keywords)


def test_a_median_of_one_row_is_refused():
    with pytest.raises(InputError, match="at least 2 rows, got 1"):
        median_distance(np.zeros((1, 2)))


def pairs_of_clips(seed, sizes, gap=0.3):
    random = np.random.RandomState(seed)
    x, y = random.standard_normal((2, sum(sizes), 3))
    cuts = np.cumsum(sizes)[:-1]
    return np.split(x, cuts), np.split(y + gap, cuts)


@pytest.mark.parametrize("sizes", [[1] * 15, [3, 1, 2, 5] * 4], ids=["rows", "uneven clips"])
def test_interval_is_the_jackknife_over_clips(monkeypatch, sizes):
    x, y = pairs_of_clips(21, sizes)
    s = median_distance(x)
    # The bandwidth is held at that of the whole set, as the definition says.
    monkeypatch.setattr(kernel, "median_distance", lambda rows: s)
    keep = range(len(x))
    without = np.array(
        [
            kernel_audio_distance([x[j] for j in keep if j != i], [y[j] for j in keep if j != i])
            for i in keep
        ]
    )
    g = len(x)
    error = np.sqrt((g - 1) / g * ((without - without.mean()) ** 2).sum())
    found = kernel_set_value(x, y)
    assert found.value == kernel_audio_distance(x, y)
    low, high = found.interval
    assert (high + low) / 2 == pytest.approx(found.value, rel=1e-9)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=1e-4)


def test_interval_covers_the_value_of_many_clips():
    # Clips of three alike rows: rows taken as clips would give intervals too short.
    truth = np.mean([kernel_audio_distance(*alike_clips(seed, 400)) for seed in range(5)])
    inside = 0
    for seed in range(100, 200):
        low, high = kernel_set_value(*alike_clips(seed, 60)).interval
        inside += low <= truth <= high
    assert inside >= 85


def alike_clips(seed, clips):
    random = np.random.RandomState(seed)
    x, y = random.standard_normal((2, clips, 1, 3)) + 0.2 * random.standard_normal((2, clips, 3, 3))
    return list(x), list(y + 0.8)


@pytest.mark.parametrize(
    ("n", "m", "note"),
    [(9, 9, "fewer than 10 clips: no interval"), (12, 24, "several takes of an item: no interval")],
)
def test_few_clips_or_takes_have_no_interval(n, m, note):
    x, y = pairs_of_clips(22, [1] * n)[0], pairs_of_clips(23, [1] * m)[1]
    found = kernel_set_value(x, y)
    assert (found.interval, found.note) == (None, note)
