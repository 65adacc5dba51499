"""The one training loop: seeded, resumable, with a budget in steps or minutes and curves.

An update draws one batch, which is the same on every process; processes and accumulated parts take
equal shares of it, and gradients are averaged, so their number changes nothing but rounding.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vsseval.errors import InputError, VssevalError
from vsseval.files import write_torch
from vssflow.distributed import Processes, Share
from vssflow.events import append_scalars, event_path
from vssflow.memory import is_out_of_memory, largest_batch
from vssflow.run_files import append_row, keep_rows, read_tensors
from vssflow.stopping import stop_asked_for

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
        """Share of the budget that so many updates and seconds [s] have used, in [0, 1]."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        return min(1.0, seconds / (60.0 * (self.minutes or 1.0)))


class Draw(NamedTuple):
    """What a batch is drawn from."""

    generator: torch.Generator
    """In the same state for every share of an update."""
    step: int = 0
    """Updates done before."""
    share: Share = Share()
    """The part of the batch whose loss is asked for."""


@dataclass(frozen=True, slots=True)
class Job:
    """One network to train."""

    name: str
    """File stem of its state and curve."""
    network: nn.Module
    """What is trained."""
    losses: Callable[[Draw], Mapping[str, Tensor]]
    """Draws a batch and returns named mean losses; the one called ``loss`` is minimised."""
    learning_rate: float
    """Peak; linear warm-up, then cosine to 2 % at the end of the budget."""
    warmup_steps: int = 100
    """Updates of the warm-up."""
    ema_decay: float | None = None
    """Decay of an exponential moving average of the weights, or None."""
    batch: int | None = None
    """Clips in a batch, for a job that can take shares of it; None: it cannot."""
    batch_ids: Callable[[int], Sequence[str]] | None = None
    """Clips of the batch of an update, for the message of a run that breaks."""
    settings: str = ""
    """All that decides batches and loss; a run goes on only under the same."""


def learning_rate_scale(step: int, progress: float, warmup_steps: int) -> float:
    """Factor on the peak learning rate: linear warm-up times a cosine from 1 to 0.02.

    Args:
        step: updates done before.
        progress: share of the budget that is used, in [0, 1].
        warmup_steps: updates until the warm-up ends.
    """
    return min(1.0, (step + 1) / warmup_steps) * (0.51 + 0.49 * math.cos(math.pi * progress))


@dataclass(slots=True)
class _State:
    """All that a run needs to go on from where it was."""

    job: Job
    path: Path
    optimiser: torch.optim.AdamW
    generator: torch.Generator
    average: dict[str, Tensor]
    """Moving average of the weights by name; without an average, what they began from."""
    step: int = 0
    """Updates done."""
    seconds: float = 0.0
    """Wall time of all calls so far [s]."""
    sums: dict[str, float] = field(default_factory=dict)
    """Losses since the last row of the curve, divided by the length of a row."""

    def save(self) -> None:
        """Write everything through a rename."""
        tensors = {
            "network": self.job.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
            "sums": self.sums,
            "generator": self.generator.get_state(),
            "settings": self.job.settings,
        }
        write_torch(self.path, tensors)

    def restore(self) -> None:
        """Read what :meth:`save` wrote, on whatever device that was.

        Raises:
            InputError: the run was started with other settings.
        """
        # The optimiser's counters and the generator belong on the CPU wherever the network is.
        state = read_tensors(self.path)
        before = state.get("settings", "")
        if before != self.job.settings:
            raise InputError(
                f"{self.path} was started with: {before or 'an older version'}; now asked for: "
                f"{self.job.settings}; give the same options or an empty --out"
            )
        self.job.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        for name, value in self.average.items():
            value.copy_(state["average"][name])
        self.step, self.seconds = state["step"], state["seconds"]
        self.sums = state.get("sums", {})
        self.generator.set_state(state["generator"])


def fit(
    job: Job,
    budget: Budget,
    folder: Path,
    *,
    seed: int,
    report: Callable[[str], None],
    processes: Processes | None = None,
    accumulate: int = 1,
) -> dict[str, Tensor]:
    """Train until the budget is used and return the weights: their moving average if there is one.

    State goes to ``folder/<name>.pt`` every two minutes and when the run is asked to stop (Ctrl-C,
    SIGTERM), the curve to ``folder/<name>.csv``, and for TensorBoard below ``folder/events``; a
    second call continues from there. The first process writes, all read.

    Args:
        job: what is trained.
        budget: how long.
        folder: of state and curve.
        seed: of noise, and of batches that the job draws from the generator.
        report: is told about progress.
        processes: those that train together; None: this one alone.
        accumulate: parts of a process's share that go through the network one after the other.

    Raises:
        InputError: the job cannot share a batch, or was started with other settings.
        TrainingError: a loss or gradient is not finite, or memory runs out.
        KeyboardInterrupt: the run was asked to stop; its state is saved.
    """
    group = processes or Processes()
    if job.batch is None and (group.count > 1 or accumulate > 1):
        raise InputError(f"{job.name} trains in one process with whole batches")
    if job.batch is not None:
        Share(0, group.count * accumulate).of(range(job.batch))
    folder.mkdir(parents=True, exist_ok=True)
    state = _start(job, folder, seed)
    if state.step:
        used = budget.progress(state.step, state.seconds) >= 1
        done = "the budget was used before" if used else "resumed"
        report(f"{job.name}: {done} at step {state.step}")
    curve = folder / f"{job.name}.csv"
    if group.first:
        keep_rows(curve, state.step)
    events = event_path(folder, job.name, time.time())
    before, started, saved = state.seconds, time.monotonic(), time.monotonic()
    job.network.train()
    with stop_asked_for() as asked:
        while (progress := budget.progress(state.step, group.of_the_first(state.seconds))) < 1.0:
            if group.first and time.monotonic() - saved > SAVE_SECONDS:
                state.save()
                saved = time.monotonic()
            for name, value in _update(state, progress, seed, group, accumulate).items():
                state.sums[name] = state.sums.get(name, 0.0) + value / LOG_STEPS
            state.seconds = before + time.monotonic() - started
            stop = bool(group.of_the_first(float(asked())))
            if state.step % LOG_STEPS == 0:
                if group.first:
                    _log(state, curve, events, progress, report)
                state.sums = {}
            if stop:
                if group.first:
                    state.save()
                    report(f"{job.name}: stopped and saved at step {state.step}")
                raise KeyboardInterrupt
    if group.first:
        state.save()
    if job.ema_decay is None:
        return {k: v.detach().clone() for k, v in job.network.state_dict().items()}
    return state.average


