"""Training of ``relevance-demo``: one deterministic command, about 8 minutes of one core.

    vsseval data demo --split train --out demo-train
    python -m vsseval.encoders.relevance_train --data demo-train/demo-sound --out FILE --seed 0

Symmetric InfoNCE, the sum of two.
When: step by step over 3.2 s, the audio of a clip must be told from that of the other clips of the
batch and from itself moved by 2 to 10 steps (160 to 800 ms), given the picture, and the other way
round; the moved versions are windows of the same sequence, so they cost no further pass and hold no
seam. Timing alone nearly solves this.
What: over 2.4 s, the audio must be told from that of the other clips; picture and audio are of
places drawn apart, so timing does not help.
Labels, captions and onsets are not read.

What may not count is drawn anew at each update: level by 6 dB around the clip's own (which the
front end has set to one), slope by 12 dB at either end of the bands, an added noise floor;
brightness, contrast, left and right, place by 2 pixels.

Every update draws from generators seeded by (seed, update), so a run that was interrupted goes on
from ``FILE.state`` as if it had not been.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from vsseval.audio import fit_length, read_audio
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.encoders.relevance import WHAT
from vsseval.encoders.relevance_audio import SAMPLE_RATE, band_power
from vsseval.encoders.relevance_network import Tower, Towers
from vsseval.encoders.relevance_video import small_frames
from vsseval.errors import InputError
from vsseval.files import file_digest, write_safetensors, write_torch
from vsseval.types import mono
from vsseval.video import read_video
from vsseval.weights import load_torch

HELD_OUT = 120
"""Last clips of the train split, which the curve is measured on and no update sees."""
BATCH = 64
WINDOW = 40
"""Steps that are compared one by one; the rest is the room to move in."""
STRETCH = 30
"""Steps in which either side looks for what the clip is about, each at a place of its own."""
MOVED = 4
"""Moved versions of each clip."""
LEAST_MOVE = 2
RATE, WEIGHT_DECAY, WARM_UP = 2e-3, 0.05, 100
SHARPEST = 30.0
EVERY = 50
"""Updates between two lines of the curve; the state is saved there."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Clips:
    """A data set in memory."""

    frames: NDArray[np.uint8]
    """(n, steps, 4, 48, 48), as the video front end gives them."""
    power: NDArray[np.float32]
    """(n, 64, 4 steps), as the audio front end gives it, transposed."""


def read_clips(folder: Path, say: Say) -> Clips:
    """Every clip of a benchmark folder through both front ends.

    Raises:
        InputError: it is no train split, or its clips differ in length.
    """
    benchmark = read_benchmark(folder)
    if not all("-train-" in item.id for item in benchmark.items):
        raise InputError(f"{folder} is no train split: expected ids such as sound-train-0000")
    frames, power = [], []
    for item in benchmark.items:
        if item.video is None or item.audio is None:
            raise InputError(f"item {item.id} of {folder} lacks video or audio")
        video = read_video(item.video)
        samples = mono(read_audio(item.audio))
        frames.append(small_frames(video.frames, video.fps))
        power.append(band_power(fit_length(samples, round(item.duration * SAMPLE_RATE))).T)
        if len(frames) % 500 == 0:
            say(f"read {len(frames)} of {len(benchmark.items)} clips")
    if len({array.shape for array in frames}) > 1:
        raise InputError(f"clips of {folder} differ in length")
    return Clips(np.stack(frames), np.stack(power))


def vary_power(power: Tensor, random: torch.Generator) -> Tensor:
    """Band power (b, 64, frames) with another level, slope and floor for each clip."""
    n, bands, _ = power.shape
    level, slope, floor = (2 * torch.rand(n, 1, 1, generator=random) - 1 for _ in range(3))
    decibels = 6 * level + 12 * slope * torch.linspace(-1, 1, bands)[:, None]
    return power * 10 ** (decibels / 10) + 10 ** (floor - 5.5)


def vary_frames(frames: Tensor, random: torch.Generator) -> Tensor:
    """Frames uint8 (b, steps, 4, 48, 48), some mirrored, moved by up to 2 pixels, relit."""
    n, side = len(frames), frames.shape[-1]
    mirrored = torch.rand(n, generator=random) < 0.5
    places = torch.randint(-2, 3, (n, 2, 1), generator=random)
    contrast, light = 0.8 + 0.4 * torch.rand(n, generator=random), torch.rand(n, generator=random)
    out = torch.empty(frames.shape, dtype=torch.float32)
    for i in range(n):
        rows, columns = (torch.arange(side) + places[i]).clamp(0, side - 1)
        clip = frames[i].flip(-1) if mirrored[i] else frames[i]
        out[i] = clip[..., rows, :][..., columns]
        out[i].sub_(128).mul_(contrast[i]).add_(128 + 40 * (light[i] - 0.5))
    return out.clamp_(0, 255)


