"""CNN14 against av-benchmark and torchlibrosa: front end, network under fake weights, borders."""

from __future__ import annotations

import json
from pathlib import Path

import fake_checkpoint
import librosa
import numpy as np
import pytest
import scipy.signal
import torch
from filled import fake_state, shapes

from vsseval.encoders import panns, panns_network
from vsseval.encoders.checkpoints import fit
from vsseval.encoders.panns_network import Cnn14, load_network
from vsseval.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = json.loads((REFERENCE / "encoders_panns.json").read_text())
SMALL = {"widths": (4, 6, 8, 10, 12, 16), "classes": 9}
VARIANTS = {variant.id: variant for variant in (panns.CNN14_16K, panns.CNN14_32K)}
HIGHEST = {"panns-16k": 8000, "panns-32k": 14000}
CASES = list(STORED["cases"])


@pytest.fixture(scope="module")
def state():
    """State dict of a variant: the front end from its definition, the rest fake."""

    def build(variant):
        values = fake_state(lambda: Cnn14(variant.fft, variant.hop, **SMALL))
        window = scipy.signal.get_window("hann", variant.fft)
        kernels = np.fft.rfft(np.diag(window)).T[:, None]  # (fft // 2 + 1, 1, fft)
        stft = "spectrogram_extractor.stft.conv_"
        values[f"{stft}real.weight"] = torch.from_numpy(kernels.real.astype(np.float32))
        values[f"{stft}imag.weight"] = torch.from_numpy(kernels.imag.astype(np.float32))
        mel = librosa.filters.mel(
            sr=variant.sample_rate, n_fft=variant.fft, n_mels=64, fmin=50, fmax=HIGHEST[variant.id]
        )
        values["logmel_extractor.melW"] = torch.from_numpy(mel.T.copy())
        return values

    return build


def parts(name, signals):
    variant = VARIANTS["-".join(name.split("-")[:2])]
    case = STORED["cases"][name]
    return variant, case, signals.SIGNALS[case["signal"]](variant.sample_rate, case["seconds"])


@pytest.mark.parametrize("name", CASES)
def test_log_mel_equals_torchlibrosa(signals, state, name):
    variant, case, samples = parts(name, signals)
    network = fit(Cnn14(variant.fft, variant.hop, **SMALL), state(variant), Path("fake"))
    found = network.log_mel(torch.from_numpy(samples)[None])[0].numpy()
    assert list(found.shape) == case["shape"]
    np.testing.assert_allclose(
        found.ravel()[::131], case["log_mel_every_131"], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("name", CASES)
def test_network_equals_av_benchmark_under_fake_weights(signals, state, name):
    variant, case, samples = parts(name, signals)
    network = fit(Cnn14(variant.fft, variant.hop, **SMALL), state(variant), Path("fake"))
    found = panns.PannsEncoder(network, variant, "cpu", "fake")(samples)
    assert found["embedding"].dtype == found["logits"].dtype == np.float32
    assert found["embedding"].shape == (1, 16)
    assert (found["embedding"] >= 0).all()
    np.testing.assert_allclose(found["embedding"][0], case["embedding"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["logits"][0], case["logits"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_keys_and_shapes_are_those_of_the_published_file(variant):
    full = shapes(lambda: Cnn14(variant.fft, variant.hop))
    assert fake_checkpoint.key_digest(full) == STORED["full_key_digest"][variant.id]


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_clip_below_32_frames_is_refused_and_one_of_32_is_not(state, variant):
    network = fit(Cnn14(variant.fft, variant.hop, **SMALL), state(variant), Path("fake"))
    encoder = panns.PannsEncoder(network, variant, "cpu", "fake")
    least = variant.least_samples
    assert np.isfinite(encoder(np.zeros(least, np.float32))["logits"]).all()
    with pytest.raises(InputError, match=rf"{variant.id} needs at least {least} samples"):
        encoder(np.zeros(least - 1, np.float32))


def test_samples_may_be_read_only(state):
    variant = panns.CNN14_16K
    network = fit(Cnn14(variant.fft, variant.hop, **SMALL), state(variant), Path("fake"))
    samples = np.ones(16000, np.float32)
    samples.setflags(write=False)
    assert panns.PannsEncoder(network, variant, "cpu", "fake")(samples)["logits"].shape == (1, 9)


def test_a_training_checkpoint_loads_with_the_state_of_its_sampler(state, tmp_path, monkeypatch):
    # The published 16-kHz file holds numpy arrays of the sampler beside the weights, pickled
    # under the module name that numpy had before version 2.
    variant = panns.CNN14_16K
    monkeypatch.setattr(panns_network, "Cnn14", lambda fft, hop: Cnn14(fft, hop, **SMALL))
    checkpoint = {
        "iteration": 600000,
        "model": state(variant),
        "sampler": {"queue": [1, 2], "indexes": np.arange(5), "pointer": np.int64(3)},
    }
    path = tmp_path / variant.file
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"cnumpy._core.", b"cnumpy.core."))
    assert b"cnumpy.core.multiarray\n_reconstruct" in path.read_bytes()
    network = load_network(path, variant.fft, variant.hop)
    torch.testing.assert_close(network.fc1.bias, checkpoint["model"]["fc1.bias"])


def test_the_file_of_the_other_rate_is_refused(state, tmp_path):
    torch.save({"model": state(panns.CNN14_32K)}, tmp_path / "32k.pth")
    with pytest.raises(InputError, match=r"other shapes: spectrogram_extractor.*\(513, 1, 1024\)"):
        load_network(tmp_path / "32k.pth", panns.CNN14_16K.fft, panns.CNN14_16K.hop)


def test_a_file_without_a_model_is_refused(tmp_path):
    torch.save({"weights": 1}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth holds no state dict"):
        load_network(tmp_path / "other.pth", 512, 160)
