r"""Penalties on weights: :math:`\lambda_1\sum|w|`, :math:`\lambda_2\sum w^2`, and both.

A penalty is a callable that returns its value, with its derivative beside it:
``penalty(w)`` and ``penalty.gradient(w)``. The first works on any array type (see
:mod:`reglib._namespace`), so that a Keras layer can use it; the second is NumPy's.

The textbook's :math:`\frac{\lambda}{2m}\sum W^2` is ``L2(lam / (2 * m))``: Keras's L2 has
neither the half nor the :math:`1/m`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _serialization
from reglib._arguments import Array, Choice, Number, arguments
from reglib._namespace import namespace


class Regularizer(_serialization.Described):
    """Base of all penalties."""

    def __call__(self, x: Any) -> Any:
        """Return the penalty, a scalar of the dtype of ``x``."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__")

    def gradient(self, x: NDArray) -> NDArray:
        """Return the penalty's derivative, an array of the shape of ``x``."""
        raise NotImplementedError(f"{type(self).__name__} must define gradient")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        raise NotImplementedError(f"{type(self).__name__} must define get_config")

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


@arguments(l1=Number(">= 0") | None)
class L1(Regularizer):
    r"""Lasso penalty :math:`\lambda_1\sum_i|w_i|`; subgradient :math:`\lambda_1\mathrm{sign}(w)`.

    Parameters
    ----------
    l1 : float
        The factor, at least 0. None stands for the default.

    Raises
    ------
    TypeError, ValueError
        If ``l1`` is no finite number of at least 0.

    References
    ----------
    Tibshirani (1996), "Regression shrinkage and selection via the lasso";
    ``keras.regularizers.L1``.

    Examples
    --------
    >>> float(L1(0.1)(np.array([3.0, -4.0])))
    0.7000000000000001
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = 0.01 if l1 is None else l1

    def __call__(self, x: Any) -> Any:
        """Return the penalty, a scalar of the dtype of ``x``."""
        xp = namespace(x)
        return self.l1 * xp.sum(xp.absolute(x))

    def gradient(self, x: NDArray) -> NDArray:
        """Return the subgradient; it is 0 where the weight is 0."""
        return self.l1 * np.sign(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"l1": self.l1}


@arguments(l2=Number(">= 0") | None)
class L2(Regularizer):
    r"""Ridge penalty :math:`\lambda_2\sum_i w_i^2`, with gradient :math:`2\lambda_2 w`.

    Parameters
    ----------
    l2 : float
        The factor, at least 0. None stands for the default.

    Raises
    ------
    TypeError, ValueError
        If ``l2`` is no finite number of at least 0.

    References
    ----------
    Hoerl and Kennard (1970), "Ridge regression"; ``keras.regularizers.L2``.

    Examples
    --------
    >>> float(L2(0.1)(np.array([3.0, -4.0])))
    2.5
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = 0.01 if l2 is None else l2

    def __call__(self, x: Any) -> Any:
        """Return the penalty, a scalar of the dtype of ``x``."""
        xp = namespace(x)
        return self.l2 * xp.sum(xp.square(x))

    def gradient(self, x: NDArray) -> NDArray:
        """Return the gradient."""
        return (2 * self.l2) * x

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"l2": self.l2}


@arguments(l1=Number(">= 0") | None, l2=Number(">= 0") | None)
class L1L2(Regularizer):
    r"""Elastic-net penalty :math:`\lambda_1\sum_i|w_i| + \lambda_2\sum_i w_i^2`.

    Parameters
    ----------
    l1, l2 : float
        The factors, at least 0. None stands for 0.

    Raises
    ------
    TypeError, ValueError
        If a factor is no finite number of at least 0.

    References
    ----------
    Zou and Hastie (2005), "Regularization and variable selection via the elastic net";
    ``keras.regularizers.L1L2``.

    Examples
    --------
    >>> float(L1L2(l1=1.0, l2=0.1)(np.array([3.0, -4.0])))
    9.5
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = 0.0 if l1 is None else l1
        self.l2 = 0.0 if l2 is None else l2

    def __call__(self, x: Any) -> Any:
        """Return the penalty, a scalar of the dtype of ``x``."""
        xp = namespace(x)
        return self.l1 * xp.sum(xp.absolute(x)) + self.l2 * xp.sum(xp.square(x))

    def gradient(self, x: NDArray) -> NDArray:
        """Return the subgradient; its L1 part is 0 where the weight is 0."""
        return self.l1 * np.sign(x) + (2 * self.l2) * x

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"l1": self.l1, "l2": self.l2}


@arguments(factor=Number(">= 0"), mode=Choice("rows", "columns"))
class OrthogonalRegularizer(Regularizer):
    r"""Penalty on rows (or columns) that point the same way.

    .. math:: \frac{f}{n(n-1)}\sum_{i \ne j}|\langle \hat w_i, \hat w_j\rangle|

    over the :math:`n` rows, each divided by its length.

    Parameters
    ----------
    factor : float
        :math:`f`, at least 0.
    mode : {"rows", "columns"}
        Which vectors are to be orthogonal.

    Raises
    ------
    ValueError
        If ``factor`` is negative, ``mode`` is another, or the weights are no matrix.

    References
    ----------
    ``keras.regularizers.OrthogonalRegularizer``.

    Notes
    -----
    Keras 3.15's ``mode="columns"`` normalizes the wrong axis of a NumPy array; this is what it
    does with tensors.

    Examples
    --------
    >>> float(OrthogonalRegularizer(1.0)(np.array([[1.0, 0.0], [1.0, 0.0]])).round(6))
    1.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = factor
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        """Return the penalty, a scalar of the dtype of ``x``."""
        xp = namespace(x)
        rows = self._rows(x, xp)
        unit = rows / xp.sqrt(xp.maximum(xp.sum(xp.square(rows), axis=1, keepdims=True), 1e-14))
        products = xp.absolute(xp.matmul(unit, xp.transpose(unit)))
        n = rows.shape[0]
        # The diagonal is taken away by its values: they are 1 but for rounding.
        return self.factor * 0.5 * (xp.sum(products) - xp.sum(xp.diagonal(products))) / _pairs(n)

    def gradient(self, x: NDArray) -> NDArray:
        """Return the subgradient, through the division by the length."""
        rows = self._rows(x, np)
        length = np.sqrt(np.maximum(np.square(rows).sum(axis=1, keepdims=True), 1e-14))
        unit = rows / length
        signs = np.sign(unit @ unit.T)
        np.fill_diagonal(signs, 0)
        by_unit = self.factor * (signs @ unit) / _pairs(len(rows))
        by_row = (by_unit - unit * (by_unit * unit).sum(axis=1, keepdims=True)) / length
        return by_row if self.mode == "rows" else by_row.T

    def _rows(self, x: Any, xp: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(f"x must be a matrix of weights, got shape {tuple(x.shape)}")
        return x if self.mode == "rows" else xp.transpose(x)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"factor": self.factor, "mode": self.mode}


