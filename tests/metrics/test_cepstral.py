"""Mel-cepstral distortion: pymcd and fastdtw values, planted paths, the traps of the profile."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.cepstral import (
    DECIBELS,
    dtw_path,
    fast_dtw_path,
    flagged_clips,
    level_difference,
    mcd_components,
    mcd_dtw_components,
    mcd_dtw_sl_components,
    mel_cepstral_distortion,
    mel_cepstral_distortion_dtw,
    mel_cepstral_distortion_dtw_sl,
)

EQUALLY_LOUD = np.array(0.1), np.array(0.1)
REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_cepstral.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]


def cepstra(seed, n, m, noise=0.5):
    """Mel-cepstra of n frames that hold for 30 ms, and m noisy frames of them at another pace."""
    random = np.random.RandomState(seed)
    held = np.repeat(random.standard_normal((n // 6 + 1, 14)), 6, axis=0)[:n]
    r = held + random.standard_normal((n, 14)) * 0.1
    pace = np.sort((n * random.uniform(0, 1, m) ** 2).astype(int))
    return r, r[pace] + random.standard_normal((m, 14)) * noise


def moves(path):
    steps = np.diff(path, axis=0)
    return "".join({(1, 0): "r", (0, 1): "g", (1, 1): "b"}[tuple(step)] for step in steps.tolist())


def path_cost(r, g, path):
    return np.sqrt(((r[path[:, 0]] - g[path[:, 1]]) ** 2).sum(axis=1)).sum()


@pytest.mark.parametrize("case", CASES, ids=lambda case: "x".join(map(str, case["case"])))
def test_equals_pymcd(case):
    r, g = cepstra(*case["case"])
    expected = case["pymcd"]
    assert mel_cepstral_distortion_dtw(r, g) == pytest.approx(expected["dtw"], rel=1e-12)
    assert mel_cepstral_distortion_dtw_sl(r, g) == pytest.approx(expected["dtw_sl"], rel=1e-12)
    if len(r) == len(g):
        assert mel_cepstral_distortion(r, g) == pytest.approx(expected["plain"], rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "x".join(map(str, case["case"])))
def test_paths_equal_fastdtw_cell_for_cell(case):
    r, g = cepstra(*case["case"])
    assert moves(fast_dtw_path(r[:, 1:], g[:, 1:])) == case["fastdtw_path"]
    exact = dtw_path(r[:, 1:], g[:, 1:])
    assert moves(exact) == case["dtw_path"]
    cost = path_cost(r[:, 1:], g[:, 1:], exact)
    assert cost == pytest.approx(case["dtw_distance"], rel=1e-12)


def test_fastdtw_is_not_dtw():
    # Known bug of pymcd: the path of FastDTW with radius 1 costs more than the best one.
    r, g = (side[:, 1:] for side in cepstra(36, 120, 121, 2.0))
    fast = path_cost(r, g, fast_dtw_path(r, g))
    assert fast > path_cost(r, g, dtw_path(r, g)) * 1.001


def test_a_radius_as_long_as_the_sequences_is_exact():
    r, g = cepstra(33, 60, 41, 2.0)
    np.testing.assert_array_equal(fast_dtw_path(r, g, radius=60), dtw_path(r, g))


def test_a_planted_monotone_path_is_recovered():
    random = np.random.RandomState(0)
    r = random.standard_normal((80, 13)) * 10
    steps = np.array([(1, 1), (1, 0), (0, 1)])[random.choice(3, 60, p=[0.6, 0.2, 0.2])]
    planted = np.concatenate([[(0, 0)], np.cumsum(steps, axis=0)])
    # Each generated frame copies the reference frame it is aligned to; of a column with several
    # cells the last one counts, so the planted path is rebuilt from the copies.
    last = {int(j): int(i) for i, j in planted}
    g = np.array([r[last[j]] for j in range(planted[-1, 1] + 1)])
    path = dtw_path(r[: planted[-1, 0] + 1], g)
    assert {(last[j], j) for j in last} <= set(map(tuple, path.tolist()))


def test_dtw_of_a_textbook_example():
    # fastdtw's documentation: [1, 2, 3, 4, 5] and [2, 3, 4] have distance 2 along this path.
    x, y = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]), np.array([[2.0], [3.0], [4.0]])
    path = dtw_path(x, y)
    assert path.tolist() == [[0, 0], [1, 0], [2, 1], [3, 2], [4, 2]]
    assert path_cost(x, y, path) == 2.0


def test_ties_prefer_the_reference_step():
    # All cells cost 0: from the end, (i-1, j) is taken first, then (i, j-1).
    path = dtw_path(np.zeros((3, 2)), np.zeros((3, 2)))
    assert path.tolist() == [[0, 0], [0, 1], [0, 2], [1, 2], [2, 2]]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 33])
@pytest.mark.parametrize("m", [1, 2, 3, 7, 40])
def test_fast_paths_are_monotone_and_complete(n, m):
    random = np.random.RandomState(n * 100 + m)
    path = fast_dtw_path(random.standard_normal((n, 3)), random.standard_normal((m, 3)))
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [n - 1, m - 1]
    steps = np.diff(path, axis=0)
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(axis=1) > 0).all()


def test_one_coefficient_off_by_x_costs_6_1418_x_decibels():
    # K sqrt(x^2) with K = 10 sqrt(2) / ln 10 = 6.141851463713754 (pymcd prints this constant).
    assert pytest.approx(6.141851463713754, rel=1e-15) == DECIBELS
    r, _ = cepstra(1, 30, 30)
    g = r.copy()
    g[:, 5] += 0.25
    assert mel_cepstral_distortion(r, g) == pytest.approx(0.25 * 6.141851463713754, rel=1e-12)


def test_c0_counts_in_the_cost_and_not_in_the_alignment():
    # Known trap of pymcd: a louder copy costs K times the shift of c0, along the diagonal.
    r, _ = cepstra(2, 30, 30)
    g = r.copy()
    g[:, 0] += 2.0
    components = mcd_dtw_components(r, g, *EQUALLY_LOUD)
    assert components[0] == pytest.approx(2.0 * DECIBELS, rel=1e-12)
    assert components[1] == 30


def test_the_mean_is_over_path_cells_and_not_over_reference_frames():
    # Known trap of pymcd: reference frames 0, 1; generated 0, 0, 0, 1.5 (c1), c0 always 0.
    # Path (0,0) (0,1) (0,2) (1,3) costs 0 + 0 + 0 + 0.5: mean 0.125 K, not 0.25 K.
    r = np.array([[0.0, 0.0], [0.0, 1.0]])
    g = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 1.5]])
    assert mel_cepstral_distortion_dtw(r, g) == pytest.approx(0.125 * DECIBELS, rel=1e-12)
    assert mel_cepstral_distortion_dtw_sl(r, g) == pytest.approx(0.25 * DECIBELS, rel=1e-12)


def test_identical_sequences_have_distortion_zero():
    # Known bug of the Broughton notebook: the mean of the accumulated cost matrix is not zero.
    r, _ = cepstra(3, 50, 50)
    for distortion in (
        mel_cepstral_distortion,
        mel_cepstral_distortion_dtw,
        mel_cepstral_distortion_dtw_sl,
    ):
        assert distortion(r, r) == 0.0


def test_the_length_coefficient_is_symmetric():
    r, g = cepstra(4, 90, 60)
    there, back = mel_cepstral_distortion_dtw_sl(r, g), mel_cepstral_distortion_dtw_sl(g, r)
    assert there == pytest.approx(1.5 * mel_cepstral_distortion_dtw(r, g), rel=1e-12)
    assert there == pytest.approx(back, rel=1e-12)


def test_components_carry_what_to_know_beside_the_value():
    r, g = cepstra(5, 40, 50)
    components = mcd_dtw_components(r, g, np.array(0.1), np.array(0.1))
    assert components.dtype == np.float64
    length = len(fast_dtw_path(r[:, 1:], g[:, 1:]))
    # 50 frames are a quarter more than 40: above 1.1, so the value is flagged.
    assert components[1:].tolist() == [length, 40, 50, 1.25, 0.0, 1.0, 0.0]
    with_length = mcd_dtw_sl_components(r, g, np.array(0.1), np.array(0.1))
    assert with_length[0] == pytest.approx(components[0] * 50 / 40, rel=1e-12)
    np.testing.assert_array_equal(with_length[1:], components[1:])
    assert mcd_components(r, r, *EQUALLY_LOUD).tolist() == [0.0, 40, 40, 40, 1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("loud", "frames", "level", "flag"),
    # Twice and half as loud are 20 log10 2 = 6.02 dB; 1.4 is 2.92 dB; 44 of 40 frames are 1.1.
    [(2.0, 40, 6.0206, 1), (0.5, 40, -6.0206, 1), (1.4, 44, 2.9226, 0), (1.0, 45, 0.0, 1)],
    ids=["louder", "softer", "within both", "longer"],
)
def test_values_are_flagged_above_3_decibels_or_a_tenth_more_frames(loud, frames, level, flag):
    r, g = cepstra(7, 40, frames)
    components = mcd_dtw_components(r, g, np.array(0.1), np.array(0.1 * loud))
    assert components[5] == pytest.approx(level, abs=1e-4)
    assert components[6] == flag


def test_silence_counts_as_120_decibels_below_full_scale():
    assert level_difference(np.array(1.0), np.array(0.0)) == pytest.approx(-120.0)
    assert level_difference(np.array(0.0), np.array(0.0)) == 0.0
    for rms in (np.array([0.1, 0.1]), np.array(np.nan), np.array(-0.1)):
        with pytest.raises(InputError, match="one finite level of the generated side"):
            level_difference(np.array(0.1), rms)


def test_a_silent_output_is_scored_and_flagged():
    r, _ = cepstra(6, 40, 40)
    silent = np.zeros((40, 14))
    silent[:, 0] = np.log(1e-8)
    levels = np.array(0.1), np.array(0.0)
    assert mcd_components(r, silent, *levels)[0] == mel_cepstral_distortion(r, silent)
    for components in (mcd_components, mcd_dtw_components, mcd_dtw_sl_components):
        values = components(r, silent, *levels)
        assert np.isfinite(values[0])
        assert values[0] > 50
        assert values[-1] == 1.0


def test_a_silent_reference_is_excluded():
    # pymcd gives 0.0, a perfect score, when both sides are silent.
    silent = np.zeros((40, 14))
    assert mel_cepstral_distortion(silent, silent) == 0.0
    for components in (mcd_components, mcd_dtw_components, mcd_dtw_sl_components):
        with pytest.raises(InputError, match="the reference is silent"):
            components(silent, silent, *EQUALLY_LOUD)


@pytest.mark.parametrize(
    ("r", "g", "message"),
    [
        (np.zeros((5, 14)), np.zeros((6, 14)), "differ in frames: 5 and 6"),
        (np.zeros((1, 14)), np.zeros((1, 14)), "reference has 1 frames of 5 ms"),
        (np.zeros((5, 14)), np.zeros((5, 13)), "differ in coefficients: 14 and 13"),
        (np.zeros(14), np.zeros((5, 14)), "reference mel-cepstra must be"),
        (np.zeros((5, 14)), np.full((5, 14), np.nan), "generated mel-cepstra hold a value"),
    ],
    ids=["frames", "one frame", "coefficients", "vector", "nan"],
)
def test_bad_cepstra_are_refused(r, g, message):
    with pytest.raises(InputError, match=message):
        mel_cepstral_distortion(r, g)


def test_remark_counts_the_clips_with_a_warning():
    components = np.zeros((4, 8))
    assert flagged_clips(components) == ""
    components[1:3, 6] = 1.0
    expected = "2 of 4 clips: levels over 3 dB apart or lengths over a factor 1.1"
    assert flagged_clips(components) == expected
