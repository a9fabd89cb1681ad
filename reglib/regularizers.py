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
from reglib._namespace import namespace
from reglib._validation import check_number


class Regularizer:
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

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Return a new penalty from :meth:`get_config`'s result."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


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
        self.l1 = check_number("l1", 0.01 if l1 is None else l1, low=0)

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
        self.l2 = check_number("l2", 0.01 if l2 is None else l2, low=0)

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
        self.l1 = check_number("l1", l1 or 0.0, low=0)
        self.l2 = check_number("l2", l2 or 0.0, low=0)

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


l1, l2, l1_l2 = L1, L2, L1L2

_REGISTRY: dict[str, type[Regularizer]] = {
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1l2": L1L2,
    "l1_l2": L1L2,
}


def get(identifier: Any) -> Regularizer | Callable[[Any], Any] | None:
    """Return the penalty that ``identifier`` means: None, a name, a config, a class or an object.

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
    return _serialization.get(identifier, _REGISTRY, "regularizer")


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
