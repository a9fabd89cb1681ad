"""What goes wrong in penalties, whatever their kind: factors, sums over layers, what is summed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._findings import Mistake

NO_M = Mistake(
    "1/m missing",
    "The penalty is not divided by the number of examples, so its weight against the mean cost "
    "changes with the size of the data set.",
    "Compare your factor with the formula: where does m stand?",
)
NO_HALF = Mistake(
    "1/2 missing",
    "The penalty is twice as large as the formula says; the 1/2 is there so that the 2 of the "
    "derivative cancels.",
    "Compare your factor with the formula: it has a 2 below the line.",
)
DIVISION = Mistake(
    "/ 2 * m for / (2 * m)",
    "Python divides and multiplies from left to right, so the result is multiplied by m.",
    "Put what stands below the line in parentheses.",
)
NO_LAMBDA = Mistake(
    "lambda forgotten",
    "The strength of the penalty does not depend on lambda.",
    "Which factor of the formula is missing?",
)
BIASES = Mistake(
    "biases penalized",
    "The penalty counts b as well as W; shrinking a bias moves the whole function and does not "
    "make it simpler.",
    "Sum over W1, W2, ... only.",
)
LAST_SKIPPED = Mistake(
    "last layer skipped",
    "The sum ends one layer too early: range(1, L) stops before L.",
    "Which layers does your loop visit? Print their numbers.",
)
FIRST_SKIPPED = Mistake(
    "first layer skipped",
    "The sum begins one layer too late.",
    "Which layers does your loop visit? Print their numbers.",
)
OVERWRITTEN = Mistake(
    "= for +=",
    "Each round of the loop replaces the sum, so only the last layer counts.",
    "Add to the sum in every round.",
)
RETURNED_EARLY = Mistake(
    "return inside the loop",
    "The function returns in the first round, so only the first layer counts.",
    "Indent return like for, so that it comes after the loop.",
)
MEAN = Mistake(
    "mean for sum",
    "A mean does not grow with the number of weights; the penalty should.",
    "The formula has a sum: np.sum.",
)
ABSOLUTE = Mistake(
    "absolute values for squares",
    "A sum of absolute values is L1; this is L2.",
    "L2 adds the squares of the weights.",
)
SQUARES = Mistake(
    "L1 written as a sum of squares",
    "A sum of squares is L2, whatever it is called.",
    "L1 adds the absolute values of the weights.",
)
NO_ABSOLUTE = Mistake(
    "weights summed as they are",
    "Positive and negative weights cancel, so large weights can cost nothing.",
    "Make every term positive before you add.",
)
SUM_FIRST = Mistake(
    "summed before the absolute value",
    "The absolute value of the sum is not the sum of the absolute values: weights cancel.",
    "Take the absolute value of each weight, then add.",
)
ROOT = Mistake(
    "norm for squared norm",
    "The penalty takes the square root of the sum of squares; np.linalg.norm does.",
    "L2's penalty is the squared norm.",
)

#: Which layers count, and what is summed over.
LAYER_MISTAKES = (LAST_SKIPPED, OVERWRITTEN, FIRST_SKIPPED, RETURNED_EARLY)
FACTOR_MISTAKES = (NO_HALF, NO_M, DIVISION, NO_LAMBDA)


def faulty_layers(wrong: frozenset[str], weights: Sequence[NDArray]) -> Sequence[NDArray]:
    """Return the layers that somebody with the named mistakes sums over."""
    if LAST_SKIPPED.name in wrong:
        weights = weights[:-1]
    if FIRST_SKIPPED.name in wrong:
        weights = weights[1:]
    if RETURNED_EARLY.name in wrong:
        weights = weights[:1]
    return weights[-1:] if OVERWRITTEN.name in wrong else weights


def faulty_sum(wrong: frozenset[str], weights: Sequence[NDArray], power: int) -> float:
    """Return the sum over layers of squares (power 2) or absolute values (power 1)."""
    squared = power == 2
    if ABSOLUTE.name in wrong or SQUARES.name in wrong:
        squared = not squared
    total = 0.0
    for W in faulty_layers(wrong, weights):
        if NO_ABSOLUTE.name in wrong:
            total += W.sum()
        elif SUM_FIRST.name in wrong:
            total += abs(W.sum())
        elif ROOT.name in wrong:
            total += float(np.sqrt(np.sum(W * W)))
        else:
            terms = W * W if squared else np.abs(W)
            total += float(np.mean(terms) if MEAN.name in wrong else np.sum(terms))
    return total


def faulty_factor(wrong: frozenset[str], lam: float, m: int, half: bool) -> float:
    r"""Return the factor before the sum, :math:`\lambda / 2m` or :math:`\lambda / m`."""
    two = 2.0 if half and NO_HALF.name not in wrong else 1.0
    lam = 1.0 if NO_LAMBDA.name in wrong else lam
    if DIVISION.name in wrong:
        return lam / two * m
    return lam / two if NO_M.name in wrong else lam / (two * m)


def draw_weights(rng: np.random.Generator, layers: int) -> list[NDArray]:
    """Return matrices of different shapes, each with a 0, whose sums alternate in sign."""
    shapes = rng.integers(2, 6, (layers, 2))
    weights = [rng.standard_normal(tuple(shape)) for shape in shapes]
    for layer, W in enumerate(weights):
        W.flat[0] = 0.0
        W *= np.sign(W.sum()) * (-1) ** layer
    return weights
