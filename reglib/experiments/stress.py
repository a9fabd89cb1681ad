"""Repeat experiments with other seeds and longer training, to see which conclusions hold."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

VARIABLE = "REGLIB_STRESS"
LENGTHS = ("epochs", "steps")
FACTOR = 4
#: Far beyond the seeds of any experiment.
SHIFT = 1000


def wanted() -> bool:
    """Return whether the environment asks for stress."""
    return bool(os.environ.get(VARIABLE))


def other_seeds(seeds: Sequence[int]) -> list[int]:
    """Return as many other seeds.

    Examples
    --------
    >>> other_seeds([0, 1, 7])
    [1000, 1001, 1007]
    """
    return [seed + SHIFT for seed in seeds]


def longer(function: Callable[..., Any], setting: Mapping[str, Any]) -> dict[str, Any]:
    """Return a setting's arguments with its epochs and steps multiplied by four.

    Raises
    ------
    TypeError
        If one of them is no number.

    Examples
    --------
    >>> longer(lambda seed, lam=0.1, epochs=100: 0, {"lam": 0.2})
    {'lam': 0.2, 'epochs': 400}
    """
    lengths = lengths_of(function, setting)
    for name, value in lengths.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} must be a number to be multiplied under stress, got {value!r}")
    return {**setting, **{name: FACTOR * value for name, value in lengths.items()}}


def lengths_of(function: Callable[..., Any], setting: Mapping[str, Any]) -> dict[str, Any]:
    """Return the epochs and steps that a setting gives, or else the function's signature."""
    parameters = inspect.signature(function).parameters
    given = {name: parameters[name].default for name in LENGTHS if name in parameters}
    found = {name: value for name, value in {**given, **setting}.items() if name in LENGTHS}
    return {name: value for name, value in found.items() if value is not inspect.Parameter.empty}
