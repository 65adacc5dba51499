"""Generation: seeds, resuming, failures as rows, and what a stop leaves behind."""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsseval import generate as stage
from vsseval.audio import read_audio
from vsseval.benchmarks.manifest import first_items, read_benchmark
from vsseval.errors import ExternalToolError, InputError, MissingWeightsError
from vsseval.generate import generate, generation_folder, generation_id, item_seed, kept, read_log
from vsseval.types import Audio, Benchmark, Call, Item, ModelOutput
from vsseval.workers import Workers


class Hum:
    """Noise from the seed; fails, stops or misbehaves where it is told to."""

    def __init__(self, **moods: object) -> None:
        self.signature = {"name": "hum"}
        self.moods = moods
        self.calls: list[str] = []

    def generate(self, item: Item, seed: int) -> ModelOutput:
        self.calls.append(item.id)
        mood = self.moods.get(item.id)
        if isinstance(mood, BaseException):
            raise mood
        if isinstance(mood, np.ndarray):
            return ModelOutput(Audio(mood, 8000))
        draws = np.random.default_rng(seed).uniform(-0.5, 0.5, (1, 8000))
        return ModelOutput(Audio(draws.astype(np.float32), 8000), nfe=3)


@pytest.fixture
def benchmark(toy: Path) -> Benchmark:
    return read_benchmark(toy)


def audio_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.wav"))}


def test_seed_is_the_head_of_the_hash() -> None:
    # The definition written out: sha256("5|a/b|2"), first 8 bytes, one bit dropped.
    head = hashlib.sha256(b"5|a/b|2").hexdigest()[:16]
    assert item_seed(5, "a/b", 2) == int(head, 16) // 2
    assert 0 <= item_seed(0, "x", 0) < 2**63


def test_seeds_differ_by_seed_item_and_take() -> None:
    seeds = {item_seed(s, i, t) for s in range(3) for i in "abc" for t in range(3)}
    assert len(seeds) == 27


def test_rows_say_seed_digest_and_cost(benchmark: Benchmark, tmp_path: Path) -> None:
    rows = generate(Hum(), benchmark, tmp_path / "g", seed=4)
    assert [row.item_id for row in rows] == ["a", "b", "c", "d"]
    row = rows[1]
    assert row.seed == item_seed(4, "b", 0)
    assert row.digest == hashlib.sha256((tmp_path / "g" / "b.wav").read_bytes()).hexdigest()
    assert (row.error, row.nfe, row.clipped) == (None, 3, 0)
    assert row.seconds > 0


def test_clip_is_the_same_alone_and_among_others(benchmark: Benchmark, tmp_path: Path) -> None:
    generate(Hum(), benchmark, tmp_path / "all", seed=1)
    generate(Hum(), first_items(benchmark, 1), tmp_path / "one", seed=1)
    assert audio_bytes(tmp_path / "one")["a.wav"] == audio_bytes(tmp_path / "all")["a.wav"]


def test_takes_differ_and_take_0_is_the_single_one(benchmark: Benchmark, tmp_path: Path) -> None:
    rows = generate(Hum(), benchmark, tmp_path / "two", takes=2)
    generate(Hum(), benchmark, tmp_path / "one")
    two, one = audio_bytes(tmp_path / "two"), audio_bytes(tmp_path / "one")
    assert [(row.item_id, row.take) for row in rows][:3] == [("a", 0), ("a", 1), ("b", 0)]
    assert set(two) == set(one) | {f"{name}.take1.wav" for name in "abcd"}
    assert two["a.wav"] == one["a.wav"] != two["a.take1.wav"]


