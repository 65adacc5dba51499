"""Importing what a table names as ``module:function``, at the moment it is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from vsseval.errors import InputError


def resolve(target: str) -> Callable[..., object]:
    """The callable behind ``package.module:name``.

    Raises:
        InputError: another form, no such module, or no such callable in it.
    """
    module_name, separator, name = target.partition(":")
    if not (separator and module_name and name):
        raise InputError(f"expected package.module:function, got {target!r}")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(
            f"cannot import {module_name!r} of {target!r}: {error}; "
            "is its folder on PYTHONPATH, or its package installed?"
        ) from error
    except Exception as error:
        raise InputError(
            f"cannot import {module_name!r} of {target!r}: {type(error).__name__}: {error}"
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise InputError(f"module {module_name!r} has no function {name!r} (asked for {target!r})")
    return found  # type: ignore[no-any-return]
