"""Every error a user can meet, under one base.

A message says what was expected, what came, which item or file, and what to type next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MOST_NAMES = 30
"""Of a table or a run, in a message."""


class VssevalError(Exception):
    """Base of the errors raised on purpose; the command line prints one line and exits 2."""


class InputError(VssevalError, ValueError):
    """A value, file or manifest line that does not fit what was asked for."""


class UnknownNameError(VssevalError, LookupError):
    """A name that is in no table; the message lists close names."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        listed = ", ".join(names[:_MOST_NAMES]) + more
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {listed}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")


class MissingWeightsError(VssevalError):
    """Needed weights are not in the store; the message says where it looked and what to run."""


class MissingMediaError(VssevalError):
    """A benchmark's media are not on disk; the message says what was looked for and where."""


class ExternalToolError(VssevalError):
    """A subprocess failed; the message holds the command, the status and its last lines."""
