"""Assignment 8, data augmentation: which transforms keep the label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._augmentation_mistakes import (
    ABOUT_HALF,
    ANY_IMAGE,
    AXES_SWAPPED,
    BLENDED,
    BOTH_FLIPPED,
    BRIGHTNESS,
    CENTER,
    CENTER_LOST,
    CHANNELS_FLIPPED,
    CLIPPED_BELOW,
    CLOCKWISE,
    COLUMN_MEAN,
    CORNER,
    CROP_SEEDED,
    CROP_SOURCE,
    CROP_SWAPPED,
    DEGREES,
    FLOORED,
    FORWARD,
    HALF_PIXEL,
    INVERSE,
    LAST_PLACE_MISSED,
    NEGATED,
    NEGATIVE,
    NO_CLIP,
    NO_WINDOW,
    NOT_ADDED_BACK,
    NOTHING_DONE,
    ONE_ANSWER,
    ONE_CENTER,
    ONE_IMAGE,
    ONE_MEAN,
    ONE_NUMBER,
    ONE_PLACE,
    OTHER_WAY,
    PIXEL_MEAN,
    PIXELS_COMPARED,
    READ_TOO_LATE,
    REPEATED,
    TOO_SMALL,
    TRANSPOSED,
    UPSIDE_DOWN,
    WRAPPED,
)
from reglib.exercises._comparison import Case, close, compare
from reglib.exercises._findings import HARD_CODED, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student
from reglib.exercises.checking import Aspect, Assignment, Chapter, Exercise
from reglib.textbook import images as reference

CHAPTER = Chapter(8, "Data augmentation", "08-data-augmentation")


def _image(rng: np.random.Generator, *shape: int) -> NDArray:
    """Return an image without two equal pixels."""
    return rng.permutation(np.linspace(0.05, 0.95, int(np.prod(shape)))).reshape(shape)


def _region(
    student: Student, function: Callable[..., Any], where: Callable[..., NDArray]
) -> tuple[Callable[..., NDArray], Callable[..., NDArray]]:
    """Return two calls, the student's and a given function's, that keep some pixels only."""

    def got(image: NDArray, *rest: Any) -> NDArray:
        out = student.numbers(student(image, *rest), "the image", image.shape)
        return out[where(image, *rest)]

    def wanted(*arguments: Any) -> NDArray:
        return np.asarray(function(*arguments), dtype=float)[where(*arguments)]

    return got, wanted


def _compare_region(
    student: Student,
    cases: Sequence[Case],
    function: Callable[..., Any],
    where: Callable[..., NDArray],
    faulty: Callable[..., Any],
    mistakes: Sequence[Mistake],
    what: str,
    together: int = 2,
) -> Iterator[Finding]:
    got, wanted = _region(student, function, where)

    def places(*arguments: Any) -> list[str]:
        return [str(index.tolist()) for index in np.argwhere(where(*arguments))]

    def wrong(names: frozenset[str], *arguments: Any) -> NDArray:
        return np.asarray(faulty(names, *arguments), dtype=float)[where(*arguments)]

    yield from compare(
        student,
        cases,
        wanted,
        faulty=wrong,
        mistakes=mistakes,
        read=lambda result, right: np.asarray(result, dtype=float),
        call=got,
        together=together,
        what=what,
        places=places,
    )


# shift


def _shift_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape, dy, dx in (((5, 7), 1, 2), ((6, 4), -2, 1), ((4, 6, 3), 1, -3), ((5, 5), 0, -2)):
        image = _image(rng, *shape)
        yield Case((image, dy, dx), f"an image of shape {shape}, dy = {dy} and dx = {dx}")


def _filled(image: NDArray, dy: int, dx: int) -> NDArray:
    """Say for each pixel whether its source lies inside."""
    rows, columns = np.indices(image.shape[:2])
    i, j = rows - dy, columns - dx
    return (i >= 0) & (i < image.shape[0]) & (j >= 0) & (j < image.shape[1])


def _faulty_shift(wrong: frozenset[str], image: NDArray, dy: int, dx: int) -> NDArray:
    if NOTHING_DONE.name in wrong:
        return image
    if AXES_SWAPPED.name in wrong:
        dy, dx = dx, dy
    if OTHER_WAY.name in wrong:
        dy, dx = -dy, -dx
    if WRAPPED.name in wrong:
        return np.roll(image, (dy, dx), axis=(0, 1))
    if REPEATED.name in wrong:
        rows = np.clip(np.arange(image.shape[0]) - dy, 0, image.shape[0] - 1)
        columns = np.clip(np.arange(image.shape[1]) - dx, 0, image.shape[1] - 1)
        return image[rows][:, columns]
    return reference.shift(image, dy, dx)


def _shift_moved(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    yield from _compare_region(
        student,
        list(_shift_cases(rng)),
        reference.shift,
        _filled,
        _faulty_shift,
        (OTHER_WAY, AXES_SWAPPED, NOTHING_DONE, WRAPPED, REPEATED),
        "the moved pixels",
    )


def _shift_empty(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    yield from _compare_region(
        student,
        list(_shift_cases(rng)),
        reference.shift,
        lambda *arguments: ~_filled(*arguments),
        _faulty_shift,
        (WRAPPED, REPEATED, OTHER_WAY, AXES_SWAPPED, NOTHING_DONE),
        "the pixels moved in from outside",
    )


# horizontal_flip


def _faulty_flip(wrong: frozenset[str], image: NDArray) -> NDArray:
    if READ_TOO_LATE.name in wrong:
        width = image.shape[1]
        return image[:, np.maximum(np.arange(width), np.arange(width)[::-1])]
    if UPSIDE_DOWN.name in wrong:
        return image[::-1]
    if BOTH_FLIPPED.name in wrong:
        return image[::-1, ::-1]
    if CHANNELS_FLIPPED.name in wrong:
        return image[..., ::-1]
    if TRANSPOSED.name in wrong:
        return np.swapaxes(image, 0, 1) if image.shape[0] == image.shape[1] else image
    return image


_FLIP_MISTAKES = (
    UPSIDE_DOWN,
    BOTH_FLIPPED,
    CHANNELS_FLIPPED,
    TRANSPOSED,
    NOTHING_DONE,
    READ_TOO_LATE,
)


def _flip_value(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    shapes = ((4, 4), (3, 3, 3), (5, 5, 2))
    cases = [Case((_image(rng, *shape),), f"an image of shape {shape}") for shape in shapes]
    yield from compare(
        student,
        cases,
        reference.horizontal_flip,
        faulty=_faulty_flip,
        mistakes=_FLIP_MISTAKES,
        together=1,
        what="the image",
    )


# random_crop

_CROP_DRAWS = 90  # of 4 places: all are seen but for one run in 4e10


def _crop(
    student: Student, image: NDArray, height: int, width: int, rng: np.random.Generator
) -> NDArray:
    got = student(image, height, width, rng)
    shape = (height, width, *image.shape[2:])
    turned = (width, height, *image.shape[2:])
    if isinstance(got, np.ndarray) and got.shape == turned != shape:
        came = f"the crop has shape {got.shape}"
        raise BrokenCall(Finding(came, f"shape {shape}", CROP_SWAPPED))
    if isinstance(got, np.ndarray) and got.ndim == len(shape) and got.shape != shape:
        came = f"the crop has shape {got.shape}"
        small = all(one <= other for one, other in zip(got.shape, shape, strict=True))
        raise BrokenCall(Finding(came, f"shape {shape}", TOO_SMALL if small else None))
    return student.numbers(got, "the crop", shape)


def _place(image: NDArray, crop: NDArray) -> tuple[int, int] | None:
    """Return where a crop was cut, or None if it is no window of the image."""
    first = image[..., 0] if image.ndim == 3 else image
    corner = crop[(0, 0, 0)[: crop.ndim]]
    top, left = (int(i) for i in np.unravel_index(np.argmin(np.abs(first - corner)), first.shape))
    window = image[top : top + crop.shape[0], left : left + crop.shape[1]]
    return (top, left) if close(crop, window) else None


def _crop_window(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    for shape, size in (((6, 9), (2, 5)), ((7, 5, 3), (4, 3)), ((4, 6), (4, 6))):
        image = _image(rng, *shape)
        for _ in range(3):
            crop = _crop(student, image, *size, np.random.default_rng(rng.integers(2**31)))
            if _place(image, crop) is None:
                came = f"a crop of shape {crop.shape} that is no window of the image"
                yield Finding(came, "image[top:top + height, left:left + width]", NO_WINDOW)
                return


def _crop_places(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    image, size = _image(rng, 4, 5), (3, 4)
    generator = np.random.default_rng(rng.integers(2**31))
    drawn: list[tuple[int, int] | None] = []
    while len(set(drawn) - {None}) < 4 and len(drawn) < _CROP_DRAWS:
        drawn.append(_place(image, _crop(student, image, *size, generator)))
    places = {place for place in drawn if place is not None}
    expected = "each of the 4 places about as often as any other"
    came = f"{_CROP_DRAWS} crops of 3 x 4 from 4 x 5 pixels"
    if not places:
        yield Finding(f"{came}, none of them a window of the image", expected, NO_WINDOW)
    elif len(places) == 1:
        (place,) = places
        mistake: Mistake | None = LAST_PLACE_MISSED if place == (0, 0) else ONE_PLACE
        if _centered(student, _image(rng, 8, 10), generator):
            mistake = CENTER
        yield Finding(f"{came}, all cut at {place}", expected, mistake)
    elif len(places) < 4:
        seen = ", ".join(map(str, sorted(places)))
        mistake = LAST_PLACE_MISSED
        if {top for top, _ in places} == {left for _, left in places} == {0, 1}:
            mistake = ONE_NUMBER if all(top == left for top, left in places) else None
        yield Finding(f"{came} were cut at {seen} only", expected, mistake)


def _centered(student: Student, image: NDArray, rng: np.random.Generator) -> bool:
    """Say whether four crops in a row are cut from the middle."""
    middle = ((image.shape[0] - 2) // 2, (image.shape[1] - 2) // 2)
    return all(_place(image, _crop(student, image, 2, 2, rng)) == middle for _ in range(4))


def _crop_fresh(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    image = _image(rng, 40, 50)
    seeds = [int(seed) for seed in rng.integers(2**31, size=6)]
    first = [_crop(student, image, 3, 4, np.random.default_rng(seed)) for seed in seeds]
    again = [_crop(student, image, 3, 4, np.random.default_rng(seed)) for seed in seeds]
    one = np.random.default_rng(seeds[0])
    in_turn = [_crop(student, image, 3, 4, one) for _ in range(6)]
    if all(close(crop, first[0]) for crop in [*first, *in_turn]):
        at = _place(image, first[0])
        mistake = CENTER if _centered(student, image, one) else CROP_SEEDED
        yield Finding(f"six generators cut at one place, {at}", "six places", mistake)
    elif all(close(crop, in_turn[0]) for crop in in_turn):
        yield Finding("six calls with one rng cut at one place", "six places", CROP_SEEDED)
    elif not all(map(close, first, again)):
        yield Finding("one seed gave two places", "the same place both times", CROP_SOURCE)


# zoom and rotate


def _sources(
    image: NDArray, wrong: frozenset[str], back: Callable[[NDArray, NDArray], Any]
) -> tuple[NDArray, NDArray]:
    """Return the place in the input under each output pixel, as floats."""
    height, width = image.shape[:2]
    if CORNER.name in wrong:
        center = (0.0, 0.0)
    elif HALF_PIXEL.name in wrong:
        center = (height / 2, width / 2)
    else:
        center = ((height - 1) / 2, (width - 1) / 2)
    if ONE_CENTER.name in wrong:
        center = (center[0], center[0])
    rows, columns = np.indices((height, width), dtype=float)
    y, x = back(rows - center[0], columns - center[1])
    if CENTER_LOST.name in wrong:
        return y, x
    return y + center[0], x + center[1]


def _picked(image: NDArray, wrong: frozenset[str], places: tuple[NDArray, NDArray]) -> NDArray:
    if NOTHING_DONE.name in wrong:
        return image
    height, width = image.shape[:2]
    integer = np.floor if FLOORED.name in wrong else np.rint
    i, j = (integer(place).astype(int) for place in places)
    if REPEATED.name in wrong:
        return image[np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]
    if WRAPPED.name in wrong:
        return image[i % height, j % width]
    least = (-height, -width) if NEGATIVE.name in wrong else (0, 0)
    inside = (i >= least[0]) & (i < height) & (j >= least[1]) & (j < width)
    out = np.zeros_like(image)
    if FORWARD.name in wrong:
        out[i[inside], j[inside]] = image[inside]
    else:
        out[inside] = image[i[inside], j[inside]]
    return out


def _clear(image: NDArray, places: tuple[NDArray, NDArray]) -> NDArray:
    """Say which places leave no choice to a correct answer.

    Half-way between two pixels, rounding is a matter of taste; so is the half pixel around the
    image, which belongs to the nearest pixel or to the outside.
    """
    clear = np.ones(image.shape[:2], dtype=bool)
    for place, size in zip(places, image.shape, strict=False):
        clear &= np.abs(place - np.floor(place) - 0.5) > 1e-6
        within = (place > -1e-6) & (place < size - 1 + 1e-6)
        clear &= within | (place < -0.5) | (place > size - 0.5)
    return clear


def _zoom_back(
    wrong: frozenset[str], factor: float
) -> Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]:
    # Mapped forwards, the same places are where input pixels go: there a zoom multiplies.
    scale = factor if (INVERSE.name in wrong) != (FORWARD.name in wrong) else 1 / factor
    return lambda y, x: (y * scale, x * scale)


def _faulty_zoom(wrong: frozenset[str], image: NDArray, factor: float) -> NDArray:
    return _picked(image, wrong, _sources(image, wrong, _zoom_back(wrong, factor)))


_RIGHT: frozenset[str] = frozenset()


def _zoom_clear(image: NDArray, factor: float) -> NDArray:
    return _clear(image, _sources(image, _RIGHT, _zoom_back(_RIGHT, factor)))


_PLACE_MISTAKES = (
    NOTHING_DONE,
    CORNER,
    HALF_PIXEL,
    ONE_CENTER,
    CENTER_LOST,
    FORWARD,
    FLOORED,
    REPEATED,
    WRAPPED,
    NEGATIVE,
)


def _blended(
    student: Student, cases: Sequence[Case], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Yield the findings, by a name if the results hold values that no pixel has."""
    unnamed = any(finding.mistake is None for finding in findings)
    for case in cases if unnamed else ():
        image = case.arguments[0]
        out = student.numbers(student(*case.arguments), "the image", image.shape)
        strange = ~np.isclose(out[..., None], [0, *image.ravel()], rtol=1e-5, atol=1e-6).any(-1)
        if strange.any() and out.min() > -1 and out.max() < 2:
            came = f"{int(strange.sum())} values, such as {out[strange][0]:.4g}, are no pixel's"
            expected = "each value is that of a pixel, or 0"
            yield Finding(f"{came} (for {case.text})", expected, BLENDED)
            return
    yield from findings


