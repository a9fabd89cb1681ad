"""The area under a curve of two rates, over many thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Array, Choice, Flag, Integer, List, Number, arguments
from reglib._typing import ArrayLike
from reglib.losses import EPSILON
from reglib.metrics.confusion import Confusion, evenly, quotient, share


@arguments(
    num_thresholds=Integer(">= 2") | None,
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
        num_thresholds: int = 200,
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
        if num_thresholds is None and thresholds is None:
            raise TypeError("num_thresholds must be an integer without thresholds, got None")
        self._given = thresholds
        inside = evenly(num_thresholds)[1:-1] if thresholds is None else sorted(thresholds)
        self.num_thresholds = len(inside) + 2
        self.curve = curve.upper()
        self.summation_method = summation_method
        self.multi_label = multi_label
        if num_labels is not None and not multi_label:
            raise ValueError(f"num_labels must be None without multi_label, got {num_labels}")
        self.num_labels = num_labels
        if label_weights is not None and (label_weights < 0).any():
            raise ValueError(f"label_weights must be at least 0, got {label_weights.tolist()}")
        self.label_weights: Any = label_weights
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
            return float(quotient(np.dot(areas, weights), weights.sum()))
        return float(np.mean(areas))

    def _areas(self) -> NDArray:
        """Return the area between each threshold and the next."""
        if self.curve == "ROC":
            x, y = share(self.false_positives, self.true_negatives), self.sensitivities()
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
        slope = quotient(rise, np.maximum(positives[:-1] - positives[1:], 0))
        intercept = self.true_positives[1:] - slope * positives[1:]
        both = (positives[:-1] > 0) & (positives[1:] > 0)
        growth = np.where(both, quotient(positives[:-1], np.maximum(positives[1:], 0)), 1)
        all_true = np.maximum(self.true_positives[1:] + self.false_negatives[1:], 0)
        return quotient(slope * (rise + intercept * np.log(growth)), all_true)

    def _gains(self) -> tuple[NDArray, NDArray]:
        """Return recall and precision gain, 0 and 1 where no answer yes was right."""
        odds = quotient(
            self.true_positives + self.false_negatives, self.true_negatives + self.false_positives
        )
        recall = 1 - odds * quotient(self.false_negatives, self.true_positives)
        precision = 1 - odds * quotient(self.false_positives, self.true_positives)
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
