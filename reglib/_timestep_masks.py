"""Arrays that say which of their entries count: how a mask goes from layer to layer.

Sequences of one batch are of one length, so the shorter ones are filled up. A layer that knows
where hands its outputs on as a :class:`Masked` array; the layers after it skip what does not
count, and so do loss and metrics. It is an array like any other to whoever does not ask.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._typing import ArrayLike


class Masked(np.ndarray):
    """An array with a ``mask`` of its first axes: true where an entry counts.

    What is computed with it or cut out of it has no mask.
    """

    mask: NDArray | None = None


def masked(array: ArrayLike, mask: ArrayLike | None) -> NDArray:
    """Return a view of an array that has the mask; without a mask, the array.

    Examples
    --------
    >>> sequence = masked(np.zeros((1, 2)), [[True, False]])
    >>> mask_of(sequence), mask_of(sequence + 1)
    (array([[ True, False]]), None)
    """
    array = np.asarray(array)
    if mask is None:
        return array
    view = array.view(Masked)
    view.mask = as_truth(mask)
    return view


def mask_of(array: Any) -> NDArray | None:
    """Return the mask that an array has, None if it has none."""
    return array.mask if isinstance(array, Masked) else None


def as_truth(mask: ArrayLike) -> NDArray:
    """Return a mask as truth values.

    Raises
    ------
    TypeError
        If it holds something else than numbers and truth values.

    Examples
    --------
    >>> as_truth([1, 0])
    array([ True, False])
    """
    array = np.asarray(mask)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"mask must hold truth values, got dtype {array.dtype}")
    return array.astype(bool, copy=False)


def expanded(mask: NDArray, number: int) -> NDArray:
    """Return a mask with axes of length 1 after its own, so that it has ``number`` axes."""
    return mask.reshape(mask.shape + (1,) * (number - mask.ndim))
