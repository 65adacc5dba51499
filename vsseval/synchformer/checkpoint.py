"""Synchformer's checkpoint: its names for the tensors, and a loader that takes no other file.

Two forms are read: what upstream's training writes (``24-01-04T16-39-21.pt``: optimiser and
configuration beside the tensors) and the bare tensors (``synchformer_state_dict.pth`` of MMAudio's
release, from which av-benchmark loads the whole network strictly, not its visual part alone).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from vsseval import weights
from vsseval.encoders.checkpoints import build, read_state
from vsseval.synchformer.network import Size, Synchformer

_AST = "afeat_extractor.ast"
_POOL = (
    (r"\.pool\.qkv\.", ".pool.self_attn.in_proj_"),
    (r"\.pool\.out\.", ".pool.self_attn.out_proj."),
    (r"\.pool\.fc(\d)", r".pool.linear\1"),
)
_NAMES = (
    *_POOL,
    (r"^video\.pool", "vfeat_extractor.spatial_attn_agg"),
    (r"^video\.patch", "vfeat_extractor.patch_embed_3d.proj"),
    (r"^video\.position", "vfeat_extractor.pos_embed"),
    (r"^video\.time$", "vfeat_extractor.temp_embed"),
    (r"^(video\.blocks\.\d+)\.time_norm", r"\1.norm3"),
    (r"^(video\.blocks\.\d+)\.space_norm", r"\1.norm1"),
    (r"^(video\.blocks\.\d+)\.time\.", r"\1.timeattn."),
    (r"^(video\.blocks\.\d+)\.space\.", r"\1.attn."),
    (r"^(video\.blocks\.\d+\.\w+)\.out", r"\1.proj"),
    (r"^(video\.blocks\.\d+)\.fc", r"\1.mlp.fc"),
    (r"^video\.", "vfeat_extractor."),
    (r"^audio\.pool", "afeat_extractor.freq_attn_agg"),
    (r"^audio\.patch", f"{_AST}.embeddings.patch_embeddings.projection"),
    (r"^audio\.position", f"{_AST}.embeddings.position_embeddings"),
    (r"^audio\.(\w+_token)", rf"{_AST}.embeddings.\1"),
    (r"^audio\.norm", f"{_AST}.layernorm"),
    (r"^(audio\.blocks\.\d+)\.(query|key|value)", r"\1.attention.attention.\2"),
    (r"^(audio\.blocks\.\d+)\.out", r"\1.attention.output.dense"),
    (r"^(audio\.blocks\.\d+)\.fc1", r"\1.intermediate.dense"),
    (r"^(audio\.blocks\.\d+)\.fc2", r"\1.output.dense"),
    (r"^(audio\.blocks\.\d+)\.norm1", r"\1.layernorm_before"),
    (r"^(audio\.blocks\.\d+)\.norm2", r"\1.layernorm_after"),
    (r"^audio\.blocks", f"{_AST}.encoder.layer"),
    (r"^(head\.blocks\.\d+)\.(query|key|value)", r"\1.attn.\2"),
    (r"^(head\.blocks\.\d+)\.out", r"\1.attn.proj"),
    (r"^(head\.blocks\.\d+)\.fc1", r"\1.mlp.0"),
    (r"^(head\.blocks\.\d+)\.fc2", r"\1.mlp.2"),
    (r"^(head\.blocks\.\d+)\.norm", r"\1.ln"),
    (r"^head\.video\.", "vproj."),
    (r"^head\.audio\.", "aproj."),
    (r"^head\.video_norm", "transformer.vis_in_lnorm"),
    (r"^head\.audio_norm", "transformer.aud_in_lnorm"),
    (r"^head\.offset_token", "transformer.OFF_tok"),
    (r"^head\.separator", "transformer.MOD_tok"),
    (r"^head\.position", "transformer.pos_emb_cfg.pos_emb"),
    (r"^head\.norm", "transformer.ln_f"),
    (r"^head\.offset\.", "transformer.off_head."),
    (r"^head\.", "transformer."),
)
UNUSED = r"vfeat_extractor\.patch_embed\.proj\.(weight|bias)"
"""A patch embedding for single frames, stored with the weights, that takes part in nothing."""


def upstream_name(key: str) -> str:
    """What the checkpoint calls a tensor of :class:`Synchformer`."""
    for pattern, name in _NAMES:
        key = re.sub(pattern, name, key)
    return key


_Type = Callable[..., object]


class _Ignored:
    """Stands for each type of the training configuration that a ``.pt`` of upstream holds."""

    def __new__(cls, *_: object) -> _Ignored:
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        pass


_IGNORED = (
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.nodes.AnyNode",
    "omegaconf.nodes.IntegerNode",
    "omegaconf.nodes.StringNode",
    "omegaconf.nodes.FloatNode",
    "omegaconf.nodes.BooleanNode",
    "typing.Any",
)


def load_network(path: Path, size: Size | None = None) -> Synchformer:
    """The network of a checkpoint, for inference on the CPU.

    Args:
        path: either a bare state dict (MMAudio's ``synchformer_state_dict.pth``) or what upstream's
            training wrote (``24-01-04T16-39-21.pt``: the same tensors under ``model``).
        size: of a network made smaller for tests.

    Raises:
        InputError: it is no such file, or a tensor is missing, left over or of another shape.
    """
    containers: list[_Type] = [dict, list, int, defaultdict, type(np.dtype(np.float32))]
    types: list[_Type | tuple[_Type, str]] = [*containers, *((_Ignored, n) for n in _IGNORED)]
    with torch.serialization.safe_globals(types):
        state = read_state(path, "model")
    return build(lambda: Synchformer(size), state, path, naming=upstream_name, unused=UNUSED)


def stored_checkpoint(name: str) -> Path:
    """The checkpoint of a part of the weight store.

    Raises:
        UnknownNameError: no such part.
        MissingWeightsError: it is not in the store.
    """
    return weights.require(name) / "synchformer_state_dict.pth"
