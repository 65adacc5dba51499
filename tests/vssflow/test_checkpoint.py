from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vsseval.errors import InputError
from vsseval.files import file_digest
from vssflow.checkpoint import (
    load_checkpoint,
    read_config,
    require_config,
    save_checkpoint,
)


def test_round_trip_is_bit_equal_in_float32(networks, tmp_path):
    path = tmp_path / "model.safetensors"
    save_checkpoint(networks, path, dtype=torch.float32)
    loaded = load_checkpoint(path)
    assert loaded.config == networks.config
    for name, value in networks.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_second_round_trip_in_float16_is_bit_equal(networks, tmp_path):
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    save_checkpoint(networks, first)
    save_checkpoint(load_checkpoint(first), second)
    for name, value in load_file(first).items():
        assert torch.equal(load_file(second)[name], value), name


def test_digest_follows_the_weights(networks, tmp_path):
    paths = [tmp_path / "1.safetensors", tmp_path / "2.safetensors"]
    save_checkpoint(networks, paths[0])
    changed = load_checkpoint(paths[0])
    with torch.no_grad():
        changed.codec.latent_mean += 1
    save_checkpoint(changed, paths[1])
    assert file_digest(paths[0]) != file_digest(paths[1])


def test_same_weights_give_the_same_bytes_each_time(networks, tmp_path):
    path = tmp_path / "model.safetensors"
    saved = set()
    for _ in range(20):  # of two entries of metadata, so an order by chance is right in half
        save_checkpoint(networks, path)
        saved.add(path.read_bytes())
    assert len(saved) == 1


def test_another_configuration_is_refused_by_naming_the_fields(networks, config, tmp_path):
    path = tmp_path / "model.safetensors"
    save_checkpoint(networks, path)
    require_config(path, config)
    with pytest.raises(InputError, match="depth: 2, expected 9"):
        require_config(path, replace(config, depth=9))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_file_that_is_no_safetensors_is_refused(tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputError, match=r"no whole safetensors file.*vssflow convert"):
        load_checkpoint(path)


def test_foreign_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="is no VSSFlow checkpoint"):
        read_config(path)


def _rewrite(source, target, change):
    from safetensors import safe_open

    with safe_open(source, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(source)
    change(tensors, metadata)
    save_file(tensors, target, metadata=metadata)


def test_missing_tensor_is_named(networks, tmp_path):
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    save_checkpoint(networks, first)
    _rewrite(first, second, lambda tensors, _: tensors.pop("flow.proj_in.weight"))
    with pytest.raises(
        InputError,
        match=r"1 tensors do not fit its configuration, first flow\.proj_in\.weight: none",
    ):
        load_checkpoint(second)


def test_field_of_another_version_is_named(networks, tmp_path):
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    save_checkpoint(networks, first)

    def rename(_, metadata):
        metadata["config"] = metadata["config"].replace('"depth"', '"layers"')

    _rewrite(first, second, rename)
    with pytest.raises(InputError, match="fields that differ: depth, layers"):
        load_checkpoint(second)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda _: None, "no readable configuration", id="absent"),
        pytest.param(lambda _: "{", "no readable configuration", id="cut off"),
        pytest.param(lambda _: "[1]", "is a list, not an object", id="no object"),
        pytest.param(
            lambda text: text.replace('"depth": 2', '"depth": "2"'),
            "depth is '2', expected int",
            id="another type",
        ),
    ],
)
def test_configuration_that_cannot_be_used_is_said(networks, tmp_path, change, message):
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    save_checkpoint(networks, first)

    def damage(_, metadata):
        text = change(metadata.pop("config"))
        metadata.update({} if text is None else {"config": text})

    _rewrite(first, second, damage)
    with pytest.raises(InputError, match=message):
        read_config(second)


def test_weights_that_are_not_finite_are_named(networks, tmp_path):
    first, second = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    save_checkpoint(networks, first)
    _rewrite(first, second, lambda tensors, _: tensors["flow.proj_out.weight"].fill_(torch.nan))
    with pytest.raises(
        InputError, match=r"flow\.proj_out\.weight holds values that are not finite"
    ):
        load_checkpoint(second)


def test_folder_of_a_run_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match=r"is a folder; give the \.safetensors file in it"):
        read_config(tmp_path)


def test_checkpoint_that_cannot_be_finished_leaves_the_one_before(networks, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_checkpoint(networks, path)
    before = path.read_bytes()

    def full(_, partial, **__):
        partial.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(networks, path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
    assert path.read_bytes() == before
