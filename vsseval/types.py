"""The frozen records that pass between the stages generate, encode, score and report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Task = Literal["sound", "speech", "joint"]


@dataclass(frozen=True, slots=True)
class Audio:
    """A waveform in memory."""

    samples: NDArray[np.float32]
    """float32 (channels, n), nominally in [-1, 1]."""
    sample_rate: int
    """In hertz."""

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples.shape[-1] / self.sample_rate


@dataclass(frozen=True, slots=True)
class Item:
    """One clip of a benchmark. Paths are absolute and lie inside the benchmark's root."""

    id: str
    """Unique in its benchmark: letters, digits, and any of ``._@+-``, with ``/`` between parts."""
    duration: float
    """True length of the clip [s]; generated audio is cut or zero-padded to it before scoring."""
    video: Path | None = None
    """Video file (no sound is read from it)."""
    audio: Path | None = None
    """Reference audio; only metrics and oracles may read it."""
    speaker_audio: Path | None = None
    """The voice to imitate; whose it is says ``setting``."""
    caption: str | None = None
    """One sentence that describes the sound."""
    transcript: str | None = None
    """Words that are spoken."""
    label: str | None = None
    """Class of the sound, or kind of the sentence."""
    speaker: str | None = None
    """Speaker name."""
    onsets: tuple[float, ...] | None = None
    """Annotated onset times of the sound [s], ascending."""
    speech_spans: tuple[tuple[float, float], ...] | None = None
    """Where somebody speaks, as (start, end) [s], ascending and apart; empty if nobody does."""
    face_box: tuple[int, int, int, int] | None = None
    """Face in the video as (left, top, right, bottom) in pixels, constant over the clip."""
    group: str | None = None
    """What it shares with other clips that are not independent of it: recording, film, speaker."""
    setting: int | None = None
    """Dubbing setting: the voice is 1 the clip's own, 2 the same speaker's in another clip, 3 that
    of a speaker who is not in the set; None where nobody says."""
    slices: tuple[str, ...] = ()
    """Named parts of the benchmark that the clip belongs to."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A validated list of items."""

    name: str
    version: str
    task: Task
    clip_seconds: float
    """Declared clip length [s]."""
    sample_rate: int
    """Rate of the reference audio [Hz]."""
    items: tuple[Item, ...]
    """In manifest order."""
    metrics: tuple[str, ...]
    """Default metric ids."""
    digest: str
    """sha256 of the canonical manifest (paths relative to the root, media digests included)."""


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """What a model returns for one item."""

    audio: Audio
    nfe: int = 0
    """Network function evaluations; 0 where nothing was integrated."""
    seconds: float | None = None
    """Wall time of making it [s], where that was before the call; None for the call's own time."""


class Model(Protocol):
    """A system that turns an item into audio. ``load(...)`` in the ``MODELS`` table returns one."""

    @property
    def signature(self) -> Mapping[str, str]:
        """Name, checkpoint digest, settings: all that decides the output but item and seed.

        ``conditions_on`` names encoders or weights of this project that the model itself uses on
        its input; scores that rest on them are noted.
        """
        ...

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """Audio for one item. It depends on the item and the seed alone, never on earlier calls."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A clip that a model is going to be asked for."""

    item: Item
    take: int
    seed: int
    """What ``generate`` will be given."""


class BatchModel(Model, Protocol):
    """A model that makes many clips at once and then answers ``generate`` from them.

    Such a model is never loaded in a second process. Where clips are made in groups of neighbours,
    ``group`` is their number, and shards share out whole groups.
    """

    def prepare(self, calls: Sequence[Call], folder: Path, advance: Callable[[], None]) -> None:
        """Make these clips, or note for each why not; ``generate`` follows for every one of them.

        Args:
            calls: The clips that are missing, in the order of the benchmark.
            folder: Where the model may keep what it needs to go on after a stop; the same for the
                same model, benchmark and seed, and so for shards that run at the same time.
            advance: To be called once for each clip that is there or given up.

        Raises:
            ExternalToolError: nothing can be made, whatever the clip.
        """
        ...


Features = Mapping[str, NDArray[np.generic]]
"""What one encoder says of one clip: arrays by output name; a string is a 0-d ``<U`` array."""


class AudioEncoder(Protocol):
    """A network or front end over one mono waveform at its own sample rate."""

    @property
    def signature(self) -> str:
        """Name, weight digest and settings that move its output: ``aisfx-0.1.2:1a2b3c4d``."""
        ...

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """Features of mono float32 samples (n,) at the rate its row of ``ENCODERS`` declares."""
        ...


class VideoEncoder(Protocol):
    """A network or front end over one video file."""

    @property
    def signature(self) -> str:
        """As for :class:`AudioEncoder`; decoder and version included."""
        ...

    def __call__(self, frames: NDArray[np.uint8], fps: float) -> Features:
        """Features of RGB frames uint8 (n, height, width, 3)."""
        ...


