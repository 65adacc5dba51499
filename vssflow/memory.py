"""Running out of memory: said with the batch that fits, and met by smaller batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from vsseval.errors import VssevalError

Result = TypeVar("Result")
SIGNS = (
    "can't allocate memory",
    "not enough memory",
    "CUDA error: out of memory",
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""What errors of no type of their own say when memory runs out: the CPU, CUDA and its libraries."""


class OutOfMemoryError(VssevalError):
    """Not even one item fits; the message says of what."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def reason(error: BaseException) -> str:
    """The first line of an error, or its type if it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def halve_until_it_fits(
    run: Callable[[Sequence[int]], Result],
    rows: Sequence[int],
    batch: int,
    report: Callable[[str], None],
) -> Iterator[Result]:
    """Results of ``run`` over ``rows`` in batches that are halved when memory runs out.

    Args:
        run: works on a batch of rows.
        rows: all rows, in order.
        batch: rows in the first batch.
        report: is told of each batch that did not fit.

    Raises:
        OutOfMemoryError: one row does not fit.
    """
    done = 0
    while done < len(rows):
        part = rows[done : done + batch]
        try:
            result = run(part)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(part) == 1:
                raise OutOfMemoryError(
                    f"out of memory with a single clip: {reason(error)}"
                ) from error
            batch = len(part) // 2
            report(f"out of memory with a batch of {len(part)}; trying {batch}")
            continue
        yield result
        done += len(part)


def largest_batch(run: Callable[[int], object], batch: int) -> int:
    """Largest of batch / 2, batch / 4, ... 1 that ``run`` does without running out; 0 if none."""
    size = batch // 2
    while size >= 1:
        try:
            run(size)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            size //= 2
        else:
            return size
    return 0
