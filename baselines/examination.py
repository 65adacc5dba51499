"""What ``vsseval models doctor NAME`` looks at for a system in an environment of its own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from baselines.external import environment
from baselines.installation import (
    Installation,
    Layout,
    Weights,
    ask,
    commit_of,
    missing_files,
    models_file,
    read_installation,
    weight_digest,
)
from vsseval.errors import ExternalToolError, VssevalError
from vsseval.types import Finding

_PROBE = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = str(getattr(importlib.import_module(name), "__version__", "?"))
    except Exception as error:
        found[name] = "!" + type(error).__name__ + ": " + str(error)
try:
    import torch
    found["cuda"] = str(torch.cuda.is_available())
except Exception:
    pass
print(); print(json.dumps(found))
"""


def examine_installation(
    layout: Layout,
    checkpoint: Path | None,
    *,
    helps: Mapping[str, Sequence[str]],
    tools: Sequence[str] = (),
) -> list[Finding]:
    """Table, interpreter, packages, checkout, weights, and the flags of each script.

    Args:
        layout: What the model consists of.
        checkpoint: ``--checkpoint FILE.toml``, or None.
        helps: Flags by script that answers ``--help``; a path below the checkout, or absolute.
        tools: Programs its scripts call.
    """
    try:
        installation = read_installation(layout, checkpoint)
    except VssevalError as error:
        return [Finding(False, str(error), table_text(layout, models_file(checkpoint)))]
    here = Finding(True, f"table [{layout.name}] of {installation.source}")
    python = _python(installation)
    found = [here, python]
    if python.ok:
        found += _packages(installation)
    found += [_tool(installation, tool) for tool in tools]
    checkout = _checkout(installation)
    found.append(checkout)
    found += [_weights(weights, installation.weights[weights.key]) for weights in layout.weights]
    if python.ok and checkout.ok:
        found += [_help(installation, script, flags) for script, flags in helps.items()]
    return found


def table_text(layout: Layout, source: Path) -> str:
    """The lines to put into models.toml."""
    lines = [
        f"what is to stand in {source}:",
        f"[{layout.name}]",
        'python = "/path/to/its/env/bin/python"',
    ]
    lines.append(f'checkout = "/path/to/checkout"  # git clone {layout.repository}')
    for weights in layout.weights:
        note = f"# {weights.what}: {weights.how_to_get}"
        optional = "# optional: " if weights.default else ""
        lines.append(f'{optional}{weights.key} = "/path"  {note}')
    return "\n            ".join(lines)


def _python(installation: Installation) -> Finding:
    what = f"interpreter {installation.python}"
    try:
        version = ask(installation, "--version", folder=installation.source.absolute().parent)
    except ExternalToolError as error:
        remedy = f"make the environment of {installation.layout.repository}, state its python"
        return Finding(False, f"{what}: {error}", remedy)
    return Finding(True, f"{what}: {version.strip()}")


def _packages(installation: Installation) -> list[Finding]:
    names = installation.layout.packages
    try:
        answer = ask(
            installation, "-c", _PROBE, *names, folder=installation.source.absolute().parent
        )
        versions: dict[str, str] = json.loads(answer.strip().splitlines()[-1])
    except (ExternalToolError, ValueError, IndexError) as error:
        return [Finding(False, f"packages of its environment: {error}")]
    broken = {name: text[1:] for name, text in versions.items() if text.startswith("!")}
    whole = ", ".join(
        f"{name} {versions[name]}" for name in names if name in versions and name not in broken
    )
    found = [Finding(True, f"packages {whole}")] if whole else []
    for name, reason in broken.items():
        remedy = f"install it into {installation.python.parent.parent}, as docs/baselines.md says"
        found.append(Finding(False, f"package {name}: {reason}", remedy))
    if versions.get("cuda") == "False" and installation.options.get("device") != "cpu":
        found.append(Finding(False, "its torch sees no CUDA device", "run on a machine with a GPU"))
    elif "cuda" in versions:
        where = "a CUDA device" if versions["cuda"] == "True" else "no CUDA device, none is asked"
        found.append(Finding(True, f"its torch sees {where}"))
    return found


def _tool(installation: Installation, tool: str) -> Finding:
    env = environment(installation.python, installation.variables())
    path = shutil.which(tool, path=env["PATH"])
    return Finding(
        path is not None, f"{tool}: {path or 'not on PATH'}", "" if path else f"install {tool}"
    )


def _checkout(installation: Installation) -> Finding:
    layout, checkout = installation.layout, installation.checkout
    missing = [name for name in layout.scripts if not (checkout / name).is_file()]
    if missing:
        remedy = f"git clone {layout.repository} {checkout}"
        return Finding(False, f"checkout {checkout}: no {missing[0]}", remedy)
    commit = commit_of(checkout)
    what = f"checkout {checkout} at {commit}"
    if commit != layout.commit[:7]:
        # A number made with it says so in its signature; the flags are checked below.
        what += f" (its interface was read at {layout.commit[:7]})"
    return Finding(True, what)


def _weights(weights: Weights, path: Path) -> Finding:
    if missing := missing_files(weights, path):
        remedy = f"{weights.how_to_get}; then state {weights.key} in models.toml"
        return Finding(False, f"{weights.key}, {weights.what}: no {missing[0]}", remedy)
    files = [path / name for name in weights.inside] or [path]
    size = sum(file.stat().st_size for file in files) / 1e6
    return Finding(
        True, f"{weights.key} {path}: {size:.1f} MB, sha256 {weight_digest(weights, path)}..."
    )


def _help(installation: Installation, script: str, flags: Sequence[str]) -> Finding:
    try:
        missing = missing_flags(installation, script, flags)
    except ExternalToolError as error:
        return Finding(False, f"{script} --help: {error}", "see the packages above")
    if missing:
        remedy = f"git -C {installation.checkout} checkout {installation.layout.commit}"
        return Finding(False, f"{script} knows no {', '.join(missing)}", remedy)
    return Finding(True, f"{script} --help: knows {' '.join(flags)}")


def missing_flags(installation: Installation, script: str, flags: Sequence[str]) -> list[str]:
    """Those of ``flags`` that the script's ``--help`` does not show.

    Raises:
        ExternalToolError: the call fails.
    """
    path = installation.checkout / script
    text = ask(installation, str(path), "--help", folder=path.parent)
    known = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))
    return [flag for flag in flags if flag not in known]
