"""The stages of training: decode media, codec, front ends, features, transformer, checkpoint.

Each stage reads what the one before wrote and continues after an interruption. Folder layout:
``OUT/features`` the arrays, ``OUT/<network>.pt`` states, ``OUT/<network>.csv`` curves,
``OUT/<network>.weights.pt`` finished weights, ``OUT/<preset>.safetensors`` the checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vsseval.errors import InputError
from vsseval.files import write_atomic, write_torch
from vssflow.audioldm2 import latent_sampler, load_vae
from vssflow.checkpoint import is_checkpoint, load_checkpoint, require_config, save_checkpoint
from vssflow.config import Config
from vssflow.distributed import Processes
from vssflow.duration_predictor import DurationPredictor, upstream_state
from vssflow.features import Array, Clip, decode_media, media_arrays, open_array, renew, store_clips
from vssflow.frames import ClipFrames
from vssflow.full_durations import TIMINGS
from vssflow.network import Networks, clip_features
from vssflow.phonemes import Pronunciations, text_to_phonemes
from vssflow.run_files import claimed, read_tensors
from vssflow.shards import open_shards
from vssflow.speaker import speaker_vector
from vssflow.train_codec import codec_job, decoder_job, encode_clip, set_latent_statistics
from vssflow.train_durations import DurationMaterial, durations_job
from vssflow.train_flow import (
    FlowMaterial,
    FlowTraining,
    JointMaterial,
    Rows,
    companions_of,
    flow_job,
)
from vssflow.train_frontends import Material, lip_job, semantic_job, sync_job
from vssflow.training import Budget, Job, fit
from vssflow.upstream import start_from_stable_audio

Stage = Literal["codec", "decoder", "frontends", "durations", "flow", "all"]

BUDGET_SHARES = {
    "codec": 0.12,
    "decoder": 0.15,
    "sync": 0.1,
    "lips": 0.06,
    "semantic": 0.02,
    "flow": 0.55,
}
"""Share of a budget in minutes that each network gets in stage ``all``."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run."""

    config: Config
    """Shapes."""
    clips: list[Clip]
    """The train split."""
    out: Path
    """Folder of everything that is written."""
    seed: int
    """Of weights, batches and noise."""
    workers: int
    """Processes that decode media."""
    dictionary: Pronunciations
    """Pronunciations; empty if no clip has a transcript."""
    report: Callable[[str], None]
    """Is told about progress."""
    flow: FlowTraining = field(default_factory=FlowTraining)
    """Batch, mixture and precision of the transformer."""
    accumulate: int = 1
    """Parts of a batch that go through the transformer one after the other."""
    processes: Processes = field(default_factory=Processes)
    """Those that train the transformer together."""
    reuse: Path | None = None
    """Another run whose codec, front ends and features are used; its transformer is not."""
    start: Path | None = None
    """What a full-size model begins from: Stable Audio Open's transformer, or a checkpoint of the
    same preset, as the authors' joint stages do."""
    audioldm2: Path | None = None
    """AudioLDM2, whose autoencoder hears the joint clips of a full-size model."""
    device: str = "cpu"
    """Where the networks are, ``cpu`` or ``cuda``."""

    @property
    def features(self) -> Path:
        """Folder of the arrays."""
        return (self.reuse or self.out) / "features"


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
    _same_config(run, stage)
    torch.manual_seed(run.seed)
    if stage == "durations":
        return _train_durations(run, budget)
    networks = Networks(run.config).to(run.device)
    if not run.config.trained_front_ends:
        if stage not in ("flow", "all"):
            raise InputError(f"preset {run.config.preset} has no {stage} to train; --stage flow")
        return _train_full_flow(run, networks, budget)
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
        _restore(run, networks, "codec")
        _train_decoder(run, networks, _share(budget, "decoder", stage))
    if stage in ("frontends", "all"):
        decode(run, waves_only=False)
        _restore(run, networks, "codec")
        _train_front_ends(run, networks, budget, stage)
    if stage in ("flow", "all"):
        spoken = any(clip.transcript is not None for clip in run.clips)
        for name in ("codec", "sync", "semantic", *(["lips"] if spoken else [])):
            _restore(run, networks, name)
        if run.processes.first:
            decode(run, waves_only=False)
            compute_features(run, networks)
        run.processes.wait()
        return _train_flow(run, networks, _share(budget, "flow", stage))
    return None


TRANSFORMER_FIELDS = frozenset(
    {
        "preset", "concatenated", "crossed", "lip_channels", "sync_channels", "semantic_channels",
        "projection_factor", "width", "depth", "heads", "cross_heads", "feed_forward",
        "time_frequencies", "rotary_width", "num_steps", "guidance_scale",
        "speech_guidance_scale",
    }
)  # fmt: skip
"""Fields that codec, front ends and features do not depend on."""


