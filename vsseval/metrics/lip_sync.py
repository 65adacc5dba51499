"""Lip sync by SyncNet: how near sound and lips are, how sharply, and at which offset.

Goal: do the lips of the clip and the generated speech belong together, and at the same time? Both
are embedded in windows of 0.2 s, one each frame of 40 ms; the sound is moved by up to 15 frames
either way, and the mean distance at each offset says the rest.

Conventions:
    Embeddings are float (windows, d) of the two towers of one SyncNet, one window each 40 ms;
    sums are float64. Video first, generated second: the two are of different kinds. Of n video
    frames there are n - 4 video windows, and the last one is never used: exactly as long audio has
    no cepstra for it. The offset is in frames, positive if the sound comes too early, negative if
    it comes too late. For better sync LSE-D and the distance at offset zero are lower, LSE-C
    higher.

Functions:
    lip_sync_error          what the search says of one clip
    mean_distances          mean distance at each of the 31 offsets
    lse_d_components        LSE-D of one clip, for the METRICS table
    lse_c_components        LSE-C
    lse_offset_components   |offset|
    lse_d0_components       distance at offset zero

Profiles:
    wav2lip     as every table of papers: the sound is padded with zero vectors on both sides, which
                count as windows. That lowers the distance and raises the confidence of short clips
                that do not fit, and finds their best offset at the edge
    masked      padded cells are left out of each mean

Edge cases:
    no window                       InputError
    fewer than 16 windows           InputError in profile masked: the outer offsets have no window
    a track that begins later       its windows are compared with the sound from there on
    one distance at all offsets     confidence 0, offset 15: the first of equals, at the edge

A constant shift of up to 0.6 s costs LSE-D and LSE-C next to nothing, since the offset is searched:
read them together with the offset, or take the distance at offset zero.

References:
    J. S. Chung, A. Zisserman (2016), Out of time: automated lip sync in the wild. K. R. Prajwal et
    al. (2020), arXiv 2008.10010, named LSE. Implementation followed: joonson/syncnet_python at
    6efbb1c, SyncNetInstance.py, with the search over 15 frames that its scripts ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats

Profile = Literal["wav2lip", "masked"]

REACH = 15
"""Largest offset that is tried, either way [frames]."""
EDGE = 13
"""An offset of at least this size is at the edge of the search [frames]."""
_EPS = 1e-6
"""Added to each component of a difference, as PyTorch's pairwise distance does."""
_BLOCK = 16
"""Windows whose distances are computed at once, each with 31 of the up to 46 that are in reach."""
_CANCELLATION = 0.05
"""Share of |V|^2 + |A|^2 below which a square is taken from float64 products."""


@dataclass(frozen=True, slots=True)
class LipSync:
    """What the search over offsets says of one clip."""

    distance: float
    """LSE-D: smallest mean distance over the offsets."""
    confidence: float
    """LSE-C: median over the offsets less the smallest."""
    offset: int
    """Where the smallest is [frames]: positive if the sound comes too early."""
    edge_offset: bool
    """Whether it is 13 or more, where a search that found nothing tends to end."""
    num_windows: int
    distance_zero: float
    """Mean distance with the sound where it is."""


def lip_sync_error(
    video: Floats, generated: Floats, *, start: int = 0, profile: Profile = "wav2lip"
) -> LipSync:
    """LSE-D, LSE-C and the offset of one clip.

        L = min(video windows - 1, sound windows - start)
        d[v, k] = | V_v - A_{start + v + k} + 1e-6 |_2,  k = -15..15,  m_k = mean over v
        LSE-D = min_k m_k,  LSE-C = median_k m_k - min_k m_k,  offset = - argmin_k m_k

    Args:
        video: embeddings of the face track, float (frames - 4, d).
        generated: embeddings of the whole generated sound, float (windows, d).
        start: frame of the clip at which the track begins, >= 0.
        profile: ``wav2lip``: A is the zero vector outside of its L windows; ``masked``: such cells
            are left out.

    Raises:
        InputError: no window, fewer than 16 in profile ``masked``, different widths, an unknown
            profile, or a value that is not finite.
    """
    means = mean_distances(video, generated, start=start, profile=profile)
    best = int(np.argmin(means))
    offset = REACH - best
    return LipSync(
        distance=float(means[best]),
        confidence=float(np.median(means) - means[best]),
        offset=offset,
        edge_offset=abs(offset) >= EDGE,
        num_windows=_length(video, generated, start),
        distance_zero=float(means[REACH]),
    )


def mean_distances(
    video: Floats, generated: Floats, *, start: int = 0, profile: Profile = "wav2lip"
) -> NDArray[np.float64]:
    """m_k of :func:`lip_sync_error`, float64 (31,), for k = -15 (sound too early) to 15 (too late).

    Args and errors as there.
    """
    if profile not in ("wav2lip", "masked"):
        raise InputError(f"expected the profile wav2lip or masked, got {profile!r}")
    length = _length(video, generated, start)
    if length < 1:
        raise InputError(
            f"no window of lips and sound together: {len(video)} video windows, "
            f"{len(generated)} sound windows, track from frame {start}"
        )
    if profile == "masked" and length <= REACH:
        raise InputError(f"profile masked needs {REACH + 1} windows, got {length}")
    distances = _band(video[:length], generated[start : start + length])
    if profile == "wav2lip":
        return np.asarray(distances.mean(axis=0))
    cells = np.arange(length)[:, np.newaxis] + np.arange(-REACH, REACH + 1)
    inside = (cells >= 0) & (cells < length)
    return np.asarray((distances * inside).sum(axis=0) / inside.sum(axis=0))


