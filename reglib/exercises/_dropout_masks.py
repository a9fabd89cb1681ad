"""What every correct dropout promises, whatever stream of random numbers its masks come from.

Masks are random, and what is compared must not be. So a mask is told by its statistics (what it
holds, the fraction kept, whether entries go together), an output by the least and the largest
factor between it and the activations, and the source of masks by how far those of several calls
agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Comparison
from reglib.exercises._findings import NO_NUMBERS, BrokenCall, Finding
from reglib.exercises._student_function import Student

#: The rates that a mask is tried at. At 0.78 a normal variate passes for a uniform one.
RATES = (0.2, 0.35, 0.5, 0.7, 0.9)
#: Nothing is dropped, and nothing is divided by 0 where the drop rate stands below the line.
KEEP_ALL = 1 - 1e-9
#: Standard errors that a rate may be off: a correct answer exceeds it once in 4e11 tests.
_SIGMAS = 7.0
#: What stands for the one value beside 0 where a mask holds many, or some below 0.
_MANY, _SIGNED = -1.0, -2.0
_HELD = {1.0: "0 and 1", _MANY: "many values", _SIGNED: "many values, some below 0"}


def binary(mask: Any) -> bool:
    """Say whether there is nothing but 0 and 1."""
    try:
        return bool(np.isin(np.asarray(mask, dtype=float), (0, 1)).all())
    except (TypeError, ValueError):
        return False


def entry(student: Student, value: Any, what: str, shape: Any = None) -> NDArray:
    """Return one of several results as an array; None is no missing return here."""
    if value is None:
        raise BrokenCall(Finding(f"{what} is None", "an array of numbers", NO_NUMBERS))
    return student.numbers(value, what, shape)


def spread(student: Student, mask: Any, shape: tuple[int, ...], what: str = "mask") -> NDArray:
    """Return a mask in full, also where one row or column serves all."""
    D = entry(student, mask, what)
    try:
        return np.broadcast_to(D, shape)
    except ValueError:
        return student.numbers(mask, what, shape)


def unscaled(mask: NDArray) -> NDArray:
    """Return a mask of 0 and 1 where it holds 0 and one other value."""
    return (mask != 0).astype(float) if _held(mask) > 0 else mask


def _held(mask: NDArray) -> float:
    """Return what a mask holds beside 0."""
    low, high = float(mask.min()), float(mask.max())
    if low < 0:
        return _SIGNED
    return (high or 1.0) if np.all((mask == 0) | (mask >= (1 - 1e-6) * high)) else _MANY


# What masks are like


def statistics(keep_prob: float, mask: NDArray, coins: int, follows: bool = False) -> list[float]:
    """Return what a mask holds, the fraction kept, and whether columns, rows, inputs tell it.

    The fraction is ``keep_prob`` itself if so many coins may well have given it.
    """
    D = mask != 0
    rate, table = float(D.mean()), D.reshape(len(D), -1)
    alike = [1.0, 1.0]
    for axis in (0, 1) if D.ndim > 1 and 0 < rate < 1 else ():
        length, sums = table.shape[axis], table.sum(axis=axis)
        # Sums of independent entries have this variance, those of entries that go together more.
        variance = float(sums.var()) / (length * rate * (1 - rate))
        if variance > 8:
            alike[axis], coins = 2.0, min(coins, sums.size)
        elif variance < 0.15 and sums.size >= 60:
            alike[axis] = 0.0
    off = _SIGMAS * sqrt(keep_prob * (1 - keep_prob) / coins) + 1 / coins
    return [_held(mask), keep_prob if abs(rate - keep_prob) <= off else rate, *alike, follows]


def of_draws(rates: Sequence[float], *kinds: Sequence[NDArray], found: Sequence[Any]) -> NDArray:
    """Return the statistics of masks, and whether each keeps its number exactly: coins do not."""
    fixed = any(
        all(abs(np.sum(D != 0) - p * D.size) < 1 for p, D in zip(rates, masks, strict=True))
        for masks in kinds
    )
    return np.array([*np.ravel(found), fixed], dtype=float)


@dataclass(frozen=True)
class Statistics(Comparison):
    """A comparison of masks by their statistics."""

    def agree(self, got: NDArray, wanted: NDArray) -> bool:
        """Say whether two draws are alike; any fixed rate is like any other."""
        got, wanted = (_without_fixed_rate(vector) for vector in (got, wanted))
        return got.shape == wanted.shape and bool(np.all(np.abs(got - wanted) <= 0.05))


def _without_fixed_rate(vector: NDArray) -> NDArray:
    vector = vector.copy()
    rates = vector[:-1].reshape(-1, 5)[:, 1]
    if np.ptp(rates) < 0.06 and rates.min() > 0 and rates.max() < 1:
        rates[:] = 0.5
    return vector


def tell_statistics(
    *names: str, fifth: str = "the activations tell which"
) -> Callable[[NDArray], str]:
    """Return what puts the statistics of the named masks into words; ``fifth`` is the last one."""

    def tell(vector: NDArray) -> str:
        texts = []
        for name, table in zip(names, vector[:-1].reshape(len(names), -1, 5), strict=True):
            held = dict.fromkeys(_HELD.get(x, f"0 and {x:.4g}") for x in table[:, 0].tolist())
            text = f"{name} holds {' or '.join(held)}; kept "
            text += ", ".join(f"{rate:.1%}" for rate in table[:, 1])
            for also, is_so in (
                ("many are dropped together", (table[:, 2:4] == 2).any()),
                ("the same number in each row or column", (table[:, 2:4] == 0).any()),
                (fifth, table[:, 4].any()),
                ("exactly so many at every call", vector[-1]),
            ):
                text += f"; {also}" * bool(is_so)
            texts.append(text)
        return ". ".join(texts)

    return tell


# What is done with them


def factors(out: NDArray, whole: NDArray, mask: Any = 1.0, absent: float = 1.0) -> list[float]:
    """Return the least and largest factor of kept entries, of dropped ones, and what came of 0."""
    D = np.broadcast_to(mask, whole.shape)
    result: list[float] = []
    for where, divisor, default in (
        ((whole != 0) & (D != 0), whole * D, absent),
        ((whole != 0) & (D == 0), whole, 0.0),
    ):
        found = out[where] / divisor[where]
        result += (found.min(), found.max()) if found.size else (default, default)
    return [*result, np.abs(out[whole == 0]).max(initial=0)]


def between(low: float, high: float) -> str:
    """Return a range of factors as a text."""
    same = abs(high - low) <= 1e-4 * abs(high)
    return f"{high:.4g} times" if same else f"between {low:.4g} and {high:.4g} times"


def tell_factors(vector: NDArray) -> str:
    """Put the factors of kept and dropped entries into words."""
    low, high, least, most, zero = vector
    text = f"kept entries come out {between(low, high)}, dropped ones {between(least, most)}"
    return f"{text} as large" + f", and zeros as up to {zero:.4g}" * bool(zero)


# Where they come from


def sources(
    draw: Callable[[np.random.Generator], Sequence[NDArray]], seed: int
) -> tuple[list[float], Sequence[NDArray]]:
    """Return how far masks agree with those of another call, of another seed, of the same."""
    one = np.random.default_rng(seed)
    first, again = draw(one), draw(one)
    others = (again, draw(np.random.default_rng(seed + 1)), draw(np.random.default_rng(seed)))
    return [agreement(D, other[i]) for i, D in enumerate(first) for other in others], first


def agreement(one: NDArray, other: NDArray) -> float:
    """Return how far masks agree beyond chance, 0 if chance explains it; -1 if one is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return -1.0
    D, E = one > one.mean(), other > other.mean()
    chance = float(D.mean() * E.mean() + (1 - D.mean()) * (1 - E.mean()))
    beyond = float(np.mean(D == E)) - chance
    return beyond / (1 - chance) if abs(beyond) > _SIGMAS / 2 / sqrt(one.size) else 0.0


def tell_sources(*names: str) -> Callable[[NDArray], str]:
    """Return what puts the sources of the named masks into words."""

    def tell(vector: NDArray) -> str:
        texts = []
        for name, shares in zip(names, vector[: 3 * len(names)].reshape(-1, 3), strict=True):
            again, other, repeated = (f"{share:.0%}" for share in shares)
            texts.append(
                f"all entries of {name} are equal"
                if (shares < -0.9).any()
                else f"{name} is the same, beyond chance, in {again} of the entries in two calls "
                f"with one rng, in {other} with two seeds, in {repeated} with one seed twice"
            )
        if len(vector) > 3 * len(names) and vector[-1] > 0:
            texts.append(f"{' and '.join(names)} are alike in {vector[-1]:.0%}")
        return ". ".join(texts)

    return tell
