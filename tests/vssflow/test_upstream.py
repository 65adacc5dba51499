"""The loader of the authors' checkpoints, against their own code under fake weights.

Expected values: tests/reference/vssflow_recipe.py, and vssflow_v1_recipe.py for samples and the
ablated layouts of v1.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fake_checkpoint
import numpy as np
import pytest
import torch
import vssflow_cases
from click.testing import CliRunner
from safetensors.torch import save_file

from vsseval.errors import InputError
from vssflow import upstream
from vssflow.alignment import align, centre_index, lower_index
from vssflow.checkpoint import load_checkpoint
from vssflow.cli import commands
from vssflow.config import PRESETS, Config
from vssflow.dit import Features, VSSFlow
from vssflow.sampler import sample
from vssflow.upstream import (
    FRESH,
    load_state,
    load_upstream,
    start_from_stable_audio,
    transformer_key,
    upstream_shapes,
)

REFERENCE = Path(__file__).parents[1] / "reference"


EXPECTED = json.loads((REFERENCE / "vssflow_upstream.json").read_text())["cases"]
V1_EXPECTED = json.loads((REFERENCE / "vssflow_v1.json").read_text())


def config_of(case) -> Config:
    return replace(
        PRESETS[case.preset],
        latent_channels=case.latent,
        lip_channels=case.lips,
        sync_channels=case.sync,
        semantic_channels=case.semantic,
        phoneme_width=case.phone,
        width=64 * case.heads,
        depth=case.depth,
        heads=case.heads,
        cross_heads=case.cross_heads,
        feed_forward=256 * case.heads,
    )


def fake_flow(case) -> VSSFlow:
    """Our network with the fake checkpoint, through the loader; never two copies of a tensor."""
    with torch.device("meta"):
        flow = VSSFlow(config_of(case))
    state = {
        name: torch.from_numpy(fake_checkpoint.fill(name, shape))
        for name, shape in upstream_shapes(flow).items()
    }
    load_state(flow, state)
    return flow.eval()


def features_of(case) -> tuple[Features, torch.Tensor, torch.Tensor]:
    given = {name: torch.from_numpy(value) for name, value in vssflow_cases.inputs(case).items()}
    x_t, t = given.pop("x_t"), given.pop("t")
    absent = torch.zeros(2, 1, 1)
    return (
        align(frames=case.frames, **{"sync": absent, "lips": absent, **given}),
        x_t,
        t,
    )


def check(expected, case) -> None:
    flow = fake_flow(case)
    given, x_t, t = features_of(case)
    assert fake_checkpoint.key_digest(upstream_shapes(flow)) == expected["keys"]
    with torch.inference_mode():
        conditions = flow.conditions(given)
        velocity = flow(x_t, t, conditions)
    np.testing.assert_allclose(
        conditions.channels.flatten()[:: 7 * case.every], expected["conditions"], atol=1e-5
    )
    np.testing.assert_allclose(velocity.flatten()[:: case.every], expected["velocity"], atol=1e-4)
    # The figures compared are of size one, so the tolerance is a relative one too.
    assert expected["deviation"] > 0.5


@pytest.mark.parametrize("name", list(vssflow_cases.CASES))
def test_velocity_equals_the_authors_network_at_a_reduced_size(name: str) -> None:
    check(EXPECTED[name], vssflow_cases.CASES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", list(vssflow_cases.M_CASES))
def test_velocity_equals_the_authors_network_at_size_m(name: str) -> None:
    check(EXPECTED[name], vssflow_cases.M_CASES[name])


@pytest.mark.parametrize("name", [name for name in vssflow_cases.V1_CASES if name != "v1"])
def test_velocity_of_an_ablated_layout_equals_the_authors_network(name: str) -> None:
    check(V1_EXPECTED["velocity"][name], vssflow_cases.V1_CASES[name])


@pytest.mark.parametrize("name", list(vssflow_cases.V1_CASES))
def test_sample_with_drifting_conditions_equals_the_authors(name: str) -> None:
    case, expected = vssflow_cases.V1_CASES[name], V1_EXPECTED["samples"][name]
    flow = fake_flow(case)
    given, noise, _ = features_of(case)
    # The authors guide the ablated layouts by c + w (c - u), one more in our formula.
    scale = vssflow_cases.GUIDANCE + (flow.config.guidance_scale - 3.0)
    assert scale == (3.0 if name == "v1" else 4.0)
    options = {"num_steps": vssflow_cases.STEPS, "guidance_scale": scale}
    with torch.inference_mode():
        conditions = flow.conditions(given)
        drawn = sample(flow, conditions, noise, drift=True, **options)
        still = sample(flow, conditions, noise, **options)
    found = drawn.latent.flatten()[:: case.every]
    size = expected["deviation"]
    np.testing.assert_allclose(found / size, np.array(expected["latent"]) / size, atol=1e-4)
    # Without concatenated conditions nothing can drift.
    moved = float((drawn.latent - still.latent).abs().max()) / size
    assert (moved < 1e-5) == (name == "v1-all-cross")


@pytest.mark.parametrize(("name", "tensors"), [("v3-s", 99), ("v3-m", 189), ("v3-l", 279)])
def test_upstream_keys_are_as_many_as_the_published_configuration_has(name, tensors) -> None:
    with torch.device("meta"):
        shapes = upstream_shapes(VSSFlow(PRESETS[name]))
    assert sum(key.startswith("vaflow.") for key in shapes) == tensors
    assert len(shapes) == tensors + 9
    assert shapes["vaflow.preprocess_conv.weight"] == (1952, 1952, 1)
    assert shapes["vaflow.transformer_blocks.0.ff.net.0.proj.weight"] == (12288, 1536)
    assert shapes["vaflow.transformer_blocks.4.attn2.to_k.weight"] == (768, 768)


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A Lightning checkpoint of a small v3 model, and a preset of that size to find."""
    config = replace(config_of(vssflow_cases.CASES["v3"]), preset="small")
    monkeypatch.setitem(PRESETS, "small", config)

    def write(**changes):
        flow = VSSFlow(config)
        state = {
            name: torch.from_numpy(fake_checkpoint.fill(name, shape))
            for name, shape in upstream_shapes(flow).items()
        }
        state["vae.encoder.conv_in.weight"] = torch.zeros(3)
        state |= changes
        state = {name: value for name, value in state.items() if value is not None}
        path = tmp_path / "epoch=0001-step=1.00e+00.ckpt"
        torch.save({"state_dict": state, "epoch": 1}, path)
        return path

    return write