def windows(sequence: Tensor, starts: Tensor, length: int) -> Tensor:
    """Stretches (b, k, width, length) of a sequence (b, width, steps) from ``starts`` (b, k) on."""
    n, k = starts.shape
    width = sequence.shape[1]
    index = (starts[:, :, None] + torch.arange(length)).reshape(n, 1, -1).expand(n, width, -1)
    return sequence.gather(2, index).reshape(n, width, k, length).transpose(1, 2)


def draw_starts(n: int, steps: int, random: torch.Generator) -> Tensor:
    """First steps (n, 1 + MOVED): the window to match, then others at least LEAST_MOVE away."""
    room = steps - WINDOW + 1
    first = torch.randint(0, room, (n, 1), generator=random)
    others = torch.rand(n, room, generator=random)
    others = others.masked_fill((torch.arange(room) - first).abs() < LEAST_MOVE, -1.0)
    return torch.cat([first, others.topk(MOVED, dim=1).indices], dim=1)


def when_loss(seen: Tensor, heard: Tensor, starts: Tensor, scale: Tensor) -> Tensor:
    """Symmetric InfoNCE of step sequences (b, WHEN, steps) in windows that begin at ``starts``."""
    v = normalize(windows(seen, starts, WINDOW).flatten(2), dim=2)  # (b, 1 + moved, d)
    a = normalize(windows(heard, starts, WINDOW).flatten(2), dim=2)
    across = v[:, 0] @ a[:, 0].T
    moved_audio = torch.einsum("bd,bkd->bk", v[:, 0], a[:, 1:])
    moved_video = torch.einsum("bd,bkd->bk", a[:, 0], v[:, 1:])
    target = torch.arange(len(across))
    return 0.5 * (
        cross_entropy(scale * torch.cat([across, moved_audio], dim=1), target)
        + cross_entropy(scale * torch.cat([across.T, moved_video], dim=1), target)
    )


def what_loss(seen: Tensor, heard: Tensor, scale: Tensor) -> Tensor:
    """Symmetric InfoNCE of vectors (b, WHAT) of stretches."""
    across = scale * normalize(seen, dim=1) @ normalize(heard, dim=1).T
    target = torch.arange(len(across))
    return 0.5 * (cross_entropy(across, target) + cross_entropy(across.T, target))


