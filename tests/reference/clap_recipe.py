"""Writes tests/reference/encoders_clap_*.json from laion_clap, msclap and fadtk, in another venv.

Needs Python 3.11 with torch==2.9.1, torchaudio==2.9.1, torchvision, librosa==0.10.2, torchlibrosa,
soundfile, pandas, transformers==4.57.1, tokenizers==0.22.1, huggingface_hub==0.36.0, and with ``pip
install --no-deps``: laion_clap==1.1.7, msclap==1.3.3, webdataset, braceexpand, wget, h5py, pyyaml,
progressbar, ftfy, wcwidth, hypy_utils; and a checkout of microsoft/fadtk at ec74b1f. Nothing of
them is kept but numbers.

The networks are built smaller (``SMALL``), with the weights of fake_checkpoint.py, written to a
file and read back by the packages' own loaders.

    python tests/reference/clap_recipe.py FADTK_CHECKOUT
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import random
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "encoders")]

import fake_checkpoint  # noqa: E402
import tiny_vocabulary  # noqa: E402
from signals import SIGNALS  # noqa: E402

Case = dict[str, object]
SMALL = {"embed_dim": 32, "depths": [2, 2, 2, 2], "num_heads": [2, 4, 8, 16]}
TEXT = {"roberta_layers": 2, "gpt2_layers": 2, "gpt2_width": 64, "gpt2_heads": 4}
KEPT = re.compile(
    r".*(relative_position_index|attn_mask|num_batches_tracked|position_ids|stft\.conv_\w+\.weight"
    r"|melW)"
)
"""Tensors that are facts of the network, not learnt: they stay as upstream makes them."""


def numbers(values: object, digits: int = 7) -> list[float]:
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    return [float(f"{value:.{digits}g}") for value in np.asarray(array, np.float64).ravel()]


def shapes(state: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in state.items()}


def filled(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    state = dict(network.state_dict())
    wanted = {key: shape for key, shape in shapes(state).items() if not KEPT.fullmatch(key)}
    fake = fake_checkpoint.filled(wanted)
    return state | {key: torch.from_numpy(values) for key, values in fake.items()}


def key_sets(state: dict[str, torch.Tensor], audio: str, text: str, unused: str) -> Case:
    """Digests of the keys of both towers, and the keys that neither needs, with their shapes."""
    rest = {key: shape for key, shape in shapes(state).items() if re.fullmatch(unused, key)}
    used = {key: shape for key, shape in shapes(state).items() if key not in rest}
    return {
        "audio": fake_checkpoint.key_digest({k: s for k, s in used.items() if k.startswith(audio)}),
        "text": fake_checkpoint.key_digest({k: s for k, s in used.items() if k.startswith(text)}),
        "unused": {key: list(shape) for key, shape in rest.items()},
        "all": len(state),
    }


def front_end(htsat: torch.nn.Module, rate: int, seconds: float) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for signal in ("hits", "vowels"):
        samples = torch.from_numpy(SIGNALS[signal](rate, seconds))[None]
        with torch.no_grad():
            mel = htsat.logmel_extractor(htsat.spectrogram_extractor(samples))[0, 0]
        cases[f"mel-{signal}"] = {
            "signal": signal,
            "seconds": seconds,
            "shape": list(mel.shape),
            "every_613": numbers(mel.flatten()[::613]),
        }
    return cases


def write(name: str, calls: str, keys: Case, cases: dict[str, Case]) -> None:
    packages = (
        "laion_clap", "msclap", "torch", "torchlibrosa", "librosa", "transformers", "tokenizers",
        "numpy",
    )  # fmt: skip
    source = {
        "command": "python tests/reference/clap_recipe.py FADTK_CHECKOUT",
        "packages": {package: importlib.metadata.version(package) for package in packages},
        "commits": {"microsoft/fadtk": "ec74b1f"},
        "calls": calls,
        "inputs": "tests/encoders/signals.py, tests/reference/tiny_vocabulary.py",
    }
    content = {"provenance": source, "small": {**SMALL, **TEXT}, "keys": keys, "cases": cases}
    (HERE / f"encoders_{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def fadtk_embedding(loader: str, rate: int, model: object, samples: np.ndarray) -> torch.Tensor:
    spec = importlib.util.spec_from_file_location("fadtk_loader", f"{FADTK}/fadtk/model_loader.py")
    model_loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model_loader)
    one = object.__new__(getattr(model_loader, loader))
    one.model, one.sr, one.device = model, rate, torch.device("cpu")
    return one._get_embedding(samples.astype(np.float64))


def laion_module(path: Path, tokenizer: object, unused: str, *, fusion: bool) -> tuple:
    import laion_clap

    module = laion_clap.CLAP_Module(enable_fusion=fusion, device="cpu", amodel="HTSAT-base")
    module.tokenize = tokenizer
    state = filled(module.model)
    keys = key_sets(state, "audio_", "text_", unused)
    # an index that transformers kept in the state dict until 4.31, and that the loader expects
    state["text_branch.embeddings.position_ids"] = torch.arange(514)[None]
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, path)
    module.load_ckpt(str(path), verbose=False)
    return module, keys


def laion() -> None:
    from transformers import (
        BartTokenizer,
        BertTokenizer,
        RobertaConfig,
        RobertaModel,
        RobertaTokenizer,
    )

    roberta = RobertaConfig(max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    RobertaModel.from_pretrained = lambda *_, **__: RobertaModel(roberta)
    for asked_of_a_hub_at_import in (BartTokenizer, BertTokenizer, RobertaTokenizer):
        asked_of_a_hub_at_import.from_pretrained = lambda *_, **__: None
    import laion_clap  # noqa: F401  (brings clap_module into reach)
    from clap_module import factory, htsat
    from clap_module import model as clap_model

    keys: Case = {}
    unused = (
        r"logit_scale_[at]|(audio|text)_transform\..*|audio_branch\.(tscam_conv|head)\..*"
        r"|text_branch\.embeddings\.position_ids|audio_branch\.patch_embed\.(mel_conv2d|fusion_model)\..*"
    )
    for size in ("base", "tiny"):
        state = factory.create_model(f"HTSAT-{size}", "roberta")[0].state_dict()
        keys[size] = key_sets(state, "audio_", "text_", unused)
    state = factory.create_model(
        "HTSAT-tiny", "roberta", enable_fusion=True, fusion_type="aff_2d"
    )[0].state_dict()  # fmt: skip
    keys["fusion"] = key_sets(state, "audio_", "text_", unused)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        roberta.vocab_size = tiny_vocabulary.write_roberta(folder)
        roberta.num_hidden_layers = TEXT["roberta_layers"]
        tokenizer = RobertaTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
        clap_model.create_htsat_model = lambda config, fusion, kind: htsat.HTSAT_Swin_Transformer(
            config=config, enable_fusion=fusion, fusion_type=kind, **SMALL
        )
        factory._MODEL_CONFIGS["HTSAT-base"]["embed_dim"] = 8 * SMALL["embed_dim"]
        module, keys["small"] = laion_module(folder / "fake.pt", tokenizer, unused, fusion=False)
        fused, keys["small-fusion"] = laion_module(
            folder / "fused.pt", tokenizer, unused, fusion=True
        )

    cases = front_end(module.model.audio_branch, 48000, 10.0)
    for name, signal, seconds in (
        ("repeated-twice", "hits", 4.0),
        ("padded", "vowels", 7.3),
        ("whole", "hits", 10.0),
        ("first", "chirp", 12.0),
    ):
        samples = SIGNALS[signal](48000, seconds)
        with torch.no_grad():
            found = module.get_audio_embedding_from_data(
                torch.from_numpy(samples[None, :480000]), use_tensor=True
            )
        cases[name] = {"signal": signal, "seconds": seconds, "every_7": numbers(found[0, ::7])}
    samples = SIGNALS["hits"](48000, 7.3)
    quantised = np.trunc(samples.astype(np.float64) * 32767) / 32767
    with torch.no_grad():
        found = fused.get_audio_embedding_from_data(
            torch.from_numpy(quantised[None].astype(np.float32)), use_tensor=True
        )
    cases["fusion"] = {"signal": "hits", "seconds": 7.3, "every_7": numbers(found[0, ::7])}
    samples = SIGNALS["hits"](48000, 2.3)
    found = fadtk_embedding("CLAPLaionModel", 48000, module, samples)
    cases["fadtk"] = {
        "signal": "hits",
        "seconds": 2.3,
        "shape": list(found.shape),
        "every_17": numbers(found[:, ::17]),
    }
    for name, text in tiny_vocabulary.TEXTS.items():
        tokens = module.tokenizer([text])
        with torch.no_grad():
            found = module.get_text_embedding([text], use_tensor=True)
        real = int(tokens["attention_mask"].sum())
        cases[f"text-{name}"] = {
            "tokens": tokens["input_ids"][0, :real].tolist(),
            "every_7": numbers(found[0, ::7]),
        }
    calls = (
        "CLAP_Module.load_ckpt, get_audio_embedding_from_data(use_tensor=True) on at most the first"
        " 10 s, get_text_embedding; spectrogram_extractor and logmel_extractor of the audio branch;"
        " fadtk CLAPLaionModel._get_embedding"
    )
    write("clap_laion", calls, keys, cases)


def small_wrapper(self: torch.nn.Module, *_: object) -> None:
    from msclap.models import htsat

    torch.nn.Module.__init__(self)
    self.htsat = htsat.HTSAT_Swin_Transformer(config=htsat.config, **SMALL)


def microsoft() -> None:
    from transformers import AutoModel, AutoTokenizer, GPT2Config, GPT2Model, GPT2TokenizerFast

    gpt2 = GPT2Config()
    AutoModel.from_pretrained = lambda *_, **__: GPT2Model(gpt2)
    from msclap.CLAPWrapper import CLAPWrapper
    from msclap.models import htsat
    from msclap.models.clap import CLAP

    unused = r"logit_scale|audio_encoder\.base\.htsat\.(tscam_conv|head)\..*"
    full = CLAP(
        "HTSAT", 44100, 1024, 320, 64, 50, 8000, 527, 768, "gpt2", 768, 1024
    ).state_dict()  # fmt: skip
    keys = {"full": key_sets(full, "audio_", "caption_", unused)}

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gpt2.vocab_size = tiny_vocabulary.write_gpt2(folder)
        gpt2.n_layer, gpt2.n_embd, gpt2.n_head = (
            TEXT["gpt2_layers"], TEXT["gpt2_width"], TEXT["gpt2_heads"],
        )  # fmt: skip
        tokenizer = GPT2TokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
        AutoTokenizer.from_pretrained = lambda *_, **__: tokenizer
        htsat.HTSATWrapper.__init__ = small_wrapper
        read = CLAPWrapper.read_config_as_args

        def small_config(self: CLAPWrapper, *arguments: object, **named: object) -> object:
            found = read(self, *arguments, **named)
            found.out_emb, found.transformer_embed_dim = 8 * SMALL["embed_dim"], gpt2.n_embd
            return found

        CLAPWrapper.read_config_as_args = small_config
        network = CLAP(
            "HTSAT", 44100, 1024, 320, 64, 50, 8000, 527, 8 * SMALL["embed_dim"], "gpt2",
            gpt2.n_embd, 1024,
        )  # fmt: skip
        state = filled(network)
        keys["small"] = key_sets(state, "audio_", "caption_", unused)
        torch.save({"model": state}, folder / "fake.pth")
        wrapper = CLAPWrapper(folder / "fake.pth", version="2023", use_cuda=False)
    same = wrapper.clap.state_dict()
    assert all(torch.equal(same[key], tensor) for key, tensor in state.items())

    cases = front_end(wrapper.clap.audio_encoder.base.htsat, 44100, 7.0)
    for name, signal, seconds in (
        ("repeated", "hits", 4.0),
        ("whole", "vowels", 7.0),
        ("drawn", "chirp", 8.5),
    ):
        samples = torch.from_numpy(SIGNALS[signal](44100, seconds))[None]
        wrapper.read_audio = lambda *_, samples=samples, **__: (samples, 44100)
        random.seed(0)
        found = wrapper.get_audio_embeddings(["clip"])
        cases[name] = {"signal": signal, "seconds": seconds, "every_7": numbers(found[0, ::7])}
    samples = SIGNALS["chirp"](44100, 8.5)
    starts = (0, 44100, 66150)
    with torch.no_grad():
        rows = [
            wrapper.clap.audio_encoder(torch.from_numpy(samples[None, at : at + 308700]))[0]
            for at in starts
        ]
    cases["covering"] = {
        "signal": "chirp",
        "seconds": 8.5,
        "starts": list(starts),
        "every_17": numbers(torch.cat(rows)[:, ::17]),
    }
    samples = SIGNALS["hits"](44100, 2.3)
    found = fadtk_embedding("CLAPModel", 44100, wrapper, samples)
    cases["fadtk"] = {
        "signal": "hits",
        "seconds": 2.3,
        "shape": list(found.shape),
        "every_17": numbers(found[:, ::17]),
    }
    for name, text in tiny_vocabulary.TEXTS.items():
        tokens = wrapper.preprocess_text([text])
        found = wrapper.get_text_embeddings([text])
        real = int(tokens["attention_mask"].sum())
        cases[f"text-{name}"] = {
            "tokens": tokens["input_ids"][0, :real].tolist(),
            "every_7": numbers(found[0, ::7]),
        }
    calls = (
        "CLAPWrapper(version 2023).get_audio_embeddings after random.seed(0), with read_audio"
        " replaced by the samples; clap.audio_encoder on cut samples; get_text_embeddings;"
        " spectrogram_extractor and logmel_extractor of the HTSAT; fadtk CLAPModel._get_embedding"
    )
    write("clap_ms", calls, keys, cases)


if __name__ == "__main__":
    FADTK = sys.argv.pop()  # laion_clap reads the command line when it is imported
    laion()
    microsoft()
