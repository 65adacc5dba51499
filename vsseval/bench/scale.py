"""A run of as many clips as VGGSound's test split, on short made-up clips.

Two processes beside one over the first stages; then the whole run, one of whose processes is killed
and which is itself killed and started again.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from vsseval.bench.measure import BenchRow, mebibytes
from vsseval.errors import VssevalError
from vsseval.records import find_records, read_clips

CLIPS = 15_446
"""Of VGGSound's test split."""
SECONDS, RATE = 0.5, 16_000
METRICS = "onset_f1"
_LOOK_SECONDS = 0.05


def simulated_run(*, quick: bool = False) -> list[BenchRow]:
    """Throughput of two processes, and a whole run that survives two kills.

    Raises:
        VssevalError: a command failed, or the run that was killed differs from the other.
    """
    clips, some = (60, 40) if quick else (CLIPS, 4_000)
    with tempfile.TemporaryDirectory(prefix="vsseval-scale-") as folder:
        root = Path(folder)
        write_benchmark(root / "many", clips)
        return [_throughput(root, some), _whole_run(root, clips)]


def write_benchmark(root: Path, clips: int) -> None:
    """The benchmark ``many``: half a second of faint noise with one click, different in each."""
    (root / "audio").mkdir(parents=True)
    head = {"name": "many", "version": "1", "task": "sound", "clip_seconds": SECONDS}
    head |= {"sample_rate": RATE, "metrics": [METRICS]}
    (root / "benchmark.json").write_text(json.dumps(head), encoding="utf-8")
    with (root / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
        for number in range(clips):
            random = np.random.default_rng(number)
            samples = 0.01 * random.standard_normal(round(SECONDS * RATE))
            samples[random.integers(len(samples))] = 0.9
            audio = f"audio/clip{number:05}.wav"
            soundfile.write(root / audio, samples, RATE, subtype="PCM_16")
            line = {"id": f"clip{number:05}", "duration": SECONDS, "audio": audio}
            manifest.write(json.dumps(line) + "\n")


def _throughput(root: Path, clips: int) -> BenchRow:
    """Generation and encoding of the first clips by two shards at a time, and by one process."""
    limit = ("--limit", str(clips), "--workers", "1")

    def two() -> None:
        _wait([_start(root, "two", *limit, "--shard", f"{number}/2") for number in (1, 2)])

    def one() -> None:
        _wait([_start(root, "one", *limit, "--shard", "1/1")])

    times, spent = zip(*(_timed(route) for route in (two, one)), strict=True)
    loops = 2 * _loops(1, clips) / _loops(2, clips)
    for cache in ("two", "one"):
        _wait([_start(root, cache, *limit)])
    apart = _difference(root / "out-two", root / "out-one")
    return BenchRow(
        f"{clips:,} clips of {SECONDS:g} s generated and encoded (noise, onsets) by two processes",
        times[0],
        "one process",
        times[1],
        target=1.7,
        agreement=f"largest difference {apart:.0e} of a clip's components; two loops that share "
        f"nothing do {loops:.2f} times the work of one on this machine; processor time "
        f"{spent[0] / spent[1]:.2f} times that of one process",
    )


def _whole_run(root: Path, clips: int) -> BenchRow:
    """All clips on two cores, with a SIGKILL of a worker, and one of the whole command."""
    plain = clips <= 1000
    if plain:
        _wait([_start(root, "plain", "--workers", "2")])
    began = time.perf_counter()
    run = _start(root, "killed", "--workers", "2")
    peak = _watch(run, lambda: _lines(root) >= clips // 3)
    workers = _workers(run.pid)
    if not workers:
        raise VssevalError(f"the run over {clips} clips ended before a worker could be killed")
    os.kill(workers[0], signal.SIGKILL)
    peak = max(peak, _watch(run, lambda: _encoded(root) >= clips // 3))
    run.kill()  # no other process, should it have ended and its number be another's by now
    run.communicate()  # ends when its workers have noticed
    found = _generated(root)
    again = _start(root, "killed", "--workers", "2")
    peak = max(peak, _watch(again, lambda: False))
    _check(again)
    seconds = time.perf_counter() - began
    record = find_records(root / "out-killed")[0][1]
    if record.scores[0].n_scored != clips or found != clips:
        raise VssevalError(
            f"{record.scores[0].n_scored} of {clips} clips scored, {found} generated"
        )
    agreement = f"{_lines(root):,} lines in the log of {clips:,} clips"
    if plain:
        apart = _difference(root / "out-plain", root / "out-killed")
        agreement = f"largest difference {apart:.0e} from a run that was left alone; {agreement}"
    return BenchRow(
        f"{clips:,} clips of {SECONDS:g} s from nothing to the record with --workers 2; one worker "
        "killed at a third of the clips, the command killed while it encodes, and started again",
        seconds,
        agreement=agreement,
        memory=f"{mebibytes(peak)}, resident, all processes together",
    )


def _start(root: Path, cache: str, *options: str) -> subprocess.Popen[bytes]:
    words = ["run", "--model", "noise", "--bench", "many", "--data", str(root / "many")]
    words += [
        "--metrics",
        METRICS,
        "--cache",
        str(root / cache),
        "--out",
        str(root / f"out-{cache}"),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "vsseval", *words, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _loops(count: int, size: int) -> float:
    """Time of so many processes at once that only count."""
    code = f"sum(n * n for n in range({size} * 10_000))"
    start = time.perf_counter()
    loops = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    for loop in loops:
        loop.wait()
    return time.perf_counter() - start


def _wait(commands: Sequence[subprocess.Popen[bytes]]) -> None:
    for command in commands:
        _check(command)


def _check(command: subprocess.Popen[bytes]) -> None:
    errors = command.communicate()[1]
    if command.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise VssevalError(f"a run ended with status {command.returncode}: {''.join(last)}")


def _timed(route: Callable[[], None]) -> tuple[float, float]:
    """Wall time, and processor time of the processes that it waits for."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    route()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, spent


def _watch(command: subprocess.Popen[bytes], until: Callable[[], bool]) -> int:
    """Most memory that the command and its workers hold at a time, until it ends or ``until``."""
    peak = 0
    while command.poll() is None and not until():
        peak = max(
            peak, sum(_resident(process) for process in [command.pid, *_workers(command.pid)])
        )
        time.sleep(_LOOK_SECONDS)
    return peak


def _workers(process: int) -> list[int]:
    """Child processes; the last-born first."""
    text = _read(Path(f"/proc/{process}/task/{process}/children"))
    return [int(child) for child in reversed(text.split())]


def _resident(process: int) -> int:
    lines = _read(Path(f"/proc/{process}/status")).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _lines(root: Path) -> int:
    return sum(log.read_bytes().count(b"\n") for log in root.glob("killed/generated/*/*/*/*.jsonl"))


def _generated(root: Path) -> int:
    # A killed worker may leave a half-written file, whose name begins with a dot.
    found = root.glob("killed/generated/*/*/*/*.wav")
    return sum(not path.name.startswith(".") for path in found)


def _encoded(root: Path) -> int:
    """About how many features there are, from a sixteenth of their folders."""
    return 16 * sum(1 for _ in root.glob("killed/features/*/0?/*.npz"))


def _difference(first: Path, second: Path) -> float:
    """Largest absolute difference of a component of a clip in two results."""
    one, two = (read_clips(find_records(out)[0][0].parent)[METRICS] for out in (first, second))
    if one.keys() != two.keys():
        raise VssevalError("two runs scored different clips")
    return float(max(np.abs(np.subtract(one[key], two[key])).max() for key in one))
