"""Training of the transformer: mixture, joint clips, shares, resume, several processes."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vsseval.errors import InputError
from vssflow.distributed import Processes, Share
from vssflow.dit import Features, VSSFlow
from vssflow.train_flow import (
    FlowMaterial,
    FlowTraining,
    JointMaterial,
    flow_job,
    flow_mixture,
    masked,
)
from vssflow.training import Budget, Draw, TrainingError, fit

CLIPS, FRAMES = 12, 10


def material(config) -> FlowMaterial:
    """Half sounds, half speech of one speaker, random but the same each time."""
    rng = np.random.default_rng(0)
    tokens = -(-FRAMES // config.semantic_stride)

    def normal(*shape, dtype=np.float16):
        return rng.standard_normal((CLIPS, *shape)).astype(dtype)

    speech = list(range(CLIPS // 2, CLIPS))
    return FlowMaterial(
        latent=normal(FRAMES, config.latent_channels),
        lips=normal(FRAMES, config.lip_features),
        phonemes=rng.integers(0, 71, (CLIPS, FRAMES * config.phonemes_per_frame)).astype(np.int16),
        sync=normal(FRAMES, config.sync_features),
        semantic=normal(tokens, config.semantic_features),
        speaker=normal(config.speaker_features, dtype=np.float32),
        companions=[
            [] if row not in speech else [r for r in speech if r != row] for row in range(CLIPS)
        ],
    )


def joint_material(config) -> JointMaterial:
    rng = np.random.default_rng(1)
    wave = rng.integers(-999, 999, (CLIPS, FRAMES * config.samples_per_frame)).astype(np.int16)

    def encode(samples, _):
        # A stand-in for the codec: level of each latent frame in every channel.
        level = samples.reshape(samples.shape[0], FRAMES, -1).square().mean(-1, keepdim=True)
        return level.expand(-1, -1, config.latent_channels)

    return JointMaterial(wave, [FRAMES] * 6 + [4] * 6, encode)


def small_flow(config) -> VSSFlow:
    torch.manual_seed(0)
    return VSSFlow(replace(config, width=32, depth=1, heads=2, cross_heads=1, rotary_width=8))


def job(config, **options):
    exact = {"batch": 8, "bfloat16": False, **options}
    return flow_job(
        small_flow(config),
        material(config),
        FlowTraining(**exact),
        joint=joint_material(config),
        ids=[f"clip-{row}" for row in range(CLIPS)],
    )


def silent(_):
    pass


def rows(path: Path) -> list[tuple[int, float]]:
    with path.open() as file:
        return [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]


def test_shares_of_a_batch_add_up_to_the_whole(config):
    made = job(config, joint_share=0.25)

    def loss(share: Share) -> float:
        draw = Draw(torch.Generator().manual_seed(5), 3, share)
        return float(made.losses(draw)["loss"].detach())

    with torch.no_grad():
        torch.nn.init.normal_(made.network.proj_out.weight, std=0.1)
    whole = loss(Share())
    parts = [loss(Share(index, 4)) for index in range(4)]
    assert sum(parts) / 4 == pytest.approx(whole, rel=1e-5)
    assert len({round(part, 6) for part in parts}) == 4


def test_accumulated_parts_give_the_same_curve_and_weights(config, tmp_path):
    whole = fit(job(config), Budget(steps=20), tmp_path / "1", seed=0, report=silent)
    parts = fit(job(config), Budget(steps=20), tmp_path / "4", seed=0, report=silent, accumulate=4)
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, atol=1e-4, rtol=0)
    assert rows(tmp_path / "4" / "flow.csv")[0][1] == pytest.approx(
        rows(tmp_path / "1" / "flow.csv")[0][1], abs=1e-5
    )


def test_interrupted_run_equals_an_uninterrupted_one_bit_for_bit(config, tmp_path, monkeypatch):
    options = {"joint_share": 0.25, "bfloat16": True}
    whole = fit(job(config, **options), Budget(steps=30), tmp_path / "w", seed=1, report=silent)
    broken = job(config, **options)
    calls = []

    def losses(draw):
        calls.append(draw.step)
        if draw.step == 17:
            raise KeyboardInterrupt
        return broken.losses(draw)

    monkeypatch.setattr("vssflow.training.SAVE_SECONDS", 0.0)
    cut = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        fit(replace(broken, losses=losses), Budget(steps=30), cut, seed=1, report=silent)
    resumed = fit(job(config, **options), Budget(steps=30), cut, seed=1, report=silent)
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name
    assert rows(cut / "flow.csv") == rows(tmp_path / "w" / "flow.csv")


def test_run_does_not_go_on_under_another_mixture(config, tmp_path):
    fit(job(config), Budget(steps=2), tmp_path, seed=0, report=silent)
    with pytest.raises(InputError, match=r"was started with: sound 4 of 6, speech 4 of 6"):
        fit(job(config, joint_share=0.25), Budget(steps=4), tmp_path, seed=0, report=silent)


def test_loss_that_is_not_finite_names_step_and_clips(config, tmp_path):
    made = material(config)
    made.latent[:] = np.nan
    broken = flow_job(
        small_flow(config), made, FlowTraining(batch=4), ids=[f"c{i}" for i in range(CLIPS)]
    )
    expected = broken.batch_ids(0)
    with pytest.raises(TrainingError) as caught:
        fit(broken, Budget(steps=2), tmp_path, seed=7, report=silent)
    assert "step 0, seed 7; begin again with a lower learning rate" in str(caught.value)
    assert str(caught.value).endswith(f"look at the clips: {', '.join(expected)}")
    assert len(expected) == 4


def test_joint_clips_reach_the_network(config):
    made = job(config, joint_share=0.5)
    assert flow_mixture(
        material(config), FlowTraining(batch=8, joint_share=0.5), joint_material(config)
    ).counts == {"sound": 2, "speech": 2, "joint": 4}
    plain = job(config)
    draws = [Draw(torch.Generator().manual_seed(0), 0) for _ in range(2)]
    assert made.losses(draws[0])["loss"] != plain.losses(draws[1])["loss"]


def test_joint_clips_without_sound_or_waveforms_are_refused(config):
    training = FlowTraining(batch=8, joint_share=0.5)
    with pytest.raises(InputError, match="need waveforms and a codec"):
        flow_mixture(material(config), training, None)
    silent_only = replace(material(config), companions=[[]] * CLIPS)
    with pytest.raises(InputError, match="both sound and speech"):
        flow_mixture(silent_only, training, joint_material(config))


def test_dropout_per_batch_drops_all_or_none(config, monkeypatch):
    import vssflow.train_flow as module

    seen = []
    select = module.select

    def spy(conditions, null, dropped):
        seen.append(dropped.tolist())
        return select(conditions, null, dropped)

    monkeypatch.setattr(module, "select", spy)
    monkeypatch.setattr(module, "CONDITION_DROPOUT", 0.5)
    for per_batch in (True, False):
        seen.clear()
        made = job(config, dropout_per_batch=per_batch)
        generator = torch.Generator().manual_seed(0)
        for step in range(12):
            made.losses(Draw(generator, step))
        uniform = [len(set(dropped)) == 1 for dropped in seen]
        assert all(uniform) == per_batch
        assert {value for dropped in seen for value in dropped} == {True, False}


def test_batch_that_processes_cannot_share_is_refused_before_training(config, tmp_path):
    with pytest.raises(InputError, match="batch of 8 cannot be divided into 3"):
        fit(job(config), Budget(steps=1), tmp_path, seed=0, report=silent, accumulate=3)
    alone = replace(job(config), batch=None)
    with pytest.raises(InputError, match="one process with whole batches"):
        fit(alone, Budget(steps=1), tmp_path, seed=0, report=silent, processes=Processes(0, 2))


def test_out_of_memory_says_what_fits(config, tmp_path):
    made = job(config)

    def losses(draw):
        if 8 // draw.share.count > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")
        return made.losses(draw)

    with pytest.raises(TrainingError, match="with 8 clips at once; 2 fit: give --accumulate 4"):
        fit(replace(made, losses=losses), Budget(steps=2), tmp_path, seed=0, report=silent)
    done = fit(
        replace(made, losses=losses), Budget(steps=2), tmp_path, seed=0, report=silent, accumulate=4
    )
    assert torch.isfinite(done["proj_in.weight"]).all()


WORKER = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {folder!r})
import torch
torch.set_num_threads(1)
from test_train_flow import job
from vssflow.config import PRESETS
from vssflow.distributed import joined_processes
from vssflow.training import Budget, fit
config = replace(PRESETS["tiny"], clip_seconds=0.4, feed_forward=64)
with joined_processes() as processes:
    fit(job(config, joint_share=0.25), Budget(steps=40), Path(sys.argv[1]), seed=0,
        report=lambda _: None, processes=processes, accumulate=int(sys.argv[2]))
"""


