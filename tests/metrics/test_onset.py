"""Onset metrics: F1 against mir_eval, profile onset-condfoley against its script, its flaws."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from vsseval.errors import InputError
from vsseval.metrics.onset import (
    annotated_onset_f1_components,
    average_precision,
    match_onsets,
    onset_average_precision,
    onset_f1,
    onset_f1_components,
)
from vsseval.metrics.onset_condfoley import (
    onset_accuracy_condfoley,
    onset_accuracy_condfoley_components,
    onset_average_precision_condfoley,
    onset_average_precision_condfoley_components,
    silent_predictions,
    suppress_onsets,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_onset.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]
EMPTY = np.zeros(0)


def case_input(seed):
    """Times of both sides, and confidence and amplitude of the second from a noise waveform."""
    random = np.random.RandomState(seed)
    wave = np.abs(random.standard_normal(44100))
    counts = random.randint(0, 14, 2)
    r, g = (np.sort(random.choice(np.arange(3, 84), k, replace=False)) * 512 for k in counts)
    wave = (wave - wave.min()) / (wave.max() - wave.min())
    confidence = np.array([wave[o - 1102 : o + 1102].max() for o in g])
    return r / 22050, g / 22050, confidence, wave[g]


def loud(times):
    """Times with confidence and amplitude 1."""
    return times, np.ones(len(times)), np.ones(len(times))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"seed {case['seed']}")
def test_condfoley_profile_equals_its_script(case):
    arguments = case_input(case["seed"])
    assert onset_accuracy_condfoley(*arguments) == case["accuracy"]
    precision = onset_average_precision_condfoley(*arguments)
    assert precision == pytest.approx(case["average_precision"], abs=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"seed {case['seed']}")
def test_f1_equals_mir_eval(case):
    r, g, _, _ = case_input(case["seed"])
    for window, value in case["mir_eval_f1"].items():
        assert onset_f1(r, g, window=float(window)) == pytest.approx(value, abs=1e-12)


def test_clicks_moved_by_80_ms_fail_at_50_and_pass_at_100():
    clicks = np.array([0.5, 1.0, 1.7, 3.0])
    assert onset_f1(clicks, clicks + 0.08, window=0.05) == 0.0
    match = match_onsets(clicks, clicks + 0.08, window=0.1)
    assert match.f1 == 1.0
    np.testing.assert_allclose(match.offsets, 0.08, atol=1e-12)


def test_counts_of_a_written_out_case():
    # 1.0 takes 1.05; 2.0 and 3.0 are missed; 5.0 is a false alarm: 1 of 3 found, 1 of 2 right.
    match = match_onsets(np.array([1.0, 2.0, 3.0]), np.array([1.05, 5.0]))
    assert (match.recall, match.precision) == (1 / 3, 1 / 2)
    assert match.f1 == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))
    components = onset_f1_components(np.array([1.0, 2.0, 3.0]), np.array([1.05, 5.0]))
    np.testing.assert_allclose(components, [0.4, 1, 3, 2, 0.05], atol=1e-12)


def test_matching_is_one_to_one():
    assert onset_f1(np.array([1.0]), np.array([0.95, 1.0, 1.05])) == 0.5


def test_matching_is_the_largest_and_not_the_nearest_first():
    # 1.08 is nearer to 1.1, but taking it would leave 1.0 alone.
    assert onset_f1(np.array([1.0, 1.1]), np.array([1.08, 1.19])) == 1.0


def test_matching_equals_brute_force():
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    random = np.random.RandomState(0)
    for _ in range(100):
        r, g = random.uniform(0, 2, 12), random.uniform(0, 2, 9)
        near = csr_matrix(np.abs(r[:, None] - g[None, :]) <= 0.1)
        largest = int((maximum_bipartite_matching(near) >= 0).sum())
        assert len(match_onsets(r, g).offsets) == largest


def test_the_window_is_closed_although_times_are_not_exact():
    assert 0.4 - 0.3 > 0.1
    assert onset_f1(np.array([0.3]), np.array([0.4]), window=0.1) == 1.0


def test_order_of_times_does_not_matter():
    assert onset_f1(np.array([2.0, 1.0]), np.array([1.0, 2.0])) == 1.0


def test_silence_scores_zero():
    assert onset_f1(np.array([1.0, 2.0]), EMPTY) == 0.0
    assert onset_f1(EMPTY, np.array([1.0])) == 0.0
    assert match_onsets(np.array([1.0]), EMPTY).precision == 0.0
    assert match_onsets(EMPTY, np.array([1.0])).recall == 0.0


@pytest.mark.parametrize(
    "compute",
    [
        lambda: onset_f1(EMPTY, EMPTY),
        lambda: onset_accuracy_condfoley(EMPTY, *loud(EMPTY)),
        lambda: onset_average_precision_condfoley(EMPTY, *loud(EMPTY)),
    ],
    ids=["f1", "accuracy", "average precision"],
)
def test_no_onsets_on_either_side_is_excluded(compute):
    with pytest.raises(InputError, match="no onsets on either side"):
        compute()


def test_no_annotated_onsets_is_excluded():
    with pytest.raises(InputError, match="no annotated onsets"):
        annotated_onset_f1_components(EMPTY, np.array([1.0]))


def test_annotated_onsets_are_scored_as_detected_ones():
    times = np.array([1.0, 2.0])
    expected = onset_f1_components(times, times + 0.01)
    assert annotated_onset_f1_components(times, times + 0.01).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_average_precision_equals_scikit_learn(seed):
    random = np.random.RandomState(seed)
    labels = random.randint(0, 2, 30)
    scores = random.randint(0, 8, 30) / 8  # ties on purpose
    expected = average_precision_score(labels, scores)
    assert average_precision(labels, scores) == pytest.approx(expected, abs=1e-12)


def test_average_precision_without_positives_is_zero():
    assert average_precision(np.zeros(3), np.array([0.1, 0.2, 0.3])) == 0.0


def test_flaw_1_silence_has_average_precision_one():
    components = onset_average_precision_condfoley_components(np.array([1.0, 2.0]), *loud(EMPTY))
    assert components.tolist() == [1.0, 2.0, 0.0]
    assert onset_accuracy_condfoley(np.array([1.0, 2.0]), *loud(EMPTY)) == 0.0


def test_flaw_1_three_misses_and_a_false_alarm_have_three_quarters():
    value = onset_average_precision_condfoley(np.array([1.0, 2.0, 3.0]), *loud(np.array([5.0])))
    assert value == pytest.approx(0.75)


def test_flaw_2_one_hit_of_eleven_has_average_precision_one():
    reference = np.arange(11) * 0.5 + 0.5
    accuracy = onset_accuracy_condfoley(reference, *loud(reference[-1:]))
    assert accuracy == pytest.approx(1 / 11)
    assert onset_average_precision_condfoley(reference, *loud(reference[-1:])) == 1.0
    assert onset_f1(reference, reference[-1:]) == pytest.approx(2 / 12)


def test_flaw_3_misses_after_the_last_candidate_are_not_listed():
    # Candidates: a false alarm at 0.5 that is louder (0.9) than the hit at 1.0 (0.6).
    generated = np.array([0.5, 1.0])
    arguments = (generated, np.array([0.9, 0.6]), np.array([0.9, 0.6]))
    # Hit, then a miss at 3.0 while 0.5 is left over: list (1, .6), (1, 0), (0, .9);
    # precision 1/2 at recall 1/2 and 2/3 at recall 1 give 7/12.
    value = onset_average_precision_condfoley(np.array([1.0, 3.0]), *arguments)
    assert value == pytest.approx(7 / 12)
    # With the single candidate used up, ten later misses change nothing.
    early = loud(np.array([1.0]))
    many = np.concatenate([[1.0], 2.0 + np.arange(10)])
    assert onset_average_precision_condfoley(many, *early) == 1.0


def test_flaw_4_the_loudest_candidate_is_taken_and_not_the_nearest():
    # 1.0 takes the loud 1.09; 1.16 then finds nothing, for 1.0 is 160 ms away.
    generated = np.array([1.0, 1.09])
    accuracy = onset_accuracy_condfoley(
        np.array([1.0, 1.16]), generated, np.array([0.5, 1.0]), np.array([0.5, 1.0])
    )
    assert accuracy == 0.5
    assert onset_f1(np.array([1.0, 1.16]), generated) == 1.0


def test_flaw_5_the_thinning_skips_every_second_neighbour():
    onsets = np.array([1000, 1500, 2000, 2500])
    kept = onsets[suppress_onsets(onsets, np.array([4.0, 3.0, 2.0, 1.0]))]
    assert kept.tolist() == [1000, 2000]


def test_false_alarms_cost_no_accuracy():
    reference = np.array([1.0, 2.0])
    assert onset_accuracy_condfoley(reference, *loud(np.arange(1.0, 3.0, 0.06))) == 1.0


def test_tolerance_is_open():
    times = np.array([2205 * 3]) / 22050
    assert onset_accuracy_condfoley(times, *loud(times + 0.1)) == 0.0
    assert onset_accuracy_condfoley(times, *loud(times + 0.0999)) == 1.0


def test_accuracy_components_carry_the_counts():
    components = onset_accuracy_condfoley_components(np.array([1.0, 2.0]), *loud(np.array([1.0])))
    assert components.dtype == np.float64
    assert components.tolist() == [0.5, 2.0, 1.0]


def test_no_reference_onsets_score_zero():
    assert onset_accuracy_condfoley(EMPTY, *loud(np.array([1.0]))) == 0.0
    assert onset_average_precision_condfoley(EMPTY, *loud(np.array([1.0]))) == 0.0


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda: onset_f1(np.array([np.nan]), EMPTY), "reference onsets holds a value"),
        (lambda: onset_f1(np.ones((2, 2)), EMPTY), "must be one-dimensional"),
        (lambda: onset_f1(np.ones(1), EMPTY, window=-1.0), "must not be negative"),
        (
            lambda: onset_accuracy_condfoley(np.ones(1), np.ones(2), np.ones(1), np.ones(2)),
            "2 generated onsets need as many confidences",
        ),
    ],
    ids=["nan", "matrix", "window", "lengths"],
)
def test_bad_onsets_are_refused(compute, message):
    with pytest.raises(InputError, match=message):
        compute()


@pytest.mark.parametrize("seed", range(20))
def test_honest_average_precision_is_scikit_learns_times_recall(seed):
    # scikit-learn's recall is a share of the positives of the list; ours, of all that is there.
    random = np.random.RandomState(seed)
    reference = np.sort(random.uniform(0, 4, random.randint(1, 12)))
    generated = np.sort(random.uniform(0, 4, random.randint(1, 12)))
    confidence = random.randint(1, 6, len(generated)) / 5  # ties on purpose
    free = reference.tolist()
    labels = np.zeros(len(generated))
    for k in sorted(range(len(generated)), key=lambda k: (-confidence[k], generated[k])):
        near = [time for time in free if abs(time - generated[k]) <= 0.1]
        if near:
            free.remove(min(near, key=lambda time: abs(time - generated[k])))
            labels[k] = 1
    expected = 0.0
    if labels.any():
        recall = labels.sum() / len(reference)
        expected = recall * average_precision_score(labels, confidence)
    value = onset_average_precision(reference, generated, confidence)
    assert value == pytest.approx(expected, abs=1e-12)


def test_honest_average_precision_has_none_of_the_flaws():
    reference = np.arange(11) * 0.5 + 0.5
    times, ones, _ = loud(reference[-1:])
    assert onset_average_precision(reference, EMPTY, EMPTY) == 0.0
    assert onset_average_precision(reference, times, ones) == pytest.approx(1 / 11)
    assert onset_average_precision(reference, reference, np.ones(11)) == 1.0
    # A false alarm as loud as the hit halves the precision where the hit counts.
    assert onset_average_precision(times, np.array([0.1, times[0]]), np.ones(2)) == 0.5
    assert onset_average_precision(EMPTY, times, ones) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((EMPTY, EMPTY, EMPTY), "no onsets on either side"),
        ((np.ones(1), np.ones(2), np.ones(1)), "2 generated onsets need as many confidences"),
        ((np.ones(1), np.ones(1), np.array([np.nan])), "not finite"),
    ],
    ids=["empty", "lengths", "nan"],
)
def test_honest_average_precision_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        onset_average_precision(*arguments)


def test_remark_counts_the_clips_that_silence_rewards():
    components = np.array([[1.0, 3.0, 0.0], [0.5, 2.0, 2.0], [0.0, 0.0, 1.0]])
    expected = "1 of 3 clips have no generated onset and score 1 by definition"
    assert silent_predictions(components) == expected
    assert silent_predictions(components[1:]) == ""
