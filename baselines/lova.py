"""LoVA (ICASSP 2025, arXiv 2409.15157) in its own checkout and environment: ``--model lova``.

Its repository has no command line, so ``drivers/lova_driver.py`` is run by its Python, once for all
clips that are missing. Every clip has its own seed and is sampled alone: it comes out the same in
any run.

Length: upstream samples whole seconds. A clip gets as many as cover its video (up to 50 ms may be
left uncovered, so that 10.01 s is 10 s), at most 30; the latent frames of 2048 samples are rounded
down, so that 10 s gives 9.984 s. Level: upstream divides by the peak.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from baselines.batch import Answers, sound_flaw, write_table
from baselines.examination import examine_installation
from baselines.external import Program, environment, insist, run_program
from baselines.installation import (
    Installation,
    Layout,
    Weights,
    check_installation,
    commit_of,
    read_installation,
    weight_digest,
)
from vsseval.errors import InputError
from vsseval.files import locked, write_atomic
from vsseval.types import Benchmark, Call, Finding, Item, ModelContext, ModelOutput

SAMPLE_RATE = 44100
HOP = 2048
"""Samples a latent frame."""
MOST_SECONDS = 30
"""Longest clip it was trained on [s]."""
UNCOVERED_SECONDS = 0.05

FLAGS = (
    *("--table", "--out", "--results", "--weights", "--clip"),
    *("--device", "--steps", "--scale", "--sampler"),
)
"""What the driver is given."""

DRIVER = Path(__file__).parent / "drivers" / "lova_driver.py"

LAYOUT = Layout(
    name="lova",
    repository="https://github.com/Ceaglex/LoVA",
    commit="0f324026fd656b527def63d683819a1f1e81652e",
    scripts=(
        "stable_audio_tools/__init__.py",
        "stable_audio_tools/inference/generation.py",
        "stable_audio_tools/models/conditioners.py",
        "stable_audio_tools/configs/model_config_vl30.json",
    ),
    packages=(
        *("torch", "torchaudio", "safetensors", "einops", "k_diffusion", "moviepy", "clip"),
        "stable_audio_tools.inference.generation",
    ),
    weights=(
        Weights(
            "weights",
            "the model (epoch=60-step=2818.safetensors)",
            "Google Drive 1cpm6g5ldQmhGABqW692MBYfykZ5agfti, or the Baidu link of its README",
            default="weight/epoch=60-step=2818.safetensors",
        ),
        Weights(
            "clip",
            "the folder of OpenAI's CLIP ViT-L/14",
            "its environment's python -c \"import clip; clip.load('ViT-L/14', device='cpu', "
            "download_root='weight/CLIP')\" in the checkout",
            inside=("ViT-L-14.pt",),
            default="weight/CLIP",
        ),
    ),
    options={
        "gpu": "0",
        "device": "cuda",
        "steps": 150,
        "scale": 7.0,
        "sampler": "dpmpp-3m-sde",
        "timeout": 1800.0,
    },
    python_path="",
)


def load(context: ModelContext) -> Lova:
    """LoVA as models.toml describes it.

    Raises:
        InputError: it is not set up, or its files are not all there.
        MissingWeightsError: weights are missing.
    """
    installation = read_installation(LAYOUT, context.checkpoint)
    check_installation(installation)
    return Lova(installation, context.benchmark)


def examine(checkpoint: Path | None) -> list[Finding]:
    """What ``vsseval models doctor lova`` says."""
    return examine_installation(LAYOUT, checkpoint, helps={str(DRIVER): FLAGS})


def whole_seconds(duration: float) -> int:
    """Seconds that are asked of upstream for a clip.

    Raises:
        InputError: more than it was trained on.
    """
    seconds = max(1, math.ceil(duration - UNCOVERED_SECONDS))
    if seconds > MOST_SECONDS:
        raise InputError(f"lova makes up to {MOST_SECONDS} s, the item lasts {duration:.2f} s")
    return seconds


def output_seconds(seconds: int) -> float:
    """Length of what comes out for so many seconds [s]."""
    return SAMPLE_RATE * seconds // HOP * HOP / SAMPLE_RATE


class Lova:
    """All missing clips through the driver; ``generate`` reads what it left."""

    def __init__(self, installation: Installation, benchmark: Benchmark) -> None:
        options = installation.options
        self._installation = installation
        self._names = {item.id: f"{at:06d}" for at, item in enumerate(benchmark.items)}
        self._items = benchmark.items
        one_a_step = options["sampler"] == LAYOUT.options["sampler"]
        self._answers = Answers(LAYOUT.name, 2 * int(options["steps"]) * one_a_step)
        self.signature: Mapping[str, str] = {
            "name": LAYOUT.name,
            "upstream": f"Ceaglex/LoVA@{commit_of(installation.checkout)}",
            **{w.key: weight_digest(w, installation.weights[w.key]) for w in LAYOUT.weights},
            **{key: str(options[key]) for key in ("device", "steps", "scale", "sampler")},
            "noise": "seeded by the clip",
            "output": f"{SAMPLE_RATE} Hz stereo, whole seconds in frames of {HOP}, peak 1",
            "version": "1",
        }

    def prepare(self, calls: Sequence[Call], folder: Path, advance: Callable[[], None]) -> None:
        """Run the driver for the clips that have no file yet.

        Raises:
            ExternalToolError: it fails whatever the clip.
        """
        folder = folder.absolute()
        write_table(folder, [(self._names[item.id], item) for item in self._items])
        # Shards begin with different clips; the same command a second time waits.
        work = folder / self._name(calls[0])
        with locked(work):
            self._run(calls, folder, work, advance)

    def _run(
        self, calls: Sequence[Call], folder: Path, work: Path, advance: Callable[[], None]
    ) -> None:
        rows: dict[str, dict[str, object]] = {}
        failed: dict[str, str] = {}
        for call in calls:
            try:
                rows[self._name(call)] = self._row(call)
            except InputError as error:
                failed[self._name(call)] = str(error)
        seconds = 0.0
        results = work / "results.jsonl"
        results.unlink(missing_ok=True)

        def attempt(left: Sequence[str]) -> None:
            nonlocal seconds
            table = "".join(f"{json.dumps(rows[name])}\n" for name in left)
            write_atomic(work / "table.jsonl", table.encode())
            seconds += run_program(self._program(work))

        def done() -> Collection[str]:
            return {*finished(work), *reported(results)}

        before = finished(folder)
        todo = [name for name in rows if name not in before]
        failed.update(insist(todo, attempt, done, again=False))
        failed.update(reported(results))
        share = seconds / max(1, len(todo))
        for call in calls:
            name = self._name(call)
            path = before.get(name, work / "sound" / f"{name}.wav")
            if name not in failed:
                failed[name] = _flaw(path, call.item)
            if failed[name]:
                path.unlink(missing_ok=True)
            self._answers.add(call, path, failure=failed[name], seconds=share)
            advance()

    def _name(self, call: Call) -> str:
        return f"{self._names[call.item.id]}_{call.take}"

    def _row(self, call: Call) -> dict[str, object]:
        """A line of the driver's table.

        Raises:
            InputError: no video, or one that is too long.
        """
        video = call.item.video
        if video is None or not video.is_file():
            raise InputError(f"no video at {video}" if video else "the item has no video")
        return {
            "name": self._name(call),
            "video": str(video.absolute()),
            "seconds": whole_seconds(call.item.duration),
            # Upstream draws its own seeds from 32 bits.
            "seed": call.seed % 2**32,
        }

    def _program(self, work: Path) -> Program:
        installation = self._installation
        values = (
            *(work / "table.jsonl", work / "sound", work / "results.jsonl"),
            *(installation.weights["weights"], installation.weights["clip"]),
            *(installation.options[key] for key in ("device", "steps", "scale", "sampler")),
        )
        words = [str(word) for pair in zip(FLAGS, values, strict=True) for word in pair]
        return Program(
            title="lova",
            command=(str(installation.python), str(DRIVER), *words),
            folder=installation.checkout,
            env=environment(installation.python, installation.variables()),
            log=work / "logs" / "driver.log",
            timeout=installation.number("timeout"),
            outputs=work / "sound",
        )

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """What the driver wrote for the clip.

        Raises:
            InputError: there is nothing, or not what is declared; with the reason.
        """
        return self._answers.give(item, seed)


def finished(folder: Path) -> dict[str, Path]:
    """Sound by name in the folder and all below it, whichever run made it."""
    return {path.stem: path for path in folder.glob("**/sound/*.wav")}


def reported(results: Path) -> dict[str, str]:
    """Errors of single clips that the driver noted; the last line may be cut off."""
    errors = {}
    for line in results.read_bytes().splitlines() if results.is_file() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if "error" in entry:
            errors[entry["name"]] = f"lova: {' '.join(entry['error'].split())}"
    return errors


def _flaw(path: Path, item: Item) -> str:
    if not path.is_file():
        return "lova: the driver wrote nothing for this clip"
    length = output_seconds(whole_seconds(item.duration))
    flaw = sound_flaw(path, sample_rate=SAMPLE_RATE, channels=2, length=length)
    return f"lova: {flaw}" if flaw else ""
