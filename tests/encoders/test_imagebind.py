"""ImageBind against upstream and av-benchmark: views of sound and pictures, towers, key names."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from pathlib import Path

import fake_checkpoint
import numpy as np
import pictures
import pytest
import torch

from vsseval.encoders import (
    imagebind_audio,
    imagebind_network,
    imagebind_text,
    imagebind_video,
    imagebind_video_native,
)
from vsseval.encoders.checkpoints import build
from vsseval.encoders.imagebind_network import (
    IGNORED,
    AudioTower,
    Size,
    TextTower,
    VisionTower,
    all_towers,
    load_tower,
    published_name,
)
from vsseval.errors import InputError
from vsseval.metrics.similarity import speaker_similarity_components
from vsseval.weights import fingerprint


@pytest.fixture(scope="module")
def small(reference) -> dict:
    return reference("imagebind", "towers")


@pytest.fixture(scope="module")
def state(small) -> dict[str, torch.Tensor]:
    """Upstream's state dict of a small model of six towers, every key filled from its name."""
    filled = fake_checkpoint.filled(
        {key: tuple(shape) for key, shape in small["small_shapes"].items()}
    )
    found = {key: torch.from_numpy(value) for key, value in filled.items()}
    found["modality_preprocessors.text.mask"] = torch.full((77, 77), -math.inf).triu(1)
    found["modality_postprocessors.audio.1.log_logit_scale"] = torch.tensor(math.log(20.0))
    found["modality_postprocessors.text.1.log_logit_scale"] = torch.tensor(5.0)
    return found


def small_towers() -> torch.nn.ModuleDict:
    return torch.nn.ModuleDict(
        {
            "vision": VisionTower(Size(64, 2, 4), 32),
            "audio": AudioTower(Size(48, 2, 3), 32),
            "text": TextTower(Size(40, 2, 4), 32),
        }
    )


def built(state: dict) -> torch.nn.ModuleDict:
    path = Path("filled")
    return build(small_towers, state, path, naming=published_name, unused=IGNORED)


@pytest.fixture(scope="module")
def towers(state) -> torch.nn.ModuleDict:
    return built(state)


# ---- towers


def test_towers_equal_upstream_on_filled_weights(small, towers) -> None:
    draw = np.random.RandomState(0).standard_normal
    clips = torch.from_numpy(draw((3, 3, 2, 224, 224)).astype(np.float32))
    mels = torch.from_numpy(draw((3, 1, 128, 204)).astype(np.float32))
    text = torch.zeros(2, 77, dtype=torch.long)
    text[0, :5] = torch.tensor([49_406, 320, 1929, 4, 49_407])
    text[1] = torch.arange(1, 78)
    text[1, -1] = 49_407
    with torch.inference_mode():
        found = {
            "vision": towers["vision"](clips).mean(dim=0, keepdim=True),
            "audio": towers["audio"](mels).mean(dim=0, keepdim=True),
            "text": towers["text"](text),
        }
    for name, values in found.items():
        np.testing.assert_allclose(values, small[name], rtol=1e-4, atol=1e-5, err_msg=name)
    # the published scale of the audio tower, and the clamp of the text tower's
    assert float(towers["audio"](mels)[0].norm()) == pytest.approx(20.0, rel=1e-5)
    assert float(towers["text"](text)[0].norm()) == pytest.approx(100.0, rel=1e-5)


def test_the_full_size_has_every_published_key_and_shape(small) -> None:
    with torch.device("meta"):
        full = all_towers()
    shapes = {published_name(key): tuple(tensor.shape) for key, tensor in full.state_dict().items()}
    assert len(shapes) == small["full_kept_keys"]
    assert fake_checkpoint.key_digest(shapes) == small["full_kept_digest"]
    assert full["vision"].projection.out_features == imagebind_network.WIDTH == 1024


def test_three_towers_are_ignored_and_nothing_else(state) -> None:
    others = {key for key in state if re.fullmatch(IGNORED, key)}
    assert {key.split(".")[1] for key in others} == {"depth", "thermal", "imu"}
    built({key: value for key, value in state.items() if key not in others})
    with pytest.raises(InputError, match=r"unknown: modality_trunks\.touch\.0\.weight"):
        built({**state, "modality_trunks.touch.0.weight": torch.zeros(1)})


def test_keys_of_a_tower_that_is_not_asked_for_are_checked_too(state, tmp_path, monkeypatch):
    monkeypatch.setattr(imagebind_network, "all_towers", small_towers)
    lost = "modality_trunks.audio.blocks.1.attn.bias_k"
    torch.save({key: value for key, value in state.items() if key != lost}, tmp_path / "file.pth")
    with pytest.raises(InputError, match=rf"missing: {lost}$"):
        load_tower(tmp_path / "file.pth", "text")


def test_a_file_in_upstreams_form_is_loaded(
    state, towers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagebind_network, "all_towers", small_towers)
    torch.save(state, tmp_path / "imagebind_huge.pth")
    for name, tower in towers.items():
        loaded = load_tower(tmp_path / "imagebind_huge.pth", name)
        assert not any(p.requires_grad or p.is_meta for p in loaded.parameters())
        for key, value in tower.state_dict().items():
            torch.testing.assert_close(loaded.state_dict()[key], value, rtol=0, atol=0)


