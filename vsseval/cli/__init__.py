"""The ``vsseval`` command."""

from __future__ import annotations

from vsseval.cli.main import main

__all__ = ["main"]