def _zoom_test(low: float, high: float) -> Callable[..., Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        cases = []
        for shape in ((7, 7), (6, 9), (8, 5, 3), (9, 8)):
            factor = float(rng.uniform(low, high))
            text = f"an image of shape {shape} and factor = {factor:.3g}"
            cases.append(Case((_image(rng, *shape), factor), text))
        findings = _compare_region(
            student,
            cases,
            reference.zoom,
            _zoom_clear,
            _faulty_zoom,
            (INVERSE, *_PLACE_MISTAKES),
            "the image",
        )
        yield from _blended(student, cases, list(findings))

    return test


def _turn_back(
    wrong: frozenset[str], degrees: float
) -> Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]:
    angle = degrees if DEGREES.name in wrong else np.deg2rad(degrees)
    if (CLOCKWISE.name in wrong) != (FORWARD.name in wrong):
        angle = -angle
    cos, sin = np.cos(angle), np.sin(angle)
    return lambda y, x: (y * cos + x * sin, -y * sin + x * cos)


def _faulty_rotate(wrong: frozenset[str], image: NDArray, degrees: float) -> NDArray:
    return _picked(image, wrong, _sources(image, wrong, _turn_back(wrong, degrees)))


def _rotate_clear(image: NDArray, degrees: float) -> NDArray:
    return _clear(image, _sources(image, _RIGHT, _turn_back(_RIGHT, degrees)))


