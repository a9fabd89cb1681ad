"""How weights start: Keras's initializers, each a callable ``(shape, dtype, generator)``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _seeding, _serialization, config
from reglib._absent import refuse
from reglib._arguments import (
    Array,
    Choice,
    Dict,
    Generator,
    Identifier,
    Instance,
    Integer,
    List,
    Number,
    Seed,
    Shape,
    Text,
    arguments,
)
from reglib._typing import ArrayLike


@arguments(
    shape=Shape(low=0), input_axes=List("axes", Integer()), output_axes=List("axes", Integer())
)
def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return fan-in and fan-out: how many inputs a unit sees and how many units see an input.

    Parameters
    ----------
    shape : sequence of int
        ``(inputs, outputs)`` of a matrix, or ``(*window, inputs, outputs)`` of a convolution.
    input_axes, output_axes : sequence of int, optional
        Which axes are inputs and which outputs, where the shape has another order; both or none.

    Raises
    ------
    TypeError
        If a length or an axis is no integer.
    ValueError
        If the shape has no such axis.

    Examples
    --------
    >>> compute_fans((64, 128))
    (64, 128)
    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    >>> compute_fans((512, 8, 64), input_axes=[0], output_axes=[1, 2])
    (512, 512)
    """
    if input_axes is not None and output_axes is not None:
        return (
            _length("input_axes", shape, input_axes),
            _length("output_axes", shape, output_axes),
        )
    if len(shape) < 2:
        length = shape[0] if shape else 1
        return length, length
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


def _length(name: str, shape: Sequence[int], axes: Sequence[int]) -> int:
    """Return the product of the lengths along some axes."""
    if not all(-len(shape) <= axis < len(shape) for axis in axes):
        raise ValueError(f"{name} must be axes of shape {tuple(shape)}, got {list(axes)}")
    return math.prod(shape[axis] for axis in axes)


def _dtype(dtype: Any) -> np.dtype:
    """Return the dtype, ``floatx`` where there is none."""
    try:
        return np.dtype(dtype or config.floatx())
    except (TypeError, ValueError):
        raise TypeError(f"dtype must be a dtype, got {dtype!r}") from None


def _distribution(name: Any) -> str:
    """Return a distribution's name in lower case; "normal" stands for what Keras draws from."""
    name = Text().check("distribution", name).lower()
    name = "truncated_normal" if name == "normal" else name
    return Choice("truncated_normal", "untruncated_normal", "uniform").check("distribution", name)


@arguments(seed=Seed() | Instance(np.random.Generator, "a generator") | Dict())
class Initializer(_serialization.Described):
    """Base of all initializers.

    Parameters
    ----------
    seed : int or numpy.random.Generator, optional
        An integer makes every call return the same weights, a generator other weights at every
        call. Without a seed they come from the generator that the layer hands over.

    Raises
    ------
    TypeError
        If ``seed`` is something else.
    ValueError
        If it is negative.

    References
    ----------
    Keras 3, ``keras.initializers.Initializer``.
    """

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        if isinstance(seed, Mapping):  # a generator's state, out of a configuration
            restored = np.random.default_rng(0)
            restored.bit_generator.state = seed
            seed = restored
        self.seed = seed

    @arguments(shape=Shape(low=0), dtype=Identifier(_dtype), generator=Generator())
    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return fresh weights of this shape.

        Raises
        ------
        TypeError
            If an argument is of the wrong kind.
        ValueError
            If a length is negative.
        """
        dtype = _dtype(dtype)
        if self.seed is not None or generator is None:
            # A generator is handed on as it is.
            generator = _seeding.generator(self.seed)
        return self.draw(shape, generator).astype(dtype, copy=False)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        raise NotImplementedError(f"{type(self).__name__} must define draw")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data; of a generator, its state."""
        if isinstance(self.seed, np.random.Generator):
            return {**vars(self), "seed": self.seed.bit_generator.state}
        return dict(vars(self))


