"""What becomes of errors: one line on stderr, and an exit status."""

from __future__ import annotations

import click

from vsseval.errors import VssevalError

STOPPED_STATUS = 130


def explained(error: BaseException) -> str | None:
    """The line of an error that a user can meet; None: it is a defect of this program."""
    if isinstance(error, VssevalError):
        return f"error: {error}"
    if isinstance(error, MemoryError):
        return f"error: not enough memory: {error}"
    if isinstance(error, OSError):
        file = f": {error.filename}" if error.filename else ""
        return f"error: {error.strerror or error}{file}"
    return None


def stopped(stop: BaseException) -> str:
    """The line of a Ctrl-C. A stage that counts what it has finished says the rest in a note."""
    rest = "" if hasattr(stop, "__notes__") else ", and the same command goes on"
    return f"stopped; what was finished is kept{rest}"


def say(line: str, error: BaseException | None) -> None:
    """Print a line, and what was noted on the error, where it does not mix with results."""
    notes = getattr(error, "__notes__", [])
    click.echo("; ".join([line, *notes]), err=True)
