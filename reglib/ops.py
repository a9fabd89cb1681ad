"""NumPy under the names of ``keras.ops``, for the layers, losses and metrics of one's own.

Arrays come in and go out, and nothing is recorded on the way: reglib has no automatic
differentiation. Whoever writes the value writes the gradient, each at its place:

- a layer has ``call(inputs)`` and ``backward(gradient)``, which writes ``weight.gradient`` of its
  weights and returns the gradient of its inputs;
- a loss has ``call(y_true, y_pred)`` and ``derivative(y_true, y_pred)``;
- a regularizer has ``__call__(x)`` and ``gradient(x)``;
- a constraint, a metric, an initializer and a callback need none.

:mod:`reglib.gradcheck` tells whether the two fit. Keras does not mind the further methods, so
that such a class works in both libraries. Most functions are NumPy's own; those that make arrays
make them of :func:`reglib.config.floatx`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy import (  # noqa: F401
    abs,
    absolute,
    add,
    all,
    any,
    append,
    argmax,
    argmin,
    argsort,
    array_split,
    average,
    bincount,
    broadcast_to,
    ceil,
    clip,
    concatenate,
    copy,
    cos,
    cosh,
    count_nonzero,
    cumprod,
    cumsum,
    diag,
    diagonal,
    diff,
    divide,
    dot,
    einsum,
    equal,
    exp,
    expand_dims,
    expm1,
    flip,
    floor,
    floor_divide,
    greater,
    greater_equal,
    isclose,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matmul,
    max,
    maximum,
    mean,
    median,
    meshgrid,
    min,
    minimum,
    mod,
    moveaxis,
    multiply,
    nan_to_num,
    ndim,
    negative,
    nonzero,
    not_equal,
    ones_like,
    outer,
    pad,
    power,
    prod,
    quantile,
    ravel,
    reciprocal,
    repeat,
    reshape,
    roll,
    round,
    searchsorted,
    sign,
    sin,
    sinh,
    size,
    sort,
    split,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    subtract,
    sum,
    swapaxes,
    take,
    take_along_axis,
    tan,
    tensordot,
    tile,
    trace,
    transpose,
    tril,
    triu,
    true_divide,
    unique,
    var,
    vdot,
    vstack,
    where,
    zeros_like,
)
from numpy.typing import NDArray

from reglib import activations, config
from reglib._absent import refuse as _refuse
from reglib._typing import ArrayLike
from reglib.activations import (  # noqa: F401
    elu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from reglib.losses.functions import (  # noqa: F401
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from reglib.utils import normalize as normalize

amax, amin, hstack = np.max, np.min, np.hstack
swish = silu
norm = np.linalg.norm


# Arrays and their kinds.


def convert_to_tensor(x: ArrayLike, dtype: Any = None) -> NDArray:
    """Return an array; numbers of Python become floats of :func:`reglib.config.floatx`.

    Examples
    --------
    >>> convert_to_tensor([0.5]).dtype, convert_to_tensor([1]).dtype
    (dtype('float32'), dtype('int32'))
    """
    array = np.asarray(x)
    if dtype is None and not hasattr(x, "dtype"):
        dtype = {"f": config.floatx(), "i": "int32"}.get(array.dtype.kind)
    return array.astype(dtype or array.dtype, copy=False)


array = convert_to_tensor


def convert_to_numpy(x: ArrayLike) -> NDArray:
    """Return an array."""
    return np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Return whether ``x`` is an array."""
    return isinstance(x, np.ndarray)


def cast(x: ArrayLike, dtype: Any) -> NDArray:
    """Return an array of another dtype."""
    return np.asarray(x).astype(dtype)


def shape(x: ArrayLike) -> tuple[int, ...]:
    """Return the lengths of the axes."""
    return np.shape(x)


def stop_gradient(variable: ArrayLike) -> NDArray:
    """Return the array: gradients are written by hand, and so end where the hand ends them."""
    return np.asarray(variable)


def zeros(shape: Sequence[int], dtype: Any = None) -> NDArray:
    """Return an array of zeros."""
    return np.zeros(shape, dtype or config.floatx())


def ones(shape: Sequence[int], dtype: Any = None) -> NDArray:
    """Return an array of ones."""
    return np.ones(shape, dtype or config.floatx())


def full(shape: Sequence[int], fill_value: ArrayLike, dtype: Any = None) -> NDArray:
    """Return an array of one value."""
    return np.full(shape, fill_value, dtype or config.floatx())


