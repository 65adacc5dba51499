"""Work off the CPU: everything is where the networks are, and a seed draws the same there.

There is no GPU here: a pretended device (``elsewhere.py``) refuses tensors of two devices in one
operation, and gives the CPU's results bit for bit if everything was drawn and moved alike.
"""

from __future__ import annotations

import os
import weakref
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from elsewhere import ELSEWHERE, Moved, second_device
from safetensors.torch import load_file
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModel, SpeechT5HifiGan, SpeechT5HifiGanConfig

from vsseval.audio import write_audio
from vsseval.errors import InputError
from vsseval.models import load_model
from vsseval.types import Audio, Benchmark, Item, ModelContext
from vssflow import devices, film, system
from vssflow.audioldm2 import AudioLdm2
from vssflow.checkpoint import read_config
from vssflow.cli import commands
from vssflow.cli import main as run_command
from vssflow.clip_vision import semantic_tokens
from vssflow.config import PRESETS, Config, with_layout
from vssflow.devices import take_device
from vssflow.distributed import joined_processes
from vssflow.dit import Features, VSSFlow
from vssflow.features import read_clips
from vssflow.film import generate_film
from vssflow.frames import ClipFrames
from vssflow.full_features import FullFrontEnds, clip_row
from vssflow.full_system import FullModel, Given, generate_full
from vssflow.memory import is_out_of_memory
from vssflow.network import Networks, clip_features
from vssflow.sampler import sample, seeded_noise
from vssflow.solvers import SOLVERS
from vssflow.system import Settings
from vssflow.train import Run, train
from vssflow.train_flow import FlowMaterial, FlowTraining, JointMaterial, flow_job
from vssflow.training import Budget, Draw, TrainingError, fit
from vssflow.vae_network import Vae, VaeSize

# PyTorch takes the pretended device for one without numbers; they are copied all the same.
pytestmark = pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")
CLIPS, FRAMES = 8, 10


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, bool]]:
    """Device type and switch of every bfloat16 context; products stay float32 on both devices."""
    seen: list[tuple[str, bool]] = []

    def autocast(kind, *, dtype, enabled=True):
        assert dtype == torch.bfloat16
        seen.append((kind, enabled))
        return nullcontext()

    monkeypatch.setattr(torch, "autocast", autocast)
    return seen


@pytest.fixture
def elsewhere(asked):
    """A second device for the length of a test."""
    with second_device():
        yield


def near(value):
    """The numbers of a tensor that has to be on the second device."""
    assert isinstance(value, Moved), type(value)
    return value.near


def silent(_):
    pass


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


def v3_small(**changes: object) -> Config:
    """The full-size layout at a small width."""
    return replace(
        PRESETS["v3-m"], clip_seconds=0.4, width=64, heads=1, cross_heads=1, depth=2,
        feed_forward=32, lip_channels=16, sync_channels=16, semantic_channels=16, **changes,
    )  # fmt: skip


def material(config: Config, *, drawn: bool) -> FlowMaterial:
    """Half sounds, half speech of one speaker; ``drawn``: latents with a deviation."""
    rng = np.random.default_rng(0)
    tokens = -(-FRAMES // config.semantic_stride) if config.trained_front_ends else FRAMES

    def normal(*shape, dtype=np.float16):
        return rng.standard_normal((CLIPS, *shape)).astype(dtype)

    slots = FRAMES * config.phonemes_per_frame
    return FlowMaterial(
        latent=normal(FRAMES, config.latent_channels),
        lips=normal(FRAMES, config.lip_features),
        phonemes=rng.integers(0, 71, (CLIPS, slots)).astype(np.int16),
        sync=normal(FRAMES, config.sync_features),
        semantic=normal(tokens, config.semantic_features),
        speaker=normal(config.speaker_features, dtype=np.float32),
        companions=[[], [], [], [], [5, 6], [4, 6], [4, 5], [4]],
        deviation=normal(FRAMES, config.latent_channels) if drawn else None,
    )


def flow_of(config: Config) -> VSSFlow:
    torch.manual_seed(0)
    made = VSSFlow(config)
    nn.init.normal_(made.proj_out.weight, std=0.05)
    return made


def train_flow(config: Config, device: str, folder: Path, steps: int, **options: object):
    """Weights after some updates in two accumulated parts."""
    wave = np.random.default_rng(1).integers(-9, 9, (CLIPS, FRAMES * config.samples_per_frame))

    def encode(samples, _):
        level = samples.reshape(samples.shape[0], FRAMES, -1).mean(-1, keepdim=True)
        return level.expand(-1, -1, config.latent_channels)

    training = FlowTraining(batch=4, gradient_checkpointing=True, **options)
    job = flow_job(
        flow_of(config).to(device),
        material(config, drawn=not config.trained_front_ends),
        training,
        joint=JointMaterial(wave.astype(np.int16), [FRAMES] * CLIPS, encode),
    )
    return fit(job, Budget(steps=steps), folder, seed=3, report=silent, accumulate=2)


TINY = replace(PRESETS["tiny"], clip_seconds=0.4, width=32, depth=2, heads=2, cross_heads=1,
               rotary_width=8, feed_forward=32)  # fmt: skip


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("config", "options"),
    [
        (TINY, {"joint_share": 0.25}),
        (with_layout(TINY, "all-cross"), {}),
        (with_layout(TINY, "all-concat"), {"bfloat16": False}),
        (v3_small(), {"dropout_per_batch": True, "joint_share": 0.25, "mask_lip_sync": (0.5,)}),
    ],
    ids=["tiny", "all-cross", "all-concat", "v3"],
)
def test_updates_elsewhere_are_those_of_the_cpu(config, options, asked, tmp_path):
    here = train_flow(config, "cpu", tmp_path / "here", 3, **options)
    enabled = options.get("bfloat16", True)
    assert set(asked) == {("cpu", enabled)}
    asked.clear()
    there = train_flow(config, ELSEWHERE, tmp_path / "there", 3, **options)
    assert set(asked) == {(ELSEWHERE, enabled)}
    fresh = flow_of(config).state_dict()
    for name, value in here.items():
        assert torch.equal(near(there[name]), value), name
    assert not torch.equal(here["proj_in.weight"], fresh["proj_in.weight"])
    assert here["proj_in.weight"].isfinite().all()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(("before", "after"), [("cpu", ELSEWHERE), (ELSEWHERE, "cpu")])
