r"""Metrics of yes or no: how often an answer was right, and wrong, at one threshold or at many.

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

from reglib import activations
from reglib._arguments import Array, Bad, Choice, Constraint, Flag, Integer, List, Number, arguments
from reglib._typing import ArrayLike
from reglib.losses import EPSILON
from reglib.losses.base import same_rank, weights_for
from reglib.metrics.base import Metric, as_numbers

_ALL = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def _ratio(part: NDArray, rest: NDArray) -> NDArray:
    """Return a part of a whole, part / (part + rest), 0 where there is nothing."""
    return _over(part, part + rest)


def _over(above: NDArray, below: NDArray) -> NDArray:
    return np.divide(above, below, out=np.zeros(np.shape(below)), where=below != 0)


def _evenly(number: int) -> list[float]:
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

    counts: ClassVar[tuple[str, ...]] = _ALL
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
        return _ratio(self.true_positives, self.false_negatives)

    def specificities(self) -> NDArray:
        """Return the part of what is false that was called so, at each threshold."""
        return _ratio(self.true_negatives, self.false_positives)

    def precisions(self) -> NDArray:
        """Return the part of the answers yes that were right, at each threshold."""
        return _ratio(self.true_positives, self.false_positives)

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


def _listed(thresholds: float | list[float] | None, default: float) -> list[float]:
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
        listed = _listed(thresholds, 0.5 if top_k is None else -np.inf)
        super().__init__(listed, top_k, class_id, name, dtype)
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


@arguments(
    num_thresholds=Integer(">= 2"),
    curve=Choice("ROC", "roc", "PR", "pr", "PRGAIN", "prgain"),
    summation_method=Choice("interpolation", "minoring", "majoring"),
    thresholds=List("numbers", Number("[0, 1]")),
    multi_label=Flag(),
    num_labels=Integer(">= 1"),
    label_weights=Array(1),
    from_logits=Flag(),
)
class AUC(Confusion):
    r"""Area under a curve that the thresholds draw, by default the ROC curve.

    The ROC curve has the false positive rate :math:`FP/(FP+TN)` below and recall beside it: its
    area is the probability that a true example gets a larger prediction than a false one. The PR
    curve has recall below and precision beside it; the PR gain curve has both on the scale of
    Flach and Kull.

    Parameters
    ----------
    num_thresholds : int
        How many thresholds from 0 to 1 draw the curve, at least 2.
    curve : {"ROC", "PR", "PRGAIN"}
        Which one; lower case will do.
    summation_method : {"interpolation", "minoring", "majoring"}
        The height between two thresholds: in between, the lower or the higher. Between points of
        the PR curve, true and false positives are interpolated, not the precision.
    name : str, optional
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    thresholds : sequence of float, optional
        The thresholds between 0 and 1, instead of ``num_thresholds``.
    multi_label : bool
        Whether each label on the last axis has a curve of its own, whose areas are averaged.
    num_labels : int, optional
        How many labels there are; otherwise the first batch says so.
    label_weights : sequence of float, optional
        What each label weighs in the average or, without ``multi_label``, in the counts.
    from_logits : bool
        Whether predictions are logits, of which the sigmoid is taken.

    Raises
    ------
    ValueError
        If a number is out of range, a name is another, or ``num_labels`` comes without
        ``multi_label``.

    References
    ----------
    Davis and Goadrich (2006), "The relationship between precision-recall and ROC curves"; Flach
    and Kull (2015), "Precision-recall-gain curves: PR analysis done right";
    ``keras.metrics.AUC``.

    Notes
    -----
    Predictions outside [0, 1] count as the nearer end.

    Examples
    --------
    >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int | None = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: ArrayLike | None = None,
        from_logits: bool = False,
    ) -> None:
        self._given = thresholds
        inside = _evenly(num_thresholds)[1:-1] if thresholds is None else sorted(thresholds)
        self.num_thresholds = len(inside) + 2
        self.curve = curve.upper()
        self.summation_method = summation_method
        self.multi_label = multi_label
        if num_labels is not None and not multi_label:
            raise ValueError(f"num_labels must be None without multi_label, got {num_labels}")
        self.num_labels = num_labels
        if label_weights is not None and (label_weights < 0).any():
            raise ValueError(f"label_weights must be at least 0, got {label_weights.tolist()}")
        self.label_weights = label_weights
        self._from_logits = from_logits
        self._labels = num_labels
        # A little beyond 0 and 1, so that the first is below and the last above whatever comes.
        super().__init__([-EPSILON, *inside, 1 + EPSILON], name=name, dtype=dtype)

    def reset_state(self) -> None:
        """Forget what was seen."""
        super().reset_state()
        if self.multi_label and self._labels is not None:
            for count in self.counts:
                setattr(self, count, np.zeros((self.num_thresholds, self._labels)))

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch.

        Raises
        ------
        TypeError
            If targets, predictions or weights are no numbers.
        ValueError
            If their shapes do not fit, or do not have the labels.
        """
        true, scores, weights = self.answers(y_true, y_pred, sample_weight)
        labels = 1
        if self.multi_label:
            labels = self._counted_labels(scores.shape)
        elif self.label_weights is not None:
            weights = weights * self._weights_of(scores.shape[-1])
        if self._from_logits:
            scores = activations.sigmoid(scores)
        scores = np.clip(scores, 0, 1)
        self.add(true.ravel(), scores.ravel(), weights.ravel(), labels)

    def _counted_labels(self, shape: tuple[int, ...]) -> int:
        """Return how many labels a batch has: as many as the ones before."""
        if len(shape) != 2 or self._labels not in (None, shape[-1]):
            wanted = "labels" if self._labels is None else self._labels
            raise ValueError(f"y_pred must have shape (examples, {wanted}), got {shape}")
        if self._labels is None:
            self._labels = shape[-1]
            self.reset_state()
        return self._labels

    def _weights_of(self, labels: int) -> NDArray:
        if len(self.label_weights) != labels:
            raise ValueError(
                f"label_weights must have shape ({labels},) for y_pred, "
                f"got {self.label_weights.shape}"
            )
        return self.label_weights

    def result(self) -> float:
        """Return the area so far."""
        areas = self._areas().sum(axis=0)
        if self.multi_label and self.label_weights is not None:
            weights = self._weights_of(len(areas))
            return float(_over(np.dot(areas, weights), weights.sum()))
        return float(np.mean(areas))

    def _areas(self) -> NDArray:
        """Return the area between each threshold and the next."""
        if self.curve == "ROC":
            x, y = _ratio(self.false_positives, self.true_negatives), self.sensitivities()
        elif self.curve == "PR":
            if self.summation_method == "interpolation":
                return self._interpolated_precision()
            x, y = self.sensitivities(), self.precisions()
        else:
            x, y = self._gains()
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        else:
            heights = (np.minimum if self.summation_method == "minoring" else np.maximum)(
                y[:-1], y[1:]
            )
        return (x[:-1] - x[1:]) * heights

    def _interpolated_precision(self) -> NDArray:
        """Return areas below the PR curve, with TP a line in P = TP + FP between thresholds.

        Precision is then (TP + s (P - P')) / P with the slope s, of which the integral has a
        logarithm.
        """
        positives = self.true_positives + self.false_positives
        rise = self.true_positives[:-1] - self.true_positives[1:]
        slope = _over(rise, np.maximum(positives[:-1] - positives[1:], 0))
        intercept = self.true_positives[1:] - slope * positives[1:]
        both = (positives[:-1] > 0) & (positives[1:] > 0)
        growth = np.where(both, _over(positives[:-1], np.maximum(positives[1:], 0)), 1)
        all_true = np.maximum(self.true_positives[1:] + self.false_negatives[1:], 0)
        return _over(slope * (rise + intercept * np.log(growth)), all_true)

    def _gains(self) -> tuple[NDArray, NDArray]:
        """Return recall and precision gain, 0 and 1 where no answer yes was right."""
        odds = _over(
            self.true_positives + self.false_negatives, self.true_negatives + self.false_positives
        )
        recall = 1 - odds * _over(self.false_negatives, self.true_positives)
        precision = 1 - odds * _over(self.false_positives, self.true_positives)
        none = self.true_positives == 0
        return np.maximum(np.where(none, 0, recall), 0), np.where(none, 1, precision)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }
        if self._given is not None:
            config["thresholds"] = self.thresholds[1:-1]
        return config
