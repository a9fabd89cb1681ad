"""Assignment 0, is it overfitting: a gap, two standard errors, and a split without leakage."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import PAIR_SWAPPED, Mistake
from reglib.exercises._leaking_split import SPLIT_AND_SCALE
from reglib.exercises._messages import Chapter
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import overfitting as reference


def _trainings(rng: np.random.Generator) -> Iterator[Case]:
    """Yield losses as ``history`` holds them, in lists, and as arrays; the gap has both signs."""
    for epochs, kind in ((5, list), (7, np.array), (1, list), (2, np.array)):
        train = np.sort(rng.uniform(0.1, 2, epochs))[::-1]
        val = train + rng.uniform(0.05, 0.9, epochs) * np.resize([-1, 1], epochs)
        told = "lists" if kind is list else "arrays"
        yield Case((kind(train), kind(val)), f"{told} of {epochs} epochs")


_GAP = "np.array(val_loss) - np.array(train_loss)"
GENERALIZATION_GAP = Task(
    "generalization_gap(train_loss, val_loss)",
    reference=reference.generalization_gap,
    section="A gap, and what it says",
    hints=(
        "A model that has learnt its training data by heart has the losses 0.1 and 0.9. Which "
        "number should come out?",
        "Lists cannot be subtracted from each other, arrays can: np.array(a_list).",
    ),
    model=_GAP,
    aspects=(
        Aspect(
            "value",
            "the gap is there for each epoch, above 0 where new examples cost more",
            Comparison(_trainings, "the gap"),
        ),
    ),
    mistakes=(
        Mistake(
            "training loss minus validation loss",
            "The gap is negative where the model does worse on new examples.",
            "Overfitting should give a gap above 0.",
        ).written("np.array(train_loss) - np.array(val_loss)"),
        Mistake(
            "gap without its sign",
            "Also where validation is better than training, the gap comes out above 0.",
            "Leave the sign as it is; it may tell that something is odd.",
        ).written(f"np.abs({_GAP})"),
        Mistake(
            "negative gaps cut off",
            "Where validation is better than training, the gap comes out as 0.",
            "Leave a negative difference as it is.",
        ).written(f"np.maximum({_GAP}, 0)"),
        Mistake(
            "ratio of the losses",
            "The losses are divided by each other; the gap is a difference.",
            "Of 0.1 and 0.9, how much is the second above the first?",
        ).written(
            "np.array(val_loss) / np.array(train_loss)",
            f"({_GAP}) / np.array(train_loss)",
            f"({_GAP}) / np.array(val_loss)",
        ),
        Mistake(
            "one epoch for all",
            "The loss of one epoch, the last or the best, stands for those of all others.",
            "Compare the two losses of the same epoch.",
        ).written(
            "np.array(val_loss) - train_loss[-1]",
            "np.array(val_loss) - min(train_loss)",
            "min(val_loss) - np.array(train_loss)",
            "val_loss[-1] - np.array(train_loss)",
        ),
        Mistake(
            "best validation loss so far",
            "The validation loss never rises in your result, as if the best epoch went on.",
            "Take each epoch's own validation loss.",
        ).written("np.minimum.accumulate(val_loss) - np.array(train_loss)"),
        Mistake(
            "growth of the gap",
            "The result begins at 0 and tells how much the gap has grown, not how large it is.",
            "Leave out the subtraction of another epoch.",
        ).written(f"({_GAP}) - (val_loss[0] - train_loss[0])"),
        Mistake(
            "gaps added up",
            "Each entry holds the sum of all gaps so far.",
            "Every epoch has a gap of its own.",
        ).written(f"np.cumsum({_GAP})"),
    ),
    right=(
        "[v - t for t, v in zip(train_loss, val_loss)]",
        "np.subtract(val_loss, train_loss)",
        "-np.subtract(train_loss, val_loss, dtype=np.float32)",
        """
        gap = []
        for epoch, loss in enumerate(train_loss):
            gap.append(val_loss[epoch] - loss)
        return gap
        """,
        "np.stack([train_loss, val_loss]).T @ [-1, 1]",
        "tuple(map(lambda t, v: v - t, train_loss, val_loss))",
    ),
)


def _accuracies(rng: np.random.Generator) -> Iterator[Case]:
    """Yield accuracies on either side of a half, and both at which every answer is alike."""
    for p, n in ((0.9, 100), (0.5, 16), (0.07, 37), (0.62, 1000), (1.0, 50), (0.0, 20)):
        p = p if p in (0, 1) else p + float(rng.uniform(-0.06, 0.06))
        n = n + int(rng.integers(5))
        yield Case((p, n), f"p = {p:.4g}, n = {n}")


_ERROR = "np.sqrt(p * (1 - p) / n)"
ACCURACY_STANDARD_ERROR = Task(
    "accuracy_standard_error(p, n)",
    reference=reference.accuracy_standard_error,
    section="The noise of an accuracy",
    hints=(
        "Ninety of a hundred right, p = 0.9: the standard error should be 0.03.",
        "First the variance of a single answer, which is right (1) or wrong (0). The mean of n of "
        "them has a variance n times as small. An error is the root of a variance.",
    ),
    model=_ERROR,
    aspects=(
        Aspect(
            "value",
            "the result is the standard deviation of an accuracy on n examples",
            Comparison(_accuracies, "the standard error"),
        ),
    ),
    mistakes=(
        Mistake(
            "variance for standard error",
            "The root is missing: this is the square of the standard error.",
            "In which unit is a variance, and in which an accuracy?",
        ).written("p * (1 - p) / n"),
        Mistake(
            "n outside the root",
            "The standard deviation of one answer is divided by n, not by the root of n.",
            "With four times the examples the error is halved. Is yours?",
        ).written("np.sqrt(p * (1 - p)) / n"),
        Mistake(
            "n forgotten",
            "That is the spread of a single answer; the result does not get smaller with more of "
            "them.",
            "Variances of n answers add up, then the sum is divided by n. What is left of n?",
        ).written("np.sqrt(p * (1 - p))"),
        Mistake(
            "error of the number of right answers",
            "That is the spread of how many are right, not of their share.",
            "The share is the number divided by n, and so is its error.",
        ).written("np.sqrt(n * p * (1 - p))"),
        Mistake(
            "half an interval for a standard error",
            "The factor of an interval, 2 or 1.96, is in the result already.",
            "Return the standard error itself; whoever wants an interval doubles it.",
        ).written(f"1.96 * {_ERROR}", f"2 * {_ERROR}"),
        Mistake(
            "n - 1 for n",
            "n - 1 belongs to a variance that is estimated from deviations; here p says it all.",
            "Divide by the number of examples.",
        ).written("np.sqrt(p * (1 - p) / (n - 1))"),
        Mistake(
            "one of the two shares alone",
            "The error should be the same for p and for 1 - p, and 0 where all answers are alike.",
            "Put in p = 1 and p = 0: what should come out?",
        ).written("np.sqrt(p / n)", "np.sqrt((1 - p) / n)", "np.sqrt(p**2 / n)"),
        Mistake(
            "largest error for all",
            "The result is that of p = 1/2, whatever p is.",
            "An accuracy near 1 varies less than one near 1/2. Where does p stand in your formula?",
        ).written("0.5 / np.sqrt(n)", "1 / np.sqrt(n)"),
        Mistake(
            "0 whatever p and n are",
            "p * 1 - p is 0, since the product comes first; so is whatever // n cuts off.",
            "Write parentheses around 1 - p, and / for a division.",
        ).written("np.sqrt((p * 1 - p) / n)", "np.sqrt(p * (1 - p) // n)"),
        Mistake(
            "in percent",
            "The result is a hundred times too large.",
            "p is a share between 0 and 1, and so is its error.",
        ).written(f"100 * {_ERROR}"),
    ),
    right=(
        "(p * (1 - p)) ** 0.5 / n**0.5",
        "np.sqrt((p - p**2) / n)",
        """
        variance = p * (1 - p) ** 2 + (1 - p) * p**2
        return np.float32(np.sqrt(variance / n))
        """,
        "np.sqrt(np.array([p * (1 - p) / n]))",
        """
        right = p * n
        return np.sqrt(right * (n - right) / n**3)
        """,
        "np.sqrt(0.25 - (p - 0.5) ** 2) / np.sqrt(n)",
    ),
)


def _results_of_two(rng: np.random.Generator) -> Iterator[Case]:
    """Yield results that rise and fall together, more or less."""
    for n, own, shift in ((2, 0.3, 0.4), (3, 0.6, -0.5), (10, 0.4, 0.6), (5, 1.5, -0.2)):
        seeds, noise = rng.standard_normal(n), own * rng.standard_normal((2, n))
        yield Case(
            (3 + shift + seeds + noise[0], 3 + 1.2 * seeds + noise[1]), f"{n} results of each"
        )


def _mean(student: Student, a: NDArray, b: NDArray) -> object:
    return student.pair(student(a, b), "mean", "standard error")[0]


def _error(student: Student, a: NDArray, b: NDArray) -> object:
    return student.pair(student(a, b), "mean", "standard error")[1]


_SPREAD, _PAIR = "d.std(ddof=1)", "return d.mean(), error"
PAIRED_DIFFERENCE = Task(
    "paired_difference(a, b)",
    reference=reference.paired_difference,
    section="Paired or unpaired",
    hints=(
        "Two seeds, a = [0.75, 1.0] and b = [0.5, 0.25]: the mean should be 0.5, the error 0.25.",
        "Make one array of differences first, and go on with that alone. NumPy's std divides by n "
        "unless you tell it otherwise.",
    ),
    model=f"""
        d = a - b
        error = {_SPREAD} / np.sqrt(len(d))
        {_PAIR}
    """,
    aspects=(
        Aspect(
            "mean",
            "the first value is the mean of a - b",
            Comparison(_results_of_two, "the mean", call=_mean),
        ),
        Aspect(
            "error",
            "the second value is the standard error of that mean, from the differences",
            Comparison(_results_of_two, "the standard error", call=_error),
        ),
    ),
    mistakes=(
        Mistake(
            "b minus a",
            "The mean has the wrong sign.",
            "Subtract the second from the first.",
        ).written(("a - b", "b - a"), ("d.mean()", "-d.mean()")),
        Mistake(
            "unpaired standard error",
            "The spread that both share, from seed to seed, is counted as noise of the difference.",
            "Subtract seed by seed, and look at the spread of these differences alone.",
        ).written(
            (
                f"{_SPREAD} / np.sqrt(len(d))",
                "np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))",
            ),
            (f"{_SPREAD} / np.sqrt(len(d))", "np.sqrt(a.var() / len(a) + b.var() / len(b))"),
            (_SPREAD, "np.concatenate([a, b]).std(ddof=1)"),
        ),
        Mistake(
            "difference of two spreads",
            "The spreads of a and b are subtracted, not the results.",
            "Subtract seed by seed first; then ask for the spread.",
        ).written(
            (_SPREAD, "(a.std(ddof=1) - b.std(ddof=1))"),
            (_SPREAD, "abs(a.std(ddof=1) - b.std(ddof=1))"),
        ),
        Mistake(
            "spread of one of the two",
            "The error comes from a or from b alone.",
            "What varies here is the difference.",
        ).written((_SPREAD, "a.std(ddof=1)"), (_SPREAD, "b.std(ddof=1)")),
        Mistake(
            "divided by n in the spread",
            "With n in place of n - 1 the spread of few values comes out too small.",
            "See what the argument ddof of np.std does.",
        ).written(("ddof=1", "")),
        Mistake(
            "mean deviation for standard deviation",
            "Absolute values were averaged, where squares should be.",
            "Take the root of the mean square, with n - 1 for n.",
        ).written(
            (_SPREAD, "np.abs(d - d.mean()).mean()"),
            (_SPREAD, "np.abs(d - d.mean()).sum() / (len(d) - 1)"),
        ),
        Mistake(
            "n - 1 counted twice",
            "The spread allows for the mean already; the root is that of the number of seeds.",
            "How many differences were averaged?",
        ).written(("np.sqrt(len(d))", "np.sqrt(len(d) - 1)")),
        Mistake(
            "standard deviation for standard error",
            "That is how much one difference varies. The mean of n of them varies less.",
            "Divide by the root of the number of seeds.",
        ).written((" / np.sqrt(len(d))", "")),
        Mistake(
            "divided by n, not by its root",
            "The error comes out too small, the more so the more seeds there are.",
            "With four times the seeds the error is halved.",
        ).written(("np.sqrt(len(d))", "len(d)")),
        Mistake(
            "variance for standard deviation",
            "The variance is the square of what is asked for.",
            "Take a root.",
        ).written(("d.std(", "d.var(")),
        Mistake(
            "differences without their sign",
            "Differences of both signs should cancel, and do not.",
            "Leave the signs.",
        ).written(("a - b", "np.abs(a - b)")),
        Mistake(
            "pairs torn apart",
            "Both arrays are sorted first, so results of different seeds are subtracted.",
            "Entry i of a belongs to entry i of b.",
        ).written(("a - b", "np.sort(a) - np.sort(b)")),
        Mistake(
            "sum for mean",
            "The first value grows with the number of seeds.",
            "Divide by their number.",
        ).written(("d.mean()", "d.sum()")),
        Mistake(
            "median for mean",
            "The first value is the median of the differences.",
            "Take the mean.",
        ).written(("d.mean()", "np.median(d)")),
        Mistake(
            "half an interval for a standard error",
            "The factor of an interval, 2 or 1.96, is in the result already.",
            "Return the standard error itself.",
        ).written((_PAIR, "return d.mean(), 1.96 * error"), (_PAIR, "return d.mean(), 2 * error")),
        Mistake(
            "mean in units of its error",
            "That is Student's t, the mean divided by its error.",
            "Return both as they are.",
        ).written(
            (_PAIR, "return d.mean(), d.mean() / error"), (_PAIR, "return d.mean() / error, error")
        ),
        Mistake(
            "ratio of the results",
            "The results are divided by each other.",
            "Subtract them.",
        ).written(("a - b", "a / b")),
        PAIR_SWAPPED.written((_PAIR, "return error, d.mean()")),
    ),
    right=(
        """
        differences = [x - y for x, y in zip(a, b)]
        n = len(differences)
        mean = sum(differences) / n
        variance = sum((d - mean) ** 2 for d in differences) / (n - 1)
        return mean, (variance / n) ** 0.5
        """,
        """
        d = a - b
        return np.mean(d), np.sqrt(np.var(d, ddof=1) / d.size)
        """,
        """
        d = a - b
        return a.mean() - b.mean(), np.sqrt((np.mean(d**2) - np.mean(d) ** 2) / (len(d) - 1))
        """,
        """
        d = (np.asarray(a) - np.asarray(b)).astype(np.float32)
        return [float(np.mean(d)), float(np.std(d)) / np.sqrt(len(d) - 1)]
        """,
        """
        d = np.subtract(a, b)
        rest = d - np.average(d)
        return np.average(d), np.sqrt(rest @ rest / (len(d) * (len(d) - 1)))
        """,
    ),
)

ASSIGNMENT = Assignment(
    Chapter(0, "Is it overfitting?", "00-overfitting"),
    GENERALIZATION_GAP,
    ACCURACY_STANDARD_ERROR,
    PAIRED_DIFFERENCE,
    SPLIT_AND_SCALE,
)
check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
