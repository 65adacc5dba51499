"""openai-whisper beside faster-whisper, and the conversion of weights from one to the other."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest

from vsseval.audio import fit_length, mono, read_audio
from vsseval.encoders import whisper_convert, whisper_openai
from vsseval.encoders.table import load_encoder
from vsseval.errors import InputError, MissingWeightsError
from vsseval.metrics.transcription import word_error_rate
from vsseval.weights import require

HERE = Path(__file__).parent
RECORDED = Path("/usr/share/pocketsphinx/test/data/librivox")
SIZES = {
    "n_mels": 4,
    "n_audio_ctx": 6,
    "n_audio_state": 8,
    "n_audio_head": 2,
    "n_audio_layer": 1,
    "n_vocab": 11,
    "n_text_ctx": 5,
    "n_text_state": 8,
    "n_text_head": 2,
    "n_text_layer": 2,
}


def name(text):
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def ct2_file(variables, aliases=(), *, version=6, model="WhisperSpec"):
    """A file in the form that the converter's docstring states."""
    kinds = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}
    content = struct.pack("<I", version) + name(model) + struct.pack("<II", 3, len(variables))
    for key, values in variables.items():
        array = np.asarray(values)
        content += name(key) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        content += struct.pack("<BI", kinds[str(array.dtype)], array.nbytes) + array.tobytes()
    content += struct.pack("<I", len(aliases))
    return content + b"".join(name(alias) + name(target) for alias, target in aliases)


