"""What initializers share: a shape and a generator in, weights out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _seeding, _serialization, config
from reglib._arguments import (
    Dict,
    Generator,
    Identifier,
    Instance,
    Integer,
    List,
    Seed,
    Shape,
    arguments,
)


@arguments(
    shape=Shape(low=0), input_axes=List("axes", Integer()), output_axes=List("axes", Integer())
)
def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return fan-in and fan-out: how many inputs a unit sees and how many units see an input.

    Parameters
    ----------
    shape : sequence of int
        ``(inputs, outputs)`` of a matrix, or ``(*window, inputs, outputs)`` of a convolution.
    input_axes, output_axes : sequence of int, optional
        Which axes are inputs and which outputs, where the shape has another order; both or none.

    Raises
    ------
    TypeError
        If a length or an axis is no integer.
    ValueError
        If the shape has no such axis.

    Examples
    --------
    >>> compute_fans((64, 128))
    (64, 128)
    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    >>> compute_fans((512, 8, 64), input_axes=[0], output_axes=[1, 2])
    (512, 512)
    """
    if input_axes is not None and output_axes is not None:
        return (
            _length("input_axes", shape, input_axes),
            _length("output_axes", shape, output_axes),
        )
    if len(shape) < 2:
        length = shape[0] if shape else 1
        return length, length
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


def _length(name: str, shape: Sequence[int], axes: Sequence[int]) -> int:
    """Return the product of the lengths along some axes."""
    if not all(-len(shape) <= axis < len(shape) for axis in axes):
        raise ValueError(f"{name} must be axes of shape {tuple(shape)}, got {list(axes)}")
    return math.prod(shape[axis] for axis in axes)


def _dtype(dtype: Any) -> np.dtype:
    """Return the dtype, ``floatx`` where there is none."""
    try:
        return np.dtype(dtype or config.floatx())
    except (TypeError, ValueError):
        raise TypeError(f"dtype must be a dtype, got {dtype!r}") from None


@arguments(seed=Seed() | Instance(np.random.Generator, "a generator") | Dict())
class Initializer(_serialization.Described):
    """Base of all initializers.

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        An integer makes every call return the same weights, a generator other weights at every
        call. Without a seed they come from the generator that the layer hands over.

    Raises
    ------
    TypeError
        If ``seed`` is something else.
    ValueError
        If it is negative.

    References
    ----------
    Keras 3, ``keras.initializers.Initializer``.
    """

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        if isinstance(seed, Mapping):  # a generator's state, out of a configuration
            restored = np.random.default_rng(0)
            restored.bit_generator.state = seed
            seed = restored
        self.seed = seed

    @arguments(shape=Shape(low=0), dtype=Identifier(_dtype), generator=Generator())
    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return fresh weights of this shape.

        Raises
        ------
        TypeError
            If an argument is of the wrong kind.
        ValueError
            If a length is negative.
        """
        dtype = _dtype(dtype)
        if self.seed is not None or generator is None:
            # A generator is handed on as it is.
            generator = _seeding.generator(self.seed)
        return self.draw(tuple(shape), generator).astype(dtype, copy=False)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        raise NotImplementedError(f"{type(self).__name__} must define draw")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data; of a generator, its state."""
        if isinstance(self.seed, np.random.Generator):
            return {**vars(self), "seed": self.seed.bit_generator.state}
        return dict(vars(self))
