"""The clips that encoders and runs refuse: each row of CLIP_CASES made, each outcome met."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vsseval.audio import fit_length
from vsseval.encoders import clap_laion, panns, passt, vggish
from vsseval.encoders.imagebind_video import views
from vsseval.encoders.motion import load as load_motion
from vsseval.encoders.onsets import load as load_onsets
from vsseval.encoders.synchformer import first_and_last, frames_at_25
from vsseval.errors import InputError, VssevalError
from vsseval.features import FeatureTable
from vsseval.folders import score_folders
from vsseval.metrics.edge_cases import CLIP_CASES
from vsseval.metrics.table import METRICS
from vsseval.score import score_metrics
from vsseval.types import Benchmark, Item

BENCH = Benchmark("bench", "1", "sound", 1.0, 16000, (Item("a", 1.0),), (), "0" * 16)


def sound(seconds: float, rate: int) -> np.ndarray:
    return np.zeros(round(seconds * rate), np.float32)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as error:
        call()
    return f"excluded: {error.value}"


def tables(reference: dict, missing: dict) -> dict:
    key = ("a", 0)
    rows = {"onsets": {"times_030": np.array([0.5])}}
    return {
        ("reference", "onsets"): FeatureTable(
            "reference", "onsets", "o", (), {key: rows["onsets"]} if reference else {}, missing
        ),
        ("generated", "onsets"): FeatureTable(
            "generated", "onsets", "o", (), {key: rows["onsets"]}, {}
        ),
    }


def score(missing: dict, failures: dict):
    found = tables({} if missing else {"a": 1}, {(name, 0): why for name, why in missing.items()})
    failed = {(name, 0): why for name, why in failures.items()}
    return score_metrics([METRICS["onset_f1"]], BENCH, found, failed, takes=1)[0].score


def excluded(missing: dict, failures: dict) -> str:
    (reason,) = score(missing, failures).excluded.values()
    return f"excluded: {reason}"


def no_label() -> str:
    rows = {("a", 0): {"embedding": np.ones(2)}}
    found = {
        (source, "aisfx"): FeatureTable(source, "aisfx", "s", (), rows, {})
        for source in ("reference", "generated")
    }
    scored = score_metrics([METRICS["label_accuracy.aisfx"]], BENCH, found, {}, takes=1)[0].score
    assert scored.value is None
    (reason,) = scored.excluded.values()
    return f"excluded: {reason}"


def short_passt() -> str:
    samples = sound(4, 32000) + 0.1
    heard: list = []
    network = lambda batch: heard.append(batch) or (batch[:, :1], batch[:, :1])  # noqa: E731
    passt.PasstEncoder(network, "cpu", "s")(samples)
    # A hop of 320 samples: 1000 frames are 10 s, and silence has the lowest value.
    frames = heard[0][0]
    silent = frames[:, 500:] == frames.min()
    padded = frames.shape[-1] == 1000 and bool(silent.all())
    return "zeros at the end, as published" if padded else "otherwise"


def short_clap() -> str:
    samples = np.arange(1, 48_000 * 4 + 1, dtype=np.float32)
    window = clap_laion.one_window(samples)[0]
    copies = np.tile(samples, 2)
    whole = np.array_equal(window, fit_length(copies, 480_000))
    return "whole copies, then zeros, as published" if whole else "otherwise"


def no_common_name(folder: Path) -> str:
    for name in ("generated", "reference"):
        (folder / name).mkdir()
        soundfile.write(folder / name / f"{name}.wav", sound(1, 8000), 8000)
    with pytest.raises(VssevalError) as error:
        score_folders(folder / "generated", folder / "reference", folder / "cache")
    return f"error: {error.value}".replace(f"{folder}/", "")


def no_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    from vsseval.features import encode
    from vsseval.sources import Clip

    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(folder / "empty"))
    clips = {"generated": [Clip(("a", 0), None, 1.0)]}
    found = encode([("generated", "aisfx")], clips, folder).tables["generated", "aisfx"]
    return f"excluded: {found.missing['a', 0]}"


NO_REFERENCE = {"a": "file missing: a.flac"}
FAILED = {"a": "the model gave NaN"}
MAKERS: dict[tuple[str, str], Callable[[Path, pytest.MonkeyPatch], str]] = {
    ("vggish", "0.97 s of sound"): lambda *_: refused(lambda: vggish.patches(sound(0.97, 16000))),
    ("panns-16k", "0.3 s of sound"): lambda *_: refused(
        lambda: panns.PannsEncoder(None, panns.CNN14_16K, "cpu", "s")(sound(0.3, 16000))
    ),
    ("passt", "less than 10 s of sound"): lambda *_: short_passt(),
    ("clap-laion", "less than 10 s of sound"): lambda *_: short_clap(),
    ("synchformer", "4.7 s of sound and picture"): lambda *_: refused(
        # 117 frames hold (117 - 16) // 8 + 1 segments.
        lambda: first_and_last((len(frames_at_25(117, 25.0)) - 16) // 8 + 1)
    ),
    ("imagebind-video", "3.8 s of picture"): lambda *_: refused(
        lambda: views(np.zeros((95, 8, 8, 3), np.uint8), 25.0)
    ),
    ("motion", "one frame"): lambda *_: refused(
        lambda: load_motion()(np.zeros((1, 8, 8, 3), np.uint8), 25.0)
    ),
    ("onsets", "90 ms of sound"): lambda *_: refused(lambda: load_onsets()(sound(0.09, 22050))),
    ("label_accuracy.aisfx", "no label"): lambda *_: no_label(),
    ("any metric", "no reference audio"): lambda *_: excluded(NO_REFERENCE, {}),
    ("any metric", "generation failed"): lambda *_: excluded({}, FAILED),
    ("any metric", "no clip left"): lambda *_: f"no value: {score({}, FAILED).note}",
    ("any metric", "no weights in the store"): no_weights,
    ("any metric", "two folders without a common name"): lambda folder, _: no_common_name(folder),
}


@pytest.mark.parametrize("case", CLIP_CASES, ids=lambda c: f"{c.who}, {c.situation}")
def test_outcome_is_as_the_table_says(
    case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAKERS[case.who, case.situation](tmp_path, monkeypatch) == case.outcome


def test_every_situation_is_in_the_table() -> None:
    assert set(MAKERS) == {(case.who, case.situation) for case in CLIP_CASES}
