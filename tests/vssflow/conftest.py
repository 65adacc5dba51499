from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from elsewhere import second_device
from stand_ins import codec_and_vision

from vsseval.audio import write_audio
from vsseval.types import Audio
from vssflow.checkpoint import save_checkpoint
from vssflow.config import PRESETS, Config
from vssflow.features import read_clips
from vssflow.full_features import FullFrontEnds
from vssflow.network import Networks

FRAMES = 25


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks run faster on one thread; the setting is put back for the other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def config() -> Config:
    """Preset tiny made far smaller, with clips of one second."""
    return replace(
        PRESETS["tiny"],
        codec_width=16,
        vocoder_width=16,
        griffin_lim_steps=2,
        clip_seconds=1.0,
        width=64,
        depth=2,
        heads=2,
        cross_heads=1,
        feed_forward=64,
        num_steps=3,
    )


@pytest.fixture(scope="session")
def networks(config) -> Networks:
    """Seeded networks with an output layer that is not zero: conditions reach the velocity."""
    torch.manual_seed(0)
    made = Networks(config)
    torch.nn.init.normal_(made.flow.proj_out.weight, std=0.05)
    return made.eval()


def write_clip(path: Path, *, frames: int = FRAMES, fps: int = 25, size: int = 64) -> Path:
    """A gray square that moves to the right, H.264."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            picture = np.zeros((size, size, 3), np.uint8)
            picture[20:40, index % (size - 20) : index % (size - 20) + 20] = 200
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def make_clip():
    """The function that writes a video file."""
    return write_clip


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(scope="session")
def checkpoint(networks, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    save_checkpoint(networks, path)
    return path


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """Two benchmark folders of three one-second clips, one of sounds and one of aligned speech."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for task in ("sound", "speech"):
        folder = root / f"demo-{task}"
        rows = []
        for index in range(3):
            name = f"{task}-{index}"
            write_clip(folder / "video" / f"{name}.mp4")
            wave = 0.1 * rng.standard_normal((1, 16000)).astype(np.float32)
            write_audio(folder / "audio" / f"{name}.flac", Audio(wave, 16000))
            row = {"id": name, "duration": 1.0, "video": f"video/{name}.mp4"}
            row["audio"] = f"audio/{name}.flac"
            if task == "sound":
                row |= {"label": "noise", "onsets": [0.5]}
            else:
                row |= {"transcript": "bin", "speaker": "a", "face_box": [8, 8, 56, 56]}
            rows.append(row)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "manifest.jsonl").write_text(lines)
    phones = [["pau", 0.0, 0.4], ["b", 0.4, 0.5], ["ih", 0.5, 0.6], ["n", 0.6, 0.7]]
    lines = [json.dumps({"id": f"speech-{i}", "phones": phones}) + "\n" for i in range(3)]
    (root / "demo-speech" / "alignments.jsonl").write_text("".join(lines))
    return root


@pytest.fixture(scope="module")
def ends(data, tmp_path_factory) -> FullFrontEnds:
    """The real classes with random weights, and given features for the clips of ``data``."""
    root = tmp_path_factory.mktemp("given")
    rng = np.random.default_rng(0)
    for clip in read_clips(data):
        for kind, shape in (("sync", (30, 8, 768)), ("lips", (25, 1024)), ("speaker", (256,))):
            path = root / kind / f"{clip.id}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, rng.standard_normal(shape).astype(np.float32))
    dictionary = {"bin": ("B", "IH1", "N")}
    folders = (root / kind for kind in ("sync", "lips", "speaker"))
    return FullFrontEnds(*codec_and_vision(), *folders, dictionary)


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, bool]]:
    """Device type and switch of every bfloat16 context; products stay float32 on both devices."""
    seen: list[tuple[str, bool]] = []

    def autocast(kind, *, dtype, enabled=True):
        assert dtype == torch.bfloat16
        seen.append((kind, enabled))
        return nullcontext()

    monkeypatch.setattr(torch, "autocast", autocast)
    return seen


@pytest.fixture
def elsewhere(asked):
    """A second device for the length of a test."""
    with second_device():
        yield
