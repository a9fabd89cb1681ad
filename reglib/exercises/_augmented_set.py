"""A program to mend: an augmented training set in which labels stand beside other images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import PAIR_SWAPPED, BrokenCall, Finding, Mistake
from reglib.exercises._image_mistakes import draw_image
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import images as reference

#: What each is called, and what it does to one image.
_TRANSFORMS: dict[str, Callable[[NDArray], NDArray]] = {
    "flipped": lambda image: np.asarray(image)[:, ::-1].copy(),
    "upside down": lambda image: np.asarray(image)[::-1].copy(),
    "darker": lambda image: 0.7 * np.asarray(image),
    "moved": lambda image: np.roll(image, 1, axis=0),
}


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    for count, shape, named in ((4, (3, 5), 2), (5, (4, 3, 3), 1), (3, (2, 4), 3), (1, (3, 3), 2)):
        images = np.stack([draw_image(rng, *shape) for _ in range(count)])
        images *= np.linspace(0.6, 1, count).reshape(-1, *(1 for _ in shape))
        names = rng.permutation(list(_TRANSFORMS))[:named].tolist()
        labels = rng.permutation(10)[:count]
        text = f"{count} images of shape {shape}, transforms: {', '.join(names)}"
        yield Case((images, labels, names), text)


def _given(images: NDArray, labels: NDArray, names: list[str]) -> tuple[Any, ...]:
    return images, labels, [_TRANSFORMS[name] for name in names]


def _table(student: Student, *arguments: Any) -> NDArray:
    """Return how often each image is there with its label, with another one, and what else is."""
    images, labels, transforms = _given(*arguments)
    found = student.pair(student(images, labels, transforms), "images", "labels")
    if np.ndim(found[0]) == 1 and np.ndim(found[1]) == images.ndim:
        raise BrokenCall(Finding("labels come first", "the pair (images, labels)", PAIR_SWAPPED))
    many, given = (student.numbers(part, what) for part, what in zip(found, _PARTS, strict=True))
    if many.shape[1:] != images.shape[1:] or given.ndim != 1:
        came = f"images have shape {many.shape} and labels {given.shape}"
        raise BrokenCall(Finding(came, f"images of shape {images.shape[1:]}, a label for each"))
    if len(many) != len(given):
        came = f"there are {len(many)} images and {len(given)} labels"
        raise BrokenCall(Finding(came, "a label for each image", LABELS_LEFT))
    whole = np.array([[f(image) for f in (np.copy, *transforms)] for image in images])
    whole, many = whole.reshape(*whole.shape[:2], 1, -1), many.reshape(len(many), -1)
    alike = np.all(np.abs(whole - many) < 1e-5, axis=-1)
    right = np.asarray(labels)[:, None, None] == given
    counts = [(alike & right).sum(axis=2), (alike & ~right).sum(axis=2)]
    return np.append(np.ravel(counts), np.sum(~alike.any(axis=(0, 1)))).astype(float)


_PARTS = "the images", "the labels"


def _tell(table: NDArray) -> str:
    right, wrong = table[:-1].reshape(2, -1)
    text = f"{right.sum():.0f} images have their own label"
    for number, more in (
        (wrong.sum(), "have another one's"),
        (np.sum(right + wrong == 0), "are missing"),
        (np.sum(np.maximum(right + wrong - 1, 0)), "are there too often"),
        (table[-1], "are none of those asked for"),
    ):
        text += f", {number:.0f} {more}" * bool(number)
    return text


LABELS_LEFT = Mistake(
    "labels not multiplied",
    "There are more images than labels now.",
    "Each new image has the label of the image that it was made from.",
)
_MADE, _TILED = "[f(image) for f in transforms for image in images]", "np.tile(labels, times)"
AUGMENTED_SET = Task(
    "augmented_set(images, labels, transforms)",
    reference=reference.augmented_set,
    section="The code",
    hints=(
        "Take two images and one transform: write down the four images in the order in which the "
        "function puts them, and the four labels below.",
        "np.repeat and np.tile give the same numbers in another order. Which has the order of the "
        "images?",
    ),
    model=f"""
        made = {_MADE}
        times = 1 + len(transforms)
        return np.concatenate([images, made]), {_TILED}
    """,
    aspects=(
        Aspect(
            "value",
            "every image is there as it was and under each transform, with its own label",
            Comparison(_cases, call=_table, given=_given, tell=_tell),
        ),
    ),
    mistakes=(
        Mistake(
            "labels in another order than the images",
            "Images and labels are as many as they should be, and do not stand in the same order: "
            "most images get the label of another one.",
            "Print the labels beside the numbers of the images that they belong to.",
        ).written(
            (_TILED, "np.repeat(labels, times)"),
            (_MADE, "[f(image) for image in images for f in transforms]"),
            (_TILED, "np.concatenate([labels, np.repeat(labels, len(transforms))])"),
        ),
        LABELS_LEFT.written((_TILED, "labels")),
        Mistake(
            "originals left out",
            "Only the transformed images come back.",
            "The images as they were belong to the training set, too.",
        ).written(
            (("np.concatenate([images, made])", "np.array(made)"), ("1 + len", "len")),
        ),
        Mistake(
            "transforms in a chain",
            "Each transform is given what the one before has made, and not the image itself.",
            "Every transform begins with the original.",
        ).written(
            """
            made = [*images]
            for f in transforms:
                made += [f(image) for image in made[-len(images):]]
            return np.array(made), np.tile(labels, 1 + len(transforms))
            """
        ),
        Mistake(
            "one transform only",
            "The images of one transform alone have been added.",
            "Where does the list of new images begin, and how often?",
        ).written(
            ((_MADE, "[transforms[-1](image) for image in images]"), ("len(transforms)", "1")),
            ((_MADE, "[transforms[0](image) for image in images]"), ("len(transforms)", "1")),
        ),
        Mistake(
            "all images transformed as one",
            "A transform takes one image. Given all of them, it takes their number for the height.",
            "Call the transform for each image by itself.",
        ).written(
            """
            made = [images, *(f(images) for f in transforms)]
            return np.concatenate(made), np.tile(labels, 1 + len(transforms))
            """
        ),
        Mistake(
            "nothing added",
            "The training set comes back as it was.",
            "Add the images that the transforms make.",
        ).written("images, labels"),
        Mistake(
            "originals repeated",
            "The set is as long as it should be, and holds the same images over and over.",
            "Call each transform with each image.",
        ).written((_MADE, "[image for f in transforms for image in images]")),
    ),
    right=(
        """
        new_images, new_labels = list(images), list(labels)
        for image, label in zip(images, labels):
            for transform in transforms:
                new_images.append(transform(image))
                new_labels.append(label)
        return new_images, new_labels
        """,
        """
        made = [[image, *(f(image) for f in transforms)] for image in images]
        made = np.array(made, dtype=np.float32).reshape(-1, *images.shape[1:])
        return made, np.repeat(labels, 1 + len(transforms))
        """,
        """
        parts = [images] + [np.stack([f(image) for image in images]) for f in transforms]
        return np.concatenate(parts[::-1]), np.concatenate([labels] * len(parts))
        """,
        """
        out = np.empty((len(images) * (len(transforms) + 1), *images.shape[1:]))
        of = np.empty(len(out), dtype=int)
        for i, image in enumerate(images):
            for j, f in enumerate([np.array, *transforms]):
                out[j * len(images) + i], of[j * len(images) + i] = f(image), labels[i]
        return out, of
        """,
        """
        pairs = [(f(x), y) for x, y in zip(images, labels) for f in [lambda x: x, *transforms]]
        return np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])
        """,
    ),
)
