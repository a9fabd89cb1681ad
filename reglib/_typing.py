"""Types that read as NumPy's and mean what the library does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing

if TYPE_CHECKING:
    #: Array-like for whoever calls; an array in the body, because `arguments` has made it one.
    ArrayLike = Any
    #: A generator or its seed for whoever calls; a generator in the body.
    RandomSource = Any
else:
    ArrayLike = numpy.typing.ArrayLike
    RandomSource = np.random.Generator | int

#: A length for each axis of a batch; None where it may differ from batch to batch.
Lengths = tuple[Any, ...]

__all__ = ["ArrayLike", "Lengths", "RandomSource"]
