"""``vssflow train`` as it is typed: all stages at full width, on a few clips of the train split."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vsseval.audio import read_audio
from vsseval.benchmarks.demo import generate_demo
from vssflow.checkpoint import load_checkpoint
from vssflow.cli import commands

STEPS = 200
FALL = {
    "codec": 0.35,
    "decoder": 0.95,
    "sync": 0.5,
    "lips": 0.7,
    "semantic": 0.1,
    "flow": 0.7,
}
"""Mean loss of the last 40 updates over that of the first 20 is below this."""

SMALL_BATCHES = {
    "vssflow.train_codec.BATCH": 8,
    "vssflow.train_frontends.SYNC_BATCH": 4,
    "vssflow.train_frontends.LIP_BATCH": 8,
    "vssflow.train_frontends.SEMANTIC_BATCH": 32,
}
"""Clips or cuts in an update, a sixth to a half of those of real training: time is theirs."""


@pytest.fixture(scope="module")
def train_split(tmp_path_factory) -> Path:
    """Six clips of each benchmark; without flite, which speaks, the sounds alone."""
    folder = tmp_path_factory.mktemp("train-split")
    tasks = ("sound", "speech") if shutil.which("flite") else ("sound",)
    generate_demo("train", folder, tasks=tasks, count=6)
    return folder


def losses(curve: Path) -> list[float]:
    """The loss of each row, a mean over 20 updates."""
    return [float(row["loss"]) for row in csv.DictReader(curve.read_text().splitlines())]


@pytest.mark.slow
@pytest.mark.weights
def test_two_hundred_updates_lower_every_loss(train_split, tmp_path, monkeypatch):
    for batch, clips in SMALL_BATCHES.items():
        monkeypatch.setattr(batch, clips)
    run = tmp_path / "run"
    words = ["train", "--preset", "tiny", "--data", train_split, "--out", run, "--steps", STEPS]
    words += ["--batch", 4, "--workers", 1, "--threads", 1]
    done = CliRunner().invoke(commands, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0
    spoken = (train_split / "demo-speech").is_dir()
    for name in FALL.keys() - (set() if spoken else {"lips"}):
        curve = losses(run / f"{name}.csv")
        assert len(curve) == STEPS // 20
        assert np.mean(curve[-2:]) < FALL[name] * curve[0], (name, curve)
    _sounds(run / "tiny.safetensors", train_split, tmp_path / "out.wav")


def _sounds(checkpoint: Path, data: Path, out: Path) -> None:
    """The checkpoint holds all networks and makes four seconds that are not silent."""
    assert load_checkpoint(checkpoint).config.preset == "tiny"
    video = data / "demo-sound" / "video" / "sound-train-0000.mp4"
    words = ["sample", "--video", video, "--checkpoint", checkpoint, "--out", out]
    done = CliRunner().invoke(commands, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0
    samples = read_audio(out).samples
    assert samples.shape == (1, 64_000)
    assert 1e-4 < np.abs(samples).max() <= 1
