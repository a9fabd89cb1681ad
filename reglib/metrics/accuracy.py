"""How many answers are right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Flag, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib.losses.base import same_rank
from reglib.metrics.base import Named, as_numbers


def _side_by_side(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return both with one shape; a last axis of length 1 may be missing in one."""
    y_true, y_pred = as_numbers("y_true", y_true), as_numbers("y_pred", y_pred)
    if y_true.ndim != y_pred.ndim:
        y_true, y_pred = same_rank(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true must have the shape of y_pred, {y_pred.shape}, got {y_true.shape}"
        )
    return y_true, y_pred


def _labels_and_scores(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return class numbers, without a last axis of length 1, and a score for each class."""
    y_true, y_pred = as_numbers("y_true", y_true), as_numbers("y_pred", y_pred)
    labels = y_true
    if labels.ndim == y_pred.ndim and labels.shape[-1:] == (1,):
        labels = labels[..., 0]
    if labels.shape != y_pred.shape[:-1]:
        raise ValueError(f"y_true must have shape {y_pred.shape[:-1]}, got {y_true.shape}")
    return labels, y_pred


def _equal(y_true: NDArray, y_pred: NDArray) -> NDArray:
    y_true, y_pred = _side_by_side(y_true, y_pred)
    return y_true.astype(y_pred.dtype, copy=False) == y_pred


def _right(matches: NDArray) -> NDArray:
    """Return 1 for each match and 0 elsewhere."""
    return matches.astype("float64")


@arguments(threshold=Number())
def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> NDArray:
    """Return 1 for each yes-no answer that is right and 0 elsewhere.

    Examples
    --------
    >>> binary_accuracy([1, 1, 0], [0.9, 0.2, 0.1])
    array([1., 0., 1.])
    """
    y_true, y_pred = _side_by_side(y_true, y_pred)
    return _right(y_true == (y_pred > threshold))


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return 1 for each one-hot answer that is right and 0 elsewhere.

    Examples
    --------
    >>> categorical_accuracy([[0, 1], [0, 1]], [[0.2, 0.8], [0.6, 0.4]])
    array([1., 0.])
    """
    y_true, y_pred = _side_by_side(y_true, y_pred)
    return _right(y_true.argmax(axis=-1) == y_pred.argmax(axis=-1))


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return 1 for each class number that is right and 0 elsewhere.

    Examples
    --------
    >>> sparse_categorical_accuracy([1, 1], [[0.2, 0.8], [0.6, 0.4]])
    array([1., 0.])
    """
    labels, scores = _labels_and_scores(y_true, y_pred)
    return _right(labels == scores.argmax(axis=-1))


def _accuracy_by_shape(y_true: NDArray, y_pred: NDArray) -> NDArray:
    if y_pred.ndim < 2 or y_pred.shape[-1] == 1:
        return binary_accuracy(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == y_pred.shape[-1]:
        return categorical_accuracy(y_true, y_pred)
    return sparse_categorical_accuracy(y_true, y_pred)


def _among_the_best(labels: NDArray, scores: NDArray, k: int) -> NDArray:
    """Return whether fewer than k classes score better than the right one."""
    right = np.take_along_axis(scores, labels[..., np.newaxis], axis=-1)
    best = (scores > right).sum(axis=-1) < k
    return _right(best & np.isfinite(right[..., 0]))


@arguments(k=Integer(">= 1"))
def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> NDArray:
    """Return 1 for each one-hot answer that is among the k best scores and 0 elsewhere.

    Examples
    --------
    >>> top_k_categorical_accuracy([[0, 0, 1], [1, 0, 0]], [[0.1, 0.5, 0.4]] * 2, k=2)
    array([1., 0.])
    """
    y_true, y_pred = _side_by_side(y_true, y_pred)
    return _among_the_best(y_true.argmax(axis=-1), y_pred, k)


@arguments(k=Integer(">= 1"), from_sorted_ids=Flag())
def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> NDArray:
    """Return 1 for each class number that is among the k best scores and 0 elsewhere.

    Examples
    --------
    >>> sparse_top_k_categorical_accuracy([2, 0], [[0.1, 0.5, 0.4]] * 2, k=2)
    array([1., 0.])
    """
    labels, y_pred = _labels_and_scores(y_true, y_pred)
    if from_sorted_ids:
        first = y_pred[..., :k]
        return _right((labels[..., np.newaxis] == first).any(axis=-1))
    numbers = labels.astype(np.intp)
    if (numbers != labels).any() or not ((numbers >= 0) & (numbers < y_pred.shape[-1])).all():
        raise ValueError(
            f"y_true must hold class numbers from 0 to {y_pred.shape[-1] - 1}, "
            f"got values from {labels.min():g} to {labels.max():g}"
        )
    return _among_the_best(numbers, y_pred, k)


class Accuracy(Named):
    """Fraction of predictions that are equal to their targets, number by number.

    The name ``"accuracy"`` means :class:`AccuracyByShape`, as in Keras.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.Accuracy``.

    Examples
    --------
    >>> Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]])
    0.75
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(_equal, name, dtype)


class AccuracyByShape(Named):
    """Fraction of right answers; what counts as an answer follows from the shapes.

    One score an example is a yes or a no, several are scores of classes; targets are then
    one-hot or class numbers. This is what ``metrics=["accuracy"]`` means, here and in Keras.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Examples
    --------
    >>> AccuracyByShape()([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    0.6666666666666666
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(_accuracy_by_shape, name, dtype)


@arguments(threshold=Number("[0, 1]"))
class BinaryAccuracy(Named):
    """Fraction of yes-no answers that are right, yes meaning above ``threshold``.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    threshold : float
        In [0, 1].

    References
    ----------
    ``keras.metrics.BinaryAccuracy``.

    Examples
    --------
    >>> BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
    0.75
    """

    _direction = "up"

    def __init__(
        self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        self.threshold = threshold
        super().__init__(binary_accuracy, name, dtype, threshold=self.threshold)


class CategoricalAccuracy(Named):
    """Fraction of one-hot answers that are right.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.CategoricalAccuracy``.

    Examples
    --------
    >>> CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(Named):
    """Fraction of class numbers that are right.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.SparseCategoricalAccuracy``.

    Examples
    --------
    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    0.5
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@arguments(k=Integer(">= 1"))
class TopKCategoricalAccuracy(Named):
    """Fraction of one-hot answers that are among the k best scores.

    Parameters
    ----------
    k : int
        At least 1.
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.TopKCategoricalAccuracy``.

    Examples
    --------
    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [1, 0, 0]], [[0.1, 0.5, 0.4], [0.1, 0.5, 0.4]])
    0.5
    """

    _direction = "up"

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        self.k = k
        super().__init__(top_k_categorical_accuracy, name, dtype, k=self.k)


@arguments(k=Integer(">= 1"), from_sorted_ids=Flag())
class SparseTopKCategoricalAccuracy(Named):
    """Fraction of class numbers that are among the k best scores.

    Parameters
    ----------
    k : int
        At least 1.
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    from_sorted_ids : bool
        Whether predictions are class numbers, the best first, rather than scores.

    References
    ----------
    ``keras.metrics.SparseTopKCategoricalAccuracy``.

    Examples
    --------
    >>> SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.5, 0.4], [0.1, 0.5, 0.4]])
    0.5
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        self.k = k
        self.from_sorted_ids = from_sorted_ids
        super().__init__(
            sparse_top_k_categorical_accuracy,
            name,
            dtype,
            k=self.k,
            from_sorted_ids=self.from_sorted_ids,
        )
