"""Losses of trainings that tell one stopping rule from another.

All are multiples of a power of 2, so that ties and bars are met exactly, in float32 as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from reglib.exercises._comparison import Case

#: No start of best is as large, no loss beside a neighbor's as small; float32 still holds it.
HUGE = 2.0**100

#: In units of min_delta: exactly at the bar, below it in small steps, slowly up. At the stopping
#: epoch the loss is above the best, so that it is none that a looser rule would keep.
_NEAR_THE_BAR = (
    ((5, 4, 3.5, 3, 2.5, 3.75, 4, 0, 1, 2, 3, 4), 3),
    ((6, 5.5, 5, 4.5, 4.25, 3.75, 3.25, 3, 2.5, 2.25, 3.5, 2.75, 3, 4), 4),
    ((2, 2.5, 3.25, 4, 4.75, 5.25, 1.5, 6), 3),
    ((1, 0, 0.5, 1.5, -2, -1.5, -2.25), 3),
    ((5, 4.5, 4.75, 3.75, 4, 4.25, 5, 0), 3),
)


def _case(
    losses: Sequence[float], patience: int, min_delta: float = 0.0, restore: bool = True
) -> Case:
    told = ", ".join(f"{loss:.4g}" for loss in losses)
    more = f" and min_delta = {min_delta:.4g}" if min_delta else ""
    more += "" if restore else " and restore = False"
    text = f"losses {told}, patience = {patience}{more}"
    return Case((list(losses), patience, min_delta, restore), text)


def _in_order(
    rng: np.random.Generator, ranks: Sequence[int], *, best: float | None = None, scale: float = 1
) -> list[float]:
    """Return losses below 1 in a given order; ``best`` is the smallest of them."""
    levels = np.cumsum(rng.integers(1, 60, max(ranks) + 1)) + rng.integers(1, 400)
    losses = levels[list(ranks)] / 1024
    if best is not None:
        losses += best - losses.min()
    return [float(loss * scale) for loss in losses]


def stopped(rng: np.random.Generator) -> Iterator[Case]:
    """Yield trainings that stop, some of them after the last loss; any smaller loss is better."""
    for ranks, patience in (
        ((7, 5, 6, 4, 6, 5, 0, 1, 2, 3, 1), 2),
        ((3, 2, 2, 2, 1, 1, 1, 1, 0, 2), 3),
        ((4, 2, 3, 0, 1), 1),
        ((1, 3, 2, 4, 3, 5, 4), 4),
        ((5, 3, 1, 2, 4, 2), 3),
    ):
        yield _case(_in_order(rng, ranks), patience)
    # Nothing says how large or small a loss is; 0 and -1 are losses like others, however handy
    # as "nothing yet".
    yield _case(_in_order(rng, (6, 4, 5, 3, 4, 5, 2, 3, 4, 1), scale=HUGE), 2)
    yield _case(_in_order(rng, (5, 4, 3, 2, 3, 4, 1), scale=2.0**-16), 2)
    yield _case(_in_order(rng, (0, 2, 1, 3, 4, 1), best=-0.75), 3)
    for best in (0.0, -1.0):
        yield _case(_in_order(rng, (3, 0, 1, 2, 1, 2), best=best), 3)
    for patience in rng.permutation((2, 3)).tolist():
        ranks = (*rng.integers(0, 8, 7).tolist(), *[8] * patience, *rng.integers(0, 8, 3).tolist())
        yield _case(_in_order(rng, ranks), patience)


def never_stopped(rng: np.random.Generator) -> Iterator[Case]:
    """Yield trainings that end before patience does, one of them by a single epoch."""
    yield _case(_in_order(rng, range(int(rng.integers(5, 9)))[::-1]), 3)
    yield _case(_in_order(rng, (0,)), 1)
    yield _case(_in_order(rng, (3, 4, 2, 1, 2, 3), best=-0.125), 3)


def near_the_bar(rng: np.random.Generator) -> Iterator[Case]:
    """Yield trainings with min_delta that stop."""
    anywhere = rng.choice(np.arange(4, 44), 7, replace=False) / 4
    for number, (units, patience) in enumerate((*_NEAR_THE_BAR, ((*anywhere, 20, 21, 22), 3))):
        min_delta = int(rng.integers(2, 7)) / 256
        losses = min_delta * np.array(units) + (0.375 if number % 2 else -0.25)
        yield _case(losses.tolist(), patience, min_delta)


def best_early_and_late(rng: np.random.Generator) -> Iterator[Case]:
    """Yield short trainings whose best epoch is the last, the first or one between two ties."""
    yield _case(_in_order(rng, (5, 3, 4, 1, 2, 0)), 9)
    yield _case(_in_order(rng, (0, 1, 2), best=-0.375), 2)
    yield _case(_in_order(rng, (2, 2, 1, 2, 0, 1)), 4)


def restored_or_not(rng: np.random.Generator) -> Iterator[Case]:
    """Yield short trainings with both values of restore; the middle ones stop at their end."""
    yield _case(_in_order(rng, (4, 2, 3, 2, 0, 1)), 9)
    yield _case(_in_order(rng, (0, 1, 0, 2)), 3)
    yield _case(_in_order(rng, (3, 1, 2, 1)), 2, restore=False)
    yield _case(_in_order(rng, (1, 2, 0)), 5, restore=False)


Cases = Callable[[np.random.Generator], Iterator[Case]]


def without_restore(cases: Cases) -> Cases:
    """Return cases as they are for the function: losses, patience, min_delta."""

    def of_function(rng: np.random.Generator) -> Iterator[Case]:
        return (Case(case.arguments[:3], case.text) for case in cases(rng))

    return of_function


def with_weights(*several: Cases) -> Cases:
    """Return cases as they are for the class: its options, then losses and weights by epoch.

    The last argument says whether another object is trained beside it; the first case has one.
    """

    def of_class(rng: np.random.Generator) -> Iterator[Case]:
        first = True
        for cases in several:
            for case in cases(rng):
                losses, *options = case.arguments
                shapes = [(3,), (2, 2), (1, 3)][: int(rng.integers(2, 4))]
                weights = [[rng.standard_normal(shape) for shape in shapes] for _ in losses]
                yield Case((*options, losses, weights, first), case.text)
                first = False

    return of_class
