"""Assignment 5, dropout: what is kept, what is scaled, and when it is applied.

Any stream of random numbers will do. What holds for every correct dropout is tested instead: the
mask is 0 or 1, the kept fraction is right, the output is ``a * mask / keep_prob``, a generator
gives a new mask at every call, and evaluation changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, close, compare, differ
from reglib.exercises._dropout_masks import (
    RATES,
    binary,
    faulty_factor,
    fresh_findings,
    mask_findings,
    mask_of,
    scale_findings,
    spread,
    two_seeds,
)
from reglib.exercises._dropout_mistakes import (
    ALWAYS_SAME_ANSWER,
    CACHE_LAYOUT,
    CACHED_BEFORE,
    COPIED,
    DROP_RATE,
    EVALUATION_SCALED,
    FROZEN,
    HIDDEN_ACTIVATION,
    INPUT_DROPPED,
    LABELS_FIRST,
    LAST_ACTIVATION,
    LEFT_ON,
    MASKS_SWAPPED,
    MEDIAN,
    MULTIPLIED,
    NEGATED,
    NO_BIAS,
    NO_CACHE,
    NO_M_BACK,
    NO_MASK,
    NO_MASK_BACK,
    NO_PARAMETERS,
    NO_RELU_BACK,
    NO_SCALE,
    NO_SCALE_BACK,
    NOT_ADVANCED,
    NOT_PASSED_ON,
    NOT_RANDOM,
    NOT_THRESHOLDED,
    ONE_CALL,
    ONE_MASK,
    OTHER_AXIS,
    OTHER_GENERATORS,
    OTHER_SOURCE,
    OUTPUT_DROPPED,
    PARTLY_EQUAL,
    RANDN,
    REVERSED,
    SAME_NOISE,
    SAME_SEED,
    SCALED_MASK,
    SCALED_TWICE,
    STANDARD_ERROR,
    SUM,
    TWICE_M,
    UNKNOWN_ACTIVATION,
    VARIANCE,
    WRONG_AXIS,
)
from reglib.exercises._dropout_network import (
    net_backward,
    net_diagnose,
    net_fresh,
    net_layers,
    net_masks,
    net_scale,
)
from reglib.exercises._findings import HARD_CODED, PAIR_SWAPPED, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student, shape_of
from reglib.exercises.checking import Aspect, Assignment, Chapter, Exercise
from reglib.textbook import dropout as reference

CHAPTER = Chapter(5, "Dropout", "05-dropout")


# dropout_forward


def _forward(
    student: Student, a: NDArray, keep_prob: float, rng: np.random.Generator, training: bool = True
) -> tuple[NDArray, Any]:
    out, mask = student.pair(student(a, keep_prob, rng, training), "out", "mask")
    out = student.numbers(out, "out", a.shape)
    if binary(out) and shape_of(mask) == a.shape and not binary(np.asarray(mask)):
        came = "the first of the pair holds 0 and 1 only, the second does not"
        raise BrokenCall(Finding(came, "the pair (out, mask)", PAIR_SWAPPED))
    return out, mask


def _not_random(a: NDArray, mask: NDArray, keep_prob: float) -> Iterator[Finding]:
    """Yield a finding if a mask follows from the activations."""
    for made, text in ((a < keep_prob, "a < keep_prob"), (a > keep_prob, "a > keep_prob")):
        if np.array_equal(mask != 0, made):
            yield Finding(f"mask is {text}", "random numbers below keep_prob", NOT_RANDOM)


def _activations(rng: np.random.Generator) -> Iterator[tuple[float, NDArray]]:
    shapes = [(97, 83), (40, 210), (8123,)]
    for keep_prob, i in zip(RATES, rng.permutation(3), strict=True):
        yield keep_prob, rng.standard_normal(shapes[i]) + 0.01


def _forward_mask(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    masks = []
    for keep_prob, a in _activations(rng):
        _, mask = _forward(student, a, keep_prob, np.random.default_rng(rng.integers(2**31)))
        masks.append((keep_prob, mask_of(student, mask, a.shape)))
        copied = list(_not_random(a, masks[-1][1], keep_prob))
        if copied:
            yield from copied
            return
    yield from mask_findings(masks, "mask")


def _forward_scale(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for keep_prob in (0.2, 0.5, 0.9):
        a = rng.standard_normal((int(rng.integers(5, 12)), int(rng.integers(20, 40))))
        out, mask = _forward(student, a, keep_prob, np.random.default_rng(rng.integers(2**31)))
        cases.append((keep_prob, a, spread(student, mask, a.shape, "mask"), out))
    yield from scale_findings(cases, "out")


def _forward_fresh(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    a = rng.standard_normal((20, 30))

    def draw(generator: np.random.Generator) -> NDArray:
        mask = student.numbers(_forward(student, a, 0.5, generator)[1], "mask")
        return mask if mask.size > 1 else mask_of(student, mask, a.shape)

    copied = list(_not_random(a, draw(np.random.default_rng(rng.integers(2**31))), 0.5))
    yield from copied or fresh_findings(draw, two_seeds(rng), "mask")


def _forward_evaluation(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for keep_prob in (0.3, 0.5, 0.8):
        a = rng.standard_normal((int(rng.integers(4, 9)), int(rng.integers(30, 60))))
        out, _ = _forward(student, a, keep_prob, np.random.default_rng(7), False)
        cases.append((keep_prob, a, out))
    if all(close(out, a) for _, a, out in cases):
        return
    _, a, out = cases[0]
    if any(np.mean(out == 0) > 0.02 for _, _, out in cases):
        mistake = LEFT_ON
    elif all(close(out, a * p) or close(out, a / p) for p, a, out in cases):
        mistake = EVALUATION_SCALED
    else:
        mistake = None
    found = differ(out, a, "out")
    yield Finding(f"{found.came} (training = False)", f"out equals a: {found.expected}", mistake)


# dropout_backward


def _faulty_backward(
    wrong: frozenset[str], dout: NDArray, mask: NDArray, keep_prob: float
) -> NDArray:
    D = 1 if NO_MASK_BACK.name in wrong else mask
    if REVERSED.name in wrong:
        D = 1 - mask
    return dout * D * faulty_factor(wrong, keep_prob)


def _backward_value(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for keep_prob in (0.25, 0.6, 0.9):
        shape = (int(rng.integers(3, 7)), int(rng.integers(4, 9)))
        mask = rng.random(shape) < 0.5
        mask.flat[:2] = (False, True)
        mask = mask.astype(int) if keep_prob == 0.6 else mask
        text = f"dout of shape {shape} and keep_prob = {keep_prob}"
        arguments = (rng.standard_normal(shape), mask, keep_prob)
        cases.append(Case(arguments, text, {"keep_prob": keep_prob}))
    yield from compare(
        student,
        cases,
        reference.dropout_backward,
        faulty=_faulty_backward,
        mistakes=(NO_SCALE_BACK, NO_MASK_BACK, MULTIPLIED, DROP_RATE, REVERSED, SCALED_TWICE),
        together=2,
    )


# mc_dropout_predict


def _mc_cases(
    student: Student, rng: np.random.Generator
) -> Iterator[tuple[Any, list[NDArray], int, np.ndarray]]:
    for shape, n in (((4,), 3), ((2, 3), 5)):
        x, w = rng.standard_normal(shape), rng.uniform(1, 2, shape)
        made: list[NDArray] = []

        def f(x: Any, rng: Any, w: NDArray = w, made: list[NDArray] = made) -> NDArray:
            prediction = np.asarray(x) * w * (rng.random(w.shape) < 0.6) / 0.6
            prediction = prediction + 0.1 * rng.random(w.shape)
            made.append(prediction)
            return prediction.copy()

        result = student(f, x, n, np.random.default_rng(rng.integers(2**31)))
        yield result, made, n, x


def _mc_noise(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    for _, made, n, _ in _mc_cases(student, rng):
        if len(made) != n:
            yield Finding(f"f was called {len(made)} times", f"n = {n} calls", ONE_CALL)
            return
        if all(np.array_equal(made[0], other) for other in made[1:]):
            yield Finding(f"all {n} predictions were equal", "n different ones", SAME_NOISE)
            return


def _mc_statistic(
    which: int, what: str, right: Callable[[NDArray], NDArray], wrong: Sequence[Any]
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        results: list[tuple[NDArray, NDArray]] = []
        calls: list[tuple[int, int]] = []
        for result, made, n, x in _mc_cases(student, rng):
            got = student.pair(result, "mean", "standard deviation")[which]
            if not made:
                yield Finding("f was never called", "n calls of f(x, rng)", ONE_CALL)
                return
            if isinstance(got, (int, float, np.generic)) and x.size > 1:
                yield Finding(f"{what} is one number", f"{what} has shape {x.shape}", WRONG_AXIS)
                return
            along = made[0].mean(axis=-1).shape
            if shape_of(got) in ((n, *along), (n,)) and x.shape != shape_of(got):
                came = f"{what} has shape {shape_of(got)}"
                yield Finding(came, f"{what} has shape {x.shape}", OTHER_AXIS)
                return
            results.append((student.numbers(got, what, x.shape), np.stack(made)))
            calls.append((len(made), n))
        if all(close(got, right(made)) for got, made in results):
            return
        for function, mistake in wrong:
            if all(close(got, function(made)) for got, made in results):
                if mistake is not None:
                    found = differ(results[0][0], right(results[0][1]), what, mistake)
                    yield found
                return
        wrong_one = 1 if close(results[0][0], right(results[0][1])) else 0
        answer, outputs = results[wrong_one]
        if any(called != n for called, n in calls):
            called, n = calls[0]
            yield Finding(f"f was called {called} times", f"n = {n} calls", ONE_CALL)
            return
        yield differ(answer, right(outputs), f"{what} of the {len(outputs)} predictions")

    return test


# is_frozen


def _seeded_forward(a: Any, keep_prob: float, rng: Any, training: bool = True) -> Any:
    mask = np.random.default_rng(1).random(np.shape(a)) < keep_prob
    return np.asarray(a) * mask / keep_prob, mask


def _copied_forward(a: Any, keep_prob: float, rng: Any, training: bool = True) -> Any:
    seed = rng.bit_generator.state["state"]
    seed = seed["state"] if isinstance(seed, dict) else int(np.sum(seed))
    mask = np.random.default_rng(int(seed) % 2**63).random(np.shape(a)) < keep_prob
    return np.asarray(a) * mask / keep_prob, mask


def _is_frozen(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    drawn: list[NDArray] = []

    def fresh_forward(a: Any, keep_prob: float, rng: Any, training: bool = True) -> Any:
        mask = rng.random(np.shape(a)) < keep_prob
        drawn.append(mask)
        return np.asarray(a) * mask / keep_prob, mask.copy()

    forwards = (
        ("a dropout that works", fresh_forward, False),
        ("a dropout with a seed inside", _seeded_forward, True),
        ("a dropout that draws from a copy of rng", _copied_forward, True),
    )
    answers = [False] * len(forwards)
    # In another order each time: an answer that counts its calls would know a fixed one.
    for place in rng.permutation(len(forwards)):
        a = rng.standard_normal((int(rng.integers(12, 20)), 15))
        generator = np.random.default_rng(rng.integers(2**31))
        given = student(forwards[place][1], a, 0.5, generator)
        answers[place] = student.answer(given, "the answer")
    if answers == [wanted for _, _, wanted in forwards]:
        return
    always = ALWAYS_SAME_ANSWER
    if len(drawn) > 1:
        always = SAME_SEED if np.array_equal(drawn[0], drawn[1]) else PARTLY_EQUAL
    by_answers: dict[tuple[bool, ...], Mistake] = {
        (False, True, False): OTHER_GENERATORS,
        (True, True, True): always,
        (False, False, False): ALWAYS_SAME_ANSWER,
        (True, False, False): NEGATED,
    }
    mistake = by_answers.get(tuple(answers))
    for answer, (what, _, wanted) in zip(answers, forwards, strict=True):
        if answer != wanted:
            yield Finding(f"{answer} for {what}", str(wanted), mistake)
            return


_NAMES = tuple(f"d{kind}{layer}" for layer in (2, 1) for kind in "Wb")

ASSIGNMENT = Assignment(
    Exercise(
        "dropout_forward",
        "dropout_forward(a, keep_prob, rng, training=True)",
        reference.dropout_forward,
        CHAPTER,
        (
            Aspect(
                "mask", "each entry of mask is 1 with probability keep_prob, else 0", _forward_mask
            ),
            Aspect("scale", "out is a * mask / keep_prob", _forward_scale),
            Aspect(
                "fresh", "every call draws a new mask from rng, and from rng alone", _forward_fresh
            ),
            Aspect("evaluation", "with training=False, out equals a", _forward_evaluation),
        ),
        (
            RANDN,
            NOT_THRESHOLDED,
            REVERSED,
            ONE_MASK,
            NOT_RANDOM,
            SCALED_MASK,
            NO_MASK,
            NO_SCALE,
            MULTIPLIED,
            DROP_RATE,
            SCALED_TWICE,
            LEFT_ON,
            EVALUATION_SCALED,
            FROZEN,
            NOT_ADVANCED,
            OTHER_SOURCE,
            HARD_CODED,
        ),
    ),
    Exercise(
        "dropout_backward",
        "dropout_backward(dout, mask, keep_prob)",
        reference.dropout_backward,
        CHAPTER,
        (Aspect("value", "the result is dout * mask / keep_prob", _backward_value),),
        (NO_SCALE_BACK, NO_MASK_BACK, MULTIPLIED, DROP_RATE, SCALED_TWICE, REVERSED, HARD_CODED),
    ),
    Exercise(
        "is_frozen",
        "is_frozen(forward, a, keep_prob, rng)",
        reference.is_frozen,
        CHAPTER,
        (
            Aspect(
                "value", "True if two calls of forward with one rng give the same mask", _is_frozen
            ),
        ),
        (OTHER_GENERATORS, SAME_SEED, PARTLY_EQUAL, NEGATED, ALWAYS_SAME_ANSWER),
    ),
    Exercise(
        "forward_propagation_with_dropout",
        "forward_propagation_with_dropout(X, parameters, keep_prob, rng)",
        reference.forward_propagation_with_dropout,
        CHAPTER,
        (
            Aspect("layers", "with keep_prob = 1, A3 is that of the plain network", net_layers),
            Aspect("masks", "D1 and D2 in the cache are 1 with probability keep_prob", net_masks),
            Aspect("scale", "A1, A2 and A3 follow from your own masks", net_scale),
            Aspect("fresh", "every call draws new masks from rng, and from rng alone", net_fresh),
        ),
        (
            NOT_THRESHOLDED,
            RANDN,
            REVERSED,
            ONE_MASK,
            SCALED_MASK,
            NO_MASK,
            NO_SCALE,
            MULTIPLIED,
            DROP_RATE,
            SCALED_TWICE,
            FROZEN,
            NOT_ADVANCED,
            OTHER_SOURCE,
            HIDDEN_ACTIVATION,
            LAST_ACTIVATION,
            UNKNOWN_ACTIVATION,
            NO_BIAS,
            INPUT_DROPPED,
            NOT_PASSED_ON,
            CACHED_BEFORE,
            OUTPUT_DROPPED,
            NO_CACHE,
            CACHE_LAYOUT,
            NO_PARAMETERS,
            COPIED,
            HARD_CODED,
        ),
        net_diagnose,
    ),
    Exercise(
        "backward_propagation_with_dropout",
        "backward_propagation_with_dropout(X, Y, cache, keep_prob)",
        reference.backward_propagation_with_dropout,
        CHAPTER,
        (
            Aspect(
                "output",
                "dW3 and db3 are those of the cross-entropy",
                net_backward(("dW3", "db3"), (LABELS_FIRST, NO_M_BACK, TWICE_M)),
            ),
            Aspect(
                "hidden",
                "the gradients of layers 2 and 1 pass the same masks and the same scaling",
                net_backward(
                    _NAMES,
                    (
                        NO_SCALE_BACK,
                        NO_MASK_BACK,
                        MULTIPLIED,
                        DROP_RATE,
                        MASKS_SWAPPED,
                        NO_RELU_BACK,
                        LABELS_FIRST,
                        NO_M_BACK,
                        TWICE_M,
                        REVERSED,
                        SCALED_TWICE,
                    ),
                ),
            ),
        ),
        (
            NO_SCALE_BACK,
            NO_MASK_BACK,
            MULTIPLIED,
            DROP_RATE,
            MASKS_SWAPPED,
            NO_RELU_BACK,
            LABELS_FIRST,
            NO_M_BACK,
            TWICE_M,
            REVERSED,
            SCALED_TWICE,
            HARD_CODED,
        ),
    ),
    Exercise(
        "mc_dropout_predict",
        "mc_dropout_predict(f, x, n, rng)",
        reference.mc_dropout_predict,
        CHAPTER,
        (
            Aspect("noise", "f is called n times, each time with new noise", _mc_noise),
            Aspect(
                "mean",
                "the first result is the mean of the n predictions",
                _mc_statistic(
                    0,
                    "mean",
                    lambda made: made.mean(axis=0),
                    (
                        (lambda made: made.sum(axis=0), SUM),
                        (lambda made: np.median(made, axis=0), MEDIAN),
                        (lambda made: made.std(axis=0), PAIR_SWAPPED),
                    ),
                ),
            ),
            Aspect(
                "spread",
                "the second result is the standard deviation of the n predictions",
                _mc_statistic(
                    1,
                    "standard deviation",
                    lambda made: made.std(axis=0),
                    (
                        (lambda made: made.std(axis=0, ddof=1), None),
                        (lambda made: made.mean(axis=0), PAIR_SWAPPED),
                        (lambda made: made.var(axis=0), VARIANCE),
                        (lambda made: made.std(axis=0) / np.sqrt(len(made)), STANDARD_ERROR),
                    ),
                ),
            ),
        ),
        (ONE_CALL, SAME_NOISE, VARIANCE, STANDARD_ERROR, WRONG_AXIS, OTHER_AXIS, SUM, MEDIAN),
    ),
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
