"""``vsseval doctor``: what the demo needs, and whether it is here."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from vsseval.benchmarks.table import BENCHMARKS, EMBEDDED_MEDIA
from vsseval.errors import VssevalError
from vsseval.files import default_cache
from vsseval.records import PACKAGES
from vsseval.types import Finding

FREE_BYTES = 500_000_000
"""Room that a run of the demo benchmarks needs, generously."""

_OTHER_CACHE = "pass --cache DIR or set VSSEVAL_CACHE"


def examine() -> list[Finding]:
    """Python, packages, device, weights, embedded benchmarks, checkpoint, cache."""
    return [
        _python(),
        *(_package(name) for name in PACKAGES),
        _device(),
        *_weights(),
        *(_benchmark(row.name) for row in BENCHMARKS.values() if row.embedded),
        _model(),
        _cache(default_cache()),
    ]


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    what = f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores"
    return Finding(ok, what, "" if ok else "install Python 3.11 or newer")


def _package(name: str) -> Finding:
    try:
        return Finding(True, f"{name} {importlib.metadata.version(name)}")
    except importlib.metadata.PackageNotFoundError:
        return Finding(False, f"package {name}", f"pip install {name}")


def _device() -> Finding:
    import torch

    cuda = f"CUDA {torch.version.cuda}" if torch.cuda.is_available() else "no CUDA device"
    return Finding(True, f"{cuda}, torch uses {torch.get_num_threads()} threads on the CPU")


def _weights() -> list[Finding]:
    from vsseval.weights import status

    return [
        Finding(
            state.state == "ok",
            f"weights {state.name} {state.state} in {state.path}",
            "" if state.state == "ok" else f"vsseval weights pull {state.name}",
        )
        for state in status(("demo",))
    ]


def _benchmark(name: str) -> Finding:
    from vsseval.benchmarks.manifest import load_benchmark

    try:
        found = load_benchmark(name)
    except VssevalError as error:
        return Finding(False, f"benchmark {name}: {error}", BENCHMARKS[name].how_to_get)
    return Finding(
        True, f"benchmark {name} {found.version}, {len(found.items)} clips, media complete"
    )


def _model() -> Finding:
    from vsseval.benchmarks.manifest import load_benchmark
    from vsseval.models import load_model

    if not (EMBEDDED_MEDIA / "demo-sound" / "benchmark.json").is_file():
        return Finding(False, "model vssflow: not tried without demo-sound")
    try:
        model = load_model("vssflow", load_benchmark("demo-sound"))
    except VssevalError as error:
        return Finding(False, f"model vssflow: {error}", "vssflow train --preset tiny")
    settings = ", ".join(f"{name} {value}" for name, value in model.signature.items())
    return Finding(True, f"model {settings}")


def _cache(root: Path) -> Finding:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            free = shutil.disk_usage(root).free
    except OSError as error:
        return Finding(False, f"cache {root}: {error.strerror}", _OTHER_CACHE)
    what = f"cache {root}, {free / 1e9:.1f} GB free"
    if free < FREE_BYTES:
        return Finding(False, what, f"free some space, or {_OTHER_CACHE}")
    return Finding(True, what)
