"""The ``vssflow`` command: train, preprocess, sample, ablate, convert."""

from __future__ import annotations

import sys

import click

from vsseval.cli.errors import STOPPED_STATUS, explained, say, stopped
from vssflow.cli.sampling import sample, sample_full
from vssflow.cli.training import ablate, convert, preprocess, train


@click.group()
def commands() -> None:
    """VSSFlow: sound and speech for silent video, by flow matching."""


for _command in (train, preprocess, sample, sample_full, ablate, convert):
    commands.add_command(_command)


def main() -> None:
    """Entry point: an error that a user can meet is one line without a traceback, with status 2."""
    try:
        # --help and the like give their status.
        sys.exit(commands(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as stop:  # Ctrl-C
        say(stopped(stop), None)
        sys.exit(STOPPED_STATUS)
    except Exception as error:
        line = _out_of_memory(error) or explained(error)
        if line is None:
            raise
        say(line, error)
        sys.exit(2)


def _out_of_memory(error: Exception) -> str | None:
    if not isinstance(error, RuntimeError | MemoryError):
        return None
    from vssflow.memory import is_out_of_memory, reason

    return f"error: out of memory: {reason(error)}" if is_out_of_memory(error) else None
