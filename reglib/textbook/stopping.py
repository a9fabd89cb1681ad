r"""Early stopping: when to stop, what to keep, and why it works like a penalty.

Stop when the validation loss has not improved by more than ``min_delta`` for ``patience`` epochs
in a row; keep the weights of the best epoch, not those of the last.

References
----------
Prechelt (1998), "Early stopping - but when?"; Goodfellow, Bengio and Courville (2016),
"Deep learning", section 7.8.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Flag, Function, Integer, Number, arguments
from reglib._typing import ArrayLike


@arguments(patience=Integer(">= 1"), min_delta=Number(">= 0"), restore=Flag())
class EarlyStopping:
    r"""Watch a validation loss, say when to stop, and keep the best weights.

    An epoch improves when :math:`\text{loss} < \text{best} - \text{min\_delta}`; the first one
    always does. Training should stop once ``patience`` epochs in a row have not improved.
    :class:`reglib.callbacks.EarlyStopping` is the same rule inside ``fit``.

    Parameters
    ----------
    patience : int
        How many epochs in a row may pass without improvement, at least 1.
    min_delta : float
        How much smaller a loss must be to count as better, at least 0.
    restore : bool
        Whether ``weights`` are those of the best epoch (True) or of the last (False).

    Attributes
    ----------
    best : float
        The loss of the best epoch so far; infinity before the first.
    best_epoch : int or None
        Its number, counted from 0.
    weights : any
        What to go on with after training.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> stopper = EarlyStopping(patience=2)
    >>> [stopper.update(loss, weights=[loss]) for loss in (0.9, 0.5, 0.6, 0.7)]
    [False, False, False, True]
    >>> stopper.best, stopper.best_epoch, stopper.weights
    (0.5, 1, [0.5])
    """

    def __init__(self, patience: int, min_delta: float = 0.0, restore: bool = True) -> None:
        self.patience = patience
        self.min_delta = min_delta
        self.restore = restore
        self.best = np.inf
        self.best_epoch: int | None = None
        self.weights: Any = None
        self._epoch = -1

    @arguments(loss=Number())
    def update(self, loss: float, weights: Any = None) -> bool:
        """Take one epoch's validation loss and weights; return whether to stop.

        The weights are copied: training goes on changing the arrays that it was given.

        Raises
        ------
        TypeError, ValueError
            If ``loss`` is no finite number.
        """
        self._epoch += 1
        improved = loss < self.best - self.min_delta
        if improved:
            self.best, self.best_epoch = loss, self._epoch
        if improved or not self.restore:
            self.weights = copy.deepcopy(weights)
        return self._epoch - (self.best_epoch or 0) >= self.patience


@arguments(losses=Array(1, dtype=np.float64), patience=Integer(">= 1"), min_delta=Number(">= 0"))
def stop_epoch(losses: Sequence[float], patience: int, min_delta: float = 0.0) -> int | None:
    """Return the epoch after which training stops, counted from 0; None if it never does.

    Parameters
    ----------
    losses : sequence of float
        Validation loss of each epoch.
    patience : int
        How many epochs in a row may pass without improvement, at least 1.
    min_delta : float
        How much smaller a loss must be to count as better, at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Prechelt (1998), "Early stopping - but when?".

    Examples
    --------
    >>> stop_epoch([0.9, 0.5, 0.6, 0.7, 0.1], patience=2)
    3
    """
    stopper = EarlyStopping(patience, min_delta)
    for epoch, loss in enumerate(losses):
        if stopper.update(float(loss)):
            return epoch
    return None


@arguments(
    eigenvalues=Array(dtype=np.float64, within=">= 0"), lr=Number("> 0"), steps=Integer(">= 0")
)
def gradient_descent_shrinkage(eigenvalues: ArrayLike, lr: float, steps: int) -> NDArray:
    r"""Return how much of each direction of the solution gradient descent has learned.

    On a quadratic loss, started at zero, the weight along an eigenvector of the Hessian with
    eigenvalue :math:`\lambda_i` is its final value times

    .. math:: 1 - (1 - \eta\lambda_i)^t

    after t steps. Stopped early, flat directions stay near zero, as they do under L2.

    Parameters
    ----------
    eigenvalues : array_like, any shape
        The Hessian's eigenvalues, at least 0.
    lr : float
        The learning rate :math:`\eta`, above 0.
    steps : int
        The number t of steps, at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> gradient_descent_shrinkage([1.0, 0.1, 0.0], lr=0.5, steps=2)
    array([0.75  , 0.0975, 0.    ])
    """
    return 1 - (1 - lr * eigenvalues) ** steps


@arguments(
    w=Array(dtype=np.float64),
    gradient=Function(),
    loss=Function(),
    lr=Number("> 0"),
    epochs=Integer(">= 1"),
    patience=Integer(">= 1"),
)
def fit_with_early_stopping(
    w: ArrayLike,
    gradient: Callable[[NDArray], ArrayLike],
    loss: Callable[[NDArray], float],
    lr: float,
    epochs: int,
    patience: int,
) -> NDArray:
    """Return the weights of the best epoch of a training that stops when patience runs out.

    Parameters
    ----------
    w : array_like, any shape
        The weights to begin with; they are not changed.
    gradient : callable
        ``gradient(w)`` is that of the training loss, of the shape of ``w``.
    loss : callable
        ``loss(w)`` is the validation loss, asked once an epoch, after the step.
    lr : float
        The length of a step, above 0; an epoch is one step.
    epochs : int
        How many epochs there are at most, at least 1.
    patience : int
        How many epochs in a row may pass without improvement, at least 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> w = fit_with_early_stopping([0.0], lambda w: [-1.0], lambda w: abs(w[0] - 3), 1.0, 9, 2)
    >>> w
    array([3.])
    """
    stopper = EarlyStopping(patience)
    for _ in range(epochs):
        w = w - lr * np.asarray(gradient(w))
        if stopper.update(float(loss(w)), w):
            break
    return stopper.weights
