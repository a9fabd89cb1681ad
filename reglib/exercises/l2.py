"""Assignment 2, L2: what a squared penalty does to costs, gradients and weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, close, compare, show
from reglib.exercises._findings import HARD_CODED, SIGNATURE, BrokenCall, Finding, Mistake
from reglib.exercises._penalty_mistakes import (
    ABSOLUTE,
    BIASES,
    DIVISION,
    FACTOR_MISTAKES,
    FIRST_SKIPPED,
    LAST_SKIPPED,
    LAYER_MISTAKES,
    MEAN,
    NO_ABSOLUTE,
    NO_LAMBDA,
    NO_M,
    ROOT,
    SQUARES,
    draw_weights,
    faulty_factor,
    faulty_sum,
)
from reglib.exercises._random_networks import draw_network, entries
from reglib.exercises._student_function import Student, lend
from reglib.exercises.checking import Aspect, Assignment, Chapter, Exercise
from reglib.textbook import shrinkage as reference
from reglib.textbook.network import compute_cost, forward_propagation

CHAPTER = Chapter(2, "L2", "02-l2")

ACTIVATIONS = Mistake(
    "penalty on activations",
    "The penalty is computed from what the layers put out, not from the weights; it then punishes "
    "inputs and leaves large weights alone.",
    "Regularization restrains parameters: which of your sums holds no parameter?",
)
TWO_PENALTIES = Mistake(
    "a second penalty added",
    "The cost holds another penalty beside the one that was asked for.",
    "Return the cross-entropy plus the L2 penalty, nothing else.",
)
OUTSIDE = Mistake(
    "values from outside the function",
    "Part of the cost does not come from the arguments and stays the same for every network.",
    "Use nothing but the arguments: a variable of the notebook belongs to another network.",
)
COPIED = Mistake(
    "copied with its faults",
    "The line that squares A1, A2 and A3 and calls the sum L1 has three: L1 is a sum of absolute "
    "values, not of squares; a penalty is on weights, not on activations; and the task asks for "
    "one penalty, not for two.",
    "Delete that line, and compare the rest with the formula.",
)
NO_DATA = Mistake(
    "cross-entropy forgotten",
    "The penalty alone came back; without the data's cost the best weights are all 0.",
    "Add compute_cost(A3, Y).",
)
DATA_TWICE_M = Mistake(
    "1/m on the whole cost",
    "The cross-entropy is a mean already and was divided by m once more.",
    "compute_cost divides by m itself.",
)
DATA_NOT_MEAN = Mistake(
    "cross-entropy not averaged",
    "The cross-entropy is summed over the examples; the cost is its mean.",
    "compute_cost(A3, Y) returns the mean.",
)
DATA_SIGN = Mistake(
    "minus sign forgotten",
    "The logarithm of a probability is negative, so this cost falls as the network gets worse.",
    "compute_cost(A3, Y) returns the cross-entropy with its sign.",
)
LABELS_AND_OUTPUTS = Mistake(
    "A3 and Y exchanged",
    "The logarithm is taken of the labels, and they are 0 or 1.",
    "The outputs come first: compute_cost(A3, Y).",
)
ROWS = Mistake(
    "rows counted for examples",
    "Examples are columns here, and the number of rows or of all entries is another one.",
    "m is Y.shape[1].",
)
COST_MINUS = Mistake(
    "penalty subtracted",
    "Large weights make the cost smaller.",
    "Add the penalty to the cross-entropy.",
)
LABELS_FIRST = Mistake(
    "Y - A3 for A3 - Y",
    "Every gradient points the other way, so the cost would grow.",
    "The task says what dZ3 is.",
)
HALF_KEPT = Mistake(
    "1/2 left in the gradient",
    "The derivative of a square brings a 2, which cancels the 1/2.",
    "Differentiate the penalty with respect to one weight, on paper.",
)
TWO_KEPT = Mistake(
    "2 left in the gradient",
    "The 2 of the derivative cancels the 1/2 of the penalty.",
    "Differentiate the penalty with respect to one weight, on paper.",
)
M_TWICE = Mistake(
    "1/m in the wrong place",
    "The penalty's gradient sits inside the parentheses that are divided by m, so it is divided "
    "by m twice.",
    "Write the data's gradient and the penalty's as two terms, each with its own 1/m.",
)
MINUS = Mistake(
    "wrong sign",
    "The penalty's gradient is subtracted, so weights are pushed away from 0.",
    "The gradient of a sum is the sum of the gradients.",
)
SIGN = Mistake(
    "sign(W) for W",
    "The gradient of L1 is added; the gradient of a square grows with the weight.",
    "Differentiate the square of a weight.",
)
NO_M_DATA = Mistake(
    "1/m missing in the data's gradient",
    "The cost is a mean over m examples, and so is its gradient.",
    "Divide dZ @ A.T by the number of columns.",
)
NO_RELU = Mistake(
    "derivative of ReLU forgotten",
    "A gradient flows through units whose input was negative.",
    "Multiply dA by 1 where A is positive and by 0 elsewhere.",
)
NO_IDENTITY = Mistake(
    "lambda added to every entry",
    "X.T @ X + lam adds lam to all entries of the matrix, not to its diagonal.",
    "Multiply lam by an identity matrix: np.eye.",
)
LAMBDA_TIMES_M = Mistake(
    "lambda times m",
    "That solves the problem whose first term is a mean; here it is a sum.",
    "Set the gradient of the cost in the task to zero and read off the factor.",
)
NO_RIDGE = Mistake(
    "least squares without a penalty",
    "The result is that of ordinary least squares.",
    "lam must appear on the diagonal.",
)
RIDGE_MINUS = Mistake(
    "lambda subtracted",
    "The diagonal shrinks, so the weights grow instead of shrinking.",
    "Set the gradient of the cost to zero and watch the sign.",
)
RIDGE_HALF = Mistake(
    "half of lambda",
    "Both terms of the cost lose their 2 when you differentiate, so none is left over.",
    "Set the gradient of the cost in the task to zero and read off the factor.",
)
INTERCEPT = Mistake(
    "intercept fitted",
    "X and y are shifted to mean 0 first, as a model with an intercept does; scikit-learn's Ridge "
    "does so by default.",
    "The task has no intercept: use X and y as they are.",
)
INVERTED = Mistake(
    "ratio upside down",
    "With it, noisier data would be trusted more.",
    "More noise should mean a stronger penalty.",
)
DEVIATIONS = Mistake(
    "square root taken",
    "The arguments are variances; their ratio needs no root.",
    "Write down the negative logarithm of the posterior.",
)
VARIANCES_SQUARED = Mistake(
    "variances squared",
    "The arguments are variances already, not standard deviations.",
    "Write down the negative logarithm of the posterior.",
)
NOISE_IGNORED = Mistake(
    "noise variance ignored",
    "Only the prior decides, however noisy the data are.",
    "Write down the negative logarithm of the posterior, with both variances.",
)
LAMBDA_HALF = Mistake(
    "1/2 not cancelled",
    "Both terms of the negative log-posterior carry a 1/2, which cancels.",
    "Multiply the whole negative logarithm by twice the noise variance.",
)


# l2_penalty


def _penalty_cases(rng: np.random.Generator) -> Iterator[Case]:
    for layers in (3, 1, 4, 2):
        weights = draw_weights(rng, layers)
        lam, m = float(rng.uniform(0.2, 3)), int(rng.integers(3, 60))
        text = f"{layers} matrices, lam = {lam:.3g} and m = {m}"
        yield Case((weights, lam, m), text, {"m": m, "lam": lam})


def _faulty_penalty(wrong: frozenset[str], weights: Any, lam: float, m: int) -> float:
    return faulty_factor(wrong, lam, m, half=True) * faulty_sum(wrong, weights, 2)


_PENALTY_MISTAKES = (*FACTOR_MISTAKES, ABSOLUTE, *LAYER_MISTAKES, NO_ABSOLUTE, ROOT, MEAN)


def _penalty_value(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    yield from compare(
        student,
        _penalty_cases(rng),
        reference.l2_penalty,
        faulty=_faulty_penalty,
        mistakes=_PENALTY_MISTAKES,
        what="the penalty",
    )


# compute_cost_with_regularization


def _cost_cases(rng: np.random.Generator) -> Iterator[Case]:
    for widths in ((3, 4, 5, 1), (2, 6, 3, 2), (5, 3, 4, 1)):
        m, lambd = int(rng.integers(4, 30)), float(rng.uniform(0.2, 3))
        X, Y, parameters = draw_network(rng, widths, m)
        A3, _ = forward_propagation(X, parameters)
        text = f"m = {m} and lambd = {lambd:.3g}"
        yield Case((A3, Y, parameters, lambd), text, {"m": m, "lambd": lambd})


def _split(parameters: dict[str, NDArray]) -> tuple[list[NDArray], list[NDArray]]:
    weights = [value for name, value in parameters.items() if name.startswith("W")]
    return weights, [value for name, value in parameters.items() if name.startswith("b")]


def _faulty_cost_penalty(
    wrong: frozenset[str], A3: NDArray, Y: NDArray, parameters: dict[str, NDArray], lambd: float
) -> float:
    weights, biases = _split(parameters)
    if NO_LAMBDA.name in wrong:
        return 0.0  # what lambd adds, if it adds nothing
    if BIASES.name in wrong:
        weights = [*weights, *biases]
    if ACTIVATIONS.name in wrong and TWO_PENALTIES.name not in wrong:
        weights = [A3]
    m = Y.shape[0] if ROWS.name in wrong else Y.shape[1]
    penalty = faulty_factor(wrong, lambd, m, half=True) * faulty_sum(wrong, weights, 2)
    if COST_MINUS.name in wrong:
        return -penalty
    if TWO_PENALTIES.name in wrong:
        penalty += lambd / m * sum(np.abs(W).sum() for W in weights)
    return penalty


_COST_MISTAKES = (
    *FACTOR_MISTAKES,
    ABSOLUTE,
    BIASES,
    *LAYER_MISTAKES,
    ACTIVATIONS,
    TWO_PENALTIES,
    NO_ABSOLUTE,
    ROOT,
    MEAN,
    ROWS,
    COST_MINUS,
)


def _cost_penalty(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    def penalty(A3: Any, Y: Any, parameters: Any, lambd: float) -> NDArray:
        with_it = student.numbers(student(A3, Y, parameters, lambd), "the cost", ())
        return with_it - student.numbers(student(A3, Y, parameters, 0.0), "the cost", ())

    def correct(A3: Any, Y: Any, parameters: Any, lambd: float) -> float:
        return reference.compute_cost_with_regularization(A3, Y, parameters, lambd) - compute_cost(
            A3, Y
        )

    cases = list(_cost_cases(rng))
    findings = list(
        compare(
            student,
            cases,
            correct,
            faulty=_faulty_cost_penalty,
            mistakes=_COST_MISTAKES,
            call=penalty,
            what="the penalty within the cost",
        )
    )
    if any(finding.mistake in (None, HARD_CODED) for finding in findings):
        findings = list(_penalty_on_activations(student, cases)) or findings
    yield from findings


def _penalty_on_activations(
    student: Student,
    cases: Sequence[Case],
    call: Callable[..., Any] | None = None,
) -> Iterator[Finding]:
    """Yield findings if squared activations, and constants from elsewhere, explain the excess."""
    excess, squares = [], []
    for case in cases:
        A3, Y, _, lambd = case.arguments
        got = (call or student)(*case.arguments)
        cost = student.numbers(got, "the cost", ())
        wanted = reference.compute_cost_with_regularization(*case.arguments)
        excess.append(float(cost - wanted) * 2 * Y.shape[1] / lambd)
        squares.append(float(np.sum(A3 * A3)))
    terms = np.column_stack([squares, np.ones(len(squares))])
    (own, constant), *_ = np.linalg.lstsq(terms, np.array(excess), rcond=None)
    if not close(terms @ (own, constant), np.array(excess)) or own < 1e-6:
        return
    came = f"beside the L2 penalty there is {show(own)} times the sum of squares of A3"
    for mistake in (ACTIVATIONS, TWO_PENALTIES, SQUARES):
        yield Finding(came, "a penalty on the weights alone", mistake)
    if abs(constant) > 1e-6 and call is None:
        yield Finding(f"another {show(constant)} comes from elsewhere", "nothing else", OUTSIDE)


def _cost_data(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = [
        Case((*case.arguments[:3], 0.0), case.text.split(" and ")[0] + " and lambd = 0")
        for case in _cost_cases(rng)
    ]
    mistakes = (NO_DATA, DATA_TWICE_M, NO_LAMBDA, DATA_NOT_MEAN, DATA_SIGN, LABELS_AND_OUTPUTS)

    def faulty(wrong: frozenset[str], A3: Any, Y: Any, parameters: Any, lambd: float) -> float:
        if NO_DATA.name in wrong:
            return 0.0
        if NO_LAMBDA.name in wrong:
            total = sum(np.sum(W * W) for W in _split(parameters)[0])
            return compute_cost(A3, Y) + total / (2 * Y.shape[1])
        if LABELS_AND_OUTPUTS.name in wrong:
            return compute_cost(Y, A3)
        if DATA_NOT_MEAN.name in wrong:
            return compute_cost(A3, Y) * Y.shape[1]
        if DATA_SIGN.name in wrong:
            return -compute_cost(A3, Y)
        return compute_cost(A3, Y) / Y.shape[1]

    yield from compare(
        student,
        cases,
        reference.compute_cost_with_regularization,
        faulty=faulty,
        mistakes=mistakes,
        together=1,
        what="the cost without a penalty",
    )


def _cost_diagnose(student: Student, broken: BrokenCall) -> Iterator[Finding]:
    """Yield further faults of a cost that asks for activations which nobody gives it."""
    asked = set(re.findall(r"'(A[12])'", str(broken.error)))
    if not asked and broken.finding.mistake is not SIGNATURE:
        return
    wanted = ", ".join(sorted(asked))
    if asked:
        yield Finding(f"the function asks for {wanted}", "weights W1, W2, ... only", ACTIVATIONS)
    cases = list(_cost_cases(np.random.default_rng(2)))
    rng = np.random.default_rng(3)
    A1, A2 = rng.random((4, 6)), rng.random((3, 6))

    def lent(A3: Any, Y: Any, parameters: Any, lambd: float) -> Any:
        function = lend(student.function, {"A1": A1, "A2": A2}, {"compute_cost": compute_cost})
        return (function or student.function)(A3, Y, {**parameters, "A1": A1, "A2": A2}, lambd)

    for call in (
        lent,
        lambda A3, Y, P, lambd: student(A3, Y, P, lambd, A1, A2),
        lambda A3, Y, P, lambd: student(A1, A2, A3, Y, P, lambd),
    ):
        try:
            findings = list(_penalty_on_activations(student, cases, _guarded(student, call)))
        except BrokenCall:
            continue
        if findings:
            yield from findings
            return
    if asked:
        yield Finding(f"a line with {wanted} in it", "the L2 penalty alone", COPIED)


def _guarded(student: Student, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call whose errors become findings."""
    return lambda *arguments: student.guard(call, *arguments)


