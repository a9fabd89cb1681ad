"""What every topic checks at the door: the parameters dict, its caches, labels and generators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_array, check_number

Layer = tuple[NDArray, NDArray]


def check_parameters(parameters: Any, inputs: int | None = None) -> list[Layer]:
    """Return ``[(W1, b1), (W2, b2), ...]`` after checking that the shapes fit one another.

    Raises
    ------
    TypeError
        If ``parameters`` is no mapping or holds no numbers.
    ValueError
        If a name is missing or a shape does not fit.
    """
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a dict, got {type(parameters).__name__}")
    depth = len([name for name in parameters if str(name).startswith("W")])
    if depth == 0:
        raise ValueError(f"parameters must hold W1, b1, ..., got {sorted(map(str, parameters))}")
    layers = []
    for layer in range(1, depth + 1):
        for name in (f"W{layer}", f"b{layer}"):
            if name not in parameters:
                found = ", ".join(sorted(map(str, parameters)))
                raise ValueError(f"parameters must hold {name}, got {found}")
        W = check_array(f"W{layer}", parameters[f"W{layer}"], shape=(None, inputs))
        b = check_array(f"b{layer}", parameters[f"b{layer}"], shape=(W.shape[0], 1))
        layers.append((W, b))
        inputs = W.shape[0]
    return layers


def check_labels(Y: Any, outputs: int | None = None, examples: int | None = None) -> NDArray:
    """Return labels in [0, 1] as an array of shape (outputs, examples).

    Raises
    ------
    TypeError
        If they are no numbers (strings).
    ValueError
        If the shape does not fit, there are none, or one lies outside [0, 1].
    """
    Y = check_array("Y", Y, shape=(outputs, examples))
    if Y.min() < 0 or Y.max() > 1:
        raise ValueError(f"Y must be in [0, 1], got values from {Y.min():g} to {Y.max():g}")
    return Y


def check_keep_prob(keep_prob: Any) -> float:
    """Return the probability of keeping a unit, in (0, 1].

    Raises
    ------
    TypeError, ValueError
        If it is no number or out of range; 0 would keep nothing and divide by zero.
    """
    return check_number("keep_prob", keep_prob, low=0, high=1, low_open=True)


def check_generator(rng: Any) -> np.random.Generator:
    """Return ``rng`` after checking that it is a ``numpy.random.Generator``.

    Raises
    ------
    TypeError
        If it is something else, for example a seed.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            "rng must be a numpy.random.Generator such as np.random.default_rng(0), "
            f"got {type(rng).__name__}"
        )
    return rng


def check_cache(cache: Any, widths: Sequence[int], hidden: int, last: int) -> int:
    """Return the depth L of the network that wrote a flat cache.

    Parameters
    ----------
    cache : tuple or list
        The arrays of layer 1, then those of layer 2, and so on.
    widths : sequence of int
        The output layer's number of units and the number of examples, for the message.
    hidden, last : int
        How many arrays each hidden layer and the last layer have.

    Raises
    ------
    TypeError
        If ``cache`` is no tuple or list.
    ValueError
        If its length or the shape of its last activation does not fit.
    """
    if not isinstance(cache, (tuple, list)):
        raise TypeError(f"cache must be a tuple, got {type(cache).__name__}")
    depth, rest = divmod(len(cache) - last, hidden)
    if rest or len(cache) < last:
        raise ValueError(
            f"cache must hold {hidden} arrays for each hidden layer and {last} for the last, "
            f"got {len(cache)} arrays"
        )
    shape = np.shape(cache[-3])
    if shape != tuple(widths):
        raise ValueError(f"cache must belong to Y of shape {tuple(widths)}, got A of {shape}")
    return depth + 1


def check_weights(weights: Any) -> list[NDArray]:
    """Return a list of weight arrays; a single array becomes a list of one.

    Raises
    ------
    TypeError, ValueError
        If there is none, or one holds no finite numbers.
    """
    if isinstance(weights, np.ndarray):
        weights = [weights]
    if not isinstance(weights, (list, tuple)):
        raise TypeError(f"weights must be a list of arrays, got {type(weights).__name__}")
    if not weights:
        raise ValueError("weights must not be empty, got a list without arrays")
    return [check_array(f"weights[{i}]", W) for i, W in enumerate(weights)]
