"""Merging in one call: ``add([a, b])`` is ``Add()([a, b])``, under Keras's names.

Each takes a list of arrays, or of nodes of a functional model, and the arguments of its layer,
``name`` and ``dtype`` among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from reglib._typing import ArrayLike
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
