"""Random networks in textbook form, of sizes unlike any worked example."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def draw_parameters(rng: np.random.Generator, widths: tuple[int, ...]) -> dict[str, NDArray]:
    """Return weights and biases of a network whose hidden units are rarely all off."""
    parameters = {}
    for layer in range(1, len(widths)):
        shape = (widths[layer], widths[layer - 1])
        parameters[f"W{layer}"] = rng.standard_normal(shape) / np.sqrt(shape[1])
        parameters[f"b{layer}"] = rng.uniform(0.1, 0.6, (shape[0], 1))
    return parameters


def draw_network(
    rng: np.random.Generator, widths: tuple[int, ...], m: int
) -> tuple[NDArray, NDArray, dict[str, NDArray]]:
    """Return inputs X, labels Y and parameters of a network with the given widths."""
    X = rng.standard_normal((widths[0], m))
    Y = (rng.random((widths[-1], m)) < 0.5).astype(int)
    return X, Y, draw_parameters(rng, widths)


def entries(shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return a name for each entry of arrays that are laid end to end.

    Examples
    --------
    >>> entries({"dW1": (1, 2), "db1": (1, 1)})
    ['dW1[0, 0]', 'dW1[0, 1]', 'db1[0, 0]']
    """
    return [
        f"{name}[{', '.join(map(str, index))}]"
        for name, shape in shapes.items()
        for index in np.ndindex(*shape)
    ]