def lse_d_components(
    video: Floats, start: NDArray[np.int64], generated: Floats, *, profile: Profile
) -> NDArray[np.float64]:
    """(LSE-D, offset, edge offset, windows) of :func:`lip_sync_error`; ``start`` is 0-d."""
    found = lip_sync_error(video, generated, start=int(start), profile=profile)
    return _components(found.distance, found)


def lse_c_components(
    video: Floats, start: NDArray[np.int64], generated: Floats, *, profile: Profile
) -> NDArray[np.float64]:
    """(LSE-C, offset, edge offset, windows) of :func:`lip_sync_error`; ``start`` is 0-d."""
    found = lip_sync_error(video, generated, start=int(start), profile=profile)
    return _components(found.confidence, found)


def lse_offset_components(
    video: Floats, start: NDArray[np.int64], generated: Floats, *, profile: Profile
) -> NDArray[np.float64]:
    """(|offset|, offset, edge offset, windows) of :func:`lip_sync_error`; ``start`` is 0-d."""
    found = lip_sync_error(video, generated, start=int(start), profile=profile)
    return _components(abs(found.offset), found)


def lse_d0_components(
    video: Floats, start: NDArray[np.int64], generated: Floats, *, profile: Profile
) -> NDArray[np.float64]:
    """(distance at offset zero, offset, edge offset, windows) of :func:`lip_sync_error`.

    ``start`` is 0-d.
    """
    found = lip_sync_error(video, generated, start=int(start), profile=profile)
    return _components(found.distance_zero, found)


def _components(value: float, found: LipSync) -> NDArray[np.float64]:
    return np.array([value, found.offset, found.edge_offset, found.num_windows], dtype=np.float64)


def _length(video: Floats, generated: Floats, start: int) -> int:
    if start < 0:
        raise InputError(f"a track cannot begin at frame {start}")
    return max(0, min(len(video) - 1, len(generated) - start))


def _band(video: Floats, generated: Floats) -> NDArray[np.float64]:
    """d[v, k] of :func:`lip_sync_error` with zero vectors outside, float64 (L, 31).

    Products run in float32 if both sides are; if some distance is so small beside the vectors that
    more than about 1e-6 of it would be lost, in float64.
    """
    if video.ndim != 2 or generated.ndim != 2 or video.shape[1] != generated.shape[1]:
        raise InputError(
            f"video and generated embeddings must be (windows, d) of one SyncNet, got shapes "
            f"{video.shape} and {generated.shape}"
        )
    single = video.dtype == generated.dtype == np.float32
    with np.errstate(invalid="ignore", over="ignore"):
        squared, scale = _squared_band(video, generated, np.float32 if single else np.float64)
        if single and not squared.min() > _CANCELLATION * scale:
            squared, scale = _squared_band(video, generated, np.float64)
    if not np.isfinite(scale):
        raise InputError("an embedding of the video or of the sound is not finite")
    return np.sqrt(np.maximum(squared, 0.0))


def _squared_band(
    video: Floats, generated: Floats, dtype: type[np.floating]
) -> tuple[NDArray[np.float64], float]:
    """Squares of the distances (L, 31), and the largest |V|^2 + |A|^2 (not finite if any is not).

    |V - A|^2 = |V|^2 + |A|^2 - 2 V A': products of 16 windows at a time with those within reach of
    them, of which the diagonals are taken.
    """
    length = len(video)
    lips, sound = video.astype(dtype), generated.astype(dtype, copy=False)
    lips += dtype(_EPS)
    squared = np.empty((length, 2 * REACH + 1))
    for first in range(0, length, _BLOCK):
        block = lips[first : first + _BLOCK]
        low, high = max(0, first - REACH), min(length, first + len(block) + REACH)
        products = np.zeros((len(block) + 2 * REACH, len(block)), dtype)
        at = low - (first - REACH)
        np.matmul(sound[low:high], block.T, out=products[at : at + high - low])
        down, right = products.strides
        squared[first : first + _BLOCK] = np.lib.stride_tricks.as_strided(
            products, (len(block), 2 * REACH + 1), (down + right, down)
        )
    lip_norms = np.einsum("ij,ij->i", lips, lips).astype(np.float64)
    sound_norms = np.zeros(length + 2 * REACH)
    sound_norms[REACH : REACH + length] = np.einsum("ij,ij->i", sound, sound)
    squared *= -2
    squared += lip_norms[:, np.newaxis]
    squared += np.lib.stride_tricks.sliding_window_view(sound_norms, 2 * REACH + 1)
    return squared, float(lip_norms.max() + sound_norms.max())
