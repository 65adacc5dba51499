"""LAION-CLAP and MS-CLAP against their packages, under weights that are the same on both sides."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import fake_checkpoint
import librosa
import numpy as np
import pytest
import tiny_vocabulary
import torch

from vsseval import weights
from vsseval.encoders import (
    clap_laion,
    clap_laion_network,
    clap_ms,
    clap_ms_network,
    gpt2_network,
    htsat_network,
    roberta_network,
)
from vsseval.encoders.byte_pairs import END_OF_TEXT, read_byte_pairs, roberta_tokens
from vsseval.encoders.checkpoints import Naming, build, renamed
from vsseval.encoders.clap import ClapAudio
from vsseval.encoders.htsat_network import BASE, FFT, TINY, Htsat
from vsseval.encoders.table import load_encoder, signature
from vsseval.errors import InputError, MissingWeightsError

REFERENCE = Path(__file__).parents[1] / "reference"
LAION = json.loads((REFERENCE / "encoders_clap_laion.json").read_text())
MS = json.loads((REFERENCE / "encoders_clap_ms.json").read_text())
SMALL = htsat_network.Size(
    LAION["small"]["embed_dim"], LAION["small"]["depths"], LAION["small"]["num_heads"]
)
State = dict[str, torch.Tensor]


TEXTS = list(tiny_vocabulary.TEXTS)


def front_end(rate: int, top: float) -> State:
    """Windowed DFT kernels (513, 1, 1024) and mel weights (513, 64), from their formulas."""
    time = np.arange(FFT)
    angle = 2 * np.pi * np.outer(np.arange(FFT // 2 + 1), time) / FFT
    window = 0.5 - 0.5 * np.cos(2 * np.pi * time / FFT)
    mel = librosa.filters.mel(sr=rate, n_fft=FFT, n_mels=64, fmin=50.0, fmax=top)
    arrays = {
        "spectrogram_extractor.stft.conv_real.weight": (window * np.cos(angle))[:, None],
        "spectrogram_extractor.stft.conv_imag.weight": (-window * np.sin(angle))[:, None],
        "logmel_extractor.melW": mel.T,
    }
    return {key: torch.from_numpy(np.float32(values)) for key, values in arrays.items()}


def fake(own: State, naming: Naming, kernels: State, unused: Mapping) -> State:
    """A checkpoint under upstream's names: learnt tensors filled, index tensors ours."""
    state: State = {}
    for key, tensor in own.items():
        name = naming(key)
        kernel = next((end for end in kernels if name.endswith(end)), None)
        if kernel:
            state[name] = kernels[kernel]
        elif tensor.is_floating_point() and not name.endswith("attn_mask"):
            state[name] = torch.from_numpy(fake_checkpoint.fill(name, tuple(tensor.shape)))
        else:
            state[name] = tensor
    for name, shape in unused.items():
        state[name] = torch.from_numpy(fake_checkpoint.fill(name, tuple(shape)))
    return state


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both fake checkpoints in the published file format, and both vocabularies."""
    root = tmp_path_factory.mktemp("clap")
    tokens = tiny_vocabulary.write_roberta(root / "roberta")
    text = clap_laion_network.TextTower(
        roberta_network.Size(vocabulary=tokens, layers=LAION["small"]["roberta_layers"])
    )
    own = clap_laion_network.AudioTower(SMALL).state_dict() | text.state_dict()
    state = fake(own, str, front_end(48_000, 14_000), LAION["keys"]["small"]["unused"])
    state["text_branch.embeddings.position_ids"] = torch.arange(514)[None]
    content = {
        "epoch": 15,
        "name": "fake",
        "best": np.float64(0.9),
        "state_dict": {f"module.{key}": tensor for key, tensor in state.items()},
    }
    torch.save(content, root / "laion.pt")
    more = LAION["keys"]["small-fusion"]["unused"]
    assert any("fusion_model" in key for key in more)
    for key in more.keys() - LAION["keys"]["small"]["unused"].keys():
        state[key] = torch.zeros(more[key])
    torch.save({"state_dict": state}, root / "fused.pt")

    tokens = tiny_vocabulary.write_gpt2(root / "gpt2")
    audio = clap_ms_network.AudioTower(SMALL).state_dict()
    state = fake(
        audio,
        renamed(clap_ms_network.AUDIO_NAMES),
        front_end(32_000, 14_000),
        MS["keys"]["small"]["unused"],
    )
    text = clap_ms_network.TextTower(gpt2_size(tokens)).state_dict()
    state |= fake(text, renamed(clap_ms_network.TEXT_NAMES), {}, {})
    for layer in range(MS["small"]["gpt2_layers"]):
        state[f"caption_encoder.base.h.{layer}.attn.bias"] = torch.ones(1, 1, 8, 8).tril()
        state[f"caption_encoder.base.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    torch.save({"model": state}, root / "ms.pth")
    return root


def gpt2_size(tokens: int) -> gpt2_network.Size:
    small = MS["small"]
    return gpt2_network.Size(
        tokens,
        width=small["gpt2_width"],
        layers=small["gpt2_layers"],
        heads=small["gpt2_heads"],
    )


@pytest.fixture(scope="module")
def laion_audio(store: Path) -> clap_laion_network.AudioTower:
    return clap_laion_network.load_audio_tower(store / "laion.pt", SMALL)


@pytest.fixture(scope="module")
def ms_audio(store: Path) -> clap_ms_network.AudioTower:
    return clap_ms_network.load_audio_tower(store / "ms.pth", SMALL)


@pytest.fixture(scope="module")
def laion_text(store: Path) -> clap_laion.LaionText:
    pairs = read_byte_pairs(store / "roberta")
    size = roberta_network.Size(
        vocabulary=pairs.tokenizer.get_vocab_size(), layers=LAION["small"]["roberta_layers"]
    )
    tower = clap_laion_network.load_text_tower(store / "laion.pt", size)
    return clap_laion.LaionText(tower, pairs, "cpu", "fake")


@pytest.fixture(scope="module")
def ms_text(store: Path) -> clap_ms.MsText:
    pairs = read_byte_pairs(store / "gpt2", special=(END_OF_TEXT, clap_ms.PADDING))
    size = gpt2_size(pairs.tokenizer.get_vocab_size())
    tower = clap_ms_network.load_text_tower(store / "ms.pth", size)
    return clap_ms.MsText(tower, pairs, size.positions, "cpu", "fake")


def close(found: np.ndarray, expected: Sequence[float], tolerance: float = 1e-4) -> None:
    """Within ``tolerance`` of the largest value."""
    values = np.reshape(expected, found.shape)
    np.testing.assert_allclose(found, values, rtol=0, atol=tolerance * np.abs(values).max())


@pytest.mark.parametrize("signal", ["hits", "vowels"])
@pytest.mark.parametrize("which", ["laion", "ms"])
def test_log_mel_equals_torchlibrosa(signals, laion_audio, ms_audio, which: str, signal) -> None:
    reference, rate = (LAION, 48_000) if which == "laion" else (MS, 44_100)
    htsat: Htsat = laion_audio.audio_branch if which == "laion" else ms_audio.branch
    case = reference["cases"][f"mel-{signal}"]
    samples = torch.from_numpy(signals.SIGNALS[signal](rate, case["seconds"]))[None]
    with torch.inference_mode():
        mel = htsat.log_mel(samples)[0]
    assert list(mel.shape) == case["shape"]
    close(mel.flatten()[::613].numpy(), case["every_613"], 1e-5)


@pytest.mark.parametrize("name", ["repeated-twice", "padded", "whole", "first"])
def test_laion_audio_equals_laion_clap(signals, laion_audio, name: str) -> None:
    case = LAION["cases"][name]
    encoder = ClapAudio(laion_audio, clap_laion.one_window, "cpu", "fake")
    found = encoder(signals.SIGNALS[case["signal"]](48_000, case["seconds"]))["embedding"]
    assert found.dtype == np.float32
    assert found.shape == (1, 512)
    close(found[0, ::7], case["every_7"])
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


def test_laion_windows_equal_fadtk(signals, laion_audio) -> None:
    case = LAION["cases"]["fadtk"]
    encoder = ClapAudio(laion_audio, clap_laion.window_each_second, "cpu", "fake")
    found = encoder(signals.SIGNALS[case["signal"]](48_000, case["seconds"]))["embedding"]
    assert list(found.shape) == case["shape"]
    close(found[:, ::17], case["every_17"])


def test_laion_fusion_equals_laion_clap_up_to_10_s(signals, store: Path) -> None:
    case = LAION["cases"]["fusion"]
    tower = clap_laion_network.load_fusion_audio_tower(store / "fused.pt", SMALL)
    encoder = ClapAudio(tower, clap_laion.one_short_window, "cpu", "fake")
    found = encoder(signals.SIGNALS[case["signal"]](48_000, case["seconds"]))["embedding"]
    close(found[0, ::7], case["every_7"])
    with pytest.raises(InputError, match=r"up to 10 s, this one has 10\.50 s"):
        encoder(np.ones(504_000, np.float32))


@pytest.mark.parametrize(
    ("name", "cut", "step"),
    [
        ("repeated", clap_ms.covering_windows, 7),
        ("whole", clap_ms.covering_windows, 7),
        ("covering", clap_ms.covering_windows, 17),
        ("repeated", clap_ms.drawn_window, 7),
        ("drawn", clap_ms.drawn_window, 7),
        ("fadtk", clap_ms.window_each_second, 17),
    ],
)
def test_ms_audio_equals_msclap_and_fadtk(signals, ms_audio, name, cut, step: int) -> None:
    case = MS["cases"][name]
    samples = signals.SIGNALS[case["signal"]](44_100, case["seconds"])
    samples.setflags(write=False)  # as they come out of the cache
    found = ClapAudio(ms_audio, cut, "cpu", "fake")(samples)["embedding"]
    assert found.dtype == np.float32
    close(found[:, ::step], case[f"every_{step}"])


@pytest.mark.parametrize("name", TEXTS)
def test_laion_text_equals_laion_clap(laion_text, name: str) -> None:
    case, text = LAION["cases"][f"text-{name}"], tiny_vocabulary.TEXTS[name]
    assert roberta_tokens(text, laion_text.pairs, clap_laion.TEXT_LIMIT) == case["tokens"]
    found = laion_text(text)["embedding"]
    assert found.shape == (512,)
    close(found[::7], case["every_7"])


@pytest.mark.parametrize("name", TEXTS)
def test_ms_text_equals_msclap(ms_text, name: str) -> None:
    case, text = MS["cases"][f"text-{name}"], tiny_vocabulary.TEXTS[name]
    assert ms_text.pairs(f"{text} {END_OF_TEXT}") == case["tokens"]
    found = ms_text(text)["embedding"]
    assert found.shape == (1024,)
    close(found[::7], case["every_7"])


def test_a_long_text_is_cut_for_laion_and_whole_for_ms() -> None:
    assert len(LAION["cases"]["text-long"]["tokens"]) == 77
    assert len(MS["cases"]["text-long"]["tokens"]) > 77


def digest(network: torch.nn.Module, naming: Naming) -> str:
    shapes = {naming(key): tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    return fake_checkpoint.key_digest(shapes)


@pytest.mark.parametrize(("name", "size"), [("base", BASE), ("tiny", TINY), ("fusion", TINY)])
def test_full_size_laion_keys_are_upstreams(name: str, size: htsat_network.Size) -> None:
    with torch.device("meta"):
        audio = clap_laion_network.AudioTower(size)
        text = clap_laion_network.TextTower(roberta_network.Size())
    assert digest(audio, str) == LAION["keys"][name]["audio"]
    assert digest(text, str) == LAION["keys"][name]["text"]
    counted = len(audio.state_dict()) + len(text.state_dict())
    assert counted + len(LAION["keys"][name]["unused"]) == LAION["keys"][name]["all"]


def test_full_size_ms_keys_are_upstreams() -> None:
    with torch.device("meta"):
        audio = clap_ms_network.AudioTower(TINY)
        text = clap_ms_network.TextTower(gpt2_network.Size())
    keys = MS["keys"]["full"]
    assert digest(audio, renamed(clap_ms_network.AUDIO_NAMES)) == keys["audio"]
    assert digest(text, renamed(clap_ms_network.TEXT_NAMES)) == keys["text"]
    assert len(audio.state_dict()) + len(text.state_dict()) + len(keys["unused"]) == keys["all"]


def installed_htsat() -> ModuleType:
    """htsat.py of the installed laion_clap, without the package: that reads the command line."""
    found = importlib.util.find_spec("laion_clap")
    assert found is not None
    assert found.submodule_search_locations
    package = ModuleType("installed_clap_module")
    package.__path__ = [f"{found.submodule_search_locations[0]}/clap_module"]
    sys.modules[package.__name__] = package
    return importlib.import_module("installed_clap_module.htsat")


@pytest.mark.filterwarnings("ignore:torch.meshgrid:UserWarning")
def test_full_size_htsat_equals_the_installed_laion_clap(signals) -> None:
    config = SimpleNamespace(
        mel_bins=64, window_size=1024, hop_size=480, sample_rate=48_000, fmin=50, fmax=14_000
    )
    theirs = installed_htsat().HTSAT_Swin_Transformer(config=config).eval()
    state = fake(theirs.state_dict(), str, front_end(48_000, 14_000), {})
    theirs.load_state_dict(state)
    ours = build(
        lambda: Htsat(TINY, clap_laion_network.HOP),
        state,
        Path("fake.pt"),
        unused=htsat_network.UNUSED,
    )
    samples = torch.from_numpy(signals.hits(48_000, 10.0))[None]
    with torch.inference_mode():
        expected = theirs({"waveform": samples}, device="cpu")["embedding"][0].numpy()
        found = ours(samples)[0].numpy()
    close(found, expected)


def changed(store: Path, file: str, inside: str, change: Callable[[State], Any]) -> Path:
    content = torch.load(store / file, weights_only=False)
    change(content[inside])
    torch.save(content, store / "changed.pt")
    return store / "changed.pt"


@pytest.mark.parametrize(
    ("file", "inside", "load", "key"),
    [
        (
            "laion.pt",
            "state_dict",
            lambda path: clap_laion_network.load_audio_tower(path, SMALL),
            "module.audio_branch.layers.1.blocks.1.attn.qkv.bias",
        ),
        (
            "ms.pth",
            "model",
            lambda path: clap_ms_network.load_audio_tower(path, SMALL),
            "audio_encoder.projection.linear1.weight",
        ),
        (
            "ms.pth",
            "model",
            lambda path: clap_ms_network.load_text_tower(path, gpt2_size(280)),
            "caption_encoder.base.ln_f.weight",
        ),
    ],
    ids=["laion-audio", "ms-audio", "ms-text"],
)
def test_a_checkpoint_is_taken_whole_or_not_at_all(store, file, inside, load, key: str) -> None:
    own = key.rpartition(".")[0].rpartition(".")[2]
    missing = changed(store, file, inside, lambda state: state.pop(key))
    with pytest.raises(InputError, match=rf"missing: \S*{own}"):
        load(missing)
    extra = changed(store, file, inside, lambda state: state.update(surplus=state[key]))
    with pytest.raises(InputError, match="unknown: surplus"):
        load(extra)
    bent = changed(store, file, inside, lambda state: state.update({key: torch.zeros(3)}))
    with pytest.raises(InputError, match=r"other shapes: .*\(3,\) instead of"):
        load(bent)


def test_the_wrong_size_is_refused(store) -> None:
    with pytest.raises(
        InputError, match=r"laion.pt is not the checkpoint that this network expects"
    ):
        clap_laion_network.load_audio_tower(store / "laion.pt", TINY)


def test_one_window_repeats_whole_copies_and_pads() -> None:
    seconds = np.arange(3 * 48_000, dtype=np.float32) + 1
    window = clap_laion.one_window(seconds)[0]
    assert window.size == 480_000
    np.testing.assert_array_equal(window[: 9 * 48_000], np.tile(seconds, 3))
    assert not window[9 * 48_000 :].any()


def test_fadtk_windows_go_through_16_bits_and_are_padded() -> None:
    samples = np.full(2 * 48_000 + 1, 0.5, np.float32)
    samples[:3] = (-0.5, 2.0, -2.0)
    windows = clap_laion.window_each_second(samples)
    assert windows.shape == (3, 480_000)
    # 0.5 * 32767 = 16383.5, cut towards zero
    expected = np.float32([-16383 / 32767, 1, -1, 16383 / 32767])
    np.testing.assert_array_equal(windows[0, :4], expected)
    np.testing.assert_array_equal(windows[2, :2], [expected[3], 0])
    assert not windows[2, 1:].any()


def test_windows_of_ms_hear_every_sample_and_do_not_depend_on_chance() -> None:
    samples = np.arange(round(9.3 * 44_100), dtype=np.float32)
    windows = clap_ms.covering_windows(samples)
    assert windows.shape == (4, clap_ms.WINDOW)
    assert windows[:, 0].tolist() == [0, 44_100, 88_200, samples.size - clap_ms.WINDOW]
    assert clap_ms.covering_windows(samples[: 8 * 44_100]).shape == (2, clap_ms.WINDOW)
    first, again = clap_ms.drawn_window(samples), clap_ms.drawn_window(samples)
    np.testing.assert_array_equal(first, again)
    assert 0 <= first[0, 0] < samples.size - clap_ms.WINDOW


def test_silence_and_one_sample_are_defined(laion_audio, ms_audio) -> None:
    for samples in (np.zeros(48_000, np.float32), np.ones(1, np.float32)):
        audio = ClapAudio(laion_audio, clap_laion.one_window, "cpu", "fake")
        assert np.isfinite(audio(samples)["embedding"]).all()
        other = ClapAudio(ms_audio, clap_ms.covering_windows, "cpu", "fake")
        assert np.isfinite(other(samples)["embedding"]).all()


def test_no_samples_and_endless_texts_are_refused(laion_audio, ms_audio, ms_text) -> None:
    nothing = np.zeros(0, np.float32)
    with pytest.raises(InputError, match="CLAP needs at least one sample"):
        ClapAudio(laion_audio, clap_laion.one_window, "cpu", "fake")(nothing)
    with pytest.raises(InputError, match="CLAP needs at least one sample"):
        ClapAudio(ms_audio, clap_ms.covering_windows, "cpu", "fake")(nothing)
    # 1000 digits, 999 spaces between them, one token of two spaces, and the closing one
    with pytest.raises(InputError, match="takes 1024 tokens, the text has 2001"):
        ms_text("1 " * 1000)


@pytest.mark.parametrize(
    ("encoder", "network", "vocabulary"),
    [("clap-laion-text", "clap-laion", "roberta-base"), ("clap-ms-text", "clap-ms", "gpt2")],
)
def test_a_missing_vocabulary_is_a_missing_weight(
    monkeypatch, tmp_path: Path, encoder: str, network: str, vocabulary: str
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path))
    require = weights.require
    monkeypatch.setattr(
        weights, "require", lambda name: tmp_path if name == network else require(name)
    )
    with pytest.raises(MissingWeightsError, match=f"vsseval weights pull {vocabulary}"):
        load_encoder(encoder)


@pytest.mark.parametrize(
    ("encoder", "file", "cut"),
    [
        ("clap-laion", "laion.pt", clap_laion.one_window),
        ("clap-laion-music@fadtk", "laion.pt", clap_laion.window_each_second),
        ("clap-laion-630k", "laion.pt", clap_laion.one_window),
        ("clap-laion-630k-fusion", "fused.pt", clap_laion.one_short_window),
        ("clap-ms", "ms.pth", clap_ms.covering_windows),
        ("clap-ms@avbench", "ms.pth", clap_ms.drawn_window),
    ],
)
def test_rows_load_what_they_name(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, file: str, cut
) -> None:
    of_ms = encoder.startswith("clap-ms")
    published = clap_laion.FILES.get(encoder.partition("@")[0], clap_ms.CHECKPOINT)
    (tmp_path / published).symlink_to(store / file)
    monkeypatch.setattr(weights, "require", lambda name: tmp_path)
    wanted, other = ("TINY", "BASE") if "630k" in encoder or of_ms else ("BASE", "TINY")
    monkeypatch.setattr(htsat_network, wanted, SMALL)
    monkeypatch.setattr(htsat_network, other, None)
    found = load_encoder(encoder)
    assert isinstance(found, ClapAudio)
    assert found.cut is cut
    assert found.signature == signature(encoder)
    mel = found.tower.branch if of_ms else found.tower.audio_branch
    fused = torch.equal(mel.logmel_extractor.melW, clap_laion_network.htk_bands())
    assert fused == ("fusion" in encoder)


def test_ten_times_the_amplitude_adds_20_db(laion_audio, signals) -> None:
    samples = torch.from_numpy(signals.hits(48_000, 2.0))[None]
    with torch.inference_mode():
        loud, soft = (laion_audio.audio_branch.log_mel(gain * samples) for gain in (10, 1))
    assert float((loud - soft).median()) == pytest.approx(20, abs=1e-3)