@arguments(value=Number() | Array())
class Constant(Initializer):
    """Every weight is ``value``, or the weights are those of an array.

    Parameters
    ----------
    value : float or array_like
        A number, or numbers in a shape that broadcasts to that of the weights.

    Raises
    ------
    TypeError, ValueError
        If ``value`` holds something else than finite numbers.

    References
    ----------
    ``keras.initializers.Constant``.

    Examples
    --------
    >>> Constant([0.5, 2.0])((2, 2)).tolist()
    [[0.5, 2.0], [0.5, 2.0]]
    """

    def __init__(self, value: float | ArrayLike = 0.0) -> None:
        self.value = value

    @arguments(shape=Shape(low=0), dtype=Identifier(_dtype), generator=Generator())
    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return weights of this shape.

        Raises
        ------
        ValueError
            If the value has another shape.
        """
        weights = np.empty(shape, _dtype(dtype))
        try:
            weights[...] = self.value
        except ValueError:
            raise ValueError(
                f"value must fit weights of shape {weights.shape}, got {np.shape(self.value)}"
            ) from None
        return weights

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"value": np.asarray(self.value).tolist()}


class Zeros(Constant):
    """Every weight is 0.

    References
    ----------
    ``keras.initializers.Zeros``.

    Examples
    --------
    >>> Zeros()((2,)).tolist()
    [0.0, 0.0]
    """

    def __init__(self) -> None:
        super().__init__(0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: there are none."""
        return {}


