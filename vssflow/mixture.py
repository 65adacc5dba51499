"""Which clips make a batch: groups in fixed shares, each without repetition within its epoch.

A batch depends on the seed and the number of the update alone, so a run that goes on from update n
draws what an uninterrupted one draws, and every process of a group draws the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from vsseval.errors import InputError


@dataclass(frozen=True)
class Mixture:
    """Rows of named groups, mixed."""

    groups: Mapping[str, Sequence[int]]
    """Rows of each group."""
    counts: Mapping[str, int]
    """How many of a batch come from each group."""
    seed: int
    """Of all permutations."""
    _orders: dict[tuple[str, int], list[int]] = field(default_factory=dict, repr=False)

    @property
    def batch(self) -> int:
        """Clips in a batch."""
        return sum(self.counts.values())

    def rows(self, step: int) -> list[tuple[str, int]]:
        """Group and row of every clip of update ``step`` (from 0), in a shuffled order."""
        picked = [
            (name, self._row(name, step * count + place))
            for name, count in self.counts.items()
            for place in range(count)
        ]
        order = torch.randperm(len(picked), generator=_generator(f"{self.seed}/order/{step}"))
        return [picked[place] for place in order.tolist()]

    def _row(self, name: str, number: int) -> int:
        """Row of the ``number``-th clip ever drawn from a group."""
        rows = self.groups[name]
        epoch, place = divmod(number, len(rows))
        key = (name, epoch)
        if key not in self._orders:
            for old in [k for k in self._orders if k[0] == name and k[1] < epoch - 1]:
                del self._orders[old]
            generator = _generator(f"{self.seed}/{name}/{epoch}")
            self._orders[key] = torch.randperm(len(rows), generator=generator).tolist()
        return rows[self._orders[key][place]]

    def describe(self) -> str:
        """All that decides the batches, as one line."""
        parts = [f"{name} {n} of {len(self.groups[name])}" for name, n in self.counts.items()]
        return f"{', '.join(parts)}; seed {self.seed}"


def mixture(
    groups: Mapping[str, Sequence[int]], shares: Mapping[str, float], batch: int, seed: int
) -> Mixture:
    """A mixture whose shares are rounded to whole clips of a batch (largest remainder).

    Args:
        groups: rows by group name.
        shares: weight of each group, in any unit.
        batch: clips in a batch.
        seed: of the order.

    Raises:
        InputError: a group of positive weight is empty or gets no place in the batch.
    """
    used = {name: weight for name, weight in shares.items() if weight > 0}
    empty = [name for name in used if not groups.get(name)]
    if empty or not used:
        raise InputError(f"no clips of {', '.join(empty) or 'any group'} to train on")
    total = sum(used.values())
    exact = {name: batch * weight / total for name, weight in used.items()}
    counts = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(used, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[: batch - sum(counts.values())]:
        counts[name] += 1
    absent = [name for name, count in counts.items() if count == 0]
    if absent:
        raise InputError(
            f"a batch of {batch} has no place for {', '.join(absent)}; give a larger batch"
        )
    return Mixture({name: groups[name] for name in used}, counts, seed)


def _generator(text: str) -> torch.Generator:
    digest = hashlib.sha256(text.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
