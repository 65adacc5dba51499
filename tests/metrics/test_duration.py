"""Length of speech by the energy rule: hand-made levels, pauses, gains, silence."""

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.duration import active_frames, duration_ratio, duration_ratio_components


def levels(*pieces):
    """Root mean squares from (frames, level) pieces."""
    return np.concatenate([np.full(count, level) for count, level in pieces])


def test_speech_is_what_lies_less_than_35_decibels_below_the_loudest():
    # -34 dB is 0.01995, -36 dB is 0.01585 of the loudest.
    active = active_frames(levels((5, 0.0), (3, 0.01585), (4, 1.0), (2, 0.01995), (6, 0.0)))
    assert np.flatnonzero(active).tolist() == [8, 9, 10, 11, 12, 13]


@pytest.mark.parametrize(("pause", "frames"), [(0, 20), (1, 21), (20, 40), (21, 20), (200, 20)])
def test_pauses_of_up_to_200_milliseconds_are_speech(pause, frames):
    assert active_frames(levels((10, 0.5), (pause, 0.0), (10, 0.5))).sum() == frames


def test_the_ratio_is_the_longer_by_the_shorter():
    short, long = levels((30, 0.0), (100, 0.2)), levels((150, 0.1), (7, 0.0))
    assert duration_ratio(short, long) == duration_ratio(long, short) == 1.5
    components = duration_ratio_components(long, short)
    assert components.dtype == np.float64
    np.testing.assert_allclose(components, [1.5, 100 / 150, 1.5, 1.0], rtol=1e-12)


def test_neither_gain_nor_silence_around_it_changes_the_length():
    speech = np.abs(np.random.RandomState(0).standard_normal(120)) + 0.1
    moved = np.pad(0.05 * speech, (70, 10))
    assert duration_ratio(speech, moved) == 1.0
    assert np.array_equal(active_frames(moved)[70:190], active_frames(speech))


def test_silence_has_no_length():
    speech = levels((100, 0.1))
    # The loudest frame of -80.9 dB of full scale is noise of the last bit.
    for silent in (np.zeros(100), levels((100, 9e-5)), np.zeros(0)):
        assert not active_frames(silent).any()
        with pytest.raises(InputError, match="the generated audio is silent"):
            duration_ratio(speech, silent)
        with pytest.raises(InputError, match="the reference is silent"):
            duration_ratio(silent, speech)


@pytest.mark.parametrize("value", [np.nan, -0.1], ids=["nan", "negative"])
def test_bad_levels_are_refused(value):
    with pytest.raises(InputError, match="levels"):
        active_frames(np.array([0.1, value]))
