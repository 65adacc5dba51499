"""Running another system's programs: no shell, a bare environment, logs kept, stuck ones stopped.

Exit status 0 proves nothing about the files: whoever runs a program looks at them afterwards.
"""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vsseval.errors import ExternalToolError

TAIL_LINES = 3
"""Last lines of the log that an error repeats."""

GRACE_SECONDS = 5.0
"""Between asking a program to end and ending it [s]."""

# fmt: off
PASSED_ON = frozenset(
    (
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LC_ALL",
        "LC_CTYPE", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "HF_HOME",
        "TORCH_HOME", "XDG_CACHE_HOME", "CUDA_HOME", "CUDA_PATH", "CUDA_DEVICE_ORDER",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    )
)
# fmt: on
"""Variables of ours that a program sees. PYTHONPATH, VIRTUAL_ENV, thread counts and whatever else a
shell holds are not among them; the ``env`` table of models.toml adds."""


@dataclass(frozen=True, slots=True)
class Program:
    """One call of an external program."""

    title: str
    """For messages: ``frieren features``."""
    command: tuple[str, ...]
    folder: Path
    """Working directory."""
    env: Mapping[str, str]
    """All of its environment."""
    log: Path
    """Standard output and error are appended here, below the command."""
    timeout: float
    """Stopped after so long without a new file in ``outputs``, or in all where that is None [s]."""
    outputs: Path | None = None


def environment(python: Path | None, added: Mapping[str, str]) -> dict[str, str]:
    """What an external program sees of our environment, and ``added``.

    Args:
        python: Its interpreter, whose folder comes first on PATH; None for any program.
        added: Wins over what is passed on.
    """
    env = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    if python is not None:
        env["PATH"] = f"{python.parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return {**env, "PYTHONUNBUFFERED": "1", **added}


def run_program(program: Program) -> float:
    """Run it to its end.

    Returns:
        Wall time [s].

    Raises:
        ExternalToolError: it cannot be started, ends with another status than 0, or is stuck.
    """
    program.log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with program.log.open("ab") as log:
        log.write(f"$ cd {program.folder} && {shlex.join(program.command)}\n".encode())
        log.flush()
        offset = log.tell()
        try:
            process = subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=dict(program.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_ends_with_parent() if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise ExternalToolError(
                f"{program.title}: cannot start {program.command[0]}: {error.strerror}"
            ) from error
        try:
            status = _wait(process, program)
        finally:
            _end(process)
    if status is None:
        what = "no new file" if program.outputs else "not finished"
        raise ExternalToolError(
            f"{program.title}: stopped, {what} for {program.timeout:g} s "
            f"(log {program.log}){_tail(program.log, offset)}"
        )
    if status != 0:
        how = f"exit status {status}" if status > 0 else f"ended by {_signal_name(-status)}"
        raise ExternalToolError(
            f"{program.title}: {how} (log {program.log}){_tail(program.log, offset)}"
        )
    return time.monotonic() - start


def _wait(process: subprocess.Popen[bytes], program: Program) -> int | None:
    """Exit status, or None if nothing happened for too long."""
    count, since = -1, time.monotonic()
    while True:
        try:
            return process.wait(timeout=min(0.5, program.timeout / 10))
        except subprocess.TimeoutExpired:
            now = _num_files(program.outputs)
            if now != count:
                count, since = now, time.monotonic()
            elif time.monotonic() - since > program.timeout:
                return None


def _num_files(folder: Path | None) -> int:
    if folder is None or not folder.is_dir():
        return 0
    return sum(len(files) for _, _, files in os.walk(folder))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program with all that it has started."""
    for number, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        if process.poll() is not None and number == signal.SIGTERM:
            return
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=patience)
        except (ProcessLookupError, PermissionError):
            return
        except subprocess.TimeoutExpired:
            continue


def _ends_with_parent() -> Callable[[], object]:
    """For the child to call (PR_SET_PDEATHSIG): no GPU stays busy with what nobody awaits."""
    return partial(ctypes.CDLL(None).prctl, 1, signal.SIGKILL)


def _signal_name(number: int) -> str:
    return (
        signal.Signals(number).name
        if number in list(map(int, signal.Signals))
        else f"signal {number}"
    )


def _tail(log: Path, offset: int) -> str:
    """``: last lines`` of what was written since ``offset``; empty if nothing was."""
    with log.open("rb") as stream:
        stream.seek(max(offset, log.stat().st_size - 8192))
        text = stream.read().decode(errors="replace")
    # Lines of carets below a traceback's source say nothing.
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip(" \t^~")]
    return f": {' | '.join(lines[-TAIL_LINES:])}" if lines else ""


def insist(
    names: Sequence[str],
    attempt: Callable[[Sequence[str]], None],
    done: Callable[[], Collection[str]],
    *,
    again: bool,
) -> dict[str, str]:
    """Run a program over many clips until it ends well, leaving out the clips it breaks at.

    The first clip without output is taken for the one that broke it. Two breaks in a row that
    leave no output at all say that no clip is to blame.

    Args:
        names: The clips, in the order in which the program takes them.
        attempt: Runs the program for some of them; raises ExternalToolError.
        done: The clips that have their output now.
        again: Run it for all the others after a break, because what a clip becomes depends on
            those before it; otherwise only for those without output.

    Returns:
        Reason of each clip that was left out. A clip may have neither output nor reason.

    Raises:
        ExternalToolError: it broke twice in a row without any output.
    """
    failed: dict[str, str] = {}
    left = list(names)
    fruitless = 0
    while left:
        try:
            attempt(left)
        except ExternalToolError as error:
            have = set(done())
            missing = [name for name in left if name not in have]
            if not missing:
                break
            fruitless = 0 if have.intersection(left) else fruitless + 1
            if fruitless == 2:
                raise
            failed[missing[0]] = str(error)
            left = [name for name in (left if again else missing) if name != missing[0]]
        else:
            break
    return failed
