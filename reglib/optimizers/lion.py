"""Lion: steps by the sign of a momentum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Number, arguments
from reglib.optimizers.base import Optimizer


@arguments(beta_1=Number("(0, 1]"), beta_2=Number("[0, 1]"))
class Lion(Optimizer):
    r"""Steps of one size, by the sign: :math:`w \leftarrow w - \eta\,\mathrm{sign}(c)`.

    With :math:`c = \beta_1 m + (1-\beta_1) g` and then
    :math:`m \leftarrow \beta_2 m + (1-\beta_2) g`.

    Parameters
    ----------
    learning_rate : float
        The step size; a tenth of Adam's is usual.
    beta_1, beta_2 : float
        Momenta of the direction and of the memory, in (0, 1] and [0, 1].
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
    Chen et al. (2023), "Symbolic discovery of optimization algorithms";
    ``keras.optimizers.Lion``.

    Examples
    --------
    >>> from reglib.layers import Parameter
    >>> w = Parameter([1.0], dtype="float64")
    >>> Lion(0.1).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.9])
    """

    slot_names = ("momentum",)

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        m = self.slots["momentum"]
        w -= learning_rate * np.sign(self.beta_1 * m + (1 - self.beta_1) * g)
        m *= self.beta_2
        m += (1 - self.beta_2) * g

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
