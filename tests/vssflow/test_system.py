from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vsseval.audio import read_audio, write_audio
from vsseval.errors import InputError
from vsseval.types import Audio, Benchmark, Item, ModelContext
from vssflow.config import PRESETS
from vssflow.speaker import speaker_vector
from vssflow.system import fitted, load, load_codec, load_flow_model, reference_voice


def context(checkpoint):
    bench = Benchmark("toy", "1", "sound", 1.0, 16000, (), (), "")
    return ModelContext(bench, checkpoint, "cpu")


@pytest.fixture
def item(clip):
    return Item("a", 1.0, video=clip)


def test_audio_has_the_duration_of_the_item(checkpoint, item):
    output = load(context(checkpoint)).generate(replace(item, duration=0.73), 0)
    assert output.audio.samples.shape == (1, 11680)
    assert output.audio.sample_rate == 16000
    assert output.nfe == 6  # 3 steps, two branches
    assert np.isfinite(output.audio.samples).all()


def test_same_item_and_seed_give_the_same_audio_whatever_came_before(
    checkpoint, item, make_clip, tmp_path
):
    other = Item("b", 1.0, video=make_clip(tmp_path / "b.mp4", frames=30))
    model = load(context(checkpoint))
    first = model.generate(item, 5).audio.samples
    model.generate(other, 6)
    np.testing.assert_array_equal(first, model.generate(item, 5).audio.samples)
    np.testing.assert_array_equal(first, load(context(checkpoint)).generate(item, 5).audio.samples)
    assert not np.array_equal(first, model.generate(item, 6).audio.samples)


def test_reference_audio_label_and_onsets_are_not_looked_at(checkpoint, item):
    told = replace(item, audio=item.video, label="x", caption="y", onsets=(0.1,), speaker="z")
    model = load(context(checkpoint))
    np.testing.assert_array_equal(
        model.generate(item, 0).audio.samples, model.generate(told, 0).audio.samples
    )


def test_signature_names_checkpoint_and_settings(checkpoint):
    signature = load(context(checkpoint)).signature
    assert signature["steps"] == "3"
    assert signature["guidance"] == f"{PRESETS['tiny'].guidance_scale:g}"
    assert len(signature["checkpoint"]) == 16
    assert load_codec(context(checkpoint)).signature["checkpoint"] == signature["checkpoint"]


@pytest.mark.parametrize("seconds", [0.1, 10.5])
def test_clip_that_is_too_short_or_too_long_is_refused(checkpoint, item, seconds):
    with pytest.raises(InputError, match=r"item a lasts .* takes 0\.2 to 10 s"):
        load(context(checkpoint)).generate(replace(item, duration=seconds), 0)


def test_item_without_video_is_refused(checkpoint):
    with pytest.raises(InputError, match="item a has no video"):
        load(context(checkpoint)).generate(Item("a", 1.0), 0)


def test_video_of_another_rate_and_odd_size_is_accepted(checkpoint, make_clip, tmp_path):
    path = make_clip(tmp_path / "odd.mp4", frames=5, fps=10, size=50)
    output = load(context(checkpoint)).generate(Item("a", 0.5, video=path), 0)
    assert output.audio.samples.shape == (1, 8000)


@pytest.mark.weights
def test_transcript_changes_the_audio(checkpoint, item):
    model = load(context(checkpoint))
    spoken = model.generate(replace(item, transcript="bin"), 0).audio.samples
    assert not np.array_equal(spoken, model.generate(item, 0).audio.samples)


@pytest.mark.weights
def test_transcript_that_does_not_fit_is_refused(checkpoint, item):
    with pytest.raises(InputError, match="phonemes do not fit"):
        load(context(checkpoint)).generate(replace(item, transcript="seven " * 30), 0)


def test_codec_keeps_length_and_ignores_the_seed(checkpoint, tmp_path):
    path = tmp_path / "a.wav"
    wave = 0.1 * np.random.default_rng(0).standard_normal((2, 8000)).astype(np.float32)
    write_audio(path, Audio(wave, 8000))
    model, item = load_codec(context(checkpoint)), Item("a", 0.99, audio=path)
    output = model.generate(item, 0)
    assert output.audio.samples.shape == (1, 15840)
    np.testing.assert_array_equal(output.audio.samples, model.generate(item, 1).audio.samples)


def test_codec_without_reference_audio_is_refused(checkpoint):
    with pytest.raises(InputError, match="item a has no reference audio"):
        load_codec(context(checkpoint)).generate(Item("a", 1.0), 0)


def test_speaker_vector_tells_pitch_and_is_zero_in_silence(config):
    time = np.arange(16000) / 16000
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (150, 3000))
    assert np.abs(speaker_vector(low, config) - speaker_vector(high, config)).max() > 1
    assert not speaker_vector(np.zeros(16000, np.float32), config).any()


def test_silence_around_a_voice_does_not_move_its_speaker_vector(config):
    wave = 0.3 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    padded = np.concatenate([np.zeros(16000, np.float32), wave, np.zeros(8000, np.float32)])
    # Only the few frames at the edges of the noise differ.
    np.testing.assert_allclose(
        speaker_vector(padded, config), speaker_vector(wave, config), atol=0.15
    )


def test_reference_voice_takes_any_rate_and_length(config, tmp_path):
    path = tmp_path / "short.wav"
    write_audio(path, Audio(np.full((2, 100), 0.1, np.float32), 44100))
    assert reference_voice(path, config).shape == (config.speaker_features,)


@pytest.mark.slow
def test_shipped_checkpoint_makes_a_sound_and_is_small():
    from vsseval.benchmarks.manifest import load_benchmark
    from vssflow.checkpoint import require_config, shipped_checkpoint

    path = shipped_checkpoint("tiny")
    assert path.stat().st_size <= 30_000_000
    require_config(path, PRESETS["tiny"])
    item = load_benchmark("demo-sound").items[0]
    samples = load_flow_model(None).generate(item, 0).audio.samples
    assert samples.shape == (1, 64000)
    reference = read_audio(item.audio).samples
    # Within 20 dB of the reference's level: neither silence nor noise at full scale.
    ratio = np.sqrt(np.mean(samples**2)) / np.sqrt(np.mean(reference**2))
    assert 0.1 < ratio < 10


def test_too_loud_a_clip_is_turned_down_not_clipped() -> None:
    config = PRESETS["tiny"]
    wave = np.array([[0.5, -2.0, 1.0, 0.25]], np.float32)
    audio = fitted(wave, 4 / config.sample_rate, config)
    np.testing.assert_allclose(audio.samples, wave / 2 * (32767 / 32768), rtol=1e-6)
    quiet = fitted(wave / 4, 4 / config.sample_rate, config)
    np.testing.assert_array_equal(quiet.samples, wave / 4)
