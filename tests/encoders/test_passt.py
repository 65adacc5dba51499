"""PaSST against the published implementations, two of its twelve blocks under made-up weights."""

from __future__ import annotations

import json
from pathlib import Path

import fake_checkpoint
import numpy as np
import pytest
import torch
from filled import fake_state, shapes
from scipy.special import log_softmax

from vsseval.encoders import passt, passt_audiocraft, passt_stable_audio
from vsseval.encoders.passt_network import Network, load_network
from vsseval.errors import InputError
from vsseval.preparations import prepare
from vsseval.types import Audio

REFERENCE = Path(__file__).parent.parent / "reference"
BLOCKS = 2


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return fake_state(lambda: Network(BLOCKS))


@pytest.fixture(scope="module")
def network(state, tmp_path_factory) -> Network:
    path = tmp_path_factory.mktemp("passt") / passt.CHECKPOINT
    torch.save(state, path)
    return load_network(path, BLOCKS)


@pytest.fixture
def wave(signals, reference):
    """Samples of a case, and the case."""

    def get(name: str) -> tuple[np.ndarray, dict]:
        case = reference("passt", name)
        samples = signals.SIGNALS[case["signal"]](32_000, case["seconds"])
        return samples * np.float32(case["gain"]), case

    return get


@pytest.mark.parametrize("name", ["chirp", "hits", "noise"])
def test_spectrogram_equals_passt_hear21(wave, name: str) -> None:
    samples, case = wave(f"spectrogram-{name}")
    found = passt.spectrogram(samples[None])[0].numpy()
    assert found.dtype == np.float32
    assert found.shape == (128, case["frames"])
    np.testing.assert_allclose(found[::7, ::13].ravel(), case["every_7_by_13"], rtol=0, atol=1e-5)


def test_the_whole_network_has_the_keys_and_shapes_of_the_published_one() -> None:
    stored = json.loads((REFERENCE / "encoders_passt.json").read_text())["key_digest"]
    assert fake_checkpoint.key_digest(shapes(Network)) == stored


@pytest.mark.parametrize("name", ["padded", "cut"])
def test_logits_and_embedding_equal_av_benchmark(wave, network, name: str) -> None:
    samples, case = wave(name)
    found = passt.PasstEncoder(network, "cpu", "")(samples)
    assert found["logits"].shape == (1, 527)
    assert found["embedding"].shape == (1, 768)
    assert found["logits"].dtype == found["embedding"].dtype == np.float32
    for key in found:
        np.testing.assert_allclose(found[key][0, ::4], case[f"{key}_every_4"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["two-windows", "padded", "unpadded"])
def test_probabilities_equal_stable_audio_metrics(wave, network, name: str) -> None:
    samples, case = wave(f"stable-audio-{name}")
    samples = prepare(Audio(samples[None], 32_000), 32_000, None, "stable-audio")
    found = passt_stable_audio.PasstStableAudioEncoder(network, "cpu", "")(samples)["logits"]
    assert found.shape == (1, 527)
    expected = case["log_probabilities_every_4"]
    np.testing.assert_allclose(log_softmax(found[0])[::4], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["two-pieces", "dropped-piece", "short"])
def test_probabilities_of_each_piece_equal_audiocraft(wave, network, name: str) -> None:
    samples, case = wave(f"audiocraft-{name}")
    found = passt_audiocraft.PasstAudiocraftEncoder(network, "cpu", "")(samples)["logits"]
    assert found.shape == (case["pieces"], 527)
    expected = case["log_probabilities_every_8"]
    np.testing.assert_allclose(
        log_softmax(found, axis=1)[:, ::8].ravel(), expected, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize(
    ("seconds", "starts"),
    [(0.3, [0]), (9.9, [0]), (10, [0]), (10.1, [0, 5]), (15, [0, 5]), (15.1, [0, 5, 10])],
)
def test_windows_start_every_five_seconds_while_more_than_five_follow(
    seconds: float, starts: list[int]
) -> None:
    # start < max(5, length - 5), from the definition; ramps tell where a window came from
    ramp = np.arange(round(32_000 * seconds), dtype=np.float32) + 1
    found = passt_stable_audio.windows(ramp)
    assert [round((window[0] - 1) / 32_000) for window in found] == starts
    assert all(window.size == 320_000 for window in found) == (seconds > 1.5)


def test_too_few_samples_are_refused(network) -> None:
    encoders = [
        passt.PasstEncoder(network, "cpu", ""),
        passt_stable_audio.PasstStableAudioEncoder(network, "cpu", ""),
        passt_audiocraft.PasstAudiocraftEncoder(network, "cpu", ""),
    ]
    for encoder in encoders:
        with pytest.raises(InputError, match="at least one sample"):
            encoder(np.zeros(0, np.float32))
    for encoder in encoders[1:]:
        with pytest.raises(InputError, match=r"0\.15 s"):
            encoder(np.zeros(4800, np.float32))
        assert np.isfinite(encoder(np.zeros(4801, np.float32))["logits"]).all()
