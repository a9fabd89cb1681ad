"""Poolings of sequences and images: one number for each window of each map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Choice, Flag, arguments
from reglib._typing import ArrayLike, Lengths
from reglib._validation import check_array
from reglib.layers.windows import DATA_FORMAT, Sizes, Spatial, Windowed


@arguments(
    pool_size=Sizes(), strides=Sizes(), padding=Choice("valid", "same"), data_format=DATA_FORMAT
)
class _Pooling(Windowed):
    """What the poolings of windows share."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.set_data_format(data_format)
        strides = pool_size if strides is None else strides
        self.set_windows("pool_size", pool_size, strides, padding)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "pool_size": self.window,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


class _MaxPooling(_Pooling):
    """The largest value of each window."""

    def forward(self, inputs: NDArray) -> NDArray:
        """Return each window's maximum."""
        self._padded = self.pad(inputs, fill=-np.inf)
        self._places = list(self.taps())
        self._largest = self._padded[self._places[0]].copy()
        for place in self._places[1:]:
            np.maximum(self._largest, self._padded[place], out=self._largest)
        return self._largest

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient, each window's given to its maximum, the first of equals."""
        total = np.zeros_like(self._padded)
        undecided = np.ones(gradient.shape, dtype=bool)
        for place in self._places:
            chosen = undecided & (self._padded[place] == self._largest)
            total[place] += gradient * chosen
            undecided ^= chosen
        return total[self.inside()]


class _AveragePooling(_Pooling):
    """The mean of each window."""

    def forward(self, inputs: NDArray) -> NDArray:
        """Return each window's mean."""
        self._counts = self._sums(np.ones_like(inputs[:1, ..., :1]))
        return self._sums(inputs) / self._counts

    def _sums(self, inputs: NDArray) -> NDArray:
        padded = self.pad(inputs)
        return np.asarray(sum(padded[place] for place in self.taps()))

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient, each window's shared equally."""
        return self.add_back([gradient / self._counts] * math.prod(self.window))


@arguments(data_format=DATA_FORMAT, keepdims=Flag())
class _GlobalPooling(Spatial):
    """What the poolings of whole maps share."""

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.set_data_format(data_format)
        self.keepdims = keepdims

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that make a map, where the channels are last."""
        return tuple(range(1, 1 + self.rank))

    def shape_after(self, shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        ones = (1,) * self.rank if self.keepdims else ()
        return (shape[0], *ones, shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }


class _GlobalAveragePooling(_GlobalPooling):
    """The mean of each map."""

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the means."""
        self._inputs = inputs
        return inputs.mean(axis=self.axes, keepdims=self.keepdims)

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient, shared out evenly."""
        batch, *lengths, channels = self._inputs.shape
        share = gradient.reshape(batch, *(1,) * self.rank, channels) / math.prod(lengths)
        return np.broadcast_to(share, self._inputs.shape).copy()


class _GlobalMaxPooling(_GlobalPooling):
    """The largest value of each map."""

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the maxima."""
        self._inputs = inputs
        self._largest = inputs.max(axis=self.axes, keepdims=True)
        return self._largest if self.keepdims else self._largest.squeeze(self.axes)

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient, each map's given to its maximum, and shared between equals."""
        chosen = self._inputs == self._largest
        number = chosen.sum(axis=self.axes, keepdims=True, dtype=gradient.dtype)
        return chosen * (gradient.reshape(self._largest.shape) / number)


class MaxPooling1D(_MaxPooling):
    """The largest value of each window along a sequence.

    Parameters
    ----------
    pool_size : int
        Length of a window.
    strides : int, optional
        How far it moves; by default its size.
    padding : {"valid", "same"}
        Whether windows must lie inside.
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.

    Raises
    ------
    TypeError
        If a size is no integer.
    ValueError
        If a size is below 1, or the inputs have another number of axes or no window in them.

    References
    ----------
    ``keras.layers.MaxPooling1D``.

    Examples
    --------
    >>> MaxPooling1D()(np.array([[[1.0], [3.0], [0.0], [8.0]]])).ravel().tolist()
    [3.0, 8.0]
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The largest value of each window of each map.

    Parameters
    ----------
    pool_size : int or pair of int
        Height and width of a window.
    strides : int or pair of int, optional
        How far it moves; by default its size.
    padding : {"valid", "same"}
        Whether windows must lie inside.
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.

    Raises
    ------
    TypeError
        If a size is no integer.
    ValueError
        If a size is below 1, or the inputs have another number of axes or no window in them.

    References
    ----------
    ``keras.layers.MaxPooling2D``.

    Examples
    --------
    >>> MaxPooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).item()
    3.0
    """

    rank = 2


