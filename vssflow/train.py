"""The stages of training: decode media, codec, front ends, features, transformer, checkpoint.

Each stage reads what the one before wrote and continues after an interruption (``run.py`` says what
is where).
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vsseval.errors import InputError
from vsseval.files import write_torch
from vssflow.config import Config
from vssflow.distributed import Share
from vssflow.features import Clip, media_arrays
from vssflow.network import Networks
from vssflow.phonemes import text_to_phonemes
from vssflow.run import Run, Stage, export, fitted, restore, same_config, train_network
from vssflow.run_features import compute_features, decode, feature_arrays, latents_of
from vssflow.run_files import claimed
from vssflow.train_codec import codec_job, decoder_job, set_latent_statistics
from vssflow.train_flow import (
    FlowMaterial,
    JointMaterial,
    companions_of,
    flow_job,
    mixture_of,
)
from vssflow.train_frontends import Material, lip_job, semantic_job, sync_job
from vssflow.train_full import train_durations, train_full_flow
from vssflow.training import Budget

BUDGET_SHARES = {
    "codec": 0.12,
    "decoder": 0.15,
    "sync": 0.1,
    "lips": 0.06,
    "semantic": 0.02,
    "flow": 0.55,
}
"""Share of a budget in minutes that each network gets in stage ``all``."""


def train(run: Run, stage: Stage, budget: Budget) -> Path | None:
    """Run one stage, or all of them; returns the checkpoint if the transformer was trained.

    Raises:
        InputError: an earlier stage is missing.
        TrainingError: a loss is not finite.
    """
    if run.processes.count > 1 and stage not in ("flow", "durations"):
        raise InputError(
            "only --stage flow and durations run in several processes; do the others first"
        )
    with claimed(run.out) if run.processes.first else nullcontext():
        return _train(run, stage, budget)


def _train(run: Run, stage: Stage, budget: Budget) -> Path | None:
    if run.config.trained_front_ends and run.reuse is None:
        _check_clips(run, stage)
    same_config(run, stage)
    torch.manual_seed(run.seed)
    if stage == "durations":
        return train_durations(run, budget)
    networks = Networks(run.config).to(run.device)
    if not run.config.trained_front_ends:
        if stage not in ("flow", "all"):
            raise InputError(f"preset {run.config.preset} has no {stage} to train; --stage flow")
        return train_full_flow(run, networks, budget)
    if run.start is not None:
        raise InputError(f"--start is for full-size presets, not for {run.config.preset}")
    later = run.out / "decoder.pt"
    if stage == "codec" and later.is_file():
        raise InputError(
            f"{later} goes on from the codec as it was; to train the codec further, delete it first"
        )
    if stage in ("codec", "all"):
        decode(run, waves_only=stage == "codec")
        if later.is_file():
            run.report("codec: done, its decoder was begun")
        else:
            _train_codec(run, networks, _share(budget, "codec", stage))
    if stage in ("decoder", "all"):
        restore(run, networks, "codec")
        _train_decoder(run, networks, _share(budget, "decoder", stage))
    if stage in ("frontends", "all"):
        decode(run, waves_only=False)
        restore(run, networks, "codec")
        _train_front_ends(run, networks, budget, stage)
    if stage in ("flow", "all"):
        spoken = any(clip.transcript is not None for clip in run.clips)
        for name in ("codec", "sync", "semantic", *(["lips"] if spoken else [])):
            restore(run, networks, name)
        if run.processes.first:
            decode(run, waves_only=False)
            compute_features(run, networks)
        run.processes.wait()
        return _train_flow(run, networks, _share(budget, "flow", stage))
    return None


def _check_clips(run: Run, stage: Stage) -> None:
    """Find what a later stage would refuse before an earlier one has trained for hours.

    Raises:
        InputError: a transcript that cannot be read or does not fit into a training clip, or a
            mixture that these clips or processes cannot give.
    """
    slots = run.config.clip_frames * run.config.phonemes_per_frame
    for clip in run.clips:
        if clip.transcript is None or not run.dictionary:
            continue
        try:
            count = sum(map(len, text_to_phonemes(clip.transcript, run.dictionary)))
        except InputError as error:
            raise InputError(f"clip {clip.id}: {error}") from error
        if count > slots:
            raise InputError(
                f"clip {clip.id}: {count} phonemes do not fit into {run.config.clip_seconds:g} s; "
                "shorten the transcript"
            )
    if stage in ("flow", "all"):
        Share(0, run.processes.count * run.accumulate).of(range(run.flow.batch))
        mixture_of(companions_of(run.clips), run.flow)


def _share(budget: Budget, name: str, stage: Stage) -> Budget:
    if budget.minutes is None or name == stage:
        return budget
    total = 1.0
    if stage == "frontends":
        total = sum(BUDGET_SHARES[part] for part in ("sync", "lips", "semantic"))
    return Budget(minutes=budget.minutes * BUDGET_SHARES[name] / total)


def _train_codec(run: Run, networks: Networks, budget: Budget) -> None:
    wave = media_arrays(len(run.clips), run.features, run.config)["wave"]
    train_network(run, networks, codec_job(networks.codec, np.asarray(wave, np.int16)), budget)
    set_latent_statistics(networks.codec, np.asarray(wave, np.int16))
    write_torch(run.out / "codec.weights.pt", networks.codec.state_dict())


def _train_decoder(run: Run, networks: Networks, budget: Budget) -> None:
    wave = media_arrays(len(run.clips), run.features, run.config)["wave"]
    job = decoder_job(networks.codec, np.asarray(wave, np.int16))
    weights = fitted(run, job, budget)
    networks.codec.load_state_dict(weights)
    write_torch(run.out / "codec.weights.pt", weights)


def _train_front_ends(run: Run, networks: Networks, budget: Budget, stage: Stage) -> None:
    arrays = media_arrays(len(run.clips), run.features, run.config)
    material = Material(
        run.clips, arrays["scene"], arrays["mouth"], arrays["colour"], latents_of(run, networks)
    )
    jobs = [
        sync_job(networks.sync, material, run.config),
        semantic_job(networks.semantic, material, run.config),
    ]
    if any(clip.phones for clip in run.clips):
        jobs.insert(0, lip_job(networks.lips, material, run.config))
    for job in jobs:
        train_network(run, networks, job, _share(budget, job.name, stage))


def _train_flow(run: Run, networks: Networks, budget: Budget) -> Path:
    arrays = feature_arrays(len(run.clips), run.features, run.config)
    # Memory maps are read into memory: random rows of a file are slow, and the arrays are small.
    loaded = {
        name: np.array(arrays[name]) for name in ("lips", "phonemes", "sync", "semantic", "speaker")
    }
    material = FlowMaterial(
        latent=latents_of(run, networks), companions=companions_of(run.clips), **loaded
    )
    job = flow_job(
        networks.flow,
        material,
        replace(run.flow, seed=run.seed),
        joint=_joint_material(run, networks) if run.flow.joint_share else None,
        ids=[clip.id for clip in run.clips],
    )
    train_network(run, networks, job, budget)
    return export(run, networks)


def _joint_material(run: Run, networks: Networks) -> JointMaterial:
    config = run.config
    wave = media_arrays(len(run.clips), run.features, config)["wave"]
    frames = [
        min(config.clip_frames, round(spoken_seconds(clip, config) * config.frame_rate))
        for clip in run.clips
    ]
    codec = networks.codec.eval()

    def encode(samples: Tensor, _: torch.Generator) -> Tensor:
        return codec.encode(samples.to(networks.device)).cpu()

    return JointMaterial(np.asarray(wave), frames, encode)


def spoken_seconds(clip: Clip, config: Config) -> float:
    """End of the last phone where an alignment is given, else the whole training clip [s]."""
    ends = [end for phone, _, end in clip.phones if phone != "pau"]
    return min(config.clip_seconds, max(ends)) if ends else config.clip_seconds
