"""``python -m vsseval``."""

from vsseval.cli import main

main(prog_name="vsseval")
