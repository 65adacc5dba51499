"""Curves as TensorBoard event files, written without the tensorboard package.

A file is a row of records: length, its checksum, an ``Event`` message, its checksum. The messages
hold three fields each, so their protocol-buffer encoding is spelt out here.

Reference: tensorflow/core/util/event.proto and tensorflow/core/lib/io/record_writer.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path

VERSION = b"brain.Event:2"
CASTAGNOLI = 0x82F63B78


@cache
def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """CRC-32 with the Castagnoli polynomial, reflected (RFC 3720, appendix B.4)."""
    remainder, table = 0xFFFFFFFF, _table()
    for byte in data:
        remainder = table[(remainder ^ byte) & 0xFF] ^ remainder >> 8
    return remainder ^ 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """A record: length and data, each followed by its masked checksum."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def first_event(wall_time: float) -> bytes:
    """The event that opens a file: the version of the format."""
    return _wall_time(wall_time) + _bytes(3, VERSION)


def scalar_event(wall_time: float, step: int, values: Mapping[str, float]) -> bytes:
    """An event of named numbers at a step."""
    summary = b"".join(
        _bytes(1, _bytes(1, tag.encode()) + b"\x15" + struct.pack("<f", value))
        for tag, value in values.items()
    )
    return _wall_time(wall_time) + b"\x10" + _varint(step) + _bytes(5, summary)


def _wall_time(seconds: float) -> bytes:
    return b"\x09" + struct.pack("<d", seconds)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def append_scalars(path: Path, wall_time: float, step: int, values: Mapping[str, float]) -> None:
    """Append numbers to an event file; an absent one is begun.

    Args:
        path: the file.
        wall_time: seconds since 1970.
        step: of the run, such as its updates.
        values: by the name that TensorBoard shows.
    """
    with path.open("ab") as file:
        if file.tell() == 0:
            file.write(record(first_event(wall_time)))
        file.write(record(scalar_event(wall_time, step, values)))


def event_path(folder: Path, name: str, wall_time: float) -> Path:
    """File of one start of a run; a run that goes on begins another, as TensorBoard expects."""
    return folder / "events" / name / f"events.out.tfevents.{wall_time:.0f}.{name}"
