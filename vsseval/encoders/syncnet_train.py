"""Trains the demo SyncNet on the train split of demo-speech, on one CPU thread.

    vsseval data demo --split train --count 1200 --out demo-train
    python -m vsseval.encoders.syncnet_train --data demo-train/demo-speech --out syncnet-demo

A step takes excerpts of 45 frames from 8 clips and embeds their 41 windows of lips and of sound.
Each window of lips has to find its sound, and each window of sound its lips, among all windows of
the step: those of the same clip are the hard negatives. The loss is the cross-entropy over
distances,

    loss = - mean_v log( exp(-d[v, v]) / sum_a exp(-d[v, a]) ), and the same over columns,

where a runs over 24 windows of noise, too. The clip's sound is changed in level and colour, its
silence is made digital, noise is added; pictures are moved by 2 pixels, mirrored, and changed in
contrast. Everything random follows from the number of the step, so a run that is stopped goes on
from its last checkpoint to the same end. The last 100 clips are held out for the curve. In the end
the statistics of the batch norms are taken anew from clean clips.

Writes ``curve.csv``, ``checkpoint.pt`` and ``syncnet-demo.safetensors`` (float16) to the folder.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vsseval.audio import read_audio
from vsseval.encoders.mfcc import mfcc, to_int16
from vsseval.encoders.syncnet_audio import COLUMNS, FRAME, STEP, sound_windows
from vsseval.encoders.syncnet_demo import demo_size, mouth_crops
from vsseval.encoders.syncnet_network import FRAMES, Network
from vsseval.files import write_safetensors, write_torch
from vsseval.metrics.lip_sync import lip_sync_error
from vsseval.types import mono
from vsseval.video import read_video
from vsseval.weights import load_torch

BATCH = 8
EXCERPT = 45
"""Frames of an excerpt."""
WINDOWS = EXCERPT - FRAMES + 1
NOISE = 24
"""Windows of noise in a step."""
HELD_OUT = 100
LEARNING_RATE = 2e-3
CLEAN_BATCHES = 40
"""Batches from which the statistics of the batch norms are taken in the end."""
_SAMPLES = ((WINDOWS - 1) * STEP + COLUMNS - 1) * 160 + 400
"""Samples under the windows of an excerpt."""
_EVERY = 100
"""Steps from one line of the curve, and one checkpoint, to the next."""


@dataclass(frozen=True, slots=True)
class Clips:
    """Pictures of mouths and waves of all clips."""

    crops: NDArray[np.uint8]
    """(clips, frames, 64, 64)."""
    waves: NDArray[np.float32]
    """(clips, samples), 16 kHz."""


def read_clips(data: Path, count: int, cache: Path) -> Clips:
    """The first ``count`` clips of a benchmark folder; kept in ``cache`` for the next call."""
    if cache.is_file():
        with np.load(cache) as stored:
            if len(stored["crops"]) == count:
                return Clips(stored["crops"], stored["waves"])
    lines = (data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    crops, waves = [], []
    for row in map(json.loads, lines):
        crops.append(mouth_crops(read_video(data / row["video"]).frames, tuple(row["face_box"])))
        waves.append(mono(read_audio(data / row["audio"])))
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, crops=np.stack(crops), waves=np.stack(waves))
    return Clips(np.stack(crops), np.stack(waves))


def changed_sound(wave: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Another level, colour, floor of noise, or digital silence in the pauses."""
    tilt = rng.uniform(-0.5, 0.5)
    changed = np.convolve(wave, [1.0, tilt])[: wave.size] * 10 ** (rng.uniform(-14, 4) / 20)
    floor = rng.random()
    if floor < 0.35:
        level = np.sqrt(np.convolve(changed**2, np.full(480, 1 / 480), mode="same"))
        changed = np.where(level < 10 ** (-50 / 20), 0.0, changed)
    elif floor < 0.6:
        changed = changed + rng.standard_normal(wave.size) * 10 ** (rng.uniform(-75, -45) / 20)
    return np.clip(changed, -1, 1).astype(np.float32)


