"""Metrics of yes or no: how often an answer was right, and wrong, at one threshold or at many.

An answer is yes where the prediction is above the threshold. Four numbers say all about it: true
and false positives (TP, FP; the answer was yes) and true and false negatives (TN, FN; it was no).
From them come precision :math:`TP/(TP+FP)`, recall or sensitivity :math:`TP/(TP+FN)`, and
specificity :math:`TN/(TN+FP)`; over many thresholds they draw a curve.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Bad, Constraint, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib.losses.base import same_rank, weights_for
from reglib.metrics.base import Metric, as_numbers

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def share(part: NDArray, rest: NDArray) -> NDArray:
    """Return a part of a whole, part / (part + rest), 0 where there is nothing."""
    return quotient(part, part + rest)


def quotient(above: NDArray, below: NDArray) -> NDArray:
    """Return above / below, 0 where there is nothing below."""
    return np.divide(above, below, out=np.zeros(np.shape(below)), where=below != 0)


def evenly(number: int) -> list[float]:
    """Return thresholds from 0 to 1; a single one is in the middle."""
    return [0.5] if number == 1 else [i / (number - 1) for i in range(number)]


@arguments(top_k=Integer(">= 1"), class_id=Integer(">= 0"))
class Confusion(Metric):
    """Base of metrics over counts of right and wrong answers, one of each a threshold.

    A subclass names the ``counts`` that it needs; they are attributes, arrays of shape
    (thresholds,), or (thresholds, labels) where each label has its own.

    Parameters
    ----------
    thresholds : sequence of float
        Above which an answer is yes, in any order.
    top_k : int, optional
        How many of an example's answers may be yes: those with the largest predictions.
    class_id : int, optional
        The only class that counts, from 0, on the last axis.
    name : str, optional
        The key in the logs; by default the class's name, such as ``false_positives``.
    dtype : optional
        As for :class:`Metric`.
    """

    counts: ClassVar[tuple[str, ...]] = COUNTS
    true_positives: NDArray
    true_negatives: NDArray
    false_positives: NDArray
    false_negatives: NDArray

    def __init__(
        self,
        thresholds: Sequence[float],
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.thresholds = list(thresholds)
        self.top_k = top_k
        self.class_id = class_id
        if name is None:
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        """Forget what was seen."""
        for count in self.counts:
            setattr(self, count, np.zeros(len(self.thresholds)))

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch; what is not 0 in the targets is true.

        Raises
        ------
        TypeError
            If targets, predictions or weights are no numbers.
        ValueError
            If their shapes do not fit, or do not have the class or the number of answers.
        """
        true, scores, weights = self.answers(y_true, y_pred, sample_weight)
        self.add(true.ravel(), scores.ravel(), weights.ravel(), 1)

    def answers(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return whether each answer should be yes, its score and its weight, in one shape."""
        y_true, y_pred = same_rank(as_numbers("y_true", y_true), as_numbers("y_pred", y_pred))
        if y_true.shape != y_pred.shape or not y_pred.ndim or not y_pred.size:
            raise ValueError(
                "y_true and y_pred must have one shape (examples, ...) and not be empty, "
                f"got {y_true.shape} and {y_pred.shape}"
            )
        if self._dtype is not None:
            y_pred = y_pred.astype(self._dtype)
        true, scores = y_true != 0, y_pred
        if self.top_k is not None:
            if self.top_k > scores.shape[-1]:
                raise ValueError(
                    f"y_pred must have at least top_k={self.top_k} classes, "
                    f"got shape {scores.shape}"
                )
            best = np.argsort(-scores, axis=-1, kind="stable")[..., : self.top_k]
            kept = np.full(scores.shape, -np.inf)
            np.put_along_axis(kept, best, np.take_along_axis(scores, best, -1), -1)
            scores = kept
        if self.class_id is not None:
            if scores.ndim == 1 or self.class_id >= scores.shape[-1]:
                raise ValueError(
                    f"y_pred must have a class of class_id={self.class_id}, "
                    f"got shape {scores.shape}"
                )
            true = true[..., self.class_id, np.newaxis]
            scores = scores[..., self.class_id, np.newaxis]
        weights = np.ones(1)
        if sample_weight is not None:
            weights = weights_for(scores.shape, "float64", sample_weight)
        return true, scores, np.broadcast_to(weights, scores.shape)

    def add(self, true: NDArray, scores: NDArray, weights: NDArray, labels: int) -> None:
        """Add flat answers, those of the labels in turn, to the counts."""
        order = np.argsort(self.thresholds)
        # How many thresholds a score is above: the place in a histogram of its label.
        bins = len(order) + 1
        above = np.searchsorted(np.asarray(self.thresholds)[order], scores)
        place = above + bins * (np.arange(scores.size) % labels)
        for yes, no, weight in (
            ("true_positives", "false_negatives", weights * true),
            ("false_positives", "true_negatives", weights * ~true),
        ):
            histogram = np.bincount(place, weight, bins * labels).reshape(labels, bins)
            # Below the first threshold, below the second, ... of each label.
            below = histogram.cumsum(axis=1)
            for count, found in ((yes, below[:, -1:] - below), (no, below)):
                if count in self.counts:
                    total = getattr(self, count)
                    total[order] += found[:, :-1].T.reshape(total.shape)

    def sensitivities(self) -> NDArray:
        """Return the part of what is true that was found, the recall, at each threshold."""
        return share(self.true_positives, self.false_negatives)

    def specificities(self) -> NDArray:
        """Return the part of what is false that was called so, at each threshold."""
        return share(self.true_negatives, self.false_positives)

    def precisions(self) -> NDArray:
        """Return the part of the answers yes that were right, at each threshold."""
        return share(self.true_positives, self.false_positives)

    def as_result(self, values: NDArray) -> Any:
        """Return a float where there is one threshold, an array where there are several."""
        return float(values[0]) if len(self.thresholds) == 1 else values


class Thresholds(Constraint):
    """A number in [0, 1], or several, which become a list."""

    good = 0.5

    def check(self, name: str, value: Any) -> float | list[float]:
        """Return the number, or the list."""
        if not isinstance(value, (list, tuple, np.ndarray)):
            return Number("[0, 1]").check(name, value)
        if not len(value):
            raise ValueError(f"{name} must not be empty, got none")
        return [Number("[0, 1]").check(name, threshold) for threshold in value]

    def bad(self) -> Bad:
        """Return no numbers, and those outside."""
        inside = {"range": ([0.5, 1.5], [-0.5, 0.5]), "nan": ([0.5, float("nan")],)}
        return {"type": ("ab", ["low", "high"], [None], 1j, True, None), "empty": ([],)} | inside


def _listed(thresholds: Any, default: float) -> list[float]:
    if thresholds is None:
        return [default]
    return thresholds if isinstance(thresholds, list) else [thresholds]


@arguments(thresholds=Thresholds())
class _Count(Confusion):
    """What the four counts share."""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(_listed(thresholds, 0.5), name=name, dtype=dtype)
        self._given = thresholds

    def result(self) -> Any:
        """Return the count: a float, or an array with several thresholds."""
        return self.as_result(getattr(self, self.counts[0]).copy())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "thresholds": self._given}


class TruePositives(_Count):
    """How often the answer was yes, and right.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        Above which an answer is yes, in [0, 1]; 0.5 by default. Several give one count each.
    name : str, optional
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If a threshold is out of range.

    References
    ----------
    ``keras.metrics.TruePositives``.

    Examples
    --------
    >>> TruePositives()([0, 1, 1, 1], [0.9, 0.9, 0.6, 0.1])
    2.0
    """

    counts = ("true_positives",)


class FalsePositives(_Count):
    """How often the answer was yes, and wrong.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        As for :class:`TruePositives`.
    name : str, optional
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If a threshold is out of range.

    References
    ----------
    ``keras.metrics.FalsePositives``.

    Examples
    --------
    >>> FalsePositives()([0, 1, 1, 1], [0.9, 0.9, 0.6, 0.1])
    1.0
    """

    counts = ("false_positives",)


class TrueNegatives(_Count):
    """How often the answer was no, and right.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        As for :class:`TruePositives`.
    name : str, optional
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If a threshold is out of range.

    References
    ----------
    ``keras.metrics.TrueNegatives``.

    Examples
    --------
    >>> TrueNegatives()([0, 0, 1, 1], [0.9, 0.2, 0.6, 0.1])
    1.0
    """

    counts = ("true_negatives",)


class FalseNegatives(_Count):
    """How often the answer was no, and wrong.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        As for :class:`TruePositives`.
    name : str, optional
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If a threshold is out of range.

    References
    ----------
    ``keras.metrics.FalseNegatives``.

    Examples
    --------
    >>> FalseNegatives()([0, 0, 1, 1], [0.9, 0.2, 0.3, 0.1])
    2.0
    """

    counts = ("false_negatives",)


@arguments(thresholds=Thresholds())
class _Quotient(Confusion):
    """What precision and recall share: which part of a whole the true positives are."""

    _direction = "up"

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        # With top_k alone, all the answers that may be yes are.
        values = _listed(thresholds, 0.5 if top_k is None else -np.inf)
        super().__init__(values, top_k, class_id, name, dtype)
        self._given = thresholds

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {"thresholds": self._given, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **config}


class Precision(_Quotient):
    r"""How many of the answers yes were right, :math:`TP/(TP + FP)`; 0 where there was none.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        Above which an answer is yes, in [0, 1]; 0.5 by default. Several give one value each.
    top_k : int, optional
        How many of an example's answers may be yes, those with the largest predictions; without
        ``thresholds`` all of them are.
    class_id : int, optional
        The only class that counts, from 0, on the last axis.
    name : str, optional
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    ``keras.metrics.Precision``.

    Examples
    --------
    >>> Precision()([0, 1, 1, 1], [0.9, 0.9, 0.1, 0.1])
    0.5
    """

    counts = ("true_positives", "false_positives")

    def result(self) -> Any:
        """Return the precision: a float, or an array with several thresholds."""
        return self.as_result(self.precisions())


class Recall(_Quotient):
    r"""How much of what is true was found, :math:`TP/(TP + FN)`; 0 where nothing is true.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        Above which an answer is yes, in [0, 1]; 0.5 by default. Several give one value each.
    top_k : int, optional
        As for :class:`Precision`.
    class_id : int, optional
        As for :class:`Precision`.
    name : str, optional
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    ``keras.metrics.Recall``.

    Examples
    --------
    >>> Recall()([0, 1, 1, 1, 1], [0.9, 0.9, 0.1, 0.1, 0.2])
    0.25
    """

    counts = ("true_positives", "false_negatives")

    def result(self) -> Any:
        """Return the recall: a float, or an array with several thresholds."""
        return self.as_result(self.sensitivities())
