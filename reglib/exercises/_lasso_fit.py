"""A program to mend: a lasso whose solution depends on the learning rate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._penalty_mistakes import (
    HARD_THRESHOLD,
    NO_RATE,
    OTHER_STEPS,
    SUBGRADIENT,
    THRESHOLD_FIRST,
    TWO_LEFT,
    UPHILL,
)
from reglib.exercises._task import Aspect, Task
from reglib.textbook import sparsity as reference


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    for (m, n), steps in (((12, 5), 1), ((9, 4), 25), ((6, 9), 3), ((15, 7), 8), ((9, 3), 400)):
        X, w = rng.standard_normal((m, n)), rng.choice([-2.0, -1.0, 1.0, 2.0], n)
        w[: n // 2] = 0
        y = X @ w + 0.3 * rng.standard_normal(m)
        lr, lam = float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.3, 0.6))
        text = f"X of shape ({m}, {n}), lam = {lam:.3g}, lr = {lr:.3g}, steps = {steps}"
        yield Case((X, y, lam, lr, steps), text, {"lam": lam, "lr": lr})


_GRADIENT, _SOFT = "X.T @ (X @ w - y) / len(y)", "w = soft_threshold(w, lr * lam)"
_STEP = f"w = w - lr * {_GRADIENT}"
LASSO_FIT = Task(
    "lasso_fit(X, y, lam, lr, steps)",
    reference=reference.lasso_fit,
    section="The proximal step",
    hints=(
        "The minimum of a cost does not know how long the steps are that lead to it. What does "
        "each line of the loop do when lr is halved?",
        "One round of the loop is the proximal_step of task 3, and the two parts of the cost take "
        "steps of the same length.",
    ),
    model=f"""
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            {_STEP}
            {_SOFT}
        return w
    """,
    aspects=(
        Aspect(
            "value",
            "the weights are those after so many proximal steps from 0, with exact zeros",
            Comparison(_cases, "the weights", exact_zeros=True),
        ),
    ),
    mistakes=(
        NO_RATE.written(("lr * lam)", "lam)")),
        THRESHOLD_FIRST.written(((_STEP, "w = w"), (_SOFT, f"{_SOFT}\n    {_STEP}"))),
        SUBGRADIENT.written(
            ((f"{_GRADIENT}", f"({_GRADIENT} + lam * np.sign(w))"), (_SOFT, "pass"))
        ),
        Mistake(
            "small weights cut off at the end",
            "Weights that are nearly 0 are set to 0 after the training; how near is near enough "
            "is a guess, and the penalty knows the answer.",
            "In which line of the loop do exact zeros come about?",
        ).written(
            (
                (f"{_GRADIENT}", f"({_GRADIENT} + lam * np.sign(w))"),
                (_SOFT, "pass"),
                ("return w", "return np.where(np.abs(w) < 0.05, 0, w)"),
            ),
            (
                (_STEP, f"{_SOFT}\n    {_STEP}"),
                (f"\n    {_SOFT}\nreturn w", "\nreturn np.where(np.abs(w) < 0.05, 0, w)"),
            ),
        ),
        Mistake(
            "threshold only at the end",
            "The training knows nothing of the penalty, so the weights that stay are too large.",
            "Each step has two parts, of which the threshold is the second.",
        ).written(
            ((_SOFT, "pass"), ("return w", "return soft_threshold(w, lam)")),
            ((_SOFT, "pass"), ("return w", "return soft_threshold(w, lr * lam)")),
        ),
        Mistake(
            "no penalty at all",
            "The weights are those of least squares; none is 0.",
            "Which line of the loop is the penalty's?",
        ).written((_SOFT, "pass")),
        HARD_THRESHOLD.written((_SOFT, "w = np.where(np.abs(w) > lr * lam, w, 0)")),
        Mistake(
            "1/m missing in the data's gradient",
            "The cost is a mean over m examples, and so is its gradient.",
            "Compare the gradient with the cost of the task: where does m stand?",
        ).written((" / len(y)", "")),
        TWO_LEFT.written((" / len(y)", " * 2 / len(y)")),
        Mistake(
            "penalty divided by m",
            "In the cost of this task lambda stands alone; only the squares are a mean.",
            "Compare the two terms of the cost.",
        ).written(("lr * lam)", "lr * lam / len(y))")),
        UPHILL.written(("w - lr", "w + lr")),
        Mistake(
            "begun elsewhere than at 0",
            "After few steps the weights still tell where they began.",
            "Which weights does the task begin with?",
        ).written(
            ("np.zeros(", "np.ones("),
            ("np.zeros(X.shape[1])", "np.random.default_rng(0).normal(size=X.shape[1])"),
            ("np.zeros(X.shape[1])", "X.T @ y / len(y)"),
        ),
        Mistake(
            "stopped before its last step",
            "The loop ends as soon as the weights hardly move, and not after so many steps.",
            "How many steps does the task ask for?",
        ).written(
            *(
                (
                    (_STEP, f"old = w\n    {_STEP}"),
                    (_SOFT, f"{_SOFT}\n    if np.abs(w - old).max() < {least}:\n        break"),
                )
                for least in ("1e-2", "1e-3", "1e-4")
            )
        ),
        Mistake(
            "weights shrunk in proportion",
            "lam * w is the gradient of an L2 penalty, which makes weights small and none 0.",
            "By how much does the L1 penalty move a weight of 0.1, and one of 10?",
        ).written(
            ((_GRADIENT, f"({_GRADIENT} + lam * w)"), (_SOFT, "pass")),
            (_SOFT, "w = w / (1 + lr * lam)"),
        ),
        Mistake(
            "features counted for examples",
            "The squares are averaged over the examples, which are the rows of X.",
            "What is X.shape[0], and what is X.shape[1]?",
        ).written((" / len(y)", " / X.shape[1]"), (" / len(y)", " / X.size")),
        OTHER_STEPS.written(
            ("range(steps)", "range(steps + 1)"), ("range(steps)", "range(1, steps)")
        ),
    ),
    right=(
        """
        w = 0 * X[0]
        for _ in range(steps):
            w = proximal_step(w, np.mean((X @ w - y)[:, None] * X, axis=0), lr, lam)
        return w
        """,
        """
        G, c, w = X.T @ X / X.shape[0], X.T @ y / X.shape[0], np.zeros(X.shape[1])
        for _ in range(steps):
            w -= lr * (G @ w - c)
            w = np.sign(w) * np.maximum(np.abs(w) - lam * lr, 0)
        return w.tolist()
        """,
        """
        w = np.zeros(X.shape[1])
        for _ in range(steps):
            w = soft_threshold(w, lr * lam)
            w = w - lr * X.T @ (X @ w - y) / len(y)
        return soft_threshold(w, lr * lam)
        """,
        """
        X, y = X.astype("float32"), y.astype("float32")
        w, rate = np.zeros(X.shape[1], "float32"), np.float32(lr)
        for _ in range(steps):
            v = w - rate * (X.T @ (X @ w - y)) / np.float32(len(y))
            w = v - np.clip(v, -rate * np.float32(lam), rate * np.float32(lam))
        return w
        """,
        """
        w = [0.0] * X.shape[1]
        for _ in range(steps):
            error = X @ np.array(w) - y
            v = [w[j] - lr * float(np.mean(error * X[:, j])) for j in range(len(w))]
            w = [max(x - lr * lam, 0) - max(-x - lr * lam, 0) for x in v]
        return w
        """,
    ),
    given={"proximal_step": reference.proximal_step, "soft_threshold": reference.soft_threshold},
)
