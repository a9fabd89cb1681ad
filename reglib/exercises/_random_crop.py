"""Assignment 8's crop: whether a window is one, and whether every place is as likely as another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._answers import function_of, wrong_answers
from reglib.exercises._comparison import Case, close, overwritten
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._image_mistakes import CHANNELS_FOR_WIDTH, draw_image
from reglib.exercises._student_function import Student, shape_of
from reglib.exercises._task import Aspect, Task
from reglib.textbook import images as reference

_SIGNATURE = "random_crop(image, height, width, rng)"
_DRAW = "rng.integers({size} - {window} + 1)"
_ROUNDED = "round(rng.random() * ({size} - {window}))"


def _drawn(how: str) -> tuple[str, str]:
    """Return how the row and how the column of the corner is drawn."""
    return (
        how.format(size="image.shape[0]", window="height"),
        how.format(size="image.shape[1]", window="width"),
    )


_TOP, _LEFT = _drawn(_DRAW)
_MODEL = f"""
    top = {_TOP}
    left = {_LEFT}
    return image[top : top + height, left : left + width].copy()
"""


def _instead(how: str) -> tuple[tuple[str, str], tuple[str, str]]:
    top, left = _drawn(how)
    return (_TOP, top), (_LEFT, left)


NO_WINDOW = Mistake(
    "no window of the image",
    "The pixels of the crop do not lie together in the image.",
    "Draw one row and one column, then slice.",
).written(
    """
    rows = np.sort(rng.choice(image.shape[0], height, replace=False))
    columns = np.sort(rng.choice(image.shape[1], width, replace=False))
    return image[rows][:, columns]
    """
)
TOO_SMALL = Mistake(
    "window smaller than asked for",
    "The slice ends too early, or it begins so late that it runs over the rim, where NumPy cuts it "
    "off.",
    "It ends at top + height. Which is the largest top for which that is still inside?",
).written(
    _instead("rng.integers({size})"),
    _instead("rng.integers({size} - {window} + 2)"),
    (("+ height,", "+ height - 1,"), ("+ width]", "+ width - 1]")),
)
EXCHANGED = Mistake(
    "height and width exchanged",
    "The window is as wide as it should be high.",
    "The first axis counts rows.",
).written(("top = ", "height, width = width, height\ntop = "))
CENTER = Mistake(
    "always the center",
    "The window is cut from the middle every time, so a crop adds no variety.",
    "Draw the upper left corner from rng.",
).written(_instead("({size} - {window}) // 2"))
ONE_PLACE = Mistake(
    "always the same place",
    "Every crop is cut at one place, whatever rng is, so it adds no variety: the place is written "
    "down, or it comes from a generator that begins anew inside the function.",
    "Draw the upper left corner from the rng that you are given.",
).written(("top =", "rng = np.random.default_rng(3)\ntop ="), "image[:height, :width]")
ONE_DIRECTION = Mistake(
    "random in one direction only",
    "Along one axis the window is always cut at the same place.",
    "Draw twice from rng: a row and a column.",
).written((_TOP, "0"), (_LEFT, "(image.shape[1] - width) // 2"))
ONE_NUMBER = Mistake(
    "one number for row and column",
    "Row and column of the corner always go together, so most places are never drawn.",
    "Draw twice: a row and a column.",
).written(
    """
    place = rng.integers(min(image.shape[0] - height, image.shape[1] - width) + 1)
    return image[place : place + height, place : place + width]
    """
)
LAST_MISSED = Mistake(
    "last place never drawn",
    "The crop never reaches the lower or the right rim: rng.integers leaves out its upper end.",
    "How many places are there for a window of 3 in a row of 5?",
).written(
    _instead("rng.integers(max({size} - {window}, 1))"),
    *_instead("rng.integers(max({size} - {window}, 1))"),
)
FIRST_MISSED = Mistake(
    "first place never drawn",
    "The crop never begins at the upper or at the left rim.",
    "Rows and columns are counted from 0.",
).written(_instead("rng.integers(min(1, {size} - {window}), {size} - {window} + 1)"))
ENDS_HALF = Mistake(
    "first and last place half as likely",
    "Rounding leaves the first and the last place only half of the numbers that others get.",
    "rng.integers(n) draws from n places alike.",
).written(
    _instead(_ROUNDED),
    (f"top = {_TOP}\nleft = {_LEFT}", "left = {1}\ntop = {0}".format(*_drawn(_ROUNDED))),
)
UNEVEN = Mistake(
    "places not equally likely",
    "Some places are drawn more often than others, so part of the image is rarely seen.",
    "rng.integers(n) draws from n places alike; what is clipped, rounded or taken modulo does not.",
).written(
    _instead("min(rng.integers({size}), {size} - {window})"),
    _instead("rng.integers({size}) % ({size} - {window} + 1)"),
    _instead("int(np.clip(rng.normal(({size} - {window} + 1) / 2, 1), 0, {size} - {window}))"),
    _instead("int((rng.random() + rng.random()) / 2 * ({size} - {window} + 1))"),
    _instead("int(rng.beta(2, 2) * ({size} - {window} + 1))"),
    _instead("int(rng.random() ** 2 * ({size} - {window} + 1))"),
    _instead("int(rng.uniform(-1, {size} - {window} + 1))"),
)
STANDS_STILL = Mistake(
    "rng does not move on",
    "One rng gives the same place at every call: the numbers come from a copy of it.",
    "Call a method of rng itself, such as rng.integers.",
).written(("top =", "import copy\nrng = copy.deepcopy(rng)\ntop ="))
ELSEWHERE = Mistake(
    "random numbers from elsewhere",
    "A part of the place does not come from rng, so no seed can repeat a run.",
    "Call a method of rng for both numbers: rng.integers.",
).written(
    (_TOP, _TOP.replace("rng", "np.random.default_rng()")),
    (_LEFT, _LEFT.replace("rng.integers", "np.random.randint")),
)


def _crop(
    student: Student, image: NDArray, size: tuple[int, int], rng: np.random.Generator
) -> NDArray:
    height, width = size
    got = student(image, height, width, rng)
    shape, came = (height, width, *image.shape[2:]), shape_of(got)
    if came is not None and len(came) == len(shape) and came != shape and type(got) is not tuple:
        exchanged = came == (width, height, *image.shape[2:])
        small = all(one <= other for one, other in zip(came, shape, strict=True))
        mistake = EXCHANGED if exchanged else TOO_SMALL if small else None
        raise BrokenCall(Finding(f"the crop has shape {came}", f"shape {shape}", mistake))
    return student.numbers(got, "the crop", shape)


def _place(image: NDArray, crop: NDArray) -> tuple[int, int] | None:
    """Return where a crop was cut, or None if it is no window of the image."""
    first = image[..., 0] if image.ndim == 3 else image
    nearest = int(np.argmin(np.abs(first - crop.flat[0])))
    top, left = divmod(nearest, image.shape[1])
    window = image[top : top + crop.shape[0], left : left + crop.shape[1]]
    return (top, left) if close(crop, window) else None


def _draw(student: Student, image: NDArray, size: tuple[int, int], seeds: Sequence[int]) -> NDArray:
    """Return where crops are cut, one for each seed.

    Raises
    ------
    BrokenCall
        If one of them is no window of the image.
    """
    return np.array([_cut(student, image, size, np.random.default_rng(seed)) for seed in seeds])


def _cut(
    student: Student, image: NDArray, size: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    place = _place(image, _crop(student, image, size, rng))
    if place is None:
        came = f"a crop of {size[0]} x {size[1]} that is no window of the image"
        raise BrokenCall(Finding(came, "pixels that lie together in the image", NO_WINDOW))
    return place


_WINDOWS = (
    ((9, 12), (2, 5)),
    ((9, 5), (4, 3)),
    ((4, 6), (4, 6)),
    ((4, 7), (4, 3)),
    ((7, 4), (2, 4)),
    ((8, 4, 2), (1, 1)),
    ((6, 4, 3), (6, 4)),
    *[((4, 40), (2, 3))] * 3,
    *[((4, 40, 3), (2, 3))] * 7,
)
_BITS = (np.random.PCG64, np.random.Philox, np.random.SFC64, np.random.MT19937)


def _window(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    student.changed = False
    places = []
    for number, (shape, size) in enumerate(_WINDOWS):
        image = draw_image(rng, *shape)
        bits = _BITS[number % len(_BITS)](int(rng.integers(2**31)))
        places.append(_cut(student, image, size, np.random.Generator(bits)))
    columns = [left for _, left in places]
    if len(set(columns[-10:-7])) > 1 and not any(columns[-7:]):
        came = "7 crops of 2 x 3 from a color image of 4 x 40 pixels all begin in column 0"
        yield Finding(came, "a column between 0 and 37", CHANNELS_FOR_WIDTH)
    elif student.changed:
        yield overwritten(student, Case((image, *size), f"an image of shape {shape}"))


#: Two images with windows so large that there are only three places along each axis, which shows
#: what happens at the rims, and so small that there are many.
_FEW, _MANY = ((8, 7), (6, 5), 60), ((12, 14), (5, 5), 55)


def _places(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    draws = [
        (draw_image(rng, *shape), size, rng.integers(2**31, size=number).tolist())
        for shape, size, number in (_FEW, _MANY)
    ]
    few, many = (_draw(student, *each) for each in draws)
    counts = [np.bincount(places, minlength=3).tolist() for places in few.T]
    (height, width), (rows, columns), number = _FEW
    told = f"{number} crops of {rows} x {columns} from {height} x {width} pixels begin"
    came = f"{told} in row 0, 1, 2: {counts[0]} times; in column 0, 1, 2: {counts[1]} times"
    found = _why_uneven(few, many, counts)
    if not found:
        came = "all 115 crops lie where an answer with this mistake cuts them"
        found = _as_written(draws, few, many)
    for mistake in found:
        yield Finding(came, "each place about as often as any other", mistake)


def _why_uneven(few: NDArray, many: NDArray, counts: Sequence[Sequence[int]]) -> list[Mistake]:
    fixed = [len(set(a)) == len(set(b)) == 1 for a, b in zip(few.T, many.T, strict=True)]
    if any(fixed):
        return [_fixed(fixed, many[0], *_MANY[:2])]
    if (few[:, 0] == few[:, 1]).all():
        return [ONE_NUMBER]
    missed = [
        mistake
        for mistake, place in ((FIRST_MISSED, 0), (LAST_MISSED, -1))
        if any(count[place] == 0 for count in counts)
    ]
    return missed or ([UNEVEN] if _odds(few, many) > 1e9 else [])


def _fixed(
    fixed: Sequence[bool], place: NDArray, shape: tuple[int, ...], size: tuple[int, int]
) -> Mistake:
    """Return what it looks like that rows or columns are always cut at the same place."""
    if not all(fixed):
        return ONE_DIRECTION
    middle = [(long - short) // 2 for long, short in zip(shape, size, strict=True)]
    return CENTER if place.tolist() == middle else ONE_PLACE


def _as_written(
    draws: Sequence[tuple[NDArray, tuple[int, int], list[int]]], few: NDArray, many: NDArray
) -> list[Mistake]:
    """Return the mistake whose program cuts where the answer does, time after time.

    So few draws cannot show by their numbers alone that a place comes half as often. A right
    answer agrees with one of these programs in no more than seven of ten draws.
    """
    for mistake in (ENDS_HALF, UNEVEN):
        for text in wrong_answers(_MODEL, [mistake]):
            program = Student(function_of(text, _SIGNATURE), "random_crop", _SIGNATURE)
            if all(
                _cut(program, image, size, np.random.default_rng(seed)) == tuple(place)
                for (image, size, seeds), places in zip(draws, (few, many), strict=True)
                for seed, place in zip(seeds, places.tolist(), strict=True)
            ):
                return [mistake]
    return []


#: How often place k of 0, ..., n is drawn by answers that prefer some.
_PREFERENCES = (
    lambda k, n: np.exp(-((k - n / 2) ** 2) / 2),
    lambda k, n: 1 + np.minimum(k, n - k),
    lambda k, n: 1 + np.abs(2 * k - n),
    lambda k, n: 1 + k,
    lambda k, n: 1 + n - k,
)


def _odds(few: NDArray, many: NDArray) -> float:
    """Return how much more likely these places are under some preference than under none.

    Under none it exceeds a number x with a probability of at most 1 / x, because its expectation
    is 1: it is a mean of ratios of probabilities.
    """
    both = 1.0
    for axis in range(2):
        ratios = [1.0]
        for preference in _PREFERENCES:
            ratio = 1.0
            for places, (shape, size, _) in ((few, _FEW), (many, _MANY)):
                last = shape[axis] - size[axis]
                weights = preference(np.arange(last + 1), last)
                ratio *= np.prod((weights / weights.mean())[places[:, axis]])
            ratios.append(ratio)
        both *= float(np.mean(ratios))
    # What comes next is foretold from what has come so far, whatever the preference is.
    counts, foretold = np.full(9, 0.5), 1.0
    for place in 3 * few[:, 0] + few[:, 1]:
        foretold *= 9 * counts[place] / counts.sum()
        counts[place] += 1
    return (both + foretold) / 2


def _fresh(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    shape, size = (40, 50), (3, 4)
    image, seeds = draw_image(rng, *shape), rng.integers(2**31, size=4)
    order = rng.permutation(4)
    first = _draw(student, image, size, seeds.tolist())
    again = _draw(student, image, size, seeds[order].tolist())
    one = np.random.default_rng(rng.integers(2**31))
    in_turn = np.array([_cut(student, image, size, one) for _ in range(8)])
    fixed = [len(set(places)) == 1 for places in np.concatenate([first, in_turn]).T]
    if not np.array_equal(first[order], again):
        yield Finding("one seed gave two places", "the same place both times", ELSEWHERE)
    elif any(fixed):
        came = f"12 crops begin in {len(set(in_turn[:, 0]))} rows and "
        came += f"{len(set(in_turn[:, 1]))} columns"
        yield Finding(
            came, "another place at almost every call", _fixed(fixed, first[0], shape, size)
        )
    elif any(len(set(places)) == 1 for places in in_turn.T):
        yield Finding("eight calls with one rng cut at one place", "eight places", STANDS_STILL)


RANDOM_CROP = Task(
    _SIGNATURE,
    reference=reference.random_crop,
    section="The code",
    hints=(
        "How many places can the top edge have, if the window is as high as the image? And if it "
        "is one row less high?",
        "Two numbers from rng, drawn apart: the top row and the left column. The upper end of "
        "rng.integers is not drawn.",
    ),
    model=_MODEL,
    aspects=(
        Aspect(
            "window",
            "the crop is a window of the image, which stays as it is",
            _window,
        ),
        Aspect("places", "every place is drawn as often as any other", _places),
        Aspect("fresh", "the place comes from rng, anew at every call", _fresh),
    ),
    mistakes=(
        NO_WINDOW,
        TOO_SMALL,
        EXCHANGED,
        CHANNELS_FOR_WIDTH.written(
            (_LEFT, "rng.integers(max(image.shape[-1] - width, 0) + 1)"),
        ),
        CENTER,
        ONE_NUMBER,
        ONE_PLACE,
        ONE_DIRECTION,
        LAST_MISSED,
        FIRST_MISSED,
        ENDS_HALF,
        UNEVEN,
        STANDS_STILL,
        ELSEWHERE,
    ),
    right=(
        """
        top = int(rng.random() * (image.shape[0] - height + 1))
        left = int(rng.random() * (image.shape[1] - width + 1))
        return image[top : top + height, left : left + width]
        """,
        """
        left = rng.choice(range(image.shape[1] - width + 1))
        top = rng.choice(range(image.shape[0] - height + 1))
        return np.array([row[left : left + width] for row in image[top : top + height]])
        """,
        """
        top, left = rng.integers(0, np.array(image.shape[:2]) - (height, width), endpoint=True)
        return image[top:, left:][:height, :width].tolist()
        """,
        """
        rng = rng.spawn(1)[0]
        top = rng.permutation(image.shape[0] - height + 1)[0]
        left = rng.permutation(image.shape[1] - width + 1)[0]
        return np.ascontiguousarray(image[top : top + height, left : left + width], np.float32)
        """,
        """
        windows = np.lib.stride_tricks.sliding_window_view(image, (height, width), axis=(0, 1))
        place = rng.integers(windows.shape[0] * windows.shape[1])
        window = windows[divmod(int(place), windows.shape[1])]
        return window if image.ndim == 2 else np.moveaxis(window, 0, -1)
        """,
        """
        top, left = rng.uniform(0, (image.shape[0] - height + 1, image.shape[1] - width + 1))
        rows, columns = int(top) + np.arange(height), int(left) + np.arange(width)
        return image[np.ix_(rows, columns)]
        """,
    ),
)
