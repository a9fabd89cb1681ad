"""How weights start: Keras's initializers, each a callable ``(shape, dtype, generator)``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _serialization, config
from reglib._validation import check_number


def compute_fans(shape: Sequence[int]) -> tuple[float, float]:
    """Return fan-in and fan-out: how many inputs a unit sees and how many units see an input.

    Parameters
    ----------
    shape : sequence of int
        ``(inputs, outputs)`` of a matrix, or ``(*window, inputs, outputs)`` of a convolution.

    Examples
    --------
    >>> compute_fans((64, 128))
    (64, 128)
    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        length = shape[0] if shape else 1
        return length, length
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


class Initializer:
    """Base of all initializers.

    Parameters
    ----------
    seed : int, optional
        Makes every call return the same weights; without it they come from the generator
        that the layer hands over.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return fresh weights of this shape."""
        if self.seed is not None or generator is None:
            generator = np.random.default_rng(self.seed)
        return self.draw(tuple(shape), generator).astype(dtype or config.floatx(), copy=False)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        raise NotImplementedError(f"{type(self).__name__} must define draw")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Return a new initializer from :meth:`get_config`'s result."""
        return cls(**config)


class Constant(Initializer):
    """Every weight is ``value``."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = check_number("value", value)

    def __call__(
        self,
        shape: Sequence[int],
        dtype: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NDArray:
        """Return weights of this shape."""
        return np.full(tuple(shape), self.value, dtype=dtype or config.floatx())


class Zeros(Constant):
    """Every weight is 0."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: there are none."""
        return {}


class Ones(Constant):
    """Every weight is 1."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments: there are none."""
        return {}


class RandomNormal(Initializer):
    """Weights are drawn from N(mean, stddev²)."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = check_number("mean", mean)
        self.stddev = check_number("stddev", stddev, low=0)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        return generator.normal(self.mean, self.stddev, shape)


class RandomUniform(Initializer):
    """Weights are drawn evenly from [minval, maxval)."""

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = check_number("minval", minval)
        self.maxval = check_number("maxval", maxval)

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        return generator.uniform(self.minval, self.maxval, shape)


class _Uniform(Initializer):
    """Weights are drawn evenly with the variance that a subclass asks for."""

    def variance(self, fan_in: float, fan_out: float) -> float:
        """Return the variance that keeps signals level."""
        raise NotImplementedError

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        limit = math.sqrt(3 * self.variance(*compute_fans(shape)))
        return generator.uniform(-limit, limit, shape)


class _Normal(_Uniform):
    """Weights are drawn from a normal cut at two standard deviations."""

    def draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        """Return weights in float64."""
        values = generator.standard_normal(shape)
        while (outside := np.abs(values) > 2).any():
            values[outside] = generator.standard_normal(outside.sum())
        stddev_of_cut_normal = 0.87962566103423978
        scale = math.sqrt(self.variance(*compute_fans(shape))) / stddev_of_cut_normal
        return values * scale


class GlorotUniform(_Uniform):
    """Variance 2 / (fan_in + fan_out), evenly drawn (Glorot and Bengio, 2010)."""

    def variance(self, fan_in: float, fan_out: float) -> float:
        """Return the variance that keeps signals level both ways."""
        return 2 / (fan_in + fan_out)


class GlorotNormal(_Normal, GlorotUniform):
    """Variance 2 / (fan_in + fan_out), normally drawn (Glorot and Bengio, 2010)."""


class HeUniform(_Uniform):
    """Variance 2 / fan_in, evenly drawn; made for ReLU (He et al., 2015)."""

    def variance(self, fan_in: float, fan_out: float) -> float:
        """Return the variance that keeps signals level through ReLU."""
        return 2 / fan_in


class HeNormal(_Normal, HeUniform):
    """Variance 2 / fan_in, normally drawn; made for ReLU (He et al., 2015)."""


class LecunUniform(_Uniform):
    """Variance 1 / fan_in, evenly drawn (LeCun et al., 1998)."""

    def variance(self, fan_in: float, fan_out: float) -> float:
        """Return the variance that keeps signals level."""
        return 1 / fan_in


class LecunNormal(_Normal, LecunUniform):
    """Variance 1 / fan_in, normally drawn; made for SELU (LeCun et al., 1998)."""


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times ``gain`` (Saxe et al., 2014)."""

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = check_number("gain", gain)

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


_REGISTRY: dict[str, type[Initializer]] = {
    name: cls
    for cls, snake in (
        (Constant, "constant"),
        (Zeros, "zeros"),
        (Ones, "ones"),
        (RandomNormal, "random_normal"),
        (RandomUniform, "random_uniform"),
        (GlorotUniform, "glorot_uniform"),
        (GlorotNormal, "glorot_normal"),
        (HeUniform, "he_uniform"),
        (HeNormal, "he_normal"),
        (LecunUniform, "lecun_uniform"),
        (LecunNormal, "lecun_normal"),
        (Orthogonal, "orthogonal"),
    )
    for name in (cls.__name__, snake)
} | {"uniform": RandomUniform, "normal": RandomNormal}


def get(identifier: Any) -> Initializer | None:
    """Return the initializer that ``identifier`` means.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.

    Examples
    --------
    >>> get("glorot_uniform")((2, 3)).shape
    (2, 3)
    """
    return _serialization.get(identifier, _REGISTRY, "initializer")


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return Keras's description of an initializer, as plain data."""
    return _serialization.serialize(initializer, "initializers")


def deserialize(config: Mapping[str, Any]) -> Initializer:
    """Return the initializer that Keras's description means."""
    return _serialization.deserialize(config, _REGISTRY, "initializer")
