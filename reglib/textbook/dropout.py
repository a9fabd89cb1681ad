r"""Dropout: one function a step, and a whole network.

Inverted dropout keeps each unit with probability p and divides by p, so that the mean stays:

.. math:: D_{ij} = [u_{ij} < p], \quad u_{ij} \sim U(0, 1), \quad
          \tilde A = A \odot D / p, \quad \mathbb{E}[\tilde A] = A

The mask D is drawn anew at every call. The way back uses the same D and the same p.

References
----------
Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), "Dropout: a simple way to
prevent neural networks from overfitting".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Flag, Function, Generator, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.textbook._checks import (
    PROBABILITIES,
    check_cache,
    check_parameters,
)
from reglib.textbook.network import _walk_back, compute_cost, forward_propagation, relu, sigmoid


@arguments(a=Array(), keep_prob=Number("(0, 1]"), rng=Generator(), training=Flag())
def dropout_forward(
    a: ArrayLike, keep_prob: float, rng: np.random.Generator, training: bool = True
) -> tuple[NDArray, NDArray]:
    r"""Return activations with units dropped, and the mask that dropped them.

    .. math:: \tilde a = a \odot D / p, \quad D_{ij} = [u_{ij} < p]

    Parameters
    ----------
    a : array_like, any shape
        Activations.
    keep_prob : float
        The probability p of keeping a unit, in (0, 1].
    rng : numpy.random.Generator
        Where the mask is drawn from.
    training : bool
        In evaluation (False) nothing is dropped and nothing is scaled.

    Returns
    -------
    out : ndarray
        Of the shape of ``a``.
    mask : ndarray of bool
        True where a unit was kept; all True in evaluation.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> out, mask = dropout_forward(np.ones(6), 0.5, np.random.default_rng(0))
    >>> out
    array([0., 2., 2., 2., 0., 0.])
    """
    if not training:
        return a.copy(), np.ones(a.shape, dtype=bool)
    mask = rng.random(a.shape) < keep_prob
    return a * mask / keep_prob, mask


@arguments(dout=Array(), mask=Array(), keep_prob=Number("(0, 1]"))
def dropout_backward(dout: ArrayLike, mask: ArrayLike, keep_prob: float) -> NDArray:
    r"""Return the gradient before dropout from the gradient after it.

    .. math:: da = d\tilde a \odot D / p

    Parameters
    ----------
    dout : array_like
        Gradient with respect to the output of :func:`dropout_forward`.
    mask : array_like
        The mask of that very call, of the shape of ``dout``.
    keep_prob : float
        The probability of that call, in (0, 1].

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> dropout_backward([1.0, 1.0], [True, False], 0.5)
    array([2., 0.])
    """
    mask = check_array("mask", mask, shape=dout.shape)
    return dout * mask / keep_prob


@arguments(X=Array(2), keep_prob=Number("(0, 1]"), rng=Generator())
def forward_propagation_with_dropout(
    X: ArrayLike,
    parameters: Mapping[str, ArrayLike],
    keep_prob: float,
    rng: np.random.Generator,
) -> tuple[NDArray, tuple[NDArray, ...]]:
    """Return the predictions of a network with dropout in its hidden layers, and a cache.

    Parameters
    ----------
    X : array_like, shape (features, m)
        One example a column. The inputs are not dropped.
    parameters : dict
        W1, b1, W2, b2, ...; ReLU in the hidden layers, a sigmoid at the end.
    keep_prob : float
        The probability of keeping a hidden unit, in (0, 1].
    rng : numpy.random.Generator
        Where the masks are drawn from, anew at every call.

    Returns
    -------
    A : ndarray, shape (outputs, m)
        Probabilities. The output layer is not dropped.
    cache : tuple
        ``(Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, ..., ZL, AL, WL, bL)``: D is the mask, A is
        after mask and scaling, and the last layer has no mask.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> parameters = {"W1": [[1.0]], "b1": [[0.0]], "W2": [[1.0]], "b2": [[0.0]]}
    >>> rng = np.random.default_rng(1)
    >>> A, cache = forward_propagation_with_dropout([[2.0]], parameters, 0.5, rng)
    >>> cache[1], cache[2], A
    (array([[False]]), array([[0.]]), array([[0.5]]))
    """
    layers = check_parameters(parameters, inputs=X.shape[0])
    A, cache = X, []
    for W, b in layers[:-1]:
        Z = W @ A + b
        A, D = dropout_forward(relu(Z), keep_prob, rng)
        cache += [Z, D, A, W, b]
    W, b = layers[-1]
    Z = W @ A + b
    A = sigmoid(Z)
    return A, (*cache, Z, A, W, b)


@arguments(X=Array(2), Y=PROBABILITIES, keep_prob=Number("(0, 1]"))
def backward_propagation_with_dropout(
    X: ArrayLike, Y: ArrayLike, cache: Sequence[NDArray], keep_prob: float
) -> dict[str, NDArray]:
    r"""Return the gradients of the cross-entropy through the dropped units.

    .. math:: dA_l = W_{l+1}^T dZ_{l+1} \odot D_l / p

    Parameters
    ----------
    X : array_like, shape (features, m)
        The inputs.
    Y : array_like, shape (outputs, m)
        Labels in [0, 1].
    cache : tuple
        From :func:`forward_propagation_with_dropout`.
    keep_prob : float
        The probability of that call, in (0, 1].

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
    >>> rng = np.random.default_rng(1)
    >>> parameters = {"W1": [[1.0]], "b1": [[0.0]], "W2": [[1.0]], "b2": [[0.0]]}
    >>> _, cache = forward_propagation_with_dropout([[2.0]], parameters, 0.5, rng)
    >>> backward_propagation_with_dropout([[2.0]], [[1]], cache, 0.5)["dW1"]  # the unit is dropped
    array([[0.]])
    """
    depth = check_cache(cache, Y.shape, hidden=5, last=4)
    hidden = [cache[5 * i : 5 * i + 5] for i in range(depth - 1)]
    masks = [D for _, D, _, _, _ in hidden]
    layers = [(A, W) for _, _, A, W, _ in hidden] + [(cache[-3], cache[-2])]
    return _walk_back(
        X, Y, layers, lambda layer, dA: dropout_backward(dA, masks[layer - 1], keep_prob)
    )


@arguments(forward=Function(), a=Array(), keep_prob=Number("(0, 1)"), rng=Generator())
def is_frozen(
    forward: Callable[..., tuple[ArrayLike, ArrayLike]],
    a: ArrayLike,
    keep_prob: float,
    rng: np.random.Generator,
) -> bool:
    """Return whether a dropout function draws the same mask at every step of a training loop.

    Parameters
    ----------
    forward : callable
        ``forward(a, keep_prob, rng)`` returns ``(out, mask)``, as :func:`dropout_forward` does.
    a : array_like
        Activations, at least some dozens, so that equal masks are no accident.
    keep_prob : float
        The probability of keeping a unit, in (0, 1); at 1 every mask is the same.
    rng : numpy.random.Generator
        The one generator of the loop.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> def seeded(a, keep_prob, rng):
    ...     return dropout_forward(a, keep_prob, np.random.default_rng(1))
    >>> rng = np.random.default_rng(0)
    >>> is_frozen(dropout_forward, np.ones(99), 0.5, rng), is_frozen(seeded, np.ones(99), 0.5, rng)
    (False, True)
    """
    _, first = forward(a, keep_prob, rng)
    _, second = forward(a, keep_prob, rng)
    return np.array_equal(first, second)


@arguments(f=Function(), n=Integer(">= 1"), rng=Generator())
def mc_dropout_predict(
    f: Callable[[Any, np.random.Generator], ArrayLike],
    x: Any,
    n: int,
    rng: np.random.Generator,
) -> tuple[NDArray, NDArray]:
    r"""Return mean and standard deviation of ``n`` predictions with dropout left on.

    .. math:: \bar y = \frac1n\sum_i f(x, \text{rng}), \quad
              s = \sqrt{\frac1n\sum_i (f_i - \bar y)^2}

    Parameters
    ----------
    f : callable
        ``f(x, rng)`` returns one prediction with dropout on.
    x : any
        What ``f`` is given each time.
    n : int
        The number of predictions, at least 1.
    rng : numpy.random.Generator
        The one source of all ``n`` predictions' masks.

    Returns
    -------
    mean, standard_deviation : ndarray
        Of the shape of one prediction.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit or ``f`` returns no finite numbers.

    References
    ----------
    Gal and Ghahramani (2016), "Dropout as a Bayesian approximation".

    Examples
    --------
    >>> def f(x, rng):
    ...     return x * (rng.random() < 0.5) / 0.5
    >>> mean, spread = mc_dropout_predict(f, np.array([1.0]), 10_000, np.random.default_rng(0))
    >>> mean.round(1), spread.round(1)
    (array([1.]), array([1.]))
    """
    predictions = check_array("f(x, rng)", [np.asarray(f(x, rng)) for _ in range(n)])
    return predictions.mean(axis=0), predictions.std(axis=0)


@arguments(X=Array(2), Y=PROBABILITIES, keep_prob=Number("(0, 1]"), rng=Generator())
def evaluation_cost(
    X: ArrayLike,
    Y: ArrayLike,
    parameters: Mapping[str, ArrayLike],
    keep_prob: float,
    rng: np.random.Generator,
) -> float:
    """Return the cross-entropy of a network that is trained with dropout, once training rests.

    Nothing is dropped and nothing is scaled: training has divided by the probability already.

    Parameters
    ----------
    X : array_like, shape (features, m)
        The inputs, one example a column.
    Y : array_like, shape (outputs, m)
        Labels in [0, 1].
    parameters : dict
        W1, b1, W2, b2, ...; ReLU in the hidden layers, a sigmoid at the end.
    keep_prob, rng
        What training uses; the result depends on neither.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> parameters = {"W1": [[1.0]], "b1": [[0.0]], "W2": [[0.0]], "b2": [[0.0]]}
    >>> cost = evaluation_cost([[2.0]], [[1]], parameters, 0.5, np.random.default_rng(0))
    >>> round(cost, 4)
    0.6931
    """
    A, _ = forward_propagation(X, parameters)
    return compute_cost(A, Y)