# backward_propagation_with_regularization


def _backward_cases(rng: np.random.Generator) -> Iterator[Case]:
    for widths in ((3, 4, 5, 1), (2, 6, 3, 1), (5, 3, 4, 2)):
        m, lambd = int(rng.integers(4, 30)), float(rng.uniform(0.3, 2))
        X, Y, parameters = draw_network(rng, widths, m)
        _, cache = forward_propagation(X, parameters)
        text = f"m = {m} and lambd = {lambd:.3g}"
        yield Case((X, Y, cache, lambd), text, {"m": m, "lambd": lambd})


def _gradient_of(student: Student, got: Any, name: str, like: Any) -> NDArray:
    if not isinstance(got, dict):
        if got is None:
            student.numbers(None, "gradients")
        came = f"{student.name} returned {type(got).__name__}"
        raise BrokenCall(Finding(came, "a dict of gradients: dW1, db1, dW2, ..."))
    if name not in got:
        raise BrokenCall(
            Finding(f"the result holds {', '.join(map(str, got))}", f"it holds {name}")
        )
    return student.numbers(got[name], name, np.shape(like)).ravel()


_PARAMETERS = tuple(f"{kind}{layer}" for layer in (1, 2, 3) for kind in "Wb")


def _values(cache: Sequence[NDArray]) -> dict[str, NDArray]:
    return dict(zip(_PARAMETERS, [cache[i] for i in (2, 3, 6, 7, 10, 11)], strict=True))


