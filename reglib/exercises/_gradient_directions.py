"""The contracts of the two functions that are given a loss: directional_check, frozen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison, close, show
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._gradient_mistakes import (
    FACTOR_TWO,
    HALF_MISPLACED,
    ONE_SIDED,
    OWN_STEP,
    SIDES_EXCHANGED,
)
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.gradcheck import relative_error
from reglib.textbook import gradients as reference

# directional_check


def _watched(
    a: NDArray, share: float, w: NDArray, eps: float, seed: int, points: list[NDArray] | None = None
) -> tuple[Any, ...]:
    """Return the arguments: an f that keeps the points it is called at, and its gradient.

    The gradient is ``share`` of the right one. So the error is the same along every direction.
    """
    points = [] if points is None else points

    def f(v: Any) -> float:
        points.append(np.array(v, dtype=float))
        return float(np.sum(a * points[-1]) ** 2)

    return f, share * 2 * np.sum(a * w) * a, w, eps, np.random.default_rng(seed)


def _checks(rng: np.random.Generator) -> Iterator[Case]:
    shapes = ((5,), (2, 3), (3, 2, 2), (4,), (3, 3), (6,))
    for share, shape in zip(rng.permutation([1, 0, 0.5, 3, -1, 1.01]), shapes, strict=True):
        a, w = rng.uniform(0.5, 2, (2, *shape))
        # Once f is constant and its gradient 0, and once both are small.
        a *= rng.choice([-1, 1]) * {0.5: 0, 3: 1e-3}.get(share, 1)
        eps = float(rng.uniform(0.05, 0.5))
        text = f"w of shape {shape} and {share:g} times the right gradient" * bool(a.any())
        case = a, float(share), w, eps, int(rng.integers(2**60))
        yield Case(case, text or "a constant f and its gradient, 0", {"eps": eps})


def _large(rng: np.random.Generator) -> Iterator[Case]:
    """Yield so many weights that two random directions are never alike."""
    for shape, size in (((45,), 1e-3), ((6, 4, 2), 10)):
        a, w = rng.uniform(0.5, 2, (2, *shape))
        eps = float(size * rng.uniform(0.5, 1.5))
        yield Case(
            (a, 1.0, w, eps, int(rng.integers(2**60))), f"w of shape {shape}, eps = {eps:.3g}"
        )


def _error(student: Student, *arguments: Any) -> Any:
    return student(*_watched(*arguments))


def _moves(student: Student, *arguments: Any) -> NDArray:
    """Return how f was called: once, again with the rng as it then was, and with the same seed."""
    a, share, w, eps, seed = arguments
    directions, calls, centers = [], [], []
    rng = None
    for again in (False, True, False):
        points: list[NDArray] = []
        f, grad, _, _, fresh = _watched(a, share, w, eps, seed, points)
        rng = rng if again else fresh
        student.numbers(student.function(f, grad, w.copy(), eps, rng), "the error", ())
        calls.append(len(points))
        ahead, behind = (points[0], points[-1]) if points else (w, w)
        if ahead.shape != w.shape or behind.shape != w.shape:
            came = f"f was called with an array of shape {ahead.shape}"
            raise BrokenCall(Finding(came, f"w has shape {w.shape}"))
        centers.append(np.allclose(ahead + behind, 2 * w))
        directions.append((ahead - behind) / (2 * eps))
    first, second, third = directions
    lengths = [np.sqrt(np.mean(one**2)) for one in directions]
    return np.array(
        [
            all(count == 2 for count in calls),
            all(centers),
            all(np.all(one != 0) for one in directions),
            all(0.1 < length < 4 for length in lengths),
            not _alike(first, second),
            _alike(first, third),
        ],
        dtype=float,
    )


def _alike(u: NDArray, v: NDArray) -> bool:
    """Say whether two vectors lie on one line, so that a check along them is the same."""
    return bool(abs(np.sum(u * v)) > 0.999 * np.linalg.norm(u) * np.linalg.norm(v))


_CLAIMS = (
    ("two calls of f", "more or fewer than two calls of f"),
    ("at points on both sides of w, equally far", "at points that are not equally far from w"),
    ("every weight moved", "some weights not moved at all"),
    ("the step in proportion to eps", "the step not in proportion to eps"),
    ("another direction at every call", "the same direction at every call"),
    ("all randomness from rng", "randomness that does not come from rng"),
)


def _tell(flags: NDArray) -> str:
    wrong = [bad for (_, bad), flag in zip(_CLAIMS, flags, strict=True) if not flag]
    return "; ".join(wrong or [good for good, _ in _CLAIMS])


_DRAWN, _PROMISED = "rng.standard_normal(w.shape)", "np.sum(grad * u)"
_SLOPE = "(f(w + eps * u) - f(w - eps * u)) / (2 * eps)"
_ERROR = "relative_error(numeric, analytic)"
DIRECTIONAL_CHECK = Task(
    "directional_check(f, grad, w, eps, rng)",
    reference=reference.directional_check,
    section="One direction for all weights",
    given={"relative_error": relative_error},
    hints=(
        "Two slopes are compared, both along u: the one that f has, and the one that grad "
        "promises. How many numbers is each?",
        "The first is a central difference in which all weights move at once, by eps times u; the "
        "second is the sum of grad times u. The rest is your relative_error.",
    ),
    model=f"""
        u = {_DRAWN}
        numeric = {_SLOPE}
        analytic = {_PROMISED}
        return {_ERROR}
    """,
    aspects=(
        Aspect(
            "value",
            "the result is the relative error of the slope that f has and the one that grad "
            "promises",
            Comparison(
                _checks,
                "the error",
                call=_error,
                given=_watched,
                tell=lambda error: f"the error is {show(error)}",
            ),
        ),
        Aspect(
            "direction",
            "f is called twice, at w + eps u and w - eps u, with a new random direction u from rng",
            Comparison(_large, call=_moves, given=_watched, tell=_tell),
        ),
    ),
    mistakes=(
        ONE_SIDED.written(
            (_SLOPE, "(f(w + eps * u) - f(w)) / eps"), (_SLOPE, "(f(w) - f(w - eps * u)) / eps")
        ),
        FACTOR_TWO.written(("(2 * eps)", "eps")),
        HALF_MISPLACED.written(("(2 * eps)", "2 * eps")),
        SIDES_EXCHANGED.written((_SLOPE, f"-{_SLOPE}")),
        OWN_STEP.written(
            (f"u = {_DRAWN}", f"u, eps = {_DRAWN}, 1e-5"),
            (("w + eps * u", "w + u"), ("w - eps * u", "w - u"), ("2 * eps", "2")),
        ),
        Mistake(
            "error not relative",
            "The difference of the two slopes depends on the unit of the loss.",
            "Which function of task 1 compares two numbers?",
        ).written((_ERROR, "abs(numeric - analytic)")),
        Mistake(
            "sum of the gradient for its slope along u",
            "grad promises the slope grad * u, added up over all weights; u is missing.",
            "How much does f change, by the gradient, if the weights move along u?",
        ).written((_PROMISED, "np.sum(grad)"), (_PROMISED, "np.linalg.norm(grad)")),
        Mistake(
            "two directions",
            "The slope of f was taken along one direction and that of grad along another.",
            "Draw u once and keep it.",
        ).written((_PROMISED, f"np.sum(grad * {_DRAWN})")),
        Mistake(
            "one weight at a time",
            "u moves a single weight; an error in any other one is not seen.",
            "Draw a number for every weight.",
        ).written(
            (f"u = {_DRAWN}", "u = np.zeros(w.shape)\nu.flat[rng.integers(w.size)] = 1.0"),
        ),
        Mistake(
            "the same direction at every call",
            "u is not random, or starts from the same seed each time. An error to which this one "
            "direction is blind is never found.",
            "Draw u from the rng that the function is given, without seeding it.",
        ).written(
            (_DRAWN, "np.ones(w.shape)"),
            (_DRAWN, "rng.standard_normal()"),
            (_DRAWN, "np.random.default_rng(0).standard_normal(w.shape)"),
            (_DRAWN, "grad / (np.linalg.norm(grad) or 1)"),
        ),
        Mistake(
            "another generator",
            "The direction does not come from the rng that the function is given, so whoever "
            "passes a seeded one cannot repeat the check.",
            "Draw u with rng.",
        ).written(
            (_DRAWN, "np.random.default_rng().standard_normal(w.shape)"),
            (_DRAWN, "np.random.standard_normal(w.shape)"),
        ),
    ),
    right=(
        """
        u = rng.choice([-1.0, 1.0], size=w.shape)
        slopes = np.array([(f(w + eps * u) - f(w - eps * u)) / (2 * eps), (grad * u).sum()])
        size = np.abs(slopes).sum()
        return abs(slopes[0] - slopes[1]) / size if size > 0 else 0.0
        """,
        """
        u = rng.normal(size=w.shape)
        u /= np.linalg.norm(u)
        behind, ahead = f(w - eps * u), f(w + eps * u)
        return relative_error((ahead - behind) / eps / 2, grad.ravel() @ u.ravel())
        """,
        """
        u = rng.spawn(1)[0].standard_normal(w.shape)
        numeric = [f(w + sign * eps * u) * sign for sign in (1, -1)]
        return relative_error(sum(numeric), 2 * eps * np.vdot(grad, u))
        """,
        """
        u = np.array([rng.standard_normal() for _ in range(w.size)]).reshape(w.shape)
        step = eps * u
        analytic = sum(g * s for g, s in zip(grad.ravel(), step.ravel()))
        return relative_error(np.array([(f(w + step) - f(w - step)) / 2]), np.array([analytic]))
        """,
        """
        u = rng.uniform(0.5, 1.5, w.shape) * (-1) ** rng.integers(0, 2, w.shape)
        along = lambda t: f(w + t * u)
        return relative_error((along(eps) - along(-eps)) / (2 * eps), np.tensordot(grad, u, w.ndim))
        """,
    ),
)

# frozen


def _given_loss(x: NDArray, w: NDArray, other: NDArray, seed: int) -> tuple[Any, ...]:
    """Return the arguments: a loss with dropout of the inputs in it."""

    def loss(w: Any, rng: Any) -> float:
        kept = rng.random(x.shape) < 0.6
        return float(np.sum((x * kept) @ w) + rng.standard_normal())

    return loss, seed


def _values(student: Student, x: NDArray, w: NDArray, other: NDArray, seed: int) -> NDArray:
    """Return what the function that comes back gives, in turn with that of another seed."""
    one, two = (student(*_given_loss(x, w, other, seed + more)) for more in (0, 1))
    if not callable(one) or not callable(two):
        came = "frozen returned no function"
        raise BrokenCall(Finding(came, "a function that takes the weights", NO_FUNCTION))
    values = [one(w.copy()), one(other.copy()), two(w.copy()), one(w.copy()), two(other.copy())]
    return np.array([student.numbers(value, "the loss", ()) for value in values])


def _losses(rng: np.random.Generator) -> Iterator[Case]:
    for shape in ((4, 3), (7, 5)):
        x, (w, other) = rng.uniform(0.5, 2, shape), rng.standard_normal((2, shape[1]))
        seed = int(rng.integers(10, 10**6))
        yield Case((x, w, other, seed), f"a loss with dropout and seed = {seed}", {"seed": seed})


def _told(values: NDArray) -> str:
    first, other, _, again, _ = values
    return f"with weights w, others and w again, the loss is {first:.4g}, {other:.4g}, {again:.4g}"


def _moving(values: NDArray, *_: Any) -> Mistake | None:
    return None if close(values[0], values[3]) else OTHER_NOISE


OTHER_NOISE = Mistake(
    "other noise at every call",
    "With the same weights the loss is another one each time: the generator has no seed, or was "
    "made once and moves on.",
    "Every call needs a generator that stands at the beginning of the seed's numbers.",
)
NO_FUNCTION = Mistake(
    "no function returned",
    "What comes back is not a function of the weights, but something else.",
    "Define a function inside yours, and return it without calling it.",
)
_GENERATOR = "np.random.default_rng(seed)"
_INSIDE = f"    return loss(w, {_GENERATOR})"
FROZEN = Task(
    "frozen(loss, seed)",
    reference=reference.frozen,
    section="Hold the noise still",
    hints=(
        "Call your f twice with the same weights. What has to be as it was the first time?",
        "A generator moves on whenever it is drawn from. At which moment must it stand at its "
        "beginning?",
    ),
    model=f"""
        def f(w):
        {_INSIDE}
        return f
    """,
    aspects=(
        Aspect(
            "value",
            "f(w) is the loss of w, with the noise of the seed, the same at every call",
            Comparison(_losses, call=_values, given=_given_loss, tell=_told, betrays=_moving),
        ),
    ),
    mistakes=(
        OTHER_NOISE.written(
            (
                ("def f(w):", f"rng = {_GENERATOR}\ndef f(w):"),
                (_INSIDE, "    return loss(w, rng)"),
            ),
            (_GENERATOR, "np.random.default_rng()"),
        ),
        Mistake(
            "another seed",
            "The noise is the same at every call, and it is not that of the seed.",
            "Which seed does your generator begin with?",
        ).written(
            (_GENERATOR, "np.random.default_rng(0)"),
            (_GENERATOR, "np.random.default_rng(seed + 1)"),
        ),
        Mistake(
            "NumPy's old generator",
            "np.random.seed and RandomState draw other numbers than default_rng does, and the "
            "first changes a state that all other code shares.",
            "Make a generator of its own with np.random.default_rng.",
        ).written(
            (_GENERATOR, "np.random.RandomState(seed)"),
            (_INSIDE, "    np.random.seed(seed)\n    return loss(w, np.random)"),
        ),
        Mistake(
            "first value kept",
            "The loss is worked out once and handed out again, whatever the weights are.",
            "The noise should stay the same, not the loss.",
        ).written(
            (
                ("def f(w):", "kept = []\ndef f(w):"),
                (
                    _INSIDE,
                    f"    kept.append(loss(w, {_GENERATOR}))\n    return kept[0]",
                ),
            ),
        ),
        NO_FUNCTION.written("seed", _GENERATOR),
    ),
    right=(
        "lambda w: loss(w, np.random.default_rng(seed))",
        """
        state = np.random.default_rng(seed).bit_generator.state

        def f(w):
            rng = np.random.default_rng()
            rng.bit_generator.state = state
            return loss(w, rng)

        return f
        """,
        """
        rng = np.random.default_rng(seed)
        start = rng.bit_generator.state

        def f(weights):
            value = loss(weights, rng)
            rng.bit_generator.state = start
            return value

        return f
        """,
        """
        class Frozen:
            def __call__(self, w):
                return loss(w, np.random.Generator(np.random.PCG64(seed)))

        return Frozen()
        """,
        """
        import copy

        rng = np.random.default_rng(seed)
        return lambda w: np.float32(loss(w=w, rng=copy.deepcopy(rng)))
        """,
    ),
)
