"""Features of the full-size model: rows, shards, and a training run on them at reduced size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
)

from vsseval.errors import InputError
from vssflow import shards
from vssflow.audioldm2 import AudioLdm2
from vssflow.checkpoint import load_checkpoint
from vssflow.cli import commands
from vssflow.config import PRESETS
from vssflow.features import read_clips
from vssflow.full_features import FullFrontEnds, clip_row, store_features
from vssflow.full_system import FullModel, Given, generate_full
from vssflow.network import Networks
from vssflow.phonemes import IDS
from vssflow.shards import open_shards, shard_path, write_shards
from vssflow.system import Settings
from vssflow.vae_network import Vae, VaeSize

V3 = PRESETS["v3-m"]
DICTIONARY = {"bin": ("B", "IH1", "N")}


@pytest.fixture(scope="module")
def ends(data, tmp_path_factory) -> FullFrontEnds:
    """The real classes with random weights, and given features for the clips of ``data``."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("given")
    rng = np.random.default_rng(0)
    for clip in read_clips(data):
        for kind, shape in (("sync", (30, 8, 768)), ("lips", (25, 1024)), ("speaker", (256,))):
            path = root / kind / f"{clip.id}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, rng.standard_normal(shape).astype(np.float32))
    vision = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=768,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=16,
            patch_size=16,
        )
    ).eval()
    vocoder = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=64,
            upsample_initial_channel=8,
            upsample_rates=[160],
            upsample_kernel_sizes=[160],
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1]],
        )
    )
    codec = AudioLdm2(Vae(VaeSize((32, 32, 32), 1, 8)), vocoder)
    return FullFrontEnds(codec, vision, root / "sync", root / "lips", root / "speaker", DICTIONARY)


def test_row_of_a_speech_clip_is_at_latent_rate(data, ends) -> None:
    clip = read_clips(data)[-1]
    row = clip_row(clip, ends, V3)
    assert row["latent"].shape == row["deviation"].shape == (250, 128)
    assert row["semantic"].shape == row["sync"].shape == (250, 768)
    given = np.load(ends.sync / f"{clip.id}.npy").reshape(240, 768)
    np.testing.assert_allclose(row["sync"][1], given[1], atol=1e-3)
    np.testing.assert_allclose(row["sync"][249], given[239], atol=1e-3)
    lips = np.load(ends.lips / f"{clip.id}.npy")
    np.testing.assert_allclose(row["lips"][:25], lips, atol=4e-3)
    assert not row["lips"][25:].any()
    # One second: blank, B, IH1, N, blank over 25 frames, five each; then no speech.
    symbols = ["<blank>", "B", "IH1", "N", "<blank>"]
    expected = np.repeat([IDS[symbol] for symbol in symbols], 5)
    np.testing.assert_array_equal(row["phonemes"][:25], expected)
    assert not row["phonemes"][25:].any()
    assert row["frames"] == 25


def test_row_of_a_sound_has_no_lips_phonemes_or_voice(data, ends) -> None:
    row = clip_row(read_clips(data)[0], replace(ends, lips=None, speaker=None), V3)
    assert not row["lips"].any()
    assert not row["phonemes"].any()
    assert not row["speaker"].any()
    assert row["sync"].any()


def test_given_features_that_are_absent_or_wrong_are_refused(data, ends, tmp_path) -> None:
    speech = read_clips(data)[-1]
    with pytest.raises(InputError, match=r"needs lips features; give --lips DIR"):
        clip_row(speech, replace(ends, lips=None), V3)
    with pytest.raises(InputError, match=r"demo-speech/speech-2 has no sync features at"):
        clip_row(speech, replace(ends, sync=tmp_path), V3)
    path = tmp_path / f"{speech.id}.npy"
    path.parent.mkdir(parents=True)
    np.save(path, np.zeros((240, 512), np.float32))
    with pytest.raises(InputError, match=r"\(240, 512\), expected \(\.\.\., 768\)"):
        clip_row(speech, replace(ends, sync=tmp_path), V3)
    np.save(path, np.full((240, 768), np.nan, np.float32))
    with pytest.raises(InputError, match="not finite"):
        clip_row(speech, replace(ends, sync=tmp_path), V3)


def full_model(ends) -> FullModel:
    torch.manual_seed(0)
    config = replace(V3, width=64, heads=1, cross_heads=1, depth=1, feed_forward=32)
    networks = Networks(config).eval()
    torch.nn.init.normal_(networks.flow.proj_out.weight, std=0.05)
    return FullModel(networks, ends.codec, ends.clip, Settings(2, 3.0))


