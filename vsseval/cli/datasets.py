"""``vsseval data prepare``, ``verify`` and ``inspect``: published data sets as benchmarks."""

from __future__ import annotations

from pathlib import Path

import click

from vsseval.cli.options import FOLDER, NO_FILE, cores, say, say_some
from vsseval.errors import InputError

_WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=cores,
    show_default="all cores",
    metavar="N",
    help="Processes.",
)


@click.command()
@click.argument("name")
@click.option(
    "--root", type=FOLDER, required=True, metavar="DIR", help="The data set as you have it."
)
@click.option("--out", type=NO_FILE, required=True, metavar="DIR", help="Where the benchmark goes.")
@click.option("--list", "list_file", type=FOLDER, metavar="FILE", help="List of clips to take.")
@click.option(
    "--keep",
    multiple=True,
    metavar="REASON",
    help="Do not leave out clips that are short, silent, still, or of wrong duration.",
)
@click.option(
    "--setting",
    type=click.IntRange(1, 3),
    default=2,
    show_default=True,
    help="Speech: the voice to imitate is 1 the clip's own, 2 the same speaker's, 3 a stranger's.",
)
@click.option("--voices", type=FOLDER, metavar="DIR", help="Prepared set of voices for setting 3.")
@click.option("--labels", type=FOLDER, metavar="FILE", help="VGGSounder's labels, as slices.")
@_WORKERS
def prepare(
    name: str,
    root: Path,
    out: Path,
    list_file: Path | None,
    keep: tuple[str, ...],
    setting: int,
    voices: Path | None,
    labels: Path | None,
    workers: int,
) -> None:
    """Make the benchmark NAME of a data set that you have (docs/benchmarks.md).

    Nothing below the root is changed. A stopped or repeated run does only what is missing.
    """
    from vsseval.benchmarks.prepare import Options
    from vsseval.benchmarks.prepare import prepare as prepare_set
    from vsseval.benchmarks.table import find_data_set
    from vsseval.progress import terminal
    from vsseval.workers import Workers

    options = Options(root, out, list_file, keep, setting, voices, labels)
    with Workers(workers) as processes:
        coverage = prepare_set(find_data_set(name), options, workers=processes, progress=terminal)
    for line in coverage.lines():
        click.echo(line)
    say(f"{coverage.fresh} clips decoded, {coverage.found - coverage.fresh} were ready before")
    say(f"next: vsseval run --model M --bench {name} --data {out}")


@click.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@_WORKERS
def verify(folder: Path, workers: int) -> None:
    """Hash and decode every file of the benchmark in DIR; exit status 2 if one is not right."""
    from vsseval.benchmarks.verify import verify as verify_set
    from vsseval.progress import terminal
    from vsseval.workers import Workers

    with Workers(workers) as processes:
        found = verify_set(folder, workers=processes, progress=terminal)
    bad = {clip: problems for clip, problems in found.items() if problems}
    say_some([f"{clip}: {'; '.join(problems)}" for clip, problems in bad.items()])
    if bad:
        raise InputError(
            f"{len(bad)} of {len(found)} clips are not right; prepare them again with "
            "`vsseval data prepare`, which does only what is missing once their files are deleted"
        )
    click.echo(f"{len(found)} clips right: digests, durations, decoding")


@click.command()
@click.argument("folders", type=FOLDER, nargs=-1, required=True, metavar="DIR...")
@click.option("--sheet", type=FOLDER, metavar="PNG", help="Contact sheet of the first DIR.")
@click.option("--clips", default=48, show_default=True, type=click.IntRange(min=1), metavar="N")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@_WORKERS
def inspect(
    folders: tuple[Path, ...], sheet: Path | None, clips: int, as_json: bool, workers: int
) -> None:
    """Duplicates within and across the benchmarks in DIR..., muted and still clips, faces.

    Several DIR are several splits of one data set: a clip of one that is heard in another leaks.
    """
    from vsseval.benchmarks.contact_sheet import write_contact_sheet
    from vsseval.benchmarks.inspection import inspect as inspect_sets
    from vsseval.progress import terminal
    from vsseval.workers import Workers

    with Workers(workers) as processes:
        found = inspect_sets(folders, workers=processes, progress=terminal)
    click.echo(found.json() if as_json else "\n".join(found.lines()))
    if sheet is not None:
        write_contact_sheet(sheet, folders[0], found, clips)
        say(f"contact sheet: {sheet}")
