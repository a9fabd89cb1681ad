"""Assignment 9, mixing and soft targets: what is blended, what is smoothed, and who is too sure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._cutmix import CUTMIX
from reglib.exercises._cutout import CUTOUT
from reglib.exercises._findings import Mistake
from reglib.exercises._messages import Chapter
from reglib.exercises._mixup import MIXUP
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import calibration as reference


def _one_hot(rng: np.random.Generator, n: int, K: int) -> NDArray:
    """Return one-hot targets with the first and the last class among them, if there is room."""
    labels = rng.permutation([0, K - 1, *rng.integers(K, size=max(n - 2, 0))][:n])
    return np.eye(K)[labels]


def _target_cases(rng: np.random.Generator) -> Iterator[Case]:
    for n, K, eps in ((4, 3, 0.1), (3, 10, 0.25), (6, 2, 0.4), (1, 5, 0.0), (2, 4, 1.0)):
        yield Case((_one_hot(rng, n, K), eps), f"{n} targets of {K} classes, eps = {eps}")
    yield Case((rng.dirichlet(np.ones(4), 5), 0.2), "5 soft targets of 4 classes, eps = 0.2")


OVER_OTHERS = Mistake(
    "eps over the other classes",
    "eps is spread over the K - 1 other classes. That sums to 1 as well, but the task spreads it "
    "over all K, the true one among them.",
    "How large is the smallest target for K = 2 and eps = 0.4 by the formula?",
)
NOT_ONE = Mistake(
    "targets that do not sum to 1",
    "The smoothed targets of an example do not sum to 1, so they are no probabilities.",
    "What is taken from the true class has to be given to all classes together.",
)
NOT_SMOOTHED = Mistake(
    "hard targets",
    "The targets are not smoothed: eps has no effect.",
    "What does the true class lose, and what do all classes get?",
)
EPS_EXCHANGED = Mistake(
    "eps and 1 - eps exchanged",
    "A small eps should change little, and here it leaves little.",
    "What should come out for eps = 0?",
)
EXAMPLES_FOR_CLASSES = Mistake(
    "examples taken for classes",
    "eps is divided by the number of examples instead of the number of classes.",
    "y has a row for each example and a column for each class.",
)
TEN_CLASSES = Mistake(
    "always ten classes",
    "The number of classes is written down as 10, whatever y is.",
    "y.shape says how many classes there are.",
)
TWO_CLASSES = Mistake(
    "two classes, whatever y is",
    "eps is halved, which is its share for two classes.",
    "y.shape says how many classes there are.",
)
BY_FREQUENCY = Mistake(
    "classes by their frequency",
    "eps is spread as the classes of this batch are, so that targets depend on who else is in it.",
    "Every class gets the same share of eps.",
)

_SMOOTHED = "(1 - eps) * y + eps / y.shape[1]"
#: How smoothing goes wrong, wherever it is written like that.
OF_SMOOTHING = (
    OVER_OTHERS.written(
        (_SMOOTHED, "(1 - eps) * y + (1 - y) * eps / (y.shape[1] - 1)"),
        (_SMOOTHED, "np.where(y == 1, 1 - eps, eps / (y.shape[1] - 1))"),
    ),
    NOT_ONE.written(
        (_SMOOTHED, "(1 - eps) * y + eps"),
        (_SMOOTHED, "(1 - eps) * y + eps / (y.shape[1] - 1)"),
        (_SMOOTHED, "(1 - eps) * y + 1 / y.shape[1]"),
        (_SMOOTHED, "(y + eps) / 2"),
        (_SMOOTHED, "(1 - eps) * y"),
        (_SMOOTHED, "y + eps / y.shape[1]"),
        (_SMOOTHED, "np.where(y == 1, 1 - eps, eps / y.shape[1])"),
        (_SMOOTHED, "np.clip(y, eps / y.shape[1], 1 - eps / y.shape[1])"),
        (_SMOOTHED, "y - eps + eps / y.shape[1]"),
    ),
    EPS_EXCHANGED.written((_SMOOTHED, "eps * y + (1 - eps) / y.shape[1]")),
    EXAMPLES_FOR_CLASSES.written(
        (_SMOOTHED, "(1 - eps) * y + eps / len(y)"), (_SMOOTHED, "(1 - eps) * y + eps / y.size")
    ),
    TEN_CLASSES.written((_SMOOTHED, "(1 - eps) * y + eps / 10")),
    TWO_CLASSES.written((_SMOOTHED, "(1 - eps) * y + eps / 2")),
    BY_FREQUENCY.written((_SMOOTHED, "(1 - eps) * y + eps * y.mean(axis=0)")),
    NOT_SMOOTHED.written((_SMOOTHED, "1.0 * y")),
)

SMOOTH_LABELS = Task(
    "smooth_labels(y, eps)",
    reference=reference.smooth_labels,
    section="Soft targets",
    hints=(
        "Take the target [0, 1, 0, 0] and eps = 0.4. What must the four numbers sum to?",
        "Take the share eps from everything that is there, and give the same to each of the K "
        "classes, the true one too.",
    ),
    model=_SMOOTHED,
    aspects=(
        Aspect(
            "value",
            "the share eps of each target is spread evenly over all classes",
            Comparison(_target_cases, "the targets", unchanged=True),
        ),
    ),
    mistakes=(
        *OF_SMOOTHING,
        Mistake(
            "one-hot targets only",
            "The function asks where the target is 1, so a soft target, of mixup for instance, is "
            "not smoothed as the formula says.",
            "The formula has no if: it multiplies and adds.",
        ).written(
            "np.where(y == 1, 1 - eps + eps / y.shape[1], eps / y.shape[1])",
            "(1 - eps) * np.eye(y.shape[1])[y.argmax(axis=1)] + eps / y.shape[1]",
        ),
        Mistake(
            "noise instead of a share",
            "Targets are changed at random. Smoothing is the same for every example.",
            "The formula has no random number.",
        ).written(
            "(1 - eps) * y + eps * np.random.default_rng(0).dirichlet(np.ones(y.shape[1]), len(y))"
        ),
    ),
    right=(
        "y - eps * (y - 1 / y.shape[1])",
        "y * (1 - eps) + np.full(y.shape, eps / y.shape[-1])",
        """
        n, K = y.shape
        uniform = np.ones((n, K)) / K
        return eps * uniform + (1 - eps) * y
        """,
        "[[(1 - eps) * v + eps / len(row) for v in row] for row in y]",
        """
        K = y.shape[1]
        return y @ ((1 - eps) * np.eye(K) + eps / K * np.ones((K, K)))
        """,
        "((1 - eps) * y.astype(np.float32) + np.float32(eps / y.shape[1]))",
    ),
)


def _gradient_cases(rng: np.random.Generator) -> Iterator[Case]:
    for n, K, eps in ((4, 3, 0.1), (3, 10, 0.3), (5, 2, 0.4), (3, 4, 0.0), (2, 5, 1.0)):
        z = rng.normal(0, 2, (n, K))
        yield Case((z, _one_hot(rng, n, K), eps), f"{n} examples, {K} classes, eps = {eps}")
    z = rng.normal(0, 2, (3, 4))
    yield Case((z, rng.dirichlet(np.ones(4), 3), 0.2), "3 soft targets of 4 classes, eps = 0.2")


def _large_cases(rng: np.random.Generator) -> Iterator[Case]:
    for n, K, size in ((3, 4, 2000.0), (4, 3, -3000.0), (2, 5, 1500.0)):
        z = size + rng.normal(0, 2, (n, K))
        z[0] += np.where(np.arange(K) == 0, 0, -1e4)
        z[1] -= 2 * size
        text = f"{n} examples, {K} classes, logits around {size:g} and {-size:g}"
        yield Case((z, _one_hot(rng, n, K), 0.2), text)


def _even_if_nan(student: Student, got: Any, wanted: Any, what: str) -> NDArray:
    """Return the numbers with 9 for those that are none, so that an overflow has its own name."""
    if got is not None:
        with contextlib.suppress(TypeError, ValueError):
            got = np.nan_to_num(np.asarray(got, dtype=float), nan=9, posinf=9, neginf=9)
    return student.numbers(got, what, np.shape(wanted))


_EXP = "e = np.exp(logits - logits.max(axis=1, keepdims=True))"
_SOFTMAX = "p = e / e.sum(axis=1, keepdims=True)"
GRADIENT = Task(
    "smoothed_crossentropy_gradient(logits, y, eps)",
    reference=reference.smoothed_crossentropy_gradient,
    section="Soft targets",
    hints=(
        "For which probabilities should the gradient be 0: those of y, or those of the smoothed "
        "targets?",
        "Three lines: softmax of each row, with the largest logit subtracted first; the smoothed "
        "targets; their difference, divided by the number of examples.",
    ),
    model=f"""
        {_EXP}
        {_SOFTMAX}
        q = {_SMOOTHED}
        return (p - q) / len(y)
    """,
    aspects=(
        Aspect(
            "value",
            "a difference quotient of the mean loss gives the same",
            Comparison(_gradient_cases, "the gradient", unchanged=True),
        ),
        Aspect(
            "stable",
            "logits of any size give finite numbers, and the right ones",
            Comparison(_large_cases, "the gradient", read=_even_if_nan),
        ),
    ),
    mistakes=(
        *OF_SMOOTHING,
        Mistake(
            "1/n missing",
            "The loss is a mean over the examples, and this is the gradient of their sum.",
            "What happens to the mean loss if one of n examples changes?",
        ).written((" / len(y)", "")),
        Mistake(
            "divided by n and K",
            "The gradient is divided by the number of all entries.",
            "Over what is the mean taken: examples, or examples and classes?",
        ).written((" / len(y)", " / y.size"), (" / len(y)", " / y.shape[1]")),
        Mistake(
            "sign",
            "A step against this gradient raises the loss.",
            "If the network is too sure of a wrong class, should its logit get a positive or a "
            "negative derivative?",
        ).written(("(p - q)", "(q - p)")),
        Mistake(
            "logits for probabilities",
            "Logits are compared with targets, which are probabilities.",
            "Softmax first.",
        ).written(("(p - q)", "(logits - q)")),
        Mistake(
            "softmax along the wrong axis",
            "Probabilities sum to 1 over the examples, or over everything, instead of over the "
            "classes of an example.",
            "Print p.sum(axis=1).",
        ).written(
            (_SOFTMAX, "p = e / e.sum(axis=0)"),
            (_SOFTMAX, "p = e / e.sum()"),
            (
                (_EXP, "e = np.exp(logits - logits.max(axis=0))"),
                (_SOFTMAX, "p = e / e.sum(axis=0)"),
            ),
            ((_EXP, "e = np.exp(logits - logits.max())"), (_SOFTMAX, "p = e / e.sum(axis=0)")),
        ),
        Mistake(
            "large logits overflow",
            "exp of a large number is infinite, and of a very negative one 0: their quotients are "
            "NaN.",
            "Softmax stays the same if a number is subtracted from all logits of an example.",
        ).written(
            (_EXP, "e = np.exp(logits)"),
            (_EXP, "e = np.exp(logits - logits.max())"),
            (_EXP, "e = np.exp(logits - logits.mean(axis=1, keepdims=True))"),
        ),
        Mistake(
            "logits cut off",
            "Logits beyond some size are changed, so softmax no longer gives their probabilities.",
            "Softmax stays the same if a number is subtracted from all logits of an example.",
        ).written(
            *((_EXP, f"e = np.exp(np.clip(logits, -{n}, {n}))") for n in (20, 30, 50, 100, 500))
        ),
        Mistake(
            "derivative of softmax twice",
            "The difference is multiplied by p(1 - p) once more. The derivatives of the logarithm "
            "and of softmax have already made it as simple as it is.",
            "Write the loss as a function of the logits, and differentiate that.",
        ).written(("(p - q)", "p * (1 - p) * (p - q)")),
        Mistake(
            "derivative by the probabilities",
            "This is the derivative by p; the task asks for the one by the logits.",
            "The chain rule has one more factor, that of softmax.",
        ).written(("(p - q)", "-q / (p + 1e-300)")),
        Mistake(
            "probabilities smoothed as well",
            "What the network says is smoothed like the targets, so the gradient shrinks.",
            "Only the targets are smoothed.",
        ).written(("(p - q)", "((1 - eps) * (p - y))")),
        Mistake(
            "sigmoid for softmax",
            "Each logit is turned into a probability by itself, so they do not sum to 1.",
            "The classes exclude each other: softmax.",
        ).written((_SOFTMAX, "p = 1 / (1 + np.exp(-logits))")),
    ),
    right=(
        """
        z = logits - logits.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        return (np.exp(log_p) - (1 - eps) * y - eps / y.shape[1]) / len(logits)
        """,
        """
        rows = []
        for z, target in zip(logits, y):
            e = np.exp(z - max(z))
            rows.append((e / sum(e) - target * (1 - eps) - eps / len(z)) / len(y))
        return rows
        """,
        """
        def softmax(z):
            z = z - np.max(z, axis=-1)[..., None]
            return np.exp(z) / np.sum(np.exp(z), axis=-1)[..., None]

        n, K = y.shape
        return softmax(logits) / n - ((1 - eps) * y + eps * np.ones(K) / K) / n
        """,
        """
        from scipy.special import softmax
        K = y.shape[1]
        hard, uniform = softmax(logits, axis=1) - y, softmax(logits, axis=1) - 1 / K
        return ((1 - eps) * hard + eps * uniform) / len(y)
        """,
        """
        largest = np.array([row.max() for row in logits]).reshape(-1, 1)
        e = np.exp(logits - largest).T
        return ((e / e.sum(axis=0)).T - (y - eps * (y - 1 / y.shape[1]))) / y.shape[0]
        """,
        """
        n, K = logits.shape
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        q = np.empty_like(p)
        for k in range(K):
            q[:, k] = (1 - eps) * y[:, k] + eps / K
        return np.subtract(p, q) / n
        """.replace("logits -= logits", "logits = logits - logits"),
    ),
)


def _sure_cases(rng: np.random.Generator) -> Iterator[Case]:
    for n, K, given, high in (
        (60, 4, (), 1.0),
        (80, 3, (5,), 1.0),
        (50, 2, (4,), 0.9),
        (90, 40, (5,), 1.0),
        (7, 5, (), 1.0),
    ):
        bins = given[0] if given else 10
        # A confidence is at least 1 / K, and no edge is near, so that it may belong to either bin.
        low = 0 if 2 * bins < K else -(-bins // K)
        bin_of = rng.integers(low, int(bins * high), size=n)
        confidence = np.maximum((bin_of + rng.uniform(0.13, 0.87, n)) / bins, 1.1 / K)
        p = np.repeat((1 - confidence)[:, None] / (K - 1), K, axis=1)
        said = rng.integers(K, size=n)
        p[np.arange(n), said] = confidence
        if high == 1:
            p[0] = np.eye(K)[said[0]]
        right = rng.random(n) < rng.choice((0.2, 0.9), bins)[bin_of]
        labels = np.where(right, said, (said + rng.integers(1, K, size=n)) % K)
        told = f"bins = {bins}" if given else "bins left out"
        yield Case((p, labels, *given), f"{n} predictions of {K} classes, {told}")


_WHICH = "which = np.minimum((confidence * bins).astype(int), bins - 1)"
_SUM = "total += here.sum() / len(labels) * abs(right[here].mean() - confidence[here].mean())"
CALIBRATION_ERROR = Task(
    "expected_calibration_error(probabilities, labels, bins=10)",
    reference=reference.expected_calibration_error,
    section="What is at stake: calibration",
    hints=(
        "Put 99 predictions into one bin, in which confidence and accuracy agree, and one into "
        "another, where they differ by 0.8. What should come out?",
        "Each bin counts by the share of the predictions that it holds.",
    ),
    model=f"""
        def expected_calibration_error(probabilities, labels, bins=10):
            confidence = probabilities.max(axis=1)
            right = probabilities.argmax(axis=1) == labels
            {_WHICH}
            total = 0.0
            for b in range(bins):
                here = which == b
                if here.any():
                    {_SUM}
            return total
    """,
    aspects=(
        Aspect(
            "value",
            "each bin counts by its share of the predictions, with the distance of its accuracy "
            "from its mean confidence",
            Comparison(_sure_cases, "the calibration error", unchanged=True),
        ),
    ),
    mistakes=(
        Mistake(
            "every bin counts the same",
            "A bin with one prediction counts as much as one with a thousand.",
            "The weight of a bin is the share of the predictions that fall into it.",
        ).written(
            (("here.sum() / len(labels) * ", ""), ("return total", "return total / bins")),
            (
                ("here.sum() / len(labels) * ", ""),
                ("return total", "return total / len(set(which.tolist()))"),
            ),
        ),
        Mistake(
            "not divided by n",
            "The bins count by how many predictions they hold, not by which share.",
            "The weights of all bins sum to 1.",
        ).written((" / len(labels)", "")),
        Mistake(
            "weights left out",
            "The distances of all bins are added up, so that the result can be above 1.",
            "The weight of a bin is the share of the predictions that fall into it.",
        ).written(("here.sum() / len(labels) * ", "")),
        Mistake(
            "absolute value missing",
            "Bins that are too sure make up for bins that are not sure enough, as they do where "
            "the mean of all confidences is compared with the accuracy.",
            "A distance is never negative.",
        ).written(
            ("abs(", "("),
            (("abs(", "("), ("return total", "return abs(total)")),
            "abs((probabilities.argmax(1) == labels).mean() - probabilities.max(axis=1).mean())",
        ),
        Mistake(
            "distance of each prediction",
            "Every prediction by itself is right or wrong, so its distance from its confidence is "
            "never 0. Calibration is about the mean of many.",
            "First the means of a bin, then their distance.",
        ).written(
            (
                "abs(right[here].mean() - confidence[here].mean())",
                "np.abs(right[here] - confidence[here]).mean()",
            )
        ),
        Mistake(
            "squared distance",
            "The distances are squared; that is another measure.",
            "The task asks for the absolute value.",
        ).written(
            (
                "abs(right[here].mean() - confidence[here].mean())",
                "(right[here].mean() - confidence[here].mean()) ** 2",
            )
        ),
        Mistake(
            "largest distance",
            "This is the maximum over the bins, the maximum calibration error.",
            "The bins are averaged, by their share.",
        ).written((_SUM, "total = max(total, abs(right[here].mean() - confidence[here].mean()))")),
        Mistake(
            "confidence 1 left out",
            "A prediction with confidence 1 falls into no bin.",
            "Which number has the bin of a prediction with confidence 1, if there are ten?",
        ).written((_WHICH, "which = (confidence * bins).astype(int)")),
        Mistake(
            "probability of the true class",
            "The confidence is what the network gives to the class that it names, be it right or "
            "wrong.",
            "Which of its probabilities does a network act on?",
        ).written(("probabilities.max(axis=1)", "probabilities[np.arange(len(labels)), labels]")),
        Mistake(
            "probability of one class",
            "The last column's probability is taken, whichever class the network names.",
            "Which of its probabilities does a network act on?",
        ).written(
            ("probabilities.max(axis=1)", "probabilities[:, 1]"),
            ("probabilities.max(axis=1)", "probabilities[:, -1]"),
        ),
        Mistake(
            "bins of equally many predictions",
            "The predictions are sorted and parted into groups of one size; the task parts the "
            "range from 0 to 1.",
            "Which confidences belong to the first of ten bins?",
        ).written(
            (_WHICH, "which = confidence.argsort().argsort() * bins // len(labels)"),
            """
            confidence = probabilities.max(axis=1)
            right = probabilities.argmax(axis=1) == labels
            parts = np.array_split(np.argsort(confidence), bins)
            return sum(abs(np.sum(right[p] - confidence[p])) for p in parts) / len(labels)
            """,
        ),
        Mistake(
            "bins between the extremes",
            "The bins part the range from the least to the greatest confidence of this batch, so "
            "that two batches are measured differently.",
            "Which confidences belong to the first of ten bins?",
        ).written(
            (
                _WHICH,
                "low, high = confidence.min(), confidence.max()\n    which = (confidence - low) "
                "/ (high - low) * bins\n    which = np.minimum(which, bins - 1).astype(int)",
            )
        ),
        Mistake(
            "always ten bins",
            "The argument bins is not used.",
            "How many bins are there if bins is 5?",
        ).written(
            ("confidence =", "bins = 10\n    confidence ="),
        ),
        Mistake(
            "another number of bins by default",
            "Who leaves bins out should get ten.",
            "Compare your def line with the task's.",
        ).written(("bins=10", "bins=15"), ("bins=10", "bins=5")),
        Mistake(
            "center of the bin for the confidence",
            "The accuracy is compared with the middle of the bin, not with the mean confidence of "
            "the predictions in it.",
            "What do the predictions of the bin say on average?",
        ).written(("confidence[here].mean()", "(b + 0.5) / bins")),
        Mistake(
            "error rate for accuracy",
            "The share that is wrong is compared with the confidence.",
            "How often should a network be right that says 0.9?",
        ).written(("argmax(axis=1) == labels", "argmax(axis=1) != labels")),
    ),
    right=(
        """
        confidence = np.max(probabilities, axis=1)
        hit = (np.argmax(probabilities, axis=1) == labels).astype(float)
        edges = np.linspace(0, 1, bins + 1)
        error = 0
        for low, high in zip(edges[:-1], edges[1:]):
            inside = (confidence > low) & (confidence <= high)
            if inside.sum() > 0:
                error += abs(hit[inside].mean() - confidence[inside].mean()) * inside.mean()
        return error
        """,
        """
        confidence = probabilities.max(axis=1)
        gap = (probabilities.argmax(axis=1) == labels) - confidence
        which = np.minimum(np.floor(confidence * bins).astype(int), bins - 1)
        return np.abs(np.bincount(which, weights=gap)).sum() / len(labels)
        """,
        """
        confidence = probabilities.max(axis=1)
        right = probabilities.argmax(axis=1) == labels
        which = np.clip(np.digitize(confidence, np.arange(1, bins) / bins), 0, bins - 1)
        gaps = [abs(sum(right[which == b] - confidence[which == b])) for b in range(bins)]
        return sum(gaps) / len(confidence)
        """,
        """
        n, groups = len(labels), {}
        for p, label in zip(probabilities, labels):
            said = int(np.argmax(p))
            b = min(int(p[said] * bins), bins - 1)
            groups.setdefault(b, []).append((said == label, p[said]))
        result = 0.0
        for members in groups.values():
            accuracy = sum(hit for hit, _ in members) / len(members)
            sure = sum(c for _, c in members) / len(members)
            result += len(members) / n * abs(accuracy - sure)
        return float(result)
        """,
        """
        confidence, said = probabilities.max(axis=-1), probabilities.argmax(axis=-1)
        edges = np.linspace(0, 1, bins + 1)
        edges[-1] += 1e-6
        total = 0.0
        for b in range(bins):
            here = np.flatnonzero((edges[b] <= confidence) & (confidence < edges[b + 1]))
            if len(here) == 0:
                continue
            total += np.abs(np.sum(said[here] == labels[here]) - np.sum(confidence[here]))
        return total / len(labels)
        """,
        """
        confidence = probabilities.max(axis=1).astype(np.float32)
        right = np.equal(probabilities.argmax(axis=1), labels)
        order = np.argsort(confidence)
        cuts = np.searchsorted(confidence[order], np.arange(1, bins) / bins)
        parts = np.split(right[order] - confidence[order].astype(float), cuts)
        return np.sum([abs(part.sum()) for part in parts]) / len(right)
        """,
    ),
)

ASSIGNMENT = Assignment(
    Chapter(9, "Mixing and soft targets", "09-mixing"),
    CUTOUT,
    MIXUP,
    CUTMIX,
    SMOOTH_LABELS,
    GRADIENT,
    CALIBRATION_ERROR,
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
