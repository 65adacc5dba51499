"""The ``MODELS`` table, and how a ``--model`` text becomes a model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from vsseval.errors import InputError, UnknownNameError, VssevalError
from vsseval.files import file_digest
from vsseval.lazy import resolve
from vsseval.types import Benchmark, Finding, Model, ModelContext
from vsseval.workers import Shared

Kind = Literal["system", "oracle"]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A row of the table."""

    name: str
    load: str
    """``module:function`` that takes a ``ModelContext`` and returns a ``Model``."""
    kind: Kind
    """An oracle may read the reference audio; it is shown in reports and never ranked."""
    title: str
    argument: str = ""
    """What is expected after ``name:``, empty where nothing is."""
    examine: str = ""
    """``module:function`` that takes ``--checkpoint`` or None and returns a list of ``Finding``;
    empty for a model that needs nothing of its own."""


def _outputs(name: str, title: str) -> ModelRow:
    """A folder of files named as one system names them."""
    load = "baselines.folder:load_preset"
    return ModelRow(name, load, "system", f"{title}: files in PATH", argument="PATH")


MODELS: dict[str, ModelRow] = {
    row.name: row
    for row in (
        ModelRow("vssflow", "vssflow.system:load", "system", "sound and speech from video"),
        ModelRow("reference", "baselines.oracles:load_reference", "oracle", "the ground truth"),
        ModelRow(
            "codec",
            "vssflow.system:load_codec",
            "oracle",
            "the ground truth through VSSFlow's codec and vocoder",
        ),
        ModelRow(
            "shifted",
            "baselines.oracles:load_shifted",
            "oracle",
            "the ground truth, 0.4 s late",
        ),
        ModelRow(
            "shuffled",
            "baselines.oracles:load_shuffled",
            "oracle",
            "the ground truth of another clip",
        ),
        ModelRow("noise", "baselines.oracles:load_noise", "oracle", "white noise at -20 dBFS"),
        ModelRow("silence", "baselines.oracles:load_silence", "oracle", "zeros"),
        ModelRow(
            "folder",
            "baselines.folder:load",
            "system",
            "audio that was generated already: files in PATH, found by item id",
            argument="PATH",
        ),
        ModelRow(
            "frieren",
            "baselines.frieren:load",
            "system",
            "Frieren, run in its own environment",
            examine="baselines.frieren:examine",
        ),
        ModelRow(
            "lova",
            "baselines.lova:load",
            "system",
            "LoVA, run in its own environment",
            examine="baselines.lova:examine",
        ),
        ModelRow(
            "command",
            "baselines.command:load",
            "system",
            "a program that makes one clip a call: 'python gen.py --video {video} --out {out}'",
            argument="TEMPLATE",
        ),
        _outputs("frieren-outputs", "the outputs that Frieren's authors publish"),
        _outputs("mmaudio", "outputs of MMAudio"),
        _outputs("diff-foley", "outputs of Diff-Foley"),
        _outputs("foleycrafter", "outputs of FoleyCrafter"),
        _outputs("v2a-mapper", "outputs of V2A-Mapper"),
        _outputs("styledubber", "outputs of StyleDubber"),
        _outputs("speaker2dubber", "outputs of Speaker2Dubber"),
        _outputs("emodubber", "outputs of EmoDubber"),
        _outputs("hpmdubbing", "outputs of HPMDubbing"),
        _outputs("dsu-avo", "outputs of DSU-AVO"),
    )
}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with what a record says of it."""

    model: Model
    name: str
    """``name`` of its signature; also the name of its folder in results."""
    kind: Kind
    notes: tuple[str, ...]
    """What the model says of itself, such as the coverage of ``folder:PATH``."""
    code: str = ""
    """Head of the sha256 of the file that ``package.module:load`` names; empty for a row of the
    table, whose signature says all."""

    @property
    def signature(self) -> Mapping[str, str]:
        """The model's own signature, and ``code`` where it states none.

        So that clips of a script that was changed since are not taken for those of the new one.
        """
        signature = self.model.signature
        return {"code": self.code, **signature} if self.code else signature

    @property
    def group(self) -> int:
        """Neighbouring items that the model makes together; 1 for most."""
        return int(getattr(self.model, "group", 1))


def load_model(
    spec: str, benchmark: Benchmark, *, checkpoint: Path | None = None, device: str = "cpu"
) -> LoadedModel:
    """The model that ``spec`` names.

    Args:
        spec: A name of the table, ``folder:PATH``, or ``package.module:load``.
        benchmark: The whole benchmark, not cut to a limit: an oracle's output may depend on it.
        checkpoint: ``--checkpoint``, or None for the model's default.
        device: ``cpu`` or ``cuda``.

    Raises:
        UnknownNameError: no such name.
        InputError: an argument missing or too many, a function that cannot be imported or fails,
            or an object that is not a model.
    """
    row, rest = find_row(spec)
    context = ModelContext(
        benchmark, checkpoint, device, rest if row else None, row.name if row else ""
    )
    model = cast(Model, resolve(row.load)(context) if row else _load_own(spec, context))
    signature = getattr(model, "signature", None)
    if not isinstance(signature, Mapping) or not signature.get("name") or not _generates(model):
        raise InputError(
            f"what {spec!r} loads is no model: expected a signature mapping with a name, "
            "and generate(item, seed)"
        )
    notes = tuple(getattr(model, "notes", ()))
    code = "" if row else _code_digest(spec)
    return LoadedModel(model, signature["name"], row.kind if row else "system", notes, code)


def _load_own(spec: str, context: ModelContext) -> object:
    """What somebody's own function returns; its failure is no defect of this program."""
    load = resolve(spec)
    try:
        return load(context)
    except (VssevalError, OSError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{spec} failed: {type(error).__name__}: {error}; `vsseval --debug ...` shows where"
        ) from error


