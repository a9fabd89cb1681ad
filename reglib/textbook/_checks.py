"""What every topic checks at the door: the parameters dict, its caches, labels and generators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Bad, Constraint
from reglib._validation import check_array

Layer = tuple[NDArray, NDArray]


def check_parameters(parameters: Any, inputs: int | None = None) -> list[Layer]:
    """Return ``[(W1, b1), (W2, b2), ...]`` after checking that the shapes fit one another.

    Raises
    ------
    TypeError
        If ``parameters`` is no mapping or holds no numbers.
    ValueError
        If a name is missing or a shape does not fit.
    """
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a dict, got {type(parameters).__name__}")
    depth = len([name for name in parameters if str(name).startswith("W")])
    if depth == 0:
        raise ValueError(f"parameters must hold W1, b1, ..., got {sorted(map(str, parameters))}")
    layers = []
    for layer in range(1, depth + 1):
        for name in (f"W{layer}", f"b{layer}"):
            if name not in parameters:
                found = ", ".join(sorted(map(str, parameters)))
                raise ValueError(f"parameters must hold {name}, got {found}")
        W = check_array(f"W{layer}", parameters[f"W{layer}"], shape=(None, inputs))
        b = check_array(f"b{layer}", parameters[f"b{layer}"], shape=(W.shape[0], 1))
        layers.append((W, b))
        inputs = W.shape[0]
    return layers


class Image(Array):
    """One image, gray or with channels."""

    def check(self, name: str, value: Any) -> NDArray:
        """Return the image as an array."""
        image = super().check(name, value)
        if image.ndim not in (2, 3):
            wanted = "(height, width) or (height, width, channels)"
            raise ValueError(f"{name} must have shape {wanted}, got {image.shape}")
        return image

    @property
    def good(self) -> NDArray:
        """A gray image."""
        return np.ones((6, 6))

    def bad(self) -> Bad:
        """Return what is no image."""
        return super().bad() | {"shape": (np.ones(3), np.ones((2, 2, 2, 2)))}


class Weights(Constraint):
    """The weights of some layers; a single array becomes a list of one."""

    good = (np.ones((3, 2)), np.ones(2))

    def check(self, name: str, value: Any) -> list[NDArray]:
        """Return the arrays in a list."""
        value = [value] if isinstance(value, np.ndarray) else value
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{name} must be a list of arrays, got {type(value).__name__}")
        if not value:
            raise ValueError(f"{name} must not be empty, got a list without arrays")
        return [check_array(f"{name}[{i}]", W) for i, W in enumerate(value)]

    def bad(self) -> Bad:
        """Return no lists, and lists of bad arrays."""
        found = {wrong: tuple([value] for value in bad) for wrong, bad in Array().bad().items()}
        return found | {"type": (3, "text", None), "empty": ([], [np.empty(0)])}


PROBABILITIES = Array(shape=(None, None), dtype=np.float64, within="[0, 1]")


def check_cache(cache: Any, widths: Sequence[int], hidden: int, last: int) -> int:
    """Return the depth L of the network that wrote a flat cache.

    Parameters
    ----------
    cache : tuple or list
        The arrays of layer 1, then those of layer 2, and so on.
    widths : sequence of int
        The output layer's number of units and the number of examples, for the message.
    hidden, last : int
        How many arrays each hidden layer and the last layer have.

    Raises
    ------
    TypeError
        If ``cache`` is no tuple or list.
    ValueError
        If its length or the shape of its last activation does not fit.
    """
    if not isinstance(cache, (tuple, list)):
        raise TypeError(f"cache must be a tuple, got {type(cache).__name__}")
    depth, rest = divmod(len(cache) - last, hidden)
    if rest or len(cache) < last:
        raise ValueError(
            f"cache must hold {hidden} arrays for each hidden layer and {last} for the last, "
            f"got {len(cache)} arrays"
        )
    shape = np.shape(cache[-3])
    if shape != tuple(widths):
        raise ValueError(f"cache must belong to Y of shape {tuple(widths)}, got A of {shape}")
    return depth + 1
