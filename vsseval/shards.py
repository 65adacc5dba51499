"""Parts of a benchmark for machines that share a cache folder: ``--shard i/n``.

Shard i of n holds items i, i + n, i + 2n, ... in the order of the manifest (i from 1), so that
long and short clips, which data sets often sort, are spread evenly. What a shard generates and
encodes is in the cache; nothing else joins the shards together.
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

    def of(self, things: Sequence[Thing]) -> Sequence[Thing]:
        """Every ``count``-th thing; the shards together are all of them, each once."""
        return things[self.number - 1 :: self.count]


def parse_shard(text: str) -> Shard:
    """``3/8`` as the third of eight.

    Raises:
        InputError: another form, or a number beyond 1 to the count.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f"expected --shard i/n with i from 1 to n, such as 3/8, got {text!r}")
    return Shard(int(match[1]), int(match[2]))
