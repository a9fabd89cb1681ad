r"""Convolutions and poolings, for sequences and images with the channels last.

A convolution lays out every window of the inputs as a row (``windows``) and multiplies once by
the kernel; the way back multiplies once and adds the rows where they came from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
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

    def pad(self, inputs: NDArray, fill: float = 0.0) -> NDArray:
        """Return the inputs with the padding around them, and note the geometry."""
        self.check_inputs(inputs.shape)
        self._input_shape = inputs.shape
        lengths = inputs.shape[1:-1]
        each = list(zip(lengths, self.window, self.strides, strict=True))
        self._pads = [_padding(*sizes, self.padding) for sizes in each]
        self._positions = tuple(_output_length(*sizes, self.padding) for sizes in each)
        if not any(map(any, self._pads)):
            return inputs
        batch, channels = inputs.shape[0], inputs.shape[-1]
        wide = [n + before + after for n, (before, after) in zip(lengths, self._pads, strict=True)]
        padded = np.full((batch, *wide, channels), fill, inputs.dtype)
        padded[self._inside()] = inputs
        return padded

    def _inside(self) -> tuple[slice, ...]:
        """Return where the inputs lie within the padded inputs."""
        lengths = self._input_shape[1:-1]
        inner = [slice(p, p + n) for (p, _), n in zip(self._pads, lengths, strict=True)]
        return (slice(None), *inner)

    def taps(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Yield each offset in a window, and the slices of what lies there, for all windows."""
        for offset in np.ndindex(*self.window):
            slices = (
                slice(start, start + stride * number, stride)
                for start, stride, number in zip(offset, self.strides, self._positions, strict=True)
            )
            yield offset, (slice(None), *slices)

    def windows(self, inputs: NDArray) -> NDArray:
        """Return all windows of the padded inputs as rows, (positions, window and channels)."""
        padded = np.ascontiguousarray(self.pad(inputs))
        batch, *along, channel = padded.strides
        # A row of a window and its channels lie side by side: they are one axis of the view.
        view = as_strided(
            padded,
            (len(inputs), *self._positions, *self.window[:-1], self.window[-1] * inputs.shape[-1]),
            (
                batch,
                *(n * s for n, s in zip(along, self.strides, strict=True)),
                *along[:-1],
                channel,
            ),
            writeable=False,
        )
        return view.reshape(len(inputs) * math.prod(self._positions), -1)

    def add_back(self, gradients: NDArray | list[NDArray]) -> NDArray:
        """Return the inputs' gradient: each window's gradient added where the window lay."""
        batch, *lengths, channels = self._input_shape
        wide = [n + before + after for n, (before, after) in zip(lengths, self._pads, strict=True)]
        total = np.zeros((batch, *wide, channels), gradients[0].dtype)
        for gradient, (_, place) in zip(gradients, self.taps(), strict=True):
            total[place] += gradient
        return total[self._inside()]

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
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
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
        if any(rate != 1 for rate in _sizes("dilation_rate", dilation_rate, self.rank)):
            raise ValueError(f"dilation_rate must be 1, got {dilation_rate}")
        if check_integer("groups", groups, low=1) != 1:
            raise ValueError(f"groups must be 1, got {groups}")
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
        self._rows = self.windows(inputs)
        z = self._rows @ self.kernel.value.reshape(-1, self.filters)
        if self.bias is not None:
            z += self.bias.value
        self._z = z.reshape(len(inputs), *self._positions, self.filters)
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
        # One product a tap, so that each lies in one piece when it is added.
        kernels = self.kernel.value.reshape(-1, *self.kernel.shape[-2:])
        back = rows @ kernels.transpose(0, 2, 1)
        return self.add_back(back.reshape(-1, *dz.shape[:-1], self.kernel.shape[-2]))

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
            "dilation_rate": (1,) * self.rank,
            "groups": 1,
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
    dilation_rate, groups : int
        As in Keras; 1, no other is known here.

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
    dilation_rate, groups : int
        As in Keras; 1, no other is known here.

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
        self._padded = self.pad(inputs, fill=-np.inf)
        self._places = [place for _, place in self.taps()]
        self._largest = self._padded[self._places[0]].copy()
        for place in self._places[1:]:
            np.maximum(self._largest, self._padded[place], out=self._largest)
        return self._largest

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient, each window's given to its maximum, the first of equals."""
        total = np.zeros_like(self._padded)
        undecided = np.ones(gradient.shape, dtype=bool)
        for place in self._places:
            chosen = undecided & (self._padded[place] == self._largest)
            total[place] += gradient * chosen
            undecided ^= chosen
        return total[self._inside()]


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
        self._counts = self._sums(np.ones_like(inputs[:1, ..., :1]))
        return self._sums(inputs) / self._counts

    def _sums(self, inputs: NDArray) -> NDArray:
        padded = self.pad(inputs)
        return sum(padded[place] for _, place in self.taps())

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient, each window's shared equally."""
        return self.add_back([gradient / self._counts] * math.prod(self.window))


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
