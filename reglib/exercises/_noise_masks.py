"""What the dropout family promises: which entries share a coin, and what the coins multiply.

One function differs from the next in its inputs, in the shape of its coins, and in what they
multiply; a :class:`Noise` says these three. The rest is the same: masks are held against each
other by statistics, outputs by factors (``_dropout_masks.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._dropout_masks import (
    KEEP_ALL,
    RATES,
    Statistics,
    between,
    binary,
    entry,
    factors,
    of_draws,
    sources,
    spread,
    statistics,
    tell_factors,
    tell_sources,
    tell_statistics,
    unscaled,
)
from reglib.exercises._findings import PAIR_SWAPPED, BrokenCall, Finding
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect

Inputs = tuple[Any, ...]
Shape = tuple[int, ...]
#: Standard errors that a moment may be off, and what stands for one that is the same at all rates.
_SIGMAS, _FIXED = 7.0, -1.0
#: The share of a normal distribution within a standard deviation.
_WITHIN = 0.6827


@dataclass(frozen=True)
class Noise:
    """What one function of the family does.

    Parameters
    ----------
    draw : callable
        ``draw(rng, shape)`` returns the inputs that stand before ``keep_prob``.
    coins : callable
        ``coins(*inputs)`` returns the shape of the noise, with 1 where one number serves many.
    whole : callable
        ``whole(*inputs)`` returns what the noise multiplies.
    effect : callable
        ``effect(out, *inputs)`` returns what has become of that.
    shape : callable
        ``shape(*inputs)`` returns the shape of the output.
    many, few : sequence of shapes
        What ``draw`` is given for many coins, and for few entries.
    name : str
        What the noise is called.
    """

    draw: Callable[[np.random.Generator, Shape], Inputs]
    coins: Callable[..., Shape]
    whole: Callable[..., NDArray]
    effect: Callable[..., NDArray]
    shape: Callable[..., Shape]
    many: Sequence[Shape]
    few: Sequence[Shape]
    name: str = "mask"

    def call(
        self, student: Student, inputs: Inputs, keep_prob: float, rng: Any, *training: bool
    ) -> tuple[NDArray, Any]:
        """Return the output, and the noise as it comes."""
        result = student(*inputs, keep_prob, rng, *training)
        out, noise = student.pair(result, "out", self.name)
        if self.name == "mask" and binary(out) and not binary(noise) and np.size(noise) > 1:
            came = "the first of the pair holds 0 and 1 only, the second does not"
            raise BrokenCall(Finding(came, "the pair (out, mask)", PAIR_SWAPPED))
        return entry(student, out, "out", self.shape(*inputs)), noise

    def in_full(self, student: Student, noise: Any, inputs: Inputs) -> NDArray:
        """Return the noise in the shape of what it multiplies."""
        return spread(student, noise, self.whole(*inputs).shape, self.name)

    def numbers(self, noise: NDArray, inputs: Inputs) -> NDArray:
        """Return the noise with each number once, where they are shared as they should be."""
        coins = self.coins(*inputs)
        once = noise[tuple(slice(n if n > 1 else 1) for n in coins)]
        return once.reshape([n for n in coins if n > 1])

    def factors(self, out: NDArray, inputs: Inputs, *more: Any) -> NDArray:
        """Return the least and the largest factor between what came and what went in."""
        return np.array(factors(self.effect(out, *inputs), self.whole(*inputs), *more))


def _cases(noise: Noise, *flags: tuple[bool, ...]) -> Callable[..., Iterator[Case]]:
    """Return what yields inputs of few entries, with what is to be passed for training."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for training in flags:
            rates = rng.permutation((0.3, 0.5, 0.8)).tolist()
            for keep_prob, shape in zip(rates, noise.few, strict=True):
                inputs = noise.draw(rng, shape)
                text = f"{' and '.join(str(np.shape(x)) for x in inputs)}, keep_prob = {keep_prob}"
                text += f", training = {training[0]}" if training else ", training left out"
                arguments = (inputs, keep_prob, rng.integers(2**62), *training)
                yield Case(arguments, text, {"keep_prob": keep_prob})

    return cases


