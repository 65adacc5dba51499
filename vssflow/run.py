"""One training run: what it is given, and what its folder holds.

``OUT/config.json`` the configuration, ``OUT/features`` the arrays, ``OUT/<network>.pt`` states,
``OUT/<network>.csv`` curves, ``OUT/<network>.weights.pt`` finished weights,
``OUT/<preset>.safetensors`` the checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from torch import Tensor

from vsseval.errors import InputError
from vsseval.files import write_atomic, write_torch
from vssflow.checkpoint import save_checkpoint
from vssflow.config import Config
from vssflow.distributed import Processes
from vssflow.features import Clip
from vssflow.network import Networks
from vssflow.phonemes import Pronunciations
from vssflow.run_files import read_tensors
from vssflow.train_flow import (
    FlowTraining,
)
from vssflow.training import Budget, Job, fit

Stage = Literal["codec", "decoder", "frontends", "durations", "flow", "all"]


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


TRANSFORMER_FIELDS = frozenset(
    {
        "preset", "concatenated", "crossed", "lip_channels", "sync_channels", "semantic_channels",
        "projection_factor", "width", "depth", "heads", "cross_heads", "feed_forward",
        "time_frequencies", "rotary_width", "num_steps", "guidance_scale",
        "speech_guidance_scale",
    }
)  # fmt: skip
"""Fields that codec, front ends and features do not depend on."""


def same_config(run: Run, stage: Stage) -> None:
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


def restore(run: Run, networks: Networks, name: str) -> None:
    """Give one of the networks the weights that an earlier stage finished with.

    Raises:
        InputError: there are none, or they are damaged.
    """
    path = (run.reuse or run.out) / f"{name}.weights.pt"
    if not path.is_file():
        raise InputError(f"no trained {name} at {path}; run the earlier --stage first")
    networks.get_submodule(name).load_state_dict(read_tensors(path))


def fitted(run: Run, job: Job, budget: Budget) -> dict[str, Tensor]:
    """Weights after training, by all processes if the job's batches can be shared out.

    Raises:
        InputError: as :func:`vssflow.training.fit`.
        TrainingError: likewise.
    """
    shared = job.batch is not None
    return fit(
        job,
        budget,
        run.out,
        seed=run.seed,
        report=run.report,
        processes=run.processes if shared else None,
        accumulate=run.accumulate if shared else 1,
    )


def train_network(run: Run, networks: Networks, job: Job, budget: Budget) -> None:
    """Train the network that the job is named after, and write its weights.

    Raises:
        InputError: as :func:`vssflow.training.fit`.
        TrainingError: likewise.
    """
    weights = fitted(run, job, budget)
    networks.get_submodule(job.name).load_state_dict(weights)
    if run.processes.first:
        write_torch(run.out / f"{job.name}.weights.pt", weights)


def export(run: Run, networks: Networks) -> Path:
    """Write the checkpoint of the networks as they are."""
    path = run.out / f"{run.config.preset}.safetensors"
    if not run.processes.first:
        return path
    save_checkpoint(networks, path)
    run.report(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return path
