from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel

from vsseval.errors import InputError
from vssflow.clip_vision import (
    DEVIATION,
    MEAN,
    frame_indices,
    load_clip,
    pictures,
    semantic_tokens,
)


@pytest.fixture(scope="module")
def network() -> CLIPVisionModel:
    """The class of ViT-B/16 with random weights, 16-pixel patches and two narrow blocks."""
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    return CLIPVisionModel(config).eval()


def frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 40, 60, 3), dtype=np.uint8)


def test_ten_frames_a_second_are_taken_by_the_rounded_index() -> None:
    # 25 fps: round(2.5 i), halves to the even neighbour.
    assert frame_indices(1000, 25.0)[:6].tolist() == [0, 2, 5, 8, 10, 12]
    assert frame_indices(10, 25.0).tolist() == [0, 2, 5, 8]
    assert len(frame_indices(10_000, 25.0)) == 100


def test_picture_is_squeezed_and_normalised_and_black_fills_up() -> None:
    white = np.full((3, 40, 60, 3), 255, np.uint8)
    made = pictures(white, 10.0, 32)
    assert made.shape == (100, 3, 32, 32)
    for channel in range(3):
        lit = (1 - MEAN[channel]) / DEVIATION[channel]
        dark = -MEAN[channel] / DEVIATION[channel]
        torch.testing.assert_close(made[:3, channel], torch.full((3, 32, 32), lit))
        torch.testing.assert_close(made[3:, channel], torch.full((97, 32, 32), dark))
    # The left half of a wide picture stays the left half: nothing is cropped.
    half = np.zeros((1, 40, 80, 3), np.uint8)
    half[:, :, :40] = 255
    row = pictures(half, 10.0, 32)[0, 0, 16]
    assert torch.all(row[:14] > 1)
    assert torch.all(row[18:] < -1)


def test_token_is_the_last_blocks_cls_before_the_final_norm(network) -> None:
    given = frames(5)
    found = semantic_tokens(network, given, 10.0)
    assert found.shape == (100, 32)
    with torch.inference_mode():
        out = network(pixel_values=pictures(given, 10.0, 32)[:1], output_hidden_states=True)
    np.testing.assert_allclose(found[0], out.hidden_states[-1][0, 0], atol=1e-5)
    # The pooled output is the token after that norm, and differs.
    norm = next(m for n, m in network.named_modules() if n.endswith("post_layernorm"))
    torch.testing.assert_close(
        norm(torch.from_numpy(found[0])), out.pooler_output[0], atol=1e-5, rtol=0
    )
    assert np.abs(found[0] - out.pooler_output[0].numpy()).max() > 0.1


def test_padding_embeds_black_and_is_not_zero(network) -> None:
    found = semantic_tokens(network, frames(3), 10.0)
    assert np.abs(found[50]).max() > 0.1
    np.testing.assert_allclose(found[50], found[99], atol=1e-5)


def test_published_folder_is_read(network, tmp_path) -> None:
    network.save_pretrained(tmp_path / "clip")
    loaded = load_clip(tmp_path / "clip")
    given = frames(2)
    np.testing.assert_allclose(
        semantic_tokens(loaded, given, 10.0), semantic_tokens(network, given, 10.0), atol=1e-6
    )
    with pytest.raises(InputError, match=r"no config\.json"):
        load_clip(tmp_path)


def test_what_is_no_video_is_refused() -> None:
    with pytest.raises(InputError, match="expected RGB frames"):
        pictures(np.zeros((0, 4, 4, 3), np.uint8), 25.0, 32)