def _rotate_test(
    angles: Callable[[np.random.Generator], Sequence[float]], square: bool
) -> Callable[..., Iterator[Finding]]:
    shapes = ((5, 5), (6, 6), (7, 7, 3)) if square else ((7, 7), (6, 9), (9, 8, 3))

    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        cases = []
        for shape, degrees in zip(shapes, angles(rng), strict=True):
            text = f"an image of shape {shape} and {degrees:.4g} degrees"
            cases.append(Case((_image(rng, *shape), degrees), text))
        findings = _compare_region(
            student,
            cases,
            reference.rotate,
            _rotate_clear,
            _faulty_rotate,
            (CLOCKWISE, DEGREES, *_PLACE_MISTAKES),
            "the image",
        )
        yield from _blended(student, cases, list(findings))

    return test


# adjust_contrast


def _faulty_contrast(wrong: frozenset[str], image: NDArray, factor: float) -> NDArray:
    mean: Any = image.mean(axis=(0, 1))
    if ABOUT_HALF.name in wrong:
        mean = 0.5
    elif ONE_MEAN.name in wrong:
        mean = image.mean()
    elif PIXEL_MEAN.name in wrong and image.ndim == 3:
        mean = image.mean(axis=-1, keepdims=True)
    elif COLUMN_MEAN.name in wrong:
        mean = image.mean(axis=0)
    elif BRIGHTNESS.name in wrong:
        mean = 0.0
    out = factor * (image - mean)
    if NOT_ADDED_BACK.name not in wrong:
        out = mean + out
    if CLIPPED_BELOW.name in wrong:
        return np.maximum(out, 0)
    return out if NO_CLIP.name in wrong else np.clip(out, 0, 1)


