"""What the arms of the ablations make of the embedded test clips, and the joint test clips."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsseval.audio import mono_at, read_audio, write_audio
from vsseval.files import write_torch
from vsseval.types import Audio
from vsseval.video import read_video
from vsseval.weights import load_torch
from vssflow.ablate_train import FRONT_ENDS, Plan
from vssflow.ablations import ARMS, METRICS, Task, guidances
from vssflow.checkpoint import load_checkpoint, shipped_checkpoint
from vssflow.config import Config
from vssflow.dit import Features
from vssflow.frames import clip_frames
from vssflow.joint import Source, draw_overlay, mix
from vssflow.network import Networks, clip_features
from vssflow.sampler import sample, seeded_noise
from vssflow.system import fitted, reference_voice, words_of_transcript
from vssflow.train_flow import stacked

BATCH = 16
"""Clips that are sampled at once."""
SILENCE_DB = -40.0
"""Speech ends where its level falls under this, relative to its peak."""


class Target(NamedTuple):
    """A clip to make."""

    id: str
    """In its benchmark."""
    features: Features
    """A batch of one."""
    wave: Tensor
    """Reference audio (1, samples), float32."""
    transcript: str | None
    """What is said."""


def benchmark_folder(task: Task, plan: Plan) -> Path:
    """Where the clips of a task lie: embedded in the package, joint ones in the working folder."""
    if task == "joint":
        return plan.out / "demo-joint"
    return Path(str(files("vsseval"))) / "benchmarks" / "media" / f"demo-{task}"


def read_test_clips(task: Task, plan: Plan, networks: Networks) -> list[Target]:
    """Features and references of the embedded test clips of a task, sound or speech."""
    folder = benchmark_folder(task, plan)
    return [_read_clip(line, folder, networks) for line in _manifest(folder)[: plan.test_limit]]


def _manifest(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "manifest.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _read_clip(line: dict[str, Any], folder: Path, networks: Networks) -> Target:
    config = networks.config
    said, voice = line.get("transcript"), line.get("speaker_audio")
    face = tuple(line["face_box"]) if "face_box" in line else None
    video = read_video(folder / line["video"])
    with torch.inference_mode():
        features = clip_features(
            networks,
            clip_frames(video, face, config.clip_frames, config),
            words_of_transcript(said) if said else None,
            reference_voice(folder / voice, config) if voice else None,
        )
    audio = read_audio(folder / line["audio"])
    wave = mono_at(audio, config.sample_rate, config.clip_seconds)
    return Target(line["id"], features, torch.from_numpy(wave)[None], said)


def spoken_frames(wave: NDArray[np.float32], config: Config) -> int:
    """Latent frames up to the end of speech in a clip, float32 (n,), whose rest is quiet."""
    loud = np.flatnonzero(np.abs(wave) > np.abs(wave).max() * 10 ** (SILENCE_DB / 20))
    return int(loud[-1]) // config.samples_per_frame + 1


def write_joint_benchmark(
    sounds: Sequence[Target], speeches: Sequence[Target], folder: Path, config: Config
) -> list[Target]:
    """Lay each speech clip over the sound clip of the same number, as in training.

    Writes a benchmark of task ``joint`` without videos: references, what is said, and when.
    Place and mode are drawn from the ids, so a second call gives the same.

    Args:
        sounds: sound clips.
        speeches: as many speech clips.
        folder: of the benchmark.
        config: rates.
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    clips, lines = [], []
    for sound, speech in zip(sounds, speeches, strict=True):
        name = f"joint-{sound.id}-{speech.id}"
        overlay_of = torch.Generator().manual_seed(item_seed(0, name))
        under = Source(sound.wave, sound.features, config.clip_frames)
        frames = spoken_frames(speech.wave[0].numpy(), config)
        over = Source(speech.wave, speech.features, frames)
        overlay = draw_overlay(under, over, overlay_of)
        both = mix(under, over, overlay, config)
        audio = fitted(both.wave.numpy(), config.clip_seconds, config)
        write_audio(folder / "audio" / f"{name}.wav", audio)
        start, stop = overlay.start, min(config.clip_frames, overlay.start + frames)
        line = {
            "id": name,
            "duration": config.clip_seconds,
            "audio": f"audio/{name}.wav",
            "transcript": speech.transcript,
            "speech_spans": [[start / config.frame_rate, stop / config.frame_rate]],
            "slices": [overlay.mode],
        }
        lines.append(json.dumps(line))
        clips.append(Target(name, both.features, both.wave, speech.transcript))
    head = {
        "name": "demo-joint",
        "version": "1",
        "task": "joint",
        "clip_seconds": config.clip_seconds,
        "sample_rate": config.sample_rate,
        "metrics": list(METRICS["joint"]),
    }
    (folder / "benchmark.json").write_text(json.dumps(head, indent=1) + "\n", encoding="utf-8")
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return clips


