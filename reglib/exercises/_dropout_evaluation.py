"""A program to mend: the cost of a network that was trained with dropout, measured with it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison, show
from reglib.exercises._findings import Mistake
from reglib.exercises._random_networks import draw_network
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import dropout as reference
from reglib.textbook.network import compute_cost, relu, sigmoid


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    sizes = ((3, 16, 10, 1), 20), ((5, 12, 18, 3), 9), ((2, 20, 15, 2), 1), ((4, 9, 14, 1), 14)
    for widths, m in sizes:
        X, Y, parameters = draw_network(rng, widths, m)
        keep_prob = float(rng.uniform(0.4, 0.8))
        text = f"hidden layers of {widths[1]} and {widths[2]}, m = {m}, keep_prob = {keep_prob:.3g}"
        yield Case((X, Y, parameters, keep_prob, rng.integers(2**62)), text)


def _given(X: Any, Y: Any, parameters: Any, keep_prob: float, seed: int) -> tuple[Any, ...]:
    return X, Y, parameters, keep_prob, np.random.default_rng(seed)


def _costs(student: Student, *arguments: Any) -> NDArray:
    """Return what two evaluations in a row give."""
    given = _given(*arguments)
    return np.array([student.numbers(student(*given), "the cost", ()) for _ in range(2)])


def _tell(costs: NDArray) -> str:
    first, second = map(show, costs)
    return f"the cost is {first}" + f", and {second} when asked again" * (first != second)


MASKS_ON = Mistake(
    "dropout left on at evaluation",
    "Units are still dropped, so the same network has another cost at every call, and a worse one.",
    "Dropout is noise for training. What should stand in its place when a trained network is used?",
)
_A = 'A = relu(parameters[f"W{layer}"] @ A + parameters[f"b{layer}"])'
_DROPPED = "A * (rng.random(A.shape) < keep_prob) / keep_prob"
_SEEDED = _DROPPED.replace("rng.", "np.random.default_rng({seed}).")
_WITH_MASKS = (_A, f"{_A}\n    A = {_DROPPED}")

EVALUATION_COST = Task(
    "evaluation_cost(X, Y, parameters, keep_prob, rng)",
    reference=reference.evaluation_cost,
    section="The mathematics",
    hints=(
        "Nothing is trained between two calls. What differs in them, and should it?",
        "The network is used as it is: every unit counts, as large as the layer before makes it.",
    ),
    model=f"""
        A = X
        for layer in (1, 2):
            {_A}
        A3 = sigmoid(parameters["W3"] @ A + parameters["b3"])
        return compute_cost(A3, Y)
    """,
    aspects=(
        Aspect(
            "value",
            "the cost is that of the whole network, the same at every call",
            Comparison(
                _cases,
                call=_costs,
                given=_given,
                tell=_tell,
                betrays=lambda costs, *_: MASKS_ON if costs[0] != costs[1] else None,
            ),
        ),
    ),
    mistakes=(
        MASKS_ON.written(
            _WITH_MASKS,
            (_A, f"{_A}\n    A = {_DROPPED} if layer == 1 else A"),
            (_A, f"{_A}\n    A = {_DROPPED} if layer == 2 else A"),
            (_A, f"{_A}\n    A = A * (rng.random(A.shape) < keep_prob)"),
        ),
        Mistake(
            "a seed that hides the masks",
            "The cost is the same at every call now, because the same units are dropped: it is "
            "that of a part of the network.",
            "Two equal numbers can both be wrong. Which units should count?",
        ).written(
            *((_A, f"{_A}\n    A = {_SEEDED.format(seed=seed)}") for seed in (0, 1, 42)),
            (("A = X", "A, rng = X, np.random.default_rng(0)"), _WITH_MASKS),
        ),
        Mistake(
            "mask gone, its scaling left",
            "The division by keep_prob makes up for units that were dropped. None is dropped now, "
            "so every activation comes out too large.",
            "What was the division by keep_prob there for?",
        ).written((_A, f"{_A} / keep_prob")),
        Mistake(
            "scaled for evaluation as well",
            "The activations are multiplied by keep_prob, as the first paper on dropout does it. "
            "Here training has divided by keep_prob already.",
            "Compare the mean of a layer in training with its mean without dropout.",
        ).written((_A, f"{_A} * keep_prob")),
    ),
    right=(
        """
        P = parameters
        A1 = np.maximum(0, np.dot(P["W1"], X) + P["b1"])
        A2 = np.maximum(0, np.dot(P["W2"], A1) + P["b2"])
        A3 = 1 / (1 + np.exp(-(np.dot(P["W3"], A2) + P["b3"])))
        return -np.mean(np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3), axis=0))
        """,
        """
        keep_prob, A = 1.0, X
        for layer in (1, 2):
            A = relu(parameters[f"W{layer}"] @ A + parameters[f"b{layer}"])
            A = A * (rng.random(A.shape) < keep_prob) / keep_prob
        return compute_cost(sigmoid(parameters["W3"] @ A + parameters["b3"]), Y)
        """,
        """
        A = np.asarray(X, dtype=np.float32)
        for layer, activation in enumerate((relu, relu, sigmoid), start=1):
            W, b = (parameters[kind + str(layer)].astype(np.float32) for kind in "Wb")
            A = activation(W @ A + b)
        return [compute_cost(A, Y)]
        """,
        """
        def Z(layer):
            below = relu(Z(layer - 1)) if layer > 1 else X
            return parameters[f"W{layer}"] @ below + parameters[f"b{layer}"]

        return compute_cost(sigmoid(Z(3)), Y)
        """,
        """
        costs = []
        for j in range(X.shape[1]):
            A1 = relu(parameters["W1"] @ X[:, [j]] + parameters["b1"])
            A2 = relu(parameters["W2"] @ A1 + parameters["b2"])
            costs.append(compute_cost(sigmoid(parameters["W3"] @ A2 + parameters["b3"]), Y[:, [j]]))
        return np.mean(costs)
        """,
    ),
    given={"compute_cost": compute_cost, "relu": relu, "sigmoid": sigmoid},
)
