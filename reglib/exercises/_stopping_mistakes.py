"""Mistakes in the rule of early stopping, as a function makes them and as a class does."""

from __future__ import annotations

import re
from typing import Any

from reglib.exercises._findings import Mistake

_STOP = "wait >= patience"
#: Mistakes in the rule, written as edits of stop_epoch; the class has the same lines on self.
RULE_MISTAKES = (
    Mistake(
        "one epoch too late",
        "Training goes on for patience + 1 epochs without improvement: > where >= is meant.",
        "With patience = 1, the first epoch that does not improve is the last.",
    ).written((_STOP, "wait > patience")),
    Mistake(
        "one epoch too early",
        "The best epoch itself is counted as one without improvement.",
        "Start counting at the first epoch that is not better.",
    ).written((_STOP, "wait >= patience - 1"), (_STOP, "wait >= max(patience - 1, 1)")),
    Mistake(
        "counter not reset",
        "The epochs without improvement are counted over the whole training, not in a row.",
        "What should happen to the counter when the loss improves?",
    ).written(("0 if improved", "wait if improved")),
    Mistake(
        "compared with the previous epoch",
        "A loss that only falls back after a peak counts as progress.",
        "Compare with the best loss so far.",
    ).written(("loss if improved else best", "loss")),
    Mistake(
        "patience ignored",
        "Training stops at the first epoch that does not improve; validation losses are noisy.",
        "Count the epochs without improvement and compare the count with patience.",
    ).written((_STOP, "wait >= 1")),
    Mistake(
        "a plateau taken for progress",
        "A loss equal to the best one resets the counter, so a flat curve never stops.",
        "Better means smaller, not smaller or equal.",
    ).written(("loss < best", "loss <= best")),
    Mistake(
        "larger taken for better",
        "A loss is better when it is smaller.",
        "Look at the direction of your comparison.",
    ).written(
        (("loss < best - ", "loss > best + "), ("np.inf", "-np.inf")),
        ("loss < best - ", "loss > best + "),
    ),
    Mistake(
        "first epoch counted as bad",
        "The first epoch always improves, and here it is counted as one that does not.",
        "Begin with infinity, or begin the loop at the second epoch.",
    ).written(("0 if improved", "0 if improved and best < np.inf")),
    Mistake(
        "never stops",
        "No epoch, however bad, ends the training.",
        "Once the counter has reached patience, return (not print) True from update, the epoch's "
        "number from stop_epoch.",
    ).written((_STOP, "False")),
    Mistake(
        "stops at the first epoch",
        "Training ends before it has begun, though the first epoch always improves.",
        "Are True and False exchanged, or does the counter begin too high?",
    ).written((_STOP, "wait < patience")),
    Mistake(
        "best begins too low",
        "best begins at a fixed number (0, 1, 100, ...), and a loss above it never counts as "
        "better, not even the first.",
        "Begin with a number that every loss is smaller than: float('inf').",
    ).written(("np.inf", "0.0"), ("np.inf", "1e9")),
    Mistake(
        "min_delta ignored",
        "Any improvement counts, however small.",
        "How much smaller than the best loss must a loss be?",
    ).written((" - min_delta", "")),
    Mistake(
        "min_delta with the wrong sign",
        "A loss that is a little worse than the best counts as better.",
        "min_delta makes it harder to count as better, not easier.",
    ).written(("best - min_delta", "best + min_delta")),
    Mistake(
        "best updated without improvement",
        "Losses that are better by less than min_delta still replace the best one, so a slow "
        "decline never counts.",
        "Change the best loss and the counter in the same place.",
    ).written(("loss if improved else best", "min(best, loss)")),
    Mistake(
        "min_delta as a fraction",
        "best is multiplied by 1 - min_delta, so the bar depends on the size of the loss.",
        "The task subtracts min_delta from best.",
    ).written(("best - min_delta", "best * (1 - min_delta)")),
    Mistake(
        "epochs that count as nothing",
        "Some losses near the best one neither reset the counter nor raise it, so a flat curve "
        "may never stop.",
        "There is no third kind of epoch: one that does not improve is counted.",
    ).written(
        ((" - min_delta", ""), ("wait + 1", "wait + (loss > best + min_delta)")),
        ("wait + 1", "wait + (loss > best + min_delta)"),
        ("wait + 1", "wait + (loss > best - min_delta)"),
        ("wait + 1", "wait + (loss > best)"),
    ),
)
SHARED = Mistake(
    "one record for all objects",
    "A new object knows losses that were given to another one.",
    "Set every attribute in __init__ as self.name = ...; what stands in the class body is shared.",
)
NO_ATTRIBUTE = Mistake(
    "attribute with another name",
    "The object has no attribute of the name that the task gives.",
    "Set self.best and self.weights, spelled like this.",
)


def in_class(mistake: Mistake) -> Mistake:
    """Return a mistake in the rule as it is made where the same names are attributes."""
    return mistake.written(*map(_on_self, mistake.answers))


def _on_self(answer: Any) -> Any:
    if isinstance(answer, str):
        return re.sub(r"\b(best|wait|min_delta|patience)\b", r"self.\1", answer)
    return tuple(map(_on_self, answer))
