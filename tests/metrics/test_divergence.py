"""KL divergence and inception score: closed forms, independent values, order and borders."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.divergence import (
    inception_score,
    inception_set_value,
    kl_components,
    kl_divergence,
    kl_pieces_components,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_divergence.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]


def logits(seed, n, classes, scale):
    random = np.random.RandomState(seed)
    p = random.standard_normal((n, classes)) * scale
    return p, random.standard_normal((n, classes)) * scale


@pytest.mark.parametrize("case", CASES, ids=lambda case: "x".join(map(str, case["case"])))
def test_mean_kl_agrees_with_av_benchmark(case):
    p, q = logits(*case["case"])
    value = np.mean([kl_components(a, b)[0] for a, b in zip(p, q, strict=True)])
    assert value == pytest.approx(case["kl_softmax"], rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "x".join(map(str, case["case"])))
def test_inception_score_agrees_with_av_benchmark_and_torch_fidelity(case):
    _, q = logits(*case["case"])
    assert inception_score(q) == pytest.approx(case["is_av_benchmark"], rel=1e-12)
    assert inception_score(q) == pytest.approx(case["is_torch_fidelity"], rel=1e-12)


def test_kl_of_two_written_out_posteriors():
    # p = (1/2, 1/2), q = (1/4, 3/4): KL(p || q) = 1/2 ln 2 + 1/2 ln(2/3).
    value = kl_divergence(np.log([0.5, 0.5]), np.log([0.25, 0.75]))
    assert value == pytest.approx(0.5 * np.log(2.0) + 0.5 * np.log(2.0 / 3.0), rel=1e-12)


def test_kl_takes_the_expectation_over_the_reference():
    # Known bug of stable-audio-metrics: the direction is reversed there.
    # KL(q || p) of the pair above = 1/4 ln(1/2) + 3/4 ln(3/2) = 0.1308, not 0.1438.
    sure, even = np.log([0.25, 0.75]), np.log([0.5, 0.5])
    reversed_value = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    assert kl_divergence(sure, even) == pytest.approx(reversed_value, rel=1e-12)
    assert kl_divergence(even, sure) != pytest.approx(reversed_value, rel=1e-2)


def test_kl_has_no_epsilon():
    # With 1e-6 added to q, as in audioldm_eval, the value would stop at ln 1e6 = 13.8.
    assert kl_divergence(np.array([0.0, -100.0]), np.array([-100.0, 0.0])) == pytest.approx(100.0)


def test_kl_of_extreme_logits_is_finite():
    assert kl_divergence(np.array([0.0, -2000.0]), np.array([0.0, -1000.0])) == 0.0


def test_kl_ignores_a_common_shift_of_the_logits():
    p, q = logits(1, 2, 5, 1.0)
    assert kl_divergence(p[0] + 7, q[0]) == pytest.approx(kl_divergence(p[0], q[0]), rel=1e-12)


def test_blocks_are_averaged_as_logits_and_not_as_posteriors():
    p, q = logits(2, 6, 4, 3.0)
    value = kl_divergence(p, q[:2])
    assert value == pytest.approx(kl_divergence(p.mean(axis=0), q[:2].mean(axis=0)), rel=1e-12)
    softmax = np.exp(p) / np.exp(p).sum(axis=1, keepdims=True)
    assert abs(value - kl_divergence(np.log(softmax.mean(axis=0)), q[:2].mean(axis=0))) > 1e-3


def test_kl_of_float32_logits_runs_in_float64():
    p, q = (side.astype(np.float32)[0] for side in logits(3, 1, 50, 5.0))
    exact = kl_divergence(p.astype(np.float64), q.astype(np.float64))
    assert kl_divergence(p, q) == exact


def test_balanced_sure_classes_score_the_number_of_classes():
    # 10 splits of 20 clips; the shuffle must not matter, so each split has to be balanced:
    # with one sure class for each of 10 splits' worth of clips we take one split.
    sure = np.tile(np.eye(5) * 200.0, (4, 1))
    assert inception_score(sure, splits=1) == pytest.approx(5.0, rel=1e-12)


def test_equal_posteriors_score_one():
    assert inception_score(np.tile([1.0, 2.0, 3.0], (30, 1))) == pytest.approx(1.0, rel=1e-12)


def test_one_clip_a_split_scores_one_whatever_it_is():
    assert inception_score(logits(4, 10, 6, 3.0)[1]) == pytest.approx(1.0, rel=1e-12)


def test_classes_that_underflow_everywhere_do_not_spoil_the_score():
    # The published formula gives nan here: 0 * (log 0 - log 0).
    sure = np.tile(np.array([[0.0, -2000.0, -2000.0], [-2000.0, 0.0, -2000.0]]), (10, 1))
    assert inception_score(sure, splits=1) == pytest.approx(2.0, rel=1e-12)


def test_the_order_of_clips_decides_the_splits():
    _, q = logits(5, 40, 6, 3.0)
    assert inception_score(q) != pytest.approx(inception_score(q[::-1]), rel=1e-6)


def test_clips_may_have_blocks():
    _, q = logits(6, 36, 5, 2.0)
    clips = list(q.reshape(12, 3, 5))
    means = q.reshape(12, 3, 5).mean(axis=1)
    assert inception_score(clips) == pytest.approx(inception_score(means), rel=1e-12)


def test_fewer_clips_than_splits_is_undefined():
    with pytest.raises(InputError, match="needs 10 clips, got 9"):
        inception_score(np.zeros((9, 3)))


@pytest.mark.parametrize(
    ("reference", "generated", "message"),
    [
        (np.zeros(3), np.zeros(4), "differ in classes: 3 and 4"),
        (np.zeros((0, 3)), np.zeros(3), "reference logits must be"),
        (np.zeros((1, 2, 3)), np.zeros(3), "reference logits must be"),
        (np.zeros(3), np.array([0.0, np.nan, 0.0]), "generated logits hold a value"),
    ],
    ids=["classes", "no blocks", "three axes", "nan"],
)
def test_bad_logits_are_refused(reference, generated, message):
    with pytest.raises(InputError, match=message):
        kl_divergence(reference, generated)


def test_unequal_classes_in_a_set_are_refused():
    with pytest.raises(InputError, match="differ in classes"):
        inception_score([*np.zeros((9, 3)), np.zeros(4)])


def test_few_clips_are_noted_and_many_are_not():
    few, many = (logits(5, n, 4, 2.0)[1] for n in (999, 1000))
    assert inception_set_value(few).value == inception_score(few)
    assert inception_set_value(few).note == "999 clips: below 1000 it falls with their number"
    assert inception_set_value(many).note == ""
    low, high = inception_set_value(many).interval
    assert low < inception_set_value(many).value < high


def test_pieces_have_posteriors_of_their_own():
    random = np.random.RandomState(4)
    reference, generated = random.standard_normal((2, 3, 5))
    each = [kl_divergence(r, g) for r, g in zip(reference, generated, strict=True)]
    found = kl_pieces_components(reference, generated)
    np.testing.assert_allclose(found, [sum(each) / 3, 3], rtol=1e-12)
    # The logits of the rows averaged first are another number.
    assert abs(found[0] - kl_divergence(reference, generated)) > 0.01
    with pytest.raises(InputError, match="differ in pieces: 3 and 2"):
        kl_pieces_components(reference, generated[:2])