def changed_pictures(crops: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Moved, mirrored and with another contrast, the same over all frames."""
    moved = np.roll(crops, tuple(rng.integers(-2, 3, 2)), axis=(1, 2)).astype(np.float32)
    if rng.random() < 0.5:
        moved = moved[:, :, ::-1]
    return np.clip((moved - 128) * rng.uniform(0.75, 1.25) + 128 + rng.uniform(-25, 25), 0, 255)


def noise_windows(rng: np.random.Generator) -> NDArray[np.float32]:
    """Cepstra (24, 13, 20) of white and low-passed noise at -60 to -10 dBFS."""
    windows = []
    for index in range(NOISE):
        noise = rng.standard_normal((COLUMNS - 1) * 160 + 400)
        if index % 2:
            noise = np.convolve(noise, np.full(8, 8**-0.5), mode="same")
        scaled = (noise * 10 ** (rng.uniform(-60, -10) / 20)).astype(np.float32)
        windows.append(mfcc(to_int16(scaled)).T)
    return np.stack(windows).astype(np.float32)


def batch(clips: Clips, step: int, *, clean: bool = False) -> tuple[Tensor, Tensor]:
    """Pictures (8, 1, 45, 64, 64) and cepstra (8 * 41 [+ 24 of noise], 13, 20) of a step."""
    rng = np.random.default_rng([step, int(clean)])
    pictures, sounds = [], []
    for clip in rng.choice(len(clips.crops) - HELD_OUT, BATCH, replace=False):
        first = rng.integers((clips.waves.shape[1] - _SAMPLES) // FRAME + 1)
        crops = clips.crops[clip, first : first + EXCERPT]
        wave = clips.waves[clip, first * FRAME :][:_SAMPLES]
        pictures.append(crops.astype(np.float32) if clean else changed_pictures(crops, rng))
        columns = mfcc(to_int16(wave if clean else changed_sound(wave, rng))).T
        windows = np.lib.stride_tricks.sliding_window_view(columns, COLUMNS, axis=1)[:, ::STEP]
        sounds.append(windows.transpose(1, 0, 2).astype(np.float32))
    if not clean:
        sounds.append(noise_windows(rng))
    stacked = torch.from_numpy(np.stack(pictures))[:, None]
    return stacked, torch.from_numpy(np.concatenate(sounds))


def loss_of(network: Network, pictures: Tensor, sounds: Tensor) -> Tensor:
    """Cross-entropy of each window of lips over sounds, and of each sound over lips, averaged."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lips, sound = network.lips(pictures), network.sound(sounds)
    lips, sound = lips.float().flatten(0, 1), sound.float()
    squared = lips.square().sum(1)[:, None] + sound.square().sum(1) - 2 * lips @ sound.T
    nearness = -(squared.clamp_min(0) + 1e-4).sqrt()  # (windows, windows + noise)
    own = torch.arange(len(lips))
    return (
        nn.functional.cross_entropy(nearness, own)
        + nn.functional.cross_entropy(nearness[:, : len(lips)].T, own)
    ) / 2


def take_statistics(network: Network, clips: Clips) -> None:
    """Statistics of the batch norms as plain means over clean batches."""
    norms = [
        m
        for m in network.modules()
        if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
    ]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    with torch.no_grad():
        for step in range(CLEAN_BATCHES):
            pictures, sounds = batch(clips, step, clean=True)
            network.lips(pictures)
            network.sound(sounds)


def curve_line(network: Network, clips: Clips, step: int, loss: float, seconds: float) -> str:
    """The held-out clips: offsets found, distances of true and of exchanged pairs."""
    network.eval()
    lips, sounds = [], []
    with torch.no_grad():
        for crops, wave in zip(clips.crops[-HELD_OUT:], clips.waves[-HELD_OUT:], strict=True):
            pictures = torch.from_numpy(crops).float()[None, None]
            lips.append(network.lips(pictures)[0].numpy())
            sounds.append(network.sound(torch.from_numpy(sound_windows(wave))).numpy())
    true = [lip_sync_error(v, a) for v, a in zip(lips, sounds, strict=True)]
    other = [lip_sync_error(v, a) for v, a in zip(lips, sounds[1:] + sounds[:1], strict=True)]
    network.train()
    values = (
        loss,
        np.mean([found.offset == 0 for found in true]),
        np.mean([found.distance for found in true]),
        np.mean([found.confidence for found in true]),
        np.mean([found.distance for found in other]),
        np.mean([found.confidence for found in other]),
        seconds / 60,
    )
    return ",".join([str(step), *(f"{value:.4f}" for value in values)])


HEADER = "step,loss,offset_zero,lse_d,lse_c,lse_d_exchanged,lse_c_exchanged,cpu_minutes"


def train(clips: Clips, out: Path, steps: int) -> Network:
    """The trained network, in evaluation mode."""
    torch.manual_seed(0)
    network = Network(demo_size()).train()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.1
    )
    first, spent, curve = 0, 0.0, [HEADER]
    if (out / "checkpoint.pt").is_file():
        state = cast("dict[str, Any]", load_torch(out / "checkpoint.pt"))
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first, spent, curve = state["step"], state["seconds"], state["curve"]
    losses: list[float] = []
    began = time.process_time() - spent
    for step in range(first, steps):
        loss = loss_of(network, *batch(clips, step))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % _EVERY == 0 or step + 1 == steps:
            seconds = time.process_time() - began
            curve.append(curve_line(network, clips, step + 1, float(np.mean(losses)), seconds))
            click.echo(curve[-1])
            losses = []
            state = {
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "step": step + 1,
                "seconds": seconds,
                "curve": curve,
            }
            write_torch(out / "checkpoint.pt", state)
            (out / "curve.csv").write_text("\n".join(curve) + "\n", encoding="utf-8")
    take_statistics(network, clips)
    return network.eval()


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--clips", "count", default=1200, show_default=True, help="Clips of the train split.")
@click.option("--steps", default=1000, show_default=True)
def main(data: Path, out: Path, count: int, steps: int) -> None:
    """Train the demo SyncNet; a second call goes on from the last checkpoint."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    clips = read_clips(data, count, out / "clips.npz")
    network = train(clips, out, steps)
    click.echo(curve_line(network, clips, steps, float("nan"), time.process_time()))
    network.eval()
    tensors = {
        name: value.to(torch.float16 if value.dim() > 1 else torch.float32).contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    write_safetensors(out / "syncnet-demo.safetensors", tensors)


if __name__ == "__main__":
    main()
