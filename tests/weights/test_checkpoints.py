"""Checkpoints of PyTorch: tensors and numbers are read, code is not run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from vsseval import weights
from vsseval.errors import InputError


class Bomb:
    """Pickles to a call that would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.trace),))


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    torch.save({"model": Bomb(tmp_path / "trace")}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match=r"refused checkpoint .*evil\.pt"):
        weights.load_torch(tmp_path / "evil.pt")
    assert not (tmp_path / "trace").exists()


def test_tensors_numpy_scalars_and_numpy_arrays_are_read(tmp_path: Path) -> None:
    stored = {"w": torch.arange(3.0), "k": np.int64(7), "x": np.float64(0.5), "name": "toy"}
    stored["a"] = np.arange(6.0).reshape(2, 3)
    torch.save(stored, tmp_path / "fine.pt")
    loaded = weights.load_torch(tmp_path / "fine.pt")
    assert isinstance(loaded, dict)
    assert torch.equal(loaded["w"], stored["w"])
    assert (loaded["k"], loaded["x"], loaded["name"]) == (7, 0.5, "toy")
    np.testing.assert_array_equal(loaded["a"], stored["a"])


def test_an_array_of_objects_brings_no_code_with_it(tmp_path: Path) -> None:
    array = np.array([Bomb(tmp_path / "trace")], dtype=object)
    torch.save({"a": array}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match=r"refused checkpoint .*evil\.pt"):
        weights.load_torch(tmp_path / "evil.pt")
    assert not (tmp_path / "trace").exists()


def test_a_cut_checkpoint_is_one_clear_error(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1000)}, tmp_path / "whole.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:2000])
    with pytest.raises(InputError, match=r"cut\.pt"):
        weights.load_torch(tmp_path / "cut.pt")
