"""RMSprop: steps divided by a running root mean square of the gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Flag, Number, arguments
from reglib.optimizers.base import Optimizer


@arguments(rho=Number("[0, 1]"), momentum=Number("[0, 1]"), epsilon=Number(">= 0"), centered=Flag())
class RMSprop(Optimizer):
    r"""Steps over a running root mean square, :math:`w \leftarrow w - \eta g/\sqrt{v + \epsilon}`.

    With :math:`v \leftarrow \rho v + (1 - \rho) g^2`. The :math:`\epsilon` is inside the root.

    Parameters
    ----------
    learning_rate : float
        The step size.
    rho : float
        Momentum of the running mean square, in [0, 1].
    momentum : float
        Momentum of the steps, in [0, 1].
    epsilon : float
        What keeps the division finite.
    centered : bool
        Whether to subtract the squared running mean from :math:`v`.
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
    Tieleman and Hinton (2012), lecture 6.5 of "Neural networks for machine learning";
    ``keras.optimizers.RMSprop``.

    Examples
    --------
    >>> from reglib.layers import Parameter
    >>> w = Parameter([1.0], dtype="float64")
    >>> RMSprop(0.1).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.684])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        mean = ("mean",) if self.centered else ()
        self.slot_names = ("mean_square", *mean, *(("velocity",) if self.momentum else ()))

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        v, scratch = self.slots["mean_square"], self._scratch
        v *= self.rho
        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.rho
        v += scratch
        np.add(v, self.epsilon, out=scratch)
        if self.centered:
            mean = self.slots["mean"]
            mean *= self.rho
            mean += (1 - self.rho) * g
            scratch -= np.square(mean)
        np.sqrt(scratch, out=scratch)
        step = np.divide(g, scratch, out=scratch)
        step *= learning_rate
        if self.momentum > 0:
            velocity = self.slots["velocity"]
            velocity *= self.momentum
            velocity += step
            step = velocity
        w -= step

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
