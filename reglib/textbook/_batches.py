"""What the topics that work on a whole batch check at the door: images and targets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Bad
from reglib.textbook._checks import Image

#: One-hot or soft, one row an example.
TARGETS = Array(shape=(None, None), dtype=np.float64, within="[0, 1]")


class Images(Image):
    """A batch of images, gray or with channels."""

    def check(self, name: str, value: Any) -> NDArray:
        """Return the images as an array."""
        images = Array.check(self, name, value)
        if images.ndim not in (3, 4):
            wanted = "(n, height, width) or (n, height, width, channels)"
            raise ValueError(f"{name} must have shape {wanted}, got {images.shape}")
        return images

    @property
    def good(self) -> NDArray:
        """Two gray images."""
        return np.ones((2, 6, 6))

    def bad(self) -> Bad:
        """Return what are no images."""
        return Array.bad(self) | {"shape": (np.ones(3), np.ones((6, 6)), np.ones((2,) * 5))}
