"""Activation functions that have numbers of their own, set or learned, as layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib import activations
from reglib._validation import check_axis, check_number
from reglib.layers.base import Layer


class _Elementwise(Layer):
    """An activation whose derivative at an entry depends on that entry alone."""

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return f(x), and keep x."""
        self._inputs = inputs
        return self.value(inputs)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs."""
        return gradient * self.derivative(self._inputs)

    def value(self, x: NDArray) -> NDArray:
        """Return f(x)."""
        raise NotImplementedError(f"{type(self).__name__} must define value")

    def derivative(self, x: NDArray) -> NDArray:
        """Return f'(x)."""
        raise NotImplementedError(f"{type(self).__name__} must define derivative")


class ReLU(_Elementwise):
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
    Glorot, Bordes and Bengio (2011), "Deep sparse rectifier networks"; ``keras.layers.ReLU``.

    Examples
    --------
    >>> ReLU(max_value=6, negative_slope=0.5)(np.array([[-1.0, 2.0, 8.0]])).tolist()
    [[-0.5, 2.0, 6.0]]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else check_number("max_value", max_value, low=0)
        self.negative_slope = check_number("negative_slope", negative_slope, low=0)
        self.threshold = check_number("threshold", threshold, low=0)

    def value(self, x: NDArray) -> NDArray:
        """Return f(x)."""
        below = self.negative_slope * (x - self.threshold)
        return np.minimum(np.where(x > self.threshold, x, below), self._ceiling)

    def derivative(self, x: NDArray) -> NDArray:
        """Return 1 where units are active, the slope below, and 0 at the ceiling."""
        slope = np.where(x > self.threshold, x.dtype.type(1), x.dtype.type(self.negative_slope))
        return slope * (x < self._ceiling)

    @property
    def _ceiling(self) -> float:
        return math.inf if self.max_value is None else self.max_value

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(_Elementwise):
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

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = check_number("negative_slope", negative_slope, low=0)

    def value(self, x: NDArray) -> NDArray:
        """Return f(x)."""
        return np.where(x > 0, x, self.negative_slope * x)

    def derivative(self, x: NDArray) -> NDArray:
        """Return 1 above zero and the slope below."""
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(self.negative_slope))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(_Elementwise):
    r"""The rectifier that bends: :math:`f(x) = x` for :math:`x > 0`, else :math:`\alpha(e^x - 1)`.

    Parameters
    ----------
    alpha : float
        Where it ends far below zero, with the sign turned.

    Raises
    ------
    TypeError
        If ``alpha`` is no number.
    ValueError
        If it is not finite.

    References
    ----------
    Clevert, Unterthiner and Hochreiter (2016), "Fast and accurate deep network learning by
    exponential linear units"; ``keras.layers.ELU``.

    Examples
    --------
    >>> ELU(2.0)(np.array([[-100.0, 3.0]])).tolist()
    [[-2.0, 3.0]]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = check_number("alpha", alpha)

    def value(self, x: NDArray) -> NDArray:
        """Return f(x)."""
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def derivative(self, x: NDArray) -> NDArray:
        """Return 1 above zero and αeˣ below."""
        return np.where(x > 0, x.dtype.type(1), self.alpha * np.exp(np.minimum(x, 0)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(_Elementwise):
    r"""The rectifier that learns its slope: :math:`f(x) = \max(x, 0) + \alpha \min(x, 0)`.

    Parameters
    ----------
    alpha_initializer : str or Initializer
        How the slopes start, one for each unit.
    alpha_regularizer : Regularizer, str or None
        Penalty on the slopes.
    alpha_constraint : Constraint, str or None
        Projection of the slopes after each step.
    shared_axes : int or sequence of int, optional
        Axes along which units share a slope, counted from 1, after the batch: 1 and 2 for one
        slope a map.

    Raises
    ------
    TypeError
        If ``shared_axes`` are no integers.
    ValueError
        If the inputs have no such axis.

    References
    ----------
    He et al. (2015), "Delving deep into rectifiers"; ``keras.layers.PReLU``.

    Examples
    --------
    >>> PReLU(alpha_initializer="ones")(np.array([[-4.0, 2.0]])).tolist()
    [[-4.0, 2.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.set_weight_options(
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        axes = () if shared_axes is None else check_axis("shared_axes", shared_axes)
        self.shared_axes = axes if isinstance(axes, tuple) else (axes,)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make ``alpha`` of the shape of an example, with length 1 along the shared axes."""
        shape = list(input_shape[1:])
        for axis in self.shared_axes:
            if not 1 <= axis <= len(shape):
                raise ValueError(
                    f"shared_axes must be in [1, {len(shape)}] for inputs of shape "
                    f"{tuple(input_shape)}, got {axis}"
                )
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(
                f"inputs of layer {self.name} must have known lengths along the axes that are "
                f"not shared, got shape {tuple(input_shape)}"
            )
        self.alpha = self.add_weight("alpha", shape)

    def value(self, x: NDArray) -> NDArray:
        """Return f(x)."""
        return np.maximum(x, 0) + self.alpha.value * np.minimum(x, 0)

    def derivative(self, x: NDArray) -> NDArray:
        """Return 1 above zero and α below."""
        return np.where(x > 0, x.dtype.type(1), self.alpha.value)

    def backward(self, gradient: NDArray) -> NDArray:
        """Write dα; return the gradient with respect to the inputs."""
        by_slope = gradient * np.minimum(self._inputs, 0)
        self.alpha.gradient[...] = by_slope.sum(axis=(0, *self.shared_axes)).reshape(
            self.alpha.shape
        )
        return super().backward(gradient)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "shared_axes": list(self.shared_axes) or None}


class Softmax(Layer):
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

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_axis("axis", axis)

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
        self._axes, self._ends = axes, tuple(range(-len(axes), 0))
        rows = self._rows(inputs)
        if mask is None:
            self._outputs = activations.softmax.value(rows)
        else:
            keep = self._rows(self._checked_mask(mask, inputs))
            # So low that it has no share beside others; a row without others has no shares.
            self._outputs = activations.softmax.value(np.where(keep, rows, -1e9)) * keep
        return self._restored(self._outputs)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs."""
        a = self._outputs
        return self._restored(activations.softmax.gradient(self._rows(gradient), a, a))

    def _checked_mask(self, mask: ArrayLike, inputs: NDArray) -> NDArray:
        keep = np.asarray(mask)
        try:
            return np.broadcast_to(keep if keep.dtype == bool else keep > 0.5, inputs.shape)
        except ValueError:
            raise ValueError(
                f"mask must broadcast to the shape of the inputs, {inputs.shape}, got {keep.shape}"
            ) from None

    def _rows(self, array: NDArray) -> NDArray:
        """Return the array with the axes of the softmax last, and made one."""
        moved = np.moveaxis(array, self._axes, self._ends)
        self._moved_shape = moved.shape
        return moved.reshape(*moved.shape[: -len(self._axes)], -1)

    def _restored(self, rows: NDArray) -> NDArray:
        return np.moveaxis(rows.reshape(self._moved_shape), self._ends, self._axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}
