"""A toy benchmark of four clips of one second, written anew for each test that changes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from vsseval.cli import main

RATE = 16000
ONSETS = {"a": (0.3, 0.6), "b": (0.4,), "c": (0.25, 0.5, 0.75), "d": (0.55,)}
LABELS = {"a": "wood", "b": "wood", "c": "metal", "d": "metal"}
WORDS = {"a": "bin blue at a one", "b": "lay red by b two", "c": "set white in c three", "d": "ok"}


def clicks(times: tuple[float, ...], pitch: float) -> np.ndarray:
    """One second with a decaying tone at each time, on a faint bed of noise."""
    time = np.arange(RATE) / RATE
    sound = 1e-3 * np.random.default_rng(round(pitch)).standard_normal(RATE)
    for onset in times:
        after = np.clip(time - onset, 0, None)
        sound += (time >= onset) * 0.5 * np.exp(-after * 30) * np.sin(2 * np.pi * pitch * after)
    return sound.astype(np.float32)


def write_video(path: Path, times: tuple[float, ...]) -> None:
    """One second at 25 fps: a square that jumps at each time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for frame in range(25):
            picture = np.zeros((64, 64, 3), np.uint8)
            left = 4 + 12 * sum(frame / 25 >= onset for onset in times)
            picture[20:40, left : left + 16] = 255
            packets = stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
            container.mux(packets)
        container.mux(stream.encode())


def write_toy(root: Path) -> Path:
    """The benchmark ``toy`` in ``root``."""
    (root / "audio").mkdir(parents=True)
    (root / "video").mkdir()
    head = {
        "name": "toy",
        "version": "1",
        "task": "joint",
        "clip_seconds": 1.0,
        "sample_rate": RATE,
        "metrics": ["onset_f1", "mcd"],
    }
    (root / "benchmark.json").write_text(json.dumps(head))
    lines = []
    for number, name in enumerate("abcd"):
        soundfile.write(
            root / "audio" / f"{name}.flac", clicks(ONSETS[name], 400 + 300 * number), RATE
        )
        write_video(root / "video" / f"{name}.mp4", ONSETS[name])
        lines.append(
            {
                "id": name,
                "duration": 1.0,
                "audio": f"audio/{name}.flac",
                "video": f"video/{name}.mp4",
                "speaker_audio": f"audio/{'badc'[number]}.flac",
                "label": LABELS[name],
                "transcript": WORDS[name],
                "onsets": list(ONSETS[name]),
            }
        )
    (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return write_toy(tmp_path / "toy")


@pytest.fixture
def make_clicks() -> Callable[[tuple[float, ...], float], np.ndarray]:
    return clicks


@pytest.fixture
def make_video() -> Callable[[Path, tuple[float, ...]], None]:
    return write_video


@pytest.fixture
def manifest(toy: Path):
    """``manifest(0, id="x")`` changes a field of line 0 of the toy manifest, None removes it."""
    path = toy / "manifest.jsonl"

    def change(line: int, **fields: object) -> Path:
        lines = [json.loads(text) for text in path.read_text().splitlines()]
        for name, value in fields.items():
            if value is None:
                del lines[line][name]
            else:
                lines[line][name] = value
        path.write_text("".join(json.dumps(entry) + "\n" for entry in lines))
        return toy

    return change


@pytest.fixture
def vsseval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line in an empty folder, with a cache of its own."""
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])
