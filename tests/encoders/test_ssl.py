"""WavLM-ECAPA, UTMOS22 and Audiobox aesthetics against their origins, with filled weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fake_checkpoint
import numpy as np
import pytest
import torch
from filled import fake_state, shapes

from vsseval.encoders import audiobox_network, utmos22_network, wavlm_ecapa_network
from vsseval.encoders.audiobox import AudioboxEncoder
from vsseval.encoders.audiobox_network import AXES, CONFIGURATION, Aesthetics, Scale
from vsseval.encoders.checkpoints import build
from vsseval.encoders.utmos22 import UtmosEncoder
from vsseval.encoders.wav2vec_network import (
    BASE,
    WAVLM_BASE,
    WAVLM_LARGE,
    distance_rows,
    kept_frames,
)
from vsseval.encoders.wavlm_ecapa import WavlmEcapaEncoder
from vsseval.errors import InputError

REFERENCES = Path(__file__).parents[1] / "reference"
CASES = json.loads((REFERENCES / "encoders_ssl.json").read_text(encoding="utf-8"))["cases"]
SMALL = {"layers": 3, "width": 64, "hidden": 96, "heads": 4, "channels": 32}


def loaded(make):
    return build(make, fake_state(make), Path("filled"))


@pytest.fixture(scope="module")
def ecapa():
    small = replace(WAVLM_LARGE, **SMALL)
    network = loaded(lambda: wavlm_ecapa_network.Network(small, channels=64))
    return WavlmEcapaEncoder(network, "cpu", "filled")


@pytest.fixture(scope="module")
def utmos():
    network = loaded(lambda: utmos22_network.Network(replace(BASE, layers=2)))
    return UtmosEncoder(network, "cpu", "filled")


@pytest.fixture(scope="module")
def aesthetics():
    network = loaded(lambda: audiobox_network.Network(replace(WAVLM_BASE, **SMALL)))
    scales = {axis: Scale(**scale) for axis, scale in CASES["audiobox"]["scales"].items()}
    return AudioboxEncoder(Aesthetics(network, scales), "cpu", "filled")


def clip(signals, case, padding=0):
    signal, _, seconds = case.partition("-")
    return np.pad(signals.SIGNALS[signal](16000, float(seconds)), (0, padding))


@pytest.mark.parametrize("case", CASES["ecapa"]["embedding_every_4"])
def test_ecapa_equals_unispeech(signals, ecapa, case):
    found = ecapa(clip(signals, case))["embedding"]
    assert found.dtype == np.float32
    assert found.shape == (256,)
    expected = CASES["ecapa"]["embedding_every_4"][case]
    np.testing.assert_allclose(found[::4], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("case", sorted(set(CASES["utmos"]["mos"]) - {"padded"}))
def test_utmos_equals_speechmos(signals, utmos, case):
    found = utmos(clip(signals, case))["mos"]
    assert found.dtype == np.float64
    assert float(found) == pytest.approx(CASES["utmos"]["mos"][case], abs=1e-4)


def test_utmos_of_a_clip_padded_with_zeros_is_another_number(signals, utmos):
    # Known bug of batching: there is no mask, so silence after the end is rated as well.
    alone, padded = (float(utmos(clip(signals, "vowels-2.1", n))["mos"]) for n in (0, 32000))
    assert padded == pytest.approx(CASES["utmos"]["mos"]["padded"], abs=1e-4)
    assert abs(padded - alone) > 0.01


@pytest.mark.parametrize("case", CASES["audiobox"]["scores"])
def test_audiobox_equals_its_package(signals, aesthetics, case):
    found = aesthetics(clip(signals, case))
    for axis, expected in CASES["audiobox"]["scores"][case].items():
        assert found[axis.lower()].dtype == np.float64
        assert float(found[axis.lower()]) == pytest.approx(expected, abs=1e-4), axis


def test_audiobox_weighs_windows_by_their_length(signals, aesthetics):
    samples = clip(signals, "hits-12.5")
    whole, first, rest = (
        float(aesthetics(part)["pq"]) for part in (samples, samples[:160000], samples[160000:])
    )
    assert whole == pytest.approx((10 * first + 2.5 * rest) / 12.5, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("ecapa", wavlm_ecapa_network.Network),
        ("utmos", utmos22_network.Network),
        ("audiobox", audiobox_network.Network),
    ],
)
def test_keys_and_shapes_of_the_full_size_are_the_origins(name, make):
    found = shapes(make)
    assert len(found) == CASES[name]["full"]["keys"]
    assert fake_checkpoint.key_digest(found) == CASES[name]["full"]["digest"]


def test_ecapa_checkpoint_without_its_training_head(tmp_path, monkeypatch, ecapa, signals):
    small = replace(WAVLM_LARGE, **SMALL)
    make = wavlm_ecapa_network.Network
    monkeypatch.setattr(wavlm_ecapa_network, "Network", lambda: make(small, channels=64))
    state = fake_state(wavlm_ecapa_network.Network)
    state["loss_calculator.projection.weight"] = torch.zeros(3, 256)
    torch.save({"model": state, "best_valid_eer": 0.5}, tmp_path / "a.pth")
    network = wavlm_ecapa_network.load_network(tmp_path / "a.pth")
    samples = clip(signals, "vowels-2.1")
    found = WavlmEcapaEncoder(network, "cpu", "loaded")(samples)["embedding"]
    np.testing.assert_array_equal(found, ecapa(samples)["embedding"])


@pytest.mark.parametrize("form", ["pt", "safetensors"])
def test_audiobox_checkpoints_of_both_forms(tmp_path, monkeypatch, form, aesthetics):
    small = replace(WAVLM_BASE, **SMALL)
    make = audiobox_network.Network
    monkeypatch.setattr(audiobox_network, "Network", lambda: make(small))
    state = fake_state(audiobox_network.Network)
    scales = CASES["audiobox"]["scales"]
    path = tmp_path / f"model.{form}"

    def write(configuration):
        if form == "pt":
            stored = {f"model.{key}": tensor for key, tensor in state.items()}
            whole = {"state_dict": stored, "model_cfg": configuration, "target_transform": scales}
            torch.save(whole, path)
        else:
            from safetensors.torch import save_file

            save_file(state, path)
            whole = {**configuration, "target_transform": scales}
            (tmp_path / "config.json").write_text(json.dumps(whole))

    write({**CONFIGURATION, "proj_dropout": 0.0, "precision": "bf16"})
    model = audiobox_network.load_network(path)
    assert model.scales == aesthetics.model.scales
    for key, tensor in model.network.state_dict().items():
        torch.testing.assert_close(tensor, state[key], rtol=0, atol=0)
    write({**CONFIGURATION, "normalize_embed": False})
    with pytest.raises(InputError, match="normalize_embed"):
        audiobox_network.load_network(path)


@pytest.mark.parametrize(("name", "shortest"), [("ecapa", 720), ("utmos", 400), ("aesthetics", 1)])
def test_the_shortest_clip_has_a_value_and_a_shorter_one_none(request, name, shortest):
    encoder = request.getfixturevalue(name)
    samples = np.full(shortest, 0.1, np.float32)
    samples.flags.writeable = False  # as those that several encoders share
    for values in encoder(samples).values():
        assert np.isfinite(values).all()
    with pytest.raises(InputError, match="needs"):
        encoder(np.zeros(shortest - 1, np.float32))


def test_distances_near_and_far_have_rows_of_their_own():
    # 320 rows: 0 to 79 a frame each, then 80 rows up to 800 frames, by their logarithm; later
    # frames 160 rows further on. Half of log(800 / 80) is at 80 sqrt(10) = 253 frames: row 120.
    found = distance_rows(
        torch.tensor([0, -1, 1, -79, -80, -253, 253, -799, -5000, 5000]), 320, 800
    )
    assert found.tolist() == [0, 1, 161, 79, 80, 120, 280, 159, 159, 319]


def test_frames_that_begin_in_the_padding_are_left_out():
    # 10 s have 499 frames of 320 samples; 1 sample lies in the first frame, 321 in two.
    for length, frames in ((1, 1), (320, 1), (321, 2), (160000, 499)):
        kept = kept_frames(length, 160000)
        assert kept.shape == (1, 499)
        assert int(kept.sum()) == frames
    assert len(AXES) == 4
