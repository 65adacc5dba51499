"""The sentences of demo-speech: GRID's grammar and one of plain English, split by their hash."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

from vsseval.benchmarks.demo.clip import Split

Kind = Literal["grid", "plain"]

GRID: tuple[tuple[str, ...], ...] = (
    ("bin", "lay", "place", "set"),
    ("blue", "green", "red", "white"),
    ("at", "by", "in", "with"),
    tuple("abcdefghijklmnopqrstuvxyz"),
    ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "zero"),
    ("again", "now", "please", "soon"),
)
"""Slots of a GRID sentence (Cooke et al. 2006).

Command, colour, preposition, letter without w, digit, adverb.
"""

PERSON = (
    "my mother",
    "my father",
    "the teacher",
    "the doctor",
    "her brother",
    "his sister",
    "our neighbor",
    "the farmer",
    "the captain",
    "the driver",
    "my friend",
    "the old man",
    "the young woman",
    "the baker",
    "the painter",
)
PAST = (
    "bought",
    "found",
    "lost",
    "sold",
    "painted",
    "cleaned",
    "carried",
    "dropped",
    "repaired",
    "borrowed",
    "wanted",
    "brought",
    "noticed",
    "forgot",
)
THING = (
    "basket",
    "bottle",
    "blanket",
    "camera",
    "table",
    "picture",
    "jacket",
    "bicycle",
    "mirror",
    "hammer",
    "ladder",
    "guitar",
    "letter",
    "pocket watch",
    "wooden box",
    "paper map",
    "silver spoon",
    "cup of coffee",
)
LOOK = (
    "small",
    "heavy",
    "yellow",
    "brown",
    "purple",
    "broken",
    "beautiful",
    "simple",
    "new",
    "black",
    "cheap",
    "strange",
    "golden",
    "favorite",
)
PLACE = (
    "the garden",
    "the kitchen",
    "the station",
    "the market",
    "the library",
    "the river",
    "the school",
    "the old bridge",
    "the village",
    "the harbor",
    "the museum",
    "the forest",
    "the hotel",
    "the office",
)
NEAR = ("in", "near", "behind", "outside")
WHEN = (
    "after lunch",
    "before dinner",
    "this morning",
    "last night",
    "on Monday",
    "every evening",
    "in the summer",
    "on Friday",
    "last winter",
    "yesterday",
)
FUTURE = ("tomorrow", "next week", "after lunch", "on Sunday", "before dark", "in the morning")
GOING = (
    "walk to",
    "meet at",
    "drive to",
    "wait near",
    "work in",
    "travel to",
    "run past",
    "stop at",
)
ANIMAL = ("dog", "horse", "rabbit", "bird", "cat", "monkey", "sheep", "fox", "mouse", "elephant")
MOVING = ("jumped over", "slept under", "ran around", "sat beside", "looked at", "walked toward")
ORDER = (
    "open",
    "close",
    "bring",
    "move",
    "wash",
    "watch",
    "keep",
    "show me",
    "give me",
    "look for",
)
FOOD = ("bread", "cheese", "soup", "apples", "rice", "butter", "honey", "fish", "potatoes", "cake")
TASTE = ("very good", "too sweet", "quite fresh", "a bit cold", "really warm", "rather salty")
WEATHER = ("cold", "warm", "windy", "foggy", "rainy", "quiet", "bright", "pleasant")

CROWD = ("we", "they", "you", "the children", "both of them")
DO = ("buy", "find", "lose", "sell", "move")

PLAIN: tuple[tuple[tuple[str, ...] | str, ...], ...] = (
    (PERSON, PAST, "a", LOOK, THING, WHEN),
    (PERSON, PAST, "the", THING, NEAR, PLACE),
    (CROWD, ("will", "should", "want to", "have to"), GOING, PLACE, FUTURE),
    ("the", LOOK, ANIMAL, MOVING, "the", THING),
    (("please", "now", "then", "first"), ORDER, "the", LOOK, THING, NEAR, PLACE),
    ("the", FOOD, ("from", "at"), PLACE, ("tasted", "smelled"), TASTE),
    ("it was", WEATHER, NEAR, PLACE, WHEN),
    (("why did", "when did", "how did"), PERSON, DO, "the", THING),
    (PERSON, ("cooked", "served", "shared", "ate"), "some", FOOD, ("with us", "with them"), WHEN),
)
"""Patterns of a plain sentence: each part is a word or a choice. About 1.3 million sentences."""


def split_of(sentence: str) -> Split:
    """The split of a sentence: its sha256 modulo 10 gives test (0), val (1) or train (2-9)."""
    part = int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8]) % 10
    return "test" if part == 0 else "val" if part == 1 else "train"


def draw_sentence(rng: np.random.Generator, kind: Kind, split: Split) -> str:
    """A random sentence of a kind that belongs to the split, in lower case without punctuation."""
    while True:
        pattern = GRID if kind == "grid" else PLAIN[int(rng.integers(len(PLAIN)))]
        words = [
            part if isinstance(part, str) else part[int(rng.integers(len(part)))]
            for part in pattern
        ]
        sentence = " ".join(words).lower()
        if split_of(sentence) == split and (kind == "grid" or 5 <= sentence.count(" ") + 1 <= 9):
            return sentence
