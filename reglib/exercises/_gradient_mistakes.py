"""What goes wrong in a difference quotient, whichever way the weights move."""

from __future__ import annotations

from reglib.exercises._findings import Mistake

ONE_SIDED = Mistake(
    "one-sided difference",
    "One of the two points is w itself. The error of such a quotient shrinks with the step, that "
    "of a central difference with its square.",
    "The two points lie on both sides of w, equally far.",
)
FACTOR_TWO = Mistake(
    "divided by half the distance",
    "The two points are 2 eps apart, so the slope comes out twice as large.",
    "How far apart are your two points?",
)
HALF_MISPLACED = Mistake(
    "/ 2 * eps for / (2 * eps)",
    "Python divides and multiplies from left to right, so the result is multiplied by eps.",
    "Put what stands below the line in parentheses.",
)
SIDES_EXCHANGED = Mistake(
    "signs exchanged",
    "The slope has the wrong sign: the point behind comes first in the difference.",
    "Is your result positive where f grows?",
)
OWN_STEP = Mistake(
    "a step of its own",
    "The step is not eps. Whoever calls the function wants to choose it: the best one depends on f "
    "and on the dtype.",
    "Where in your function does eps stand, and does that line count?",
)
