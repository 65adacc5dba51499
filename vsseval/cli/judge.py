"""Commands that judge runs: compare, inspect, gate."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from vsseval.cli.options import DATA_OPTION, FOLDER, SLICE_OPTION, say


@click.command()
@click.argument("first", type=FOLDER)
@click.argument("second", type=FOLDER)
@SLICE_OPTION
@DATA_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
def compare(
    first: Path, second: Path, slices: tuple[str, ...], data: tuple[Path, ...], as_json: bool
) -> None:
    """Two runs on one benchmark, metric by metric, on the clips that both scored.

    FIRST and SECOND are record.json files or the folders that hold them. The difference is second -
    first, with a paired test, Holm's correction over the metrics, and the clips that decide it.
    With --slice a comparison for each slice.
    """
    from vsseval.reports.compare import differences, markdown, open_runs, slices_of_runs

    runs = open_runs(first, second)
    parts, alone = slices_of_runs(runs, slices, data) if slices else ({"": runs}, [])
    for name in alone:
        say(f"{name}: only one of the runs has clips of it, so it is left out")
    found = [(name, differences(part)) for name, part in parts.items()]
    if as_json:
        entries = [
            {**({"slice": name} if name else {}), **asdict(one), "verdict": one.verdict}
            for name, of_slice in found
            for one in of_slice
        ]
        click.echo(json.dumps(entries, indent=1, allow_nan=False))
        return
    one, two = runs.first.model.name, runs.second.model.name
    if one == two:
        one, two = f"{one} (first)", f"{two} (second)"
    for name, of_slice in found:
        if name:
            click.echo(f"## Slice {name}\n")
        click.echo(markdown(of_slice, {"first": one, "second": two}), nl=False)


@click.command()
@click.argument("run", type=FOLDER)
@click.argument("clip")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
def inspect(run: Path, clip: str, as_json: bool) -> None:
    """All scores of one CLIP of a RUN, with its rank among the clips of the run.

    RUN is a record.json or the folder that holds it; CLIP an item id, with .take1 and so on for
    further takes.
    """
    from vsseval.reports.clip import inspect_clip, markdown

    found = inspect_clip(run, clip)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1, allow_nan=False))
    else:
        click.echo(markdown(found), nl=False)


@click.command()
@click.option("--baseline", type=FOLDER, required=True, metavar="RECORD", help="What to hold.")
@click.option("--candidate", type=FOLDER, required=True, metavar="RECORD", help="What is new.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="M[:MARGIN]",
    help="Judge this metric, allow this change: wer:+1.0, onset_f1:-0.02. Default: all, none.",
)
@SLICE_OPTION
@DATA_OPTION
@click.option("--junit", type=FOLDER, metavar="FILE", help="Write JUnit XML here.")
@click.option("--summary", type=FOLDER, metavar="FILE", help="Add the Markdown to this file.")
def gate(
    baseline: Path,
    candidate: Path,
    metrics: tuple[str, ...],
    slices: tuple[str, ...],
    data: tuple[Path, ...],
    junit: Path | None,
    summary: Path | None,
) -> None:
    """Exit 1 if the candidate is worse than the baseline.

    Worse means significantly worse beyond the margin on the clips of both, or that clips, values or
    metrics are missing that the baseline had. With --slice each slice is judged by its own clips,
    and the whole is not. Records that do not compare end in status 2.
    """
    from vsseval.files import write_atomic
    from vsseval.reports.gate import gate as judge
    from vsseval.reports.gate_text import junit as junit_xml
    from vsseval.reports.gate_text import markdown

    verdict = judge(baseline, candidate, metrics, slices, data)
    text = markdown(verdict)
    if junit is not None:
        write_atomic(junit, junit_xml(verdict).encode())
    if summary is not None:
        # Appended, as the job summary of a workflow is one file for all its steps.
        summary.parent.mkdir(parents=True, exist_ok=True)
        with summary.open("a", encoding="utf-8") as stream:
            stream.write(text)
    click.echo(text, nl=False)
    if not verdict.passed:
        say("the gate did not pass")
        click.get_current_context().exit(1)
