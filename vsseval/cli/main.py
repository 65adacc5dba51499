"""The command group, and what becomes of errors.

Results go to stdout, progress and remarks to stderr. Exit status: 0 done, 2 an error with one line
of explanation, 1 a gate that did not pass or a defect of this program, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import click

from vsseval.cli import datasets
from vsseval.cli.assets import data, weights
from vsseval.cli.bench import bench
from vsseval.cli.errors import STOPPED_STATUS, explained, say, stopped
from vsseval.cli.judge import compare, gate, inspect
from vsseval.cli.look import doctor, explain, list_, models, report
from vsseval.cli.pages import leaderboard
from vsseval.cli.stages import encode, generate, run
from vsseval.cli.twofolders import score


class Commands(click.Group):
    """A group that turns errors into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; ``--debug`` lets every exception through."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt as stop:
            say(stopped(stop), stop)
            ctx.exit(STOPPED_STATUS)
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            line = explained(error)
            if line is None:
                say(f"error: unexpected {type(error).__name__}: {error}", error)
                say("this is a defect; `vsseval --debug ...` shows where", error=None)
                ctx.exit(1)
            say(line, error)
            ctx.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="vsseval")
def main(debug: bool) -> None:
    """Generate sound and speech for video, and score any system that does.

    \b
    vsseval run --model vssflow --bench demo-sound      generate, encode, score, record
    vsseval score --generated DIR --reference DIR       score anyone's files
    vsseval list metrics                                what there is
    """  # noqa: D301


for command in (
    run,
    generate,
    encode,
    score,
    report,
    leaderboard,
    compare,
    inspect,
    gate,
    list_,
    explain,
    doctor,
    models,
    weights,
    data,
    bench,
):
    main.add_command(command)

for command in (datasets.prepare, datasets.verify, datasets.inspect):
    data.add_command(command)
