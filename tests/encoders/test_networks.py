"""The pretrained networks against the published implementations, and the table of encoders."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from vsseval import weights
from vsseval.audio import fit_length, mono, read_audio
from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.encoders import dnsmos
from vsseval.encoders.aisfx_network import Network
from vsseval.encoders.table import ENCODERS, ROWS, load_encoder, signature
from vsseval.errors import InputError, MissingWeightsError, UnknownNameError
from vsseval.weights_table import GROUPS, WEIGHTS

HERE = Path(__file__).parent
NETWORKS = [row.id for row in ENCODERS.values() if row.network]
DEMO = [row.id for row in ENCODERS.values() if set(row.weights) <= set(GROUPS["demo"])]
AUDIO = [name for name in DEMO if ENCODERS[name].kind == "audio"]


@pytest.fixture(scope="session")
def encoder() -> Callable:
    """Each encoder loaded once for all tests."""
    loaded: dict = {}

    def get(name: str):
        if name not in loaded:
            loaded[name] = load_encoder(name)
        return loaded[name]

    return get


@pytest.fixture(scope="session")
def spoken() -> np.ndarray:
    """``flite -voice rms`` (flite 2.2) saying "we never saw the other side of the hill", 4 s."""
    return fit_length(mono(read_audio(HERE / "hill.flac")), 64000)


@pytest.mark.weights
@pytest.mark.parametrize("name", ["chirp", "hits", "noise", "vowels", "one-block"])
def test_aisfx_equals_the_package(signals, reference, encoder, name: str) -> None:
    case = reference("aisfx", name)
    found = encoder("aisfx")(signals.SIGNALS[case["signal"]](44100, case["seconds"]))
    expected = np.array(case["embedding_every_16"])
    np.testing.assert_allclose(
        found["embedding"][:, ::16], expected, rtol=1e-4, atol=1e-4 * expected.max()
    )
    np.testing.assert_allclose(found["logits"], case["logits"], atol=2e-3)
    assert found["embedding"].dtype == found["logits"].dtype == np.float32


@pytest.mark.weights
@pytest.mark.parametrize("name", ["vowels", "quiet", "short", "hits", "dropped-partial"])
def test_ge2e_equals_resemblyzer(signals, reference, encoder, name: str) -> None:
    case = reference("ge2e", name)
    samples = signals.SIGNALS[case["signal"]](16000, case["seconds"]) * np.float32(case["gain"])
    from vsseval.encoders.ge2e import raise_level

    found = encoder("ge2e").embed(raise_level(samples))
    np.testing.assert_allclose(found, case["embedding"], atol=1e-5)


@pytest.mark.weights
def test_ge2e_is_one_unit_vector_that_ignores_padding(encoder, spoken) -> None:
    bare = encoder("ge2e")(spoken[:40000])["embedding"]
    padded = encoder("ge2e")(np.pad(spoken[:40000], (16000, 64000)))["embedding"]
    assert np.linalg.norm(padded) == pytest.approx(1.0, abs=1e-6)
    assert float(bare @ padded) > 0.98


@pytest.mark.weights
@pytest.mark.parametrize(
    "name",
    [
        "doubled-twice",
        "noise",
        "exactly-one-window",
        "two-hops-short",
        "skipped-windows",
        "silence",
    ],
)
def test_dnsmos_equals_speechmos(signals, reference, encoder, name: str) -> None:
    case = reference("dnsmos", name)
    if case["signal"]:
        samples = signals.SIGNALS[case["signal"]](16000, case["seconds"])
    else:
        samples = np.zeros(round(16000 * case["seconds"]), np.float32)
    found = encoder("dnsmos")(samples)
    for key in ("ovrl", "sig", "bak", "p808"):
        assert float(found[key]) == pytest.approx(case[key], abs=1e-4), key


@pytest.mark.weights
@pytest.mark.parametrize(("period", "short"), [(64000, 80160), (32000, 48160), (12800, 28960)])
def test_dnsmos_window_without_its_repetitions_scores_the_same(
    encoder, period: int, short: int
) -> None:
    rng = np.random.default_rng(period)
    once = rng.standard_normal(period) * np.linspace(0.01, 0.2, period)
    audio = np.tile(once.astype(np.float32), 13)[5000:]
    assert dnsmos.shortest_window(period) == short
    scores = [
        encoder("dnsmos").p835(samples).run(None, {"input_1": audio[None, :samples]})[0]
        for samples in (dnsmos.WINDOW, short)
    ]
    np.testing.assert_allclose(scores[1], scores[0], rtol=0, atol=1e-6)


def test_dnsmos_window_stays_whole_where_frames_do_not_repeat() -> None:
    assert dnsmos.shortest_window(64001) == dnsmos.WINDOW


@pytest.mark.weights
def test_whisper_hears_the_sentence(encoder, spoken) -> None:
    text = str(encoder("whisper-tiny.en")(spoken)["text"])
    words = re.sub("[^a-z ]", "", text.lower())
    assert words == "we never saw the other side of the hill"


@pytest.mark.weights
def test_whisper_hears_the_same_with_any_number_of_blas_threads(encoder) -> None:
    # Without the limit inside the encoder this clip gave "white" with one thread, "wide" with two.
    clip = EMBEDDED_MEDIA / "demo-speech" / "audio" / "speech-test-0078.flac"
    samples = mono(read_audio(clip))
    heard = set()
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            heard.add(str(encoder("whisper-tiny.en")(samples)["text"]))
    assert len(heard) == 1


@pytest.mark.weights
@pytest.mark.parametrize("kind", ["silence", "noise"])
def test_whisper_hears_nothing_where_nothing_is_said(encoder, kind: str) -> None:
    level = 0.0 if kind == "silence" else 0.2
    samples = level * np.random.default_rng(0).standard_normal(64000)
    assert str(encoder("whisper-tiny.en")(samples.astype(np.float32))["text"]) == ""


@pytest.mark.weights
@pytest.mark.parametrize("name", AUDIO)
def test_an_encoder_keeps_its_promises(signals, encoder, name: str) -> None:
    row = ENCODERS[name]
    samples = signals.vowels(row.sample_rate, 2.0)
    before = samples.copy()
    first, again = encoder(name)(samples), encoder(name)(samples)
    np.testing.assert_array_equal(samples, before)
    assert set(first) == set(row.outputs)
    assert encoder(name).signature == signature(name)
    for key, text in row.outputs.items():
        kind, shape = re.match(r"(\w+) \(([^)]*)\)", text).groups()
        assert first[key].dtype.kind == {"float32": "f", "float64": "f", "string": "U"}[kind]
        assert kind == "string" or first[key].dtype == kind
        sizes = [part.strip() for part in shape.split(",") if part.strip()]
        assert first[key].ndim == len(sizes)
        assert [n for n, s in zip(first[key].shape, sizes, strict=True) if s.isdigit()] == [
            int(s) for s in sizes if s.isdigit()
        ]
        np.testing.assert_array_equal(first[key], again[key])


@pytest.mark.weights
@pytest.mark.parametrize("name", [name for name in AUDIO if name in NETWORKS])
def test_no_samples_are_refused(encoder, name: str) -> None:
    with pytest.raises(InputError, match="at least one sample"):
        encoder(name)(np.zeros(0, np.float32))


@pytest.mark.parametrize("name", [name for name in NETWORKS if ENCODERS[name].weights])
def test_without_weights_the_error_names_the_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path))
    commands = []
    for part in ENCODERS[name].weights:
        published = all(file.sha256 for file in WEIGHTS[part].files)
        commands.append(re.escape(f"vsseval weights {'pull' if published else 'add'} {part}"))
    for ask in (load_encoder, signature):
        with pytest.raises(MissingWeightsError, match="|".join(commands)):
            ask(name)


def test_no_id_is_used_twice() -> None:
    assert len(ENCODERS) == len(ROWS)


def test_no_two_encoders_would_share_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "require", lambda name: None)
    keys = {(signature(name), row.preparation, row.kind) for name, row in ENCODERS.items()}
    assert len(keys) == len(ENCODERS)


def test_an_unknown_encoder_lists_close_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean ge2e"):
        load_encoder("ge2")


@pytest.mark.weights
def test_signatures_are_told_without_loading_a_network() -> None:
    code = (
        "import sys; from vsseval.encoders.table import signature\n"
        f"assert len({{signature(name) for name in {DEMO}}}) == {len(DEMO)}\n"
        "print([name for name in ('torch', 'librosa', 'onnxruntime', 'faster_whisper')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_block_scores_the_same_alone_and_in_a_batch() -> None:
    torch.manual_seed(0)
    network = Network([3, 5]).eval()
    batch = torch.rand(3, 100, 96)
    with torch.inference_mode():
        embedding, logits = network(batch, 1)
        alone, one = network(batch[1:2], 1)
    assert embedding.shape == (3, 512)
    assert logits.shape == (3, 5)
    torch.testing.assert_close(embedding[1:2], alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits[1:2], one, rtol=1e-4, atol=1e-5)


@pytest.mark.weights
@pytest.mark.parametrize("name", AUDIO)
def test_silence_is_defined(encoder, name: str) -> None:
    found = encoder(name)(np.zeros(2 * ENCODERS[name].sample_rate, np.float32))
    for key, values in found.items():
        assert values.dtype.kind == "U" or np.isfinite(values).all(), key
