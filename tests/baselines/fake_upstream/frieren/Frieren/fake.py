"""Shared by the fake scripts: upstream's argument lists, and moods in which they misbehave.

``interfaces.json`` beside the checkout's root is the stored extract of the real argument lists.
``FAKE_MOOD`` is a JSON object: step -> {crash_at, hang_at, skip, rate, broken, meet}. One
that hangs notes its process in ``hangs.txt``.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TYPES = {"str": str, "int": int, "float": float}


def arguments(script):
    """Parsed by a parser with the flags of the real script of this name."""
    facts = json.loads((ROOT / "interfaces.json").read_text())["frieren"]["flags"][script]
    parser = argparse.ArgumentParser()
    for flag, fact in facts.items():
        parser.add_argument(flag, *fact["also"], type=TYPES[fact["type"]], default=fact["default"])
    return parser.parse_args()


def mood(step):
    return json.loads(os.environ.get("FAKE_MOOD", "{}")).get(step, {})


def begin(step):
    """Called once a process."""
    with (ROOT / "calls.txt").open("a") as calls:
        calls.write(step + "\n")
    if mood(step).get("broken"):
        raise ModuleNotFoundError("No module named 'torchdyn'")
    deadline = time.monotonic() + 240
    while (ROOT / "calls.txt").read_text().split().count(step) < mood(step).get("meet", 0):
        assert time.monotonic() < deadline, "nobody else came to this step"
        time.sleep(0.05)


def skips(step, name):
    """Called before each clip; True if nothing is to be written for it."""
    now = mood(step)
    if now.get("crash_at") == name:
        sys.stderr.write("CUDA error: device-side assert triggered\n")
        sys.exit(3)
    if now.get("hang_at") == name:
        (ROOT / "hangs.txt").write_text(f"{os.getpid()}\n")
        time.sleep(3600)
    return now.get("skip") == name
