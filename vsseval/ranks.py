"""The processes of one ``torchrun``, or of any launcher that sets the same variables.

Every rank generates and encodes its shard into the common cache; the ranks meet after each step, so
that rank 0 scores when all is there. They exchange a line of text a step, over gloo also where the
work is on GPUs: NCCL would give up on a rank that is hours behind.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from vsseval.errors import InputError, VssevalError
from vsseval.shards import Shard

Result = TypeVar("Result")
Value = TypeVar("Value")

_PATIENCE = timedelta(days=30)
"""How long a rank waits for the others; one that died is noticed at once, by its connection."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among the others."""

    rank: int
    """0 to ``count`` - 1."""
    count: int
    local: int
    """Number of this rank on its machine."""

    @property
    def shard(self) -> Shard:
        """The part of the work that is this rank's."""
        return Shard(self.rank + 1, self.count)

    def together(self, work: Callable[[], Result]) -> Result:
        """Do ``work`` and wait until every rank has done its own; what this one's returned.

        Raises:
            VssevalError: another rank failed or died; an error of this one goes on as it is.
        """
        failure: Exception | None = None
        try:
            result = work()
        except Exception as error:
            failure = error
        try:
            reasons = self._gather(failure and (str(failure) or type(failure).__name__))
        except VssevalError as death:
            raise failure or death from death.__cause__
        if failure is not None:
            raise failure
        for rank, reason in enumerate(reasons):
            if reason is not None:
                raise VssevalError(f"rank {rank} failed: {reason}")
        return result

    def sums(self, *counts: int) -> list[int]:
        """Each count summed over the ranks.

        Raises:
            VssevalError: another rank died.
        """
        return [sum(column) for column in zip(*self._gather(counts), strict=True)]

    def _gather(self, mine: Value) -> list[Value]:
        """What each rank gave, by rank."""
        import torch.distributed as dist

        found = [mine] * self.count
        try:
            dist.all_gather_object(found, mine)
        except RuntimeError as error:
            raise VssevalError(
                "another rank died; what was finished is kept: run the same command again"
            ) from error
        return found


def ranks_of_environment() -> Ranks | None:
    """What ``torchrun`` says in RANK, WORLD_SIZE and LOCAL_RANK; None for a single process.

    Raises:
        InputError: the variables do not fit together.
    """
    count = os.environ.get("WORLD_SIZE", "1")
    if count == "1":
        return None
    rank = os.environ.get("RANK", "")
    local = os.environ.get("LOCAL_RANK", rank)
    if not (count.isdigit() and rank.isdigit() and local.isdigit() and int(rank) < int(count)):
        raise InputError(
            f"WORLD_SIZE={count} asks for several ranks, RANK={rank or 'unset'} does not fit; "
            "start with torchrun, or unset WORLD_SIZE"
        )
    return Ranks(int(rank), int(count), int(local))


@contextmanager
def joined(ranks: Ranks) -> Iterator[None]:
    """The ranks connected, and parted at the end."""
    with process_group("gloo", rank=ranks.rank, world_size=ranks.count, timeout=_PATIENCE):
        yield


@contextmanager
def process_group(backend: str, **options: Any) -> Iterator[None]:
    """The default group of ``torch.distributed``; none of its threads is left at the end.

    A thread that is still there when the interpreter goes may abort the process after all work is
    done (signal 6, seen with torch 2.14.1 and gloo).

    Args:
        backend: name as ``init_process_group`` takes it.
        options: its other arguments.
    """
    import torch.distributed as dist

    # Before the group is there: as default arguments, its functions would keep it for good.
    import torch.distributed.nn.functional  # noqa: F401

    dist.init_process_group(backend, **options)
    try:
        yield
    finally:
        dist.destroy_process_group()


def take_gpu(ranks: Ranks) -> None:
    """Leave this process the GPU of its number; ``cuda`` is then that one, for every library.

    To be called before any library asks what GPUs there are.

    Raises:
        InputError: fewer GPUs are listed than ranks on this machine.
    """
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = listed.split(",") if listed else None
    if names is not None and ranks.local >= len(names):
        raise InputError(
            f"rank {ranks.local} of this machine has no GPU: CUDA_VISIBLE_DEVICES={listed}; "
            f"start with --nproc-per-node {len(names)}"
        )
    os.environ["CUDA_VISIBLE_DEVICES"] = names[ranks.local] if names else str(ranks.local)
