"""Assignment 8, data augmentation: which transforms keep the label."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._augmented_set import AUGMENTED_SET
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._image_mistakes import (
    BLACK,
    CHANNELS_FOR_WIDTH,
    CHAPTER,
    LIMITS,
    NOTHING_DONE,
    PIXEL_BY_PIXEL,
    draw_image,
    with_limits,
)
from reglib.exercises._label_safe import LABEL_SAFE
from reglib.exercises._random_crop import RANDOM_CROP
from reglib.exercises._task import Aspect, Task
from reglib.exercises._zoom_and_rotate import ROTATE, ZOOM
from reglib.exercises.checking import Assignment
from reglib.textbook import images as reference


def _shift_cases(rng: np.random.Generator) -> Iterator[Case]:
    moved = (((5, 7), 1, 1), ((7, 4), -1, 1), ((4, 6, 3), 1, -1), ((6, 4, 2), -1, -1))
    still = (((5, 5), 0, -1), ((5, 5, 3), 1, 0), ((4, 5), 0, 0))
    for shape, down, right in moved + still:
        dy, dx = (int(sign * rng.integers(1, 3)) for sign in (down, right))
        yield _shift_case(rng, shape, dy, dx)


def _far_cases(rng: np.random.Generator) -> Iterator[Case]:
    yield from _shift_cases(rng)
    for shape, down, right in (((4, 6), 1, 0), ((6, 5, 3), -1, 0), ((5, 4), 0, -1), ((5, 7), 0, 1)):
        for beyond in (0, int(rng.integers(1, 4))):
            dy = down * (shape[0] + beyond) or int(rng.integers(-2, 3))
            dx = right * (shape[1] + beyond) or int(rng.integers(-2, 3))
            yield _shift_case(rng, shape, dy, dx)


def _shift_case(rng: np.random.Generator, shape: tuple[int, ...], dy: int, dx: int) -> Case:
    text = f"an image of shape {shape}, dy = {dy} and dx = {dx}"
    return Case((draw_image(rng, *shape), dy, dx), text)


def _filled(image: NDArray, dy: int, dx: int) -> NDArray:
    """Say for each pixel whether its source lies inside."""
    (i, j), (height, width) = np.indices(image.shape[:2]), image.shape[:2]
    return (i >= dy) & (i < height + dy) & (j >= dx) & (j < width + dx)


def _empty(image: NDArray, dy: int, dx: int) -> NDArray:
    return ~_filled(image, dy, dx)


def _in_view(image: NDArray, dy: int, dx: int) -> bool:
    return abs(dy) < image.shape[0] and abs(dx) < image.shape[1]


OUT_OF_VIEW = Mistake(
    "shift beyond the image",
    "Shifts are right as long as a part of the image stays in view; a longer one breaks the "
    "function.",
    "Which pixels are left if dy is as large as the height, or larger?",
)
ONE_SIGN = Mistake(
    "positive shifts only",
    "Shifts down and to the right are right, and one up or to the left breaks the function.",
    "A slice that begins or ends at a negative number counts from the end.",
)
_WHERE, _INSIDE = "i - dy, j - dx", "if 0 <="
SHIFT = with_limits(
    Task(
        "shift(image, dy, dx)",
        section="The mathematics",
        hints=(
            "Where in the old image does the new pixel [0, 0] come from, if dy = 1? And for dy = "
            "-1?",
            "Begin with an image of zeros, and copy the part that stays inside: which rows and "
            "columns is it in the old image, and which in the new one?",
        ),
        reference=reference.shift,
        model="""
            height, width = image.shape[:2]
            out = np.zeros_like(image)
            for i, j in np.ndindex(height, width):
                a, b = i - dy, j - dx
                if 0 <= a < height and 0 <= b < width:
                    out[i, j] = image[a, b]
            return out
        """,
        aspects=(
            Aspect(
                "moved",
                "the image moves down by dy and right by dx",
                Comparison(_shift_cases, "the moved pixels", part=_filled),
            ),
            Aspect(
                "empty",
                "what moves in from outside is 0, however far that is, and the image that was "
                "given stays as it is",
                Comparison(_far_cases, "the pixels from outside", part=_empty, unchanged=True),
            ),
        ),
        mistakes=(
            Mistake(
                "moved the other way",
                "Positive dy moves down and positive dx moves right.",
                "Where should the pixel at [0, 0] be afterwards?",
            ).written((_WHERE, "i + dy, j + dx"), ("- dy", "+ dy"), ("- dx", "+ dx")),
            Mistake(
                "rows and columns exchanged",
                "The first axis counts rows, downwards; the second counts columns, to the right.",
                "Try an image that is wider than high.",
            ).written((_WHERE, "i - dx, j - dy")),
            *PIXEL_BY_PIXEL,
            Mistake(
                "black without a shift",
                "Where dy or dx is 0, the whole image becomes 0: x[0:] and x[-0:] are all of x.",
                "Which rows does x[dy:] = 0 clear if dy is 0?",
            ).written(
                (_INSIDE, "if dy and dx and 0 <="),
                (_INSIDE, "if dx and 0 <="),
                (_INSIDE, "if dy and 0 <="),
            ),
        ),
        right=(
            """
            height, width = image.shape[:2]
            pad = [(abs(dy), abs(dy)), (abs(dx), abs(dx))] + [(0, 0)] * (image.ndim - 2)
            top, left = abs(dy) - dy, abs(dx) - dx
            return np.pad(image, pad)[top : top + height, left : left + width]
            """,
            """
            out = np.roll(image, (dy, dx), axis=(0, 1))
            if dy:
                out[(slice(None, dy) if dy > 0 else slice(dy, None))] = 0
            if dx:
                out[:, (slice(None, dx) if dx > 0 else slice(dx, None))] = 0
            return out
            """,
            """
            out = np.zeros(image.shape, dtype=np.float32)
            for i in range(image.shape[0]):
                for j in range(image.shape[1]):
                    if 0 <= i + dy < image.shape[0] and 0 <= j + dx < image.shape[1]:
                        out[i + dy, j + dx] = image[i, j]
            return out
            """,
            """
            height, width = image.shape[:2]
            i, j = np.indices((height, width))
            i, j = i - dy, j - dx
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
            out = np.zeros_like(image)
            out[inside] = image[i[inside], j[inside]]
            return out
            """,
            """
            height, width = image.shape[:2]
            down, right = np.eye(height, k=-dy), np.eye(width, k=dx)
            return np.einsum("ia,ab...,bj->ij...", down, image, right).tolist()
            """,
            """
            from scipy import ndimage
            return ndimage.shift(image, (dy, dx, 0)[: image.ndim], order=0)
            """,
        ),
    ),
    (OUT_OF_VIEW, _in_view),
    (ONE_SIGN, lambda image, dy, dx: dy >= 0 and dx >= 0 and _in_view(image, dy, dx)),
    *LIMITS,
)


def _flip_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape in ((4, 7), (7, 4), (5, 6, 3), (6, 5, 2), (4, 4), (3, 3, 3)):
        yield Case((draw_image(rng, *shape),), f"an image of shape {shape}")


HORIZONTAL_FLIP = with_limits(
    Task(
        "horizontal_flip(image)",
        section="The mathematics",
        hints=(
            "Which axis is left to right? The last one only while there is no color.",
            "Where does the first column go, and which slice reads columns from the right?",
        ),
        reference=reference.horizontal_flip,
        model="""
            out = np.zeros_like(image)
            for j in range(image.shape[1]):
                out[:, j] = image[:, -1 - j]
            return out
        """,
        aspects=(
            Aspect(
                "value",
                "left and right are exchanged, and the image that was given stays as it is",
                Comparison(_flip_cases, "the image", unchanged=True),
            ),
        ),
        mistakes=(
            Mistake(
                "flipped upside down",
                "Top and bottom are exchanged instead of left and right.",
                "Which axis runs from left to right?",
            ).written("image[::-1]"),
            Mistake(
                "flipped both ways",
                "Top and bottom are exchanged as well.",
                "Reverse one axis only.",
            ).written(("image[:,", "image[::-1,"), "image[::-1, ::-1]", "np.rot90(image, 2)"),
            Mistake(
                "channels flipped",
                "The last axis of a color image holds its channels, not its columns.",
                "Reverse axis 1, whatever the number of axes is.",
            ).written("image[..., ::-1]", "np.flip(image)"),
            Mistake(
                "transposed",
                "Rows have become columns.",
                "A flip keeps every row a row.",
            ).written("np.swapaxes(image, 0, 1).reshape(image.shape)"),
            NOTHING_DONE.written("image"),
            BLACK.written("np.zeros_like(image)"),
            Mistake(
                "only half exchanged",
                "The left half mirrors the right one, which stays as it was: columns are exchanged "
                "in one and the same array, so that what is needed later is already overwritten, "
                "or the loop ends in the middle.",
                "Write all columns into a new array, or reverse an axis with a slice.",
            ).written(
                ("np.zeros_like(image)", "image"),
                (
                    ("np.zeros_like(image)", "image.copy()"),
                    ("image.shape[1]", "image.shape[1] // 2"),
                ),
            ),
            Mistake(
                "one column off",
                "The first column stays in place, and the others are exchanged among themselves: "
                "index -j is the column 0 for j = 0.",
                "The last column has the index -1: where does it go?",
            ).written(("-1 - j", "-j")),
            CHANNELS_FOR_WIDTH.written(
                ("image.shape[1]", "image.shape[-1]"),
                (("image.shape[1]", "image.shape[-1]"), ("-1 - j", "image.shape[-1] - 1 - j")),
                """
                width, out = image.shape[-1], image.copy()
                for j in range(width):
                    out[:, j] = image[:, width - 1 - j]
                return out
                """,
            ),
        ),
        right=(
            "image[:, ::-1]",
            "np.fliplr(image)",
            "np.flip(image, axis=1).astype(np.float32)",
            "image[:, [-1 - j for j in range(image.shape[1])]]",
            "np.array([row[::-1] for row in image])",
            """
            out = image.copy()
            for j in range(image.shape[1] // 2):
                out[:, [j, -1 - j]] = out[:, [-1 - j, j]]
            return out.tolist()
            """,
        ),
    ),
    *LIMITS,
)


def _contrast_cases(low: float, high: float) -> Callable[..., Iterator[Case]]:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for shape in ((5, 6), (6, 4), (4, 5, 3), (6, 4, 2), (4, 4), (5, 5, 3)):
            # Mean, median and middle of the values differ, and so do the means of the channels.
            image = 0.9 * draw_image(rng, *shape) ** 1.7 + 0.05
            image = image * np.linspace(1, 0.5, shape[2]) if len(shape) == 3 else image
            factor = float(rng.uniform(low, high))
            yield Case((image, factor), f"an image of shape {shape} and factor = {factor:.3g}")

    return cases


_MEAN, _RESULT = "image.mean(axis=(0, 1))", "mean + factor * (image - mean)"
_AXES = "Average over rows and columns: axis=(0, 1)."
ADJUST_CONTRAST = with_limits(
    Task(
        "adjust_contrast(image, factor)",
        section="The mathematics",
        hints=(
            "What should an image of a single gray become, whatever the factor is?",
            "Three steps: the mean of each channel, the distance from it times the factor, then "
            "what is below 0 or above 1.",
        ),
        reference=reference.adjust_contrast,
        model=f"""
            mean = {_MEAN}
            return np.clip({_RESULT}, 0, 1)
        """,
        aspects=(
            Aspect(
                "mean",
                "the distance from each channel's mean is multiplied",
                Comparison(_contrast_cases(0.2, 0.9), "the image"),
            ),
            Aspect(
                "clip",
                "the result stays within [0, 1], and the image that was given as it is",
                Comparison(_contrast_cases(2.5, 4), "the image", unchanged=True),
            ),
        ),
        mistakes=(
            Mistake(
                "image multiplied",
                "The whole image is multiplied, so its mean, the brightness, changes too.",
                "Multiply the distance from the mean.",
            ).written((_RESULT, "factor * image")),
            Mistake(
                "contrast around 0.5",
                "The distance from 0.5 is multiplied, not that from the image's own mean.",
                "Compute the mean of the image.",
            ).written((_MEAN, "0.5")),
            Mistake(
                "one mean for all channels",
                "Each channel has a mean of its own; one mean for all changes the color.",
                "Average over rows and columns only: axis=(0, 1).",
            ).written((_MEAN, "image.mean()")),
            Mistake(
                "mean of each pixel",
                "The mean runs over the channels of a pixel, so the color is changed, not the "
                "contrast.",
                "Average over rows and columns only: axis=(0, 1).",
            ).written(
                (_MEAN, "image.mean(axis=-1, keepdims=True) if image.ndim == 3 else image.mean()")
            ),
            Mistake(
                "mean over the last axis",
                "The last axis counts the columns of a gray image and the channels of a color "
                "image, so every row or every pixel has a mean of its own.",
                _AXES,
            ).written((_MEAN, "image.mean(axis=-1, keepdims=True)")),
            Mistake(
                "mean of each column",
                "The mean runs over the rows only, so every column keeps one of its own.",
                _AXES,
            ).written((_MEAN, "image.mean(axis=0)")),
            Mistake(
                "mean of each row",
                "The mean runs over the columns only, so every row keeps one of its own.",
                _AXES,
            ).written((_MEAN, "image.mean(axis=1, keepdims=True)")),
            Mistake(
                "middle for mean",
                "The median, or the middle between darkest and brightest, is not the mean.",
                "Add up all pixels of a channel and divide by their number, as np.mean does.",
            ).written(
                (_MEAN, "np.median(image, axis=(0, 1))"),
                (_MEAN, "(image.min(axis=(0, 1)) + image.max(axis=(0, 1))) / 2"),
            ),
            Mistake(
                "mean not added back",
                "The distance from the mean is multiplied and returned without the mean, so the "
                "image is dark.",
                "The formula begins with the mean.",
            ).written(("mean + factor", "factor")),
            Mistake(
                "factor used the other way",
                "A factor above 1 makes the contrast smaller, and one below 1 makes it larger.",
                "What is the distance from the mean multiplied by?",
            ).written(("factor * (image - mean)", "(image - mean) / factor")),
            NOTHING_DONE.written("image"),
            Mistake(
                "not clipped",
                "Values leave [0, 1].",
                "np.clip keeps them inside.",
            ).written((("np.clip(", "("), (", 0, 1)", ")"))),
            Mistake(
                "clipped on one side",
                "Values are cut off below 0 or above 1, and not on the other side.",
                "The values of an image lie in [0, 1] here, not in [0, 255].",
            ).written(
                (", 0, 1)", ", 0, None)"), (", 0, 1)", ", None, 1)"), (", 0, 1)", ", 0, 255)")
            ),
            Mistake(
                "stretched instead of clipped",
                "Darkest and brightest pixel become 0 and 1, and all others move along.",
                "What lies within [0, 1] keeps its value; only what lies outside is cut off.",
            ).written(
                f"""
                mean = {_MEAN}
                out = {_RESULT}
                return (out - out.min()) / (out.max() - out.min())
                """
            ),
        ),
        right=(
            """
            mean = image.mean(axis=(0, 1))
            return np.minimum(np.maximum(mean + factor * (image - mean), 0), 1)
            """,
            "np.clip((1 - factor) * image.mean((0, 1)) + factor * image, 0, 1).tolist()",
            """
            mean = image.mean(axis=1, keepdims=True).mean(axis=0, keepdims=True)
            return (mean * (1 - factor) + factor * image).clip(0, 1).astype(np.float32)
            """,
            """
            if image.ndim == 2:
                return np.clip(image.mean() + factor * (image - image.mean()), 0, 1)
            out = image.copy()
            for k in range(image.shape[2]):
                mean = image[:, :, k].sum() / (image.shape[0] * image.shape[1])
                out[:, :, k] = np.clip(mean + factor * (image[:, :, k] - mean), 0, 1)
            return out
            """,
            """
            flat = image.reshape(image.shape[0] * image.shape[1], -1)
            out = flat.mean(axis=0) + factor * (flat - flat.mean(axis=0))
            out[out < 0] = 0
            out[out > 1] = 1
            return out.reshape(image.shape)
            """,
        ),
    ),
    *LIMITS,
)


ASSIGNMENT = Assignment(
    CHAPTER,
    SHIFT,
    HORIZONTAL_FLIP,
    RANDOM_CROP,
    ZOOM,
    ROTATE,
    ADJUST_CONTRAST,
    LABEL_SAFE,
    AUGMENTED_SET,
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