# ---- sound


@pytest.mark.parametrize("name", ["chirp", "vowels", "hits-overlap", "step-overlap", "noise-short"])
def test_views_of_sound_equal_av_benchmark(signals, reference, name: str) -> None:
    case = reference("imagebind", "sound")["views"][name]
    samples = signals.SIGNALS[case["signal"]](16000, case["seconds"])
    if name.startswith("step"):
        samples[17_000:] += np.float32(0.5)
    before = samples.copy()
    found = imagebind_audio.views(samples)
    np.testing.assert_array_equal(samples, before)
    for precision, tolerance in (("float64", 1e-5), ("float32", 2e-3)):
        expected = case[precision]
        assert list(found.shape) == expected["shape"]
        # Bands that are nearly empty hold float32's rounding in the float32 run of torchaudio.
        difference = np.abs(found.ravel()[:: expected["step"]] - expected["values"])
        assert difference.max() < tolerance, precision
        assert np.median(difference) < 2e-6, precision


def test_overlapping_views_hear_what_earlier_ones_left() -> None:
    # 3 s: views at 0, 0.5 and 1 s. A wave whose mean over a view is not zero is changed by it; the
    # frames of the next view that lie across the end of the change differ, no others.
    samples = np.full(48_000, 0.25, np.float32)
    first, second, _ = imagebind_audio.views(samples)
    level = (math.log(2.0**-23) - imagebind_audio.MEAN) / imagebind_audio.DEVIATION
    np.testing.assert_allclose(first[0, :, :198], level, rtol=1e-6)
    # view 2 is samples 8000 to 40000; view 1 lowered those before 32000, its sample 24000
    touched = np.flatnonzero((second[0, :, :198] > level + 0.1).any(axis=0))
    crossing = [f for f in range(198) if 160 * f < 24_000 < 160 * f + 400]
    assert touched.tolist() == crossing


@pytest.mark.parametrize("rule", imagebind_audio.START_RULES)
def test_views_start_where_pytorchvideo_puts_them(reference, rule: str) -> None:
    for key, expected in reference("imagebind", "sound")["starts"][rule].items():
        count, duration = key.split("|")
        starts = imagebind_audio.view_starts(float(duration), int(count), rule)
        np.testing.assert_allclose([float(start) for start in starts], expected, atol=1e-9)


def test_two_releases_of_pytorchvideo_differ() -> None:
    # the difference the signature is for: 10 s, three views
    starts = {
        rule: [round(float(start), 2) for start in imagebind_audio.view_starts(10.0, 3, rule)]
        for rule in imagebind_audio.START_RULES
    }
    assert starts == {
        "pytorchvideo-9368f30": [0.0, 4.0, 8.0],
        "pytorchvideo-0.1.5": [0.0, 2.67, 5.33],
    }


def test_a_clip_is_the_mean_of_its_views(signals, towers) -> None:
    samples = signals.vowels(16000, 8.0)
    encoder = imagebind_audio.ImagebindAudioEncoder(towers["audio"], "cpu", "small")
    found = encoder(samples)["embedding"]
    with torch.inference_mode():
        parts = [
            towers["audio"](torch.from_numpy(view[None]))[0].numpy()
            for view in imagebind_audio.views(samples)
        ]
    np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-4, atol=1e-4)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) < 20.0
    with pytest.raises(InputError, match="needs 400 samples at 16 kHz, got 399"):
        encoder(samples[:399])
    assert np.isfinite(encoder(np.zeros(400, np.float32))["embedding"]).all()


# ---- pictures


def test_frames_are_those_of_the_filter(reference) -> None:
    for key, kept in reference("imagebind", "sight")["filter"].items():
        rate, count = key.split("|")
        fps = {"29.97": 30_000 / 1001}.get(rate) or float(rate)
        found = imagebind_video.frame_indices(int(count), fps)
        # the filter goes on for half an interval more; av-benchmark cuts that off
        assert found == kept[: len(found)]
        assert len(found) == math.floor((int(count) + 1) / fps / 2), key
        assert len(kept) - len(found) in (0, 1)


@pytest.mark.parametrize("name", ["wide-25fps", "tall-shrunk", "wide-shrunk-10s", "square"])
@pytest.mark.parametrize("rule", ["avbench", "native"])
def test_views_of_pictures_equal_upstream(reference, rule: str, name: str) -> None:
    case = reference("imagebind", "sight")["views"][name]
    frames = pictures.noise(case["count"], case["height"], case["width"])
    module = imagebind_video if rule == "avbench" else imagebind_video_native
    found = module.views(frames, case["fps"])
    assert list(found.shape) == case[rule]["shape"]
    assert found.dtype == torch.float32
    values = found.reshape(-1)[:: case[rule]["step"]]
    np.testing.assert_allclose(values, case[rule]["values"], atol=1e-4)


