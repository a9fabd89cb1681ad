"""Weights whose spread depends on how many numbers go into a unit, or come out of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import (
    Choice,
    Identifier,
    Integer,
    List,
    Number,
    Text,
    arguments,
)
from reglib.initializers.base import Initializer, compute_fans
from reglib.initializers.drawn import cut_normal


def _distribution(name: Any) -> str:
    """Return a distribution's name in lower case; "normal" stands for what Keras draws from."""
    name = Text().check("distribution", name).lower()
    name = "truncated_normal" if name == "normal" else name
    return Choice("truncated_normal", "untruncated_normal", "uniform").check("distribution", name)


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
        return cut_normal(shape, generator) * (math.sqrt(variance) / stddev_of_cut_normal)


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
