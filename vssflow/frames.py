"""From a decoded video to the three small pictures a front end sees."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.video import Video
from vssflow.config import Config

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ClipFrames:
    """Pictures of one clip, uint8, at 25 frames a second."""

    scene: NDArray[np.uint8]
    """Whole frame as luma and 128 + (red - blue) / 2, (T, 2, frame_size, frame_size)."""
    mouth: NDArray[np.uint8]
    """Mouth crop, gray, (T, mouth_size, mouth_size)."""
    colour: NDArray[np.uint8]
    """Every ``semantic_stride``-th whole frame in RGB, (ceil(T / stride), side, side, 3)."""


def mouth_box(face: Box | None, width: int, height: int) -> Box:
    """Crop (left, top, right, bottom) that holds the mouth.

    It spans the middle 60 % of the width and 50 % to 95 % of the height of the face.

    Without a face box the central half of the frame stands for the face.

    Raises:
        InputError: the face box does not meet the frame.
    """
    left, top, right, bottom = face or (width // 4, height // 4, 3 * width // 4, 3 * height // 4)
    side, height_of_face = 0.2 * (right - left), bottom - top
    crop = (
        max(0, round(left + side)),
        max(0, round(top + 0.5 * height_of_face)),
        min(width, round(right - side)),
        min(height, round(top + 0.95 * height_of_face)),
    )
    if crop[2] <= crop[0] or crop[3] <= crop[1]:
        raise InputError(f"face box {face} does not meet the frame of {width} x {height} pixels")
    return crop


def clip_frames(video: Video, face: Box | None, num_frames: int, config: Config) -> ClipFrames:
    """The pictures of the first ``num_frames`` frames at 25 frames a second.

    Another frame rate is met by the nearest frame in time; a video that is too short repeats its
    last frame.
    """
    total, height, width = video.frames.shape[:3]
    times = (np.arange(num_frames) + 0.5) / config.frame_rate
    source = np.minimum((times * video.fps).astype(np.int64), total - 1)
    crop = mouth_box(face, width, height)
    size, mouth_size = config.frame_size, config.mouth_size
    scene = np.empty((num_frames, 2, size, size), np.uint8)
    mouth = np.empty((num_frames, mouth_size, mouth_size), np.uint8)
    for row, index in enumerate(source):
        scene[row], mouth[row] = scene_and_mouth(video.frames[index], crop, config)
    colour = np.stack(
        [shrink(video.frames[i], config.colour_size) for i in source[:: config.semantic_stride]]
    )
    return ClipFrames(scene, mouth, colour)


def scene_and_mouth(
    frame: NDArray[np.uint8], crop: Box, config: Config
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The two planes of the whole frame and the gray mouth crop of RGB (height, width, 3)."""
    left, top, right, bottom = crop
    small = shrink(frame, config.frame_size)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    difference = 128 + (small[..., 0].astype(np.int16) - small[..., 2]) // 2
    scene = np.stack([luma, difference.astype(np.uint8)])
    face_part = np.ascontiguousarray(frame[top:bottom, left:right])
    mouth = cv2.cvtColor(shrink(face_part, config.mouth_size), cv2.COLOR_RGB2GRAY)
    return scene.astype(np.uint8), np.asarray(mouth, np.uint8)


def shrink(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """RGB uint8 (height, width, 3) to (size, size, 3), each pixel a mean over its area."""
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
