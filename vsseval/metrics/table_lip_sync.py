"""The lip-sync rows of the metrics: four numbers for each SyncNet, detector and profile."""

from __future__ import annotations

from typing import NamedTuple

from vsseval.types import Direction, Metric


class _Number(NamedTuple):
    """One of the four numbers of the offset search."""

    id: str
    title: str
    unit: str
    better: Direction
    definition: str


class _Variant(NamedTuple):
    """A SyncNet, what finds its faces, and the profile of the search."""

    suffix: str
    title: str
    video: str
    audio: str
    profile: str
    about: str


_NUMBERS = (
    _Number(
        "lse_d",
        "LSE-D",
        "embedding distance",
        "lower",
        "Smallest mean distance between the windows of lips and of sound over offsets of -15 to 15 "
        "frames",
    ),
    _Number(
        "lse_c",
        "LSE-C",
        "embedding distance",
        "higher",
        "Median less minimum of the mean distance between the windows of lips and of sound over "
        "offsets of -15 to 15 frames",
    ),
    _Number(
        "lse_offset",
        "LSE offset",
        "frames of 40 ms",
        "lower",
        "Absolute offset, of -15 to 15 frames, at which lips and sound are nearest",
    ),
    _Number(
        "lse_d0",
        "LSE-D at 0",
        "embedding distance",
        "lower",
        "Mean distance between the windows of lips and of sound with the sound where it is: a "
        "constant delay, which LSE-D and LSE-C forgive, shows here",
    ),
)
_PADDED = "windows beyond the ends count as zero vectors, as in the tables of papers"
_MASKED = "windows beyond the ends are left out"
_MTCNN = "SyncNet v2 over the longest face track of MTCNN"
_VARIANTS = (
    _Variant(
        "demo",
        "demo SyncNet",
        "syncnet-demo-video",
        "syncnet-demo-audio",
        "wav2lip",
        f"demo SyncNet, for the drawn faces of demo-speech only; {_PADDED}",
    ),
    _Variant(
        "demo@masked",
        "demo SyncNet, masked",
        "syncnet-demo-video",
        "syncnet-demo-audio",
        "masked",
        f"demo SyncNet, for the drawn faces of demo-speech only; {_MASKED}",
    ),
    _Variant(
        "syncnet", "SyncNet", "syncnet-video", "syncnet-audio", "wav2lip", f"{_MTCNN}; {_PADDED}"
    ),
    _Variant(
        "syncnet@masked",
        "SyncNet, masked",
        "syncnet-video",
        "syncnet-audio",
        "masked",
        f"{_MTCNN}; {_MASKED}",
    ),
    _Variant(
        "syncnet@s3fd",
        "SyncNet, S3FD",
        "syncnet-video@s3fd",
        "syncnet-audio",
        "wav2lip",
        f"SyncNet v2 over the longest face track of S3FD at a quarter of the size; {_PADDED}",
    ),
    _Variant(
        "syncnet@box",
        "SyncNet, box",
        "syncnet-video@box",
        "syncnet-audio",
        "wav2lip",
        f"SyncNet v2 over the face box of the data set; {_PADDED}",
    ),
)


def _row(number: _Number, variant: _Variant) -> Metric:
    return Metric(
        id=f"{number.id}.{variant.suffix}",
        title=f"{number.title} ({variant.title})",
        task="speech",
        scope="clip",
        inputs=(
            f"video:{variant.video}.embedding",
            f"video:{variant.video}.start",
            f"generated:{variant.audio}.embedding",
        ),
        compute=f"vsseval.metrics.lip_sync:{number.id}_components",
        unit=number.unit,
        better=number.better,
        definition=f"{number.definition}; mean over clips ({variant.about}).",
        source="J. S. Chung, A. Zisserman (2016); joonson/syncnet_python at 6efbb1c",
        version=1,
        params={"profile": variant.profile},
    )


LIP_SYNC_ROWS = tuple(_row(number, variant) for variant in _VARIANTS for number in _NUMBERS)
"""Rows in the order in which tables print them."""