@pytest.mark.slow
def test_two_processes_give_the_curve_of_one(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER.format(folder=str(Path(__file__).parent)))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("RANK", None)
    one = [sys.executable, str(script), str(tmp_path / "one"), "1"]
    two = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(script), str(tmp_path / "two"), "2",
    ]  # fmt: skip
    for command in (one, two):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stderr[-2000:]
    alone, together = (rows(tmp_path / name / "flow.csv") for name in ("one", "two"))
    assert [step for step, _ in alone] == [step for step, _ in together] == [20, 40]
    for (_, first), (_, second) in zip(alone, together, strict=True):
        assert second == pytest.approx(first, abs=1e-5)
    assert alone[1][1] != pytest.approx(alone[0][1], abs=1e-3)  # it did learn something


def ones(config, batch: int) -> Features:
    """Features of one everywhere."""
    return Features(
        torch.ones(batch, FRAMES, config.lip_features),
        torch.ones(batch, FRAMES * config.phonemes_per_frame, dtype=torch.int64),
        torch.ones(batch, FRAMES, config.sync_features),
        torch.ones(batch, 1, config.semantic_features),
        torch.ones(batch, config.speaker_features),
    )


def test_masks_are_all_or_nothing_for_the_authors_shares(config):
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(40):
        found = masked(ones(config, 3), (0.0, 1.0), generator, Share())
        seen.add((float(found.lips.mean()), float(found.sync.mean())))
        assert torch.equal(found.phonemes, ones(config, 3).phonemes)
        assert torch.equal(found.semantic, ones(config, 3).semantic)
    assert seen == {(0.0, 0.0), (1.0, 1.0)}


