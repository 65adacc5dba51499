"""Training of the arms of the ablations on one folder of shared features."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from vsseval.files import write_torch
from vsseval.weights import require
from vssflow.ablations import ARMS
from vssflow.checkpoint import load_checkpoint, shipped_checkpoint
from vssflow.config import preset
from vssflow.features import read_clips
from vssflow.phonemes import read_dictionary
from vssflow.run import Run
from vssflow.run_features import compute_features, decode
from vssflow.train import train
from vssflow.train_flow import FlowTraining
from vssflow.training import Budget

FRONT_ENDS = "tiny"
"""Preset whose shipped codec and front ends all arms share."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all arms have in common."""

    out: Path
    """Working folder: features, states, checkpoints, audio, records."""
    data: Path
    """Train split: benchmark folder, or folder of such folders."""
    preset: str
    """``small``, ``medium`` or ``tiny``: the width of the transformer."""
    steps: int
    """Updates of each arm."""
    batch: int
    """Clips in a batch of the final arm."""
    limit: int | None
    """At most so many training clips of each benchmark folder."""
    test_limit: int | None = None
    """At most so many test clips of each task."""
    device: str = "cpu"
    """Of training and sampling."""

    @property
    def shared(self) -> Path:
        """Folder of codec, front ends and features."""
        return self.out / "shared"

    def arm(self, name: str, seed: int) -> Path:
        """Folder of one training."""
        return self.out / self.preset / name / f"seed{seed}"

    def checkpoint(self, name: str, seed: int) -> Path:
        """What one training leaves."""
        return self.arm(name, seed) / f"{self.preset_of(name)}.safetensors"

    def preset_of(self, arm: str) -> str:
        """Name of an arm's configuration."""
        layout = ARMS[arm].layout
        return f"{self.preset}-{layout}" if layout else self.preset


def share_features(plan: Plan, report: Callable[[str], None], workers: int) -> None:
    """Put the shipped codec and front ends, and the features they give, where all arms find them.

    An interrupted call continues.

    Raises:
        InputError: no training data, or the folder holds the features of other clips.
    """
    networks = load_checkpoint(shipped_checkpoint(FRONT_ENDS))
    plan.shared.mkdir(parents=True, exist_ok=True)
    config = plan.shared / "config.json"
    config.write_text(json.dumps(asdict(networks.config), indent=1) + "\n")
    for name in ("codec", "sync", "lips", "semantic"):
        weights = networks.get_submodule(name).state_dict()
        write_torch(plan.shared / f"{name}.weights.pt", weights)
    clips = read_clips(plan.data, plan.limit)
    dictionary = read_dictionary(require("cmudict") / "cmudict.dict")
    run = Run(
        networks.config, clips, plan.shared, 0, workers, dictionary, report, device=plan.device
    )
    decode(run, waves_only=False)
    compute_features(run, networks.to(plan.device))


def train_arm(name: str, seed: int, plan: Plan) -> None:
    """Train one arm on one thread; an interrupted training continues, a finished one is left."""
    if plan.checkpoint(name, seed).is_file():
        return
    torch.set_num_threads(1)
    arm = ARMS[name]
    folder = plan.arm(name, seed)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("a", buffering=1) as log:
        run = Run(
            preset(plan.preset_of(name)),
            read_clips(plan.data, plan.limit),
            folder,
            seed,
            1,
            {},
            lambda message: print(message, file=log),
            FlowTraining(
                batch=round(arm.batch * plan.batch),
                joint_share=arm.joint,
                speech_share=arm.speech / (arm.speech + arm.sound),
            ),
            reuse=plan.shared,
            device=plan.device,
        )
        train(run, "flow", Budget(steps=plan.steps))
