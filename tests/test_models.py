"""What may stand after ``--model``."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

import pytest

from vsseval.benchmarks.manifest import read_benchmark
from vsseval.errors import InputError, UnknownNameError
from vsseval.lazy import resolve
from vsseval.models import MODELS, load_model
from vsseval.types import Benchmark


@pytest.fixture
def benchmark(toy: Path) -> Benchmark:
    return read_benchmark(toy)


def own_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> str:
    (tmp_path / "own_models.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "own_models", raising=False)
    importlib.invalidate_caches()
    return "own_models:load"


def test_table_name_loads_with_its_kind(benchmark: Benchmark) -> None:
    loaded = load_model("silence", benchmark)
    assert (loaded.name, loaded.kind, loaded.notes) == ("silence", "oracle", ())


def test_import_string_is_a_system(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "class M:\n signature = {'name': 'mine'}\n def generate(self, item, seed): ...\n"
    spec = own_model(tmp_path, monkeypatch, body + "def load(context):\n return M()\n")
    loaded = load_model(spec, benchmark)
    assert (loaded.name, loaded.kind) == ("mine", "system")


def test_what_is_loaded_must_be_a_model(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = own_model(tmp_path, monkeypatch, "def load(context):\n return 3\n")
    with pytest.raises(InputError, match="'own_models:load' loads is no model"):
        load_model(spec, benchmark)


OWN = "class M:\n signature = {'name': 'mine'}\n def generate(self, item, seed): ...\n"


def test_changed_script_has_another_signature(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the clips of the script as it was would be scored for those of the new one."""
    load = "def load(context):\n return M()\n"
    codes = []
    for body in (OWN + load, OWN + load, OWN + "level = 2\n" + load):
        spec = own_model(tmp_path, monkeypatch, body)
        loaded = load_model(spec, benchmark)
        codes.append(loaded.signature["code"])
        assert codes[-1] == hashlib.sha256(body.encode()).hexdigest()[:12]
        assert loaded.signature["name"] == "mine"
    assert codes[0] == codes[1] != codes[2]
    # Whoever states it is believed.
    stated = OWN.replace("'mine'", "'mine', 'code': 'v1'")
    spec = own_model(tmp_path, monkeypatch, stated + load)
    assert load_model(spec, benchmark).signature == {"name": "mine", "code": "v1"}
    assert "code" not in load_model("silence", benchmark).signature


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "def load(context):\n raise ValueError('no GPU')\n",
            "failed: ValueError: no GPU; .*--debug",
        ),
        ("def load(context):\n raise SystemExit(2)\n", "own_models:load failed: SystemExit: 2"),
        ("def load(context:\n", "cannot import 'own_models' .*: SyntaxError: "),
        ("1 / 0\n", "cannot import 'own_models' .*: ZeroDivisionError: "),
    ],
)
def test_failure_of_somebodys_own_model_is_no_defect(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    spec = own_model(tmp_path, monkeypatch, body)
    with pytest.raises(InputError, match=words):
        load_model(spec, benchmark)


def test_unknown_name_lists_close_ones(benchmark: Benchmark) -> None:
    with pytest.raises(UnknownNameError, match="unknown model 'vsflow'; did you mean vssflow"):
        load_model("vsflow", benchmark)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("folder", "expected --model folder:PATH, got 'folder'"),
        ("silence:x", "expected --model silence, got 'silence:x'"),
        ("no_such_module:load", "cannot import 'no_such_module'.*PYTHONPATH"),
        ("vsseval.lazy:nothing", "has no function 'nothing'"),
    ],
)
def test_bad_spec_is_refused(benchmark: Benchmark, spec: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_model(spec, benchmark)


def test_resolve_wants_a_colon() -> None:
    with pytest.raises(InputError, match=r"expected package\.module:function"):
        resolve("vsseval.lazy")


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("vssflow", "codec")])
def test_every_row_of_the_baselines_resolves(name: str) -> None:
    assert callable(resolve(MODELS[name].load))
