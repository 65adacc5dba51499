"""The table of encoders: the rate each hears, the weights it needs, what it says of a clip."""

from __future__ import annotations

from typing import cast

from vsseval import weights
from vsseval.encoders.row import EncoderRow
from vsseval.encoders.rows_picture import PICTURE
from vsseval.encoders.rows_sound import SOUND
from vsseval.encoders.rows_speech import SPEECH
from vsseval.errors import UnknownNameError
from vsseval.lazy import resolve

__all__ = ["ENCODERS", "ROWS", "EncoderRow", "load_encoder", "signature"]

ROWS = (*SPEECH, *SOUND, *PICTURE)
ENCODERS: dict[str, EncoderRow] = {row.id: row for row in ROWS}
"""All encoders by id."""


def load_encoder(encoder: str, device: str = "cpu") -> object:
    """The encoder, ready to be called as the protocol of its kind in ``vsseval.types`` says.

    Raises:
        UnknownNameError: no row has this id.
        MissingWeightsError: its weights are not in the store.
    """
    row = _row(encoder)
    return _call(row.load, row, device)


def signature(encoder: str, device: str = "cpu") -> str:
    """The signature that the loaded encoder has, without loading its network.

    Raises:
        UnknownNameError: no row has this id.
        MissingWeightsError: its weights are not in the store.
    """
    row = _row(encoder)
    for part in row.weights:
        weights.require(part)
    module, _, function = row.load.partition(":")
    return cast(str, _call(f"{module}:{function.replace('load', 'signature', 1)}", row, device))


def _call(function: str, row: EncoderRow, device: str) -> object:
    return resolve(function)(*((row.variant, device) if row.variant else (device,)))


def _row(encoder: str) -> EncoderRow:
    if encoder not in ENCODERS:
        raise UnknownNameError("encoder", encoder, ENCODERS)
    return ENCODERS[encoder]
