"""Commands that make sound: sample, sample-full."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vssflow.cli.common import PRESET_NAMES, device_option, finite, report, seed_option

if TYPE_CHECKING:
    from vsseval.types import ModelOutput


@click.command()
@click.option("--video", type=click.Path(path_type=Path), required=True, help="0.2 to 120 s.")
@click.option("--text", help="Words to speak; without them a sound is made.")
@click.option("--reference-voice", type=click.Path(path_type=Path), help="WAV or FLAC to imitate.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="WAV or FLAC; MP4 for the pictures with the audio, and a WAV of the same name. Replaced "
    "if they are there.",
)
@click.option("--speech-span", type=(float, float), help="Start and end of the speech [s].")
@click.option("--face-box", type=(int, int, int, int), help="left top right bottom [pixels].")
@click.option("--checkpoint", type=click.Path(path_type=Path))
@click.option("--preset", help="Refuse a checkpoint whose fields differ from this preset's.")
@click.option("--steps", type=click.IntRange(min=1), help="Solver updates.")
@click.option(
    "--guidance",
    type=float,
    callback=finite,
    help="w in v_u + w (v_c - v_u); 1 is plain conditional.",
)
@click.option("--solver", default="euler", show_default=True, help="euler midpoint heun dopri5")
@click.option("--grid", default="uniform", show_default=True, help="uniform sway quadratic")
@seed_option
@device_option
def sample(
    video: Path,
    text: str | None,
    reference_voice: Path | None,
    out: Path,
    speech_span: tuple[float, float] | None,
    face_box: tuple[int, int, int, int] | None,
    checkpoint: Path | None,
    preset: str | None,
    steps: int | None,
    guidance: float | None,
    solver: str,
    grid: str,
    seed: int,
    device: str,
) -> None:
    """Make the audio of one video; one longer than 10 s in windows (t = 0 noise, t = 1 data)."""
    from vsseval.errors import InputError
    from vssflow.checkpoint import read_config, require_config, shipped_checkpoint
    from vssflow.config import preset as named_preset
    from vssflow.devices import take_device
    from vssflow.film import generate_film
    from vssflow.system import Settings, load_flow_model

    take_device(device)
    _check_options(solver, grid)
    _check_out(out, {"--video": video, "--reference-voice": reference_voice})
    path = checkpoint or shipped_checkpoint(PRESET_NAMES[0])
    if preset is not None:
        if checkpoint is None and named_preset(preset) != read_config(path):
            raise InputError(
                f"no checkpoint of preset {preset} comes with the package; give --checkpoint"
            )
        require_config(path, named_preset(preset))
    config = read_config(path)
    settings = Settings(
        steps or config.num_steps,
        config.guidance_scale if guidance is None else guidance,
        solver,
        grid,
    )
    output = generate_film(
        load_flow_model(path, settings, device),
        video,
        text=text,
        voice=reference_voice,
        face=face_box,
        seed=seed,
        report=report,
        span=speech_span,
    )
    _write_output(video, output, out)


def _check_options(solver: str, grid: str) -> None:
    """Refuse what cannot be made before anything is loaded."""
    from vssflow.solvers import solver_named, time_grid

    solver_named(solver)
    time_grid(grid, 1)


def _sound_of(out: Path) -> Path:
    """The audio file that is written for an --out."""
    return out.with_suffix(".wav") if out.suffix.lower() == ".mp4" else out


def _check_out(out: Path, inputs: Mapping[str, Path | None]) -> None:
    """Refuse an --out that cannot be written, or that would take the place of an input.

    Raises:
        InputError: another kind of file, a folder, below a file, without permission, or an input.
    """
    from vsseval.errors import InputError

    if out.suffix.lower() not in (".wav", ".flac", ".mp4"):
        raise InputError(f"--out {out} is none of .wav, .flac and .mp4; give such a name")
    for path in {_sound_of(out), out}:
        if path.is_dir():
            raise InputError(f"--out: {path} is a folder; give the name of a file")
        for option, given in inputs.items():
            if given is not None and path.exists() and given.exists() and path.samefile(given):
                raise InputError(
                    f"--out {out} would take the place of {option} {path}; give another name"
                )
    folder = out.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        what = "may not be written to" if folder.is_dir() else "is a file, not a folder"
        raise InputError(f"--out {out}: {folder} {what}; give another place")


def _write_output(video: Path, output: ModelOutput, out: Path) -> None:
    """Write the audio and, for an MP4, the pictures with it; print the names."""
    from vsseval.audio import write_audio
    from vssflow.preview import write_preview

    sound = _sound_of(out)
    write_audio(sound, output.audio)
    report(f"{output.audio.duration:.2f} s, {output.nfe} network evaluations")
    if sound != out:
        if not write_preview(video, output.audio, out):
            report("the pictures were encoded anew as H.264")
        click.echo(sound)
    click.echo(out)


@click.command("sample-full")
@click.option("--video", type=click.Path(path_type=Path), required=True, help="0.2 to 120 s.")
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True)
@click.option("--clip", type=click.Path(path_type=Path), required=True, help="CLIP ViT-B/16.")
@click.option("--audioldm2", type=click.Path(path_type=Path), required=True)
@click.option("--synchformer", help="Its checkpoint, or `synchformer`: the weight store's.")
@click.option("--sync", type=click.Path(path_type=Path), help="Synchformer .npy, up to 10 s.")
@click.option("--lips", type=click.Path(path_type=Path), help="AV-HuBERT .npy.")
@click.option("--speaker", type=click.Path(path_type=Path), help="RawNet3 .npy.")
@click.option("--text", help="Words to speak; without them a sound is made.")
@click.option("--speech-span", type=(float, float), help="Start and end of the speech [s].")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="As for `sample`.")
@click.option("--steps", type=click.IntRange(min=1), help="Solver updates.")
@click.option(
    "--guidance",
    type=float,
    callback=finite,
    help="w in v_u + w (v_c - v_u); 1 is plain conditional.",
)
@click.option("--solver", default="euler", show_default=True, help="euler midpoint heun dopri5")
@click.option("--grid", default="uniform", show_default=True, help="uniform sway quadratic")
@click.option("--durations", type=click.Path(path_type=Path), help="v1: duration predictor.")
@click.option("--path-to-the-end", is_flag=True, help="v1: its path as the authors cut it.")
@click.option("--drift", is_flag=True, help="v1: integrate condition channels, as the authors.")
@seed_option
@device_option
def sample_full(
    video: Path,
    checkpoint: Path,
    clip: Path,
    audioldm2: Path,
    synchformer: str | None,
    sync: Path | None,
    lips: Path | None,
    speaker: Path | None,
    text: str | None,
    speech_span: tuple[float, float] | None,
    out: Path,
    steps: int | None,
    guidance: float | None,
    solver: str,
    grid: str,
    durations: Path | None,
    path_to_the_end: bool,
    drift: bool,
    seed: int,
    device: str,
) -> None:
    """Make the audio of one video with a full-size checkpoint; lips and speaker are given."""
    from vsseval.errors import InputError
    from vssflow.audioldm2 import load_audioldm2
    from vssflow.checkpoint import load_checkpoint, read_config
    from vssflow.clip_vision import load_clip
    from vssflow.devices import take_device
    from vssflow.duration_predictor import load_prediction
    from vssflow.full_pictures import load_sync
    from vssflow.full_system import FullModel, Given, generate_full
    from vssflow.system import Settings, words_of_transcript

    take_device(device)
    _check_options(solver, grid)
    _check_out(out, {"--video": video})
    config = read_config(checkpoint)
    if "sync" in config.streams and (synchformer is None) == (sync is None):
        raise InputError("give one of --synchformer and --sync")
    networks = load_checkpoint(checkpoint).to(device)
    if config.trained_front_ends:
        raise InputError(f"{checkpoint} has its own front ends; use `vssflow sample`")
    settings = Settings(
        steps or config.num_steps,
        config.default_guidance(speech=text is not None) if guidance is None else guidance,
        solver,
        grid,
        drift,
    )
    prediction = None
    if durations is not None:
        prediction = load_prediction(durations, config)._replace(to_the_end=path_to_the_end)
    output = generate_full(
        FullModel(
            networks,
            load_audioldm2(audioldm2).to(device),
            load_clip(clip, device),
            settings,
            None if synchformer is None else load_sync(synchformer).to(device),
            prediction,
        ),
        video,
        Given(sync, lips, speaker),
        words=None if text is None else words_of_transcript(text),
        seed=seed,
        report=report,
        span=speech_span,
    )
    _write_output(video, output, out)
