"""Byte-pair tokens of RoBERTa and GPT-2, from the vocabulary files in the weight store.

Both cut a text by the GPT-2 pattern into words with their leading space, spell each in bytes, and
merge neighbours in the order of ``merges.txt``. They differ in their numbers (``vocab.json``) and
in the tokens around the text.

Source: huggingface/transformers 4.57.1, ``RobertaTokenizer`` and ``GPT2TokenizerFast``; the work is
done by the package tokenizers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BEGIN, END = 0, 2
"""RoBERTa's ``<s>`` and ``</s>``."""
END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class BytePairs:
    """Token ids of a text."""

    tokenizer: Tokenizer

    def __call__(self, text: str) -> list[int]:
        """Ids of the text alone; of an empty one, none."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)


def read_byte_pairs(folder: Path, special: Sequence[str] = ()) -> BytePairs:
    """The tokens of ``vocab.json`` and ``merges.txt``.

    Args:
        folder: directory of the two files.
        special: tokens of the vocabulary that are cut out of a text before anything else.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    merged = BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = Tokenizer(merged)
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(list(special))
    return BytePairs(tokenizer)


def roberta_tokens(text: str, pairs: BytePairs, limit: int) -> list[int]:
    """``<s>``, the text, ``</s>``: at most ``limit`` ids, the end of a long text being cut off."""
    return [BEGIN, *pairs(text)[: limit - 2], END]