def _same_config(run: Run, stage: Stage) -> None:
    """Note the configuration of a run, or check that it is the noted one.

    Raises:
        InputError: the folder, or the run that is reused, belongs to another configuration; the
            fields are named.
    """
    now = json.loads(json.dumps(asdict(run.config)))
    if run.reuse is not None:
        if stage != "flow":
            raise InputError("--reuse is for --stage flow: the other stages make what it reads")
        if not (run.reuse / "config.json").is_file():
            raise InputError(f"no config.json in {run.reuse}; --reuse takes the --out of a run")
        _compare(run.reuse, now, ignored=TRANSFORMER_FIELDS)
    path = run.out / "config.json"
    if path.is_file():
        _compare(run.out, now, ignored=frozenset())
    elif run.processes.first:
        run.out.mkdir(parents=True, exist_ok=True)
        write_atomic(path, (json.dumps(now, indent=1) + "\n").encode())


def _compare(folder: Path, now: Mapping[str, object], *, ignored: frozenset[str]) -> None:
    # A field that is younger than the run had its default then.
    before = json.loads(json.dumps(asdict(Config(""))))
    try:
        before |= json.loads((folder / "config.json").read_text())
    except (ValueError, TypeError) as error:
        raise InputError(f"{folder / 'config.json'} is damaged: {error}") from error
    different = [
        f"{name}: {before.get(name)!r}, now {now.get(name)!r}"
        for name in sorted((before.keys() | now.keys()) - ignored)
        if before.get(name) != now.get(name)
    ]
    if different:
        raise InputError(f"{folder} was begun with another configuration; {'; '.join(different)}")


def _share(budget: Budget, name: str, stage: Stage) -> Budget:
    if budget.minutes is None or name == stage:
        return budget
    total = 1.0
    if stage == "frontends":
        total = sum(BUDGET_SHARES[part] for part in ("sync", "lips", "semantic"))
    return Budget(minutes=budget.minutes * BUDGET_SHARES[name] / total)


def decode(run: Run, *, waves_only: bool) -> None:
    """Decode the media of every clip that is not done yet into the run's arrays."""
    store_clips(run.clips, run.features)
    done = 0
    for count in decode_media(
        run.clips, run.features, run.config, workers=run.workers, waves_only=waves_only
    ):
        done += count
        if done % 500 < count:
            run.report(f"decoded {done} clips")


def _network(networks: Networks, name: str) -> nn.Module:
    return networks.get_submodule(name)


def _restore(run: Run, networks: Networks, name: str) -> None:
    path = (run.reuse or run.out) / f"{name}.weights.pt"
    if not path.is_file():
        raise InputError(f"no trained {name} at {path}; run the earlier --stage first")
    _network(networks, name).load_state_dict(read_tensors(path))


def _fit(run: Run, networks: Networks, job: Job, budget: Budget) -> None:
    shared = job.batch is not None
    weights = fit(
        job,
        budget,
        run.out,
        seed=run.seed,
        report=run.report,
        processes=run.processes if shared else None,
        accumulate=run.accumulate if shared else 1,
    )
    _network(networks, job.name).load_state_dict(weights)
    if run.processes.first:
        write_torch(run.out / f"{job.name}.weights.pt", weights)


def _train_codec(run: Run, networks: Networks, budget: Budget) -> None:
    wave = media_arrays(len(run.clips), run.features, run.config)["wave"]
    _fit(run, networks, codec_job(networks.codec, np.asarray(wave, np.int16)), budget)
    set_latent_statistics(networks.codec, np.asarray(wave, np.int16))
    write_torch(run.out / "codec.weights.pt", networks.codec.state_dict())


def _train_decoder(run: Run, networks: Networks, budget: Budget) -> None:
    wave = media_arrays(len(run.clips), run.features, run.config)["wave"]
    job = decoder_job(networks.codec, np.asarray(wave, np.int16))
    weights = fit(job, budget, run.out, seed=run.seed, report=run.report)
    networks.codec.load_state_dict(weights)
    write_torch(run.out / "codec.weights.pt", weights)


def _latents(run: Run, networks: Networks) -> NDArray[np.float16]:
    config, count = run.config, len(run.clips)
    shape = (count, config.clip_frames, config.latent_channels)
    latent = open_array(run.features, "latent", shape, np.float16)
    done = open_array(run.features, "latent_done", (count,), np.bool_)
    wave = media_arrays(count, run.features, config)["wave"]
    networks.codec.eval()
    weights = networks.codec.state_dict().items()
    makers = {key: value for key, value in weights if key.startswith(("encoder.", "latent_"))}
    if renew(run.features, "latent", done, makers):
        run.report("latents are made anew: the codec is another")
    for row in np.flatnonzero(~done):
        latent[row] = encode_clip(networks.codec, wave[row]).numpy()
        done[row] = True
    return np.asarray(latent)


