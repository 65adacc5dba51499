"""Commands that only look: report, compare, list, explain, doctor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsseval.cli.options import FOLDER, aligned, say
from vsseval.errors import InputError

if TYPE_CHECKING:
    from vsseval.types import Finding


@click.command()
@click.argument("results", type=FOLDER, default=Path("results"))
@click.option(
    "--out", type=FOLDER, metavar="FILE", help="Write the Markdown here, print a short table."
)
@click.option(
    "--into", type=FOLDER, metavar="FILE", help="Put the short table between the marks in FILE."
)
@click.option("--json", "as_json", is_flag=True, help="Print the records as one JSON list.")
def report(results: Path, out: Path | None, into: Path | None, as_json: bool) -> None:
    """The leaderboard of all records below RESULTS, as Markdown.

    With --into, the lines of FILE between <!-- leaderboard --> and <!-- /leaderboard --> become the
    short table that --out prints.
    """
    from vsseval.files import write_atomic
    from vsseval.records import find_records, record_json
    from vsseval.reports.markdown import report as write_report
    from vsseval.reports.terminal import insert_summary, summary

    records = [record for _, record in find_records(results)]
    if not records:
        raise InputError(f"no record.json below {results}; `vsseval run ... --out {results}` first")
    if as_json:
        click.echo(json.dumps([json.loads(record_json(record)) for record in records], indent=1))
        return
    if into is not None:
        if not into.is_file():
            raise InputError(f"no file {into} to put the leaderboard into")
        write_atomic(into, insert_summary(into.read_text(encoding="utf-8"), records).encode())
        say(f"leaderboard: {into}")
    if out is None:
        if into is None:
            click.echo(write_report(records), nl=False)
        return
    write_atomic(out, write_report(records).encode())
    click.echo(summary(records))
    say(f"report: {out}")


@click.command()
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def compare(first: Path, second: Path, as_json: bool) -> None:
    """Two runs on one benchmark, metric by metric, on the clips that both scored.

    FIRST and SECOND are record.json files or the folders that hold them. The difference is second -
    first.
    """
    from vsseval.reports.compare import compare as compare_runs
    from vsseval.reports.markdown import ARROW, EMPTY, number

    differences = compare_runs(first, second)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in differences], indent=1, allow_nan=False))
        return

    def shown(value: float | None) -> str:
        return EMPTY if value is None else number(value)

    rows = [("metric", "first", "second", "difference", "95 % interval", "clips", "")]
    rows += [
        (
            f"{one.metric} {ARROW[one.better]}",
            shown(one.first),
            shown(one.second),
            shown(one.difference),
            f"[{shown(one.interval[0])}, {shown(one.interval[1])}]" if one.interval else "",
            "" if one.n_both is None else str(one.n_both),
            one.note,
        )
        for one in differences
    ]
    click.echo(aligned(rows))


@click.command(name="list")
@click.argument("what", type=click.Choice(["models", "benches", "metrics", "weights"]))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_(what: str, as_json: bool) -> None:
    """What can be asked for by name."""
    tables = {"models": _models, "benches": _benches, "metrics": _metrics, "weights": _weights}
    rows = tables[what]()
    if as_json:
        head, *lines = rows
        entries = [dict(zip(head, line, strict=True)) for line in lines]
        click.echo(json.dumps(entries, indent=1))
    else:
        click.echo(aligned(rows))


def _models() -> list[tuple[str, ...]]:
    from vsseval.models import MODELS

    rows: list[tuple[str, ...]] = [("name", "kind", "what")]
    for row in MODELS.values():
        name = f"{row.name}:{row.argument}" if row.argument else row.name
        rows.append((name, row.kind, row.title))
    return [*rows, ("package.module:load", "system", "any function that returns a model")]


def _benches() -> list[tuple[str, ...]]:
    from vsseval.benchmarks.table import BENCHMARKS, DEFAULT_DATA, EMBEDDED_MEDIA

    rows: list[tuple[str, ...]] = [("name", "here", "what", "how to get the media")]
    for row in BENCHMARKS.values():
        root = EMBEDDED_MEDIA if row.embedded else DEFAULT_DATA
        here = (root / row.name / "benchmark.json").is_file()
        get = "packaged" if row.embedded and here else row.how_to_get
        rows.append((row.name, "yes" if here else "no", row.title, get))
    return rows


def _metrics() -> list[tuple[str, ...]]:
    from vsseval.metrics.table import METRICS
    from vsseval.reports.markdown import ARROW
    from vsseval.score import lacking_weights

    head = ("metric", "for", "scope", "unit", "better", "profile", "what", "weights", "source")
    rows: list[tuple[str, ...]] = [head]
    for row in METRICS.values():
        lacking = "; ".join(lacking_weights(row))
        rows.append(
            (
                row.id,
                row.task,
                row.scope,
                row.unit,
                f"{row.better} {ARROW[row.better]}",
                row.id.partition("@")[2],
                row.title,
                f"missing: {lacking}" if lacking else "here",
                row.source,
            )
        )
    return rows


def _weights() -> list[tuple[str, ...]]:
    from vsseval.cli.assets import weight_rows

    return weight_rows()


@click.command()
@click.argument("metric")
def explain(metric: str) -> None:
    """Definition, formula, inputs and source of METRIC."""
    from vsseval.metrics.table import metric as find_metric
    from vsseval.reports.metric_docs import explain as explain_metric

    click.echo(explain_metric(find_metric(metric)))


@click.command()
def doctor() -> None:
    """What is installed and what is missing, with what to type about it."""
    from vsseval.doctor import examine

    _show_findings(examine())


@click.group()
def models() -> None:
    """Systems that run in an environment of their own."""


@models.command(name="doctor")
@click.argument("name")
@click.option("--checkpoint", type=FOLDER, metavar="FILE", help="TOML file; default: models.toml.")
def model_doctor(name: str, checkpoint: Path | None) -> None:
    """What NAME needs: interpreter, packages, checkout, weights; and what to do about each."""
    from vsseval.models import examine_model

    _show_findings(examine_model(name, checkpoint))


def _show_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(f"{'ok     ' if finding.ok else 'missing'}  {finding.what}")
        if finding.remedy:
            click.echo(f"         -> {finding.remedy}")
    missing = sum(not finding.ok for finding in findings)
    if missing:
        raise InputError(f"{missing} of {len(findings)} things are missing")
