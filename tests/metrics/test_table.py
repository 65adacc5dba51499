"""The metric table, its lookups, the lazy package, and the generated reference."""

import subprocess
import sys
from pathlib import Path

import pytest

import vsseval.metrics
from vsseval.encoders.table import ENCODERS
from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.profiles import PROFILES
from vsseval.metrics.table import METRICS, ROWS, metric, resolve
from vsseval.reports.metric_docs import explain, metric_reference
from vsseval.sources import sources
from vsseval.types import Benchmark, Metric

# Text normalisers (with the recogniser where there are two), lexicons, and spectral and dubbing
# settings of the speech metrics, which their rows explain.
RECOGNISERS = {"", "openai-"}
NORMALISERS = {"whisper-en", "whisper-basic", "seedtts", "styledubber"}
DIALECTS = {first + second for first in RECOGNISERS for second in NORMALISERS} | {
    "openai",
    "standard",
    "homophones",
    "masked",
    "setting1",
    "s3fd",
    "box",
}
DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


SOURCES = {"item", *sources(Benchmark("b", "1", "joint", 1.0, 16000, (), (), "0"), [], takes=1)}


@pytest.mark.parametrize("row", METRICS.values(), ids=METRICS)
def test_rows_are_complete(row):
    assert row.title
    assert row.unit
    assert row.definition.endswith(".")
    assert row.source
    assert row.version >= 1
    assert (row.scope == "set") == (row.pool == "set")
    for name in row.inputs:
        source, _, rest = name.partition(":")
        assert source in SOURCES
        assert rest
        assert source == "item" or rest.rpartition(".")[0]
    assert callable(resolve(row.compute))


def test_every_profile_after_an_at_sign_is_a_row_that_lists_the_metric():
    for name in METRICS:
        profile = name.partition("@")[2]
        assert not profile or profile in DIALECTS or name in PROFILES[profile].metrics


def test_profiles_hold_metrics_or_say_why_not():
    for name, profile in PROFILES.items():
        assert set(profile.metrics) <= set(METRICS), name
        assert bool(profile.metrics) != bool(profile.reason), name


@pytest.mark.parametrize("row", METRICS.values(), ids=METRICS)
def test_inputs_are_outputs_of_the_encoder_table(row):
    for name in row.inputs:
        source, _, rest = name.partition(":")
        if source != "item":
            encoder, _, output = rest.rpartition(".")
            assert output in ENCODERS[encoder].outputs, name


def test_titles_are_unique():
    assert len({row.title for row in METRICS.values()}) == len(METRICS)


def test_no_id_is_used_twice():
    assert len(ROWS) == len(METRICS)


def test_keys_are_the_ids():
    assert all(key == row.id for key, row in METRICS.items())


def test_lookup_by_id():
    assert metric("fd.aisfx") is METRICS["fd.aisfx"]


def test_an_unknown_metric_is_named_with_the_close_ones():
    with pytest.raises(
        UnknownNameError, match=r"unknown metric 'fad.aisfx'; did you mean fd\.aisfx"
    ):
        metric("fad.aisfx")


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        ("vsseval.metrics.frechet", "expected 'module:function'"),
        ("vsseval.metrics.frechets:frechet_distance", "cannot import"),
        ("vsseval.metrics.frechet:distance", "cannot import"),
        ("vsseval.metrics.frechet:__doc__", "is not a function"),
    ],
    ids=["no colon", "no module", "no function", "not callable"],
)
def test_a_wrong_function_name_is_refused(compute, message):
    with pytest.raises(InputError, match=message):
        resolve(compute)


@pytest.mark.parametrize("name", vsseval.metrics.__all__)
def test_plain_functions_are_in_the_package(name):
    assert getattr(vsseval.metrics, name).__name__ == name


def test_the_package_has_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'fad'"):
        _ = vsseval.metrics.fad


def test_importing_the_table_imports_nothing_heavy():
    code = (
        "import sys, vsseval.metrics.table; "
        "print([m for m in ('numba', 'scipy', 'librosa', 'torch', 'jiwer') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_metrics_import_only_numbers():
    code = (
        "import sys, vsseval.metrics.table as t; "
        "[t.resolve(row.compute) for row in t.METRICS.values()]; "
        "print([m for m in ('librosa', 'torch', 'soundfile', 'av') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_generated_reference_is_up_to_date():
    assert DOCS.read_text(encoding="utf-8") == metric_reference(), (
        "docs/metrics.md is stale; write vsseval.reports.metric_docs.metric_reference() to it"
    )


def test_explain_prints_the_formula_of_a_component_metric():
    text = explain(metric("kl.aisfx"))
    assert "KL(p || q) = sum_c p_c (ln p_c - ln q_c)" in text
    assert ":func:" not in text


def test_explain_works_for_a_row_outside_the_table():
    row = Metric(
        id="mine",
        title="Mine",
        task="any",
        scope="clip",
        inputs=("generated:dnsmos.ovrl",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="points",
        better="higher",
        definition="As given.",
        source="none",
        version=1,
    )
    assert "points, higher is better" in explain(row)
