r"""Convolutions and poolings, for sequences and images with the channels last.

A convolution lays out every window of the inputs as a row (``windows``) and multiplies once by
the kernel; the way back multiplies once and adds the rows where they came from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from reglib import activations
from reglib._validation import check_choice, check_integer
from reglib.layers.base import Layer


def _sizes(name: str, value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Return one size a spatial axis."""
    values = (value,) * rank if np.ndim(value) == 0 else tuple(value)
    if len(values) != rank:
        raise ValueError(f"{name} must be a number or {rank} numbers, got {value}")
    return tuple(check_integer(name, n, low=1) for n in values)


def _padding(length: int, size: int, stride: int, padding: str) -> tuple[int, int]:
    """Return how many zeros go before and after an axis; an odd one goes after, as in Keras."""
    if padding == "valid":
        return 0, 0
    total = max((math.ceil(length / stride) - 1) * stride + size - length, 0)
    return total // 2, total - total // 2


def _output_length(length: int | None, size: int, stride: int, padding: str) -> int | None:
    if length is None:
        return None
    return math.ceil((length if padding == "same" else length - size + 1) / stride)


class _Windowed(Layer):
    """What convolutions and poolings share: windows of the inputs, and the way back from them."""

    rank: int

    def set_windows(
        self,
        size_name: str,
        size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str,
        data_format: str | None,
    ) -> None:
        """Check and keep the geometry."""
        self.window = _sizes(size_name, size, self.rank)
        self.strides = _sizes("strides", strides, self.rank)
        self.padding = check_choice("padding", padding, ("valid", "same"))
        check_choice("data_format", data_format, (None, "channels_last"))

    def check_inputs(self, shape: tuple[int | None, ...]) -> None:
        """Refuse inputs of the wrong number of axes, or too small for one window."""
        axes = (
            ("batch", "length", "channels")
            if self.rank == 1
            else (
                "batch",
                "height",
                "width",
                "channels",
            )
        )
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"inputs of layer {self.name} must have shape ({', '.join(axes)}), got {shape}"
            )
        if self.padding == "valid":
            for length, size in zip(shape[1:-1], self.window, strict=True):
                if length is not None and length < size:
                    raise ValueError(
                        f"inputs of layer {self.name} must be at least {self.window} wide, "
                        f"got {shape}"
                    )

    def windows(self, inputs: NDArray, fill: float = 0.0) -> NDArray:
        """Return a view (batch, *positions, *window, channels) of the padded inputs."""
        self.check_inputs(inputs.shape)
        self._pads = [
            _padding(length, size, stride, self.padding)
            for length, size, stride in zip(
                inputs.shape[1:-1], self.window, self.strides, strict=True
            )
        ]
        self._input_shape = inputs.shape
        if any(before or after for before, after in self._pads):
            pads = [(0, 0), *self._pads, (0, 0)]
            inputs = np.pad(inputs, pads, constant_values=fill)
        axes = tuple(range(1, self.rank + 1))
        view = sliding_window_view(inputs, self.window, axis=axes)
        view = np.moveaxis(view, self.rank + 1, -1)  # channels after the window
        return view[(slice(None), *(slice(None, None, stride) for stride in self.strides))]

    def add_back(self, gradients: NDArray) -> NDArray:
        """Return the inputs' gradient: each window's gradient added where the window lay."""
        padded = [
            length + before + after
            for length, (before, after) in zip(self._input_shape[1:-1], self._pads, strict=True)
        ]
        batch, *_, channels = self._input_shape
        total = np.zeros((batch, *padded, channels), gradients.dtype)
        positions = gradients.shape[1 : self.rank + 1]
        for offset in np.ndindex(*self.window):
            target = tuple(
                slice(start, start + stride * number, stride)
                for start, stride, number in zip(offset, self.strides, positions, strict=True)
            )
            tap = (slice(None),) * (self.rank + 1) + offset
            total[(slice(None), *target)] += gradients[tap]
        inner = tuple(
            slice(before, before + length)
            for (before, _), length in zip(self._pads, self._input_shape[1:-1], strict=True)
        )
        return total[(slice(None), *inner)]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        self.check_inputs(input_shape)
        lengths = [
            _output_length(length, size, stride, self.padding)
            for length, size, stride in zip(
                input_shape[1:-1], self.window, self.strides, strict=True
            )
        ]
        return (input_shape[0], *lengths, self.output_channels(input_shape[-1]))

    def output_channels(self, channels: int | None) -> int | None:
        """Return the number of channels that come out."""
        return channels


