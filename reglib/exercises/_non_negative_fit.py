"""A program to mend: least squares without negative weights, whose constraint comes too late."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._penalty_mistakes import OTHER_STEPS, TWO_LEFT, UPHILL
from reglib.exercises._task import Aspect, Task
from reglib.textbook import weight_decay as reference


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield fits whose second weight is 0 at first and comes back once the first has grown."""
    for (m, n), steps in (((12, 5), 1), ((40, 4), 30), ((6, 7), 3), ((50, 3), 40)):
        X, w = rng.standard_normal((m, n)), rng.choice([-1, 1], n) * rng.uniform(1, 2, n)
        X[:, 1] = 0.3 * X[:, 1] - 0.9 * X[:, 0]
        w[:2] = (3, 1.5)
        y, lr = X @ w + 0.3 * rng.standard_normal(m), float(rng.uniform(0.15, 0.25))
        text = f"X of shape ({m}, {n}), lr = {lr:.3g}, steps = {steps}"
        yield Case((X, y, lr, steps), text, {"lr": lr})


_GRADIENT, _PROJECT = "X.T @ (X @ w - y) / len(y)", "w = np.maximum(w, 0)"
_STEP = f"w = w - lr * {_GRADIENT}"
NON_NEGATIVE_FIT = Task(
    "non_negative_fit(X, y, lr, steps)",
    reference=reference.non_negative_fit,
    section="Constraints: put back to the nearest point",
    hints=(
        "When one weight may not be negative, the others have to make up for it. When do they "
        "learn of it?",
        "One round of the loop is a gradient step, and then the nearest weights that are allowed.",
    ),
    model=f"""
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            {_STEP}
            {_PROJECT}
        return w
    """,
    aspects=(
        Aspect(
            "value",
            "the weights are those after so many projected gradient steps from 0, none negative",
            Comparison(_cases, "the weights"),
        ),
    ),
    mistakes=(
        Mistake(
            "projected only at the end",
            "The training knows nothing of the constraint; the weights that are left do not make "
            "up for those that are cut off.",
            "What would the other weights do if they knew that one of them is 0?",
        ).written(((f"\n    {_PROJECT}\nreturn w", "\nreturn np.maximum(w, 0)"),)),
        Mistake(
            "projection before the gradient step",
            "The last gradient step can leave the allowed set again.",
            "Which of the two must have the last word?",
        ).written(((_STEP, "w = w"), (_PROJECT, f"{_PROJECT}\n    {_STEP}"))),
        Mistake(
            "no projection",
            "The weights are those of plain least squares, with negative ones among them.",
            "Which line of the loop keeps w at or above 0?",
        ).written((_PROJECT, "pass")),
        Mistake(
            "absolute value for projection",
            "A negative weight is turned into a positive one; the nearest allowed one is 0.",
            "Which number that is not negative is nearest to -2?",
        ).written((_PROJECT, "w = np.abs(w)")),
        Mistake(
            "gradient projected",
            "The gradient loses its negative entries, and it is the weights that may not have any.",
            "Which quantity is constrained?",
        ).written(
            ((_STEP, f"w = w + lr * np.maximum(-{_GRADIENT}, 0)"), (_PROJECT, "pass")),
        ),
        Mistake(
            "positive weights cut off",
            "No weight is above 0.",
            "np.minimum takes the smaller of two.",
        ).written(("np.maximum", "np.minimum")),
        Mistake(
            "once 0, always 0",
            "A weight that has been 0 can never come back, although its gradient may ask for it.",
            "What does the projection do to a weight that is 0 and whose gradient is negative?",
        ).written(
            (
                ("w = np.zeros(X.shape[1])", "w, free = np.zeros(X.shape[1]), True"),
                (_PROJECT, "free = free & (w > 0)\n    w = np.where(free, w, 0)"),
            )
        ),
        Mistake(
            "begun elsewhere than at 0",
            "After few steps the weights still tell where they began.",
            "Which weights does the task begin with?",
        ).written(("np.zeros(", "np.ones("), ("np.zeros(X.shape[1])", "np.full(X.shape[1], 0.01)")),
        Mistake(
            "weights cut off above as well",
            "There is one limit, and it is below.",
            "How large may a weight be?",
        ).written((_PROJECT, "w = np.clip(w, 0, 1)")),
        Mistake(
            "1/m missing in the gradient",
            "The cost is a mean over m examples, and so is its gradient.",
            "Compare the gradient with the cost of the task: where does m stand?",
        ).written((" / len(y)", "")),
        TWO_LEFT.written((" / len(y)", " * 2 / len(y)")),
        UPHILL.written(("w - lr", "w + lr")),
        OTHER_STEPS.written(
            ("range(steps)", "range(steps + 1)"), ("range(steps)", "range(1, steps)")
        ),
    ),
    right=(
        """
        w = 0 * X[0]
        for _ in range(steps):
            w = np.clip(w - lr * np.mean((X @ w - y)[:, None] * X, axis=0), 0, None)
        return w
        """,
        """
        G, c, w = X.T @ X / X.shape[0], X.T @ y / X.shape[0], np.zeros(X.shape[1])
        for _ in range(steps):
            w -= lr * (G @ w - c)
            w[w < 0] = 0
        return w.tolist()
        """,
        """
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            w = np.maximum(w, 0)
            w = w - lr * X.T @ (X @ w - y) / len(y)
        return np.maximum(w, 0)
        """,
        """
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            v = w - lr * X.T @ (X @ w - y) / len(y)
            w = np.where(v > 0, v, 0)
        return w
        """,
        """
        w = [0.0] * X.shape[1]
        for _ in range(steps):
            error = X @ np.array(w) - y
            w = [max(w[j] - lr * float(np.mean(error * X[:, j])), 0) for j in range(len(w))]
        return w
        """,
    ),
)
