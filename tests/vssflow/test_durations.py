"""When phonemes are said: closed forms and planted alignments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vsseval.errors import InputError
from vssflow.config import PRESETS
from vssflow.durations import (
    SILENT,
    Spoken,
    Timed,
    aligned_durations,
    delayed,
    duration_matrix,
    padded,
    path_spans,
    timed,
    uniform_durations,
    window_of,
)
from vssflow.features import Clip
from vssflow.phonemes import BLANK, IDS, sequence_of

V1 = PRESETS["v1"]
BIN = [[IDS["B"], IDS["IH1"], IDS["N"]]]


def said(spoken: Spoken) -> list[list[int]]:
    """Ids that each frame says."""
    return [spoken.ids[first:end].tolist() for first, end in spoken.spans]


def clip(*phones: tuple[str, float, float]) -> Clip:
    return Clip("a", "", "", phones=phones)


def test_even_stretch_gives_each_phoneme_its_share_of_the_frames() -> None:
    ids = sequence_of(BIN)
    assert ids.tolist() == [BLANK, *BIN[0], BLANK]
    assert said(uniform_durations(ids, 10)) == [[phone] for phone in ids.tolist() for _ in "ab"]
    assert uniform_durations(ids, 3).spans.tolist() == [[0, 1], [1, 2], [3, 4]]


def test_alignment_says_the_transcripts_phonemes_at_the_middle_of_each_frame() -> None:
    # Frame i is read at 40 i + 25 ms. Stress and the pause inside come from where they are known.
    phones = (("pau", 0.0, 0.1), ("b", 0.1, 0.2), ("ih", 0.2, 0.3), ("n", 0.3, 0.4))
    again = tuple((phone, start + 0.5, end + 0.5) for phone, start, end in phones)
    spoken = aligned_durations([*BIN, *BIN], clip(*phones, *again), 25, V1)
    b, ih, n = BIN[0]
    assert spoken.ids.tolist() == [BLANK, b, ih, n, BLANK, b, ih, n, BLANK]
    frames = said(spoken)
    times = [40 * i + 25 for i in range(25)]
    for phone, (start, end) in {b: (100, 200), ih: (200, 300), n: (300, 400)}.items():
        for shift in (0, 500):
            inside = [i for i, t in enumerate(times) if start + shift <= t < end + shift]
            assert inside
            assert all(frames[i] == [phone] for i in inside)
    assert frames[0] == frames[11] == frames[-1] == [BLANK]


def test_words_without_a_pause_have_no_blank_between_them_but_one_in_front() -> None:
    phones = (("B", 0.0, 0.2), ("IH1", 0.2, 0.4), ("N", 0.4, 0.5), ("n", 0.5, 0.6), ("", 0.6, 1.0))
    spoken = aligned_durations([*BIN, [IDS["N"]]], clip(*phones), 25, V1)
    assert spoken.ids.tolist() == [BLANK, *BIN[0], IDS["N"], BLANK]
    assert not np.any(spoken.spans[:, 0] == 0)


def test_phone_that_the_transcript_says_otherwise_keeps_its_place() -> None:
    phones = (("b", 0.0, 0.3), ("eh", 0.3, 0.6), ("n", 0.6, 1.0))
    frames = said(aligned_durations(BIN, clip(*phones), 25, V1))
    assert frames[3] == [IDS["B"]]
    assert frames[20] == [IDS["N"]]
    assert [IDS["IH1"]] in frames


def test_alignment_that_is_too_short_or_unknown_is_refused() -> None:
    with pytest.raises(InputError, match=r"60 phonemes do not fit into 0\.40 s"):
        aligned_durations(BIN * 20, clip(("b", 0.0, 1.0)), 10, V1)
    with pytest.raises(InputError, match="unknown phone 'qq'"):
        aligned_durations(BIN, clip(("qq", 0.0, 1.0)), 10, V1)


def test_path_follows_a_planted_staircase() -> None:
    look = np.zeros((9, 3), np.float32)
    look[:2, 0] = look[2:7, 1] = look[7:, 2] = 1.0
    assert path_spans(look)[:, 0].tolist() == [0, 0, 1, 1, 1, 1, 1, 2, 2]
    assert np.all(np.diff(path_spans(look), axis=1) == 1)


def test_matrix_has_a_row_for_each_frame_and_padding_says_nothing() -> None:
    spoken = padded(Spoken(np.array([59, 5]), np.array([[0, 1], [0, 2], [1, 2]])), 6)
    assert spoken.ids.tolist() == [59, 5, 0, 0, 0, 0]
    matrix = duration_matrix(torch.from_numpy(spoken.spans), 6)
    assert matrix.sum(1).tolist() == [1, 2, 1, 0, 0, 0]
    assert matrix[1, :2].tolist() == [1, 1]
    nothing = timed(padded(SILENT, 6))
    assert not nothing.durations.any()
    assert not nothing.phonemes.any()
    with pytest.raises(InputError, match="6 phonemes, blanks included, are more than the 5"):
        padded(uniform_durations(np.arange(6), 6), 6)


def test_later_speech_begins_with_frames_of_no_speech_and_is_cut_at_the_end() -> None:
    before = timed(padded(uniform_durations(np.array([59, 5, 59]), 5), 6))
    after = delayed(Timed(*before), 3)
    assert after.phonemes[0, :4].tolist() == [0, 59, 5, 59]
    assert after.durations.shape == (1, 6, 7)
    heard = after.durations @ after.phonemes[..., None].float()
    assert heard[0, :, 0].tolist() == [0, 0, 0, 59, 59, 5]
    assert after.durations[0, :3, 0].tolist() == [1, 1, 1]
    at_once = delayed(before, 0)
    assert torch.equal(at_once.durations[..., 1:], before.durations)


def test_rate_of_the_preset_decides_the_frames() -> None:
    slow = replace(V1, frame_rate=10)
    phones = (("pau", 0.0, 0.5), ("b", 0.5, 0.7), ("ih", 0.7, 0.9), ("n", 0.9, 1.0))
    assert said(aligned_durations(BIN, clip(*phones), 10, slow))[6:9] == [
        [IDS["B"]],
        [IDS["IH1"]],
        [IDS["IH1"]],
    ]


def test_windows_of_a_film_say_their_part_of_the_speech_and_begin_with_a_blank() -> None:
    # Eight phonemes of two frames each, from frame 5 of a film: frames 5 to 20.
    ids = np.array([BLANK, 1, 2, 3, 4, 5, 6, BLANK])
    speech = uniform_durations(ids, 16)

    def heard(first: int, stop: int) -> list[int]:
        found = window_of(speech, 5, first, stop)
        assert found.durations.shape[1] == stop - first
        return (found.durations @ found.phonemes[..., None].float())[0, :, 0].int().tolist()

    film = [0] * 5 + [phone for phone in ids.tolist() for _ in "ab"] + [0] * 20
    for first, stop in ((0, 12), (5, 21), (8, 20), (15, 30), (21, 40)):
        assert heard(first, stop) == film[first:stop]
    assert window_of(speech, 5, 0, 12).phonemes[0, :2].tolist() == [0, BLANK]
    assert window_of(speech, 5, 8, 20).phonemes[0, :3].tolist() == [BLANK, 1, 2]
    nothing = window_of(speech, 5, 21, 40)
    assert not nothing.durations.any()
