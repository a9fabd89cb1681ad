r"""L1, the penalty that selects: its value, the step that gives exact zeros, and the elastic net.

A subgradient step moves a small weight across zero and back. The proximal step solves the
penalty's part exactly, and its solution is the soft threshold:

.. math:: S_t(w) = \mathrm{sign}(w)\,\max(|w| - t, 0)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.regularizers import L1, L1L2, proximal_l1
from reglib.textbook._checks import Weights


@arguments(weights=Weights(), lam=Number(">= 0"), m=Integer(">= 1"))
def l1_penalty(weights: Sequence[ArrayLike], lam: float, m: int) -> float:
    r"""Return :math:`\frac{\lambda}{m}\sum_l\lVert W_l\rVert_1`.

    Parameters
    ----------
    weights : list of array_like
        The weight matrices of any number of layers.
    lam : float
        The strength, at least 0.
    m : int
        The number of examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Tibshirani (1996), "Regression shrinkage and selection via the lasso".

    Examples
    --------
    >>> import numpy as np
    >>> l1_penalty([np.array([[3.0, -4.0]])], lam=0.5, m=2)
    1.75
    """
    penalty = L1(lam / m)
    return float(sum(penalty(W) for W in weights))


@arguments(w=Array(), t=Number(">= 0"))
def soft_threshold(w: ArrayLike, t: float) -> NDArray:
    r"""Return :math:`\mathrm{sign}(w)\,\max(|w| - t, 0)`, element by element.

    Parameters
    ----------
    w : array_like, any shape
        The weights.
    t : float
        The threshold, at least 0.

    Returns
    -------
    ndarray
        Of the shape of ``w``; every entry with :math:`|w| \le t` is exactly 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Parikh and Boyd (2014), "Proximal algorithms", section 6.5.

    Examples
    --------
    >>> soft_threshold([3.0, -0.5, -2.0], 1.0)
    array([ 2., -0., -1.])
    """
    return proximal_l1(w, t)


@arguments(w=Array(), grad=Array(), lr=Number("> 0"), lam=Number(">= 0"))
def proximal_step(w: ArrayLike, grad: ArrayLike, lr: float, lam: float) -> NDArray:
    r"""Return the weights after one proximal gradient step.

    The loss has the gradient g and is penalized with :math:`\lambda\lVert w\rVert_1`:

    .. math:: w \leftarrow S_{\eta\lambda}(w - \eta g)

    Parameters
    ----------
    w : array_like, any shape
        The weights.
    grad : array_like
        Gradient of the loss without its penalty, of the shape of ``w``.
    lr : float
        The learning rate :math:`\eta`, above 0.
    lam : float
        The strength, at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Parikh and Boyd (2014), "Proximal algorithms", section 4.2.

    Examples
    --------
    >>> proximal_step([1.0, 0.1], [2.0, 0.0], lr=0.1, lam=2.0)
    array([0.6, 0. ])
    """
    grad = check_array("grad", grad, shape=w.shape)
    return soft_threshold(w - lr * grad, lr * lam)


@arguments(w=Array(), lam=Number(">= 0"), l1_ratio=Number("[0, 1]"))
def elastic_net_penalty(w: ArrayLike, lam: float, l1_ratio: float) -> float:
    r"""Return the penalty of the elastic net, a blend of L1 and L2.

    .. math:: \lambda\left(\rho\lVert w\rVert_1 + \frac{1-\rho}{2}\lVert w\rVert_2^2\right)

    Parameters
    ----------
    w : array_like, any shape
        The weights.
    lam : float
        The strength, at least 0.
    l1_ratio : float
        :math:`\rho` in [0, 1]: 1 is the lasso, 0 is ridge.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Zou and Hastie (2005), "Regularization and variable selection via the elastic net".

    Examples
    --------
    >>> elastic_net_penalty([3.0, -4.0], lam=0.5, l1_ratio=0.5)
    4.875
    """
    return float(L1L2(l1=lam * l1_ratio, l2=lam * (1 - l1_ratio) / 2)(w))


@arguments(X=Array(2), y=Array(1), lam=Number(">= 0"), lr=Number("> 0"), steps=Integer(">= 0"))
def lasso_fit(X: ArrayLike, y: ArrayLike, lam: float, lr: float, steps: int) -> NDArray:
    r"""Return the weights of a lasso after so many proximal steps from 0.

    They go down

    .. math:: \frac{1}{2m}\lVert Xw - y\rVert^2 + \lambda\lVert w\rVert_1

    Parameters
    ----------
    X : array_like, shape (m, features)
        One example a row.
    y : array_like, shape (m,)
        The labels.
    lam : float
        The strength, at least 0.
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
    >>> lasso_fit([[1.0, 0.0], [0.0, 1.0]], [4.0, 0.5], lam=0.5, lr=1.0, steps=50).round(6)
    array([3., 0.])
    """
    y = check_array("y", y, shape=(len(X),))
    w = np.zeros(X.shape[1])
    for _ in range(steps):
        w = proximal_step(w, X.T @ (X @ w - y) / len(y), lr, lam)
    return w
