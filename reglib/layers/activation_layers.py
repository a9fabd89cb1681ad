"""Activation functions that have numbers of their own, set or learned, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Axis, Number, arguments
from reglib._typing import ArrayLike
from reglib.layers.base import Layer


class _Activated(Layer):
    """A function of `reglib.activations` whose options are the layer's arguments."""

    supports_masking = True

    function: activations.Activation

    def options(self) -> dict[str, Any]:
        """Return the options of the function."""
        raise NotImplementedError(f"{type(self).__name__} must define options")

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return f(x), and keep both."""
        self._inputs = inputs
        self._outputs = self.function.value(inputs, **self.options())
        return self._outputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs."""
        return self.function.gradient(gradient, self._inputs, self._outputs, **self.options())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), **self.options()}


@arguments(max_value=Number(">= 0"), negative_slope=Number(">= 0"), threshold=Number(">= 0"))
class ReLU(_Activated):
    r"""The rectifier with a slope, a threshold and a ceiling.

    .. math:: f(x) = \min(x, M) \text{ for } x > \theta, \quad s\,(x - \theta) \text{ else}

    Parameters
    ----------
    max_value : float, optional
        The ceiling :math:`M`; by default there is none.
    negative_slope : float
        The slope :math:`s` below the threshold.
    threshold : float
        Where units become active, :math:`\theta`.

    Raises
    ------
    TypeError
        If a number is none.
    ValueError
        If a number is negative.

    References
    ----------
    Glorot, Bordes and Bengio (2011), "Deep sparse rectifier neural networks";
    ``keras.layers.ReLU``.

    Examples
    --------
    >>> ReLU(max_value=6, negative_slope=0.5)(np.array([[-1.0, 2.0, 8.0]])).tolist()
    [[-0.5, 2.0, 6.0]]
    """

    function = activations.relu

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def options(self) -> dict[str, Any]:
        """Return slope, ceiling and threshold."""
        return {
            "negative_slope": self.negative_slope,
            "max_value": self.max_value,
            "threshold": self.threshold,
        }


@arguments(negative_slope=Number(">= 0"))
class LeakyReLU(_Activated):
    r"""The rectifier that lets a little through: :math:`f(x) = x` for :math:`x > 0`, else sx.

    Parameters
    ----------
    negative_slope : float
        The slope :math:`s` below zero.

    Raises
    ------
    TypeError
        If ``negative_slope`` is no number.
    ValueError
        If it is negative.

    References
    ----------
    Maas, Hannun and Ng (2013), "Rectifier nonlinearities improve neural network acoustic
    models"; ``keras.layers.LeakyReLU``.

    Examples
    --------
    >>> LeakyReLU(0.5)(np.array([[-4.0, 2.0]])).tolist()
    [[-2.0, 2.0]]
    """

    function = activations.leaky_relu

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = negative_slope

    def options(self) -> dict[str, Any]:
        """Return the slope."""
        return {"negative_slope": self.negative_slope}


@arguments(axis=Axis())
class Softmax(_Activated):
    r"""Shares that sum to one along an axis, or along several: :math:`e^{x_i} / \sum_j e^{x_j}`.

    Parameters
    ----------
    axis : int or sequence of int
        Along which axes, by default the last.

    Raises
    ------
    TypeError
        If ``axis`` holds something else than integers.
    ValueError
        If the inputs have no such axis.

    References
    ----------
    ``keras.layers.Softmax``.

    Examples
    --------
    >>> Softmax()(np.array([[0.0, np.log(3.0)]])).round(4).tolist()
    [[0.25, 0.75]]
    """

    function = activations.softmax

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def options(self) -> dict[str, Any]:
        """Return the axes."""
        return {"axis": self.axis}

    def call(
        self, inputs: NDArray, training: bool = False, mask: ArrayLike | None = None
    ) -> NDArray:
        """Return the shares; where a ``mask`` that broadcasts is false, they are 0."""
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        if not all(-inputs.ndim <= axis < inputs.ndim for axis in axes):
            raise ValueError(
                f"axis must lie in the inputs of layer {self.name}, of shape {inputs.shape}, "
                f"got {self.axis}"
            )
        if mask is None:
            return super().call(inputs)
        keep = self._checked_mask(mask, inputs)
        # So low that it has no share beside others; a row without others has no shares.
        self._outputs = super().call(np.where(keep, inputs, -1e9)) * keep
        return self._outputs

    def _wants_mask(self, inputs: NDArray, mask: NDArray) -> bool:
        """Return whether it is a mask of entries; one of time steps is handed on alone."""
        return mask.ndim == inputs.ndim

    def _checked_mask(self, mask: ArrayLike, inputs: NDArray) -> NDArray:
        keep = np.asarray(mask)
        try:
            return np.broadcast_to(keep if keep.dtype == bool else keep > 0.5, inputs.shape)
        except ValueError:
            raise ValueError(
                f"mask must broadcast to the shape of the inputs, {inputs.shape}, got {keep.shape}"
            ) from None
