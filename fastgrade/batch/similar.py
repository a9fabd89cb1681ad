"""Answers that share passages, whatever their names, comments and order of lines.

An answer becomes tokens of Python without comments, docstrings and layout, in which all names are
the same but keywords, built-in ones and what follows a dot. Of each `GRAM` tokens in a row a hash
is taken, and of each `WINDOW` hashes in a row the smallest is kept: winnowing, by S. Schleimer,
D. Wilkerson and A. Aiken (2003). A passage of ``GRAM + WINDOW - 1`` equal tokens is found for sure.
What the instructor gave out or wrote does not count, nor what many in the class wrote.
"""

from __future__ import annotations

import builtins
import io
import keyword
import tokenize
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["Pair", "similar"]

GRAM, WINDOW = 8, 4
#: Fewer shared fingerprints prove nothing, nor does a smaller share of the shorter answer's.
LEAST, SHARE = 10, 0.5
#: What a tenth of the students wrote is what one writes there, but never what so few did, and
#: always what so many did: the pairs among them are many.
FEW, MANY = 8, 100

_KEPT_NAMES = {*keyword.kwlist, *dir(builtins)}
_LAYOUT = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}

#: Hashes, each with the lines that it was made of, first and last.
Prints = dict[int, tuple[int, int]]


@dataclass(frozen=True)
class Pair:
    """Two students whose answers share passages, and the lines of these in each, from 0."""

    students: tuple[str, str]
    shared: int
    share: float
    lines: tuple[frozenset[int], frozenset[int]]


def similar(answers: Mapping[str, str], known: Iterable[str] = ()) -> list[Pair]:
    """Return the pairs of students whose answers are alike, the most alike first.

    Parameters
    ----------
    answers : dict of str to str
        The code of each student.
    known : iterable of str
        Code that everybody may have: what was released, and the instructor's own.
    """
    students = sorted(answers)
    given = {one for text in known for one in _hashes(_tokens(text))}
    holders = defaultdict(list)
    prints = [_winnow(answers[student]) for student in students]
    for number, some in enumerate(prints):
        for one in some:
            holders[one].append(number)
    most = min(max(FEW, len(students) / 10), MANY)
    telling = {one: who for one, who in holders.items() if one not in given and len(who) <= most}
    own = [len(some.keys() & telling.keys()) for some in prints]
    pairs = [
        Pair(
            (students[i], students[j]),
            shared,
            shared / min(own[i], own[j]),
            _lines(prints[i], prints[j], telling),
        )
        for i, some in enumerate(prints)
        for j, shared in _later(i, [telling[one] for one in some if one in telling])
        if shared >= max(LEAST, SHARE * min(own[i], own[j]))
    ]
    return sorted(pairs, key=lambda pair: (-pair.shared, pair.students))


def _later(student: int, holders: list[list[int]]) -> Iterator[tuple[int, int]]:
    """Yield who comes after a student and shares something, and how much."""
    if holders:
        numbers, counts = np.unique(np.concatenate(holders), return_counts=True)
        later = numbers > student
        yield from zip(numbers[later].tolist(), counts[later].tolist(), strict=True)


def _lines(
    one: Prints, other: Prints, telling: Mapping[int, object]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the lines of two answers in which they share something."""
    both = one.keys() & other.keys() & telling.keys()
    first, second = (
        frozenset(line for mark in both for line in range(some[mark][0], some[mark][1] + 1))
        for some in (one, other)
    )
    return first, second


def _winnow(text: str) -> Prints:
    """Return the fingerprints of an answer."""
    hashes = list(_hashes(_tokens(text)).items())
    windows = range(max(1, len(hashes) - WINDOW + 1))
    return dict(min(hashes[i : i + WINDOW]) for i in windows if hashes)


def _hashes(tokens: list[tuple[str, int]]) -> Prints:
    """Return the hash of each passage of tokens, and the lines that it stands in."""
    found: Prints = {}
    for i in range(len(tokens) - GRAM + 1):
        passage = tokens[i : i + GRAM]
        one = zlib.crc32("\0".join(token for token, _ in passage).encode())
        found.setdefault(one, (passage[0][1], passage[-1][1]))
    return found


def _tokens(text: str) -> list[tuple[str, int]]:
    """Return the tokens of a program that tell what it does, each with its line, from 0."""
    found = []
    before = tokenize.NEWLINE
    after_dot = False
    for token in _read(text):
        if token.type in _LAYOUT:
            before = token.type if token.type not in (tokenize.COMMENT, tokenize.NL) else before
            continue
        word = token.string
        if token.type == tokenize.STRING:
            if before in _LAYOUT:
                continue  # a docstring
            word = "text"
        elif token.type == tokenize.NAME and not after_dot and word not in _KEPT_NAMES:
            word = "name"
        after_dot = word == "."
        before = token.type
        found.append((word, token.start[0] - 1))
    return found


def _read(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of a program up to where it is none; magics are left out."""
    lines = ["" if line.lstrip()[:1] in ("%", "!") else line for line in text.splitlines()]
    try:
        yield from tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline)
    except (tokenize.TokenError, SyntaxError):
        return
