"""``vsseval run``, and its first two stages as commands of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsseval.cli.options import NO_FILE, passes, request_options, say, say_some, score_table
from vsseval.errors import InputError

if TYPE_CHECKING:
    from vsseval.run import Request, Result
    from vsseval.shards import Shard
    from vsseval.workers import Workers


@click.command()
@request_options
@click.option("--out", type=NO_FILE, default=Path("results"), show_default=True, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print the record instead of a table.")
def run(
    requests: Sequence[Request], workers: int, shard: Shard | None, out: Path, as_json: bool
) -> None:
    """Generate, encode and score a model on a benchmark, and record the result.

    Whatever was finished before is kept: a stopped run goes on where it was, a run with other
    metrics adds them to the record, and a finished run computes nothing. The record is
    OUT/<bench>/<model>/<run id>/record.json. With --json, one record a line for several models.

    With --shard, items of the shard are generated and encoded and nothing is scored; when all
    shards are done, the same command without --shard scores. Under torchrun every rank takes a
    shard, and rank 0 scores.
    """
    from vsseval.models import find_row
    from vsseval.progress import terminal
    from vsseval.ranks import joined, ranks_of_environment, take_gpu
    from vsseval.run import run as run_stages
    from vsseval.run import run_as_rank
    from vsseval.workers import Workers

    for request in requests:
        find_row(request.model)
    ranks = ranks_of_environment()
    if ranks is not None and shard is not None:
        raise InputError("--shard and torchrun both share out the items: use one of them")
    failed: list[str] = []
    with ExitStack() as stack:
        if ranks is not None:
            stack.enter_context(joined(ranks))
            if requests[0].device == "cuda":
                ranks.together(partial(take_gpu, ranks))
        processes = stack.enter_context(Workers(workers))
        for request in requests:
            if shard is not None:
                failed += _run_shard(shard, request, processes)
                continue
            go = run_stages if ranks is None else partial(run_as_rank, ranks)
            result = go(request, out, workers=processes, progress=terminal, say=say_some)
            if result is not None:
                failed += _show(result, as_json, alone=len(requests) == 1)
    if failed:
        raise InputError(f"no clip could be generated; the first: {'; '.join(failed)}")


def _refuse_ranks(shard: Shard | None) -> None:
    """Several ranks of a single stage would all do the same."""
    from vsseval.ranks import ranks_of_environment

    if shard is None and ranks_of_environment() is not None:
        raise InputError("torchrun shares out `vsseval run` alone; give each process its --shard")


def _show(result: Result, as_json: bool, *, alone: bool) -> list[str]:
    """Print a finished run; a line if nothing could be generated."""
    from vsseval.records import record_json

    record = result.record
    if not as_json:
        bench = f"{record.benchmark.name} {record.benchmark.version}"
        click.echo(f"{record.model.name} on {bench}")
        click.echo(score_table(record.scores))
        click.echo(f"record: {result.folder / 'record.json'}")
    elif alone:
        click.echo(record_json(record), nl=False)
    else:
        click.echo(json.dumps(json.loads(record_json(record))))
    _remark(result)
    if record.counts.generated:
        return []
    return [f"{record.model.name}: {next(iter(record.failures.values()))}"]


def _run_shard(shard: Shard, request: Request, workers: Workers) -> list[str]:
    """One shard into the cache; a line if nothing of it could be generated."""
    from vsseval.progress import terminal
    from vsseval.run import make, part, prepare

    ready = part(prepare(request, shard), shard)
    say_some(ready.model.notes)
    made = make(ready, request, workers=workers, progress=terminal)
    failed = [row for row in made.rows if row.error]
    say_some([f"warning: {message}" for message in made.encoded.lacking])
    say_some([f"failed: {row.item_id}: {row.error}" for row in failed])
    say(
        f"shard {shard}: {len(made.rows) - len(failed)} of {len(made.rows)} clips are there, "
        f"{made.generated_now} of them new; {passes(made.encoded)}; "
        "when all shards are done, the same command without --shard scores"
    )
    if failed and len(failed) == len(made.rows):
        return [f"{ready.model.name}: {failed[0].error}"]
    return []


def _remark(result: Result) -> None:
    """What was computed, and what to mind."""
    record, encoded = result.record, result.encoded
    new = result.generated_now
    kept = f"{new} clips generated" if new else "0 clips generated (all kept)"
    say(f"{kept}; {passes(encoded)}")
    say_some([f"warning: {message}" for message in encoded.lacking])
    say_some([f"warning: {label}: {text}" for label, text in record.warnings.items()])
    if record.counts.failed:
        say(f"warning: {record.counts.failed} of {record.counts.expected} clips were not generated")
        say_some([f"failed: {label}: {text}" for label, text in record.failures.items()])


@click.command()
@request_options
def generate(requests: Sequence[Request], workers: int, shard: Shard | None) -> None:
    """First stage alone: audio for every item, into the cache; prints its folder."""
    from vsseval.progress import terminal
    from vsseval.run import generate_clips, part, prepare
    from vsseval.workers import Workers

    _refuse_ranks(shard)
    with Workers(workers) as processes:
        for request in requests:
            ready = part(prepare(request, shard), shard)
            say_some(ready.model.notes)
            rows = generate_clips(ready, request, workers=processes, progress=terminal)
            failed = [row for row in rows if row.error]
            click.echo(str(ready.generated))
            say(f"{len(rows) - len(failed)} of {len(rows)} clips are there")
            say_some([f"failed: {row.item_id}: {row.error}" for row in failed])
            if failed and len(failed) == len(rows):
                raise InputError(f"no clip could be generated; the first: {failed[0].error}")


@click.command()
@request_options
def encode(requests: Sequence[Request], workers: int, shard: Shard | None) -> None:
    """Second stage alone: features of what `vsseval generate` made, into the cache."""
    from vsseval.progress import terminal
    from vsseval.run import encode_clips, generated_before, part, prepare
    from vsseval.workers import Workers

    _refuse_ranks(shard)
    with Workers(workers) as processes:
        for request in requests:
            ready = part(prepare(request, shard), shard)
            rows = generated_before(ready, request)
            encoded = encode_clips(ready, request, rows, workers=processes, progress=terminal)
            for (source, encoder), found in encoded.tables.items():
                click.echo(f"{source}:{encoder}  {len(found.rows)} clips  {found.signature}")
                say_some(
                    [
                        f"missing: {source}:{encoder}: {key[0]}: {why}"
                        for key, why in found.missing.items()
                    ]
                )
            say(passes(encoded))