class AveragePooling1D(_AveragePooling):
    """The mean of each window along a sequence; zeros added around do not count.

    Parameters
    ----------
    pool_size : int
        Length of a window.
    strides : int, optional
        How far it moves; by default its size.
    padding : {"valid", "same"}
        Whether windows must lie inside.
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.

    Raises
    ------
    TypeError
        If a size is no integer.
    ValueError
        If a size is below 1, or the inputs have another number of axes or no window in them.

    References
    ----------
    ``keras.layers.AveragePooling1D``.

    Examples
    --------
    >>> AveragePooling1D()(np.array([[[1.0], [3.0], [0.0], [8.0]]])).ravel().tolist()
    [2.0, 4.0]
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window of each map; zeros added around do not count.

    Parameters
    ----------
    pool_size : int or pair of int
        Height and width of a window.
    strides : int or pair of int, optional
        How far it moves; by default its size.
    padding : {"valid", "same"}
        Whether windows must lie inside.
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.

    Raises
    ------
    TypeError
        If a size is no integer.
    ValueError
        If a size is below 1, or the inputs have another number of axes or no window in them.

    References
    ----------
    ``keras.layers.AveragePooling2D``.

    Examples
    --------
    >>> AveragePooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).item()
    1.5
    """

    rank = 2


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean of each channel of a sequence.

    Parameters
    ----------
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.
    keepdims : bool
        Whether the axes of a map stay, with length 1.

    Raises
    ------
    ValueError
        If the inputs have another number of axes.

    References
    ----------
    ``keras.layers.GlobalAveragePooling1D``.

    Examples
    --------
    >>> GlobalAveragePooling1D()(np.array([[[1.0], [3.0], [0.0], [8.0]]])).tolist()
    [[3.0]]
    """

    rank = 1

    def call(
        self, inputs: NDArray, training: bool = False, mask: ArrayLike | None = None
    ) -> NDArray:
        """Return the means, over the steps where a ``mask`` of (batch, length) is true."""
        self._share = None
        if mask is None:
            return super().call(inputs)
        self.check_inputs(inputs.shape)
        self._steps = 1 if self.data_format == "channels_last" else 2
        fits = (len(inputs), inputs.shape[self._steps])
        keep = check_array("mask", mask, shape=fits, allow_empty=True)
        weights = keep.astype(inputs.dtype)
        # Of no steps the mean is 0 here, not NaN.
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1)
        self._share = np.expand_dims(weights, 3 - self._steps)
        return (inputs * self._share).sum(axis=self._steps, keepdims=self.keepdims)

    def compute_mask(self, inputs: NDArray, mask: NDArray | None = None) -> None:
        """Return None: no steps are left."""

    def backward(self, gradient: NDArray) -> NDArray | None:
        """Return the gradient, shared out among the steps that count."""
        if self._share is None:
            return super().backward(gradient)
        return self._share * (gradient if self.keepdims else np.expand_dims(gradient, self._steps))


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each map.

    Parameters
    ----------
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.
    keepdims : bool
        Whether the axes of a map stay, with length 1.

    Raises
    ------
    ValueError
        If the inputs have another number of axes.

    References
    ----------
    Lin, Chen and Yan (2014), "Network in network"; ``keras.layers.GlobalAveragePooling2D``.

    Examples
    --------
    >>> GlobalAveragePooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).tolist()
    [[1.5]]
    """

    rank = 2


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The largest value of each channel of a sequence.

    Parameters
    ----------
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.
    keepdims : bool
        Whether the axes of a map stay, with length 1.

    Raises
    ------
    ValueError
        If the inputs have another number of axes.

    References
    ----------
    ``keras.layers.GlobalMaxPooling1D``.

    Examples
    --------
    >>> GlobalMaxPooling1D()(np.array([[[1.0], [3.0], [0.0], [8.0]]])).tolist()
    [[8.0]]
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The largest value of each map.

    Parameters
    ----------
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.
    keepdims : bool
        Whether the axes of a map stay, with length 1.

    Raises
    ------
    ValueError
        If the inputs have another number of axes.

    References
    ----------
    ``keras.layers.GlobalMaxPooling2D``.

    Examples
    --------
    >>> GlobalMaxPooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).tolist()
    [[3.0]]
    """

    rank = 2
