"""Published dialects of the sound metrics, against their own scripts and against hand counts."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.audio_visual import av_align_2023_components, av_align_svg_components
from vsseval.metrics.divergence import (
    kl_divergence,
    kl_epsilon_components,
    kl_reversed_components,
    kl_sigmoid_components,
)
from vsseval.metrics.frechet import frechet_distance
from vsseval.metrics.frechet_fadtk import (
    frechet_infinity,
    frechet_per_clip,
    frechet_per_clip_set_value,
)
from vsseval.metrics.influence import frechet_influence
from vsseval.metrics.kid import kernel_inception_distance
from vsseval.metrics.onset import onset_offset_components
from vsseval.metrics.onset_mmaudio import onset_mmaudio, onset_mmaudio_components

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_profiles.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))
EMPTY = np.zeros(0)


def by_case(name):
    return pytest.mark.parametrize("case", CASES[name], ids=lambda c: str(c.get("case", c)))


def gaussian_rows(seed, n1, n2, d, gap):
    random = np.random.RandomState(seed)
    x = random.standard_normal((n1, d)) @ random.standard_normal((d, d))
    return x, random.standard_normal((n2, d)) @ random.standard_normal((d, d)) + gap


# ---- KL


@by_case("divergence")
def test_kl_dialects_equal_their_scripts(case):
    seed, n, classes, scale = case["case"]
    random = np.random.RandomState(seed)
    p = random.standard_normal((n, classes)) * scale
    q = random.standard_normal((n, classes)) * scale

    def mean(components, **params):
        return np.mean([components(a, b, **params)[0] for a, b in zip(p, q, strict=True)])

    assert mean(kl_epsilon_components) == pytest.approx(case["audioldm_softmax"], rel=1e-9)
    assert mean(kl_reversed_components) == pytest.approx(case["stable_audio"], rel=1e-9)
    with_epsilon = mean(kl_sigmoid_components, epsilon=1e-6)
    assert with_epsilon == pytest.approx(case["audioldm_sigmoid"], rel=1e-9)
    assert mean(kl_sigmoid_components) == pytest.approx(case["avbench_sigmoid"], rel=1e-9)


def test_reversed_kl_takes_the_expectation_over_the_generated_side():
    # p = (1/2, 1/2), q = (1/4, 3/4): KL(q || p) = 1/4 ln(1/2) + 3/4 ln(3/2).
    even, sure = np.log([0.5, 0.5]), np.log([0.25, 0.75])
    expected = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    assert kl_reversed_components(even, sure)[0] == pytest.approx(expected, abs=1e-5)
    assert kl_reversed_components(even, sure)[0] == pytest.approx(
        kl_divergence(sure, even), abs=1e-5
    )


def test_epsilon_caps_the_divergence():
    # The exact divergence is 100 nat; the largest value with 1e-6 is ln 1e6.
    components = kl_epsilon_components(np.array([0.0, -100.0]), np.array([-100.0, 0.0]))
    assert components[0] == pytest.approx(np.log(1e6), rel=1e-6)


def test_one_sided_sigmoid_kl_can_be_negative():
    # p = 1/4, q = 3/4: 1/4 ln(1/3).
    components = kl_sigmoid_components(np.array([-np.log(3.0)]), np.array([np.log(3.0)]))
    assert components[0] == pytest.approx(-0.25 * np.log(3.0), rel=1e-12)


def test_dialects_refuse_other_classes():
    with pytest.raises(InputError, match="differ in classes: 3 and 4"):
        kl_sigmoid_components(np.zeros(3), np.zeros(4))


# ---- KID


@by_case("kid")
def test_kid_equals_torch_fidelity(case):
    *rows, subsets, size = case["case"]
    value = kernel_inception_distance(*gaussian_rows(*rows), subsets=subsets, subset_size=size)
    assert value == pytest.approx(case["kid"], rel=1e-9)


def test_kid_of_two_points_a_side():
    # d = 1, k = (ab + 1)^3. Within: k(0, 1) = k(0, 2) = 1, so (2 + 2) / 2.
    # Across: k(0, 0) + k(0, 2) + k(1, 0) + k(1, 2) = 1 + 1 + 1 + 27, times 2 / 4.
    value = kernel_inception_distance(
        np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]]), subsets=3, subset_size=2
    )
    assert value == pytest.approx(2.0 - 15.0, rel=1e-12)


def test_kid_refuses_sets_below_a_subset():
    with pytest.raises(InputError, match="subsets of 1000 rows needs as many, generated has 999"):
        kernel_inception_distance(np.zeros((1000, 2)), np.zeros((999, 2)))


# ---- Onsets


@by_case("onset_mmaudio")
def test_mmaudio_onsets_equal_the_script(case):
    random = np.random.RandomState(case["seed"])
    wave = random.standard_normal(44100)
    wave = (wave - wave.min()) / (wave.max() - wave.min() + 1e-6)
    times = np.sort(random.uniform(0.05, 1.95, random.randint(0, 12)))
    onsets = np.sort(random.choice(np.arange(3, 84), random.randint(0, 14), False)) * 512
    confidence = np.array([wave[o - 1102 : o + 1102].max() for o in onsets])
    found = onset_mmaudio(times, onsets / 22050, confidence, wave[onsets])
    assert f"{found.accuracy:.4f}" == case["accuracy_4_digits"]
    assert found.average_precision == pytest.approx(case["average_precision"], abs=1e-12)
    assert found.f1 == pytest.approx(case["f1"], abs=1e-12)


def test_mmaudio_flaw_silence_has_average_precision_one():
    found = onset_mmaudio(np.array([1.0, 2.0]), EMPTY, EMPTY, EMPTY)
    assert (found.accuracy, found.average_precision, found.f1) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("hit", "f1"), [(0, 1.0), (10, 2 / 12)], ids=["first", "last"])
def test_mmaudio_flaw_misses_after_the_last_candidate_are_forgotten(hit, f1):
    reference = np.arange(1.0, 12.0)
    found = onset_mmaudio(reference, reference[[hit]], np.ones(1), np.ones(1))
    assert found.accuracy == pytest.approx(1 / 11)
    assert found.f1 == pytest.approx(f1)


def test_mmaudio_flaw_positions_slip_after_the_first_match():
    # 2.9 s is louder than 3.1 s, but after the match at 1.0 s its position points to 1.0 s (0.1),
    # and that of 3.1 s to 2.9 s (0.9). Ranked: 0.9 left over, 0.5 hit, 0.1 hit.
    loudness = np.array([0.1, 0.9, 0.5])
    found = onset_mmaudio(np.array([1.0, 3.0]), np.array([1.0, 2.9, 3.1]), loudness, loudness)
    assert found.average_precision == pytest.approx(1 / 2 * 1 / 2 + 1 / 2 * 2 / 3)


def test_mmaudio_refuses_what_it_cannot_score():
    with pytest.raises(InputError, match="no onsets on either side"):
        onset_mmaudio(EMPTY, EMPTY, EMPTY, EMPTY)
    with pytest.raises(InputError, match="2 generated onsets need as many"):
        onset_mmaudio(np.ones(1), np.array([1.0, 2.0]), np.ones(1), np.ones(2))
    with pytest.raises(InputError, match="no annotated onsets"):
        onset_mmaudio_components(EMPTY, np.ones(1), np.ones(1), np.ones(1), value="f1")
    with pytest.raises(InputError, match="expected accuracy, average_precision or f1"):
        onset_mmaudio_components(EMPTY, EMPTY, EMPTY, EMPTY, value="recall")


def test_offset_is_the_median_over_matched_pairs():
    # Pairs 1.0-1.02 and 2.0-2.1; 3.0 and 5.0 find none.
    components = onset_offset_components(np.array([1.0, 2.0, 3.0]), np.array([1.02, 2.1, 5.0]))
    np.testing.assert_allclose(components, [0.06, 2, 3, 3], atol=1e-12)


def test_offset_does_not_know_its_sign():
    clicks = np.array([0.5, 1.0, 1.7])
    early, late = (onset_offset_components(clicks, clicks + s)[0] for s in (-0.08, 0.08))
    assert early == pytest.approx(0.08)
    assert late == pytest.approx(0.08)


# ---- AV-Align


@by_case("av_align")
def test_older_av_align_rules_equal_their_scripts(case):
    random = np.random.RandomState(case["seed"])
    motion = random.gamma(0.5, 0.5, int(4 * case["fps"]))
    onsets = np.sort(random.choice(172, random.randint(0, 20), replace=False)) * 512 / 22050
    fps = np.array(case["fps"])
    assert av_align_2023_components(motion, fps, onsets)[0] == case["avalign_2023"]
    assert av_align_svg_components(motion, fps, onsets)[0] == pytest.approx(case["svg"], rel=1e-12)


def test_one_peak_serves_many_onsets_before_2025():
    motion = np.zeros(50)
    motion[25] = 0.05
    onsets = np.array([0.99, 1.0, 1.01])
    # 3 / (3 + 1 - 3); the peak of 0.05 would not count in 2025.
    assert av_align_2023_components(motion, np.array(25.0), onsets).tolist() == [3.0, 3, 3, 1]
    assert av_align_svg_components(motion, np.array(25.0), onsets).tolist() == [1, 1, 1, 3, 1]


def test_neither_onsets_nor_peaks():
    with pytest.raises(InputError, match="neither onsets nor motion peaks"):
        av_align_2023_components(np.zeros(50), np.array(25.0), EMPTY)
    assert av_align_svg_components(np.zeros(50), np.array(25.0), EMPTY)[0] == 0.0


# ---- Frechet distance as fadtk has it


@by_case("frechet_fadtk")
def test_infinity_and_one_clip_equal_fadtk(case):
    x, y = gaussian_rows(*case["case"])
    value = frechet_infinity(x, y, draw="rows", draw_seed=7)
    assert value == pytest.approx(case["fad_inf_seed_7"], rel=1e-7)
    assert frechet_per_clip(x, [y[:40]])[0] == pytest.approx(case["first_40_rows"], rel=1e-7)


def test_clips_of_one_row_are_drawn_as_rows():
    x, y = gaussian_rows(61, 100, 120, 4, 0.3)
    by_rows, by_clips = (
        frechet_infinity(x, y, draw=draw, least=50, steps=6) for draw in ("rows", "clips")
    )
    assert by_rows == by_clips


def test_another_seed_gives_another_extrapolation():
    x, y = gaussian_rows(62, 100, 120, 4, 0.3)
    first, again, other = (
        frechet_infinity(x, y, least=50, steps=6, draw_seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_extrapolation_keeps_the_bias_that_the_influence_function_removes():
    # True distance 0.25 * 8 = 2. Draws with replacement tend to the plain distance of the rows they
    # are drawn from, and so does the line through them.
    # 60 rows in 8 dimensions lift it by 8 * 13 / (4 * 60) = 0.43.
    random = np.random.RandomState(63)
    x = random.standard_normal((2000, 8))
    plain, extended, corrected = [], [], []
    for _ in range(100):
        y = random.standard_normal((60, 8)) + 0.5
        estimate = frechet_influence(x, y, pairing="fixed")
        plain.append(estimate.value)
        corrected.append(estimate.value - estimate.bias)
        extended.append(frechet_infinity(x, y, least=30, steps=6))
    lifted = np.mean(plain) - 2.0
    assert lifted == pytest.approx(0.43, abs=0.2)
    spread = np.std(np.subtract(extended, plain)) / np.sqrt(100)
    assert abs(np.mean(extended) - np.mean(plain)) < 3 * spread
    assert abs(np.mean(corrected) - 2.0) < lifted / 2


def test_whole_clips_are_drawn():
    # Clips of 30 equal rows: a draw of 40 rows by clips has two values at most, so the generated
    # covariance keeps far from that of rows drawn one by one.
    x, y = gaussian_rows(64, 200, 6, 2, 0.0)
    clips = [np.repeat(row[None], 30, axis=0) for row in y]
    by_rows, by_clips = (
        frechet_infinity(x, clips, draw=draw, least=40, steps=8) for draw in ("rows", "clips")
    )
    assert abs(by_rows - by_clips) > 1e-3


def test_extrapolation_refuses_fewer_rows_than_its_grid():
    with pytest.raises(InputError, match="from 500 rows on needs more, generated has 500"):
        frechet_infinity(np.zeros((9, 2)), np.zeros((500, 2)))
    with pytest.raises(InputError, match="draw must be 'rows' or 'clips'"):
        frechet_infinity(np.zeros((9, 2)), np.zeros((600, 2)), draw="frames")


@pytest.mark.parametrize("n", [5, 50], ids=["fewer rows than dimensions", "more rows"])
def test_per_clip_is_the_distance_of_each_clip(n):
    x, y = gaussian_rows(65, n, 12, 7, 0.4)
    clips = [y[:3], y[3:10], y[10:]]
    expected = [frechet_distance(x, clip) for clip in clips]
    np.testing.assert_allclose(frechet_per_clip(x, clips), expected, rtol=1e-7)


def test_per_clip_leaves_single_rows_out_and_says_so():
    x, y = gaussian_rows(66, 20, 7, 3, 0.4)
    clips = [y[:3], y[3], y[4:]]
    values = frechet_per_clip(x, clips)
    assert np.isnan(values).tolist() == [False, True, False]
    found = frechet_per_clip_set_value(x, clips)
    assert found.value == pytest.approx((values[0] + values[2]) / 2)
    assert found.note == "1 clips of one row left out"
    with pytest.raises(InputError, match="no clip has the 2 rows"):
        frechet_per_clip_set_value(x, [y[0], y[1]])
