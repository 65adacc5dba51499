"""The reference of all metrics as Markdown, written from the table and the docstrings alone."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable

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
  its interval (BCa bootstrap over clips).
- Every value carries a signature with all that moves it. Two signatures never share a column.
"""


def metric_reference() -> str:
    """The whole of docs/metrics.md: an overview, then a section for each metric and module."""
    sections = [explain(row) for row in METRICS.values()]
    return "\n".join([_INTRODUCTION, _overview(), *sections, _modules()])


def explain(row: Metric) -> str:
    """Definition of one metric as Markdown: its row, and the docstrings that define its number."""
    function = resolve(row.compute)
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
    lines += ["", "```text", *_definitions(function), "```", ""]
    return "\n".join(lines)


def _definitions(function: Callable[..., object]) -> list[str]:
    """Docstring of ``function``, then those of the functions of its module that it refers to."""
    module = sys.modules[function.__module__]
    names = [function.__name__]
    lines = []
    # The list grows while it is walked: a reference may refer further.
    for name in names:
        documented = getattr(module, name)
        text = inspect.getdoc(documented) or ""
        names += [n for n in dict.fromkeys(_REFERENCE.findall(text)) if n not in names]
        signature = ", ".join(inspect.signature(documented).parameters)
        lines += [f"{name}({signature})", ""]
        lines += [f"    {line}".rstrip() for line in _plain(text).splitlines()] + [""]
    return lines[:-1]


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


def _modules() -> str:
    """Conventions and edge cases of each module that the table names, once each."""
    names = dict.fromkeys(row.compute.partition(":")[0] for row in METRICS.values())
    lines = ["# Conventions and edge cases by module", ""]
    for name in names:
        text = _plain(inspect.getdoc(sys.modules[name]) or "")
        lines += [f"## {name}", "", "```text", text, "```", ""]
    return "\n".join(lines)


def _anchor(heading: str) -> str:
    """The anchor that Markdown renderers give a heading: lower case, dots dropped."""
    return heading.lower().replace(".", "")
