"""The gradients of a cost with an L2 penalty: assignment 2's contract with the most ways to err."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._penalty_mistakes import (
    BIASES,
    DIVISION,
    ENTRIES,
    HALF_IN_GRADIENT,
    NO_LAMBDA,
    NO_M,
    NO_PENALTY,
    PUSHED_AWAY,
    ROWS,
    SIGN_FOR_WEIGHT,
    without_penalty,
)
from reglib.exercises._random_networks import entries
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import shrinkage as reference
from reglib.textbook.network import backward_propagation, compute_cost, forward_propagation


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    for widths, m in (((3, 4, 5, 1), 8), ((2, 6, 3, 2), 12), ((5, 3, 4, 3), 1), ((4, 3, 2, 1), 6)):
        m = int(rng.integers(m // 2, m) + 1)
        lambd, parameters = float(m * rng.uniform(0.5, 2) + 1), {}
        for layer in (1, 2, 3):  # no small weights: what lambd adds stands out in float32
            shape = (widths[layer], widths[layer - 1])
            signs = rng.choice([-1.0, 1.0], shape)
            parameters[f"W{layer}"] = signs * rng.uniform(0.2, 0.6, shape)
            parameters[f"b{layer}"] = rng.uniform(-0.2, 0.3, (widths[layer], 1))
        X, Y = rng.normal(0, 0.5, (widths[0], m)), rng.integers(0, 2, (widths[-1], m))
        _, cache = forward_propagation(X, parameters)
        text = f"m = {m} and lambd = {lambd:.3g}"
        yield Case((X, Y, cache, lambd), text, {"m": m, "lambd": lambd})


def _shapes(cache: Any) -> dict[str, tuple[int, ...]]:
    names = [f"d{kind}{layer}" for layer in (1, 2, 3) for kind in "ZAWb"]
    shapes = dict(zip(names, map(np.shape, cache), strict=True))
    return {name: shape for name, shape in shapes.items() if name[1] in "Wb"}


def _gradients(student: Student, X: Any, Y: Any, cache: Any, lambd: float) -> NDArray:
    """Return all gradients end to end."""
    found, parts = student(X, Y, cache, lambd), []
    if found is None:
        student.numbers(None, "the result")
    if not isinstance(found, dict):
        came = f"{student.name} returned a {type(found).__name__}"
        raise BrokenCall(Finding(came, "a dict of gradients: dW1, db1, dW2, ..."))
    for name, shape in _shapes(cache).items():
        if name not in found:
            held = ", ".join(map(str, found)) or "nothing"
            raise BrokenCall(Finding(f"the dict holds {held}", f"it holds {name}"))
        parts.append(student.numbers(found[name], name, shape).ravel())
    return np.concatenate(parts)


def _added(student: Student, X: Any, Y: Any, cache: Any, lambd: float) -> NDArray:
    """Return what lambd adds to the gradients."""
    with_it = _gradients(student, X, Y, cache, lambd)
    return with_it - _gradients(student, X, Y, cache, 0.0)


def _places(X: Any, Y: Any, cache: Any, lambd: float) -> list[str]:
    return entries(_shapes(cache))


_M, _FACTOR, _SUM = "m = X.shape[1]", "lambd / m", "np.sum(dZ, axis=1, keepdims=True) / m"
BACKWARD_PROPAGATION_WITH_REGULARIZATION = Task(
    "backward_propagation_with_regularization(X, Y, cache, lambd)",
    reference=reference.backward_propagation_with_regularization,
    section="Cost and gradient",
    hints=(
        "With lambd = 0 these are the gradients of the cross-entropy: get them right first.",
        "Differentiate the penalty with respect to one weight. To which of the six gradients does "
        "that add something?",
    ),
    model=f"""
        Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3 = cache
        {_M}
        dZ3 = A3 - Y
        dZ2 = W3.T @ dZ3 * (A2 > 0)
        dZ1 = W2.T @ dZ2 * (A1 > 0)
        gradients = {{}}
        for layer, dZ, A, W, b in ((1, dZ1, X, W1, b1), (2, dZ2, A1, W2, b2), (3, dZ3, A2, W3, b3)):
            gradients[f"dW{{layer}}"] = dZ @ A.T / m + {_FACTOR} * W
            gradients[f"db{{layer}}"] = {_SUM}
        return gradients
    """,
    aspects=(
        Aspect(
            "data",
            "with lambd = 0 the gradients are those of the cross-entropy",
            Comparison(
                lambda rng: without_penalty(_cases(rng)),
                "the gradients without a penalty",
                call=_gradients,
                places=_places,
            ),
        ),
        Aspect(
            "penalty",
            "lambd adds the gradient of the L2 penalty to each dW, and nothing to db",
            Comparison(_cases, "what lambd adds to the gradients", call=_added, places=_places),
        ),
    ),
    mistakes=(
        BIASES.written((_SUM, f"{_SUM} + {_FACTOR} * b")),
        NO_M.written((_FACTOR, "lambd")),
        HALF_IN_GRADIENT.written(
            ("lambd", "lambd / 2"),
            ("lambd", "2 * lambd"),
            *((" + lambd", f" + (1 - (layer == {layer}) / 2) * lambd") for layer in (1, 2, 3)),
        ),
        Mistake(
            "1/m in the wrong place",
            "The penalty's gradient is divided by m twice, as happens where it sits inside "
            "parentheses that are divided by m.",
            "Write the data's gradient and the penalty's as two terms, each with its own 1/m.",
        ).written(("lambd", "lambd / m")),
        Mistake(
            "a layer without its penalty",
            "The weights of every layer are in the cost, so each dW has a term of the penalty.",
            "Compare your lines for dW1, dW2 and dW3.",
        ).written(
            *[
                (" + lambd", f" + (layer in {layers}) * lambd")
                for layers in ((1,), (2,), (3,), (1, 2), (1, 3), (2, 3))
            ]
        ),
        PUSHED_AWAY.written(("lambd", "-lambd")),
        SIGN_FOR_WEIGHT.written(("* W\n", "* np.sign(W)\n")),
        Mistake(
            "square left in the gradient",
            "The squares of the weights are added, so a negative weight is pushed away from 0.",
            "What is the derivative of the square of a weight?",
        ).written(("* W\n", "* W**2\n")),
        Mistake(
            "the penalty for its gradient",
            "A sum of squares is added to every entry; the gradient tells of each weight alone.",
            "Differentiate the penalty with respect to one weight: what is left of the sum?",
        ).written(
            ("* W\n", "* np.sum(W**2)\n"),
            ("* W\n", "* sum(np.sum(W**2) for W in (W1, W2, W3))\n"),
        ),
        NO_PENALTY.written((f" + {_FACTOR} * W", "")),
        NO_LAMBDA.written((_FACTOR, "1 / m")),
        DIVISION.written((_FACTOR, "lambd / 2 * m")),
        ROWS.written(
            (_M, "m = Y.shape[0]"),
            (_M, "m = X.shape[0]"),
            ("/ m * W", "/ Y.shape[0] * W"),
            ("/ m * W", "/ X.shape[0] * W"),
        ),
        ENTRIES.written(
            (_M, "m = Y.size"),
            (_M, "m = X.size"),
            ("/ m * W", "/ Y.size * W"),
            ("/ m * W", "/ X.size * W"),
        ),
        Mistake(
            "1/m missing in the data's gradient",
            "The cost is a mean over m examples, and so is its gradient, in dW and in db.",
            "Divide by the number of columns.",
        ).written(
            (("/ m +", "+"), ("keepdims=True) / m", "keepdims=True)")),
            ("/ m +", "+"),
            ("keepdims=True) / m", "keepdims=True)"),
        ),
        Mistake(
            "db added up over the units",
            "Each unit has its own bias, and the gradient of a bias is a sum over the examples.",
            "Along which axis of dZ are the examples?",
        ).written(
            (_SUM, "np.full(b.shape, np.sum(dZ)) / m"),
            (_SUM, "0 * b + np.mean(dZ)"),
        ),
        Mistake(
            "derivative of ReLU forgotten",
            "A gradient flows through units whose input was negative.",
            "Multiply dA by 1 where A is positive and by 0 elsewhere.",
        ).written(
            ((" * (A2 > 0)", ""), (" * (A1 > 0)", "")), (" * (A2 > 0)", ""), (" * (A1 > 0)", "")
        ),
        Mistake(
            "another derivative than that of ReLU",
            "dA is multiplied by A itself, or by the derivative of tanh or of the sigmoid.",
            "The derivative of ReLU is 1 where A is positive and 0 elsewhere.",
        ).written(
            (("(A2 > 0)", "A2"), ("(A1 > 0)", "A1")),
            (("(A2 > 0)", "(1 - A2**2)"), ("(A1 > 0)", "(1 - A1**2)")),
            (("(A2 > 0)", "(A2 * (1 - A2))"), ("(A1 > 0)", "(A1 * (1 - A1))")),
        ),
        Mistake(
            "derivative of the sigmoid once more",
            "A3 - Y is the gradient behind the sigmoid already: its derivative has cancelled.",
            "The task says what dZ3 is.",
        ).written(("A3 - Y", "(A3 - Y) * A3 * (1 - A3)")),
        Mistake(
            "Y - A3 for A3 - Y",
            "Every gradient points the other way, so the cost would grow.",
            "The task says what dZ3 is.",
        ).written(("A3 - Y", "Y - A3")),
    ),
    right=(
        """
        gradients, dZ, A = {}, cache[9] - Y, (X, cache[1], cache[5])
        for layer, W in ((3, cache[10]), (2, cache[6]), (1, cache[2])):
            below = A[layer - 1]
            gradients[f"dW{layer}"] = (dZ @ below.T + lambd * W) / Y.shape[1]
            gradients[f"db{layer}"] = np.mean(dZ, axis=1, keepdims=True)
            gradients[f"dA{layer - 1}"] = dA = W.T @ dZ
            dZ = np.where(below > 0, dA, 0)
        return gradients
        """,
        """
        gradients = backward_propagation(X, Y, cache)
        for layer in (1, 2, 3):
            gradients[f"dW{layer}"] += (lambd / X.shape[1]) * cache[4 * layer - 2]
        return {k: v.tolist() for k, v in gradients.items() if "Z" not in k}
        """,
        """
        m, (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3) = Y.shape[1], cache
        dZ3 = A3 - Y
        dZ2 = np.multiply(np.dot(W3.T, dZ3), np.int64(A2 > 0))
        dZ1 = np.array(np.dot(W2.T, dZ2), copy=True)
        dZ1[Z1 <= 0] = 0
        dW3 = 1.0 / m * np.dot(dZ3, A2.T) + (lambd * W3) / m
        dW2 = 1.0 / m * np.dot(dZ2, A1.T) + (lambd * W2) / m
        dW1 = 1.0 / m * np.dot(dZ1, X.T) + (lambd * W1) / m
        db = [1.0 / m * np.sum(dZ, axis=1, keepdims=True) for dZ in (dZ1, dZ2, dZ3)]
        return {"dW3": dW3, "dW2": dW2, "dW1": dW1, "db1": db[0], "db2": db[1], "db3": db[2]}
        """,
        """
        X, Y, cache = X.astype("float32"), Y.astype("float32"), [a.astype("float32") for a in cache]
        dZ, share, gradients = cache[9] - Y, np.float32(1 / X.shape[1]), {}
        for layer in (3, 2, 1):
            below, W = cache[4 * layer - 7] if layer > 1 else X, cache[4 * layer - 2]
            gradients[f"dW{layer}"] = share * (dZ @ below.T) + np.float32(lambd) * share * W
            gradients[f"db{layer}"] = share * dZ.sum(axis=1, keepdims=True)
            dZ = np.sign(below) * (W.T @ dZ)
        return gradients
        """,
        """
        A, W, m = (X, cache[1], cache[5]), (cache[2], cache[6], cache[10]), X.shape[1]
        found = {f"dW{i + 1}": lambd * W[i] / m for i in range(3)} | {"db1": 0, "db2": 0, "db3": 0}
        for j in range(m):
            d = cache[9][:, [j]] - Y[:, [j]]
            for i in (2, 1, 0):
                found[f"dW{i + 1}"] += d @ A[i][:, [j]].T / m
                found[f"db{i + 1}"] += d / m
                d = W[i].T @ d * (A[i][:, [j]] > 0)
        return found
        """,
    ),
    given={
        "backward_propagation": backward_propagation,
        "compute_cost": compute_cost,
        "forward_propagation": forward_propagation,
    },
)
