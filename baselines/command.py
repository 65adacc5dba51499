"""Any program that makes one clip a call: ``--model "command:python gen.py --out {out} ..."``.

The text is split as a shell would split it, but no shell runs it. Words of the form ``key=value``
before the program are options: ``timeout=SECONDS`` (default 600), ``name=NAME`` (default: the
program's name), ``folder=DIR`` to work in. Placeholders, each inside a word or a whole one:
``{video}``, ``{out}`` (a WAV file that must be written), ``{seed}`` (below 2^32), ``{id}``,
``{duration}`` in seconds, ``{caption}``, ``{transcript}``, ``{speaker_audio}``.

One process at a time is run, on one clip, so a clip depends on the item and the seed alone if the
program says so much of its seed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from baselines.external import Program, environment, run_program
from baselines.installation import kept_digest
from vsseval.audio import read_audio
from vsseval.errors import ExternalToolError, InputError
from vsseval.types import Call, Item, ModelContext, ModelOutput

TIMEOUT_SECONDS = 600.0

PLACEHOLDERS = (
    "video",
    "out",
    "seed",
    "id",
    "duration",
    "caption",
    "transcript",
    "speaker_audio",
)
BREAKS = 10
"""Clips in a row without any that came out, after which the command is to blame and no clip."""
OPTIONS = ("timeout", "name", "folder")

_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A command with placeholders."""

    words: tuple[str, ...]
    name: str
    timeout: float
    """[s]"""
    folder: Path
    """Working directory."""

    def fill(self, item: Item, seed: int, out: Path) -> tuple[str, ...]:
        """The command for a clip.

        Raises:
            InputError: the item lacks what a placeholder stands for.
        """
        values: dict[str, object] = {
            "video": item.video and item.video.absolute(),
            "out": out,
            "seed": seed % 2**32,
            "id": item.id,
            "duration": item.duration,
            "caption": item.caption,
            "transcript": item.transcript,
            "speaker_audio": item.speaker_audio and item.speaker_audio.absolute(),
        }

        def value(match: re.Match[str]) -> str:
            if values[match[1]] is None:
                raise InputError(f"the item has no {match[1]}, which the command asks for")
            return str(values[match[1]])

        return tuple(_FIELD.sub(value, word) for word in self.words)


def read_template(text: str) -> Template:
    """A template, checked.

    Raises:
        InputError: quotes that do not close, no program, an unknown option or placeholder, or no
            ``{out}``.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(f"cannot split the command {text!r}: {error}") from error
    options: dict[str, str] = {}
    while words and re.fullmatch(r"\w+=.*", words[0]):
        key, _, value = words.pop(0).partition("=")
        if key not in OPTIONS:
            raise InputError(f"command: no option {key!r}; known: {', '.join(OPTIONS)}")
        options[key] = value
    if not words:
        raise InputError("expected --model 'command:PROGRAM ... {out} ...', got no program")
    fields = [field for word in words for field in _FIELD.findall(word)]
    for field in fields:
        if field not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise InputError(f"command: no placeholder {{{field}}}; known: {known}")
    if "out" not in fields:
        raise InputError("command: the template needs {out}, the WAV file it is to write")
    try:
        timeout = float(options.get("timeout", TIMEOUT_SECONDS))
    except ValueError:
        timeout = 0.0
    if not timeout > 0:
        raise InputError(f"command: expected timeout=SECONDS, got {options['timeout']!r}")
    folder = Path(options.get("folder", ".")).expanduser().absolute()
    if not folder.is_dir():
        raise InputError(f"command: no folder {folder}")
    return Template(tuple(words), options.get("name", Path(words[0]).name), timeout, folder)


def _program(word: str, folder: Path) -> str | None:
    """Where a program is; a path is relative to the folder that it works in."""
    return shutil.which(str(folder / word) if os.sep in word else word)


def load(context: ModelContext) -> Command:
    """The template after ``command:``.

    Raises:
        InputError: it is not a template, or there is no such program.
    """
    template = read_template(context.argument or "")
    word = template.words[0]
    if not _FIELD.search(word) and not _program(word, template.folder):
        raise InputError(
            f"command: no program {word!r} on PATH or in {template.folder} that can be started; "
            "type its path, such as `which python3` prints"
        )
    return Command(template)


class Command:
    """One call of a program a clip."""

    def __init__(self, template: Template) -> None:
        self._template = template
        # The user's own command sees what their shell does; later we set a thread count of ours.
        self._env = {**environment(None, {}), **os.environ}
        self._logs: Path | None = None
        self._labels: dict[tuple[str, int], str] = {}
        self._breaks = 0
        """In a row from the first clip on; -1 once a clip came out."""
        self.signature: Mapping[str, str] = {
            "name": template.name,
            "command": shlex.join(template.words),
            "files": " ".join(named_files(template)) or "none named",
            "version": "1",
        }

    def prepare(self, calls: Sequence[Call], folder: Path, advance: Callable[[], None]) -> None:
        """Note where logs go; the work is done call by call."""
        self._logs = folder.absolute() / "logs"
        for call in calls:
            self._labels[call.item.id, call.seed] = f"{call.item.id}.{call.take}"
            advance()

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """What the program writes to ``{out}``.

        Raises:
            InputError: the program fails, takes too long or writes no audio; with the reason.
            ExternalToolError: it did so for each of the first :data:`BREAKS` clips.
        """
        label = self._labels.get((item.id, seed), item.id).replace("/", "_")
        with tempfile.TemporaryDirectory(prefix="vsseval-") as folder:
            out = Path(folder) / "out.wav"
            program = Program(
                title=self._template.name,
                command=self._template.fill(item, seed, out),
                folder=self._template.folder,
                env=self._env,
                log=(self._logs or Path(folder)) / f"{label}.log",
                timeout=self._template.timeout,
            )
            try:
                seconds = run_program(program)
            except ExternalToolError as error:
                raise self._broken(str(error)) from error
            if not out.is_file():
                raise self._broken(f"{program.title}: exit status 0, but nothing at {{out}}")
            self._breaks = -1
            return ModelOutput(read_audio(out), seconds=seconds)

    def _broken(self, reason: str) -> InputError | ExternalToolError:
        if self._breaks >= 0:
            self._breaks += 1
        if self._breaks < BREAKS:
            return InputError(reason)
        return ExternalToolError(
            f"{reason}; so did each of the first {BREAKS} clips, so the command is to blame: mend "
            f"it and run again (logs in {self._logs})"
        )


def named_files(template: Template) -> list[str]:
    """``name=digest`` of every file that the template names: script and weights."""
    found = []
    for word in template.words[1:]:
        path = template.folder / word.rpartition("=")[2]
        if not _FIELD.search(word) and path.is_file():
            found.append(f"{path.name}={kept_digest(path)[:12]}")
    return found
