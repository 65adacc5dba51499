"""Joint clips on planted numbers: the sound is 1 everywhere, the speech 10 within its length."""

from __future__ import annotations

import pytest
import torch

from vssflow.config import PRESETS
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


RATES = {"lips": 25, "phonemes": 25, "sync": 24, "semantic": 10}


def full_source(value: float, seconds: float) -> Source:
    """A 10 s clip of the full-size model at the rates of its features; position k has value + k."""
    counts = {name: 10 * rate for name, rate in RATES.items()}
    steps = {name: value + torch.arange(count)[None, :, None] for name, count in counts.items()}
    features = Features(
        steps["lips"].float(),
        steps["phonemes"][..., 0].long(),
        steps["sync"].float(),
        steps["semantic"].float(),
        torch.full((1, 4), value),
    )
    wave = (value + torch.arange(160_000, dtype=torch.float64) / 1e6)[None]
    return Source(wave, features, 25 * seconds)


@pytest.mark.parametrize("start", [0.0, 1.23, 4.5678])
@pytest.mark.parametrize("mode", ["add", "insert"])
def test_full_size_clips_are_mixed_at_the_rates_of_the_authors(mode, start):
    # Places: int(16000 t) of the waveform, int(24 t) of sync, int(10 t) of CLIP, int(25 t) of lips.
    sound, speech = full_source(1000, 9.5), full_source(5000, 3.21)
    mixed = mix(sound, speech, Overlay(25 * start, mode, 0.4), PRESETS["v3-m"], "clip")
    first, count = int(16_000 * start), int(16_000 * 3.21)
    expected = sound.wave[0].clone()
    expected[first : first + count] *= 0.4 if mode == "add" else 0.0
    expected[first : first + count] += speech.wave[0, :count]
    torch.testing.assert_close(mixed.wave[0], expected)
    for name in ("sync", "semantic"):
        first = int(RATES[name] * start)
        below, above = (getattr(s.features, name)[0, :, 0] for s in (sound, speech))
        expected = below.clone()
        expected[first:] = (below[first:] if mode == "add" else 0) + above[: len(above) - first]
        assert torch.equal(getattr(mixed.features, name)[0, :, 0], expected), name
    for name in ("lips", "phonemes"):
        first, above = int(25 * start), getattr(speech.features, name)
        assert not getattr(mixed.features, name)[0, :first].any()
        assert torch.equal(getattr(mixed.features, name)[0, first:], above[0, : 250 - first])
    assert mixed.frames == 25 * 9.5


def test_pictures_of_a_full_size_clip_can_end_with_its_speech():
    sound, speech = full_source(1000, 9.5), full_source(5000, 3.0)
    features = mix(sound, speech, Overlay(50.0, "insert", 0.4), PRESETS["v3-m"]).features
    # 2 to 5 s: sync 48 to 120, CLIP 20 to 50.
    sync, semantic = features.sync[0, :, 0], features.semantic[0, :, 0]
    assert torch.equal(sync[120:], sound.features.sync[0, 120:, 0])
    assert torch.equal(sync[48:120], speech.features.sync[0, :72, 0])
    assert torch.equal(semantic[50:], sound.features.semantic[0, 50:, 0])
    assert torch.equal(semantic[20:50], speech.features.semantic[0, :30, 0])


def test_full_size_speech_begins_anywhere_within_the_sound():
    generator = torch.Generator().manual_seed(0)
    pair = full_source(0, 8.0), full_source(1, 6.0)
    starts = [draw_overlay(*pair, generator, whole_frames=False).start for _ in range(400)]
    assert 0 <= min(starts) < 1
    assert 49 < max(starts) <= 50
    assert sum(starts) / 400 == pytest.approx(25, abs=2)
    assert any(start % 1 for start in starts)
