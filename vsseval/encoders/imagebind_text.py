"""ImageBind's reading of a caption, by CLIP's byte-pair alphabet.

    cleaning   ftfy, HTML entities resolved twice, runs of white space made one, lower case
    words      contractions, runs of letters, single digits, runs of other signs
    pieces     each word as bytes, the commonest pair joined first, the last piece marked
    numbers    start mark, at most 75 pieces, end mark (always there), zeros up to 77

Source: facebookresearch/ImageBind at 53680b0 (models/multimodal_preprocessors.py), which follows
CLIP (Radford et al., 2021). The merges are CLIP's file (MIT), part ``clip-bpe``. The fork that
av-benchmark installs drops the end mark of captions over 75 pieces.
"""

from __future__ import annotations

import gzip
import html
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.imagebind_network import Tower

LENGTH = 77
MERGES = 48_894
START, END = 49_406, 49_407
WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
MARK = "</w>"
"""Stands at the end of the last piece of a word."""


def byte_signs() -> list[str]:
    """A printable character for each byte; those that are none come after U+00FF, in order."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    signs = {byte: chr(byte) for byte in printable}
    signs.update({byte: chr(256 + index) for index, byte in enumerate(others)})
    return [signs[byte] for byte in range(256)]


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Turns a caption into numbers."""

    ranks: Mapping[tuple[str, str], int]
    """Pair of pieces -> when it is joined, the first to be joined 0."""
    numbers: Mapping[str, int]
    """Piece -> its number."""

    def __call__(self, text: str) -> NDArray[np.int64]:
        """Token numbers, int64 (77,)."""
        import ftfy
        import regex  # type: ignore[import-untyped]

        clean = html.unescape(html.unescape(ftfy.fix_text(text)))
        clean = " ".join(clean.split()).lower()
        signs = byte_signs()
        found = []
        for word in regex.findall(WORDS, clean, regex.IGNORECASE):
            if word in ("<|startoftext|>", "<|endoftext|>"):
                found.append(self.numbers[word])
            else:
                pieces = self._join([signs[byte] for byte in word.encode()])
                found += [self.numbers[piece] for piece in pieces]
        line = [START, *found[: LENGTH - 2], END]
        return np.array(line + [0] * (LENGTH - len(line)), dtype=np.int64)

    def _join(self, word: list[str]) -> list[str]:
        """Pieces of a word of one-byte signs."""
        word = [*word[:-1], word[-1] + MARK]
        while len(word) > 1:
            pairs = list(pairwise(word))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            joined: list[str] = []
            for piece in word:
                if joined and (joined[-1], piece) == best:
                    joined[-1] += piece
                else:
                    joined.append(piece)
            word = joined
        return word


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of CLIP's file of merges, one pair a line after a heading."""
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")[1 : MERGES + 1]
    pairs = [(first, second) for first, second in (line.split() for line in lines)]
    # The alphabet comes in the order in which CLIP makes it: printable bytes, then the others.
    signs = sorted(byte_signs())
    pieces = [*signs, *(sign + MARK for sign in signs), *("".join(pair) for pair in pairs)]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    ranks = {pair: rank for rank, pair in enumerate(pairs)}
    return Tokenizer(ranks, {piece: number for number, piece in enumerate(pieces)})


@dataclass(frozen=True, slots=True)
class ImagebindTextEncoder:
    """One vector a caption, in the space that ImageBind's towers share."""

    tower: Tower
    tokenizer: Tokenizer
    device: str
    signature: str

    def __call__(self, text: str) -> Features:
        """``embedding`` float32 (1024,) of a caption; its length means nothing."""
        import torch

        numbers = torch.from_numpy(self.tokenizer(text)[None]).to(self.device)
        with torch.inference_mode():
            return {"embedding": self.tower(numbers)[0].cpu().numpy()}


def signature(device: str = "cpu") -> str:
    """Weights and merges; the device moves nothing above rounding."""
    del device
    part, merges = weights.fingerprint("imagebind"), weights.fingerprint("clip-bpe")
    return f"imagebind-huge:{part}|text|clip-bpe:{merges}"


def load(device: str = "cpu") -> ImagebindTextEncoder:
    """The text tower with its published weights.

    Raises:
        MissingWeightsError: part ``imagebind`` or ``clip-bpe`` is not in the store.
    """
    from vsseval.encoders.imagebind_network import load_tower

    published = weights.require("imagebind") / "imagebind_huge.pth"
    merges = weights.require("clip-bpe") / "bpe_simple_vocab_16e6.txt.gz"
    tower, tokenizer = load_tower(published, "text"), read_tokenizer(merges)
    return ImagebindTextEncoder(tower.to(device), tokenizer, device, signature(device))
