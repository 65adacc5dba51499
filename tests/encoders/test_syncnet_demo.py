"""The demo SyncNet on the embedded test clips, which it has never seen, and its training."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vsseval.audio import read_audio
from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.encoders import syncnet_demo_audio, syncnet_demo_video, syncnet_train
from vsseval.encoders.syncnet_demo import (
    CHECKPOINT,
    SHA256,
    demo_size,
    mouth_crops,
)
from vsseval.errors import InputError
from vsseval.metrics.lip_sync import lip_sync_error
from vsseval.types import mono
from vsseval.video import read_video

ROOT = EMBEDDED_MEDIA / "demo-speech"
STEP = 6
"""One test clip in six is enough: 16 clips, all four voices."""


@pytest.fixture(scope="session")
def lips() -> list[np.ndarray]:
    encoder = syncnet_demo_video.load()
    return [
        encoder(*_video(row["video"]), face_box=tuple(row["face_box"]))["embedding"]
        for row in _rows()
    ]


@pytest.fixture(scope="session")
def waves() -> list[np.ndarray]:
    return [mono(read_audio(ROOT / row["audio"])) for row in _rows()]


@pytest.fixture(scope="session")
def hear():
    encoder = syncnet_demo_audio.load()
    return lambda wave: encoder(wave)["embedding"]


def _rows() -> list[dict]:
    lines = (ROOT / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines[::STEP]]


def _video(path: str) -> tuple[np.ndarray, float]:
    video = read_video(ROOT / path)
    return video.frames, video.fps


def moved(wave: np.ndarray, frames: int) -> np.ndarray:
    """Later by some frames, or earlier, zeros where nothing is left."""
    shift = 640 * frames
    if shift >= 0:
        return np.pad(wave, (shift, 0))[: wave.size]
    return np.pad(wave[-shift:], (0, -shift))


@pytest.mark.parametrize("frames", [-12, -5, -1, 0, 1, 3, 10, 14])
def test_a_planted_offset_is_found_to_the_frame(lips, waves, hear, frames: int) -> None:
    found = [lip_sync_error(v, hear(moved(w, frames))) for v, w in zip(lips, waves, strict=True)]
    assert [each.offset for each in found] == [-frames] * len(found)


def test_reference_is_above_shifted(lips, waves, hear) -> None:
    for v, wave in zip(lips, waves, strict=True):
        true, late = lip_sync_error(v, hear(wave)), lip_sync_error(v, hear(moved(wave, 10)))
        assert true.distance_zero < late.distance_zero - 2
        assert (abs(true.offset), abs(late.offset)) == (0, 10)


def test_reference_is_above_shuffled_silence_and_noise(lips, waves, hear) -> None:
    noise = np.random.default_rng(0).standard_normal(64000).astype(np.float32) * 0.1
    others = [*waves[1:], waves[0]]
    for v, wave, other in zip(lips, waves, others, strict=True):
        true = lip_sync_error(v, hear(wave))
        for wrong in (other, np.zeros_like(wave), noise):
            found = lip_sync_error(v, hear(wrong))
            assert found.distance > true.distance + 2
            assert found.confidence < true.confidence / 2


def test_level_moves_little(lips, waves, hear) -> None:
    for v, wave in zip(lips[:4], waves[:4], strict=True):
        loud, soft = lip_sync_error(v, hear(wave)), lip_sync_error(v, hear(0.2 * wave))
        assert soft.distance == pytest.approx(loud.distance, rel=0.1)


def test_the_checkpoint_is_the_documented_one() -> None:
    assert hashlib.sha256(CHECKPOINT.read_bytes()).hexdigest() == SHA256
    assert CHECKPOINT.stat().st_size < 5_000_000


def test_encoders_say_what_they_are() -> None:
    frames = np.zeros((30, 100, 100, 3), np.uint8)
    found = syncnet_demo_video.load()(frames, 25.0, face_box=(10, 10, 90, 90))
    assert found["embedding"].shape == (26, 256)
    assert found["embedding"].dtype == np.float32
    assert int(found["start"]) == 0
    assert SHA256[:8] in syncnet_demo_video.signature()
    assert SHA256[:8] in syncnet_demo_audio.signature()


def test_without_a_usable_box_the_item_is_refused() -> None:
    encoder = syncnet_demo_video.load()
    frames = np.zeros((30, 100, 100, 3), np.uint8)
    with pytest.raises(InputError, match="has no face_box, which the demo SyncNet needs"):
        encoder(frames, 25.0, face_box=None)
    with pytest.raises(InputError, match="leaves no mouth in frames of 100 x 100"):
        encoder(frames, 25.0, face_box=(120, 10, 190, 90))
    with pytest.raises(InputError, match="needs 7 frames at 25 fps, got 5"):
        encoder(frames[:5], 25.0, face_box=(10, 10, 90, 90))


def test_the_mouth_is_the_lower_half_of_the_box() -> None:
    frames = np.zeros((1, 100, 100, 3), np.uint8)
    frames[:, 50:90, 20:80] = 200  # box (10, 10, 90, 90): rows 50 to 90, columns 20 to 80
    np.testing.assert_array_equal(mouth_crops(frames, (10, 10, 90, 90)), np.full((1, 64, 64), 200))


# ---- Training


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> syncnet_train.Clips:
    """Four clips of nothing, two of them held out; two in a step."""
    monkeypatch.setattr(syncnet_train, "HELD_OUT", 2)
    monkeypatch.setattr(syncnet_train, "BATCH", 2)
    monkeypatch.setattr(syncnet_train, "CLEAN_BATCHES", 2)
    monkeypatch.setattr(syncnet_train, "_EVERY", 2)
    rng = np.random.default_rng(0)
    return syncnet_train.Clips(
        rng.integers(0, 256, (4, 50, 64, 64), dtype=np.uint8),
        0.1 * rng.standard_normal((4, 32000)).astype(np.float32),
    )


def test_a_step_is_the_same_whenever_it_is_taken(tiny) -> None:
    for step in (3, 4, 3):
        pictures, sounds = syncnet_train.batch(tiny, step)
        assert pictures.shape == (2, 1, 45, 64, 64)
        assert sounds.shape == (2 * 41 + 24, 13, 20)
    torch.testing.assert_close(pictures, syncnet_train.batch(tiny, 3)[0], rtol=0, atol=0)
    torch.testing.assert_close(sounds, syncnet_train.batch(tiny, 3)[1], rtol=0, atol=0)
    assert not torch.equal(sounds, syncnet_train.batch(tiny, 4)[1])


def test_clean_windows_are_those_of_the_encoders(tiny) -> None:
    pictures, sounds = syncnet_train.batch(tiny, 0, clean=True)
    corner = pictures[0, 0, :, 0, 0].numpy()
    clip, first = next(
        (clip, first)
        for clip in range(2)
        for first in range(6)
        if (tiny.crops[clip, first : first + 45, 0, 0] == corner).all()
    )
    whole = syncnet_train.sound_windows(tiny.waves[clip])
    # The first column of an excerpt has no sample before it, which the pre-emphasis would use.
    np.testing.assert_allclose(sounds[1:41], whole[first + 1 : first + 41], atol=1e-4)


def test_a_run_that_is_stopped_goes_on_to_the_same_end(tiny, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = syncnet_train.train(tiny, tmp_path / "a", 4)
    loss_of, calls = syncnet_train.loss_of, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return loss_of(*arguments)

    monkeypatch.setattr(syncnet_train, "loss_of", stopping)
    with pytest.raises(KeyboardInterrupt):
        syncnet_train.train(tiny, tmp_path / "b", 4)
    monkeypatch.setattr(syncnet_train, "loss_of", loss_of)
    resumed = syncnet_train.train(tiny, tmp_path / "b", 4)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(value, resumed.state_dict()[name], rtol=0, atol=0)


def test_the_loss_knows_a_perfect_match() -> None:
    # Towers that return far unit vectors: each window nearest to its own, by 100 sqrt(2).
    class Perfect:
        def lips(self, pictures):
            return 100 * torch.eye(41)[None]

        def sound(self, sounds):
            return 100 * torch.eye(41)

    assert float(syncnet_train.loss_of(Perfect(), None, None)) < 1e-6
    assert demo_size().side == 1