class _Convolution(_Windowed):
    """What Conv1D and Conv2D share."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = check_integer("filters", filters, low=1)
        self.set_windows("kernel_size", kernel_size, strides, padding, data_format)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.set_weight_options(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make ``kernel`` of shape (*kernel_size, channels, filters), and ``bias``."""
        self.check_inputs(input_shape)
        self.kernel = self.add_weight("kernel", (*self.window, input_shape[-1], self.filters))
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight("bias", (self.filters,))

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return f(windows of x @ W + b)."""
        if inputs.shape[-1] != self.kernel.shape[-2]:
            raise ValueError(
                f"inputs of layer {self.name} must have {self.kernel.shape[-2]} channels, "
                f"got shape {inputs.shape}"
            )
        windows = self.windows(inputs)
        positions = windows.shape[: self.rank + 1]
        self._rows = windows.reshape(math.prod(positions), -1)
        z = self._rows @ self.kernel.value.reshape(-1, self.filters)
        if self.bias is not None:
            z += self.bias.value
        self._z = z.reshape(*positions, self.filters)
        self._a = self.activation.value(self._z)
        return self._a

    def backward(self, gradient: NDArray) -> NDArray:
        """Write dW and db; return dx, if it is wanted."""
        dz = self.activation.gradient(gradient, self._z, self._a)
        rows = dz.reshape(-1, self.filters)
        flat = self.kernel.gradient.reshape(-1, self.filters)
        np.matmul(self._rows.T, rows, out=flat)
        if self.bias is not None:
            np.sum(rows, axis=0, out=self.bias.gradient)
        if not self.to_inputs:
            return None
        back = rows @ self.kernel.value.reshape(-1, self.filters).T
        return self.add_back(back.reshape(*dz.shape[:-1], *self.kernel.shape[:-1]))

    def output_channels(self, channels: int | None) -> int:
        """Return the number of filters."""
        return self.filters

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.window,
            "strides": self.strides,
            "padding": self.padding,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }


class Conv1D(_Convolution):
    r"""Convolution along a sequence, :math:`a_t = f(\sum_s x_{t+s} W_s + b)`.

    Parameters
    ----------
    filters : int
        Number of outputs at each position.
    kernel_size, strides : int
        Length of a window and how far it moves.
    padding : {"valid", "same"}
        Whether windows must lie inside, or zeros are added around.

    Raises
    ------
    ValueError
        If a size is out of range, or the inputs are not (batch, length, channels).

    References
    ----------
    ``keras.layers.Conv1D``.

    Examples
    --------
    >>> Conv1D(4, 3)(np.ones((2, 10, 1))).shape
    (2, 8, 4)
    """

    rank = 1


class Conv2D(_Convolution):
    r"""Convolution over an image, :math:`a_{ij} = f(\sum_{st} x_{i+s,j+t} W_{st} + b)`.

    Parameters
    ----------
    filters : int
        Number of outputs at each position.
    kernel_size, strides : int or pair of int
        Height and width of a window, and how far it moves.
    padding : {"valid", "same"}
        Whether windows must lie inside, or zeros are added around.

    Raises
    ------
    ValueError
        If a size is out of range, or the inputs are not (batch, height, width, channels).

    References
    ----------
    LeCun et al. (1998), "Gradient-based learning applied to document recognition";
    ``keras.layers.Conv2D``.

    Examples
    --------
    >>> Conv2D(4, 3, padding="same")(np.ones((2, 8, 8, 1))).shape
    (2, 8, 8, 4)
    """

    rank = 2


class _Pooling2D(_Windowed):
    """What the poolings share."""

    rank = 2

    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        strides = pool_size if strides is None else strides
        self.set_windows("pool_size", pool_size, strides, padding, data_format)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "pool_size": self.window,
            "strides": self.strides,
            "padding": self.padding,
        }


class MaxPooling2D(_Pooling2D):
    """The largest value of each window of each map.

    Parameters
    ----------
    pool_size : int or pair of int
        Height and width of a window.
    strides : int or pair of int, optional
        How far it moves; by default its size.
    padding : {"valid", "same"}
        Whether windows must lie inside.

    References
    ----------
    ``keras.layers.MaxPooling2D``.

    Examples
    --------
    >>> MaxPooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).item()
    3.0
    """

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return each window's maximum."""
        windows = self.windows(inputs, fill=-np.inf)
        *positions, height, width, channels = windows.shape
        flat = windows.reshape(*positions, height * width, channels)
        # The first of equals takes the gradient.
        self._argmax = flat.argmax(axis=-2)[..., np.newaxis, :]
        self._flat_shape = flat.shape
        return np.take_along_axis(flat, self._argmax, axis=-2)[..., 0, :]

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient, each window's given to its maximum."""
        flat = np.zeros(self._flat_shape, gradient.dtype)
        np.put_along_axis(flat, self._argmax, gradient[..., np.newaxis, :], axis=-2)
        *positions, _, channels = flat.shape
        return self.add_back(flat.reshape(*positions, *self.window, channels))


