"""Mistakes that several functions of an image can have, and the images that they are tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._messages import Chapter, CheckFailed
from reglib.exercises._student_function import Student
from reglib.exercises._task import Task

CHAPTER = Chapter(8, "Data augmentation", "08-data-augmentation")

NOTHING_DONE = Mistake(
    "nothing changed",
    "The image comes back as it was.",
    "Return the transformed image.",
)
WRAPPED = Mistake(
    "wrapped around",
    "What leaves the image on one side comes back on the other, as np.roll does.",
    "Pixels that have moved in from outside are 0.",
)
REPEATED = Mistake(
    "rim repeated",
    "The pixels of the rim fill what should be empty.",
    "Pixels that have moved in from outside are 0.",
)
NEGATIVE = Mistake(
    "negative indices",
    "An index of -1 is the last row or column, so pixels from the other side come in.",
    "Ask for both ends: 0 <= i and i < H.",
)
LEFT_OVER = Mistake(
    "old pixels left behind",
    "Where nothing has moved in, the image still shows what was there before.",
    "Begin with an image of zeros instead of a copy of the old one.",
)
READ_TOO_LATE = Mistake(
    "overwritten before it is read",
    "The new pixels are written into the array that later ones are still read from.",
    "Write into a new array.",
)
BLACK = Mistake(
    "all black",
    "Every pixel of the result is 0: nothing has been copied into it.",
    "Which line writes into the array that you return, and is it ever reached?",
)
WHITE = Mistake(
    "white from outside",
    "Pixels that have moved in from outside are 1.",
    "What does the task say that they are?",
)
RIM_LOST = Mistake(
    "rim left out",
    "The first or the last row or column of the image never arrives.",
    "0 and H - 1 are rows of the image too: which of < and <= is meant?",
)
CHANNELS_FOR_WIDTH = Mistake(
    "channels taken for width",
    "The last axis of a color image holds its channels, so only a few columns are worked on.",
    "The width is image.shape[1], whatever the number of axes is.",
)
#: Seen where an answer breaks down on some inputs and is right on all others.
GRAY_ONLY = Mistake(
    "gray images only",
    "Gray images come out right, and a color image breaks the function.",
    "image.shape[:2] is height and width, whatever the number of axes is.",
)
SQUARE_ONLY = Mistake(
    "square images only",
    "Square images come out right, and others break the function: somewhere the height stands for "
    "the width, or the other way round.",
    "The height is image.shape[0] and counts rows, the width is image.shape[1] and counts columns.",
)

Limit = tuple[Mistake, Callable[..., bool]]
LIMITS: tuple[Limit, ...] = (
    (GRAY_ONLY, lambda image, *_: image.ndim == 2),
    (SQUARE_ONLY, lambda image, *_: image.shape[0] == image.shape[1]),
)

_INSIDE, _COPIED = "0 <= a < height and 0 <= b < width", "out[i, j] = image[a, b]"
#: How they look in a model answer that goes through the pixels of the output.
PIXEL_BY_PIXEL = (
    NOTHING_DONE.written("image"),
    WRAPPED.written(
        ((_INSIDE, "True"), ("[a, b]", "[a % height, b % width]")),
        (("0 <= a < height and ", ""), ("[a, b]", "[a % height, b]")),
        ((" and 0 <= b < width", ""), ("[a, b]", "[a, b % width]")),
    ),
    REPEATED.written(
        ((_INSIDE, "True"), ("[a, b]", "[np.clip(a, 0, height - 1), np.clip(b, 0, width - 1)]"))
    ),
    NEGATIVE.written(
        (("0 <= a", "-height <= a"), ("0 <= b", "-width <= b")),
        ("0 <= a", "-height <= a"),
        ("0 <= b", "-width <= b"),
    ),
    RIM_LOST.written(
        (("0 <= a", "0 < a"), ("0 <= b", "0 < b")),
        (("a < height", "a < height - 1"), ("b < width", "b < width - 1")),
    ),
    LEFT_OVER.written(("np.zeros_like(image)", "image.copy()")),
    READ_TOO_LATE.written(("np.zeros_like(image)", "image")),
    BLACK.written((_COPIED, "pass")),
    WHITE.written(("np.zeros_like", "np.ones_like")),
    CHANNELS_FOR_WIDTH.written(("image.shape[:2]", "(image.shape[0], image.shape[-1])")),
)


def draw_image(rng: np.random.Generator, *shape: int) -> NDArray:
    """Return an image without two equal pixels.

    The one in the middle is 1, which a whole number can hold: an image that is black throughout
    is told from one whose fractions are cut off.
    """
    image = rng.permutation(np.linspace(0.05, 1, int(np.prod(shape)))).reshape(shape)
    middle = shape[0] // 2, shape[1] // 2, *(0 for _ in shape[2:])
    brightest = np.unravel_index(np.argmax(image), shape)
    image[brightest], image[middle] = image[middle], 1.0
    return image


def with_limits(task: Task, *limits: Limit) -> Task:
    """Return the task with a second look at answers that break down: at easier inputs only.

    Where those come out right, what breaks the answer is known; where they come out wrong, they
    may tell by which of the task's mistakes.
    """

    def only(comparison: Any, easy: Callable[..., bool]) -> Comparison:
        def cases(rng: np.random.Generator) -> Iterator[Case]:
            return (case for case in comparison.cases(rng) if easy(*case.arguments))

        return replace(comparison, cases=cases)

    def diagnose(student: Student, broken: BrokenCall) -> Iterator[Finding]:
        for mistake, easy in limits:
            aspects = [replace(one, test=only(one.test, easy)) for one in task.aspects]
            try:
                easier = replace(task, aspects=tuple(aspects))
                easier.examine(student.function, None, [0])
            except CheckFailed as failed:
                found = [one for one in failed.findings if one.mistake in task.mistakes]
            else:
                came = "where the function does not break down, every result is right"
                found = [Finding(came, "a right result for every image", mistake)]
            if found:
                yield from found
                return

    mistakes = (*task.mistakes, *(mistake for mistake, _ in limits))
    return replace(task, mistakes=mistakes, diagnose=diagnose)
