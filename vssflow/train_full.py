"""Stages of a full-size preset, on the shards that ``vssflow preprocess`` wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vsseval.errors import InputError
from vsseval.files import write_torch
from vssflow.audioldm2 import latent_sampler, load_vae
from vssflow.checkpoint import is_checkpoint, load_checkpoint, require_config
from vssflow.duration_predictor import DurationPredictor, upstream_state
from vssflow.full_durations import TIMINGS
from vssflow.network import Networks
from vssflow.run import Run, export, fitted, train_network
from vssflow.shards import open_shards
from vssflow.train_durations import DurationMaterial, durations_job
from vssflow.train_flow import (
    FlowMaterial,
    JointMaterial,
    Rows,
    companions_of,
    flow_job,
)
from vssflow.training import Budget
from vssflow.upstream import start_from_stable_audio


def train_full_flow(run: Run, networks: Networks, budget: Budget) -> Path:
    """Train a full-size transformer on the shards; returns its checkpoint.

    Raises:
        InputError: shards, AudioLDM2 or the start are absent or do not fit the preset.
        TrainingError: a loss is not finite.
    """
    kept, arrays = open_shards(run.features, [clip.id for clip in run.clips])
    by_id = {clip.id: clip for clip in run.clips}
    if run.config.phoneme_positions and "spans" not in arrays:
        raise InputError(f"{run.features} holds no durations; preprocess for {run.config.preset}")
    rows: dict[str, Rows] = {**arrays}
    for name in ("wave", "frames", "timing"):
        rows.pop(name, None)
    if "lips" not in run.config.streams:  # v1 keeps them for its duration predictor
        rows["lips"] = np.zeros((len(kept), run.config.clip_frames, 0), np.float32)
    material = FlowMaterial(companions=companions_of([by_id[name] for name in kept]), **rows)
    joint = None
    if run.flow.joint_share:
        if run.audioldm2 is None:
            raise InputError("joint clips of a full-size preset need --audioldm2")
        vae = load_vae(run.audioldm2 / "vae").to(run.device)
        joint = JointMaterial(arrays["wave"], arrays["frames"], latent_sampler(vae))
    if run.start is not None and is_checkpoint(run.start):
        require_config(run.start, run.config)
        networks = load_checkpoint(run.start).to(run.device).train()
        run.report(f"began from {run.start}")
    elif run.start is not None:
        fresh = start_from_stable_audio(networks.flow, run.start)
        run.report(f"began from {run.start}; fresh: {', '.join(fresh)}")
    job = flow_job(networks.flow, material, replace(run.flow, seed=run.seed), joint=joint, ids=kept)
    train_network(run, networks, job, budget)
    return export(run, networks)


def train_durations(run: Run, budget: Budget) -> Path:
    """Train v1's duration predictor on the aligned clips of the shards; returns its file.

    Raises:
        InputError: the preset has no durations, or there are no shards.
        TrainingError: a loss is not finite.
    """
    if not run.config.phoneme_positions:
        raise InputError(f"preset {run.config.preset} has no durations to predict")
    kept, arrays = open_shards(run.features, [clip.id for clip in run.clips])
    timing = np.asarray(arrays["timing"][range(len(kept))])
    material = DurationMaterial(
        **{name: arrays[name] for name in ("lips", "phonemes", "spans", "frames")},
        aligned=np.flatnonzero(timing == TIMINGS.index("aligned")).tolist(),
    )
    network = DurationPredictor().to(run.device)
    job = durations_job(network, material, replace(run.flow, seed=run.seed), kept)
    weights = fitted(run, job, budget)
    path = run.out / "durations.ckpt"
    if run.processes.first:
        network.load_state_dict(weights)
        write_torch(path, {"state_dict": upstream_state(network)})
    return path
