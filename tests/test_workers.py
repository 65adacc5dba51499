"""Processes: the same results as one, one thread each, and a dead one is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from vsseval.errors import VssevalError
from vsseval.workers import Workers, one_thread

ROOT = Path(__file__).parents[1]


def squared(number: int) -> int:
    return number * number


def shared_length(job: tuple) -> tuple[int, int]:
    shared, number = job
    return len(shared.get()) + number, os.getpid()


def dies(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_here_and_in_processes_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import test_workers as importable

    with Workers(2) as workers:
        found = dict(workers.run(importable.squared, range(9)))
        here = dict(Workers().run(squared, range(9)))
        assert found == here == {n: n * n for n in range(9)}
        jobs = [(workers.share("abc"), n) for n in range(9)]
        results = dict(workers.run(importable.shared_length, jobs))
    assert {n: value for n, (value, _) in results.items()} == {n: 3 + n for n in range(9)}
    assert os.getpid() not in {process for _, process in results.values()}


def test_few_jobs_are_done_here() -> None:
    with Workers(2) as workers:
        assert not workers.pays(4)
        ((_, (_, process)),) = workers.run(shared_length, [(workers.share("x"), 0)])
    assert process == os.getpid()


def test_dead_process_is_an_error_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import test_workers as importable

    with Workers(2) as workers, pytest.raises(VssevalError, match="smaller --workers"):
        list(workers.run(importable.dies, range(9)))


def test_one_thread_within_and_as_many_as_before_after() -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_torch_that_is_imported_within_has_one_thread() -> None:
    code = """
        from vsseval.workers import one_thread
        with one_thread():
            import torch
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "3", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, check=True)


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="OpenBLAS never takes more threads than there are cores",
)
def test_library_that_is_imported_between_two_uses_has_one_thread() -> None:
    code = """
        from threadpoolctl import threadpool_info
        from vsseval.workers import one_thread
        with one_thread():
            pass
        import scipy.linalg.blas
        assert any(pool["num_threads"] == 2 for pool in threadpool_info())
        with one_thread():
            assert threadpool_info() and all(p["num_threads"] == 1 for p in threadpool_info())
        assert any(pool["num_threads"] == 2 for pool in threadpool_info())
    """
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, check=True)


def dies_once(job: tuple[str, int]) -> int:
    mark = Path(job[0])
    if job[1] == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return job[1]


def test_process_that_dies_once_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import test_workers as importable

    jobs = [(str(tmp_path / "mark"), n) for n in range(40)]
    with Workers(2) as workers:
        found = list(workers.run(importable.dies_once, jobs))
    assert sorted(found) == [(n, n) for n in range(40)]
    assert "died and is replaced" in caplog.text


def test_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        sys.path.insert(0, sys.argv[1])
        import test_workers
        from vsseval.workers import Workers
        workers = Workers(2)
        processes = {process for _, process in workers.run(test_workers.whose, range(20))}
        print(*processes, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    # The processes hold the other end of the pipe, so this returns when they have ended.
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(Path(__file__).parent)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        timeout=300,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split()


def whose(number: int) -> int:
    return os.getpid()