def _code_digest(spec: str) -> str:
    file = getattr(sys.modules[spec.partition(":")[0]], "__file__", None)
    return file_digest(Path(file))[:12] if file else ""


def examine_model(name: str, checkpoint: Path | None = None) -> list[Finding]:
    """What a model needs outside this program, and whether it is here.

    Raises:
        UnknownNameError: no such model.
        InputError: a model that needs nothing.
    """
    if name not in MODELS:
        raise UnknownNameError("model", name, MODELS)
    if not MODELS[name].examine:
        with_doctor = ", ".join(row.name for row in MODELS.values() if row.examine)
        raise InputError(f"nothing to examine for {name}; models with a doctor: {with_doctor}")
    return cast("list[Finding]", resolve(MODELS[name].examine)(checkpoint))


def find_row(spec: str) -> tuple[ModelRow | None, str]:
    """Row of the table and what follows the colon; no row for ``package.module:load``.

    Raises:
        UnknownNameError: no such name.
        InputError: an argument missing or too many.
    """
    name, separator, rest = spec.partition(":")
    row = MODELS.get(name)
    if row is None and not separator:
        raise UnknownNameError("model", spec, MODELS)
    if row is not None and bool(row.argument) != bool(rest):
        expected = f"{name}:{row.argument}" if row.argument else name
        raise InputError(f"expected --model {expected}, got {spec!r}")
    return row, rest


@dataclass(frozen=True, slots=True)
class ModelLoader:
    """Loads a model again, in another process."""

    spec: str
    benchmark: Shared[Benchmark]
    checkpoint: Path | None
    device: str

    def __call__(self) -> Model:
        """The model, as :func:`load_model` gives it."""
        benchmark = self.benchmark.get()
        return load_model(
            self.spec, benchmark, checkpoint=self.checkpoint, device=self.device
        ).model


def _generates(model: object) -> bool:
    return callable(getattr(model, "generate", None))