@pytest.fixture(scope="module")
def small():
    """A Whisper of openai-whisper with random weights."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    model = Whisper(ModelDimensions(**SIZES)).eval()
    generator = torch.Generator().manual_seed(0)
    for tensor in model.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return model


def as_ct2(model):
    """The variables of CTranslate2's Whisper: attentions fused, the keys' missing bias zero."""
    state = {key: tensor.numpy() for key, tensor in model.state_dict().items()}
    out = {}

    def linear(target, *sources):
        weights = [state[f"{source}.weight"] for source in sources]
        biases = [
            state.get(f"{source}.bias", np.zeros(len(weight), np.float32))
            for source, weight in zip(sources, weights, strict=True)
        ]
        out[f"{target}/weight"], out[f"{target}/bias"] = (
            np.concatenate(weights),
            np.concatenate(biases),
        )

    def norm(target, source):
        out[f"{target}/gamma"] = state[f"{source}.weight"]
        out[f"{target}/beta"] = state[f"{source}.bias"]

    for side, last, layers in (("encoder", "ln_post", 1), ("decoder", "ln", 2)):
        out[f"{side}/num_heads"] = np.int16(2)
        out[f"{side}/position_encodings/encodings"] = state[f"{side}.positional_embedding"]
        norm(f"{side}/layer_norm", f"{side}.{last}")
        for i in range(layers):
            to, at = f"{side}/layer_{i}", f"{side}.blocks.{i}"
            own = [f"{at}.attn.{part}" for part in ("query", "key", "value")]
            linear(f"{to}/self_attention/linear_0", *own)
            linear(f"{to}/self_attention/linear_1", f"{at}.attn.out")
            norm(f"{to}/self_attention/layer_norm", f"{at}.attn_ln")
            linear(f"{to}/ffn/linear_0", f"{at}.mlp.0")
            linear(f"{to}/ffn/linear_1", f"{at}.mlp.2")
            norm(f"{to}/ffn/layer_norm", f"{at}.mlp_ln")
            if side == "decoder":
                cross = f"{at}.cross_attn"
                linear(f"{to}/attention/linear_0", f"{cross}.query")
                linear(f"{to}/attention/linear_1", f"{cross}.key", f"{cross}.value")
                linear(f"{to}/attention/linear_2", f"{cross}.out")
                norm(f"{to}/attention/layer_norm", f"{cross}_ln")
    for conv in ("conv1", "conv2"):
        linear(f"encoder/{conv}", f"encoder.{conv}")
    out["decoder/embeddings/weight"] = state["decoder.token_embedding.weight"]
    return out


def test_a_planted_network_comes_back(tmp_path, small):
    path = tmp_path / "model.bin"
    aliases = [("decoder/projection/weight", "decoder/embeddings/weight")]
    path.write_bytes(ct2_file(as_ct2(small), aliases))
    found = whisper_convert.load_converted(path)
    assert vars(found.dims) == SIZES
    expected = small.state_dict()
    assert found.state_dict().keys() == expected.keys()
    for key, tensor in found.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), expected[key].numpy(), err_msg=key)


def test_small_integers_are_divided_by_their_scale(tmp_path):
    # 10 / 2 = 5 and -20 / 2 = -10 in the first row, 10 / 4 = 2.5 in the second.
    path = tmp_path / "model.bin"
    values = np.array([[10, -20], [10, 0]], np.int8)
    scale = np.array([2.0, 4.0], np.float32)
    path.write_bytes(ct2_file({"w": values, "w_scale": scale}, [("v", "w")]))
    variables = whisper_convert.read_variables(path)
    assert whisper_convert.tensor(variables, "w").tolist() == [[5, -10], [2.5, 0]]
    assert variables["v"].tolist() == values.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ct2_file({}, version=5), "version 6"),
        (ct2_file({}, model="TransformerSpec"), "TransformerSpec"),
        (ct2_file({"w": np.zeros(4, np.float32)})[:-12], "is cut"),
        (ct2_file({"encoder/conv1/weight": np.zeros((8, 4, 3), np.float32)}), "no variable"),
    ],
    ids=["version", "model", "cut", "variables"],
)
def test_another_file_is_refused(tmp_path, content, message):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        whisper_convert.load_converted(path)


def test_a_bias_on_the_keys_is_no_whisper(tmp_path, small):
    variables = as_ct2(small)
    variables["encoder/layer_0/self_attention/linear_0/bias"][8] = 1.0
    path = tmp_path / "model.bin"
    path.write_bytes(ct2_file(variables))
    with pytest.raises(InputError, match="bias on its keys"):
        whisper_convert.load_converted(path)


def test_a_checkpoint_of_openai_is_read_in_float32(tmp_path, small):
    import torch

    state = {key: tensor.half() for key, tensor in small.state_dict().items()}
    torch.save({"dims": SIZES, "model_state_dict": state}, tmp_path / "base.pt")
    found = whisper_openai.load_checkpoint(tmp_path / "base.pt").state_dict()
    for key, tensor in state.items():
        assert found[key].dtype == torch.float32
        torch.testing.assert_close(found[key], tensor.float(), rtol=0, atol=0)


def test_every_size_has_its_own_part(tmp_path, monkeypatch):
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingWeightsError, match="weights pull openai-whisper-medium"):
        whisper_openai.load("medium")
    with pytest.raises(MissingWeightsError, match="weights pull whisper-base"):
        whisper_openai.load("base")


@pytest.fixture(scope="module")
def listeners():
    return load_encoder("openai-whisper-tiny.en"), load_encoder("whisper-tiny.en")


@pytest.mark.weights
def test_the_converted_encoder_equals_ctranslate2(listeners):
    import ctranslate2
    import torch
    from whisper import log_mel_spectrogram, pad_or_trim

    model = listeners[0].model
    samples = mono(read_audio(HERE / "hill.flac"))
    mel = pad_or_trim(log_mel_spectrogram(samples, padding=480000), 3000)[None]
    with torch.inference_mode():
        found = model.encoder(mel).numpy()
    other = ctranslate2.models.Whisper(str(require("whisper-tiny.en")), compute_type="float32")
    view = other.encode(ctranslate2.StorageView.from_array(mel.numpy()))
    np.testing.assert_allclose(found, np.array(view), rtol=0, atol=1e-3 * np.abs(found).max())


@pytest.mark.weights
def test_both_hear_the_sentence(listeners):
    samples = fit_length(mono(read_audio(HERE / "hill.flac")), 64000)
    samples.flags.writeable = False  # as those that several encoders share
    for listener in listeners:
        words = re.sub("[^a-z ]", "", str(listener(samples)["text"]).lower())
        assert words == "we never saw the other side of the hill"


@pytest.mark.weights
@pytest.mark.slow
def test_both_hear_the_same_in_recorded_speech(listeners):
    if not RECORDED.is_dir():
        pytest.skip("no recorded speech: Debian's pocketsphinx-testdata is not installed")
    lines = (RECORDED / "transcription").read_text().splitlines()
    said = {key: text for text, key in re.findall(r"<s> (.*) </s> \((.*)\)", "\n".join(lines))}
    heard = {}
    for key in said:
        samples = mono(read_audio(RECORDED / f"{key}.wav"))
        heard[key] = [str(listener(samples)["text"]) for listener in listeners]
    ours, theirs = zip(*heard.values(), strict=True)
    assert word_error_rate(theirs, ours) <= 3.0
    for texts in (ours, theirs):
        assert word_error_rate(list(said.values()), texts) <= 10.0


@pytest.mark.weights
@pytest.mark.parametrize("kind", ["silence", "noise"])
def test_nothing_is_heard_where_nothing_is_said(listeners, kind):
    level = 0.0 if kind == "silence" else 0.2
    samples = level * np.random.default_rng(0).standard_normal(64000)
    assert str(listeners[0](samples.astype(np.float32))["text"]) == ""
