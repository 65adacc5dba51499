"""DeSync and offset accuracy from logits derived by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.synchrony import (
    OFFSETS,
    desync,
    desync_avbench_components,
    desync_javis_components,
    offset_accuracy,
    offset_accuracy_components,
    predicted_offsets,
)


def logits(*classes: int) -> np.ndarray:
    """One window for each class, which is the likeliest by a little; float32 (windows, 21)."""
    values = np.random.default_rng(len(classes)).uniform(-5.0, 1.0, (len(classes), 21))
    values[np.arange(len(classes)), classes] = 1.5
    return values.astype(np.float32)


def test_offset_of_each_class() -> None:
    # 21 steps of 0.2 s around class 10
    found = predicted_offsets(logits(*range(21)))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, np.linspace(-2.0, 2.0, 21), rtol=0, atol=1e-15)
    assert found[10] == 0


def test_desync_of_uniform_classes_is_22_of_21() -> None:
    # 2 * 0.2 * (1 + ... + 10) / 21
    assert desync(logits(*range(21))) == pytest.approx(22 / 21, abs=1e-12)


def test_desync_is_the_mean_of_absolute_offsets() -> None:
    # classes 8 and 13: -0.4 and 0.6 s; signs must not cancel
    assert desync(logits(8, 13)) == pytest.approx(0.5, abs=1e-12)
    assert desync(logits(10, 10)) == 0
    assert desync(logits(0, 20)) == 2


def test_one_window_may_come_without_its_axis() -> None:
    assert desync(logits(7)[0]) == desync(logits(7)) == pytest.approx(0.6, abs=1e-12)


def test_avbench_components_are_value_first_and_last() -> None:
    found = desync_avbench_components(logits(8, 13))
    np.testing.assert_allclose(found, [0.5, -0.4, 0.6], atol=1e-12)


def test_mean_of_clips_is_avbenchs_mean_over_all_windows() -> None:
    clips = [logits(8, 13), logits(10, 11), logits(3, 3)]
    # av-benchmark lists |offset| of all first and last windows and takes one mean
    expected = np.mean([0.4, 0.6, 0.0, 0.2, 1.4, 1.4])
    found = np.mean([desync_avbench_components(clip)[0] for clip in clips])
    assert found == pytest.approx(expected, abs=1e-12)


def test_javis_components_take_any_number_of_windows() -> None:
    # 10 s in three windows: 0.2, 0.4 and 1.2 s
    np.testing.assert_allclose(desync_javis_components(logits(9, 12, 16)), [0.6, 3], atol=1e-12)
    np.testing.assert_allclose(desync_javis_components(logits(16)), [1.2, 1], atol=1e-12)


def test_accuracy_exact_and_within_one_class() -> None:
    # shifted by 0.6 s, class 13: an exact hit, both neighbours, one two classes off
    values = logits(13, 12, 14, 15)
    assert offset_accuracy(values, offset=0.6) == 0.25
    assert offset_accuracy(values, offset=0.6, classes=1) == 0.75
    assert offset_accuracy(values, offset=0.6, classes=2) == 1
    np.testing.assert_allclose(
        offset_accuracy_components(values, offset=0.6, classes=1), [0.75, 0.7], atol=1e-12
    )
    assert offset_accuracy(logits(10, 7)) == 0.5


def test_tolerance_does_not_wrap_around_the_grid() -> None:
    assert offset_accuracy(logits(20), offset=-2.0, classes=1) == 0
    assert offset_accuracy(logits(1), offset=-2.0, classes=1) == 1


def test_an_offset_off_the_grid_is_the_nearest_class() -> None:
    assert offset_accuracy(logits(12), offset=0.33) == 1
    assert offset_accuracy(logits(11), offset=0.27) == 1


def test_ties_go_to_the_lower_class() -> None:
    values = np.zeros((1, 21))
    values[0, [6, 14]] = 1
    np.testing.assert_allclose(predicted_offsets(values), [-0.8], atol=1e-12)
    assert OFFSETS[6] == pytest.approx(-0.8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 20)), r"must be \(windows, 21\), got shape \(2, 20\)"),
        (np.zeros((0, 21)), r"got shape \(0, 21\)"),
        (np.zeros((1, 2, 21)), r"got shape \(1, 2, 21\)"),
        (np.full((2, 21), np.nan), "not finite"),
    ],
    ids=["classes", "no-window", "axes", "nan"],
)
@pytest.mark.parametrize(
    "function", [predicted_offsets, desync, desync_avbench_components, desync_javis_components,
                 offset_accuracy, offset_accuracy_components]
)  # fmt: skip
def test_unusable_logits_are_refused(function, values: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        function(values)


@pytest.mark.parametrize("count", [1, 3])
def test_avbench_wants_two_windows(count: int) -> None:
    with pytest.raises(InputError, match=f"first and the last window, got {count}"):
        desync_avbench_components(logits(*range(count)))


@pytest.mark.parametrize(("offset", "classes"), [(2.1, 0), (-3.0, 0), (np.nan, 0), (0.0, -1)])
def test_accuracy_refuses_what_is_off_the_grid(offset: float, classes: int) -> None:
    with pytest.raises(InputError, match="must lie in"):
        offset_accuracy(logits(10), offset=offset, classes=classes)
