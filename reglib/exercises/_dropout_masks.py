"""What every correct mask promises, whatever stream of random numbers it was drawn from.

The mask is 0 or 1, the kept fraction is right, what is kept is divided by it, and a generator
gives a new mask at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import close, differ
from reglib.exercises._dropout_mistakes import (
    DROP_RATE,
    FROZEN,
    MULTIPLIED,
    NO_MASK,
    NO_SCALE,
    NO_SCALE_BACK,
    NOT_ADVANCED,
    NOT_THRESHOLDED,
    ONE_MASK,
    OTHER_SOURCE,
    RANDN,
    REVERSED,
    SCALED_MASK,
    SCALED_TWICE,
)
from reglib.exercises._findings import HARD_CODED, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student

#: The rates that a mask is tried at. At 0.78 a normal variate passes for a uniform one.
RATES = (0.2, 0.5, 0.9)
#: Standard errors that a rate may be off: a correct answer exceeds it once in 4e11 tests.
SIGMAS = 7.0


def _below(t: float) -> float:
    """Return Φ(t), the probability that a standard normal variate is below t."""
    return 0.5 * (1 + erf(t / sqrt(2)))


#: What a wrong comparison keeps, by mistakes: a function of keep_prob.
_KEPT: tuple[tuple[Callable[[float], float], tuple[Mistake, ...]], ...] = (
    (lambda p: 1 - p, (REVERSED,)),
    (_below, (RANDN,)),
    (lambda p: 1 - _below(p), (RANDN, REVERSED)),
    (lambda p: 1 - _below(1 - p), (RANDN,)),
    (lambda p: _below(1 - p), (RANDN, REVERSED)),
)


def _near(rate: float, p: float, n: int) -> bool:
    return abs(rate - p) <= SIGMAS * sqrt(p * (1 - p) / n) + 1e-12


def binary(mask: NDArray) -> bool:
    """Say whether there is nothing but 0 and 1."""
    return bool(np.all((mask == 0) | (mask == 1)))


def _two_valued(mask: NDArray) -> bool:
    """Say whether a mask holds 0 and one other value: a scaled mask."""
    kept = mask[mask != 0]
    return kept.size > 0 and np.ptp(kept) <= 1e-9 and kept[0] > 0


def mask_findings(masks: Sequence[tuple[float, NDArray]], what: str) -> Iterator[Finding]:
    """Yield what is wrong with masks that were drawn at several keep_probs."""
    raw = [(p, mask) for p, mask in masks if not binary(mask)]
    if raw and all(_two_valued(mask) for _, mask in raw):
        p, mask = raw[0]
        yield Finding(
            f"{what} holds 0 and {mask.max():.4g} for keep_prob = {p}", "0 and 1", SCALED_MASK
        )
    elif raw:
        p, mask = raw[0]
        low, high = mask.min(), mask.max()
        came = f"{what} holds {np.unique(mask).size} values from {low:.3g} to {high:.3g}"
        yield Finding(came, "0 and 1 only, or False and True", NOT_THRESHOLDED)
        if low < 0:
            yield Finding(came, "random numbers from [0, 1)", RANDN)
        return
    rates = [(p, float(np.mean(mask != 0)), mask.size) for p, mask in masks]
    if not all(_near(rate, p, n) for p, rate, n in rates):
        yield from _rate_findings(rates, what)
    for p, mask in masks:
        if mask.ndim == 2 and min(mask.shape) > 1 and 0 < np.mean(mask != 0) < 1:
            for shared, whom in ((mask[:, :1], "examples"), (mask[:1], "units")):
                if np.array_equal(mask, np.broadcast_to(shared, mask.shape)):
                    yield Finding(
                        f"all {whom} have the same {what} for keep_prob = {p}",
                        f"every entry of the {mask.shape} is drawn by itself",
                        ONE_MASK,
                    )
                    return


def _rate_findings(rates: Sequence[tuple[float, float, int]], what: str) -> Iterator[Finding]:
    came = "kept " + ", ".join(f"{rate:.1%} with keep_prob = {p}" for p, rate, _ in rates)
    expected = f"the fraction that is 1 in {what} is keep_prob"
    for kept, mistakes in _KEPT:
        if all(_near(rate, kept(p), n) for p, rate, n in rates):
            for mistake in mistakes:
                yield Finding(came, expected, mistake)
            return
    first = rates[0][1]
    same = all(abs(rate - first) < 0.05 for _, rate, _ in rates)
    if same and 0 < first < 1:
        yield Finding(f"{came}: keep_prob makes no difference", expected, HARD_CODED)
    elif same and first in (0, 1):
        what_never = "dropped" if first else "kept"
        yield Finding(f"{came}: nothing is ever {what_never}", expected)
    else:
        yield Finding(came, expected)


def scale_findings(
    cases: Sequence[tuple[float, NDArray, NDArray, NDArray]], what: str
) -> Iterator[Finding]:
    """Yield what is wrong with outputs: (keep_prob, activations, mask, output) of each case."""
    clean = [
        (p, a, (mask != 0).astype(float) if _two_valued(mask) else mask, out)
        for p, a, mask, out in cases
    ]
    if all(close(out, a * mask / p) for p, a, mask, out in clean):
        return
    for factor, mistake in (
        (lambda p: 1.0, NO_SCALE),
        (lambda p: p, MULTIPLIED),
        (lambda p: 1 / (1 - p), DROP_RATE),
        (lambda p: 1 / p**2, SCALED_TWICE),
    ):
        if all(close(out, a * mask * factor(p)) for p, a, mask, out in clean):
            p = clean[0][0]
            yield Finding(
                f"{what} is a * mask * {factor(p):.4g} for keep_prob = {p}",
                f"a * mask * {1 / p:.4g}",
                mistake,
            )
            return
    if all(close(out, a) or close(out, a / p) for p, a, _, out in clean):
        yield Finding(f"{what} has no zero", "zeros where the mask is 0", NO_MASK)
        return
    factors = [float(np.sum(out * a * k) / np.sum((a * k) ** 2)) for _, a, k, out in clean]
    fixed = (
        all(close(out, a * mask * factors[0]) for _, a, mask, out in clean)
        and len({p for p, *_ in clean}) > 1
    )
    if fixed:
        yield Finding(
            f"{what} is a * mask * {factors[0]:.4g}, whatever keep_prob is",
            "a * mask / keep_prob",
            HARD_CODED,
        )
        return
    for p, a, mask, out in clean:
        if not close(out, a * mask / p):
            found = differ(out, a * mask / p, what)
            yield Finding(f"{found.came} (keep_prob = {p})", found.expected)
            return


def fresh_findings(
    draw: Callable[[np.random.Generator], NDArray], seeds: Sequence[int], what: str
) -> Iterator[Finding]:
    """Yield what is wrong with where the randomness comes from."""
    one = np.random.default_rng(seeds[0])
    first, again = draw(one), draw(one)
    other = draw(np.random.default_rng(seeds[1]))
    repeated = draw(np.random.default_rng(seeds[0]))
    if np.ptp(first) == np.ptp(other) == 0:
        yield Finding(f"all entries of the {what} are equal", "some kept, some dropped")
    elif np.array_equal(first, other):
        yield Finding(
            f"two generators with different seeds gave the same {what}",
            "a new mask at every call",
            FROZEN,
        )
    elif np.array_equal(first, again):
        yield Finding(
            f"two calls with one rng gave the same {what}", "a new mask at every call", NOT_ADVANCED
        )
    elif not np.array_equal(first, repeated):
        yield Finding(
            f"two generators with the same seed gave different {what}",
            f"the same {what}: rng is the only source of randomness",
            OTHER_SOURCE,
        )


def two_seeds(rng: np.random.Generator) -> tuple[int, int]:
    """Return two different seeds."""
    first, step = rng.integers(1, 2**31, 2)
    return int(first), int(first + step)


def mask_of(student: Student, mask: Any, shape: tuple[int, ...], what: str = "mask") -> NDArray:
    """Return a mask of the given shape; one row or column for all is named as such."""
    D = student.numbers(mask, what)
    if D.shape != shape and spread(student, D, shape, what).shape == shape:
        came = f"{what} has shape {D.shape}"
        raise BrokenCall(Finding(came, f"{what} has shape {shape}", ONE_MASK))
    return student.numbers(mask, what, shape)


def spread(student: Student, mask: Any, shape: tuple[int, ...], what: str) -> NDArray:
    """Return a mask in full, also where one row or column serves all."""
    D = student.numbers(mask, what)
    try:
        return np.broadcast_to(D, shape)
    except ValueError:
        return student.numbers(mask, what, shape)


def faulty_factor(wrong: frozenset[str], keep_prob: float) -> float:
    """Return the factor of the way back, right or as the named mistakes have it."""
    if NO_SCALE_BACK.name in wrong:
        return 1.0
    if MULTIPLIED.name in wrong:
        return keep_prob
    if SCALED_TWICE.name in wrong:
        return 1 / keep_prob**2
    return 1 / (1 - keep_prob) if DROP_RATE.name in wrong else 1 / keep_prob
