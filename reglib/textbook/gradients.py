r"""Gradient checks: what the numbers of :mod:`reglib.gradcheck` are worth where a loss is random.

A check along one random direction :math:`u` compares two slopes, that of the loss and that which a
gradient :math:`g` promises, for two evaluations of the loss, however many weights there are:

.. math:: \frac{f(w + \epsilon u) - f(w - \epsilon u)}{2 \epsilon} \approx g \cdot u

Noise in the loss has to be the same in both.

References
----------
Maclaurin, Duvenaud and Adams (2015), "Autograd"; Goodfellow, Bengio and Courville (2016), "Deep
learning", section 11.5.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Choice, Function, Generator, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.gradcheck import relative_error

#: The activations whose layers :func:`layer_backward` knows.
KINDS = ("identity", "relu", "sigmoid", "tanh", "softplus")


@arguments(
    f=Function(),
    grad=Array(dtype=np.float64),
    w=Array(dtype=np.float64),
    eps=Number("> 0"),
    rng=Generator(),
)
def directional_check(
    f: Callable[[NDArray], float],
    grad: ArrayLike,
    w: ArrayLike,
    eps: float,
    rng: np.random.Generator,
) -> float:
    r"""Return the relative error of a gradient along one random direction.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of ``w`` and returns a number; it is called twice.
    grad : array_like
        What is claimed to be the gradient of ``f`` at ``w``.
    w : array_like
        Where to check, of any shape.
    eps : float
        The step, above 0.
    rng : numpy.random.Generator
        Where the direction :math:`u` is drawn from, each entry from :math:`N(0, 1)`.

    Returns
    -------
    float
        The relative error of the two slopes, in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> round(directional_check(lambda w: np.sum(w**2), [2.0, 4.0], [1.0, 2.0], 1e-4, rng), 6)
    0.0
    """
    grad = check_array("grad", grad, shape=w.shape, dtype=np.float64)
    u = rng.standard_normal(w.shape)
    numeric = (f(w + eps * u) - f(w - eps * u)) / (2 * eps)
    return relative_error(numeric, np.sum(grad * u))


@arguments(loss=Function(), seed=Integer(">= 0"))
def frozen(
    loss: Callable[[NDArray, np.random.Generator], float], seed: int
) -> Callable[[NDArray], float]:
    """Return the loss as a function of the weights alone, its noise the same at every call.

    Parameters
    ----------
    loss : callable
        ``loss(w, rng)`` returns a number and draws its noise from ``rng``.
    seed : int
        Which noise: that of ``numpy.random.default_rng(seed)``.

    Returns
    -------
    callable
        Takes the weights and returns a number.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> f = frozen(lambda w, rng: w * rng.random(), seed=0)
    >>> f(1.0) == f(1.0), f(2.0) == 2 * f(1.0)
    (True, True)
    """

    def f(w: NDArray) -> float:
        return loss(w, np.random.default_rng(seed))

    return f


@arguments(kind=Choice(*KINDS), d=Array(2), x=Array(2), W=Array(2))
def layer_backward(kind: str, d: ArrayLike, x: ArrayLike, W: ArrayLike) -> NDArray:
    r"""Return the gradient of the loss with respect to the weights of a layer.

    .. math:: Z = xW, \quad A = \phi(Z), \quad
              \frac{\partial J}{\partial W} = x^T \left(d \odot \phi'(Z)\right)

    Parameters
    ----------
    kind : str
        What :math:`\phi` is: identity, relu, sigmoid, tanh or softplus.
    d : array_like, shape (m, units)
        The gradient of the loss with respect to the layer's outputs A.
    x : array_like, shape (m, features)
        The layer's inputs.
    W : array_like, shape (features, units)
        Its weights.

    Returns
    -------
    ndarray, shape (features, units)
        The gradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> layer_backward("relu", [[1.0, 1.0]], [[3.0]], [[2.0, -2.0]])
    array([[3., 0.]])
    """
    W = check_array("W", W, shape=(x.shape[1], None))
    d = check_array("d", d, shape=(x.shape[0], W.shape[1]))
    z = x @ W
    sigmoid = 1 / (1 + np.exp(-z))
    slope = {
        "identity": np.ones_like(z),
        "relu": z > 0,
        "sigmoid": sigmoid * (1 - sigmoid),
        "tanh": 1 - np.tanh(z) ** 2,
        "softplus": sigmoid,
    }[kind]
    return x.T @ (d * slope)
