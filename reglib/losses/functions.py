"""The losses as functions: one loss an example, not reduced over the batch.

``compile`` takes them as well as the classes, whose docstrings have the formulas. Each function
takes the options of its class.
"""

from __future__ import annotations

from numpy.typing import NDArray

from reglib._typing import ArrayLike
from reglib.losses import crossentropy, regression

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "kl_divergence",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "sparse_categorical_crossentropy",
]


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return the mean squared error of each example; see :class:`MeanSquaredError`.

    Examples
    --------
    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]])
    array([0.5])
    """
    return regression.MeanSquaredError(None)(y_true, y_pred)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return the mean absolute error of each example; see :class:`MeanAbsoluteError`.

    Examples
    --------
    >>> mean_absolute_error([[0.0, 1.0]], [[3.0, 1.0]])
    array([1.5])
    """
    return regression.MeanAbsoluteError(None)(y_true, y_pred)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return each example's error in percent; see :class:`MeanAbsolutePercentageError`.

    Examples
    --------
    >>> mean_absolute_percentage_error([[4.0]], [[5.0]])
    array([25.])
    """
    return regression.MeanAbsolutePercentageError(None)(y_true, y_pred)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> NDArray:
    """Return the Huber loss of each example; see :class:`Huber`.

    Examples
    --------
    >>> huber([[0.0], [0.0]], [[1.0], [3.0]])
    array([0.5, 2.5])
    """
    return regression.Huber(delta, None)(y_true, y_pred)


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return each example's divergence; see :class:`KLDivergence`.

    Examples
    --------
    >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    array([0.])
    """
    return crossentropy.KLDivergence(None)(y_true, y_pred)


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> NDArray:
    """Return the binary cross-entropy of each example; see :class:`BinaryCrossentropy`.

    Examples
    --------
    >>> binary_crossentropy([[1.0]], [[0.5]]).round(4)
    array([0.6931])
    """
    loss = crossentropy.BinaryCrossentropy(from_logits, label_smoothing, axis, None)
    return loss(y_true, y_pred)


def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> NDArray:
    """Return the cross-entropy of each example; see :class:`CategoricalCrossentropy`.

    Examples
    --------
    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4)
    array([0.6931])
    """
    loss = crossentropy.CategoricalCrossentropy(from_logits, label_smoothing, axis, None)
    return loss(y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> NDArray:
    """Return each example's cross-entropy; see :class:`SparseCategoricalCrossentropy`.

    Examples
    --------
    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4)
    array([0.6931])
    """
    loss = crossentropy.SparseCategoricalCrossentropy(from_logits, ignore_class, None, axis)
    return loss(y_true, y_pred)
