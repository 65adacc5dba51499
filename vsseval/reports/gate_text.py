"""Verdicts of the gate as Markdown, and as JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from vsseval.reports.compare import p_text
from vsseval.reports.gate import FAIL, GENERATED, UNTESTED, Check, Verdict
from vsseval.reports.markdown import ARROW, EMPTY, number, table


def markdown(verdict: Verdict) -> str:
    """A verdict, a table of the checks, and why each failed one did."""
    failed = [_name(check) for check in verdict.checks if check.status == FAIL]
    words = "passed" if verdict.passed else f"failed: {', '.join(failed)}"
    sliced = any(check.slice for check in verdict.checks)
    head = ["metric", "baseline", "candidate", "worse by", "allowed", "p (Holm)", "", "why"]
    rows = [["slice", *head] if sliced else head]
    rows += [
        [
            *([check.slice.replace("|", "\\|")] if sliced else []),
            f"{check.metric} {ARROW[check.better]}",
            *(_shown(value, check) for value in (check.baseline, check.candidate)),
            _shown(check.worse, check),
            number(check.margin),
            "" if check.p_holm is None else p_text(check.p_holm),
            check.status,
            check.reason.replace("|", "\\|"),
        ]
        for check in verdict.checks
    ]
    lines = [f"## Gate {words}", "", f"{verdict.benchmark}: {verdict.candidate} against "]
    lines[-1] += f"the baseline {verdict.baseline}."
    return "\n".join([*lines, "", *table(rows), ""])


def _name(check: Check) -> str:
    return f"{check.metric} (slice {check.slice})" if check.slice else check.metric


def junit(verdict: Verdict) -> str:
    """The checks as JUnit XML: a test suite a slice, a test case a metric."""
    root = ET.Element("testsuites")
    for name in dict.fromkeys(check.slice for check in verdict.checks):
        title = f"{verdict.benchmark}, slice {name}" if name else verdict.benchmark
        checks = [check for check in verdict.checks if check.slice == name]
        root.append(_suite(_printable(title), checks))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True).decode() + "\n"


def _suite(title: str, checks: Sequence[Check]) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=f"vsseval gate {title}",
        tests=str(len(checks)),
        failures=str(sum(check.status == FAIL for check in checks)),
        skipped=str(sum(check.status == UNTESTED for check in checks)),
        errors="0",
    )
    for check in checks:
        case = ET.SubElement(suite, "testcase", classname=title, name=check.metric)
        if check.status == FAIL:
            ET.SubElement(case, "failure", message=_printable(check.reason))
        elif check.status == UNTESTED:
            ET.SubElement(case, "skipped", message=_printable(check.reason))
        else:
            ET.SubElement(case, "system-out").text = _printable(check.reason)
    return suite


def _printable(text: str) -> str:
    """The text without control characters, which XML cannot hold."""
    return "".join(character for character in text if character.isprintable())


def _shown(value: float | None, check: Check) -> str:
    if value is None:
        return EMPTY
    return f"{value:.0f}" if check.metric == GENERATED else number(value)
