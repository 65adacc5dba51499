"""Named parts of a benchmark, and which of its items are not independent of each other.

A slice is named by the manifest (``vggsounder-1.0/no-voice-over``) or is a field with its value
(``speaker=s1``). Both are kept in the record of a run, so that reports need no manifest.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Hashable, Iterable, Mapping, Sequence

from vsseval.types import Item

FIELDS = ("label", "setting", "speaker")
"""Fields of an item that make slices."""


def slices_of(items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """Ids of the items in each slice, by name of the slice in alphabetical order."""
    found: dict[str, dict[str, None]] = {}
    for item in items:
        values = {field: getattr(item, field) for field in FIELDS}
        fields = [f"{field}={value}" for field, value in values.items() if value is not None]
        for name in (*item.slices, *fields):
            found.setdefault(name, {})[item.id] = None
    return {name: tuple(found[name]) for name in sorted(found)}


def chosen_slices(pattern: str, names: Iterable[str]) -> list[str]:
    """The slices that a pattern names.

    A pattern is a name, a name with ``*``, or what stands before the ``=`` or a ``/`` of names:
    ``speaker`` is every ``speaker=...``.
    """
    known = list(names)
    if pattern in known:
        return [pattern]
    families = f"{pattern}=", f"{pattern}/"
    return [
        name for name in known if fnmatch.fnmatchcase(name, pattern) or name.startswith(families)
    ]


def groups_of(items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """Ids of the items of each group that holds several."""
    found: dict[str, list[str]] = {}
    for item in items:
        if item.group is not None:
            found.setdefault(item.group, []).append(item.id)
    return {group: tuple(ids) for group, ids in found.items() if len(ids) > 1}


def group_by_item(groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The group of each item of :func:`groups_of`."""
    return {item: group for group, items in groups.items() for item in items}


def clusters_of(items: Sequence[str], groups: Mapping[str, str]) -> list[Hashable] | None:
    """What each entry of a list of items is drawn with; None if each is drawn alone.

    Args:
        items: ids, one several times where there are takes.
        groups: the group of each item that shares one.
    """
    found: list[Hashable] = [(item in groups, groups.get(item, item)) for item in items]
    return found if len(set(found)) < len(found) else None


def numbered(clusters: Sequence[Hashable]) -> list[int]:
    """The clusters as numbers from 0 in the order of first appearance."""
    places: dict[Hashable, int] = {}
    return [places.setdefault(cluster, len(places)) for cluster in clusters]
