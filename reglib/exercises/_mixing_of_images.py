"""Cutout, mixup and cutmix: what is hidden, what is blended, and what becomes of the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case
from reglib.exercises._findings import Mistake
from reglib.exercises._mixing_facts import (
    COPIED,
    ELSEWHERE,
    EXCHANGED_WEIGHTS,
    EXTENT,
    FROZEN,
    OTHER_PARTNER,
    PARTNER_TWICE,
    TARGETS,
    TARGETS_LEFT,
    UNIFORM,
    Facts,
    alike,
    boxes,
    extent,
    of_targets,
    partners,
    repeated,
    repeats,
    weights,
)
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import mixing as reference

_SEEDED, _UNSEEDED = "np.random.default_rng(7)", "np.random.default_rng()"
_DEEP = "import copy\nrng = copy.deepcopy(rng)\n"


def _images(rng: np.random.Generator, *shape: int) -> NDArray:
    """Return images without two equal pixels, none of them 0 or 1."""
    return rng.permutation(np.linspace(0.1, 0.9, int(np.prod(shape)))).reshape(shape)


def _with_generator(*arguments: Any) -> tuple[Any, ...]:
    *given, seeds = arguments
    return *given, np.random.default_rng(seeds[0])


# cutout


def _cut(student: Student, images: NDArray, size: int, rng: np.random.Generator) -> NDArray:
    return student.numbers(student(images, size, rng), "the result", images.shape)


def _square_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape, size in (((160, 5, 6), 3), ((160, 6, 5, 3), 4)):
        text = f"{shape[0]} images of shape {shape[1:]}, size = {size}"
        yield Case((_images(rng, *shape), size, [int(rng.integers(2**40))]), text)


def _squares(student: Student, images: NDArray, size: int, seeds: list[int]) -> NDArray:
    out = _cut(student, images, size, np.random.default_rng(seeds[0]))
    found, whole = boxes(images, out)
    inside = out[np.abs(out - images) > 1e-4]
    value = [inside.min(), inside.max()] if inside.size else [-1, -1]
    return np.array([*extent(found), whole.all(), (found[:, 1] > 0).all(), *value], dtype=float)


def _place_cases(rng: np.random.Generator) -> Iterator[Case]:
    images = _images(rng, 600, 2, 3)
    yield Case((images, 1, [int(rng.integers(2**40))]), "600 images of shape (2, 3), size = 1")


def _places(student: Student, images: NDArray, size: int, seeds: list[int]) -> NDArray:
    """Return how many of the pixels are hit far too often or too rarely for chance."""
    out = _cut(student, images, size, np.random.default_rng(seeds[0]))
    counts = (np.abs(out - images) > 1e-4).sum(axis=0)
    mean = len(images) / counts.size
    return np.array([(counts == 0).sum(), (np.abs(counts - mean) > 6.5 * np.sqrt(mean)).any()])


def _fresh_cut_cases(rng: np.random.Generator) -> Iterator[Case]:
    images = _images(rng, 40, 9, 11)
    yield Case((images, 1, [int(rng.integers(2**40))]), "40 images of shape (9, 11), size = 1")


def _fresh_cut(student: Student, images: NDArray, size: int, seeds: list[int]) -> NDArray:
    def draw(student: Student, rng: np.random.Generator) -> list[NDArray]:
        found, _ = boxes(images, _cut(student, images, size, rng))
        return [found[:, 0], found[:, 2]]

    return repeats(draw, student, seeds[0])


_ROW, _COLUMN = "rng.integers(height)", "rng.integers(width)"
_LOOP = "for i in range(n):\n    row, column"
CUTOUT = Task(
    "cutout(images, size, rng)",
    reference=reference.cutout,
    section="Blend and hide",
    hints=(
        "Write down for a row of five pixels and size = 3 which are hidden if the center is pixel "
        "0, 2 and 4.",
        "A loop over the images; two numbers from rng for each; and the ends of a slice that must "
        "not be negative.",
    ),
    model=f"""
        n, height, width = images.shape[:3]
        out = images.copy()
        for i in range(n):
            row, column = {_ROW}, {_COLUMN}
            top, left = row - size // 2, column - size // 2
            out[i, max(top, 0) : top + size, max(left, 0) : left + size] = 0
        return out
    """,
    aspects=(
        Aspect(
            "square",
            "one square of each image is 0, cut off at the border, and the rest is as it was",
            Facts(
                _square_cases,
                call=_squares,
                given=_with_generator,
                unchanged=True,
                names=(
                    *EXTENT,
                    "is all of each box covered, in every channel?",
                    "has each image a box?",
                    "least value in a box",
                    "largest value in a box",
                ),
            ),
        ),
        Aspect(
            "places",
            "the center is each pixel equally often",
            Facts(
                _place_cases,
                call=_places,
                given=_with_generator,
                names=("pixels that are never the center", "are some pixels preferred?"),
            ),
        ),
        Aspect(
            "fresh",
            "centers come from rng, anew at every call",
            Facts(
                _fresh_cut_cases,
                call=_fresh_cut,
                given=_with_generator,
                names=repeated("rows", "columns"),
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "never beyond the border",
            "The square always lies within the image, so pixels near the border are hidden less "
            "often than others.",
            "The center may be any pixel, also one in a corner.",
        ).written(
            (
                "top, left = row - size // 2, column - size // 2",
                "top, left = rng.integers(height - size + 1), rng.integers(width - size + 1)",
            ),
        ),
        Mistake(
            "negative indices",
            "Near the upper and left border the slice begins at a negative number, which counts "
            "from the end: nothing is hidden there, or the wrong part.",
            "What does x[-1:2] give?",
        ).written(
            (("max(top, 0)", "top"), ("max(left, 0)", "left")),
            ("max(top, 0)", "top"),
            ("max(left, 0)", "left"),
        ),
        Mistake(
            "height and width exchanged",
            "Rows are drawn from the width and columns from the height, so some squares miss the "
            "image and some pixels are never the center.",
            "The first axis of an image counts rows: there are as many as it is high.",
        ).written(
            ((_ROW, "rng.integers(width) "), (_COLUMN, _ROW)),
            (_ROW, _COLUMN),
            (_COLUMN, _ROW),
        ),
        Mistake(
            "one square for all images",
            "The center is drawn once, so all images are hidden at the same place.",
            "Which lines belong into the loop over the images?",
        ).written(
            (
                _LOOP,
                f"row, column = {_ROW}, {_COLUMN}\nfor i in range(n):\n    _, _",
            ),
        ),
        Mistake(
            "center taken for the corner",
            "The square begins at the pixel that was drawn instead of lying around it.",
            "Half of the square lies above its center.",
        ).written((("row - size // 2", "row"), ("column - size // 2", "column"))),
        Mistake(
            "side of another length",
            "The square has not size rows and columns: perhaps half of it on both sides loses a "
            "pixel of an odd size, or all of it on both sides doubles it.",
            "Count the rows of a square in the middle: how many are there for size = 3?",
        ).written(
            (("top + size", "row + size // 2"), ("left + size", "column + size // 2")),
            (("top + size", "top + size + 1"), ("left + size", "left + size + 1")),
            (("top + size", "top + size - 1"), ("left + size", "left + size - 1")),
            (
                ("row - size // 2", "row - size"),
                ("column - size // 2", "column - size"),
                ("top + size", "row + size"),
                ("left + size", "column + size"),
            ),
        ),
        Mistake(
            "a stripe instead of a square",
            "The hidden part runs through the whole image in one direction.",
            "Two slices: one for the rows, one for the columns.",
        ).written(
            (", max(left, 0) : left + size] =", "] ="),
            ("max(top, 0) : top + size,", ":,"),
        ),
        Mistake(
            "all but the square hidden",
            "The square is kept and the rest is 0.",
            "Begin with a copy of the images and write zeros into it.",
        ).written(
            (
                ("images.copy()", "np.zeros_like(images)"),
                ("] = 0", "] = images[i, max(top, 0) : top + size, max(left, 0) : left + size]"),
            )
        ),
        Mistake(
            "filled with something else",
            "What is hidden should be 0.",
            "Which value do you write into the square?",
        ).written(
            ("] = 0", "] = 1"), ("] = 0", "] = images.mean()"), ("] = 0", "] = rng.random()")
        ),
        Mistake(
            "first channel only",
            "Only one channel of a color image is hidden, so the others still show everything.",
            "Index rows and columns, and leave the last axis whole.",
        ).written(
            ("left + size] =", "left + size, ...][(..., *[0] * (images.ndim - 3))] ="),
        ),
        Mistake(
            "nothing hidden",
            "The images come back as they were.",
            "Write the zeros into the array that you return.",
        ).written("images.copy()"),
        Mistake(
            "one number for row and column",
            "Row and column always go together, so most centers are never drawn.",
            "Draw twice from rng.",
        ).written((f"= {_ROW}, {_COLUMN}", "= [rng.integers(min(height, width))] * 2")),
        Mistake(
            "last place never drawn",
            "The last row or column is never the center: rng.integers leaves out its upper end.",
            "For a row of five pixels, which numbers does rng.integers(5) give?",
        ).written(
            ((_ROW, "rng.integers(height - 1)"), (_COLUMN, "rng.integers(width - 1)")),
            ((_ROW, "rng.integers(1, height)"), (_COLUMN, "rng.integers(1, width)")),
        ),
        Mistake(
            "always the middle",
            "Every square lies in the middle of its image.",
            "Draw the center from rng.",
        ).written((f"= {_ROW}, {_COLUMN}", "= height // 2, width // 2")),
        FROZEN.written(("out =", f"rng = {_SEEDED}\nout =")),
        ELSEWHERE.written(
            ("out =", f"rng = {_UNSEEDED}\nout ="),
            (_ROW, "np.random.randint(height)"),
            (_COLUMN, "np.random.randint(width)"),
        ),
        COPIED.written(("out =", f"{_DEEP}out =")),
    ),
    right=(
        """
        out = np.array(images)
        for image in out:
            r, c = rng.integers(image.shape[0]), rng.integers(image.shape[1])
            r0, c0 = r - size // 2, c - size // 2
            rows = np.arange(image.shape[0])
            columns = np.arange(image.shape[1])
            rows = (rows >= r0) & (rows < r0 + size)
            columns = (columns >= c0) & (columns < c0 + size)
            image[np.outer(rows, columns)] = 0
        return out
        """,
        """
        n, height, width = images.shape[:3]
        top = rng.integers(height, size=(n, 1)) - size // 2
        left = rng.integers(width, size=(n, 1)) - size // 2
        rows, columns = np.arange(height), np.arange(width)
        rows = (rows >= top) & (rows < top + size)
        columns = (columns >= left) & (columns < left + size)
        mask = rows[:, :, None] & columns[:, None, :]
        return np.where(mask.reshape(mask.shape + (1,) * (images.ndim - 3)), 0, images)
        """,
        """
        child = rng.spawn(1)[0]
        out = images.astype(np.float32)
        for i in range(len(images)):
            row = int(child.random() * images.shape[1])
            column = int(child.random() * images.shape[2])
            top, left = np.clip([row - size // 2, column - size // 2], 0, None)
            bottom, right = row - size // 2 + size, column - size // 2 + size
            out[i, top:bottom, left:right] *= 0
        return out
        """,
        """
        out = []
        for image in images:
            center = rng.integers(image.shape[0] * image.shape[1])
            row, column = divmod(int(center), image.shape[1])
            new = image.copy()
            for i in range(row - size // 2, row - size // 2 + size):
                for j in range(column - size // 2, column - size // 2 + size):
                    if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
                        new[i, j] = 0
            out.append(new)
        return out
        """,
        """
        def hidden(length):
            start = rng.choice(length) - size // 2
            return slice(max(0, start), min(length, start + size))

        out = images.copy()
        for i in range(len(out)):
            out[i][hidden(out.shape[1]), hidden(out.shape[2])] = 0.0
        return out
        """,
    ),
)


# mixup


def _pair(student: Student, x: NDArray, y: NDArray, *more: Any) -> tuple[NDArray, NDArray]:
    mixed, targets = student.pair(student(x, y, *more), "x", "y")
    return (
        student.numbers(mixed, "the first of the pair", x.shape),
        student.numbers(targets, "the second of the pair", y.shape),
    )


def _calls(
    student: Student, x: NDArray, y: NDArray, alpha: float, rng: np.random.Generator, number: int
) -> tuple[NDArray, NDArray]:
    """Return what comes of so many calls in a row, each with an axis for them in front."""
    pairs = [_pair(student, x, y, alpha, rng) for _ in range(number)]
    return np.array([mixed for mixed, _ in pairs]), np.array([targets for _, targets in pairs])


def _blend_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape in ((5, 3, 4), (6, 3, 4, 2), (4, 7)):
        x, y = _images(rng, *shape), rng.dirichlet(np.ones(shape[0] + 1), shape[0])
        text = f"{shape[0]} examples of shape {shape[1:]}, alpha = 2, three calls"
        yield Case((x, y, 2.0, [int(rng.integers(2**40)), 3]), text)


def _blended(student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]) -> NDArray:
    rng = np.random.default_rng(seeds[0])
    A, blends = weights(_calls(student, x, y, alpha, rng, seeds[1])[0], x)
    ones = np.eye(len(x))
    others = A * (1 - ones)
    one_each = (np.sum(others > 1e-4, axis=2) <= 1).all() and others.min() > -1e-4
    everyone_once = (np.sort(partners(A), axis=1) == np.arange(len(x))).all()
    one_for_all = (partners(A) == partners(A)[:, :1]).mean() > 0.7
    mixed = partners(A) != np.arange(len(x))
    own = A.diagonal(axis1=1, axis2=2)
    one_weight = all(np.ptp(w[m]) < 1e-4 for w, m in zip(own, mixed, strict=True) if m.any())
    summed = np.abs(A.sum(axis=2) - 1).max() < 1e-4
    facts = [blends, summed, one_each, everyone_once, one_for_all, one_weight, not alike(A, ones)]
    return np.array(facts, dtype=float)


def _target_facts(
    student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    mixed, targets = _calls(student, x, y, alpha, np.random.default_rng(seeds[0]), seeds[1])
    return np.array(of_targets(weights(mixed, x)[0], targets, y), dtype=float)


def _weight_cases(rng: np.random.Generator) -> Iterator[Case]:
    for alpha, calls in ((1e6, 3), (0.5, 80)):
        text = f"alpha = {alpha:g} in {calls} calls"
        yield Case((np.eye(8), np.eye(8), alpha, [int(rng.integers(2**40)), calls]), text)


def _weight_facts(
    student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    A, _ = _calls(student, x, y, alpha, np.random.default_rng(seeds[0]), seeds[1])
    lam = A.diagonal(axis1=1, axis2=2).min(axis=1)
    if seeds[1] < 10:
        return np.array([np.abs(lam - 0.5).max() < 0.01, 1, 1, 1], dtype=float)
    spread = abs(lam.var() * 4 * (2 * alpha + 1) - 1) < 0.5
    partners_seen = len(set(partners(A)[:, 0].tolist())) > 3
    facts = [abs(lam.mean() - 0.5) < 0.25, lam.min() < 0.4, spread, partners_seen]
    return np.array(facts, dtype=float)


def _fresh_blend_cases(rng: np.random.Generator) -> Iterator[Case]:
    seeds = [int(rng.integers(2**40)), 4]
    yield Case((np.eye(8), np.eye(8), 1.0, seeds), "four calls with 8 examples")


def _fresh_blend(
    student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    def draw(student: Student, rng: np.random.Generator) -> list[NDArray]:
        A, _ = _calls(student, x, y, alpha, rng, seeds[1])
        return [A.diagonal(axis1=1, axis2=2).min(axis=1, keepdims=True), partners(A)]

    return repeats(draw, student, seeds[0])


_LAM, _PARTNER = "rng.beta(alpha, alpha)", "rng.permutation(len(x))"
MIXUP = Task(
    "mixup(x, y, alpha, rng)",
    reference=reference.mixup,
    section="Blend and hide",
    hints=(
        "Take two examples and lam = 0.7, and write down both blends and both targets.",
        "Two draws a call: one weight and one permutation. Each is used for images and for "
        "targets.",
    ),
    model=f"""
        lam = {_LAM}
        partner = {_PARTNER}
        mixed = lam * x + (1 - lam) * x[partner]
        targets = lam * y + (1 - lam) * y[partner]
        return mixed, targets
    """,
    aspects=(
        Aspect(
            "blend",
            "each example is blended with one partner of the batch, all with one weight",
            Facts(
                _blend_cases,
                call=_blended,
                given=_with_generator,
                unchanged=True,
                names=(
                    "are the results blends of examples?",
                    "do the weights sum to 1?",
                    "is there at most one partner?",
                    "is everyone a partner once?",
                    "is one example the partner of all?",
                    "is there one weight for the batch?",
                    "is anything blended?",
                ),
            ),
        ),
        Aspect(
            "targets",
            "targets are blended as their images are",
            Facts(_blend_cases, call=_target_facts, given=_with_generator, names=TARGETS),
        ),
        Aspect(
            "weight",
            "the weight comes from Beta(alpha, alpha), and anyone may be a partner",
            Facts(
                _weight_cases,
                call=_weight_facts,
                given=_with_generator,
                names=(
                    "is the mean weight near 1/2?",
                    "are some weights below 1/2?",
                    "have the weights the spread of Beta(alpha, alpha)?",
                    "has the first example many partners?",
                ),
            ),
        ),
        Aspect(
            "fresh",
            "weight and partners come from rng, anew at every call",
            Facts(
                _fresh_blend_cases,
                call=_fresh_blend,
                given=_with_generator,
                names=repeated("weights", "partners"),
            ),
        ),
    ),
    mistakes=(
        TARGETS_LEFT.written(("lam * y + (1 - lam) * y[partner]", "y")),
        EXCHANGED_WEIGHTS.written(("lam * y + (1 - lam) *", "(1 - lam) * y + lam *")),
        OTHER_PARTNER.written(
            ("y[partner]", "y[rng.permutation(len(y))]"),
            ("x[partner]", "x[rng.permutation(len(x))]"),
        ),
        Mistake(
            "another weight for the targets",
            "Images and targets are blended with different weights.",
            "Draw the weight once, and use it twice.",
        ).written(("targets = lam", "lam = rng.beta(alpha, alpha)\ntargets = lam")),
        Mistake(
            "one weight for each example",
            "Every example has a weight of its own; the task asks for one for the batch. Keras's "
            "layer draws one for each, and that is a good mixup too.",
            "What size has the weight that you draw?",
        ).written(
            (
                (_LAM, "rng.beta(alpha, alpha, len(x))"),
                (
                    "mixed = lam * x + (1 - lam)",
                    "wide = lam.reshape(-1, *[1] * (x.ndim - 1))\nmixed = wide * x + (1 - wide)",
                ),
                ("targets = lam", "lam = lam[:, None]\ntargets = lam"),
            )
        ),
        UNIFORM.written(
            (_LAM, "rng.random()"),
            (_LAM, "rng.beta(alpha, 1)"),
            (_LAM, "rng.beta(1, alpha)"),
            (_LAM, "rng.beta(1, 1)"),
            (_LAM, "0.5"),
            (_LAM, "rng.beta(1 / alpha, 1 / alpha)"),
        ),
        Mistake(
            "weight always above 1/2",
            "The larger of lam and 1 - lam is taken, so an example always keeps the larger share. "
            "MixMatch does so; the task does not.",
            "Use the weight as it was drawn.",
        ).written((_LAM, "max(lam := rng.beta(alpha, alpha), 1 - lam)")),
        Mistake(
            "same partners at every call",
            "Everyone has the same partner in every call, such as the one in front or the image at "
            "the other end.",
            "Draw the partners from rng.",
        ).written(
            (_PARTNER, "np.arange(len(x))[::-1]"),
            (_PARTNER, "np.roll(np.arange(len(x)), 1)"),
            (_PARTNER, "np.roll(np.arange(len(x)), -1)"),
            (_PARTNER, f"{_SEEDED}.permutation(len(x))"),
        ),
        PARTNER_TWICE.written((_PARTNER, "rng.integers(len(x), size=len(x))")),
        Mistake(
            "one partner for all",
            "The whole batch is blended with one and the same example.",
            "How many partners does a batch of n examples need?",
        ).written((_PARTNER, "rng.integers(len(x))")),
        Mistake(
            "weights that do not sum to 1",
            "Both parts have the same factor, or one has none, so blends are too bright or dark.",
            "For lam = 0.3, with which factor does the partner come in?",
        ).written(
            (("(1 - lam) * x", "lam * x"), ("(1 - lam) * y", "lam * y")),
            (("(1 - lam) * x", "x"), ("(1 - lam) * y", "y")),
            ("(1 - lam) * x", "lam * x"),
            ("(1 - lam) * y", "lam * y"),
        ),
        Mistake(
            "nothing blended",
            "Every example is its own partner.",
            "Index with the permutation.",
        ).written((_PARTNER, "np.arange(len(x))"), "x.copy(), y.copy()"),
        Mistake(
            "images not blended",
            "The targets are blended and the images stay as they were.",
            "Both of the pair are blended in the same way.",
        ).written(("lam * x + (1 - lam) * x[partner]", "x")),
        FROZEN.written(("lam = rng", f"rng = {_SEEDED}\nlam = rng")),
        ELSEWHERE.written(
            ("lam = rng", f"rng = {_UNSEEDED}\nlam = rng"),
            (_LAM, "np.random.beta(alpha, alpha)"),
            (_PARTNER, "np.random.permutation(len(x))"),
        ),
        COPIED.written(("lam = rng", f"{_DEEP}lam = rng")),
    ),
    right=(
        """
        order = rng.permutation(len(x))
        lam = rng.beta(alpha, alpha)
        return x * lam + x[order] * (1.0 - lam), y * lam + y[order] * (1.0 - lam)
        """,
        """
        lam = rng.beta(alpha, alpha)
        order = np.arange(len(x))
        rng.shuffle(order)
        return [a[order] + lam * (a - a[order]) for a in (x, y)]
        """,
        """
        first, second = rng.spawn(2)
        lam = float(first.beta(alpha, alpha))
        order = second.permutation(x.shape[0])
        x, y = x.astype(np.float32), y.astype(np.float32)
        return lam * x + (1 - lam) * x[order], lam * y + (1 - lam) * y[order]
        """,
        """
        lam = 1 - rng.dirichlet([alpha, alpha])[0]
        partner = rng.choice(len(x), size=len(x), replace=False)
        mixed = [lam * a + (1 - lam) * x[j] for a, j in zip(x, partner)]
        targets = [lam * b + (1 - lam) * y[j] for b, j in zip(y, partner)]
        return mixed, targets
        """,
        """
        n = len(x)
        weight = rng.beta(alpha, alpha)
        M = weight * np.eye(n) + (1 - weight) * np.eye(n)[rng.permutation(n)]
        return np.tensordot(M, x, axes=1), M @ y
        """,
        """
        order = np.argsort(rng.random(len(x)))
        lam = rng.beta(alpha, alpha)

        def blend(a):
            return lam * a + (1 - lam) * np.take(a, order, axis=0)

        return blend(x), blend(y)
        """,
    ),
)


# cutmix


def _box_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape, alpha, calls in (
        ((8, 5, 3), 1e6, 60),
        ((8, 5, 3), 0.1, 60),
        ((8, 8, 9, 2), 1e6, 24),
    ):
        text = f"{shape[0]} images of shape {shape[1:]}, alpha = {alpha:g} in {calls} calls"
        seeds = [int(rng.integers(2**40)), calls]
        yield Case((_images(rng, *shape), np.eye(shape[0]), alpha, seeds), text)


def _box_facts(
    student: Student, images: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    outs, _ = _calls(student, images, y, alpha, np.random.default_rng(seeds[0]), seeds[1])
    many = np.broadcast_to(images, outs.shape).reshape(-1, *images.shape[1:])
    found, whole = boxes(many, outs.reshape(many.shape))
    by_call = found.reshape(*outs.shape[:2], 4)
    largest = by_call.max(axis=1, keepdims=True)
    one_box = ((by_call == largest) | (by_call == 0)).all()
    facts = [whole.all(), one_box]
    top, bottom, left, right = largest[:, 0].T
    areas = (bottom - top) * (right - left)
    some_empty = np.sum(areas == 0) > 1  # one may come of everyone being their own partner
    height, width = images.shape[1:3]
    allowed = alpha < 1 or (_may_be(top, bottom, height) & _may_be(left, right, width)).all()
    facts += [some_empty, areas.max() > height * width / 2 and alpha < 1, allowed]
    # Other weights make other boxes at every draw, and too few calls do not show the rarest ones.
    reach = np.array(extent(found[: 0 if some_empty else None]))
    if seeds[1] < 50:
        reach[[0, 2, 4, 5, 6, 7]] = 0
    return np.array([*facts, *reach], dtype=float)


def _may_be(first: NDArray, last: NDArray, length: int) -> NDArray:
    """Say whether sides of boxes with half of the area are some that the task allows."""
    side = int(length * np.sqrt(0.5))
    whole = (last - first == side) & (first > 0) & (last < length)
    at_the_start = (first == 0) & (last >= side - side // 2) & (last <= side)
    at_the_end = (last == length) & (first >= length - side) & (first <= length - 1 - side // 2)
    return whole | at_the_start | at_the_end | (last == 0)


def _paste_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape in ((5, 7, 9), (6, 8, 5, 3)):
        images, y = _images(rng, *shape), rng.dirichlet(np.ones(shape[0] + 1), shape[0])
        text = f"{shape[0]} images of shape {shape[1:]}, alpha = 1000, four calls"
        yield Case((images, y, 1000.0, [int(rng.integers(2**40)), 4]), text)


def _pasted(images: NDArray, out: NDArray) -> tuple[NDArray, bool]:
    """Return the weights by area, and whether the boxes hold the same part of partners."""
    found, _ = boxes(images, out)
    A, fits, used = np.eye(len(images)), True, []
    for i, (top, bottom, left, right) in enumerate(found):
        box = (slice(top, bottom), slice(left, right))
        if bottom > 0:
            gaps = [np.abs(out[i][box] - other[box]).max() for other in images]
            partner = int(np.argmin(gaps))
            fits &= bool(gaps[partner] < 1e-4)
            used.append(partner)
            share = (bottom - top) * (right - left) / (images.shape[1] * images.shape[2])
            A[i, i], A[i, partner] = 1 - share, share
    return A, fits and len(set(used)) == len(used)


def _pasted_facts(
    student: Student, images: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    mixed, targets = _calls(student, images, y, alpha, np.random.default_rng(seeds[0]), seeds[1])
    pasted = [_pasted(images, out) for out in mixed]
    A = np.array([matrix for matrix, _ in pasted])
    return np.array([all(fits for _, fits in pasted), *of_targets(A, targets, y)], dtype=float)


def _fresh_paste_cases(rng: np.random.Generator) -> Iterator[Case]:
    seeds = [int(rng.integers(2**40)), 8]
    yield Case((_images(rng, 8, 20, 24), np.eye(8), 1.0, seeds), "eight calls with 8 images")


def _fresh_paste(
    student: Student, images: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    def draw(student: Student, rng: np.random.Generator) -> list[NDArray]:
        mixed, targets = _calls(student, images, y, alpha, rng, seeds[1])
        place = np.array([boxes(images, out)[0].max(axis=0) for out in mixed])
        return [place[:, :2], place[:, 2:], partners(targets)]

    return repeats(draw, student, seeds[0])


_BOX_H, _BOX_W = "int(height * np.sqrt(1 - lam))", "int(width * np.sqrt(1 - lam))"
_KEPT = "1 - (bottom - top) * (right - left) / (height * width)"
_SEEN = "[partner, top:bottom, left:right]"
CUTMIX = Task(
    "cutmix(images, y, alpha, rng)",
    reference=reference.cutmix,
    section="Blend and hide",
    hints=(
        "An image of 10 x 10 pixels and lam = 0.75: how many rows and columns has the box? Which "
        "share of the image is it? And if its center is the pixel [0, 0]?",
        "Cut the box off at the border first. Then count its pixels, and give the partner's target "
        "exactly that share.",
    ),
    model=f"""
        n, height, width = images.shape[:3]
        lam = {_LAM}
        partner = rng.permutation(n)
        box_height, box_width = {_BOX_H}, {_BOX_W}
        row, column = {_ROW}, {_COLUMN}
        top, left = row - box_height // 2, column - box_width // 2
        bottom, right = min(top + box_height, height), min(left + box_width, width)
        top, left = max(top, 0), max(left, 0)
        mixed = images.copy()
        mixed[:, top:bottom, left:right] = images{_SEEN}
        lam = {_KEPT}
        targets = lam * y + (1 - lam) * y[partner]
        return mixed, targets
    """,
    aspects=(
        Aspect(
            "box",
            "one box a call, with the sides that the task names, around any pixel, cut off at the "
            "border",
            Facts(
                _box_cases,
                call=_box_facts,
                given=_with_generator,
                unchanged=True,
                names=(
                    "is all of each box covered, in every channel?",
                    "is the box at one place for the batch?",
                    "are there empty boxes?",
                    "do some cover more than half of the image?",
                    "are all boxes such as the task allows?",
                    *EXTENT,
                ),
            ),
        ),
        Aspect(
            "targets",
            "the box shows the same part of the partner, whose target counts by the box's area",
            Facts(
                _paste_cases,
                call=_pasted_facts,
                given=_with_generator,
                names=("does each box show its place in a partner of its own?", *TARGETS),
            ),
        ),
        Aspect(
            "fresh",
            "weight, center and partners come from rng, anew at every call",
            Facts(
                _fresh_paste_cases,
                call=_fresh_paste,
                given=_with_generator,
                names=repeated("rows", "columns", "partners"),
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "weight not computed from the area",
            "The targets use the weight as it was drawn. Rounded sides and the border make the box "
            "smaller than that, so the partner gets more of the target than of the image.",
            "Which share of the image's pixels lies in the box that was really pasted?",
        ).written(
            (f"lam = {_KEPT}\n", "\n"),
            (_KEPT, "1 - box_height * box_width / (height * width)"),
        ),
        Mistake(
            "side in proportion to the area",
            "Each side has the share 1 - lam, so the box has the share (1 - lam) squared.",
            "If a square has a quarter of the area, which share of the side has it?",
        ).written(("np.sqrt(1 - lam)", "(1 - lam)")),
        Mistake(
            "half a side on both sides",
            "From half a side before the center to half a side after it, odd sides lose a pixel.",
            "How many pixels lie from 5 - 3 // 2 up to 5 + 3 // 2?",
        ).written(
            (
                ("top + box_height", "row + box_height // 2"),
                ("left + box_width", "column + box_width // 2"),
            )
        ),
        Mistake(
            "height and width exchanged",
            "The box is as high as it should be wide, or rows are drawn from the width.",
            "The first axis of an image counts rows.",
        ).written(
            ((_BOX_H, "int(width * np.sqrt(1 - lam)) "), (_BOX_W, _BOX_H)),
            ("box_height, box_width = int(height", "box_height, box_width = int(width"),
            (_BOX_W, _BOX_H),
            (("n, height, width =", "n, width, height ="),),
            ((_ROW, "rng.integers(width) "), (_COLUMN, _ROW)),
        ),
        Mistake(
            "box never beyond the border",
            "The box always lies within the image, so pixels near the border are replaced less "
            "often than others.",
            "The center may be any pixel, also one in a corner.",
        ).written(
            (
                "top, left = row - box_height // 2, column - box_width // 2",
                "top = rng.integers(height - box_height + 1)\n"
                "left = rng.integers(width - box_width + 1)",
            )
        ),
        Mistake(
            "negative indices",
            "Near the upper and left border the box begins at a negative number, which counts from "
            "the end.",
            "What does x[-1:2] give?",
        ).written(("top, left = max(top, 0), max(left, 0)", "")),
        Mistake(
            "center taken for the corner",
            "The box begins at the pixel that was drawn instead of lying around it.",
            "Half of the box lies above its center.",
        ).written((("row - box_height // 2", "row"), ("column - box_width // 2", "column"))),
        Mistake(
            "sides rounded up",
            "The sides are rounded to the nearest whole number, or up; the task rounds down.",
            "int cuts off what stands behind the decimal point.",
        ).written(
            ((_BOX_H, _BOX_H.replace("int", "round")), (_BOX_W, _BOX_W.replace("int", "round"))),
            (
                (_BOX_H, "int(np.ceil(height * np.sqrt(1 - lam)))"),
                (_BOX_W, "int(np.ceil(width * np.sqrt(1 - lam)))"),
            ),
        ),
        Mistake(
            "another part of the partner",
            "The box does not show what the partner has at that place.",
            "Rows and columns of the box are the same in both images.",
        ).written(
            (f"images{_SEEN}", "images[partner, ::-1][:, top:bottom, left:right]"),
            (f"images{_SEEN}", "images[partner, :, ::-1][:, top:bottom, left:right]"),
        ),
        Mistake(
            "box blended",
            "Inside the box both images are blended, as mixup does; cutmix replaces.",
            "What should a pixel in the box be: the partner's, or something between?",
        ).written(
            (
                f"= images{_SEEN}",
                f"= lam * mixed[:, top:bottom, left:right] + (1 - lam) * images{_SEEN}",
            )
        ),
        Mistake(
            "first channel only",
            "Only one channel of a color image comes from the partner.",
            "Index rows and columns, and leave the last axis whole.",
        ).written(
            (
                f"mixed[:, top:bottom, left:right] = images{_SEEN}",
                "part = (..., *[0] * (images.ndim - 3))\n"
                f"mixed[:, top:bottom, left:right][part] = images{_SEEN}[part]",
            )
        ),
        TARGETS_LEFT.written(("lam * y + (1 - lam) * y[partner]", "y.copy()")),
        EXCHANGED_WEIGHTS.written(
            ("lam * y + (1 - lam) *", "(1 - lam) * y + lam *"),
            (_KEPT, _KEPT.removeprefix("1 - ")),
        ),
        OTHER_PARTNER.written(("y[partner]", "y[rng.permutation(n)]")),
        PARTNER_TWICE.written(("rng.permutation(n)", "rng.integers(n, size=n)")),
        UNIFORM.written(
            (_LAM, "rng.random()"),
            (_LAM, "rng.beta(alpha, 1)"),
            (_LAM, "0.5"),
        ),
        Mistake(
            "same partners at every call",
            "Everyone has the same partner in every call.",
            "Draw the partners from rng.",
        ).written(
            ("rng.permutation(n)", "np.arange(n)[::-1]"),
            ("rng.permutation(n)", "np.roll(np.arange(n), 1)"),
        ),
        Mistake(
            "nothing pasted",
            "The images come back as they were.",
            "Write the box into the array that you return.",
        ).written(
            (f"mixed[:, top:bottom, left:right] = images{_SEEN}", ""), "images.copy(), y.copy()"
        ),
        FROZEN.written(("lam = rng", f"rng = {_SEEDED}\nlam = rng")),
        ELSEWHERE.written(
            ("lam = rng", f"rng = {_UNSEEDED}\nlam = rng"),
            (_LAM, "np.random.beta(alpha, alpha)"),
            ("rng.permutation(n)", "np.random.permutation(n)"),
            (_ROW, "np.random.randint(height)"),
            (_COLUMN, "np.random.randint(width)"),
        ),
        COPIED.written(("lam = rng", f"{_DEEP}lam = rng")),
    ),
    right=(
        """
        height, width = images.shape[1:3]
        order = rng.permutation(len(images))
        side = (1 - rng.beta(alpha, alpha)) ** 0.5
        h, w = int(side * height), int(side * width)
        i = np.arange(height) - rng.integers(height) + h // 2
        j = np.arange(width) - rng.integers(width) + w // 2
        mask = np.outer((i >= 0) & (i < h), (j >= 0) & (j < w))
        share = mask.mean()
        mask = mask.reshape(height, width, *[1] * (images.ndim - 3))
        return np.where(mask, images[order], images), (1 - share) * y + share * y[order]
        """,
        """
        def stretch(length, part):
            start = rng.integers(length) - part // 2
            return np.clip([start, start + part], 0, length)

        n, h, w = images.shape[:3]
        lam, order = rng.beta(alpha, alpha), rng.permutation(n)
        t, b = stretch(h, int(np.sqrt(1 - lam) * h))
        l, r = stretch(w, int(np.sqrt(1 - lam) * w))
        out = images.astype(np.float32)
        out[:, t:b, l:r] = images[order][:, t:b, l:r]
        lam = 1 - (b - t) * (r - l) / (h * w)
        return out, lam * y + (1 - lam) * y[order]
        """,
        """
        rng = rng.spawn(1)[0]
        n, h, w = images.shape[0], images.shape[1], images.shape[2]
        row, column = int(rng.random() * h), int(rng.random() * w)
        lam = rng.beta(alpha, alpha)
        bh, bw = np.floor(np.sqrt(1 - lam) * np.array([h, w])).astype(int)
        t, l = row - bh // 2, column - bw // 2
        box = slice(max(t, 0), min(t + bh, h)), slice(max(l, 0), min(l + bw, w))
        order = rng.permutation(n)
        mixed, targets = [], []
        for k in range(n):
            image = images[k].copy()
            image[box] = images[order[k]][box]
            share = image[box].size / image.size
            mixed.append(image)
            targets.append((1 - share) * y[k] + share * y[order[k]])
        return mixed, targets
        """,
        """
        _, height, width, *_ = images.shape
        order = np.argsort(rng.random(len(images)))
        cut = np.sqrt(rng.beta(alpha, alpha))
        bh, bw = int(height * cut), int(width * cut)
        cy, cx = rng.integers([height, width])
        y0, x0 = max(cy - bh // 2, 0), max(cx - bw // 2, 0)
        y1, x1 = min(cy - bh // 2 + bh, height), min(cx - bw // 2 + bw, width)
        keep = np.ones((height, width))
        keep[y0:y1, x0:x1] = 0
        lam = keep.sum() / keep.size
        keep = keep[..., None] if images.ndim == 4 else keep
        return keep * images + (1 - keep) * images[order], y[order] + lam * (y - y[order])
        """,
        """
        n, height, width = images.shape[:3]
        lam, partner = rng.beta(alpha, alpha), rng.choice(n, n, replace=False)
        h, w = int(height * np.sqrt(1 - lam)), int(width * np.sqrt(1 - lam))
        center = rng.choice(height * width)
        top, left = center // width - h // 2, center % width - w // 2
        rows = [i for i in range(top, top + h) if 0 <= i < height]
        columns = [j for j in range(left, left + w) if 0 <= j < width]
        mixed = images.copy()
        for i in rows:
            for j in columns:
                mixed[:, i, j] = images[partner, i, j]
        share = len(rows) * len(columns) / (height * width)
        return [mixed, y - share * (y - y[partner])]
        """,
    ),
)
