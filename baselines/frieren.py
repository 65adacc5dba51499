"""Frieren (NeurIPS 2024, arXiv 2406.00320) in its checkout and environment: ``--model frieren``.

Four of its scripts in a row: videos to 4 frames a second, CAVP features, mel-spectrograms, BigVGAN.
What its scripts do, as read in ``cyanbx/Frieren-V2A`` at 0c39692:

- Clips are taken from a flat folder in the order of their names, and the noise is seeded once a
  process (21). So a clip's sound depends on the clips before it in the same process. Clips are
  therefore named by their place in the benchmark and generated in fixed groups of ``group`` clips,
  always from the first clip of a group on: stopping and resuming, ``--limit`` and the order of
  work change nothing. The group's size is in the signature; ``--seed`` has no effect.
- A clip of less than 32 frames (8 s) gives no file and no error; a longer one gives 8.192 s, from
  its first 10 s.
- Several samples of a clip are drawn in one batch: take K is sample K of ``samples``, which is in
  the signature because it changes the noise.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from baselines.batch import (
    Answers,
    Outcome,
    Step,
    link_files,
    run_steps,
    saved_outcome,
    sound_flaw,
    write_table,
)
from baselines.examination import examine_installation
from baselines.external import Program, environment
from baselines.frieren_scripts import (
    CAVP_CONFIG,
    CONFIG,
    FEATURES,
    LAYOUT,
    MELS,
    REENCODE,
    SAMPLE_RATE,
    SECONDS,
    VOCODER,
    features_arguments,
    mel_folder,
    mels_arguments,
    num_evaluations,
    reencode_arguments,
    sound_folder,
    too_short,
    used_flags,
    vocoder_arguments,
    with_vae,
)
from baselines.installation import (
    Installation,
    check_installation,
    commit_of,
    read_installation,
    weight_digest,
)
from vsseval.errors import InputError
from vsseval.files import locked
from vsseval.types import Benchmark, Call, Finding, Item, ModelContext, ModelOutput


def load(context: ModelContext) -> Frieren:
    """Frieren as models.toml describes it.

    Raises:
        InputError: it is not set up, or its files are not all there.
        MissingWeightsError: weights are missing.
    """
    installation = read_installation(LAYOUT, context.checkpoint)
    check_installation(installation)
    return Frieren(installation, context.benchmark)


def examine(checkpoint: Path | None) -> list[Finding]:
    """What ``vsseval models doctor frieren`` says."""
    return examine_installation(LAYOUT, checkpoint, helps=used_flags(), tools=("ffmpeg",))


class Frieren:
    """Groups of clips through its scripts; ``generate`` reads what they left."""

    def __init__(self, installation: Installation, benchmark: Benchmark) -> None:
        options = installation.options
        self._installation = installation
        self._items = benchmark.items
        self.group = int(installation.number("group"))
        self._names = {item.id: f"{at:06d}" for at, item in enumerate(benchmark.items)}
        self._answers = Answers(LAYOUT.name, num_evaluations(options))
        self.signature: Mapping[str, str] = {
            "name": LAYOUT.name,
            "upstream": f"cyanbx/Frieren-V2A@{commit_of(installation.checkout)}",
            **{w.key: weight_digest(w, installation.weights[w.key]) for w in LAYOUT.weights},
            **{key: str(options[key]) for key in ("solver", "steps", "scale", "samples", "group")},
            "noise": "upstream seed 21, once a group",
            "output": f"{SAMPLE_RATE} Hz mono, {SECONDS} s",
            "version": "1",
        }
        self.notes = (
            "frieren seeds itself: --seed has no effect; clips below 8 s fail, others give 8.192 s",
        )

    def prepare(self, calls: Sequence[Call], folder: Path, advance: Callable[[], None]) -> None:
        """Run the scripts for every group that has a clip among ``calls``.

        Raises:
            InputError: more takes than ``samples``, or a folder upstream cannot work in.
            ExternalToolError: a script fails whatever the clip.
        """
        folder = folder.absolute()
        samples = int(self._installation.number("samples"))
        self._refuse(folder, samples, 1 + max(call.take for call in calls))
        write_table(folder, [(self._names[item.id], item) for item in self._items])
        places = {item.id: at for at, item in enumerate(self._items)}
        groups: dict[int, list[Call]] = {}
        for call in calls:
            groups.setdefault(places[call.item.id] // self.group, []).append(call)
        for number, wanted in sorted(groups.items()):
            # All clips before the last one that is asked for: they move its noise.
            last = max(places[call.item.id] for call in wanted)
            items = {
                self._names[item.id]: item for item in self._items[number * self.group : last + 1]
            }
            group = _Group(self._installation, folder, f"group-{number:05d}", items)
            with locked(group.folder):
                outcome = group.run({self._names[call.item.id] for call in wanted})
            share = outcome.seconds / (len(outcome.names) * samples)
            for call in wanted:
                name = self._names[call.item.id]
                self._answers.add(
                    call,
                    group.sound(name, call.take),
                    failure=outcome.failed.get(name, ""),
                    seconds=share,
                )
                advance()

    def _refuse(self, folder: Path, samples: int, takes: int) -> None:
        if takes > samples:
            raise InputError(
                f"frieren draws samples = {samples} a clip, asked for are {takes} takes; set "
                f"samples = {takes} under [frieren] in {self._installation.source}"
            )
        if set(str(folder)) & set("[]*?"):
            raise InputError(
                f"frieren's scripts find no file in {folder}: brackets, * and ? in a path are "
                "patterns to them; pass another --cache DIR"
            )

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """What the vocoder wrote for the clip.

        Raises:
            InputError: there is nothing, or not what is declared; with the reason.
        """
        return self._answers.give(item, seed)


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring clips that go through the scripts together, from the group's first one on."""

    installation: Installation
    work: Path
    label: str
    items: Mapping[str, Item]
    """By name."""

    @property
    def folder(self) -> Path:
        return self.work / self.label

    def sound(self, name: str, take: int) -> Path:
        """Where the audio of a take is, or would be."""
        return self.folder / "sound" / sound_folder(Path("mels")).name / f"Y{name}_{take}.wav"

    def run(self, wanted: Collection[str]) -> Outcome:
        """Make what is missing of ``wanted`` and of what comes before.

        Raises:
            ExternalToolError: a script fails whatever the clip.
        """
        marker = self.folder / "done.json"
        before = saved_outcome(marker)
        if before is not None:
            if self._serves(before, wanted):
                return before
            # More clips than before, or some to try again: from the group's beginning.
            marker.unlink()
            for path in self.folder.glob("*.json"):
                path.unlink()
        absent = {
            name: f"no video at {item.video}" if item.video else "the item has no video"
            for name, item in self.items.items()
            if item.video is None or not item.video.is_file()
        }
        names = [name for name in self.items if name not in absent]
        steps = run_steps(self.folder, names, self._steps())
        failed = {**absent, **steps.failed, **self._flaws(set(names) - set(steps.failed))}
        hopeless = (*absent, *steps.hopeless)
        outcome = Outcome(tuple(self.items), failed, hopeless, steps.seconds)
        outcome.save(marker)
        for name in ("videos", "low-rate", "features", "mels", "inputs"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.rmtree(self.folder / "sound" / "mels", ignore_errors=True)
        return outcome

    def _flaws(self, names: Collection[str]) -> dict[str, str]:
        """What is not as declared in the sound of these clips."""
        samples = int(self.installation.number("samples"))
        flaws = {}
        for name in names:
            for take in range(samples):
                flaw = sound_flaw(
                    self.sound(name, take), sample_rate=SAMPLE_RATE, channels=1, length=SECONDS
                )
                if flaw:
                    flaws[name] = f"frieren vocoder: {flaw}"
        return flaws

    def _serves(self, before: Outcome, wanted: Collection[str]) -> bool:
        again = set(before.failed) - set(before.hopeless)
        made = set(wanted) - set(before.failed)
        return (
            set(before.names) >= set(self.items)
            and not again.intersection(wanted)
            and all(self.sound(name, 0).is_file() for name in made)
        )

    def _steps(self) -> list[Step]:
        """The four scripts. Input folders hold links to the files of the clips that are left."""
        here, weights = self.folder, self.installation.weights
        options, root = self.installation.options, self.installation.checkout
        last = int(self.installation.number("samples")) - 1
        names_file, low_rate, features = here / "names.txt", here / "low-rate", here / "features"
        mels = mel_folder(here / "mels", options)
        vocoder_in = here / "sound" / "mels"

        def listed(names: Sequence[str]) -> Path:
            names_file.write_text("".join(f"{name}\n" for name in names))
            return names_file

        def reencode(names: Sequence[str]) -> Program:
            links = [(f"{name}.mp4", Path(str(self.items[name].video))) for name in names]
            link_files(here / "videos", links)
            # Relative: the script splits ffmpeg's command line at every space.
            relative = (Path("videos"), Path("low-rate"), Path(names_file.name))
            listed(names)
            return self._program("reencode", REENCODE, reencode_arguments(*relative), low_rate)

        def extract(names: Sequence[str]) -> Program:
            arguments = features_arguments(
                root / CAVP_CONFIG, weights["cavp"], low_rate, features, listed(names)
            )
            return self._program("features", FEATURES, arguments, features)

        def draw(names: Sequence[str]) -> Program:
            inputs = here / "inputs"
            link_files(inputs, [(f"{name}.npz", features / f"{name}.npz") for name in names])
            config = here / "config.yaml"
            text = (root / CONFIG).read_text(encoding="utf-8")
            config.write_text(with_vae(text, weights["vae"]), encoding="utf-8")
            arguments = mels_arguments(weights["cfm"], config, inputs, here / "mels", options)
            return self._program("mels", MELS, arguments, here / "mels")

        def vocode(names: Sequence[str]) -> Program:
            files = [f"Y{name}_{take}.npy" for name in names for take in range(last + 1)]
            link_files(vocoder_in, [(file, mels / file) for file in files])
            arguments = vocoder_arguments(vocoder_in, weights["vocoder"])
            return self._program("vocoder", VOCODER, arguments, sound_folder(vocoder_in))

        return [
            Step("reencode", reencode, low_rate, lambda name: low_rate / f"{name}.mp4"),
            Step("features", extract, features, lambda name: features / f"{name}.npz", too_short),
            Step(
                "mels",
                draw,
                here / "mels",
                lambda name: mels / f"Y{name}_{last}.npy",
                ordered=True,
            ),
            Step("vocoder", vocode, sound_folder(vocoder_in), lambda name: self.sound(name, last)),
        ]

    def _program(
        self, step: str, script: str, arguments: tuple[str, ...], outputs: Path
    ) -> Program:
        """A call of a script.

        The last two find the package beside their working directory, the features script on
        PYTHONPATH. The first two work from anywhere, so with the group's folder as theirs.
        """
        installation = self.installation
        root = installation.checkout
        return Program(
            title=f"frieren {step}",
            command=(str(installation.python), str(root / script), *arguments),
            folder=root / "script" if script in (MELS, VOCODER) else self.folder,
            env=environment(installation.python, installation.variables()),
            log=self.work / "logs" / f"{self.label}.{step}.log",
            timeout=installation.number("timeout"),
            outputs=outputs,
        )
