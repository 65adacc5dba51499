"""Who may import whom, and that importing does nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = {
    f"vsseval.{name}"
    for name in (
        "types", "errors", "files", "audio", "resampling", "video", "weights", "devices", "ranks",
        "cli", "cli.errors",
        "synchformer", "synchformer.checkpoint", "synchformer.network", "synchformer.video",
    )
}  # fmt: skip
METRIC_PACKAGES = {"numpy", "scipy", "numba", "jiwer"}
METRIC_MODULES = {"vsseval.metrics", "vsseval.errors", "vsseval.types"}


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports anywhere, type checking included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def files(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found
    return found


def modules(names: set[str], package: str) -> set[str]:
    """Those names of ``package`` that are modules and not things inside one."""
    inside = {name for name in names if name.split(".")[0] == package}
    return {
        name
        for name in inside
        if (ROOT / name.replace(".", "/")).is_dir()
        or (ROOT / (name.replace(".", "/") + ".py")).is_file()
    }


@pytest.mark.parametrize("package", ["vssflow", "baselines"])
def test_systems_import_only_the_shared_modules(package: str) -> None:
    for path in files(package):
        used = modules(imported(path), "vsseval") - {"vsseval"}
        assert used <= SHARED, f"{path.relative_to(ROOT)} imports {sorted(used - SHARED)}"


def test_vsseval_imports_no_system() -> None:
    for path in files("vsseval"):
        systems = {n for n in imported(path) if n.split(".")[0] in ("vssflow", "baselines")}
        assert not systems, f"{path.relative_to(ROOT)} imports {sorted(systems)}"


def test_baselines_and_vssflow_do_not_know_each_other() -> None:
    for package, other in (("vssflow", "baselines"), ("baselines", "vssflow")):
        for path in files(package):
            assert not [name for name in imported(path) if name.split(".")[0] == other], path


def test_metrics_know_arrays_only() -> None:
    for path in files("vsseval/metrics"):
        names = imported(path)
        own = modules(names, "vsseval") - {"vsseval"}
        assert all(n in METRIC_MODULES or n.startswith("vsseval.metrics.") for n in own), path
        others = {name.split(".")[0] for name in names} - {"vsseval"}
        assert others - set(sys.stdlib_module_names) <= METRIC_PACKAGES, path


def importable() -> list[str]:
    names = []
    for package in ("vsseval", "vssflow", "baselines"):
        for path in files(package):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if not name.endswith("__main__"):
                names.append(name.removesuffix(".__init__"))
    return names


CHECK = """
import importlib, logging, os, random, sys, threading
before_files = set(os.listdir("."))
before_random = random.getstate()
for name in sys.argv[1:]:
    importlib.import_module(name)
import numpy, torch
assert torch.get_default_dtype() == torch.float32
assert torch.is_grad_enabled()
assert set(os.listdir(".")) == before_files, "files appeared"
assert random.getstate() == before_random, "random was used"
assert not logging.getLogger().handlers, "root logging was touched"
"""


def test_importing_every_module_does_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *importable()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "home").exists()