def test_one_clip_from_a_full_size_model_is_as_long_as_its_video(data, ends) -> None:
    speech = read_clips(data)[-1]
    given = Given(*(folder / f"{speech.id}.npy" for folder in (ends.sync, ends.lips, ends.speaker)))
    model, made = full_model(ends), {}
    with torch.inference_mode():
        for name, words, features in (
            ("speech", [[1, 2, 3]], given),
            ("other words", [[4, 5, 6]], given),
            ("sound", None, Given(given.sync)),
        ):
            output = generate_full(model, Path(speech.video), features, words=words, seed=0)
            assert output.audio.samples.shape == (1, 16000)
            assert output.nfe == 4
            made[name] = output.audio.samples
    assert not np.array_equal(made["speech"], made["other words"])
    assert not np.array_equal(made["speech"], made["sound"])


def test_what_a_full_size_model_cannot_make_is_refused(data, ends, make_clip, tmp_path) -> None:
    clip = read_clips(data)[0]
    given, model = Given(ends.sync / f"{clip.id}.npy"), full_model(ends)
    long = make_clip(tmp_path / "long.mp4", frames=260)
    with pytest.raises(InputError, match=r"lasts 10\.40 s; a full-size model takes 0\.2 to 10 s"):
        generate_full(model, long, given, words=None, seed=0)
    with pytest.raises(InputError, match="cannot read sync features"):
        generate_full(model, Path(clip.video), Given(tmp_path / "no.npy"), words=None, seed=0)


def silent(_: str) -> None:
    pass


def numbers(index: int) -> dict[str, np.ndarray]:
    return {"a": np.full((3, 2), index, np.float16), "b": np.array(10 * index, np.int32)}


def test_rows_come_back_from_shards_by_number(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 4)
    ids = [f"c{i}" for i in range(10)]
    assert write_shards(ids, tmp_path, numbers, "x", silent) == {}
    kept, arrays = open_shards(tmp_path)
    assert kept == ids
    assert arrays["a"].shape == (10, 3, 2)
    assert arrays["a"][[9, 0, 4]][:, 0, 0].tolist() == [9.0, 0.0, 4.0]
    assert int(arrays["b"][7]) == 70


def test_interrupted_run_makes_the_missing_shards_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 4)
    ids, made = [f"c{i}" for i in range(10)], []

    def broken(index: int):
        made.append(index)
        if index == 6:
            raise KeyboardInterrupt
        return numbers(index)

    with pytest.raises(KeyboardInterrupt):
        write_shards(ids, tmp_path, broken, "x", silent)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["shard-00000.safetensors"]
    made.clear()
    write_shards(ids, tmp_path, lambda i: made.append(i) or numbers(i), "x", silent)
    assert made == [4, 5, 6, 7, 8, 9]


def test_clip_that_fails_is_left_out_and_named_again_by_the_next_run(tmp_path) -> None:
    def one_fails(index: int):
        if index == 1:
            raise InputError("no audio file at x.wav")
        return numbers(index)

    ids = ["a", "b", "c"]
    for make in (one_fails, numbers):
        assert write_shards(ids, tmp_path, make, "x", silent) == {"b": "no audio file at x.wav"}
    kept, arrays = open_shards(tmp_path)
    assert kept == ["a", "c"]
    assert int(arrays["b"][1]) == 20


def test_shards_of_other_clips_or_settings_are_not_mixed(tmp_path) -> None:
    write_shards(["a", "b"], tmp_path, numbers, "x", silent)
    for ids, settings in ((["a", "c"], "x"), (["a", "b"], "y")):
        with pytest.raises(InputError, match="other clips or with other settings"):
            write_shards(ids, tmp_path, numbers, settings, silent)
    shard_path(tmp_path, 0).write_bytes(b"no")
    with pytest.raises(InputError, match="no shard of features"):
        open_shards(tmp_path)
    with pytest.raises(InputError, match="run `vssflow preprocess` first"):
        open_shards(tmp_path / "none")


@pytest.mark.weights
def test_full_size_layout_trains_on_its_shards(data, ends, tmp_path, monkeypatch) -> None:
    small = replace(
        V3, width=64, heads=1, cross_heads=1, depth=1, feed_forward=32, lip_channels=16,
        sync_channels=16, semantic_channels=16,
    )  # fmt: skip
    monkeypatch.setitem(PRESETS, "v3-m", small)
    clips = read_clips(data)
    assert store_features(clips, tmp_path / "features", ends, small, silent) == {}
    done = CliRunner().invoke(
        commands,
        [
            "train", "--preset", "v3-m", "--data", str(data), "--out", str(tmp_path), "--stage",
            "flow", "--steps", "2", "--batch", "4", "--accumulate", "2", "--gradient-checkpointing",
        ],
        catch_exceptions=False,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    trained = load_checkpoint(tmp_path / "v3-m.safetensors")
    assert trained.config == small
    assert trained.flow.blocks[0].attn1.to_q.weight.isfinite().all()


@pytest.mark.weights
def test_full_size_presets_say_what_they_need(data, tmp_path) -> None:
    def run(*arguments: object) -> None:
        CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False)

    common = ("--preset", "v3-s", "--data", data, "--out", tmp_path)
    with pytest.raises(InputError, match="needs --clip, --audioldm2 and --sync"):
        run("preprocess", *common)
