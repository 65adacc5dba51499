"""The stages in a row: generate, encode, score, record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsseval.benchmarks.manifest import first_items, load_benchmark
from vsseval.devices import require_device
from vsseval.errors import InputError
from vsseval.features import Encoded, encode
from vsseval.generate import (
    folder_name,
    generate,
    generation_folder,
    kept,
)
from vsseval.models import LoadedModel, ModelLoader, find_row, load_model
from vsseval.outputs import check_files
from vsseval.progress import Progress, silent
from vsseval.ranks import Ranks
from vsseval.records import RunRecord, run_id, write_record
from vsseval.run_record import record_of
from vsseval.score import Scored, find_metrics, needs, score_metrics, with_shared_encoders
from vsseval.shards import Shard
from vsseval.sources import sources
from vsseval.types import Benchmark, Generation, Metric
from vsseval.workers import Workers


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks of a run."""

    model: str
    """A name of the ``MODELS`` table, ``folder:PATH``, or ``package.module:load``."""
    bench: str
    cache: Path
    metrics: tuple[str, ...] = ()
    """Metric ids; empty for the benchmark's own."""
    limit: int | None = None
    """Only the first so many items."""
    seed: int = 0
    takes: int = 1
    checkpoint: Path | None = None
    data: Path | None = None
    """Folder of the benchmark, for one that is not embedded."""
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run."""

    record: RunRecord
    folder: Path
    """Where ``record.json`` and ``clips.csv`` are."""
    generated_now: int
    """Clips that were not there before."""
    encoded: Encoded


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request with everything it names looked up."""

    whole: Benchmark
    benchmark: Benchmark
    """The items that are asked for."""
    limit: int | None
    """None if the limit leaves nothing out."""
    model: LoadedModel
    metrics: tuple[Metric, ...]
    generated: Path
    """Folder of the generated audio."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the first two stages leave in the cache, and how much of it is new."""

    rows: Sequence[Generation]
    generated_now: int
    """Clips that were not there before."""
    encoded: Encoded


def run(
    request: Request,
    out: Path,
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
    say: Callable[[Sequence[str]], None] = lambda lines: None,
) -> Result:
    """Generate, encode and score; the record is in ``<out>/<bench>/<model>/<run id>``.

    Args:
        request: What is asked for.
        out: Root of the results.
        workers: Processes to share the work; None for this one.
        progress: Where steps are shown.
        say: Given the model's own notes before the work begins, such as the coverage of a folder.

    Raises:
        VssevalError: a name, file or weight that is not there, or not as it should be.
        OSError: the disk is full or cannot be written; finished clips and features are kept.
    """
    ready = prepare(request)
    say(ready.model.notes)
    return finish(ready, request, out, workers=workers, progress=progress)


def run_as_rank(
    ranks: Ranks,
    request: Request,
    out: Path,
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
    say: Callable[[Sequence[str]], None] = lambda lines: None,
) -> Result | None:
    """:func:`run` by several processes: each makes its shard, then rank 0 scores and records.

    Ranks but the first show no progress and get None. The arguments are those of :func:`run`.

    Raises:
        VssevalError: as :func:`run`, on every rank if it happens on one; or a rank died.
        OSError: as :func:`run`.
    """
    first = ranks.rank == 0
    shown = progress if first else silent

    def make_shard() -> tuple[Prepared, Made]:
        ready = prepare(request, ranks.shard)
        if first:
            say(ready.model.notes)
        return ready, make(part(ready, ranks.shard), request, workers=workers, progress=shown)

    ready, made = ranks.together(make_shard)
    generated_now, passes = ranks.sums(made.generated_now, made.encoded.network_passes)

    def score() -> Result | None:
        if not first:
            return None
        result = finish(ready, request, out, workers=workers, progress=shown)
        passes_of_all = passes + result.encoded.network_passes
        encoded = replace(result.encoded, network_passes=passes_of_all)
        return replace(result, generated_now=generated_now, encoded=encoded)

    return ranks.together(score)


def part(ready: Prepared, shard: Shard | None) -> Prepared:
    """The same with the items of a shard alone; None is the whole."""
    if shard is None:
        return ready
    items = tuple(shard.of(ready.benchmark.items, ready.model.group))
    return replace(ready, benchmark=replace(ready.benchmark, items=items))


