"""One safetensors file holds every network; its metadata hold the configuration as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from vsseval.errors import InputError
from vsseval.files import write_safetensors
from vssflow.config import PRESETS, Config
from vssflow.network import Networks

FORMAT = "vssflow-1"
RENAMED = {"cross_width": "semantic_channels"}
"""Fields of the first checkpoints under another name."""
YOUNG_FIELDS = (
    "trained_front_ends",
    "speaker_features",
    "concatenated",
    "crossed",
    "projection_factor",
    "phoneme_positions",
    "speech_guidance_scale",
)
"""Fields that the first checkpoints lack; they have the defaults of :class:`Config`."""

_DEFAULTS = Config("")


def shipped_checkpoint(preset: str) -> Path:
    """Path of the checkpoint that comes with the package."""
    return Path(__file__).parent / "checkpoints" / f"{preset}.safetensors"


def save_checkpoint(networks: Networks, path: Path, *, dtype: torch.dtype = torch.float16) -> None:
    """Write the networks through a temporary file and a rename; equal weights give equal bytes.

    Matrices are stored as ``dtype``; vectors and buffers, which are small, stay float32.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    tensors = {
        name: value.detach().to("cpu", dtype if value.dim() > 1 else torch.float32).contiguous()
        for name, value in networks.state_dict().items()
    }
    metadata = {"format": FORMAT, "config": json.dumps(asdict(networks.config))}
    write_safetensors(path, tensors, metadata)


def is_checkpoint(path: Path) -> bool:
    """Whether a file is a checkpoint of ours, of whatever configuration."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except (SafetensorError, OSError):
        return False


def read_config(path: Path) -> Config:
    """Configuration of a checkpoint.

    Raises:
        InputError: the file is absent, no checkpoint of ours, or its configuration has other
            fields than :class:`Config`.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the .safetensors file in it")
    if not path.is_file():
        raise InputError(
            f"no checkpoint at {path}; make one with `vssflow train --preset {next(iter(PRESETS))}`"
        )
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise InputError(
            f"{path} is no whole safetensors file ({error}): copy or make it again; a Lightning "
            "checkpoint is turned into one by `vssflow convert`"
        ) from error
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path} is no VSSFlow checkpoint: "
            f"format {metadata.get('format')!r}, expected {FORMAT!r}"
        )
    try:
        stored = json.loads(metadata.get("config", ""))
    except ValueError as error:
        raise InputError(f"{path} holds no readable configuration: {error}") from error
    if not isinstance(stored, dict):
        raise InputError(f"{path}: its configuration is a {type(stored).__name__}, not an object")
    return _config_of(stored, path)


def _config_of(stored: dict[str, Any], path: Path) -> Config:
    """The configuration of stored fields; a field younger than the file has its default."""
    stored = {RENAMED.get(name, name): value for name, value in stored.items()}
    known = {field.name for field in fields(Config)}
    young = {name for name in YOUNG_FIELDS if name not in stored}
    if set(stored) | young != known:
        different = ", ".join(sorted((set(stored) | young) ^ known))
        raise InputError(f"{path} was written by another version; fields that differ: {different}")
    for name, value in stored.items():
        if isinstance(value, list):
            stored[name] = tuple(value)
        usual = getattr(_DEFAULTS, name)
        number = isinstance(usual, float) and type(value) is int
        if type(stored[name]) is not type(usual) and not number and usual is not None:
            raise InputError(
                f"{path}: {name} is {value!r}, expected {type(usual).__name__}; "
                "copy or make the checkpoint again"
            )
    return Config(**stored)


def require_config(path: Path, expected: Config) -> None:
    """Check that a checkpoint has a given configuration.

    Raises:
        InputError: as :func:`read_config`, or fields differ; they are named with both values.
    """
    found = asdict(read_config(path))
    wanted = asdict(expected)
    different = [
        f"{name}: {found[name]!r}, expected {wanted[name]!r}"
        for name in wanted
        if found[name] != wanted[name]
    ]
    if different:
        raise InputError(f"{path} has another configuration; {'; '.join(different)}")


def load_checkpoint(path: Path) -> Networks:
    """Networks of a checkpoint, float32, in evaluation mode.

    Raises:
        InputError: as :func:`read_config`, or a tensor is missing, unknown or of another shape.
    """
    networks = Networks(read_config(path))
    wanted = {name: tuple(value.shape) for name, value in networks.state_dict().items()}
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    wrong = sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
    if wrong:
        name = wrong[0]
        raise InputError(
            f"{path}: {len(wrong)} tensors do not fit its configuration, first {name}: "
            f"{_shape(found.get(name))}, expected {_shape(wanted.get(name))}"
        )
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise InputError(f"{path}: {name} holds values that are not finite; train or copy anew")
    networks.load_state_dict(tensors)
    return networks.eval()


def _shape(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else f"shape {shape}"