class AveragePooling2D(_Pooling2D):
    """The mean of each window of each map; zeros added around do not count.

    Parameters
    ----------
    pool_size : int or pair of int
        Height and width of a window.
    strides : int or pair of int, optional
        How far it moves; by default its size.
    padding : {"valid", "same"}
        Whether windows must lie inside.

    References
    ----------
    ``keras.layers.AveragePooling2D``.

    Examples
    --------
    >>> AveragePooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).item()
    1.5
    """

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return each window's mean."""
        counts = self.windows(np.ones_like(inputs[:1, ..., :1])).sum(axis=(-3, -2))
        self._counts = counts
        return self.windows(inputs).sum(axis=(-3, -2)) / counts

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient, each window's shared out evenly."""
        share = (gradient / self._counts)[..., np.newaxis, np.newaxis, :]
        *positions, _, _, channels = share.shape
        return self.add_back(np.broadcast_to(share, (*positions, *self.window, channels)))


class GlobalAveragePooling2D(Layer):
    """The mean of each map.

    Parameters
    ----------
    keepdims : bool
        Whether height and width stay, with length 1.

    References
    ----------
    Lin, Chen and Yan (2014), "Network in network"; ``keras.layers.GlobalAveragePooling2D``.

    Examples
    --------
    >>> GlobalAveragePooling2D()(np.ones((2, 8, 8, 3))).shape
    (2, 3)
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_choice("data_format", data_format, (None, "channels_last"))
        self.keepdims = bool(keepdims)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the means."""
        if inputs.ndim != 4:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, height, width, channels), "
                f"got {inputs.shape}"
            )
        self._input_shape = inputs.shape
        return inputs.mean(axis=(1, 2), keepdims=self.keepdims)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient, shared out evenly."""
        batch, height, width, channels = self._input_shape
        share = gradient.reshape(batch, 1, 1, channels) / (height * width)
        return np.broadcast_to(share, self._input_shape).copy()

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        batch, _, _, channels = input_shape
        return (batch, 1, 1, channels) if self.keepdims else (batch, channels)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "keepdims": self.keepdims}
