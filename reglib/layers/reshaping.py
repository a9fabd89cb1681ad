"""Layers that only pass numbers on: as they are, or with zeros around them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Bad, Constraint, Integer, arguments
from reglib._typing import Lengths
from reglib.layers.base import Layer
from reglib.layers.windows import DATA_FORMAT, Spatial

Pairs = tuple[tuple[int, int], ...]


class Identity(Layer):
    """The inputs as they are: a place with a name, or a layer where one is asked for.

    References
    ----------
    ``keras.layers.Identity``.

    Examples
    --------
    >>> Identity()(np.array([[1.0, 2.0]]))
    array([[1., 2.]], dtype=float32)
    """

    supports_masking = True

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs."""
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient."""
        return gradient


class Ends(Constraint):
    """How much at either end of both axes: one number, one an axis, or two an axis."""

    good = 1

    def check(self, name: str, value: Any) -> Pairs:
        """Return two numbers an axis."""
        values = list(value) if _is_several(value) else [value] * 2
        if len(values) != 2:
            raise ValueError(f"{name} must have one entry for each of 2 axes, got {value}")
        pairs = [tuple(entry) if _is_several(entry) else (entry, entry) for entry in values]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError(f"{name} must have two numbers for each of 2 axes, got {value}")
        number = Integer(">= 0")
        return tuple((number.check(name, a), number.check(name, b)) for a, b in pairs)

    def bad(self) -> Bad:
        """Return no whole numbers, those below 0, and too many of them."""
        types: tuple[Any, ...] = ("two", 1.5, None, ("a", 2), {}, float("nan"))
        return {"type": types, "range": (-1, (1, -2)), "shape": ((1, 1, 1, 1), ((1, 1, 1), 1))}


def _is_several(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)


@arguments(padding=Ends(), data_format=DATA_FORMAT)
class ZeroPadding2D(Spatial):
    """Images with zeros around them.

    Parameters
    ----------
    padding : int or sequence
        How many zeros at every edge; one number for height and one for width; or
        ``((top, bottom), (left, right))``.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.

    Raises
    ------
    ValueError
        If the numbers are not of this form or one is below 0.

    References
    ----------
    ``keras.layers.ZeroPadding2D``.

    Examples
    --------
    >>> ZeroPadding2D((1, 2))(np.zeros((5, 10, 10, 3))).shape
    (5, 12, 14, 3)
    """

    rank = 2

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.set_data_format(data_format)
        self.padding = padding

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the inputs with zeros around them."""
        return np.pad(inputs, ((0, 0), *self.padding, (0, 0)))

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient without what belongs to the zeros."""
        (top, bottom), (left, right) = self.padding
        _, height, width, _ = gradient.shape
        return gradient[:, top : height - bottom, left : width - right]

    def shape_after(self, shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        lengths = [
            None if n is None else n + a + b
            for n, (a, b) in zip(shape[1:-1], self.padding, strict=True)
        ]
        return (shape[0], *lengths, shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {"padding": self.padding, "data_format": self.data_format}
        return {**super().get_config(), **config}
