r"""Activation functions, each with its derivative beside it.

``relu(z)`` is the value; ``relu.gradient(upstream, z, a)`` takes the loss's gradient with
respect to :math:`a = f(z)` and returns it with respect to :math:`z`. Names and options are
Keras's; a layer takes the name.

============================== ============================================================
name                           formula
============================== ============================================================
``linear``                     :math:`z`
``relu``                       :math:`\max(z, 0)`; with ``negative_slope`` below the
                               ``threshold``, and at most ``max_value``
``leaky_relu``                 :math:`z` above 0, ``negative_slope`` (0.2) times it below
``elu``                        :math:`z` above 0, :math:`\alpha(e^z - 1)` below (Clevert, 2016)
``selu``                       a scaled ``elu`` that keeps mean 0 and variance 1 (Klambauer, 2017)
``silu``, ``swish``            :math:`z\,\sigma(z)` (Ramachandran, 2017)
``gelu``                       :math:`z\,\Phi(z)`, Φ of the normal distribution (Hendrycks, 2016)
``softplus``                   :math:`\log(1 + e^z)`
``sigmoid``                    :math:`\sigma(z) = 1/(1 + e^{-z})`
``hard_sigmoid``               :math:`z/6 + 1/2`, kept in [0, 1]
``tanh``                       :math:`\tanh z`
``softsign``                   :math:`z/(1 + |z|)`
``exponential``                :math:`e^z`
``softmax``                    :math:`e^{z_k}/\sum_j e^{z_j}` along ``axis``, -1 or several
``log_softmax``                its logarithm
============================== ============================================================
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _serialization
from reglib._absent import refuse
from reglib._arguments import Axis, Flag, Function, Instance, Number, Text, arguments
from reglib._typing import ArrayLike


@arguments(name=Text(), value=Function(), gradient=Function())
@dataclass(frozen=True)
class Activation:
    """A function of arrays and its vector-Jacobian product.

    Parameters
    ----------
    name : str
        Keras's name.
    value : callable
        ``value(z)``, and the function's options.
    gradient : callable
        ``gradient(upstream, z, a)`` with ``a = value(z)``, and the same options.
    """

    name: str
    value: Callable[..., NDArray]
    gradient: Callable[..., NDArray]

    @property
    def __name__(self) -> str:
        """The name, as functions have it."""
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        # The functions may be lambdas, which cannot be pickled: a known name stands for them.
        if _REGISTRY.get(self.name) is self:
            return get, (self.name,)
        return type(self), (self.name, self.value, self.gradient)

    def __call__(self, z: ArrayLike, *arguments: Any, **options: Any) -> NDArray:
        """Return the function's value, element by element (softmax: along the last axis).

        Raises
        ------
        TypeError
            If ``z`` holds no numbers, or an option is none that the function has.
        ValueError
            If an option is out of range.
        """
        if hasattr(z, "parents"):  # a node: what it will be is for a layer to say
            from reglib.layers.core import Activation as ActivationLayer

            drawn: Any = ActivationLayer(self)(z)
            return drawn
        array = np.asarray(z)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"z must hold numbers, got dtype {array.dtype}")
        return self.value(array, *arguments, **options)


def _elementwise(
    name: str, value: Callable[..., NDArray], slope: Callable[..., NDArray]
) -> Activation:
    """Return the activation whose derivative is ``slope(z, a)``, element by element."""

    def gradient(upstream: NDArray, z: NDArray, a: NDArray, **options: Any) -> NDArray:
        return upstream * slope(z, a, **options)

    return Activation(name, value, gradient)


# Rectifiers.


@arguments(negative_slope=Number(), max_value=Number(">= 0"), threshold=Number())
def _relu(
    z: NDArray,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> NDArray:
    if negative_slope == 0 and max_value is None and threshold == 0:
        # NumPy compares two arrays two to three times as fast as an array and a number.
        return np.maximum(z, np.zeros(z.shape, z.dtype))
    above = np.where(z > threshold, z, 0)
    if max_value is not None:
        above = np.minimum(above, max_value)
    return above + negative_slope * np.minimum(z - threshold, 0)


def _relu_gradient(
    upstream: NDArray,
    z: NDArray,
    a: NDArray,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> NDArray:
    if negative_slope == 0 and max_value is None and threshold == 0:
        return upstream * (z > 0)
    rising = (z > threshold) & (z < (np.inf if max_value is None else max_value))
    return upstream * (rising + negative_slope * (z < threshold)).astype(upstream.dtype)


@arguments(negative_slope=Number())
def _leaky_relu(z: NDArray, negative_slope: float = 0.2) -> NDArray:
    return np.where(z > 0, z, negative_slope * z)


def _leaky_relu_slope(z: NDArray, a: NDArray, negative_slope: float = 0.2) -> NDArray:
    return np.where(z > 0, z.dtype.type(1), z.dtype.type(negative_slope))


linear = Activation("linear", lambda z: z, lambda upstream, z, a: upstream)
relu = Activation("relu", _relu, _relu_gradient)
leaky_relu = _elementwise("leaky_relu", _leaky_relu, _leaky_relu_slope)


# Rectifiers that bend.

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


@arguments(alpha=Number())
def _elu(z: NDArray, alpha: float = 1.0) -> NDArray:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def _selu(z: NDArray) -> NDArray:
    return _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * np.expm1(np.minimum(z, 0)))


elu = _elementwise("elu", _elu, lambda z, a, alpha=1.0: np.where(z > 0, 1, a + alpha))
selu = _elementwise(
    "selu", _selu, lambda z, a: np.where(z > 0, _SELU_SCALE, a + _SELU_SCALE * _SELU_ALPHA)
)


# From 0 to 1, and what is made of it.


def _sigmoid(z: NDArray) -> NDArray:
    # Where exp overflows to infinity, 1 / (1 + inf) is the right answer: 0.
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def _sigmoid_gradient(upstream: NDArray, z: NDArray, a: NDArray) -> NDArray:
    return upstream * a * (1 - a)


def _silu_slope(z: NDArray, a: NDArray) -> NDArray:
    s = _sigmoid(z)
    return s + a * (1 - s)


def _hard_sigmoid(z: NDArray) -> NDArray:
    return np.minimum(np.maximum(z / 6 + 0.5, 0), 1)


def _softplus(z: NDArray) -> NDArray:
    return np.logaddexp(z, 0)


sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_gradient)
hard_sigmoid = _elementwise(
    "hard_sigmoid", _hard_sigmoid, lambda z, a: (np.abs(z) < 3) * z.dtype.type(1 / 6)
)
silu = swish = _elementwise("silu", lambda z: z * _sigmoid(z), _silu_slope)
softplus = _elementwise("softplus", _softplus, lambda z, a: _sigmoid(z))


# The normal distribution's.


def _erf(z: NDArray) -> NDArray:
    """Return the error function; SciPy's where it is installed, which is faster."""
    try:
        from scipy.special import erf
    except ImportError:
        erf = np.frompyfunc(math.erf, 1, 1)
    return np.asarray(erf(z), dtype=z.dtype)


