"""Assignment 8's zoom and rotation: each output pixel asks which input pixel lies under it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._answers import Answer
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._image_mistakes import LIMITS, PIXEL_BY_PIXEL, draw_image, with_limits
from reglib.exercises._task import Aspect, Task
from reglib.textbook import images as reference

_CENTER = "(height - 1) / 2, (width - 1) / 2"
BLENDED = Mistake(
    "values computed, not copied",
    "The result holds values that no pixel of the image has: neighbors were averaged, or pixels "
    "multiplied.",
    "Copy the nearest pixel. Functions that resize or rotate images interpolate by default.",
).written(
    (
        ("round(", "("),
        (
            "if 0 <= a < height and 0 <= b < width",
            "for p, q in np.ndindex(height, width)",
        ),
        (
            "out[i, j] = image[a, b]",
            "out[i, j] += max(1 - abs(a - p), 0) * max(1 - abs(b - q), 0) * image[p, q]",
        ),
    )
)


def _mistakes(*own: Mistake, center_lost: Answer, forward: Answer) -> tuple[Mistake, ...]:
    """Return the mistakes of a task: its own and those of every transform around the center."""
    return (
        *own,
        Mistake(
            "around the corner instead of the center",
            "The upper left pixel stays in place; the center should.",
            "Measure rows and columns from the center (H - 1) / 2, (W - 1) / 2.",
        ).written((_CENTER, "0, 0")),
        Mistake(
            "center half a pixel off",
            "The center of the pixels 0 to H - 1 is (H - 1) / 2, neither H / 2 nor, where H is "
            "even, a whole number.",
            "Where is the center of an image of one pixel, and where that of two?",
        ).written(
            (_CENTER, "height / 2, width / 2"),
            (_CENTER, "height // 2, width // 2"),
            (_CENTER, "(height - 1) // 2, (width - 1) // 2"),
        ),
        Mistake(
            "one center for both axes",
            "Rows and columns are measured from the same number; in a square image nobody notices.",
            "Each axis has a center of its own: (H - 1) / 2 and (W - 1) / 2.",
        ).written(
            (_CENTER, "(height - 1) / 2, (height - 1) / 2"),
            (_CENTER, "(width - 1) / 2, (width - 1) / 2"),
        ),
        Mistake(
            "centers of the axes exchanged",
            "Rows are measured from the middle of the columns, and columns from that of the rows.",
            "The height counts rows, the width counts columns.",
        ).written((_CENTER, "(width - 1) / 2, (height - 1) / 2")),
        Mistake(
            "center not added back",
            "Rows and columns are measured from the center and then taken as they are.",
            "Add the center again before you look the pixel up.",
        ).written(center_lost),
        Mistake(
            "mapped forwards",
            "Input pixels are sent to the output, which leaves holes and overwrites.",
            "Go through the output pixels and ask each where it comes from.",
        ).written(forward),
        Mistake(
            "rounded down",
            "The nearest pixel is wanted, and the place is cut to an integer instead.",
            "np.rint rounds to the nearest integer; int() and // cut.",
        ).written(("round(", "int("), ("round(", "float.__floor__(")),
        Mistake(
            "rounded up",
            "The nearest pixel is wanted, not the next one below or to the right.",
            "np.rint rounds to the nearest integer.",
        ).written(("round(", "float.__ceil__(")),
        *PIXEL_BY_PIXEL,
        BLENDED,
    )


def _blended(result: NDArray, image: NDArray, *rest: Any) -> Mistake | None:
    """Return a mistake if the result holds values of no pixel."""
    known = np.append(image, 0.0)
    strange = ~np.isclose(result[..., None], known, rtol=1e-5, atol=1e-6).any(axis=-1)
    return BLENDED if strange.any() and -1 < result.min() <= result.max() < 2 else None


def _clear(*maps: tuple[NDArray, NDArray]) -> NDArray:
    """Say which pixels leave no choice to a right answer, nor to one that maps the other way.

    Half-way between two pixels, rounding is a matter of taste; so is the half pixel around the
    image, which belongs to the nearest pixel or to the outside.
    """
    shape = maps[0][0].shape
    clear = np.ones(shape, dtype=bool)
    for places, size in ((at[axis], shape[axis]) for at in maps for axis in range(2)):
        clear &= np.abs(places - np.floor(places) - 0.5) > 1e-4
        within = (places > -1e-9) & (places < size - 1 + 1e-9)
        clear &= within | (places < -0.5) | (places > size - 0.5)
    return clear


def _from_center(image: NDArray) -> tuple[NDArray, NDArray, float, float]:
    c, d = ((size - 1) / 2 for size in image.shape[:2])
    i, j = np.indices(image.shape[:2])
    return i - c, j - d, c, d


def _comparison(
    arguments: Callable[[np.random.Generator], Iterator[tuple[tuple[int, ...], float]]],
    what: str,
    part: Callable[[NDArray, float], NDArray],
    *,
    unchanged: bool = False,
) -> Comparison:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for shape, number in arguments(rng):
            text = f"an image of shape {shape} and {what.format(f'{number:.4g}')}"
            yield Case((draw_image(rng, *shape), number), text)

    return Comparison(cases, "the image", part=part, unchanged=unchanged, betrays=_blended)


def _zoom_clear(image: NDArray, factor: float) -> NDArray:
    y, x, c, d = _from_center(image)
    return _clear((c + y / factor, d + x / factor), (c + y * factor, d + x * factor))


def _zooms(low: float, high: float, *, unchanged: bool = False) -> Comparison:
    shapes = ((6, 9), (8, 5, 3), (7, 7), (5, 8, 2), (6, 6, 3), (9, 6))
    return _comparison(
        lambda rng: ((shape, float(rng.uniform(low, high))) for shape in shapes),
        "factor = {}",
        _zoom_clear,
        unchanged=unchanged,
    )


ZOOM = with_limits(
    Task(
        "zoom(image, factor)",
        section="The mathematics",
        hints=(
            "Go through the pixels of the new image and ask for each where it comes from.",
            "Measure both places from the center, ((height - 1) / 2, (width - 1) / 2). With a "
            "factor of 2, is the old place nearer to the center or further away?",
        ),
        reference=reference.zoom,
        model=f"""
            height, width = image.shape[:2]
            c, d = {_CENTER}
            out = np.zeros_like(image)
            for i, j in np.ndindex(height, width):
                y, x = i - c, j - d
                a, b = round(c + y / factor), round(d + x / factor)
                if 0 <= a < height and 0 <= b < width:
                    out[i, j] = image[a, b]
            return out
        """,
        aspects=(
            Aspect("magnify", "a factor above 1 magnifies around the center", _zooms(1.2, 2.8)),
            Aspect(
                "shrink",
                "a factor below 1 shrinks, the rim is 0, and the image that was given stays as it "
                "is",
                _zooms(0.4, 0.85, unchanged=True),
            ),
        ),
        mistakes=_mistakes(
            Mistake(
                "factor used the other way",
                "The image shrinks where it should grow: the way back from output to input "
                "divides.",
                "Which input pixel lies under the output's corner when the image is magnified "
                "twice?",
            ).written(("/ factor", "* factor")),
            Mistake(
                "one axis not zoomed",
                "The image is stretched along one axis only.",
                "Rows and columns are both divided by the factor.",
            ).written(("y / factor", "y"), ("x / factor", "x")),
            center_lost=(("c + ", ""), ("d + ", "")),
            forward=(
                ("/ factor", "* factor"),
                ("out[i, j] = image[a, b]", "out[a, b] = image[i, j]"),
            ),
        ),
        right=(
            """
            def sample(image, rows, columns):
                i, j = np.rint(rows).astype(int), np.rint(columns).astype(int)
                inside = (i >= 0) & (i < image.shape[0]) & (j >= 0) & (j < image.shape[1])
                out = np.zeros_like(image)
                out[inside] = image[i[inside], j[inside]]
                return out

            c, d = (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2
            i, j = np.indices(image.shape[:2])
            return sample(image, c + (i - c) / factor, d + (j - d) / factor)
            """,
            """
            out = np.zeros(image.shape)
            c, d = (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2
            for i in range(image.shape[0]):
                for j in range(image.shape[1]):
                    a = int(np.floor(c + (i - c) / factor + 0.5))
                    b = int(np.floor(d + (j - d) / factor + 0.5))
                    if a in range(image.shape[0]) and b in range(image.shape[1]):
                        out[i, j] = image[a, b]
            return out
            """,
            """
            height, width = image.shape[:2]
            c, d = (height - 1) / 2, (width - 1) / 2
            a = np.round(c * (1 - 1 / factor) + np.arange(height) / factor).astype(int)
            b = np.round(d * (1 - 1 / factor) + np.arange(width) / factor).astype(int)
            inside = np.outer((a >= 0) & (a < height), (b >= 0) & (b < width))
            picked = image[np.clip(a, 0, height - 1)][:, np.clip(b, 0, width - 1)]
            return (picked * inside.reshape(height, width, *[1] * (image.ndim - 2))).tolist()
            """,
            """
            height, width = image.shape[:2]
            i, j = np.indices((height, width), dtype=np.float32)
            c, d = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
            a, b = np.rint(c + (i - c) / factor), np.rint(d + (j - d) / factor)
            padded = np.pad(image, [(1, 1), (1, 1)] + [(0, 0)] * (image.ndim - 2))
            a = np.clip(a, -1, height).astype(int) + 1
            b = np.clip(b, -1, width).astype(int) + 1
            return padded[a, b].astype(np.float32)
            """,
            """
            from scipy import ndimage
            center = (np.array(image.shape) - 1) / 2
            scale = np.array((factor, factor, 1)[: image.ndim])
            return ndimage.affine_transform(image, 1 / scale, center - center / scale, order=0)
            """,
        ),
    ),
    *LIMITS,
)


def _rotate_clear(image: NDArray, degrees: float) -> NDArray:
    y, x, c, d = _from_center(image)
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    there, back = ((c + y * cos + x * s, d - y * s + x * cos) for s in (sin, -sin))
    return _clear(there, back)


def _quarters(rng: np.random.Generator) -> Iterator[tuple[tuple[int, ...], float]]:
    # Sides both even or both odd, so that a quarter turn takes pixels to pixels.
    shapes = ((5, 7), (6, 4, 3), (5, 5), (6, 6, 2), (7, 5), (3, 7, 3), (81, 3))
    # The last is so high that a degree more or less shows, and its angle is no usual one.
    angles = [90, -90, *rng.permutation([90, -90, 180, 270]).tolist(), rng.choice([-180, 540])]
    return zip(shapes, map(float, angles), strict=True)


def _any_angles(rng: np.random.Generator) -> Iterator[tuple[tuple[int, ...], float]]:
    shapes = ((6, 9), (9, 8, 3), (7, 7), (6, 6, 2), (8, 5), (5, 8, 3))
    turns = [0, 0, *rng.permutation([0, 1, -1, 2]).tolist()]
    for shape, turn in zip(shapes, turns, strict=True):
        yield shape, float(rng.uniform(10, 80) + 90 * turn)


_ANGLE = "np.deg2rad(degrees)"
_ROW, _COLUMN = "c + y * cos + x * sin", "d - y * sin + x * cos"
ROTATE = with_limits(
    Task(
        "rotate(image, degrees)",
        section="The mathematics",
        hints=(
            "Go through the pixels of the new image and ask for each where it comes from: that is "
            "a turn the other way.",
            "Try a quarter turn by hand: the pixel that ends up in the top row was at the right "
            "edge. Rows count downwards, which turns the sign of the sine.",
        ),
        reference=reference.rotate,
        model=f"""
            height, width = image.shape[:2]
            c, d = {_CENTER}
            cos, sin = np.cos({_ANGLE}), np.sin({_ANGLE})
            out = np.zeros_like(image)
            for i, j in np.ndindex(height, width):
                y, x = i - c, j - d
                a, b = round({_ROW}), round({_COLUMN})
                if 0 <= a < height and 0 <= b < width:
                    out[i, j] = image[a, b]
            return out
        """,
        aspects=(
            Aspect(
                "quarters",
                "quarter turns go counter-clockwise, and the image that was given stays as it is",
                _comparison(_quarters, "{} degrees", _rotate_clear, unchanged=True),
            ),
            Aspect(
                "any",
                "other angles take the nearest pixel, and 0 from outside",
                _comparison(_any_angles, "{} degrees", _rotate_clear),
            ),
        ),
        mistakes=_mistakes(
            Mistake(
                "turned clockwise",
                "A positive angle turns counter-clockwise.",
                "Rows count downwards: check the sign of the sine with a quarter turn.",
            ).written((_ANGLE, f"-{_ANGLE}")),
            Mistake(
                "degrees taken for radians",
                "np.cos and np.sin expect radians.",
                "np.deg2rad converts.",
            ).written((_ANGLE, "degrees")),
            Mistake(
                "rows and columns exchanged in the formula",
                "y counts rows and x counts columns, both from the center.",
                "Which of i and j counts rows?",
            ).written(("y, x = ", "x, y = ")),
            Mistake(
                "sine with the same sign twice",
                "One sine is added and the other subtracted; with the same sign the image is "
                "distorted.",
                "Compare both signs with the formula.",
            ).written(("- y * sin", "+ y * sin"), ("+ x * sin", "- x * sin")),
            Mistake(
                "sine and cosine exchanged",
                "At 0 degrees the image should stay as it is, and here it is turned.",
                "Put in an angle of 0: which of the two is 1?",
            ).written(("cos, sin = ", "sin, cos = ")),
            center_lost=((_ROW, "y * cos + x * sin"), (_COLUMN, "-y * sin + x * cos")),
            forward=(
                (_ANGLE, f"-{_ANGLE}"),
                ("out[i, j] = image[a, b]", "out[a, b] = image[i, j]"),
            ),
        ),
        right=(
            """
            c, d = (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2
            i, j = np.indices(image.shape[:2])
            cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
            y, x = i - c, j - d
            a = np.rint(c + y * cos + x * sin).astype(int)
            b = np.rint(d - y * sin + x * cos).astype(int)
            inside = (a >= 0) & (a < image.shape[0]) & (b >= 0) & (b < image.shape[1])
            out = np.zeros_like(image)
            out[inside] = image[a[inside], b[inside]]
            return out
            """,
            """
            import math
            out = np.zeros(image.shape)
            c, d = (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2
            t = math.radians(degrees % 360)
            for i in range(image.shape[0]):
                for j in range(image.shape[1]):
                    a = math.floor((i - c) * math.cos(t) + (j - d) * math.sin(t) + c + 0.5)
                    b = math.floor((j - d) * math.cos(t) - (i - c) * math.sin(t) + d + 0.5)
                    if a in range(image.shape[0]) and b in range(image.shape[1]):
                        out[i, j] = image[a, b]
            return out
            """,
            """
            height, width = image.shape[:2]
            z = np.exp(1j * degrees * np.pi / 180)
            rows, columns = np.mgrid[:height, :width]
            at = ((columns - (width - 1) / 2) + 1j * (rows - (height - 1) / 2)) * z
            a = np.rint(at.imag + (height - 1) / 2).astype(int)
            b = np.rint(at.real + (width - 1) / 2).astype(int)
            inside = (a >= 0) & (a < height) & (b >= 0) & (b < width)
            picked = image[np.clip(a, 0, height - 1), np.clip(b, 0, width - 1)]
            return np.where(inside if image.ndim == 2 else inside[..., None], picked, 0).tolist()
            """,
            """
            from scipy import ndimage
            return ndimage.rotate(image, degrees, reshape=False, order=0)
            """,
            """
            t = np.deg2rad(np.float32(degrees))
            turn = np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]])
            size = np.array(image.shape[:2]).reshape(2, 1)
            at = np.indices(image.shape[:2]).reshape(2, -1) - (size - 1) / 2
            at = np.rint(turn @ at + (size - 1) / 2).astype(int)
            inside = np.all((at >= 0) & (at < size), axis=0)
            out = np.zeros((size.prod(), *image.shape[2:]), dtype=np.float32)
            out[inside] = image[tuple(at[:, inside])]
            return out.reshape(image.shape)
            """,
        ),
    ),
    *LIMITS,
)