def _all_gradients(student: Student, got: Any, cache: Sequence[NDArray]) -> NDArray:
    values = _values(cache)
    return np.concatenate(
        [_gradient_of(student, got, f"d{name}", values[name]) for name in _PARAMETERS]
    )


def _places(X: NDArray, Y: NDArray, cache: Sequence[NDArray], lambd: float) -> list[str]:
    return entries({f"d{name}": value.shape for name, value in _values(cache).items()})


def _faulty_backward_penalty(
    wrong: frozenset[str], X: NDArray, Y: NDArray, cache: Sequence[NDArray], lambd: float
) -> NDArray:
    m = Y.shape[0] if ROWS.name in wrong else X.shape[1]
    factor = 0.0 if NO_LAMBDA.name in wrong else lambd
    factor /= 1 if NO_M.name in wrong else m * m if M_TWICE.name in wrong else m
    if DIVISION.name in wrong:
        factor = lambd / 2 * m
    factor *= 0.5 if HALF_KEPT.name in wrong else 2 if TWO_KEPT.name in wrong else 1
    factor *= -1 if MINUS.name in wrong else 1
    parts = []
    for name, value in _values(cache).items():
        skipped = (
            (name == "W1" and FIRST_SKIPPED.name in wrong)
            or (name == "W3" and LAST_SKIPPED.name in wrong)
            or (name.startswith("b") and BIASES.name not in wrong)
        )
        term = np.sign(value) if SIGN.name in wrong else value
        parts.append((0 if skipped else factor) * term.ravel())
    return np.concatenate(parts)


