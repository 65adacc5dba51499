from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel

from vsseval.errors import InputError
from vssflow.clip_vision import (
    DEVIATION,
    MEAN,
    load_clip,
    normalised,
    semantic_tokens,
    squeezed,
    token_frames,
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


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def times(count: int, fps: int | Fraction) -> list[Fraction]:
    return [Fraction(i) / fps for i in range(count + 1)]


@pytest.mark.parametrize("fps", [25, 24, 30, 50, 5, Fraction(30000, 1001)], ids=str)
def test_ten_frames_a_second_are_taken_by_the_rounded_index(fps) -> None:
    # The authors' rule: round(i fps / 10), halves to the even neighbour; those past the end drop.
    count = int(6 * fps)
    found = token_frames(times(count, fps), Fraction(0))
    expected = [round(i * Fraction(fps) / 10) for i in range(100)]
    assert found.tolist() == [min(index, count) for index in expected]


def test_frames_of_a_variable_rate_are_taken_by_their_times() -> None:
    shown = [Fraction(n, 100) for n in (0, 7, 18, 100, 140)]  # the last one ends at 1.4 s
    assert token_frames(shown, Fraction(0))[:14].tolist() == [0, 1, 2, 2, 2, 2, *[3] * 6, 4, 4]
    later = token_frames(shown, Fraction(2, 5))
    assert later[:8].tolist() == [2, 2, *[3] * 6]
    assert set(later[8:].tolist()) == {4}


def test_picture_is_squeezed_and_normalised() -> None:
    white, black = (np.full((40, 60, 3), level, np.uint8) for level in (255, 0))
    made = normalised(np.stack([squeezed(white, 32), squeezed(black, 32)]))
    assert made.shape == (2, 3, 32, 32)
    for channel in range(3):
        lit = (1 - MEAN[channel]) / DEVIATION[channel]
        dark = -MEAN[channel] / DEVIATION[channel]
        torch.testing.assert_close(made[0, channel], torch.full((32, 32), lit))
        torch.testing.assert_close(made[1, channel], torch.full((32, 32), dark))
    # The left half of a wide picture stays the left half: nothing is cropped.
    half = np.zeros((40, 80, 3), np.uint8)
    half[:, :40] = 255
    row = normalised(squeezed(half, 32)[None])[0, 0, 16]
    assert torch.all(row[:14] > 1)
    assert torch.all(row[18:] < -1)


def test_token_is_the_last_blocks_cls_before_the_final_norm(network) -> None:
    given = pictures(20)
    found = semantic_tokens(network, given)
    assert found.shape == (20, 32)
    with torch.inference_mode():
        out = network(pixel_values=normalised(given), output_hidden_states=True)
    np.testing.assert_allclose(found, out.hidden_states[-1][:, 0], atol=1e-5)
    # The pooled output is the token after that norm, and differs.
    norm = next(m for n, m in network.named_modules() if n.endswith("post_layernorm"))
    torch.testing.assert_close(
        norm(torch.from_numpy(found[0])), out.pooler_output[0], atol=1e-5, rtol=0
    )
    assert np.abs(found[0] - out.pooler_output[0].numpy()).max() > 0.1


def test_published_folder_is_read(network, tmp_path) -> None:
    network.save_pretrained(tmp_path / "clip")
    loaded = load_clip(tmp_path / "clip")
    given = pictures(2)
    np.testing.assert_allclose(
        semantic_tokens(loaded, given), semantic_tokens(network, given), atol=1e-6
    )
    with pytest.raises(InputError, match=r"no config\.json"):
        load_clip(tmp_path)
