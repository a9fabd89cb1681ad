"""Assignment 1, checking gradients: how do you know that a backward pass is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import gradcheck as reference
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._gradient_directions import DIRECTIONAL_CHECK, FROZEN
from reglib.exercises._gradient_mistakes import (
    FACTOR_TWO,
    HALF_MISPLACED,
    ONE_SIDED,
    OWN_STEP,
    SIDES_EXCHANGED,
)
from reglib.exercises._layer_backward import LAYER_BACKWARD
from reglib.exercises._messages import Chapter
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment


def _pairs(rng: np.random.Generator) -> Iterator[Case]:
    sizes = (((5,), 1e-6), ((3, 4), 1.0), ((2, 3, 2), 1e3), ((1,), 2.0), ((2, 2), 1e-12))
    for shape, scale in sizes:
        a = scale * rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)
        b = a * rng.uniform(1.1, 3) + scale * rng.uniform(0.1, 0.5, shape)
        a.flat[0] *= -1
        a, b = (a, b) if scale < 2 else (b, a)  # neither is always the longer one
        yield Case((a, b), f"two arrays of shape {shape} with entries of about {scale:g}")


def _extremes(rng: np.random.Generator) -> Iterator[Case]:
    a, few = rng.standard_normal((2, 2, 3))
    few.flat[:4] = 0
    yield Case((a, a.copy()), "two equal arrays")
    yield Case((0 * few, few), "an array of zeros and another one")
    yield Case((few, 0 * few), "an array and one of zeros")
    yield Case((a, -a), "an array and the same with the other sign")
    yield Case((0 * a, 0 * a), "two arrays of zeros")


_NORMS, _GAP = "np.linalg.norm(a) + np.linalg.norm(b)", "np.linalg.norm(a - b)"
_SHARE = f"{_GAP} / below"
RELATIVE_ERROR = Task(
    "relative_error(a, b)",
    reference=reference.relative_error,
    section="Relative error",
    hints=(
        "Take two arrays of one entry, 3 and 1: what should come out? And for 300 and 100?",
        "Three numbers make up the result: how long a - b is, how long a is, how long b is. Then "
        "ask which of them may be 0.",
    ),
    model=f"""
        below = {_NORMS}
        return {_SHARE} if below > 0 else 0.0
    """,
    aspects=(
        Aspect(
            "value",
            "the norm of the difference is divided by the sum of the two norms, on any scale",
            Comparison(_pairs, "the error"),
            points=0.5,
        ),
        Aspect(
            "extremes",
            "it is 0 for equal arrays, zeros included, and 1 where one is 0 or they are opposite",
            Comparison(_extremes, "the error"),
            points=0.5,
        ),
    ),
    mistakes=(
        Mistake(
            "divided by one norm alone",
            "The error is no longer the same for (a, b) and (b, a), nor at most 1.",
            "What stands below the line, and how many terms has it?",
        ).written((_NORMS, "np.linalg.norm(a)"), (_NORMS, "np.linalg.norm(b)")),
        Mistake(
            "larger norm for the sum",
            "Divided by the larger of the two norms the error reaches 2, not 1.",
            "What stands below the line?",
        ).written((_NORMS, "max(np.linalg.norm(a), np.linalg.norm(b))")),
        Mistake(
            "mean of the norms for their sum",
            "The error is twice what it should be: it reaches 2, not 1.",
            "What should come out for an array and the same with the other sign?",
        ).written((_NORMS, f"({_NORMS}) / 2")),
        Mistake(
            "entry by entry",
            "Each entry is divided by its own size, so one tiny entry that is badly rounded "
            "decides the result. The task asks for norms of whole arrays.",
            "Compute each norm first, a single number; then divide.",
        ).written(
            *(
                f"""
                below = np.abs(a) + np.abs(b)
                return np.{one}(np.abs(a - b) / np.where(below > 0, below, 1))
                """
                for one in ("max", "mean", "linalg.norm")
            ),
        ),
        Mistake(
            "not divided",
            "A difference by itself says nothing: 0.001 is much for small gradients and nothing "
            "for large ones.",
            "Divide by how large the two arrays are.",
        ).written((_SHARE, _GAP)),
        Mistake(
            "norms subtracted",
            "The difference of two norms is 0 for any two arrays of the same length, such as a "
            "gradient and its opposite.",
            "Subtract the arrays, then take the norm.",
        ).written((_GAP, "abs(np.linalg.norm(a) - np.linalg.norm(b))")),
        Mistake(
            "norm of the sum",
            "Entries of opposite signs cancel below the line before their size is taken.",
            "Each array has a norm of its own.",
        ).written((_NORMS, "np.linalg.norm(a + b)")),
        Mistake(
            "squares without the root",
            "The squares of the norms were divided, so small errors look smaller than they are.",
            "A norm is the root of a sum of squares.",
        ).written(((_NORMS, "np.sum(a**2) + np.sum(b**2)"), (_GAP, "np.sum((a - b) ** 2)"))),
        Mistake(
            "absolute values for squares",
            "Sums of absolute values are another norm than the one that the task asks for.",
            "Square, add up, take the root.",
        ).written(((_NORMS, "np.abs(a).sum() + np.abs(b).sum()"), (_GAP, "np.abs(a - b).sum()"))),
        Mistake(
            "a constant below the line",
            "A small number added to avoid 0 / 0 is not small beside small gradients, whose error "
            "it hides.",
            "Look after 0 / 0 by itself.",
        ).written(
            f"{_GAP} / ({_NORMS} + 1e-8)",
            f"{_GAP} / ({_NORMS} + 1e-7)",
            f"{_GAP} / max({_NORMS}, 1e-4)",
        ),
        Mistake(
            "small gradients taken for zero",
            "Below some size all gradients count as equal, also those that differ.",
            "When exactly is there nothing to divide by?",
        ).written(("below > 0", "below > 1e-6"), ("below > 0", "below > 1e-8")),
        Mistake(
            "largest entry for the norm",
            "The entry that is largest says nothing of the others. The task asks for another norm.",
            "Square, add up, take the root.",
        ).written(((_NORMS, "np.abs(a).max() + np.abs(b).max()"), (_GAP, "np.abs(a - b).max()"))),
        Mistake(
            "two zero gradients taken for wrong",
            "Two arrays of zeros are equal, so their error is 0.",
            "What should come out where nothing differs?",
        ).written(("0.0", "1.0"), ("0.0", "np.finfo(float).max")),
    ),
    right=(
        """
        size = np.sqrt(np.sum(a**2)) + np.sqrt(np.sum(b**2))
        if size == 0:
            return 0
        return np.sqrt(np.sum((a - b) ** 2)) / size
        """,
        """
        a, b = a.ravel(), b.ravel()
        if not (a.any() or b.any()):
            return np.float64(0)
        return ((a - b) @ (a - b)) ** 0.5 / ((a @ a) ** 0.5 + (b @ b) ** 0.5)
        """,
        f"{_GAP} / max({_NORMS}, 1e-300)",
        """
        a, b = np.float32(a), np.float32(b)
        below = np.linalg.norm(a) + np.linalg.norm(b)
        return np.linalg.norm(b - a) / below if below else np.float32(0)
        """,
        """
        def norm(v):
            return sum(x * x for x in v.ravel().tolist()) ** 0.5

        return 0.0 if np.array_equal(a, b) else norm(a - b) / (norm(a) + norm(b))
        """,
    ),
)


def _polynomial(C: NDArray, w: NDArray, eps: float) -> tuple[Any, ...]:
    """Return the arguments, with a cubic f in which every weight meets all others."""

    def f(v: Any) -> float:
        v = np.asarray(v)
        return float(np.sum(C * v**3) + np.sum(C * v) ** 2 + np.sum(v))

    return f, w, eps


def _gradient(student: Student, *arguments: Any) -> Any:
    return student(*_polynomial(*arguments))


def _points(rng: np.random.Generator, dtypes: tuple[str, ...]) -> Iterator[Case]:
    shapes = ((4,), (2, 3), (2, 1, 3), (1,))
    for shape, dtype in zip(shapes, dtypes, strict=False):
        C = rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)
        w = 3 * rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)
        eps = float(rng.uniform(0.1, 0.5)) if dtype != "float32" else 1e-3
        text = f"w of shape {shape}" + f" and dtype {dtype}" * (dtype != "float64")
        yield Case((C, w.astype(dtype), eps), f"{text}, eps = {eps:.3g}", {"eps": eps})


def _at(*dtypes: str) -> Comparison:
    return Comparison(
        lambda rng: _points(rng, dtypes), "the gradient", call=_gradient, given=_polynomial
    )


_COPY, _ZEROS = "np.array(w, dtype=float)", "np.zeros(w.shape)"
_BACK, _QUOTIENT = "\n    w[index] = kept\n", "(ahead - behind) / (2 * eps)"
_BEHIND = "\n    w[index] = kept - eps\n"
_WHOLE = (("w[index] = kept + eps", "w += eps"), (_BEHIND, "\n    w -= 2 * eps\n"))
NUMERICAL_GRADIENT = Task(
    "numerical_gradient(f, w, eps)",
    reference=reference.numerical_gradient,
    section="Two points",
    hints=(
        "Write it for a single weight first. For many: which of them moves, and where are the "
        "others meanwhile?",
        "One round of the loop for each entry: f at two points that differ from w in this entry "
        "alone. np.ndindex(w.shape) goes through the entries of an array of any shape.",
    ),
    model=f"""
        w = {_COPY}
        gradient = {_ZEROS}
        for index in np.ndindex(w.shape):
            kept = w[index]
            w[index] = kept + eps
            ahead = f(w)
            w[index] = kept - eps
            behind = f(w)
            w[index] = kept
            gradient[index] = {_QUOTIENT}
        return gradient
    """,
    aspects=(
        Aspect(
            "value",
            "each entry is the central difference in which this entry of w alone has moved",
            _at(*["float64"] * 4),
        ),
        Aspect(
            "dtype",
            "it is worked out in float64 whatever the dtype of w is",
            _at("int64", "float32", "int32"),
        ),
    ),
    mistakes=(
        ONE_SIDED.written(
            ((_BEHIND, _BACK), ("(2 * eps)", "eps")),
            (("kept + eps", "kept"), ("(2 * eps)", "eps")),
        ),
        Mistake(
            "one side over two steps",
            "The second point is w itself, not w - eps, so half of the slope is lost.",
            "How far apart are your two points?",
        ).written((_BEHIND, _BACK), ("kept + eps", "kept")),
        FACTOR_TWO.written(("(2 * eps)", "eps")),
        HALF_MISPLACED.written(("(2 * eps)", "2 * eps")),
        SIDES_EXCHANGED.written(("(ahead - behind)", "(behind - ahead)")),
        Mistake(
            "sum for difference",
            "The values at the two points were added.",
            "A slope is a difference over a distance.",
        ).written(("ahead - behind", "ahead + behind")),
        Mistake(
            "difference not divided",
            "The result is how much f changes, not how fast.",
            "Divide by the distance between the two points.",
        ).written((" / (2 * eps)", "")),
        Mistake(
            "all weights moved at once",
            "w + eps adds eps to every entry, so all entries of the result hold the sum of the "
            "slopes.",
            "A partial derivative moves one entry; the others stay where they are.",
        ).written((*_WHOLE, (_BACK, "\n    w += eps\n"))),
        Mistake(
            "weight not put back",
            "From the second entry on, f is looked at in another place than w.",
            "After each round w should be what it was before.",
        ).written(
            (_BACK, "\n"),
            (
                ("w[index] = kept + eps", "w[index] += eps"),
                (_BEHIND, "\n    w[index] -= 2 * eps\n"),
                (_BACK, "\n"),
            ),
        ),
        Mistake(
            "not all entries",
            "Some entries of the result were never worked out; perhaps return stands inside the "
            "loop, or the loop runs along the first axis only.",
            "How many rounds does your loop make, and how many entries has w?",
        ).written(
            ("\nreturn gradient", "\n    return gradient"),
            ("np.ndindex(w.shape)", "list(np.ndindex(w.shape))[:-1]"),
            ("np.ndindex(w.shape)", "list(np.ndindex(w.shape))[1:]"),
        ),
        Mistake(
            "a whole row at once",
            "The loop runs over the first axis, so w[i] is a row, and its weights move together.",
            "np.ndindex(w.shape) goes through single entries.",
        ).written(
            ("np.ndindex(w.shape)", "range(len(w))"),
            (
                ("np.ndindex(w.shape)", "range(len(w))"),
                ("kept = w[index]", "kept = w[index].copy()"),
            ),
        ),
        OWN_STEP.written(("w = np", "eps = 1e-5\nw = np"), ("w = np", "eps = eps / 2\nw = np")),
        Mistake(
            "step in proportion to the weight",
            "Each entry was moved by eps times its own size.",
            "The task says how far each point is from w.",
        ).written(("kept = w[index]\n", "kept = w[index]\n    eps = eps * abs(kept)\n")),
        Mistake(
            "the dtype of w kept",
            "np.zeros_like(w) and w.copy() have the dtype of w. An array of whole numbers cuts "
            "off what is put in, and float32 has no room for a small step.",
            "Which dtype have the arrays that your function makes?",
        ).written(
            (_COPY, "w.copy()"),
            ((_COPY, "w.copy()"), (_ZEROS, "np.zeros_like(w)")),
            (
                (f"w = {_COPY}", f"dtype, w = w.dtype, {_COPY}"),
                (_ZEROS, "np.zeros(w.shape, dtype)"),
            ),
            *(
                f"""
                gradient = {zeros}
                for index in np.ndindex(w.shape):
                    step = np.zeros_like(w)
                    step[index] = eps
                    gradient[index] = (f(w + step) - f(w - step)) / (2 * eps)
                return gradient
                """
                for zeros in (_ZEROS, "np.zeros_like(w)")
            ),
        ),
    ),
    right=(
        """
        w, gradient = np.asarray(w, float), np.empty(w.shape)
        for i in range(w.size):
            step = np.zeros(w.size)
            step[i] = eps
            step = step.reshape(w.shape)
            gradient.flat[i] = (f(w + step) - f(w - step)) / (2 * eps)
        return gradient
        """,
        """
        steps = eps * np.eye(w.size).reshape(w.size, *w.shape)
        return np.array([(f(w + s) - f(w - s)) / 2 / eps for s in steps]).reshape(w.shape)
        """,
        """
        x, grad = w.astype(np.float64), np.zeros(w.shape)
        it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
        while not it.finished:
            at = it.multi_index
            old = x[at]
            x[at] = old + eps
            plus = f(x)
            x[at] = old - eps
            minus = f(x)
            x[at] = old
            grad[at] = (plus - minus) / (2 * eps)
            it.iternext()
        return grad
        """,
        """
        def slope(i):
            ahead, behind = w.astype(float), w.astype(float)
            ahead.flat[i] += eps
            behind.flat[i] -= eps
            return (f(ahead) - f(behind)) * 0.5 / eps

        return np.reshape([slope(i) for i in range(w.size)], w.shape).tolist()
        """,
        """
        w = np.array(w, dtype="float64", order="F")
        return np.vectorize(
            lambda i: (f(w + eps * (places == i)) - f(w - eps * (places == i))) / (eps + eps)
        )(places := np.arange(w.size).reshape(w.shape))
        """,
    ),
)

ASSIGNMENT = Assignment(
    Chapter(1, "Checking gradients", "01-gradients"),
    RELATIVE_ERROR,
    NUMERICAL_GRADIENT,
    DIRECTIONAL_CHECK,
    FROZEN,
    LAYER_BACKWARD,
)
check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
