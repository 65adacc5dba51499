"""Writes tests/reference/encoders_ssl.json: WavLM-ECAPA, UTMOS22 and Audiobox aesthetics.

Needs Python 3.11 with: torch==2.9.1, torchaudio==2.9.1, numpy, scipy, huggingface_hub, safetensors,
tqdm, rich, requests; and checkouts below one folder, each at the commit named in COMMITS, as
folders UniSpeech, SpeechMOS and audiobox-aesthetics. Nothing of them is kept but numbers.

    python tests/reference/ssl_recipe.py CHECKOUTS

Weights are filled by fake_checkpoint.py. The networks are made smaller where their code allows it,
and else have fewer layers; the keys and shapes of the full size are recorded as a digest. s3prl is
not installed: ``Expert`` below does what its WavLM expert does (s3prl/upstream/wavlm/expert.py).
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import layer_norm

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "encoders")]

from fake_checkpoint import fill, key_digest  # noqa: E402
from signals import SIGNALS  # noqa: E402

COMMITS = [
    "microsoft/UniSpeech 40d3227, WavLM and downstreams/speaker_verification",
    "s3prl/s3prl 0fb2953, upstream/wavlm/expert.py (restated)",
    "tarepan/SpeechMOS ed25eac",
    "facebookresearch/audiobox-aesthetics 2618e9d",
]
CLIPS = (("vowels", 2.1), ("noise", 4.0), ("hits", 0.05))
"""Signal and seconds; the last has two frames."""
WINDOWED = (("vowels", 3.0), ("hits", 12.5), ("chirp", 0.01))
"""For the one with windows of 10 s."""
LARGE = {
    "extractor_mode": "layer_norm",
    "layer_norm_first": True,
    "relative_position_embedding": True,
    "num_buckets": 320,
    "max_distance": 800,
    "gru_rel_pos": True,
    "normalize": True,
    "encoder_layers": 24,
    "encoder_embed_dim": 1024,
    "encoder_ffn_embed_dim": 4096,
    "encoder_attention_heads": 16,
}
SMALL = {
    "encoder_layers": 3,
    "encoder_embed_dim": 64,
    "encoder_ffn_embed_dim": 96,
    "encoder_attention_heads": 4,
    "conv_feature_layers": "[(32,10,5)] + [(32,3,2)] * 4 + [(32,2,2)] * 2",
}
SCALES = {
    "CE": {"mean": 5.0, "std": 2.0},
    "CU": {"mean": 5.5, "std": 1.75},
    "PC": {"mean": 3.25, "std": 1.5},
    "PQ": {"mean": 6.5, "std": 1.25},
}


def filled(network):
    state = network.state_dict()
    for key, tensor in state.items():
        if not key.endswith("num_batches_tracked"):
            state[key] = torch.from_numpy(fill(key, tuple(tensor.shape)))
    network.load_state_dict(state)
    return network.eval()


def shapes(network):
    """Keys, and one word for all of them with their shapes."""
    found = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    return {"keys": len(found), "digest": key_digest(found)}


def numbers(values):
    return [float(f"{value:.8g}") for value in np.asarray(values, np.float64).ravel()]


def clip(signal, seconds):
    return torch.from_numpy(SIGNALS[signal](16000, seconds))


def ecapa(checkouts):
    sys.path[:0] = [
        str(checkouts / "UniSpeech" / "WavLM"),
        str(checkouts / "UniSpeech" / "downstreams" / "speaker_verification"),
    ]
    import types

    helper = types.ModuleType("models.utils")  # theirs imports fairseq and s3prl
    helper.UpstreamExpert = None
    sys.modules["models.utils"] = helper
    from models.ecapa_tdnn import ECAPA_TDNN
    from WavLM import WavLM, WavLMConfig

    class Expert(torch.nn.Module):
        """Hidden states as s3prl hands them out: what enters each layer, what leaves them all."""

        def __init__(self, config):
            super().__init__()
            self.config = config
            self.model = WavLM(config)
            self.states = []
            for layer in self.model.encoder.layers:
                layer.register_forward_pre_hook(
                    lambda _, args: self.states.append(args[0].transpose(0, 1))
                )
            self.model.encoder.register_forward_hook(
                lambda _, __, output: self.states.append(output[0])
            )

        def forward(self, waves):
            self.states.clear()
            if self.config.normalize:
                waves = [layer_norm(wave, wave.shape) for wave in waves]
            padding = torch.zeros(1, len(waves[0]), dtype=torch.bool)
            self.model.extract_features(torch.stack(waves), padding_mask=padding, mask=False)
            return {"hidden_states": list(self.states)}

    def build(config, channels):
        torch.hub.load = lambda *_: Expert(WavLMConfig(config))
        return ECAPA_TDNN(
            feat_dim=config["encoder_embed_dim"], channels=channels, emb_dim=256,
            feat_type="wavlm_large",
        )  # fmt: skip

    small = filled(build({**LARGE, **SMALL}, 64))
    cases = {}
    with torch.inference_mode():
        for signal, seconds in CLIPS:
            embedding = small(clip(signal, seconds)[None])[0]
            cases[f"{signal}-{seconds}"] = numbers(embedding[::4])
    return {"full": shapes(build(LARGE, 512)), "embedding_every_4": cases}


def utmos(checkouts):
    sys.path.insert(0, str(checkouts / "SpeechMOS"))
    from speechmos.utmos22.strong.model import UTMOS22Strong

    network = UTMOS22Strong()
    full = shapes(network)
    network.wav2vec2.encoder.layers = network.wav2vec2.encoder.layers[:2]
    filled(network)
    with torch.inference_mode():
        cases = {
            f"{signal}-{seconds}": numbers(network(clip(signal, seconds)[None], 16000))[0]
            for signal, seconds in CLIPS
        }
        wave = clip(*CLIPS[0])
        padded = torch.nn.functional.pad(wave, (0, 32000))[None]
        cases["padded"] = numbers(network(padded, 16000))[0]
    return {"full": full, "mos": cases}


def audiobox(checkouts):
    sys.path.insert(0, str(checkouts / "audiobox-aesthetics" / "src"))
    from audiobox_aesthetics.infer import AesPredictor
    from audiobox_aesthetics.model import aes

    def build():
        return aes.AesMultiOutput(
            proj_num_layer=5, proj_ln=True, proj_act_fn="gelu", proj_dropout=0.0, output_dim=1,
            nth_layer=aes.DEFAULT_AUDIO_CFG.encoder_layers + 1, use_weighted_layer_sum=True,
            precision="32", normalize_embed=True, target_transform=SCALES,
        )  # fmt: skip

    full = shapes(build())
    aes.DEFAULT_AUDIO_CFG.update(SMALL)
    predictor = object.__new__(AesPredictor)
    predictor.model = filled(build())
    predictor.device = torch.device("cpu")
    predictor.sample_rate = 16000
    predictor.data_col = "path"
    predictor.target_transform = {axis: aes.Normalize(**SCALES[axis]) for axis in SCALES}
    cases = {}
    for signal, seconds in WINDOWED:
        batch = [{"path": clip(signal, seconds)[None], "sample_rate": 16000}]
        cases[f"{signal}-{seconds}"] = {
            k: numbers(v)[0] for k, v in predictor.forward(batch)[0].items()
        }
    return {"full": full, "scales": SCALES, "scores": cases}


def main():
    checkouts = Path(sys.argv[1])
    torch.manual_seed(0)
    provenance = {
        "command": "python tests/reference/ssl_recipe.py CHECKOUTS",
        "packages": {p: importlib.metadata.version(p) for p in ("torch", "torchaudio", "numpy")},
        "code": COMMITS,
        "inputs": "tests/encoders/signals.py at 16 kHz; weights of fake_checkpoint.py",
    }
    cases = {"ecapa": ecapa(checkouts), "utmos": utmos(checkouts), "audiobox": audiobox(checkouts)}
    text = json.dumps({"provenance": provenance, "cases": cases}, indent=1)
    (HERE / "encoders_ssl.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