_CONTRAST_MISTAKES = (
    BRIGHTNESS,
    ABOUT_HALF,
    ONE_MEAN,
    PIXEL_MEAN,
    COLUMN_MEAN,
    NOT_ADDED_BACK,
    NO_CLIP,
    CLIPPED_BELOW,
)


def _contrast_test(low: float, high: float) -> Callable[..., Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        cases = []
        for shape in ((5, 6), (4, 5, 3), (6, 4, 2)):
            image = _image(rng, *shape)
            # Channels of different brightness, so that their means differ.
            image = image * np.linspace(1, 0.5, shape[2]) if len(shape) == 3 else image * 0.8
            factor = float(rng.uniform(low, high))
            text = f"an image of shape {shape} and factor = {factor:.3g}"
            cases.append(Case((image, factor), text))
        yield from compare(
            student,
            cases,
            reference.adjust_contrast,
            faulty=_faulty_contrast,
            mistakes=_CONTRAST_MISTAKES,
            together=2,
            what="the image",
        )

    return test


# label_safe


def _bright(image: Any) -> str:
    return "day" if np.mean(image) > 0.5 else "night"


def _side(image: Any) -> str:
    image = np.asarray(image)
    half = image.shape[1] // 2
    return "left" if image[:, :half].mean() > image[:, -half:].mean() else "right"


def _flip(image: Any) -> NDArray:
    return np.asarray(image)[:, ::-1].copy()


def _negative(image: Any) -> NDArray:
    return 1 - np.asarray(image)


def _dim(image: Any) -> NDArray:
    return 0.8 * np.asarray(image)


def _same(image: Any) -> NDArray:
    return np.asarray(image).copy()


def _task_images(rng: np.random.Generator) -> list[NDArray]:
    """Return images whose first and last are clear cases, and one that only a change tips over."""
    images = []
    for brightness, tilt in ((0.75, 0.1), (0.2, -0.1), (0.56, 0.08), (0.3, -0.05)):
        image = brightness + 0.02 * rng.standard_normal((4, 6))
        images.append(np.clip(image + tilt * np.sign(2.5 - np.arange(6)), 0, 1))
    return images


_SAFETY = (
    ("a flip, by day or by night", _flip, _bright, True),
    ("a flip, which side is brighter", _flip, _side, False),
    ("a negative, by day or by night", _negative, _bright, False),
    ("dimming, by day or by night", _dim, _bright, False),
    ("dimming, by day or by night", _dim, _bright, False),
    ("dimming, which side is brighter", _dim, _side, True),
    ("no change, which side is brighter", _same, _side, True),
)


def _safety(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    answers: list[bool] = []
    wrong: dict[Mistake, list[Any]] = {
        mistake: [] for mistake in (ONE_IMAGE, ANY_IMAGE, PIXELS_COMPARED)
    }
    for number, (_, transform, label_of, _) in enumerate(_SAFETY):
        images = _task_images(rng)
        if number % 2:  # the image that tips over comes first
            images = images[2:] + images[:2]
        answers.append(student.answer(student(transform, (images, label_of)), "the answer"))
        kept = [label_of(transform(image)) == label_of(image) for image in images]
        wrong[ONE_IMAGE].append(kept[0])
        wrong[ANY_IMAGE].append(any(kept))
        wrong[PIXELS_COMPARED].append(all(close(transform(i), i) for i in images))
    right = [safe for *_, safe in _SAFETY]
    if answers == right:
        return
    mistake = next((m for m, given in wrong.items() if given == answers), None)
    if answers == [not safe for safe in right]:
        mistake = NEGATED
    elif len(set(answers)) == 1:
        mistake = ONE_ANSWER
    for answer, (text, _, _, safe) in zip(answers, _SAFETY, strict=True):
        if answer != safe:
            yield Finding(f"{answer} for {text}", str(safe), mistake)
            return


def _exercise(
    name: str, signature: str, aspects: Sequence[Aspect], mistakes: Sequence[Mistake]
) -> Exercise:
    function = getattr(reference, name)
    return Exercise(name, signature, function, CHAPTER, tuple(aspects), tuple(mistakes))


ASSIGNMENT = Assignment(
    _exercise(
        "shift",
        "shift(image, dy, dx)",
        (
            Aspect("moved", "the image moves down by dy and right by dx", _shift_moved),
            Aspect("empty", "what moves in from outside is 0", _shift_empty),
        ),
        (OTHER_WAY, AXES_SWAPPED, WRAPPED, REPEATED, NOTHING_DONE),
    ),
    _exercise(
        "horizontal_flip",
        "horizontal_flip(image)",
        (Aspect("value", "left and right are exchanged", _flip_value),),
        _FLIP_MISTAKES,
    ),
    _exercise(
        "random_crop",
        "random_crop(image, height, width, rng)",
        (
            Aspect("window", "the crop is a window of the image", _crop_window),
            Aspect("places", "every place is drawn as often as any other", _crop_places),
            Aspect("fresh", "the place comes from rng, anew at every call", _crop_fresh),
        ),
        (
            NO_WINDOW,
            TOO_SMALL,
            CROP_SWAPPED,
            CENTER,
            ONE_NUMBER,
            ONE_PLACE,
            LAST_PLACE_MISSED,
            CROP_SEEDED,
            CROP_SOURCE,
        ),
    ),
    _exercise(
        "zoom",
        "zoom(image, factor)",
        (
            Aspect("magnify", "a factor above 1 magnifies around the center", _zoom_test(1.2, 2.8)),
            Aspect("shrink", "a factor below 1 shrinks, and the rim is 0", _zoom_test(0.4, 0.85)),
        ),
        (INVERSE, *_PLACE_MISTAKES, BLENDED),
    ),
    _exercise(
        "rotate",
        "rotate(image, degrees)",
        (
            Aspect(
                "quarters",
                "quarter turns go counter-clockwise",
                _rotate_test(
                    lambda rng: tuple(rng.permutation([90, 180, 270, -90])[:3].tolist()), True
                ),
            ),
            Aspect(
                "any",
                "other angles take the nearest pixel, and 0 from outside",
                _rotate_test(lambda rng: tuple(rng.uniform(10, 80, 3).tolist()), False),
            ),
        ),
        (CLOCKWISE, DEGREES, *_PLACE_MISTAKES, BLENDED),
    ),
    _exercise(
        "adjust_contrast",
        "adjust_contrast(image, factor)",
        (
            Aspect(
                "mean",
                "the distance from each channel's mean is multiplied",
                _contrast_test(0.2, 0.9),
            ),
            Aspect("clip", "the result stays within [0, 1]", _contrast_test(2.5, 4.0)),
        ),
        (*_CONTRAST_MISTAKES, HARD_CODED),
    ),
    _exercise(
        "label_safe",
        "label_safe(transform, task)",
        (Aspect("value", "True if every image of the task keeps its label", _safety),),
        (ONE_IMAGE, ANY_IMAGE, PIXELS_COMPARED, NEGATED, ONE_ANSWER),
    ),
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
