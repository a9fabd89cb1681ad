r"""Losses of distributions and of counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.losses.base import EPSILON, Elementwise, Loss


class KLDivergence(Loss):
    r"""How far a distribution is from the true one, :math:`\sum_k y_k\log(y_k/\hat y_k)`.

    What a student pays that learns a teacher's probabilities. Both are kept in [1e-7, 1].

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
    Kullback and Leibler (1951), "On information and sufficiency"; Hinton, Vinyals and Dean
    (2015), "Distilling the knowledge in a neural network"; ``keras.losses.KLDivergence``.

    Examples
    --------
    >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    >>> float(KLDivergence()([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
    0.6931
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
        return (y * np.log(y / p)).sum(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return -y/ŷ."""
        y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
        return -(y / p) * (p == y_pred)


class Poisson(Elementwise):
    r"""Loss of predicted counts, :math:`\frac1K\sum_k(\hat y_k - y_k\log\hat y_k)`.

    The negative logarithm of a Poisson probability, without the terms that no prediction
    changes.

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
    ``keras.losses.Poisson``.

    Examples
    --------
    >>> float(Poisson()([[3.0]], [[1.0]]).round(4))
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return ŷ - y log ŷ."""
        return y_pred - y_true * np.log(y_pred + EPSILON)

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return 1 - y/ŷ."""
        return 1 - y_true / (y_pred + EPSILON)
