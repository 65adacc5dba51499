"""Features of the full-size model: the row of a clip, and what is said of a clip without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stand_ins import brightness, silent

from vsseval.audio import read_audio
from vsseval.errors import InputError
from vssflow.config import PRESETS
from vssflow.features import read_clips
from vssflow.full_features import clip_row, store_features
from vssflow.phonemes import IDS
from vssflow.shards import open_shards

V3 = PRESETS["v3-m"]


def test_row_of_a_speech_clip_holds_features_at_their_rates(data, ends) -> None:
    clip = read_clips(data)[-1]
    row = clip_row(clip, ends, V3)
    assert row["latent"].shape == row["deviation"].shape == (250, 128)
    assert row["semantic"].shape == (100, 768)
    given = np.load(ends.sync / f"{clip.id}.npy").reshape(240, 768)
    np.testing.assert_allclose(row["sync"], given, atol=4e-3)
    lips = np.load(ends.lips / f"{clip.id}.npy")
    np.testing.assert_allclose(row["lips"][:25], lips, atol=4e-3)
    assert not row["lips"][25:].any()
    # One second: blank, B, IH1, N, blank over 25 frames, five each; then no speech.
    symbols = ["<blank>", "B", "IH1", "N", "<blank>"]
    expected = np.repeat([IDS[symbol] for symbol in symbols], 5)
    np.testing.assert_array_equal(row["phonemes"][:25], expected)
    assert not row["phonemes"][25:].any()
    assert row["frames"] == 25
    samples = read_audio(Path(clip.audio)).samples[0]
    np.testing.assert_array_equal(row["wave"][:16000], np.rint(32768 * samples))
    assert row["wave"].shape == (160_000,)
    assert not row["wave"][16000:].any()


def test_row_of_a_sound_has_no_lips_phonemes_or_voice(data, ends) -> None:
    row = clip_row(read_clips(data)[0], replace(ends, lips=None, speaker=None), V3)
    assert not row["lips"].any()
    assert not row["phonemes"].any()
    assert not row["speaker"].any()
    assert row["sync"].any()


def test_row_can_have_its_sync_features_computed(data, ends) -> None:
    row = clip_row(read_clips(data)[0], replace(ends, sync=brightness), V3)
    level = row["sync"].astype(np.float32)[:, 0].reshape(30, 8)
    # A second of the moving square, 20 x 20 of 64 x 64 at 200 of 255; then black. Segment s begins
    # with frame 8 s.
    np.testing.assert_allclose(level[:2], 200 / 255 * (20 / 64) ** 2, atol=0.01)
    assert not level[4:].any()
    np.testing.assert_array_equal(level[3] > 0.01, [True] + [False] * 7)


def test_given_features_that_are_absent_or_wrong_are_refused(data, ends, tmp_path) -> None:
    speech = read_clips(data)[-1]
    with pytest.raises(InputError, match=r"needs lips features; give --lips DIR"):
        clip_row(speech, replace(ends, lips=None), V3)
    with pytest.raises(InputError, match=r"cannot read sync features .*speech-2\.npy"):
        clip_row(speech, replace(ends, sync=tmp_path), V3)
    path = tmp_path / f"{speech.id}.npy"
    path.parent.mkdir(parents=True)
    for kind, shape, wanted in (
        ("sync", (240, 512), "(240, 768)"),
        ("sync", (232, 768), "(240, 768)"),
        ("lips", (25, 768), "(n, 1024)"),
        ("speaker", (10, 256), "(256,)"),
    ):
        np.save(path, np.zeros(shape, np.float32))
        with pytest.raises(InputError) as caught:
            clip_row(speech, replace(ends, **{kind: tmp_path}), V3)
        assert f"{kind} features {path} have shape {shape}, expected {wanted}" in str(caught.value)
    np.save(path, np.full((240, 768), np.nan, np.float32))
    with pytest.raises(InputError, match="not finite"):
        clip_row(speech, replace(ends, sync=tmp_path), V3)


def test_media_that_are_absent_or_broken_are_reasons_and_not_the_end(data, ends, tmp_path) -> None:
    good = read_clips(data)[0]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(Path(good.video).read_bytes()[:700])
    empty = tmp_path / "empty.flac"
    empty.write_bytes(b"")
    clips = [
        replace(good, id="a", video=str(tmp_path / "none.mp4")),
        replace(good, id="b", video=str(broken)),
        replace(good, id="c", audio=str(empty)),
        replace(good, id="d", transcript="50 %"),
        good,
    ]
    failed = store_features(clips, tmp_path / "features", ends, V3, silent)
    assert list(failed) == ["a", "b", "c", "d"]
    assert "no video file" in failed["a"]
    assert "broken.mp4" in failed["b"]
    assert "empty.flac" in failed["c"]
    assert "%" in failed["d"]
    kept, arrays = open_shards(tmp_path / "features", [clip.id for clip in clips])
    assert kept == [good.id]
    assert arrays["latent"].shape == (1, 250, 128)
