r"""How far numbers are off: losses of the error :math:`e = \hat y - y`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Integer, Number, arguments
from reglib.losses.base import EPSILON, Elementwise, Loss


class MeanSquaredError(Elementwise):
    r"""Mean squared error, :math:`\frac1K\sum_k(y_k - \hat y_k)^2` an example.

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
    ``keras.losses.MeanSquaredError``.

    Examples
    --------
    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return e²."""
        return np.square(y_pred - y_true)

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return 2e."""
        return 2 * (y_pred - y_true)

    def both(self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and the derivative times ``scale``."""
        error = y_pred - y_true
        outputs = error.shape[-1]
        losses = np.add.reduce(error * error, axis=-1) / outputs
        return losses, error * (2 * scale / outputs)


class MeanAbsoluteError(Elementwise):
    r"""Mean absolute error, :math:`\frac1K\sum_k|y_k - \hat y_k|` an example.

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
    ``keras.losses.MeanAbsoluteError``.

    Examples
    --------
    >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the absolute error."""
        return np.abs(y_pred - y_true)

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the error's sign."""
        return np.sign(y_pred - y_true)


class MeanAbsolutePercentageError(Elementwise):
    r"""Error as a percentage of the target, :math:`\frac{100}K\sum_k|y_k - \hat y_k|/|y_k|`.

    Targets nearer to 0 than 1e-7 count as 1e-7.

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
    ``keras.losses.MeanAbsolutePercentageError``.

    Examples
    --------
    >>> float(MeanAbsolutePercentageError()([[4.0]], [[5.0]]))
    25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the absolute error in percent of the target."""
        return 100 * (np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), EPSILON))

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the error's sign, in percent of the target."""
        return 100 * (np.sign(y_pred - y_true) / np.maximum(np.abs(y_true), EPSILON))


class MeanSquaredLogarithmicError(Elementwise):
    r"""Squared error of logarithms, :math:`\frac1K\sum_k(\log(1+\hat y_k) - \log(1+y_k))^2`.

    Ten for a target of twenty costs about what ten thousand for twenty thousand costs. Numbers
    below 1e-7 count as 1e-7.

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
    ``keras.losses.MeanSquaredLogarithmicError``.

    Examples
    --------
    >>> float(MeanSquaredLogarithmicError()([[0.0]], [[np.e - 1]]).round(4))
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the squared difference of the logarithms."""
        return np.square(self._difference(y_true, y_pred))

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return twice the difference, over 1 + ŷ."""
        slope = 2 * self._difference(y_true, y_pred) / (np.maximum(y_pred, EPSILON) + 1)
        return slope * (y_pred >= EPSILON)

    @staticmethod
    def _difference(y_true: NDArray, y_pred: NDArray) -> NDArray:
        predicted, true = (np.log(np.maximum(y, EPSILON) + 1) for y in (y_pred, y_true))
        return predicted - true


@arguments(delta=Number("> 0"))
class Huber(Elementwise):
    r"""Squared for small errors, absolute for large: half :math:`e^2` up to :math:`\delta`.

    .. math:: \tfrac12 e^2 \text{ if } |e| \le \delta,
        \quad \delta|e| - \tfrac12\delta^2 \text{ else}

    Parameters
    ----------
    delta : float
        Where the change is, above 0.
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or the reduction is another.

    References
    ----------
    Huber (1964), "Robust estimation of a location parameter"; ``keras.losses.Huber``.

    Notes
    -----
    Keras's configuration leaves ``delta`` out, so that its copies have a delta of 1.

    Examples
    --------
    >>> float(Huber()([[0.0]], [[3.0]]))
    2.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return half the square of a small error, and less of a large one."""
        error = np.abs(y_pred - y_true)
        small = np.minimum(error, self.delta)
        return small * (error - 0.5 * small)

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the error, cut at ±δ."""
        return np.clip(y_pred - y_true, -self.delta, self.delta)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "delta": self.delta}


class LogCosh(Elementwise):
    r"""A smooth Huber loss, :math:`\frac1K\sum_k\log\cosh(\hat y_k - y_k)`.

    About half :math:`e^2` for small errors, about :math:`|e| - \log 2` for large ones.

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
    ``keras.losses.LogCosh``.

    Examples
    --------
    >>> float(LogCosh()([[0.0]], [[50.0]]).round(4))  # 50 - log(2)
    49.3069
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return log cosh e."""
        size = np.abs(y_pred - y_true)
        # The cosh of a large error would overflow.
        return size + np.log1p(np.exp(-2 * size)) - size.dtype.type(np.log(2))

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return tanh e."""
        return np.tanh(y_pred - y_true)


@arguments(axis=Integer())
class CosineSimilarity(Loss):
    r"""The cosine of the angle between two vectors, negative: -1 for the same direction.

    .. math:: -\frac{\sum_k y_k\hat y_k}{\|y\|\,\|\hat y\|}

    Parameters
    ----------
    axis : int
        The axis of the vectors.
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If the reduction is another; in use, if there is no such axis.

    References
    ----------
    ``keras.losses.CosineSimilarity``.

    Notes
    -----
    Keras's configuration leaves ``axis`` out, so that its copies take the last one.

    Examples
    --------
    >>> float(CosineSimilarity()([[0.0, 2.0]], [[0.0, 3.0]]))
    -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one negative cosine an example."""
        return -(unit(y_true) * unit(y_pred)).sum(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the part of -y that turns ŷ, over both lengths."""
        y, p = unit(y_true), unit(y_pred)
        length = np.linalg.norm(y_pred, axis=-1, keepdims=True)
        along = (y * p).sum(axis=-1, keepdims=True) * p
        # A vector shorter than epsilon is multiplied by a constant.
        return np.where(length > EPSILON, along - y, -y) / np.maximum(length, EPSILON)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}


def unit(vectors: NDArray) -> NDArray:
    """Return vectors along the last axis over their lengths, which count as 1e-7 at least."""
    length = np.sqrt(np.add.reduce(np.square(vectors), axis=-1, keepdims=True))
    return vectors / np.maximum(length, EPSILON)
