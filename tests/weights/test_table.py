"""The table of weights, its groups, and its page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vsseval import weights
from vsseval.encoders.table import ENCODERS
from vsseval.errors import UnknownNameError
from vsseval.weights_table import (
    FAMILIES,
    GROUPS,
    WEIGHTS,
)

ROOT = Path(__file__).parents[2]


def test_names_expand_to_parts_and_unknown_ones_are_refused() -> None:
    assert weights.expand(["demo", "aisfx"]) == GROUPS["demo"]
    published = [name for name, one in WEIGHTS.items() if all(file.sha256 for file in one.files)]
    assert weights.expand(["all"]) == tuple(published)
    with pytest.raises(UnknownNameError, match="aisfx"):
        weights.expand(["aisfxx"])
    with pytest.raises(UnknownNameError, match="ge2e"):
        weights.require("ge2ee")


def test_no_part_is_named_twice() -> None:
    assert len(WEIGHTS) == sum(map(len, FAMILIES))


def test_the_table_is_well_formed() -> None:
    needed = {name for row in ENCODERS.values() for name in row.weights}
    assert needed <= set(WEIGHTS)
    assert set(GROUPS["demo"]) <= set(WEIGHTS)
    for name, entry in WEIGHTS.items():
        assert len({file.path for file in entry.files}) == len(entry.files), name
        assert set(entry.needed_by) <= {*ENCODERS, "vssflow"}, name
        for file in entry.files:
            digest = file.sha256
            assert digest is None or re.fullmatch("[0-9a-f]{64}", digest), (name, file.path)
            assert file.size is None or file.size > 0
            assert file.sources


def test_the_documentation_shows_the_table() -> None:
    text = (ROOT / "docs" / "weights.md").read_text()
    assert weights.markdown_table() in text, "regenerate the table of docs/weights.md"