def store_test_clips(plan: Plan) -> None:
    """Features of all test clips, and the joint benchmark, where every arm finds them."""
    path = test_clips_path(plan)
    if path.is_file():
        return
    networks = load_checkpoint(shipped_checkpoint(FRONT_ENDS))
    sounds = read_test_clips("sound", plan, networks)
    speeches = read_test_clips("speech", plan, networks)
    joint = write_joint_benchmark(
        sounds, speeches, benchmark_folder("joint", plan), networks.config
    )
    groups = {"sound": sounds, "speech": speeches, "joint": joint}
    stored = {task: [(clip.id, *clip.features) for clip in clips] for task, clips in groups.items()}
    write_torch(path, stored)


def test_clips_path(plan: Plan) -> Path:
    """File of the features of the test clips."""
    return plan.out / "test-clips.pt"


def item_seed(seed: int, name: str) -> int:
    """Seed of the noise of one clip under one seed of an arm."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def audio_folder(plan: Plan, arm: str, task: Task, guidance: float) -> Path:
    """Where the clips of an arm lie; seed k is take k."""
    return plan.out / plan.preset / "audio" / task / model_name(plan.preset, arm, guidance)


def model_name(preset: str, arm: str, guidance: float) -> str:
    """Name of an arm's clips, as of a model in records."""
    return f"{preset}-{arm}-w{guidance:g}"


def audio_path(folder: Path, name: str, seed: int) -> Path:
    """File of one clip under one seed."""
    return folder / (f"{name}.take{seed}.wav" if seed else f"{name}.wav")


def generate(arm: str, seed: int, plan: Plan, names: tuple[str, ...]) -> None:
    """Make every test clip that some ablations need of an arm; finished files are left."""
    torch.set_num_threads(1)
    networks = load_checkpoint(plan.checkpoint(arm, seed)).to(plan.device)
    stored = cast("dict[str, list[Any]]", load_torch(test_clips_path(plan)))
    for task in ARMS[arm].tasks:
        for guidance in guidances(arm, task, names):
            folder = audio_folder(plan, arm, task, guidance)
            folder.mkdir(parents=True, exist_ok=True)
            todo = [c for c in stored[task] if not audio_path(folder, c[0], seed).is_file()]
            for first in range(0, len(todo), BATCH):
                part = todo[first : first + BATCH]
                ids = [clip[0] for clip in part]
                features = stacked([Features(*clip[1:]) for clip in part]).to(networks.device)
                for name, audio in zip(
                    ids, make(networks, ids, features, seed, guidance), strict=True
                ):
                    write_audio(audio_path(folder, name, seed), audio)


def make(
    networks: Networks, ids: Sequence[str], features: Features, seed: int, guidance: float
) -> list[Audio]:
    """Audio of a batch of clips, each from its own noise.

    Args:
        networks: of the arm.
        ids: names of the clips (B), which seed their noise.
        features: theirs, batched, on the networks' device.
        seed: seed of the whole.
        guidance: w of v_u + w (v_c - v_u); 1 is plain conditional.
    """
    config = networks.config
    noise = [
        seeded_noise(
            config.clip_frames, config.latent_channels, item_seed(seed, name), networks.device
        )
        for name in ids
    ]
    with torch.inference_mode():
        drawn = sample(
            networks.flow,
            networks.flow.conditions(features),
            torch.cat(noise),
            num_steps=config.num_steps,
            guidance_scale=guidance,
        )
        waves = networks.codec.decode(drawn.latent).cpu().numpy()
    return [fitted(wave[None], config.clip_seconds, config) for wave in waves]
