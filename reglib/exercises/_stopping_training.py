"""A program to mend: a training that stops early and keeps weights that are not the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._stopping_mistakes import RULE_MISTAKES
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import stopping as reference

#: For each training: its validation losses epoch by epoch, patience, and how many epochs there are.
_TRAININGS = (
    ((5, 3, 4, 2, 3, 4, 5, 1), 3, 8),
    ((1, 2, 3, 4, 0), 2, 5),
    ((5, 4, 4.5, 3, 3.5, 2), 3, 6),
    ((3, 2, 2, 2, 4, 1), 2, 6),
    ((6, 2, 5, 4, 3, 4, 5, 1), 4, 8),
    ((5, 6, 4, 5, 3, 4, 2), 3, 7),
    ((4, 5, 6, 2, 3), 3, 5),
    ((4, 5, 3, 4, 2.5, 4, 1), 3, 6),
    ((4, 5, 3, 1), 1, 4),
)


def _cases(rng: np.random.Generator) -> Iterator[Case]:
    for ranks, patience, epochs in rng.permutation(np.array(_TRAININGS, dtype=object)).tolist():
        unit, lr = 2.0 ** rng.integers(-60, 6), float(rng.uniform(0.1, 0.4))
        losses = [unit * (rank + 1) for rank in ranks]
        start, goal = rng.standard_normal((2, int(rng.integers(2, 5))))
        told = ", ".join(f"{loss:.4g}" for loss in losses[:epochs])
        text = f"validation losses {told}, epochs = {epochs} and patience = {patience}"
        yield Case((start, goal, losses, lr, epochs, patience), text)


def _given(
    start: NDArray, goal: NDArray, losses: Sequence[float], lr: float, epochs: int, patience: int
) -> tuple[Any, ...]:
    """Return the arguments: a gradient that leads to a goal, and losses by how far w has come."""

    def gradient(w: Any) -> NDArray:
        return np.asarray(w) - goal

    def loss(w: Any) -> float:
        epoch = _steps_taken(w, start, goal, lr)
        return losses[min(epoch, len(losses)) - 1] if epoch > 0 else losses[0] / 64

    return start, gradient, loss, lr, epochs, patience


def _steps_taken(w: Any, start: NDArray, goal: NDArray, lr: float) -> int:
    """Return how many steps lead to w: each leaves a share of 1 - lr of the way to the goal."""
    whole = start - goal
    left = (np.asarray(w, dtype=float) - goal) @ whole / (whole @ whole)
    return int(np.rint(np.log(max(left, 1e-6)) / np.log(1 - lr)))


def _kept(student: Student, *arguments: Any) -> NDArray:
    """Return the epoch whose weights come back."""
    start, goal, _, lr, *_ = arguments
    w = student.numbers(student(*_given(*arguments)), "the weights", start.shape)
    steps = _steps_taken(w, start, goal, lr)
    if not np.allclose(w, goal + (1 - lr) ** steps * (start - goal), rtol=1e-4, atol=1e-5):
        raise BrokenCall(Finding("the weights are those of no epoch", "those of the best epoch"))
    return np.array(steps - 1)


def _tell(epoch: NDArray) -> str:
    return f"the weights are those of epoch {epoch:.0f}" if epoch >= 0 else "no step was taken"


_RULE = {mistake.name: mistake for mistake in RULE_MISTAKES}
_STEP, _IMPROVED = "w = w - lr * gradient(w)", "current < best"
_BEST = "best = current if improved else best"
FIT_WITH_EARLY_STOPPING = Task(
    "fit_with_early_stopping(w, gradient, loss, lr, epochs, patience)",
    reference=reference.fit_with_early_stopping,
    section="The code",
    hints=(
        "Follow the losses of the printed training epoch by epoch: which weights are kept after "
        "each, and which number was the loss compared with?",
        "Three things are carried from epoch to epoch: the smallest loss so far, its weights, and "
        "how many epochs in a row were not better.",
    ),
    model=f"""
        best, kept, wait = np.inf, None, 0
        for _ in range(epochs):
            {_STEP}
            current = loss(w)
            improved = {_IMPROVED}
            kept = w.copy() if improved else kept
            wait = 0 if improved else wait + 1
            {_BEST}
            if wait >= patience:
                break
        return kept
    """,
    aspects=(
        Aspect(
            "value",
            "the weights are those of the epoch with the smallest loss, until patience ran out",
            Comparison(_cases, call=_kept, given=_given, tell=_tell),
        ),
    ),
    mistakes=(
        _RULE["compared with the previous epoch"].written((_BEST, "best = current")),
        Mistake(
            "small improvements not counted",
            "A loss that is smaller by little is smaller.",
            "The task has no min_delta.",
        ).written(
            *(
                (_IMPROVED, f"current < best - {least}")
                for least in ("1e-3", "1e-4", "1e-6", "1e-8")
            )
        ),
        Mistake(
            "the last weights, not the best",
            "What comes back are the weights of the last epoch. kept = w only gives an array a "
            "second name, and a step in place, such as w -= ..., goes on changing it.",
            "Keep a copy at the best epoch, and return what was kept.",
        ).written(
            ("return kept", "return w"),
            ((_STEP, "w -= lr * gradient(w)"), ("w.copy()", "w")),
        ),
        Mistake(
            "weights of another epoch than their loss",
            "The weights are kept before the step and their loss is measured after it, or the "
            "other way round.",
            "At the moment when you keep w, is current the loss of that very w?",
        ).written(
            (
                (_STEP, f"before = w\n    {_STEP}"),
                ("w.copy()", "before"),
            ),
        ),
        Mistake(
            "patience ignored to the end",
            "All epochs are trained, and the best of them all is kept: training does not stop.",
            "What should happen once patience epochs in a row were not better?",
        ).written(("break", "pass")),
        Mistake(
            "weights before training counted",
            "The loss before the first step takes part, so the weights may never be kept.",
            "The first epoch always improves.",
        ).written(("np.inf, None", "loss(w), w")),
        *(
            _RULE[name].written(*answers)
            for name, answers in (
                ("one epoch too late", [("wait >= patience", "wait > patience")]),
                ("one epoch too early", [("wait >= patience", "wait >= max(patience - 1, 1)")]),
                ("counter not reset", [("0 if improved", "wait if improved")]),
                ("patience ignored", [("wait >= patience", "wait >= 1")]),
                ("a plateau taken for progress", [(_IMPROVED, "current <= best")]),
                (
                    "larger taken for better",
                    [((_IMPROVED, "current > best"), ("np.inf", "-np.inf"))],
                ),
            )
        ),
    ),
    right=(
        """
        best, wait = float("inf"), 0
        for epoch in range(epochs):
            w -= lr * gradient(w)
            current = loss(w)
            if current < best:
                best, kept, wait = current, w.copy(), 0
            else:
                wait += 1
            if wait == patience:
                return kept
        return kept
        """,
        """
        losses, weights = [], []
        while len(losses) < epochs:
            w = w - lr * gradient(w)
            losses.append(loss(w))
            weights.append(w)
            if len(losses) - 1 - np.argmin(losses) >= patience:
                break
        return weights[np.argmin(losses)]
        """,
        """
        best_epoch, best, kept = 0, None, None
        for epoch in range(epochs):
            w = w - lr * np.asarray(gradient(w))
            current = loss(w.copy())
            if best is None or best > current:
                best_epoch, best, kept = epoch, current, w
            elif epoch - best_epoch >= patience:
                break
        return kept.tolist()
        """,
        """
        def train(w, epochs, kept, best, left):
            if epochs == 0 or left == 0:
                return kept
            w = w - lr * gradient(w)
            current = loss(w)
            if current < best:
                return train(w, epochs - 1, w, current, patience)
            return train(w, epochs - 1, kept, best, left - 1)

        return train(w, epochs, w, np.inf, patience)
        """,
        """
        w, records, wait = w.astype(np.float32), [], 0
        for _ in range(epochs):
            w = w - np.float32(lr) * gradient(w).astype(np.float32)
            current = loss(w)
            wait = wait + 1 if records and current >= records[-1][0] else 0
            if wait == 0:
                records.append((current, w))
            if wait >= patience:
                break
        return records[-1][1]
        """,
    ),
)
