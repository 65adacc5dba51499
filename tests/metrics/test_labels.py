"""Label accuracy: written-out angles, planted classes, and scikit-learn's nearest neighbour."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics import label_accuracy
from vsseval.metrics.labels import label_accuracy_set_value, label_hits

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_labels.json"
CLASSES, EACH, WIDTH = 8, 12, 32


def at(*degrees, length=1.0):
    """Vectors of the plane at these angles."""
    angles = np.radians(degrees)
    return list(length * np.stack([np.cos(angles), np.sin(angles)], axis=1))


PLANE = ["bell", "bell", "drum", "drum"], at(0.0, 20.0, 90.0, 110.0)


@pytest.mark.parametrize(
    ("angle", "hits"),
    # The drums' mean is at 100. Without its own reference the bells' mean is at 20 for the first
    # clip and at 0 for the second: the borders are 60 and 50.
    [(49.0, [1, 1]), (51.0, [1, 0]), (59.0, [1, 0]), (61.0, [0, 0])],
)
def test_own_reference_is_left_out_of_the_mean_of_its_class(angle, hits):
    heard = at(angle, angle, 90.0, 110.0)
    assert label_hits(*PLANE, heard).tolist() == [*hits, 1, 1]


def test_references_of_the_group_are_left_out_too():
    labels = ["bell", "bell", "bell", "drum", "drum"]
    reference = at(0.0, 20.0, 40.0, 120.0, 120.0)
    # Without its own the bells' mean is at 30 for the first clip and the border at 75; without its
    # group's it is at 40 and the border at 80.
    heard = at(77.0, 0.0, 0.0, 120.0, 120.0)
    assert label_hits(labels, reference, heard)[0] == 0
    assert label_hits(labels, reference, heard, groups=[0, 0, 1, 2, 3])[0] == 1
    with pytest.raises(InputError, match="two classes of two or more items, got 1"):
        label_hits(labels, reference, heard, groups=[0, 0, 0, 1, 2])


def test_interval_draws_whole_groups():
    labels, reference, generated = planted(7)
    n = len(labels)
    generated[: n // 2] = -reference[: n // 2]
    alone = label_accuracy_set_value(labels, reference, generated)
    # The two clips of a group are hits together or not at all: half as many draws.
    pairs = label_accuracy_set_value(
        labels, reference, generated, groups=(np.arange(n) // 2).tolist()
    )
    assert pairs.value == alone.value == 50.0
    wider = np.sqrt((n - 1) / (n / 2 - 1))
    assert np.ptp(pairs.interval) == pytest.approx(wider * np.ptp(alone.interval), rel=1e-12)
    few = label_accuracy_set_value(labels, reference, generated, groups=(np.arange(n) % 9).tolist())
    assert few.interval is None
    assert few.note == "fewer than 10 groups of clips: no interval"


def test_mean_is_of_directions_whatever_the_lengths():
    labels = ["bell", "bell", "bell", "drum", "drum"]
    reference = [*at(0.0), *at(0.0), *at(40.0, length=50.0), *at(100.0, 100.0)]
    # For the first bell the mean is at 20 and the border at 60; by length it would be at 70.
    heard = [*at(65.0), *at(0.0, 0.0, 100.0, 100.0)]
    assert label_hits(labels, reference, heard).tolist() == [0, 1, 1, 1, 1]


def test_blocks_are_averaged_before_anything_else():
    # Mean of (4, 0) and (0, 1) is nearer to 0 degrees than 45 would be.
    blocks = np.array([[4.0, 0.0], [0.0, 1.0]])
    assert np.degrees(np.arctan2(1.0, 4.0)) < 50
    assert label_hits(*PLANE, [blocks, *at(0.0, 90.0, 110.0)])[0] == 1
    assert label_hits(*PLANE, [blocks[:, ::-1], *at(0.0, 90.0, 110.0)])[0] == 0


def test_equally_near_or_without_direction_is_no_hit():
    axes = [np.array([1.0, 0.0])] * 2 + [np.array([0.0, 1.0])] * 2
    heard = [np.array([1.0, 1.0]), np.zeros(2), *axes[2:]]
    assert label_hits(PLANE[0], axes, heard).tolist() == [0, 0, 1, 1]


def planted(seed, spread=0.5):
    """Labels, and two draws of clips around one centre a class, far apart for their spread."""
    random = np.random.RandomState(seed)
    centres = random.standard_normal((CLASSES, WIDTH))
    of = np.arange(CLASSES * EACH) % CLASSES
    draws = centres[of] + spread * random.standard_normal((2, len(of), WIDTH))
    return [f"class {c}" for c in of], *draws


def test_planted_classes_are_found():
    assert label_accuracy(*planted(1)) == 100.0


def test_half_of_the_clips_of_another_class():
    labels, reference, generated = planted(2)
    # The next clip is of the next class.
    generated[::2] = generated[1::2]
    assert label_accuracy(labels, reference, generated) == 50.0


def test_clips_that_have_nothing_to_do_with_their_item_are_at_chance():
    random = np.random.RandomState(3)
    labels, reference, generated = planted(3)
    values = [
        label_accuracy(labels, reference, generated[random.permutation(len(labels))])
        for _ in range(100)
    ]
    # Expected 100 / 8; a shuffled set has a deviation of about 3.4, the mean of 100 a tenth.
    assert np.mean(values) == pytest.approx(100 / CLASSES, abs=4 * 0.34)


def test_hits_are_those_of_scikit_learn():
    stored = json.loads(REFERENCE.read_text(encoding="utf-8"))
    random = np.random.RandomState(stored["seed"])
    names = sorted(set(stored["labels"]))
    centres = random.standard_normal((len(names), stored["width"]))
    around = [centres[names.index(label)] for label in stored["labels"]]
    reference, generated = (
        [c + 3.0 * random.standard_normal((k, stored["width"])) for c in around] for k in (3, 2)
    )
    hits = label_hits(stored["labels"], reference, generated)
    assert 0.2 < np.mean(stored["hits"]) < 0.8
    np.testing.assert_array_equal(hits, stored["hits"])


def test_interval_is_that_of_a_share():
    labels, reference, generated = planted(4)
    n = len(labels)
    generated[: n // 4] = -reference[: n // 4]
    found = label_accuracy_set_value(labels, reference, generated)
    assert found.value == 75.0
    reach = 1.959963984540054 * 100 * np.sqrt(0.75 * 0.25 / (n - 1))
    assert found.interval == pytest.approx((75 - reach, 75 + reach), rel=1e-12)
    expected = np.where(np.arange(n) < n // 4, -75.0, 25.0) / n
    np.testing.assert_allclose(found.contributions, expected, rtol=1e-12)


def test_interval_ends_at_a_hundred():
    labels, reference, generated = planted(5)
    generated[0] = -reference[0]
    low, high = label_accuracy_set_value(labels, reference, generated).interval
    assert low < 100 - 100 / len(labels) < high == 100.0


def test_takes_of_an_item_contribute_together():
    labels, reference, generated = planted(6)
    n = len(labels)
    generated[: n // 2] = -reference[: n // 2]
    once = label_accuracy_set_value(labels, reference, generated)
    items = np.repeat(np.arange(n), 2).tolist()
    twice = label_accuracy_set_value(
        labels, reference, np.repeat(generated, 2, axis=0), items=items
    )
    assert twice.value == once.value == 50.0
    np.testing.assert_allclose(twice.contributions, once.contributions, rtol=1e-12)


def test_class_of_one_item_takes_no_part():
    labels, reference = PLANE
    heard = at(70.0, 0.0, 90.0, 110.0)
    alone = label_accuracy_set_value([*labels, "rain"], [*reference, *at(70.0)], [*heard, heard[0]])
    assert alone.value == label_accuracy(labels, reference, heard) == 75.0
    assert alone.note.startswith("1 of 5 clips not counted: no other item of their class; ")
    assert alone.contributions[-1] == 0.0


@pytest.mark.parametrize(
    ("labels", "reference", "generated", "message"),
    [
        (["a", "a", "b"], at(0, 0, 0), at(0, 0, 0), "two classes of two or more items, got 1"),
        (PLANE[0], PLANE[1], at(0, 0, 0), "belong together, got 4, 4 and 3"),
        (PLANE[0], PLANE[1], [np.ones(3)] * 4, "differ in width: 2 and 3"),
        (PLANE[0], PLANE[1], [np.array([np.nan, 1.0])] * 4, "not finite"),
    ],
    ids=["classes", "numbers", "widths", "nan"],
)
def test_what_cannot_be_scored_is_refused(labels, reference, generated, message):
    with pytest.raises(InputError, match=message):
        label_accuracy(labels, reference, generated)
