"""The contracts of the two functions that are given a function: is_frozen, mc_dropout_predict."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison, close, show
from reglib.exercises._dropout_masks import entry
from reglib.exercises._dropout_mistakes import NOT_ADVANCED
from reglib.exercises._findings import PAIR_SWAPPED, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student, shape_of
from reglib.exercises._task import Aspect, Task
from reglib.textbook import dropout as reference

# is_frozen


def _remembered(shape: Any, keep_prob: float, rng: Any, first: list) -> NDArray:
    first[:] = first or [rng.random(shape) < keep_prob]
    return first[0].copy()


def _touched(turned: bool, shape: Any, keep_prob: float, rng: Any, first: list) -> NDArray:
    mask = _remembered(shape, keep_prob, rng, first)
    mask.flat[np.flatnonzero(mask == turned)[: len(first)]] = not turned
    first.append(None)
    return mask


def _turned(shape: Any, keep_prob: float, rng: Any, first: list) -> NDArray:
    if first:
        return ~first.pop()
    return _remembered(shape, keep_prob, rng, first)


def _unused(shape: Any, keep_prob: float, rng: Any, first: list) -> NDArray:
    rng.random(shape)
    return np.random.default_rng(1).random(shape) < keep_prob


_DROPOUTS: dict[str, Callable[..., NDArray]] = {
    "that works": lambda shape, p, rng, _: rng.random(shape) < p,
    "that spawns a generator from rng": lambda shape, p, rng, _: rng.spawn(1)[0].random(shape) < p,
    "that always keeps as many units of an example, but others": lambda shape, p, rng, _: (
        rng.permuted(np.broadcast_to(np.arange(shape[-1]) < p * shape[-1], shape), axis=-1)
    ),
    "that drops one unit more at every call": functools.partial(_touched, True),
    "that drops one unit less at every call": functools.partial(_touched, False),
    "that drops what it kept before": _turned,
    "with a seed inside": lambda shape, p, rng, _: np.random.default_rng(1).random(shape) < p,
    "that draws from a copy of rng": lambda shape, p, rng, _: copy.deepcopy(rng).random(shape) < p,
    "that keeps its first mask": _remembered,
    "that draws from rng, but makes its mask with a seed": _unused,
}


def _origin(rng: Any) -> Any:
    """Return the seed that a generator, or the one that it was spawned from, began with."""
    return getattr(getattr(getattr(rng, "bit_generator", None), "seed_seq", None), "entropy", None)


def _given_forward(
    kind: str, a: NDArray, keep_prob: float, seed: int, *accounts: list
) -> tuple[Any, ...]:
    """Return arguments of is_frozen, with a forward that keeps account of its calls."""
    right, first = (a.copy(), keep_prob), list[NDArray]()

    def forward(a: Any, keep_prob: Any, rng: Any, training: bool = True) -> Any:
        for calls in accounts:
            as_given = close(a, right[0]) and close(keep_prob, right[1])
            calls.append((as_given, _origin(rng) == seed))
        if not training:
            return a, np.ones(np.shape(a), dtype=bool)
        mask = _DROPOUTS[kind](np.shape(a), keep_prob, rng, first)
        return np.asarray(a) * mask / keep_prob, mask.copy()

    return forward, a, keep_prob, np.random.default_rng(seed)


def _asked(student: Student, *arguments: Any) -> NDArray:
    calls: list[tuple[bool, bool]] = []
    given = _given_forward(*arguments, calls)
    answer = student.answer(student(*given), "the answer")
    as_given, from_rng = (all(call[i] for call in calls) for i in (0, 1))
    return np.array([answer, len(calls) > 1, as_given, from_rng], dtype=float)


def _tell_answer(vector: NDArray) -> str:
    answer, twice, as_given, from_rng = vector.astype(bool).tolist()
    text = f"{answer}, from {'two calls or more' if twice else 'less than two calls'} of forward"
    text += ", with other activations or another keep_prob" * (not as_given)
    return text + ", with another generator than rng" * (not from_rng)


def _dropouts(rng: np.random.Generator) -> Iterator[Case]:
    # In another order each time: an answer that counts its calls would know a fixed one.
    for kind in rng.permutation(list(_DROPOUTS)).tolist():
        a = rng.uniform(0.5, 2, (int(rng.integers(12, 20)), 15))
        arguments = (kind, a, float(rng.uniform(0.3, 0.7)), rng.integers(2**62))
        yield Case(arguments, f"a dropout {kind}")


_FIRST, _SECOND = "first = forward(a, keep_prob, rng)", "second = forward(a, keep_prob, rng)"
_EQUAL = "np.array_equal(first, second)"


def _with_seeds(first: str, second: str) -> tuple[tuple[str, str], ...]:
    return (
        (_FIRST, _FIRST.replace("rng", f"np.random.default_rng({first})")),
        (_SECOND, _SECOND.replace("rng", f"np.random.default_rng({second})")),
    )


IS_FROZEN = Task(
    "is_frozen(forward, a, keep_prob, rng)",
    reference=reference.is_frozen,
    section="Experiment: why is this dropout frozen?",
    hints=(
        "Do what a training loop does for two steps, and keep both masks.",
        "The loop has one rng and passes it on at every step; forward returns the mask second.",
    ),
    model=f"""
        _, {_FIRST}
        _, {_SECOND}
        return {_EQUAL}
    """,
    aspects=(
        Aspect(
            "value",
            "True if two calls of forward with the one rng give the same mask, and False if not",
            Comparison(_dropouts, call=_asked, given=_given_forward, tell=_tell_answer),
        ),
    ),
    mistakes=(
        Mistake(
            "two generators compared",
            "A training loop uses one generator for all steps. Masks from two generators say "
            "nothing about a function that copies the one it is given.",
            "Call forward twice with the same rng and compare the masks.",
        ).written(_with_seeds("0", "1"), _with_seeds("", ""), _with_seeds("", "")[1]),
        Mistake(
            "the same seed twice",
            "Two generators with one seed give equal masks in any correct dropout.",
            "Call forward twice with the same rng, without seeding in between.",
        ).written(_with_seeds("0", "0")),
        Mistake(
            "alike taken for equal",
            "Two masks of zeros and ones agree in many entries and in their means; that makes "
            "them no less different.",
            "All entries must be equal: np.array_equal.",
        ).written(
            (_EQUAL, "bool(np.any(first == second))"),
            (_EQUAL, "first.mean() == second.mean()"),
            (_EQUAL, "np.mean(first == second) > 0.9"),
            (_EQUAL, "np.allclose(first.mean(axis=1), second.mean(axis=1), atol=0.1)"),
        ),
        Mistake(
            "answer negated",
            "True and False are exchanged.",
            "Return True if the masks are equal.",
        ).written(("np.array", "not np.array")),
        Mistake(
            "one answer for all",
            "The function returns the same answer for frozen and for working dropout.",
            "Compare what two calls of forward return.",
        ).written((_EQUAL, "True"), (_EQUAL, "False"), "True", "False"),
    ),
    right=(
        "bool(np.all(forward(a, keep_prob, rng)[1] == forward(a, keep_prob, rng)[1]))",
        "len({np.asarray(forward(a, keep_prob, rng)[1]).tobytes() for _ in range(3)}) == 1",
        "np.array_equal(forward(a, keep_prob, rng)[0], forward(a, keep_prob, rng)[0])",
        """
        first, second = forward(a, keep_prob, rng)[1], forward(a, keep_prob, rng)[1]
        return int(not np.any(first != second))
        """,
        """
        masks = [np.asarray(forward(a.copy(), keep_prob, rng)[1], float) for _ in range(4)]
        return np.std(masks, axis=0).max() == 0
        """,
        """
        first = forward(a=a, keep_prob=keep_prob, rng=rng)[1].tolist()
        return first == forward(a, keep_prob, rng, True)[1].tolist()
        """,
    ),
)


# mc_dropout_predict


def _given_f(
    x: NDArray, made: NDArray, n: int, seed: int, calls: list | None = None
) -> tuple[Any, ...]:
    """Return arguments of mc_dropout_predict, with an f whose predictions are known."""
    calls = [] if calls is None else calls

    def f(x: Any, rng: Any) -> NDArray:
        calls.append(rng.random())
        return made[(len(calls) - 1) % len(made)].copy()

    return f, x, n, np.random.default_rng(seed)


def _statistic(which: int, *more: int) -> Comparison:
    what = ("the mean", "the standard deviation")[which]

    def call(student: Student, x: NDArray, made: NDArray, n: int, seed: int) -> Any:
        calls: list[float] = []
        result = student(*_given_f(x, made, n, seed, calls))
        got = student.pair(result, "mean", "standard deviation")[which]
        if len(calls) != n:
            came = f"f was called {len(calls)} times"
            raise BrokenCall(Finding(came, f"n = {n} calls of f(x, rng)", ONE_CALL))
        shape, wanted = shape_of(got), made[0].shape
        averaged = {made.mean(axis=axis).shape for axis in range(1, made.ndim)} | {(), (n,)}
        if got is not None and made[0].size > 1 and shape != wanted and shape in averaged:
            mistake = OTHER_AXIS if shape else WRONG_AXIS
            came, expected = (f"{what} has shape {one}" for one in (shape, wanted))
            raise BrokenCall(Finding(came, expected, mistake))
        return entry(student, got, what, wanted)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        shapes = (((3,), (2, 4)), ((2, 3), (3,)), ((2,), (1, 1)))
        for n, (inputs, outputs) in zip((int(rng.integers(5, 8)), *more), shapes, strict=True):
            made = rng.uniform(0.5, 2, (n, *outputs)) * rng.choice([-1, 3], outputs)
            text = f"n = {n} predictions of shape {outputs}"
            yield Case((rng.standard_normal(inputs), made, n, rng.integers(2**62)), text)

    return Comparison(cases, what, call=call, given=_given_f, tell=lambda a: f"{what} is {show(a)}")


def _noise(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    """Yield what is wrong with how f is called, seen from inside f."""
    x, n, seed = rng.standard_normal(3), int(rng.integers(3, 7)), rng.integers(2**62)
    generator, right = np.random.default_rng(seed), x.copy()
    seen: list[tuple[bool, bool, float]] = []

    def f(x: Any, rng: Any) -> NDArray:
        seen.append((close(x, right), _origin(rng) == seed, float(rng.random())))
        return np.full(2, seen[-1][2])

    result = student(f, x, n, generator)
    for value in student.pair(result, "mean", "standard deviation"):
        entry(student, value, "the result")
    calls = len(seen)
    student(f, x, n, generator)
    noise = [drawn for _, _, drawn in seen]
    for wrong, came, expected, mistake in (
        (calls != n or len(seen) != 2 * n, f"{calls} calls of f", f"n = {n} calls", ONE_CALL),
        (len({*noise[:n]}) < n, "f drew the same numbers again", "new ones each time", SAME_NOISE),
        (
            not all(own for _, own, _ in seen),
            "f was called with another generator",
            "rng itself, in every call",
            OTHER_GENERATOR,
        ),
        (
            len({*noise}) < 2 * n,
            f"two rounds of {n} calls with one rng drew the same numbers",
            "new ones each time",
            NOT_ADVANCED,
        ),
        (not all(same for same, _, _ in seen), "f was called with another x", "x itself", OTHER_X),
    ):
        if wrong:
            yield Finding(came, expected, mistake)
            return


ONE_CALL = Mistake(
    "f not called n times",
    "Each of the n predictions is one call of f with dropout on.",
    "Collect f(x, rng) in a loop of n rounds.",
)
SAME_NOISE = Mistake(
    "the same noise n times",
    "All n predictions are equal, because each starts from the same seed.",
    "Pass the one rng on to every call of f; it moves on by itself.",
)
OTHER_GENERATOR = Mistake(
    "f called with another generator",
    "The noise does not come from the rng that the function is given, so whoever passes a seeded "
    "one cannot repeat the result.",
    "Pass the one rng on to every call of f.",
)
OTHER_X = Mistake(
    "f called with another x",
    "The predictions are those of another input than the one that was given.",
    "Pass x on to every call of f as it is; only the noise differs.",
)
WRONG_AXIS = Mistake(
    "averaged over everything",
    "One number came out where each entry of the prediction has its own.",
    "Stack the predictions and average over the first axis only.",
)
OTHER_AXIS = Mistake(
    "averaged along the prediction",
    "The entries of each prediction were averaged; the n predictions should be.",
    "Stack the predictions and use axis=0, which counts them.",
)
_MEAN, _STD = "predictions.mean(axis=0)", "predictions.std(axis=0)"
MC_DROPOUT_PREDICT = Task(
    "mc_dropout_predict(f, x, n, rng)",
    reference=reference.mc_dropout_predict,
    section="Leave the masks on: Monte Carlo dropout",
    hints=(
        "Put the n predictions into one array first: which of its axes counts them?",
        "Mean and standard deviation run along that axis alone, entry by entry.",
    ),
    model=f"""
        predictions = np.array([f(x, rng) for _ in range(n)])
        return {_MEAN}, {_STD}
    """,
    aspects=(
        Aspect("noise", "f is called n times, with x and rng, each time with new noise", _noise),
        Aspect(
            "mean",
            "the first result is the mean of the n predictions",
            _statistic(0, 2, 1),
        ),
        Aspect(
            "spread",
            "the second result is the standard deviation of the n predictions",
            _statistic(1, 2, 4),
        ),
    ),
    mistakes=(
        ONE_CALL.written(
            """
            y = f(x, rng)
            return y, 0 * y
            """,
            ("range(n)", "range(n + 1)"),
            ("range(n)", "range(1, n)"),
        ),
        SAME_NOISE.written(("f(x, rng)", "f(x, np.random.default_rng(0))")),
        OTHER_GENERATOR.written(
            ("f(x, rng)", "f(x, np.random.default_rng())"),
            ("f(x, rng) for _", "f(x, np.random.default_rng(i)) for i"),
        ),
        NOT_ADVANCED.written(
            ("predictions = np", "import copy\nrng = copy.deepcopy(rng)\npredictions = np")
        ),
        OTHER_X.written(("f(x, rng)", "f(x + 0.1 * rng.random(x.shape), rng)"), ("f(x", "f(2 * x")),
        PAIR_SWAPPED.written((f"{_MEAN}, {_STD}", f"{_STD}, {_MEAN}")),
        Mistake(
            "sum for mean",
            "The sum of the predictions grows with n.",
            "Divide by the number of predictions, or use mean.",
        ).written((".mean", ".sum")),
        Mistake(
            "one prediction for the mean",
            "One of the n predictions came back as their mean.",
            "Add up all n and divide by n.",
        ).written((_MEAN, "predictions[-1]"), (_MEAN, "predictions[0]")),
        Mistake(
            "range for standard deviation",
            "The distance from the least to the greatest grows with n.",
            "np.std along the first axis.",
        ).written((_STD, "np.ptp(predictions, axis=0)"), (_STD, "np.ptp(predictions, axis=0) / 2")),
        Mistake(
            "median for mean",
            "The middle prediction is not the average one.",
            "Use mean over the first axis.",
        ).written((_MEAN, "np.median(predictions, axis=0)")),
        Mistake(
            "variance for standard deviation",
            "The variance has the square of the prediction's unit.",
            "Take the square root, or use std.",
        ).written((".std", ".var")),
        Mistake(
            "standard error for standard deviation",
            "Dividing by the square root of n tells how well the mean is known, not how much "
            "single predictions differ.",
            "Return the spread of the n predictions themselves.",
        ).written(
            (_STD, f"{_STD} / np.sqrt(n)"), (_STD, "predictions.std(axis=0, ddof=1) / n**0.5")
        ),
        Mistake(
            "n - 1 for n",
            "The sum of squares is divided by n - 1, and the task asks for the standard deviation "
            "as np.std gives it.",
            "Leave ddof out.",
        ).written((_STD, "predictions.std(axis=0, ddof=1)")),
        WRONG_AXIS.written(("(axis=0", "(axis=None")),
        OTHER_AXIS.written(("(axis=0", "(axis=1"), ("(axis=0", "(axis=-1")),
    ),
    right=(
        """
        p = [f(x, rng) for _ in range(n)]
        return sum(p) / n, np.std(p, axis=0)
        """,
        """
        p = np.stack([f(x=x, rng=rng) for _ in range(n)], axis=-1)
        return [p.mean(-1).tolist(), np.sqrt(p.var(-1))]
        """,
        """
        p = np.array([f(x, stream) for stream in rng.spawn(n)])
        return p.mean(0), np.sqrt((p**2).mean(0) - p.mean(0) ** 2)
        """,
        """
        p = [f(x.copy(), rng) for i in range(n)]
        p = np.array(p, dtype=np.float32)
        return sum(p) / n, np.sqrt(sum((y - sum(p) / n) ** 2 for y in p) / n)
        """,
        """
        p = np.empty((n, *np.shape(first := f(x, rng))))
        p[0] = first
        for i in range(1, n):
            p[i] = f(x, rng)
        return p.mean(axis=0), (np.sum((p - p.mean(axis=0)) ** 2, axis=0) / n) ** 0.5
        """,
    ),
)