_BACKWARD_MISTAKES = (
    NO_M, HALF_KEPT, TWO_KEPT, M_TWICE, BIASES, LAST_SKIPPED, FIRST_SKIPPED, MINUS, SIGN,
    NO_LAMBDA, DIVISION, ROWS,
)  # fmt: skip


def _backward_penalty(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    def penalty(X: Any, Y: Any, cache: Any, lambd: float) -> NDArray:
        with_it = _all_gradients(student, student(X, Y, cache, lambd), cache)
        return with_it - _all_gradients(student, student(X, Y, cache, 0.0), cache)

    def correct(X: Any, Y: Any, cache: Any, lambd: float) -> NDArray:
        return _faulty_backward_penalty(frozenset(), X, Y, cache, lambd)

    yield from compare(
        student,
        _backward_cases(rng),
        correct,
        faulty=_faulty_backward_penalty,
        mistakes=_BACKWARD_MISTAKES,
        read=lambda got, wanted: np.asarray(got),
        call=penalty,
        together=2,
        what="what lambd adds to the gradients",
        places=_places,
    )


def _faulty_backward_data(
    wrong: frozenset[str], X: NDArray, Y: NDArray, cache: Sequence[NDArray], lambd: float
) -> dict[str, NDArray]:
    layers = [cache[i : i + 4] for i in range(0, 12, 4)]
    m = 1 if NO_M_DATA.name in wrong else Y.shape[0] if ROWS.name in wrong else X.shape[1]
    dZ, gradients = Y - cache[-3] if LABELS_FIRST.name in wrong else cache[-3] - Y, {}
    for layer in (3, 2, 1):
        below = layers[layer - 2][1] if layer > 1 else X
        gradients[f"dW{layer}"] = dZ @ below.T / m
        gradients[f"db{layer}"] = dZ.sum(axis=1, keepdims=True) / m
        dZ = layers[layer - 1][2].T @ dZ
        if NO_RELU.name not in wrong:
            dZ = dZ * (below > 0)
    return gradients


def _backward_data(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = [
        Case((*case.arguments[:3], 0.0), case.text.split(" and ")[0] + " and lambd = 0", {"m": m})
        for case in _backward_cases(rng)
        for m in (case.quantities["m"],)
    ]

    def read(got: Any, wanted: Any) -> NDArray:
        values = {name: wanted[f"d{name}"] for name in _PARAMETERS}
        return np.concatenate(
            [_gradient_of(student, got, f"d{name}", values[name]) for name in _PARAMETERS]
        )

    yield from compare(
        student,
        cases,
        reference.backward_propagation_with_regularization,
        faulty=_faulty_backward_data,
        mistakes=(NO_M_DATA, NO_RELU, LABELS_FIRST, ROWS),
        read=read,
        what="the gradients without a penalty",
        places=_places,
    )


# ridge_closed_form and map_lambda


def _ridge_diagnose(student: Student, broken: BrokenCall) -> Iterator[Finding]:
    """Yield what tall matrices show, where a wide one has no solution."""
    yield from _ridge_test(_TALL, _RIDGE_MISTAKES)(student, np.random.default_rng(4))


_TALL = ((9, 3), (20, 5), (13, 4))
_WIDE = ((4, 7), (3, 5))


def _ridge_cases(rng: np.random.Generator, shapes: Sequence[tuple[int, int]]) -> Iterator[Case]:
    for m, features in shapes:
        X, y = rng.standard_normal((m, features)), rng.standard_normal(m)
        lam = float(rng.uniform(0.5, 4))
        text = f"X of shape {X.shape} and lam = {lam:.3g}"
        yield Case((X, y, lam), text, {"lam": lam})


def _faulty_ridge(wrong: frozenset[str], X: NDArray, y: NDArray, lam: float) -> NDArray:
    features = X.shape[1]
    added = lam * np.eye(features)
    if NO_IDENTITY.name in wrong:
        added = np.full((features, features), lam)
    elif LAMBDA_TIMES_M.name in wrong:
        added = added * len(y)
    elif RIDGE_MINUS.name in wrong:
        added = -added
    elif RIDGE_HALF.name in wrong:
        added = added / 2
    elif INTERCEPT.name in wrong:
        X, y = X - X.mean(axis=0), y - y.mean()
    elif NO_RIDGE.name in wrong:
        return np.linalg.pinv(X) @ y
    try:
        return np.linalg.solve(X.T @ X + added, X.T @ y)
    except np.linalg.LinAlgError as error:
        raise ValueError("no such solution") from error


def _ridge_test(
    shapes: Sequence[tuple[int, int]], mistakes: Sequence[Mistake]
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        yield from compare(
            student,
            _ridge_cases(rng, shapes),
            reference.ridge_closed_form,
            faulty=_faulty_ridge,
            mistakes=mistakes,
            together=1,
            what="w",
        )

    return test


_RIDGE_MISTAKES = (NO_IDENTITY, LAMBDA_TIMES_M, NO_RIDGE, RIDGE_MINUS, RIDGE_HALF, INTERCEPT)


def _map_cases(rng: np.random.Generator) -> Iterator[Case]:
    for _ in range(4):
        noise, prior = (float(value) for value in rng.uniform(0.2, 5, 2))
        yield Case((noise, prior), f"variances {noise:.3g} and {prior:.3g}")


def _faulty_map(wrong: frozenset[str], noise: float, prior: float) -> float:
    if INVERTED.name in wrong:
        noise, prior = prior, noise
    ratio = 1 / prior if NOISE_IGNORED.name in wrong else noise / prior
    if DEVIATIONS.name in wrong:
        return ratio**0.5
    if VARIANCES_SQUARED.name in wrong:
        return ratio**2
    return ratio / 2 if LAMBDA_HALF.name in wrong else ratio


_MAP_MISTAKES = (INVERTED, DEVIATIONS, VARIANCES_SQUARED, LAMBDA_HALF, NOISE_IGNORED)


def _map_value(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    yield from compare(
        student,
        _map_cases(rng),
        reference.map_lambda,
        faulty=_faulty_map,
        mistakes=_MAP_MISTAKES,
        together=2,
        what="lambda",
    )


ASSIGNMENT = Assignment(
    Exercise(
        "l2_penalty",
        "l2_penalty(weights, lam, m)",
        reference.l2_penalty,
        CHAPTER,
        (Aspect("value", "the result is lam / (2 m) times the sum of all W²", _penalty_value),),
        (*_PENALTY_MISTAKES, HARD_CODED),
    ),
    Exercise(
        "compute_cost_with_regularization",
        "compute_cost_with_regularization(A3, Y, parameters, lambd)",
        reference.compute_cost_with_regularization,
        CHAPTER,
        (
            Aspect("data", "with lambd = 0 the cost is the cross-entropy", _cost_data),
            Aspect("penalty", "lambd adds lambd / (2 m) times the sum of all W²", _cost_penalty),
        ),
        (
            *_COST_MISTAKES,
            SQUARES,
            OUTSIDE,
            COPIED,
            NO_DATA,
            DATA_TWICE_M,
            DATA_NOT_MEAN,
            DATA_SIGN,
            LABELS_AND_OUTPUTS,
            HARD_CODED,
        ),
        _cost_diagnose,
    ),
    Exercise(
        "backward_propagation_with_regularization",
        "backward_propagation_with_regularization(X, Y, cache, lambd)",
        reference.backward_propagation_with_regularization,
        CHAPTER,
        (
            Aspect("data", "with lambd = 0 the gradients are those of the data", _backward_data),
            Aspect(
                "penalty", "lambd adds lambd / m times W to dW and nothing to db", _backward_penalty
            ),
        ),
        (*_BACKWARD_MISTAKES, NO_M_DATA, NO_RELU, LABELS_FIRST, HARD_CODED),
    ),
    Exercise(
        "ridge_closed_form",
        "ridge_closed_form(X, y, lam)",
        reference.ridge_closed_form,
        CHAPTER,
        (
            Aspect(
                "tall",
                "w makes |X w - y|² + lam |w|² smallest",
                _ridge_test(_TALL, _RIDGE_MISTAKES),
            ),
            Aspect(
                "wide",
                "it also does so with more features than examples",
                # lam on every entry leaves a singular matrix here, and so no answer to compare.
                _ridge_test(_WIDE, _RIDGE_MISTAKES[1:]),
            ),
        ),
        (*_RIDGE_MISTAKES, HARD_CODED),
        _ridge_diagnose,
    ),
    Exercise(
        "map_lambda",
        "map_lambda(noise_variance, prior_variance)",
        reference.map_lambda,
        CHAPTER,
        (Aspect("value", "the result makes ridge the most probable answer", _map_value),),
        _MAP_MISTAKES,
    ),
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
