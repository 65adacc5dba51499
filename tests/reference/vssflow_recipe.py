"""Writes tests/reference/vssflow_upstream.json from the authors' own training code.

No weights were released: every key is filled by its name (:mod:`fake_checkpoint`), and so the same
weights exist on both sides. The authors' ``training_step`` runs up to its call of the transformer;
there the noisy latent and the times are replaced by seeded ones and the velocity is kept. What that
code imports and does not need for this (Lightning, logging, CLIP, VAE, vocoder, the path) is
replaced by stubs, so conditions, channel orders and velocity are the authors'.

Needs Python 3.11 with torch 2.9.1, diffusers 0.35.2 (no dependencies), librosa, einops, safetensors
and transformers, and checkouts of vasflow1/vssflow at c172450 (v3) and Ceaglex/vasflow at 1bda706
(v1). v1's attention processor is not in its repository and is taken from v3's. Nothing of them is
kept but numbers. The M-size cases need 8 GB of memory.

    python tests/reference/vssflow_recipe.py V3_CHECKOUT V1_CHECKOUT
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fake_checkpoint import fill, key_digest  # noqa: E402
from vssflow_cases import CASES, M_CASES, Case, inputs  # noqa: E402

V3_WORKERS = {
    "v3-m": "vaflow_noise_lip_synch_text",
    "v3-all-cross": "vaflow_noise_none",
    "v3-lipsync": "vaflow_noise_lip_synch",
    "v3-videotext": "vaflow_noise_video_text",
    "v3-all-concat": "vaflow_noise_lip_synch_video_text",
}
V1_WORKERS = {
    "v1": "vaflow_sda_dit_noise_text_mel",
    "v1-all-cross": "vaflow_sda_dit_noise_mel",
    "v1-video": "vaflow_sda_dit_noise_clip_mel",
    "v1-all-concat": "vaflow_sda_dit_noise_text_clip_mel",
}
STUBS = (
    "wandb", "matplotlib", "matplotlib.pyplot", "agc",
    "pytorch_lightning", "pytorch_lightning.callbacks", "pytorch_lightning.trainer",
    "pytorch_lightning.tuner", "pytorch_lightning.tuner.tuning",
    "flow_matching", "flow_matching.path", "flow_matching.path.scheduler",
    "flow_matching.solver", "flow_matching.utils",
)  # fmt: skip


def stub_imports() -> None:
    import diffusers.models  # noqa: F401  (looks for packages, so before they are stubs)
    import torch
    import transformers  # noqa: F401
    from diffusers.models import AutoencoderKL, AutoencoderOobleck  # noqa: F401

    class Module(torch.nn.Module):
        def log(self, *_: object, **__: object) -> None:
            pass

    class Wrapper(torch.nn.Module):
        def __init__(self, model: torch.nn.Module) -> None:
            super().__init__()
            self.model = model

    for name in STUBS:
        module = ModuleType(name)
        module.__path__ = []  # type: ignore[attr-defined]
        module.__getattr__ = lambda attribute: MagicMock()  # type: ignore[method-assign]
        sys.modules[name] = module
    sys.modules["pytorch_lightning"].LightningModule = Module  # type: ignore[attr-defined]
    sys.modules["pytorch_lightning.callbacks"].Callback = object  # type: ignore[attr-defined]
    sys.modules["pytorch_lightning.callbacks"].BaseFinetuning = object  # type: ignore[attr-defined]
    sys.modules["flow_matching.utils"].ModelWrapper = Wrapper  # type: ignore[attr-defined]
    clip = ModuleType("model.clip.clip_module")
    clip.CLIPViT = lambda _: torch.nn.Identity()  # type: ignore[attr-defined]
    sys.modules["model.clip.clip_module"] = clip


class StraightPath:
    """The straight path, as the worker calls it."""

    def sample(self, *, t, x_0, x_1):
        weight = t[:, None, None]
        return SimpleNamespace(x_t=(1 - weight) * x_0 + weight * x_1, dx_t=x_1 - x_0, t=t)


def lend_attention(v3: Path) -> None:
    """v1 imports the attention of a changed diffusers; v3 holds that file, so v1 gets it there."""
    import diffusers.models.attention_processor as published

    path = v3 / "model" / "stable_audio" / "attention_processor.py"
    spec = importlib.util.spec_from_file_location("lent_attention_processor", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    published.VAFlowAttnProcessor2_0 = module.VAFlowAttnProcessor2_0


def assemble(root: Path, worker_name: str, case: Case) -> SimpleNamespace:
    """The authors' system of one case under filled weights, and a batch as they call it."""
    import torch

    sys.path.insert(0, str(root))
    for name in [n for n in sys.modules if n.split(".")[0] in ("worker", "model", "util")]:
        if name != "model.clip.clip_module":
            del sys.modules[name]
    worker = importlib.import_module(f"worker.{worker_name}")
    transformers = importlib.import_module("model.stable_audio.stable_audio_transformer")
    sizes: dict[str, object] = {
        "in_channels": case.channels,
        "out_channels": case.channels,
        "num_layers": case.depth,
        "attention_head_dim": 64,
        "num_attention_heads": case.heads,
        "num_key_value_attention_heads": case.cross_heads,
    }
    if case.cross_width:
        network = transformers.StableAudioDiTModel(**sizes, cross_attention_dim=case.cross_width)
    else:
        network = transformers.StableAudioDiTModel_SelfAttn(
            **sizes, global_states_input_dim=case.semantic
        )
        # v1 asks for it and its configuration is silent: the speaker's width.
        network.register_to_config(cross_attention_dim=case.semantic)
    loaded = SimpleNamespace(from_pretrained=lambda *_, **__: network)
    for name in [n for n in vars(worker) if n.startswith("StableAudioDiTModel")]:
        setattr(worker, name, loaded)

    given = {name: torch.from_numpy(value) for name, value in inputs(case).items()}
    batch, frames, channels = given["x_t"].shape

    class Vae(torch.nn.Module):
        encoder = SimpleNamespace(conv_in=SimpleNamespace(weight=torch.zeros(1)))

        def encode(self, _):
            drawn = torch.zeros(batch, 8, frames, channels // 8)
            return SimpleNamespace(latent_dist=SimpleNamespace(sample=lambda: drawn))

    frozen = SimpleNamespace(from_pretrained=lambda *_, **__: Vae())
    worker.AutoencoderKL, worker.SpeechT5HifiGan = frozen, frozen
    worker.extract_batch_mel = lambda wave, **_: (wave, torch.zeros(batch, 4, 4))
    widths = {"phone_ebd_dim": case.phone, "cond_feat_dim": case.semantic}
    if case.generation == "v3":
        widths |= {"lip_feat_dim": case.lips, "synch_feat_dim": case.sync}
        widths |= {"audio_duration_sec": 1, "audio_length_per_sec": frames}
    else:
        widths |= {"audio_length_per_sec": frames // 10}
    system = worker.VAFlow(
        original_channel=channels,
        use_cache_video_feat=True,
        unconditional_prob=0.0,
        log_data_time=False,
        **widths,
    )
    system.path = StraightPath()
    shapes = {name: tuple(value.shape) for name, value in system.state_dict().items()}
    with torch.no_grad():
        for name, value in system.state_dict().items():
            value.copy_(torch.from_numpy(fill(name, tuple(value.shape))))
    rows = {
        "video_feat": given["semantic"],
        "video_id": None,
        "video_path": None,
        "ref_audio_ebd": given["speaker"],
        "audio_waveform": torch.zeros(batch, 1, 16),
        "audio_sr": None,
        "audio_duration": None,
        "synch_feat": given.get("sync"),
        "lip_feat": given.get("lips"),
        "phone_id": given["phonemes"],
        "phone_seq": None,
        "duration_matrix": given.get("durations"),
    }
    sys.path.remove(str(root))
    return SimpleNamespace(
        worker=worker, system=system, network=network, rows=rows, given=given, shapes=shapes
    )


def run(root: Path, worker_name: str, case: Case) -> dict[str, object]:
    """The authors' velocity of one case."""
    import torch

    made = assemble(root, worker_name, case)
    latent = made.given["x_t"].transpose(1, 2)  # (B, latent, T)
    channels = latent.shape[1]
    kept: dict[str, torch.Tensor] = {}

    class Recorder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = made.network
            self.config = made.network.config

        def forward(self, x, t, **others):
            x = torch.cat([latent, x[:, channels:]], dim=1)
            out = self.network(x, made.given["t"], **others)
            kept["conditions"], kept["velocity"] = x[:, channels:], out.sample[:, :channels]
            return out

    made.system.vaflow = Recorder()
    with torch.no_grad():
        made.system.training_step(made.rows, 0)
    velocity = kept["velocity"].transpose(1, 2).flatten().double().numpy()
    conditions = kept["conditions"].transpose(1, 2).flatten().double().numpy()
    return {
        "keys": key_digest(made.shapes),
        "tensors": len(made.shapes),
        "velocity": [float(f"{v:.7g}") for v in velocity[:: case.every]],
        "conditions": [float(f"{v:.7g}") for v in conditions[:: 7 * case.every]],
        "deviation": float(f"{np.std(velocity):.5g}"),
    }


def main() -> None:
    """Run every case and write the file."""
    import torch

    torch.set_num_threads(2)
    stub_imports()
    v3, v1 = (Path(argument).resolve() for argument in sys.argv[1:3])
    lend_attention(v3)
    cases = {}
    for name, case in {**CASES, **M_CASES}.items():
        if case.generation == "v1":
            cases[name] = run(v1, V1_WORKERS[case.preset], case)
        else:
            cases[name] = run(v3, V3_WORKERS[case.preset], case)
    packages = ("torch", "diffusers", "numpy", "transformers")
    provenance = {
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "code": "vasflow1/vssflow at c172450, Ceaglex/vasflow at 1bda706; fake weights by key name",
        "command": "python tests/reference/vssflow_recipe.py V3_CHECKOUT V1_CHECKOUT",
    }
    path = HERE / "vssflow_upstream.json"
    path.write_text(json.dumps({"provenance": provenance, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
