"""What every correct cutout, mixup and cutmix has in common, whatever stream its numbers come from.

Images have no two equal pixels and targets are linearly independent, so a result tells what was
drawn: the box is where the images differ, weights and partners solve a linear system. Over many
calls the facts of a correct answer (the smallest box, the last row that it begins in, whether the
partners of images and targets agree) are always the same, and they are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Finding, Mistake
from reglib.exercises._student_function import Student

_TOLERANCE = 1e-4

#: How the model answers draw, and what mistakes make of it.
LAM = "rng.beta(alpha, alpha)"
ROW, COLUMN = "rng.integers(height)", "rng.integers(width)"
SEEDED, UNSEEDED = "np.random.default_rng(7)", "np.random.default_rng()"
DEEP_COPY = "import copy\nrng = copy.deepcopy(rng)\n"

FROZEN = Mistake(
    "same draw at every call",
    "Every call draws the same numbers, as with a seed that is set inside the function.",
    "Draw from the rng that you are given, at every call anew.",
)
ELSEWHERE = Mistake(
    "random numbers from elsewhere",
    "A part of what is drawn does not come from rng, so no seed can repeat a run.",
    "np.random.beta and its like have a state of their own: call the methods of rng.",
)
COPIED = Mistake(
    "generator copied",
    "The function draws from a copy of rng, which itself never moves on: every step of a training "
    "loop gets the same draw.",
    "Call the methods of rng itself.",
)
PARTNER_TWICE = Mistake(
    "partners with repetition",
    "An example may be the partner of several others, and some are of none.",
    "A permutation holds each number once: rng.permutation.",
)
OTHER_PARTNER = Mistake(
    "other partners for images and targets",
    "Images are blended in one order and targets in another, so most targets belong to other "
    "images.",
    "Draw the partners once, and use them twice.",
)
TARGETS_LEFT = Mistake(
    "targets not mixed",
    "The images are blended and the targets stay hard: the network is told that a blend is wholly "
    "the first of the two.",
    "Which share of the label does the partner bring?",
)
EXCHANGED_WEIGHTS = Mistake(
    "weights exchanged",
    "The target gives the partner the share that the image itself has.",
    "With a weight of 0.9 the image is nearly itself. What should its target be?",
)
UNIFORM = Mistake(
    "weight not from Beta(alpha, alpha)",
    "The weight is drawn from another distribution, or not at all, so alpha does not do what the "
    "task says.",
    "rng.beta has two arguments. What are the weights for a very large alpha?",
)


@dataclass(frozen=True)
class Facts(Comparison):
    """A comparison of facts, each a number, or 1 for yes and 0 for no.

    Parameters
    ----------
    names : tuple of str
        What each fact is called; a question if the answer is yes or no.
    """

    names: tuple[str, ...] = ()

    def expected(self, student: Student, cases: Sequence[Case], reference: Any) -> list[Any]:
        """Return the facts of the reference, which no stream changes: found once for each text."""
        unknown = {case.text: case for case in cases if (self, case.text) not in _KNOWN}
        found = super().expected(student, list(unknown.values()), reference)
        _KNOWN.update(zip([(self, text) for text in unknown], found, strict=True))
        return [_KNOWN[self, case.text] for case in cases]

    def finding(
        self, case: Case, got: NDArray, wanted: NDArray, mistake: Mistake | None, more: str = ""
    ) -> Finding:
        """Return what is said of the facts that are wrong."""
        wrong = np.flatnonzero(np.abs(got - wanted) > _TOLERANCE)[:3]
        came, expected = (
            ", ".join(_told(self.names[i], values[i]) for i in wrong) for values in (got, wanted)
        )
        return Finding(f"{came} (for {case.text}){more}", expected, mistake)


#: The reference's facts, by what is compared and what a case is like.
_KNOWN: dict[tuple[Facts, str], Any] = {}


def _told(name: str, value: float) -> str:
    if name.endswith("?"):
        return f"{name} {'yes' if value else 'no'}"
    return f"{name}: {value:g}"


# Boxes


def distinct_images(rng: np.random.Generator, *shape: int) -> NDArray:
    """Return images without two equal pixels, none of them 0 or 1."""
    return rng.permutation(np.linspace(0.1, 0.9, int(np.prod(shape)))).reshape(shape)


def with_generator(*arguments: Any) -> tuple[Any, ...]:
    """Return arguments with a generator in place of the list that begins with its seed."""
    *given, seeds = arguments
    return *given, np.random.default_rng(seeds[0])


def _pair(student: Student, x: NDArray, y: NDArray, *more: Any) -> tuple[NDArray, NDArray]:
    mixed, targets = student.pair(student(x, y, *more), "x", "y")
    return (
        student.numbers(mixed, "the first of the pair", x.shape),
        student.numbers(targets, "the second of the pair", y.shape),
    )


def many_calls(
    student: Student, x: NDArray, y: NDArray, alpha: float, rng: np.random.Generator, number: int
) -> tuple[NDArray, NDArray]:
    """Return what comes of so many calls in a row, each with an axis for them in front."""
    pairs = [_pair(student, x, y, alpha, rng) for _ in range(number)]
    return np.array([mixed for mixed, _ in pairs]), np.array([targets for _, targets in pairs])


def boxes(before: NDArray, after: NDArray) -> tuple[NDArray, NDArray]:
    """Return where each image of shape (n, H, W, ...) has changed, (n, 4), and whether all of it.

    Top, bottom, left and right; four zeros where nothing has changed.
    """
    changed = np.abs(after - before) > _TOLERANCE
    changed = changed.reshape(*changed.shape[:3], -1)
    some = changed.any(axis=3)
    edges = [edge for axis in (2, 1) for edge in _ends(some.any(axis=axis))]
    top, bottom, left, right = edges
    whole = changed.sum(axis=(1, 2, 3)) == (bottom - top) * (right - left) * changed.shape[3]
    return np.stack(edges, axis=1), whole


def _ends(some: NDArray) -> tuple[NDArray, NDArray]:
    first = some.argmax(axis=1)
    last = some.shape[1] - some[:, ::-1].argmax(axis=1)
    return first, np.where(some.any(axis=1), last, 0)


EXTENT = (
    "rows of the smallest box", "rows of the largest", "columns of the narrowest",
    "columns of the widest", "last row that a box begins in", "first row that one ends before",
    "last column that a box begins in", "first column that one ends before",
)  # fmt: skip


def extent(found: NDArray) -> list[float]:
    """Return the least and largest sides of the boxes, and how far they reach."""
    found = found[found[:, 1] > 0]
    if not len(found):
        return [0.0] * len(EXTENT)
    top, bottom, left, right = found.T
    high, wide = bottom - top, right - left
    sides = [high.min(), high.max(), wide.min(), wide.max()]
    return [*sides, top.max(), bottom.min(), left.max(), right.min()]


# Blends


def weights(blends: NDArray, parts: NDArray) -> tuple[NDArray, bool]:
    """Return the matrices that make each call's blends of examples, and whether there are any."""
    known = parts.reshape(len(parts), -1)
    flat = blends.reshape(len(blends), *known.shape)
    A = flat @ np.linalg.pinv(known)
    return A, bool(np.abs(A @ known - flat).max() < _TOLERANCE)


