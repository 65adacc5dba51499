"""docs/baselines.md names every option, preset and placeholder as the code has them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from baselines import command, frieren_scripts, lova
from baselines.presets import PRESETS

TEXT = (Path(__file__).parents[2] / "docs" / "baselines.md").read_text()


@pytest.mark.parametrize("layout", [frieren_scripts.LAYOUT, lova.LAYOUT], ids=lambda it: it.name)
def test_table_of_models_toml_shows_every_key_with_its_default(layout) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    (table,) = [found for block in blocks if layout.name in (found := tomllib.loads(block))]
    shown = table[layout.name]
    keys = {weights.key for weights in layout.weights}
    assert set(shown) == {"python", "checkout", *keys, *layout.options}
    assert {key: shown[key] for key in layout.options} == dict(layout.options)


def test_every_preset_is_listed_with_its_rates() -> None:
    for preset in PRESETS.values():
        (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{preset.name}`")]
        assert all(f"{rate / 1000:g}" in row.split("|")[3] for rate in preset.rates)
        assert ("unverified" in row) is not preset.seen


def test_every_placeholder_and_option_of_a_command_is_listed() -> None:
    for name in command.PLACEHOLDERS:
        assert f"`{{{name}}}`" in TEXT
    assert all(f"`{name}=`" in TEXT for name in command.OPTIONS)


def test_commits_are_those_that_were_read() -> None:
    facts = json.loads(
        (Path(__file__).parents[1] / "reference" / "baselines_interfaces.json").read_text()
    )
    for name in ("frieren", "lova"):
        assert f"`{facts[name]['repository']}`, read at {facts[name]['commit'][:7]}" in TEXT
