"""Onsets with the loudness of the signed wave: the detector's times, planted levels, silence."""

import numpy as np
import pytest

from vsseval.encoders import onsets, onsets_signed
from vsseval.errors import InputError


def test_times_are_those_of_the_common_detector(signals):
    samples = signals.hits(22050, 4.0)
    expected = onsets.load()(samples)["times_030"]
    assert len(expected) > 0
    np.testing.assert_array_equal(onsets_signed.load()(samples)["times"], expected)


def test_loudness_is_that_of_the_signed_wave(signals):
    samples = signals.hits(22050, 4.0)
    found = onsets_signed.load()(samples)
    wave = samples.astype(np.float64)
    scaled = (wave - wave.min()) / (wave.max() - wave.min() + 1e-6)
    at = np.rint(found["times"] * 22050).astype(int)
    np.testing.assert_array_equal(found["amplitude"], scaled[at])
    windows = [scaled[o - 1102 : o + 1102].max() for o in at]
    np.testing.assert_array_equal(found["confidence"], windows)


def test_turning_the_wave_over_changes_the_loudness(signals):
    # The rectified wave of onset-condfoley would not notice.
    samples = signals.hits(22050, 4.0)
    there, back = onsets_signed.load()(samples), onsets_signed.load()(-samples)
    np.testing.assert_array_equal(there["times"], back["times"])
    assert not np.allclose(there["amplitude"], back["amplitude"])


def test_silence_has_no_onsets():
    found = onsets_signed.load()(np.zeros(22050, np.float32))
    assert {name: array.size for name, array in found.items()} == {
        "times": 0,
        "confidence": 0,
        "amplitude": 0,
    }


def test_short_samples_are_refused():
    with pytest.raises(InputError, match="need 2048 samples"):
        onsets_signed.load()(np.zeros(2047, np.float32))
