"""First stage: audio for every item, one model call a clip, resumable at any point.

Folder of one model on one benchmark with one seed::

    <cache>/generated/<benchmark>/<model>/<generation id>/
        generations.jsonl      one line an item and take, appended once its audio is in place
        upstream/              work, outputs and logs of a model that makes many clips at once
        <item id>.wav          take 0, 16-bit PCM
        <item id>.take1.wav    take 1, and so on
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path
from typing import cast

import numpy as np

from vsseval.audio import write_audio
from vsseval.digests import remembered_digest
from vsseval.errors import ExternalToolError, InputError, MissingWeightsError
from vsseval.files import append_line, file_digest, without_folders
from vsseval.progress import Progress, silent
from vsseval.types import (
    Audio,
    BatchModel,
    Benchmark,
    Call,
    Generation,
    Item,
    Model,
    ModelOutput,
)
from vsseval.workers import Workers

_MOST_CHANNELS = 256
_HIGHEST_RATE = 2**31 - 1
LOG = "generations.jsonl"
UPSTREAM = "upstream"

ClipKey = tuple[str, int]
"""Item id and take."""


def item_seed(seed: int, item_id: str, take: int) -> int:
    """Seed of one clip: the first 8 bytes of sha256("seed|id|take"), big-endian, below 2^63."""
    digest = hashlib.sha256(f"{seed}|{item_id}|{take}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def clip_label(item_id: str, take: int) -> str:
    """``id`` for take 0 and ``id.takeK`` for the others: file stems, and keys of records."""
    return item_id if take == 0 else f"{item_id}.take{take}"


def generation_id(signature: Mapping[str, str], benchmark_digest: str, seed: int) -> str:
    """12 hex digits of all that decides a clip's audio, apart from which clips are asked for."""
    content = json.dumps([dict(signature), benchmark_digest, seed], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def folder_name(name: str) -> str:
    """A model's name as one path component."""
    return re.sub(r"[^A-Za-z0-9._@+-]+", "-", name).lstrip(".") or "model"


def generation_folder(
    cache: Path, benchmark: Benchmark, signature: Mapping[str, str], seed: int
) -> Path:
    """Where the clips of this model on this benchmark with this seed are."""
    identity = generation_id(signature, benchmark.digest, seed)
    model = folder_name(signature["name"])
    return cache / "generated" / folder_name(benchmark.name) / model / identity


def generate(
    model: Model,
    benchmark: Benchmark,
    folder: Path,
    *,
    seed: int = 0,
    takes: int = 1,
    workers: Workers | None = None,
    load: Callable[[], Model] | None = None,
    cache: Path | None = None,
    progress: Progress = silent,
) -> list[Generation]:
    """Generate what is not there yet and return a row for every item and take.

    A clip whose audio is on disk with the logged digest is kept; a clip that failed before is tried
    again. An exception of the model becomes the row's ``error``. The audio of a clip depends on the
    item and its seed alone, so an interrupted run ends in the same bytes. A model that has
    ``prepare`` is given all missing clips first and then asked for each, in this process.

    Args:
        model: What generates.
        benchmark: Its items are generated, in order.
        folder: ``generation_folder(...)``.
        seed: Seed of the run.
        takes: Clips an item, each with its own seed.
        workers: Processes to generate in.
        load: Gives the model to a process, once; hashable. Without it, all is generated here.
        cache: Where digests of files are remembered; None to hash what is there.
        progress: Where steps are shown.

    Raises:
        InputError: ``takes`` is below 1.
        MissingWeightsError: the model lacks weights, which no other item would change.
        ExternalToolError: the program behind the model fails whatever the clip.
        OSError: the disk is full or cannot be written; a note says how much is kept.
    """
    if takes < 1:
        raise InputError(f"expected at least 1 take, got {takes}")
    known = read_log(folder)
    keys = [(item, take) for item in benchmark.items for take in range(takes)]
    rows: dict[ClipKey, Generation] = {}
    todo: list[_Job] = []
    for item, take in keys:
        row = known.get((item.id, take))
        if row is not None and _is_kept(row, cache):
            rows[item.id, take] = row
        else:
            todo.append(_Job(item, take, seed, folder, load))
    workers = workers or Workers()
    batch = _batch(model)
    if load is None or batch is not None or not workers.pays(len(todo)):
        # Here, with the model that is loaded already.
        workers = Workers()
        todo = [replace(job, load=_Here(model)) for job in todo]
    with _says_what_is_kept(rows, len(keys), folder):
        if batch is not None and todo:
            calls = [Call(job.item, job.take, job.clip_seed) for job in todo]
            with progress("upstream", len(calls)) as advance:
                batch.prepare(calls, folder / UPSTREAM, advance)
    with _says_what_is_kept(rows, len(keys), folder), progress("generate", len(keys)) as advance:
        for _ in rows:
            advance()
        for _, row in workers.run(_generate_one, todo):
            retried = known.get((row.item_id, row.take))
            if retried is None or retried.error != row.error:
                _append(folder, row)
            rows[row.item_id, row.take] = row
            advance()
    return [rows[item.id, take] for item, take in keys]


@dataclass(frozen=True, slots=True)
class _Here:
    """The loader of a model that is in this process."""

    model: Model

    def __hash__(self) -> int:
        return id(self.model)

    def __call__(self) -> Model:
        return self.model


@dataclass(frozen=True, slots=True)
class _Job:
    """One clip to generate."""

    item: Item
    take: int
    seed: int
    """Of the run."""
    folder: Path
    load: Callable[[], Model] | None

    @property
    def clip_seed(self) -> int:
        """Seed of this clip."""
        return item_seed(self.seed, self.item.id, self.take)


def _batch(model: Model) -> BatchModel | None:
    return cast(BatchModel, model) if callable(getattr(model, "prepare", None)) else None


@lru_cache(maxsize=1)
def _model(load: Callable[[], Model]) -> Model:
    return load()


def read_log(folder: Path) -> dict[ClipKey, Generation]:
    """The last row of every clip in ``folder``'s log; what is no such line is skipped."""
    log = folder / LOG
    rows: dict[ClipKey, Generation] = {}
    if not log.is_file():
        return rows
    for line in log.read_bytes().splitlines():
        row = _row(folder, line)
        if row is not None:
            rows[row.item_id, row.take] = row
    return rows


_FORMS: dict[str, tuple[type, ...]] = {
    **{"item": (str,), "take": (int,), "seed": (int,), "path": (str, type(None))},
    **{"error": (str, type(None)), "digest": (str, type(None)), "seconds": (int, float)},
    **{"nfe": (int,), "clipped": (int,)},
}
"""Fields of a line of the log."""


def _row(folder: Path, line: bytes) -> Generation | None:
    """What a line of the log says; None of one that a kill broke off, or that is damaged."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(name, ...), form) for name, form in _FORMS.items()
    ):
        return None
    return Generation(
        item_id=entry["item"],
        take=entry["take"],
        seed=entry["seed"],
        path=folder / entry["path"] if entry["path"] else None,
        error=entry["error"],
        digest=entry["digest"],
        seconds=entry["seconds"],
        nfe=entry["nfe"],
        clipped=entry["clipped"],
    )


def kept(
    folder: Path, benchmark: Benchmark, takes: int, *, cache: Path | None = None
) -> list[Generation]:
    """Rows of the clips that are there; one that failed or was never generated has none.

    Args:
        folder: ``generation_folder(...)``.
        benchmark: Its items are looked for.
        takes: Clips an item.
        cache: Where digests of files are remembered; None to hash what is there.
    """
    rows = read_log(folder)
    keys = [(item.id, take) for item in benchmark.items for take in range(takes)]
    return [rows[key] for key in keys if key in rows and _is_kept(rows[key], cache)]


def _is_kept(row: Generation, cache: Path | None) -> bool:
    if row.path is None or not row.path.is_file():
        return False
    return remembered_digest(row.path, cache, row.digest) == row.digest


def _generate_one(job: _Job) -> Generation:
    item, take = job.item, job.take
    clip_seed = job.clip_seed
    path = job.folder / f"{clip_label(item.id, take)}.wav"
    model = _model(cast("Callable[[], Model]", job.load))
    start = time.perf_counter()
    try:
        output = _checked(model.generate(item, clip_seed))
    except (MissingWeightsError, ExternalToolError):
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        return _failed(item, take, clip_seed, error, time.perf_counter() - start)
    seconds = time.perf_counter() - start if output.seconds is None else output.seconds
    try:
        clipped = write_audio(path, output.audio)
    except InputError as error:
        return _failed(item, take, clip_seed, error, seconds)
    return Generation(
        item_id=item.id,
        take=take,
        seed=clip_seed,
        path=path,
        error=None,
        digest=file_digest(path),
        seconds=seconds,
        nfe=output.nfe,
        clipped=clipped,
    )


def _checked(output: object) -> ModelOutput:
    """What a model returned, if it is what :class:`ModelOutput` says.

    Raises:
        InputError: it is not, which is the model's failure and a row of the log.
    """
    if not isinstance(output, ModelOutput) or not isinstance(output.audio, Audio):
        raise InputError(f"the model returned {_kind(output)}, expected ModelOutput(Audio(...))")
    samples, rate = output.audio.samples, output.audio.sample_rate
    if not isinstance(samples, np.ndarray) or samples.dtype.kind != "f":
        came = getattr(samples, "dtype", type(samples).__name__)
        raise InputError(f"samples must be a NumPy array of floats in [-1, 1], got {came}")
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and len(samples) > _MOST_CHANNELS):
        raise InputError(f"samples must be (channels, n), got shape {samples.shape}")
    if not isinstance(rate, Integral) or not 1 <= rate <= _HIGHEST_RATE:
        raise InputError(f"sample_rate must be a whole number of hertz above 0, got {rate!r}")
    if not isinstance(output.nfe, Integral):
        raise InputError(f"nfe must be a whole number, got {output.nfe!r}")
    seconds = output.seconds
    if seconds is not None and not (isinstance(seconds, Real) and 0 <= seconds < math.inf):
        raise InputError(f"seconds must be a finite number of at least 0, got {seconds!r}")
    return output


def _kind(output: object) -> str:
    inner = f" of {type(output.audio).__name__}" if isinstance(output, ModelOutput) else ""
    return f"{type(output).__name__}{inner}"


def _failed(item: Item, take: int, seed: int, error: BaseException, seconds: float) -> Generation:
    reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    reason = without_folders(reason) or "no reason given"
    return Generation(item.id, take, seed, None, reason, None, seconds, 0)


def _append(folder: Path, row: Generation) -> None:
    """One line at the end of the log, whole, whatever other processes append to it."""
    entry = {
        "item": row.item_id,
        "take": row.take,
        "seed": row.seed,
        "path": row.path.relative_to(folder).as_posix() if row.path else None,
        "error": row.error,
        "digest": row.digest,
        "seconds": row.seconds,
        "nfe": row.nfe,
        "clipped": row.clipped,
    }
    append_line(folder / LOG, json.dumps(entry).encode())


@contextmanager
def _says_what_is_kept(
    rows: Mapping[ClipKey, Generation], total: int, folder: Path
) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, OSError) as stop:
        done = sum(row.path is not None for row in rows.values())
        stop.add_note(f"{done} of {total} clips are kept in {folder}; the same command goes on")
        raise