def test_a_run_goes_on_where_another_device_left_it(before, after, tmp_path, monkeypatch):
    whole = train_flow(TINY, "cpu", tmp_path / "whole", 4)
    # The schedule is that of the whole budget in both parts.
    monkeypatch.setattr(Budget, "progress", lambda self, step, _: float(step >= self.steps))
    plain = train_flow(TINY, "cpu", tmp_path / "plain", 4)
    train_flow(TINY, before, tmp_path / "cut", 2)
    resumed = train_flow(TINY, after, tmp_path / "cut", 4)
    for name, value in plain.items():
        got = resumed[name] if after == "cpu" else near(resumed[name])
        assert torch.equal(got, value), name
    assert not torch.equal(whole["proj_in.weight"], plain["proj_in.weight"])


def run_of(config: Config, data: Path, out: Path, device: str = "cpu") -> Run:
    """A run on the clips of ``data`` that needs no dictionary from the weight store."""
    return Run(
        config,
        read_clips(data),
        out,
        seed=0,
        workers=1,
        dictionary={"bin": ("B", "IH1", "N")},
        report=silent,
        flow=FlowTraining(batch=4, joint_share=0.25),
        device=device,
    )


def test_files_of_a_run_on_a_gpu_are_read_without_one(config, data, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = run_of(config, data, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda _: "cuda:0")
        train(run, "codec", Budget(steps=1))
    for name in ("codec.pt", "codec.weights.pt"):
        with pytest.raises(RuntimeError, match="on a CUDA device"):
            torch.load(tmp_path / name, weights_only=True)
    train(run, "decoder", Budget(steps=1))  # begins from the weights
    (tmp_path / "decoder.pt").unlink()
    train(run, "codec", Budget(steps=2))  # goes on from the state
    assert torch.load(tmp_path / "codec.pt", weights_only=True)["step"] == 2


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


@pytest.mark.usefixtures("elsewhere")
def test_every_stage_of_training_elsewhere_is_that_of_the_cpu(config, data, asked, tmp_path):
    made = {}
    for device in ("cpu", ELSEWHERE):
        asked.clear()
        run = run_of(config, data, tmp_path / device, device)
        made[device] = train(run, "all", Budget(steps=2))
        assert set(asked) == {(device, True)}
    # Not the files' bytes: safetensors writes metadata in any order.
    assert read_config(made[ELSEWHERE]) == read_config(made["cpu"])
    here, there = load_file(made["cpu"]), load_file(made[ELSEWHERE])
    assert here.keys() == there.keys()
    for name, value in here.items():
        assert torch.equal(value, there[name]), name
    for name in ("latent", "lips", "phonemes", "sync", "semantic", "speaker"):
        here, there = (np.load(tmp_path / where / "features" / f"{name}.npy") for where in made)
        np.testing.assert_array_equal(there, here)


def full_networks(folder: Path) -> tuple[AudioLdm2, CLIPVisionModel, Given]:
    """The classes of a full-size model with random weights, and given features of one clip."""
    torch.manual_seed(0)
    vision = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=768, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            image_size=16, patch_size=16,
        )
    ).eval()  # fmt: skip
    vocoder = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=64, upsample_initial_channel=8, upsample_rates=[160],
            upsample_kernel_sizes=[160], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]],
        )
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for kind, shape in (("sync", (30, 8, 768)), ("lips", (25, 1024)), ("speaker", (256,))):
        path = folder / kind / "demo-speech" / "speech-0.npy"
        path.parent.mkdir(parents=True)
        np.save(path, rng.standard_normal(shape).astype(np.float32))
    given = Given(*(folder / kind / "demo-speech" / "speech-0.npy" for kind in Given._fields))
    return AudioLdm2(Vae(VaeSize((32, 32, 32), 1, 8)), vocoder), vision, given


