"""Running a program: environment, logs, ends and errors; who is blamed for a break."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from baselines import external
from baselines.external import Program, environment, insist, run_program
from baselines.installation import commit_of, kept_digest
from vsseval.errors import ExternalToolError
from vsseval.files import locked


def python(tmp_path: Path, code: str, **changes: object) -> Program:
    fields = {
        "title": "tool",
        "command": (sys.executable, "-c", code),
        "folder": tmp_path,
        "env": environment(None, {}),
        "log": tmp_path / "logs" / "tool.log",
        "timeout": 30.0,
    }
    return Program(**{**fields, **changes})


def test_environment_holds_no_python_path_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "OMP_NUM_THREADS", "MY_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("HF_HOME", "/hf")
    env = environment(Path("/env/bin/python"), {"CUDA_VISIBLE_DEVICES": "1"})
    assert env["PATH"].split(os.pathsep)[0] == "/env/bin"
    assert (env["HF_HOME"], env["CUDA_VISIBLE_DEVICES"]) == ("/hf", "1")
    assert not set(env) & {"PYTHONPATH", "PYTHONHOME", "OMP_NUM_THREADS", "MY_TOKEN"}


def test_log_holds_command_and_both_streams_of_every_call(tmp_path: Path) -> None:
    code = "import sys; print('out'); sys.stderr.write('err\\n')"
    assert run_program(python(tmp_path, code)) > 0
    run_program(python(tmp_path, "print('again')"))
    log = (tmp_path / "logs" / "tool.log").read_text()
    assert log.count("$ cd ") == 2
    for words in ("out\n", "err\n", "again\n"):
        assert words in log


def test_error_has_status_log_and_last_lines_of_this_call(tmp_path: Path) -> None:
    run_program(python(tmp_path, "print('earlier')"))
    code = "import sys; print('a\\nb'); sys.stderr.write('10%\\r20%\\r ^~\\nboom\\n'); sys.exit(4)"
    with pytest.raises(ExternalToolError) as error:
        run_program(python(tmp_path, code))
    log = tmp_path / "logs" / "tool.log"
    assert str(error.value) == f"tool: exit status 4 (log {log}): 10% | 20% | boom"


def test_signal_is_named(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    with pytest.raises(ExternalToolError, match="tool: ended by SIGSEGV"):
        run_program(python(tmp_path, code))


def test_absent_program_is_named(tmp_path: Path) -> None:
    program = python(tmp_path, "", command=("/no/such",))
    with pytest.raises(ExternalToolError, match="cannot start /no/such: No such file"):
        run_program(program)


def test_no_shell_sees_the_words(tmp_path: Path) -> None:
    words = (sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME `id` *")
    run_program(python(tmp_path, "", command=words))
    assert "$HOME `id` *\n" in (tmp_path / "logs" / "tool.log").read_text().splitlines(True)[1:]


def test_new_files_keep_a_slow_program_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each file takes the program a second: the clock stands at the number that has been seen.
    code = """
import pathlib, time
for i in range(6):
    pathlib.Path(f'o/{i}').touch()
    while not pathlib.Path(f'seen-{i}').exists():
        time.sleep(.01)
"""
    (tmp_path / "o").mkdir()
    num_files, seen = external._num_files, [0]

    def look(folder: Path | None) -> int:
        seen.append(num_files(folder))
        for file in (tmp_path / "o").iterdir():
            (tmp_path / f"seen-{file.name}").touch()
        return seen[-1]

    monkeypatch.setattr(external, "_num_files", look)
    clock = SimpleNamespace(monotonic=lambda: float(seen[-1]))
    monkeypatch.setattr(external, "time", clock)
    assert run_program(python(tmp_path, code, timeout=1.5, outputs=tmp_path / "o")) > 1.5


def test_stuck_program_is_ended_with_its_children(
    tmp_path: Path, leaping_clock, is_running
) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
        "open('child', 'w').write(str(child.pid)); time.sleep(3600)"
    )
    child = tmp_path / "child"
    leaping_clock(lambda: child.is_file() and child.read_text() != "")
    with pytest.raises(ExternalToolError, match=r"stopped, not finished for 99 s"):
        run_program(python(tmp_path, code, timeout=99.0))
    deadline = time.monotonic() + 300
    while is_running(int(child.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Tool:
    """Makes an output of every clip until one that breaks it."""

    def __init__(self, *breaking: str) -> None:
        self.breaking = breaking
        self.outputs: list[str] = []
        self.calls: list[list[str]] = []

    def attempt(self, names: Sequence[str]) -> None:
        self.calls.append(list(names))
        for name in names:
            if name in self.breaking:
                raise ExternalToolError(f"broke at {name}")
            self.outputs.append(name)

    def done(self) -> list[str]:
        return self.outputs


def test_breaking_clips_are_left_out_one_by_one() -> None:
    tool = Tool("b", "d")
    failed = insist("abcde", tool.attempt, tool.done, again=False)
    assert failed == {"b": "broke at b", "d": "broke at d"}
    assert tool.calls == [list("abcde"), list("cde"), list("e")]


def test_ordered_program_begins_again_with_all_others() -> None:
    tool = Tool("b")
    insist("abc", tool.attempt, tool.done, again=True)
    assert tool.calls == [list("abc"), list("ac")]


def test_two_breaks_without_output_blame_no_clip() -> None:
    tool = Tool("a", "b")
    with pytest.raises(ExternalToolError, match="broke at b"):
        insist("abc", tool.attempt, tool.done, again=False)


def test_break_after_the_last_output_blames_nobody() -> None:
    tool = Tool()

    def attempt(names: Sequence[str]) -> None:
        tool.attempt(names)
        raise ExternalToolError("broke while ending")

    assert insist("ab", attempt, tool.done, again=False) == {}


def test_folder_is_for_one_process_at_a_time(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from pathlib import Path; from vsseval.files import locked\n"
        f"with locked(Path({str(tmp_path)!r})): print('in')"
    )
    with locked(tmp_path), pytest.raises(ExternalToolError, match="not finished for 2 s"):
        run_program(python(tmp_path, code, timeout=2.0))
    run_program(python(tmp_path, code))


def test_digest_follows_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "w"
    file.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1: SHA-256 of "abc".
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert kept_digest(file) == kept_digest(file) == digest
    file.write_bytes(b"abcd")
    assert kept_digest(file) != digest


def test_folder_inside_a_repository_is_not_that_repository(tmp_path: Path) -> None:
    inside = Path(__file__).parent / "fake_upstream" / "lova"
    assert commit_of(inside).startswith("tree-")
