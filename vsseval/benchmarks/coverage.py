"""How much of a data set's list is there: what ``vsseval data prepare`` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from vsseval.benchmarks.clip_job import REASONS
from vsseval.benchmarks.faces import NOT_LOOKED_FOR
from vsseval.benchmarks.scan import ClipList, shown
from vsseval.benchmarks.voices import Voices


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of every clip of the list."""

    data_set: str
    clips: ClipList
    difference: str
    """How the list differs from the one below the root; empty if it does not."""
    found: int
    """Clips whose video is there, broken or not."""
    missing: tuple[str, ...]
    sound_only: int
    """Missing clips of which there is the sound."""
    broken: Mapping[str, Mapping[str, str]]
    """Id -> reason -> what was found; clips that were left out."""
    kept: Mapping[str, int]
    """Broken clips that are in the set all the same, by reason."""
    taken: int
    unlisted: int
    """Clips that are found and not in the list."""
    generated: int
    doubled: int
    unnamed: tuple[str, ...]
    """Videos and sounds that are called like no clip, unfinished downloads too."""
    archives: tuple[str, ...]
    closed: tuple[str, ...]
    """Folders that cannot be read, with the reason."""
    clipped: int
    """Clips whose sound went beyond full scale."""
    no_words: int
    """Clips of speech without transcript."""
    faceless: int | None
    """Clips in which no face is found; None if none was looked for."""
    unlabelled: int | None
    """Clips of the list that VGGSounder's labels do not hold; None without labels."""
    voices: Voices | None
    setting: int | None
    fresh: int
    """Clips that were decoded now and not before."""
    metrics: tuple[str, ...]
    no_metrics: tuple[str, ...]
    """Default metrics that this version does not have."""

    def lines(self) -> list[str]:
        """For a person."""
        total = len(self.clips.entries)
        out = [
            f"{self.data_set}: list {self.clips.path.name}, {total} clips, sha256 "
            f"{self.clips.digest[:16]}, {self.clips.remark}",
            f"found    {self.found:6} of {total}",
            f"missing  {len(self.missing):6}" + (" -> missing.txt" if self.missing else ""),
            f"broken   {len(self.broken):6}" + (" -> broken.tsv" if self.broken else ""),
        ]
        reasons = Counter(reason for why in self.broken.values() for reason in why)
        out += [f"  {reasons[reason]:6} {reason}" for reason in REASONS if reasons[reason]]
        out.append(f"taken    {self.taken:6} -> manifest.jsonl")
        out += [f"  {n:6} of them {reason}, kept as asked" for reason, n in self.kept.items()]
        if self.difference:
            out.append(self.difference)
        if self.sound_only:
            out.append(f"of the missing, {self.sound_only} have sound and no video")
        if self.unlisted:
            out.append(f"{self.unlisted} clips are found and not in the list")
        if self.generated:
            out.append(f"{self.generated} files are called like generated ones and left alone")
        if self.doubled:
            out.append(
                f"{self.doubled} clips have several files, of which the first is taken, or the "
                "next of its kind where that cannot be decoded"
            )
        if self.unnamed:
            out.append(
                f"{len(self.unnamed)} files are called like no clip and left alone: "
                f"{shown(self.unnamed)}"
            )
        if self.archives:
            out.append(
                f"{len(self.archives)} archives are not looked into; unpack what belongs to the "
                f"set: {shown(self.archives)}"
            )
        if self.closed:
            out.append(f"{len(self.closed)} folders cannot be read: {shown(self.closed)}")
        if self.clipped:
            out.append(f"{self.clipped} clips have sound beyond full scale, which was clipped")
        if self.no_words:
            out.append(f"{self.no_words} clips have no transcript; metrics of words exclude them")
        if self.unlabelled:
            out.append(f"{self.unlabelled} clips of the list have no labels and are in no slice")
        if self.faceless:
            out.append(f"{self.faceless} clips show no face that could be found")
        elif self.faceless is None and self.setting is not None:
            out.append(f"{NOT_LOOKED_FOR}, then the same command again")
        if self.voices is not None:
            out.append(
                f"setting {self.setting}: {len(self.voices.of)} clips have a voice to imitate, "
                f"{self.voices.stated} of them by the list, {len(self.voices.without)} have none"
            )
        if self.no_metrics:
            out.append(f"default metrics not in this version: {', '.join(self.no_metrics)}")
        return out
