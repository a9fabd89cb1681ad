"""Random arrays for layers and data of one's own, under Keras's names.

Each function takes a ``seed``: an integer gives the same numbers at every call, a
:class:`SeedGenerator` (or a generator of NumPy) others each time, and so does None, which
:func:`reglib.utils.set_random_seed` makes repeatable. The distributions are Keras's, the streams
NumPy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _seeding, config
from reglib._arguments import Array, Axis, Instance, Integer, Number, Seed, Shape, arguments
from reglib._typing import ArrayLike
from reglib.initializers import TruncatedNormal


@arguments(seed=Seed())
class SeedGenerator:
    """A source of randomness that is used up as it goes.

    Parameters
    ----------
    seed : int, optional
        Makes it repeatable.

    Examples
    --------
    >>> source = SeedGenerator(0)
    >>> bool((uniform((2,), seed=source) != uniform((2,), seed=source)).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self.generator = _seeding.generator(seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Return a new source from :meth:`get_config`'s result."""
        return cls(**config)


Seeds = int | SeedGenerator | np.random.Generator | None
_SEED = (
    Seed()
    | Instance(SeedGenerator, "a SeedGenerator")
    | Instance(np.random.Generator, "a generator")
)
_SHAPE, _NUMBERS = Shape(low=0), Number() | Array()


def _from(seed: Any) -> np.random.Generator:
    return _seeding.shared() if seed is None else _seeding.generator(seed)


def _made(values: Any, dtype: Any) -> NDArray:
    return np.asarray(values).astype(dtype or config.floatx())


@arguments(shape=_SHAPE, mean=_NUMBERS, stddev=_NUMBERS, seed=_SEED)
def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = None,
    seed: Seeds = None,
) -> NDArray:
    r"""Return numbers from :math:`\mathcal N(\mu, \sigma^2)`.

    Examples
    --------
    >>> normal((2, 3), seed=0).shape
    (2, 3)
    """
    return _made(_from(seed).normal(mean, stddev, shape), dtype)


@arguments(shape=_SHAPE, mean=Number(), stddev=Number(">= 0"), seed=_SEED)
def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = None,
    seed: Seeds = None,
) -> NDArray:
    """Return normal numbers; those more than two deviations from the mean are drawn again."""
    return _made(TruncatedNormal(mean, stddev).draw(tuple(shape), _from(seed)), dtype)


@arguments(shape=_SHAPE, minval=_NUMBERS, maxval=_NUMBERS, seed=_SEED)
def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: Any = None,
    seed: Seeds = None,
) -> NDArray:
    """Return numbers from [minval, maxval), all equally likely."""
    return _made(_from(seed).uniform(minval, maxval, shape), dtype)


@arguments(shape=_SHAPE, minval=Integer(), maxval=Integer(), seed=_SEED)
def randint(
    shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Seeds = None
) -> NDArray:
    """Return whole numbers from ``minval`` to before ``maxval``."""
    return _made(_from(seed).integers(minval, maxval, shape), dtype)


@arguments(shape=_SHAPE, seed=_SEED)
def beta(
    shape: Sequence[int], alpha: ArrayLike, beta: ArrayLike, dtype: Any = None, seed: Seeds = None
) -> NDArray:
    """Return shares between 0 and 1: the weights of mixup."""
    return _made(_from(seed).beta(alpha, beta, shape), dtype)


@arguments(shape=_SHAPE, seed=_SEED)
def gamma(shape: Sequence[int], alpha: ArrayLike, dtype: Any = None, seed: Seeds = None) -> NDArray:
    """Return numbers from the gamma distribution of scale 1."""
    return _made(_from(seed).gamma(alpha, size=shape), dtype)


@arguments(shape=_SHAPE, seed=_SEED)
def binomial(
    shape: Sequence[int],
    counts: ArrayLike,
    probabilities: ArrayLike,
    dtype: Any = None,
    seed: Seeds = None,
) -> NDArray:
    """Return how many of ``counts`` trials succeed, as floats."""
    return _made(_from(seed).binomial(np.asarray(counts, int), probabilities, shape), dtype)


@arguments(num_samples=Integer(">= 1"), seed=_SEED)
def categorical(
    logits: ArrayLike, num_samples: int, dtype: Any = "int32", seed: Seeds = None
) -> NDArray:
    """Return classes drawn by their logits (examples, classes), as (examples, num_samples)."""
    logits = np.asarray(logits, float)
    drawn = _from(seed).gumbel(size=(len(logits), num_samples, logits.shape[-1]))
    return _made((logits[:, np.newaxis] + drawn).argmax(axis=-1), dtype)


@arguments(rate=Number("[0, 1]"), seed=_SEED)
def dropout(inputs: ArrayLike, rate: float, noise_shape: Any = None, seed: Seeds = None) -> NDArray:
    """Return inputs of which each is 0 with probability ``rate``, the others scaled up."""
    inputs = np.asarray(inputs)
    shape = inputs.shape if noise_shape is None else noise_shape
    if rate == 1:
        return np.zeros_like(inputs)
    kept = _from(seed).random(shape) >= rate
    return (inputs * kept / (1 - rate)).astype(inputs.dtype)


@arguments(axis=Axis(), seed=_SEED)
def shuffle(x: ArrayLike, axis: int = 0, seed: Seeds = None) -> NDArray:
    """Return a copy whose parts along an axis are in a new order."""
    return _from(seed).permutation(np.asarray(x), axis=axis)


__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
