r"""Weight decay under Adam, in the gradient and beside it, and constraints as projections.

A penalty in the loss goes through all that an optimizer does to a gradient. Decoupled decay does
not: it multiplies the weights, whatever the gradient is. A constraint is a set that weights may not
leave; after each step they are put back to its nearest point.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Axis, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array

_STEP = {
    "w": Array(),
    "grad": Array(),
    "m": Array(),
    "v": Array(within=">= 0"),
    "t": Integer(">= 1"),
    "lr": Number("> 0"),
    "lam": Number(">= 0"),
    "beta1": Number("[0, 1)"),
    "beta2": Number("[0, 1)"),
    "eps": Number("> 0"),
}


def _adam(
    grad: NDArray, m: NDArray, v: NDArray, t: int, beta1: float, beta2: float, eps: float
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the direction of Adam's step, and the new m and v."""
    m = beta1 * check_array("m", m, shape=grad.shape) + (1 - beta1) * grad
    v = beta2 * check_array("v", v, shape=grad.shape) + (1 - beta2) * grad**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return m_hat / (np.sqrt(v_hat) + eps), m, v


@arguments(**_STEP)
def adam_l2_step(
    w: ArrayLike,
    grad: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    t: int,
    lr: float,
    lam: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[NDArray, NDArray, NDArray]:
    r"""Return weights, m and v after a step of Adam on a loss with :math:`\frac\lambda2\|w\|^2`.

    .. math:: g = \nabla\ell(w) + \lambda w,\quad m \leftarrow \beta_1 m + (1-\beta_1) g,\quad
              v \leftarrow \beta_2 v + (1-\beta_2) g^2

    .. math:: w \leftarrow w - \eta\, \hat m / (\sqrt{\hat v} + \epsilon),\quad
              \hat m = m / (1-\beta_1^t),\quad \hat v = v / (1-\beta_2^t)

    Parameters
    ----------
    w : array_like, any shape
        The weights.
    grad : array_like
        Gradient of the loss without its penalty, of the shape of ``w``.
    m, v : array_like
        Running means of the gradient and of its square, of the shape of ``w``; zeros at first.
    t : int
        The number of this step, from 1.
    lr : float
        The learning rate :math:`\eta`, above 0.
    lam : float
        The strength, at least 0.
    beta1, beta2 : float
        How much of ``m`` and ``v`` is kept, in [0, 1).
    eps : float
        What keeps the division finite, above 0.

    Returns
    -------
    tuple of ndarray
        New ``w``, ``m`` and ``v``; those that came in are not changed.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization".

    Examples
    --------
    >>> w, m, v = adam_l2_step([1.0], [0.0], [0.0], [0.0], t=1, lr=0.1, lam=0.5)
    >>> w.round(6), m.round(6)
    (array([0.9]), array([0.05]))
    """
    grad = check_array("grad", grad, shape=w.shape) + lam * w
    direction, m, v = _adam(grad, m, v, t, beta1, beta2, eps)
    return w - lr * direction, m, v


@arguments(**_STEP)
def adamw_step(
    w: ArrayLike,
    grad: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    t: int,
    lr: float,
    lam: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[NDArray, NDArray, NDArray]:
    r"""Return weights, m and v after a step of AdamW, whose decay is beside the gradient.

    With the :math:`\hat m` and :math:`\hat v` of :func:`adam_l2_step`, here of
    :math:`g = \nabla\ell(w)` alone,

    .. math:: w \leftarrow w - \eta\left(\hat m / (\sqrt{\hat v} + \epsilon) + \lambda w\right)

    Parameters
    ----------
    w, grad, m, v, t, lr, lam, beta1, beta2, eps
        As for :func:`adam_l2_step`.

    Returns
    -------
    tuple of ndarray
        New ``w``, ``m`` and ``v``; those that came in are not changed.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Loshchilov and Hutter (2019), "Decoupled weight decay regularization".

    Examples
    --------
    >>> w, m, v = adamw_step([1.0], [0.0], [0.0], [0.0], t=1, lr=0.1, lam=0.5)
    >>> w.round(6), m.round(6)
    (array([0.95]), array([0.]))
    """
    grad = check_array("grad", grad, shape=w.shape)
    direction, m, v = _adam(grad, m, v, t, beta1, beta2, eps)
    return w - lr * (direction + lam * w), m, v


@arguments(W=Array(), c=Number("> 0"), axis=Axis())
def max_norm_project(W: ArrayLike, c: float, axis: int | Sequence[int]) -> NDArray:
    r"""Return the nearest weights whose norms along an axis are at most c.

    .. math:: w \leftarrow w\,\frac{c}{\max(\lVert w\rVert_2,\, c)}

    for each vector w along ``axis``: a longer one is scaled down to length c, the others stay.

    Parameters
    ----------
    W : array_like, any shape
        The weights.
    c : float
        The largest norm, above 0.
    axis : int or tuple of int
        Along which the norm is taken: 0 for the weights into each unit, where W has shape
        (inputs, outputs).

    Returns
    -------
    ndarray
        Of the shape of ``W``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Srebro and Shraibman (2005), "Rank, trace-norm and max-norm".

    Examples
    --------
    >>> max_norm_project([[3.0, 0.3], [4.0, 0.4]], c=1.0, axis=0)
    array([[0.6, 0.3],
           [0.8, 0.4]])
    """
    norms = np.sqrt(np.sum(W**2, axis=axis, keepdims=True))
    return W * (c / np.maximum(norms, c))


@arguments(X=Array(2), y=Array(1), lr=Number("> 0"), steps=Integer(">= 0"))
def non_negative_fit(X: ArrayLike, y: ArrayLike, lr: float, steps: int) -> NDArray:
    r"""Return the weights of a linear fit after so many projected steps from 0, none of them < 0.

    They go down

    .. math:: \frac{1}{2m}\lVert Xw - y\rVert^2 \quad\text{with all}\quad w_j \ge 0

    Parameters
    ----------
    X : array_like, shape (m, features)
        One example a row.
    y : array_like, shape (m,)
        What is to be predicted.
    lr : float
        The length of a step, above 0.
    steps : int
        How many, at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Parikh and Boyd (2014), "Proximal algorithms", section 4.2.

    Examples
    --------
    >>> non_negative_fit([[1.0, 0.0], [0.0, 1.0]], [4.0, -1.0], lr=1.0, steps=50).round(6)
    array([4., 0.])
    """
    y = check_array("y", y, shape=(len(X),))
    w = np.zeros(X.shape[1])
    for _ in range(steps):
        w = np.maximum(w - lr * X.T @ (X @ w - y) / len(y), 0)
    return w
