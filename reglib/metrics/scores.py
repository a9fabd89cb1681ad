"""Scores that are no means over the examples: F-scores and R²."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Choice, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib.losses import EPSILON
from reglib.losses.base import weights_for
from reglib.metrics.base import Metric, as_numbers


def _matrices(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
    y_true, y_pred = as_numbers("y_true", y_true), as_numbers("y_pred", y_pred)
    if y_true.ndim != 2 or y_true.shape != y_pred.shape:
        raise ValueError(
            "y_true and y_pred must have one shape (examples, classes), "
            f"got {y_true.shape} and {y_pred.shape}"
        )
    return y_true, y_pred


@arguments(
    average=Choice(None, "micro", "macro", "weighted"),
    beta=Number("> 0"),
    threshold=Number("(0, 1]"),
)
class FBetaScore(Metric):
    r"""Precision and recall in one, :math:`(1+\beta^2)PR/(\beta^2P + R)`, over all that was seen.

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        None: one score a class, as an array. ``"micro"``: one score of all answers together.
        ``"macro"``: the mean over the classes. ``"weighted"``: that mean, weighted by how often
        each class is true.
    beta : float
        Above 0: how much recall counts.
    threshold : float, optional
        Above it an answer is yes, in (0, 1]; by default the largest of an example is.
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If ``average`` is another or a number is out of range; in use, if targets or predictions
        have no shape (examples, classes).

    References
    ----------
    ``keras.metrics.FBetaScore``.

    Examples
    --------
    >>> scores = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    >>> round(FBetaScore("micro", beta=2.0)([[1, 0], [0, 1], [0, 1]], scores), 4)
    0.6667
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        self.average = average
        self.beta = beta
        self.threshold = threshold
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        """Forget what was seen."""
        # For each class, how often an answer was a hit, was yes, and was true.
        self.counts: Any = np.zeros((3, 1))

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        y_true, y_pred = _matrices(y_true, y_pred)
        if self.threshold is None:
            # Where all answers are 0, none is yes.
            yes = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            yes = y_pred > self.threshold
        answers = np.stack([yes * y_true, yes, y_true]).astype(self._dtype or "float64")
        if sample_weight is not None:
            answers = answers * weights_for(y_true.shape, "float64", sample_weight)
        axis = (1, 2) if self.average == "micro" else 1
        self.counts = self.counts + answers.sum(axis=axis, dtype="float64").reshape(3, -1)

    def result(self) -> Any:
        """Return the score: an array with ``average=None``, otherwise a float."""
        hits, yes, true = self.counts
        precision, recall = hits / (yes + EPSILON), hits / (true + EPSILON)
        square = self.beta**2
        scores = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average is None:
            return scores
        if self.average == "weighted":
            return float((scores * true).sum() / (true.sum() + EPSILON))
        return float(scores.mean())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    r"""Harmonic mean of precision and recall, :math:`2PR/(P + R)`, over all that was seen.

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        As for :class:`FBetaScore`.
    threshold : float, optional
        Above it an answer is yes, in (0, 1]; by default the largest of an example is.
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        As for :class:`FBetaScore`.

    References
    ----------
    ``keras.metrics.F1Score``.

    Examples
    --------
    >>> scores = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    >>> round(F1Score("macro")([[1, 0], [0, 1], [0, 1]], scores), 4)
    0.6667
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["beta"]
        return config


@arguments(
    class_aggregation=Choice("uniform_average", "variance_weighted_average", None),
    num_regressors=Integer(">= 0"),
)
class R2Score(Metric):
    r"""How much of the targets' variance is explained, :math:`1 - \sum e^2/\sum(y - \bar y)^2`.

    1 is perfect, 0 what the mean of the targets reaches, and there is no worst.

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average", None}
        The mean over the outputs, that mean weighted by their variances, or one score an
        output, as an array.
    num_regressors : int
        How many inputs the model has, to adjust for; 0 for no adjustment.
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Raises
    ------
    ValueError
        If ``class_aggregation`` is another or ``num_regressors`` negative; in use, if targets
        or predictions have no shape (examples, outputs).

    References
    ----------
    ``keras.metrics.R2Score``.

    Notes
    -----
    As Keras does, the adjustment counts every output of every example as an observation.

    Examples
    --------
    >>> R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]])
    0.5
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        """Forget what was seen."""
        # Weights, targets, their squares and squared errors, each added up; and how many.
        self.sums: Any = np.zeros((4, 1))
        self.number = 0

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        y_true, y_pred = (y.astype(self._dtype or "float64") for y in _matrices(y_true, y_pred))
        weight = 1 if sample_weight is None else sample_weight
        weight = weights_for(y_true.shape, "float64", weight)
        parts = np.stack([np.ones_like(y_true), y_true, y_true**2, (y_true - y_pred) ** 2])
        self.sums = self.sums + (parts * weight).sum(axis=1)
        self.number += y_true.size

    def result(self) -> Any:
        """Return the score: an array with ``class_aggregation=None``, otherwise a float."""
        weight, total, squares, errors = self.sums
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = squares - total * total / weight
            scores = 1 - errors / variance
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (variance * scores).sum() / variance.sum()
        free = self.number - 1 - self.num_regressors
        if self.num_regressors and free <= 0:
            warnings.warn(
                "num_regressors must be less than the number of observations - 1, "
                f"{self.number - 1}: the score is not adjusted",
                RuntimeWarning,
                stacklevel=2,
            )
        elif self.num_regressors:
            scores = 1 - (1 - scores) * (self.number - 1) / free
        return scores if self.class_aggregation is None else float(scores)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
