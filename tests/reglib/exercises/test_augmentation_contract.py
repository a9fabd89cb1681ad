"""Assignment 8's contract against itself: what is right passes, what is wrong is named."""

import numpy as np
from scipy import ndimage

from reglib.exercises import augmentation as contract
from reglib.exercises._findings import HARD_CODED
from reglib.textbook import images as reference

EXERCISES = contract.ASSIGNMENT.exercises


def padded_shift(image, dy, dx):
    height, width = image.shape[:2]
    pad = [(abs(dy),) * 2, (abs(dx),) * 2] + [(0, 0)] * (image.ndim - 2)
    wide = np.pad(image, pad)
    top, left = abs(dy) - dy, abs(dx) - dx
    return wide[top : top + height, left : left + width]


def rolled_and_cleared(image, dy, dx):
    out = np.roll(image, (dy, dx), axis=(0, 1))
    if dy:
        out[(slice(None, dy) if dy > 0 else slice(dy, None))] = 0
    if dx:
        out[:, (slice(None, dx) if dx > 0 else slice(dx, None))] = 0
    return out


def looped_shift(image, dy, dx):
    out = np.zeros(image.shape)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            if 0 <= i - dy < image.shape[0] and 0 <= j - dx < image.shape[1]:
                out[i, j] = image[i - dy, j - dx]
    return out


def sampled(image, rows, columns, integer=lambda x: np.floor(x + 0.5), outside=0.0):
    out = np.full(image.shape, outside)
    for i, j in np.ndindex(image.shape[:2]):
        a, b = int(integer(rows(i, j))), int(integer(columns(i, j)))
        if 0 <= a < image.shape[0] and 0 <= b < image.shape[1]:
            out[i, j] = image[a, b]
    return out


