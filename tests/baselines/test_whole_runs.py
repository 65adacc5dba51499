"""Frieren and LoVA on VGGSound by the commands of docs/baselines.md, over the fakes of both.

Prepared from a folder of clips, with the default metrics; one clip fails, and the next run makes
that one alone. Stops and timeouts at each step are in test_frieren and test_lova.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from vsseval.benchmarks.default_metrics import SOUND_METRICS
from vsseval.cli import main

CLIPS = ("-b_-bbbb_bb_000030", "aaaaaaaaaaa_000001", "ccccccccccc_000002")
SCORED = {"onset_acc@onset-condfoley", "onset_ap@onset-condfoley"}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Standard output of a command that ends well; no weights are at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no weights"))
    monkeypatch.delenv("VSSEVAL_DATA", raising=False)

    def run(*words: object) -> str:
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def clicks(times: tuple[float, ...]) -> np.ndarray:
    """Ten seconds at 16 kHz with a decaying tone at each time."""
    after = np.arange(160000)[None] / 16000 - np.array(times)[:, None]
    tones = np.exp(-30 * after.clip(0)) * np.sin(2 * np.pi * 600 * after)
    return 0.5 * np.where(after >= 0, tones, 0).sum(0)


@pytest.fixture
def vggsound(command, clips_once: Path, tmp_path: Path) -> Path:
    """``data/vggsound``, prepared from three clips of ten seconds with their sound beside them."""
    root = tmp_path / "raw"
    root.mkdir()
    for number, clip in enumerate(CLIPS):
        (root / f"{clip}.mp4").write_bytes((clips_once / "1.mp4").read_bytes())
        soundfile.write(root / f"{clip}.wav", clicks((1.0, 4.0 + number, 8.0)), 16000)
    (root / "test.csv").write_text("".join(f"{clip}.mp4,rain\n" for clip in CLIPS))
    words = ("data", "prepare", "vggsound", "--root", root, "--out", "data/vggsound")
    # The fakes look at no picture, so that a grey one will do.
    assert "taken         3" in command(*words, "--keep", "still", "--workers", 1)
    return tmp_path / "data" / "vggsound"


@pytest.mark.parametrize(
    ("model", "mood"),
    [("frieren", {"mels": {"crash_at": "000001"}}), ("lova", {"fail_at": f"{CLIPS[1]}.mp4"})],
    ids=["frieren", "lova"],
)
def test_vggsound_runs_whole(
    model: str, mood: dict, command, vggsound: Path, request: pytest.FixtureRequest
) -> None:
    installed = request.getfixturevalue(model)

    def run() -> dict:
        words = ("run", "--model", model, "--bench", "vggsound", "--checkpoint", installed.toml)
        return json.loads(command(*words, "--workers", 1, "--json"))

    bad = CLIPS[1]
    installed.write(mood)
    first = run()
    assert first["counts"] == {"expected": 3, "generated": 2, "failed": 1}
    assert set(first["failures"]) == {bad}
    scores = {score["metric"]: score for score in first["scores"]}
    assert set(scores) == set(SOUND_METRICS)
    for metric, score in scores.items():
        if metric in SCORED:
            assert (score["n_scored"], score["n_expected"]) == (2, 3)
            assert score["excluded"][bad].startswith("generation failed: ")
            assert 0 <= score["value"] <= 1
        else:
            assert (score["value"], score["n_scored"]) == (None, 0)
            assert "weights missing: vsseval weights " in score["note"]

    before = len(installed.called())
    installed.write()
    second = run()
    assert second["counts"] == {"expected": 3, "generated": 3, "failed": 0}
    scored = {score["metric"]: score["n_scored"] for score in second["scores"]}
    assert {metric: scored[metric] for metric in SCORED} == dict.fromkeys(SCORED, 3)
    assert len(installed.called()) > before
    # What was made before is what is scored now.
    assert second["run_id"] == first["run_id"]
    assert "weights missing: vsseval weights pull vggish" in command("report", "results")

    before = len(installed.called())
    assert run()["scores"] == second["scores"]
    assert len(installed.called()) == before
