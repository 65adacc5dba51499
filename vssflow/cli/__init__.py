"""The ``vssflow`` command: train, preprocess, sample, ablate, convert."""

from __future__ import annotations

import sys

import click

from vsseval.errors import VssevalError
from vssflow.cli.sampling import sample, sample_full
from vssflow.cli.training import ablate, convert, preprocess, train


@click.group()
def commands() -> None:
    """VSSFlow: sound and speech for silent video, by flow matching."""


for _command in (train, preprocess, sample, sample_full, ablate, convert):
    commands.add_command(_command)


def main() -> None:
    """Entry point: an error of ours is printed without a traceback and exits with status 2."""
    try:
        commands(standalone_mode=True)
    except VssevalError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except (RuntimeError, MemoryError) as error:
        from vssflow.memory import is_out_of_memory, reason

        if not is_out_of_memory(error):
            raise
        click.echo(f"error: out of memory: {reason(error)}", err=True)
        sys.exit(2)
