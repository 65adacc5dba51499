"""Fake installations of Frieren and LoVA, and a benchmark of clips long enough for them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile

HERE = Path(__file__).parent
INTERFACES = HERE.parent / "reference" / "baselines_interfaces.json"

DURATIONS = {"s1/a": 9.0, "-b@x": 10.0, "c": 8.5, "d": 9.0, "short": 2.0}


def write_clip(path: Path, seconds: float) -> None:
    """A grey video at 4 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(round(seconds * 4)):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope="session")
def clips_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clips") / "some clips"
    root.mkdir()
    head = {
        "name": "clips",
        "version": "1",
        "task": "sound",
        "clip_seconds": 10.0,
        "sample_rate": 16000,
        "metrics": ["onset_f1"],
    }
    (root / "benchmark.json").write_text(json.dumps(head))
    lines = []
    for number, (name, seconds) in enumerate(DURATIONS.items()):
        write_clip(root / f"{number}.mp4", seconds)
        noise = np.random.default_rng(number).normal(size=round(seconds * 16000)) * 0.1
        soundfile.write(root / f"{number}.flac", noise, 16000)
        lines.append(
            {
                "id": name,
                "duration": seconds,
                "video": f"{number}.mp4",
                "audio": f"{number}.flac",
                "onsets": [1.0],
            }
        )
    (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


@pytest.fixture
def clips(clips_once: Path, tmp_path: Path) -> Path:
    """The benchmark ``clips``; the file name of an item is its number and not its id."""
    return Path(shutil.copytree(clips_once, tmp_path / "some clips"))


def commit(root: Path) -> str:
    """Make a repository of a folder; its commit."""
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Installed:
    """A fake installation in a folder, with the models.toml that describes it."""

    def __init__(self, name: str, root: Path, weights: dict[str, str]) -> None:
        self.name = name
        self.checkout = root / f"{name} checkout"
        shutil.copytree(HERE / "fake_upstream" / name, self.checkout)
        shutil.copy(INTERFACES, self.checkout / "interfaces.json")
        (self.checkout / ".gitignore").write_text("calls.txt\nhangs.txt\n__pycache__\n")
        self.commit = commit(self.checkout)
        for file in weights.values():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"weights {file}")
        self.toml = root / "models.toml"
        self.calls = self.checkout / "calls.txt"
        self.env: dict[str, str] = {}
        self.table: dict[str, object] = {
            "python": sys.executable,
            "checkout": str(self.checkout),
            **{key: file.partition("//")[0] for key, file in weights.items() if "//" not in key},
        }
        self.write()

    def write(self, mood: dict | None = None, **changes: object) -> None:
        """Write models.toml with other values, and a mood for the fakes."""
        self.table.update(changes)
        env = {**self.env, "FAKE_MOOD": json.dumps(mood or {})}
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.table.items()]
        lines += [f"[{self.name}.env]", *(f"{k} = {json.dumps(v)}" for k, v in env.items())]
        self.toml.write_text("\n".join([f"[{self.name}]", *lines]) + "\n")

    def called(self) -> list[str]:
        """Steps in the order of their processes."""
        return self.calls.read_text().split() if self.calls.is_file() else []

    def hanging(self) -> bool:
        """Whether a fake is at the clip at which it hangs."""
        file = self.checkout / "hangs.txt"
        return file.is_file() and file.read_text().endswith("\n") and runs(int(file.read_text()))


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def is_running() -> Callable[[int], bool]:
    return runs


@pytest.fixture
def leaping_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bool]], None]:
    """``leaping_clock(there)``: once that is so, an hour passes whenever run_program asks.

    A timeout that a test sits out is either long or over before a busy machine has got so far.
    """

    def start(there: Callable[[], bool]) -> None:
        passed = 0.0

        def monotonic() -> float:
            nonlocal passed
            passed += 3600.0 * there()
            return time.monotonic() + passed

        monkeypatch.setattr("baselines.external.time", SimpleNamespace(monotonic=monotonic))

    return start


@pytest.fixture
def frieren(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "user cache"))
    weights = {"cfm": "w/cfm.ckpt", "vae": "w/vae.ckpt", "cavp": "w/cavp.ckpt"}
    found = Installed("frieren", tmp_path, weights)
    vocoder = tmp_path / "w" / "vocoder"
    vocoder.mkdir()
    for name in ("best_netG.pt", "args.yml"):
        (vocoder / name).write_text(name)
    found.write(vocoder="w/vocoder", timeout=300)
    return found


@pytest.fixture
def lova(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    import torch
    from safetensors.torch import save_file

    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "user cache"))
    found = Installed("lova", tmp_path, {})
    save_file({"scale": torch.ones(1)}, tmp_path / "lova.safetensors")
    (tmp_path / "CLIP").mkdir()
    (tmp_path / "CLIP" / "ViT-L-14.pt").write_text("clip")
    found.env = {"FAKE_CALLS": str(found.calls), "FAKE_CLIP": str(tmp_path / "CLIP")}
    found.write(weights="lova.safetensors", clip="CLIP", device="cpu", timeout=300)
    return found


@pytest.fixture
def vsseval(clips: Path, tmp_path: Path) -> Callable[..., str]:
    """``vsseval COMMAND`` on ``clips``: standard output, or standard error for another status."""
    from click.testing import CliRunner

    from vsseval.cli import main

    def run(verb: str, model: str, *words: object, toml: Path | None, status: int = 0) -> str:
        command = [verb, "--model", model, "--bench", "clips", "--data", clips]
        command += ["--cache", tmp_path / "cache", "--workers", 2]
        command += ["--checkpoint", toml] if toml else []
        done = CliRunner().invoke(main, [str(word) for word in (*command, *words)])
        assert done.exit_code == status, done.output
        return done.stderr if status else done.stdout

    return run


@pytest.fixture
def failures(vsseval, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Reasons of the clips that ``vsseval generate`` does not make."""
    from vsseval.generate import read_log

    def run(*words: object, toml: Path | None = None) -> dict[str, str]:
        folder = Path(vsseval("generate", *words, toml=toml).strip())
        rows = read_log(folder).values()
        assert all((row.path is None) == bool(row.error) for row in rows)
        return {row.item_id: row.error for row in rows if row.error}

    return run


@pytest.fixture
def generated(tmp_path: Path) -> Callable[[], dict[str, bytes]]:
    """Bytes of the audio that is in the cache now, by item."""

    def read() -> dict[str, bytes]:
        (folder,) = (tmp_path / "cache" / "generated" / "clips").glob("*/*")
        paths = [path for path in folder.rglob("*.wav") if "upstream" not in path.parts]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    return read