class Ones(Constant):
    """Every weight is 1.

    References
    ----------
    ``keras.initializers.Ones``.

    Examples
    --------
    >>> Ones()((2,)).tolist()
    [1.0, 1.0]
    """

    def __init__(self) -> None:
        super().__init__(1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: there are none."""
        return {}


@arguments(gain=Number())
class Identity(Initializer):
    """The identity matrix, times ``gain``.

    Parameters
    ----------
    gain : float
        What stands on the diagonal.

    Raises
    ------
    TypeError, ValueError
        If ``gain`` is no finite number.

    References
    ----------
    ``keras.initializers.Identity``.

    Examples
    --------
    >>> Identity(2.0)((2, 3)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    @arguments(shape=Shape(low=0), dtype=Identifier(_dtype), generator=Generator())
    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return weights of this shape.

        Raises
        ------
        ValueError
            If the shape has not two axes.
        """
        dtype = _dtype(dtype)
        if len(shape) != 2:
            raise ValueError(f"shape must have 2 axes, got {shape}")
        return np.eye(*shape, dtype=dtype) * dtype.type(self.gain)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"gain": self.gain}


def _cut_normal(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
    """Return standard normal numbers; those beyond two standard deviations are drawn again."""
    values = generator.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(outside.sum())
    return values


@arguments(mean=Number(), stddev=Number(">= 0"))
class RandomNormal(Initializer):
    """Weights are drawn from N(mean, stddev²).

    Parameters
    ----------
    mean : float
        Where the middle is.
    stddev : float
        The standard deviation, at least 0.
    seed : int or numpy.random.Generator, optional
        As for :class:`Initializer`.

    Raises
    ------
    TypeError, ValueError
        If a number is none, or out of range.

    References
    ----------
    ``keras.initializers.RandomNormal``.

    Examples
    --------
    >>> bool(abs(RandomNormal(5.0, 0.1, seed=0)((50, 50)).mean() - 5) < 0.01)
    True
    """

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        return generator.normal(self.mean, self.stddev, shape)


class TruncatedNormal(RandomNormal):
    """Weights are drawn from N(mean, stddev²), cut at two standard deviations.

    Parameters
    ----------
    mean, stddev, seed
        As for :class:`RandomNormal`.

    Raises
    ------
    TypeError, ValueError
        If a number is none, or out of range.

    References
    ----------
    ``keras.initializers.TruncatedNormal``.

    Examples
    --------
    >>> bool(abs(TruncatedNormal(0.0, 0.1, seed=0)((50, 50))).max() <= 0.2)
    True
    """

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        return self.mean + self.stddev * _cut_normal(shape, generator)


@arguments(minval=Number(), maxval=Number())
class RandomUniform(Initializer):
    """Weights are drawn evenly from [minval, maxval).

    Parameters
    ----------
    minval, maxval : float
        The ends.
    seed : int or numpy.random.Generator, optional
        As for :class:`Initializer`.

    Raises
    ------
    TypeError, ValueError
        If an end is no finite number.

    References
    ----------
    ``keras.initializers.RandomUniform``.

    Examples
    --------
    >>> bool((RandomUniform(1.0, 2.0, seed=0)((3, 3)) >= 1).all())
    True
    """

    def __init__(
        self,
        minval: float = -0.05,
        maxval: float = 0.05,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        return generator.uniform(self.minval, self.maxval, shape)


@arguments(
    scale=Number("> 0"),
    mode=Choice("fan_in", "fan_out", "fan_avg"),
    distribution=Identifier(_distribution),
    input_axes=List("axes", Integer()),
    output_axes=List("axes", Integer()),
)
class VarianceScaling(Initializer):
    r"""Weights of a variance that fits the size of the layer, :math:`\text{scale}/n`.

    Parameters
    ----------
    scale : float
        Above 0.
    mode : {"fan_in", "fan_out", "fan_avg"}
        What n is: how many inputs a unit sees, how many units see an input, or the mean.
    distribution : {"truncated_normal", "normal", "untruncated_normal", "uniform"}
        ``"normal"`` is ``"truncated_normal"``: cut at two standard deviations.
    seed : int or numpy.random.Generator, optional
        As for :class:`Initializer`.
    input_axes, output_axes : sequence of int, optional
        As for :func:`compute_fans`.

    Raises
    ------
    TypeError
        If an argument has a wrong type.
    ValueError
        If ``scale`` is not above 0, or ``mode`` or ``distribution`` is another.

    References
    ----------
    ``keras.initializers.VarianceScaling``.

    Examples
    --------
    >>> weights = VarianceScaling(2.0, "fan_in", "uniform", seed=0)((600, 10))
    >>> bool(abs(weights).max() <= 0.1)  # the root of 3 times 2/600
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | np.random.Generator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0, math.sqrt(variance), shape)
        stddev_of_cut_normal = 0.87962566103423978
        return _cut_normal(shape, generator) * (math.sqrt(variance) / stddev_of_cut_normal)


class _Scaled(VarianceScaling):
    """A variance scaling whose numbers have a name."""

    scaling: tuple[float, str, str]

    def __init__(
        self,
        seed: int | np.random.Generator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.scaling, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Scaled):
    """Variance 2 / (fan_in + fan_out), evenly drawn.

    Parameters
    ----------
    seed, input_axes, output_axes
        As for :class:`VarianceScaling`.

    References
    ----------
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks";
    ``keras.initializers.GlorotUniform``.

    Examples
    --------
    >>> round(float(GlorotUniform(seed=0)((100, 300)).var()), 3)  # 2 / (100 + 300)
    0.005
    """

    scaling = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Variance 2 / (fan_in + fan_out), normally drawn.

    Parameters
    ----------
    seed, input_axes, output_axes
        As for :class:`VarianceScaling`.

    References
    ----------
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks";
    ``keras.initializers.GlorotNormal``.

    Examples
    --------
    >>> round(float(GlorotNormal(seed=0)((100, 300)).var()), 3)  # 2 / (100 + 300)
    0.005
    """

    scaling = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Variance 2 / fan_in, evenly drawn; made for ReLU.

    Parameters
    ----------
    seed, input_axes, output_axes
        As for :class:`VarianceScaling`.

    References
    ----------
    He et al. (2015), "Delving deep into rectifiers";
    ``keras.initializers.HeUniform``.

    Examples
    --------
    >>> round(float(HeUniform(seed=0)((100, 300)).var()), 3)  # 2 / 100
    0.02
    """

    scaling = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Variance 2 / fan_in, normally drawn; made for ReLU.

    Parameters
    ----------
    seed, input_axes, output_axes
        As for :class:`VarianceScaling`.

    References
    ----------
    He et al. (2015), "Delving deep into rectifiers";
    ``keras.initializers.HeNormal``.

    Examples
    --------
    >>> round(float(HeNormal(seed=0)((100, 300)).var()), 3)  # 2 / 100
    0.02
    """

    scaling = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Variance 1 / fan_in, evenly drawn.

    Parameters
    ----------
    seed, input_axes, output_axes
        As for :class:`VarianceScaling`.

    References
    ----------
    LeCun et al. (1998), "Efficient backprop";
    ``keras.initializers.LecunUniform``.

    Examples
    --------
    >>> round(float(LecunUniform(seed=0)((100, 300)).var()), 3)  # 1 / 100
    0.01
    """

    scaling = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Variance 1 / fan_in, normally drawn; made for SELU.

    Parameters
    ----------
    seed, input_axes, output_axes
        As for :class:`VarianceScaling`.

    References
    ----------
    LeCun et al. (1998), "Efficient backprop";
    ``keras.initializers.LecunNormal``.

    Examples
    --------
    >>> round(float(LecunNormal(seed=0)((100, 300)).var()), 3)  # 1 / 100
    0.01
    """

    scaling = (1.0, "fan_in", "truncated_normal")


@arguments(gain=Number())
class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times ``gain``.

    Parameters
    ----------
    gain : float
        The factor.
    seed : int or numpy.random.Generator, optional
        As for :class:`Initializer`.

    Raises
    ------
    TypeError, ValueError
        If ``gain`` is no finite number.

    References
    ----------
    Saxe, McClelland and Ganguli (2014), "Exact solutions to the nonlinear dynamics of learning
    in deep linear neural networks"; ``keras.initializers.Orthogonal``.

    Examples
    --------
    >>> W = Orthogonal(seed=0)((2, 2), dtype="float64")
    >>> (W @ W.T).round(6) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """

    def __init__(self, gain: float = 1.0, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64.

        Raises
        ------
        ValueError
            If the shape has fewer than two axes.
        """
        if len(shape) < 2:
            raise ValueError(f"shape must have at least 2 axes, got {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        noise = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(noise)
        q = q * np.sign(np.diag(r))
        return self.gain * (q.T if rows < columns else q).reshape(shape)


# Keras's other names.
constant, zeros, ones, identity = Constant, Zeros, Ones, Identity
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
orthogonal = Orthogonal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

_REGISTRY: dict[str, type[Initializer]] = {
    name: cls
    for cls, snake in (
        (Constant, "constant"),
        (Zeros, "zeros"),
        (Ones, "ones"),
        (RandomNormal, "random_normal"),
        (RandomUniform, "random_uniform"),
        (TruncatedNormal, "truncated_normal"),
        (VarianceScaling, "variance_scaling"),
        (GlorotUniform, "glorot_uniform"),
        (GlorotNormal, "glorot_normal"),
        (HeUniform, "he_uniform"),
        (HeNormal, "he_normal"),
        (LecunUniform, "lecun_uniform"),
        (LecunNormal, "lecun_normal"),
        (Orthogonal, "orthogonal"),
        (Identity, "identity"),
    )
    for name in (cls.__name__, snake)
} | {
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}


def get(identifier: Any) -> Initializer | None:
    """Return the initializer that ``identifier`` means; an array means weights like it.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.

    Examples
    --------
    >>> get("glorot_uniform")((2, 3)).shape
    (2, 3)
    """
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    return _serialization.get(identifier, _REGISTRY, "initializer")


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return Keras's description of an initializer, as plain data.

    Examples
    --------
    >>> serialize(Constant(2.0))["config"]
    {'value': 2.0}
    """
    return _serialization.serialize(initializer, "initializers")


def deserialize(config: Mapping[str, Any]) -> Initializer:
    """Return the initializer that Keras's description means.

    Raises
    ------
    ValueError
        If the class is unknown.
    """
    return _serialization.deserialize(config, _REGISTRY, "initializer")


__getattr__ = partial(refuse, __name__)
