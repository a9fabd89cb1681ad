"""Means of losses, under the losses' names, and the other means over examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib import losses
from reglib._arguments import Integer, arguments
from reglib.losses.base import EPSILON, align, as_targets, weights_for
from reglib.metrics.base import Mean, Named


class MeanSquaredError(Named):
    """Mean squared error.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.MeanSquaredError``; the formula is that of
    :func:`reglib.losses.mean_squared_error`.

    Examples
    --------
    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]])
    0.5
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(Named):
    """Mean absolute error.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.MeanAbsoluteError``; the formula is that of
    :func:`reglib.losses.mean_absolute_error`.

    Examples
    --------
    >>> MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]])
    1.5
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(Named):
    """Mean error in percent of the targets.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.MeanAbsolutePercentageError``; the formula is that of
    :func:`reglib.losses.mean_absolute_percentage_error`.

    Examples
    --------
    >>> MeanAbsolutePercentageError()([[4.0]], [[5.0]])
    25.0
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(Named):
    """Mean squared error of logarithms.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.MeanSquaredLogarithmicError``; the formula is that of
    :func:`reglib.losses.mean_squared_logarithmic_error`.

    Examples
    --------
    >>> MeanSquaredLogarithmicError()([[3.0]], [[3.0]])
    0.0
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(Named):
    """Mean of log cosh of the errors.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.LogCoshError``; the formula is that of :func:`reglib.losses.log_cosh`.

    Examples
    --------
    >>> LogCoshError()([[3.0]], [[3.0]])
    0.0
    """

    _direction = "down"

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class Hinge(Named):
    """Mean hinge loss; targets of 0 and 1 are turned into -1 and 1.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.Hinge``; the formula is that of :func:`reglib.losses.hinge`.

    Examples
    --------
    >>> Hinge()([[1.0]], [[0.25]])
    0.75
    """

    _direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(Named):
    """Mean squared hinge loss; targets of 0 and 1 are turned into -1 and 1.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.SquaredHinge``; the formula is that of :func:`reglib.losses.squared_hinge`.

    Examples
    --------
    >>> SquaredHinge()([[1.0]], [[0.5]])
    0.25
    """

    _direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(Named):
    """Mean margin by which the right class fails to lead.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.CategoricalHinge``; the formula is that of
    :func:`reglib.losses.categorical_hinge`.

    Examples
    --------
    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.25]])
    0.25
    """

    _direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


class KLDivergence(Named):
    """Mean divergence of the predicted distributions from the true ones.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.KLDivergence``; the formula is that of :func:`reglib.losses.kl_divergence`.

    Examples
    --------
    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    """

    _direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(Named):
    """Mean Poisson loss of predicted counts.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.Poisson``; the formula is that of :func:`reglib.losses.poisson`.

    Examples
    --------
    >>> Poisson()([[0.0]], [[2.0]])
    2.0
    """

    _direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class BinaryCrossentropy(Named):
    """Mean cross-entropy of yes-no targets.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    from_logits, label_smoothing
        As for :class:`reglib.losses.BinaryCrossentropy`.

    References
    ----------
    ``keras.metrics.BinaryCrossentropy``.

    Examples
    --------
    >>> round(BinaryCrossentropy()([[1.0]], [[0.5]]), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        losses.BinaryCrossentropy(from_logits, label_smoothing)  # which checks them
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class CategoricalCrossentropy(Named):
    """Mean cross-entropy of one-hot targets.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    from_logits, label_smoothing, axis
        As for :class:`reglib.losses.CategoricalCrossentropy`.

    References
    ----------
    ``keras.metrics.CategoricalCrossentropy``.

    Examples
    --------
    >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        losses.CategoricalCrossentropy(from_logits, label_smoothing, axis)  # which checks them
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(Named):
    """Mean cross-entropy of class numbers.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    from_logits, ignore_class, axis
        As for :class:`reglib.losses.SparseCategoricalCrossentropy`.

    References
    ----------
    ``keras.metrics.SparseCategoricalCrossentropy``.

    Notes
    -----
    As in Keras, ignored examples count as 0 in the mean; with weights they do not count.

    Examples
    --------
    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 4)
    0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        losses.SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis)  # checks them
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        ignored = self._options["ignore_class"]
        if ignored is not None and sample_weight is not None:
            labels = as_targets(y_true)
            if labels.ndim == np.ndim(y_pred):
                labels = labels.squeeze(self._options["axis"])
            sample_weight = weights_for(labels.shape, "float64", sample_weight) * (
                labels != ignored
            )
        super().update_state(y_true, y_pred, sample_weight)


