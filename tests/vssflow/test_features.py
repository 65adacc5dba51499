from __future__ import annotations

import errno
import json
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vsseval.errors import InputError, VssevalError
from vssflow.durations import phone_targets
from vssflow.features import decode_media, media_arrays, open_array, read_clips, renew, store_clips
from vssflow.train_frontends import onset_targets


def test_clips_of_all_benchmark_folders_are_read(data):
    clips = read_clips(data)
    assert [clip.id for clip in clips][::3] == ["demo-sound/sound-0", "demo-speech/speech-0"]
    assert clips[0].onsets == (0.5,)
    assert clips[3].phones[1] == ("b", 0.4, 0.5)
    assert len(read_clips(data / "demo-sound", 2)) == 2


def test_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no manifest\.jsonl in"):
        read_clips(tmp_path)


def test_manifest_line_without_audio_is_named(tmp_path):
    (tmp_path / "manifest.jsonl").write_text(json.dumps({"id": "a", "video": "a.mp4"}))
    with pytest.raises(InputError, match="line 1 lacks 'audio'"):
        read_clips(tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        pytest.param("manifest.jsonl", '{"id": "a", ', "line 1 is no JSON: ", id="cut off"),
        pytest.param("manifest.jsonl", "[1]", "line 1 is no JSON object", id="a list"),
        pytest.param(
            "manifest.jsonl",
            '{"id": "a", "video": 3, "audio": "a.wav"}',
            "line 1: 'video' is 3, expected a string",
            id="another type",
        ),
        pytest.param("manifest.jsonl", "", "list no clip", id="empty"),
        pytest.param(
            "alignments.jsonl",
            '{"id": "a", "phones": [["b", 0.1]]}',
            "line 1: expected id and phones",
            id="alignment",
        ),
    ],
)
def test_broken_line_is_named(tmp_path, file, text, message):
    (tmp_path / "manifest.jsonl").write_text("")
    (tmp_path / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_clips(tmp_path)


def test_folder_with_features_of_other_clips_is_refused(data, tmp_path):
    clips = read_clips(data)
    store_clips(clips, tmp_path)
    store_clips(clips, tmp_path)
    expected = "other clips: 6 there, 2 asked for; give the same"
    with pytest.raises(InputError, match=expected):
        store_clips(clips[:2], tmp_path)
    with pytest.raises(InputError, match="6 there, 6 asked for, first demo-sound/sound-1"):
        store_clips([clips[0], replace(clips[1], label="other"), *clips[2:]], tmp_path)


def test_media_may_move(data, tmp_path, monkeypatch):
    store_clips(read_clips(data), tmp_path)
    monkeypatch.chdir(data.parent)
    moved = read_clips(Path(data.name))
    assert moved[0].video != read_clips(data)[0].video
    store_clips(moved, tmp_path)
    assert json.loads((tmp_path / "clips.json").read_text())[0]["video"] == moved[0].video


def test_rows_of_other_weights_are_made_anew(tmp_path):
    done = np.ones(3, bool)
    made_by = {"a": torch.ones(2)}
    # The first call of a folder that an older version made finds no note.
    assert not renew(tmp_path, "latent", done, made_by)
    assert not renew(tmp_path, "latent", done, made_by)
    assert done.all()
    assert renew(tmp_path, "latent", done, {"a": torch.tensor([1.0, 2.0])})
    assert not done.any()
    # Nothing is done, so nothing is lost by a change.
    assert not renew(tmp_path, "latent", done, made_by)


def test_array_of_another_shape_is_refused(tmp_path):
    open_array(tmp_path, "a", (2, 3), np.float32)
    with pytest.raises(InputError, match=r"expected float32 \(2, 4\)"):
        open_array(tmp_path, "a", (2, 4), np.float32)


def test_space_of_an_array_is_taken_when_it_is_made(tmp_path, monkeypatch):
    made = open_array(tmp_path, "a", (1000, 100), np.float32)
    assert not made.any()
    # A sparse file of zeros would have hardly a block.
    assert 512 * (tmp_path / "a.npy").stat().st_blocks >= 4 * made.size

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space left on device: .*b\.npy"):
        open_array(tmp_path, "b", (2, 3), np.float32)
    assert not (tmp_path / "b.npy").exists()


def test_worker_that_is_killed_is_said(data, config, tmp_path, monkeypatch):
    class Pool:
        def __init__(self, _):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def submit(self, *_):
            return self

        def result(self):
            raise BrokenProcessPool

    monkeypatch.setattr("vssflow.features.ProcessPoolExecutor", Pool)
    with pytest.raises(VssevalError, match=r"was killed.*fewer --workers"):
        list(decode_media(read_clips(data), tmp_path, config, workers=2))


def test_interrupted_decoding_goes_on_with_the_rows_that_are_left(data, config, tmp_path):
    clips = read_clips(data)
    portions = decode_media(clips, tmp_path, config, workers=1, waves_only=True)
    assert sum(portions) == 6
    arrays = media_arrays(6, tmp_path, config)
    assert arrays["wave_done"].all()
    assert not arrays["frames_done"].any()
    arrays["wave"][0] = 123
    assert sum(decode_media(clips, tmp_path, config, workers=1)) == 6
    assert arrays["frames_done"].all()
    assert (arrays["wave"][0] == 123).all()
    assert sum(decode_media(clips, tmp_path, config, workers=1)) == 0


def test_phone_targets_name_the_phone_in_the_middle_of_each_slot(data, config):
    targets = phone_targets(read_clips(data)[3], config)
    # 50 slots of 20 ms: b from 0.4 to 0.5 s is slots 20 to 24, then ih and n, silence around.
    assert targets.shape == (50,)
    assert np.flatnonzero(targets).tolist() == list(range(20, 35))
    assert len(set(targets[20:25])) == 1


def test_onset_targets_mark_the_frame_and_half_its_neighbours(data, config):
    targets = onset_targets(read_clips(data)[0], config)
    # 0.5 s is in frame 12 of 25.
    assert targets[11:14].tolist() == [0.5, 1.0, 0.5]
    assert targets.sum() == 2.0