def make(
    ready: Prepared,
    request: Request,
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Made:
    """Generate and encode, and score nothing: what one shard of a run does."""
    before = len(kept(ready.generated, ready.benchmark, request.takes, cache=request.cache))
    rows = generate_clips(ready, request, workers=workers, progress=progress)
    generated_now = sum(row.path is not None for row in rows) - before
    encoded = encode_clips(ready, request, rows, workers=workers, progress=progress)
    return Made(rows, generated_now, encoded)


def finish(
    ready: Prepared,
    request: Request,
    out: Path,
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Result:
    """Generate and encode what is not in the cache yet, score, record."""
    made = make(ready, request, workers=workers, progress=progress)
    rows, encoded = made.rows, made.encoded
    scored = score_all(
        ready.metrics,
        ready.benchmark,
        encoded,
        rows,
        takes=request.takes,
        limit=ready.limit,
        progress=progress,
    )
    scored = [
        with_shared_encoders(one, metric, ready.model.signature)
        for metric, one in zip(ready.metrics, scored, strict=True)
    ]
    identity = run_id(
        ready.model.signature, ready.whole.digest, request.seed, request.takes, ready.limit
    )
    folder = out / folder_name(ready.whole.name) / folder_name(ready.model.name) / identity
    sanity = check_files(ready.benchmark, rows, workers=workers, progress=progress)
    record = record_of(
        identity,
        ready.model,
        ready.whole,
        ready.benchmark,
        rows,
        scored,
        sanity,
        seed=request.seed,
        takes=request.takes,
        limit=ready.limit,
        device=request.device,
    )
    record = write_record(folder, record, scored)
    return Result(record, folder, made.generated_now, encoded)


def prepare(request: Request, shard: Shard | None = None) -> Prepared:
    """Benchmark, metrics and model of a request, before any work is done.

    Args:
        request: What is asked for.
        shard: Whose media are hashed first, while others hash theirs.

    Raises:
        VssevalError: one of them is unknown, missing or not as it should be.
    """
    # Before digests are remembered: a wrong name or device leaves nothing behind.
    require_device(request.device)
    find_row(request.model)
    find_metrics(request.metrics)
    whole = load_benchmark(request.bench, request.data, cache=request.cache, shard=shard)
    benchmark = first_items(whole, request.limit)
    limit = request.limit if len(benchmark.items) < len(whole.items) else None
    metrics = tuple(find_metrics(request.metrics or whole.metrics))
    model = load_model(request.model, whole, checkpoint=request.checkpoint, device=request.device)
    generated = generation_folder(request.cache, whole, model.signature, request.seed)
    return Prepared(whole, benchmark, limit, model, metrics, generated)


def generate_clips(
    ready: Prepared,
    request: Request,
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> list[Generation]:
    """First stage; on a GPU the one model is in this process."""
    load = None
    if workers is not None and request.device == "cpu":
        benchmark = workers.share(ready.whole)
        load = ModelLoader(request.model, benchmark, request.checkpoint, request.device)
    return generate(
        ready.model.model,
        ready.benchmark,
        ready.generated,
        seed=request.seed,
        takes=request.takes,
        workers=workers,
        load=load,
        cache=request.cache,
        progress=progress,
    )


def generated_before(ready: Prepared, request: Request) -> list[Generation]:
    """Rows of an earlier ``generate`` with the same request.

    Raises:
        InputError: there are none.
    """
    rows = kept(ready.generated, ready.benchmark, request.takes, cache=request.cache)
    if ready.benchmark.items and not rows:
        raise InputError(
            f"nothing generated in {ready.generated}; run `vsseval generate --model "
            f"{request.model} --bench {request.bench}` first, or `vsseval run`, which does both"
        )
    return rows


def encode_clips(
    ready: Prepared,
    request: Request,
    rows: Sequence[Generation],
    *,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Encoded:
    """Second stage."""
    return encode(
        needs(ready.metrics),
        sources(ready.benchmark, rows, request.takes),
        request.cache,
        device=request.device,
        workers=workers,
        progress=progress,
    )


def score_all(
    metrics: Iterable[Metric],
    benchmark: Benchmark,
    encoded: Encoded,
    rows: Sequence[Generation],
    *,
    takes: int,
    limit: int | None,
    progress: Progress = silent,
) -> list[Scored]:
    """Third stage."""
    return score_metrics(
        list(metrics),
        benchmark,
        encoded.tables,
        {(row.item_id, row.take): row.error for row in rows if row.error},
        takes=takes,
        items_note=f"first{limit}" if limit else "",
        progress=progress,
    )
