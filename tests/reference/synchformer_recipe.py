"""Writes tests/reference/encoders_synchformer.json from Synchformer's own code, in another venv.

The published weights are not used: a network of width 48 and depth 2 is filled by key name
(:mod:`fake_checkpoint`), and so the same weights exist on both sides.

Needs Python 3.11 with numpy, torch 2.9.1, torchaudio and torchvision of the same age, timm 0.9.16,
einops, omegaconf, scipy and transformers 4.46.3, and a checkout of v-iashin/Synchformer at b66668a.
Nothing of it is kept but numbers.

    python tests/reference/synchformer_recipe.py CHECKOUT
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "encoders"))

from fake_checkpoint import fill, key_digest  # noqa: E402
from signals import hits  # noqa: E402

WIDTH, HEADS, DEPTH, HEAD_HEADS, HEAD_DEPTH = 48, 4, 2, 4, 2
SEGMENTS = 15


def weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """The fake state dict; tokens and positions are as large as what they stand beside."""
    state = {}
    for key, shape in shapes.items():
        state[key] = fill(key, tuple(shape))
        if len(shape) == 3 and shape[0] == 1:
            state[key] = state[key] * np.float32(0.5 * np.sqrt(np.prod(shape[1:])))
    return state


def video(frames: int = 16 + 8 * (SEGMENTS - 1)) -> NDArray[np.uint8]:
    """Random RGB frames at 25 fps, uint8 (frames, 224, 224, 3)."""
    return np.random.RandomState(5).randint(0, 256, (frames, 224, 224, 3), dtype=np.uint8)


def audio() -> NDArray[np.float32]:
    """15 segments of struck modes at 16 kHz, a tail that is left out, digital silence within."""
    samples = hits(16_000, 5.2)
    samples[20_000:32_000] = 0
    return samples


def picture(height: int, width: int) -> NDArray[np.uint8]:
    """Two frames of random blocks, uint8 (2, height, width, 3)."""
    blocks = np.random.RandomState(9).randint(0, 256, (2, height // 9 + 1, width // 9 + 1, 3))
    return blocks.repeat(9, axis=1).repeat(9, axis=2)[:, :height, :width].astype(np.uint8)


def numbers(values: object, digits: int = 7) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in np.asarray(values, np.float64).ravel()]


def main(checkout: Path) -> None:
    os.chdir(checkout)
    sys.path.insert(0, str(checkout))
    sys.path.insert(0, str(checkout / "model/modules/feat_extractors/visual"))
    import torch
    from dataset import transforms
    from model.modules.feat_extractors.audio import ast
    from model.modules.feat_extractors.visual import motionformer
    from omegaconf import OmegaConf
    from torchvision.transforms import v2
    from utils.utils import instantiate_from_config

    full = instantiate_from_config(OmegaConf.load("configs/sync.yaml").model)
    full_shapes = {key: tuple(t.shape) for key, t in full.state_dict().items()}

    config = OmegaConf.load("configs/sync.yaml")
    config.model.params.transformer.params.update(
        n_layer=HEAD_DEPTH, n_head=HEAD_HEADS, n_embd=WIDTH
    )
    for name in ("aproj", "vproj"):
        config.model.params[name].params.in_features = WIDTH

    class Reduced:
        @staticmethod
        def load(path: object) -> object:
            loaded = OmegaConf.load(path)
            loaded.VIT.update(EMBED_DIM=WIDTH, DEPTH=DEPTH, NUM_HEADS=HEADS)
            return loaded

    motionformer.OmegaConf = Reduced
    ast.ASTConfig = functools.partial(
        ast.ASTConfig, hidden_size=WIDTH, num_hidden_layers=DEPTH,
        num_attention_heads=HEADS, intermediate_size=4 * WIDTH,
    )  # fmt: skip
    network = instantiate_from_config(config.model).eval()
    shapes = {key: tuple(t.shape) for key, t in network.state_dict().items()}
    network.load_state_dict({k: torch.from_numpy(v) for k, v in weights(shapes).items()})

    frames = torch.from_numpy(video()).permute(0, 3, 1, 2).float().div(255)
    frames = transforms.torchvision.transforms.Normalize([0.5] * 3, [0.5] * 3)(frames)
    seen = torch.stack([frames[8 * i : 8 * i + 16] for i in range(SEGMENTS)])
    samples = torch.from_numpy(audio())
    heard = {
        "audio": torch.stack([samples[5120 * i : 5120 * i + 10240] for i in range(SEGMENTS)]),
        "meta": {"audio": {}},
    }
    for step in (
        transforms.AudioMelSpectrogram(
            sample_rate=16000, win_length=400, hop_length=160, n_fft=1024, n_mels=128
        ),
        transforms.AudioLog(),
        transforms.PadOrTruncate(max_spec_t=66),
        transforms.AudioNormalizeAST(mean=-4.2677393, std=4.5689974),
    ):
        heard = step(heard)
    mel = heard["audio"]
    with torch.inference_mode():
        v = network.extract_vfeats(seen[None], for_loop=False)
        a = network.extract_afeats(mel[None, :, None], for_loop=False)

        def logits(chosen: list[int]) -> list[float]:
            pair = (network.vproj(v[:, chosen]), network.aproj(a[:, chosen]))
            return numbers(network.transformer(*(part.flatten(1, 2) for part in pair)))

        cases = {
            "keys": {"count": len(full_shapes), "digest": key_digest(full_shapes)},
            "mel": {"step": [3, 7, 5], "values": numbers(mel[::3, ::7, ::5])},
            "video": {"step": [2, 1, 5], "values": numbers(v[0, ::2, :, ::5])},
            "audio": {"step": [2, 1, 5], "values": numbers(a[0, ::2, :, ::5])},
            "first": {"logits": logits(list(range(14)))},
            "last": {"logits": logits(list(range(1, 15)))},
            # 5 segments, the whole repeated until 14, as JavisDiT does
            "repeated": {"logits": logits([*range(5), *range(5), *range(4)])},
        }
    resize = v2.Compose(
        [v2.Resize(224, interpolation=v2.InterpolationMode.BICUBIC), v2.CenterCrop(224)]
    )
    for height, width in ((120, 161), (361, 250)):
        out = resize(torch.from_numpy(picture(height, width)).permute(0, 3, 1, 2))
        values = out[:, :, ::23, ::23].numpy().ravel().tolist()
        cases[f"frame-{height}x{width}"] = {"step": 23, "values": values}

    names = "numpy torch torchaudio torchvision timm einops omegaconf transformers"
    source = {
        "command": "python tests/reference/synchformer_recipe.py CHECKOUT",
        "packages": {name: importlib.metadata.version(name) for name in names.split()},
        "calls": "v-iashin/Synchformer b66668a: Synchformer of configs/sync.yaml, made smaller "
        f"(width {WIDTH}, depth {DEPTH} and {HEAD_DEPTH}), and its dataset.transforms; "
        "torchvision.transforms.v2.Resize and CenterCrop as in hkchengrex/av-benchmark 050a5cd; "
        "keys of the network at full size",
        "inputs": "this file, tests/encoders/signals.py, tests/reference/fake_checkpoint.py",
    }
    text = json.dumps({"provenance": source, "cases": cases})
    (HERE / "encoders_synchformer.json").write_text(text.replace('}, "', '},\n"') + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
