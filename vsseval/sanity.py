"""Checks of generated audio before any number is believed: arrays in, findings out.

A check looks at one clip, or at one clip and its reference; none of them changes a score. Levels
are root mean square over all channels and samples, in dB below full scale (1.0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import audio_digest, mono_at
from vsseval.types import Audio

CHECKS = {
    "silent": "level below -60 dBFS",
    "clipped": "0.1 % of the samples or more in runs of three at 0.999 of full scale or above",
    "dc": "a channel's mean beyond 0.02 of full scale",
    "length": "over 0.1 s longer or shorter than the item",
    "level": "over 20 dB louder or softer than the reference",
    "duplicate": "the same samples as the output for another item, silence aside",
    "near-copy": "correlation of 0.95 or more with the reference at some lag within 0.5 s, both at "
    "8 kHz: the system may have heard it",
}
"""What each check finds."""
SILENT_DBFS = -60.0
CLIPPED_AT, CLIPPED_RUN, CLIPPED_SHARE = 0.999, 3, 1e-3
DC_LIMIT = 0.02
LENGTH_SECONDS = 0.1
LEVEL_DB = 20.0
COPY_RATE = 8000
"""Rate at which copies are looked for [Hz]."""
COPY_SECONDS = 0.5
COPY_CORRELATION = 0.95
_FLOOR = 1e-10


@dataclass(frozen=True, slots=True)
class Output:
    """One generated clip."""

    clip: str
    """Its label in records: item id, with the take if it is not the first."""
    item: str
    generated: Audio
    reference: Audio | None
    duration: float
    """Of the item [s]."""


@dataclass(frozen=True, slots=True)
class Sanity:
    """What the checks found in a run."""

    checked: int
    """Clips looked at."""
    level: float | None
    """Median level of the clips [dBFS]; None if there are none."""
    reference_level: float | None
    """Median level of their references [dBFS]; None if there are none."""
    findings: Mapping[str, Mapping[str, str]]
    """Check -> clip -> what was found; checks that found nothing are left out."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What the checks of a single clip found, with what the others are compared by."""

    clip: str
    item: str
    digest: str
    """Of its samples; empty for a silent clip."""
    level: float
    """[dBFS]."""
    reference_level: float | None
    findings: Mapping[str, str]
    """Check -> what was found."""


def check_outputs(outputs: Iterable[Output]) -> Sanity:
    """Look at every generated clip, one at a time.

    Args:
        outputs: the clips; an iterator that reads each file when it is asked for keeps memory flat.
    """
    return gather(examine(output) for output in outputs)


def examine(output: Output) -> Examined:
    """All checks of one clip but the comparison with other outputs."""
    level = level_dbfs(output.generated.samples)
    findings = _findings(output, level)
    reference_level = None
    if output.reference is not None:
        reference_level = level_dbfs(output.reference.samples)
        findings |= _beside_reference(output.generated, output.reference, level, reference_level)
    digest = audio_digest(output.generated) if level >= SILENT_DBFS else ""
    return Examined(output.clip, output.item, digest, level, reference_level, findings)


def gather(clips: Iterable[Examined]) -> Sanity:
    """The findings of all clips by check, duplicates among them."""
    found: dict[str, dict[str, str]] = {check: {} for check in CHECKS}
    levels: list[float] = []
    reference_levels: list[float] = []
    seen: dict[str, Examined] = {}
    for one in clips:
        levels.append(one.level)
        if one.reference_level is not None:
            reference_levels.append(one.reference_level)
        for check, text in one.findings.items():
            found[check][one.clip] = text
        twin = seen.setdefault(one.digest, one) if one.digest else one
        if twin.item != one.item:
            found["duplicate"][one.clip] = f"the same samples as {twin.clip}"
            found["duplicate"].setdefault(twin.clip, f"the same samples as {one.clip}")
    return Sanity(
        len(levels),
        _median(levels),
        _median(reference_levels),
        {check: named for check, named in found.items() if named},
    )


