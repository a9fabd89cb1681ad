"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Flag, Number, arguments
from reglib.optimizers.base import Optimizer


@arguments(momentum=Number("[0, 1]"), nesterov=Flag())
class SGD(Optimizer):
    r"""Gradient descent with momentum: :math:`v \leftarrow \mu v - \eta g,\; w \leftarrow w + v`.

    Parameters
    ----------
    learning_rate : float
        The step size.
    momentum : float
        :math:`\mu` in [0, 1].
    nesterov : bool
        Whether to look ahead: :math:`w \leftarrow w + \mu v - \eta g`.
    **kwargs
        As for :class:`Optimizer`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or two clippings are asked for.

    References
    ----------
    Sutskever et al. (2013), "On the importance of initialization and momentum in deep
    learning"; ``keras.optimizers.SGD``.

    Examples
    --------
    >>> from reglib.layers import Parameter
    >>> w = Parameter([1.0], dtype="float64")
    >>> SGD(0.1).apply([np.array([2.0])], [w])
    >>> w.value
    array([0.8])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov
        self.slot_names = ("velocity",) if self.momentum else ()

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        step = np.multiply(g, learning_rate, out=self._scratch)
        if self.momentum == 0:
            w -= step
            return
        v = self.slots["velocity"]
        v *= self.momentum
        v -= step
        if self.nesterov:
            w -= step
            w += np.multiply(v, self.momentum, out=step)
        else:
            w += v

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
