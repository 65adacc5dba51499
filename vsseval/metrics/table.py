"""The table of metrics: one literal row for each column a leaderboard can have."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.table_lip_sync import LIP_SYNC_ROWS
from vsseval.metrics.table_relevance import RELEVANCE_ROWS
from vsseval.metrics.table_sound import SOUND_ROWS
from vsseval.metrics.table_speech import SPEECH_ROWS
from vsseval.metrics.table_synchrony import SYNCHRONY_ROWS
from vsseval.types import Metric

ROWS = (*SOUND_ROWS, *RELEVANCE_ROWS, *SYNCHRONY_ROWS, *SPEECH_ROWS, *LIP_SYNC_ROWS)
"""All rows, in the order that tables print them."""

METRICS: dict[str, Metric] = {row.id: row for row in ROWS}
"""All rows by id."""


def metric(metric_id: str) -> Metric:
    """The row of that id.

    Raises:
        UnknownNameError: no such metric; the message lists close ids.
    """
    if metric_id not in METRICS:
        raise UnknownNameError("metric", metric_id, METRICS)
    return METRICS[metric_id]


def resolve(compute: str) -> Callable[..., object]:
    """The function behind ``module:function``, imported now.

    Set-scope functions return a float or a SetValue, clip-scope ones float64 (k,).

    Raises:
        InputError: the text has no colon, or there is no such module or function.
    """
    module_name, colon, function_name = compute.partition(":")
    if not colon:
        raise InputError(f"expected 'module:function', got {compute!r}")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise InputError(f"cannot import {compute!r}: {error}") from error
    if not callable(function):
        raise InputError(f"{compute!r} is not a function")
    return function  # type: ignore[no-any-return]