def test_second_call_generates_nothing_and_returns_the_same_rows(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    first = generate(Hum(), benchmark, tmp_path / "g")
    idle = Hum()
    assert generate(idle, benchmark, tmp_path / "g") == first
    assert idle.calls == []


def test_growing_the_limit_keeps_what_is_there(benchmark: Benchmark, tmp_path: Path) -> None:
    generate(Hum(), first_items(benchmark, 2), tmp_path / "g")
    more = Hum()
    generate(more, benchmark, tmp_path / "g")
    assert more.calls == ["c", "d"]


def test_changed_or_missing_audio_is_generated_again(benchmark: Benchmark, tmp_path: Path) -> None:
    folder = tmp_path / "g"
    generate(Hum(), benchmark, folder)
    before = audio_bytes(folder)
    (folder / "a.wav").write_bytes(b"broken")
    (folder / "c.wav").unlink()
    again = Hum()
    generate(again, benchmark, folder)
    assert again.calls == ["a", "c"]
    assert audio_bytes(folder) == before


def test_exception_of_the_model_is_a_row_with_its_reason(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    model = Hum(b=InputError("no lips in the video"), c=ZeroDivisionError("by zero"))
    rows = generate(model, benchmark, tmp_path / "g")
    assert [row.error for row in rows] == [
        None,
        "no lips in the video",
        "ZeroDivisionError: by zero",
        None,
    ]
    assert rows[1].path is None
    assert sorted(audio_bytes(tmp_path / "g")) == ["a.wav", "d.wav"]


def test_failed_clip_is_tried_again(benchmark: Benchmark, tmp_path: Path) -> None:
    generate(Hum(b=InputError("busy")), benchmark, tmp_path / "g")
    second = Hum()
    rows = generate(second, benchmark, tmp_path / "g")
    assert second.calls == ["b"]
    assert rows[1].error is None


def test_clip_that_fails_again_adds_no_line(benchmark: Benchmark, tmp_path: Path) -> None:
    for _ in range(3):
        generate(Hum(b=InputError("busy")), benchmark, tmp_path / "g")
    assert len((tmp_path / "g" / stage.LOG).read_text().splitlines()) == 4


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.full((1, 10), np.nan, np.float32), id="nan"),
        pytest.param(np.zeros((1, 0), np.float32), id="empty"),
    ],
)
def test_audio_that_cannot_be_written_is_a_failure(
    benchmark: Benchmark, tmp_path: Path, samples: np.ndarray
) -> None:
    rows = generate(Hum(a=samples), benchmark, tmp_path / "g")
    assert "empty or holds values that are not finite" in rows[0].error
    assert not (tmp_path / "g" / "a.wav").exists()


FLAT = np.zeros((1, 8000), np.float32)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        pytest.param(None, "the model returned NoneType, expected ModelOutput", id="nothing"),
        pytest.param(FLAT, "the model returned ndarray, expected ModelOutput", id="array"),
        pytest.param(ModelOutput(FLAT), "returned ModelOutput of ndarray", id="no audio"),
        pytest.param(ModelOutput(Audio([[0.0]], 8000)), "NumPy array of floats", id="list"),
        pytest.param(
            ModelOutput(Audio((FLAT + 9).astype(np.int16), 8000)),
            r"floats in \[-1, 1\], got int16",
            id="integers",
        ),
        pytest.param(ModelOutput(Audio(FLAT.T, 8000)), r"\(channels, n\), got shape", id="turned"),
        pytest.param(ModelOutput(Audio(FLAT, 0)), "hertz above 0, got 0", id="no rate"),
        pytest.param(ModelOutput(Audio(FLAT, 8000.5)), "hertz above 0, got 8000.5", id="half rate"),
        pytest.param(ModelOutput(Audio(FLAT, 10**12)), "hertz above 0", id="endless rate"),
        pytest.param(ModelOutput(Audio(FLAT, 8000), nfe="3"), "nfe must be", id="count"),
        pytest.param(
            ModelOutput(Audio(FLAT, 8000), seconds=float("nan")), "seconds must be", id="seconds"
        ),
    ],
)
def test_output_that_is_none_is_a_failure_of_the_model(
    benchmark: Benchmark, tmp_path: Path, output: object, reason: str
) -> None:
    class Odd(Hum):
        def generate(self, item: Item, seed: int) -> ModelOutput:
            return output if item.id == "b" else super().generate(item, seed)  # type: ignore

    rows = generate(Odd(), benchmark, tmp_path / "g")
    assert [row.path is None for row in rows] == [False, True, False, False]
    assert re.search(reason, str(rows[1].error))


