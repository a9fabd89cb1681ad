"""A program to mend: a step of gradient descent whose penalty pulls at the biases, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._penalty_mistakes import (
    BIASES,
    FIRST_ONLY,
    HALF_IN_GRADIENT,
    NO_M,
    NO_PENALTY,
    PUSHED_AWAY,
    SIGN_FOR_WEIGHT,
    UPHILL,
)
from reglib.exercises._random_networks import draw_parameters, entries
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import shrinkage as reference


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    for widths in ((3, 4, 2), (5, 1), (2, 6, 3, 1), (4, 2, 3, 5, 2)):
        parameters = draw_parameters(rng, widths)
        gradients = {f"d{name}": rng.normal(size=W.shape) for name, W in parameters.items()}
        m, rate = int(rng.integers(3, 60)), float(rng.uniform(0.1, 0.6))
        lambd = float(m * rng.uniform(0.5, 2))
        text = f"{len(widths) - 1} layers, learning_rate = {rate:.3g}, lambd = {lambd:.3g}, m = {m}"
        quantities = {"lambd": lambd, "m": m}
        yield Case((parameters, gradients, rate, lambd, m), text, quantities)


def _updated(student: Student, parameters: Any, *more: Any) -> NDArray:
    """Return all parameters after the step, end to end."""
    found = student(parameters, *more)
    if not isinstance(found, dict):
        student.numbers(None if found is None else found, "the result", (len(parameters),))
        raise BrokenCall(Finding(f"{student.name} returned no dict", "a dict: W1, b1, ..."))
    parts = []
    for name, value in parameters.items():
        if name not in found:
            held = ", ".join(map(str, found)) or "nothing"
            raise BrokenCall(Finding(f"the dict holds {held}", f"it holds {name}"))
        parts.append(student.numbers(found[name], name, value.shape).ravel())
    return np.concatenate(parts)


def _places(parameters: Any, *_: Any) -> list[str]:
    return entries({name: value.shape for name, value in parameters.items()})


_PENALTY, _WEIGHTS = "lambd / m * value", ' if name.startswith("W") else 0'
_GRADIENT = 'learning_rate * (gradients["d" + name] + penalty)'
PENALIZED_STEP = Task(
    "penalized_step(parameters, gradients, learning_rate, lambd, m)",
    reference=reference.penalized_step,
    section="Cost and gradient",
    hints=(
        "With a strong penalty the weights should become small, and the mean prediction should "
        "still be right. Which parameter sets the mean?",
        "Differentiate the cost of task 2 with respect to each kind of parameter: where does the "
        "penalty add something?",
    ),
    model=f"""
        new = {{}}
        for name, value in parameters.items():
            penalty = {_PENALTY}{_WEIGHTS}
            new[name] = value - {_GRADIENT}
        return new
    """,
    aspects=(
        Aspect(
            "value",
            "the step goes down the gradient of the penalized cost, in which biases cost nothing",
            Comparison(_cases, "the new parameters", call=_updated, places=_places),
        ),
    ),
    mistakes=(
        BIASES.written((_WEIGHTS, "")),
        NO_PENALTY.written((_PENALTY, "0 * value")),
        Mistake(
            "biases penalized instead of weights",
            "The penalty pulls at the biases, and the weights are free to grow.",
            "Which of the two does the penalty of task 1 add up?",
        ).written(('"W"', '"b"')),
        NO_M.written(("lambd / m", "lambd")),
        HALF_IN_GRADIENT.written(("lambd / m", "lambd / (2 * m)"), ("lambd / m", "2 * lambd / m")),
        Mistake(
            "penalty without the learning rate",
            "The loss takes a step of the learning rate, and the penalty one of length 1.",
            "Both belong to one gradient: what is it multiplied by?",
        ).written((_GRADIENT, 'learning_rate * gradients["d" + name] - penalty')),
        Mistake(
            "penalty taken after the step",
            "The weights shrink after they have moved; the gradient of the penalty belongs to the "
            "weights as they were.",
            "Which weights does the penalty look at?",
        ).written(
            (
                (f"penalty = {_PENALTY}{_WEIGHTS}", "penalty = 0"),
                (
                    "\nreturn",
                    "\n    if name[0] == 'W':\n        new[name] *= 1 - learning_rate * lambd / m"
                    "\nreturn",
                ),
            )
        ),
        PUSHED_AWAY.written(("+ penalty", "- penalty")),
        SIGN_FOR_WEIGHT.written((_PENALTY, "lambd / m * np.sign(value)")),
        FIRST_ONLY.written(('name.startswith("W")', 'name == "W1"')),
        Mistake(
            "last layer without its penalty",
            "The layers are written down, and there are more of them here.",
            "Whatever begins with W is a weight matrix.",
        ).written(
            ('name.startswith("W")', 'name in ("W1", "W2")'),
            ('name.startswith("W")', 'name in ("W1", "W2", "W3")'),
        ),
        Mistake(
            "biases not trained",
            "Biases cost nothing, and they are learnt all the same.",
            "What does the step do with a parameter that is not penalized?",
        ).written(
            (_GRADIENT, f'({_GRADIENT}) * (name[0] == "W")'),
        ),
        UPHILL.written(("value - learning", "value + learning")),
    ),
    right=(
        """
        new, decay = {}, 1 - learning_rate * lambd / m
        for name in parameters:
            kept = decay if name[0] == "W" else 1
            new[name] = kept * parameters[name] - learning_rate * gradients["d" + name]
        return new
        """,
        """
        layers = len(parameters) // 2
        for layer in range(1, layers + 1):
            W, b = f"W{layer}", f"b{layer}"
            gradient = gradients[f"d{W}"] + lambd / m * parameters[W]
            parameters[W] = parameters[W] - learning_rate * gradient
            parameters[b] = parameters[b] - learning_rate * gradients[f"d{b}"]
        return parameters
        """,
        """
        for name, value in parameters.items():
            if "b" not in name:
                gradients["d" + name] += lambd * value / m
            value -= learning_rate * gradients["d" + name]
        return parameters
        """,
        """
        new = {}
        for name, value in parameters.items():
            step = gradients["d" + name].astype("float32")
            if name.startswith("W"):
                step += np.float32(lambd / m) * value.astype("float32")
            new[name] = (value - np.float32(learning_rate) * step).tolist()
        return new
        """,
        """
        stepped = {k: v - learning_rate * gradients["d" + k] for k, v in parameters.items()}
        pulled = {k: learning_rate * lambd * v / m for k, v in parameters.items() if "W" in k}
        return {k: v - pulled.get(k, 0) for k, v in stepped.items()}
        """,
    ),
)
