"""The wrappers against upstream's real interfaces.

The stored lists were extracted from the repositories by tests/reference/baselines_recipe.py. With
``VSSEVAL_FRIEREN_CHECKOUT`` or ``VSSEVAL_LOVA_CHECKOUT`` set, a checkout is read as well.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import pytest

from baselines import frieren_scripts, lova
from baselines.drivers import lova_driver

HERE = Path(__file__).parent
REFERENCE = HERE.parent / "reference"
FACTS = json.loads((REFERENCE / "baselines_interfaces.json").read_text())
DRIVER = Path(lova_driver.__file__).read_text()


def spellings(script: str, facts: dict) -> dict[str, dict]:
    """Every flag of a script -> what it takes."""
    flags = facts["frieren"]["flags"][script]
    return {name: fact for flag, fact in flags.items() for name in (flag, *fact["also"])}


def values(script: str) -> dict[str, str]:
    """What Frieren's wrapper gives a script: flag -> value."""
    one = Path("x")
    words = {
        frieren_scripts.REENCODE: frieren_scripts.reencode_arguments(one, one, one),
        frieren_scripts.FEATURES: frieren_scripts.features_arguments(one, one, one, one, one),
        frieren_scripts.MELS: frieren_scripts.mels_arguments(
            one, one, one, one, frieren_scripts.LAYOUT.options
        ),
        frieren_scripts.VOCODER: frieren_scripts.vocoder_arguments(one, one),
    }[script]
    assert len(words) % 2 == 0
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("script", FACTS["frieren"]["flags"])
def test_frieren_script_is_given_flags_it_has_and_values_of_their_type(script: str) -> None:
    known = spellings(script, FACTS)
    for flag, value in values(script).items():
        assert flag in known
        {"str": str, "int": int, "float": float}[known[flag]["type"]](value)


@pytest.mark.parametrize("script", FACTS["frieren"]["flags"])
def test_frieren_script_is_given_all_that_it_needs(script: str) -> None:
    given = set(values(script))
    for flag, fact in FACTS["frieren"]["flags"][script].items():
        assert fact["default"] is not None or given & {flag, *fact["also"]}, flag


def test_doctor_asks_for_the_flags_that_are_given() -> None:
    used = frieren_scripts.used_flags()
    assert {script: set(flags) for script, flags in used.items()} == {
        script: set(values(script)) for script in FACTS["frieren"]["flags"]
    }


def test_misspelt_flag_would_be_noticed() -> None:
    # The README of Frieren calls it --cavp_feature; the reflow script has --cavp-feature-dir.
    assert "--cavp-feature" not in spellings(frieren_scripts.MELS, FACTS)


def driver_keywords(function: str) -> list[str]:
    """Keywords of the driver's call of an upstream function."""
    for node in ast.walk(ast.parse(DRIVER)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == function:
            return [str(word.arg) for word in node.keywords]
    raise LookupError(function)


def test_lova_driver_calls_with_parameters_that_exist() -> None:
    parameters = FACTS["lova"]["parameters"]["generate_diffusion_cond"]
    further = [
        name for name in driver_keywords("generate_diffusion_cond") if name not in parameters
    ]
    # Those reach the sampler through the function's further keywords, as in sample.py.
    assert "**" in parameters
    assert further == ["sigma_min", "sigma_max", "sampler_type"]


def test_lova_driver_uses_names_that_exist() -> None:
    assert {"create_model_from_config", "save_audio"} <= set(FACTS["lova"]["exported"])
    for name in ("create_model_from_config", "save_audio"):
        assert f"tools.{name}(" in DRIVER
    assert FACTS["lova"]["conditioners_import_clip"]
    assert "conditioners.clip.load" in DRIVER


def test_lova_constants_are_those_of_its_configuration() -> None:
    config = FACTS["lova"]["config"]
    assert config["path"] == lova_driver.CONFIG
    assert config["sample_rate"] == lova.SAMPLE_RATE
    assert config["downsampling_ratio"] == lova.HOP
    assert config["sample_size"] == lova.MOST_SECONDS * lova.SAMPLE_RATE
    assert config["audio_channels"] == 2
    assert config["conditioner"]["id"] == "feature"
    assert "download_root" in config["conditioner"]


def test_lova_driver_has_the_flags_and_needs_no_other() -> None:
    actions = lova_driver.parser()._actions
    assert set(lova.FLAGS) <= {flag for action in actions for flag in action.option_strings}
    assert {action.option_strings[0] for action in actions if action.required} <= set(lova.FLAGS)


def test_lova_driver_can_be_compiled_by_python_3_8() -> None:
    ast.parse(DRIVER, feature_version=(3, 8))
    assert "from __future__ import annotations" in DRIVER
    imported = {
        alias.name
        for node in ast.walk(ast.parse(DRIVER))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported == {"argparse", "functools", "importlib", "json", "traceback"}


def test_fake_of_lova_has_the_parameters_of_the_real_one() -> None:
    recipe = recipe_module()
    root = HERE / "fake_upstream" / "lova"
    for path, names in recipe.LOVA_FUNCTIONS.items():
        for name in names:
            found = recipe.parameters((root / path).read_text(), name)
            assert found == FACTS["lova"]["parameters"][name]


def test_commits_are_those_that_the_layouts_name() -> None:
    assert FACTS["frieren"]["commit"] == frieren_scripts.LAYOUT.commit
    assert FACTS["lova"]["commit"] == lova.LAYOUT.commit


def recipe_module() -> ModuleType:
    path = REFERENCE / "baselines_recipe.py"
    spec = importlib.util.spec_from_file_location("baselines_recipe", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", FACTS["frieren"]["flags"])
def test_checkout_of_frieren_knows_the_flags(script: str) -> None:
    # Without a checkout, the stored extract stands for it: the same comparison on the same form.
    facts = FACTS
    if root := os.environ.get("VSSEVAL_FRIEREN_CHECKOUT"):
        found = recipe_module().flags((Path(root) / script).read_text())
        facts = {"frieren": {"flags": {script: found}}}
    assert set(values(script)) <= set(spellings(script, facts))


def test_checkout_of_lova_has_the_parameters() -> None:
    parameters = FACTS["lova"]["parameters"]
    if root := os.environ.get("VSSEVAL_LOVA_CHECKOUT"):
        recipe = recipe_module()
        parameters = {
            name: recipe.parameters((Path(root) / path).read_text(), name)
            for path, names in recipe.LOVA_FUNCTIONS.items()
            for name in names
        }
    further = {"sigma_min", "sigma_max", "sampler_type"}
    used = set(driver_keywords("generate_diffusion_cond")) - further
    assert used <= set(parameters["generate_diffusion_cond"])
