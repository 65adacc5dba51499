from __future__ import annotations

import struct

import torch

from vssflow.events import append_scalars, crc32c, event_path, first_event, record, scalar_event
from vssflow.training import Budget, Job, fit

# tensorboard 2.21.0 (protobuf 7.36.2): RecordWriter over the file version at 1700000000.5 and
# Event(wall_time=1700000001.25, step=300) with flow/loss 0.625 and flow/a -3.
WRITTEN_BY_TENSORBOARD = bytes.fromhex(
    "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b3531102f00000000"
    "0000006d5d1d500900005040fc54d94110ac022a210a100a09666c6f772f6c6f7373150000203f0a0d0a06666c"
    "6f772f6115000040c0c2417b00"
)


def test_checksum_of_the_nine_digits_is_the_published_one() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0


def test_bytes_are_those_that_tensorboard_writes() -> None:
    values = {"flow/loss": 0.625, "flow/a": -3.0}
    written = record(first_event(1700000000.5)) + record(scalar_event(1700000001.25, 300, values))
    assert written == WRITTEN_BY_TENSORBOARD


def test_training_writes_its_curve_as_events(tmp_path) -> None:
    network = torch.nn.Linear(1, 1)
    job = Job("line", network, lambda _: {"loss": network.weight.square().sum()}, 0.1)
    fit(job, Budget(steps=40), tmp_path, seed=0, report=lambda _: None)
    (path,) = (tmp_path / "events" / "line").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    data, sizes = path.read_bytes(), []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        assert record(data[12 : 12 + size]) == data[: size + 16]
        sizes.append(size)
        data = data[size + 16 :]
    assert len(sizes) == 3  # the version, and steps 20 and 40


def test_file_is_begun_once(tmp_path) -> None:
    path = event_path(tmp_path, "a", 12.4)
    path.parent.mkdir(parents=True)
    append_scalars(path, 1700000000.5, 1, {"x": 1.0})
    once = path.stat().st_size
    append_scalars(path, 1700000000.5, 2, {"x": 1.0})
    assert path.stat().st_size - once == once - len(record(first_event(0.0)))
