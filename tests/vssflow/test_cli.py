from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import asdict

import numpy as np
import pytest
from click.testing import CliRunner

from vsseval.audio import read_audio
from vsseval.errors import InputError
from vssflow import train as training
from vssflow.checkpoint import load_checkpoint
from vssflow.cli import commands
from vssflow.config import LAYOUTS, PRESETS, preset, with_layout
from vssflow.training import Budget


@pytest.fixture
def small_tiny(config, monkeypatch):
    """Preset tiny and its layouts made small for the length of a test."""
    monkeypatch.setitem(PRESETS, "tiny", config)
    for layout in LAYOUTS:
        monkeypatch.setitem(PRESETS, f"tiny-{layout}", with_layout(config, layout))


def invoke(*arguments):
    return CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False)


def test_help_does_not_load_torch():
    code = "import sys, vssflow.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(LookupError, match="tiny"):
        preset("tinny")


@pytest.mark.weights
@pytest.mark.usefixtures("small_tiny")
def test_train_all_stages_then_sample(data, clip, tmp_path):
    done = invoke("train", "--data", data, "--out", tmp_path / "run", "--steps", 2, "--workers", 1)
    assert done.exit_code == 0
    checkpoint = tmp_path / "run" / "tiny.safetensors"
    assert str(checkpoint) in done.output
    load_checkpoint(checkpoint)
    _another_layout_on_the_same_features(data, clip, tmp_path)
    out = tmp_path / "out.wav"
    done = invoke(
        "sample", "--video", clip, "--checkpoint", checkpoint, "--out", out, "--text", "bin"
    )
    assert done.exit_code == 0
    audio = read_audio(out)
    assert audio.samples.shape == (1, 16000)
    assert np.isfinite(audio.samples).all()


@pytest.mark.weights
@pytest.mark.usefixtures("small_tiny")
def test_features_follow_front_ends_that_are_trained_further(data, tmp_path):
    common = ("train", "--data", data, "--out", tmp_path, "--workers", 1, "--batch", 4)
    assert invoke(*common, "--steps", 2).exit_code == 0
    before = np.load(tmp_path / "features" / "sync.npy")
    done = invoke(*common, "--steps", 2, "--stage", "flow")
    assert "made anew" not in done.output
    assert invoke(*common, "--steps", 4, "--stage", "frontends").exit_code == 0
    done = invoke(*common, "--steps", 3, "--stage", "flow")
    assert "features are made anew: the front ends are others" in done.output
    assert "latents are made anew" not in done.output
    assert not np.array_equal(np.load(tmp_path / "features" / "sync.npy"), before)
    # The decoder goes on from the codec as it was, and so does all the rest.
    with pytest.raises(InputError, match=r"decoder\.pt goes on from the codec as it was"):
        invoke(*common, "--steps", 4, "--stage", "codec")
    latent = np.load(tmp_path / "features" / "latent.npy")
    assert "codec: done" in invoke(*common, "--steps", 5).output
    np.testing.assert_array_equal(np.load(tmp_path / "features" / "latent.npy"), latent)


@pytest.mark.weights
@pytest.mark.usefixtures("small_tiny")
@pytest.mark.parametrize(
    ("transcript", "options", "message"),
    [
        pytest.param("50 % off", (), r"clip demo-speech/speech-1: .*without a pron", id="symbol"),
        pytest.param("bin " * 40, (), r"clip demo-speech/speech-1: 120 phonemes", id="too long"),
        pytest.param("bin", ("--batch", 6, "--accumulate", 4), "4 equal parts", id="parts"),
        pytest.param(None, ("--joint-share", 0.5), "both sound and speech", id="joint"),
    ],
)
def test_what_a_late_stage_refuses_is_said_first(data, tmp_path, transcript, options, message):
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    manifest = folder / "demo-speech" / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    rows[1]["transcript"] = transcript
    if transcript is None:
        shutil.rmtree(folder / "demo-speech")
    else:
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = tmp_path / "run"
    with pytest.raises(InputError, match=message):
        invoke("train", "--data", folder, "--out", run, "--steps", 1, *options)
    assert [path.name for path in run.iterdir()] == [".lock"]


def _another_layout_on_the_same_features(data, clip, tmp_path):
    """Another layout trains on the run's features, and its checkpoint makes a sound."""
    run = tmp_path / "run"
    stamp = (run / "features" / "sync.npy").stat().st_mtime_ns
    for layout in ("all-cross", "all-concat"):
        other = tmp_path / layout
        common = ("train", "--data", data, "--out", other, "--steps", 1, "--batch", 4)
        done = invoke(*common, "--preset", f"tiny-{layout}", "--stage", "flow", "--reuse", run)
        assert done.exit_code == 0, done.output
        checkpoint = other / f"tiny-{layout}.safetensors"
        assert load_checkpoint(checkpoint).config.concatenated == LAYOUTS[layout].concatenated
        invoke("sample", "--video", clip, "--checkpoint", checkpoint, "--out", other / "o.wav")
        assert read_audio(other / "o.wav").samples.shape == (1, 16000)
    assert (run / "features" / "sync.npy").stat().st_mtime_ns == stamp
    with pytest.raises(InputError, match="begun with another configuration; concatenated"):
        invoke(*common, "--preset", "tiny", "--stage", "flow", "--reuse", run)
    with pytest.raises(InputError, match="--reuse is for --stage flow"):
        invoke(*common, "--preset", "tiny", "--stage", "codec", "--reuse", run)


@pytest.mark.weights
@pytest.mark.usefixtures("small_tiny")
def test_preprocess_stores_arrays_and_a_second_run_finds_them_done(data, tmp_path):
    done = invoke("preprocess", "--data", data, "--out", tmp_path, "--workers", 1)
    assert done.exit_code == 0
    scene = tmp_path / "features" / "scene.npy"
    stamp = scene.stat().st_mtime_ns
    time.sleep(0.01)
    assert invoke("preprocess", "--data", data, "--out", tmp_path, "--workers", 1).exit_code == 0
    assert scene.stat().st_mtime_ns == stamp
    assert np.load(scene).any()


@pytest.mark.weights
@pytest.mark.usefixtures("small_tiny")
def test_stage_without_the_one_before_says_what_to_run(data, tmp_path):
    with pytest.raises(InputError, match="run the earlier --stage first"):
        invoke("train", "--data", data, "--out", tmp_path, "--steps", 1, "--stage", "flow")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({}, "has no durations to predict", id="a field that was not there yet"),
        pytest.param({"depth": 9}, "another configuration; depth: 9, now 8", id="another value"),
    ],
)
def test_run_goes_on_under_the_configuration_it_was_begun_with(tmp_path, change, message):
    # The check comes before the stage, which preset tiny does not have.
    config = json.loads(json.dumps(asdict(PRESETS["tiny"])))
    del config["speech_guidance_scale"]
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    run = training.Run(PRESETS["tiny"], [], tmp_path, 0, 1, {}, print)
    with pytest.raises(InputError, match=message):
        training.train(run, "durations", Budget(steps=1))


def test_budget_shares_add_up_to_one():
    assert sum(training.BUDGET_SHARES.values()) == pytest.approx(1.0)
