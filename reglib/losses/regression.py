r"""How far numbers are off: losses of the error :math:`e = \hat y - y`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Number, arguments
from reglib.losses.base import EPSILON, Elementwise


class MeanSquaredError(Elementwise):
    r"""Mean squared error, :math:`\frac1K\sum_k(y_k - \hat y_k)^2` an example.

    Parameters
    ----------
    reduction, name, dtype
        As for :class:`Loss`.

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
