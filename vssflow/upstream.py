"""Weights under other people's key names: the authors' checkpoints, and Stable Audio Open.

A Lightning checkpoint of vasflow1/vssflow (c172450b, v3) or Ceaglex/vasflow (1bda706, v1) is a dict
whose ``state_dict`` holds the transformer below ``vaflow.`` and the projections without prefix,
beside the frozen CLIP, VAE and vocoder, which are passed over. Stable Audio Open's transformer
(diffusers, safetensors) has the same names without the prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from vsseval.errors import InputError
from vsseval.weights import load_torch
from vssflow.config import PRESETS, Config
from vssflow.dit import VSSFlow
from vssflow.network import Networks

FROZEN = ("image_encoder.", "vae.", "vocoder.")
"""Networks of a Lightning checkpoint that are not the flow."""
PROJECTIONS = (
    "cond_proj", "ref_proj", "lip_proj", "synch_proj", "temporal_cond_proj", "phone_proj",
    "phone_embedding", "positional_embedding", "exp_positional_embedding",
)  # fmt: skip
RENAMED = (
    (r"^time_token\.frequencies$", "time_proj.weight"),
    (r"^time_token\.proj\.", "timestep_proj."),
    (r"^blocks\.", "transformer_blocks."),
    (r"\.to_out\.", ".to_out.0."),
    (r"\.ff\.proj_in\.", ".ff.net.0.proj."),
    (r"\.ff\.proj_out\.", ".ff.net.2."),
)
CONVOLUTIONS = ("preprocess_conv.weight", "postprocess_conv.weight")
"""Matrices here, kernels of width 1 there."""
FRESH = (*CONVOLUTIONS, "proj_in.weight", "proj_out.weight")
"""What a flow cannot take from Stable Audio Open: its 64 channels are not ours."""


def transformer_key(name: str) -> str:
    """Key of Stable Audio Open for a parameter of the transformer."""
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def upstream_key(name: str) -> str:
    """Key of the authors' checkpoints for a parameter of :class:`vssflow.dit.VSSFlow`."""
    if name.split(".")[0] in PROJECTIONS:
        return name
    return "vaflow." + transformer_key(name)


def upstream_shapes(flow: VSSFlow) -> dict[str, tuple[int, ...]]:
    """Keys and shapes that the authors' checkpoint of such a model has, frozen networks aside."""
    shapes = {}
    for name, value in flow.state_dict().items():
        kernel = (1,) if name in CONVOLUTIONS else ()
        shapes[upstream_key(name)] = (*value.shape, *kernel)
    return shapes | _unread_shapes(flow.config)


def _unread_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """The temporal projection that the ablated layouts of v1 hold and never use."""
    if not config.phoneme_positions or "temporal" in config.concatenated:
        return {}
    hidden, features = config.token_width, config.semantic_features
    shapes = ((hidden, features), (hidden, features), (1, hidden))
    return {f"temporal_cond_proj.{2 * i}.weight": shape for i, shape in enumerate(shapes)}


def config_of_upstream(state: Mapping[str, Tensor]) -> Config:
    """The preset that a checkpoint belongs to, told by channels, cross width and depth.

    Raises:
        InputError: there is none.
    """
    proj_in = state.get("vaflow.proj_in.weight")
    key = state.get("vaflow.transformer_blocks.0.attn2.to_k.weight")
    if proj_in is None or key is None:
        raise InputError(
            "no vaflow.proj_in.weight and vaflow.transformer_blocks.0.attn2.to_k.weight: "
            "not a checkpoint of VSSFlow's authors"
        )
    crossed = 0 if "vaflow.global_proj.0.weight" in state else key.shape[1]
    blocks = [re.match(r"vaflow\.transformer_blocks\.(\d+)\.", name) for name in state]
    depth = 1 + max(int(found[1]) for found in blocks if found)
    sizes = [config for config in PRESETS.values() if not config.trained_front_ends]
    layout = [c for c in sizes if (c.channels, c.cross_width) == (proj_in.shape[1], crossed)]
    if not layout:
        known = ", ".join(f"{c.preset} {c.channels}/{c.cross_width}" for c in sizes)
        raise InputError(
            f"no preset has {proj_in.shape[1]} channels and cross width {crossed}; known: {known}"
        )
    same = [config for config in layout if config.depth == depth]
    return same[0] if same else replace(layout[0], depth=depth)


