"""Cutmix: a box of one image is pasted into another, and targets are blended by its area."""

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
    EXCHANGED_WEIGHTS,
    EXTENT,
    FROZEN,
    LAM,
    OTHER_PARTNER,
    PARTNER_TWICE,
    ROW,
    SEEDED,
    TARGETS,
    TARGETS_LEFT,
    UNIFORM,
    UNSEEDED,
    Facts,
    boxes,
    distinct_images,
    extent,
    many_calls,
    of_targets,
    partners,
    repeated,
    repeats,
    with_generator,
)
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import mixing as reference


def _box_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape, alpha, calls in (
        ((8, 5, 3), 1e6, 60),
        ((8, 5, 3), 0.1, 60),
        ((8, 8, 9, 2), 1e6, 24),
    ):
        text = f"{shape[0]} images of shape {shape[1:]}, alpha = {alpha:g} in {calls} calls"
        seeds = [int(rng.integers(2**40)), calls]
        yield Case((distinct_images(rng, *shape), np.eye(shape[0]), alpha, seeds), text)


def _box_facts(
    student: Student, images: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    outs, _ = many_calls(student, images, y, alpha, np.random.default_rng(seeds[0]), seeds[1])
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
        images, y = distinct_images(rng, *shape), rng.dirichlet(np.ones(shape[0] + 1), shape[0])
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
    mixed, targets = many_calls(
        student, images, y, alpha, np.random.default_rng(seeds[0]), seeds[1]
    )
    pasted = [_pasted(images, out) for out in mixed]
    A = np.array([matrix for matrix, _ in pasted])
    return np.array([all(fits for _, fits in pasted), *of_targets(A, targets, y)], dtype=float)


def _fresh_paste_cases(rng: np.random.Generator) -> Iterator[Case]:
    seeds = [int(rng.integers(2**40)), 8]
    yield Case(
        (distinct_images(rng, 8, 20, 24), np.eye(8), 1.0, seeds), "eight calls with 8 images"
    )


def _fresh_paste(
    student: Student, images: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    def draw(student: Student, rng: np.random.Generator) -> list[NDArray]:
        mixed, targets = many_calls(student, images, y, alpha, rng, seeds[1])
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
        lam = {LAM}
        partner = rng.permutation(n)
        box_height, box_width = {_BOX_H}, {_BOX_W}
        row, column = {ROW}, {COLUMN}
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
                given=with_generator,
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
                given=with_generator,
                names=("does each box show its place in a partner of its own?", *TARGETS),
            ),
        ),
        Aspect(
            "fresh",
            "weight, center and partners come from rng, anew at every call",
            Facts(
                _fresh_paste_cases,
                call=_fresh_paste,
                given=with_generator,
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
            ((ROW, "rng.integers(width) "), (COLUMN, ROW)),
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
            (LAM, "rng.random()"),
            (LAM, "rng.beta(alpha, 1)"),
            (LAM, "0.5"),
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
        FROZEN.written(("lam = rng", f"rng = {SEEDED}\nlam = rng")),
        ELSEWHERE.written(
            ("lam = rng", f"rng = {UNSEEDED}\nlam = rng"),
            (LAM, "np.random.beta(alpha, alpha)"),
            ("rng.permutation(n)", "np.random.permutation(n)"),
            (ROW, "np.random.randint(height)"),
            (COLUMN, "np.random.randint(width)"),
        ),
        COPIED.written(("lam = rng", f"{DEEP_COPY}lam = rng")),
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