def level_dbfs(samples: NDArray[np.float32]) -> float:
    """Root mean square of float32 (channels, n) in dB below full scale, at least -200."""
    if samples.size == 0:
        return 20.0 * float(np.log10(_FLOOR))
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(20.0 * float(np.log10(_FLOOR)), 10.0 * float(np.log10(max(power, _FLOOR**2))))


def clipped_share(samples: NDArray[np.float32]) -> float:
    """Share of the samples (channels, n) in runs of three or more at 0.999 or above in size."""
    high = np.abs(samples) >= CLIPPED_AT
    if high.shape[1] < CLIPPED_RUN or not high.any():
        return 0.0
    middle = high[:, :-2] & high[:, 1:-1] & high[:, 2:]
    inside = np.zeros_like(high)
    for shift in range(CLIPPED_RUN):
        inside[:, shift : shift + middle.shape[1]] |= middle
    return float(inside.mean())


def correlation_peak(generated: Audio, reference: Audio) -> float:
    """Largest size of the normalised cross-correlation over lags within half a second, in [0, 1].

    Each lag is normalised by the parts that overlap, which are three quarters of the clip or more.
    """
    duration = min(generated.duration, reference.duration)
    first, second = (
        mono_at(side, COPY_RATE, duration).astype(np.float64) for side in (generated, reference)
    )
    n = len(first)
    if n < 2:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size))
    lagged = np.fft.irfft(spectrum, size)
    # Energy of the first k samples; the last k follow from the total.
    energy_1, energy_2 = (np.concatenate([[0.0], np.cumsum(x * x)]) for x in (first, second))
    lags = np.arange(-min(n // 4, int(COPY_SECONDS * COPY_RATE)), 0)
    # first[t + lag] beside second[t] for lag >= 0, and the mirror image below 0.
    forward = _overlap(energy_2, energy_1, -lags[::-1])
    backward = _overlap(energy_1, energy_2, -lags)
    scale = np.concatenate([backward, [energy_1[n] * energy_2[n]], forward])
    sizes = np.abs(np.concatenate([lagged[lags], lagged[: len(lags) + 1]]))
    heard = scale > (_FLOOR * n) ** 2
    return min(1.0, float((sizes[heard] / np.sqrt(scale[heard])).max(initial=0.0)))


def _overlap(
    early: NDArray[np.float64], late: NDArray[np.float64], lags: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Energy of the first n - lag samples of one side times that of the last of the other."""
    n = len(early) - 1
    return np.asarray(early[n - lags] * (late[n] - late[lags]))


def _findings(output: Output, level: float) -> dict[str, str]:
    samples = output.generated.samples
    found = {}
    if level < SILENT_DBFS:
        found["silent"] = f"level {level:.0f} dBFS"
    share = clipped_share(samples)
    if share >= CLIPPED_SHARE:
        found["clipped"] = f"{100 * share:.2g} % of the samples"
    offset = float(np.abs(samples.mean(axis=1, dtype=np.float64)).max()) if samples.size else 0.0
    if offset > DC_LIMIT:
        found["dc"] = f"mean {offset:.3f}"
    seconds = output.generated.duration
    if abs(seconds - output.duration) > LENGTH_SECONDS:
        found["length"] = f"{seconds:.2f} s, the item lasts {output.duration:.2f} s"
    return found


def _beside_reference(
    generated: Audio, reference: Audio, level: float, reference_level: float
) -> dict[str, str]:
    if min(level, reference_level) < SILENT_DBFS:
        return {}
    found = {}
    gap = level - reference_level
    if abs(gap) > LEVEL_DB:
        found["level"] = f"{gap:+.0f} dB from the reference"
    correlation = correlation_peak(generated, reference)
    if correlation >= COPY_CORRELATION:
        found["near-copy"] = f"correlation {correlation:.3f} with the reference"
    return found


def _median(values: list[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None
