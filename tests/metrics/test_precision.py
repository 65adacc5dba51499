"""docs/precision.md names tests: all of them must be there."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
DOCUMENT = TESTS.parent / "docs" / "precision.md"
NAMED = re.compile(r"`([\w/]+\.py)?(?:::(test_\w+))?`")


def test_every_test_that_the_document_names_exists():
    found = [names for names in NAMED.findall(DOCUMENT.read_text(encoding="utf-8")) if any(names)]
    assert len(found) > 30
    source = ""
    for file, function in found:
        # A name without a file belongs to the file before it.
        if file:
            source = (TESTS / file).read_text(encoding="utf-8")
        assert not function or f"def {function}(" in source, (file, function)
