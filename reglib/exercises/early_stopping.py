"""Assignment 7, early stopping: when to stop, and what to keep."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises import _stopping_losses as curves
from reglib.exercises import _stopping_watchers as watchers
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._messages import Chapter
from reglib.exercises._stopping_mistakes import NO_ATTRIBUTE, RULE_MISTAKES, SHARED, in_class
from reglib.exercises._stopping_training import FIT_WITH_EARLY_STOPPING
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import stopping as reference


def _epochs(cases: curves.Cases) -> Comparison:
    return Comparison(
        curves.without_restore(cases),
        "the epoch",
        read=watchers.epoch_or_none,
        tell=watchers.tell_epoch,
    )


_IMPROVED = "only a loss smaller than the best by more than min_delta improves; others are counted"
STOP_EPOCH = Task(
    "stop_epoch(losses, patience, min_delta)",
    reference=reference.stop_epoch,
    section="The code",
    hints=(
        "Take the example of the task and write down for each epoch: the best loss so far, and how "
        "many epochs in a row have not improved.",
        "Two names are carried from epoch to epoch. An epoch that improves sets both, any other "
        "changes one; then ask whether it is the last.",
    ),
    model="""
        best, wait = np.inf, 0
        for epoch, loss in enumerate(losses):
            improved = loss < best - min_delta
            wait = 0 if improved else wait + 1
            best = loss if improved else best
            if wait >= patience:
                return epoch
        return None
    """,
    aspects=(
        Aspect(
            "stop",
            "the result is the epoch, from 0, after which training stops",
            _epochs(curves.stopped),
            points=0.5,
        ),
        Aspect(
            "never",
            "the result is None where training never stops",
            _epochs(curves.never_stopped),
            points=0.5,
        ),
        Aspect("min_delta", _IMPROVED, _epochs(curves.near_the_bar)),
    ),
    mistakes=(
        *RULE_MISTAKES,
        Mistake(
            "epochs counted from 1",
            "The first epoch has the number 0.",
            "enumerate(losses) counts from 0.",
        ).written(("return epoch", "return epoch + 1")),
        Mistake(
            "best epoch for stopping epoch",
            "That is the epoch to go back to; training stops patience epochs later.",
            "Return the epoch at which the counter reaches patience.",
        ).written(("return epoch", "return epoch - patience")),
        Mistake(
            "loop not left",
            "The loop goes on after the stopping epoch, so the last one that could be is returned.",
            "Return as soon as the counter reaches patience.",
        ).written(
            (
                ("np.inf, 0\n", "np.inf, 0\nlast = None\n"),
                ("return epoch", "last = epoch"),
                ("return None", "return last"),
            )
        ),
        Mistake(
            "all losses looked at first",
            "The best of all epochs is found before the rule begins; in a training, the losses "
            "come one by one.",
            "At each epoch, use the losses up to this one only.",
        ).written(
            """
            late = int(np.argmin(losses)) + patience
            return late if late < len(losses) else None
            """,
        ),
        Mistake(
            "last loss never looked at",
            "The loop ends one epoch early, so a training that stops at the last epoch seems to "
            "go on.",
            "How many losses are there, and what is the number of the last one?",
        ).written(("(losses)", "(losses[:-1])")),
        Mistake(
            "a number where training never stops",
            "When the losses end before patience does, there is no stopping epoch.",
            "Return None after the loop.",
        ).written(
            ("return None", "return len(losses) - 1"),
            ("return None", "return -1"),
            ("return None", "return len(losses)"),
            ("return None", "return 0"),
        ),
    ),
    right=(
        """
        best_epoch = 0
        for epoch in range(1, len(losses)):
            if losses[best_epoch] - losses[epoch] > min_delta:
                best_epoch = epoch
            if epoch - best_epoch == patience:
                return np.int64(epoch)
        """,
        """
        losses = np.array(losses, dtype=np.float32)
        best, left = losses[0], patience
        for epoch in range(1, losses.size):
            left -= 1
            if losses[epoch] + min_delta < best:
                best, left = losses[epoch], patience
            if not left:
                return float(epoch)
        return None
        """,
        """
        best, bad, epoch = None, 0, 0
        while bad < patience:
            if epoch == len(losses):
                return None
            if best is None or losses[epoch] < best - min_delta:
                best, bad = losses[epoch], 0
            else:
                bad += 1
            epoch += 1
        return epoch - 1
        """,
        """
        class Rule:
            best, wait = float("inf"), 0

            def stops(self, loss):
                self.wait += 1
                if loss < self.best - min_delta:
                    self.best, self.wait = loss, 0
                return self.wait == patience

        rule = Rule()
        return next((epoch for epoch, loss in enumerate(losses) if rule.stops(loss)), None)
        """,
        """
        def after(epoch, best, bad):
            if bad >= patience:
                return epoch - 1
            if epoch == len(losses):
                return None
            better = losses[epoch] < best - min_delta
            return after(epoch + 1, losses[epoch] if better else best, 0 if better else bad + 1)

        return after(0, np.inf, 0)
        """,
    ),
)


_KEEP, _RENAMED = "improved or not self.restore", ("self.best", "self.bar")
_ON_IMPROVEMENT = "Set self.best when, and only when, the loss improves."
EARLY_STOPPING = Task(
    "EarlyStopping(patience, min_delta=0.0, restore=True) with update(loss, weights)",
    reference=reference.EarlyStopping,
    section="The code",
    hints=(
        "The rule is that of task 1, one epoch at a time: what did your loop carry from one epoch "
        "to the next? That must live in self.",
        "In update, decide first whether the epoch improves. best and the count follow from that "
        "alone, weights from that and from restore, the answer from the count.",
    ),
    given={"copy": copy},
    model=f"""
        class EarlyStopping:
            def __init__(self, patience, min_delta=0.0, restore=True):
                self.patience, self.min_delta, self.restore = patience, min_delta, restore
                self.best, self.wait, self.weights = np.inf, 0, None

            def update(self, loss, weights):
                improved = loss < self.best - self.min_delta
                if {_KEEP}:
                    self.weights = copy.deepcopy(weights)
                self.wait = 0 if improved else self.wait + 1
                self.best = loss if improved else self.best
                return self.wait >= self.patience
    """,
    aspects=(
        Aspect(
            "stop",
            "update returns True once patience epochs in a row have not improved",
            Comparison(
                curves.with_weights(curves.stopped, curves.never_stopped),
                call=watchers.stopping_epoch,
                tell=watchers.tell_stop,
            ),
        ),
        Aspect(
            "min_delta",
            f"{_IMPROVED}, and change neither best nor weights",
            Comparison(
                curves.with_weights(curves.near_the_bar),
                call=watchers.at_the_end,
                read=watchers.where_told,
                tell=watchers.tell_end,
            ),
        ),
        Aspect(
            "best",
            "best is the loss of the last epoch that improved",
            Comparison(
                curves.with_weights(curves.best_early_and_late),
                call=watchers.best_losses,
                tell=watchers.tell_best,
            ),
        ),
        Aspect(
            "restore",
            "weights are those of the last epoch that improved, with restore=False the latest",
            Comparison(
                curves.with_weights(curves.restored_or_not),
                call=watchers.kept_epochs,
                tell=watchers.tell_kept,
            ),
        ),
    ),
    mistakes=(
        *map(in_class, RULE_MISTAKES),
        Mistake(
            "last weights kept",
            "The weights of the last epoch are patience epochs past the best.",
            "With restore=True, keep the weights whenever the loss improves, and only then.",
        ).written((_KEEP, "True")),
        Mistake(
            "latest weights not kept",
            "With restore=False the weights of the latest epoch are wanted.",
            "With restore=False, keep the weights at every epoch, before any return.",
        ).written(
            (_KEEP, "improved"),
            (_KEEP, "improved and self.restore"),
            (_KEEP, f"{_KEEP} and self.wait + 1 < self.patience"),
        ),
        Mistake(
            "weights restored only at the stop",
            "Until update returns True, weights are the latest; a training may also end because "
            "its epochs are over.",
            "With restore=True, weights change only when the loss improves.",
        ).written(
            (
                ("self.weights = copy", "self.kept = copy"),
                (
                    "return self.wait >= self.patience",
                    "self.weights = self.kept if self.wait >= self.patience else weights\n"
                    "        return self.wait >= self.patience",
                ),
            ),
        ),
        Mistake(
            "restore the other way round",
            "With restore=True the latest weights are kept, with restore=False the best ones.",
            "To restore is to go back to the best epoch.",
        ).written(("not self.restore", "self.restore")),
        Mistake(
            "weights never kept",
            "The attribute weights is still None after the training.",
            "Set self.weights in update.",
        ).written(("self.weights = copy.deepcopy(weights)", "pass")),
        Mistake(
            "first epoch never kept",
            "The first epoch always improves and may stay the best, but its weights are not kept.",
            "Where best is set for the first time, keep the weights as well.",
        ).written(
            (_KEEP, "improved and self.best < np.inf or not self.restore"),
            (_KEEP, f"self.best < np.inf and ({_KEEP})"),
        ),
        Mistake(
            "weights kept without improvement",
            "The weights of an epoch that does not improve, by a tie or by less than min_delta, "
            "replace those of the best one.",
            "Keep the weights in the same place where best changes.",
        ).written(
            (_KEEP, "loss < self.best or not self.restore"),
            (_KEEP, "loss <= self.best or not self.restore"),
            (_KEEP, "loss <= self.best - self.min_delta or not self.restore"),
        ),
        Mistake(
            "best is not the best loss",
            "The attribute best must hold the loss of the last epoch that improved; here it holds "
            "the latest loss, a bar below the best, or what it began with.",
            _ON_IMPROVEMENT,
        ).written(
            (_RENAMED, ("return ", "self.best = loss\n        return ")),
            (_RENAMED, ("restore=True):", "restore=True):\n        self.best = None")),
            (("= loss if", "= loss - self.min_delta if"), ("best - self.min_delta", "best")),
        ),
        Mistake(
            "smallest loss for the best",
            "best follows any smaller loss, also one that does not improve by min_delta.",
            _ON_IMPROVEMENT,
        ).written(
            (
                _RENAMED,
                ("return ", "self.best = min(loss, getattr(self, 'best', loss))\n        return "),
            )
        ),
        NO_ATTRIBUTE.written(("self.best", "self.best_loss"), ("self.weights", "self.kept")),
        SHARED.written(
            ("self.best", "EarlyStopping.best"),
            ("self.wait", "EarlyStopping.wait"),
            ("self.weights", "EarlyStopping.weights"),
        ),
    ),
    right=(
        """
        class EarlyStopping:
            def __init__(self, patience, min_delta=0.0, restore=True):
                self.rule, self.restore = (patience, min_delta), restore
                self.losses, self.seen, self.at = [], [], None

            def update(self, loss, weights):
                self.losses.append(loss)
                self.seen.append([np.array(w) for w in weights])
                if self.at is None or loss - self.losses[self.at] < -self.rule[1]:
                    self.at = len(self.losses) - 1
                return len(self.losses) - 1 - self.at >= self.rule[0]

            @property
            def best(self):
                return self.losses[self.at]

            @property
            def weights(self):
                return self.seen[self.at if self.restore else -1]
        """,
        """
        class EarlyStopping:
            def __init__(self, patience, min_delta=0.0, restore=True):
                self.patience, self.min_delta, self.restore = patience, min_delta, restore
                self.best, self.bad_epochs = float("inf"), 0

            def update(self, loss, weights):
                if loss < self.best - self.min_delta:
                    self.best, self.bad_epochs, self.weights = loss, 0, weights
                else:
                    self.bad_epochs += 1
                    if not self.restore:
                        self.weights = weights
                    if self.bad_epochs >= self.patience:
                        return 1
        """,
        """
        class EarlyStopping:
            def __init__(self, patience, min_delta=0.0, restore=True):
                self.patience, self.min_delta, self.restore = patience, min_delta, restore
                self.best, self.left, self.weights = None, patience, None

            def update(self, loss, weights):
                loss = np.float32(loss)
                if self.best is None or self.best - loss > self.min_delta:
                    self.best, self.left = loss, self.patience
                    self.weights = tuple(w.astype(np.float32) for w in weights)
                else:
                    self.left -= 1
                    if not self.restore:
                        self.weights = tuple(w.tolist() for w in weights)
                return np.bool_(self.left == 0)
        """,
        """
        class Record:
            best, epoch, best_epoch, weights = np.inf, -1, -1, None

        class EarlyStopping(Record):
            def __init__(self, patience, min_delta=0.0, restore=True):
                self.options = {"patience": patience, "min_delta": min_delta, "restore": restore}

            def update(self, loss, weights):
                self.epoch += 1
                if loss + self.options["min_delta"] < self.best:
                    self.best, self.best_epoch = loss, self.epoch
                if not self.options["restore"] or self.best_epoch == self.epoch:
                    self.weights = copy.deepcopy(weights)
                return self.epoch == self.best_epoch + self.options["patience"]
        """,
        """
        def EarlyStopping(patience, min_delta=0.0, restore=True):
            class Watcher:
                count = 0

                def update(self, loss, weights):
                    first = not hasattr(self, "best")
                    better = first or loss < self.best - min_delta
                    self.best = loss if better else self.best
                    if better or not restore:
                        self.weights = [w.copy() for w in weights]
                    self.count = 0 if better else self.count + 1
                    return True if self.count >= patience else False

            return Watcher()
        """,
    ),
)


def _shrinkage_cases(rng: np.random.Generator) -> Iterator[Case]:
    for size, steps in ((4, 3), (6, int(rng.integers(7, 12))), (3, 0), (5, 1), (1, 2)):
        # lr and steps may be exchanged without a root of a negative number.
        eigenvalues = rng.uniform(0.15, 0.9, size) / max(steps, 1)
        if size > 1:
            eigenvalues[rng.integers(size)] = 0
        yield _shrinkage_case(eigenvalues, float(rng.uniform(0.3, 0.9) * max(steps, 1)), steps)
    for steps in (2, 3):  # so long that they go beyond the solution, or even diverge
        eigenvalues = np.concatenate([rng.uniform(1.05, 1.4, 2), rng.uniform(0.55, 0.9, 3)])
        yield _shrinkage_case(rng.permutation(eigenvalues), 2.0, steps)


def _shrinkage_case(eigenvalues: NDArray, lr: float, steps: int) -> Case:
    text = f"{len(eigenvalues)} eigenvalues, lr = {lr:.3g} and steps = {steps}"
    return Case((eigenvalues, lr, steps), text, {"lr": lr})


_POWER = "(1 - lr * eigenvalues) ** steps"
GRADIENT_DESCENT_SHRINKAGE = Task(
    "gradient_descent_shrinkage(eigenvalues, lr, steps)",
    reference=reference.gradient_descent_shrinkage,
    section="The mathematics",
    hints=(
        "Follow one eigenvalue by hand: how far is it from the solution after one step, after two?",
        "The task gives what a step does to the distance that is left. What part of the way is "
        "behind you, if you know which part is left?",
    ),
    model=f"1 - {_POWER}",
    aspects=(
        Aspect(
            "value",
            "the result is the fraction of the solution that is reached, for each eigenvalue",
            Comparison(_shrinkage_cases),
        ),
    ),
    mistakes=(
        Mistake(
            "what is left for what is learned",
            "(1 - lr * eigenvalue) ** steps is the part that is still missing.",
            "At steps = 0 nothing has been learned: the result should be 0.",
        ).written(("1 - (", "(")),
        Mistake(
            "sign of the result",
            "What is reached comes out negative: the two parts are subtracted in the wrong order.",
            "The fraction that is reached and the one that is missing add up to 1.",
        ).written((f"1 - {_POWER}", f"{_POWER} - 1")),
        Mistake(
            "minus sign lost in the factor",
            "Each step makes the distance to the solution larger instead of smaller.",
            "By what does the task say that a step multiplies the distance?",
        ).written(("1 - lr", "1 + lr")),
        Mistake(
            "steps multiplied instead of repeated",
            "Each step removes a fraction of what is still missing, so the factors multiply.",
            "Write down the error after two steps.",
        ).written("lr * eigenvalues * steps", ("** steps", "* steps")),
        Mistake(
            "power of the eigenvalue alone",
            "** binds more strongly than - and *: only the eigenvalue, or its product with lr, is "
            "raised to the power.",
            "Which part does every step multiply by? Put it in parentheses.",
        ).written(
            (_POWER, "(1 - lr * eigenvalues ** steps)"),
            (_POWER, "(1 - (lr * eigenvalues) ** steps)"),
        ),
        Mistake(
            "exponential for the power",
            "1 - exp(-lr * eigenvalue * steps) is the limit of tiny steps.",
            "Use the power itself: the steps are finite.",
        ).written("1 - np.exp(-lr * eigenvalues * steps)"),
        Mistake(
            "one step more",
            "The exponent is steps, not steps + 1.",
            "At steps = 0 nothing has been learned: the result should be 0.",
        ).written(("** steps", "** (steps + 1)")),
        Mistake(
            "one step less",
            "The exponent is steps, not steps - 1.",
            "At steps = 1 one step has been made: the result should be lr * eigenvalue.",
        ).written(("** steps", "** (steps - 1.0)"), ("** steps", "** max(steps - 1, 0)")),
        Mistake(
            "learning rate forgotten",
            "A step of any length would do the same.",
            "Each step multiplies the distance by 1 - lr * eigenvalue.",
        ).written(("lr * ", "")),
        Mistake(
            "factor squared",
            "The loss shrinks with the square of the factor, the weight with the factor itself.",
            "Follow one weight, not the loss.",
        ).written(("** steps", "** (2 * steps)")),
        Mistake(
            "cut off to 0 and 1",
            "Where a step is too long, the result swings beyond 1 or below 0, and should show it.",
            "What is the formula's value for lr * eigenvalue = 2.5?",
        ).written(
            "np.clip(1 - (1 - lr * eigenvalues) ** steps, 0, 1)",
            "1 - np.clip(1 - lr * eigenvalues, 0, 1) ** steps",
            "1 - np.abs(1 - lr * eigenvalues) ** steps",
        ),
    ),
    right=(
        "1 - np.power(1 - lr * eigenvalues, steps)",
        "[1 - (1 - lr * h) ** steps for h in eigenvalues]",
        """
        left = np.ones_like(eigenvalues)
        for _ in range(steps):
            left *= 1 - lr * eigenvalues
        return 1 - left
        """,
        "lr * eigenvalues * sum(((1 - lr * eigenvalues) ** k for k in range(steps)), np.zeros(1))",
        """
        w = np.zeros(len(eigenvalues), dtype=np.float32)
        for _ in range(steps):
            w -= np.float32(lr) * eigenvalues.astype(np.float32) * (w - 1)
        return w
        """,
        "1 - np.diag(np.linalg.matrix_power(np.diag(1 - lr * eigenvalues), steps))",
    ),
)

ASSIGNMENT = Assignment(
    Chapter(7, "Early stopping", "07-early-stopping"),
    STOP_EPOCH,
    EARLY_STOPPING,
    GRADIENT_DESCENT_SHRINKAGE,
    FIT_WITH_EARLY_STOPPING,
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
