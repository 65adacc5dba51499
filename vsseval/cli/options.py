"""Options that several commands share, and how tables are printed."""

from __future__ import annotations

import functools
import os
import shutil
import textwrap
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsseval.errors import InputError

if TYPE_CHECKING:
    from vsseval.features import Encoded
    from vsseval.shards import Shard
    from vsseval.types import Score

Command = Callable[..., Any]

LEAST_COLUMN = 12
"""What columns of a table keep when they give way [characters]."""
FOLDER = click.Path(path_type=Path)
NO_FILE = click.Path(path_type=Path, file_okay=False)
"""A folder to write to, which may not be there yet; a file of that name is refused at once."""


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes() -> int:
    """Cores for this process where it shares the machine with other ranks of ``torchrun``."""
    ranks = os.environ.get("LOCAL_WORLD_SIZE", "1")
    return max(1, cores() // max(1, int(ranks))) if ranks.isdigit() else cores()


def request_options(command: Command) -> Command:
    """The options that say what to generate and encode, given as a ``Request`` for each model."""

    @functools.wraps(command)
    def with_requests(
        *,
        model: tuple[str, ...],
        bench: str,
        metrics: str | None,
        limit: int | None,
        seed: int,
        takes: int,
        checkpoint: Path | None,
        data: Path | None,
        cache: Path | None,
        device: str,
        **own: object,
    ) -> None:
        from vsseval.files import default_cache
        from vsseval.run import Request

        requests = [
            Request(
                model=name,
                bench=bench,
                cache=cache or default_cache(),
                metrics=names(metrics),
                limit=limit,
                seed=seed,
                takes=takes,
                checkpoint=checkpoint,
                data=data,
                device=device,
            )
            for name in dict.fromkeys(model)
        ]
        command(requests, **own)

    options = [
        click.option(
            "--model",
            required=True,
            multiple=True,
            metavar="M",
            help="A name of `vsseval list models`, folder:PATH, or package.module:load; more than "
            "once for several.",
        ),
        click.option(
            "--bench", required=True, metavar="B", help="A name of `vsseval list benches`."
        ),
        click.option(
            "--metrics",
            metavar="a,b",
            help="Metric ids, or @profile; default: the benchmark's own.",
        ),
        click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only N items."),
        click.option("--seed", type=int, default=0, show_default=True, metavar="S"),
        click.option(
            "--takes",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            metavar="K",
            help="Clips to generate for each item.",
        ),
        click.option(
            "--checkpoint",
            type=FOLDER,
            metavar="P",
            help="Weights of the model, or its models.toml.",
        ),
        click.option("--data", type=FOLDER, metavar="DIR", help="Folder of the benchmark."),
        click.option(
            "--shard",
            callback=_shard,
            metavar="I/N",
            help="Only every N-th item, from the I-th: for machines that share a cache folder.",
        ),
        *MACHINE_OPTIONS,
    ]
    return _apply(options, with_requests)


def _shard(context: click.Context, option: click.Parameter, text: str | None) -> Shard | None:
    from vsseval.shards import parse_shard

    return None if text is None else parse_shard(text)


MACHINE_OPTIONS = [
    click.option(
        "--cache",
        type=NO_FILE,
        metavar="DIR",
        help="Generated audio and features; default: $VSSEVAL_CACHE or ~/.cache/vsseval.",
    ),
    click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        default=processes,
        show_default="all cores",
        metavar="N",
        help="Processes; on cuda for what is no network.",
    ),
]


def machine_options(command: Command) -> Command:
    """Where to cache and compute."""
    return _apply(MACHINE_OPTIONS, command)


def _apply(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


SLICE_OPTION = click.option(
    "--slice",
    "slices",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Only the clips of this slice: speaker=s1, or speaker for a line each; may be repeated.",
)
DATA_OPTION = click.option(
    "--data",
    type=FOLDER,
    multiple=True,
    metavar="DIR",
    help="Folder of a benchmark, or of several; may be repeated.",
)


def names(text: str | None) -> tuple[str, ...]:
    """``a,b`` as a tuple; empty if the option was not given.

    Raises:
        InputError: it was given and names nothing, as an unset variable of a shell does.
    """
    found = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not found:
        raise InputError(f"{text!r} names nothing; leave the option out for the default")
    return found


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns of text, the first row underlined."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) for row in rows]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join(line.rstrip() for line in [lines[0], rule, *lines[1:]])


def fitted(rows: Sequence[Sequence[str]], *, wrap: bool = True) -> str:
    """Rows as :func:`aligned`, no wider than the terminal: wide columns but the first give way.

    Where there is no terminal, 120 characters or what ``COLUMNS`` says.

    Args:
        rows: Cells, the first row being the head.
        wrap: Whether a cell goes on in the next line; else it is cut and ends in an ellipsis.
    """
    width = shutil.get_terminal_size(fallback=(120, 24)).columns
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths[1:]) > LEAST_COLUMN:
        widths[1 + widths[1:].index(max(widths[1:]))] -= 1
    lines: list[Sequence[str]] = []
    for row in rows:
        cells = [_fit(text, at, wrap) for text, at in zip(row, widths, strict=True)]
        lines += zip_longest(*cells, fillvalue="")
    return aligned(lines)


def _fit(text: str, width: int, wrap: bool) -> list[str]:
    """Lines of a cell, at least one."""
    if not wrap:
        return [text if len(text) <= width else f"{text[: width - 1].rstrip()}…"]
    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def score_table(scores: Sequence[Score]) -> str:
    """Metric, value, interval, counts and note, one metric a line."""
    from vsseval.reports.markdown import ARROW, EMPTY, number

    rows = [("metric", "value", "95 % interval", "unit", "clips", "")]
    for score in scores:
        low_high = score.interval
        rows.append(
            (
                f"{score.metric} {ARROW[score.better]}",
                EMPTY if score.value is None else number(score.value),
                f"[{number(low_high[0])}, {number(low_high[1])}]" if low_high else "",
                score.unit,
                f"{score.n_scored}/{score.n_expected}",
                "; ".join(filter(None, [score.note, _first_reason(score)])),
            )
        )
    return aligned(rows)


def _first_reason(score: Score) -> str:
    """Why clips were left out, unless no clip was left and the note says why."""
    if not score.excluded or (score.note and not score.n_scored):
        return ""
    name, reason = next(iter(score.excluded.items()))
    return f"excluded {len(score.excluded)}: {name}: {reason}"


def say(line: str) -> None:
    """A remark on stderr."""
    click.echo(line, err=True)


def say_some(lines: Sequence[str], most: int = 10) -> None:
    """Remarks on stderr, the first few of many."""
    for line in lines[:most]:
        say(line)
    if len(lines) > most:
        say(f"... and {len(lines) - most} more")


def passes(encoded: Encoded) -> str:
    """What the second stage had to compute."""
    from vsseval.encoders.table import ENCODERS

    total = encoded.network_features
    if encoded.network_passes:
        return f"{encoded.network_passes} network forward passes (for {total} features)"
    if total:
        return f"0 network forward passes (all {total} features cached)"
    if not any(ENCODERS[encoder].network for _, encoder in encoded.tables):
        return "0 network forward passes (no metric asked for a network)"
    why = "weights are missing" if encoded.lacking else "no clip could be encoded"
    return f"0 network forward passes ({why})"