def test_model_that_exits_fails_its_clip_alone(benchmark: Benchmark, tmp_path: Path) -> None:
    rows = generate(Hum(b=SystemExit(3)), benchmark, tmp_path / "g")
    assert [row.error for row in rows] == [None, "SystemExit: 3", None, None]


def test_clipping_is_counted(benchmark: Benchmark, tmp_path: Path) -> None:
    samples = np.array([[0.0, 1.5, -2.0, 0.5]], np.float32)
    rows = generate(Hum(a=samples), benchmark, tmp_path / "g")
    assert rows[0].clipped == 2
    # 16 bits reach from -1 to 1 - 2^-15.
    assert read_audio(rows[0].path).samples.tolist() == [[0.0, 32767 / 32768, -1.0, 0.5]]


def test_missing_weights_stop_the_run(benchmark: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match="pull"):
        generate(Hum(b=MissingWeightsError("pull x")), benchmark, tmp_path / "g")


def test_interrupt_keeps_what_is_done_and_says_so(benchmark: Benchmark, tmp_path: Path) -> None:
    folder = tmp_path / "g"
    with pytest.raises(KeyboardInterrupt) as stop:
        generate(Hum(c=KeyboardInterrupt()), benchmark, folder)
    assert "2 of 4 clips are kept" in stop.value.__notes__[0]
    rest = Hum()
    generate(rest, benchmark, folder)
    assert rest.calls == ["c", "d"]
    generate(Hum(), benchmark, tmp_path / "whole")
    assert audio_bytes(folder) == audio_bytes(tmp_path / "whole")


def test_full_disk_stops_cleanly(
    benchmark: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if "c.wav" in path.name:
            write(path, content[:10])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as stop:
        generate(Hum(), benchmark, tmp_path / "g")
    assert "2 of 4 clips are kept" in stop.value.__notes__[0]
    assert sorted(path.name for path in (tmp_path / "g").iterdir()) == ["a.wav", "b.wav", stage.LOG]


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_line_broken_off_by_a_kill_is_made_again(
    benchmark: Benchmark, tmp_path: Path, cut: int
) -> None:
    folder = tmp_path / "g"
    first = generate(Hum(), benchmark, folder)
    log = folder / stage.LOG
    log.write_bytes(log.read_bytes()[:-cut])
    again = Hum()
    second = generate(again, benchmark, folder)
    # Only the newline is lost with cut = 1, and the line still counts.
    assert again.calls == ([] if cut == 1 else ["d"])
    assert [row.digest for row in second] == [row.digest for row in first]
    assert len(read_log(folder)) == 4


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"item": "a"}',
        b'{"item": ["a"], "take": 0, "seed": 1, "path": null, "error": "no", "digest": null, '
        b'"seconds": 1, "nfe": 0, "clipped": 0}',
        b'{"item": "a", "take": 0, "seed": 1, "path": 5, "error": null, "digest": "x", '
        b'"seconds": 1, "nfe": 0, "clipped": 0}',
    ],
    ids=["null", "list", "bytes", "deep", "fields", "list as item", "number as path"],
)
def test_line_that_is_none_of_the_log_is_passed_over(
    benchmark: Benchmark, tmp_path: Path, line: bytes
) -> None:
    folder = tmp_path / "g"
    first = generate(Hum(), benchmark, folder)
    with (folder / stage.LOG).open("ab") as log:
        log.write(line + b"\n")
    again = Hum()
    assert generate(again, benchmark, folder) == first
    assert again.calls == []


