"""AV-Align: the 2025 script's values, planted peaks, the rules of 2025 against those of 2023."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.audio_visual import av_align, av_align_components, motion_peaks

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_av_align.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]
EMPTY = np.zeros(0)


def peaks_at(*frames, n=100):
    """Motion of 1 at these frames and 0 elsewhere."""
    magnitude = np.zeros(n)
    magnitude[list(frames)] = 1.0
    return magnitude


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"seed {case['seed']}")
def test_equals_the_published_script(case):
    random = np.random.RandomState(case["seed"])
    motion = random.gamma(0.5, 0.5, int(4 * case["fps"]))
    frames = np.sort(random.choice(172, random.randint(0, 20), replace=False))
    assert av_align(motion, case["fps"], frames * 512 / 22050) == case["value"]


def test_onsets_on_planted_peaks_score_one():
    assert av_align(peaks_at(10, 30, 70), 25.0, np.array([0.4, 1.2, 2.8])) == 1.0


def test_components_of_a_written_out_case():
    # Peaks at 0.4, 1.2 and 2.8 s; 0.41 and 1.19 match, 2.0 does not: 2 / (3 + 3 - 2).
    components = av_align_components(
        peaks_at(10, 30, 70), np.array(25.0), np.array([0.41, 1.19, 2.0])
    )
    assert components.dtype == np.float64
    assert components.tolist() == [0.5, 2, 3, 3]


def test_one_frame_away_is_too_far():
    assert av_align(peaks_at(25), 25.0, np.array([1.04])) == 0.0
    assert av_align(peaks_at(25), 25.0, np.array([1.039])) == 1.0


def test_many_onsets_cannot_share_one_peak():
    # Known bug of TempoTokens before 2025-02-13: one video peak served many onsets, so the score
    # of this case was 3 / (3 + 1 - 3) = 3. Now 1 / (3 + 1 - 1).
    assert av_align(peaks_at(25), 25.0, np.array([0.99, 1.0, 1.01])) == pytest.approx(1 / 3)


def test_peaks_are_strict_inner_and_at_least_a_tenth():
    magnitude = np.array([9.0, 0.0, 0.1, 0.0, 0.09, 0.0, 2.0, 2.0, 0.0, 9.0])
    assert motion_peaks(magnitude, 10.0).tolist() == [0.2]


def test_a_peak_is_at_its_index_over_the_frame_rate():
    np.testing.assert_allclose(motion_peaks(peaks_at(10, 30), 25.0), [0.4, 1.2])


def test_neither_onsets_nor_peaks_is_excluded():
    # Known bug of TempoTokens: ZeroDivisionError.
    with pytest.raises(InputError, match="neither onsets nor motion peaks"):
        av_align(np.zeros(100), 25.0, EMPTY)


def test_one_side_empty_scores_zero():
    assert av_align(peaks_at(10), 25.0, EMPTY) == 0.0
    assert av_align(np.zeros(100), 25.0, np.array([1.0])) == 0.0


def test_two_frames_have_no_peaks():
    assert motion_peaks(np.ones(2), 25.0).size == 0
    assert motion_peaks(np.ones(1), 25.0).size == 0


@pytest.mark.parametrize(
    ("magnitude", "fps", "onsets", "message"),
    [
        (np.array([0.0, np.nan, 0.0]), 25.0, EMPTY, "motion magnitude holds a value"),
        (np.zeros(3), 0.0, EMPTY, "frame rate must be positive"),
        (np.zeros(3), float("nan"), EMPTY, "frame rate must be positive"),
        (np.zeros(3), 25.0, np.array([np.inf]), "onsets holds a value"),
    ],
    ids=["nan", "zero fps", "nan fps", "infinite onset"],
)
def test_bad_input_is_refused(magnitude, fps, onsets, message):
    with pytest.raises(InputError, match=message):
        av_align(magnitude, fps, onsets)
