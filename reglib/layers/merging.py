"""Where branches begin and meet: Input, Add and Concatenate, for functional models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib.layers.base import Layer, Node


class InputLayer(Layer):
    """The place where a batch enters a model; it passes it on.

    Parameters
    ----------
    shape : sequence of int
        The shape of one example.
    """

    def __init__(self, shape: Sequence[int | None], **kwargs: Any) -> None:
        super().__init__(input_shape=shape, **kwargs)
        self.shape = tuple(shape)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs."""
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient."""
        return gradient

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "shape": self.shape}


def Input(shape: Sequence[int | None], **kwargs: Any) -> Node:  # noqa: N802 - Keras's name
    """Return the node that a functional model starts from.

    Parameters
    ----------
    shape : sequence of int
        The shape of one example.

    Examples
    --------
    >>> Input((8, 8, 1)).shape
    (None, 8, 8, 1)
    """
    layer = InputLayer(shape, **kwargs)
    return Node(layer, (), (None, *layer.shape))


class _Merge(Layer):
    """What Add and Concatenate share: they are called with a list."""

    def __call__(
        self, inputs: Sequence[ArrayLike | Node], training: bool = False
    ) -> NDArray | Node:
        """Return the merged outputs of several batches, or a node of several nodes.

        Raises
        ------
        ValueError
            If fewer than two inputs come, or their shapes do not fit.
        """
        if len(inputs) < 2:
            raise ValueError(f"inputs of layer {self.name} must be at least 2, got {len(inputs)}")
        if isinstance(inputs[0], Node):
            shape = self.compute_output_shape([node.shape for node in inputs])
            return Node(self, tuple(inputs), shape)
        inputs = [self.cast(x) for x in inputs]
        self.compute_output_shape([x.shape for x in inputs])
        self.built = True
        return self._finish(self.call(inputs, training=training))


class Add(_Merge):
    """The sum of several inputs: where a residual branch meets the trunk.

    References
    ----------
    He et al. (2016), "Deep residual learning for image recognition"; ``keras.layers.Add``.

    Examples
    --------
    >>> Add()([np.ones((1, 2)), np.ones((1, 2))])
    array([[2., 2.]], dtype=float32)
    """

    def call(self, inputs: list[NDArray], training: bool = False) -> NDArray:
        """Return the sum."""
        self._number = len(inputs)
        return sum(inputs[1:], start=inputs[0])

    def backward(self, gradient: NDArray) -> list[NDArray]:
        """Return the gradient, once for each input."""
        return [gradient] * self._number

    def compute_output_shape(
        self, input_shape: Sequence[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        """Return the common shape."""
        if len({tuple(shape[1:]) for shape in input_shape}) != 1:
            raise ValueError(
                f"inputs of layer {self.name} must have one shape, got {list(input_shape)}"
            )
        return tuple(input_shape[0])


class Concatenate(_Merge):
    """Several inputs side by side along the last axis.

    Parameters
    ----------
    axis : int
        -1, the last.

    References
    ----------
    ``keras.layers.Concatenate``.

    Examples
    --------
    >>> Concatenate()([np.ones((1, 2)), np.zeros((1, 1))])
    array([[1., 1., 0.]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if axis != -1:
            raise ValueError(f"axis must be -1, the last, got {axis}")
        self.axis = axis

    def call(self, inputs: list[NDArray], training: bool = False) -> NDArray:
        """Return the inputs side by side."""
        self._ends = np.cumsum([x.shape[-1] for x in inputs])[:-1]
        return np.concatenate(inputs, axis=-1)

    def backward(self, gradient: NDArray) -> list[NDArray]:
        """Return each input's part of the gradient."""
        return np.split(gradient, self._ends, axis=-1)

    def compute_output_shape(
        self, input_shape: Sequence[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        if len({tuple(shape[1:-1]) for shape in input_shape}) != 1:
            raise ValueError(
                f"inputs of layer {self.name} must differ in the last axis only, "
                f"got {list(input_shape)}"
            )
        return (*input_shape[0][:-1], sum(shape[-1] for shape in input_shape))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}
