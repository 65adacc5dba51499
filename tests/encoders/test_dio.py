"""DIO beside the one of pyworld, an independent implementation by its author."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from vsseval.audio import mono, read_audio
from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.encoders.dio import dio
from vsseval.encoders.world import FFT, mel_cepstrum
from vsseval.resampling import resample

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyworld

HILL = Path(__file__).parent / "hill.flac"
RATE = 22050


def spoken(path):
    audio = read_audio(path)
    return resample(mono(audio), audio.sample_rate, RATE, "soxr-hq").astype(np.float64)


def assert_equal_to_pyworld(wave):
    f0, times = dio(wave, RATE)
    expected, expected_times = pyworld.dio(wave, RATE, frame_period=5.0)
    np.testing.assert_array_equal(times, expected_times)
    np.testing.assert_array_equal(f0 == 0, expected == 0)
    np.testing.assert_allclose(f0, expected, rtol=0, atol=1e-7)
    return f0


@pytest.mark.parametrize("signal", ["vowels", "hits", "chirp", "noise"])
@pytest.mark.parametrize("seconds", [0.05, 1.0, 3.3])
def test_equals_pyworld_on_made_up_sounds(signals, signal, seconds):
    assert_equal_to_pyworld(signals.SIGNALS[signal](RATE, seconds).astype(np.float64))


def test_equals_pyworld_on_speech():
    assert (assert_equal_to_pyworld(spoken(HILL)) > 0).mean() > 0.3
    for index in range(0, 90, 10):
        clip = EMBEDDED_MEDIA / "demo-speech" / "audio" / f"speech-test-{index:04d}.flac"
        assert_equal_to_pyworld(spoken(clip))


def test_follows_a_planted_pitch():
    # 40 harmonics of 120 to 180 Hz over 2 s.
    t = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * (120 * t + 15 * t**2)
    f0, times = dio(sum(np.sin(k * phase) / k for k in range(1, 41)), RATE)
    inner = slice(20, -20)
    np.testing.assert_allclose(f0[inner], 120 + 30 * times[inner], rtol=0.01)


def test_digital_silence_moves_no_cepstrum():
    # F0 of exact zeros is that of rounding noise, which differs; the envelope there does not.
    wave = np.pad(spoken(HILL), (RATE // 2, RATE))
    cepstra = []
    for f0, times in (dio(wave, RATE), pyworld.dio(wave, RATE, frame_period=5.0)):
        fine = pyworld.stonemask(wave, f0, times, RATE)
        cepstra.append(mel_cepstrum(pyworld.cheaptrick(wave, fine, times, RATE, fft_size=FFT)))
    np.testing.assert_allclose(*cepstra, rtol=0, atol=1e-8)


def test_silence_and_the_fewest_frames():
    for length in (1024, 1200):
        f0, times = dio(np.zeros(length), RATE)
        assert f0.shape == times.shape == (length * 200 // RATE + 1,)
        assert np.isfinite(f0).all()
