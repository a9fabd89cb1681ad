"""Types that read as NumPy's and mean what the library does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing

if TYPE_CHECKING:
    #: Array-like for whoever calls; an array in the body, because `arguments` has made it one.
    ArrayLike = Any
else:
    ArrayLike = numpy.typing.ArrayLike

__all__ = ["ArrayLike"]
