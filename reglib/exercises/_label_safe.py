"""Whether a transform keeps the labels of a task: a function of functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import images as reference

#: Labels of some images before and after a transform, as places in a list of names.
_LABELS = (
    ("012", "012"),
    ("011", "011"),
    ("0", "0"),
    ("0", "1"),
    ("001", "101"),
    ("102", "112"),
    ("110", "112"),
    ("012", "021"),
    ("012", "210"),
    ("012", "102"),
    ("012", "120"),
)
_NAMES: tuple[tuple[Any, ...], ...] = (
    ("dark", "gray", "bright"),
    ("night", "dusk", "day"),
    (0, 1, 2),
)


def _label_cases(rng: np.random.Generator) -> Iterator[Case]:
    kinds = [(*labels, False) for labels in _LABELS] + [("120", "120", True)]
    for number in rng.permutation(len(kinds)):
        before, after, same = kinds[number]
        names = _NAMES[rng.integers(len(_NAMES))]
        order = rng.permutation(3)
        labels = [[int(order[int(at)]) for at in text] for text in (before, after)]
        axis = int(rng.integers(2))
        images = [_labeled(rng, pair, axis, same) for pair in zip(*labels, strict=True)]
        told = [", ".join(str(names[at]) for at in places) for places in labels]
        text = f"images with the labels {told[0]} before and {told[1]} after the transform"
        yield Case((_flipped(axis), (images, _label_at(axis, names))), text)


def _labeled(rng: np.random.Generator, labels: tuple[int, ...], axis: int, same: bool) -> NDArray:
    """Return an image whose first rim tells its label now, and its last the one when flipped."""
    image = rng.uniform(0.02, 0.98, (4, 5))
    lines = np.moveaxis(image, axis, 0)
    lines[0], lines[-1] = ((label + rng.uniform(0.1, 0.9, lines.shape[1])) / 3 for label in labels)
    return np.maximum(image, np.flip(image, axis)) if same else image


def _flipped(axis: int) -> Callable[[Any], NDArray]:
    return lambda image: np.flip(np.asarray(image), axis).copy()


def _label_at(axis: int, names: Sequence[Any]) -> Callable[[Any], Any]:
    def label_of(image: Any) -> Any:
        name = names[int(3 * np.moveaxis(np.asarray(image), axis, 0)[0].mean())]
        # A text of its own each time: labels are equal, not one and the same object.
        return "".join(name) if isinstance(name, str) else name

    return label_of


def _read_answer(student: Student, result: Any, wanted: Any, what: str) -> NDArray:
    return np.array(student.answer(result, what), dtype=float)


_KEPT = "label_of(transform(image)) == label_of(image)"
LABEL_SAFE = Task(
    "label_safe(transform, task)",
    section="Predict first",
    hints=(
        "When is the answer False: if one image loses its label, or only if all do?",
        "Ask label_of twice for each image, before and after the transform, and leave the loop as "
        "soon as you know.",
    ),
    reference=reference.label_safe,
    model=f"""
        images, label_of = task
        return all([{_KEPT} for image in images])
    """,
    aspects=(
        Aspect(
            "value",
            "True if every image of the task keeps its label, else False; the images stay as they "
            "are",
            Comparison(
                _label_cases,
                "the answer",
                read=_read_answer,
                tell=lambda answer: str(bool(answer)),
                unchanged=True,
            ),
        ),
    ),
    mistakes=(
        Mistake(
            "only the first image tried",
            "One image that keeps its label says nothing about the others.",
            "Go through all images before you return True.",
        ).written(("in images", "in images[:1]")),
        Mistake(
            "only the last image counts",
            "Each image's answer takes the place of the one before.",
            "What should become of the answer if an earlier image has lost its label?",
        ).written(("in images", "in images[-1:]")),
        Mistake(
            "first image skipped",
            "A transform that spoils the first image alone is called safe.",
            "Go through all images.",
        ).written(("in images", "in images[1:]")),
        Mistake(
            "last image skipped",
            "A transform that spoils the last image alone is called safe.",
            "Go through all images: range(n) ends before n by itself.",
        ).written(("in images", "in images[:-1]")),
        Mistake(
            "any for all",
            "A transform is safe if every image keeps its label, not if some do.",
            "all, not any.",
        ).written(("all(", "any(")),
        Mistake(
            "most for all",
            "A transform is safe if every image keeps its label, not if most do.",
            "all, not a mean.",
        ).written(("all([", "0.5 < np.mean([")),
        Mistake(
            "images compared instead of labels",
            "A safe transform may change every pixel; only the label has to stay.",
            "Ask label_of before and after.",
        ).written((_KEPT, "np.allclose(transform(image), image)")),
        Mistake(
            "labels compared without their images",
            "Before and after, the same labels are there, perhaps on other images: two that "
            "exchange their labels are not noticed.",
            "Compare each image's label with its own.",
        ).written(
            """
            images, label_of = task
            before = [label_of(image) for image in images]
            return set(before) == {label_of(transform(image)) for image in images}
            """,
            """
            images, label_of = task
            before = [label_of(image) for image in images]
            return sorted(before) == sorted(label_of(transform(image)) for image in images)
            """,
        ),
        Mistake(
            "compared with the first image's label",
            "Images of different labels can all keep theirs.",
            "Compare each image's label with its own.",
        ).written(("== label_of(image)", "== label_of(images[0])")),
        Mistake(
            "answer negated",
            "True and False are exchanged.",
            "Return True if the labels stay.",
        ).written(("all(", "not all(")),
        Mistake(
            "equal for different",
            "The function says True where every image loses its label.",
            "Return True if the labels stay.",
        ).written(("==", "!=")),
        Mistake(
            "one answer for all",
            "The result does not depend on the transform and the task.",
            "Compare the labels before and after the transform.",
        ).written("True", "False"),
    ),
    right=(
        """
        images, label_of = task
        for image in images:
            if label_of(transform(image)) != label_of(image):
                return False
        return True
        """,
        "not any(task[1](transform(image)) != task[1](image) for image in task[0])",
        "np.all([task[1](transform(image)) == task[1](image) for image in task[0]])",
        """
        images, label_of = task
        before = [label_of(image) for image in images]
        after = list(map(label_of, map(transform, images)))
        return int(before == after)
        """,
        """
        images, label_of = task
        safe = True
        for image in images:
            safe &= label_of(transform(image.copy())) == label_of(image.copy())
        return safe
        """,
        """
        images, label_of = task
        return sum(label_of(transform(x)) == label_of(x) for x in images) == len(images)
        """,
    ),
)
