"""Whisper from CTranslate2's file to openai-whisper's checkpoint.

The file, little-endian throughout: version 6 (uint32); name of the model; revision (uint32); number
of variables (uint32), and for each its name, rank (uint8), dimensions (uint32 each), number format
(uint8: an index into ``FORMATS``), size in bytes (uint32) and bytes; number of aliases (uint32),
and for each the alias and the variable it stands for. A name is a uint16 length, that many bytes,
the last of them zero. An int8 or int16 weight has a variable ``..._scale`` that it is to be divided
by, one number for all or one a row.

Queries, keys and values of an attention are stored as one matrix; the keys have no bias in Whisper,
so its part is zero. The mel filters and the vocabulary are those of openai-whisper itself.

Source: OpenNMT/CTranslate2 4.8 (specs/model_spec.py, converters/transformers.py); openai-whisper
20250625 (model.py).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

if TYPE_CHECKING:
    from whisper.model import Whisper

VERSION = 6
FORMATS = ("<f4", "i1", "<i2", "<i4", "<f2")
"""Number formats by their index."""
Arrays = Mapping[str, NDArray[np.generic]]


def read_variables(path: Path) -> dict[str, NDArray[np.generic]]:
    """All variables of a Whisper in CTranslate2 form, by name, aliases included; read-only.

    Raises:
        InputError: another version or model, a number format that is not known, or a cut file.
    """
    content = path.read_bytes()
    at = 0

    def number(code: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + code, content, at)
        at += struct.calcsize("<" + code)
        return int(value)

    def name() -> str:
        nonlocal at
        length = number("H")
        at += length
        return content[at - length : at - 1].decode()

    try:
        version, model = number("I"), name()
        if version != VERSION or model != "WhisperSpec":
            raise InputError(f"{path}: expected WhisperSpec in version 6, got {model} in {version}")
        number("I")
        variables: dict[str, NDArray[np.generic]] = {}
        for _ in range(number("I")):
            key = name()
            shape = [number("I") for _ in range(number("B"))]
            kind, size = number("B"), number("I")
            if kind >= len(FORMATS):
                raise InputError(f"{path}: {key} has the unknown number format {kind}")
            dtype = np.dtype(FORMATS[kind])
            values = np.frombuffer(content, dtype, size // dtype.itemsize, offset=at)
            variables[key] = values.reshape(shape)
            at += size
        for _ in range(number("I")):
            alias, target = name(), name()
            variables[alias] = variables[target]
    except (struct.error, ValueError) as error:
        raise InputError(f"{path} is cut, or no CTranslate2 model: {error}") from error
    return variables


def tensor(variables: Arrays, key: str) -> NDArray[np.float32]:
    """A variable as float32, its scale taken out."""
    values = variables[key].astype(np.float32)
    scale = variables.get(f"{key}_scale")
    if scale is None:
        return values
    divisor = scale.astype(np.float32)
    return np.asarray(values / (divisor[:, None] if divisor.ndim else divisor))


def dimensions(variables: Arrays) -> dict[str, int]:
    """The sizes that openai-whisper's checkpoints state beside their weights."""
    width, mels, _ = variables["encoder/conv1/weight"].shape
    layers = {
        side: len({key.split("/")[1] for key in variables if key.startswith(f"{side}/layer_")})
        - 1  # the norm after the last layer
        for side in ("encoder", "decoder")
    }
    vocabulary, text_width = variables["decoder/embeddings/weight"].shape
    return {
        "n_mels": mels,
        "n_audio_ctx": len(variables["encoder/position_encodings/encodings"]),
        "n_audio_state": width,
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": layers["encoder"],
        "n_vocab": vocabulary,
        "n_text_ctx": len(variables["decoder/position_encodings/encodings"]),
        "n_text_state": text_width,
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": layers["decoder"],
    }


def state_dict(variables: Arrays) -> dict[str, NDArray[np.float32]]:
    """openai-whisper's parameters, float32, by their names there."""
    sizes = dimensions(variables)
    state: dict[str, NDArray[np.float32]] = {}

    def take(target: str, source: str) -> None:
        state[f"{target}.weight"] = tensor(variables, f"{source}/weight")
        state[f"{target}.bias"] = tensor(variables, f"{source}/bias")

    def norm(target: str, source: str) -> None:
        state[f"{target}.weight"] = tensor(variables, f"{source}/gamma")
        state[f"{target}.bias"] = tensor(variables, f"{source}/beta")

    def split(targets: tuple[str, ...], source: str) -> None:
        for kind in ("weight", "bias"):
            parts = np.split(tensor(variables, f"{source}/{kind}"), len(targets))
            for target, part in zip(targets, parts, strict=True):
                if kind == "weight" or not target.endswith("key"):
                    state[f"{target}.{kind}"] = part
                elif part.any():
                    raise InputError(f"{source} has a bias on its keys, which Whisper has not")

    for side, last, context in (
        ("encoder", "ln_post", "n_audio_layer"),
        ("decoder", "ln", "n_text_layer"),
    ):
        key = f"{side}/position_encodings/encodings"
        state[f"{side}.positional_embedding"] = tensor(variables, key)
        norm(f"{side}.{last}", f"{side}/layer_norm")
        for index in range(sizes[context]):
            ours, theirs = f"{side}.blocks.{index}", f"{side}/layer_{index}"
            own = tuple(f"{ours}.attn.{name}" for name in ("query", "key", "value"))
            split(own, f"{theirs}/self_attention/linear_0")
            take(f"{ours}.attn.out", f"{theirs}/self_attention/linear_1")
            norm(f"{ours}.attn_ln", f"{theirs}/self_attention/layer_norm")
            take(f"{ours}.mlp.0", f"{theirs}/ffn/linear_0")
            take(f"{ours}.mlp.2", f"{theirs}/ffn/linear_1")
            norm(f"{ours}.mlp_ln", f"{theirs}/ffn/layer_norm")
            if side == "decoder":
                take(f"{ours}.cross_attn.query", f"{theirs}/attention/linear_0")
                both = (f"{ours}.cross_attn.key", f"{ours}.cross_attn.value")
                split(both, f"{theirs}/attention/linear_1")
                take(f"{ours}.cross_attn.out", f"{theirs}/attention/linear_2")
                norm(f"{ours}.cross_attn_ln", f"{theirs}/attention/layer_norm")
    take("encoder.conv1", "encoder/conv1")
    take("encoder.conv2", "encoder/conv2")
    state["decoder.token_embedding.weight"] = tensor(variables, "decoder/embeddings/weight")
    return state


def load_converted(path: Path) -> Whisper:
    """openai-whisper's network with the weights of a CTranslate2 file, on the CPU.

    Raises:
        InputError: as :func:`read_variables`, or the variables do not make up a Whisper.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    from vsseval.encoders.checkpoints import fit

    variables = read_variables(path)
    try:
        state = {key: torch.from_numpy(values) for key, values in state_dict(variables).items()}
    except KeyError as error:
        raise InputError(f"{path} has no variable {error}") from error
    sizes = ModelDimensions(**dimensions(variables))
    return fit(Whisper(sizes), state, path)
