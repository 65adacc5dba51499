"""Resamplers and preparations against their origins, and the table that names them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.audio import Audio
from vsseval.encoders.table import ENCODERS
from vsseval.errors import UnknownNameError
from vsseval.preparations import PREPARATIONS, prepare
from vsseval.resampling import RESAMPLERS, resample

REFERENCE = json.loads((Path(__file__).parent / "reference" / "resampling.json").read_text())


@pytest.mark.parametrize("case", REFERENCE["cases"])
def test_resampler_equals_its_origin(case: str) -> None:
    name, source, target = case.split(":")
    rate = int(source)
    noise = 0.3 * np.random.RandomState(rate).standard_normal(rate // 30)
    found = resample(noise.astype(np.float32), rate, int(target), name)
    expected = REFERENCE["cases"][case]
    assert len(found) == expected["length"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[::7], expected["every_7"], atol=1e-5)


@pytest.mark.parametrize("resampler", RESAMPLERS)
def test_sine_keeps_its_frequency_level_and_phase(resampler: str) -> None:
    seconds = np.arange(22050) / 44100
    sine = np.sin(2 * np.pi * 1000 * seconds).astype(np.float32)
    found = resample(sine, 44100, 16000, resampler)
    expected = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000)
    np.testing.assert_allclose(found[400:-400], expected[400:-400], atol=2e-3)


def test_unknown_resampler_lists_the_known() -> None:
    with pytest.raises(UnknownNameError, match="sinc6"):
        resample(np.zeros(3, np.float32), 2, 1, "sinc")


def stereo(rate: int = 16000, seconds: float = 1.0) -> Audio:
    """A tone at 0.25 above zero on the left, another on the right."""
    time = np.arange(round(rate * seconds)) / rate
    left = 0.25 + 0.1 * np.sin(2 * np.pi * 500 * time)
    right = 0.3 * np.sin(2 * np.pi * 900 * time)
    return Audio(np.stack([left, right]).astype(np.float32), rate)


# What each preparation leaves of the two channels, by its rules and hand; the mean of whole
# periods of a sine is zero, so that the mean of the left channel is 0.25.
EXPECTED = {
    "soxr-mean": lambda left, right: (left + right) / 2,
    "avbench": lambda left, right: (left + right) / 2 - 0.125,
    "sinc6-mean": lambda left, right: (left + right) / 2,
    "audioldm": lambda left, right: np.pad(left - 0.25, (0, 16000)),
    "imagebind": lambda left, right: left - 0.125,
    "fadtk": lambda left, right: np.trunc((left + right) / 2 * 32768) / 32768,
    "gudgud96": lambda left, right: (left + right) / 2,
    "audiocraft": lambda left, right: (left + right) / 2,
    "stable-audio": lambda left, right: (
        (left + right) / 2 * 10 ** (-1 / 20) / np.abs((left + right) / 2).max()
    ),
}


@pytest.mark.parametrize("name", PREPARATIONS)
def test_channels_mean_and_level_follow_the_rule(name: str) -> None:
    audio = stereo()
    expected = EXPECTED[name](*audio.samples.astype(np.float64))
    # One step of 16 bits of slack where the sum of two float32 is rounded before the cut.
    tolerance = 1 / 32768 + 1e-6 if name == "fadtk" else 1e-6
    np.testing.assert_allclose(prepare(audio, 16000, 1.0, name), expected, atol=tolerance)


def test_mean_is_that_of_the_whole_file_and_is_removed_before_the_cut() -> None:
    samples = np.concatenate([np.zeros(8000), np.ones(8000)]).astype(np.float32)[None]
    found = prepare(Audio(samples, 16000), 16000, 0.25, "avbench")
    np.testing.assert_array_equal(found, np.full(4000, -0.5, np.float32))


def test_length_is_cut_padded_or_kept() -> None:
    audio = stereo(44100, 0.5)
    assert prepare(audio, 16000, 0.3).shape == (4800,)
    assert prepare(audio, 16000, 0.7).shape == (11200,)
    assert not prepare(audio, 16000, 0.7)[8000:].any()
    assert prepare(audio, 16000, None).shape == (8000,)


def test_silence_has_no_level_to_set() -> None:
    silent = Audio(np.zeros((1, 160), np.float32), 16000)
    assert not prepare(silent, 16000, None, "stable-audio").any()


def test_every_encoder_names_a_preparation_of_the_table() -> None:
    for row in ENCODERS.values():
        assert row.preparation in PREPARATIONS, row.id
        assert PREPARATIONS[row.preparation].resampler in RESAMPLERS


@pytest.mark.parametrize("name", PREPARATIONS)
def test_what_lies_beyond_the_clip_is_heard_only_where_the_whole_file_counts(name: str) -> None:
    samples = np.random.RandomState(2).uniform(-0.5, 0.5, (2, 44_100)).astype(np.float32)
    longer = np.concatenate([samples, np.full_like(samples, 0.9)], axis=1)
    alone, among = (prepare(Audio(s, 44_100), 16_000, 1.0, name) for s in (samples, longer))
    # av-benchmark and audioldm_eval remove the mean, stable-audio-metrics sets the peak, and
    # ImageBind subtracts the mean over channels, of the file as it is.
    whole_file = {"avbench", "audioldm", "stable-audio", "imagebind"}
    assert np.array_equal(alone, among) == (name not in whole_file)
