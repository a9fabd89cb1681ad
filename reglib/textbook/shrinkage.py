r"""L2, the penalty that shrinks: cost, gradient, closed form and its reading as a prior.

.. math:: J = J_\text{data} + \frac{\lambda}{2m} \sum_l \lVert W_l \rVert^2

No bias is penalized. The penalties themselves are :mod:`reglib.regularizers`' with the
textbook's factors: :math:`\lambda / 2m` before the squares, :math:`\lambda / m` before the
absolute values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Choice, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.regularizers import L1, L1L2, L2, Regularizer
from reglib.textbook._checks import PROBABILITIES, Weights, check_parameters
from reglib.textbook.network import (
    Parameters,
    backward_propagation,
    compute_cost,
    update_parameters,
)

_PENALTIES = Choice("l2", "l1", "l1l2")


def _penalty(name: str, lambd: float, m: int) -> Regularizer:
    """Return reglib's penalty with the textbook's factor."""
    if name == "l2":
        return L2(lambd / (2 * m))
    if name == "l1":
        return L1(lambd / m)
    return L1L2(l1=lambd / m, l2=lambd / (2 * m))


@arguments(A3=PROBABILITIES, Y=PROBABILITIES, lambd=Number(">= 0"), penalty=_PENALTIES)
def compute_cost_with_regularization(
    A3: ArrayLike,
    Y: ArrayLike,
    parameters: Mapping[str, ArrayLike],
    lambd: float,
    penalty: str = "l2",
) -> float:
    r"""Return the mean cross-entropy plus a penalty on the weights of every layer.

    .. math:: J + \frac{\lambda}{2m}\sum_l\lVert W_l\rVert_2^2 \;(\text{l2}), \quad
              J + \frac{\lambda}{m}\sum_l\lVert W_l\rVert_1 \;(\text{l1}), \quad
              \text{or with both (l1l2)}

    Parameters
    ----------
    A3 : array_like, shape (outputs, m)
        Predicted probabilities, of a network of any depth.
    Y : array_like, shape (outputs, m)
        Labels in [0, 1].
    parameters : dict
        W1, b1, W2, ...; biases are not penalized.
    lambd : float
        The strength, at least 0.
    penalty : {"l2", "l1", "l1l2"}
        Which penalty.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Krogh and Hertz (1992), "A simple weight decay can improve generalization".

    Examples
    --------
    >>> parameters = {"W1": [[3.0, -4.0]], "b1": [[9.0]]}
    >>> cost = compute_cost_with_regularization([[0.5, 0.5]], [[1, 0]], parameters, lambd=0.4)
    >>> round(cost - compute_cost([[0.5, 0.5]], [[1, 0]]), 4)
    2.5
    """
    cost = compute_cost(A3, Y)
    total = _penalty(penalty, lambd, np.shape(Y)[1])
    return cost + float(sum(total(W) for W, _ in check_parameters(parameters)))


@arguments(X=Array(2), Y=PROBABILITIES, lambd=Number(">= 0"), penalty=_PENALTIES)
def backward_propagation_with_regularization(
    X: ArrayLike,
    Y: ArrayLike,
    cache: Sequence[NDArray],
    lambd: float,
    penalty: str = "l2",
) -> dict[str, NDArray]:
    r"""Return the gradients of :func:`compute_cost_with_regularization`.

    .. math:: dW_l = \tfrac1m dZ_l A_{l-1}^T + \tfrac{\lambda}{m} W_l \;(\text{l2}), \quad
              \ldots + \tfrac{\lambda}{m}\mathrm{sign}(W_l) \;(\text{l1})

    Parameters
    ----------
    X : array_like, shape (features, m)
        The inputs.
    Y : array_like, shape (outputs, m)
        Labels in [0, 1].
    cache : tuple
        ``(Z1, A1, W1, b1, Z2, ...)`` from :func:`~reglib.textbook.forward_propagation`.
    lambd : float
        The strength, at least 0.
    penalty : {"l2", "l1", "l1l2"}
        Which penalty.

    Returns
    -------
    dict
        dZ, dW and db of every layer and dA of every hidden one.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> cache = (np.zeros((1, 1)), np.full((1, 1), 0.5), np.full((1, 1), 7.0), np.zeros((1, 1)))
    >>> backward_propagation_with_regularization([[0.0]], [[1]], cache, lambd=0.1)["dW1"]
    array([[0.7]])
    """
    gradients = backward_propagation(X, Y, cache)
    total = _penalty(penalty, lambd, np.shape(Y)[1])
    for layer, W in enumerate(cache[2::4], start=1):
        gradients[f"dW{layer}"] = gradients[f"dW{layer}"] + total.gradient(W)
    return gradients


@arguments(weights=Weights(), lam=Number(">= 0"), m=Integer(">= 1"))
def l2_penalty(weights: Sequence[ArrayLike], lam: float, m: int) -> float:
    r"""Return :math:`\frac{\lambda}{2m}\sum_l\lVert W_l\rVert^2`.

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
    Krogh and Hertz (1992), "A simple weight decay can improve generalization".

    Examples
    --------
    >>> l2_penalty([np.array([[3.0, -4.0]])], lam=0.8, m=2)
    5.0
    """
    penalty = L2(lam / (2 * m))
    return float(sum(penalty(W) for W in weights))


@arguments(X=Array(2, dtype=np.float64), y=Array(1, dtype=np.float64), lam=Number(">= 0"))
def ridge_closed_form(X: ArrayLike, y: ArrayLike, lam: float) -> NDArray:
    r"""Return the weights that minimize :math:`\lVert Xw - y\rVert^2 + \lambda\lVert w\rVert^2`.

    .. math:: w = (X^T X + \lambda I)^{-1} X^T y

    Parameters
    ----------
    X : array_like, shape (m, features)
        One example a row.
    y : array_like, shape (m,)
        Targets.
    lam : float
        The strength, at least 0.

    Returns
    -------
    ndarray, shape (features,)

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, or ``lam`` is too small for dependent columns: no single solution
        exists, or none that float64 can tell.

    References
    ----------
    Hoerl and Kennard (1970), "Ridge regression".

    Examples
    --------
    >>> ridge_closed_form([[1.0], [1.0]], [2.0, 4.0], lam=1.0)
    array([2.])
    """
    y = check_array("y", y, shape=(X.shape[0],), dtype=np.float64)
    A = X.T @ X + lam * np.eye(X.shape[1])
    size = np.sqrt(np.diag(A))  # whatever units the columns are measured in
    if not size.all() or np.linalg.cond(A / np.outer(size, size)) > 1 / np.finfo(float).eps:
        raise ValueError(
            "lam must be above 0, by more than float64 rounds off, where the columns of X are "
            f"dependent, got {lam:g}"
        )
    return np.linalg.solve(A, X.T @ y)


@arguments(noise_variance=Number(">= 0"), prior_variance=Number("> 0"))
def map_lambda(noise_variance: float, prior_variance: float) -> float:
    r"""Return the :math:`\lambda` of ridge that is the mode under a Gaussian prior.

    With :math:`y = Xw + \varepsilon`, :math:`\varepsilon \sim N(0, \sigma^2)` and
    :math:`w \sim N(0, \tau^2)`, the most probable w minimizes
    :math:`\lVert Xw - y\rVert^2 + \lambda\lVert w\rVert^2` with
    :math:`\lambda = \sigma^2 / \tau^2`.

    Parameters
    ----------
    noise_variance : float
        :math:`\sigma^2`, at least 0.
    prior_variance : float
        :math:`\tau^2`, above 0.

    Raises
    ------
    TypeError, ValueError
        If a variance is unfit.

    References
    ----------
    MacKay (1992), "Bayesian interpolation".

    Examples
    --------
    >>> map_lambda(noise_variance=0.5, prior_variance=2.0)
    0.25
    """
    return noise_variance / prior_variance


@arguments(learning_rate=Number("> 0"), lambd=Number(">= 0"), m=Integer(">= 1"))
def penalized_step(
    parameters: Mapping[str, ArrayLike],
    gradients: Mapping[str, ArrayLike],
    learning_rate: float,
    lambd: float,
    m: int,
) -> Parameters:
    r"""Return the parameters after one step of gradient descent on a cost with an L2 penalty.

    .. math:: W \leftarrow W - \eta\left(dW + \frac{\lambda}{m} W\right), \qquad
              b \leftarrow b - \eta\, db

    Parameters
    ----------
    parameters : dict
        W1, b1, ...; it is not changed.
    gradients : dict
        dW1, db1, ... of the cost without its penalty.
    learning_rate : float
        The step :math:`\eta`, above 0.
    lambd : float
        The strength, at least 0.
    m : int
        The number of examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> parameters, gradients = {"W1": [[2.0]], "b1": [[1.0]]}, {"dW1": [[1.0]], "db1": [[1.0]]}
    >>> penalized_step(parameters, gradients, learning_rate=0.1, lambd=5.0, m=10)
    {'W1': array([[1.8]]), 'b1': array([[0.9]])}
    """
    stepped = update_parameters(parameters, gradients, learning_rate)
    for name in stepped:
        if name.startswith("W"):
            stepped[name] = stepped[name] - learning_rate * lambd / m * np.asarray(parameters[name])
    return stepped