def loss_of(
    towers: Towers, frames: Tensor, power: Tensor, scales: Tensor, random: torch.Generator
) -> Tensor:
    """Sum of both losses on a batch."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        seen, heard = towers.video(frames), towers.audio(power)
    seen, heard = seen.float(), heard.float()
    n, _, steps = seen.shape
    starts = draw_starts(n, steps, random)
    when = when_loss(
        towers.video.trunk.steps(seen), towers.audio.trunk.steps(heard), starts, scales[0]
    )
    places = torch.randint(0, steps - STRETCH + 1, (2, n, 1), generator=random)
    what = what_loss(
        towers.video.trunk.whole(windows(seen, places[0], STRETCH)[:, 0]),
        towers.audio.trunk.whole(windows(heard, places[1], STRETCH)[:, 0]),
        scales[1],
    )
    return when + what


def measure(towers: Towers, clips: Clips) -> dict[str, float]:
    """On clips held out: 100 x cosine of right, moved and wrong pairs, share of right ones first.

    ``moved`` is the right audio, its last 0.8 s put before its start. ``what`` and ``when`` stand
    for the two parts of the vectors.
    """
    towers.eval()
    late = np.roll(clips.power, clips.power.shape[2] // 5, axis=2)
    with torch.inference_mode():
        seen = _embed(towers.video, torch.from_numpy(clips.frames))
        heard = _embed(towers.audio, torch.from_numpy(clips.power))
        moved = _embed(towers.audio, torch.from_numpy(late))
    towers.train()
    found = {}
    for part, columns in (("", slice(None)), ("what_", slice(WHAT)), ("when_", slice(WHAT, None))):
        v, a, m = (normalize(side[:, columns], dim=1) for side in (seen, heard, moved))
        across = 100 * v @ a.T
        right = across.diagonal()
        found[f"{part}right"] = float(right.mean())
        found[f"{part}moved"] = float(100 * (v * m).sum(1).mean())
        found[f"{part}wrong"] = float((across.sum() - right.sum()) / (across.numel() - len(right)))
        first = across.argmax(1) == torch.arange(len(across))
        found[f"{part}first"] = float(first.float().mean())
    return found


def _embed(tower: Tower, inputs: Tensor) -> Tensor:
    return torch.cat([tower.embed(inputs[i : i + 30]) for i in range(0, len(inputs), 30)])


@dataclass(slots=True)
class _Run:
    """All that changes while training."""

    towers: Towers
    log_scales: torch.nn.Parameter
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    curve: list[dict[str, float]]
    identity: list[int]
    """Seed, updates and clips: a state of another run is refused."""

    def save(self, path: Path) -> None:
        """Write the state by a rename."""
        parts = {name: getattr(self, name).state_dict() for name in _STATEFUL}
        rest = {"log_scales": self.log_scales.data, "curve": self.curve, "run": self.identity}
        write_torch(path, parts | rest)

    def restore(self, path: Path) -> int:
        """Read a state; the number of updates that it has seen."""
        saved = cast("dict[str, object]", load_torch(path))
        if saved["run"] != self.identity:
            raise InputError(
                f"{path} is of another run (seed, updates, clips {saved['run']}); remove it first"
            )
        for name in _STATEFUL:
            getattr(self, name).load_state_dict(saved[name])
        self.log_scales.data = cast(Tensor, saved["log_scales"])
        self.curve = cast("list[dict[str, float]]", saved["curve"])
        return int(self.curve[-1]["update"])


_STATEFUL = ("towers", "optimizer", "schedule")


def _start(steps: int, seed: int, count: int) -> _Run:
    torch.manual_seed(seed)
    towers = Towers().train().to(memory_format=torch.channels_last)
    log_scales = torch.nn.Parameter(torch.tensor([10.0, 10.0]).log())
    optimizer = torch.optim.AdamW(
        [*towers.parameters(), log_scales], lr=RATE, weight_decay=WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=min(0.5, WARM_UP / steps)
    )
    return _Run(towers, log_scales, optimizer, schedule, [], [seed, steps, count])


def train(clips: Clips, out: Path, steps: int, seed: int, say: Say) -> None:
    """Train on all but the last HELD_OUT clips; write ``out`` and its curve, ``out.csv``.

    Raises:
        InputError: too few clips, or ``out.state`` is of another run.
    """
    count = len(clips.frames) - HELD_OUT
    if count < BATCH:
        raise InputError(f"expected at least {BATCH + HELD_OUT} clips, got {len(clips.frames)}")
    held = Clips(clips.frames[count:], clips.power[count:])
    run, state = _start(steps, seed, count), Path(f"{out}.state")
    begin = run.restore(state) if state.is_file() else 0
    spent = time.process_time() - (run.curve[-1]["cpu_s"] if run.curve else 0.0)
    losses: list[float] = []
    for update in range(begin, steps):
        random = torch.Generator().manual_seed(seed * 1_000_003 + update)
        pick = torch.randperm(count, generator=random)[:BATCH].numpy()
        frames = vary_frames(torch.from_numpy(clips.frames[pick]), random)
        power = vary_power(torch.from_numpy(clips.power[pick]), random)
        scales = run.log_scales.exp().clamp(max=SHARPEST)
        loss = loss_of(run.towers, frames, power, scales, random)
        run.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(run.towers.parameters(), 1.0)
        run.optimizer.step()
        run.schedule.step()
        losses.append(loss.item())
        if (update + 1) % EVERY == 0 or update + 1 == steps:
            line = {"update": update + 1, "loss": float(np.mean(losses))}
            line |= measure(run.towers, held) | {"cpu_s": time.process_time() - spent}
            run.curve.append(line)
            losses.clear()
            run.save(state)
            say(" ".join(f"{key} {value:.4g}" for key, value in line.items()))
    _write(run.towers, run.curve, out)
    state.unlink(missing_ok=True)
    say(f"{out}: sha256 {file_digest(out)}")


def _write(towers: Towers, curve: list[dict[str, float]], out: Path) -> None:
    """Matrices as float16, vectors and counters as they are."""
    tensors = {
        name: (value.half() if value.dim() > 1 else value).contiguous().clone()
        for name, value in towers.state_dict().items()
    }
    write_safetensors(out, tensors)
    with Path(f"{out}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(curve[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" for k, v in line.items()} for line in curve)


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder demo-sound of the train split.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--steps", type=click.IntRange(min=2), default=700, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
def main(data: Path, out: Path, seed: int, steps: int, threads: int) -> None:
    """Train relevance-demo on the train split of demo-sound."""

    def say(message: str) -> None:
        click.echo(message, err=True)

    torch.set_num_threads(threads)
    train(read_clips(data, say), out, steps, seed, say)


if __name__ == "__main__":
    main()
