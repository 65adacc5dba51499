"""The clips of each source: what there is to hear, see and read of the items of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsseval.generate import ClipKey, clip_label
from vsseval.types import Benchmark, Generation, Item

NONSPEECH = {"generated_nonspeech": "generated", "reference_nonspeech": "reference"}
"""Sources that are heard with the speech erased, and what they are without that."""
NO_FIELD = {
    "onsets": "no annotated onsets",
    "transcript": "no transcript",
    "speech_spans": "no intervals of speech",
}
"""Reasons for what an item does not have."""
NO_TEXT = "no transcription was given (`vsseval score --heard FILE`)"


@dataclass(frozen=True, slots=True)
class Clip:
    """What an encoder is to look at: a file, or a text."""

    key: ClipKey
    path: Path | None
    """None if there is none; ``reason`` says why."""
    duration: float | None
    """Length to cut or pad to [s]; None keeps the file's own."""
    reason: str = ""
    text: str | None = None
    """In place of a file."""
    face_box: tuple[int, int, int, int] | None = None
    """Face in the video, for the encoders that use it."""
    erased: tuple[tuple[float, float], ...] = ()
    """Intervals of speech to erase before anything hears the sound [s]."""


def sources(
    benchmark: Benchmark,
    rows: Sequence[Generation],
    takes: int,
    heard: Mapping[str, str] | None = None,
) -> dict[str, list[Clip]]:
    """The clips of each source; what does not exist has no path, and a reason.

    Args:
        benchmark: The items.
        rows: What was generated.
        takes: Clips an item.
        heard: Transcriptions of the generated clips by label, in place of a recogniser.
    """
    texts = heard or {}
    by_key = {(row.item_id, row.take): row for row in rows}
    clips = {
        "generated": [
            _generated(item, take, by_key) for item in benchmark.items for take in range(takes)
        ],
        "reference": [
            Clip((item.id, 0), item.audio, item.duration, "the item has no reference audio")
            for item in benchmark.items
        ],
        "speaker": [
            Clip((item.id, 0), item.speaker_audio, None, "the item has no speaker audio")
            for item in benchmark.items
        ],
        "video": [
            Clip(
                (item.id, 0),
                item.video,
                item.duration,
                "the item has no video",
                face_box=item.face_box,
            )
            for item in benchmark.items
        ],
        "caption": [
            Clip((item.id, 0), None, None, "the item has no caption", text=item.caption)
            for item in benchmark.items
        ],
    }
    clips["heard"] = [
        replace(clip, path=None, reason=NO_TEXT, text=texts.get(clip_label(*clip.key)))
        for clip in clips["generated"]
    ]
    spans = {item.id: item.speech_spans for item in benchmark.items}
    for source, of in NONSPEECH.items():
        clips[source] = [_outside_speech(clip, spans[clip.key[0]]) for clip in clips[of]]
    return clips


def _outside_speech(clip: Clip, spans: tuple[tuple[float, float], ...] | None) -> Clip:
    if spans is None:
        return replace(clip, path=None, reason=NO_FIELD["speech_spans"])
    return replace(clip, erased=spans)


def _generated(item: Item, take: int, rows: Mapping[ClipKey, Generation]) -> Clip:
    row = rows.get((item.id, take))
    if row is None:
        return Clip((item.id, take), None, item.duration, "not generated")
    return Clip((item.id, take), row.path, item.duration, row.error or "")
