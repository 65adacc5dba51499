from __future__ import annotations

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.video import Video
from vssflow.config import PRESETS
from vssflow.frames import clip_frames, mouth_box

CONFIG = PRESETS["tiny"]


def numbered(count, fps, size=64):
    """Frame i is gray of level i."""
    levels = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return Video(np.broadcast_to(levels, (count, size, size, 3)).copy(), fps)


def test_25_frames_a_second_are_taken_one_by_one():
    frames = clip_frames(numbered(50, 25.0), None, 50, CONFIG)
    np.testing.assert_array_equal(frames.scene[:, 0, 0, 0], np.arange(50))
    np.testing.assert_array_equal(frames.mouth[:, 0, 0], np.arange(50))
    assert frames.colour.shape == (5, 48, 48, 3)
    np.testing.assert_array_equal(frames.colour[:, 0, 0, 0], [0, 10, 20, 30, 40])


def test_50_frames_a_second_are_halved_and_a_short_video_repeats_its_last_frame():
    frames = clip_frames(numbered(20, 50.0), None, 12, CONFIG)
    # The middle of output frame i, (i + 0.5) / 25 s, falls on frame 2 i + 1; 20 frames end there.
    np.testing.assert_array_equal(
        frames.scene[:, 0, 0, 0], [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 19, 19]
    )


def test_second_plane_is_red_minus_blue():
    picture = np.zeros((1, 64, 64, 3), np.uint8)
    picture[..., 0], picture[..., 2] = 200, 100
    frames = clip_frames(Video(picture, 25.0), None, 1, CONFIG)
    assert frames.scene[0, 1, 0, 0] == 128 + 50


def test_mouth_box_is_the_lower_middle_of_the_face():
    # 20 % off each side; from half the height to 95 % of it.
    assert mouth_box((10, 20, 110, 220), 300, 300) == (30, 120, 90, 210)


def test_mouth_box_without_a_face_takes_the_centre():
    assert mouth_box(None, 200, 100) == (70, 50, 130, 72)


def test_face_box_outside_the_frame_is_refused():
    with pytest.raises(InputError, match="does not meet the frame of 100 x 100"):
        mouth_box((200, 200, 300, 300), 100, 100)