def _given(inputs: Inputs, keep_prob: float, seed: int, *training: bool) -> tuple[Any, ...]:
    return *inputs, keep_prob, np.random.default_rng(seed), *training


def _many(noise: Noise, *rates: float) -> Callable[..., Iterator[Case]]:
    """Return what yields one case: inputs with many coins, one a rate."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        order = rng.permutation(rates).tolist()
        inputs = [noise.draw(rng, noise.many[i % len(noise.many)]) for i in range(len(order))]
        text = f"keep_prob = {', '.join(f'{rate:.3g}' for rate in order)}"
        yield Case((inputs, order, rng.integers(2**62)), text)

    return cases


def _first(several: Any, rates: Any, seed: int) -> tuple[Any, ...]:
    return _given(several[0], rates[0], seed, True)


def of_the_mask(noise: Noise, promise: str) -> Aspect:
    """Return the aspect of a mask: what it holds, how often, and who shares a coin."""

    def masks(student: Student, several: Any, rates: Any, seed: int) -> NDArray:
        kept, found = [], []
        for i, (inputs, keep_prob) in enumerate(zip(several, rates, strict=True)):
            rng = np.random.default_rng(seed + i)
            D = noise.in_full(student, noise.call(student, inputs, keep_prob, rng, True)[1], inputs)
            shared = 0 if keep_prob == KEEP_ALL else _shared(D, noise.coins(*inputs))
            kept.append(coins := noise.numbers(D, inputs))
            row = statistics(keep_prob, coins, coins.size)
            found.append([row[0], keep_prob, 1, 1, shared] if shared else row)
        return of_draws(rates, kept, found=found)

    test = Statistics(
        _many(noise, *RATES, KEEP_ALL),
        call=masks,
        given=_first,
        tell=tell_statistics("mask", fifth="other entries share a coin than should"),
    )
    return Aspect("mask", promise, test)


def _shared(D: NDArray, coins: Shape) -> int:
    """Return 0 if entries share a coin as they should, else a number that tells how they do."""
    same = [bool((D.take([0], axis) == D).all()) for axis in range(D.ndim)]
    if same == [n == 1 for n in coins]:
        return 0
    return 1 + sum(2**axis for axis, is_same in enumerate(same) if is_same)


def of_the_moments(noise: Noise, promise: str) -> Aspect:
    """Return the aspect of Gaussian noise: mean, standard deviation, shape, and who shares it."""

    def moments(student: Student, several: Any, rates: Any, seed: int) -> NDArray:
        found = []
        for i, (inputs, keep_prob) in enumerate(zip(several, rates, strict=True)):
            rng = np.random.default_rng(seed + i)
            e = noise.in_full(student, noise.call(student, inputs, keep_prob, rng, True)[1], inputs)
            if shared := _shared(e, noise.coins(*inputs)):
                found.append([1, 0, _WITHIN, shared])
                continue
            sd, n = sqrt((1 - keep_prob) / keep_prob), e.size
            within = float(np.mean(np.abs(e - e.mean()) < e.std()))
            found.append(
                [
                    _unless_chance(e.mean(), 1, sd / sqrt(n)),
                    _unless_chance(e.std(), sd, sd / sqrt(2 * n)),
                    _unless_chance(within, _WITHIN, 0.5 / sqrt(n)),
                    0,
                ]
            )
        table = np.array(found, dtype=float)
        if np.ptp(table[:, 1]) < 0.06 and table[0, 1]:
            table[:, 1] = _FIXED
        return table.ravel()

    test = _Moments(_many(noise, *RATES), call=moments, given=_first, tell=_tell_moments)
    return Aspect("moments", promise, test)


@dataclass(frozen=True)
class _Moments(Comparison):
    """A comparison of moments, which are not known exactly."""

    def agree(self, got: NDArray, wanted: NDArray) -> bool:
        near = 0.04 + 0.05 * np.abs(wanted)
        return got.shape == wanted.shape and bool(np.all(np.abs(got - wanted) <= near))


def _unless_chance(found: float, promised: float, error: float) -> float:
    """Return what was promised if chance explains what was found."""
    return promised if abs(found - promised) <= _SIGMAS * error else float(found)


def _tell_moments(vector: NDArray) -> str:
    table = vector.reshape(-1, 4)
    if table[:, 3].any():
        return "entries share one number"
    fixed = table[0, 1] == _FIXED
    deviations = "the same at all rates" if fixed else ", ".join(f"{s:.3g}" for s in table[:, 1])
    text = f"the noise has mean {', '.join(f'{m:.3g}' for m in table[:, 0])}; "
    text += f"standard deviation {deviations}; within one of them lie "
    return text + ", ".join(f"{share:.0%}" for share in table[:, 2])


def of_the_scale(noise: Noise, promise: str) -> Aspect:
    """Return the aspect of what the mask keeps and drops, and of the factor."""

    def scaled(student: Student, inputs: Inputs, keep_prob: float, seed: int, *more: bool) -> Any:
        rng = np.random.default_rng(seed)
        out, mask = noise.call(student, inputs, keep_prob, rng, *more)
        D = unscaled(noise.in_full(student, mask, inputs))
        return noise.factors(out, inputs, D, 1 / keep_prob)

    cases = _cases(noise, (), (True,))
    return Aspect("scale", promise, Comparison(cases, call=scaled, given=_given, tell=tell_factors))


def of_the_product(noise: Noise, promise: str) -> Aspect:
    """Return the aspect of outputs that are inputs times the noise."""

    def product(student: Student, inputs: Inputs, keep_prob: float, seed: int, *more: bool) -> Any:
        rng = np.random.default_rng(seed)
        out, came = noise.call(student, inputs, keep_prob, rng, *more)
        e = noise.in_full(student, came, inputs)
        low, high, *_, zero = noise.factors(out, inputs, e)
        return np.array([low, high, zero, np.ptp(e) > 0])

    test = Comparison(_cases(noise, (), (True,)), call=product, given=_given, tell=_tell_product)
    return Aspect("product", promise, test)


def _tell_product(vector: NDArray) -> str:
    low, high, zero, is_noisy = vector
    text = f"out is {between(low, high)} a * noise" if is_noisy else "the noise is a constant"
    return text + f", and up to {zero:.4g} where a is 0" * bool(zero)


def of_the_source(noise: Noise) -> Aspect:
    """Return the aspect of where random numbers come from."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case((noise.draw(rng, noise.many[0]), rng.integers(2**62)), "keep_prob = 0.5")

    def fresh(student: Student, inputs: Inputs, seed: int) -> NDArray:
        def draw(rng: np.random.Generator) -> list[NDArray]:
            _, came = noise.call(student, inputs, 0.5, rng, True)
            return [noise.numbers(noise.in_full(student, came, inputs), inputs)]

        return np.array(sources(draw, seed)[0])

    test = Comparison(
        cases,
        call=fresh,
        given=lambda inputs, seed: _given(inputs, 0.5, seed, True),
        tell=tell_sources(noise.name),
    )
    return Aspect(
        "fresh", f"every call draws a new {noise.name} from rng, and from rng alone", test
    )


def of_evaluation(noise: Noise, promise: str) -> Aspect:
    """Return the aspect of what comes out once training rests."""

    def unchanged(
        student: Student, inputs: Inputs, keep_prob: float, seed: int, *more: bool
    ) -> Any:
        rng = np.random.default_rng(seed)
        out, _ = noise.call(student, inputs, keep_prob, rng, *more)
        return noise.factors(out, inputs)

    test = Comparison(_cases(noise, (False,)), call=unchanged, given=_given, tell=tell_factors)
    return Aspect("evaluation", promise, test)


def numbers(rng: np.random.Generator, shape: Any) -> NDArray:
    """Return numbers well away from 0 that float32 holds exactly."""
    numbers = rng.uniform(0.5, 2, shape).astype(np.float32).astype(np.float64)
    return numbers * (1 - 2 * rng.integers(2, size=shape))