def _pairs(n: int) -> float:
    """Return the number of pairs of ``n`` vectors, 1 where there is none."""
    return max(1.0, n * (n - 1) / 2)


@arguments(w=Array(empty=True), threshold=Number(">= 0"))
def proximal_l1(w: NDArray, threshold: float) -> NDArray:
    r"""Return :math:`\mathrm{sign}(w)\max(|w| - t, 0)`: the step that makes exact zeros.

    It is the minimum over :math:`u` of :math:`\frac12\|u - w\|^2 + t\sum|u|`.

    Parameters
    ----------
    w : ndarray
        Weights of any shape.
    threshold : float
        :math:`t`, at least 0: the learning rate times the penalty's factor.

    Raises
    ------
    TypeError, ValueError
        If ``w`` holds no finite numbers, or ``threshold`` is negative or no number.

    References
    ----------
    Parikh and Boyd (2014), "Proximal algorithms".

    Examples
    --------
    >>> proximal_l1(np.array([3.0, -0.5, -2.0]), 1.0)
    array([ 2., -0., -1.])
    """
    return np.sign(w) * np.maximum(np.abs(w) - threshold, 0)


@arguments(w=Array(empty=True), strength=Number(">= 0"))
def proximal_l2(w: NDArray, strength: float) -> NDArray:
    r"""Return :math:`w/(1 + 2t)`: the minimum of :math:`\frac12\|u - w\|^2 + t\sum u^2`.

    Parameters
    ----------
    w : ndarray
        Weights of any shape.
    strength : float
        :math:`t`, at least 0.

    Raises
    ------
    TypeError, ValueError
        If ``w`` holds no finite numbers, or ``strength`` is negative or no number.

    References
    ----------
    Parikh and Boyd (2014), "Proximal algorithms".

    Examples
    --------
    >>> proximal_l2(np.array([3.0, -1.5]), 0.25)
    array([ 2., -1.])
    """
    return w / (1 + 2 * strength)


@arguments(w=Array(empty=True), l1=Number(">= 0"), l2=Number(">= 0"))
def proximal_elastic_net(w: NDArray, l1: float, l2: float) -> NDArray:
    r"""Return the minimum of :math:`\frac12\|u - w\|^2 + t_1\sum|u| + t_2\sum u^2`.

    First the threshold, then the shrinking.

    Parameters
    ----------
    w : ndarray
        Weights of any shape.
    l1, l2 : float
        :math:`t_1` and :math:`t_2`, at least 0.

    Raises
    ------
    TypeError, ValueError
        If ``w`` holds no finite numbers, or a strength is negative or no number.

    References
    ----------
    Parikh and Boyd (2014), "Proximal algorithms".

    Examples
    --------
    >>> proximal_elastic_net(np.array([3.0, -0.5]), 1.0, 0.5)
    array([ 1., -0.])
    """
    return proximal_l2(proximal_l1(w, l1), l2)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_REGISTRY: dict[str, type[Regularizer]] = {
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1l2": L1L2,
    "l1_l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


def get(identifier: Any) -> Regularizer | Callable[[Any], Any] | None:
    """Return the penalty that ``identifier`` means: None, a name, a config, a class or an object.

    For an object of Keras it is one of this library.

    Notes
    -----
    ``"l1_l2"`` is accepted, as Keras's documentation promises; Keras 3.15 itself rejects it.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.

    Examples
    --------
    >>> get("l2")
    L2(l2=0.01)
    """
    return _serialization.own(_serialization.get(identifier, _REGISTRY, "regularizer"), _REGISTRY)


def serialize(regularizer: Regularizer) -> dict[str, Any]:
    """Return Keras's description of a penalty, as plain data.

    Examples
    --------
    >>> serialize(L2(0.1))["config"]
    {'l2': 0.1}
    """
    return _serialization.serialize(regularizer, "regularizers")


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Regularizer:
    """Return the penalty that Keras's description means.

    Raises
    ------
    ValueError
        If the class is unknown.
    """
    return _serialization.deserialize(config, _REGISTRY, "regularizer", custom_objects)
