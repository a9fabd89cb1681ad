r"""Schedules: how the learning rate changes from step to step.

A schedule takes the number of steps done and returns the rate of the next. An optimizer takes one
in place of a number, ``SGD(CosineDecay(0.1, 1000))``; :mod:`reglib.optimizers` offers them as
``optimizers.schedules``. In the formulas :math:`\eta_0` is the initial rate, :math:`t` the number
of steps done and :math:`T` how many steps the decay takes.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from reglib import _serialization
from reglib._absent import refuse
from reglib._arguments import Flag, Integer, List, Number, Text, arguments
from reglib._validation import naming


@arguments(name=Text())
class LearningRateSchedule(_serialization.Described):
    """Base of all schedules: override ``rate`` and ``get_config``.

    Parameters
    ----------
    name : str, optional
        What the schedule is called; by default its class's name.

    References
    ----------
    ``keras.optimizers.schedules.LearningRateSchedule``.

    Examples
    --------
    >>> class Halving(LearningRateSchedule):
    ...     def rate(self, step):
    ...         return 0.5**step
    >>> Halving()(3)
    0.125
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = type(self).__name__ if name is None else name

    def rate(self, step: float) -> float:
        """Return the learning rate after ``step`` steps."""
        raise NotImplementedError(f"{type(self).__name__} must define rate")

    def __call__(self, step: float) -> float:
        """Return the learning rate after ``step`` steps.

        Raises
        ------
        TypeError
            If ``step`` is no number.
        ValueError
            If it is NaN or infinite.
        """
        return self.rate(Number().check("step", step))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"name": self.name}


@arguments(initial_learning_rate=Number(">= 0"), decay_steps=Number("> 0"))
class _Decay(LearningRateSchedule):
    """What decays share that begin at a rate and take a number of steps."""

    def __init__(self, initial_learning_rate: float, decay_steps: float, name: str) -> None:
        super().__init__(name)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            **super().get_config(),
        }


@arguments(decay_rate=Number(">= 0"), staircase=Flag())
class ExponentialDecay(_Decay):
    r"""A rate that shrinks by the same factor again and again, :math:`\eta_0\, r^{t/T}`.

    Parameters
    ----------
    initial_learning_rate : float
        The rate of the first step, at least 0.
    decay_steps : float
        After how many steps the rate has shrunk by one factor, above 0.
    decay_rate : float
        The factor :math:`r`, at least 0.
    staircase : bool
        Whether to round :math:`t/T` down: the rate then stays as it is for ``decay_steps``.
    name : str
        What the schedule is called.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is out of range.

    References
    ----------
    ``keras.optimizers.schedules.ExponentialDecay``.

    Examples
    --------
    >>> halving = ExponentialDecay(0.8, decay_steps=10, decay_rate=0.5)
    >>> halving(10), halving(20)
    (0.4, 0.2)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, name)
        self.decay_rate = decay_rate
        self.staircase = staircase

    def rate(self, step: float) -> float:
        """Return the learning rate after ``step`` steps."""
        periods = step / self.decay_steps
        if self.staircase:
            periods = math.floor(periods)
        return self.initial_learning_rate * self.decay_rate**periods

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
        }


@arguments(boundaries=List("steps", Number()), values=List(of=Number(">= 0")))
class PiecewiseConstantDecay(LearningRateSchedule):
    """One rate up to each boundary, and another after the last.

    Parameters
    ----------
    boundaries : sequence of float
        Steps in increasing order; a rate still holds at its boundary.
    values : sequence of float
        The rates, at least 0, one more than boundaries.
    name : str
        What the schedule is called.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If the boundaries do not increase or the number of rates does not fit.

    References
    ----------
    ``keras.optimizers.schedules.PiecewiseConstantDecay``.

    Examples
    --------
    >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> schedule(100), schedule(101), schedule(500)
    (0.1, 0.01, 0.001)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        super().__init__(name)
        self.boundaries, self.values = boundaries, values
        if not self.boundaries or sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(f"boundaries must be steps in increasing order, got {boundaries}")
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                "values must be one more than boundaries, "
                f"got values {values} for boundaries {boundaries}"
            )

    def rate(self, step: float) -> float:
        """Return the learning rate after ``step`` steps."""
        return self.values[bisect_left(self.boundaries, step)]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"boundaries": self.boundaries, "values": self.values, **super().get_config()}


@arguments(alpha=Number(">= 0"), warmup_target=Number(">= 0"), warmup_steps=Integer(">= 0"))
class CosineDecay(_Decay):
    r"""A rate that falls along half a wave, :math:`\eta_0((1-\alpha)\frac{1+\cos\pi t/T}2+\alpha)`.

    With a warm-up the rate first rises along a line from :math:`\eta_0` to the target, and the
    decay starts from there.

    Parameters
    ----------
    initial_learning_rate : float
        The rate of the first step, at least 0.
    decay_steps : float
        How many steps the decay takes, above 0.
    alpha : float
        The last rate as a fraction of the first, at least 0.
    name : str
        What the schedule is called.
    warmup_target : float, optional
        The rate after the warm-up, at least 0; without one there is no warm-up.
    warmup_steps : int
        How many steps the warm-up takes, at least 0.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is out of range.

    References
    ----------
    Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts";
    ``keras.optimizers.schedules.CosineDecay``.

    Examples
    --------
    >>> schedule = CosineDecay(0.0, decay_steps=100, warmup_target=0.5, warmup_steps=10)
    >>> schedule(5), schedule(10), round(schedule(60), 12), schedule(110)
    (0.25, 0.5, 0.25, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, name)
        self.alpha = alpha
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def rate(self, step: float) -> float:
        """Return the learning rate after ``step`` steps."""
        start, top = self.initial_learning_rate, self.warmup_target
        if top is None:
            top = start
        elif step < self.warmup_steps:
            return start + (top - start) * step / self.warmup_steps
        else:
            step -= self.warmup_steps
        half_wave = (1 + math.cos(math.pi * min(step / self.decay_steps, 1))) / 2
        return top * ((1 - self.alpha) * half_wave + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


_REGISTRY: dict[str, type[LearningRateSchedule]] = {
    cls.__name__: cls for cls in (CosineDecay, ExponentialDecay, PiecewiseConstantDecay)
}


def serialize(learning_rate_schedule: LearningRateSchedule | None) -> dict[str, Any] | None:
    """Return Keras's description of a schedule, as plain data."""
    with naming("learning_rate_schedule"):
        return _serialization.serialize(learning_rate_schedule, "optimizers.schedules")


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> LearningRateSchedule:
    """Return the schedule that Keras's description means.

    Raises
    ------
    ValueError
        If the class is unknown.

    Examples
    --------
    >>> wave = CosineDecay(0.5, decay_steps=10)
    >>> deserialize(serialize(wave)).get_config() == wave.get_config()
    True
    """
    return _serialization.deserialize(config, _REGISTRY, "schedule", custom_objects)


__getattr__ = partial(refuse, __name__)