def _train_front_ends(run: Run, networks: Networks, budget: Budget, stage: Stage) -> None:
    arrays = media_arrays(len(run.clips), run.features, run.config)
    material = Material(
        run.clips, arrays["scene"], arrays["mouth"], arrays["colour"], _latents(run, networks)
    )
    jobs = [
        sync_job(networks.sync, material, run.config),
        semantic_job(networks.semantic, material, run.config),
    ]
    if any(clip.phones for clip in run.clips):
        jobs.insert(0, lip_job(networks.lips, material, run.config))
    for job in jobs:
        _fit(run, networks, job, _share(budget, job.name, stage))


def compute_features(run: Run, networks: Networks) -> None:
    """Features of every clip that has none yet, from the frozen codec and front ends."""
    config, count = run.config, len(run.clips)
    media = media_arrays(count, run.features, config)
    arrays = feature_arrays(count, run.features, config)
    _latents(run, networks)
    networks.eval()
    spoken = any(clip.transcript is not None for clip in run.clips)
    makers = {
        f"{name}.{key}": value
        for name in ("sync", "semantic", *(["lips"] if spoken else []))
        for key, value in _network(networks, name).state_dict().items()
    }
    if renew(run.features, "features", arrays["features_done"], makers):
        run.report("features are made anew: the front ends are others")
    for number, row in enumerate(np.flatnonzero(~arrays["features_done"])):
        clip = run.clips[row]
        frames = ClipFrames(media["scene"][row], media["mouth"][row], media["colour"][row])
        words, voice = None, None
        if clip.transcript is not None:
            words = text_to_phonemes(clip.transcript, run.dictionary)
            voice = speaker_vector(media["wave"][row].astype(np.float32) / 32768, config)
        with torch.inference_mode():
            features = clip_features(networks, frames, words, voice)
        for name, value in features._asdict().items():
            if value is not None:
                arrays[name][row] = value[0].cpu().numpy()
        arrays["features_done"][row] = True
        if number % 500 == 499:
            run.report(f"features of {number + 1} clips")


def feature_arrays(num_clips: int, folder: Path, config: Config) -> dict[str, Array]:
    """Feature arrays by field of :class:`vssflow.dit.Features`, and which rows are done."""
    frames = config.clip_frames
    tokens = -(-frames // config.semantic_stride)
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "lips": ((num_clips, frames, config.lip_features), np.float16),
        "phonemes": ((num_clips, frames * config.phonemes_per_frame), np.int16),
        "sync": ((num_clips, frames, config.sync_features), np.float16),
        "semantic": ((num_clips, tokens, config.semantic_features), np.float16),
        "speaker": ((num_clips, config.speaker_features), np.float32),
        "features_done": ((num_clips,), np.bool_),
    }
    return {name: open_array(folder, name, *spec) for name, spec in shapes.items()}


def _train_flow(run: Run, networks: Networks, budget: Budget) -> Path:
    arrays = feature_arrays(len(run.clips), run.features, run.config)
    # Memory maps are read into memory: random rows of a file are slow, and the arrays are small.
    loaded = {
        name: np.array(arrays[name]) for name in ("lips", "phonemes", "sync", "semantic", "speaker")
    }
    material = FlowMaterial(
        latent=_latents(run, networks), companions=companions_of(run.clips), **loaded
    )
    job = flow_job(
        networks.flow,
        material,
        replace(run.flow, seed=run.seed),
        joint=_joint_material(run, networks) if run.flow.joint_share else None,
        ids=[clip.id for clip in run.clips],
    )
    _fit(run, networks, job, budget)
    return export(run, networks)


def _train_full_flow(run: Run, networks: Networks, budget: Budget) -> Path:
    """Train a full-size transformer on the shards that ``vssflow preprocess`` wrote."""
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
    _fit(run, networks, job, budget)
    return export(run, networks)


def _train_durations(run: Run, budget: Budget) -> Path:
    """Train v1's duration predictor on the aligned clips of the shards."""
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
    weights = fit(
        job,
        budget,
        run.out,
        seed=run.seed,
        report=run.report,
        processes=run.processes,
        accumulate=run.accumulate,
    )
    path = run.out / "durations.ckpt"
    if run.processes.first:
        network.load_state_dict(weights)
        write_torch(path, {"state_dict": upstream_state(network)})
    return path


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


def export(run: Run, networks: Networks) -> Path:
    """Write the checkpoint of the networks as they are."""
    path = run.out / f"{run.config.preset}.safetensors"
    if not run.processes.first:
        return path
    save_checkpoint(networks, path)
    run.report(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return path