def load_state(flow: VSSFlow, state: Mapping[str, Tensor]) -> None:
    """Give a flow the weights of an upstream state dict; tensors are taken over, not copied.

    Raises:
        InputError: a key is missing, unknown, or of another shape.
    """
    wanted = upstream_shapes(flow)
    found = {name: value for name, value in state.items() if not name.startswith(FROZEN)}
    check_tensors("checkpoint", wanted, found)
    own = {}
    for name in flow.state_dict():
        value = found[upstream_key(name)].float()
        own[name] = value[..., 0] if name in CONVOLUTIONS else value
    flow.load_state_dict(own, assign=True)


def check_tensors(
    what: str, wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, Tensor]
) -> None:
    """Refuse tensors that are not those wanted, by name and shape.

    Raises:
        InputError: some are missing, unknown or of another shape.
    """
    missing = wanted.keys() - found.keys()
    unknown = found.keys() - wanted.keys()
    reshaped = [
        f"{name} {tuple(found[name].shape)}, expected {wanted[name]}"
        for name in sorted(wanted.keys() & found.keys())
        if tuple(found[name].shape) != tuple(wanted[name])
    ]
    problems = [
        f"{len(names)} {kind}: {_some(names)}"
        for kind, names in (
            ("missing", sorted(missing)),
            ("unknown", sorted(unknown)),
            ("of another shape", reshaped),
        )
        if names
    ]
    if problems:
        raise InputError(f"the {what} does not fit; {'; '.join(problems)}")


def _some(names: Iterable[str], most: int = 4) -> str:
    listed = list(names)
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + rest


def read_lightning(path: Path, what: str) -> dict[str, Tensor]:
    """Tensors of a Lightning checkpoint, under the names it has for them.

    Args:
        path: the file.
        what: what is expected there, for the message.

    Raises:
        InputError: no such file, or it holds no ``state_dict``.
    """
    if not path.is_file():
        raise InputError(f"no {what} at {path}")
    content = load_torch(path)
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise InputError(f"{path} holds no state_dict; expected a Lightning checkpoint")
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def load_upstream(path: Path) -> Networks:
    """Networks of a Lightning checkpoint of the authors, float32, in evaluation mode.

    Raises:
        InputError: not such a file, or its tensors fit no preset.
    """
    if path.suffix == ".safetensors":
        raise InputError(f"{path} is a safetensors file; expected a Lightning checkpoint, .ckpt")
    tensors = read_lightning(path, "checkpoint")
    with torch.device("meta"):
        networks = Networks(config_of_upstream(tensors))
    load_state(networks.flow, tensors)
    return networks.eval()


def start_from_stable_audio(flow: VSSFlow, path: Path) -> list[str]:
    """Copy the first blocks and the time layers of Stable Audio Open into a fresh flow.

    The authors start so; weights that the layout has in another shape (keys and values of another
    cross width) stay fresh too.

    Args:
        flow: a model of the full width.
        path: ``transformer/diffusion_pytorch_model.safetensors`` of stable-audio-open-1.0, whose
            licence (Stability AI community licence) is the user's to accept.

    Returns:
        Names of the transformer's parameters that stay fresh.

    Raises:
        InputError: the file lacks a layer that the flow needs, or has it in another width.
    """
    from safetensors import SafetensorError, safe_open

    fresh: list[str] = []
    taken: dict[str, Tensor] = {}
    try:
        with safe_open(path, "pt") as file:
            keys = set(file.keys())
            for name, value in flow.state_dict().items():
                top, key = name.split(".")[0], transformer_key(name)
                if top in PROJECTIONS:
                    continue
                if name in FRESH or key not in keys:
                    fresh.append(name)
                    continue
                tensor = file.get_tensor(key).float()
                if tensor.shape == value.shape:
                    taken[name] = tensor
                else:
                    fresh.append(name)
    except (SafetensorError, OSError) as error:
        raise InputError(f"cannot read {path} as safetensors: {error}") from error
    unexpected = [name for name in fresh if name not in FRESH and not _may_be_fresh(name)]
    if unexpected:
        raise InputError(
            f"{path} is not the transformer of Stable Audio Open at this width; "
            f"{len(unexpected)} tensors missing or of another shape: {_some(unexpected)}"
        )
    flow.load_state_dict({**flow.state_dict(), **taken})
    return fresh


def _may_be_fresh(name: str) -> bool:
    """Keys and values of the second attention, and the projection of the speaker to the time."""
    return bool(re.search(r"\.attn2\.to_[kv]\.", name)) or name.startswith("global_proj.")
