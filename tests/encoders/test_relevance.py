"""relevance-demo: its front ends, what its vectors tell apart, and its training."""

from __future__ import annotations

import math
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vsseval.audio import fit_length, read_audio
from vsseval.benchmarks.manifest import load_benchmark
from vsseval.encoders import relevance, relevance_train
from vsseval.encoders.relevance_audio import band_power
from vsseval.encoders.relevance_network import Towers
from vsseval.encoders.relevance_train import Clips
from vsseval.encoders.relevance_video import small_frames
from vsseval.encoders.table import load_encoder
from vsseval.errors import InputError
from vsseval.types import mono
from vsseval.video import read_video

# Front ends.


@pytest.mark.parametrize("seconds", [4.0, 1.03])
def test_band_power_is_librosas_mel_power_over_its_mean(signals, seconds: float) -> None:
    samples = signals.vowels(16_000, seconds)
    found = band_power(samples)
    steps = math.ceil(samples.size / 1280)
    padded = np.pad(samples, (96, 1280 * steps - samples.size + 96))
    expected = librosa.feature.melspectrogram(
        y=padded, sr=16_000, n_fft=512, hop_length=320, n_mels=64, fmin=50, fmax=8000, center=False
    ).T
    assert found.shape == (4 * steps, 64)
    expected /= expected.sum(axis=1).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6 * expected.max())


@pytest.mark.parametrize("gain", [0.01, 3.0])
def test_a_gain_of_the_clip_changes_no_band(signals, gain: float) -> None:
    samples = signals.hits(16_000, 2.0)
    found, expected = band_power(samples * np.float32(gain)), band_power(samples)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7 * expected.max())


def test_silence_has_no_power() -> None:
    assert not band_power(np.zeros(2000, np.float32)).any()


@pytest.mark.parametrize(
    ("fps", "count", "later", "earlier"),
    [
        # steps of 80 ms; moments at 0, 40, 80, 120 ... ms; the frame that is shown then
        pytest.param(25.0, 10, [1, 3, 5, 7, 9], [0, 2, 4, 6, 8], id="25"),
        pytest.param(30.0, 12, [1, 3, 6, 8, 10], [0, 2, 4, 7, 9], id="30"),
        pytest.param(10.0, 4, [0, 1, 2, 2, 3], [0, 0, 1, 2, 3], id="10"),
        pytest.param(25.0, 1, [0], [0], id="one frame"),
    ],
)
def test_steps_hold_the_frames_that_are_shown_at_their_moments(
    fps: float, count: int, later: list[int], earlier: list[int]
) -> None:
    frames = np.zeros((count, 20, 30, 3), np.uint8)
    frames[..., 0] = 10 * np.arange(count)[:, None, None]
    frames[..., 1] = 200
    found = small_frames(frames, fps)
    assert found.shape == (len(later), 4, 48, 48)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[:, 0, 5, 5], 10 * np.array(later))
    np.testing.assert_array_equal(found[:, 1], 200)
    np.testing.assert_array_equal(found[:, 2], 0)
    # ITU-R BT.601 luma: 0.299 R + 0.587 G
    luma = np.round(0.299 * 10 * np.array(earlier) + 0.587 * 200)
    np.testing.assert_allclose(found[:, 3, 5, 5], luma, atol=1)


# What the shipped vectors tell apart, on 24 clips of the embedded test split, two of a class.


@pytest.fixture(scope="module")
def items():
    return load_benchmark("demo-sound").items[::4]


@pytest.fixture(scope="module")
def heard(items) -> list[np.ndarray]:
    return [fit_length(mono(read_audio(item.audio)), 64_000) for item in items]


@pytest.fixture(scope="module")
def listen():
    encoder = load_encoder("relevance-demo-audio")
    return lambda clips: np.stack([encoder(samples)["embedding"] for samples in clips])


