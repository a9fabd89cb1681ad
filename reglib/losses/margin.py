r"""Losses of a margin: nothing to pay for an answer that is right by 1 or more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib.losses.base import Elementwise, Loss


class Hinge(Elementwise):
    r"""The margin loss, :math:`\max(1 - y\hat y, 0)` with :math:`y = \pm 1`.

    Targets of 0 and 1 are turned into -1 and 1, as in Keras.

    Parameters
    ----------
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If ``name`` is no string, or ``dtype`` holds no fractions.
    ValueError
        If the reduction is another.

    References
    ----------
    ``keras.losses.Hinge``.

    Examples
    --------
    >>> float(Hinge()([[1.0]], [[0.25]]))
    0.75
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return targets of -1 and 1, and predictions."""
        y_true, y_pred = super().align(y_true, y_pred)
        if ((y_true == 0) | (y_true == 1)).all():
            y_true = 2 * y_true - 1
        return y_true, y_pred

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return what is missing to the margin."""
        return np.maximum(1 - y_true * y_pred, 0)

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return -y inside the margin."""
        return -y_true * (y_true * y_pred < 1)


class SquaredHinge(Hinge):
    r"""The margin loss squared, :math:`\max(1 - y\hat y, 0)^2` with :math:`y = \pm 1`.

    Targets of 0 and 1 are turned into -1 and 1, as in Keras.

    Parameters
    ----------
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If ``name`` is no string, or ``dtype`` holds no fractions.
    ValueError
        If the reduction is another.

    References
    ----------
    ``keras.losses.SquaredHinge``.

    Examples
    --------
    >>> float(SquaredHinge()([[1.0]], [[0.5]]))
    0.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the square of what is missing to the margin."""
        return np.square(super().element(y_true, y_pred))

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return -2y times what is missing."""
        return -2 * y_true * super().element(y_true, y_pred)


class CategoricalHinge(Loss):
    r"""The margin by which the right class leads, :math:`\max(1 + \hat y_- - \hat y_+, 0)`.

    :math:`\hat y_+ = \sum_k y_k\hat y_k` is the score of the right class of one-hot targets,
    :math:`\hat y_- = \max_k(1 - y_k)\hat y_k` the best of the others.

    Parameters
    ----------
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If ``name`` is no string, or ``dtype`` holds no fractions.
    ValueError
        If the reduction is another.

    References
    ----------
    ``keras.losses.CategoricalHinge``.

    Examples
    --------
    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.25]]))
    0.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        right = (y_true * y_pred).sum(axis=-1)
        others = ((1 - y_true) * y_pred).max(axis=-1)
        return np.maximum(others - right + 1, 0)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return 1 for the best of the others less y, inside the margin."""
        others = (1 - y_true) * y_pred
        best = np.zeros_like(y_pred)
        np.put_along_axis(best, others.argmax(axis=-1)[..., np.newaxis], 1, axis=-1)
        inside = self.call(y_true, y_pred)[..., np.newaxis] > 0
        return inside * (best * (1 - y_true) - y_true)
