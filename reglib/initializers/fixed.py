"""Weights that are not drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import (
    Array,
    Generator,
    Identifier,
    Number,
    Shape,
    arguments,
)
from reglib._typing import ArrayLike
from reglib.initializers.base import Initializer, _dtype


@arguments(value=Number() | Array())
class Constant(Initializer):
    """Every weight is ``value``, or the weights are those of an array.

    Parameters
    ----------
    value : float or array_like
        A number, or numbers in a shape that broadcasts to that of the weights.

    Raises
    ------
    TypeError, ValueError
        If ``value`` holds something else than finite numbers.

    References
    ----------
    ``keras.initializers.Constant``.

    Examples
    --------
    >>> Constant([0.5, 2.0])((2, 2)).tolist()
    [[0.5, 2.0], [0.5, 2.0]]
    """

    def __init__(self, value: float | ArrayLike = 0.0) -> None:
        self.value = value

    @arguments(shape=Shape(low=0), dtype=Identifier(_dtype), generator=Generator())
    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return weights of this shape.

        Raises
        ------
        ValueError
            If the value has another shape.
        """
        weights = np.empty(shape, _dtype(dtype))
        try:
            weights[...] = self.value
        except ValueError:
            raise ValueError(
                f"value must fit weights of shape {weights.shape}, got {np.shape(self.value)}"
            ) from None
        return weights

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"value": np.asarray(self.value).tolist()}


class Zeros(Constant):
    """Every weight is 0.

    References
    ----------
    ``keras.initializers.Zeros``.

    Examples
    --------
    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __init__(self) -> None:
        super().__init__(0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: there are none."""
        return {}


class Ones(Constant):
    """Every weight is 1.

    References
    ----------
    ``keras.initializers.Ones``.

    Examples
    --------
    >>> Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __init__(self) -> None:
        super().__init__(1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: there are none."""
        return {}


@arguments(gain=Number())
class Identity(Initializer):
    """The identity matrix, times ``gain``.

    Parameters
    ----------
    gain : float
        What stands on the diagonal.

    Raises
    ------
    TypeError, ValueError
        If ``gain`` is no finite number.

    References
    ----------
    ``keras.initializers.Identity``.

    Examples
    --------
    >>> Identity(2.0)((2, 3)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    @arguments(shape=Shape(low=0), dtype=Identifier(_dtype), generator=Generator())
    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return weights of this shape.

        Raises
        ------
        ValueError
            If the shape has not two axes.
        """
        dtype = _dtype(dtype)
        if len(shape) != 2:
            raise ValueError(f"shape must have 2 axes, got {shape}")
        return np.eye(*shape, dtype=dtype) * dtype.type(self.gain)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"gain": self.gain}