@pytest.fixture(scope="module")
def seen(items) -> np.ndarray:
    encoder = load_encoder("relevance-demo-video")
    videos = [read_video(item.video) for item in items]
    return np.stack([encoder(video.frames, video.fps)["embedding"] for video in videos])


def pairs(seen: np.ndarray, heard: np.ndarray) -> float:
    """Mean 100 x cosine of the pairs."""
    return float(100 * (seen * heard).sum(axis=1).mean())


def test_vectors_are_of_unit_length_in_equal_parts(seen, heard, listen) -> None:
    for vectors in (seen, listen(heard[:2])):
        assert vectors.shape[1] == relevance.SIZE == 864
        assert vectors.dtype == np.float32
        for part in (vectors[:, :64], vectors[:, 64:]):
            np.testing.assert_allclose((part**2).sum(axis=1), 0.5, atol=1e-5)


def test_reference_is_far_above_shuffled(seen, heard, listen) -> None:
    vectors = listen(heard)
    shuffled = np.mean([pairs(seen, np.roll(vectors, k, axis=0)) for k in range(1, 24)])
    assert pairs(seen, vectors) > shuffled + 50


def test_the_right_sound_beats_all_other_clips(seen, heard, listen) -> None:
    across = seen @ listen(heard).T
    assert np.mean(across.argmax(axis=1) == np.arange(24)) > 0.9
    assert np.mean(across.argmax(axis=0) == np.arange(24)) > 0.9


def test_both_what_and_when_count(seen, heard, listen) -> None:
    late = listen([np.pad(samples, (8000, 0))[:64_000] for samples in heard])
    # the same moments and loudness, but all of it white noise
    random = np.random.default_rng(0)
    noise = random.standard_normal(64_000)
    envelopes = [np.sqrt(np.convolve(x.astype(float) ** 2, np.ones(160), "same")) for x in heard]
    other = listen([(noise * e / e.max()).astype(np.float32) for e in envelopes])
    right = pairs(seen, listen(heard))
    assert pairs(seen, late) < right - 20
    assert pairs(seen, other) < right - 20


def test_level_does_not_count(seen, heard, listen) -> None:
    quiet = [samples * np.float32(0.05) for samples in heard[:6]]
    np.testing.assert_allclose(listen(quiet), listen(heard[:6]), atol=1e-4)


def test_clips_of_other_lengths_have_vectors_of_the_same_size(heard, listen) -> None:
    assert listen([heard[0][:1000], heard[0][:50_000]]).shape == (2, 864)
    video = load_encoder("relevance-demo-video")
    assert video(np.zeros((7, 64, 48, 3), np.uint8), 30.0)["embedding"].shape == (864,)
    with pytest.raises(InputError, match="at least one frame"):
        video(np.zeros((0, 64, 48, 3), np.uint8), 30.0)


# The checkpoint.


def test_the_checkpoint_is_small() -> None:
    assert relevance.CHECKPOINT.stat().st_size < 2_000_000


# Training.


def test_what_loss_has_its_closed_form() -> None:
    # n orthogonal pairs: ln(1 + (n - 1) e^-s); all the same: ln n
    scale = torch.tensor(3.0)
    apart = relevance_train.what_loss(5 * torch.eye(4), 2 * torch.eye(4), scale)
    assert float(apart) == pytest.approx(math.log(1 + 3 * math.exp(-3)), rel=1e-6)
    same = relevance_train.what_loss(torch.ones(4, 4), torch.ones(4, 4), scale)
    assert float(same) == pytest.approx(math.log(4), rel=1e-6)


