from __future__ import annotations

from collections import Counter

import pytest

from vsseval.errors import InputError
from vssflow.mixture import mixture

GROUPS = {"sound": list(range(10)), "speech": list(range(100, 107)), "joint": list(range(100, 107))}


def test_shares_are_kept_in_every_batch():
    mixed = mixture(GROUPS, {"sound": 2.0, "speech": 1.0, "joint": 1.0}, 8, 0)
    for step in range(20):
        assert Counter(name for name, _ in mixed.rows(step)) == {
            "sound": 4,
            "speech": 2,
            "joint": 2,
        }


def test_largest_remainders_fill_the_batch():
    # 5 / 3 each: 1 and a remainder of 2/3, so two of three get a second place.
    mixed = mixture(GROUPS, {"sound": 1.0, "speech": 1.0, "joint": 1.0}, 5, 0)
    assert sorted(mixed.counts.values()) == [1, 2, 2]
    assert mixed.batch == 5


def test_every_clip_comes_once_in_an_epoch_of_its_group():
    mixed = mixture(GROUPS, {"sound": 1.0, "speech": 1.0}, 4, 3)
    drawn = [pair for step in range(35) for pair in mixed.rows(step)]
    sounds = [row for name, row in drawn if name == "sound"]
    speech = [row for name, row in drawn if name == "speech"]
    assert Counter(sounds) == dict.fromkeys(range(10), 7)
    assert Counter(speech) == dict.fromkeys(range(100, 107), 10)


def test_batch_depends_on_seed_and_step_alone():
    shares = {"sound": 1.0, "speech": 1.0}
    first, second = (mixture(GROUPS, shares, 4, 7) for _ in range(2))
    expected = [first.rows(step) for step in range(12)]
    assert second.rows(11) == expected[11]  # without the eleven before
    assert [second.rows(step) for step in range(12)] == expected
    assert [mixture(GROUPS, shares, 4, 8).rows(step) for step in range(12)] != expected
    assert len({tuple(rows) for rows in expected}) > 1


def test_share_that_gets_no_place_is_refused():
    with pytest.raises(InputError, match="batch of 2 has no place for joint"):
        mixture(GROUPS, {"sound": 10.0, "speech": 10.0, "joint": 0.1}, 2, 0)


def test_group_without_clips_is_refused_unless_its_share_is_zero():
    with pytest.raises(InputError, match="no clips of joint"):
        mixture({"sound": [1], "joint": []}, {"sound": 1.0, "joint": 1.0}, 2, 0)
    assert mixture({"sound": [1], "joint": []}, {"sound": 1.0, "joint": 0.0}, 2, 0).batch == 2
