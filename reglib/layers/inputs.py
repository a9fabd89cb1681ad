"""Where a functional model begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from reglib._arguments import Integer, Shape, arguments
from reglib.layers.base import Layer, Node
from reglib.layers.parameter import NUMBERS


@arguments(shape=Shape(), batch_size=Integer(">= 1"), batch_shape=Shape())
class InputLayer(Layer):
    """The place where a batch enters a model; it passes it on.

    Parameters
    ----------
    shape : sequence of int
        The shape of one example.
    batch_size : int, optional
        How many examples a batch is said to have; batches of other sizes pass as well.
    batch_shape : sequence of int, optional
        Both in one, instead.

    Raises
    ------
    TypeError
        If a shape holds no integers.
    ValueError
        If there is no shape, or there are two.
    """

    supports_masking = True
    _dtypes = NUMBERS  # whole ones too, as those of an Embedding are

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError("batch_shape must be given alone, got shape or batch_size besides")
            batch_size, *shape = batch_shape
        if shape is None:
            raise ValueError("shape must be that of one example, got None")
        self.shape = tuple(shape)
        self.batch_shape = (batch_size, *self.shape)
        super().__init__(input_shape=self.shape, dtype=dtype, name=name, **kwargs)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs."""
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient."""
        return gradient

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        return {**config, "batch_shape": self.batch_shape}


def Input(  # noqa: N802 - Keras's name
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> Node:
    """Return the node that a functional model starts from.

    Parameters
    ----------
    shape : sequence of int
        The shape of one example.
    batch_size : int, optional
        How many examples a batch is said to have; batches of other sizes pass as well.
    dtype : str, optional
        What inputs are cast to.
    batch_shape : sequence of int, optional
        The shape of a batch, instead of ``shape`` and ``batch_size``.
    name : str, optional
        What the input is called.

    Raises
    ------
    TypeError
        If a shape holds no integers.
    ValueError
        If there is no shape, or there are two.

    Examples
    --------
    >>> Input((8, 8, 1)).shape
    (None, 8, 8, 1)
    """
    layer = InputLayer(shape, batch_size, dtype, batch_shape, name)
    return Node(layer, (), layer.batch_shape)