def alike(A: NDArray, B: NDArray) -> bool:
    """Say whether two matrices of weights are the same."""
    return bool(np.abs(A - B).max() < _TOLERANCE)


def partners(A: NDArray) -> NDArray:
    """Return which other example each row of weights has the largest share of, itself if none."""
    others = np.where(np.eye(A.shape[-1], dtype=bool), _TOLERANCE, np.abs(A))
    return others.argmax(axis=-1)


TARGETS = (
    "are the targets blends of targets?", "do their weights sum to 1?",
    "have they the images' weights and partners?", "are they as they were?",
    "have they the partners of the images?", "have they the weights exchanged?",
)  # fmt: skip


def of_targets(A: NDArray, blends: NDArray, y: NDArray) -> list[float]:
    """Return the facts of each call's targets, whose weights should be those of A."""
    B, are_blends = weights(blends, y)
    mixed = partners(A) != np.arange(len(y))
    same = bool((partners(B) == partners(A)).all())
    own, shares = (M.diagonal(axis1=1, axis2=2)[mixed] for M in (A, B))
    exchanged = same and bool(np.abs(shares - (1 - own)).max(initial=0) < _TOLERANCE)
    summed = bool(np.abs(blends.sum(axis=2) - 1).max() < _TOLERANCE)
    return [are_blends, summed, alike(A, B), alike(B, np.eye(len(y))), same, exchanged]


# Where numbers come from


def repeats(
    draw: Callable[[Student, np.random.Generator], Sequence[NDArray]], student: Student, seed: int
) -> NDArray:
    """Return for each of several things drawn whether it comes again: in turn, or with a seed.

    ``draw(student, rng)`` returns what was drawn in many calls, an array for each thing. It comes
    again with the same generator (it should not), with another one, and with the same seed (it
    should).
    """
    one = np.random.default_rng(seed)
    first, again = draw(student, one), draw(student, one)
    other = draw(student, np.random.default_rng(seed + 1))
    same = draw(student, np.random.default_rng(seed))
    return np.array(
        [
            _mostly_equal(thing, drawn[i])
            for i, thing in enumerate(first)
            for drawn in (again, other, same)
        ],
        dtype=float,
    )


def _mostly_equal(one: NDArray, other: NDArray) -> bool:
    equal = np.abs(one - other).reshape(len(one), -1).max(axis=1) < 1e-9
    return bool(equal.mean() > 0.75)


def repeated(*things: str) -> tuple[str, ...]:
    """Return the names of the facts of :func:`repeats`."""
    whens = "a second call with one rng", "another seed", "the same seed"
    return tuple(f"does {when} give the same {thing}?" for thing in things for when in whens)