def test_masks_take_whole_frames_of_each_clip_and_of_lips_and_sync_apart(config):
    found = masked(ones(config, 400), (0.25,), torch.Generator().manual_seed(0), Share())
    for values in (found.lips, found.sync):
        assert torch.equal(values, values[..., :1].expand_as(values))
        kept = values[..., 0]
        assert float(kept.mean()) == pytest.approx(0.75, abs=0.02)
        # Neither the same for all clips nor for all frames.
        assert float(kept.mean(0).min()) > 0.6
        assert float(kept.mean(1).std()) == pytest.approx((0.25 * 0.75 / FRAMES) ** 0.5, rel=0.2)
    both = (found.lips[..., 0] * found.sync[..., 0]).mean()
    assert float(both) == pytest.approx(0.75**2, abs=0.02)


def test_masks_before_a_projection_are_masks_behind_it(config):
    flow = small_flow(config)
    features = ones(config, 2)._replace(lips=torch.randn(2, FRAMES, config.lip_features))
    keep = torch.arange(FRAMES)[None, :, None] % 2 == 0
    before = flow.lip_proj(features.lips * keep)
    torch.testing.assert_close(before, flow.lip_proj(features.lips) * keep)


def test_masked_shares_of_a_batch_add_up_and_differ_from_unmasked(config):
    def losses(**options) -> list[float]:
        made = job(config, **options)
        torch.manual_seed(1)
        torch.nn.init.normal_(made.network.proj_out.weight, std=0.1)
        shares = [Share(), *(Share(index, 4) for index in range(4))]
        return [
            float(made.losses(Draw(torch.Generator().manual_seed(5), 3, share))["loss"].detach())
            for share in shares
        ]

    whole, *parts = losses(mask_lip_sync=(0.5,))
    assert sum(parts) / 4 == pytest.approx(whole, rel=1e-5)
    assert whole != pytest.approx(losses()[0], rel=1e-4)


def test_run_does_not_go_on_under_other_masks(config, tmp_path):
    fit(job(config, mask_lip_sync=(0.0, 1.0)), Budget(steps=2), tmp_path, seed=0, report=silent)
    with pytest.raises(InputError, match="masks 0, 1"):
        fit(job(config), Budget(steps=4), tmp_path, seed=0, report=silent)
