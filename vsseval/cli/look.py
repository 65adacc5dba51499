"""Commands that only look: report, list, explain, doctor."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsseval.cli.options import FOLDER, SLICE_OPTION, fitted, names, say
from vsseval.cli.pages import media_options
from vsseval.errors import InputError

if TYPE_CHECKING:
    from vsseval.reports.html.media import Sources
    from vsseval.reports.pairs import Results
    from vsseval.types import Finding

FORMATS = ("markdown", "csv", "json", "latex")


@click.command()
@click.argument("results", type=FOLDER, nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="markdown",
    show_default=True,
    help="What to write.",
)
@click.option("--preset", metavar="P", help="The columns of a paper; `list presets` names them.")
@click.option("--metrics", metavar="a,b", help="Only these columns, in this order; * fits all.")
@SLICE_OPTION
@click.option("--out", type=FOLDER, metavar="FILE", help="Write it here, print a short table.")
@click.option(
    "--into", type=FOLDER, metavar="FILE", help="Put the short table between the marks in FILE."
)
@click.option("--html", type=FOLDER, metavar="FILE", help="Write one HTML page with media here.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as one JSON list.")
@media_options
def report(
    results: tuple[Path, ...],
    form: str,
    preset: str | None,
    metrics: str | None,
    slices: tuple[str, ...],
    out: Path | None,
    into: Path | None,
    html: Path | None,
    as_json: bool,
    sources: Sources,
) -> None:
    """The leaderboard of all records below the folders RESULTS (default: results).

    With --into, the lines of FILE between <!-- leaderboard --> and <!-- /leaderboard --> become the
    short table that --out prints. Slices are what the manifest names, and label=..., speaker=...,
    setting=...; of several, Markdown is one table, and an HTML page has a leaderboard and clips of
    each.
    """
    from vsseval.files import write_atomic
    from vsseval.records import record_json
    from vsseval.reports.pairs import find_results
    from vsseval.reports.presets import preset as find_preset
    from vsseval.reports.slices import left_out, membership, on_slices
    from vsseval.reports.terminal import insert_summary, summary

    if slices and as_json:
        raise InputError(
            "--slice goes with --format, --html, --out and --into; --json prints whole records"
        )
    folders = results or (Path("results"),)
    found = find_results(*folders)
    if not found.records:
        below = ", ".join(map(str, folders))
        raise InputError(
            f"no record.json below {below}; `vsseval run ... --out {folders[0]}` first"
        )
    if as_json:
        click.echo(json.dumps([json.loads(record_json(one)) for one in found.records], indent=1))
        return
    if slices:
        found = on_slices(found, slices, membership(found.records, sources.data))
        for line in left_out(found):
            say(line)
    patterns = [*(find_preset(preset) if preset else ()), *names(metrics)]
    if into is not None:
        if not into.is_file():
            raise InputError(f"no file {into} to put the leaderboard into")
        write_atomic(into, insert_summary(into.read_text(encoding="utf-8"), found).encode())
        say(f"leaderboard: {into}")
    if html is not None:
        from vsseval.reports.html.page import write_report

        write_report(found, html, sources, patterns)
        say(f"page: {html} ({html.stat().st_size / 1e6:.1f} MB)")
    if out is None:
        if into is None and html is None:
            click.echo(_writers()[form](found, patterns), nl=False)
        return
    write_atomic(out, _writers()[form](found, patterns).encode())
    click.echo(summary(found))
    say(f"report: {out}")


def _writers() -> Mapping[str, Callable[[Results, list[str]], str]]:
    """What writes each of ``FORMATS``."""
    from vsseval.reports.latex import latex_report
    from vsseval.reports.markdown import report as markdown_report
    from vsseval.reports.tabular import csv_report, json_report

    return dict(zip(FORMATS, (markdown_report, csv_report, json_report, latex_report), strict=True))


WHAT = ["models", "benches", "metrics", "profiles", "weights", "presets"]
IN_JSON_ALONE = {"metrics": ("scope", "profile", "what", "lacking"), "weights": ("needed by",)}
"""Columns that a terminal has no room for; the profile of a metric is the end of its id."""


@click.command(name="list")
@click.argument("what", type=click.Choice(WHAT))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_(what: str, as_json: bool) -> None:
    """What can be asked for by name.

    Tables are as wide as the terminal; --json has every column whole.
    """
    tables = {
        "models": _models,
        "benches": _benches,
        "metrics": _metrics,
        "profiles": _profiles,
        "weights": _weights,
        "presets": _presets,
    }
    rows = tables[what]()
    if as_json:
        head, *lines = rows
        entries = [dict(zip(head, line, strict=True)) for line in lines]
        click.echo(json.dumps(entries, indent=1))
        return
    hidden = [rows[0].index(name) for name in IN_JSON_ALONE.get(what, ())]
    shown = [[cell for at, cell in enumerate(row) if at not in hidden] for row in rows]
    click.echo(fitted(shown, wrap=what != "metrics"))
    if what == "metrics":
        for line in _missing_weights():
            click.echo(line)


def _missing_weights() -> list[str]:
    """What to type for the metrics whose weights are missing, and how many metrics it brings."""
    from vsseval.metrics.table import METRICS
    from vsseval.score import lacking_weights

    count = Counter(command for row in METRICS.values() for command in lacking_weights(row))
    return [f"weights missing: {command}  (metrics: {number})" for command, number in count.items()]


def _models() -> list[tuple[str, ...]]:
    from vsseval.models import MODELS

    rows: list[tuple[str, ...]] = [("name", "kind", "what")]
    for row in MODELS.values():
        name = f"{row.name}:{row.argument}" if row.argument else row.name
        rows.append((name, row.kind, row.title))
    return [*rows, ("package.module:load", "system", "any function that returns a model")]


def _benches() -> list[tuple[str, ...]]:
    from vsseval.benchmarks.table import BENCHMARKS, EMBEDDED_MEDIA, default_data

    rows: list[tuple[str, ...]] = [("name", "here", "what", "how to get the media")]
    for row in BENCHMARKS.values():
        root = EMBEDDED_MEDIA if row.embedded else default_data()
        here = (root / row.name / "benchmark.json").is_file()
        get = "packaged" if row.embedded and here else row.how_to_get
        rows.append((row.name, "yes" if here else "no", row.title, get))
    return rows


def _metrics() -> list[tuple[str, ...]]:
    from vsseval.metrics.table import METRICS
    from vsseval.reports.markdown import ARROW
    from vsseval.score import lacking_weights

    head = "metric for scope unit better profile what weights lacking source"
    rows: list[tuple[str, ...]] = [tuple(head.split())]
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
                "missing" if lacking else "here",
                lacking,
                row.source,
            )
        )
    return rows


def _profiles() -> list[tuple[str, ...]]:
    from vsseval.metrics.profiles import PROFILES

    rows: list[tuple[str, ...]] = [("profile", "stands for", "metrics")]
    return rows + [
        (name, row.stands_for, ", ".join(row.metrics) or f"none: {row.reason}")
        for name, row in PROFILES.items()
    ]


def _weights() -> list[tuple[str, ...]]:
    from vsseval.cli.assets import weight_rows

    return weight_rows()


def _presets() -> list[tuple[str, ...]]:
    from vsseval.reports.presets import PRESETS

    rows: list[tuple[str, ...]] = [("preset", "columns")]
    return rows + [(name, ", ".join(patterns)) for name, patterns in PRESETS.items()]


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
