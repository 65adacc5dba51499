"""What several commands share."""

from __future__ import annotations

import click

from vssflow.config import PRESETS

PRESET_NAMES = tuple(PRESETS)
device_option = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True
)


def report(message: str) -> None:
    """Print progress where it does not mix with results."""
    click.echo(message, err=True)
