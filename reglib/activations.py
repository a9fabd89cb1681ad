r"""Activation functions, each with its derivative beside it.

``relu(z)`` is the value; ``relu.gradient(upstream, z, a)`` takes the loss's gradient with
respect to :math:`a = f(z)` and returns it with respect to :math:`z`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib import _serialization


@dataclass(frozen=True)
class Activation:
    """A function of arrays and its vector-Jacobian product.

    Parameters
    ----------
    name : str
        Keras's name.
    value : callable
        ``value(z)``.
    gradient : callable
        ``gradient(upstream, z, a)`` with ``a = value(z)``.
    """

    name: str
    value: Callable[[NDArray], NDArray]
    gradient: Callable[[NDArray, NDArray, NDArray], NDArray]

    def __call__(self, z: ArrayLike) -> NDArray:
        """Return the function's value, element by element (softmax: along the last axis)."""
        return self.value(np.asarray(z))


def _relu(z: NDArray) -> NDArray:
    # NumPy compares two arrays two to three times as fast as an array and a number.
    return np.maximum(z, np.zeros(z.shape, z.dtype))


def _sigmoid(z: NDArray) -> NDArray:
    # Where exp overflows to infinity, 1 / (1 + inf) is the right answer: 0.
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def _softmax(z: NDArray) -> NDArray:
    a = z - np.maximum.reduce(z, axis=-1, keepdims=True)
    np.exp(a, out=a)
    a /= np.add.reduce(a, axis=-1, keepdims=True)
    return a


def _softmax_gradient(upstream: NDArray, z: NDArray, a: NDArray) -> NDArray:
    weighted = upstream * a
    return weighted - a * weighted.sum(axis=-1, keepdims=True)


_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def _elu(z: NDArray) -> NDArray:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _elu_gradient(upstream: NDArray, z: NDArray, a: NDArray) -> NDArray:
    return upstream * np.where(z > 0, 1, a + 1)


def _selu(z: NDArray) -> NDArray:
    return _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def _selu_gradient(upstream: NDArray, z: NDArray, a: NDArray) -> NDArray:
    return upstream * np.where(z > 0, _SELU_SCALE, a + _SELU_SCALE * _SELU_ALPHA)


def _silu_gradient(upstream: NDArray, z: NDArray, a: NDArray) -> NDArray:
    s = _sigmoid(z)
    return upstream * (s + a * (1 - s))


linear = Activation("linear", lambda z: z, lambda upstream, z, a: upstream)
relu = Activation("relu", _relu, lambda upstream, z, a: upstream * (z > 0))
sigmoid = Activation("sigmoid", _sigmoid, lambda upstream, z, a: upstream * a * (1 - a))
tanh = Activation("tanh", np.tanh, lambda upstream, z, a: upstream * (1 - a * a))
softmax = Activation("softmax", _softmax, _softmax_gradient)
softplus = Activation(
    "softplus", lambda z: np.logaddexp(z, 0), lambda upstream, z, a: upstream * _sigmoid(z)
)
elu = Activation("elu", _elu, _elu_gradient)
selu = Activation("selu", _selu, _selu_gradient)
silu = Activation("silu", lambda z: z * _sigmoid(z), _silu_gradient)

_REGISTRY: dict[str, Any] = {
    function.name: function
    for function in (linear, relu, sigmoid, tanh, softmax, softplus, elu, selu, silu)
} | {"swish": silu}


def get(identifier: Any) -> Activation:
    """Return the activation that ``identifier`` means; None means linear.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If the identifier is a function without a derivative beside it.

    Examples
    --------
    >>> get("relu")([-1.0, 2.0])
    array([0., 2.])
    """
    found = linear if identifier is None else identifier
    if isinstance(found, str):
        found = _serialization.get(found, _REGISTRY, "activation")
    if not isinstance(found, Activation):
        raise TypeError(
            "activation must be a name or an Activation (a value with its gradient), "
            f"got {identifier!r}"
        )
    return found


def serialize(activation: Activation) -> str:
    """Return the activation's name."""
    return activation.name
