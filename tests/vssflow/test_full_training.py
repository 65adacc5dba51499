"""Training a full-size layout, at reduced size, on what ``vssflow preprocess`` wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from stand_ins import silent

from vsseval.errors import InputError
from vssflow.audioldm2 import latent_sampler
from vssflow.checkpoint import load_checkpoint
from vssflow.cli import commands
from vssflow.config import PRESETS
from vssflow.features import read_clips
from vssflow.full_features import store_features
from vssflow.vae_network import Vae

V3 = PRESETS["v3-m"]


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