class RootMeanSquaredError(Mean):
    r"""Root of the mean squared error, :math:`\sqrt{\operatorname{mean}(\hat y - y)^2}`.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    References
    ----------
    ``keras.metrics.RootMeanSquaredError``.

    Examples
    --------
    >>> RootMeanSquaredError()([0.0, 0.0], [1.0, 7.0])
    5.0
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        y_true, y_pred = align(y_true, y_pred)
        super().update_state(np.square(y_pred - y_true), sample_weight)

    def result(self) -> float:
        """Return the root of the mean so far."""
        return super().result() ** 0.5


def _cosines(y_true: NDArray, y_pred: NDArray, axis: int) -> NDArray:
    return -losses.cosine_similarity(y_true, y_pred, axis)


def _standardized(y: NDArray, axis: int) -> NDArray:
    deviation = y - y.mean(axis=axis, keepdims=True)
    return deviation / deviation.std(axis=axis, keepdims=True)


@arguments(axis=Integer())
def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray:
    r"""Return each example's correlation, the mean product of standardized outputs.

    Examples
    --------
    >>> pearson_correlation([[1.0, 2.0, 3.0]], [[9.0, 7.0, 5.0]]).round(3)
    array([-1.])
    """
    y_true, y_pred = align(y_true, y_pred)
    return (_standardized(y_true, axis) * _standardized(y_pred, axis)).mean(axis=axis)


@arguments(axis=Integer())
def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> NDArray:
    r"""Return each example's concordance, a correlation that asks for one mean and spread.

    .. math:: \frac{2\operatorname{cov}(y, \hat y)}{\operatorname{var}(y) +
        \operatorname{var}(\hat y) + (\bar y - \bar{\hat y})^2}

    Examples
    --------
    >>> concordance_correlation([[0.0, 2.0]], [[1.0, 3.0]]).round(3)
    array([0.667])
    """
    y_true, y_pred = align(y_true, y_pred)
    true, predicted = y_true.mean(axis=axis, keepdims=True), y_pred.mean(axis=axis, keepdims=True)
    covariance = ((y_true - true) * (y_pred - predicted)).mean(axis=axis)
    apart = np.square(true - predicted).sum(axis=axis)
    return 2 * covariance / (y_true.var(axis=axis) + y_pred.var(axis=axis) + apart + EPSILON)


@arguments(axis=Integer())
class CosineSimilarity(Named):
    """Mean cosine of the angle between targets and predictions.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    axis : int
        The axis of the outputs.

    References
    ----------
    ``keras.metrics.CosineSimilarity``.

    Examples
    --------
    >>> CosineSimilarity()([[0.0, 2.0]], [[0.0, 3.0]])
    1.0
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        self.axis = axis
        super().__init__(_cosines, name, dtype, axis=self.axis)


@arguments(axis=Integer())
class PearsonCorrelation(Named):
    """Mean correlation of the outputs of an example with its targets.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    axis : int
        The axis of the outputs.

    References
    ----------
    ``keras.metrics.PearsonCorrelation``.

    Examples
    --------
    >>> round(PearsonCorrelation()([[1.0, 2.0, 3.0]], [[5.0, 7.0, 9.0]]), 3)
    1.0
    """

    _direction = "up"

    def __init__(
        self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        self.axis = axis
        super().__init__(pearson_correlation, name, dtype, axis=self.axis)


@arguments(axis=Integer())
class ConcordanceCorrelation(Named):
    """Mean correlation that also asks for the same mean and spread.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.
    axis : int
        The axis of the outputs.

    References
    ----------
    Lin (1989), "A concordance correlation coefficient to evaluate reproducibility";
    ``keras.metrics.ConcordanceCorrelation``.

    Examples
    --------
    >>> round(ConcordanceCorrelation()([[0.0, 2.0]], [[1.0, 3.0]]), 3)
    0.667
    """

    _direction = "up"

    def __init__(
        self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        self.axis = axis
        super().__init__(concordance_correlation, name, dtype, axis=self.axis)
