"""The reference of all metrics as Markdown, written from the table and the docstrings alone."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable

from vsseval.metrics.edge_cases import CLIP_CASES, EDGE_CASES
from vsseval.metrics.table import METRICS, resolve
from vsseval.types import Metric

_REFERENCE = re.compile(r":func:`(\w+)`")
_BETTER = {
    "lower": "lower is better",
    "higher": "higher is better",
}
_POOLING = {
    "mean": "mean over clips of the first component",
    "percent_ratio": "100 x sum of the first component / sum of the second",
    "set": "one value over all clips",
}
_INTRODUCTION = """\
# Metrics

Generated from `vsseval/metrics/table.py` and the docstrings of the functions by
`vsseval.reports.metric_docs`; a test compares it. Do not edit by hand.

Rules that hold for all of them:

- Argument order is (reference, generated). Statistics run in float64.
- A clip that cannot be scored is left out **with a reason** and counted; it never becomes 0, -1 or
  a neighbour's value. A metric that is undefined for the whole set has no value and a note.
- Each clip gives a vector of components; the value of a benchmark is pooled from them, and so is
  its interval (BCa bootstrap over clips). Metrics of set scope state their own interval, or none.
- Every value carries a signature with all that moves it. Two signatures never share a column.
"""


def metric_reference() -> str:
    """The whole of docs/metrics.md: an overview, then a section for each metric and module."""
    sections = [_facts(row) for row in METRICS.values()]
    return "\n".join([_INTRODUCTION, _overview(), _edge_cases(), *sections, _modules()])


def explain(row: Metric) -> str:
    """Definition of one metric as Markdown: its row, and the docstrings that define its number."""
    definitions = [line for one in _functions(resolve(row.compute)) for line in _definition(one)]
    return "\n".join([_facts(row), "```text", *definitions[:-1], "```", ""])


def _facts(row: Metric) -> str:
    params = ", ".join(f"`{name}={value}`" for name, value in row.params.items()) or "none"
    facts = [
        ("title", row.title),
        ("task", row.task),
        ("unit", f"{row.unit}, {_BETTER[row.better]}"),
        ("inputs", ", ".join(f"`{name}`" for name in row.inputs)),
        ("pooling", _POOLING[row.pool]),
        ("parameters", params),
        ("function", f"`{row.compute}`"),
        ("source", row.source),
        ("version", str(row.version)),
    ]
    lines = [f"## {row.id}", "", row.definition, "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in facts]
    return "\n".join([*lines, ""])


def _definition(function: Callable[..., object]) -> list[str]:
    """Name, parameters and docstring of a function, with an empty line after it."""
    lines = [f"{function.__name__}({', '.join(inspect.signature(function).parameters)})", ""]
    text = _plain(inspect.getdoc(function) or "")
    return [*lines, *[f"    {line}".rstrip() for line in text.splitlines()], ""]


def _functions(function: Callable[..., object]) -> list[Callable[..., object]]:
    """``function`` and all that its docstring refers to, by names that its module knows."""
    found = [function]
    # The list grows while it is walked: a reference may refer further.
    for documented in found:
        module = sys.modules[documented.__module__]
        for name in _REFERENCE.findall(inspect.getdoc(documented) or ""):
            referred = getattr(module, name)
            if referred not in found:
                found.append(referred)
    return found


def _plain(text: str) -> str:
    """Docstring text without reference marks."""
    return re.sub(r":\w+:`([\w.]+)`", r"\1", text).replace("``", "'")


def _overview() -> str:
    lines = ["| metric | unit | better | scope | task |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| [{row.id}](#{_anchor(row.id)}) | {row.unit} | {row.better} | {row.scope} | {row.task} |"
        for row in METRICS.values()
    ]
    return "\n".join([*lines, ""])


def _edge_cases() -> str:
    lines = [
        "# Edge cases",
        "",
        "Each is made and compared by tests/metrics/test_edge_cases.py.",
        "",
    ]
    lines += ["| metric | situation | outcome |", "| --- | --- | --- |"]
    lines += [f"| {case.metric} | {case.situation} | {case.outcome} |" for case in EDGE_CASES]
    lines += ["", "| encoder | situation | outcome |", "| --- | --- | --- |"]
    lines += [f"| {case.who} | {case.situation} | {case.outcome} |" for case in CLIP_CASES]
    return "\n".join([*lines, ""])


def _modules() -> str:
    """Conventions, edge cases and functions of each module that defines a metric, once each."""
    functions = dict.fromkeys(
        one for row in METRICS.values() for one in _functions(resolve(row.compute))
    )
    lines = ["# Definitions by module", ""]
    for name in dict.fromkeys(function.__module__ for function in functions):
        text = _plain(inspect.getdoc(sys.modules[name]) or "")
        lines += [f"## {name}", "", "```text", text, ""]
        for function in functions:
            if function.__module__ == name:
                lines += _definition(function)
        lines[-1:] = ["```", ""]
    return "\n".join(lines)


def _anchor(heading: str) -> str:
    """The anchor that Markdown renderers give a heading: lower case, punctuation dropped."""
    return re.sub(r"[^\w -]", "", heading.lower())
