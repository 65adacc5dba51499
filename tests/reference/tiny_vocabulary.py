"""Byte-pair vocabularies small enough to write out: all bytes, a few merges, the named tokens.

Used by the recipe, for the published tokenizers, and by the tests, for ours.
"""

from __future__ import annotations

import json
from pathlib import Path

MERGES = (
    "t h", "th e", "Ġ the", "i n", "in g", "Ġ a", "Ġ c", "a r", "Ġc ar", "d o", "do g", "Ġ dog",
    "b ar", "bar k", "Ġ bark", "e n", "en g", "ing Ġ", "! !", "1 2", "' s", "Ġ Ġ", "Ã ©",
)  # fmt: skip
TEXTS = {
    "plain": "A dog barks, then the car's engine is starting",
    "marks": "Wow!! a dog!  the bark 123",
    "bytes": " two  spaces, café, 犬\n",
    "empty": "",
    "long": "the dog in the car barks at the dog in the car, " * 6,
}


def characters() -> list[str]:
    """The 256 characters that stand for bytes: printable Latin-1 as it is, the others from U+0100.

    The order is GPT-2's, which gives the exclamation mark number 0.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [*map(chr, printable), *(chr(256 + n) for n in range(256 - len(printable)))]


def write(folder: Path, first: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> int:
    """Write ``vocab.json`` and ``merges.txt`` and return the number of tokens."""
    words = [*first, *characters(), *(merge.replace(" ", "") for merge in MERGES), *last]
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {word: number for number, word in enumerate(words)}
    assert len(numbers) == len(words)
    (folder / "vocab.json").write_text(json.dumps(numbers))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    return len(words)


def write_roberta(folder: Path) -> int:
    """In RoBERTa's form."""
    return write(folder, ("<s>", "<pad>", "</s>", "<unk>"), ("<mask>",))


def write_gpt2(folder: Path) -> int:
    """In GPT-2's form."""
    return write(folder, (), ("<|endoftext|>",))
