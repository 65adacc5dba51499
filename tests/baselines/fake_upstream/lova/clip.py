"""Fake: counts how often CLIP is loaded, and in one mood waits for another process to do so."""

import json
import os
import time
from pathlib import Path


def load(name, device="cpu", jit=False, download_root=None):
    assert (Path(download_root) / "ViT-L-14.pt").is_file()
    with Path(os.environ["FAKE_CALLS"]).open("a") as calls:
        calls.write("clip\n")
    meet = json.loads(os.environ.get("FAKE_MOOD", "{}")).get("clip", {}).get("meet", 0)
    deadline = time.monotonic() + 240
    while Path(os.environ["FAKE_CALLS"]).read_text().split().count("clip") < meet:
        assert time.monotonic() < deadline, "nobody else loads CLIP"
        time.sleep(0.05)
    return None, None