def test_lightning_checkpoint_is_read_by_its_own_keys_and_finds_its_preset(checkpoint) -> None:
    networks = load_upstream(checkpoint())
    assert networks.config.preset == "small"
    key = "vaflow.transformer_blocks.1.attn2.to_out.0.weight"
    expected = torch.from_numpy(fake_checkpoint.fill(key, (128, 128)))
    assert torch.equal(networks.flow.blocks[1].attn2.to_out.weight, expected)
    assert all(not value.is_meta for value in networks.state_dict().values())


def test_converted_checkpoint_holds_the_same_weights(checkpoint, tmp_path) -> None:
    source, out = checkpoint(), tmp_path / "ours.safetensors"
    done = CliRunner().invoke(
        commands, ["convert", str(source), "--out", str(out)], catch_exceptions=False
    )
    assert done.exit_code == 0
    ours, theirs = load_checkpoint(out), load_upstream(source)
    assert ours.config == theirs.config
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


def test_missing_unknown_and_reshaped_keys_are_one_error(checkpoint) -> None:
    path = checkpoint(
        **{
            "lip_proj.0.weight": None,
            "lip_proj.9.weight": torch.zeros(1),
            "ref_proj.0.weight": torch.zeros(2, 2),
        }
    )
    with pytest.raises(InputError) as caught:
        load_upstream(path)
    message = str(caught.value)
    assert "1 missing: lip_proj.0.weight" in message
    assert "1 unknown: lip_proj.9.weight" in message
    assert "ref_proj.0.weight (2, 2), expected (32, 256)" in message