@pytest.mark.usefixtures("elsewhere")
def test_full_size_model_and_its_features_elsewhere_are_those_of_the_cpu(data, tmp_path):
    clip = next(clip for clip in read_clips(data) if clip.id == "demo-speech/speech-0")
    config, made = replace(v3_small(), clip_seconds=10.0), {}
    for device in ("cpu", ELSEWHERE):
        codec, vision, given = full_networks(tmp_path / device)
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


@pytest.mark.parametrize("command", ["train", "preprocess", "sample", "sample-full"])
def test_device_that_is_not_there_is_said_before_anything_is_done(
    command, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    out, absent = tmp_path / "out", str(tmp_path / "absent")
    options = {
        "train": ["--data", str(data), "--steps", "1"],
        "preprocess": ["--data", str(data)],
        "sample": ["--video", absent],
        "sample-full": [
            "--video", absent, "--checkpoint", absent, "--clip", absent, "--audioldm2", absent,
            "--sync", absent,
        ],
    }  # fmt: skip
    with pytest.raises(InputError, match=r"no GPU here .*CUDA_VISIBLE_DEVICES=7\); give --device"):
        CliRunner().invoke(
            commands,
            [command, *options[command], "--out", str(out), "--device", "cuda"],
            catch_exceptions=False,
        )
    assert not out.exists()


@pytest.mark.parametrize("load", [system.load, system.load_codec])
def test_model_of_the_benchmark_on_a_device_that_is_not_there(load, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    bench = Benchmark("toy", "1", "sound", 1.0, 16000, (), (), "")
    with pytest.raises(InputError, match="no GPU here"):
        load(ModelContext(bench, tmp_path / "absent", "cuda"))


def test_each_process_of_torchrun_takes_its_gpu(monkeypatch):
    for name, value in (("RANK", "3"), ("LOCAL_RANK", "1"), ("WORLD_SIZE", "4")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    seen = []

    def visible() -> str | None:
        return os.environ.get("CUDA_VISIBLE_DEVICES")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: seen.append(visible()) is None)
    take_device("cpu")
    assert visible() == "4,6"
    take_device("cuda")
    assert seen == ["6"]  # taken before anyone asks what GPUs there are
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    with pytest.raises(InputError, match="rank 2 of this machine has no GPU"):
        take_device("cuda")


@pytest.mark.parametrize(
    ("device", "backends"), [("cpu", {"cpu": "gloo"}), ("cuda", {"cpu": "gloo", "cuda": "nccl"})]
)
def test_gradients_go_over_nccl_on_gpus_and_numbers_over_gloo(device, backends, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    asked = []
    monkeypatch.setattr(torch.distributed, "init_process_group", asked.append)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 1)
    with joined_processes(device):
        pass
    found = torch.distributed.BackendConfig(torch.distributed.Backend(asked[0]))
    assert backends.items() <= found.device_backend_map.items()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
    ],
)
def test_what_a_gpu_says_when_memory_runs_out_is_understood(error, expected):
    assert is_out_of_memory(error) == expected


def test_memory_of_a_batch_that_did_not_fit_is_free_when_smaller_ones_are_tried(tmp_path):
    """A traceback would keep the tensors of the failed batch, and nothing would fit beside them."""
    made = flow_job(flow_of(TINY), material(TINY, drawn=False), FlowTraining(batch=4))
    held: list[weakref.ref[torch.Tensor]] = []

    def losses(draw: Draw):
        activations = torch.zeros(4 // draw.share.count)
        if any(ref() is not None for ref in held) or len(activations) > 2:
            held.append(weakref.ref(activations))
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return made.losses(draw)

    with pytest.raises(TrainingError, match="with 4 clips at once; 2 fit: give --accumulate 2"):
        fit(replace(made, losses=losses), Budget(steps=1), tmp_path, seed=0, report=silent)


def test_command_that_runs_out_of_memory_says_so_in_one_line(monkeypatch, capsys):
    def full(**_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmore")

    monkeypatch.setattr("vssflow.cli.commands", full)
    with pytest.raises(SystemExit) as caught:
        run_command()
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "error: out of memory: CUDA out of memory. Tried to allocate 2.00 GiB\n"
    )


def test_clip_tokens_leave_the_device(tmp_path):
    """CLIP's tokens are arrays whatever device the network is on."""
    with second_device():
        vision = full_networks(tmp_path)[1].to(ELSEWHERE)
        frames = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
        assert semantic_tokens(vision, frames).shape == (5, 768)
