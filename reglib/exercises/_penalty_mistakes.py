"""What goes wrong in penalties, whatever their kind: factors, sums over layers, what is summed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case
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
NO_PENALTY = Mistake(
    "penalty forgotten",
    "Lambda adds nothing: what came back is the data's part alone.",
    "Compare the number of terms with the task's.",
)
HALF_IN_GRADIENT = Mistake(
    "1/2 or 2 left in the gradient",
    "The derivative of a square brings a 2, which cancels the 1/2 of the penalty.",
    "Differentiate the penalty with respect to one weight, on paper.",
)
PUSHED_AWAY = Mistake(
    "wrong sign",
    "The penalty's gradient is subtracted, so weights are pushed away from 0.",
    "The gradient of a sum is the sum of the gradients.",
)
SIGN_FOR_WEIGHT = Mistake(
    "sign(W) for W",
    "The gradient of L1 is added; the gradient of a square grows with the weight.",
    "Differentiate the square of a weight.",
)
ROWS = Mistake(
    "rows counted for examples",
    "Examples are columns here, and the number of rows is that of features or outputs.",
    "Which entry of the shape (outputs, m) is the number of examples?",
)
ENTRIES = Mistake(
    "entries counted for examples",
    "size is the number of all entries; with several rows they are more than the examples.",
    "Which entry of the shape (outputs, m) is the number of examples?",
)
BIASES = Mistake(
    "biases penalized",
    "The penalty counts b as well as W; shrinking a bias moves the whole function and does not "
    "make it simpler.",
    "Sum over W1, W2, ... only.",
)
LAST_SKIPPED = Mistake(
    "last layer skipped",
    "The sum ends one layer too early; range(1, L), for example, stops before L.",
    "Which layers are added up? Print their numbers.",
)
FIRST_SKIPPED = Mistake(
    "first layer skipped",
    "The sum begins one layer too late.",
    "Which layers are added up? Print their numbers.",
)
LAST_ONLY = Mistake(
    "only the last layer",
    "The other layers do not count; where a loop has = for +=, each round replaces the sum.",
    "Which layers are in the sum when the function returns?",
)
FIRST_ONLY = Mistake(
    "only the first layer",
    "The other layers do not count; where return stands inside a loop, it ends in its first round.",
    "Which layers are added up before the function returns?",
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
SUBGRADIENT = Mistake(
    "subgradient step",
    "lam * sign(w) is added to the gradient: a weight then jumps to and fro over 0 and "
    "never rests there.",
    "Use the soft threshold for the penalty's part.",
)
NO_RATE = Mistake(
    "threshold without the learning rate",
    "The threshold is lam, but the step is only lr long, so the penalty acts too strongly.",
    "Both parts of the cost take a step of the same length: what is lam multiplied by?",
)
THRESHOLD_FIRST = Mistake(
    "threshold before the gradient step",
    "The gradient step moves the zeros away again.",
    "First the gradient step, then the threshold.",
)
UPHILL = Mistake(
    "step uphill",
    "The gradient is added, so the loss grows.",
    "Gradient descent subtracts.",
)
TWO_LEFT = Mistake(
    "2 left in the gradient",
    "The 1/2 before the squares is there so that the 2 of the derivative cancels.",
    "Differentiate the cost of the task.",
)
OTHER_STEPS = Mistake(
    "one step more or less",
    "The loop does not run as often as the task says.",
    "range(n) counts n rounds.",
)
HARD_THRESHOLD = Mistake(
    "hard threshold",
    "Small weights become 0, but the others keep their size; the jump at t is not what minimizes "
    "the penalized cost.",
    "Weights beyond the threshold move towards 0 as well: by how much?",
)


def without_penalty(cases: Iterator[Case]) -> Iterator[Case]:
    """Yield the same cases with 0 for lambda, the last argument."""
    for case in cases:
        m = case.quantities["m"]
        yield Case((*case.arguments[:-1], 0.0), f"m = {m} and lambd = 0", {"m": m})


def draw_weights(rng: np.random.Generator, layers: int) -> list[NDArray]:
    """Return matrices of different shapes, each with a 0, whose sums alternate in sign."""
    shapes = rng.integers(2, 6, (layers, 2))
    weights = [rng.standard_normal(tuple(shape)) for shape in shapes]
    for layer, W in enumerate(weights):
        W.flat[0] = 0.0
        W *= np.sign(W.sum()) * (-1) ** layer
    return weights
