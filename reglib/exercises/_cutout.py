"""Cutout: a square of each image is hidden."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case
from reglib.exercises._findings import Mistake
from reglib.exercises._mixing_facts import (
    COLUMN,
    COPIED,
    DEEP_COPY,
    ELSEWHERE,
    EXTENT,
    FROZEN,
    ROW,
    SEEDED,
    UNSEEDED,
    Facts,
    boxes,
    distinct_images,
    extent,
    repeated,
    repeats,
    with_generator,
)
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import mixing as reference

ONE_FOR_ALL = Mistake(
    "one square for all images",
    "The center is drawn once, so all images are hidden at the same place.",
    "Which lines belong into the loop over the images?",
)
FILLED = Mistake(
    "filled with something else",
    "What is hidden should be 0.",
    "Which value do you write into the square?",
)


def _cut(student: Student, images: NDArray, size: int, rng: np.random.Generator) -> NDArray:
    return student.numbers(student(images, size, rng), "the result", images.shape)


def _square_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape, size in (((160, 5, 6), 3), ((160, 6, 5, 3), 4)):
        text = f"{shape[0]} images of shape {shape[1:]}, size = {size}"
        yield Case((distinct_images(rng, *shape), size, [int(rng.integers(2**40))]), text)


def _squares(student: Student, images: NDArray, size: int, seeds: list[int]) -> NDArray:
    out = _cut(student, images, size, np.random.default_rng(seeds[0]))
    found, whole = boxes(images, out)
    inside = out[np.abs(out - images) > 1e-4]
    value = [inside.min(), inside.max()] if inside.size else [-1, -1]
    one = found.any() and (found == found[0]).all()
    has_box = (found[:, 1] > 0).all()
    return np.array([*extent(found), whole.all(), has_box, one, *value], dtype=float)


def _betrayed(facts: NDArray, images: NDArray, size: int, *_: object) -> Mistake | None:
    """Return what shows whatever was drawn."""
    rows, columns, (one_place, least, largest) = facts[1], facts[3], facts[-3:]
    if one_place:
        return ONE_FOR_ALL
    return FILLED if rows == columns == size and (least or largest) else None


def _place_cases(rng: np.random.Generator) -> Iterator[Case]:
    images = distinct_images(rng, 600, 2, 3)
    yield Case((images, 1, [int(rng.integers(2**40))]), "600 images of shape (2, 3), size = 1")


def _places(student: Student, images: NDArray, size: int, seeds: list[int]) -> NDArray:
    """Return how many of the pixels are hit far too often or too rarely for chance."""
    out = _cut(student, images, size, np.random.default_rng(seeds[0]))
    counts = (np.abs(out - images) > 1e-4).sum(axis=0)
    mean = len(images) / counts.size
    return np.array([(counts == 0).sum(), (np.abs(counts - mean) > 6.5 * np.sqrt(mean)).any()])


def _fresh_cut_cases(rng: np.random.Generator) -> Iterator[Case]:
    images = distinct_images(rng, 40, 9, 11)
    yield Case((images, 1, [int(rng.integers(2**40))]), "40 images of shape (9, 11), size = 1")


def _fresh_cut(student: Student, images: NDArray, size: int, seeds: list[int]) -> NDArray:
    def draw(student: Student, rng: np.random.Generator) -> list[NDArray]:
        found, _ = boxes(images, _cut(student, images, size, rng))
        return [found[:, 0], found[:, 2]]

    return repeats(draw, student, seeds[0])


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
            row, column = {ROW}, {COLUMN}
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
                given=with_generator,
                unchanged=True,
                betrays=_betrayed,
                names=(
                    *EXTENT,
                    "is all of each box covered, in every channel?",
                    "has each image a box?",
                    "is the box at one place in all images?",
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
                given=with_generator,
                names=("pixels that are never the center", "are some pixels preferred?"),
            ),
        ),
        Aspect(
            "fresh",
            "centers come from rng, anew at every call",
            Facts(
                _fresh_cut_cases,
                call=_fresh_cut,
                given=with_generator,
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
            ((ROW, "rng.integers(width) "), (COLUMN, ROW)),
            (ROW, COLUMN),
            (COLUMN, ROW),
        ),
        ONE_FOR_ALL.written(
            (
                _LOOP,
                f"row, column = {ROW}, {COLUMN}\nfor i in range(n):\n    _, _",
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
        FILLED.written(
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
        ).written((f"= {ROW}, {COLUMN}", "= [rng.integers(min(height, width))] * 2")),
        Mistake(
            "last place never drawn",
            "The last row or column is never the center: rng.integers leaves out its upper end.",
            "For a row of five pixels, which numbers does rng.integers(5) give?",
        ).written(
            ((ROW, "rng.integers(height - 1)"), (COLUMN, "rng.integers(width - 1)")),
            ((ROW, "rng.integers(1, height)"), (COLUMN, "rng.integers(1, width)")),
        ),
        Mistake(
            "always the middle",
            "Every square lies in the middle of its image.",
            "Draw the center from rng.",
        ).written((f"= {ROW}, {COLUMN}", "= height // 2, width // 2")),
        FROZEN.written(("out =", f"rng = {SEEDED}\nout =")),
        ELSEWHERE.written(
            ("out =", f"rng = {UNSEEDED}\nout ="),
            (ROW, "np.random.randint(height)"),
            (COLUMN, "np.random.randint(width)"),
        ),
        COPIED.written(("out =", f"{DEEP_COPY}out =")),
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
