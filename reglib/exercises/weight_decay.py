"""Assignment 4, Weight decay and constraints: why is L2 in the loss not weight decay under Adam."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from reglib.exercises._adam_steps import ADAM_L2_STEP, ADAMW_STEP
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._messages import Chapter
from reglib.exercises._non_negative_fit import NON_NEGATIVE_FIT
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import weight_decay as reference

_ONE_LIMIT = "Compute one norm for each vector along axis, and compare it with c."
ZERO_VECTOR = Mistake(
    "division by a norm of 0",
    "A vector of zeros has the norm 0, and it is within every limit.",
    "By what can you divide that is never 0, and is the norm where the norm is too large?",
)


def _vectors(
    rng: np.random.Generator, places: tuple[tuple[tuple[int, ...], int], ...], lengths: list[float]
) -> Iterator[Case]:
    """Yield arrays whose vectors along an axis have these lengths, in units of the limit."""
    for shape, axis in places:
        c, W = float(rng.uniform(0.4, 2.5)), rng.standard_normal(shape)
        norms = np.linalg.norm(W, axis=axis, keepdims=True)
        wanted = rng.permutation(np.resize(lengths, norms.size)).reshape(norms.shape)
        text = f"W of shape {shape}, c = {c:.3g}, axis = {axis}"
        yield Case((W * (c * wanted / norms), c, axis), text, {"c": c})


def _beyond(rng: np.random.Generator) -> Iterator[Case]:
    places = (((4, 3), 0), ((3, 5), 1), ((2, 3, 4), 1), ((3, 2, 4), -1), ((5,), 0))
    return _vectors(rng, places, [1.2, 1.7, 2.3])


def _mixed(rng: np.random.Generator) -> Iterator[Case]:
    places = (((4, 5), 0), ((6, 3), 1), ((2, 3, 4), 2), ((3, 4, 2), 0))
    return _vectors(rng, places, [0.1, 0, 0.7, 1.6, 0.95])


def _diagnose(student: Student, broken: BrokenCall) -> Iterable[Finding]:
    """Yield a finding if a vector of zeros is what breaks an answer."""
    W = np.array([[3.0, 0.0], [4.0, 0.0]])
    student.numbers(student(W + 1, 1.0, 0), "the result", W.shape)
    if not np.isfinite(np.asarray(student(W, 1.0, 0), dtype=float)).all():
        yield Finding("a column of zeros is no longer one", "it stays as it is", ZERO_VECTOR)


_SCALE = "c / np.maximum(norms, c)"
_AXIS = "axis=axis"
MAX_NORM_PROJECT = Task(
    "max_norm_project(W, c, axis)",
    reference=reference.max_norm_project,
    section="Constraints: put back to the nearest point",
    hints=(
        "Take a single vector, (3, 4): where should it land for c = 1, for c = 5, for c = 10?",
        "Compute the norms with keepdims=True, so that they fit W; then a factor for each vector, "
        "which is never above 1.",
    ),
    model=f"""
        norms = np.sqrt(np.sum(W**2, {_AXIS}, keepdims=True))
        return W * ({_SCALE})
    """,
    aspects=(
        Aspect(
            "beyond",
            "vectors along axis that are longer than c get the length c and keep their direction",
            Comparison(_beyond, "the projected weights"),
        ),
        Aspect(
            "within",
            "vectors within c stay as they are beside those that are too long",
            Comparison(_mixed, "the projected weights"),
        ),
    ),
    mistakes=(
        Mistake(
            "every vector scaled to c",
            "Short vectors are stretched to the limit: that is a unit norm, times c.",
            "What should happen to a vector that is within the limit already?",
        ).written((_SCALE, "c / (norms + 1e-12)"), (_SCALE, "c / np.where(norms > 0, norms, 1)")),
        Mistake(
            "norm along the other axis",
            "With axis = 0 the norms of columns are asked for, with axis = 1 those of rows.",
            "Print the shape of your norms: which axis has the length 1?",
        ).written(
            (_AXIS, "axis=tuple(i for i in range(W.ndim) if i != axis % W.ndim)"),
            (_AXIS, "axis=1 - axis if W.ndim > 1 else axis"),
            (_AXIS, "axis=1 - axis"),
        ),
        Mistake(
            "always the same axis",
            "The norm is taken along one fixed axis, whatever axis says.",
            "axis is an argument of np.sum and np.linalg.norm, too.",
        ).written((_AXIS, "axis=0"), (_AXIS, "axis=-1")),
        Mistake(
            "one norm of the whole array",
            "All weights share one norm, so one long vector shortens all the others.",
            _ONE_LIMIT,
        ).written((_AXIS, "axis=None")),
        Mistake(
            "all scaled by the longest",
            "One factor, that of the longest vector, is used for all, so short ones shrink too.",
            _ONE_LIMIT,
        ).written((_SCALE, "c / max(norms.max(), c)")),
        Mistake(
            "each weight clipped",
            "Single weights are limited, not the length of their vector; its direction changes.",
            _ONE_LIMIT,
        ).written("np.clip(W, -c, c)"),
        Mistake(
            "squared norm",
            "The sum of squares is compared with c, without its root.",
            "How long is the vector (3, 4)?",
        ).written(
            (
                "np.sqrt(np.sum(W**2, axis=axis, keepdims=True))",
                "np.sum(W**2, axis=axis, keepdims=True)",
            ),
            (_SCALE, "np.where(norms**2 > c, c / np.maximum(norms, 1e-12), 1)"),
        ),
        Mistake(
            "sum of absolute values",
            "That is the L1 norm; the limit is on the length of the vector.",
            "How long is the vector (3, 4)?",
        ).written(
            (
                "np.sqrt(np.sum(W**2, axis=axis, keepdims=True))",
                "np.sum(np.abs(W), axis=axis, keepdims=True)",
            )
        ),
        Mistake(
            "largest entry for the norm",
            "The vector is measured by its largest entry.",
            "How long is the vector (3, 4)?",
        ).written(
            (
                "np.sqrt(np.sum(W**2, axis=axis, keepdims=True))",
                "np.max(np.abs(W), axis=axis, keepdims=True)",
            )
        ),
        Mistake(
            "mean for sum",
            "The norm's square is the sum of the squares; a mean makes long vectors look short.",
            "How long is the vector (3, 4)?",
        ).written(("np.sum(", "np.mean(")),
        Mistake(
            "scaled to length 1",
            "Vectors that are too long should end at c, not at 1.",
            "What is the norm of your result?",
        ).written((_SCALE, "np.where(norms > c, 1 / np.maximum(norms, 1e-12), 1)")),
        Mistake(
            "the short ones scaled",
            "Vectors within the limit change, and those beyond it stay.",
            "Put in a norm above c and one below it: which factor should each get?",
        ).written((_SCALE, "c / np.clip(norms, 1e-12, c)")),
        Mistake(
            "too long vectors set to 0",
            "The nearest vector of length c has the same direction.",
            "A projection goes to the nearest point of the set.",
        ).written((_SCALE, "norms <= c")),
        Mistake(
            "factor upside down",
            "Vectors that are too long get longer.",
            "Is your factor ever above 1?",
        ).written((_SCALE, "np.maximum(norms, c) / c")),
        Mistake(
            "nothing scaled",
            "The weights come back as they were.",
            "Multiply the vectors that are too long by c over their norm.",
        ).written("W"),
    ),
    right=(
        """
        norms = np.linalg.norm(W, axis=axis, keepdims=True)
        return np.where(norms > c, W * c / norms, W)
        """,
        "W * np.minimum(1, c / np.linalg.norm(W, axis=axis, keepdims=True))",
        """
        norms = np.sqrt((W * W).sum(axis=axis, keepdims=True))
        return W * np.clip(norms, 0, c) / (norms + 1e-9)
        """,
        """
        rows = np.moveaxis(W, axis, -1).copy()
        for i in np.ndindex(rows.shape[:-1]):
            norm = np.sqrt(rows[i] @ rows[i])
            if norm > c:
                rows[i] *= c / norm
        return np.moveaxis(rows, -1, axis)
        """,
        """
        def shortened(x):
            return x / max(1, np.sqrt(sum(x**2)) / c)

        return np.apply_along_axis(shortened, axis, W).tolist()
        """,
    ),
    diagnose=_diagnose,
)

ASSIGNMENT = Assignment(
    Chapter(4, "Weight decay and constraints", "04-weight-decay"),
    ADAM_L2_STEP,
    ADAMW_STEP,
    MAX_NORM_PROJECT,
    NON_NEGATIVE_FIT,
)
check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
