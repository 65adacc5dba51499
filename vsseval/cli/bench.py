"""``vsseval bench``: how fast the heavy steps are, beside the published routes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from vsseval.cli.options import FOLDER, aligned, names, say


@click.command()
@click.option("--out", type=FOLDER, metavar="FILE", help="Write the report there as Markdown.")
@click.option("--only", metavar="a,b", help="Benchmarks by name; default: all but scale and costs.")
@click.option("--quick", is_flag=True, help="Tiny sizes, once each: does it run at all?")
def bench(out: Path | None, only: str | None, quick: bool) -> None:
    """Time the heavy steps beside the published routes, in turn, in this process.

    Keep the machine idle; the full run takes minutes.
    """
    from vsseval.bench.measure import REPEATS, BenchRow
    from vsseval.bench.report import HEADS, cells, speed_report
    from vsseval.bench.table import LONG, SPEED, measure

    load = os.getloadavg()[0]
    rows: list[BenchRow] = []
    for name in names(only) or [name for name in SPEED if name not in LONG]:
        say(f"bench {name}")
        rows += measure(name, quick=quick)
    if out is None:
        click.echo(aligned([HEADS, *map(cells, rows)]))
        return
    repeats = 1 if quick else REPEATS
    chosen = (f" --only {only}" if only else "") + (" --quick" if quick else "")
    out.parent.mkdir(parents=True, exist_ok=True)
    report = speed_report(rows, f"vsseval bench{chosen}", repeats=repeats, load=load)
    out.write_text(report, encoding="utf-8")
    click.echo(str(out))
