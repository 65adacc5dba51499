"""Runs in parts: shards and ranks end in the record of one process, and a lost one is noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from torch.distributed import TCPStore

from vsseval import ranks as ranks_module
from vsseval.cli import main
from vsseval.errors import InputError
from vsseval.generate import _append, read_log
from vsseval.ranks import Ranks, ranks_of_environment, take_gpu
from vsseval.shards import Shard, parse_shard
from vsseval.types import Generation

ROOT = Path(__file__).parents[1]
METRICS = "onset_f1,mcd"


@pytest.fixture
def words(toy: Path, tmp_path: Path) -> Callable[..., list[str]]:
    def make(command: str, cache: str, *more: str, model: str = "noise") -> list[str]:
        line = [command, "--model", model, "--bench", "toy", "--data", str(toy)]
        line += ["--metrics", METRICS, "--workers", "1", "--cache", str(tmp_path / cache)]
        return [
            *line,
            *(["--out", str(tmp_path / f"{cache}-out")] if command == "run" else []),
            *more,
        ]

    return make


@pytest.fixture
def vsseval(words) -> Callable[..., Result]:
    return lambda *line, **how: CliRunner().invoke(main, words(*line, **how))


def record_of(results: Path) -> tuple[dict, bytes]:
    """What must agree in two records of one run, and the bytes of clips.csv."""
    (path,) = results.rglob("record.json")
    record = json.loads(path.read_text())
    own = ("cost", "digest", "environment")
    return {k: v for k, v in record.items() if k not in own}, (
        path.parent / "clips.csv"
    ).read_bytes()


def test_shards_are_every_nth_and_together_all() -> None:
    assert [list(Shard(i, 3).of("abcdefgh")) for i in (1, 2, 3)] == [
        ["a", "d", "g"],
        ["b", "e", "h"],
        ["c", "f"],
    ]
    assert parse_shard("3/8") == Shard(3, 8)
    assert Shard(2, 3).order(8) == [1, 4, 7, 2, 5, 0, 3, 6]
    # Groups of neighbours are dealt out whole.
    assert [list(Shard(i, 2).of("abcdefgh", 3)) for i in (1, 2)] == [list("abcgh"), list("def")]


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "a/b", "1/0", "-1/4"])
def test_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="i from 1 to n"):
        parse_shard(text)


def test_shards_then_the_plain_command_write_the_record_of_one(vsseval, tmp_path: Path) -> None:
    parts = [vsseval("run", "parts", "--takes", "2", "--shard", f"{i}/3") for i in (3, 1, 2)]
    assert [part.exit_code for part in parts] == [0, 0, 0]
    # a and d, b, c: two takes each.
    counts = [part.stderr.split("clips are there, ")[1].split(" ")[0] for part in parts]
    assert counts == ["2", "4", "2"]
    assert all(part.stdout == "" for part in parts)
    assert not (tmp_path / "parts-out").exists()
    merged = vsseval("run", "parts", "--takes", "2")
    assert "0 clips generated (all kept)" in merged.stderr
    vsseval("run", "one", "--takes", "2")
    assert record_of(tmp_path / "parts-out") == record_of(tmp_path / "one-out")


def test_each_stage_takes_a_shard_of_its_own(vsseval, tmp_path: Path) -> None:
    assert vsseval("generate", "parts", "--shard", "1/2").exit_code == 0
    assert "2 clips" in vsseval("encode", "parts", "--shard", "1/2").stdout
    early = vsseval("encode", "parts", "--shard", "2/2")
    assert early.exit_code == 2
    assert "nothing generated" in early.stderr
    # Beyond the last item there is nothing to do, and nothing wrong.
    assert vsseval("generate", "parts", "--shard", "9/9").exit_code == 0
    assert vsseval("encode", "parts", "--shard", "9/9").exit_code == 0


def test_lines_of_many_processes_are_whole(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from vsseval.generate import _append
from vsseval.types import Generation
folder, who = Path(sys.argv[1]), sys.argv[2]
for n in range(300):
    _append(folder, Generation(f"{who}-{n}", 0, n, None, "x" * 3000, None, 0.0, 0))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), who], env=environment)
        for who in "abc"
    ]
    assert [writer.wait(timeout=600) for writer in writers] == [0, 0, 0]
    assert set(read_log(tmp_path)) == {(f"{who}-{n}", 0) for who in "abc" for n in range(300)}


def test_log_is_appended_to_where_locks_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(stream: object, how: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("vsseval.files.fcntl.flock", no_locks)
    _append(tmp_path, Generation("a", 0, 1, None, "busy", None, 0.0, 0))
    assert read_log(tmp_path)["a", 0].error == "busy"


@pytest.fixture
def group() -> Iterator[dict[str, str]]:
    """The variables that the ranks of one torchrun share.

    As under torchrun they meet at a port of their parent's, held from the start: one that is only
    known to be free may be another's by the time that rank 0 takes it.
    """
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    yield {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    del store


def ranks(
    count: int, group: dict[str, str], line: list[str], **environment: str
) -> list[subprocess.Popen]:
    """The processes that torchrun would start."""
    shared = {**group, "WORLD_SIZE": str(count)}
    path = os.pathsep.join([environment.pop("PYTHONPATH", ""), str(ROOT)])
    return [
        subprocess.Popen(
            [sys.executable, "-m", "vsseval", *line],
            env={**os.environ, **shared, **environment, "RANK": str(rank), "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


def test_ranks_write_the_record_of_one_and_only_the_first_prints(
    vsseval, words, tmp_path: Path, group: dict[str, str]
) -> None:
    started = ranks(2, group, words("run", "two", "--takes", "2"))
    outputs = [process.communicate(timeout=600) for process in started]
    vsseval("run", "one", "--takes", "2")
    assert record_of(tmp_path / "two-out") == record_of(tmp_path / "one-out")
    assert "noise on toy 1" in outputs[0][0]
    assert "8 clips generated" in outputs[0][1]
    assert outputs[1][0] == ""


@pytest.mark.slow
def test_torchrun_writes_the_record_of_one(vsseval, words, tmp_path: Path) -> None:
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *start, "-m", "vsseval", *words("run", "two")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    vsseval("run", "one")
    assert done.stdout.count("noise on toy 1") == 1
    assert record_of(tmp_path / "two-out") == record_of(tmp_path / "one-out")


FAULTY = """
import os, signal
from baselines.oracles import load_noise

