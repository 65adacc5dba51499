"""``vsseval score``: two folders of anyone's files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from vsseval.cli.options import FOLDER, machine_options, names, passes, say, say_some, score_table


@click.command()
@click.option("--generated", type=FOLDER, required=True, metavar="DIR", help="wav or flac files.")
@click.option("--reference", type=FOLDER, required=True, metavar="DIR", help="wav or flac files.")
@click.option("--video", type=FOLDER, metavar="DIR", help="Videos, for what compares with them.")
@click.option(
    "--transcripts",
    type=FOLDER,
    metavar="FILE",
    help='What is said: .jsonl with {"id", "text"}, or lines of id, tab, text.',
)
@click.option(
    "--heard",
    type=FOLDER,
    metavar="FILE",
    help="What a recogniser of yours heard in the generated files, likewise; none is run then.",
)
@click.option("--metrics", metavar="a,b", help="Metric ids; default: all that the inputs allow.")
@machine_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def score(
    generated: Path,
    reference: Path,
    video: Path | None,
    transcripts: Path | None,
    heard: Path | None,
    metrics: str | None,
    cache: Path | None,
    device: str,
    workers: int,
    as_json: bool,
) -> None:
    """Score a folder of audio against a folder of references, matched by file name without suffix.

    Without --metrics: those for speech if there are transcripts, else those for sound. The voice to
    compare with is the reference's own. Generated audio is cut or zero-padded to the length of its
    reference.
    """
    from vsseval.files import default_cache
    from vsseval.folders import score_folders
    from vsseval.progress import terminal
    from vsseval.workers import Workers

    with Workers(workers) as processes:
        result = score_folders(
            generated,
            reference,
            cache or default_cache(),
            video=video,
            transcripts=transcripts,
            heard=heard,
            metrics=names(metrics),
            device=device,
            workers=processes,
            progress=terminal,
        )
    scores = [one.score for one in result.scored]
    if as_json:
        content = {
            "matched": result.matched,
            "unmatched": list(result.unmatched),
            "warnings": dict(result.warnings),
            "scores": [asdict(one) for one in scores],
        }
        click.echo(json.dumps(content, indent=1, allow_nan=False))
    else:
        click.echo(f"{result.matched} pairs, {len(result.unmatched)} files without a partner")
        click.echo(score_table(scores))
    say_some([f"unmatched: {name}" for name in result.unmatched])
    say_some([f"warning: {message}" for message in result.encoded.lacking])
    say_some([f"warning: {name}: {text}" for name, text in result.warnings.items()])
    say(passes(result.encoded))
