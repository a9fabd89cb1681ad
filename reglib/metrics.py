"""What to watch beside the loss: running means over a pass through the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib import _serialization
from reglib._validation import check_array, check_callable, check_choice, check_number, check_text
from reglib.losses import EPSILON
from reglib.losses import Hinge as HingeLoss
from reglib.losses.base import align


class Metric:
    """A running mean of one number an example.

    Parameters
    ----------
    per_example : callable
        ``per_example(y_true, y_pred)`` returns one number an example.
    name : str
        The key in the logs.
    direction : {"up", "down"}
        Which way is better; callbacks with ``mode="auto"`` ask.
    """

    def __init__(
        self, per_example: Callable[[NDArray, NDArray], NDArray], name: str, direction: str
    ) -> None:
        self.per_example = check_callable("per_example", per_example)
        self.name = check_text("name", name)
        self._direction = check_choice("direction", direction, ("up", "down"))
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.total, self.count = 0.0, 0.0

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        values = self.per_example(_numbers("y_true", y_true), _numbers("y_pred", y_pred))
        if sample_weight is None:
            self.total += float(values.sum())
            self.count += values.size
            return
        weights = _weights(sample_weight, values.shape)
        self.total += float((values * weights).sum())
        self.count += float(weights.sum())

    def result(self) -> float:
        """Return the mean so far, 0 when nothing was seen."""
        return self.total / self.count if self.count else 0.0

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Add a batch and return the mean so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


def _numbers(name: str, value: ArrayLike) -> NDArray:
    """Return an array after checking that it holds numbers; NaN may pass."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
    return array


def _weights(sample_weight: ArrayLike, shape: tuple[int, ...]) -> NDArray:
    """Return the weights, broadcast to the shape of one value an example."""
    weights = check_array("sample_weight", sample_weight, allow_nan=True)
    try:
        return np.broadcast_to(
            weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim)), shape
        )
    except ValueError as error:
        raise ValueError(f"sample_weight must have shape {shape}, got {weights.shape}") from error


def _binary_matches(threshold: float) -> Callable[[NDArray, NDArray], NDArray]:
    def per_example(y_true: NDArray, y_pred: NDArray) -> NDArray:
        y_true, y_pred = align(y_true, y_pred)
        return (y_true == (y_pred > threshold)).mean(axis=-1)

    return per_example


def _categorical_matches(y_true: NDArray, y_pred: NDArray) -> NDArray:
    return y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)


def _sparse_matches(y_true: NDArray, y_pred: NDArray) -> NDArray:
    labels = y_true[..., 0] if y_true.ndim == y_pred.ndim else y_true
    return labels == y_pred.argmax(axis=-1)


def _matches(y_true: NDArray, y_pred: NDArray) -> NDArray:
    """Return what ``"accuracy"`` means: it depends on the shapes, as in Keras."""
    if y_pred.ndim < 2 or y_pred.shape[-1] == 1:
        return _binary_matches(0.5)(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == y_pred.shape[-1]:
        return _categorical_matches(y_true, y_pred)
    return _sparse_matches(y_true, y_pred)


def _squared_errors(y_true: NDArray, y_pred: NDArray) -> NDArray:
    y_true, y_pred = align(y_true, y_pred)
    return np.square(y_true - y_pred).mean(axis=-1)


def _absolute_errors(y_true: NDArray, y_pred: NDArray) -> NDArray:
    y_true, y_pred = align(y_true, y_pred)
    return np.abs(y_true - y_pred).mean(axis=-1)


def _hinges(y_true: NDArray, y_pred: NDArray) -> NDArray:
    loss = HingeLoss()
    return loss.call(*loss.align(y_true, y_pred))


class Accuracy(Metric):
    """Fraction of right answers; what counts as an answer follows from the shapes.

    Examples
    --------
    >>> Accuracy()([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    0.6666666666666666
    """

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(_matches, name, "up")


class BinaryAccuracy(Metric):
    """Fraction of yes-no answers that are right, yes meaning above ``threshold``."""

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        threshold = check_number("threshold", threshold, low=0, high=1)
        super().__init__(_binary_matches(threshold), name, "up")


class CategoricalAccuracy(Metric):
    """Fraction of one-hot answers that are right."""

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(_categorical_matches, name, "up")


class SparseCategoricalAccuracy(Metric):
    """Fraction of class numbers that are right."""

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(_sparse_matches, name, "up")


class MeanSquaredError(Metric):
    """Mean squared error."""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(_squared_errors, name, "down")


class MeanAbsoluteError(Metric):
    """Mean absolute error."""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(_absolute_errors, name, "down")


class Hinge(Metric):
    """Mean hinge loss; targets of 0 and 1 are turned into -1 and 1."""

    def __init__(self, name: str = "hinge") -> None:
        super().__init__(_hinges, name, "down")


class F1Score(Metric):
    r"""Harmonic mean of precision and recall, :math:`2PR/(P + R)`, over all that was seen.

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        None: one score a class, as an array. ``"micro"``: one score of all answers together.
        ``"macro"``: the mean over the classes. ``"weighted"``: that mean, weighted by how often
        each class is true.
    threshold : float, optional
        Above it an answer is yes, in (0, 1]; by default the largest of an example is.
    name : str
        The key in the logs.

    Raises
    ------
    ValueError
        If ``average`` is another or ``threshold`` is out of range; in use, if targets or
        predictions have no shape (examples, classes).

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
        self, average: str | None = None, threshold: float | None = None, name: str = "f1_score"
    ) -> None:
        self.average = check_choice("average", average, (None, "micro", "macro", "weighted"))
        if threshold is not None:
            threshold = check_number("threshold", threshold, low=0, high=1, low_open=True)
        self.threshold = threshold
        super().__init__(self._answers, name, "up")

    def _answers(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return for each example and class whether it is a hit, answered yes, and true."""
        if y_true.ndim != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                "y_true and y_pred must have one shape (examples, classes), "
                f"got {y_true.shape} and {y_pred.shape}"
            )
        if self.threshold is None:
            # Where all answers are 0, none is yes.
            yes = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            yes = y_pred > self.threshold
        return np.stack([yes * y_true, yes, y_true]).astype("float64")

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.counts: Any = np.zeros((3, 1))

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        answers = self.per_example(_numbers("y_true", y_true), _numbers("y_pred", y_pred))
        if sample_weight is not None:
            answers = answers * _weights(sample_weight, answers.shape[1:2])[:, np.newaxis]
        axis = (1, 2) if self.average == "micro" else 1
        self.counts = self.counts + answers.sum(axis=axis).reshape(3, -1)

    def result(self) -> Any:
        """Return the score: an array with ``average=None``, otherwise a float."""
        hits, yes, true = self.counts
        precision, recall = hits / (yes + EPSILON), hits / (true + EPSILON)
        scores = 2 * precision * recall / (precision + recall + EPSILON)
        if self.average is None:
            return scores
        if self.average == "weighted":
            return float((scores * true).sum() / (true.sum() + EPSILON))
        return float(scores.mean())


_REGISTRY: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "acc": Accuracy,
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "hinge": Hinge,
    "f1_score": F1Score,
}


def get(identifier: Any) -> Metric:
    """Return the metric that ``identifier`` means; a name is also its key in the logs.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.
    """
    metric = _serialization.get(identifier, _REGISTRY, "metric")
    if isinstance(identifier, str):
        metric.name = identifier
    return metric
