"""How the command line ends: help, statuses, what it says of errors and interrupts."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vsseval.errors import UnknownNameError

ROOT = Path(__file__).parents[2]


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_help_takes_less_than_half_a_second_of_processor_time() -> None:
    # Processor time, since a loaded machine stretches the time on the wall.
    python("-m", "vsseval", "--help")
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python("-m", "vsseval", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.5


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "scipy", "librosa", "pandas", "av", "cv2", "numba", "rich")
    code = f"import sys, vsseval.cli; print([m for m in {heavy} if m in sys.modules])"
    assert python("-c", code).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "generate",
        "encode",
        "score",
        "report",
        "compare",
        "inspect",
        "gate",
        "list",
        "explain",
        "doctor",
        "weights",
        "data",
    ],
)
def test_every_command_has_help(vsseval, command: str) -> None:
    result = vsseval(command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_debug_lets_the_exception_through(vsseval) -> None:
    result = vsseval("--debug", "run", "--model", "noise", "--bench", "vggsound")
    assert type(result.exception).__name__ == "MissingMediaError"


def test_full_disk_is_status_2_and_says_what_is_kept(
    toy_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "c.wav" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        result = toy_run("noise")
    assert result.exit_code == 2
    assert "error: No space left on device" in result.stderr
    assert "2 of 4 clips are kept" in result.stderr
    assert "4 clips generated" not in toy_run("noise").stderr


def test_defect_is_status_1_and_names_the_debug_switch(
    toy_run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*words: object, **more: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("vsseval.run.run", broken)
    result = toy_run("noise")
    assert result.exit_code == 1
    assert "unexpected RuntimeError: a defect" in result.stderr
    assert "--debug" in result.stderr


def test_interrupt_is_status_130_and_the_rest_follows(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(
        "import time, numpy as np\n"
        "from vsseval.types import Audio, ModelOutput\n"
        "class Sleepy:\n"
        "    signature = {'name': 'sleepy'}\n"
        "    def generate(self, item, seed):\n"
        "        time.sleep(0 if item.id == 'a' else 3600)\n"
        "        return ModelOutput(Audio(np.zeros((1, 16000), np.float32), 16000))\n"
        "def load(context):\n"
        "    return Sleepy()\n"
    )
    command = [sys.executable, "-m", "vsseval", "generate", "--model", "sleepy:load"]
    command += ["--bench", "toy", "--data", str(toy), "--cache", str(tmp_path / "cache")]
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background has Ctrl-C ignored, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        deadline = time.monotonic() + 300
        while not list((tmp_path / "cache").rglob("a.wav")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, remarks = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "stopped; what was finished is kept" in remarks
    assert "of 4 clips are kept" in remarks
    assert "Traceback" not in remarks


def test_many_remarks_are_cut(vsseval, toy: Path, tmp_path: Path) -> None:
    for number in range(15):
        (toy / "audio" / f"extra{number:02}.wav").write_bytes(b"")
    result = vsseval(
        *("generate", "--model", f"folder:{toy / 'audio'}", "--bench", "toy", "--data", toy)
    )
    assert result.exit_code == 0
    assert "15 files fit no item" in result.stderr
    assert "... and 6 more" in result.stderr


def test_full_disk_names_the_file(toy_run, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "results" in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    toy_run("noise")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        result = toy_run("noise")
    assert result.exit_code == 2
    assert re.search(r"error: No space left on device: .*/clips\.csv\n", result.stderr)


def test_lack_of_memory_is_no_defect(toy_run, monkeypatch: pytest.MonkeyPatch) -> None:
    def big(*words: object, **more: object) -> None:
        raise MemoryError("Unable to allocate 78 PiB")

    monkeypatch.setattr("vsseval.run.run", big)
    result = toy_run("noise")
    assert result.exit_code == 2
    assert "error: not enough memory: Unable to allocate 78 PiB" in result.stderr


def test_unknown_clip_of_many_lists_some() -> None:
    message = str(UnknownNameError("clip", "zz", [f"{at:05d}" for at in range(15_446)]))
    assert message.endswith("00028, 00029 and 15416 more")