def center(image):
    return (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2


def looped_zoom(image, factor, middle=center, **options):
    c, d = middle(image)
    return sampled(
        image, lambda i, j: c + (i - c) / factor, lambda i, j: d + (j - d) / factor, **options
    )


def looped_rotate(image, degrees, middle=center, sign=1, **options):
    c, d = middle(image)
    angle = sign * degrees * np.pi / 180
    cos, sin = np.cos(angle), np.sin(angle)
    return sampled(
        image,
        lambda i, j: c + (i - c) * cos + (j - d) * sin,
        lambda i, j: d - (i - c) * sin + (j - d) * cos,
        **options,
    )


def affine(image, matrix):
    """scipy's affine_transform, nearest pixel, zero outside, around the center."""
    c = np.array(center(image))
    offset = c - matrix @ c
    channels = np.atleast_3d(image)
    out = [
        ndimage.affine_transform(channels[..., k], matrix, offset, order=0, mode="constant")
        for k in range(channels.shape[2])
    ]
    return np.stack(out, axis=-1).reshape(image.shape)


def scipy_zoom(image, factor):
    return affine(image, np.eye(2) / factor)


def turn(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def meshed(image, back):
    height, width = image.shape[:2]
    i, j = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    c, d = center(image)
    y, x = back(i - c, j - d)
    a, b = np.round(y + c).astype(int), np.round(x + d).astype(int)
    inside = (a >= 0) & (a < height) & (b >= 0) & (b < width)
    picked = image[np.clip(a, 0, height - 1), np.clip(b, 0, width - 1)]
    return picked * (inside if image.ndim == 2 else inside[..., None])


def cut(image, height, width, rng, draw=lambda rng, places: rng.integers(places)):
    top = draw(rng, image.shape[0] - height + 1)
    left = draw(rng, image.shape[1] - width + 1)
    return image[top : top + height, left : left + width]


def contrast(image, factor, mean=lambda image: image.mean(axis=(0, 1)), clip=True):
    out = mean(image) + factor * (image - mean(image))
    return np.clip(out, 0, 1) if clip else out


def safe(transform, task, all_of=all):
    images, label_of = task
    return all_of([label_of(transform(image)) == label_of(image) for image in images])


RIGHT = {
    "shift": (
        padded_shift,
        rolled_and_cleared,
        looped_shift,
        lambda image, dy, dx: ndimage.shift(image, (dy, dx, 0)[: image.ndim], order=0),
        lambda image, dy, dx: padded_shift(padded_shift(image, dy, 0), 0, dx).tolist(),
    ),
    "horizontal_flip": (
        lambda image: image[:, ::-1],
        np.fliplr,
        lambda image: np.flip(image, axis=1),
        lambda image: image[:, [-1 - j for j in range(image.shape[1])]],
        lambda image: np.array([row[::-1] for row in image]),
    ),
    "random_crop": (
        cut,
        lambda image, h, w, rng: cut(image, h, w, rng, lambda rng, n: int(rng.random() * n)),
        lambda image, h, w, rng: cut(image, h, w, rng, lambda rng, n: rng.choice(n)),
        lambda image, h, w, rng: cut(
            image, h, w, rng, lambda rng, n: rng.integers(0, n - 1, endpoint=True)
        ),
        lambda image, h, w, rng: cut(
            image, h, w, rng, lambda rng, n: rng.permutation(n)[0]
        ).tolist(),
    ),
    "zoom": (
        looped_zoom,
        scipy_zoom,
        lambda image, f: meshed(image, lambda y, x: (y / f, x / f)),
        lambda image, f: looped_zoom(image, f, integer=np.rint),
        lambda image, f: reference.zoom(image, f).tolist(),
    ),
    "rotate": (
        looped_rotate,
        lambda image, degrees: ndimage.rotate(image, degrees, reshape=False, order=0),
        lambda image, degrees: meshed(
            image, lambda y, x: tuple(np.tensordot(turn(degrees), np.stack([y, x]), 1))
        ),
        lambda image, degrees: looped_rotate(image, degrees % 360, integer=np.rint),
        lambda image, degrees: reference.rotate(image, degrees - 360),
    ),
    "adjust_contrast": (
        contrast,
        lambda image, f: np.minimum(np.maximum(contrast(image, f, clip=False), 0), 1),
        lambda image, f: np.clip((1 - f) * image.mean((0, 1)) + f * image, 0, 1),
        lambda image, f: np.clip(
            image.mean(axis=1, keepdims=True).mean(axis=0, keepdims=True) * (1 - f) + f * image,
            0,
            1,
        ),
        lambda image, f: contrast(image, f).tolist(),
    ),
    "label_safe": (
        safe,
        lambda transform, task: not any(task[1](transform(i)) != task[1](i) for i in task[0]),
        lambda transform, task: np.all([task[1](transform(i)) == task[1](i) for i in task[0]]),
        lambda transform, task: int(
            [task[1](i) for i in task[0]] == [task[1](transform(i)) for i in task[0]]
        ),
        lambda transform, task: safe(lambda image: transform(image.copy()), task),
    ),
}


def forward_zoom(image, factor):
    out, (c, d) = np.zeros_like(image), center(image)
    for i, j in np.ndindex(image.shape[:2]):
        a, b = round(c + (i - c) * factor), round(d + (j - d) * factor)
        if 0 <= a < image.shape[0] and 0 <= b < image.shape[1]:
            out[a, b] = image[i, j]
    return out


def forward_rotate(image, degrees):
    out, (c, d) = np.zeros_like(image), center(image)
    back = turn(-degrees)
    for i, j in np.ndindex(image.shape[:2]):
        a, b = (round(v) for v in back @ (i - c, j - d) + (c, d))
        if 0 <= a < image.shape[0] and 0 <= b < image.shape[1]:
            out[a, b] = image[i, j]
    return out


def corner(image):
    return 0, 0


def half(image):
    return image.shape[0] / 2, image.shape[1] / 2


def clamped(image, rows, columns):
    i, j = np.indices(image.shape[:2])
    a = np.clip(np.rint(rows(i, j)).astype(int), 0, image.shape[0] - 1)
    b = np.clip(np.rint(columns(i, j)).astype(int), 0, image.shape[1] - 1)
    return image[a, b]


def wrapped(image, rows, columns):
    i, j = np.indices(image.shape[:2])
    return image[
        np.rint(rows(i, j)).astype(int) % image.shape[0],
        np.rint(columns(i, j)).astype(int) % image.shape[1],
    ]


def zoom_by(pick):
    def zoom(image, f):
        c, d = center(image)
        return pick(image, lambda i, j: c + (i - c) / f, lambda i, j: d + (j - d) / f)

    return zoom


def rotate_by(pick):
    def rotate(image, degrees):
        (c, d), m = center(image), turn(degrees)
        return pick(
            image,
            lambda i, j: c + m[0, 0] * (i - c) + m[0, 1] * (j - d),
            lambda i, j: d + m[1, 0] * (i - c) + m[1, 1] * (j - d),
        )

    return rotate


def scattered(image, height, width, rng):
    rows = np.sort(rng.choice(image.shape[0], height, replace=False))
    columns = np.sort(rng.choice(image.shape[1], width, replace=False))
    return image[rows][:, columns]


def beyond_the_rim(image, height, width, rng):
    top, left = rng.integers(image.shape[0]), rng.integers(image.shape[1])
    return image[top : top + height, left : left + width]


def from_the_center(image, height, width, rng):
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def on_the_diagonal(image, height, width, rng):
    place = rng.integers(min(image.shape[0] - height, image.shape[1] - width) + 1)
    return image[place : place + height, place : place + width]


def column_by_column(image):
    for j in range(image.shape[1]):
        image[:, j] = image[:, image.shape[1] - 1 - j]
    return image


def of_rows(image):
    return (image.shape[0] - 1) / 2, (image.shape[0] - 1) / 2


def looked_up(image, a, b, least):
    out = np.zeros_like(image)
    inside = (a >= least[0]) & (a < image.shape[0]) & (b >= least[1]) & (b < image.shape[1])
    out[inside] = image[a[inside], b[inside]]
    return out


def center_lost(image, rows, columns):
    (i, j), (c, d) = np.indices(image.shape[:2]), center(image)
    a, b = np.rint(rows(i, j) - c).astype(int), np.rint(columns(i, j) - d).astype(int)
    return looked_up(image, a, b, (0, 0))


def negative(image, rows, columns):
    i, j = np.indices(image.shape[:2])
    a, b = np.rint(rows(i, j)).astype(int), np.rint(columns(i, j)).astype(int)
    return looked_up(image, a, b, (-image.shape[0], -image.shape[1]))


def blended(image, rows, columns):
    i, j = np.indices(image.shape[:2])
    places = [rows(i, j), columns(i, j)]
    channels = np.atleast_3d(image)
    out = [
        ndimage.map_coordinates(channels[..., k], places, order=1) for k in range(channels.shape[2])
    ]
    return np.stack(out, axis=-1).reshape(image.shape)


c = contract
WRONG = {
    "shift": [
        (lambda image, dy, dx: padded_shift(image, -dy, -dx), {c.OTHER_WAY}, "moved"),
        (lambda image, dy, dx: padded_shift(image, dx, dy), {c.AXES_SWAPPED}, "moved"),
        (lambda image, dy, dx: image, {c.NOTHING_DONE}, "moved"),
        (lambda image, dy, dx: np.roll(image, (dy, dx), (0, 1)), {c.WRAPPED}, "empty"),
        (
            lambda image, dy, dx: ndimage.shift(
                image, (dy, dx, 0)[: image.ndim], order=0, mode="nearest"
            ),
            {c.REPEATED},
            "empty",
        ),
    ],
    "horizontal_flip": [
        (np.flipud, {c.UPSIDE_DOWN}, None),
        (lambda image: image[::-1, ::-1], {c.BOTH_FLIPPED}, None),
        (lambda image: image[..., ::-1], {c.CHANNELS_FLIPPED}, None),
        (lambda image: np.swapaxes(image, 0, 1), {c.TRANSPOSED}, None),
        (lambda image: image, {c.NOTHING_DONE}, None),
        (column_by_column, {c.READ_TOO_LATE}, None),
    ],
    "random_crop": [
        (
            lambda image, h, w, rng: (
                image[1 : 1 + h, 1 : 1 + w] if image.shape == (4, 5) else cut(image, h, w, rng)
            ),
            {c.ONE_PLACE},
            "places",
        ),
        (
            lambda image, h, w, rng: cut(
                image, h, w, rng, lambda rng, n: rng.integers(max(n - 1, 1))
            ),
            {c.LAST_PLACE_MISSED},
            "places",
        ),
        (scattered, {c.NO_WINDOW}, "window"),
        (beyond_the_rim, {c.TOO_SMALL}, "window"),
        (from_the_center, {c.CENTER}, "places"),
        (from_the_center, {c.CENTER}, "fresh"),
        (on_the_diagonal, {c.ONE_NUMBER}, "places"),
        (
            lambda image, h, w, rng: cut(image, w, h, rng, lambda rng, n: rng.integers(max(n, 1))),
            {c.CROP_SWAPPED},
            "window",
        ),
        (
            lambda image, h, w, rng: cut(image, h, w, np.random.default_rng(0)),
            {c.CROP_SEEDED},
            "fresh",
        ),
        (
            lambda image, h, w, rng: cut(image, h, w, np.random.default_rng()),
            {c.CROP_SOURCE},
            "fresh",
        ),
    ],
    "zoom": [
        (lambda image, f: image, {c.NOTHING_DONE}, "magnify"),
        (lambda image, f: looped_zoom(image, 1 / f), {c.INVERSE}, "magnify"),
        (lambda image, f: looped_zoom(image, f, middle=corner), {c.CORNER}, "magnify"),
        (lambda image, f: looped_zoom(image, f, middle=half), {c.HALF_PIXEL}, "magnify"),
        (forward_zoom, {c.FORWARD}, "magnify"),
        (lambda image, f: looped_zoom(image, f, middle=of_rows), {c.ONE_CENTER}, "magnify"),
        (zoom_by(center_lost), {c.CENTER_LOST}, "magnify"),
        (zoom_by(negative), {c.NEGATIVE}, "shrink"),
        (zoom_by(blended), {c.BLENDED}, "magnify"),
        (lambda image, f: looped_zoom(image, f, integer=np.floor), {c.FLOORED}, "magnify"),
        (zoom_by(clamped), {c.REPEATED}, "shrink"),
        (zoom_by(wrapped), {c.WRAPPED}, "shrink"),
        (
            lambda image, f: looped_zoom(image, 1 / f, middle=corner),
            {c.INVERSE, c.CORNER},
            "magnify",
        ),
    ],
    "rotate": [
        (lambda image, degrees: image, {c.NOTHING_DONE}, "quarters"),
        (lambda image, degrees: image, {c.NOTHING_DONE}, "any"),
        (lambda image, degrees: looped_rotate(image, -degrees), {c.CLOCKWISE}, "quarters"),
        (lambda image, degrees: looped_rotate(image, np.rad2deg(degrees)), {c.DEGREES}, "any"),
        (lambda image, degrees: looped_rotate(image, degrees, middle=corner), {c.CORNER}, "any"),
        (lambda image, degrees: looped_rotate(image, degrees, middle=half), {c.HALF_PIXEL}, "any"),
        (forward_rotate, {c.FORWARD}, "any"),
        (
            lambda image, degrees: looped_rotate(image, degrees, integer=np.floor),
            {c.FLOORED},
            "any",
        ),
        (rotate_by(clamped), {c.REPEATED}, "any"),
        (rotate_by(wrapped), {c.WRAPPED}, "any"),
        (lambda image, a: looped_rotate(image, a, middle=of_rows), {c.ONE_CENTER}, "any"),
        (rotate_by(center_lost), {c.CENTER_LOST}, "any"),
        (rotate_by(negative), {c.NEGATIVE}, "any"),
        (rotate_by(blended), {c.BLENDED}, "any"),
    ],
    "adjust_contrast": [
        (lambda image, f: np.clip(f * image, 0, 1), {c.BRIGHTNESS}, "mean"),
        (lambda image, f: contrast(image, f, mean=lambda image: 0.5), {c.ABOUT_HALF}, "mean"),
        (lambda image, f: contrast(image, f, mean=np.mean), {c.ONE_MEAN}, "mean"),
        (
            lambda image, f: contrast(
                image, f, mean=lambda i: i.mean(-1, keepdims=True) if i.ndim == 3 else i.mean()
            ),
            {c.PIXEL_MEAN},
            "mean",
        ),
        (lambda image, f: contrast(image, f, clip=False), {c.NO_CLIP}, "clip"),
        (
            lambda image, f: np.maximum(contrast(image, f, clip=False), 0),
            {c.CLIPPED_BELOW},
            "clip",
        ),
        (
            lambda image, f: np.clip(f * (image - image.mean(axis=(0, 1))), 0, 1),
            {c.NOT_ADDED_BACK},
            "mean",
        ),
        (
            lambda image, f: contrast(image, f, mean=lambda image: image.mean(axis=0)),
            {c.COLUMN_MEAN},
            "mean",
        ),
    ],
    "label_safe": [
        (
            lambda transform, task: bool(task[1](transform(task[0][0])) == task[1](task[0][0])),
            {c.ONE_IMAGE},
            None,
        ),
        (lambda transform, task: safe(transform, task, any), {c.ANY_IMAGE}, None),
        (
            lambda transform, task: all(np.allclose(transform(i), i) for i in task[0]),
            {c.PIXELS_COMPARED},
            None,
        ),
        (lambda transform, task: not safe(transform, task), {c.NEGATED}, None),
        (lambda transform, task: True, {c.ONE_ANSWER}, None),
    ],
}


def test_a_wrapping_shift_keeps_the_points_for_the_direction(verdict):
    answer = lambda image, dy, dx: np.roll(image, (dy, dx), (0, 1))  # noqa: E731
    assert verdict(EXERCISES["shift"], answer, "moved") is None


def test_every_mistake_that_the_contracts_list_is_tried_here():
    for name, exercise in EXERCISES.items():
        tried = {mistake.name for _, mistakes, _ in WRONG[name] for mistake in mistakes}
        assert {mistake.name for mistake in exercise.mistakes} <= tried | {HARD_CODED.name}
