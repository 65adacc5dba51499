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


@dataclass(slots=True)
class _State:
    """All that a run needs to go on from where it was."""

    job: Job
    path: Path
    optimiser: torch.optim.AdamW
    generator: torch.Generator
    average: dict[str, Tensor]
    step: int = 0
    seconds: float = 0.0

    def save(self) -> None:
        """Write everything through a rename."""
        partial = self.path.with_suffix(".partial")
        tensors = {
            "network": self.job.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
            "generator": self.generator.get_state(),
        }
        torch.save(tensors, partial)
        partial.replace(self.path)

    def restore(self) -> None:
        """Read what :meth:`save` wrote."""
        state = torch.load(self.path, weights_only=True)
        self.job.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average, self.step, self.seconds = state["average"], state["step"], state["seconds"]
        self.generator.set_state(state["generator"])


def fit(
    job: Job, budget: Budget, folder: Path, *, seed: int, report: Callable[[str], None]
) -> dict[str, Tensor]:
    """Train until the budget is used and return the weights: their moving average if there is one.

    State goes to ``folder/<name>.pt`` every two minutes, the curve to ``folder/<name>.csv``; a
    second call continues from there. Matrix products run in bfloat16, weights in float32.

    Raises:
        TrainingError: a loss is not finite.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = _start(job, folder, seed)
    if state.step:
        report(f"{job.name}: resumed at step {state.step}")
    curve = folder / f"{job.name}.csv"
    _keep_rows(curve, state.step)
    before, started, saved = state.seconds, time.monotonic(), time.monotonic()
    sums: dict[str, float] = {}
    job.network.train()
    while (progress := budget.progress(state.step, state.seconds)) < 1.0:
        if time.monotonic() - saved > SAVE_SECONDS:
            state.save()
            saved = time.monotonic()
        for name, value in _update(state, progress, seed).items():
            sums[name] = sums.get(name, 0.0) + value / LOG_STEPS
        state.seconds = before + time.monotonic() - started
        if state.step % LOG_STEPS == 0:
            _append_row(curve, {"step": state.step, "seconds": state.seconds, **sums})
            figures = "  ".join(f"{name} {value:.4f}" for name, value in sums.items())
            share = f"{state.seconds:.0f} s ({100 * progress:.0f} %)"
            report(f"{job.name} step {state.step} {share}  {figures}")
            sums = {}
    state.save()
    if job.ema_decay is None:
        return {k: v.detach().clone() for k, v in job.network.state_dict().items()}
    return state.average


def _start(job: Job, folder: Path, seed: int) -> _State:
    """A fresh state, or the one that was saved."""
    parameters = [p for p in job.network.parameters() if p.requires_grad]
    state = _State(
        job=job,
        path=folder / f"{job.name}.pt",
        optimiser=torch.optim.AdamW(parameters, lr=job.learning_rate, betas=(0.9, 0.99)),
        generator=torch.Generator().manual_seed(seed),
        average={k: v.clone() for k, v in job.network.state_dict().items()},
    )
    if state.path.is_file():
        state.restore()
    return state


def _update(state: _State, progress: float, seed: int) -> dict[str, float]:
    """One step of the optimiser; returns the losses."""
    job = state.job
    scale = learning_rate_scale(state.step, progress, job.warmup_steps)
    for group in state.optimiser.param_groups:
        group["lr"] = job.learning_rate * scale
    losses = job.losses(state.generator)
    if not torch.isfinite(losses["loss"]):
        raise TrainingError(f"{job.name}: the loss is not finite at step {state.step}; seed {seed}")
    state.optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(losses["loss"])
    nn.utils.clip_grad_norm_(state.optimiser.param_groups[0]["params"], 1.0)
    state.optimiser.step()
    state.step += 1
    if job.ema_decay is not None:
        decay = min(job.ema_decay, (state.step + 1) / (state.step + 10))
        _update_average(state.average, job.network, decay)
    return {name: float(value.detach()) for name, value in losses.items()}


def _update_average(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1.0 - decay)


def _keep_rows(path: Path, last_step: int) -> None:
    """Drop the rows of a curve after the step that training continues from."""
    if path.is_file():
        head, *rows = path.read_text().splitlines()
        kept = [row for row in rows if int(row.split(",")[0]) <= last_step]
        path.write_text("".join(line + "\n" for line in (head, *kept)))


def _append_row(path: Path, row: Mapping[str, float]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(row)
        writer.writerow(f"{value:.6g}" for value in row.values())