def test_later_line_counts(benchmark: Benchmark, tmp_path: Path) -> None:
    folder = tmp_path / "g"
    generate(Hum(), benchmark, folder)
    log = folder / stage.LOG
    entry = json.loads(log.read_text().splitlines()[0])
    with log.open("a") as stream:
        stream.write(json.dumps({**entry, "seconds": 99.0}) + "\n")
    assert read_log(folder)["a", 0].seconds == 99.0


def test_kept_lists_only_what_is_there(benchmark: Benchmark, tmp_path: Path) -> None:
    folder = tmp_path / "g"
    assert kept(folder, benchmark, 1) == []
    generate(Hum(b=InputError("busy")), benchmark, folder)
    (folder / "d.wav").unlink()
    assert [row.item_id for row in kept(folder, benchmark, 1)] == ["a", "c"]


def test_takes_below_one_are_refused(benchmark: Benchmark, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 1 take, got 0"):
        generate(Hum(), benchmark, tmp_path / "g", takes=0)


def test_generation_id_follows_signature_benchmark_and_seed() -> None:
    base = generation_id({"name": "m", "w": "1"}, "d", 0)
    assert len(base) == 12
    assert generation_id({"w": "1", "name": "m"}, "d", 0) == base
    others = [
        generation_id({"name": "m", "w": "2"}, "d", 0),
        generation_id({"name": "m", "w": "1"}, "e", 0),
        generation_id({"name": "m", "w": "1"}, "d", 1),
    ]
    assert len({base, *others}) == 4


def test_folder_stays_inside_the_cache(benchmark: Benchmark, tmp_path: Path) -> None:
    folder = generation_folder(tmp_path, benchmark, {"name": "../../up and away"}, 0)
    assert folder.resolve().is_relative_to(tmp_path / "generated" / "toy")
    assert len(folder.relative_to(tmp_path).parts) == 4


class Batch(Hum):
    """Makes all clips beforehand, and says for each how long that took."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[tuple[str, int, int]] = []
        self.folder: Path | None = None

    def prepare(self, calls: Sequence[Call], folder: Path, advance: Callable[[], None]) -> None:
        self.folder = folder
        for call in calls:
            self.prepared.append((call.item.id, call.take, call.seed))
            advance()

    def generate(self, item: Item, seed: int) -> ModelOutput:
        assert seed in [made for _, _, made in self.prepared]
        return replace(super().generate(item, seed), seconds=12.5)


def test_batch_model_prepares_what_is_missing_and_no_more(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    folder = tmp_path / "g"
    generate(Batch(), first_items(benchmark, 2), folder, seed=4, takes=2)
    model = Batch()
    rows = generate(model, benchmark, folder, seed=4, takes=2)
    assert model.prepared == [(n, take, item_seed(4, n, take)) for n in "cd" for take in range(2)]
    assert model.folder == folder / "upstream"
    assert [row.seconds for row in rows] == [12.5] * 8


def test_batch_model_is_not_prepared_when_nothing_is_missing(
    benchmark: Benchmark, tmp_path: Path
) -> None:
    generate(Batch(), benchmark, tmp_path / "g")
    idle = Batch()
    generate(idle, benchmark, tmp_path / "g")
    assert idle.prepared == []


def never() -> Hum:
    raise AssertionError("loaded in a process")


def test_batch_model_stays_in_one_process(benchmark: Benchmark, tmp_path: Path) -> None:
    with Workers(2) as workers:
        rows = generate(Batch(), benchmark, tmp_path / "g", takes=3, workers=workers, load=never)
    assert [row.error for row in rows] == [None] * 12


def test_batch_model_that_cannot_work_stops_the_run(benchmark: Benchmark, tmp_path: Path) -> None:
    class Broken(Batch):
        def prepare(self, calls: Sequence[Call], folder: Path, advance: object) -> None:
            raise ExternalToolError("no GPU")

    with pytest.raises(ExternalToolError, match="no GPU"):
        generate(Broken(), benchmark, tmp_path / "g")
