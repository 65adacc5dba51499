"""VGGish against torchvggish: front end, network under fake weights, loader, borders."""

from __future__ import annotations

import json
from pathlib import Path

import fake_checkpoint
import numpy as np
import pytest
import torch
from filled import fake_state, shapes

from vsseval.encoders import vggish
from vsseval.encoders.checkpoints import fit
from vsseval.encoders.vggish_network import Vggish, load_network
from vsseval.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = json.loads((REFERENCE / "encoders_vggish.json").read_text())
SMALL = {"widths": ((4,), (6,), (8, 8), (10, 10)), "hidden": 32, "output": 16}
NAMES = ["chirp", "hits", "noise", "vowels"]


@pytest.fixture(scope="module")
def state():
    return fake_state(lambda: Vggish(**SMALL))


@pytest.mark.parametrize("name", NAMES)
def test_patches_equal_torchvggish(signals, name):
    case = STORED["cases"][name]
    found = vggish.patches(signals.SIGNALS[case["signal"]](16000, case["seconds"]))
    assert found.dtype == np.float32
    assert list(found.shape) == case["shape"]
    np.testing.assert_allclose(found.ravel()[::61], case["patches_every_61"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_network_equals_torchvggish_under_fake_weights(signals, state, name):
    case = STORED["cases"][name]
    network = fit(Vggish(**SMALL), state, Path("fake"))
    encoder = vggish.VggishEncoder(network, "cpu", "fake")
    found = encoder(signals.SIGNALS[case["signal"]](16000, case["seconds"]))["embedding"]
    assert found.dtype == np.float32
    assert (found < 0).any()  # the last ReLU is left out
    np.testing.assert_allclose(found, case["embedding"], rtol=1e-4, atol=1e-5)


def test_keys_and_shapes_are_those_of_the_published_file():
    full = shapes(Vggish)
    assert len(full) == STORED["keys"] == 18
    assert fake_checkpoint.key_digest(full) == STORED["full_key_digest"]


@pytest.mark.parametrize(("seconds", "count"), [(0.975, 1), (8.0, 8), (10.0, 10)])
def test_a_patch_every_96_frames(seconds, count):
    assert vggish.patches(np.zeros(round(16000 * seconds), np.float32)).shape == (count, 96, 64)


def test_silence_is_the_logarithm_of_the_offset():
    np.testing.assert_allclose(vggish.patches(np.zeros(16000, np.float32)), np.log(0.01))


def test_a_clip_without_a_patch_is_refused_with_its_length():
    with pytest.raises(InputError, match=r"at least 15600 samples \(0.975 s.*got 15599 \(0.975 s"):
        vggish.patches(np.zeros(15599, np.float32))


def test_a_patch_embeds_the_same_alone_and_in_a_batch(state):
    network = fit(Vggish(**SMALL), state, Path("fake"))
    batch = torch.rand(3, 96, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(batch)[1:2], network(batch[1:2]), rtol=1e-5, atol=1e-6)


def test_a_file_without_a_state_dict_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth holds no state dict"):
        load_network(tmp_path / "other.pth")
