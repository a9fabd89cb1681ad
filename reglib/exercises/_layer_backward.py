"""A program to mend: five backward passes, four of them right."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._task import Aspect, Task
from reglib.textbook import gradients as reference


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    for kind in rng.permutation(reference.KINDS).tolist():
        m, features, units = (int(n) for n in rng.permutation([2, 3, 4]) + rng.integers(0, 2))
        # No sum over examples cancels, and no unit is saturated: an answer in float32 passes.
        x = rng.uniform(0.5, 2, (m, features)) * rng.choice([-1, 1], features)
        d = rng.uniform(0.5, 2, (m, units)) * rng.choice([-1, 1], units)
        W = rng.standard_normal((features, units))
        W *= 2 / np.abs(x @ W).max(axis=0)
        yield Case((kind, d, x, W), f"{kind}, {m} examples, {features} inputs and {units} units")


_SLOPES = {
    "identity": "np.ones_like(z)",
    "relu": "z > 0",
    "sigmoid": "s * (1 - s)",
    "tanh": "1 - np.tanh(z) ** 2",
    "softplus": "s",
}
_ROWS = {kind: f'"{kind}": {slope},' for kind, slope in _SLOPES.items()}


def _with(kind: str, slope: str) -> tuple[str, str]:
    return _ROWS[kind], f'"{kind}": {slope},'


_RETURN = "x.T @ (d * slope)"
LAYER_BACKWARD = Task(
    "layer_backward(kind, d, x, W)",
    reference=reference.layer_backward,
    section="Kinks, and a wrong gradient that passes",
    hints=(
        "All five passes are right where z is nearly 0. Check them where it is not.",
        "Your numerical_gradient of W -> sum(d * activation(x @ W)) tells which of the five is "
        "wrong. For that one, compare what the slope is a function of with what stands there.",
    ),
    model=f"""
        z = x @ W
        s = 1 / (1 + np.exp(-z))
        slopes = {{{" ".join(_ROWS.values())}}}
        slope = slopes[kind]
        return {_RETURN}
    """,
    aspects=(
        Aspect(
            "value",
            "the gradient with respect to W is right for each of the five activations",
            Comparison(_cases, "the gradient"),
        ),
    ),
    mistakes=(
        Mistake(
            "slope of tanh from z instead of from tanh(z)",
            "The slope of tanh is 1 minus the square of its output. The square of its input is "
            "nearly the same near 0 and grows without limit elsewhere.",
            "Put z = 2 into both: what is the slope of tanh there?",
        ).written(_with("tanh", "1 - z**2")),
        Mistake(
            "tanh taken twice",
            "The formula wants the output of the layer, and got tanh of it.",
            "Is the thing that you square the layer's output?",
        ).written(_with("tanh", "1 - np.tanh(np.tanh(z)) ** 2")),
        Mistake(
            "square forgotten in the slope of tanh",
            "1 - tanh(z) is no slope of tanh: for large negative z it would be 2.",
            "Write tanh as a quotient and differentiate it.",
        ).written(_with("tanh", "1 - np.tanh(z)")),
        Mistake(
            "slope of tanh taken for that of the sigmoid",
            "t (1 - t) belongs to the sigmoid, whose values go from 0 to 1.",
            "What is the slope of tanh at 0?",
        ).written(_with("tanh", "np.tanh(z) * (1 - np.tanh(z))")),
        Mistake(
            "tanh's slope left out",
            "d is passed on as if the layer had no activation.",
            "The chain rule has a factor for each function on the way.",
        ).written(_with("tanh", "np.ones_like(z)")),
        Mistake(
            "one of the other four changed",
            "A pass that was right has become wrong.",
            "Check each of the five by itself before you change it.",
        ).written(
            _with("relu", "np.maximum(z, 0)"),
            _with("relu", "z < 0"),
            _with("relu", "np.where(z > 0, 1, 0.01)"),
            _with("sigmoid", "z * (1 - z)"),
            _with("sigmoid", "s"),
            _with("softplus", "s * (1 - s)"),
            _with("softplus", "np.log1p(np.exp(z))"),
            _with("identity", "z"),
        ),
        Mistake(
            "mean over the examples",
            "d is the gradient of the loss with respect to each output; a 1/m, if the loss has "
            "one, is in it already.",
            "How does a weight's slope follow from those of all examples?",
        ).written((_RETURN, f"{_RETURN} / len(x)")),
        Mistake(
            "d left out",
            "The result does not depend on what came from the layer above.",
            "The chain rule multiplies: which factor comes from above?",
        ).written((_RETURN, "x.T @ (1.0 * slope)")),
        Mistake(
            "slope left out",
            "All five activations are treated as if they were none.",
            "The chain rule has a factor for each function on the way.",
        ).written((_RETURN, "x.T @ d")),
    ),
    right=(
        """
        z = np.dot(x, W)
        if kind == "relu":
            dz = np.where(z > 0, d, 0)
        elif kind == "tanh":
            dz = d / np.cosh(z) ** 2
        elif kind == "identity":
            dz = d
        else:
            a = 1 / (1 + np.exp(-z))
            dz = d * a if kind == "softplus" else d * a * (1 - a)
        return np.dot(x.T, dz)
        """,
        """
        z = x @ W
        with np.errstate(over="ignore"):
            s = 1 / (1 + np.exp(-z))
        t = 2 / (1 + np.exp(-2 * z)) - 1
        slopes = {"relu": np.heaviside(z, 0), "tanh": (1 - t) * (1 + t), "softplus": s}
        slopes |= {"sigmoid": s - s**2, "identity": 1}
        return np.einsum("mi,mj->ij", x, d * slopes[kind])
        """,
        """
        def slope(z):
            if kind == "identity":
                return 1.0
            if kind == "relu":
                return float(z > 0)
            if kind == "tanh":
                return 1 - np.tanh(z) ** 2
            s = 1 / (1 + np.exp(-z))
            return s if kind == "softplus" else s * (1 - s)

        total = np.zeros(W.shape)
        for one, above in zip(x, d):
            slopes = [slope(z) for z in one @ W]
            total += np.outer(one, above * slopes)
        return total
        """,
        """
        x, W, d = np.float32(x), np.float32(W), np.float32(d)
        z = x @ W
        a = np.tanh(z)
        s = np.tanh(z / 2) / 2 + np.float32(0.5)
        kinds = ["identity", "relu", "sigmoid", "tanh", "softplus"]
        slopes = [z * 0 + 1, np.sign(z) / 2 + np.float32(0.5), s * (1 - s), 1 - a * a, s]
        return x.T @ (slopes[kinds.index(kind)] * d)
        """,
        """
        activation = {
            "identity": lambda z: z,
            "relu": lambda z: np.maximum(z, 0),
            "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
            "tanh": np.tanh,
            "softplus": lambda z: np.log1p(np.exp(z)),
        }[kind]
        z, h = x @ W, 1e-6
        return (((activation(z + h) - activation(z - h)) / (2 * h) * d).T @ x).T.tolist()
        """,
    ),
)
