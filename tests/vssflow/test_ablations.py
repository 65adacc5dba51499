"""The ablations: what is compared with what, how a claim is judged, and the way to the pages."""

import csv
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from vsseval.errors import InputError, UnknownNameError
from vssflow.ablate import run_ablations
from vssflow.ablate_report import Setting, Verdict, judge, of_all, page
from vssflow.ablate_sample import Target, item_seed, spoken_frames, write_joint_benchmark
from vssflow.ablate_train import Plan
from vssflow.ablations import ABLATIONS, ARMS, METRICS, Expected, ablation, arms_of, guidances
from vssflow.cli import commands
from vssflow.config import LAYOUTS, PRESETS, TINY
from vssflow.dit import Features
from vssflow.train_flow import FlowMaterial, FlowTraining, JointMaterial, flow_mixture

RESULTS = Path(__file__).parents[2] / "results" / "ablations"
MEDIA = Path(str(files("vsseval"))) / "benchmarks" / "media"


@pytest.mark.parametrize(
    ("expected", "interval", "lower", "verdict"),
    [
        ("worse", (1.0, 3.0), True, "holds"),  # errors rise
        ("worse", (-3.0, -1.0), True, "does not hold"),
        ("worse", (-1.0, 3.0), True, "not settled"),
        ("worse", (-0.3, -0.1), False, "holds"),  # a score falls
        ("better", (-3.0, -1.0), True, "holds"),
        ("better", (1.0, 3.0), True, "does not hold"),
        ("better", (0.1, 0.3), False, "holds"),
        ("better", (-0.1, 0.3), False, "not settled"),
        ("not worse", (-1.0, 1.9), True, "holds"),  # a margin of 2
        ("not worse", (-1.0, 2.1), True, "not settled"),
        ("not worse", (2.1, 3.0), True, "does not hold"),
        ("not worse", (-1.9, 5.0), False, "holds"),
        ("not worse", (-3.0, -2.1), False, "does not hold"),
    ],
)
def test_interval_decides_a_claim(
    expected: Expected, interval: tuple[float, float], lower: bool, verdict: Verdict
) -> None:
    assert judge(expected, interval, 2.0, lower_is_better=lower) == verdict


def test_finding_needs_all_its_claims() -> None:
    assert of_all(["holds", "holds"]) == "holds"
    assert of_all(["holds", "not settled"]) == "not settled"
    assert of_all(["not settled", "does not hold", "holds"]) == "does not hold"


def test_claims_speak_of_arms_that_are_scored_so() -> None:
    for name, chosen in ABLATIONS.items():
        for claim in chosen.claims:
            assert claim.metric in METRICS[claim.task], (name, claim)
            for arm in (claim.arm, claim.against):
                assert claim.task in ARMS[arm].tasks, (name, claim)
                assert claim.guidance in guidances(arm, claim.task, (name,))


def test_layouts_of_the_arms_have_presets_of_every_width() -> None:
    for arm in ARMS.values():
        assert not arm.layout or arm.layout in LAYOUTS
        for width in ("small", "tiny", "medium"):
            assert (f"{width}-{arm.layout}" if arm.layout else width) in PRESETS


def test_ablations_need_few_arms() -> None:
    assert arms_of(("phonemes",)) == ["final", "lipsync"]
    assert arms_of(tuple(ABLATIONS)) == list(ARMS)
    with pytest.raises(UnknownNameError, match="phonems"):
        ablation("phonems")


def test_every_arm_sees_as_many_clips_of_a_task_in_an_update() -> None:
    material = FlowMaterial(
        *(np.zeros((8, 1)),) * 6, companions=[[], [], [], [], [5], [4], [7], [6]]
    )
    counts = {}
    for name in ("final", "sound-only", "speech-only"):
        arm = ARMS[name]
        training = FlowTraining(
            batch=round(32 * arm.batch), speech_share=arm.speech / (arm.speech + arm.sound)
        )
        counts[name] = dict(flow_mixture(material, training, None).counts)
    assert counts["final"] == {"sound": 16, "speech": 16}
    assert (counts["sound-only"], counts["speech-only"]) == ({"sound": 16}, {"speech": 16})
    arm = ARMS["joint-clips"]
    training = FlowTraining(batch=32, joint_share=arm.joint, speech_share=0.5)
    waves = JointMaterial(np.zeros((8, 1), np.int16), [1] * 8, lambda wave: wave)
    assert flow_mixture(material, training, waves).counts == {"sound": 12, "speech": 12, "joint": 8}


