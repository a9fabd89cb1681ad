r"""Convolutions of sequences and images.

A convolution lays out every window of the inputs as a row (``windows``) and multiplies once by
the kernel; the way back multiplies once and adds the rows where they came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Choice, Flag, Integer, arguments
from reglib._typing import Lengths
from reglib.layers.windows import DATA_FORMAT, Sizes, Windowed


@arguments(
    filters=Integer(">= 1"),
    kernel_size=Sizes(),
    strides=Sizes(),
    padding=Choice("valid", "same", "causal"),
    data_format=DATA_FORMAT,
    dilation_rate=Sizes(),
    groups=Integer(">= 1"),
    use_bias=Flag(),
)
class _Convolution(Windowed):
    """What the convolutions share."""

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
        self.filters = filters
        self.set_data_format(data_format)
        if padding == "causal" and self.rank > 1:
            raise ValueError(f"padding must be one of 'valid', 'same', got {padding!r}")
        self.set_windows("kernel_size", kernel_size, strides, padding, dilation_rate)
        self.groups = groups
        if self.filters % self.groups:
            raise ValueError(f"filters must be a multiple of groups={groups}, got {filters}")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.set_weight_options(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Lengths) -> None:
        """Make ``kernel`` of shape (*kernel_size, channels / groups, filters), and ``bias``."""
        self.channels = self.channels_last(input_shape)[-1]
        if self.channels is None or self.channels % self.groups:
            raise ValueError(
                f"inputs of layer {self.name} must have a multiple of groups={self.groups} "
                f"channels, got shape {input_shape}"
            )
        seen = self.channels // self.groups
        self.kernel = self.add_weight((*self.window, seen, self.filters), name="kernel")
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), name="bias")

    def forward(self, inputs: NDArray) -> NDArray:
        """Return f(windows of x @ W + b)."""
        if inputs.shape[-1] != self.channels:
            raise ValueError(
                f"inputs of layer {self.name} must have {self.channels} channels, "
                f"got shape {inputs.shape}"
            )
        self._rows = self.windows(inputs)
        self._kernel = self.kernel.value if self.groups == 1 else self.full_kernel()
        z = self._rows @ self._kernel.reshape(-1, self.filters)
        if self.bias is not None:
            z += self.bias.value
        self._z = z.reshape(len(inputs), *self.positions, self.filters)
        self._a = self.activation.value(self._z)
        return self._a

    def back(self, gradient: NDArray) -> NDArray | None:
        """Write dW and db; return dx, if it is wanted."""
        dz = self.activation.gradient(gradient, self._z, self._a)
        rows = dz.reshape(-1, self.filters)
        if self.groups == 1:
            np.matmul(self._rows.T, rows, out=self.kernel.gradient.reshape(-1, self.filters))
        else:
            full = (self._rows.T @ rows).reshape(self._kernel.shape)
            for seen, made in self._blocks():
                self.kernel.gradient[..., made] = full[..., seen, made]
        if self.bias is not None:
            np.sum(rows, axis=0, out=self.bias.gradient)
        if not self.to_inputs:
            return None
        # One product a tap, so that each lies in one piece when it is added.
        kernels = self._kernel.reshape(-1, self.channels, self.filters)
        back = rows @ kernels.transpose(0, 2, 1)
        return self.add_back(back.reshape(len(kernels), *dz.shape[:-1], self.channels))

    def full_kernel(self) -> NDArray:
        """Return the kernel with zeros for the channels that a group of filters does not see."""
        full = np.zeros((*self.window, self.channels, self.filters), self.kernel.dtype)
        for seen, made in self._blocks():
            full[..., seen, made] = self.kernel.value[..., made]
        return full

    def _blocks(self) -> Iterator[tuple[slice, slice]]:
        """Yield the channels that each group sees and the filters that it makes."""
        seen, made = self.channels // self.groups, self.filters // self.groups
        for n in range(self.groups):
            yield slice(n * seen, (n + 1) * seen), slice(n * made, (n + 1) * made)

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
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }


class Conv1D(_Convolution):
    r"""Convolution along a sequence, :math:`a_t = f(\sum_s x_{t+ds} W_s + b)`.

    Parameters
    ----------
    filters : int
        Number of outputs at each position.
    kernel_size, strides : int
        Length of a window and how far it moves.
    padding : {"valid", "same", "causal"}
        Whether windows must lie inside, or zeros are added around, or all before, so that no
        output sees the future.
    data_format : {None, "channels_last", "channels_first"}
        Whether inputs are (batch, length, channels), the default, or (batch, channels, length).
    dilation_rate : int
        How far apart the entries of a window lie, :math:`d`; only with ``strides=1``.
    groups : int
        In how many parts channels and filters are divided; each part of the filters sees one
        part of the channels. The kernel is that of a whole convolution with zeros between the
        parts, and takes as long.

    Raises
    ------
    TypeError
        If a size is no integer.
    ValueError
        If a size is out of range, ``groups`` does not divide channels and filters, or the
        inputs have another number of axes.

    References
    ----------
    van den Oord et al. (2016), "WaveNet", for dilated causal convolutions;
    ``keras.layers.Conv1D``.

    Examples
    --------
    >>> Conv1D(4, 3)(np.ones((2, 10, 1))).shape
    (2, 8, 4)
    >>> running = Conv1D(1, 2, padding="causal", dilation_rate=2, kernel_initializer="ones")
    >>> running(np.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
    [0.0, 1.0, 2.0, 4.0, 6.0]
    """

    rank = 1


class Conv2D(_Convolution):
    r"""Convolution over an image, :math:`a_{ij} = f(\sum_{st} x_{i+ds,j+dt} W_{st} + b)`.

    Parameters
    ----------
    filters : int
        Number of outputs at each position.
    kernel_size, strides : int or pair of int
        Height and width of a window, and how far it moves.
    padding : {"valid", "same"}
        Whether windows must lie inside, or zeros are added around.
    data_format : {None, "channels_last", "channels_first"}
        Whether the channels are the last axis, the default, or the one after the batch.
    dilation_rate : int or pair of int
        How far apart the entries of a window lie, :math:`d`; only with ``strides=1``.
    groups : int
        In how many parts channels and filters are divided, as in :class:`Conv1D`.

    Raises
    ------
    TypeError
        If a size is no integer.
    ValueError
        If a size is out of range, ``groups`` does not divide channels and filters, or the
        inputs have another number of axes.

    References
    ----------
    LeCun et al. (1998), "Gradient-based learning applied to document recognition";
    ``keras.layers.Conv2D``.

    Examples
    --------
    >>> Conv2D(4, 3, padding="same")(np.ones((2, 8, 8, 1))).shape
    (2, 8, 8, 4)
    >>> Conv2D(4, 3, dilation_rate=2)(np.ones((2, 8, 8, 1))).shape
    (2, 4, 4, 4)
    """

    rank = 2
