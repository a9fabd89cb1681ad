"""Merging in one call: ``add([a, b])`` is ``Add()([a, b])``, under Keras's names.

Each takes a list of arrays, or of nodes of a functional model, and the arguments of its layer,
``name`` and ``dtype`` among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

from reglib.layers import merging
from reglib.layers.base import Node


def add(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the sum of several inputs, as :class:`Add` does.

    Examples
    --------
    >>> add([[[1.0]], [[2.0]]]).tolist()
    [[3.0]]
    """
    return merging.Add(**kwargs)(inputs)


def subtract(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the first of two inputs minus the second, as :class:`Subtract` does.

    Examples
    --------
    >>> subtract([[[1.0]], [[2.0]]]).tolist()
    [[-1.0]]
    """
    return merging.Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the product of several inputs, entry by entry, as :class:`Multiply` does.

    Examples
    --------
    >>> multiply([[[3.0]], [[2.0]]]).tolist()
    [[6.0]]
    """
    return merging.Multiply(**kwargs)(inputs)


def average(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the mean of several inputs, as :class:`Average` does.

    Examples
    --------
    >>> average([[[1.0]], [[2.0]]]).tolist()
    [[1.5]]
    """
    return merging.Average(**kwargs)(inputs)


def maximum(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the largest of several inputs at each entry, as :class:`Maximum` does.

    Examples
    --------
    >>> maximum([[[1.0]], [[2.0]]]).tolist()
    [[2.0]]
    """
    return merging.Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the smallest of several inputs at each entry, as :class:`Minimum` does.

    Examples
    --------
    >>> minimum([[[1.0]], [[2.0]]]).tolist()
    [[1.0]]
    """
    return merging.Minimum(**kwargs)(inputs)


def concatenate(
    inputs: Sequence[ArrayLike | Node], axis: int = -1, **kwargs: Any
) -> NDArray | Node:
    """Return several inputs side by side along an axis, as :class:`Concatenate` does.

    Examples
    --------
    >>> concatenate([[[1.0]], [[2.0, 3.0]]]).tolist()
    [[1.0, 2.0, 3.0]]
    """
    return merging.Concatenate(axis=axis, **kwargs)(inputs)


def dot(
    inputs: Sequence[ArrayLike | Node], axes: int | Sequence[int] = -1, **kwargs: Any
) -> NDArray | Node:
    """Return the dot products of two inputs along an axis of each, as :class:`Dot` does.

    Examples
    --------
    >>> dot([[[1.0, 2.0]], [[3.0, 4.0]]], axes=1).tolist()
    [[11.0]]
    """
    return merging.Dot(axes=axes, **kwargs)(inputs)