def test_when_loss_counts_moved_versions_among_the_wrong() -> None:
    # One pulse a clip at step 20, in a row of its own for each clip; the window to match starts
    # at 0, the moved ones at 2 to 8, so a moved pulse is orthogonal: ln(1 + (n - 1 + 4) e^-s).
    sequence = torch.zeros(3, 16, 50)
    sequence[torch.arange(3), torch.arange(3), 20] = 1
    starts = torch.tensor([[0, 2, 4, 6, 8]] * 3)
    scale = torch.tensor(2.0)
    loss = relevance_train.when_loss(sequence, sequence, starts, scale)
    assert float(loss) == pytest.approx(math.log(1 + 6 * math.exp(-2)), rel=1e-6)
    # what never changes cannot be told from its moved self: those four weigh as much as the right
    steady = relevance_train.when_loss(
        sequence.amax(2, keepdim=True).expand(-1, -1, 50),
        sequence.amax(2, keepdim=True).expand(-1, -1, 50),
        starts,
        scale,
    )
    assert float(steady) == pytest.approx(math.log(5 + 2 * math.exp(-2)), rel=1e-6)


def test_starts_lie_inside_and_apart() -> None:
    starts = relevance_train.draw_starts(500, 50, torch.Generator().manual_seed(0))
    assert starts.shape == (500, 5)
    assert int(starts.min()) == 0
    assert int(starts.max()) == 10
    assert int((starts[:, 1:] - starts[:, :1]).abs().min()) == 2
    assert all(len(set(row.tolist())) == 5 for row in starts)


def test_windows_are_stretches_of_the_sequence() -> None:
    sequence = torch.arange(2 * 3 * 8.0).reshape(2, 3, 8)
    found = relevance_train.windows(sequence, torch.tensor([[0, 4], [1, 3]]), 4)
    assert found.shape == (2, 2, 3, 4)
    torch.testing.assert_close(found[0, 1], sequence[0, :, 4:8])
    torch.testing.assert_close(found[1, 0], sequence[1, :, 1:5])


def test_varied_frames_keep_their_kind_and_differ() -> None:
    random = torch.Generator().manual_seed(1)
    frames = torch.randint(0, 256, (4, 3, 4, 48, 48), dtype=torch.uint8)
    found = relevance_train.vary_frames(frames, random)
    assert found.shape == frames.shape
    assert float(found.min()) >= 0
    assert float(found.max()) <= 255
    assert not torch.equal(found, frames.float())
    power = torch.rand(4, 64, 12)
    louder = relevance_train.vary_power(power, random)
    assert louder.shape == power.shape
    assert bool((louder > 0).all())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Clips:
    """Twelve clips of noise, four of them held out, a batch of four, a state every two updates."""
    for name, value in (("HELD_OUT", 4), ("BATCH", 4), ("EVERY", 2)):
        monkeypatch.setattr(relevance_train, name, value)
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (12, 50, 4, 48, 48), dtype=np.uint8)
    return Clips(frames, random.random((12, 64, 200), dtype=np.float32))


def test_an_interrupted_training_ends_in_the_same_bytes(small: Clips, tmp_path: Path) -> None:
    lines: list[str] = []
    relevance_train.train(small, tmp_path / "whole", 4, 3, lines.append)

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        relevance_train.train(small, tmp_path / "parts", 4, 3, stop)
    with pytest.raises(InputError, match="of another run"):
        relevance_train.train(small, tmp_path / "parts", 4, 2, lines.append)
    relevance_train.train(small, tmp_path / "parts", 4, 3, lines.append)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()
    assert not (tmp_path / "parts.state").exists()
    assert len((tmp_path / "parts.csv").read_text().splitlines()) == 3
    shapes = {key: value.shape for key, value in Towers().state_dict().items()}
    written = load_file(tmp_path / "whole")
    assert {key: value.shape for key, value in written.items()} == shapes


def test_too_few_clips_are_refused(small: Clips, tmp_path: Path) -> None:
    few = Clips(small.frames[:7], small.power[:7])
    with pytest.raises(InputError, match="at least 8 clips, got 7"):
        relevance_train.train(few, tmp_path / "out", 2, 0, lambda _: None)


def test_only_a_train_split_is_read() -> None:
    test_split = load_benchmark("demo-sound").items[0].video.parent.parent
    with pytest.raises(InputError, match="no train split"):
        relevance_train.read_clips(test_split, lambda _: None)
