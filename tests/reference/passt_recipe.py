"""Writes tests/reference/encoders_passt.json from the published implementations, in another venv.

Needs Python 3.11 with torch==2.9.1, torchaudio==2.9.1, timm==0.9.16, librosa==0.10.2, soundfile,
scipy, and with ``pip install --no-deps``: pyloudnorm, torchmetrics, lightning-utilities, julius.
CHECKOUTS holds passt_hear21 at 5f1cce6, stable-audio-metrics at fd55536 and audiocraft at 896ec7c.
Nothing of them is kept but numbers.

    python tests/reference/passt_recipe.py CHECKOUTS

The network has two blocks of the twelve, with the weights of fake_checkpoint.py; the digest of keys
and shapes is that of the whole. stable-audio-metrics and audiocraft run their own code around it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import io
import json
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "encoders")]

from fake_checkpoint import fill, key_digest  # noqa: E402
from signals import SIGNALS, Samples  # noqa: E402

RATE, BLOCKS = 32_000, 2


def numbers(values: object) -> list[float]:
    return [float(f"{value:.7g}") for value in np.asarray(values, np.float64).ravel()]


def load_audiocraft(checkouts: Path) -> types.ModuleType:
    """audiocraft/metrics/kld.py and the one module that it imports, without the package."""
    for name in ("audiocraft", "audiocraft.data", "audiocraft.metrics"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    for name in ("audiocraft.data.audio_utils", "audiocraft.metrics.kld"):
        path = checkouts / "audiocraft" / (name.replace(".", "/") + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules["audiocraft.metrics.kld"]


def main(checkouts: Path) -> None:
    import soundfile
    import torch
    from torch import nn

    sys.path[:0] = [
        str(checkouts / "passt_hear21"),
        str(checkouts / "stable-audio-metrics" / "src"),
    ]
    import passt_kld
    from hear21passt.models import passt
    from hear21passt.models.preprocess import AugmentMelSTFT
    from hear21passt.wrapper import PasstBasicWrapper

    kld = load_audiocraft(checkouts)
    with contextlib.redirect_stdout(io.StringIO()):
        whole = passt.get_model("passt_s_swa_p16_128_ap476", pretrained=False)
    digest = key_digest({k: v.shape for k, v in whole.state_dict().items()})

    network = passt.PaSST(stride=(10, 10), depth=BLOCKS, distilled=True)
    state = {k: torch.from_numpy(fill(k, v.shape)) for k, v in network.state_dict().items()}
    network.load_state_dict(state, strict=True)
    mel = AugmentMelSTFT(
        n_mels=128, sr=RATE, win_length=800, hopsize=320, n_fft=1024, freqm=48, timem=192,
        htk=False, fmin=0.0, fmax=None, norm=1, fmin_aug_range=10, fmax_aug_range=2000,
    )  # fmt: skip
    models = {mode: PasstBasicWrapper(mel, network, mode=mode).eval() for mode in ("all", "logits")}
    passt.first_RUN = False
    torch.Tensor.cuda = lambda tensor: tensor

    def tensor(samples: Samples) -> torch.Tensor:
        return torch.from_numpy(samples)[None]

    def front_end(samples: Samples) -> dict[str, object]:
        found = mel(tensor(samples))[0]
        return {"frames": found.shape[1], "every_7_by_13": numbers(found[::7, ::13])}

    def avbench(samples: Samples) -> dict[str, object]:
        wave = tensor(samples)  # as extract.py: cut or padded to 320,000
        wave = nn.functional.pad(wave[:, :320_000], (0, max(0, 320_000 - wave.shape[1])))
        found = models["all"](wave)[0]
        return {
            "logits_every_4": numbers(found[:527:4]),
            "embedding_every_4": numbers(found[527::4]),
        }

    def stable_audio(samples: Samples) -> dict[str, object]:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            soundfile.write(file.name, samples, RATE, subtype="FLOAT")
            found = passt_kld.return_probabilities(models["logits"], file.name)
        return {"log_probabilities_every_4": numbers(found.double().log()[::4])}

    def audiocraft(samples: Samples) -> dict[str, object]:
        class Metric(kld.PasstKLDivergenceMetric):
            def _load_base_model(self, length: float | None) -> tuple[object, int, int, int]:
                return models["logits"], RATE, 10 * RATE, int(0.15 * RATE)

        found = Metric()._get_label_distribution(
            tensor(samples)[None], torch.tensor([samples.size]), torch.tensor([RATE])
        )
        return {
            "pieces": len(found),
            "log_probabilities_every_8": numbers(found.double().log()[:, ::8]),
        }

    cases: dict[str, dict[str, object]] = {}
    with torch.no_grad():
        for name, ways, signal, seconds, gain in (
            ("spectrogram-chirp", front_end, "chirp", 4.0, 1.0),
            ("spectrogram-hits", front_end, "hits", 1.7, 0.01),
            ("spectrogram-noise", front_end, "noise", 0.1501, 1.0),
            ("padded", avbench, "vowels", 4.0, 1.0),
            ("cut", avbench, "chirp", 12.0, 1.0),
            ("stable-audio-two-windows", stable_audio, "chirp", 12.0, 1.0),
            ("stable-audio-padded", stable_audio, "noise", 1.6, 0.1),
            ("stable-audio-unpadded", stable_audio, "noise", 1.2, 0.1),
            ("audiocraft-two-pieces", audiocraft, "chirp", 10.2, 1.0),
            ("audiocraft-dropped-piece", audiocraft, "hits", 10.15, 1.0),
            ("audiocraft-short", audiocraft, "hits", 0.16, 1.0),
        ):
            samples = SIGNALS[signal](RATE, seconds) * np.float32(gain)
            found = {"signal": signal, "seconds": seconds, "gain": gain, **ways(samples)}
            cases[name] = found
    packages = "torch torchaudio timm librosa soundfile pyloudnorm torchmetrics julius numpy"
    provenance = {
        "command": "python tests/reference/passt_recipe.py CHECKOUTS",
        "packages": {name: importlib.metadata.version(name) for name in packages.split()},
        "commits": {
            "kkoutini/passt_hear21": "5f1cce6",
            "Stability-AI/stable-audio-metrics": "fd55536",
            "facebookresearch/audiocraft": "896ec7c",
        },
        "inputs": "tests/encoders/signals.py, tests/reference/fake_checkpoint.py",
        "calls": "AugmentMelSTFT; PasstBasicWrapper (mode all) on 320,000 samples; "
        "return_probabilities; PasstKLDivergenceMetric._get_label_distribution",
    }
    text = json.dumps({"provenance": provenance, "key_digest": digest, "cases": cases}, indent=1)
    (HERE / "encoders_passt.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
