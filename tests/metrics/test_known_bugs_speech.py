"""Known bugs of other speech tools: the wrong value, from their rule in a few lines, and ours.

Elsewhere: arguments exchanged and empty transcriptions dropped (StyleDubber), empty references as
counts (jiwer), in test_transcription.py; the letter O and "S9" (Whisper's normalisers) in
test_normalisers.py; c0 in the cost, the mean over the path, FastDTW (pymcd) in test_cepstral.py;
unvoiced frames as 0 Hz (VERSA) in test_cepstral_standard.py; skipped windows (DNSMOS) in
encoders/test_front_ends.py; batches padded with zeros (UTMOS) in encoders/test_ssl.py.
"""

import contextlib
from pathlib import Path

import librosa
import numpy as np
import pytest

from vsseval.audio import mono, read_audio
from vsseval.encoders import world, world_standard
from vsseval.errors import InputError
from vsseval.features import FeatureTable
from vsseval.metrics.cepstral import (
    DECIBELS,
    dtw_path,
    mel_cepstral_distortion,
    mel_cepstral_distortion_dtw,
    mel_cepstral_distortion_dtw_sl,
)
from vsseval.metrics.cepstral_standard import mel_cepstral_distortion_standard
from vsseval.metrics.pooling import pool
from vsseval.metrics.table import metric
from vsseval.metrics.transcription import word_components
from vsseval.resampling import resample
from vsseval.score import score_metrics
from vsseval.types import Benchmark, Item

HILL = Path(__file__).parents[1] / "encoders" / "hill.flac"


def random(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape)


def test_an_evaluation_that_stops_after_two_batches():
    # HPMDubbing, V2C: two batches of 16 clips, then the mean of the means of batches. 36 clips cost
    # 1 dB each but the last four, which cost 10: 2 dB, of which that rule sees nothing.
    values = np.array([1.0] * 32 + [10.0] * 4)
    batches = [values[at : at + 16] for at in range(0, len(values), 16)]
    assert np.mean([np.mean(batch) for batch in batches[:2]]) == 1.0
    assert pool(values[:, None], "mean") == 2.0
    # With the third batch, four clips would weigh as much as sixteen: 4 dB.
    assert np.mean([np.mean(batch) for batch in batches]) == 4.0


def test_a_length_coefficient_from_durations_of_phonemes():
    # V2C: frames of the mel are predicted as 4 a video frame. Phonemes of 24 video frames beside a
    # mel of 100 frames give 1.04, although both waves are equally long; and so does not ours.
    predicted, reference = 4 * np.array([10, 8, 6]), 100
    theirs = max(predicted.sum(), reference) / (min(predicted.sum(), reference) + 1e-5)
    assert theirs == pytest.approx(100 / 96, rel=1e-6)
    r, g = random(0, 200, 14), random(1, 200, 14)
    assert mel_cepstral_distortion_dtw_sl(r, g) == mel_cepstral_distortion_dtw(r, g)


def test_a_lower_volume_makes_speech_better():
    # pymcd: its floor of 1e-8 on the squared spectrum is absolute, so the same recording and the
    # same noisy copy, 20 dB above the noise, come closer when both are turned down.
    speech = mono(read_audio(HILL))
    noise = random(2, len(speech)) * np.sqrt(np.mean(speech**2)) / 10
    pair = speech, (speech + noise).astype(np.float32)
    theirs, ours = [], []
    for gain in (1.0, 0.5, 0.1):
        quiet = [np.float32(gain) * side for side in pair]
        wide = [world.load()(resample(side, 16000, 22050, "soxr-hq"))["mcep"] for side in quiet]
        theirs.append(mel_cepstral_distortion_dtw(*wide))
        narrow = [world_standard.load()(side)["mcep"] for side in quiet]
        ours.append(mel_cepstral_distortion_standard(*narrow))
    assert theirs[1] < 0.95 * theirs[0]
    assert theirs[2] < 0.7 * theirs[0]
    np.testing.assert_allclose(ours, ours[0], rtol=1e-5)


def test_the_mean_of_the_whole_accumulated_matrix():
    # Broughton's notebook: librosa's accumulated costs averaged over all cells; the last cell is
    # what a path costs. A sequence against itself is then far from it.
    r = random(3, 30, 13)
    accumulated, _ = librosa.sequence.dtw(r.T, r.T)
    assert accumulated[-1, -1] == 0.0
    assert DECIBELS * accumulated.mean() > 100
    assert mel_cepstral_distortion_dtw(np.c_[np.zeros(30), r], np.c_[np.zeros(30), r]) == 0.0
    path = dtw_path(r, r)
    assert (path[:, 0] == path[:, 1]).all()


def test_an_index_that_drops_the_first_coefficient():
    # mel-cepstral-distance: its coefficients begin at i = 1 already, so s = 1, meant to leave out
    # the energy, leaves out the first real one. Sequences that differ in c1 alone are then equal.
    r = random(4, 20, 14)
    g = r.copy()
    g[:, 1] += 0.5
    theirs_r, theirs_g = r[:, 1:], g[:, 1:]  # i = 1, 2, ...
    s = 1
    theirs = np.sqrt(((theirs_r[:, s:] - theirs_g[:, s:]) ** 2).sum(axis=1)).mean()
    assert theirs == 0.0
    assert mel_cepstral_distortion(r, g) == pytest.approx(0.5 * DECIBELS, rel=1e-12)


def test_clips_of_unequal_length_that_stop_the_run():
    # VERSA without DTW: an assertion that lengths differ by less than a tenth, for the whole run.
    r, g = random(5, 100, 14), random(6, 130, 14)
    with pytest.raises(AssertionError):
        assert (len(r) + len(g) - 2 * min(len(r), len(g))) / (len(r) + len(g)) < 0.1
    with pytest.raises(InputError, match="differ in frames: 100 and 130"):  # one excluded clip
        mel_cepstral_distortion(r, g)
    assert np.isfinite(mel_cepstral_distortion_dtw(r, g))


def test_a_resampler_called_by_position():
    # DNSMOS's script: the rates became keywords in librosa 0.10, so every file not at 16 kHz fails.
    samples = random(7, 44100).astype(np.float32)
    with pytest.raises(TypeError):
        librosa.resample(samples, 44100, 16000)
    assert resample(samples, 44100, 16000, "soxr-hq").shape == (16000,)


def test_failures_that_vanish_in_a_bare_except():
    # ProDubber: a clip that fails is skipped, so of two clips a broken one makes no difference.
    said, heard = ["bin blue", "set red"], ["bin blue", None]
    kept = []
    for reference, hypothesis in zip(said, heard, strict=True):
        with contextlib.suppress(Exception):  # their rule
            kept.append(word_components(reference, hypothesis)[0])
    assert np.mean(kept) == 0.0
    items = tuple(Item(f"clip{i}", 1.0, transcript=text) for i, text in enumerate(said))
    bench = Benchmark("bench", "1", "speech", 1.0, 16000, items, (), "0123456789abcdef")
    rows = {("clip0", 0): {"text": np.array("bin blue")}}
    lost = {("clip1", 0): "the decoder broke off"}
    table = FeatureTable("generated", "whisper-tiny.en", "w", ("soxr-mean:16000",), rows, lost)
    tables = {("generated", "whisper-tiny.en"): table}
    score = score_metrics([metric("wer.tiny_en")], bench, tables, {}, takes=1)[0].score
    assert (score.value, score.n_scored, score.n_expected) == (0.0, 1, 2)
    assert score.excluded == {"clip1": "generated: the decoder broke off"}
