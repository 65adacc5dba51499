"""The paper's findings as claims about small models, and the models that each needs.

A claim compares one metric of two arms. An arm is a layout, what it is trained on, and nothing
else: all arms share codec, front ends, features, width, batches and number of updates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from vsseval.errors import UnknownNameError

Task = Literal["sound", "speech", "joint"]
Expected = Literal["worse", "better", "not worse"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One model to train."""

    layout: str = ""
    """Key of :data:`vssflow.config.LAYOUTS`; empty: the final layout."""
    sound: float = 0.5
    """Share of sound clips in a batch."""
    speech: float = 0.5
    """Share of speech clips in a batch."""
    joint: float = 0.0
    """Share of joint clips in a batch."""
    batch: float = 1.0
    """Clips in a batch over those of the final arm. An arm of one task has half the batch, so that
    every arm sees as many clips of a task in an update."""
    tasks: tuple[Task, ...] = ("sound", "speech")
    """What it is scored on."""


ARMS: dict[str, Arm] = {
    "final": Arm(tasks=("sound", "speech", "joint")),
    "all-cross": Arm("all-cross"),
    "lipsync": Arm("lipsync"),
    "videotext": Arm("videotext"),
    "sound-only": Arm(speech=0.0, sound=1.0, batch=0.5, tasks=("sound",)),
    "speech-only": Arm(speech=1.0, sound=0.0, batch=0.5, tasks=("speech",)),
    "joint-clips": Arm(sound=0.375, speech=0.375, joint=0.25, tasks=("sound", "speech", "joint")),
}
"""``final`` is LipSyncText, the paper's final layout, trained on sound and speech."""


class Claim(NamedTuple):
    """``arm`` against ``against`` in one metric."""

    arm: str
    against: str
    task: Task
    metric: str
    expected: Expected
    margin: float = 0.0
    """For ``not worse``: the loss that still counts as none, in the metric's unit."""
    guidance: float = 2.0
    """w of both."""


class Ablation(NamedTuple):
    """A finding of the paper."""

    finding: str
    """As a sentence."""
    claims: tuple[Claim, ...]
    """All must hold."""


ONSETS, WORDS = "onset_f1", "wer.tiny_en"
CLASSES, DISTANCE = "kl.aisfx", "fd.aisfx"
LIPS = "lse_d0.demo"
ONSETS_BESIDE = "onset_f1.nonspeech"
METRICS: dict[Task, tuple[str, ...]] = {
    "sound": (ONSETS, CLASSES, DISTANCE),
    "speech": (WORDS, LIPS, "speaker_similarity.ge2e"),
    "joint": (WORDS, ONSETS_BESIDE),
}
"""What each arm is scored by."""


def _equal(arm: str, against: str, task: Task, guidance: float = 2.0) -> tuple[Claim, ...]:
    """Claims that an arm is not worse at a task; margins are a tenth of what the task spans."""
    if task == "speech":
        return (Claim(arm, against, task, WORDS, "not worse", 5.0, guidance),)
    return (
        Claim(arm, against, task, ONSETS, "not worse", 0.05, guidance),
        Claim(arm, against, task, CLASSES, "not worse", 0.5, guidance),
    )


ABLATIONS: dict[str, Ablation] = {
    "all-cross": Ablation(
        "Everything in cross-attention loses synchrony and words",
        (
            Claim("all-cross", "final", "sound", ONSETS, "worse"),
            Claim("all-cross", "final", "speech", LIPS, "worse"),
            Claim("all-cross", "final", "speech", WORDS, "worse"),
        ),
    ),
    "phonemes": Ablation(
        "Concatenated phonemes give the words",
        (Claim("lipsync", "final", "speech", WORDS, "worse"),),
    ),
    "sync": Ablation(
        "Concatenated sync features give the synchrony",
        (Claim("videotext", "final", "sound", ONSETS, "worse"),),
    ),
    "joint-training": Ablation(
        "One model for both tasks is not worse than one for each, at equal updates a task, "
        "also at higher guidance",
        tuple(
            claim
            for guidance in (2.0, 4.0)
            for claim in (
                *_equal("final", "sound-only", "sound", guidance),
                *_equal("final", "speech-only", "speech", guidance),
            )
        ),
    ),
    "joint-clips": Ablation(
        "Joint clips made of a sound and a speech clip teach both at once",
        (
            Claim("joint-clips", "final", "joint", WORDS, "better"),
            Claim("joint-clips", "final", "joint", ONSETS_BESIDE, "better"),
            *_equal("joint-clips", "final", "sound"),
            *_equal("joint-clips", "final", "speech"),
        ),
    ),
}
"""The paper's findings (a) to (e)."""


def ablation(name: str) -> Ablation:
    """The ablation of that name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in ABLATIONS:
        raise UnknownNameError("ablation", name, ABLATIONS)
    return ABLATIONS[name]


def guidances(arm: str, task: Task, names: tuple[str, ...]) -> list[float]:
    """The guidance scales at which an arm is needed for a task by some ablations, ascending."""
    claims = [claim for name in names for claim in ablation(name).claims]
    used = {c.guidance for c in claims if arm in (c.arm, c.against) and c.task == task}
    return sorted(used)


def arms_of(names: tuple[str, ...]) -> list[str]:
    """The arms that some ablations need, in the order of :data:`ARMS`."""
    claims = [claim for name in names for claim in ablation(name).claims]
    needed = {arm for claim in claims for arm in (claim.arm, claim.against)}
    return [arm for arm in ARMS if arm in needed]
