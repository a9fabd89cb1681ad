"""Weights drawn from one distribution, whatever their number."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import (
    Number,
    arguments,
)
from reglib.initializers.base import Initializer


def cut_normal(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
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
        return self.mean + self.stddev * cut_normal(shape, generator)


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
