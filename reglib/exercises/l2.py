"""Assignment 2, L2: what a squared penalty does to costs, gradients and weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._l2_gradients import BACKWARD_PROPAGATION_WITH_REGULARIZATION
from reglib.exercises._l2_step import PENALIZED_STEP
from reglib.exercises._messages import Chapter
from reglib.exercises._penalty_mistakes import (
    ABSOLUTE,
    BIASES,
    DIVISION,
    ENTRIES,
    FIRST_ONLY,
    FIRST_SKIPPED,
    LAST_ONLY,
    LAST_SKIPPED,
    MEAN,
    NO_ABSOLUTE,
    NO_HALF,
    NO_LAMBDA,
    NO_M,
    NO_PENALTY,
    ROOT,
    ROWS,
    draw_weights,
    without_penalty,
)
from reglib.exercises._penalty_on_activations import (
    ACTIVATIONS,
    COPIED,
    OUTSIDE,
    SECOND_OF_SQUARES,
    TWO_PENALTIES,
    lent_activations,
    penalty_on_activations,
    what_lambda_adds,
)
from reglib.exercises._random_networks import draw_parameters
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import shrinkage as reference
from reglib.textbook.network import compute_cost

FACTOR_ON_FIRST = Mistake(
    "factor on the first matrix only",
    "a * b + c multiplies b alone, so the other matrices are added without the factor.",
    "Put the sum in parentheses.",
)
TWICE = Mistake(
    "one matrix in the place of another",
    "A matrix is in the sum twice and another is missing, as after copying a line.",
    "Compare the names in your sum with those of the layers.",
)

#: What goes wrong in ``lam / 2 / m * total``, where total adds up the squares of all weights.
_IN_THE_PENALTY = (
    NO_HALF.written(("/ 2 ", "")),
    NO_M.written(("/ m ", "")),
    DIVISION.written(("/ m ", "* m ")),
    ABSOLUTE.written(("W**2", "np.abs(W)")),
    LAST_SKIPPED.written(("in weights:", "in weights[:-1]:")),
    LAST_ONLY.written(("+=", "=")),
    FIRST_SKIPPED.written(("in weights:", "in weights[1:]:")),
    FIRST_ONLY.written(("\nreturn", "\n    return")),
    NO_ABSOLUTE.written(("W**2", "W")),
    ROOT.written(("np.sum(W**2)", "np.linalg.norm(W)"), ("* total", "* np.sqrt(total)")),
    MEAN.written(("np.sum(W**2)", "np.mean(W**2)")),
    Mistake(
        "square of the sum",
        "The weights are added before they are squared, so those of different sign cancel.",
        "Square each weight, then add.",
    ).written(("np.sum(W**2)", "np.sum(W) ** 2"), (("W**2", "W"), ("* total", "* total**2"))),
    Mistake(
        "matrix product for squares",
        "W @ W.T multiplies each row by every other one; its sum is not that of the squares.",
        "** and * work entry by entry.",
    ).written(("W**2", "W @ W.T"), ("W**2", "W.T @ W")),
    FACTOR_ON_FIRST.written(
        ("* total", "* np.sum(weights[0] ** 2) + total - np.sum(weights[0] ** 2)")
    ),
    Mistake(
        "norm of a matrix",
        "np.linalg.norm(W, 2) of a matrix is its largest singular value, which leaves the others "
        "out.",
        "Add up the squares of all weights yourself.",
    ).written(
        ("np.sum(W**2)", "np.linalg.norm(W, 2) ** 2"), ("np.sum(W**2)", "np.linalg.norm(W, 2)")
    ),
)


def _penalty_cases(rng: np.random.Generator) -> Iterator[Case]:
    for layers, m in ((3, 5), (1, 30), (4, 60), (2, 1)):
        # lam is above 2 m where m is 1: whole numbers of lam / 2 / m are not 0 in every case.
        lam, m = float(rng.uniform(0.2, 3) + 4 // m), int(rng.integers(m // 2, m) + 1)
        text = f"{layers} matrices, lam = {lam:.3g} and m = {m}"
        weights = draw_weights(rng, layers)
        weights[layers // 2] *= 4.0  # the largest is neither always the first nor the last
        yield Case((weights, lam, m), text, {"m": m, "lam": lam})


L2_PENALTY = Task(
    "l2_penalty(weights, lam, m)",
    reference=reference.l2_penalty,
    section="Cost and gradient",
    hints=(
        "What number should a single matrix give? Then add up the layers.",
        "The square of each entry, then the sum over entries and layers, then the factor.",
    ),
    model="""
        total = 0
        for W in weights:
            total += np.sum(W**2)
        return lam / 2 / m * total
    """,
    aspects=(
        Aspect(
            "value",
            "the penalty adds up the squares of all weights, times lambda over 2 m",
            Comparison(_penalty_cases, "the penalty"),
        ),
    ),
    mistakes=(
        *_IN_THE_PENALTY,
        NO_LAMBDA.written(("lam /", "1 /")),
    ),
    right=(
        "lam / (2 * m) * sum(np.sum(W**2) for W in weights)",
        "np.float32(lam / (2 * m)) * sum(np.sum(np.float32(W) ** 2) for W in weights)",
        "(1 / m) * (lam / 2) * sum(np.square(W).sum() for W in weights)",
        "lam / 2 / m * np.sum(np.concatenate([W.ravel() for W in weights]) ** 2)",
        "float(sum(np.linalg.norm(W) ** 2 for W in weights) * lam / (m + m))",
        "np.array([sum(np.trace(W @ W.T) for W in weights) * lam / (2 * m)])",
        "sum(lam * x * x / (2 * m) for W in weights for row in W.tolist() for x in row)",
    ),
)


def _cost_cases(rng: np.random.Generator) -> Iterator[Case]:
    # Probabilities far from 0 and 1, and a strong penalty: rounding in float32 stays small.
    for widths, m in (((3, 4, 5, 1), 8), ((2, 6, 3, 2), 12), ((5, 3, 4, 3), 1), ((3, 2, 4, 1), 6)):
        lambd, m = float(rng.uniform(0.6, 3) + 4 // m), int(rng.integers(m // 2, m) + 1)
        parameters = draw_parameters(rng, widths)
        A3 = rng.uniform(0.1, 0.9, (widths[-1], m))
        Y = rng.integers(0, 2, A3.shape)
        text = f"m = {m} and lambd = {lambd:.3g}"
        yield Case((A3, Y, parameters, lambd), text, {"m": m, "lambd": lambd})


def _further_cases() -> list[Case]:
    return [case for seed in (2, 3) for case in _cost_cases(np.random.default_rng(seed))]


_ENTROPY = "compute_cost(A3, Y)"
COMPUTE_COST_WITH_REGULARIZATION = Task(
    "compute_cost_with_regularization(A3, Y, parameters, lambd)",
    reference=reference.compute_cost_with_regularization,
    section="Cost and gradient",
    hints=(
        "The cost has two terms. Which of them is left with lambd = 0?",
        "Your l2_penalty gives the second term: of which arrays, and what is m here?",
    ),
    given={"compute_cost": compute_cost, "l2_penalty": reference.l2_penalty},
    model=f"""
        m = Y.shape[1]
        weights = [parameters[name] for name in ("W1", "W2", "W3")]
        total = 0
        for W in weights:
            total += np.sum(W**2)
        return {_ENTROPY} + lambd / 2 / m * total
    """,
    aspects=(
        Aspect(
            "data",
            "with lambd = 0 the cost is the cross-entropy",
            Comparison(lambda rng: without_penalty(_cost_cases(rng)), "the cost without a penalty"),
        ),
        Aspect(
            "penalty",
            "lambd adds the L2 penalty on the weights of all three layers",
            Comparison(_cost_cases, "what lambd adds to the cost", call=what_lambda_adds),
        ),
    ),
    mistakes=(
        *_IN_THE_PENALTY,
        NO_LAMBDA.written(("lambd /", "1 /")),
        NO_PENALTY.written((" + lambd / 2 / m * total", "")),
        BIASES.written(('("W1", "W2", "W3")', "parameters")),
        TWICE.written(
            *(
                ('("W1", "W2", "W3")', f'("{a}", "{b}", "{c}")')
                for a, b, c in (
                    ("W1", "W2", "W2"),
                    ("W1", "W1", "W3"),
                    ("W1", "W1", "W2"),
                    ("W1", "W3", "W3"),
                    ("W2", "W2", "W3"),
                )
            )
        ),
        ACTIVATIONS.written(("in weights:", "in [A3]:")),
        TWO_PENALTIES.written(
            ("* total", "* (total + 2 * sum(np.abs(W).sum() for W in weights))"),
            ("* total", "* (total + sum(np.abs(W).sum() for W in weights))"),
        ),
        ROWS.written(("m = Y.shape[1]", "m = Y.shape[0]")),
        ENTRIES.written(("m = Y.shape[1]", "m = Y.size")),
        Mistake(
            "penalty subtracted",
            "Large weights make the cost smaller.",
            "Add the penalty to the cross-entropy.",
        ).written(("+ lambd", "- lambd")),
        Mistake(
            "cross-entropy forgotten",
            "The penalty alone came back; without the data's cost the best weights are all 0.",
            "Add compute_cost(A3, Y).",
        ).written((f"{_ENTROPY} + ", "")),
        Mistake(
            "1/m on the whole cost",
            "The cross-entropy is a mean already and was divided by m once more.",
            "compute_cost divides by m itself.",
        ).written((_ENTROPY, f"{_ENTROPY} / m")),
        Mistake(
            "cross-entropy not averaged",
            "The cross-entropy is summed over the examples; the cost is its mean.",
            "compute_cost(A3, Y) returns the mean.",
        ).written((_ENTROPY, f"{_ENTROPY} * m")),
        Mistake(
            "cross-entropy averaged over outputs too",
            "With several outputs their terms are added up, and the sum is averaged over the "
            "examples only.",
            "compute_cost(A3, Y) does so.",
        ).written((_ENTROPY, f"{_ENTROPY} / len(Y)")),
        Mistake(
            "minus sign forgotten",
            "The logarithm of a probability is negative, so this cost falls as the network gets "
            "worse.",
            "compute_cost(A3, Y) returns the cross-entropy with its sign.",
        ).written((_ENTROPY, f"-{_ENTROPY}")),
        Mistake(
            "A3 and Y exchanged",
            "The logarithm is taken of the labels, and they are 0 or 1.",
            "The outputs come first: compute_cost(A3, Y).",
        ).written((_ENTROPY, "compute_cost(Y, A3)")),
        SECOND_OF_SQUARES,
        OUTSIDE,
        COPIED,
    ),
    right=(
        f"{_ENTROPY} + l2_penalty([parameters[k] for k in ('W1', 'W2', 'W3')], lambd, Y.shape[1])",
        f"""
        total = 0
        for name, value in parameters.items():
            if name.startswith("W"):
                total += np.sum(np.square(value))
        return {_ENTROPY} + lambd * total / (2 * Y.shape[1])
        """,
        """
        entropy = -np.mean(np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3), axis=0))
        squares = [np.sum(parameters[name] ** 2) for name in ("W1", "W2", "W3")]
        return entropy + (1 / Y.shape[1]) * (lambd / 2) * (squares[0] + squares[1] + squares[2])
        """,
        f"""
        penalties = [
            lambd / (2 * A3.shape[1]) * np.sum(parameters[f"W{{i}}"] ** 2)
            for i in range(1, len(parameters) // 2 + 1)
        ]
        return np.array([[{_ENTROPY} + sum(penalties)]])
        """,
        """
        entropy = -np.sum(np.log(np.where(Y == 1, A3, 1 - A3))) / Y.shape[1]
        norms = sum(np.linalg.norm(v) ** 2 for k, v in parameters.items() if "W" in k)
        return np.squeeze(entropy + lambd / Y.shape[1] / 2 * norms)
        """,
        """
        A3, Y = A3.astype(np.float32), Y.astype(np.float32)
        entropy = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / np.float32(Y.shape[1])
        weights = [parameters[name].astype(np.float32) for name in ("W1", "W2", "W3")]
        return entropy + np.float32(lambd / 2 / Y.shape[1]) * sum(np.sum(W * W) for W in weights)
        """,
    ),
    diagnose=lambda student, broken: lent_activations(student, broken, _further_cases()),
    explain=lambda student: penalty_on_activations(student, _further_cases()),
)


def _ridge_problem(
    rng: np.random.Generator, m: int, features: int
) -> tuple[NDArray, NDArray, float]:
    """Return X, y and lam; no weight of the answer is near 0, and float32 comes near them all."""
    while True:
        X, lam = rng.normal(0, 1.5 / np.sqrt(max(m, features)), (m, features)), rng.uniform(0.5, 4)
        y, A = rng.normal(1, 1, m), X.T @ X
        sizes = np.abs(np.linalg.solve(A + lam * np.eye(features), X.T @ y))
        if sizes.min() > 0.2 * sizes.max() and np.linalg.norm(A, 2) < 8 * lam:
            return X, y, float(lam)


def _ridge_cases(
    rng: np.random.Generator, shapes: tuple[tuple[int, int], ...], idle: bool = False
) -> Iterator[Case]:
    for number, (m, features) in enumerate(shapes):
        X, y, lam = _ridge_problem(rng, m, features)
        text = ""
        if idle and number == 0:  # without a penalty no rounding hides that there is no answer
            X, text = np.insert(X, features // 2, 0.0, axis=1), ", one of its columns 0,"
        yield Case((X, y, lam), f"X of shape {X.shape}{text} and lam = {lam:.3g}", {"lam": lam})


def _tall(rng: np.random.Generator) -> Iterator[Case]:
    return _ridge_cases(rng, ((9, 3), (20, 5), (4, 4), (6, 1)))


def _wide(rng: np.random.Generator) -> Iterator[Case]:
    # One feature more than examples: lam on every entry then leaves one solution to compare with.
    return _ridge_cases(rng, ((3, 3), (4, 5), (1, 2)), idle=True)


_EYE = "lam * np.eye(X.shape[1])"
_SOLVED = f"np.linalg.solve(X.T @ X + {_EYE}, X.T @ y)"
RIDGE_CLOSED_FORM = Task(
    "ridge_closed_form(X, y, lam)",
    reference=reference.ridge_closed_form,
    section="Which directions shrink",
    hints=(
        "Set the gradient of the cost with respect to w to zero, and solve for w.",
        "w solves a system of as many equations as there are features: np.linalg.solve(A, b). "
        "What does the penalty add to A?",
    ),
    model=f"return {_SOLVED}",
    aspects=(
        Aspect("tall", "w makes |X w - y|² + lam |w|² smallest", Comparison(_tall, "w")),
        Aspect("wide", "it also does so with more features than examples", Comparison(_wide, "w")),
    ),
    mistakes=(
        Mistake(
            "lambda added to every entry",
            "X.T @ X + lam adds lam to all entries of the matrix, not to its diagonal.",
            "Multiply lam by an identity matrix: np.eye.",
        ).written((_EYE, "lam")),
        Mistake(
            "m beside lambda",
            "Neither term of the cost is a mean, so the number of examples plays no part.",
            "Set the gradient of the cost in the task to zero and read off the factor.",
        ).written((_EYE, f"len(y) * {_EYE}"), (_EYE, f"{_EYE} / len(y)")),
        Mistake(
            "least squares without a penalty",
            "The result is that of ordinary least squares.",
            "lam must appear on the diagonal.",
        ).written(
            (_SOLVED, "np.linalg.pinv(X) @ y"), (_SOLVED, "np.linalg.solve(X.T @ X, X.T @ y)")
        ),
        Mistake(
            "lambda subtracted",
            "The diagonal shrinks, so the weights grow instead of shrinking.",
            "Set the gradient of the cost to zero and watch the sign.",
        ).written((f"+ {_EYE}", f"- {_EYE}")),
        Mistake(
            "half of lambda, or twice",
            "Both terms of the cost bring a 2 when you differentiate, so none is left over.",
            "Set the gradient of the cost in the task to zero and read off the factor.",
        ).written((_EYE, f"{_EYE} / 2"), (_EYE, f"2 * {_EYE}")),
        Mistake(
            "root of lambda",
            "The square of the norm is penalized, and lambda is not.",
            "Set the gradient of the cost in the task to zero and read off the factor.",
        ).written(("lam *", "np.sqrt(lam) *")),
        Mistake(
            "lambda squared",
            "The penalty is stronger than the task's above lam = 1 and weaker below. Rows of "
            "lam * I below X, for example, are squared like all others.",
            "Which power of lam stands in the gradient of the cost?",
        ).written((_EYE, _EYE.replace("lam", "lam**2"))),
        Mistake(
            "one weight not penalized",
            "The first or the last entry of the diagonal is left as it was. That is done for an "
            "intercept, and there is none: each column of X is a feature.",
            "Which weights are in |w|²?",
        ).written(
            (_EYE, "lam * np.diag([0.0] + [1.0] * (X.shape[1] - 1))"),
            (_EYE, "lam * np.diag([1.0] * (X.shape[1] - 1) + [0.0])"),
        ),
        Mistake(
            "intercept fitted",
            "X and y are shifted to mean 0 first, as a model with an intercept does, or a column "
            "of ones joins X; scikit-learn's Ridge has an intercept by default.",
            "The task has no intercept: use X and y as they are.",
        ).written(
            (("X.T", "(X - X.mean(axis=0)).T"), ("@ X ", "@ (X - X.mean(axis=0)) ")),
            (
                _SOLVED,
                f"np.linalg.solve((X := np.c_[np.ones(len(y)), X]).T @ X + {_EYE}, X.T @ y)[1:]",
            ),
        ),
    ),
    right=(
        """
        rows = np.vstack([X, np.sqrt(lam) * np.eye(X.shape[1])])
        return np.linalg.lstsq(rows, np.concatenate([y, np.zeros(X.shape[1])]), rcond=None)[0]
        """,
        """
        U, s, Vt = np.linalg.svd(X, full_matrices=False)
        return Vt.T @ (s / (s**2 + lam) * (U.T @ y))
        """,
        "np.linalg.inv(X.T @ X + lam * np.identity(X.shape[1])) @ X.T @ y",
        "X.T @ np.linalg.solve(X @ X.T + lam * np.eye(len(y)), y)",
        "np.linalg.pinv(X.T.dot(X) + np.diag([lam] * X.shape[1])).dot(X.T.dot(y))",
        """
        X, y = X.astype(np.float32), y.astype(np.float32)
        A = X.T @ X + np.float32(lam) * np.eye(X.shape[1], dtype=np.float32)
        return (np.linalg.inv(A) @ (X.T @ y)).tolist()
        """,
        """
        A = X.T @ X
        A[np.diag_indices_from(A)] += lam
        values, vectors = np.linalg.eigh(A)
        return vectors @ ((vectors.T @ (X.T @ y)) / values)
        """,
    ),
)


def _map_cases(rng: np.random.Generator) -> Iterator[Case]:
    for low, high in ((0.2, 5), (1.5, 5), (0.2, 0.8), (5, 200)):
        noise, prior = (float(value) for value in rng.uniform(low, high, 2))
        yield Case((noise, prior), f"variances {noise:.3g} and {prior:.3g}")


MAP_LAMBDA = Task(
    "map_lambda(noise_variance, prior_variance)",
    reference=reference.map_lambda,
    section="Where the strength comes from",
    hints=(
        "More noise, or a narrower prior: should the penalty be stronger or weaker?",
        "Write down the negative logarithm of the posterior, and multiply it so that the factor "
        "before |X w - y|² is 1.",
    ),
    model="""
        ratio = noise_variance / prior_variance
        return ratio
    """,
    aspects=(
        Aspect(
            "value", "ridge with it finds the most probable w", Comparison(_map_cases, "lambda")
        ),
    ),
    mistakes=(
        Mistake(
            "ratio upside down",
            "With it, noisier data would be trusted more.",
            "More noise should mean a stronger penalty.",
        ).written(("noise_variance / prior_variance", "prior_variance / noise_variance")),
        Mistake(
            "square root taken",
            "The arguments are variances; their ratio needs no root.",
            "Write down the negative logarithm of the posterior.",
        ).written(("return ratio", "return np.sqrt(ratio)")),
        Mistake(
            "variances squared",
            "The arguments are variances already, not standard deviations.",
            "Write down the negative logarithm of the posterior.",
        ).written(("return ratio", "return ratio**2")),
        Mistake(
            "1/2 not cancelled",
            "Both terms of the negative log-posterior carry a 1/2, which cancels.",
            "Multiply the whole negative logarithm by twice the noise variance.",
        ).written(("return ratio", "return ratio / 2"), ("return ratio", "return ratio * 2")),
        Mistake(
            "product for ratio",
            "The wider the prior, the stronger this penalty is; it should be weaker.",
            "Which lambda goes with a very narrow prior?",
        ).written(("noise_variance /", "noise_variance *")),
        Mistake(
            "a variance ignored",
            "Only the noise decides, or only the prior.",
            "Write down the negative logarithm of the posterior, with both variances.",
        ).written(("noise_variance /", "1 /"), ("/ prior_variance", "")),
    ),
    right=(
        "noise_variance / prior_variance",
        "noise_variance * prior_variance**-1",
        "1 / (prior_variance / noise_variance)",
        "np.float32(noise_variance) / np.float32(prior_variance)",
        "np.divide([noise_variance], [prior_variance])",
        "(np.sqrt(noise_variance) / np.sqrt(prior_variance)) ** 2",
    ),
)

ASSIGNMENT = Assignment(
    Chapter(2, "L2", "02-l2"),
    L2_PENALTY,
    COMPUTE_COST_WITH_REGULARIZATION,
    BACKWARD_PROPAGATION_WITH_REGULARIZATION,
    RIDGE_CLOSED_FORM,
    MAP_LAMBDA,
    PENALIZED_STEP,
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
