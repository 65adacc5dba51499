"""``command:TEMPLATE``: one call of a program a clip, without a shell."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from baselines.command import load, read_template
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.errors import ExternalToolError, InputError
from vsseval.generate import generate
from vsseval.types import Item, ModelContext

PROGRAM = """
import sys, time
import numpy as np, soundfile
video, out, seed, text = sys.argv[1:5]
assert open(video, "rb").read(1) is not None
if text == "fail":
    sys.exit("no lips found")
if text == "nothing":
    sys.exit(0)
if text == "hang":
    time.sleep(60)
soundfile.write(out, np.random.default_rng(int(seed)).normal(size=800) * 0.1, 8000)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "my gen.py"
    path.write_text(PROGRAM)
    return path


def opened(text: str, toy: Path):
    return load(ModelContext(read_benchmark(toy), None, "cpu", text))


def rows_of(program: Path, last: str, toy: Path, tmp_path: Path, options: str = ""):
    text = f"{options} {sys.executable} '{program}' {{video}} {{out}} {{seed}} {last}"
    model = opened(text.strip(), toy)
    return generate(model, read_benchmark(toy), tmp_path / "g")


def test_program_is_called_for_every_clip_with_its_seed(program, toy, tmp_path) -> None:
    rows = rows_of(program, "'$HOME; {label}'".replace("{label}", "{id}"), toy, tmp_path)
    assert [row.error for row in rows] == [None] * 4
    assert len({row.digest for row in rows}) == 4
    # The words reach the program as they are: no shell has seen them.
    log = (tmp_path / "g" / "upstream" / "logs" / "a.0.log").read_text()
    assert "'$HOME; a'" in log


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ("fail", "exit status 1 (log a.0.log): no lips found"),
        ("nothing", "exit status 0, but nothing at {out}"),
    ],
)
def test_failure_is_a_row_with_the_last_lines(program, toy, tmp_path, last, reason) -> None:
    rows = rows_of(program, last, toy, tmp_path, "name=mine")
    assert rows[0].error == f"mine: {reason}"
    assert len(rows) == 4


@pytest.mark.parametrize("last", ["fail", "nothing"])
def test_a_command_that_never_works_is_stopped(program, toy, tmp_path, last) -> None:
    benchmark = read_benchmark(toy)
    items = [replace(benchmark.items[0], id=f"i{at:02}") for at in range(20)]
    model = opened(f"name=mine {sys.executable} '{program}' {{video}} {{out}} {{seed}} {last}", toy)
    with pytest.raises(ExternalToolError, match="each of the first 10 clips, so the command is to"):
        generate(model, replace(benchmark, items=tuple(items)), tmp_path / "g")
    assert len(list((tmp_path / "g" / "upstream" / "logs").iterdir())) == 10


def test_clips_that_fail_after_one_that_worked_do_not_stop(program, toy, tmp_path) -> None:
    code = "import sys, shutil; '00' in sys.argv[1] or sys.exit(1); shutil.copy(*sys.argv[2:])"
    benchmark = read_benchmark(toy)
    items = [replace(benchmark.items[0], id=f"i{at:02}") for at in range(20)]
    sound = str(benchmark.items[0].audio)
    model = opened(f'{sys.executable} -c "{code}" {{id}} {sound} {{out}}', toy)
    rows = generate(model, replace(benchmark, items=tuple(items)), tmp_path / "g")
    assert [row.error is None for row in rows] == [True] + [False] * 19


def test_program_that_takes_too_long_is_stopped(program, toy, tmp_path) -> None:
    rows = rows_of(program, "hang", toy, tmp_path, "timeout=0.5 name=mine")
    assert rows[0].error == "mine: stopped, not finished for 0.5 s (log a.0.log)"


def test_program_sees_the_threads_of_the_shell(toy, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    code = "import os, sys; sys.exit(os.environ['OMP_NUM_THREADS'] + sys.argv[1])"
    model = opened(f'name=mine {sys.executable} -c "{code}" {{out}}', toy)
    rows = generate(model, read_benchmark(toy), tmp_path / "g")
    assert ": 7/" in str(rows[0].error) or ": 7out.wav" in str(rows[0].error)


def test_signature_follows_the_files_that_are_named(program, toy) -> None:
    text = f"name=mine python '{program}' {{out}}"
    before = dict(opened(text, toy).signature)
    assert before["name"] == "mine"
    assert before["command"] == f"python '{program}' '{{out}}'"
    program.write_text("# other")
    after = opened(text, toy).signature
    assert after["files"] != before["files"]
    assert after["files"].startswith("my gen.py=")


def test_fields_of_the_item_are_filled_in(tmp_path: Path) -> None:
    template = read_template("p --text={transcript} -t {duration} {out} {id} {seed}")
    item = Item("a/b", 1.5, transcript="it's here")
    words = template.fill(item, 2**40 + 7, Path("o.wav"))
    assert words == ("p", "--text=it's here", "-t", "1.5", "o.wav", "a/b", "7")


def test_item_without_the_field_fails() -> None:
    with pytest.raises(InputError, match="the item has no caption, which the command asks for"):
        read_template("p {caption} {out}").fill(Item("a", 1.0), 1, Path("o"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p {vidoe} {out}", r"no placeholder \{vidoe\}; known: \{video\}, \{out\}"),
        ("p --video {video}", r"the template needs \{out\}"),
        ("timeout=5", "got no program"),
        ("timeout=0 p {out}", "expected timeout=SECONDS, got '0'"),
        ("timeout=x p {out}", "expected timeout=SECONDS, got 'x'"),
        ("tiemout=5 p {out}", "no option 'tiemout'; known: timeout, name, folder"),
        ("folder=/no/such p {out}", "no folder /no/such"),
        ("p 'x {out}", "cannot split the command"),
    ],
)
def test_bad_template_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_template(text)


@pytest.mark.parametrize("word", ["pythn", "./my gen.py", "./no.sh"])
def test_absent_program_is_told_of_at_once(word: str, program: Path, toy: Path) -> None:
    with pytest.raises(InputError, match=f"no program '{word}' on PATH or in .*; type its path"):
        opened(f"folder='{program.parent}' '{word}' {{out}}", toy)


def test_program_of_the_folder_it_works_in_is_found(program: Path, toy: Path) -> None:
    program.write_text(f"#!{sys.executable}\n{PROGRAM}")
    program.chmod(0o755)
    assert opened(f"folder='{program.parent}' './my gen.py' {{out}}", toy).signature["name"]