def test_checkpoint_of_another_width_names_the_known_layouts(checkpoint, monkeypatch) -> None:
    path = checkpoint()
    monkeypatch.delitem(PRESETS, "small")
    with pytest.raises(InputError, match=r"40 channels and cross width 16; known: v3-m 1952/768"):
        load_upstream(path)


def test_file_that_is_no_lightning_checkpoint_is_refused(tmp_path) -> None:
    path = tmp_path / "a.ckpt"
    torch.save({"weights": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="holds no state_dict"):
        load_upstream(path)
    torch.save({"state_dict": {"a": torch.zeros(1)}}, path)
    with pytest.raises(InputError, match=r"no vaflow\.proj_in\.weight"):
        load_upstream(path)


def stable_audio_file(path: Path, flow: VSSFlow, blocks: int, *, leave: str = "-") -> None:
    """A file with the keys of Stable Audio Open's transformer: 64 channels, more blocks."""
    deep = VSSFlow(replace(flow.config, depth=blocks))
    state = {}
    for name, value in deep.state_dict().items():
        key = transformer_key(name)
        if name.split(".")[0] in upstream.PROJECTIONS or leave in key:
            continue
        shape = tuple(value.shape)
        shape = {"proj_in.weight": (128, 64), "proj_out.weight": (64, 128)}.get(name, shape)
        if name in upstream.CONVOLUTIONS:
            shape = (64, 64, 1)
        state[key] = torch.from_numpy(fake_checkpoint.fill(key, shape))
    state["global_proj.0.weight"] = torch.zeros(3, 3)
    state["cross_attention_proj.0.weight"] = torch.zeros(3, 3)
    save_file(state, path)


def test_start_from_stable_audio_takes_the_first_blocks_and_leaves_four_fresh(tmp_path) -> None:
    flow = VSSFlow(config_of(vssflow_cases.CASES["v3"]))
    before = {name: value.clone() for name, value in flow.state_dict().items()}
    path = tmp_path / "diffusion_pytorch_model.safetensors"
    stable_audio_file(path, flow, blocks=4)
    assert sorted(start_from_stable_audio(flow, path)) == sorted(FRESH)
    for name, value in flow.state_dict().items():
        key = transformer_key(name)
        if name in FRESH or name.split(".")[0] in upstream.PROJECTIONS:
            assert torch.equal(value, before[name]), name
        else:
            assert torch.equal(
                value, torch.from_numpy(fake_checkpoint.fill(key, tuple(value.shape)))
            ), name


def test_start_from_stable_audio_leaves_keys_of_another_cross_width_fresh(tmp_path) -> None:
    path = tmp_path / "model.safetensors"
    stable_audio_file(path, VSSFlow(config_of(vssflow_cases.CASES["v3"])), blocks=2)
    fresh = start_from_stable_audio(VSSFlow(config_of(vssflow_cases.CASES["v3-lipsync"])), path)
    assert set(fresh) - set(FRESH) == {
        f"blocks.{block}.attn2.to_{part}.weight" for block in (0, 1) for part in "kv"
    }


def test_start_from_a_file_without_the_time_layers_is_refused(tmp_path) -> None:
    flow = VSSFlow(config_of(vssflow_cases.CASES["v3"]))
    path = tmp_path / "model.safetensors"
    stable_audio_file(path, flow, blocks=2, leave="timestep_proj.2")
    with pytest.raises(InputError, match=r"2 tensors missing.*time_token\.proj\.2"):
        start_from_stable_audio(flow, path)


@pytest.mark.parametrize(("source", "target"), [(100, 250), (240, 250), (9, 5), (3, 7), (1, 4)])
def test_indices_are_those_of_torch_interpolation(source: int, target: int) -> None:
    ramp = torch.arange(source, dtype=torch.float64)[None, None]
    for index, mode in ((lower_index, "nearest"), (centre_index, "nearest-exact")):
        expected = torch.nn.functional.interpolate(ramp, size=target, mode=mode)[0, 0]
        assert torch.equal(index(source, target).double(), expected), mode


def test_safetensors_file_is_no_lightning_checkpoint(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"half of one")
    with pytest.raises(InputError, match=r"expected a Lightning checkpoint, \.ckpt"):
        load_upstream(path)
