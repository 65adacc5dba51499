"""Where another system is installed: ``models.toml``, its commit, the digests of its weights.

One table a model::

    [frieren]
    python = "/opt/envs/frieren/bin/python"     interpreter of its own environment
    checkout = "/opt/Frieren-V2A"               its repository
    cfm = "/data/frieren/cfm.ckpt"              paths and options as docs/baselines.md lists them
    [frieren.env]                               optional: variables its programs see
    HF_HOME = "/data/hf"

The file is ``--checkpoint FILE.toml``, else ``$VSSEVAL_MODELS``, else
``$XDG_CONFIG_HOME/vsseval/models.toml``, else ``~/.config/vsseval/models.toml``. Relative paths
start at its folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from vsseval.errors import ExternalToolError, InputError, MissingWeightsError, UnknownNameError
from vsseval.files import default_cache, file_digest, write_atomic

Option = str | int | float


@dataclass(frozen=True, slots=True)
class Weights:
    """A file or folder that a model needs."""

    key: str
    """In models.toml."""
    what: str
    how_to_get: str
    inside: tuple[str, ...] = ()
    """Files that must be in it, for a folder."""
    default: str = ""
    """Path below the checkout where upstream looks; empty if it must be stated."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What an installation of one model consists of."""

    name: str
    repository: str
    commit: str
    """The one that was read; others are warned of and stand in the signature."""
    scripts: tuple[str, ...]
    """Files of the checkout that are called or imported."""
    packages: tuple[str, ...]
    """What its environment must be able to import."""
    weights: tuple[Weights, ...]
    options: Mapping[str, Option]
    """Other keys of the table, with their defaults; ``gpu`` among them."""
    python_path: str
    """Folder of the checkout that its programs import from."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One table of models.toml, checked."""

    layout: Layout
    source: Path
    python: Path
    checkout: Path
    weights: Mapping[str, Path]
    options: Mapping[str, Option]
    env: Mapping[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        """What its programs see beside what everyone's do."""
        paths = [str(self.checkout / self.layout.python_path), self.env.get("PYTHONPATH", "")]
        return {
            "CUDA_VISIBLE_DEVICES": self.text("gpu"),
            **self.env,
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        }

    def text(self, key: str) -> str:
        """An option as text."""
        return str(self.options[key])

    def number(self, key: str) -> float:
        """An option that is a number."""
        return float(self.options[key])


def models_file(checkpoint: Path | None = None) -> Path:
    """Path of models.toml; it need not exist."""
    if checkpoint is not None:
        return checkpoint
    if named := os.environ.get("VSSEVAL_MODELS"):
        return Path(named).expanduser()
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "vsseval" / "models.toml"


def read_installation(layout: Layout, checkpoint: Path | None) -> Installation:
    """The model's table, with types and names checked; whether the files exist is not.

    Raises:
        InputError: no such file or table, a key that is missing, or a value of another type.
        UnknownNameError: a key that the model does not have.
    """
    name = layout.name
    source = models_file(checkpoint)
    advice = f"docs/baselines.md shows it, `vsseval models doctor {name}` checks it"
    if not source.is_file():
        raise InputError(f"{name} is not set up: no file {source} with a table [{name}]; {advice}")
    try:
        table = tomllib.loads(source.read_text(encoding="utf-8")).get(name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{source} is no TOML: {error}") from error
    if not isinstance(table, dict):
        raise InputError(f"{name} is not set up: {source} has no table [{name}]; {advice}")
    where = f"[{name}] in {source}"
    keys = {weights.key for weights in layout.weights}
    known = {"python", "checkout", "env", *keys, *layout.options}
    for key in table:
        if key not in known:
            raise UnknownNameError(f"key of {where}", key, known)

    needed = ["python", "checkout", *(w.key for w in layout.weights if not w.default)]
    if absent := [key for key in needed if key not in table]:
        raise InputError(f"{where} lacks {', '.join(absent)}; {advice}")

    def path(key: str, default: str = "") -> Path:
        value = table.get(key, default)
        if not isinstance(value, str) or not value:
            raise InputError(f'{where}: expected {key} = "a path", got {value!r}; {advice}')
        return source.parent.absolute() / Path(value).expanduser()

    checkout = path("checkout").resolve()
    return Installation(
        layout,
        source,
        path("python"),
        checkout,
        {
            w.key: path(w.key, str(checkout / w.default) if w.default else "")
            for w in layout.weights
        },
        {
            key: _option(table.get(key, value), value, key, where)
            for key, value in layout.options.items()
        },
        _env(table.get("env", {}), where),
    )


def _option(value: object, default: Option, key: str, where: str) -> Option:
    expected: type | tuple[type, ...] = (
        (int, float) if isinstance(default, float) else type(default)
    )
    if not isinstance(value, expected) or isinstance(value, bool):
        kind = {str: "text", int: "a whole number", float: "a number"}[type(default)]
        raise InputError(f"{where}: expected {key} = {kind}, got {value!r}")
    if isinstance(value, int | float) and value <= 0:
        raise InputError(f"{where}: expected {key} above 0, got {value!r}")
    return cast(Option, value)


def _env(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise InputError(f"{where}: expected env as a table of texts, got {value!r}")
    return dict(value)


def check_installation(installation: Installation) -> None:
    """Whether all of its files exist.

    Raises:
        InputError: the interpreter, the checkout or a script of it is missing.
        MissingWeightsError: weights are missing.
    """
    name = installation.layout.name
    doctor = f"`vsseval models doctor {name}` lists all that is missing"
    if not os.access(installation.python, os.X_OK) or not installation.python.is_file():
        raise InputError(f"{name}: no interpreter at {installation.python}; {doctor}")
    for script in installation.layout.scripts:
        if not (installation.checkout / script).is_file():
            raise InputError(
                f"{name}: {installation.checkout} is no checkout of "
                f"{installation.layout.repository}: it has no {script}; {doctor}"
            )
    for weights in installation.layout.weights:
        if missing := missing_files(weights, installation.weights[weights.key]):
            raise MissingWeightsError(
                f"{name}: {weights.what} is missing: no {missing[0]}; "
                f"{weights.how_to_get}; {doctor}"
            )


def missing_files(weights: Weights, path: Path) -> list[Path]:
    """Files of ``weights`` that are not there."""
    wanted = [path / name for name in weights.inside] or [path]
    return [file for file in wanted if not file.is_file()]


def weight_digest(weights: Weights, path: Path) -> str:
    """12 hex digits over the files of ``weights``."""
    files = [path / name for name in weights.inside] or [path]
    if len(files) == 1:
        return kept_digest(files[0])[:12]
    lines = "".join(f"{file.name} {kept_digest(file)}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()[:12]


def kept_digest(path: Path) -> str:
    """sha256 of a file, remembered by size and modification time: weights are gigabytes.

    Raises:
        InputError: it cannot be read.
    """
    store = default_cache() / "external" / "digests.json"
    try:
        stamp = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    key = f"{path.absolute()}|{stamp.st_size}|{stamp.st_mtime_ns}"
    try:
        known = json.loads(store.read_text())
    except (OSError, ValueError):
        known = {}
    if key not in known:
        known[key] = file_digest(path)
        write_atomic(store, json.dumps(known, indent=1).encode())
    return str(known[key])


def commit_of(checkout: Path) -> str:
    """Commit of a checkout (7 digits); what was changed since, or a folder without git, by content.

    ``0c39692``, ``0c39692-dirty-1a2b3c4d`` with a digest of its Python files, or
    ``tree-1a2b3c4d``.
    """
    head = _git(checkout, "rev-parse", "HEAD")
    # A folder inside some other repository is not that repository.
    top = _git(checkout, "rev-parse", "--show-toplevel")
    if head is None or top is None or Path(top).resolve() != checkout.resolve():
        return f"tree-{_sources_digest(checkout)}"
    if _git(checkout, "status", "--porcelain", "--untracked-files=no"):
        return f"{head[:7]}-dirty-{_sources_digest(checkout)}"
    return head[:7]


def _git(checkout: Path, *arguments: str) -> str | None:
    # The owner of a shared checkout is often somebody else.
    command = ["git", "-c", "safe.directory=*", "-C", str(checkout), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _sources_digest(checkout: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(checkout.rglob("*.py")):
        digest.update(f"{path.relative_to(checkout).as_posix()} {file_digest(path)}\n".encode())
    return digest.hexdigest()[:8]


def ask(installation: Installation, *arguments: str, folder: Path | None = None) -> str:
    """Standard output of a short call of its interpreter.

    Raises:
        ExternalToolError: it cannot be started, fails, or takes more than two minutes.
    """
    from baselines.external import environment

    command = [str(installation.python), *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder or installation.checkout,
            env=environment(installation.python, installation.variables()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExternalToolError(f"cannot run {command[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ExternalToolError(f"exit status {done.returncode}: {last}")
    return done.stdout
