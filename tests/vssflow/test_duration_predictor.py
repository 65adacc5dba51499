"""The duration predictor of v1 against its authors' code under filled weights.

Expected values: tests/reference/vssflow_v1_recipe.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import fake_checkpoint
import numpy as np
import pytest
import torch
import vssflow_cases

from vsseval.errors import InputError
from vssflow.duration_predictor import (
    DurationPredictor,
    Prediction,
    duration_loss,
    load_duration_predictor,
    spoken_lips,
    upstream_state,
)
from vssflow.durations import Timed, delayed, duration_matrix, path_spans

REFERENCE = Path(__file__).parents[1] / "reference"
DURATIONS = json.loads((REFERENCE / "vssflow_v1.json").read_text())["durations"]


@pytest.fixture(scope="module")
def lightning(tmp_path_factory) -> Path:
    """A checkpoint of the predictor by the authors' keys, tables of sines included."""
    shapes = {name: value.shape for name, value in upstream_state(DurationPredictor()).items()}
    state = {
        name: torch.from_numpy(fake_checkpoint.fill(name, shape)) for name, shape in shapes.items()
    }
    state["dp.attn_decoder.positial_embedding_kv.pe"] = torch.zeros(1, 2048, 64)
    path = tmp_path_factory.mktemp("predictor") / "epoch=0319-step=1.31e+05.ckpt"
    torch.save({"state_dict": state}, path)
    return path


@pytest.fixture(scope="module")
def predictor(lightning) -> DurationPredictor:
    return load_duration_predictor(lightning)


def test_predictor_has_the_keys_and_parameters_of_the_authors(predictor) -> None:
    shapes = {name: tuple(value.shape) for name, value in upstream_state(predictor).items()}
    assert fake_checkpoint.key_digest(shapes) == DURATIONS["keys"]
    assert sum(p.numel() for p in predictor.parameters()) == DURATIONS["parameters"]


def test_map_and_loss_equal_the_authors(predictor) -> None:
    given = {
        name: torch.from_numpy(value) for name, value in vssflow_cases.predictor_inputs().items()
    }
    with torch.inference_mode():
        look = predictor(given["ids"], given["lips"])
        loss = duration_loss(look, given["durations"], given["frames"])
    np.testing.assert_allclose(look.flatten()[::7], DURATIONS["attention"], atol=1e-5)
    assert DURATIONS["deviation"] > 0.01
    assert float(loss) == pytest.approx(DURATIONS["loss"], rel=1e-5)


def test_path_through_a_map_is_the_authors() -> None:
    for chances, path in zip(vssflow_cases.path_maps(), DURATIONS["paths"], strict=True):
        matrix = duration_matrix(torch.from_numpy(path_spans(chances)), chances.shape[1])
        assert [list(cell) for cell in np.argwhere(matrix.numpy()).tolist()] == path


def predicted(predictor, *, to_the_end: bool) -> Timed:
    ids = vssflow_cases.spoken_ids()
    prediction = Prediction(predictor, 250, to_the_end=to_the_end)
    said = prediction.durations(ids, spoken_lips(None, 87))
    spans = torch.zeros(1, 250, 2, dtype=torch.int64)
    spans[0, :87] = torch.from_numpy(said.spans)
    return Timed(torch.from_numpy(ids)[None], duration_matrix(spans, len(ids)))


@pytest.mark.parametrize(("name", "start"), [("whole", None), ("late", 31)])
def test_durations_of_a_text_without_lips_are_the_authors(predictor, name, start) -> None:
    timed = predicted(predictor, to_the_end=True)
    if start is not None:
        timed = delayed(timed, start)
    assert timed.phonemes[0].tolist() == DURATIONS["inference"][name]["ids"]
    cells = np.argwhere(timed.durations[0].numpy()).tolist()
    assert cells == DURATIONS["inference"][name]["cells"]


def test_path_that_ends_with_the_speech_says_every_phoneme(predictor) -> None:
    said = predicted(predictor, to_the_end=False).durations[0]
    assert torch.all(said.sum(0) >= 1)
    assert torch.all(said[:87].sum(1) >= 1)
    assert not said[87:].any()
    # The authors' path goes on behind the speech, and what it says there is lost.
    assert not torch.all(predicted(predictor, to_the_end=True).durations[0].sum(0) >= 1)


def test_predictor_checkpoint_that_does_not_fit_is_refused(lightning, tmp_path) -> None:
    content = torch.load(lightning, weights_only=True)
    del content["state_dict"]["dp.output_proj.bias"]
    content["state_dict"]["dp.more"] = torch.zeros(1)
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(InputError, match=r"1 missing: dp\.output_proj\.bias; 1 unknown: dp\.more"):
        load_duration_predictor(tmp_path / "a.ckpt")
    with pytest.raises(InputError, match="no duration predictor at"):
        load_duration_predictor(tmp_path / "no.ckpt")
