"""Shards of the models that make many clips at once: side by side, and stopped and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = ("cost", "digest", "environment")
"""What two records of one run may differ in."""


@pytest.fixture
def start(clips: Path, tmp_path: Path) -> Callable[..., subprocess.Popen]:
    """``vsseval run`` in a process of its own."""

    def run(installed, cache: str, *words: str) -> subprocess.Popen:
        line = [sys.executable, "-m", "vsseval", "run", "--model", installed.name, "--workers", "1"]
        line += ["--bench", "clips", "--data", str(clips), "--checkpoint", str(installed.toml)]
        line += ["--cache", str(tmp_path / cache), "--out", str(tmp_path / f"{cache}-out"), *words]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            line, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    return run


def finish(process: subprocess.Popen) -> str:
    stderr = process.communicate(timeout=600)[1]
    assert process.returncode == 0, stderr
    return stderr


def result_of(results: Path) -> tuple[dict, bytes]:
    (path,) = results.rglob("record.json")
    record = json.loads(path.read_text())
    return {k: v for k, v in record.items() if k not in OWN}, path.with_name(
        "clips.csv"
    ).read_bytes()


def stop_once(process: subprocess.Popen, there: Callable[[], object]) -> None:
    """Kill it as soon as something is there."""
    deadline = time.monotonic() + 300
    while not there():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize(("name", "step"), [("frieren", "mels"), ("lova", "clip")])
def test_shards_run_side_by_side_and_end_in_the_record_of_one(
    request: pytest.FixtureRequest, start, tmp_path: Path, name: str, step: str
) -> None:
    installed = request.getfixturevalue(name)
    changes = {"group": 2} if name == "frieren" else {}
    # In this step a program waits until that of the other shard is in it too.
    installed.write({step: {"meet": 2}}, **changes)
    errors = [finish(one) for one in [start(installed, "parts", "--shard", f"{n}/2") for n in "12"]]
    # Frieren: groups (s1/a, -b@x), (c, d), (short), of which short is too short.
    there = ["2 of 3", "2 of 2"] if name == "frieren" else ["3 of 3", "2 of 2"]
    assert [text.split("clips are there")[0].split(": ")[-1].strip() for text in errors] == there
    assert installed.called().count(step) == 2
    installed.write()
    assert "0 clips generated" in finish(start(installed, "parts"))
    assert installed.called().count(step) == 2
    finish(start(installed, "one"))
    assert result_of(tmp_path / "parts-out") == result_of(tmp_path / "one-out")


def test_stopped_shard_of_lova_goes_on_with_the_clips_that_lack(
    lova, start, tmp_path: Path
) -> None:
    def tables() -> list[list[str]]:
        paths = sorted((tmp_path / "parts").rglob("table.jsonl"))
        return [[json.loads(line)["name"] for line in p.read_text().splitlines()] for p in paths]

    lova.write({"hang_at": "2.mp4"})
    stop_once(start(lova, "parts", "--shard", "1/2"), lova.hanging)
    lova.write()
    finish(start(lova, "parts", "--shard", "1/2"))
    assert tables() == [["000002_0", "000004_0"]]
    # Another shard is lost: the command that scores finds what it had finished.
    lova.write({"hang_at": "3.mp4"})
    stop_once(start(lova, "parts", "--shard", "2/2"), lova.hanging)
    lova.write()
    finish(start(lova, "parts"))
    assert tables()[-1] == ["000003_0"]
    finish(start(lova, "one"))
    assert result_of(tmp_path / "parts-out") == result_of(tmp_path / "one-out")


def test_stopped_shard_of_frieren_goes_on_with_its_step(frieren, start, tmp_path: Path) -> None:
    frieren.write({"mels": {"hang_at": "000002"}}, group=2)
    stop_once(start(frieren, "parts", "--shard", "2/2"), frieren.hanging)
    calls = len(frieren.called())
    frieren.write()
    finish(start(frieren, "parts", "--shard", "2/2"))
    assert frieren.called()[calls:] == ["mels", "vocoder"]
    finish(start(frieren, "parts"))
    finish(start(frieren, "one"))
    assert result_of(tmp_path / "parts-out") == result_of(tmp_path / "one-out")
