"""What models share that make many clips in one run of a program: table, steps, answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from baselines.external import Program, insist, run_program
from vsseval.audio import read_audio
from vsseval.errors import InputError
from vsseval.files import write_atomic
from vsseval.types import Call, Item, ModelOutput

LENGTH_TOLERANCE = 0.05
"""How far the length of audio may be from the declared one [s]."""

TABLE = "clips.jsonl"


def write_table(folder: Path, rows: Iterable[tuple[str, Item]]) -> None:
    """``clips.jsonl``: the name that a program knows each item by, before it is run.

    Ids may hold what a program cannot take as a file name, or sorts in another order.
    """
    lines = [
        json.dumps({"name": name, "id": item.id, "video": str(item.video) if item.video else None})
        for name, item in rows
    ]
    write_atomic(folder / TABLE, "".join(f"{line}\n" for line in lines).encode())


@dataclass(frozen=True, slots=True)
class Step:
    """One program over named clips. Its files lie flat in ``folder``, or in folders below it."""

    name: str
    program: Callable[[Sequence[str]], Program]
    """For these clips; puts their inputs where the program looks, and nobody else's."""
    folder: Path
    output: Callable[[str], Path]
    """The file of a clip that says that it is through."""
    flaw: Callable[[Path], str] = lambda path: ""
    """What is wrong with that file and would be in a second try, or nothing."""
    ordered: bool = False
    """What a clip becomes depends on the clips before it: after a break all are made again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What steps came to."""

    names: tuple[str, ...]
    failed: Mapping[str, str]
    """Reason of each clip that has no output."""
    hopeless: tuple[str, ...]
    """Those of them that need no second try: their input is not what the model takes."""
    seconds: float
    """Wall time of the programs [s]."""

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        entry = {
            "names": self.names,
            "failed": self.failed,
            "hopeless": self.hopeless,
            "seconds": self.seconds,
        }
        write_atomic(path, json.dumps(entry, indent=1).encode())


def saved_outcome(path: Path) -> Outcome | None:
    """What :meth:`Outcome.save` wrote, or None."""
    if not path.is_file():
        return None
    entry = json.loads(path.read_text())
    return Outcome(
        tuple(entry["names"]), entry["failed"], tuple(entry["hopeless"]), entry["seconds"]
    )


def run_steps(folder: Path, names: Sequence[str], steps: Sequence[Step]) -> Outcome:
    """Each step over the clips that came through the one before; finished steps are kept.

    A step that was stopped begins again with an empty folder: no file that a kill cut off is taken.

    Args:
        folder: Where ``<step>.json`` says that a step is through.
        names: The clips in order.
        steps: In order.

    Raises:
        ExternalToolError: a program fails whatever the clip.
    """
    failed: dict[str, str] = {}
    hopeless: list[str] = []
    seconds = 0.0
    for step in steps:
        left = tuple(name for name in names if name not in failed)
        marker = folder / f"{step.name}.json"
        outcome = saved_outcome(marker)
        if outcome is None or outcome.names != left:
            outcome = _run_step(step, left)
            outcome.save(marker)
        failed.update(outcome.failed)
        hopeless.extend(outcome.hopeless)
        seconds += outcome.seconds
    return Outcome(tuple(names), failed, tuple(hopeless), seconds)


def _run_step(step: Step, names: tuple[str, ...]) -> Outcome:
    seconds = 0.0
    _empty(step.folder)

    def attempt(left: Sequence[str]) -> None:
        nonlocal seconds
        if step.ordered:
            _empty(step.folder)
        seconds += run_program(step.program(left))

    def done() -> Collection[str]:
        return [name for name in names if step.output(name).is_file()]

    failed = insist(names, attempt, done, again=step.ordered)
    flaws = {name: step.flaw(step.output(name)) for name in done() if name not in failed}
    hopeless = tuple(name for name, flaw in flaws.items() if flaw)
    failed.update((name, flaws[name]) for name in hopeless)
    for name in names:
        if name not in flaws:
            failed.setdefault(name, f"{step.name}: the program wrote nothing for this clip")
    return Outcome(names, failed, hopeless, seconds)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def link_files(folder: Path, targets: Iterable[tuple[str, Path]]) -> None:
    """Make ``folder`` hold links of these names to these files, and nothing else."""
    _empty(folder)
    for name, target in targets:
        (folder / name).symlink_to(target.absolute())


def sound_flaw(path: Path, *, sample_rate: int, channels: int, length: float) -> str:
    """How a file differs from what a model declares, or nothing.

    Args:
        path: Audio.
        sample_rate: Declared [Hz].
        channels: Declared.
        length: Declared [s].
    """
    try:
        audio = read_audio(path)
    except InputError as error:
        return str(error)
    if audio.sample_rate != sample_rate:
        return f"wrote {audio.sample_rate} Hz, declared are {sample_rate} Hz"
    if audio.samples.shape[0] != channels:
        return f"wrote {audio.samples.shape[0]} channels, declared are {channels}"
    if abs(audio.duration - length) > LENGTH_TOLERANCE:
        return f"wrote {audio.duration:.3f} s of audio, declared are {length:.3f} s"
    return ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Finished clips by item and seed."""

    model: str
    nfe: int
    """Network evaluations of a clip, a guided one counted as two; 0 if not known beforehand."""
    _known: dict[tuple[str, int], tuple[Path, str, float]] = field(default_factory=dict)

    def add(self, call: Call, path: Path, *, failure: str, seconds: float) -> None:
        """Note the audio of a clip.

        Args:
            call: The clip.
            path: Where its audio is.
            failure: Why there is none, or empty.
            seconds: Its share of the program's wall time [s].
        """
        self._known[call.item.id, call.seed] = (path, failure, seconds)

    def give(self, item: Item, seed: int) -> ModelOutput:
        """The audio of a clip.

        Raises:
            InputError: it was not made, with the reason.
        """
        if (item.id, seed) not in self._known:
            raise InputError(f"{self.model} makes clips in batches: item {item.id} was in none")
        path, failure, seconds = self._known[item.id, seed]
        if failure:
            raise InputError(failure)
        return ModelOutput(read_audio(path), self.nfe, seconds)
