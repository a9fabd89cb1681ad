"""Means of losses, under the losses' names, and the other means over examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from reglib import losses
from reglib._arguments import Flag, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib.losses.base import align, as_targets, weights_for
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


@arguments(from_logits=Flag(), label_smoothing=Number("[0, 1]"))
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


@arguments(from_logits=Flag(), label_smoothing=Number("[0, 1]"), axis=Integer())
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


@arguments(from_logits=Flag(), ignore_class=Integer(), axis=Integer())
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

    def update_state(  # type: ignore[override]  # a Mean takes values
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

    def update_state(  # type: ignore[override]  # a Mean takes values
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch."""
        y_true, y_pred = align(y_true, y_pred)
        super().update_state(np.square(y_pred - y_true), sample_weight)

    def result(self) -> float:
        """Return the root of the mean so far."""
        return super().result() ** 0.5
