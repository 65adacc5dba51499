"""The one loader of checkpoints: what it takes, what it refuses, and how it says so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vsseval.encoders import relevance, syncnet_demo
from vsseval.encoders.checkpoints import build, fit, read_shipped, read_state, renamed
from vsseval.errors import InputError

PATH = Path("some.pth")


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {key: torch.randn_like(t.float()).to(t) for key, t in small().state_dict().items()}


def test_a_network_takes_the_tensors_of_a_file(state) -> None:
    network = build(small, state, PATH)
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    for key, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, state[key], rtol=0, atol=0)
    assert network[0].weight.data_ptr() == state["0.weight"].data_ptr()  # not copied


@pytest.mark.parametrize("form", ["build", "fit"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("0.bias"), r"missing: 0\.bias$"),
        (lambda s: s.update(b=s["0.bias"], a=s["0.bias"]), r"unknown: a, b$"),
        (
            lambda s: s.update({"0.bias": torch.zeros(4), "c": s.pop("1.bias")}),
            r"missing: 1\.bias; unknown: c; other shapes: 0\.bias is \(4,\) instead of \(3,\)$",
        ),
        (
            lambda s: s.update({f"{i:02}": s["0.bias"] for i in range(10)}),
            r"unknown: 00, 01, 02, 03, 04, 05, 06, 07 and 2 more$",
        ),
    ],
    ids=["missing", "unknown", "all-three", "many"],
)
def test_other_keys_are_one_error_that_names_them(state, form: str, change, message: str) -> None:
    change(state)
    whole = rf"some\.pth is not the checkpoint that this network expects; {message}"
    with pytest.raises(InputError, match=whole):
        build(small, state, PATH) if form == "build" else fit(small(), state, PATH)


def test_names_of_the_file_stand_in_its_errors(state) -> None:
    naming = renamed({"0": "first.linear", "1.bias": "shift"})
    file = {naming(key): tensor for key, tensor in state.items()}
    assert {"first.linear.weight", "shift", "1.weight"} <= file.keys()
    network = build(small, file, PATH, naming=naming)
    torch.testing.assert_close(network[1].bias, state["1.bias"])
    del file["first.linear.bias"]
    with pytest.raises(InputError, match=r"missing: first\.linear\.bias$"):
        build(small, file, PATH, naming=naming)


def test_a_name_is_replaced_up_to_a_dot() -> None:
    naming = renamed({"norm": "a", "norm_2.weight": "b"})
    names = {key: naming(key) for key in ("norm", "norm.bias", "norm_2.bias", "norm_2.weight")}
    assert list(names.values()) == ["a", "a.bias", "norm_2.bias", "b"]


def test_only_whole_names_are_unused(state) -> None:
    state["head.weight"] = torch.zeros(1)
    build(small, state, PATH, unused=r"head\..*")
    with pytest.raises(InputError, match=r"unknown: head\.weight$"):
        build(small, state, PATH, unused="head")


def test_counters_of_batches_may_be_absent(state) -> None:
    del state["1.num_batches_tracked"]
    assert int(build(small, state, PATH)[1].num_batches_tracked) == 0


def test_half_precision_becomes_the_networks_and_the_layout_too(state) -> None:
    half = {key: tensor.half() for key, tensor in state.items()}
    half["0.weight"] = half["0.weight"].T.contiguous().T
    weight = build(small, half, PATH)[0].weight
    assert weight.dtype == torch.float32
    assert weight.is_contiguous()
    torch.testing.assert_close(weight, half["0.weight"].float(), rtol=0, atol=0)


@pytest.mark.parametrize("stored", [[1, 2], {"weights": 1}, {"model": {"a": 1}}, None], ids=str)
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, stored: object) -> None:
    torch.save(stored, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth holds no state dict"):
        read_state(tmp_path / "other.pth", "model")


def test_a_state_dict_is_read_bare_or_from_within(tmp_path: Path, state) -> None:
    torch.save(state, tmp_path / "bare.pth")
    torch.save({"model": state, "epoch": 3}, tmp_path / "whole.pth")
    save_file(state, tmp_path / "whole.safetensors")
    for name in ("bare.pth", "whole.pth", "whole.safetensors"):
        found = read_state(tmp_path / name, "model")
        assert {key: tensor.tolist() for key, tensor in found.items()} == {
            key: tensor.tolist() for key, tensor in state.items()
        }


def test_what_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(syncnet_demo.CHECKPOINT.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"cannot read .*x\.safetensors"):
        read_state(tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=r"cannot read .*none\.safetensors"):
        read_state(tmp_path / "none.safetensors")


@pytest.mark.parametrize("demo", [relevance, syncnet_demo], ids=["relevance", "syncnet"])
def test_a_shipped_checkpoint_is_taken_with_its_own_bytes_alone(tmp_path: Path, demo) -> None:
    content = demo.CHECKPOINT.read_bytes()
    assert hashlib.sha256(content).hexdigest() == demo.SHA256
    assert read_shipped(demo.CHECKPOINT, demo.SHA256)
    other = tmp_path / "other.safetensors"
    with pytest.raises(InputError, match=r"no checkpoint at .*other\.safetensors"):
        read_shipped(other, demo.SHA256)
    other.write_bytes(content[:-1] + b"?")
    with pytest.raises(
        InputError, match=f"other.safetensors has sha256 .* instead of {demo.SHA256}"
    ):
        read_shipped(other, demo.SHA256)
