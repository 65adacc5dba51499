"""Sampling and features off the CPU: everything is where the networks are, and draws are the same.

There is no GPU here: a pretended device (``elsewhere.py``) refuses tensors of two devices in one
operation, and gives the CPU's results bit for bit if everything was drawn and moved alike.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from elsewhere import ELSEWHERE, near
from stand_ins import FRAMES, TINY, codec_and_vision, flow_of, silent, v3_small
from torch import nn

from vsseval.audio import write_audio
from vsseval.models import load_model
from vsseval.types import Audio, Benchmark, Item
from vssflow import devices, film, system
from vssflow.clip_vision import semantic_tokens
from vssflow.dit import Features
from vssflow.features import read_clips
from vssflow.film import generate_film
from vssflow.frames import ClipFrames
from vssflow.full_features import FullFrontEnds, clip_row
from vssflow.full_system import FullModel, Given, generate_full
from vssflow.network import Networks, clip_features
from vssflow.sampler import sample, seeded_noise
from vssflow.solvers import SOLVERS
from vssflow.system import Settings

# PyTorch takes the pretended device for one without numbers; they are copied all the same.
pytestmark = pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")


@pytest.mark.usefixtures("elsewhere")
def test_the_pretended_device_refuses_what_a_gpu_refuses():
    layer, x = nn.Linear(3, 2).to(ELSEWHERE), torch.ones(4, 3)
    with pytest.raises(RuntimeError, match="two devices"):
        layer(x)
    with pytest.raises(RuntimeError, match="generator of the CPU"):
        torch.randn(3, generator=torch.Generator(), device=ELSEWHERE)
    y = layer(x.to(ELSEWHERE))
    with pytest.raises(RuntimeError, match="numpy"):
        y.detach().numpy()
    y.sum().backward()
    assert near(layer.weight.grad).tolist() == [[4.0] * 3] * 2
    assert y.detach().cpu().numpy().shape == (4, 2)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("config", [TINY, v3_small()], ids=["tiny", "v3"])
def test_guided_sample_elsewhere_is_that_of_the_cpu(solver, config):
    rng, made = np.random.default_rng(2), {}
    tokens = FRAMES // config.semantic_stride if config.trained_front_ends else FRAMES
    features = Features(
        *(
            torch.from_numpy(rng.standard_normal(shape).astype(np.float32))
            for shape in (
                (1, FRAMES, config.lip_features),
                (1, FRAMES * config.phonemes_per_frame),
                (1, FRAMES, config.sync_features),
                (1, tokens, config.semantic_features),
                (1, config.speaker_features),
            )
        )
    )
    features = features._replace(phonemes=features.phonemes.abs().mul(9).long())
    for device in ("cpu", ELSEWHERE):
        flow = flow_of(config).to(device)
        with torch.inference_mode():
            made[device] = sample(
                flow,
                flow.conditions(features.to(torch.device(device))),
                seeded_noise(FRAMES, config.latent_channels, 5, devices.device_of(flow)),
                num_steps=2,
                guidance_scale=2.0,
                solver=solver,
            )
    assert torch.equal(near(made[ELSEWHERE].latent), made["cpu"].latent)
    assert made[ELSEWHERE].nfe == made["cpu"].nfe


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("timing", ["lips", "uniform"])
def test_features_of_a_clip_elsewhere_are_those_of_the_cpu(config, timing):
    rng, made = np.random.default_rng(3), {}
    frames = ClipFrames(
        *(
            rng.integers(0, 256, shape, np.uint8)
            for shape in (
                (25, 2, config.frame_size, config.frame_size),
                (25, config.mouth_size, config.mouth_size),
                (3, config.colour_size, config.colour_size, 3),
            )
        )
    )
    voice = rng.standard_normal(config.speaker_features).astype(np.float32)
    for device in ("cpu", ELSEWHERE):
        torch.manual_seed(0)
        networks = Networks(replace(config, phoneme_timing=timing)).eval().to(device)
        with torch.inference_mode():
            made[device] = [
                clip_features(networks, frames, [[1, 2], [3]], voice),
                clip_features(networks, frames, [[1, 2]], voice, (4, 20)),
                clip_features(networks, frames, None, None),
            ]
    for here, there in zip(made["cpu"], made[ELSEWHERE], strict=True):
        for name in Features._fields[:5]:
            assert torch.equal(near(getattr(there, name)), getattr(here, name)), name


@pytest.mark.usefixtures("elsewhere")
def test_models_of_the_benchmark_work_where_they_are_asked_to(
    checkpoint, clip, tmp_path, monkeypatch
):
    monkeypatch.setattr(system, "words_of_transcript", lambda _: [[1, 2, 3]])
    voice = tmp_path / "voice.wav"
    noise = 0.1 * np.random.default_rng(4).standard_normal((1, 16000)).astype(np.float32)
    write_audio(voice, Audio(noise, 16000))
    item = Item("a", 1.0, video=clip, audio=voice, transcript="bin", speaker_audio=voice)
    bench = Benchmark("toy", "1", "sound", 1.0, 16000, (), (), "")
    for name in ("vssflow", "codec"):
        models = {
            device: load_model(name, bench, checkpoint=checkpoint, device=device)
            for device in ("cpu", ELSEWHERE)
        }
        here, there = (models[device].model.generate(item, 1).audio for device in models)
        np.testing.assert_array_equal(there.samples, here.samples)
        assert models[ELSEWHERE].model.networks.device.type == ELSEWHERE
        assert models[ELSEWHERE].signature == {
            **models["cpu"].signature, "device": ELSEWHERE,
        }  # fmt: skip


@pytest.mark.usefixtures("elsewhere")
def test_film_in_windows_elsewhere_is_that_of_the_cpu(networks, make_clip, tmp_path, monkeypatch):
    monkeypatch.setattr(film, "words_of_transcript", lambda _: [[1, 2], [3]])
    monkeypatch.setattr(film, "OVERLAP_SECONDS", 0.2)
    config, made = replace(networks.config, max_seconds=0.6), {}
    video = make_clip(tmp_path / "a.mp4", frames=25)
    for device in ("cpu", ELSEWHERE):
        torch.manual_seed(0)
        model = system.FlowModel(
            Networks(config).eval().to(device), Settings(2, 2.0, "heun"), {"name": "x"}
        )
        made[device] = generate_film(
            model, video, text="bin", voice=None, face=None, seed=0, report=silent, span=(0.2, 0.7)
        )
    np.testing.assert_array_equal(made[ELSEWHERE].audio.samples, made["cpu"].audio.samples)


def given_features(folder: Path) -> Given:
    """Features of one clip, written below a folder."""
    rng = np.random.default_rng(0)
    for kind, shape in (("sync", (30, 8, 768)), ("lips", (25, 1024)), ("speaker", (256,))):
        path = folder / kind / "demo-speech" / "speech-0.npy"
        path.parent.mkdir(parents=True)
        np.save(path, rng.standard_normal(shape).astype(np.float32))
    return Given(*(folder / kind / "demo-speech" / "speech-0.npy" for kind in Given._fields))


@pytest.mark.usefixtures("elsewhere")
def test_full_size_model_and_its_features_elsewhere_are_those_of_the_cpu(data, tmp_path):
    clip = next(clip for clip in read_clips(data) if clip.id == "demo-speech/speech-0")
    config, made = replace(v3_small(), clip_seconds=10.0), {}
    for device in ("cpu", ELSEWHERE):
        codec, vision = codec_and_vision()
        given = given_features(tmp_path / device)
        torch.manual_seed(0)
        networks = Networks(config).eval().to(device)
        codec, vision = codec.to(device), vision.to(device)
        model = FullModel(networks, codec, vision, Settings(1, 3.0))
        output = generate_full(
            model, Path(clip.video), given, words=[[1, 2, 3]], seed=0, report=silent
        )
        folders = (tmp_path / device / kind for kind in Given._fields)
        ends = FullFrontEnds(codec, vision, *folders, {"bin": ("B", "IH1", "N")})
        made[device] = {"audio": output.audio.samples, **clip_row(clip, ends, config)}
    for name, value in made["cpu"].items():
        np.testing.assert_array_equal(made[ELSEWHERE][name], value, err_msg=name)


@pytest.mark.usefixtures("elsewhere")
def test_clip_tokens_leave_the_device():
    """CLIP's tokens are arrays whatever device the network is on."""
    vision = codec_and_vision()[1].to(ELSEWHERE)
    frames = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
    assert semantic_tokens(vision, frames).shape == (5, 768)