def full_like(x: ArrayLike, fill_value: ArrayLike, dtype: Any = None) -> NDArray:
    """Return an array of one value, of the shape and dtype of another."""
    return np.full_like(x, fill_value, dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> NDArray:
    """Return a matrix with ones on a diagonal."""
    return np.eye(N, M, k, dtype or config.floatx())


def identity(n: int, dtype: Any = None) -> NDArray:
    """Return the identity matrix."""
    return eye(n, dtype=dtype)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> NDArray:
    """Return numbers from ``start`` to before ``stop``."""
    whole = np.arange(start, stop, step) if stop is not None else np.arange(start)
    return convert_to_tensor(whole.tolist(), dtype)


def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return evenly spaced numbers."""
    made: Any = np.linspace  # whose types ask for a literal retstep
    return made(start, stop, num, endpoint, retstep, dtype or config.floatx(), axis)


def one_hot(x: ArrayLike, num_classes: int, axis: int = -1, dtype: Any = None) -> NDArray:
    """Return classes as vectors with a 1 at the class; a class that there is not gives zeros.

    Examples
    --------
    >>> one_hot([1, -1], 3).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    hot = np.asarray(x)[..., np.newaxis] == np.arange(num_classes)
    return np.moveaxis(hot, -1, axis).astype(dtype or config.floatx())


# Functions that NumPy has under no one name.


def rsqrt(x: ArrayLike) -> NDArray:
    r"""Return :math:`1/\sqrt x`."""
    return 1 / np.sqrt(x)


def divide_no_nan(x1: ArrayLike, x2: ArrayLike) -> NDArray:
    """Return the quotient, and 0 where the divisor is 0."""
    x1, x2 = np.asarray(x1), np.asarray(x2)
    return np.where(x2 == 0, 0, x1 / np.where(x2 == 0, 1, x2))


def gelu(x: ArrayLike, approximate: bool = True) -> NDArray:
    """Return ``activations.gelu``; by default the approximation, as in Keras."""
    return activations.gelu(np.asarray(x), approximate=approximate)


def binary_crossentropy(target: ArrayLike, output: ArrayLike, from_logits: bool = False) -> NDArray:
    r"""Return :math:`-y\log p - (1 - y)\log(1 - p)` of each entry."""
    target = convert_to_tensor(target, config.floatx())
    output = sigmoid(np.asarray(output)) if from_logits else np.asarray(output)
    p = np.clip(output, config.epsilon(), 1 - config.epsilon())
    return -target * np.log(p) - (1 - target) * np.log1p(-p)


def logsumexp(x: ArrayLike, axis: Any = None, keepdims: bool = False) -> NDArray:
    """Return the logarithm of the sum of exponentials, whatever their size.

    Examples
    --------
    >>> float(logsumexp([1000.0, 1000.0])) == 1000 + float(np.log(2))
    True
    """
    x = np.asarray(x)
    largest = x.max(axis=axis, keepdims=True)
    found = np.log(np.exp(x - largest).sum(axis=axis, keepdims=True)) + largest
    return found if keepdims else np.squeeze(found, axis=axis)


def moments(x: ArrayLike, axes: Any, keepdims: bool = False) -> tuple[NDArray, NDArray]:
    """Return mean and variance along some axes."""
    axes = tuple(axes) if isinstance(axes, list) else axes
    return np.mean(x, axis=axes, keepdims=keepdims), np.var(x, axis=axes, keepdims=keepdims)


def top_k(x: ArrayLike, k: int, sorted: bool = True) -> tuple[NDArray, NDArray]:
    """Return the largest ``k`` along the last axis, and where they are."""
    places = np.argsort(-np.asarray(x), axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(np.asarray(x), places, axis=-1), places.astype("int32")


def in_top_k(targets: ArrayLike, predictions: ArrayLike, k: int) -> NDArray:
    """Return whether the target's prediction is among the largest ``k`` of each row."""
    predictions = np.asarray(predictions)
    own = np.take_along_axis(predictions, np.asarray(targets)[:, np.newaxis], axis=-1)
    return (predictions > own).sum(axis=-1) < k


def unstack(x: ArrayLike, num: int | None = None, axis: int = 0) -> list[NDArray]:
    """Return the parts along an axis."""
    return list(np.moveaxis(np.asarray(x), axis, 0))


def cond(pred: Any, true_fn: Any, false_fn: Any) -> Any:
    """Return what one of two functions does."""
    return true_fn() if pred else false_fn()


def custom_gradient(f: Any) -> NoReturn:
    """Refuse: there is no gradient that could be replaced."""
    raise NotImplementedError(
        "reglib has no automatic differentiation, and so no gradient to replace: write a Layer "
        "with call and backward"
    )


__getattr__ = partial(_refuse, __name__)
