"""Parts of a benchmark for machines that share a cache folder: ``--shard i/n``.

Shard i of n holds items i, i + n, i + 2n, ... in the order of the manifest (i from 1), so that
long and short clips, which data sets often sort, are spread evenly. Where a model makes clips in
groups of neighbours, whole groups are dealt out in that way. What a shard generates and encodes is
in the cache; nothing else joins the shards together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from vsseval.errors import InputError

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` parts."""

    number: int
    """1 to ``count``."""
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, things: Sequence[Thing], group: int = 1) -> Sequence[Thing]:
        """Every ``count``-th group of things; the shards together are all of them, each once."""
        return [
            thing for at, thing in enumerate(things) if at // group % self.count == self.number - 1
        ]

    def order(self, num_things: int) -> list[int]:
        """Indices of all things: this shard's, then those of the next shard, and so on around."""
        return sorted(range(num_things), key=lambda at: (at - self.number + 1) % self.count)


def parse_shard(text: str) -> Shard:
    """``3/8`` as the third of eight.

    Raises:
        InputError: another form, or a number beyond 1 to the count.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f"expected --shard i/n with i from 1 to n, such as 3/8, got {text!r}")
    return Shard(int(match[1]), int(match[2]))
