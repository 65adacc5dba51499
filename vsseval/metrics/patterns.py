"""How several metrics are chosen by a pattern: in presets, defaults and on the command line."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence


def chosen(patterns: Sequence[str], metrics: Iterable[str]) -> list[str]:
    """The metrics that fit, in the order of the patterns.

    A pattern is an id, an id with ``*``, or the family before the dot: ``wer`` is every
    ``wer.<recogniser>``. Dialects, which have an ``@``, are chosen by patterns that have one.

    Args:
        patterns: what to look for.
        metrics: ids to choose from.
    """
    known = list(dict.fromkeys(metrics))
    found: dict[str, None] = {}
    for pattern in patterns:
        fitting = [name for name in known if name == pattern]
        fitting = fitting or [
            name
            for name in known
            if ("@" in pattern or "@" not in name)
            and (fnmatch.fnmatchcase(name, pattern) or name.startswith(f"{pattern}."))
        ]
        found.update(dict.fromkeys(fitting))
    return list(found)
