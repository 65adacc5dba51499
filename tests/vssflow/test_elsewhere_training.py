"""Training off the CPU: every update is that of the CPU, and runs go on from one to the other.

The other device is pretended: ``elsewhere.py``.
"""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from elsewhere import ELSEWHERE, near
from stand_ins import FRAMES, TINY, flow_of, silent, v3_small

from vssflow.config import Config, with_layout
from vssflow.features import read_clips
from vssflow.run import Run
from vssflow.train import train
from vssflow.train_flow import FlowMaterial, FlowTraining, JointMaterial, flow_job
from vssflow.training import Budget, Draw, TrainingError, fit

# PyTorch takes the pretended device for one without numbers; they are copied all the same.
pytestmark = pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")
CLIPS = 8


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
    train(run, "codec", Budget(steps=2))  # goes on from the state
    train(run, "decoder", Budget(steps=1))  # begins from the weights
    assert torch.load(tmp_path / "codec.pt", weights_only=True)["step"] == 2


@pytest.mark.usefixtures("elsewhere")
def test_every_stage_of_training_elsewhere_is_that_of_the_cpu(config, data, asked, tmp_path):
    made = {}
    for device in ("cpu", ELSEWHERE):
        asked.clear()
        run = run_of(config, data, tmp_path / device, device)
        made[device] = train(run, "all", Budget(steps=2))
        assert set(asked) == {(device, True)}
    assert made[ELSEWHERE].read_bytes() == made["cpu"].read_bytes()
    for name in ("latent", "lips", "phonemes", "sync", "semantic", "speaker"):
        here, there = (np.load(tmp_path / where / "features" / f"{name}.npy") for where in made)
        np.testing.assert_array_equal(there, here)


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
