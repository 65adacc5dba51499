"""Commands that make models: train, preprocess, ablate, convert."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from vssflow.cli.common import PRESET_NAMES, device_option, finite, report, seed_option

if TYPE_CHECKING:
    from vssflow.run import Run, Stage


@click.command()
@click.option("--preset", type=click.Choice(PRESET_NAMES), default="tiny", show_default=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Benchmark folder, or folder of such folders: the train split.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option(
    "--stage",
    type=click.Choice(["codec", "decoder", "frontends", "durations", "flow", "all"]),
    default="all",
    show_default=True,
)
@click.option("--steps", type=click.IntRange(min=1), help="Updates of each network.")
@click.option(
    "--minutes", type=click.FloatRange(min=0.01), callback=finite, help="Wall time of the stage."
)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many clips a folder.")
@seed_option
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@device_option
@click.option("--batch", type=click.IntRange(min=1), default=32, show_default=True)
@click.option("--accumulate", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--joint-share", type=click.FloatRange(0, 1), default=0.0, show_default=True)
@click.option("--speech-share", type=click.FloatRange(0, 1), help="Default: as in the data.")
@click.option("--joint-extent", type=click.Choice(["span", "clip"]), default="span")
@click.option("--mask-lip-sync", help="Shares of masked frames, one drawn a batch, such as 0,1.")
@click.option("--dropout-per-batch", is_flag=True, help="Drop conditions as the authors do.")
@click.option("--precision", type=click.Choice(["bfloat16", "float32"]), default="bfloat16")
@click.option("--gradient-checkpointing", is_flag=True)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    callback=finite,
    default=1e-3,
    show_default=True,
)
@click.option(
    "--reuse",
    type=click.Path(path_type=Path),
    help="Run whose codec, front ends and features --stage flow uses, for another layout.",
)
@click.option(
    "--start",
    type=click.Path(path_type=Path),
    help="What a full-size model begins from: Stable Audio Open's transformer, or a checkpoint.",
)
@click.option(
    "--audioldm2",
    type=click.Path(path_type=Path),
    help="Folder of cvssp/audioldm2, for joint clips of a full-size model.",
)
def train(
    preset: str,
    data: Path,
    out: Path,
    stage: Stage,
    steps: int | None,
    minutes: float | None,
    limit: int | None,
    seed: int,
    workers: int,
    threads: int,
    device: str,
    batch: int,
    accumulate: int,
    joint_share: float,
    speech_share: float | None,
    joint_extent: Literal["span", "clip"],
    mask_lip_sync: str | None,
    dropout_per_batch: bool,
    precision: str,
    gradient_checkpointing: bool,
    learning_rate: float,
    reuse: Path | None,
    start: Path | None,
    audioldm2: Path | None,
) -> None:
    """Train codec, front ends and transformer; an interrupted run continues.

    Options from --batch on are those of the transformer. Several processes share its batches:
    torchrun --nproc-per-node 2 -m vssflow train --stage flow ...
    """
    import torch

    from vssflow.devices import take_device
    from vssflow.distributed import joined_processes
    from vssflow.train import train as run_training
    from vssflow.train_flow import FlowTraining
    from vssflow.training import Budget

    take_device(device)
    torch.set_num_threads(threads)
    options = FlowTraining(
        batch=batch,
        joint_share=joint_share,
        speech_share=speech_share,
        joint_extent=joint_extent,
        mask_lip_sync=_ratios(mask_lip_sync),
        dropout_per_batch=dropout_per_batch,
        bfloat16=precision == "bfloat16",
        gradient_checkpointing=gradient_checkpointing,
        learning_rate=learning_rate,
    )
    run = _run(preset, data, out, limit, seed, workers)
    with joined_processes(device) as processes:
        run = replace(
            run,
            flow=options,
            accumulate=accumulate,
            processes=processes,
            reuse=reuse,
            start=start,
            audioldm2=audioldm2,
            device=device,
        )
        checkpoint = run_training(run, stage, Budget(steps, minutes))
    if checkpoint is not None and processes.first:
        click.echo(checkpoint)


def _ratios(text: str | None) -> tuple[float, ...]:
    """Numbers from 0 to 1 between commas."""
    if text is None:
        return ()
    try:
        ratios = tuple(float(part) for part in text.split(","))
    except ValueError:
        ratios = (-1.0,)
    if not all(0 <= ratio <= 1 for ratio in ratios):
        raise click.BadParameter(
            f"{text!r} is no list of numbers from 0 to 1, such as 0,1", param_hint="--mask-lip-sync"
        )
    return ratios


def _run(preset: str, data: Path, out: Path, limit: int | None, seed: int, workers: int) -> Run:
    from vsseval.weights import require
    from vssflow.config import preset as named_preset
    from vssflow.features import read_clips
    from vssflow.phonemes import read_dictionary
    from vssflow.run import Run

    clips = read_clips(data, limit)
    spoken = any(clip.transcript is not None for clip in clips)
    dictionary = read_dictionary(require("cmudict") / "cmudict.dict") if spoken else {}
    return Run(named_preset(preset), clips, out, seed, workers, dictionary, report)


@click.command()
@click.option("--preset", type=click.Choice(PRESET_NAMES), default="tiny", show_default=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Benchmark folder, or folder of such folders.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many clips a folder.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--clip", type=click.Path(path_type=Path), help="Folder of CLIP ViT-B/16.")
@click.option("--audioldm2", type=click.Path(path_type=Path), help="Folder of cvssp/audioldm2.")
@click.option("--synchformer", help="Its checkpoint, or `synchformer`: the weight store's.")
@click.option("--sync", type=click.Path(path_type=Path), help="Folder of Synchformer .npy.")
@click.option("--lips", type=click.Path(path_type=Path), help="Folder of AV-HuBERT .npy.")
@click.option("--speaker", type=click.Path(path_type=Path), help="Folder of RawNet3 .npy.")
@click.option(
    "--durations",
    type=click.Path(path_type=Path),
    help="v1: duration predictor for speech without alignment; else stretched evenly.",
)
@click.option("--retry", is_flag=True, help="Try the clips again that failed before.")
@device_option
def preprocess(
    preset: str,
    data: Path,
    out: Path,
    limit: int | None,
    workers: int,
    clip: Path | None,
    audioldm2: Path | None,
    synchformer: str | None,
    sync: Path | None,
    lips: Path | None,
    speaker: Path | None,
    durations: Path | None,
    retry: bool,
    device: str,
) -> None:
    """Compute and store the features of a data set; an interrupted run continues.

    Preset tiny: decoded media as memory-mapped arrays. Full-size presets: features in shards; they
    need --clip, --audioldm2 and --synchformer (or --sync), and for speech --lips and --speaker. v1
    needs no sync features, and --lips for its duration predictor alone. A clip that fails is left
    out and named. CLIP, Synchformer and AudioLDM2 run on --device.
    """
    from vsseval.errors import InputError
    from vssflow.devices import take_device
    from vssflow.run_features import decode

    take_device(device)
    run = _run(preset, data, out, limit, 0, workers)
    if run.config.trained_front_ends:
        decode(run, waves_only=False)
        click.echo(run.features)
        return
    from vssflow.audioldm2 import load_audioldm2
    from vssflow.clip_vision import load_clip
    from vssflow.duration_predictor import load_prediction
    from vssflow.full_features import FullFrontEnds, store_features
    from vssflow.full_pictures import load_sync

    blind = "sync" not in run.config.streams
    if clip is None or audioldm2 is None or (not blind and (synchformer is None) == (sync is None)):
        also = "" if blind else " and one of --synchformer and --sync"
        raise InputError(f"preset {preset} needs --clip, --audioldm2{also}")
    seen = None if blind else sync if synchformer is None else load_sync(synchformer).to(device)
    prediction = None if durations is None else load_prediction(durations, run.config)
    ends = FullFrontEnds(
        load_audioldm2(audioldm2).to(device),
        load_clip(clip, device),
        seen,
        lips,
        speaker,
        run.dictionary,
        prediction,
    )
    failed = store_features(run.clips, run.features, ends, run.config, report, retry=retry)
    for name, reason in failed.items():
        report(f"left out {name}: {reason}")
    report(f"{len(run.clips) - len(failed)} of {len(run.clips)} clips stored")
    click.echo(run.features)


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Train split, as `vsseval data demo --split train` makes it.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Working folder.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results/ablations"),
    show_default=True,
    help="Tables, scores, curves, records.",
)
@click.option(
    "--preset", type=click.Choice(["small", "tiny", "medium"]), default="small", show_default=True
)
@click.option(
    "--steps",
    type=click.IntRange(min=20),  # a curve has a row every 20 updates
    default=1500,
    show_default=True,
)
@click.option("--batch", type=click.IntRange(min=4), default=32, show_default=True)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Training clips of a folder.")
@click.option("--test-limit", type=click.IntRange(min=2), help="Test clips of a task.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@device_option
def ablate(
    names: tuple[str, ...],
    data: Path,
    out: Path,
    results: Path,
    preset: str,
    steps: int,
    batch: int,
    seeds: int,
    limit: int | None,
    test_limit: int | None,
    workers: int,
    device: str,
) -> None:
    """Train the models that some of the paper's findings speak of, score them, and judge.

    NAMES: all-cross, phonemes, sync, joint-training, joint-clips; none: all of them. Everything
    that was finished is kept: an interrupted command continues. Models are trained on one thread
    each, so many at a time as there are workers.
    """
    from vssflow.ablate import run_ablations
    from vssflow.ablate_train import Plan
    from vssflow.devices import take_device

    take_device(device)
    plan = Plan(out, data, preset, steps, batch, limit, test_limit, device)
    run_ablations(plan, names, seeds, results, workers, report)
    click.echo(results)


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="safetensors file.")
def convert(checkpoint: Path, out: Path) -> None:
    """Turn a Lightning checkpoint of VSSFlow's authors into one of ours (float32)."""
    import torch

    from vssflow.checkpoint import save_checkpoint
    from vssflow.upstream import load_upstream

    networks = load_upstream(checkpoint)
    save_checkpoint(networks, out, dtype=torch.float32)
    report(f"preset {networks.config.preset}, {networks.config.depth} blocks")
    click.echo(out)
