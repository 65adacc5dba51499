"""What needs no weights: front ends, block and window rules, onsets, mel-cepstra, motion."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsseval.encoders import (
    aisfx,
    dnsmos,
    ge2e,
    motion,
    onsets,
    whisper_ct2,
    world,
    world_standard,
)
from vsseval.errors import InputError

# ---- aiSFX


@pytest.mark.parametrize("name", ["chirp", "hits", "noise", "vowels", "one-block"])
def test_aisfx_spectrogram_equals_essentia(signals, reference, name: str) -> None:
    case = reference("aisfx", name)
    found = aisfx.spectrogram(signals.SIGNALS[case["signal"]](44100, case["seconds"]))
    assert list(found.shape) == case["shape"]
    # Essentia computes in float32: up to 8e-6 where bands are nearly empty.
    np.testing.assert_allclose(found.ravel()[::221], case["spectrogram_every_221"], atol=1e-5)


@pytest.mark.parametrize(
    ("frames", "count"), [(1, 1), (100, 1), (101, 2), (150, 2), (151, 3), (174, 3), (200, 3)]
)
def test_aisfx_blocks_cover_every_frame(frames: int, count: int) -> None:
    numbered = np.repeat(np.arange(1.0, frames + 1, dtype=np.float32)[:, None], 96, axis=1)
    found = aisfx.blocks(numbered)
    assert found.shape == (count, 100, 96)
    assert set(np.unique(found)) - {0.0} == set(range(1, frames + 1))
    for index, block in enumerate(found):
        assert block[0, 0] == 50 * index + 1


def test_aisfx_silence_is_zero_and_bands_sum_to_one() -> None:
    assert not aisfx.spectrogram(np.zeros(5000, np.float32)).any()
    np.testing.assert_allclose(aisfx.mel_weights().sum(axis=1), 1.0)


# ---- GE2E


@pytest.mark.parametrize("name", ["vowels", "quiet", "short", "hits", "dropped-partial"])
def test_ge2e_front_end_equals_resemblyzer(signals, reference, name: str) -> None:
    case = reference("ge2e", name)
    samples = signals.SIGNALS[case["signal"]](16000, case["seconds"])
    level = ge2e.raise_level((samples * np.float32(case["gain"])).astype(np.float32))
    starts = ge2e.partial_starts(level.size)
    assert starts == case["partial_starts"]
    mel = ge2e.mel_spectrogram(level)
    assert list(mel.shape) == case["mel_shape"]
    np.testing.assert_allclose(mel.astype(float).sum(axis=0), case["mel_sum_by_band"], rtol=1e-5)


@pytest.mark.parametrize(
    ("peak", "gain"),
    [
        # RMS of a sine of amplitude a is a / sqrt 2; -30 dBFS is 0.0316.
        pytest.param(0.01, 0.03162278 * math.sqrt(2) / 0.01, id="raised"),
        pytest.param(0.5, 1.0, id="never-reduced"),
        pytest.param(0.0, 1.0, id="silence-left-alone"),
    ],
)
def test_ge2e_level(peak: float, gain: float) -> None:
    sine = (peak * np.sin(2 * np.pi * 100 * np.arange(16000) / 16000)).astype(np.float32)
    np.testing.assert_allclose(ge2e.raise_level(sine), sine * gain, rtol=1e-5, atol=1e-9)


def test_ge2e_drops_silence_but_keeps_90_ms_around_sound() -> None:
    # 30-ms windows: 20 silent, 10 loud, 20 silent; 3 more are kept on each side: 16 in all.
    samples = np.zeros(50 * 480, np.float32)
    samples[20 * 480 : 30 * 480] = 0.1
    found = ge2e.drop_silence(samples)
    assert found.size == 16 * 480
    assert np.count_nonzero(found) == 10 * 480


@pytest.mark.parametrize("amplitude", [0.0, 0.1])
def test_ge2e_keeps_a_clip_of_one_level(amplitude: float) -> None:
    samples = np.full(4800, amplitude, np.float32)
    np.testing.assert_array_equal(ge2e.drop_silence(samples), samples)


# ---- DNSMOS


@pytest.mark.parametrize(
    ("seconds", "doubled", "windows"),
    [
        # metrics of the published script: copies, and windows 7 to 23 lost to float truncation
        pytest.param(3.0, 12.0, range(3), id="3s"),
        pytest.param(4.0, 16.0, range(7), id="4s"),
        pytest.param(4.6, 9.2, range(1), id="4.6s"),
        pytest.param(8.0, 16.0, range(7), id="8s"),
        pytest.param(9.0, 18.0, range(7), id="9s"),
        pytest.param(9.01, 9.01, range(1), id="one-window"),
        pytest.param(10.99, 10.99, range(1), id="nearly-11s"),
        pytest.param(40.0, 40.0, [*range(7), *range(24, 31)], id="40s"),
    ],
)
def test_dnsmos_windows(seconds: float, doubled: float, windows: list[int]) -> None:
    length = dnsmos.doubled_length(round(16000 * seconds))
    assert length == round(16000 * doubled)
    assert dnsmos.window_starts(length) == [16000 * index for index in windows]


# ---- onsets


@pytest.mark.parametrize("name", ["chirp", "hits", "noise", "vowels"])
def test_onsets_equal_the_published_rules(signals, reference, name: str) -> None:
    case = reference("onsets", name)
    found = onsets.load()(signals.SIGNALS[case["signal"]](22050, case["seconds"]))
    np.testing.assert_array_equal(np.rint(found["times_030"] * 22050), case["samples_030"])
    np.testing.assert_allclose(found["confidence_030"], case["confidence_030"], atol=1e-7)
    np.testing.assert_allclose(found["amplitude_030"], case["amplitude_030"], atol=1e-7)
    np.testing.assert_allclose(found["times_007"], case["times_007"], atol=1e-7)


def test_onsets_find_planted_hits(signals) -> None:
    found = onsets.load()(signals.hits(22050, 4.0))["times_030"]
    # one hop is 23 ms; the envelope peaks up to two hops after the strike
    np.testing.assert_allclose(found, signals.HIT_TIMES, atol=2 * 512 / 22050)


def test_signature_of_onsets_is_that_of_committed_records() -> None:
    records = Path(__file__).parents[2].glob("results/demo/demo-sound/*/*/record.json")
    scores = [score for path in records for score in json.loads(path.read_text())["scores"]]
    stated = {one["signature"].split("|")[1] for one in scores if one["metric"] == "onset_f1"}
    assert stated == {"enc:" + onsets.signature().replace("|", ";")}


def test_detector_is_librosas_to_the_bit(signals) -> None:
    import librosa

    random = np.random.default_rng(5)
    sounds = [signals.hits(22050, 4.0), np.zeros(5000, np.float32)]
    for length in (2048, 2559, 2560, 5000, 40_000, 100_001):
        sound = random.standard_normal(length) * 10 ** random.uniform(-4, 0)
        sounds += [sound, np.round(20 * sound) / 20]
    for sound in (one.astype(np.float32) for one in sounds):
        power = librosa.feature.melspectrogram(
            y=sound, sr=22050, n_fft=2048, hop_length=512, n_mels=128, fmin=0.0, fmax=11025.0
        )
        decibels = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=80.0)
        theirs = librosa.onset.onset_strength(
            S=decibels, sr=22050, hop_length=512, lag=1, max_size=1, detrend=False, center=True
        )
        np.testing.assert_array_equal(onsets.envelope(sound), theirs)
    flux = np.abs(random.standard_normal((60, 40)))
    # Half of them with many ties, between neighbours and with the threshold.
    flux[::2] = np.round(4 * flux[::2]) / 4
    window = {"pre_max": 1, "post_max": 1, "pre_avg": 4, "post_avg": 5, "wait": 1}
    for one in flux.astype(np.float32):
        for delta in (0.3, 0.07):
            theirs = librosa.onset.onset_detect(
                onset_envelope=one, sr=22050, hop_length=512, units="samples", delta=delta, **window
            )
            np.testing.assert_array_equal(onsets.detect(one, delta), theirs)


def test_silence_has_no_onsets() -> None:
    found = onsets.load()(np.zeros(22050, np.float32))
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(found, (0,))


# ---- mel-cepstra


@pytest.mark.parametrize("name", ["vowels", "hits", "chirp", "noise"])
def test_mcep_equals_pymcd(signals, reference, name: str) -> None:
    case = reference("mcep", name)
    found = world.load()(signals.SIGNALS[case["signal"]](22050, case["seconds"]))["mcep"]
    assert list(found.shape) == case["shape"]
    np.testing.assert_allclose(found[::37], case["every_37"], atol=1e-8)


def test_mcep_of_silence_is_the_floor() -> None:
    found = world.load()(np.zeros(22050, np.float32))["mcep"]
    assert found.shape == (201, 14)
    expected = np.zeros_like(found)
    expected[:, 0] = math.log(1e-8) / 2  # c0 is halved
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_no_warping_keeps_the_cepstrum() -> None:
    np.testing.assert_array_equal(world.warping_matrix(3, 6, 0.0), np.eye(4, 6))


def test_standard_analysis_of_silence_is_zero() -> None:
    # 16,000 samples are 200 hops of 80 and one frame more.
    found = world_standard.load()(np.zeros(16000, np.float32))
    assert {name: array.shape for name, array in found.items()} == {
        "mcep": (201, 25),
        "f0": (201,),
        "rms": (),
    }
    assert not any(array.any() for array in found.values())


def test_standard_f0_follows_a_planted_glide(signals) -> None:
    # vowels() is a pulse train at 140 + 30 sin(2 pi 0.7 t) Hz.
    found = world_standard.load()(signals.vowels(16000, 1.0))
    planted = 140 + 30 * np.sin(2 * np.pi * 0.7 * np.arange(found["f0"].size) * 0.005)
    voiced = found["f0"] > 0
    assert voiced.mean() > 0.7
    assert np.median(np.abs(found["f0"] - planted)[voiced]) < 3.0
    assert found["rms"] == pytest.approx(
        np.sqrt(np.mean(signals.vowels(16000, 1.0) ** 2)), rel=1e-5
    )


def test_standard_analysis_refuses_too_few_samples() -> None:
    with pytest.raises(InputError, match="1024 samples at 16 kHz, got 1023"):
        world_standard.load()(np.zeros(1023, np.float32))
    noise = np.random.default_rng(1).standard_normal(1024).astype(np.float32)
    assert world_standard.load()(noise)["mcep"].shape == (13, 25)


# ---- motion


def test_motion_reads_planted_speeds() -> None:
    # A smooth texture that moves 0, 2, 2, 0, 4 pixels to the right.
    rng = np.random.default_rng(5)
    texture = cv2.GaussianBlur(rng.uniform(0, 255, (96, 160)), (0, 0), 3)
    texture = (texture - texture.min()) / np.ptp(texture) * 255
    positions = np.cumsum([0, 0, 2, 2, 0, 4])
    frames = np.stack([texture[:, 40 - p : 136 - p] for p in positions]).astype(np.uint8)
    found = motion.load()(np.repeat(frames[..., None], 3, axis=3), 25.0)
    assert found["fps"] == 25.0
    magnitude = found["magnitude"]
    assert magnitude[0] == magnitude[1]
    # borders, where texture enters, are worth about 10 %
    np.testing.assert_allclose(magnitude, [0, 0, 2, 2, 0, 4], rtol=0.15, atol=0.01)


def test_motion_of_a_still_picture_is_zero() -> None:
    frames = np.full((4, 32, 32, 3), 90, np.uint8)
    np.testing.assert_array_equal(motion.load()(frames, 30.0)["magnitude"], np.zeros(4))


# ---- input that is too short


@pytest.mark.parametrize(
    ("module", "length"), [(onsets, 2047), (world, 1023)], ids=["onsets", "mcep"]
)
def test_too_few_samples_are_refused(module, length: int) -> None:
    with pytest.raises(InputError, match=f"samples at 22.05 kHz, got {length}"):
        module.load()(np.zeros(length, np.float32))
    module.load()(np.zeros(length + 1, np.float32))


def test_one_frame_has_no_motion() -> None:
    with pytest.raises(InputError, match="at least two frames, got 1"):
        motion.load()(np.zeros((1, 32, 32, 3), np.uint8), 25.0)


@pytest.mark.parametrize(("seconds", "limit"), [(1.0, 12), (4.0, 36), (60.0, 220)])
def test_the_transcript_has_a_bounded_length(seconds: float, limit: int) -> None:
    assert whisper_ct2.token_limit(round(16000 * seconds)) == limit