def load(context):
    if os.environ["RANK"] == "1":
        if os.environ["FAULT"] == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(28, "No space left on device")
    return load_noise(context)
"""


@pytest.mark.parametrize(
    ("fault", "status", "remark"),
    [("fails", 2, "rank 1 failed: [Errno 28] No space left"), ("dies", -9, "another rank died")],
)
def test_rank_that_is_lost_leaves_none_waiting(
    words, tmp_path: Path, group: dict[str, str], fault: str, status: int, remark: str
) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY)
    line = words("run", "two", model="faulty:load")
    first, second = ranks(2, group, line, PYTHONPATH=str(tmp_path), FAULT=fault)
    stderr = first.communicate(timeout=600)[1]
    assert (first.returncode, second.wait(timeout=600)) == (2, status)
    assert remark in stderr
    second.communicate()
    assert not (tmp_path / "two-out").exists()


def test_shard_under_torchrun_is_refused(vsseval, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    assert "use one of them" in vsseval("run", "c", "--shard", "1/2").stderr
    for stage in ("generate", "encode"):
        assert "give each process its --shard" in vsseval(stage, "c").stderr


def test_ranks_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert ranks_of_environment() is None
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(InputError, match="RANK=unset does not fit; start with torchrun"):
        ranks_of_environment()
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ranks_of_environment() == Ranks(3, 4, 1)
    assert Ranks(3, 4, 1).shard == Shard(4, 4)


def test_each_rank_is_left_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    take_gpu(Ranks(1, 2, 1))
    assert ranks_module.os.environ["CUDA_VISIBLE_DEVICES"] == "6"
    with pytest.raises(InputError, match=r"has no GPU.*--nproc-per-node 1"):
        take_gpu(Ranks(1, 2, 1))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    take_gpu(Ranks(5, 8, 3))
    assert ranks_module.os.environ["CUDA_VISIBLE_DEVICES"] == "3"


GROUP = """
from pathlib import Path
import torch
from vsseval.ranks import process_group

def threads():
    return sum("gloo" in path.read_text() for path in Path("/proc/self/task").glob("*/comm"))

with process_group("gloo"):
    import torch.distributed.nn  # as making an optimiser does
    torch.distributed.broadcast(torch.ones(1), 0)
    within = threads()
print(within > 0, threads())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are listed by Linux's /proc")
def test_no_thread_of_a_process_group_is_left_for_the_exit(group: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROUP],
        env={**os.environ, **group, "WORLD_SIZE": "1", "RANK": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.stdout.split() == ["True", "0"], done.stderr
