r"""A plain network: ReLU in the hidden layers, a sigmoid at the end, cross-entropy as cost.

.. math:: Z_l = W_l A_{l-1} + b_l, \quad A_l = \mathrm{relu}(Z_l), \quad A_L = \sigma(Z_L)

Examples are columns: X has shape (features, m) and Y has shape (outputs, m). ``parameters`` is
``{"W1": ..., "b1": ..., "W2": ...}`` with W of shape (units, inputs) and b of shape (units, 1);
any depth will do. A cache is the flat tuple ``(Z1, A1, W1, b1, Z2, A2, W2, b2, ...)``.

References
----------
Goodfellow, Bengio and Courville (2016), "Deep learning", chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Array, Generator, Integer, List, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.textbook._checks import (
    PROBABILITIES,
    check_cache,
    check_parameters,
)

Parameters = dict[str, NDArray]
Gradients = dict[str, NDArray]


@arguments(Z=Array(empty=True))
def relu(Z: ArrayLike) -> NDArray:
    r"""Return :math:`\max(0, Z)`, element by element.

    Raises
    ------
    TypeError, ValueError
        If ``Z`` holds no finite numbers.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    array([0., 2.])
    """
    return activations.relu(Z)


@arguments(Z=Array(empty=True))
def sigmoid(Z: ArrayLike) -> NDArray:
    r"""Return :math:`1 / (1 + e^{-Z})`, element by element; large values do not overflow.

    Raises
    ------
    TypeError, ValueError
        If ``Z`` holds no finite numbers.

    Examples
    --------
    >>> sigmoid([0.0, -1000.0])
    array([0.5, 0. ])
    """
    return activations.sigmoid(Z)


@arguments(layer_dims=List("widths", Integer(">= 1")), rng=Generator())
def initialize_parameters(layer_dims: Sequence[int], rng: np.random.Generator) -> Parameters:
    r"""Return weights drawn by He's rule, :math:`W_l \sim N(0, 2 / n_{l-1})`, and zero biases.

    Parameters
    ----------
    layer_dims : sequence of int
        Numbers of units from the inputs to the outputs: ``[2, 20, 3, 1]``.
    rng : numpy.random.Generator
        Where the weights are drawn from.

    Returns
    -------
    dict
        W1 (n1, n0), b1 (n1, 1), W2 (n2, n1), ...

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two widths, one is no positive integer, or ``rng`` is no Generator.

    References
    ----------
    He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers".

    Examples
    --------
    >>> parameters = initialize_parameters([2, 3, 1], np.random.default_rng(0))
    >>> {name: value.shape for name, value in parameters.items()}
    {'W1': (3, 2), 'b1': (3, 1), 'W2': (1, 3), 'b2': (1, 1)}
    """
    if len(layer_dims) < 2:
        raise ValueError(f"layer_dims must hold at least 2 widths, got {layer_dims}")
    parameters = {}
    for layer, (inputs, units) in enumerate(pairwise(layer_dims), start=1):
        parameters[f"W{layer}"] = rng.standard_normal((units, inputs)) * np.sqrt(2 / inputs)
        parameters[f"b{layer}"] = np.zeros((units, 1))
    return parameters


@arguments(A=PROBABILITIES, Y=PROBABILITIES)
def compute_cost(A: ArrayLike, Y: ArrayLike) -> float:
    r"""Return the mean cross-entropy of the predictions.

    .. math:: J = -\frac1m \sum \left(Y \log A + (1 - Y) \log(1 - A)\right)

    Parameters
    ----------
    A : array_like, shape (outputs, m)
        Predicted probabilities. A probability of exactly 0 or 1 counts as the nearest number
        inside, so that the cost stays finite.
    Y : array_like, shape (outputs, m)
        Labels in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If an argument holds no finite numbers, is empty, lies outside [0, 1], or shapes differ.

    Examples
    --------
    >>> round(compute_cost([[0.5, 0.5]], [[1, 0]]), 4)
    0.6931
    """
    Y = check_array("Y", Y, shape=A.shape)
    tiny = np.finfo(np.float64).epsneg
    A = np.clip(A, tiny, 1 - tiny)
    return float(-np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / Y.shape[1])


@arguments(X=Array(2))
def forward_propagation(
    X: ArrayLike, parameters: Mapping[str, ArrayLike]
) -> tuple[NDArray, tuple[NDArray, ...]]:
    """Return the network's predictions and what the way back needs.

    Parameters
    ----------
    X : array_like, shape (features, m)
        One example a column.
    parameters : dict
        W1, b1, W2, b2, ...

    Returns
    -------
    A : ndarray, shape (outputs, m)
        Probabilities.
    cache : tuple
        ``(Z1, A1, W1, b1, Z2, A2, W2, b2, ...)``.

    Raises
    ------
    TypeError, ValueError
        If an argument holds no finite numbers, is empty, or the shapes do not fit.

    Examples
    --------
    >>> A, cache = forward_propagation([[3.0]], {"W1": [[2.0]], "b1": [[-6.0]]})
    >>> A, len(cache)
    (array([[0.5]]), 4)
    """
    layers = check_parameters(parameters, inputs=X.shape[0])
    A, cache = X, []
    for layer, (W, b) in enumerate(layers, start=1):
        Z = W @ A + b
        A = sigmoid(Z) if layer == len(layers) else relu(Z)
        cache += [Z, A, W, b]
    return A, tuple(cache)


@arguments(X=Array(2), Y=PROBABILITIES)
def backward_propagation(X: ArrayLike, Y: ArrayLike, cache: Sequence[NDArray]) -> Gradients:
    r"""Return the gradients of the cross-entropy.

    .. math:: dZ_L = A_L - Y, \quad dW_l = \tfrac1m dZ_l A_{l-1}^T, \quad
              dZ_{l-1} = W_l^T dZ_l \odot [A_{l-1} > 0]

    Parameters
    ----------
    X : array_like, shape (features, m)
        The inputs.
    Y : array_like, shape (outputs, m)
        Labels in [0, 1].
    cache : tuple
        From :func:`forward_propagation`.

    Returns
    -------
    dict
        dZ, dW and db of every layer and dA of every hidden one; dW has the shape of W.

    Raises
    ------
    TypeError, ValueError
        If an argument holds no finite numbers, is empty, or the shapes do not fit.

    Examples
    --------
    >>> _, cache = forward_propagation([[3.0]], {"W1": [[2.0]], "b1": [[-6.0]]})
    >>> backward_propagation([[3.0]], [[1]], cache)["dW1"]
    array([[-1.5]])
    """
    check_cache(cache, Y.shape, hidden=4, last=4)
    layers = [cache[i : i + 4] for i in range(0, len(cache), 4)]
    return _walk_back(X, Y, [(A, W) for _, A, W, _ in layers], lambda layer, dA: dA)


def _walk_back(
    X: NDArray,
    Y: NDArray,
    layers: Sequence[tuple[NDArray, NDArray]],
    through: Callable[[int, NDArray], NDArray],
) -> Gradients:
    """Return all gradients of a network with a hook where noise acted on the way forward.

    Parameters
    ----------
    X, Y : ndarray
        Inputs and labels.
    layers : sequence of (A, W)
        Of layers 1 to L.
    through : callable
        ``through(layer, dA)`` takes the gradient of a hidden layer's noisy activations and
        returns that of the activations before the noise.
    """
    m = X.shape[1]
    inputs = layers[0][1].shape[1]
    if X.shape[0] != inputs:
        raise ValueError(f"X must have the {inputs} rows of the cache's network, got {X.shape}")
    if Y.shape[1] != m:
        raise ValueError(f"X and Y must hold the same examples, got {m} and {Y.shape[1]} columns")
    gradients: dict[str, Any] = {}
    dZ = layers[-1][0] - Y
    for layer in range(len(layers), 0, -1):
        below = layers[layer - 2][0] if layer > 1 else X
        W = layers[layer - 1][1]
        gradients[f"dZ{layer}"] = dZ
        gradients[f"dW{layer}"] = dZ @ below.T / m
        gradients[f"db{layer}"] = dZ.sum(axis=1, keepdims=True) / m
        if layer > 1:
            dA = through(layer - 1, W.T @ dZ)
            gradients[f"dA{layer - 1}"] = dA
            dZ = dA * (below > 0)
    return gradients


@arguments(learning_rate=Number("> 0"))
def update_parameters(
    parameters: Mapping[str, ArrayLike], gradients: Mapping[str, ArrayLike], learning_rate: float
) -> Parameters:
    r"""Return the parameters after one step of gradient descent, :math:`W - \eta\, dW`.

    Parameters
    ----------
    parameters : dict
        W1, b1, ...; it is not changed.
    gradients : dict
        dW1, db1, ...; other entries are ignored.
    learning_rate : float
        The step, above 0.

    Raises
    ------
    TypeError, ValueError
        If an argument holds no finite numbers, a gradient is missing or has another shape.

    Examples
    --------
    >>> parameters, gradients = {"W1": [[1.0]], "b1": [[0.0]]}, {"dW1": [[2.0]], "db1": [[1.0]]}
    >>> update_parameters(parameters, gradients, learning_rate=0.1)
    {'W1': array([[0.8]]), 'b1': array([[-0.1]])}
    """
    layers = check_parameters(parameters)
    if not isinstance(gradients, Mapping):
        raise TypeError(f"gradients must be a dict, got {type(gradients).__name__}")
    updated = {}
    for layer, pair in enumerate(layers, start=1):
        for name, value in zip((f"W{layer}", f"b{layer}"), pair, strict=True):
            if f"d{name}" not in gradients:
                found = ", ".join(map(str, gradients)) or "none"
                raise ValueError(f"gradients must hold d{name}, got {found}")
            gradient = check_array(f"d{name}", gradients[f"d{name}"], shape=value.shape)
            updated[name] = value - learning_rate * gradient
    return updated
