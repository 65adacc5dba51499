"""The one training loop: seeded, resumable, with a budget in steps or minutes and a CSV curve."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from vsseval.errors import InputError, VssevalError

SAVE_SECONDS = 120.0
LOG_STEPS = 20


class TrainingError(VssevalError):
    """Training that cannot go on, such as a loss that is not finite."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: exactly one of the two is given."""

    steps: int | None = None
    """Number of updates."""
    minutes: float | None = None
    """Wall time, resumed runs included."""

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.minutes is None):
            raise InputError("a training budget is either --steps or --minutes; give exactly one")

    def progress(self, step: int, seconds: float) -> float:
        """Share of the budget that is used, in [0, 1]."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        return min(1.0, seconds / (60.0 * (self.minutes or 1.0)))


@dataclass(frozen=True, slots=True)
class Job:
    """One network to train."""

    name: str
    """File stem of its state and curve."""
    network: nn.Module
    """What is trained."""
    losses: Callable[[torch.Generator], Mapping[str, Tensor]]
    """Draws a batch and returns named losses; the one called ``loss`` is minimised."""
    learning_rate: float
    """Peak; linear warm-up, then cosine to 2 % at the end of the budget."""
    warmup_steps: int = 100
    """Updates of the warm-up."""
    ema_decay: float | None = None
    """Decay of an exponential moving average of the weights, or None."""


def learning_rate_scale(step: int, progress: float, warmup_steps: int) -> float:
    """Factor on the peak learning rate: linear warm-up times a cosine from 1 to 0.02."""
    return min(1.0, (step + 1) / warmup_steps) * (0.51 + 0.49 * math.cos(math.pi * progress))


def fit(
    job: Job, budget: Budget, folder: Path, *, seed: int, report: Callable[[str], None]
) -> dict[str, Tensor]:
    """Train until the budget is used and return the weights: their moving average if there is one.

    State goes to ``folder/<name>.pt`` every two minutes, the curve to ``folder/<name>.csv``; a
    second call continues from there. Matrix products run in bfloat16, weights and updates in
    float32.

    Raises:
        TrainingError: a loss is not finite.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state_path = folder / f"{job.name}.pt"
    parameters = [p for p in job.network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=job.learning_rate, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(seed)
    average = {k: v.clone() for k, v in job.network.state_dict().items()}
    step, used = 0, 0.0
    if state_path.is_file():
        state = torch.load(state_path, weights_only=True)
        job.network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average, step, used = state["average"], state["step"], state["seconds"]
        generator.set_state(state["generator"])
        report(f"{job.name}: resumed at step {step}")
    started = saved = time.monotonic()
    sums: dict[str, float] = {}
    job.network.train()
    while True:
        seconds = used + time.monotonic() - started
        progress = budget.progress(step, seconds)
        if progress >= 1.0 or time.monotonic() - saved > SAVE_SECONDS:
            _save(
                state_path,
                {
                    "network": job.network.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "average": average,
                    "step": step,
                    "seconds": seconds,
                    "generator": generator.get_state(),
                },
            )
            saved = time.monotonic()
        if progress >= 1.0:
            break
        scale = learning_rate_scale(step, progress, job.warmup_steps)
        for group in optimiser.param_groups:
            group["lr"] = job.learning_rate * scale
        losses = job.losses(generator)
        if not torch.isfinite(losses["loss"]):
            raise TrainingError(f"{job.name}: the loss is not finite at step {step}; seed {seed}")
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["loss"])
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        step += 1
        if job.ema_decay is not None:
            decay = min(job.ema_decay, (step + 1) / (step + 10))
            _update_average(average, job.network, decay)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        if step % LOG_STEPS == 0:
            means = {name: total / LOG_STEPS for name, total in sums.items()}
            sums = {}
            _append_row(folder / f"{job.name}.csv", {"step": step, "seconds": seconds, **means})
            figures = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            report(f"{job.name} step {step} {seconds:.0f} s ({100 * progress:.0f} %)  {figures}")
    if job.ema_decay is None:
        return {k: v.detach().clone() for k, v in job.network.state_dict().items()}
    return average


def _update_average(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1.0 - decay)


def _save(path: Path, state: dict[str, object]) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _append_row(path: Path, row: Mapping[str, float]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(row)
        writer.writerow(f"{value:.6g}" for value in row.values())
