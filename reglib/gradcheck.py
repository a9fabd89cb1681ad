r"""Gradient checks: compare a backward pass with finite differences of the forward pass.

The central difference :math:`(f(w + \epsilon u) - f(w - \epsilon u)) / 2\epsilon` is compared
with :math:`u \cdot g`. :func:`numerical_gradient` takes every coordinate in turn as :math:`u`,
which teaches; :func:`check_gradient` takes a few random directions, which costs the same for
ten weights and a million. Noise (dropout, augmentation) has to be the same in both evaluations:
:func:`check_layer` and :func:`check_model` put generators and running averages back before each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import (
    Array,
    Flag,
    Function,
    GeneratorOrSeed,
    Integer,
    List,
    Number,
    arguments,
)
from reglib._typing import ArrayLike, RandomSource
from reglib._validation import (
    check_array,
)


class GradientError(AssertionError):
    """A gradient disagrees with finite differences; the message says by how much."""


@arguments(f=Function(), w=Array(dtype=np.float64), eps=Number("> 0"))
def numerical_gradient(
    f: Callable[[NDArray], float], w: ArrayLike, eps: float = 1e-6
) -> NDArray[np.float64]:
    r"""Return the gradient of ``f`` by central differences, one coordinate after the other.

    .. math:: g_i \approx \frac{f(w + \epsilon e_i) - f(w - \epsilon e_i)}{2\epsilon}

    Parameters
    ----------
    f : callable
        Takes an array of the shape of ``w`` and returns a number. Random parts must be frozen.
    w : array_like
        Where to differentiate; it is copied, so ``f`` may keep or change what it is given.
    eps : float
        Half the distance between the two points.

    Returns
    -------
    ndarray
        The gradient in float64, of the shape of ``w``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit or ``f`` returns no finite number.

    Examples
    --------
    >>> numerical_gradient(lambda w: (w**2).sum(), [3.0, -4.0]).round(6)
    array([ 6., -8.])
    """
    gradient = np.zeros_like(w)
    for index in np.ndindex(w.shape):
        ahead, behind = w.copy(), w.copy()
        ahead[index] += eps
        behind[index] -= eps
        gradient[index] = (_scalar(f(ahead)) - _scalar(f(behind))) / (2 * eps)
    return gradient


@arguments(a=Array(dtype=np.float64), b=Array(dtype=np.float64))
def relative_error(a: ArrayLike, b: ArrayLike) -> float:
    r"""Return how far two arrays differ, on a scale from 0 (equal) to 1.

    .. math:: \frac{\lVert a - b\rVert}{\lVert a\rVert + \lVert b\rVert}

    Two arrays of zeros have error 0.

    Parameters
    ----------
    a, b : array_like
        Arrays of one shape.

    Returns
    -------
    float
        The error, in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If an array is unfit or the shapes differ.

    Examples
    --------
    >>> relative_error([1.0, 0.0], [1.0, 0.0]), relative_error([2.0], [-1.0])
    (0.0, 1.0)
    """
    b = check_array("b", b, shape=a.shape, dtype=np.float64)
    # Divided by the largest entry first, so that squares neither overflow nor vanish.
    largest = max(np.abs(a).max(), np.abs(b).max())
    if largest == 0:
        return 0.0
    a, b = a / largest, b / largest
    return float(np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b)))


@arguments(
    f=Function(),
    x=Array(dtype=np.float64),
    directions=Integer(">= 1"),
    eps=Number("> 0"),
    rtol=Number("> 0"),
    hold_zeros=Flag(),
    rng=GeneratorOrSeed(),
)
def check_gradient(
    f: Callable[[NDArray], float],
    gradient: ArrayLike | Callable[[NDArray], ArrayLike],
    x: ArrayLike,
    *,
    directions: int = 3,
    eps: float = 1e-6,
    rtol: float = 1e-6,
    hold_zeros: bool = False,
    rng: RandomSource = 0,
) -> float:
    r"""Return the largest error of a gradient along random directions, or raise.

    A direction :math:`u` has entries of random sign and of size 0.5 to 1.5, so that
    :math:`u \cdot g` has the size of :math:`\lVert g\rVert`. The error is its difference from
    the central difference, over the largest of the three. Two evaluations a direction suffice,
    whatever the size of ``x``: a wrong entry of ``g`` is missed with probability zero, up to
    rounding.

    Where a piecewise linear function (ReLU, max, absolute value) has a kink between the two
    points, the one-sided differences disagree as much as the error; another direction with a
    smaller step is tried then.

    Parameters
    ----------
    f : callable
        Takes a float64 array of the shape of ``x`` and returns a number.
    gradient : array_like or callable
        The gradient at ``x``, or a function that returns it.
    x : array_like
        Where to check.
    directions : int
        How many directions to try.
    eps : float
        Size of the step in each coordinate.
    rtol : float
        Largest error that passes.
    hold_zeros : bool
        Keep entries of ``x`` with :math:`|x_i| < 10\epsilon` where they are: an L1 penalty
        has no derivative there.
    rng : Generator or int
        Source of the directions, or a seed for one.

    Returns
    -------
    float
        The largest error found.

    Raises
    ------
    GradientError
        If it is above ``rtol``.
    TypeError, ValueError
        If an argument is unfit, the gradient has the wrong shape, or ``f`` returns no finite
        number.

    References
    ----------
    Maclaurin, Duvenaud and Adams (2015), "Autograd", check along a random direction.

    Examples
    --------
    >>> check_gradient(lambda w: (w**3).sum(), lambda w: 3 * w**2, [1.0, 2.0]) < 1e-6
    True
    >>> check_gradient(lambda w: w**3, lambda w: 2 * w**2, 1.0)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    GradientError: gradient is off by a relative error of 0.258, above 1e-06
    """
    g = gradient(x.copy()) if callable(gradient) else gradient
    g = check_array("gradient", g, shape=x.shape, dtype=np.float64)
    moves = np.abs(x) >= 10 * eps if hold_zeros else np.ones(x.shape, dtype=bool)
    center = _scalar(f(x.copy()))
    worst = 0.0
    for _ in range(directions):
        error = _directional_error(f, x, g, center, moves, eps, rtol, rng)
        if error > rtol:
            raise GradientError(
                f"gradient is off by a relative error of {error:.3g}, above {rtol:g}"
            )
        worst = max(worst, error)
    return worst


def _directional_error(
    f: Callable[[NDArray], float],
    x: NDArray,
    g: NDArray,
    center: float,
    moves: NDArray,
    eps: float,
    rtol: float,
    rng: np.random.Generator,
) -> float:
    """Return the error along one direction; along another with a smaller step at a kink."""
    error = 0.0
    for step in (eps, eps / 3, eps / 10, eps / 30):
        u = moves * rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape)
        ahead, behind = _scalar(f(x + step * u)), _scalar(f(x - step * u))
        numeric, analytic = (ahead - behind) / (2 * step), float(np.sum(u * g))
        difference = abs(numeric - analytic)
        size = max(abs(numeric), abs(analytic), float(np.linalg.norm(g[moves])))
        # f is only known to its last digit, and so is a difference quotient.
        rounding = 4 * np.finfo(float).eps * max(abs(ahead), abs(behind)) / step
        error = difference / size if size else 0.0
        if difference <= rounding:
            error = min(error, rtol)
        # A kink between the points shifts the central difference by this much, no more.
        bend = abs(ahead - 2 * center + behind) / (2 * step)
        if error <= rtol or bend < difference / 2:
            break
    return error


@arguments(
    inputs=Array(),
    training=Flag(),
    directions=Integer(">= 1"),
    eps=Number("> 0"),
    rtol=Number("> 0"),
    rng=GeneratorOrSeed(),
)
def check_layer(
    layer: Any,
    inputs: ArrayLike,
    *,
    training: bool = True,
    directions: int = 3,
    eps: float = 1e-6,
    rtol: float = 1e-6,
    rng: RandomSource = 0,
) -> float:
    r"""Return the largest gradient error of a layer, over its inputs and each of its parameters.

    The scalar that is differentiated is :math:`\sum_i r_i\,\mathrm{output}_i` with random
    :math:`r`, plus the layer's activity penalty. Before each evaluation, generators and
    running averages are put back, so that a dropout mask is the same every time.

    Parameters
    ----------
    layer : Layer
        Of dtype float64; it is built if it is not. Its state is the same afterwards, but for
        the gradients of its parameters.
    inputs : array_like
        A batch. Integers (of an embedding) get no gradient.
    training : bool
        Which of the two modes to check.
    directions, eps, rtol, rng
        As for :func:`check_gradient`.

    Returns
    -------
    float
        The largest error found.

    Raises
    ------
    GradientError
        If it is above ``rtol``; the message names the array.
    ValueError
        If the layer computes in another dtype than float64.

    Examples
    --------
    >>> from reglib.layers import Dense
    >>> check_layer(Dense(3, activation="tanh", dtype="float64"), np.ones((4, 2))) < 1e-6
    True
    """
    _require("layer", layer, "propagate_back", "a layer")
    _require_float64("layer", [layer])
    layer.ensure_built(inputs.shape)
    parameters = layer.trainable_weights

    with _frozen([layer]) as restore:
        coefficients = rng.standard_normal(layer(inputs, training=training).shape)

        def loss(x: NDArray) -> float:
            outputs = layer(x, training=training)
            return float(np.sum(coefficients * outputs)) + layer.activity_penalty

        restore()
        layer(inputs, training=training)
        input_gradient = layer.propagate_back(coefficients.copy())
        gradients = [parameter.gradient.copy() for parameter in parameters]

        options = {"directions": directions, "eps": eps, "rtol": rtol, "rng": rng}
        worst = _check_parameters(lambda: loss(inputs), parameters, gradients, restore, options)
        if inputs.dtype.kind == "f":

            def loss_of_inputs(x: NDArray) -> float:
                restore()
                return loss(x)

            worst = max(worst, _named("inputs", loss_of_inputs, input_gradient, inputs, options))
    return worst


@arguments(
    x=Array(),
    y=Array(),
    sample_weight=Array(),
    training=Flag(),
    directions=Integer(">= 1"),
    eps=Number("> 0"),
    rtol=Number("> 0"),
    hold_zeros=Flag(),
    rng=GeneratorOrSeed(),
)
def check_model(
    model: Any,
    x: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    training: bool = True,
    directions: int = 3,
    eps: float = 1e-6,
    rtol: float = 1e-6,
    hold_zeros: bool = False,
    rng: RandomSource = 0,
) -> float:
    """Return the largest gradient error of a compiled model's loss, penalties included.

    Parameters
    ----------
    model : Model
        Compiled with a loss; all its layers of dtype float64. Weights and generators are the
        same afterwards.
    x, y : array_like
        A batch.
    sample_weight : array_like, optional
        Weight of each example.
    training : bool
        Which of the two modes to check.
    directions, eps, rtol, hold_zeros, rng
        As for :func:`check_gradient`.

    Returns
    -------
    float
        The largest error found.

    Raises
    ------
    GradientError
        If it is above ``rtol``; the message names the parameter.
    ValueError
        If the model is not compiled or a layer computes in another dtype than float64.

    Examples
    --------
    >>> from reglib.layers import Dense
    >>> from reglib.models import Sequential
    >>> model = Sequential([Dense(3, activation="tanh", dtype="float64")], seed=0)
    >>> model.compile(loss="mse")
    >>> check_model(model, np.ones((4, 2)), np.zeros((4, 3))) < 1e-6
    True
    """
    _require("model", model, "shorten_way_back", "a model")
    if model.loss is None:
        raise ValueError("model must be compiled with a loss before check_model")
    layers = model.layers
    _require_float64("model", layers)
    model(x[:1])  # builds what is not built
    model.shorten_way_back()
    parameters = model.trainable_weights
    penalized = [parameter for parameter in parameters if parameter.regularizer is not None]

    def loss() -> float:
        outputs = model.forward(x, training=training)
        penalties = [parameter.regularizer(parameter.value) for parameter in penalized]
        penalties += [layer.activity_penalty for top in layers for layer in _family(top)]
        return float(model.loss(y, outputs, sample_weight)) + float(sum(penalties))

    options = {
        "directions": directions,
        "eps": eps,
        "rtol": rtol,
        "hold_zeros": hold_zeros,
        "rng": rng,
    }
    with _frozen(layers) as restore:
        outputs = model.forward(x, training=training)
        model.backward(model.loss.gradient(y, outputs, sample_weight))
        gradients = [parameter.gradient.copy() for parameter in parameters]
        restore()
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if parameter.regularizer is not None:
                gradient += parameter.regularizer.gradient(parameter.value)
        return _check_parameters(loss, parameters, gradients, restore, options)


@arguments(
    loss=Function(),
    parameters=List("parameters"),
    layers=List("layers"),
    directions=Integer(">= 1"),
    eps=Number("> 0"),
    rtol=Number("> 0"),
    rng=GeneratorOrSeed(),
)
def check_parameters(
    loss: Callable[[], float],
    parameters: Sequence[Any],
    *,
    layers: Sequence[Any] = (),
    directions: int = 3,
    eps: float = 1e-6,
    rtol: float = 1e-6,
    rng: RandomSource = 0,
) -> float:
    """Return the largest error of the gradients that lie beside the parameters' values.

    Parameters
    ----------
    loss : callable
        Returns the loss for the parameters' present values.
    parameters : sequence of Parameter
        With ``gradient`` filled in by a backward pass at the present values.
    layers : sequence of Layer
        Whose generators and running averages to put back before each evaluation. They have to be
        as they were before the pass that filled the gradients.
    directions, eps, rtol, rng
        As for :func:`check_gradient`.

    Returns
    -------
    float
        The largest error found.

    Raises
    ------
    GradientError
        If it is above ``rtol``; the message names the parameter.

    Examples
    --------
    >>> from reglib.layers.base import Parameter
    >>> w = Parameter(np.array([3.0, -4.0]), name="kernel")
    >>> w.gradient[...] = 2 * w.value
    >>> check_parameters(lambda: float((w.value**2).sum()), [w]) < 1e-6
    True
    """
    if not parameters:
        raise ValueError("parameters must not be empty, got none")
    for parameter in parameters:
        _require("parameters", parameter, "gradient", "parameters of a layer")
    for layer in layers:
        _require("layers", layer, "propagate_back", "layers")
    options = {
        "directions": directions,
        "eps": eps,
        "rtol": rtol,
        "rng": rng,
    }
    gradients = [parameter.gradient.copy() for parameter in parameters]
    with _frozen(layers) as restore:
        return _check_parameters(loss, parameters, gradients, restore, options)


def _check_parameters(
    loss: Callable[[], float],
    parameters: Sequence[Any],
    gradients: Sequence[NDArray],
    restore: Callable[[], None],
    options: dict[str, Any],
) -> float:
    worst = 0.0
    for parameter, gradient in zip(parameters, gradients, strict=True):
        restore()  # a pass may have written weights: spectral normalization does
        start = parameter.value.copy()

        def loss_of(value: NDArray, parameter: Any = parameter) -> float:
            restore()
            parameter.assign(value)
            return loss()

        try:
            worst = max(worst, _named(parameter.name, loss_of, gradient, start, options))
        finally:
            parameter.assign(start)
    return worst


def _named(
    name: str,
    f: Callable[[NDArray], float],
    gradient: NDArray,
    x: NDArray,
    options: dict[str, Any],
) -> float:
    try:
        return check_gradient(f, gradient, x, **options)
    except GradientError as error:
        raise GradientError(f"{name}: {error}") from None


@contextmanager
def _frozen(layers: Sequence[Any]) -> Iterator[Callable[[], None]]:
    """Yield a function that puts the layers' generators and weights back, and call it at the end.

    All weights, not just the averages: spectral normalization writes its kernel while it runs.
    """
    every = [layer for top in layers for layer in _family(top)]
    generators = [layer.generator for layer in every]
    states = [generator.bit_generator.state for generator in generators]
    weights = [parameter for top in layers for parameter in top.weights]
    values = [parameter.value.copy() for parameter in weights]

    def restore() -> None:
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        for parameter, value in zip(weights, values, strict=True):
            parameter.assign(value)

    try:
        yield restore
    finally:
        restore()


def _family(layer: Any) -> list[Any]:
    return [layer] + [member for child in layer.sublayers() for member in _family(child)]


def _require_float64(name: str, layers: Sequence[Any]) -> None:
    for layer in (member for top in layers for member in _family(top)):
        if layer.dtype != "float64":
            raise ValueError(
                f"{name} must compute in float64, got {layer.dtype} in {layer.name}; make it "
                'with dtype="float64" or after reglib.config.set_floatx("float64")'
            )


def _require(name: str, value: Any, attribute: str, what: str) -> None:
    """Refuse what has not the attribute that tells layers, models and parameters apart."""
    if isinstance(value, type) or not hasattr(value, attribute):
        raise TypeError(f"{name} must be {what}, got {value!r} ({type(value).__name__})")


def _scalar(value: Any) -> float:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"f must return a number, got {value!r}")
    if array.size != 1:
        raise ValueError(f"f must return one number, got shape {array.shape}")
    number = float(array.reshape(()))
    if not np.isfinite(number):
        raise ValueError(f"f must return a finite number, got {number}")
    return number
