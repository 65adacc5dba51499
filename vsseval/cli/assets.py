"""``vsseval weights`` and ``vsseval data``: what is fetched or made before a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from vsseval.cli.options import NO_FILE, cores, fitted, say
from vsseval.errors import MissingWeightsError

if TYPE_CHECKING:
    from vsseval.weights import PartState


@click.group()
def weights() -> None:
    """The store of pretrained parts."""


@weights.command(name="list")
def list_() -> None:
    """Every part: whether it is here, its size, licence, and what needs it."""
    click.echo(fitted(weight_rows()))


def weight_rows() -> list[tuple[str, ...]]:
    """Rows of the table of parts, heading first."""
    from vsseval.weights import status
    from vsseval.weights_table import WEIGHTS

    rows: list[tuple[str, ...]] = [("part", "state", "MB", "licence", "needed by", "what")]
    for state in status(WEIGHTS):
        part = WEIGHTS[state.name]
        size = "?" if state.size is None else f"{state.size / 1e6:.1f}"
        needed = ", ".join(part.needed_by)
        rows.append((state.name, state.state, size, part.licence, needed, part.title))
    return rows


@weights.command()
@click.argument("parts", nargs=-1, required=True)
def pull(parts: tuple[str, ...]) -> None:
    """Bring PARTS into the store: part names, or the groups demo and all."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from vsseval.weights import pull as pull_parts

    columns = (TextColumn("{task.description:<32}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        tasks = {}

        def show(name: str, done: int, total: int) -> None:
            part = name.partition("/")[0]
            if part not in tasks:
                tasks[part] = bar.add_task(part, total=total)
            bar.update(tasks[part], completed=done, total=total)

        states = pull_parts(parts, progress=show)
    _show(states)


@weights.command()
@click.argument("part")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def add(part: str, files: tuple[Path, ...]) -> None:
    """Copy FILES that you have into the store as PART, whose sha256 nobody publishes.

    Their digests are kept and stand in the signature of every number they move.
    """
    from vsseval.weights import add as add_part

    _show([add_part(part, files)])


@weights.command()
@click.argument("parts", nargs=-1)
def verify(parts: tuple[str, ...]) -> None:
    """Hash every byte of PARTS (default: demo) anew; exit status 2 if one is missing or wrong."""
    from vsseval.weights import verify as verify_parts

    states = verify_parts(parts or ("demo",))
    _show(states)
    bad = [state.name for state in states if state.state != "ok"]
    if bad:
        command = f"vsseval weights pull {' '.join(bad)}"
        raise MissingWeightsError(f"not right: {', '.join(bad)}; run `{command}`")


def _show(states: Sequence[PartState]) -> None:
    for state in states:
        click.echo(f"{state.state:8} {state.name:18} {state.path}")
        for problem in state.problems:
            say(f"  {problem}")


@click.group()
def data() -> None:
    """Making benchmarks."""


@data.command()
@click.option("--split", type=click.Choice(["train", "val", "test"]), required=True)
@click.option("--out", type=NO_FILE, required=True, metavar="DIR")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Clips of each.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=cores, show_default="all cores", metavar="N"
)
def demo(
    split: Literal["train", "val", "test"], out: Path, count: int | None, workers: int
) -> None:
    """Write DIR/demo-sound and DIR/demo-speech; needs flite (Debian package flite).

    Two runs give the same bytes of audio and the same frames.
    """
    from vsseval.benchmarks.demo import generate_demo
    from vsseval.progress import terminal

    generate_demo(split, out, count=count, workers=workers, progress=terminal)
    click.echo(str(out))
