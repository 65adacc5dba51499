"""The LoVA driver and its wrapper, over a fake of the names that the driver uses.

The fake has upstream's parameters (tests/reference/baselines_interfaces.json) and writes
floor(samples / 2048) x 2048 samples in stereo, as the real one does.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from baselines.lova import output_seconds, reported, whole_seconds
from vsseval.errors import InputError

FILES = {"s1/a": "0.mp4", "-b@x": "1.mp4", "c": "2.mp4", "d": "3.mp4", "short": "4.mp4"}


def test_every_clip_is_made_by_one_process_that_loads_clip_once(lova, failures, generated) -> None:
    assert failures("lova", toml=lova.toml) == {}
    assert lova.called() == ["clip"]
    # 10 s: 215 frames of 2048 samples (baselines.md 3.3: 440,320 samples).
    sound, rate = soundfile.read(io.BytesIO(generated()["-b@x.wav"]))
    assert (sound.shape, rate) == ((440320, 2), 44100)
    # Upstream saves divided by the peak.
    assert np.abs(sound).max() == pytest.approx(1, abs=1e-3)


def test_clip_is_the_same_alone_and_among_others(lova, failures, generated) -> None:
    failures("lova", "--limit", 1, toml=lova.toml)
    alone = generated()["s1/a.wav"]
    lova.table["steps"] = 150
    failures("lova", "--takes", 2, toml=lova.toml)
    assert generated()["s1/a.wav"] == alone != generated()["s1/a.take1.wav"]
    assert len(set(generated().values())) == 10


def test_clip_that_fails_costs_no_other(lova, failures) -> None:
    lova.write({"fail_at": FILES["c"]})
    reason = "lova: RuntimeError: torch.cat(): expected a non-empty list of Tensors"
    assert failures("lova", toml=lova.toml) == {"c": reason}
    lova.write()
    assert failures("lova", toml=lova.toml) == {}


def test_process_that_dies_is_started_again_without_the_clip(lova, failures) -> None:
    lova.write({"die_at": FILES["c"]})
    assert failures("lova", toml=lova.toml) == {"c": "lova: exit status 11 (log driver.log)"}
    assert lova.called() == ["clip", "clip"]


def test_driver_that_cannot_start_stops_the_run(lova, vsseval) -> None:
    (lova.checkout / "stable_audio_tools" / "models" / "factory.py").write_text("import nothing_")
    error = vsseval("generate", "lova", toml=lova.toml, status=2)
    assert "lova: exit status 1" in error
    assert "No module named 'nothing_'" in error


def test_kill_resumes_with_the_clips_that_lack(lova, failures, generated, clips, tmp_path) -> None:
    lova.write({"hang_at": FILES["-b@x"]})
    command = [sys.executable, "-m", "vsseval", "generate", "--model", "lova", "--bench", "clips"]
    command += ["--data", str(clips), "--checkpoint", str(lova.toml), "--workers", "1"]
    command += ["--cache", str(tmp_path / "cache")]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not lova.hanging():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lova.write()
    assert failures("lova", toml=lova.toml) == {}
    (table,) = (tmp_path / "cache").rglob("table.jsonl")
    names = [json.loads(line)["name"] for line in table.read_text().splitlines()]
    assert names == [f"00000{n}_0" for n in (1, 2, 3, 4)]
    assert len(generated()) == 5


@pytest.mark.parametrize(
    ("duration", "seconds"), [(10.0, 10), (10.01, 10), (9.98, 10), (10.3, 11), (0.03, 1), (30, 30)]
)
def test_whole_seconds_cover_the_clip(duration: float, seconds: int) -> None:
    assert whole_seconds(duration) == seconds


def test_longer_than_30_seconds_is_refused() -> None:
    with pytest.raises(InputError, match=r"makes up to 30 s, the item lasts 31\.00 s"):
        whole_seconds(31.0)


def test_output_is_whole_latent_frames() -> None:
    # 441000 / 2048 = 215.3; 215 x 2048 / 44100 = 9.98458 s.
    assert output_seconds(10) == pytest.approx(9.98458, abs=1e-5)


def test_result_line_broken_off_by_a_kill_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text('{"name": "a", "error": "E: x"}\n{"name": "b", "frames": 3}\n{"name": "c", "er')
    assert reported(file) == {"a": "lova: E: x"}