def target(name: str, wave: torch.Tensor, transcript: str | None) -> Target:
    frames = TINY.clip_frames
    features = Features(
        torch.zeros(1, frames, TINY.lip_features),
        torch.full((1, 2 * frames), 5 if transcript else 0),
        torch.full((1, frames, TINY.sync_features), 2.0 if transcript else 1.0),
        torch.zeros(1, frames // 10, TINY.semantic_features),
        torch.zeros(1, TINY.speaker_features),
    )
    return Target(name, features, wave, transcript)


def test_joint_clip_is_speech_within_sound(tmp_path: Path) -> None:
    quiet = torch.zeros(1, TINY.clip_samples)
    spoken = quiet.clone()
    spoken[:, :32000] = 0.5  # two of four seconds
    speech = target("speech-1", spoken, "bin blue")
    assert spoken_frames(spoken[0].numpy(), TINY) == 50
    sound = target("sound-1", torch.full_like(quiet, 0.25), None)
    (clip,) = write_joint_benchmark([sound], [speech], tmp_path, TINY)
    line = json.loads((tmp_path / "manifest.jsonl").read_text())
    ((start, stop),) = line["speech_spans"]
    assert stop - start == pytest.approx(2.0)
    assert line["transcript"] == "bin blue"
    first, last = round(start * 16000), round(stop * 16000)
    inside, outside = clip.wave[:, first:last], clip.wave[:, :first]
    assert torch.all(outside == 0.25)
    added = (inside > 0.5).all()
    assert line["slices"] == ["add" if added else "insert"]
    assert torch.all(clip.features.phonemes[:, : round(50 * start)] == 0)
    assert torch.all(clip.features.phonemes[:, round(50 * start) :] == 5)


def test_noise_of_a_clip_depends_on_seed_and_name() -> None:
    seeds = {item_seed(seed, name) for seed in (0, 1) for name in ("a", "b")}
    assert len(seeds) == 4


@pytest.mark.slow
@pytest.mark.weights
def test_commands_from_clips_to_page(tmp_path: Path) -> None:
    words = ["ablate", "joint-clips", "--data", str(MEDIA), "--out", str(tmp_path / "work")]
    words += ["--results", str(tmp_path / "results"), "--steps", "20", "--batch", "8"]
    words += ["--seeds", "1", "--limit", "3", "--test-limit", "3", "--workers", "2"]
    done = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    results = tmp_path / "results"
    text = (results / "joint-clips.md").read_text()
    claims = ABLATIONS["joint-clips"].claims
    assert text.count("\n| joint-clips | final |") == len(claims)
    with (results / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # Two arms; three metrics of sounds and of speech, two of joint clips.
    assert len(rows) == 2 * (3 + 3 + 2)
    with (results / "curves.csv").open(newline="") as file:
        curve = list(csv.DictReader(file))
    assert {(row["arm"], row["seed"], row["step"]) for row in curve} == {
        ("final", "0", "20"),
        ("joint-clips", "0", "20"),
    }
    plan = Plan(tmp_path / "work", MEDIA, "small", 30, 8, 3, 3)
    with pytest.raises(InputError, match="begun with"):
        run_ablations(plan, ("joint-clips",), 1, results, 1, print)


@pytest.mark.slow
def test_committed_pages_are_what_the_records_give() -> None:
    setting = Setting(**json.loads((RESULTS / "setting.json").read_text()))
    for name in ABLATIONS:
        assert (RESULTS / f"{name}.md").read_text() == page(name, RESULTS, setting), name