class FaceEncoder(Protocol):
    """A network over the face in a video; its row says ``uses_face_box``."""

    @property
    def signature(self) -> str:
        """As for :class:`VideoEncoder`; the detector included."""
        ...

    def __call__(
        self,
        frames: NDArray[np.uint8],
        fps: float,
        *,
        face_box: tuple[int, int, int, int] | None,
    ) -> Features:
        """As :class:`VideoEncoder`; the box is the data set's, None where it gives none."""
        ...


class PairEncoder(Protocol):
    """A network over what two other encoders say of one clip; its row says which (``joins``)."""

    @property
    def signature(self) -> str:
        """Its own weights and settings; those of the two are added by the run."""
        ...

    def __call__(self, first: NDArray[np.generic], second: NDArray[np.generic]) -> Features:
        """Features of the two arrays, in the order of ``joins``."""
        ...


class TextEncoder(Protocol):
    """A network over one text."""

    @property
    def signature(self) -> str:
        """As for :class:`AudioEncoder`; tokenizer included."""
        ...

    def __call__(self, text: str) -> Features:
        """Features of one caption or transcript."""
        ...


@dataclass(frozen=True, slots=True)
class Generation:
    """One line of the generation log: an item either has audio or a reason why not."""

    item_id: str
    take: int
    seed: int
    path: Path | None
    """Where the audio is, or None if it failed."""
    error: str | None
    """Why there is none, or None."""
    digest: str | None
    """sha256 of the audio file."""
    seconds: float
    """Wall time of the generation."""
    nfe: int
    clipped: int = 0
    """Samples outside [-1, 1] that 16 bits could not hold."""


Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the ``METRICS`` table."""

    id: str
    """Such as ``kl.aisfx``: family, dot, what distinguishes it."""
    title: str
    """Column heading, such as ``KL (aiSFX)``."""
    task: Literal["sound", "speech", "any"]
    scope: Literal["clip", "set"]
    """``clip``: ``compute`` gives the components of one item; ``set``: one call over all items."""
    inputs: tuple[str, ...]
    """``source:encoder.output`` or ``item:field``. Sources: generated, reference, video, speaker,
    caption, heard; generated_nonspeech and reference_nonspeech, which are without the speech."""
    compute: str
    """``module:function``; called with the inputs in order and ``params`` as keywords."""
    unit: str
    better: Direction
    definition: str
    """One or two sentences, with the formula where it is short."""
    source: str
    """Paper or implementation at a commit."""
    version: int
    """Raised whenever a number can change."""
    pool: Literal["mean", "percent_ratio", "set"] = "mean"
    """``mean`` of component 0, ``percent_ratio`` 100 * sum(c0) / sum(c1), or ``set`` scope."""
    params: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    """Keywords of ``compute``, printed in the signature."""
    remark: str = ""
    """``module:function`` that says what the reader of a set's value must know, from its (n, k)
    components; clip scope only."""


@dataclass(frozen=True, slots=True)
class SetValue:
    """What a function of set scope may return in place of a float."""

    value: float
    interval: tuple[float, float] | None = None
    """95 % interval, or None."""
    note: str = ""
    """Empty, or what the reader of the value must know."""
    contributions: NDArray[np.float64] | None = None
    """float64 (items,), sum 0: what each item adds to the value; None where undefined."""


@dataclass(frozen=True, slots=True)
class Score:
    """One number with all that is needed to trust it."""

    metric: str
    value: float | None
    """None if undefined; ``note`` says why."""
    note: str
    """Empty, or a warning or reason."""
    unit: str
    better: Direction
    signature: str
    n_expected: int
    n_scored: int
    interval: tuple[float, float] | None
    """95 % interval, or None."""
    excluded: Mapping[str, str]
    """Item id -> reason."""


def mono(audio: Audio) -> NDArray[np.float32]:
    """Mean of the channels, float32 (n,): the channel rule ``chan:mean`` of signatures."""
    if audio.samples.shape[0] == 1:
        return audio.samples[0]
    return np.asarray(audio.samples.mean(axis=0, dtype=np.float64), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class ModelContext:
    """What a model's ``load`` is given."""

    benchmark: Benchmark
    """The benchmark it will be run on; only oracles look inside."""
    checkpoint: Path | None
    """``--checkpoint``, or None for the model's own default."""
    device: str
    """``cpu`` or ``cuda``."""
    argument: str | None = None
    """What stands after the colon in ``folder:PATH``, or None."""
    name: str = ""
    """The row of ``MODELS``, for a function that loads several; empty outside the table."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a doctor looked at."""

    ok: bool
    what: str
    remedy: str = ""
    """What to type, where it is missing."""
