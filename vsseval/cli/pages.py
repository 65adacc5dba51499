"""The static site of leaderboards, and the options that pages share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsseval.cli.options import DATA_OPTION, FOLDER, NO_FILE, say

if TYPE_CHECKING:
    from vsseval.reports.html.media import Sources

Command = Callable[..., Any]


def media_options(command: Command) -> Command:
    """The options that say where media are and how many are put in, given as ``Sources``."""

    @functools.wraps(command)
    def with_sources(
        *, clips: int, sound: str, data: tuple[Path, ...], cache: Path | None, **own: object
    ) -> None:
        from vsseval.files import default_cache
        from vsseval.reports.html.media import Sources

        command(sources=Sources(cache or default_cache(), data, clips, sound), **own)

    options = [
        click.option(
            "--clips",
            type=click.IntRange(min=0),
            default=8,
            show_default=True,
            metavar="N",
            help="Clips of each benchmark that can be heard in the page.",
        ),
        click.option(
            "--sound",
            type=click.Choice(["flac", "opus"]),
            default="flac",
            show_default=True,
            help="How pages hold sounds: lossless, or smaller.",
        ),
        DATA_OPTION,
        click.option(
            "--cache",
            type=FOLDER,
            metavar="DIR",
            help="Where generated audio is; default: $VSSEVAL_CACHE or ~/.cache/vsseval.",
        ),
    ]
    wrapped: Command = with_sources
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


@click.command()
@click.argument("results", type=FOLDER, default=Path("results"))
@click.option("--out", type=NO_FILE, required=True, metavar="DIR", help="Folder of the site.")
@media_options
def leaderboard(results: Path, out: Path, sources: Sources) -> None:
    """A static site of all benchmarks below RESULTS.

    An index and a page for each benchmark; links are relative, so any static host or a folder on
    disk serves it.
    """
    from vsseval.reports.html.page import write_site
    from vsseval.reports.pairs import find_results

    for page in write_site(find_results(results), out, sources):
        click.echo(page)
    say(f"site: {out}")
