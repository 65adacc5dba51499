"""``vsseval run``, and its first two stages as commands of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsseval.cli.options import FOLDER, passes, request_options, say, say_some, score_table
from vsseval.errors import InputError

if TYPE_CHECKING:
    from vsseval.run import Request, Result


@click.command()
@request_options
@click.option("--out", type=FOLDER, default=Path("results"), show_default=True, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print the record instead of a table.")
def run(requests: Sequence[Request], workers: int, out: Path, as_json: bool) -> None:
    """Generate, encode and score a model on a benchmark, and record the result.

    Whatever was finished before is kept: a stopped run goes on where it was, a run with other
    metrics adds them to the record, and a finished run computes nothing. The record is
    OUT/<bench>/<model>/<run id>/record.json. With --json, one record a line for several models.
    """
    from vsseval.models import find_row
    from vsseval.progress import terminal
    from vsseval.records import record_json
    from vsseval.run import run as run_stages
    from vsseval.workers import Workers

    for request in requests:
        find_row(request.model)
    failed = []
    with Workers(workers) as processes:
        for request in requests:
            result = run_stages(request, out, workers=processes, progress=terminal, say=say_some)
            record = result.record
            if not as_json:
                bench = f"{record.benchmark.name} {record.benchmark.version}"
                click.echo(f"{record.model.name} on {bench}")
                click.echo(score_table(record.scores))
                click.echo(f"record: {result.folder / 'record.json'}")
            elif len(requests) == 1:
                click.echo(record_json(record), nl=False)
            else:
                click.echo(json.dumps(json.loads(record_json(record))))
            _remark(result)
            if not record.counts.generated:
                failed.append(f"{record.model.name}: {next(iter(record.failures.values()))}")
    if failed:
        raise InputError(f"no clip could be generated; the first: {'; '.join(failed)}")


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


@click.command()
@request_options
def generate(requests: Sequence[Request], workers: int) -> None:
    """First stage alone: audio for every item, into the cache; prints its folder."""
    from vsseval.progress import terminal
    from vsseval.run import generate_clips, prepare
    from vsseval.workers import Workers

    with Workers(workers) as processes:
        for request in requests:
            ready = prepare(request)
            say_some(ready.model.notes)
            rows = generate_clips(ready, request, workers=processes, progress=terminal)
            failed = [row for row in rows if row.error]
            click.echo(str(ready.generated))
            say(f"{len(rows) - len(failed)} of {len(rows)} clips are there")
            say_some([f"failed: {row.item_id}: {row.error}" for row in failed])
            if len(failed) == len(rows):
                raise InputError(f"no clip could be generated; the first: {failed[0].error}")


@click.command()
@request_options
def encode(requests: Sequence[Request], workers: int) -> None:
    """Second stage alone: features of what `vsseval generate` made, into the cache."""
    from vsseval.progress import terminal
    from vsseval.run import encode_clips, generated_before, prepare
    from vsseval.workers import Workers

    with Workers(workers) as processes:
        for request in requests:
            ready = prepare(request)
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
