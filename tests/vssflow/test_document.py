"""The commands of docs/vssflow.md are commands that the programs take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from vsseval.cli import main as vsseval
from vssflow.cli import commands as vssflow

TEXT = (Path(__file__).parents[2] / "docs" / "vssflow.md").read_text(encoding="utf-8")
PROGRAMS = {"vssflow": vssflow, "vsseval": vsseval}


def blocks() -> list[str]:
    """Lines of the code blocks that call one of the programs."""
    code = "\n".join(re.findall(r"^```\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
    lines = code.replace("\\\n", " ").splitlines()
    return [line for line in lines if re.search(r"(^|-m )vss(flow|eval) ", line)]


def in_sentences() -> list[str]:
    """Commands with options between the words, which need not be whole."""
    return re.findall(r"`(vss(?:flow|eval) [^`\n]* --[^`\n]*)`", TEXT)


def parsed(line: str) -> tuple[click.Command, list[str]]:
    """The command of a line, and the words behind its name."""
    words = shlex.split(line, comments=True)
    start = next(i for i, word in enumerate(words) if word in PROGRAMS)
    command: click.Command = PROGRAMS[words[start]]
    rest = words[start + 1 :]
    while isinstance(command, click.Group):
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest[:-1] if rest[-1] == "..." else rest


@pytest.mark.parametrize("line", blocks())
def test_command_of_a_block_is_complete(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("DATA", "demo-train"):
        (tmp_path / folder).mkdir()
    command, words = parsed(line)
    if line.rstrip().endswith("..."):  # the rest is as in another line
        words += ["--steps", "1"]
    command.make_context(command.name, words)


@pytest.mark.parametrize("line", in_sentences())
def test_command_in_a_sentence_has_options_that_are_there(line):
    command, words = parsed(line)
    known = {name for option in command.params for name in option.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_document_has_commands():
    assert len(blocks()) > 20
    assert len(in_sentences()) > 3
