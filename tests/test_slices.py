"""Which items make a slice or a group, and how slices are named."""

from __future__ import annotations

import pytest

from vsseval.slices import chosen_slices, clusters_of, group_by_item, groups_of, numbered, slices_of
from vsseval.types import Item

ITEMS = (
    Item("a", 1.0, label="dog", speaker="s1", group="film", slices=("v/loud", "v/music")),
    Item("b", 1.0, label="cat", speaker="s10", group="film", slices=("v/loud",)),
    Item("c", 1.0, label="dog", setting=2, group="other"),
    Item("d", 1.0),
)


def test_fields_and_names_of_the_manifest_make_slices() -> None:
    assert slices_of(ITEMS) == {
        "label=cat": ("b",),
        "label=dog": ("a", "c"),
        "setting=2": ("c",),
        "speaker=s1": ("a",),
        "speaker=s10": ("b",),
        "v/loud": ("a", "b"),
        "v/music": ("a",),
    }
    assert list(slices_of(ITEMS)) == sorted(slices_of(ITEMS))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("speaker=s1", ["speaker=s1"]),
        ("speaker", ["speaker=s1", "speaker=s10"]),
        ("v", ["v/loud", "v/music"]),
        ("*=s1*", ["speaker=s1", "speaker=s10"]),
        ("speak", []),
    ],
)
def test_pattern_is_a_name_a_family_or_has_stars(pattern: str, names: list[str]) -> None:
    assert chosen_slices(pattern, slices_of(ITEMS)) == names


def test_groups_of_one_are_none() -> None:
    assert groups_of(ITEMS) == {"film": ("a", "b")}
    assert group_by_item(groups_of(ITEMS)) == {"a": "film", "b": "film"}


def test_clusters_join_takes_and_groups() -> None:
    groups = {"a": "film", "b": "film"}
    assert clusters_of(["a", "c", "d"], groups) is None
    assert numbered(clusters_of(["a", "c", "b", "c"], groups)) == [0, 1, 0, 1]
    # An item that is called like a group is not in it.
    assert numbered(clusters_of(["a", "film", "b"], groups)) == [0, 1, 0]
