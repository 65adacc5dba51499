"""Joint clips on planted numbers: the sound is 1 everywhere, the speech 10 within its length."""

from __future__ import annotations

import pytest
import torch

from vssflow.dit import Features
from vssflow.joint import Overlay, Source, draw_overlay, mix

FRAMES, SPOKEN = 20, 6


def source(config, value, frames):
    """Features ``value`` in all frames, padding included; phonemes only where speech is."""
    phones = torch.zeros(1, FRAMES * config.phonemes_per_frame, dtype=torch.int64)
    phones[:, : frames * config.phonemes_per_frame] = int(value)
    lips = torch.zeros(1, FRAMES, config.lip_features)
    lips[:, :frames] = value
    features = Features(
        lips,
        phones,
        torch.full((1, FRAMES, config.sync_features), value),
        torch.full((1, 2, config.semantic_features), value),
        torch.full((1, config.speaker_features), value),
    )
    wave = torch.full((1, FRAMES * config.samples_per_frame), value / 100)
    return Source(wave, features, frames)


@pytest.fixture
def pair(config):
    return source(config, 1.0, FRAMES), source(config, 10.0, SPOKEN)


@pytest.mark.parametrize(("mode", "inside"), [("add", 0.1 + 0.5 * 0.01), ("insert", 0.1)])
def test_wave_is_mixed_inside_the_span_and_untouched_outside(config, pair, mode, inside):
    mixed = mix(*pair, Overlay(5, mode, 0.5), config)
    per_frame = mixed.wave.reshape(FRAMES, -1)
    assert torch.all(per_frame[:5] == 0.01)
    torch.testing.assert_close(per_frame[5:11], torch.full_like(per_frame[5:11], inside))
    assert torch.all(per_frame[11:] == 0.01)
    assert mixed.wave.shape == pair[0].wave.shape


@pytest.mark.parametrize(("mode", "inside"), [("add", 11.0), ("insert", 10.0)])
@pytest.mark.parametrize(("extent", "stop"), [("span", 11), ("clip", FRAMES)])
def test_sync_features_follow_the_span_or_run_to_the_end(config, pair, mode, inside, extent, stop):
    mixed = mix(*pair, Overlay(5, mode, 0.5), config, extent)
    sync = mixed.features.sync[0, :, 0]
    expected = torch.ones(FRAMES)
    expected[5:stop] = inside
    torch.testing.assert_close(sync, expected)


def test_semantic_tokens_that_begin_within_the_span_are_met(config, pair):
    # Two tokens of ten frames: the second begins at frame 10, within 5 to 11.
    mixed = mix(*pair, Overlay(5, "insert", 0.5), config)
    assert mixed.features.semantic[0, :, 0].tolist() == [1.0, 10.0]
    early = mix(*pair, Overlay(3, "insert", 0.5), config)
    assert early.features.semantic[0, :, 0].tolist() == [1.0, 1.0]


def test_phonemes_lips_and_voice_are_those_of_the_speech_moved_to_its_start(config, pair):
    features = mix(*pair, Overlay(5, "add", 0.5), config).features
    slots = config.phonemes_per_frame
    expected = torch.zeros(FRAMES * slots, dtype=torch.int64)
    expected[5 * slots : 11 * slots] = 10
    assert torch.equal(features.phonemes[0], expected)
    assert features.lips[0, :, 0].tolist() == [0.0] * 5 + [10.0] * 6 + [0.0] * 9
    assert torch.all(features.speaker == 10.0)


def test_start_lies_within_the_sound_and_both_modes_come(config, pair):
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_overlay(*pair, generator) for _ in range(300)]
    assert {overlay.start for overlay in drawn} == set(range(FRAMES - SPOKEN + 1))
    assert {overlay.mode for overlay in drawn} == {"add", "insert"}
    assert all(0.3 <= overlay.background <= 0.7 for overlay in drawn)
    assert sum(overlay.mode == "add" for overlay in drawn) == pytest.approx(150, abs=40)


def test_speech_longer_than_the_sound_starts_at_zero_and_sets_the_length(config):
    sound, speech = source(config, 1.0, 8), source(config, 10.0, 12)
    overlay = draw_overlay(sound, speech, torch.Generator().manual_seed(0))
    assert overlay.start == 0
    assert mix(sound, speech, overlay, config).frames == 12
