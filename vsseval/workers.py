"""Processes that share the work of a stage, clip by clip, and keep what they have loaded.

Every clip is computed on one thread, here and in a process, so that no number depends on how many
cores a machine has or how many processes are asked for.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from vsseval.errors import VssevalError

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Job = TypeVar("Job")
Result = TypeVar("Result")
Value = TypeVar("Value")

_WORTH_IT = 2
"""Jobs a process below which the work is done here."""
_AHEAD = 8
"""Jobs a process that are handed out before they are due; the others take no memory yet."""
_DEATHS = 2
"""Deaths of processes that a call gets over."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shared(Generic[Value]):
    """An object that every job needs, written once and read once a process."""

    path: Path

    def get(self) -> Value:
        """The object, in whatever process."""
        return cast(Value, _read(self.path))


@lru_cache(maxsize=8)
def _read(path: Path) -> object:
    return pickle.loads(path.read_bytes())


class Workers:
    """So many processes, started at the first work that is worth it; ``with`` ends them."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._shared = 0

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._folder is not None:
            self._folder.cleanup()

    def share(self, value: Value) -> Shared[Value]:
        """Make an object known to the jobs that are given the result."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="vsseval-")
        self._shared += 1
        path = Path(self._folder.name) / str(self._shared)
        path.write_bytes(pickle.dumps(value))
        return Shared(path)

    def pays(self, num_jobs: int) -> bool:
        """Whether so many jobs go to processes."""
        return self.count > 1 and num_jobs > _WORTH_IT * self.count

    def run(
        self, function: Callable[[Job], Result], jobs: Sequence[Job]
    ) -> Iterator[tuple[int, Result]]:
        """(index of the job, result) of every job, as they are finished.

        A process that dies is replaced, and what it and its like were at is done once more.

        Args:
            function: Of a module, so that a process can import it.
            jobs: Its arguments.

        Raises:
            VssevalError: processes died again and again, as when memory runs out.
        """
        if not self.pays(len(jobs)):
            for index, job in enumerate(jobs):
                with one_thread():
                    result = function(job)
                yield index, result
            return
        todo = deque(range(len(jobs)))
        waiting: dict[Future[Result], int] = {}
        deaths = 0
        try:
            while todo or waiting:
                try:
                    while todo and len(waiting) < _AHEAD * self.count:
                        waiting[self._processes().submit(function, jobs[todo[0]])] = todo[0]
                        todo.popleft()
                    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        yield waiting.pop(future), result
                except BrokenProcessPool as error:
                    deaths += 1
                    if deaths > _DEATHS:
                        raise VssevalError(
                            "worker processes died, perhaps for lack of memory; what was finished "
                            "is kept: run the same command again, with a smaller --workers"
                        ) from error
                    _log.warning("a worker process died and is replaced")
                    todo.extendleft(reversed(waiting.values()))
                    waiting.clear()
                    self._pool = None
        finally:
            for future in waiting:
                future.cancel()

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self.count, mp_context=context, initializer=_start_process
            )
        return self._pool


def _start_process() -> None:
    # Ctrl-C is for the parent, which lets the processes finish the clips they are at.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A parent that is killed ends none of its processes, and they would wait for ever.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS, OpenMP and PyTorch on one thread, loaded already or from within; as before, after."""
    stated = os.environ.get("OMP_NUM_THREADS")
    threads = _torch_threads()
    os.environ["OMP_NUM_THREADS"] = "1"
    _set_torch_threads(1)
    try:
        with _controller(len(sys.modules)).limit(limits=1):
            yield
    finally:
        if stated is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = stated
        _set_torch_threads(threads or int(stated or 0) or os.cpu_count() or 1)


@lru_cache(maxsize=1)
def _controller(num_modules: int) -> ThreadpoolController:
    """The libraries with threads of their own; to look for them takes as long as a short clip.

    A library comes with a module, so they are looked for again when there are more modules.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _torch_threads() -> int | None:
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch else None


def _set_torch_threads(threads: int) -> None:
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
