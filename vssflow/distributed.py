"""One process or many (``torchrun``): shares of a batch, and what processes tell one another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

from vsseval.errors import InputError
from vsseval.ranks import process_group

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Share:
    """Part ``index`` of ``count`` equal parts of a batch."""

    index: int = 0
    count: int = 1

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows of this share.

        Raises:
            InputError: the rows cannot be divided evenly.
        """
        if len(rows) % self.count:
            raise InputError(
                f"a batch of {len(rows)} cannot be divided into {self.count} equal parts; choose "
                "a batch that is a multiple of processes times accumulated parts"
            )
        size = len(rows) // self.count
        return rows[self.index * size : (self.index + 1) * size]

    def of_tensor(self, values: Tensor) -> Tensor:
        """As :meth:`of`, of (B, ...) along the first dimension."""
        return values[list(self.of(range(values.shape[0])))]


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that train together."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def wait(self) -> None:
        """Go on when every process has come so far."""
        if self.count > 1:
            distributed.barrier()

    def shares(self, accumulate: int) -> list[Share]:
        """The shares of this process, ``accumulate`` of them one after the other."""
        total = self.count * accumulate
        return [Share(self.rank * accumulate + part, total) for part in range(accumulate)]

    def mean_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)
            parameter.grad /= self.count

    def mean(self, values: Sequence[float]) -> list[float]:
        """Means of numbers over the processes."""
        if self.count == 1:
            return list(values)
        together = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(together)
        return (together / self.count).tolist()

    def of_the_first(self, value: float) -> float:
        """The number that the first process has."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared[0])


@contextmanager
def joined_processes(device: str = "cpu") -> Iterator[Processes]:
    """The group that torchrun started; a group of one without torchrun.

    Gradients on a GPU are averaged over NCCL; numbers and waiting, on the CPU, go over gloo.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield Processes()
        return
    with process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"):
        yield Processes(distributed.get_rank(), distributed.get_world_size())