def test_native_pairs_are_first_and_last_of_each_window() -> None:
    # 10 s at 25 fps: windows at 0, 2, 4, 6, 8 s of 50 frames each; 1 s: the whole clip five times
    expected = [(0, 49), (50, 99), (100, 149), (150, 199), (200, 249)]
    assert imagebind_video_native.frame_pairs(250, 25.0) == expected
    assert imagebind_video_native.frame_pairs(25, 25.0) == [(0, 24)] * 5
    assert imagebind_video_native.frame_pairs(1, 25.0) == [(0, 0)] * 5


@pytest.mark.parametrize(
    ("size", "corners"),
    [
        ((224, 400), [(0, 0), (0, 88), (0, 176)]),
        ((301, 224), [(0, 0), (39, 0), (77, 0)]),
        ((224, 224), [(0, 0), (0, 0), (0, 0)]),
    ],
)
def test_crops_run_along_the_longer_side(size, corners) -> None:
    assert imagebind_video.crops(*size) == corners


def test_clips_of_pictures_are_averaged(towers) -> None:
    frames = pictures.noise(40, 64, 96)
    encoder = imagebind_video.ImagebindVideoEncoder(towers["vision"], "cpu", "small")
    native = imagebind_video_native.ImagebindNativeVideoEncoder(towers["vision"], "cpu", "small")
    for name, module, watch in (
        ("avbench", imagebind_video, encoder),
        ("native", imagebind_video_native, native),
    ):
        found = watch(frames, 5.0)["embedding"]
        with torch.inference_mode():
            expected = towers["vision"](module.views(frames, 5.0)).mean(dim=0)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)
        assert found.dtype == np.float32


@pytest.mark.parametrize(("count", "clips"), [(98, None), (99, 1), (100, 1), (149, 2), (250, 4)])
def test_a_clip_under_four_seconds_has_no_pair(count: int, clips: int | None) -> None:
    frames = np.zeros((count, 32, 48, 3), np.uint8)
    if clips is None:
        with pytest.raises(InputError, match=r"needs 4 s of frames, got 3\.92 s"):
            imagebind_video.views(frames, 25.0)
        assert len(imagebind_video_native.views(frames, 25.0)) == 15
    else:
        assert len(imagebind_video.views(frames, 25.0)) == 3 * clips


def test_no_frames_are_refused() -> None:
    with pytest.raises(InputError, match="at least one frame"):
        imagebind_video_native.views(np.zeros((0, 32, 48, 3), np.uint8), 25.0)


# ---- text


@pytest.fixture(scope="module")
def tokenizer() -> imagebind_text.Tokenizer:
    """From the copy of CLIP's merges that the required package laion_clap brings."""
    spec = importlib.util.find_spec("laion_clap")
    folder = Path(spec.origin).parent / "clap_module"
    return imagebind_text.read_tokenizer(folder / "bpe_simple_vocab_16e6.txt.gz")


def test_captions_become_upstreams_numbers(reference, tokenizer) -> None:
    case = reference("imagebind", "text")
    for text, expected in zip(case["texts"], case["numbers"], strict=True):
        found = tokenizer(text)
        assert found.shape == (77,)
        assert found[: len(expected)].tolist() == expected, text
        assert not found[len(expected) :].any()


def test_a_caption_is_read_up_to_its_end_mark(towers, tokenizer) -> None:
    encoder = imagebind_text.ImagebindTextEncoder(towers["text"], tokenizer, "cpu", "small")
    found = encoder("a dog barks")["embedding"]
    numbers = tokenizer("a dog barks")
    numbers[10:] = 7  # what stands after the end is not seen
    with torch.inference_mode():
        again = towers["text"](torch.from_numpy(numbers[None]))[0]
    np.testing.assert_allclose(found, again, atol=1e-4)
    assert np.abs(found - encoder("a cat barks")["embedding"]).max() > 0.1


# ---- score


def test_score_is_the_cosine_of_embeddings_of_any_length() -> None:
    # av-benchmark's call, torch.cosine_similarity; the factor 20 of the audio tower cancels.
    draw = np.random.RandomState(2).standard_normal
    video, audio = (draw(1024).astype(np.float32) for _ in range(2))
    audio = video / 3 + audio
    expected = float(torch.cosine_similarity(torch.from_numpy(video), torch.from_numpy(audio), -1))
    for factor in (1.0, 20.0):
        found = speaker_similarity_components(video, np.float32(factor) * audio)
        np.testing.assert_allclose(found, [100 * expected], rtol=1e-6)
    assert 20 < 100 * expected < 60


# ---- rows


def test_signatures_name_the_views() -> None:
    part = fingerprint("imagebind")
    assert imagebind_audio.signature() == (
        f"imagebind-huge:{part}|audio|views:3x2s|starts:pytorchvideo-9368f30"
    )
    found = {imagebind_video.signature(), imagebind_video_native.signature()}
    assert {text.split("|")[2] for text in found} == {"views:ib-avbench", "views:ib-native"}
    assert all(part in text and "pyav-" in text for text in found)


def test_importing_the_encoders_imports_no_torch() -> None:
    import subprocess

    names = "imagebind_audio, imagebind_video, imagebind_video_native, imagebind_text"
    code = f"import sys; from vsseval.encoders import {names}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
