"""Adam and AdamW: momentum, and steps divided by the gradients' root mean square."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Flag, Number, arguments
from reglib.optimizers.base import Optimizer


@arguments(beta_1=Number("[0, 1)"), beta_2=Number("[0, 1)"), epsilon=Number(">= 0"), amsgrad=Flag())
class Adam(Optimizer):
    r"""Steps from running means: :math:`w \leftarrow w - \alpha\, m / (\sqrt v + \epsilon)`.

    With :math:`m \leftarrow \beta_1 m + (1-\beta_1) g`,
    :math:`v \leftarrow \beta_2 v + (1-\beta_2) g^2` and
    :math:`\alpha = \eta\sqrt{1-\beta_2^t}/(1-\beta_1^t)`, which corrects the bias of :math:`m` and
    :math:`v` towards the 0 that they begin with; it is the paper's "epsilon hat" form.

    Parameters
    ----------
    learning_rate : float
        The step size.
    beta_1, beta_2 : float
        Momenta of the running mean and mean square, in [0, 1).
    epsilon : float
        What keeps the division finite.
    amsgrad : bool
        Whether to divide by the largest :math:`v` seen so far.
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
    Kingma and Ba (2015), "Adam: a method for stochastic optimization";
    ``keras.optimizers.Adam``.

    Examples
    --------
    >>> from reglib.layers import Parameter
    >>> w = Parameter([1.0], dtype="float64")
    >>> Adam(0.1).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.9])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        largest = ("largest_velocity",) if self.amsgrad else ()
        self.slot_names = ("momentum", "velocity", *largest)

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        t = self.iterations + 1
        m, v, scratch = self.slots["momentum"], self.slots["velocity"], self._scratch
        # m = β1 m + (1 - β1) g
        m *= self.beta_1
        m += np.multiply(g, 1 - self.beta_1, out=scratch)
        # v = β2 v + (1 - β2) g²
        v *= self.beta_2
        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.beta_2
        v += scratch
        if self.amsgrad:
            largest = self.slots["largest_velocity"]
            v = np.maximum(largest, v, out=largest)
        # w = w - α m / (√v + ε), where α corrects the bias of m and v, which begin at 0
        alpha = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        step = np.sqrt(v, out=scratch)
        step += self.epsilon
        np.divide(m, step, out=step)
        step *= alpha
        w -= step

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with decoupled weight decay: the decay is not divided by the root of ``v``.

    Parameters
    ----------
    learning_rate : float
        The step size.
    weight_decay : float
        The fraction of each weight, times the learning rate, that a step takes away.
    beta_1, beta_2, epsilon, amsgrad, **kwargs
        As for :class:`Adam`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind; ``weight_decay`` may not be None.
    ValueError
        If a number is out of range, or two clippings are asked for.

    References
    ----------
    Loshchilov and Hutter (2019), "Decoupled weight decay regularization";
    ``keras.optimizers.AdamW``.

    Examples
    --------
    >>> from reglib.layers import Parameter
    >>> w = Parameter([1.0], dtype="float64")
    >>> AdamW(0.1, weight_decay=0.5).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.85])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise TypeError("weight_decay must be a number, got None")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs
        )
