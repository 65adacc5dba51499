"""Levels of a clip: closed forms."""

import numpy as np
import pytest

from vsseval.encoders.levels import load
from vsseval.errors import InputError


def test_a_sine_has_the_level_of_a_sine():
    # 1 kHz at 16 kHz: 20 whole periods in a frame of 320 samples, amplitude 0.5 / sqrt 2.
    samples = (0.5 * np.sin(2 * np.pi * np.arange(16000) / 16)).astype(np.float32)
    found = load()(samples)
    assert float(found["rms"]) == pytest.approx(0.5 / np.sqrt(2), rel=1e-6)
    assert found["frames"].shape == (100,)
    np.testing.assert_allclose(found["frames"][1:-1], 0.5 / np.sqrt(2), rtol=1e-6)


def test_a_click_is_in_the_frames_around_it():
    # Frame t holds samples 160 t - 80 to 160 t + 240: sample 1000 lies in frames 5 and 6.
    samples = np.zeros(1601, np.float32)
    samples[1000] = 1.0
    found = load()(samples)["frames"]
    assert found.shape == (11,)
    assert np.flatnonzero(found).tolist() == [5, 6]
    np.testing.assert_allclose(found[[5, 6]], np.sqrt(1 / 320), rtol=1e-12)


def test_silence_and_no_samples():
    assert not load()(np.zeros(500, np.float32))["frames"].any()
    with pytest.raises(InputError, match="at least one sample"):
        load()(np.zeros(0, np.float32))
