"""Progress of a stage: a callable that is given the stage's name and its number of steps.

``with progress("generate", 96) as advance:`` and one ``advance()`` for each finished step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@contextmanager
def silent(stage: str, total: int) -> Iterator[Callable[[], None]]:
    """No output; the default of every library function."""
    yield lambda: None


@contextmanager
def terminal(stage: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with count, elapsed time and ETA on stderr."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(stage, total=total)
        yield lambda: bar.advance(task)
