"""Scores from planted features: pooling, exclusions, takes, notes and signatures."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vsseval.errors import InputError, UnknownNameError
from vsseval.features import FeatureTable
from vsseval.score import (
    Scored,
    column_of,
    find_metrics,
    needs,
    parse_input,
    score_metrics,
    with_shared_encoders,
)
from vsseval.types import Benchmark, Item, Metric

HERE = "score_functions"


@pytest.fixture(autouse=True)
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metric functions that only this test knows."""
    (tmp_path / f"{HERE}.py").write_text(
        "import numpy as np\n"
        "from vsseval.errors import InputError\n"
        "from vsseval.types import SetValue\n"
        "def gap(reference, generated, scale=1.0):\n"
        "    if generated[0] < 0:\n"
        "        raise InputError('below zero')\n"
        "    return np.array([scale * (generated[0] - reference[0]), reference[0]])\n"
        "def sums(reference, generated):\n"
        "    if len(generated) < 2:\n"
        "        raise InputError('needs 2 clips')\n"
        "    return 1000 * len(reference) + sum(float(x[0]) for x in generated)\n"
        "def bad(generated):\n"
        "    return np.array([float('nan')])\n"
        "def spread(reference, generated):\n"
        "    value = sum(float(x[0]) for x in generated) - sum(float(x[0]) for x in reference)\n"
        "    return SetValue(value, (value - 1.0, value + 1.0), 'from three clips')\n"
        "def parts(reference, generated, *, items=None):\n"
        "    groups = range(len(generated)) if items is None else items\n"
        "    sums = np.zeros(len(reference))\n"
        "    np.add.at(sums, list(groups), [float(x[0]) for x in generated])\n"
        "    return SetValue(float(sums.sum()), contributions=sums)\n"
        "def grouped(generated, *, items=None, groups=None):\n"
        "    return SetValue(1.0, note=f'{items} {groups}')\n"
        "def words(transcript):\n"
        "    return np.array([len(str(transcript).split())])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, HERE, raising=False)


def metric(name: str = "gap", **changes: object) -> Metric:
    fields = {
        "id": f"t.{name}",
        "title": "T",
        "task": "any",
        "scope": "clip",
        "inputs": ("reference:enc.x", "generated:enc.x"),
        "compute": f"{HERE}:{name}",
        "unit": "u",
        "better": "lower",
        "definition": "d",
        "source": "s",
        "version": 3,
    }
    return Metric(**{**fields, **changes})


def benchmark(*names: str, **fields: object) -> Benchmark:
    items = tuple(Item(name, 1.0, **fields) for name in names)
    return Benchmark("bench", "2", "sound", 1.0, 16000, items, (), "0123456789abcdef")


def table(source: str, values: dict, missing: dict | None = None) -> FeatureTable:
    keyed = {key if isinstance(key, tuple) else (key, 0): value for key, value in values.items()}
    rows = {key: {"x": np.array([value], np.float64)} for key, value in keyed.items()}
    lost = {(name, 0): why for name, why in (missing or {}).items()}
    return FeatureTable(source, "enc", "enc-1:ff|head:x", ("soxr-mean:16000",), rows, lost)


def scored(
    one: Metric,
    generated: dict,
    reference: dict | None = None,
    *,
    names: str = "abc",
    failures: dict | None = None,
    missing: dict | None = None,
    takes: int = 1,
    items_note: str = "",
) -> Scored:
    theirs = reference if reference is not None else dict.fromkeys(names, 2.0)
    tables = {
        ("generated", "enc"): table("generated", generated, missing),
        ("reference", "enc"): table("reference", theirs),
    }
    (result,) = score_metrics(
        [one], benchmark(*names), tables, failures or {}, takes=takes, items_note=items_note
    )
    return result


def test_mean_pools_component_0() -> None:
    result = scored(metric(), {"a": 3.0, "b": 5.0, "c": 2.5})
    # (1 + 3 + 0.5) / 3
    assert result.score.value == 1.5
    assert (result.score.n_scored, result.score.n_expected) == (3, 3)
    assert result.components["b", 0].tolist() == [3.0, 2.0]


def test_percent_ratio_pools_sums_and_not_rates() -> None:
    reference = {"a": 1.0, "b": 9.0}
    result = scored(metric(pool="percent_ratio"), {"a": 2.0, "b": 9.0}, reference, names="ab")
    # 100 * (1 + 0) / (1 + 9); the mean of the two rates would be 50.
    assert result.score.value == 10.0


def test_zero_denominator_is_no_value_with_a_note() -> None:
    result = scored(metric(pool="percent_ratio"), {"a": 2.0}, {"a": 0.0}, names="a")
    assert result.score.value is None
    assert "undefined" in result.score.note


def test_params_reach_the_function_and_the_signature() -> None:
    result = scored(metric(params={"scale": 10.0}), {"a": 3.0}, names="a")
    assert result.score.value == 10.0
    assert "|scale=10.0|" in result.score.signature


def test_signature_is_written_out() -> None:
    result = scored(metric(), {"a": 3.0, "b": 1.0}, names="abc", takes=1)
    assert result.score.signature == (
        "t.gap|enc:enc-1:ff;head:x|prep:soxr-mean:16000|len:1|n:2/3|takes:1"
        "|bench:bench@2:01234567|v:3"
    )
    assert column_of(result.score.signature) == (
        "t.gap|enc:enc-1:ff;head:x|prep:soxr-mean:16000|len:1|takes:1|bench:bench@2:01234567|v:3"
    )


def test_a_cut_benchmark_has_a_column_of_its_own() -> None:
    whole = scored(metric(), {"a": 3.0}, names="a").score.signature
    cut = scored(metric(), {"a": 3.0}, names="a", items_note="first1").score.signature
    assert "|bench:bench@2:01234567:first1|" in cut
    assert column_of(whole) != column_of(cut)


def test_every_exclusion_has_its_reason_and_is_counted() -> None:
    result = scored(
        metric(),
        {"a": 3.0, "b": -1.0, "d": 3.0},
        dict.fromkeys("abc", 2.0),
        names="abcde",
        failures={("e", 0): "no memory"},
        missing={"c": "audio c.wav holds no samples"},
    )
    assert result.score.value == 1.0
    assert (result.score.n_scored, result.score.n_expected) == (1, 5)
    assert result.score.excluded == {
        "b": "below zero",
        "c": "generated: audio c.wav holds no samples",
        "d": "reference: not encoded",
        "e": "generation failed: no memory",
    }


def test_value_that_is_not_finite_is_excluded() -> None:
    one = metric("bad", inputs=("generated:enc.x",))
    result = scored(one, {"a": 1.0}, names="a")
    assert result.score.value is None
    assert result.score.excluded == {"a": "the metric gave a value that is not finite"}


def test_missing_weights_are_the_note_though_some_clips_were_not_generated() -> None:
    lacking = "weights missing: vsseval weights pull enc"
    failures = {("a", 0): "no memory"}
    result = scored(metric(), {}, missing=dict.fromkeys("bc", lacking), failures=failures)
    assert result.score.note == lacking
    none = scored(metric(), {}, failures={(name, 0): "no memory" for name in "abc"})
    assert none.score.note == "generation failed: no memory"


def test_missing_weights_become_the_note() -> None:
    lost = dict.fromkeys("abc", "weights missing: vsseval weights pull enc")
    result = scored(metric(), {}, missing=lost)
    assert result.score.value is None
    assert result.score.note == "weights missing: vsseval weights pull enc"
    assert len(result.score.excluded) == 3


def test_unknown_output_of_an_encoder_is_a_reason() -> None:
    one = metric(inputs=("reference:enc.y", "generated:enc.x"))
    assert scored(one, {"a": 1.0}, names="a").score.excluded == {"a": "encoder enc gave no y"}


def test_set_scope_calls_once_over_all_rows() -> None:
    one = metric("sums", scope="set", pool="set")
    result = scored(one, {"a": 1.0, "b": 2.0, "c": 4.0})
    assert result.score.value == 3007.0
    assert result.score.interval is None
    assert result.components == {}


def test_set_scope_never_repeats_the_reference_over_takes() -> None:
    one = metric("sums", scope="set", pool="set")
    generated = {(name, take): 1.0 for name in "ab" for take in range(3)}
    result = scored(one, generated, names="ab", takes=3)
    # 2 references and 6 generated clips.
    assert result.score.value == 2006.0
    assert (result.score.n_scored, result.score.n_expected) == (6, 6)


def test_set_scope_undefined_is_a_note() -> None:
    result = scored(metric("sums", scope="set", pool="set"), {"a": 1.0}, names="a")
    assert (result.score.value, result.score.note) == (None, "undefined: needs 2 clips")


def test_set_scope_may_give_an_interval_and_a_note() -> None:
    one = metric("spread", scope="set", pool="set")
    score = scored(one, {"a": 3.0, "b": 5.0, "c": 2.5}).score
    # 10.5 against three references of 2.
    assert (score.value, score.interval, score.note) == (4.5, (3.5, 5.5), "from three clips")


def test_contributions_of_set_scope_are_kept_by_item() -> None:
    one = metric("parts", scope="set", pool="set")
    result = scored(one, {"a": 1.0, "b": 2.0, "c": 4.0}, missing=None)
    assert {key: row.tolist() for key, row in result.components.items()} == {
        ("a", 0): [1.0],
        ("b", 0): [2.0],
        ("c", 0): [4.0],
    }


@pytest.mark.parametrize(
    ("clips", "takes", "films", "note"),
    [
        (9, 1, 9, "fewer than 10 clips: no interval"),
        # Takes of an item are no further clips.
        (9, 2, 9, "fewer than 10 clips: no interval"),
        (12, 1, 9, "fewer than 10 groups of clips: no interval"),
        (12, 2, 10, ""),
        (10, 1, 10, ""),
    ],
)
def test_a_missing_interval_has_its_reason(clips: int, takes: int, films: int, note: str) -> None:
    items = tuple(Item(f"i{at}", 1.0, group=f"film{at % films}") for at in range(clips))
    bench = Benchmark("bench", "2", "sound", 1.0, 16000, items, (), "0123456789abcdef")
    values = {(item.id, take): 3.0 for item in items for take in range(takes)}
    tables = {
        ("generated", "enc"): table("generated", values),
        ("reference", "enc"): table("reference", {item.id: 2.0 for item in items}),
    }
    score = score_metrics([metric()], bench, tables, {}, takes=takes)[0].score
    assert score.note == note
    assert (score.interval is None) == bool(note)


def test_set_scope_is_told_which_takes_belong_to_an_item() -> None:
    one = metric("parts", scope="set", pool="set")
    # Take 0 of b failed: its contribution stands under the first take there is.
    generated = {("a", 0): 1.0, ("a", 1): 2.0, ("b", 1): 4.0}
    result = scored(one, generated, names="ab", takes=2, failures={("b", 0): "x"})
    assert {key: row.tolist() for key, row in result.components.items()} == {
        ("a", 0): [3.0],
        ("b", 1): [4.0],
    }


def test_interval_of_takes_draws_items_and_not_clips() -> None:
    names = "abcdefghijkl"
    single = {name: 2.0 + at for at, name in enumerate(names)}
    # Three equal takes of each item say no more than one.
    thrice = {(name, take): value for name, value in single.items() for take in range(3)}
    one = scored(metric(), single, names=names).score
    three = scored(metric(), thrice, names=names, takes=3).score
    assert three.interval == pytest.approx(one.interval)
    assert (
        scored(metric(), dict(list(thrice.items())[:27]), names="abcdefghi", takes=3).score.interval
        is None
    )


def test_interval_draws_recordings_and_not_the_clips_cut_from_them() -> None:
    names = "abcdefghijkl"
    values = [2.0 + at for at in range(12)]
    single = scored(metric(), dict(zip(names, values, strict=True)), names=names).score
    # Three equal clips of each recording say no more than one.
    cut = [f"{name}{part}" for name in names for part in range(3)]
    items = tuple(Item(name, 1.0, group=name[0]) for name in cut)
    bench = Benchmark("bench", "2", "sound", 1.0, 16000, items, (), "0123456789abcdef")
    thrice = dict(zip(cut, np.repeat(values, 3).tolist(), strict=True))
    tables = {
        ("generated", "enc"): table("generated", thrice),
        ("reference", "enc"): table("reference", dict.fromkeys(cut, 2.0)),
    }
    grouped = score_metrics([metric()], bench, tables, {}, takes=1)[0].score
    assert grouped.value == pytest.approx(single.value)
    assert grouped.interval == pytest.approx(single.interval)


def test_set_scope_is_told_which_items_belong_together() -> None:
    one = metric("grouped", scope="set", pool="set", inputs=("generated:enc.x",))
    # An item called like the group of others is not one of them.
    groups = {"a": "film", "b": None, "c": "film", "d": "alone", "film": None}
    items = tuple(Item(name, 1.0, group=group) for name, group in groups.items())
    bench = Benchmark("bench", "2", "sound", 1.0, 16000, items, (), "0123456789abcdef")

    def note(takes: int, lost: tuple[str, ...] = ()) -> str:
        keys = [(name, take) for name in groups for take in range(takes) if name not in lost]
        tables = {("generated", "enc"): table("generated", dict.fromkeys(keys, 1.0))}
        return score_metrics([one], bench, tables, {}, takes=takes)[0].score.note

    assert note(1) == "None [0, 1, 0, 2, 3]"
    assert note(2) == "[0, 0, 1, 1, 2, 2, 3, 3, 4, 4] [0, 1, 0, 2, 3]"
    # Without its fellow a clip is alone.
    assert note(1, lost=("c",)) == "None None"


def test_set_scope_that_is_not_finite_has_no_value_and_no_interval() -> None:
    one = metric("spread", scope="set", pool="set")
    score = scored(one, {"a": math.inf}, names="a").score
    assert (score.value, score.interval) == (None, None)
    assert score.note == "undefined: the value is not finite"


def test_takes_share_their_item_s_reference() -> None:
    generated = {("a", 0): 3.0, ("a", 1): 5.0}
    result = scored(metric(), generated, names="a", takes=2, failures={})
    assert result.score.value == 2.0
    assert "|takes:2|" in result.score.signature


def test_failed_take_is_named_like_its_file() -> None:
    result = scored(metric(), {("a", 0): 3.0}, names="a", takes=2, failures={("a", 1): "x"})
    assert result.score.excluded == {"a.take1": "generation failed: x"}


def test_interval_holds_the_value_and_repeats() -> None:
    names = "abcdefghijkl"
    generated = {name: 2.0 + at for at, name in enumerate(names)}
    first = scored(metric(), generated, names=names).score
    second = scored(metric(), generated, names=names).score
    assert first.interval == second.interval
    low, high = first.interval
    assert low < first.value < high


def test_order_of_items_changes_nothing() -> None:
    generated = {name: 0.1 * 3**at for at, name in enumerate("abcdefghijkl")}
    one = scored(metric(), generated, names="abcdefghijkl").score
    other = scored(metric(), generated, names="lkjihgfedcba").score
    assert (one.value, one.interval) == (other.value, other.interval)


def test_item_fields_are_inputs() -> None:
    one = metric("words", inputs=("item:transcript",))
    with_text = score_metrics([one], benchmark("a", transcript="two words"), {}, {}, takes=1)[0]
    without = score_metrics([one], benchmark("a"), {}, {}, takes=1)[0]
    assert with_text.score.value == 2.0
    assert without.score.excluded == {"a": "no transcript"}
    assert "|prep:" not in with_text.score.signature


def test_input_forms() -> None:
    one = parse_input("generated:whisper-tiny.en.text")
    assert (one.source, one.encoder, one.output) == ("generated", "whisper-tiny.en", "text")
    assert parse_input("item:onsets").output == "onsets"
    with pytest.raises(InputError, match=r"expected source:encoder\.output"):
        parse_input("generated")


def test_needs_leave_item_fields_out() -> None:
    assert needs([metric(), metric(inputs=("item:onsets", "generated:on.t"))]) == {
        ("reference", "enc"),
        ("generated", "enc"),
        ("generated", "on"),
    }


def test_unknown_metric_lists_close_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown metric 'onset_f'; did you mean onset_f1"):
        find_metrics(["mcd", "onset_f"])
    assert [one.id for one in find_metrics(["mcd", "onset_f1", "mcd"])] == ["mcd", "onset_f1"]


@pytest.mark.parametrize(
    ("conditions_on", "note"),
    [
        ("ge2e", "ge2e: encoder shared with the model's input, which favours it"),
        ("wavlm, ge2e", "ge2e: encoder shared with the model's input, which favours it"),
        ("wavlm-ecapa", ""),
        ("", ""),
    ],
)
def test_an_encoder_that_the_model_hears_with_is_noted(conditions_on: str, note: str) -> None:
    (row,) = find_metrics(["speaker_similarity.ge2e"])
    names = "abcdefghij"
    one = scored(metric(), dict.fromkeys(names, 3.0), names=names)
    signature = {"name": "m", "conditions_on": conditions_on}
    assert with_shared_encoders(one, row, signature).score.note == note
    assert with_shared_encoders(one, row, {"name": "m"}) == one
