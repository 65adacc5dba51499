"""Which device is taken, and what is said where it is absent or full."""

from __future__ import annotations

import os

import pytest
import torch
from click.testing import CliRunner

from vsseval.errors import InputError
from vsseval.types import Benchmark, ModelContext
from vssflow import system
from vssflow.cli import commands
from vssflow.cli import main as run_command
from vssflow.devices import take_device
from vssflow.distributed import joined_processes
from vssflow.memory import is_out_of_memory

# PyTorch takes the pretended device for one without numbers; they are copied all the same.
pytestmark = pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")


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
