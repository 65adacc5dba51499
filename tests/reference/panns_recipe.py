"""Writes tests/reference/encoders_{vggish,panns}.json from the published code, in another venv.

Needs Python 3.11 with: torch==2.9.1, numpy==2.3.5, torchlibrosa==0.1.0, librosa==0.10.2; on
PYTHONPATH, installed with ``pip install --no-deps``: resampy==0.4.3; and checkouts of
harritaylor/torchvggish, hkchengrex/av-benchmark and qiuqiangkong/audioset_tagging_cnn below one
folder, at the commits named in COMMITS. Nothing of them is kept but numbers.

    python tests/reference/panns_recipe.py CHECKOUTS

Networks are compared at reduced widths under the weights of fake_checkpoint.py; keys and shapes at
full width by one digest.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "encoders")]

from fake_checkpoint import fill, key_digest  # noqa: E402
from signals import SIGNALS  # noqa: E402

COMMITS = (
    "harritaylor/torchvggish f3f9096",
    "hkchengrex/av-benchmark 050a5cd",
    "qiuqiangkong/audioset_tagging_cnn d2f4b8c",
)
Case = dict[str, object]


def write(name: str, calls: str, content: Case) -> None:
    packages = ["torch", "numpy", "torchlibrosa", "librosa", "resampy"]
    provenance = {
        "command": "python tests/reference/panns_recipe.py CHECKOUTS",
        "packages": {package: importlib.metadata.version(package) for package in packages},
        "code": COMMITS,
        "calls": calls,
        "inputs": "tests/encoders/signals.py, weights of tests/reference/fake_checkpoint.py",
    }
    text = json.dumps({"provenance": provenance, **content}, indent=1)
    (HERE / f"encoders_{name}.json").write_text(text + "\n")


def numbers(values: object) -> list[float]:
    return [float(f"{value:.8g}") for value in np.asarray(values, np.float64).ravel()]


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def fill_network(network: nn.Module, leave: Callable[[str], bool]) -> None:
    """Fake weights for every key that is no counter and not to be left as constructed."""
    state = network.state_dict()
    for key, tensor in state.items():
        if not (key.endswith("num_batches_tracked") or leave(key)):
            state[key] = torch.from_numpy(fill(key, tuple(tensor.shape)))
    network.load_state_dict(state, strict=True)
    network.eval()


def vggish(checkouts: Path) -> None:
    sys.path.insert(0, str(checkouts / "torchvggish"))
    from torchvggish.vggish import VGG, make_layers
    from torchvggish.vggish_input import waveform_to_examples

    with torch.device("meta"):
        full = VGG(make_layers())
    small = VGG(
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 10, 3, padding=1), nn.ReLU(), nn.Conv2d(10, 10, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2),
        )
    )  # fmt: skip
    # As av-benchmark has it: the last ReLU is left out.
    small.embeddings = nn.Sequential(
        nn.Linear(240, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16)
    )
    fill_network(small, lambda key: False)
    cases: dict[str, Case] = {}
    for name, signal, seconds in (
        ("chirp", "chirp", 4.0),
        ("hits", "hits", 10.0),
        ("noise", "noise", 0.975),
        ("vowels", "vowels", 8.0),
    ):
        examples = waveform_to_examples(SIGNALS[signal](16000, seconds), 16000).detach()
        with torch.no_grad():
            embedding = small(examples)
        cases[name] = {
            "signal": signal,
            "seconds": seconds,
            "shape": list(examples[:, 0].shape),
            "patches_every_61": numbers(examples.ravel()[::61]),
            "embedding": [numbers(row) for row in embedding],
        }
    calls = (
        "vggish_input.waveform_to_examples, vggish.VGG.forward with narrower layers of the same "
        "kinds (widths 4, 6, 8, 8, 10, 10; 32, 32, 16), without the last ReLU"
    )
    keys = key_digest(shapes(full))
    write("vggish", calls, {"full_key_digest": keys, "keys": len(shapes(full)), "cases": cases})


def panns(checkouts: Path) -> None:
    sys.path.insert(0, str(checkouts / "audioset_tagging_cnn" / "pytorch"))
    sys.path.insert(0, str(checkouts / "audioset_tagging_cnn" / "utils"))
    sys.path.insert(0, str(checkouts / "av-benchmark"))
    from av_bench.panns import models as avbench
    from models import Cnn14, Cnn14_16k

    # av-benchmark's constructor downloads and loads weights; the test network has its own.
    os.path.exists = lambda path: True
    torch.load = lambda *args, **options: {"model": None}
    loading = nn.Module.load_state_dict
    settings = {
        "panns-16k": (Cnn14_16k, (16000, 512, 160, 64, 50, 8000)),
        "panns-32k": (Cnn14, (32000, 1024, 320, 64, 50, 14000)),
    }
    digests: Case = {}
    cases: dict[str, Case] = {}
    for variant, (original, arguments) in settings.items():
        digests[variant] = key_digest(shapes(original(*arguments, 527)))
        nn.Module.load_state_dict = lambda self, state, strict=True: None
        network = avbench.Cnn14(["2048", "logits"], *arguments, 527)
        nn.Module.load_state_dict = loading
        assert key_digest(shapes(network)) == digests[variant]
        widths = (1, 4, 6, 8, 10, 12, 16)
        for at in range(1, 7):
            setattr(network, f"conv_block{at}", avbench.ConvBlock(widths[at - 1], widths[at]))
        network.fc1, network.fc_audioset = nn.Linear(16, 16), nn.Linear(16, 9)
        fill_network(network, lambda key: "_extractor." in key)
        for name, signal, seconds in (
            ("chirp", "chirp", 4.0),
            ("hits", "hits", 8.0),
            ("noise", "noise", 0.4),
            ("vowels", "vowels", 2.5),
        ):
            samples = torch.from_numpy(SIGNALS[signal](arguments[0], seconds))[None]
            with torch.no_grad():
                frames = network.logmel_extractor(network.spectrogram_extractor(samples))[0, 0]
                output = network(samples)
            cases[f"{variant}-{name}"] = {
                "signal": signal,
                "seconds": seconds,
                "shape": list(frames.shape),
                "log_mel_every_131": numbers(frames.ravel()[::131]),
                "embedding": numbers(output["2048"]),
                "logits": numbers(output["logits"]),
            }
    calls = (
        "av_bench.panns.models.Cnn14 with its STFT and mel matrix as constructed (torchlibrosa) "
        "and narrower layers of the same kinds (widths 4, 6, 8, 10, 12, 16; 9 classes); key "
        "digests of Cnn14_16k and Cnn14 of audioset_tagging_cnn, which av_bench's have too"
    )
    write("panns", calls, {"full_key_digest": digests, "cases": cases})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    vggish(folder)
    panns(folder)
