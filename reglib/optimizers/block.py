"""All parameters of a model end to end in one vector, beside their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reglib._arguments import Instance, List, arguments
from reglib.layers.base import Parameter


@arguments(parameters=List("parameters", Instance(Parameter, "parameters of a layer")))
class Block:
    """Parameters laid end to end in one vector, and their gradients in another.

    Parameters
    ----------
    parameters : sequence of Parameter
        They keep their names and shapes; their arrays become views into the block.

    Raises
    ------
    ValueError
        If the dtypes differ.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = parameters
        dtypes = {parameter.dtype for parameter in self.parameters}
        if len(dtypes) > 1:
            raise ValueError(f"parameters must have one dtype, got {sorted(map(str, dtypes))}")
        size = sum(parameter.value.size for parameter in self.parameters)
        self.value = np.empty(size, dtype=dtypes.pop() if dtypes else "float32")
        self.gradient = np.zeros_like(self.value)
        self.slices: list[slice] = []
        start = 0
        for parameter in self.parameters:
            stop = start + parameter.value.size
            self.slices.append(slice(start, stop))
            parameter.bind(
                self.value[start:stop].reshape(parameter.shape),
                self.gradient[start:stop].reshape(parameter.shape),
            )
            start = stop

    def holds(self, parameters: Sequence[Parameter]) -> bool:
        """Return whether these are its parameters, and their arrays still lie in it."""
        return len(parameters) == len(self.parameters) and all(
            mine is other and mine.value.base is self.value
            for mine, other in zip(self.parameters, parameters, strict=True)
        )
