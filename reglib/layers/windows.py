"""What convolutions and poolings share: where the channels are, and windows of the inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from reglib._arguments import Bad, Choice, Constraint, Integer
from reglib._typing import Lengths
from reglib.layers.base import Layer

_AXES = {1: ("length",), 2: ("height", "width")}


DATA_FORMAT = Choice(None, "channels_last", "channels_first")


class Sizes(Constraint):
    """A whole number of at least 1 for all axes, or one for each."""

    good = 2

    def check(self, name: str, value: Any) -> Any:
        """Return the size or sizes as they are."""
        for size in (value,) if np.ndim(value) == 0 else tuple(value):
            Integer(">= 1").check(name, size)
        return value

    def bad(self) -> Bad:
        """Return no whole numbers, and those that are too small."""
        types: tuple[Any, ...] = ("two", 1.5, None, ("a", 2), {}, float("nan"))
        return {"type": types, "range": (0, -1, (1, 0))}


def sizes(name: str, value: Any, rank: int) -> tuple[int, ...]:
    """Return one size an axis."""
    values = (value,) * rank if np.ndim(value) == 0 else tuple(value)
    if len(values) != rank:
        raise ValueError(f"{name} must be a number or {rank} numbers, got {value}")
    return values


class Spatial(Layer):
    """A layer over sequences or images: ``rank`` axes between batch and channels.

    A subclass computes with the channels last, in :meth:`forward`, :meth:`back` and
    :meth:`shape_after`. Where ``data_format`` is ``"channels_first"``, inputs and outputs are
    turned over on the way in and out; a matrix (batch, channels) is the same in both.
    """

    rank: int

    def set_data_format(self, data_format: str | None) -> None:
        """Keep where the channels are; None means last."""
        self.data_format = data_format or "channels_last"

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the outputs, with the channels where those of the inputs are."""
        self.check_inputs(inputs.shape)
        if self.data_format == "channels_last":
            return self.forward(inputs)
        return np.moveaxis(self.forward(np.moveaxis(inputs, 1, -1)), -1, 1)

    def backward(self, gradient: NDArray) -> NDArray | None:
        """Return the gradient with respect to the inputs."""
        if self.data_format == "channels_last":
            return self.back(gradient)
        back = self.back(np.moveaxis(gradient, 1, -1))
        return None if back is None else np.moveaxis(back, -1, 1)

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the outputs for inputs with the channels last."""
        raise NotImplementedError(f"{type(self).__name__} must define forward")

    def back(self, gradient: NDArray) -> NDArray | None:
        """Return the inputs' gradient for one of the outputs, both with the channels last."""
        raise NotImplementedError(f"{type(self).__name__} must define back")

    def shape_after(self, shape: Lengths) -> Lengths:
        """Return the shape of the outputs, given that of the inputs, both with channels last."""
        raise NotImplementedError(f"{type(self).__name__} must define shape_after")

    def check_inputs(self, shape: Lengths) -> None:
        """Refuse inputs of the wrong number of axes."""
        if len(shape) != self.rank + 2:
            axes = ["batch", *_AXES[self.rank]]
            axes.insert(1 if self.data_format == "channels_first" else len(axes), "channels")
            raise ValueError(
                f"inputs of layer {self.name} must have shape ({', '.join(axes)}), got {shape}"
            )

    def channels_last(self, shape: Lengths) -> Lengths:
        """Return the shape of the inputs with the channels last."""
        self.check_inputs(shape)
        if self.data_format == "channels_last":
            return tuple(shape)
        return (shape[0], *shape[2:], shape[1])

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        batch, *lengths, channels = self.shape_after(self.channels_last(input_shape))
        if self.data_format == "channels_last":
            return (batch, *lengths, channels)
        return (batch, channels, *lengths)


