"""What several commands share."""

from __future__ import annotations

import math

import click

from vssflow.config import PRESETS

PRESET_NAMES = tuple(PRESETS)
device_option = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True
)


def finite(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """Refuse NaN and infinity, which no range does."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no finite number")
    return value


seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True
)


def report(message: str) -> None:
    """Print progress where it does not mix with results."""
    click.echo(message, err=True)