def _log(
    state: _State, curve: Path, events: Path, progress: float, report: Callable[[str], None]
) -> None:
    """Write the means of the last updates to curve, events and progress."""
    name = state.job.name
    append_row(curve, {"step": state.step, "seconds": state.seconds, **state.sums})
    events.parent.mkdir(parents=True, exist_ok=True)
    tagged = {f"{name}/{loss}": value for loss, value in state.sums.items()}
    append_scalars(events, time.time(), state.step, tagged)
    figures = "  ".join(f"{loss} {value:.4f}" for loss, value in state.sums.items())
    share = f"{state.seconds:.0f} s ({100 * progress:.0f} %)"
    report(f"{name} step {state.step} {share}  {figures}")


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


def _update(
    state: _State, progress: float, seed: int, group: Processes, accumulate: int
) -> dict[str, float]:
    """One step of the optimiser; returns the losses, means over processes and parts."""
    job = state.job
    scale = learning_rate_scale(state.step, progress, job.warmup_steps)
    for weights in state.optimiser.param_groups:
        weights["lr"] = job.learning_rate * scale
    state.optimiser.zero_grad(set_to_none=True)
    ran_out: BaseException | None = None
    sums: dict[str, float] = {}
    try:
        sums = _backward(state, group.shares(accumulate))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        # Its traceback would hold the memory of the failed batch while smaller ones are tried.
        ran_out = error.with_traceback(None)
    if ran_out is not None:
        raise TrainingError(_what_fits(state, group, accumulate)) from ran_out
    values = dict(zip(sums, group.mean(list(sums.values())), strict=True))
    if not math.isfinite(values["loss"]):
        raise TrainingError(_broken(state, "the loss", seed))
    parameters = state.optimiser.param_groups[0]["params"]
    group.mean_gradients(parameters)
    norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    if not torch.isfinite(norm):
        raise TrainingError(_broken(state, "the gradient", seed))
    state.optimiser.step()
    state.step += 1
    if job.ema_decay is not None:
        decay = min(job.ema_decay, (state.step + 1) / (state.step + 10))
        _update_average(state.average, job.network, decay)
    return values


def _broken(state: _State, what: str, seed: int) -> str:
    """The message of a run whose numbers are not finite."""
    job = state.job
    again = "go on from the last saved step" if state.path.is_file() else "begin again"
    said = f"{job.name}: {what} is not finite at step {state.step}, seed {seed}; {again} with a "
    said += f"lower learning rate than {job.learning_rate:g}"
    if job.batch_ids is None:
        return said
    # A clip may be in a batch more than once.
    return f"{said}, or look at the clips: {', '.join(dict.fromkeys(job.batch_ids(state.step)))}"


def _backward(state: _State, shares: Sequence[Share]) -> dict[str, float]:
    """Gradients of the mean loss over some shares; returns the mean losses."""
    sums: dict[str, float] = {}
    before = state.generator.get_state()
    for share in shares:
        state.generator.set_state(before)
        losses = state.job.losses(Draw(state.generator, state.step, share))
        if torch.isfinite(losses["loss"]):
            torch.autograd.backward(losses["loss"] / len(shares))
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) / len(shares)
    return sums


def _what_fits(state: _State, group: Processes, accumulate: int) -> str:
    """The message of a run that is out of memory: which part of the batch fits."""
    job, step = state.job, state.step
    if job.batch is None:
        return f"{job.name}: out of memory at step {step}, with a batch that cannot be divided"
    part = job.batch // (group.count * accumulate)

    def attempt(clips: int) -> None:
        if job.batch is not None and job.batch % clips:
            raise MemoryError("not a divisor of the batch")
        state.optimiser.zero_grad(set_to_none=True)
        _backward(state, [Share(0, (job.batch or clips) // clips)])

    fits = largest_batch(attempt, part)
    state.optimiser.zero_grad(set_to_none=True)
    said = f"{job.name}: out of memory at step {step} with {part} clips at once; "
    if fits == 0:
        return said + "not even one fits"
    return said + f"{fits} fit: give --accumulate {part * accumulate // fits}"


def _update_average(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1.0 - decay)
