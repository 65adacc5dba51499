"""Frechet distance: closed forms, independent values, every route, and the borders."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

from vsseval.errors import InputError
from vsseval.metrics import frechet
from vsseval.metrics.frechet import (
    frechet_distance,
    frechet_distance_between,
    gaussian_statistics,
    merge_statistics,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_frechet.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]


def gaussian_rows(seed, n1, n2, d, gap):
    random = np.random.RandomState(seed)
    x = random.standard_normal((n1, d)) @ random.standard_normal((d, d))
    y = random.standard_normal((n2, d)) @ random.standard_normal((d, d)) + gap
    return x, y


@pytest.mark.parametrize("case", CASES, ids=lambda case: "x".join(map(str, case["case"])))
def test_agrees_with_av_benchmark_and_torch_fidelity(case):
    x, y = gaussian_rows(*case["case"])
    _, n1, n2, d, _ = case["case"]
    # Each null direction of a singular covariance costs their routes the square root of 1e-16.
    tolerance = 1e-10 if min(n1, n2) > d else 1e-7
    value = frechet_distance(x, y)
    assert value == pytest.approx(case["av_benchmark_sqrtm"], rel=tolerance)
    assert value == pytest.approx(case["torch_fidelity"], rel=tolerance)


@pytest.mark.parametrize("n", [6, 40], ids=["rows below dimensions", "rows above dimensions"])
def test_equal_covariances_leave_the_squared_mean_gap(n):
    rows = np.random.RandomState(0).standard_normal((n, 10))
    gap = np.arange(10.0)
    assert frechet_distance(rows, rows + gap) == pytest.approx(float(gap @ gap), rel=1e-9)


@pytest.mark.parametrize("n", [6, 40], ids=["rows below dimensions", "rows above dimensions"])
def test_identical_sets_have_distance_zero(n):
    rows = np.random.RandomState(0).standard_normal((n, 10))
    assert frechet_distance(rows, rows) == pytest.approx(0.0, abs=1e-9)


def test_diagonal_covariances_add_squared_differences_of_deviations():
    # Rows +-sqrt(2) s e_i: mean 0, off-diagonals 0, variance of axis i = 4 s_i^2 / (2d - 1).
    d = 4
    axes = np.concatenate([np.eye(d), -np.eye(d)]) * np.sqrt(2.0)
    s1, s2 = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 1.0, 0.5])
    expected = 4.0 / (2 * d - 1) * float(((s1 - s2) ** 2).sum())
    assert frechet_distance(axes * s1, axes * s2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n1", "n2"), [(5, 6), (5, 60), (60, 5), (60, 70)])
def test_every_route_agrees_with_the_statistics(n1, n2):
    x, y = gaussian_rows(7, n1, n2, 12, 0.3)
    from_statistics = frechet_distance_between(gaussian_statistics(x), gaussian_statistics(y))
    assert frechet_distance(x, y) == pytest.approx(from_statistics, rel=1e-7)


@pytest.mark.parametrize(("n1", "n2", "d"), [(40, 50, 60), (40, 200, 60), (300, 400, 60)])
def test_roots_of_eigenvalues_equal_singular_values(monkeypatch, n1, n2, d):
    x, y = gaussian_rows(13, n1, n2, d, 0.3)
    quick = frechet_distance(x, y)
    monkeypatch.setattr(frechet, "_sum_of_roots", lambda squares: None)
    assert quick == pytest.approx(frechet_distance(x, y), rel=1e-11)


@pytest.mark.parametrize("decades", [1, 3, 4, 6, 8])
def test_no_spread_of_deviations_costs_digits(monkeypatch, decades):
    random = np.random.RandomState(15)
    scale = np.logspace(0, -decades, 100)
    x, y = random.standard_normal((60, 100)) * scale, random.standard_normal((70, 100)) * scale
    value = frechet_distance(x, y)
    monkeypatch.setattr(frechet, "_sum_of_roots", lambda squares: None)
    assert value == pytest.approx(frechet_distance(x, y), rel=1e-9)


def test_small_deviations_are_not_lost_to_rounding():
    # 20 independent directions, two of deviation 1 and 18 of 1e-9; the sets differ by a shift of
    # length 1. Roots of eigenvalues alone are right to sqrt(1e-16) each.
    random = np.random.RandomState(14)
    centred = random.standard_normal((40, 20))
    centred -= centred.mean(axis=0)
    left = np.linalg.qr(centred)[0]
    right = np.linalg.qr(random.standard_normal((50, 20)))[0]
    rows = left * np.where(np.arange(20) < 2, 1.0, 1e-9) @ right.T
    assert frechet_distance(rows, rows[::-1] + np.eye(50)[0]) == pytest.approx(1.0, abs=1e-12)


def test_a_dead_dimension_on_either_side_does_not_matter():
    x, y = gaussian_rows(8, 300, 300, 6, 0.5)
    dead = np.zeros((300, 3))
    padded = frechet_distance(np.hstack([x, dead]), np.hstack([y, dead]))
    assert padded == pytest.approx(frechet_distance(x, y), rel=1e-8)


def test_is_symmetric():
    x, y = gaussian_rows(9, 50, 80, 6, 0.5)
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x), rel=1e-12)


def test_merged_parts_equal_the_whole_in_any_order_and_size():
    rows = np.random.RandomState(3).standard_normal((101, 5)) + 1000.0
    whole = gaussian_statistics(rows)
    for cuts in ([1, 2, 50], [100], [33, 66]):
        parts = [gaussian_statistics(part) for part in np.split(rows, cuts)]
        for ordered in (parts, parts[::-1]):
            merged = ordered[0]
            for part in ordered[1:]:
                merged = merge_statistics(merged, part)
            assert merged.n == 101
            np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
            np.testing.assert_allclose(merged.covariance, whole.covariance, atol=1e-9)


def test_float32_rows_are_summed_in_float64():
    # Known bug of av-benchmark and audioldm_eval: numpy's mean of float32 rows stays in float32.
    rows = (np.random.RandomState(4).standard_normal((20000, 2)) * 0.01 + 100.0).astype(np.float32)
    exact = rows.astype(np.float64).mean(axis=0)
    assert abs(rows.mean(axis=0) - exact).max() > 1e-6
    statistics = gaussian_statistics(rows)
    assert statistics.mean.dtype == np.float64
    np.testing.assert_allclose(statistics.mean, exact, rtol=1e-14)


def test_clips_with_different_numbers_of_rows_are_pooled_as_rows():
    x, y = gaussian_rows(5, 40, 40, 6, 0.5)
    clips = [x[0], x[1:4], x[4:]]
    assert frechet_distance(clips, y) == pytest.approx(frechet_distance(x, y), rel=1e-12)


def test_the_order_of_clips_does_not_matter():
    x, y = gaussian_rows(5, 40, 40, 6, 0.5)
    assert frechet_distance(x[::-1], y) == pytest.approx(frechet_distance(x, y), rel=1e-12)


def test_rounding_never_makes_it_negative():
    rows = np.full((5, 3), 0.1) + np.eye(5, 3) * 1e-9
    assert frechet_distance(rows, rows) >= 0.0


def test_failure_is_an_error_and_never_minus_one():
    # Known bug of av-benchmark (metrics/fad.py): a failing distance is stored as -1, the best rank.
    with pytest.raises(InputError, match="at least 2 rows, generated has 1"):
        frechet_distance(np.zeros((4, 3)), np.zeros((1, 3)))


def test_no_matrix_square_root_is_used():
    # Known bug of nine code bases: scipy.linalg.sqrtm(disp=...) is gone from SciPy 1.18.
    source = Path(frechet.__file__).read_text(encoding="utf-8")
    assert not re.search(r"sqrtm|\beig\(|eigvals\(", source)


def test_the_square_root_route_turns_complex_where_ours_stays_real():
    x, y = gaussian_rows(10, 20, 20, 48, 0.0)
    root = scipy.linalg.sqrtm(np.cov(x, rowvar=False) @ np.cov(y, rowvar=False))
    assert np.iscomplexobj(root)
    assert isinstance(frechet_distance(x, y), float)


@pytest.mark.parametrize(
    ("reference", "generated", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 4)), "differ in width: 2 and 4"),
        (
            np.zeros((3, 2)),
            np.full((3, 2), np.nan),
            "generated has 3 of 3 rows that are not finite",
        ),
        ([], np.zeros((3, 2)), "reference has no rows"),
        ([np.zeros(2), np.zeros(3)], np.zeros((3, 2)), "vectors of one width"),
    ],
    ids=["widths", "nan", "empty", "ragged"],
)
def test_bad_rows_are_refused(reference, generated, message):
    with pytest.raises(InputError, match=message):
        frechet_distance(reference, generated)


def test_statistics_of_different_widths_do_not_mix():
    narrow, wide = gaussian_statistics(np.zeros((3, 2))), gaussian_statistics(np.zeros((3, 4)))
    with pytest.raises(InputError, match="differ in width"):
        merge_statistics(narrow, wide)
    with pytest.raises(InputError, match="differ in width"):
        frechet_distance_between(narrow, wide)


def test_a_covariance_of_one_row_is_refused():
    with pytest.raises(InputError, match="at least 2 rows, got 1"):
        _ = gaussian_statistics(np.zeros((1, 2))).covariance


@pytest.mark.parametrize("shape", [(300, 512), (600, 128)], ids=["few rows", "many rows"])
def test_a_set_against_itself_in_another_order_is_exactly_zero(shape):
    rows = np.random.RandomState(5).standard_normal(shape) * 3 + 1
    assert frechet_distance(rows, rows) == 0.0
    assert frechet_distance(rows, rows[::-1]) == 0.0
    # A gap of the means that is far below the traces is still there.
    assert frechet_distance(rows, rows + 1e-4) == pytest.approx(1e-8 * shape[1], rel=1e-3)
