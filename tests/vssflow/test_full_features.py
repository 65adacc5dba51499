"""Features of the full-size model: rows, shards, and a training run on them at reduced size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
)

from vsseval.audio import read_audio
from vsseval.errors import InputError
from vssflow import shards
from vssflow.audioldm2 import AudioLdm2, latent_sampler
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


def brightness(x: torch.Tensor) -> torch.Tensor:
    """In the place of Synchformer: a token says how bright the first of its two frames is."""
    assert x.shape[1:] == (3, 16, 224, 224)
    level = x[:, :, ::2].mean((1, 3, 4)) / 2 + 0.5
    return level[..., None].expand(-1, -1, 768)


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
            output = generate_full(
                model, Path(speech.video), features, words=words, seed=0, report=silent
            )
            assert output.audio.samples.shape == (1, 16000)
            assert output.nfe == 4
            made[name] = output.audio.samples
    assert not np.array_equal(made["speech"], made["other words"])
    assert not np.array_equal(made["speech"], made["sound"])


def film(model, video: Path, given: Given | None = None, **options):
    asked = {"words": None, "seed": 0, "report": silent, **options}
    return generate_full(model, video, given or Given(), **asked)


def test_film_is_made_in_windows_of_one_noise(ends, tmp_path, make_clip) -> None:
    told: list[str] = []
    # In the place of the codec: the first channel of each latent frame as 640 equal samples.
    plain = SimpleNamespace(
        decode=lambda latent: latent[:, :, 0].repeat_interleave(640, dim=1) / 99
    )
    model = full_model(ends)._replace(sync=brightness, codec=plain)
    path = make_clip(tmp_path / "a.mp4", frames=300)
    output = film(model, path, report=told.append)
    assert told == ["12.0 s in 2 windows of 10 s"]
    assert output.audio.samples.shape == (1, 192_000)
    assert output.nfe == 8
    # What lies before the second window (2 s) is that of the first 10 s alone.
    alone = film(model, make_clip(tmp_path / "b.mp4", frames=250))
    ours, theirs = (o.audio.samples[0, : 2 * 16_000] for o in (output, alone))
    # H.264 looks ahead, so the pictures of the two files are not quite the same.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.02 * np.abs(theirs).max())


def test_latents_of_a_film_are_decoded_in_windows_of_ten_seconds(ends) -> None:
    latent = torch.randn(1, 300, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = ends.codec.decode(latent)
        parts = ends.codec.decode(latent[:, :250]), ends.codec.decode(latent[:, 50:])
    assert whole.shape == (1, 192_000)
    # Outside the shared 8 s, less what the vocoder sees of it, each window is heard alone.
    clear = 50 * 640 - 10 * 160
    scale = float(whole.abs().max())
    torch.testing.assert_close(whole[:, :clear], parts[0][:, :clear], atol=1e-4 * scale, rtol=0)
    torch.testing.assert_close(whole[:, -clear:], parts[1][:, -clear:], atol=1e-4 * scale, rtol=0)


def test_span_of_speech_stands_in_the_windows_it_falls_into(ends, tmp_path, make_clip) -> None:
    seen = []
    model = full_model(ends)._replace(sync=brightness)
    conditions = model.networks.flow.conditions
    model.networks.flow.conditions = lambda features: (seen.append(features), conditions(features))[
        1
    ]
    lips = tmp_path / "lips.npy"
    np.save(lips, np.ones((300, 1024), np.float32))
    path = make_clip(tmp_path / "a.mp4", frames=300)
    film(model, path, Given(lips=lips), words=[[1, 2, 3]], span=(8.0, 11.0))
    # Windows begin with frames 0 and 50; the speech lies from 200 to 275.
    spans = [features.phonemes[0] != 0 for features in seen]
    for found, start in zip(spans, (0, 50), strict=True):
        expected = (torch.arange(start, start + 250) >= 200) & (
            torch.arange(start, start + 250) < 275
        )
        assert torch.equal(found, expected)
    assert all(torch.equal(f.lips[0, :, 0] != 0, s) for f, s in zip(seen, spans, strict=True))
    assert torch.equal(seen[0].phonemes[0, 200:], seen[1].phonemes[0, 150:200])
    for span in ((5.0, 4.0), (8.0, 12.2)):
        with pytest.raises(InputError, match=r"is not within 0 to 12\.00 s"):
            film(model, path, words=[[1]], span=span)
    with pytest.raises(InputError, match="needs a text"):
        film(model, path, span=(8.0, 11.0))


@pytest.mark.parametrize(("frames", "size"), [(7, 64), (12, 50), (13, 34)])
def test_short_and_small_videos_are_accepted(ends, tmp_path, make_clip, frames, size) -> None:
    path = make_clip(tmp_path / "a.mp4", frames=frames, size=size)
    model = full_model(ends)._replace(sync=brightness)
    assert film(model, path).audio.samples.shape == (1, 640 * frames)


def test_what_a_full_size_model_cannot_make_is_refused(data, ends, make_clip, tmp_path) -> None:
    clip = read_clips(data)[0]
    given, model = Given(ends.sync / f"{clip.id}.npy"), full_model(ends)
    long = make_clip(tmp_path / "long.mp4", frames=260)
    with pytest.raises(InputError, match="longer than its given sync features; give --synchformer"):
        film(model, long, given)
    with pytest.raises(InputError, match="give --synchformer or --sync"):
        film(model, Path(clip.video))
    with pytest.raises(InputError, match="cannot read sync features"):
        film(model, Path(clip.video), Given(tmp_path / "no.npy"))
    short = make_clip(tmp_path / "short.mp4", frames=4)
    with pytest.raises(InputError, match=r"lasts 0\.16 s \(4 frames\); vssflow needs 0\.2 s"):
        film(model, short, given)
    with pytest.raises(InputError, match="no video file"):
        film(model, tmp_path / "none.mp4", given)


def silent(_: str) -> None:
    pass


def numbers(index: int) -> dict[str, np.ndarray]:
    return {"a": np.full((3, 2), index, np.float16), "b": np.array(10 * index, np.int32)}


def test_rows_come_back_from_shards_by_number(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 4)
    ids = [f"c{i}" for i in range(10)]
    assert write_shards(ids, tmp_path, numbers, "x", silent) == {}
    kept, arrays = open_shards(tmp_path, ids)
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
    kept, arrays = open_shards(tmp_path, ids)
    assert kept == ["a", "c"]
    assert int(arrays["b"][1]) == 20
    # A retry makes the failed clip alone and puts it in its place.
    made = []
    assert write_shards(
        ids, tmp_path, lambda i: made.append(i) or numbers(i), "x", silent, retry=True
    ) == {}  # fmt: skip
    assert made == [1]
    kept, arrays = open_shards(tmp_path, ids)
    assert kept == ids
    assert [int(arrays["b"][row]) for row in range(3)] == [0, 10, 20]


def test_shard_without_a_usable_clip_does_not_stop_the_others(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 2)

    def first_fail(index: int):
        if index < 2:
            raise InputError("broken")
        return numbers(index)

    ids = ["a", "b", "c", "d"]
    assert write_shards(ids, tmp_path, first_fail, "x", silent) == {"a": "broken", "b": "broken"}
    kept, arrays = open_shards(tmp_path, ids)
    assert kept == ["c", "d"]
    assert arrays["a"].shape == (2, 3, 2)
    assert int(arrays["b"][0]) == 20
    with pytest.raises(InputError, match="no clip could be used; first a: broken"):
        write_shards(ids[:2], tmp_path / "none", first_fail, "x", silent)
    with pytest.raises(InputError, match="holds no clip that could be used"):
        open_shards(tmp_path / "none", ids[:2])


def test_other_errors_stop_the_run_and_name_the_clip(tmp_path) -> None:
    def broken(index: int):
        raise ValueError("of shapes")

    with pytest.raises(ValueError, match="of shapes") as caught:
        write_shards(["a"], tmp_path, broken, "x", silent)
    assert caught.value.__notes__ == ["while features of clip a were computed"]


def test_training_on_an_unfinished_preprocess_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 2)
    ids = ["a", "b", "c", "d"]
    write_shards(ids[:2], tmp_path, numbers, "x", silent)
    with pytest.raises(InputError, match="features of 2 clips, --data has 4, or others"):
        open_shards(tmp_path, ids)


def test_shards_of_other_clips_or_settings_are_not_mixed(tmp_path) -> None:
    write_shards(["a", "b"], tmp_path, numbers, "x", silent)
    for ids, settings in ((["a", "c"], "x"), (["a", "b"], "y")):
        with pytest.raises(InputError, match="other clips or with other settings"):
            write_shards(ids, tmp_path, numbers, settings, silent)
    shard_path(tmp_path, 0).write_bytes(b"no")
    with pytest.raises(InputError, match="no shard of features"):
        open_shards(tmp_path, ["a", "b"])
    with pytest.raises(InputError, match="run `vssflow preprocess` first"):
        open_shards(tmp_path / "none", ["a"])


@pytest.mark.weights
def test_full_size_layout_trains_on_its_shards(data, ends, tmp_path, monkeypatch) -> None:
    small = replace(
        V3, width=64, heads=1, cross_heads=1, depth=1, feed_forward=32, lip_channels=16,
        sync_channels=16, semantic_channels=16,
    )  # fmt: skip
    monkeypatch.setitem(PRESETS, "v3-m", small)
    clips = read_clips(data)
    assert store_features(clips, tmp_path / "features", ends, small, silent) == {}
    save_vae(ends.codec.vae, tmp_path / "audioldm2" / "vae")
    command = [
        "train", "--preset", "v3-m", "--data", str(data), "--out", str(tmp_path), "--stage", "flow",
        "--steps", "2", "--batch", "4", "--accumulate", "2", "--gradient-checkpointing",
        "--joint-share", "0.5", "--joint-extent", "clip", "--mask-lip-sync", "0,1",
    ]  # fmt: skip
    with pytest.raises(InputError, match="joint clips of a full-size preset need --audioldm2"):
        CliRunner().invoke(commands, command, catch_exceptions=False)
    command += ["--audioldm2", str(tmp_path / "audioldm2")]
    done = CliRunner().invoke(commands, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    trained = load_checkpoint(tmp_path / "v3-m.safetensors")
    assert trained.config == small
    assert trained.flow.blocks[0].attn1.to_q.weight.isfinite().all()
    _another_run_begins_from_its_checkpoint(command, tmp_path, monkeypatch, small)


def _another_run_begins_from_its_checkpoint(command, tmp_path, monkeypatch, small) -> None:
    """After one step of a tiny rate the weights are still those it began from."""
    begun = tmp_path / "v3-m.safetensors"
    again = [str(tmp_path / "again") if part == str(tmp_path) else part for part in command]
    again += ["--reuse", str(tmp_path), "--start", str(begun), "--learning-rate", "1e-9"]
    done = CliRunner().invoke(commands, again, catch_exceptions=False)
    assert f"began from {begun}" in done.output
    ours, theirs = (
        load_checkpoint(path).flow.state_dict()
        for path in (tmp_path / "again" / "v3-m.safetensors", begun)
    )
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)
    monkeypatch.setitem(PRESETS, "v3-m", replace(small, depth=2))
    other = [part.replace("again", "other") for part in again]
    with pytest.raises(InputError, match="depth: 1, expected 2"):
        CliRunner().invoke(commands, other, catch_exceptions=False)


def save_vae(vae: Vae, folder: Path) -> None:
    """As diffusers writes it."""
    folder.mkdir(parents=True)
    sizes = {
        "block_out_channels": [32, 32, 32], "layers_per_block": 1, "latent_channels": 8,
        "in_channels": 1,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(sizes))
    save_file(vae.state_dict(), folder / "diffusion_pytorch_model.safetensors")


def test_joint_latents_are_drawn_from_the_posterior_of_the_mixed_wave(ends) -> None:
    wave = torch.from_numpy(np.random.default_rng(3).standard_normal((1, 160_000))).float() * 0.1
    draw = latent_sampler(ends.codec.vae)
    with torch.inference_mode():
        mean, deviation = ends.codec.posterior(wave)
        drawn = torch.stack([draw(wave, torch.Generator().manual_seed(seed)) for seed in range(16)])
        again = draw(wave, torch.Generator().manual_seed(3))
    torch.testing.assert_close(drawn[3], again)
    standard = (drawn - mean) / deviation
    assert float(standard.mean()) == pytest.approx(0, abs=0.01)
    assert float(standard.std()) == pytest.approx(1, abs=0.01)


def test_mask_shares_are_numbers_from_0_to_1() -> None:
    for text in ("0;1", "0,1.5", "lips"):
        done = CliRunner().invoke(
            commands, ["train", "--data", ".", "--out", "o", "--mask-lip-sync", text]
        )
        assert "no list of numbers from 0 to 1" in " ".join(done.output.split()), text


@pytest.mark.weights
def test_full_size_presets_say_what_they_need(data, tmp_path) -> None:
    def run(*arguments: object) -> None:
        CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False)

    common = ("--preset", "v3-s", "--data", data, "--out", tmp_path)
    with pytest.raises(InputError, match="needs --clip, --audioldm2 and one of --synchformer"):
        run("preprocess", *common)
