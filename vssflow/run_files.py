"""Files of a training run: the claim on its folder, states and weights, curves."""

from __future__ import annotations

import csv
import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from vsseval.errors import InputError
from vsseval.files import write_atomic
from vsseval.weights import load_torch


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder as long as this one is at work in it.

    The claim ends with the process, however that ends. File systems without locks have none.

    Raises:
        InputError: another run is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"another run is at work in {folder}; wait for its end or give another --out"
            ) from error
        except OSError:
            pass
        yield


def read_tensors(path: Path) -> dict[str, Any]:
    """A state or weights that ``write_torch`` wrote, on the CPU.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return cast("dict[str, Any]", load_torch(path))
    except InputError as error:
        raise InputError(
            f"{path} is damaged, or no file of PyTorch; delete it to train that network anew"
        ) from error


def keep_rows(path: Path, last_step: int) -> None:
    """Drop the rows of a curve after the step that training continues from."""
    if path.is_file():
        head, *rows = path.read_text().splitlines() or [""]
        kept = [row for row in rows if int(row.split(",")[0]) <= last_step]
        write_atomic(path, "".join(line + "\n" for line in (head, *kept) if line).encode())


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Add a row to a curve, below a head if it is the first."""
    fresh = not path.exists() or path.stat().st_size == 0
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(row)
        writer.writerow(f"{value:.6g}" for value in row.values())
