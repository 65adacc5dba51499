"""When each phoneme is said, for presets whose phonemes come with durations (v1).

Phonemes are one sequence that begins with a blank; a frame says a run of them, most often one. From
an alignment, from the map of the duration predictor, or by an even stretch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vsseval.errors import InputError
from vssflow.config import Config
from vssflow.features import Clip
from vssflow.phonemes import BLANK, CLASSES, NO_SPEECH, phoneme_path

PHONE_NAMES: Mapping[str, str] = {
    "pau": "SIL", "h#": "SIL", "sil": "SIL", "ax": "AH", "axr": "ER", "ix": "IH", "dx": "T",
    "el": "L", "em": "M", "en": "N", "nx": "N", "ux": "UW", "hv": "HH",
    "": "SIL", "sp": "SIL", "spn": "SIL", "<blank>": "SIL",
}  # fmt: skip
"""Phones of Flite, and silences of the Montreal Forced Aligner, that CMU names otherwise."""
SLOTS_PER_FRAME = 4
"""Places in a frame where a phoneme may begin when an alignment is read: 10 ms apart."""


class Spoken(NamedTuple):
    """Phonemes and their frames."""

    ids: NDArray[np.int64]
    """(P,)."""
    spans: NDArray[np.int64]
    """(T, 2): first phoneme of a frame and the one after its last; equal where nothing is said."""


def class_of_phone(phone: str) -> int:
    """Lip class of a phone of an alignment, with or without stress.

    Raises:
        InputError: the phone is in neither set.
    """
    name = PHONE_NAMES.get(phone.lower(), phone.upper().rstrip("012"))
    if name not in CLASSES:
        raise InputError(f"alignment holds the unknown phone {phone!r}")
    return CLASSES.index(name)


def phone_targets(clip: Clip, config: Config) -> NDArray[np.int64]:
    """Lip class of each phoneme slot, int64 (slots,): the phone in its middle, else silence."""
    slots = config.clip_frames * config.phonemes_per_frame
    rate = config.frame_rate * config.phonemes_per_frame
    middles = (np.arange(slots) + 0.5) / rate
    targets = np.zeros(slots, np.int64)
    for phone, start, end in clip.phones:
        targets[(middles >= start) & (middles < end)] = class_of_phone(phone)
    return targets


def uniform_durations(ids: NDArray[np.int64], frames: int) -> Spoken:
    """Phonemes, int64 (P,), stretched evenly over some latent frames.

    With fewer frames than phonemes some are left out.
    """
    first = np.arange(frames) * len(ids) // frames
    return Spoken(ids, np.stack([first, first + 1], axis=1))


def aligned_durations(
    words: Sequence[Sequence[int]], clip: Clip, frames: int, config: Config
) -> Spoken:
    """The transcript's phonemes on the path through the phones of an alignment.

    The phones may lack stress or be pronounced otherwise: the path agrees with them in as many
    slots of 10 ms as it can, says every phoneme of the transcript, and is silent between words only
    where that agrees better. A frame says what the path is at in its middle.

    Raises:
        InputError: an unknown phone, or more phonemes than slots.
    """
    fine = replace(config, phonemes_per_frame=SLOTS_PER_FRAME)
    heard = phone_targets(clip, fine)[: frames * SLOTS_PER_FRAME]
    disagreement = -1.0 * (heard[:, None] != np.arange(len(CLASSES)))
    rate = SLOTS_PER_FRAME * config.frame_rate
    states, path = phoneme_path(words, disagreement.astype(np.float32), rate)
    # Pauses that were not made go, but for the blank that every utterance begins with.
    said = np.union1d([0], path)
    first = np.searchsorted(said, path[SLOTS_PER_FRAME // 2 :: SLOTS_PER_FRAME])
    return Spoken(states[said], np.stack([first, first + 1], axis=1))


def path_spans(attention: NDArray[np.float32]) -> NDArray[np.int64]:
    """Spans (T, 2) of the best path through a map (T, P) from the first to the last corner.

    The path goes on by one frame, by one phoneme, or by both, and maximises the sum of
    (attention - 1) over its cells, so it is drawn to short paths. A tie goes to the frame, then to
    the phoneme.
    """
    rewards = np.asarray(attention, np.float32) - np.float32(1)
    frames, phones = rewards.shape
    best = np.full((frames + 1, phones + 1), -np.inf, np.float32)
    best[0, 0] = 0.0
    moves = np.zeros((frames, phones), np.int64)
    for frame in range(frames):
        for phone in range(phones):
            before = (best[frame, phone + 1], best[frame + 1, phone], best[frame, phone])
            moves[frame, phone] = np.argmax(before)
            best[frame + 1, phone + 1] = max(before) + rewards[frame, phone]
    spans = np.zeros((frames, 2), np.int64)
    frame, phone = frames - 1, phones - 1
    spans[frame] = phone, phone + 1
    while frame or phone:
        move = moves[frame, phone]
        frame, phone = frame - (move != 1), phone - (move != 0)
        end = spans[frame, 1] if move == 1 else phone + 1
        spans[frame] = phone, end
    return spans


def padded(spoken: Spoken, frames: int) -> Spoken:
    """``frames`` ids, the last ones "no speech", and as many spans, the last ones of no phoneme.

    Raises:
        InputError: there are as many phonemes as frames, or more.
    """
    if len(spoken.ids) >= frames:
        raise InputError(
            f"{len(spoken.ids)} phonemes, blanks included, are more than the {frames - 1} that a "
            "clip may have; shorten the transcript"
        )
    ids = np.full(frames, NO_SPEECH, np.int64)
    ids[: len(spoken.ids)] = spoken.ids
    spans = np.zeros((frames, 2), np.int64)
    spans[: len(spoken.spans)] = spoken.spans
    return Spoken(ids, spans)


SILENT = Spoken(np.zeros(0, np.int64), np.zeros((0, 2), np.int64))
"""A sound: no phoneme, in no frame."""


def duration_matrix(spans: Tensor, phonemes: int) -> Tensor:
    """Which phonemes each frame says, float (..., T, P), of spans (..., T, 2)."""
    places = torch.arange(phonemes, device=spans.device)
    return ((places >= spans[..., :1]) & (places < spans[..., 1:])).float()


class Timed(NamedTuple):
    """Phonemes and durations of a batch, as the transformer takes them."""

    phonemes: Tensor
    """Ids, int64 (B, P)."""
    durations: Tensor
    """(B, T, P)."""


def timed(spoken: Spoken) -> Timed:
    """A batch of one."""
    ids, spans = (torch.from_numpy(values)[None] for values in spoken)
    return Timed(ids, duration_matrix(spans, ids.shape[1]))


def delayed(timed: Timed, start: int) -> Timed:
    """The same said ``start`` frames later, P one greater; what passes the last frame is cut.

    Before it every frame says "no speech", with which the phonemes begin: so the authors have
    speech inside a sound.
    """
    ids, durations = functional.pad(timed.phonemes, (1, 0)), functional.pad(timed.durations, (1, 0))
    before = torch.zeros_like(durations[:, :start])
    before[..., 0] = 1.0
    return Timed(ids, torch.cat([before, durations[:, : durations.shape[1] - start]], dim=1))


def window_of(said: Spoken, start: int, first: int, stop: int) -> Timed:
    """What is said within the frames ``first`` to before ``stop`` of a film.

    Args:
        said: phonemes and their frames.
        start: frame of the film with which the speech begins.
        first: of the window.
        stop: of the window.
    """
    spans = said.spans[max(0, first - start) : max(0, stop - start)]
    if not len(spans):
        return timed(padded(SILENT, stop - first))
    ids = said.ids[spans[0, 0] : spans[-1, 1]]
    spans = spans - spans[0, 0]
    if ids[0] != BLANK:
        ids, spans = np.array([BLANK, *ids]), spans + 1
    part = timed(padded(Spoken(ids, spans), stop - first))
    return delayed(part, start - first) if start > first else part
