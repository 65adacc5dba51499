"""Counts and digests of published lists of clips, by plain text operations on the lists.

    python tests/reference/lists_recipe.py CHECKOUTS > tests/reference/benchmark_lists.json

CHECKOUTS holds git directories or checkouts named as in ``SOURCES``. Nothing of vsseval is used.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Ids = Callable[[str], list[str]]


def vggsound(text: str) -> list[str]:
    return [row[0].removesuffix(".mp4") for row in csv.reader(io.StringIO(text)) if row]


def vggsounder(text: str) -> list[str]:
    return sorted({row["video_id"] for row in csv.DictReader(io.StringIO(text))})


def plain(text: str) -> list[str]:
    return text.split()


def chem(text: str) -> list[str]:
    return ["chem/" + line.split("|")[0] for line in text.splitlines() if line.strip()]


def grid(text: str) -> list[str]:
    found = re.findall(r"^(s\d+)/s\d+-(\w{6})\.wav\|", text, re.MULTILINE)
    return [f"grid/{speaker}/{sentence}" for speaker, sentence in found]


def v2c(text: str) -> list[str]:
    return ["v2c/" + name for name in re.findall(r"^[^/|]+/([^/|]+)\.wav\|", text, re.MULTILINE)]


def condfoley(text: str) -> list[str]:
    return list(json.loads(text))


LABELS = "supplimentary/data/vggsounder"
SOURCES: list[tuple[str, str, str, str, Ids]] = [
    ("vggsound", "test", "hche11/VGGSound", "data/test.csv", vggsound),
    ("vggsound", "frieren-test", "cyanbx/Frieren-V2A", "data/Test.txt", plain),
    (
        "vggsound",
        "vggsounder-1.0",
        "Bizilizi/VGGSounder",
        f"{LABELS}+background-music.csv",
        vggsounder,
    ),
    ("vggsound", "vggsounder-1.0-no-music", "Bizilizi/VGGSounder", f"{LABELS}.csv", vggsounder),
    (
        "vggsound",
        "vggsounder-0.1.6",
        "Bizilizi/VGGSounder",
        f"{LABELS}+background-music_0.1.6.csv",
        vggsounder,
    ),
    (
        "vggsound",
        "vggsounder-0.1.6-no-music",
        "Bizilizi/VGGSounder",
        f"{LABELS}_0.1.6.csv",
        vggsounder,
    ),
    ("chem", "test", "RanaCM/DSU-AVO", "data/Chem/raw_text/test.txt", chem),
    ("chem", "val", "RanaCM/DSU-AVO", "data/Chem/raw_text/val.txt", chem),
    ("chem", "train", "RanaCM/DSU-AVO", "data/Chem/raw_text/train.txt", chem),
    ("grid", "test", "ZZDoog/ProDubber", "Data/Grid_val.txt", grid),
    ("grid", "train", "ZZDoog/ProDubber", "Data/Grid_train.txt", grid),
    ("v2c", "test", "ZZDoog/ProDubber", "Data/V2C_val.txt", v2c),
    ("v2c", "train", "ZZDoog/ProDubber", "Data/V2C_train.txt", v2c),
    ("greatest-hits", "condfoley", "XYPB/CondFoleyGen", "data/AMT_test_set.json", condfoley),
]


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode()


def main() -> None:
    lists = []
    for data_set, name, repository, path, ids_of in SOURCES:
        folder = Path(sys.argv[1]) / repository.replace("/", "+")
        text = git(folder, "show", f"HEAD:{path}")
        ids = ids_of(text)
        assert len(ids) == len(set(ids)), (data_set, name)
        lists.append(
            {
                "data_set": data_set,
                "name": name,
                "count": len(ids),
                "digest": hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest(),
                "head": text.splitlines()[:2] if not path.endswith(".json") else sorted(ids)[:2],
                "source": f"{repository}:{path}",
                "commit": git(folder, "rev-parse", "HEAD").strip(),
            }
        )
    provenance = {
        "command": "python tests/reference/lists_recipe.py CHECKOUTS",
        "uses": "python alone",
    }
    sys.stdout.write(json.dumps({"provenance": provenance, "lists": lists}, indent=1) + "\n")


main()