def _phi(z: NDArray, approximate: bool) -> NDArray:
    """Return the normal distribution function, or the hyperbolic tangent that comes near it."""
    if approximate:
        return (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z * z * z))) / 2
    return (1 + _erf(z / math.sqrt(2))) / 2


@arguments(approximate=Flag())
def _gelu(z: NDArray, approximate: bool = False) -> NDArray:
    return z * _phi(z * 1.0, approximate)


def _gelu_slope(z: NDArray, a: NDArray, approximate: bool = False) -> NDArray:
    phi = _phi(z, approximate)
    if approximate:
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
        return phi + z * 2 * phi * (1 - phi) * inner
    return phi + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


gelu = _elementwise("gelu", _gelu, _gelu_slope)


tanh = Activation("tanh", np.tanh, lambda upstream, z, a: upstream * (1 - a * a))
softsign = _elementwise(
    "softsign", lambda z: z / (1 + np.abs(z)), lambda z, a: 1 / np.square(1 + np.abs(z))
)
exponential = _elementwise("exponential", np.exp, lambda z, a: a)


# Distributions.


@arguments(axis=Axis())
def _softmax(z: NDArray, axis: int | tuple[int, ...] = -1) -> NDArray:
    if z.dtype.kind != "f":
        z = z.astype("float64")
    if np.maximum.reduce(np.abs(z), axis=None, initial=0) < 60:
        a = np.exp(z)  # far from what overflows: the largest need not be taken off first
    else:
        a = z - np.maximum.reduce(z, axis=axis, keepdims=True)
        np.exp(a, out=a)
    a /= np.add.reduce(a, axis=axis, keepdims=True)
    if type(axis) is int and z.shape[axis] == 1:
        warnings.warn(
            f"softmax over axis {axis} of shape {z.shape} is 1 whatever comes in: a single output "
            "needs a sigmoid",
            stacklevel=2,
        )
    return a


def _softmax_gradient(
    upstream: NDArray, z: NDArray, a: NDArray, axis: int | tuple[int, ...] = -1
) -> NDArray:
    weighted = upstream * a
    return weighted - a * weighted.sum(axis=axis, keepdims=True)


@arguments(axis=Axis())
def _log_softmax(z: NDArray, axis: int | tuple[int, ...] = -1) -> NDArray:
    shifted = z - np.maximum.reduce(z, axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _log_softmax_gradient(
    upstream: NDArray, z: NDArray, a: NDArray, axis: int | tuple[int, ...] = -1
) -> NDArray:
    return upstream - np.exp(a) * upstream.sum(axis=axis, keepdims=True)


softmax = Activation("softmax", _softmax, _softmax_gradient)
log_softmax = Activation("log_softmax", _log_softmax, _log_softmax_gradient)


_REGISTRY: dict[str, Any] = {
    found.name: found for found in list(globals().values()) if isinstance(found, Activation)
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


@arguments(activation=Instance(Activation, "an activation"))
def serialize(activation: Activation) -> str:
    """Return the activation's name."""
    return activation.name


def deserialize(config: str) -> Activation:
    """Return the activation of a name.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> deserialize("swish").name
    'silu'
    """
    return _serialization.get(config, _REGISTRY, "activation")


__getattr__ = partial(refuse, __name__)
