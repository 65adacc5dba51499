"""Pictures and sync features of a video, and joint clips, against the authors' code.

Expected values: tests/reference/vssflow_features_recipe.py.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from vsseval import weights
from vsseval.errors import InputError, MissingWeightsError
from vsseval.synchformer.checkpoint import load_network, upstream_name
from vsseval.synchformer.network import Size, Synchformer
from vssflow import full_pictures
from vssflow.config import PRESETS
from vssflow.dit import Features
from vssflow.full_pictures import load_sync, read_pictures, read_stamps, sync_tokens
from vssflow.joint import Overlay, Source, mix
from vssflow.phonemes import uniform_timing

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    """Inputs and fake weights."""
    path = list(sys.path)
    sys.path.insert(0, str(REFERENCE))
    import vssflow_features_recipe

    sys.path[:] = path
    return vssflow_features_recipe


@pytest.fixture(scope="module")
def case() -> Callable[[str], dict]:
    cases = json.loads((REFERENCE / "vssflow_features.json").read_text())["cases"]
    return cases.__getitem__


@pytest.fixture(scope="module")
def checkpoint(recipe, tmp_path_factory) -> Path:
    """A checkpoint of Synchformer made small, filled by key name."""
    with torch.device("meta"):
        network = Synchformer(Size(recipe.WIDTH, recipe.HEADS, recipe.DEPTH, 4, 1))
    shapes = {upstream_name(key): tuple(t.shape) for key, t in network.state_dict().items()}
    filled = recipe.synchformer_recipe.weights(shapes)
    path = tmp_path_factory.mktemp("synchformer") / "state.pth"
    torch.save({key: torch.from_numpy(values) for key, values in filled.items()}, path)
    return path


@pytest.fixture
def small(recipe, monkeypatch) -> None:
    size = Size(recipe.WIDTH, recipe.HEADS, recipe.DEPTH, 4, 1)
    monkeypatch.setattr(full_pictures, "load_network", functools.partial(load_network, size=size))


@pytest.mark.usefixtures("small")
def test_sync_features_of_a_variable_rate_equal_the_authors(
    recipe, case, checkpoint, tmp_path
) -> None:
    path = tmp_path / "film.mkv"
    recipe.write_film(path)
    pictures = read_pictures(path, read_stamps(path), [0], 16)
    assert len(pictures.sync) == 73
    found = sync_tokens(load_sync(str(checkpoint)), pictures.sync)
    assert found.shape == (240, recipe.WIDTH)
    rows, columns = case("sync")["step"]
    cut = found[::rows, ::columns]
    expected = np.reshape(case("sync")["values"], cut.shape)
    np.testing.assert_allclose(cut, expected, rtol=0, atol=1e-4)
    # The clip is over after 2.9 s: from segment 10 on all is black, and before nothing is.
    assert np.abs(found[80:] - np.tile(found[-8:], (20, 1))).max() < 1e-5
    assert np.abs(found[:8] - found[-8:]).max() > 0.1


@pytest.mark.usefixtures("small")
def test_synchformer_comes_from_a_file_or_from_the_store(checkpoint, tmp_path, monkeypatch) -> None:
    with pytest.raises(InputError, match="give a file, or `synchformer`"):
        load_sync(str(tmp_path / "none.pth"))
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingWeightsError, match="weights 'synchformer' are missing"):
        load_sync("synchformer")
    folder = tmp_path / "synchformer"
    folder.mkdir()
    (folder / "synchformer_state_dict.pth").write_bytes(checkpoint.read_bytes())
    monkeypatch.setattr(weights, "require", lambda name: tmp_path / name)
    ours, theirs = load_sync("synchformer"), load_sync(str(checkpoint))
    for name, value in ours.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name])


def test_windows_of_a_film_show_their_own_ten_seconds(make_clip, tmp_path) -> None:
    # A square that moves right by a pixel a frame and starts again after 44.
    path = make_clip(tmp_path / "a.mp4", frames=300)
    times = read_stamps(path)
    assert times[:3] == [0, Fraction(1, 25), Fraction(2, 25)]
    assert times[-1] == 12
    pictures = read_pictures(path, times, [0, 50], 64)
    assert pictures.semantic.shape == (2, 100, 64, 64, 3)
    assert pictures.sync.shape == (300, 3, 224, 224)
    left = (pictures.semantic[:, :, 30, :, 0] > 100).argmax(-1)
    shown = np.round(2.5 * np.arange(100)).astype(int)
    for found, start in zip(left, (0, 50), strict=True):
        assert np.abs(found - (start + shown) % 44).max() <= 1
    left = (pictures.sync[:, 0, 105, :] > 100).argmax(-1) * 64 / 224
    assert np.abs(left - np.arange(300) % 44).max() <= 1


def test_reading_stops_where_a_training_clip_ends(make_clip, tmp_path) -> None:
    path = make_clip(tmp_path / "a.mp4", frames=300)
    times = read_stamps(path, 2.0)
    assert times[-1] == Fraction(51, 25)
    pictures = read_pictures(path, times, [0], 16, 2.0)
    assert len(pictures.sync) == 51
    assert not pictures.semantic[0, 21:].any()
    assert pictures.semantic[0, 20].any()


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_joint_clip_equals_the_authors(recipe, case, seed) -> None:
    def source(kind: str, seconds: float) -> Source:
        given = {key: torch.from_numpy(value) for key, value in recipe.clip(kind).items()}
        lips = torch.zeros(1, 250, 2)
        lips[0, : len(given["lips"])] = given["lips"]
        wave = torch.zeros(1, 160_000)
        wave[0, : len(given["wave"])] = given["wave"]
        phones = torch.zeros(1, 250, dtype=torch.int64)
        slots = int(25 * seconds)
        phones[0, :slots] = torch.from_numpy(uniform_timing([recipe.PHONES[1:-1]], slots))
        sync = given["sync"].reshape(1, 240, 2)
        features = Features(lips, phones, sync, given["clip"][None], given["speaker"][None])
        return Source(wave, features, 25 * seconds)

    sound = source("sound", recipe.SOUND_SECONDS)
    speech = source("speech", recipe.SPEECH_SECONDS)
    wanted = case(f"joint-{seed}")
    overlay = Overlay(25 * wanted["start"], wanted["mode"], wanted["background"])
    found = mix(sound, speech, overlay, PRESETS["v3-m"], "clip")
    for name, values in (
        ("wave", found.wave[0, :: recipe.WAVE_STEP]),
        ("clip", found.features.semantic[0, :, 0]),
        ("sync", found.features.sync[0, :, 0]),
        ("lips", found.features.lips[0, : len(wanted["lips"]), 0]),
    ):
        np.testing.assert_allclose(values, wanted[name][: len(values)], rtol=0, atol=1e-6)
    phones = found.features.phonemes[0].tolist()
    assert phones[: len(wanted["phones"])] == wanted["phones"]
    assert not any(phones[len(wanted["phones"]) :])
    assert found.frames == 25 * wanted["duration"]


def test_reference_has_both_modes(case) -> None:
    assert {case(f"joint-{seed}")["mode"] for seed in (1, 2, 3, 4)} == {"add", "insert"}
