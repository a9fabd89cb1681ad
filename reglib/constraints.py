"""Projections of weights onto a set, applied after each optimizer step.

The functions work on any array type (see :mod:`reglib._namespace`), so that a Keras layer
can use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from reglib import _serialization
from reglib._arguments import Axis, Number, arguments
from reglib._namespace import namespace

# Keras divides by epsilon + norm: a vector at the limit shrinks by one part in ten million.
_EPSILON = 1e-7


def _norm(w: Any, axis: int | Sequence[int]) -> Any:
    xp = namespace(w)
    return xp.sqrt(xp.sum(xp.square(w), axis=axis, keepdims=True))


class Constraint(_serialization.Described):
    """Base of all constraints; by itself it constrains nothing."""

    def __call__(self, w: NDArray) -> NDArray:
        """Return the projected weights."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return dict(vars(self))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


@arguments(max_value=Number(">= 0"), axis=Axis())
class MaxNorm(Constraint):
    r"""Weights with :math:`\|w\|_2 \le c` along ``axis``.

    Parameters
    ----------
    max_value : float
        The largest norm, at least 0.
    axis : int or tuple of int
        Along which the norm is taken: 0 for the weights into a unit of a Dense layer.

    Raises
    ------
    TypeError
        If ``max_value`` is no number, or ``axis`` holds something else than integers.
    ValueError
        If ``max_value`` is negative or not finite, or ``axis`` is empty.

    References
    ----------
    Srebro and Shraibman (2005), "Rank, trace-norm and max-norm"; ``keras.constraints.MaxNorm``.

    Examples
    --------
    >>> import numpy as np
    >>> MaxNorm(1)(np.array([[3.0], [4.0]])).round(3)
    array([[0.6],
           [0.8]])
    """

    def __init__(self, max_value: float = 2.0, axis: int | Sequence[int] = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: NDArray) -> NDArray:
        """Return the projected weights."""
        xp = namespace(w)
        norm = _norm(w, self.axis)
        return w * (xp.clip(norm, 0, self.max_value) / (_EPSILON + norm))


class NonNeg(Constraint):
    """Weights of at least 0.

    References
    ----------
    ``keras.constraints.NonNeg``.

    Examples
    --------
    >>> import numpy as np
    >>> NonNeg()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, w: NDArray) -> NDArray:
        """Return the projected weights."""
        return namespace(w).maximum(w, 0)


@arguments(axis=Axis())
class UnitNorm(Constraint):
    r"""Weights with :math:`\|w\|_2 = 1` along ``axis``.

    Parameters
    ----------
    axis : int or tuple of int
        Along which the norm is taken.

    Raises
    ------
    TypeError
        If ``axis`` holds something else than integers.
    ValueError
        If it is empty.

    References
    ----------
    ``keras.constraints.UnitNorm``.

    Examples
    --------
    >>> import numpy as np
    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(3)
    array([[0.6],
           [0.8]])
    """

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: NDArray) -> NDArray:
        """Return the projected weights."""
        return w / (_EPSILON + _norm(w, self.axis))


@arguments(min_value=Number(">= 0"), max_value=Number(">= 0"), rate=Number("[0, 1]"), axis=Axis())
class MinMaxNorm(Constraint):
    r"""Weights with :math:`\|w\|_2` pulled into [min_value, max_value] along ``axis``.

    Parameters
    ----------
    min_value, max_value : float
        The bounds, at least 0.
    rate : float
        In [0, 1]: how far towards the bound one step goes; 1 goes all the way.
    axis : int or tuple of int
        Along which the norm is taken.

    Raises
    ------
    TypeError
        If a bound or ``rate`` is no number, or ``axis`` holds something else than integers.
    ValueError
        If a number is out of range, or ``axis`` is empty.

    References
    ----------
    ``keras.constraints.MinMaxNorm``.

    Examples
    --------
    >>> import numpy as np
    >>> MinMaxNorm(min_value=10.0, max_value=20.0, rate=0.5)(np.array([[3.0], [4.0]])).round(3)
    array([[4.5],
           [6. ]])
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: NDArray) -> NDArray:
        """Return the projected weights."""
        xp = namespace(w)
        norm = _norm(w, self.axis)
        wanted = self.rate * xp.clip(norm, self.min_value, self.max_value)
        wanted = wanted + (1 - self.rate) * norm
        return w * (wanted / (_EPSILON + norm))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

_REGISTRY: dict[str, type[Constraint]] = {
    "MaxNorm": MaxNorm,
    "max_norm": MaxNorm,
    "NonNeg": NonNeg,
    "non_neg": NonNeg,
    "UnitNorm": UnitNorm,
    "unit_norm": UnitNorm,
    "MinMaxNorm": MinMaxNorm,
    "min_max_norm": MinMaxNorm,
}


def get(identifier: Any) -> Constraint | None:
    """Return the constraint that ``identifier`` means: None, a name, a config, a class, an object.

    For an object of Keras it is one of this library.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.

    Examples
    --------
    >>> get("max_norm")
    MaxNorm(max_value=2.0, axis=0)
    """
    return _serialization.own(_serialization.get(identifier, _REGISTRY, "constraint"), _REGISTRY)


def serialize(constraint: Constraint) -> dict[str, Any]:
    """Return Keras's description of a constraint, as plain data.

    Examples
    --------
    >>> serialize(UnitNorm())["config"]
    {'axis': 0}
    """
    return _serialization.serialize(constraint, "constraints")


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Constraint:
    """Return the constraint that Keras's description means.

    Raises
    ------
    ValueError
        If the class is unknown.
    """
    return _serialization.deserialize(config, _REGISTRY, "constraint", custom_objects)
