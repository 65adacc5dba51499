"""Writes tests/reference/encoders_*.json from the published implementations, in another venv.

Needs Python 3.11 with: numpy==1.26.4, scipy==1.12.0, torch, librosa==0.10.2, soundfile,
setuptools<81, essentia==2.1b6.dev1389, onnxruntime, pandas, pyworld==0.3.5, pysptk==1.0.1,
fastdtw==0.3.4, webrtcvad==2.0.10, requests, tqdm, and with ``pip install --no-deps``: aisfx==0.1.2,
resemblyzer==0.1.4, speechmos==0.0.1.1, pymcd==0.2.1. Nothing of them is kept but numbers.

    python tests/reference/encoders_recipe.py AISFX_CHECKPOINT
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import scipy.ndimage

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "encoders"))

from signals import SIGNALS, Samples  # noqa: E402

Case = dict[str, object]


def provenance(packages: str, calls: str) -> Case:
    return {
        "command": "python tests/reference/encoders_recipe.py AISFX_CHECKPOINT",
        "packages": {name: importlib.metadata.version(name) for name in packages.split()},
        "calls": calls,
        "inputs": "tests/encoders/signals.py",
    }


def write(name: str, source: Case, cases: dict[str, Case]) -> None:
    text = json.dumps({"provenance": source, "cases": cases}, indent=1)
    (HERE / f"encoders_{name}.json").write_text(text + "\n")


def numbers(values: object, digits: int) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in np.asarray(values, np.float64).ravel()]


def aisfx(checkpoint: str) -> None:
    import soundfile
    import torch
    from aisfx.models.cnn2d import CrossNet, EmbeddingNet
    from aisfx.preprocessing import blocking, compute_hopSize, spectrogram_normalize
    from aisfx.spectrogram.spectrogram_essentia import compute_spectrogram

    state, heads = torch.load(checkpoint, map_location="cpu", weights_only=False)
    network = CrossNet(EmbeddingNet("max", 3, 1, 64), heads, "cpu")
    network.load_state_dict(state)
    network.eval()

    def spectrogram(samples: Samples) -> np.ndarray:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            soundfile.write(file.name, samples, 44100, subtype="FLOAT")
            raw = compute_spectrogram(
                file.name, sr=44100.0, block_size=2048, hop_size=1024, n_mels=96,
                f_min=0.0, f_max=22050.0,
            )  # fmt: skip
        return spectrogram_normalize(raw)

    cases: dict[str, Case] = {}
    for name, signal, seconds in (
        ("chirp", "chirp", 4.0),
        ("hits", "hits", 4.0),
        ("noise", "noise", 4.0),
        ("vowels", "vowels", 3.3),
        ("one-block", "hits", 1.5),
    ):
        frames = spectrogram(SIGNALS[signal](44100, seconds))
        hop = compute_hopSize(100, 0.5, frames)
        blocks = torch.Tensor(blocking(frames, 100, hop, drop_partial_block=False))
        with torch.no_grad():
            embedding, logits = network(blocks, "ucsMixed")
        cases[name] = {
            "signal": signal,
            "seconds": seconds,
            "shape": list(frames.shape),
            "spectrogram_every_221": numbers(frames.ravel()[::221], 7),
            "embedding_every_16": [numbers(row[::16], 7) for row in embedding],
            "logits": [numbers(row, 7) for row in logits],
        }
    calls = (
        "spectrogram_essentia.compute_spectrogram, preprocessing.spectrogram_normalize, blocking "
        "(hop 0.5, drop_partial_block=False), CrossNet.forward with head ucsMixed"
    )
    write("aisfx", provenance("aisfx essentia torch numpy", calls), cases)


def ge2e() -> None:
    # Resemblyzer imports a module that SciPy has removed.
    legacy = types.ModuleType("scipy.ndimage.morphology")
    legacy.binary_dilation = scipy.ndimage.binary_dilation
    sys.modules["scipy.ndimage.morphology"] = legacy
    from resemblyzer import VoiceEncoder, audio

    encoder = VoiceEncoder("cpu", verbose=False)
    cases: dict[str, Case] = {}
    for name, signal, seconds, gain in (
        ("vowels", "vowels", 4.0, 1.0),
        ("quiet", "vowels", 4.0, 0.02),
        ("short", "vowels", 1.1, 1.0),
        ("hits", "hits", 4.0, 1.0),
        ("dropped-partial", "chirp", 3.5, 1.0),
    ):
        samples = (SIGNALS[signal](16000, seconds) * np.float32(gain)).astype(np.float32)
        level = audio.normalize_volume(samples, -30, increase_only=True)
        embedding, _, slices = encoder.embed_utterance(level, return_partials=True)
        mel = audio.wav_to_mel_spectrogram(level)
        cases[name] = {
            "signal": signal,
            "seconds": seconds,
            "gain": gain,
            "partial_starts": [int(piece.start) // 160 for piece in slices],
            "mel_shape": list(mel.shape),
            "mel_sum_by_band": numbers(mel.astype(np.float64).sum(axis=0), 8),
            "embedding": numbers(embedding, 7),
        }
    calls = "audio.normalize_volume(-30, increase_only=True), VoiceEncoder.embed_utterance; no VAD"
    write("ge2e", provenance("resemblyzer librosa torch numpy", calls), cases)


def dnsmos() -> None:
    from speechmos import dnsmos as reference

    cases: dict[str, Case] = {}
    for name, signal, seconds in (
        ("doubled-twice", "vowels", 4.0),
        ("noise", "noise", 3.0),
        ("exactly-one-window", "hits", 9.01),
        ("two-hops-short", "vowels", 10.5),
        ("skipped-windows", "vowels", 18.0),
        ("silence", None, 4.0),
    ):
        length = round(16000 * seconds)
        samples = SIGNALS[signal](16000, seconds) if signal else np.zeros(length, np.float32)
        scores = reference.run(samples, 16000)
        values = {key.removesuffix("_mos"): numbers(x, 8)[0] for key, x in scores.items()}
        cases[name] = {"signal": signal, "seconds": seconds, **values}
    write("dnsmos", provenance("speechmos librosa onnxruntime numpy", "dnsmos.run"), cases)


def mcep() -> None:
    from pymcd.mcd import Calculate_MCD

    analyser = Calculate_MCD("plain")
    cases: dict[str, Case] = {}
    for signal, seconds in (("vowels", 4.0), ("hits", 2.0), ("chirp", 1.5), ("noise", 1.0)):
        found = analyser.wav2mcep_numpy(SIGNALS[signal](22050, seconds))
        cases[signal] = {
            "signal": signal,
            "seconds": seconds,
            "shape": list(found.shape),
            "every_37": [numbers(row, 11) for row in found[::37]],
        }
    calls = "Calculate_MCD.wav2mcep_numpy"
    write("mcep", provenance("pymcd pyworld pysptk numpy", calls), cases)


def onsets() -> None:
    import librosa

    cases: dict[str, Case] = {}
    for signal, make in SIGNALS.items():
        samples = make(22050, 4.0)
        strict = librosa.onset.onset_detect(y=samples, sr=22050, units="samples", delta=0.3)
        envelope = librosa.onset.onset_strength(y=samples, sr=22050)
        frames = librosa.onset.onset_detect(onset_envelope=envelope, sr=22050)
        level = np.abs(samples.astype(np.float64))
        level = (level - level.min()) / (level.max() - level.min())
        cases[signal] = {
            "signal": signal,
            "seconds": 4.0,
            "samples_030": [int(onset) for onset in strict],
            "confidence_030": numbers([level[o - 1102 : o + 1102].max() for o in strict], 9),
            "amplitude_030": numbers(level[strict], 9),
            "times_007": numbers(librosa.frames_to_time(frames, sr=22050), 9),
        }
    calls = (
        "librosa.onset.onset_detect(delta=0.3) with confidence and amplitude as in "
        "XYPB/CondFoleyGen 88b7367 predict_onset.py; onset_detect with its defaults as in "
        "guyyariv/TempoTokens 34d9502 av_align.py"
    )
    write("onsets", provenance("librosa numpy", calls), cases)


if __name__ == "__main__":
    aisfx(sys.argv[1])
    ge2e()
    dnsmos()
    mcep()
    onsets()
