"""Writes tests/reference/vssflow_v1.json from the authors' code of the first generation.

Needs what vssflow_recipe.py needs. Three parts, each under weights filled by key name:

- velocity of the ablated layouts, as vssflow_recipe.py has it for the final one;
- samples: the authors' ``validation_step`` with their guidance wrapper, integrated by Euler steps
  in place of torchdiffeq, from given noise; VAE, vocoder and files are stubs;
- durations: attention and loss of the duration predictor at its published size, and the phonemes
  and duration matrix that ``infer_videos`` makes of it; text, video and the flow are stubs.

Nothing of the authors' code is kept but numbers.

    python tests/reference/vssflow_v1_recipe.py V3_CHECKOUT V1_CHECKOUT
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import vssflow_recipe as recipe  # noqa: E402
from fake_checkpoint import fill, key_digest  # noqa: E402
from vssflow_cases import (  # noqa: E402
    GUIDANCE,
    STEPS,
    V1_CASES,
    Case,
    path_maps,
    predictor_inputs,
    spoken_ids,
)


def rounded(values) -> list[float]:
    return [float(f"{v:.7g}") for v in np.asarray(values, np.float64).reshape(-1)]


class Euler:
    """In place of flow_matching's solver."""

    def __init__(self, velocity_model) -> None:
        self.velocity = velocity_model

    def sample(self, *, time_grid, x_init, **extras):
        for name in ("method", "return_intermediates", "atol", "rtol", "step_size"):
            extras.pop(name)
        x = x_init
        for now, then in pairwise(time_grid):
            x = x + (then - now) * self.velocity(x, now, **extras)
        return x


def sample(root: Path, case: Case) -> dict[str, object]:
    """The latent that the authors' sampling ends with."""
    import torch

    made = recipe.assemble(root, recipe.V1_WORKERS[case.preset], case)
    worker, system = made.worker, made.system
    kept: dict[str, torch.Tensor] = {}

    def decode(latent):
        kept["latent"] = latent  # (B, 8, T, latent / 8)
        return SimpleNamespace(sample=torch.zeros(len(latent), 1, 4, 4))

    system.vae.decode = decode
    system.vocoder.forward = lambda mel: torch.zeros(len(mel), 16)
    worker.randn_tensor = lambda *_, **__: made.given["x_t"].transpose(1, 2)
    worker.ODESolver = Euler
    worker.torchaudio = MagicMock()
    system.guidance_scale, system.sample_steps = GUIDANCE, STEPS
    system.val_log_dir_for_video_per_epoch = ""
    made.rows |= {"video_id": ["a", "b"], "audio_sr": [1, 1], "audio_duration": [1, 1]}
    with torch.no_grad():
        system.validation_step(made.rows, 0)
    # Their flat index has the mel group outside and the VAE channel inside.
    latent = kept["latent"].permute(0, 2, 3, 1).flatten()
    return {"latent": rounded(latent[:: case.every]), "deviation": float(f"{latent.std():.5g}")}


def durations(root: Path) -> dict[str, object]:
    """Attention, loss, and what infer_videos makes of a text."""
    import torch

    sys.path.insert(0, str(root))
    for name in [n for n in sys.modules if n.split(".")[0] in ("worker", "model", "util")]:
        if name != "model.clip.clip_module":
            del sys.modules[name]
    for name in ("decord", "util.get_dict"):
        sys.modules[name] = ModuleType(name)
    sys.modules["util.get_dict"].PhonemeTokenizer = MagicMock  # type: ignore[attr-defined]
    worker = importlib.import_module("worker.dp_tts")
    inference = importlib.import_module("util.inference")
    import yaml

    settings = yaml.safe_load((root / "config" / "model_dp.yaml").read_text())
    predictor = worker.DurationPredictor(settings["dp_config"], log_data_time=False).eval()
    state = predictor.state_dict()
    learned = {k: tuple(v.shape) for k, v in state.items() if not k.endswith(".pe")}
    with torch.no_grad():
        for name, shape in learned.items():
            state[name].copy_(torch.from_numpy(fill(name, shape)))

    given = {name: torch.from_numpy(value) for name, value in predictor_inputs().items()}
    with torch.no_grad():
        _, maps = predictor.dp(given["ids"], given["lips"])
        attention = maps[-1]
        loss = predictor.loss_function_attn(
            attention.clone(), given["durations"], given["frames"].tolist(), None
        )

    ids = torch.from_numpy(spoken_ids())
    inference.text_to_token_ids = lambda _: ([ids], [[]])
    inference.get_video_frames = lambda *_: torch.zeros(1)
    seen: list[dict] = []

    class Flow(torch.nn.Module):
        latent_length, audio_sample_rate = 250, 16000

        def encode_image(self, frames):
            return frames

        def validation_step(self, batch, **_):
            seen.append(batch)

    made = {}
    for name, start in (("whole", None), ("late", 1.24)):
        inference.infer_videos(
            Flow(), predictor, str(HERE), ["a.mp4"], text_seq=["x"], speech_durations=[3.5],
            speech_start_durations=None if start is None else [start], device="cpu",
        )  # fmt: skip
        batch = seen.pop()
        matrix = batch["duration_matrix"][0].numpy()
        assert set(np.unique(matrix)) <= {0.0, 1.0}
        made[name] = {
            "ids": batch["phone_id"][0].tolist(),
            "cells": [[int(i), int(j)] for i, j in np.argwhere(matrix)],
        }
    paths = []
    for chances in path_maps():
        _, path = inference.maxPathSumWithPath(torch.from_numpy(chances) - 1)
        paths.append([list(cell) for cell in path])
    sys.path.remove(str(root))
    return {
        "paths": paths,
        "keys": key_digest(learned),
        "parameters": sum(int(np.prod(shape)) for shape in learned.values()),
        "attention": rounded(attention.reshape(-1)[::7]),
        "deviation": float(f"{attention.std():.5g}"),
        "loss": float(f"{loss:.7g}"),
        "inference": made,
    }


def main() -> None:
    """Run every part and write the file."""
    import torch

    torch.set_num_threads(1)
    v3, v1 = (Path(argument).resolve() for argument in sys.argv[1:3])
    recipe.stub_imports()
    recipe.lend_attention(v3)
    content = {
        "provenance": {
            "versions": {
                name: importlib.metadata.version(name) for name in ("torch", "diffusers", "numpy")
            },
            "code": "Ceaglex/vasflow at 1bda706, its attention from vasflow1/vssflow at c172450; "
            "fake weights by key name",
            "command": "python tests/reference/vssflow_v1_recipe.py V3_CHECKOUT V1_CHECKOUT",
        },
        "velocity": {
            name: recipe.run(v1, recipe.V1_WORKERS[case.preset], case)
            for name, case in V1_CASES.items()
            if name != "v1"
        },
        "samples": {name: sample(v1, case) for name, case in V1_CASES.items()},
        "durations": durations(v1),
    }
    (HERE / "vssflow_v1.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