class Windowed(Spatial):
    """A layer that looks at its inputs through windows that move over them.

    ``window`` entries an axis are seen, ``dilation_rate`` apart, so that the window spans
    ``(window - 1) * dilation_rate + 1`` places; from one window to the next it is ``strides``.
    """

    dilation_rate: tuple[int, ...]

    def set_windows(
        self,
        size_name: str,
        size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str,
        dilation_rate: int | Sequence[int] = 1,
    ) -> None:
        """Keep the geometry."""
        self.window = sizes(size_name, size, self.rank)
        self.strides = sizes("strides", strides, self.rank)
        self.dilation_rate = sizes("dilation_rate", dilation_rate, self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"dilation_rate must be 1 where strides are not, got {self.dilation_rate} "
                f"with strides {self.strides}"
            )
        self.padding = padding
        self.span = tuple(
            (n - 1) * rate + 1 for n, rate in zip(self.window, self.dilation_rate, strict=True)
        )

    def check_inputs(self, shape: Lengths) -> None:
        """Refuse inputs of the wrong number of axes, or too small for one window."""
        super().check_inputs(shape)
        if self.padding == "valid":
            lengths = shape[1:-1] if self.data_format == "channels_last" else shape[2:]
            for length, span in zip(lengths, self.span, strict=True):
                if length is not None and length < span:
                    raise ValueError(
                        f"inputs of layer {self.name} must be at least {self.span} wide, "
                        f"got {shape}"
                    )

    def _pads(self, length: int, span: int, stride: int) -> tuple[int, int]:
        """Return how many zeros go before and after an axis; an odd one goes after."""
        if self.padding == "valid":
            return 0, 0
        if self.padding == "causal":
            return span - 1, 0
        total = max((math.ceil(length / stride) - 1) * stride + span - length, 0)
        return total // 2, total - total // 2

    def _positions(self, length: int | None, span: int, stride: int) -> int | None:
        """Return how many windows there are along an axis."""
        if length is None:
            return None
        return math.ceil((length - span + 1 if self.padding == "valid" else length) / stride)

    def pad(self, inputs: NDArray, fill: float = 0.0) -> NDArray:
        """Return the inputs with the padding around them, and note the geometry."""
        self._input_shape = inputs.shape
        lengths = inputs.shape[1:-1]
        each = list(zip(lengths, self.span, self.strides, strict=True))
        self.pads = [self._pads(*axis) for axis in each]
        self.positions: tuple[Any, ...] = tuple(self._positions(*axis) for axis in each)
        if not any(map(any, self.pads)):
            return inputs
        padded = np.full(self._padded_shape(), fill, inputs.dtype)
        padded[self.inside()] = inputs
        return padded

    def _padded_shape(self) -> tuple[int, ...]:
        batch, *lengths, channels = self._input_shape
        wide = [n + before + after for n, (before, after) in zip(lengths, self.pads, strict=True)]
        return (batch, *wide, channels)

    def inside(self) -> tuple[slice, ...]:
        """Return where the inputs lie within the padded inputs."""
        lengths = self._input_shape[1:-1]
        inner = [slice(p, p + n) for (p, _), n in zip(self.pads, lengths, strict=True)]
        return (slice(None), *inner)

    def taps(self) -> Iterator[tuple[slice, ...]]:
        """Yield, for each place in a window, the slices of what lies there for all windows."""
        for place in np.ndindex(*self.window):
            slices = (
                slice(n * rate, n * rate + stride * number, stride)
                for n, rate, stride, number in zip(
                    place, self.dilation_rate, self.strides, self.positions, strict=True
                )
            )
            yield (slice(None), *slices)

    def windows(self, inputs: NDArray) -> NDArray:
        """Return all windows of the padded inputs as rows, (positions, window and channels)."""
        padded = np.ascontiguousarray(self.pad(inputs))
        batch, *along, channel = padded.strides
        view = as_strided(
            padded,
            (len(inputs), *self.positions, *self.window, inputs.shape[-1]),
            (
                batch,
                *(n * stride for n, stride in zip(along, self.strides, strict=True)),
                *(n * rate for n, rate in zip(along, self.dilation_rate, strict=True)),
                channel,
            ),
            writeable=False,
        )
        rows = len(inputs) * math.prod(self.positions)
        return view.reshape(rows, math.prod(self.window) * inputs.shape[-1])

    def add_back(self, gradients: NDArray | list[NDArray]) -> NDArray:
        """Return the inputs' gradient: each window's gradient added where the window lay."""
        total = np.zeros(self._padded_shape(), gradients[0].dtype)
        for gradient, place in zip(gradients, self.taps(), strict=True):
            total[place] += gradient
        return total[self.inside()]

    def shape_after(self, shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        batch, *lengths, channels = shape
        each = zip(lengths, self.span, self.strides, strict=True)
        return (batch, *(self._positions(*axis) for axis in each), self.output_channels(channels))

    def output_channels(self, channels: int | None) -> int | None:
        """Return the number of channels that come out."""
        return channels
