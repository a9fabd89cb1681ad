"""The losses as functions: one loss an example, not reduced over the batch.

``compile`` takes them as well as the classes, whose docstrings have the formulas. Each function
takes the options of its class.
"""

from __future__ import annotations

from numpy.typing import ArrayLike, NDArray

from reglib.losses import crossentropy, divergence, margin, regression

__all__ = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "cosine_similarity",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
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


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return each example's error of logarithms; see :class:`MeanSquaredLogarithmicError`.

    Examples
    --------
    >>> mean_squared_logarithmic_error([[3.0]], [[3.0]])
    array([0.])
    """
    return regression.MeanSquaredLogarithmicError(None)(y_true, y_pred)


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray:
    """Return each example's cosine, negative; see :class:`CosineSimilarity`.

    Examples
    --------
    >>> cosine_similarity([[0.0, 2.0]], [[0.0, 3.0]])
    array([-1.])
    """
    return regression.CosineSimilarity(axis, None)(y_true, y_pred)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> NDArray:
    """Return the Huber loss of each example; see :class:`Huber`.

    Examples
    --------
    >>> huber([[0.0], [0.0]], [[1.0], [3.0]])
    array([0.5, 2.5])
    """
    return regression.Huber(delta, None)(y_true, y_pred)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return each example's mean of log cosh e; see :class:`LogCosh`.

    Examples
    --------
    >>> log_cosh([[0.0]], [[0.0]])
    array([0.])
    """
    return regression.LogCosh(None)(y_true, y_pred)


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return the hinge loss of each example; see :class:`Hinge`.

    Examples
    --------
    >>> hinge([[1.0]], [[0.25]])
    array([0.75])
    """
    return margin.Hinge(None)(y_true, y_pred)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return the squared hinge loss of each example; see :class:`SquaredHinge`.

    Examples
    --------
    >>> squared_hinge([[1.0]], [[0.5]])
    array([0.25])
    """
    return margin.SquaredHinge(None)(y_true, y_pred)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return the categorical hinge loss of each example; see :class:`CategoricalHinge`.

    Examples
    --------
    >>> categorical_hinge([[0.0, 1.0]], [[0.5, 1.25]])
    array([0.25])
    """
    return margin.CategoricalHinge(None)(y_true, y_pred)


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return each example's divergence; see :class:`KLDivergence`.

    Examples
    --------
    >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    array([0.])
    """
    return divergence.KLDivergence(None)(y_true, y_pred)


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray:
    """Return the Poisson loss of each example; see :class:`Poisson`.

    Examples
    --------
    >>> poisson([[0.0]], [[2.0]])
    array([2.])
    """
    return divergence.Poisson(None)(y_true, y_pred)


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


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> NDArray:
    """Return each example's focal cross-entropy; see :class:`BinaryFocalCrossentropy`.

    Examples
    --------
    >>> binary_focal_crossentropy([[1.0]], [[0.5]]).round(4)
    array([0.1733])
    """
    loss = crossentropy.BinaryFocalCrossentropy(
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis, None
    )
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


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float | list[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> NDArray:
    """Return each example's focal cross-entropy; see :class:`CategoricalFocalCrossentropy`.

    Examples
    --------
    >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]], alpha=1.0).round(4)
    array([0.1733])
    """
    loss = crossentropy.CategoricalFocalCrossentropy(
        alpha, gamma, from_logits, label_smoothing, axis, None
    )
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


def categorical_generalized_cross_entropy(
    y_true: ArrayLike, y_pred: ArrayLike, q: float
) -> NDArray:
    """Return each example's loss; see :class:`CategoricalGeneralizedCrossEntropy`.

    Examples
    --------
    >>> categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)
    array([1.])
    """
    return crossentropy.CategoricalGeneralizedCrossEntropy(q, None)(y_true, y_pred)
