"""Costs whose penalty is not on the weights alone: activations, or what a notebook holds.

The line that many copy squares A1, A2 and A3 and calls the sum L1; A1 and A2 are no arguments of
the cost. Such an answer breaks down, or adds a number of the notebook's to every cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, close, show
from reglib.exercises._findings import SIGNATURE, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student, lend
from reglib.textbook.network import compute_cost

ACTIVATIONS = Mistake(
    "penalty on activations",
    "The penalty is computed from what the layers put out, not from the weights; it then punishes "
    "inputs and leaves large weights alone.",
    "Regularization restrains parameters: which of your sums holds no parameter?",
)
TWO_PENALTIES = Mistake(
    "a second penalty added",
    "The cost holds another penalty beside the one that was asked for.",
    "Return the cross-entropy plus the L2 penalty, nothing else.",
)
SECOND_OF_SQUARES = Mistake(
    "L1 written as a sum of squares",
    "If the second penalty is meant to be L1: a sum of squares is L2, whatever it is called.",
    "L1 adds absolute values; here neither a second L2 nor an L1 is asked for.",
)
OUTSIDE = Mistake(
    "values from outside the function",
    "Part of the cost does not come from the arguments and stays the same for every network.",
    "Use nothing but the arguments: a variable of the notebook belongs to another network.",
)
COPIED = Mistake(
    "copied with its faults",
    "The line that squares A1, A2 and A3 and calls the sum L1 has three: L1 is a sum of absolute "
    "values, not of squares; a penalty is on weights, not on activations; and the task asks for "
    "one penalty, not for two.",
    "Delete that line, and compare the rest with the formula.",
)


def what_lambda_adds(student: Student, A3: Any, Y: Any, parameters: Any, lambd: float) -> NDArray:
    """Return the penalty within a cost."""
    with_it = student.numbers(student(A3, Y, parameters, lambd), "the cost", ())
    return with_it - student.numbers(student(A3, Y, parameters, 0.0), "the cost", ())


def penalty_on_activations(
    student: Student, cases: Sequence[Case], lent: bool = False
) -> Iterator[Finding]:
    """Yield findings if squares of A3, or a constant, explain what lambda adds beside the weights.

    Parameters
    ----------
    student : Student
        The answer.
    cases : sequence of Case
        More of them than terms, so that no other answer fits by chance.
    lent : bool
        Whether A1 and A2 have been lent to the answer: then a constant is ours.
    """
    terms, sums = [], []
    for case in cases:
        A3, Y, parameters, lambd = case.arguments
        weights = sum(float(np.sum(parameters[name] ** 2)) for name in ("W1", "W2", "W3"))
        terms.append((float(np.sum(A3**2)), 1.0, weights))
        sums.append(float(what_lambda_adds(student, *case.arguments)) * 2 * Y.shape[1] / lambd)
    (squares, constant, own), *_ = np.linalg.lstsq(np.array(terms), np.array(sums), rcond=None)
    if not close(np.array(terms) @ (squares, constant, own), sums):
        return
    if squares > 1e-6:
        came = f"lambd / 2m stands before {show(squares)} times the sum of squares of A3"
        yield Finding(came, "a penalty on the weights alone", ACTIVATIONS)
        if own > 1e-6:
            yield Finding(came, "a penalty on the weights alone", TWO_PENALTIES)
            yield Finding(came, "a penalty on the weights alone", SECOND_OF_SQUARES)
    if abs(constant) > 1e-6 and not lent:
        came = f"lambd / 2m stands before {show(constant)}, whatever the network is"
        yield Finding(came, "a penalty on the weights that were given", OUTSIDE)


def lent_activations(
    student: Student, broken: BrokenCall, cases: Sequence[Case]
) -> Iterator[Finding]:
    """Yield further faults of a cost that asks for activations which nobody gives it."""
    asked = sorted(set(re.findall(r"'(A[12])'", str(broken.error))))
    if not asked and broken.finding.mistake is not SIGNATURE:
        return
    if asked:
        came = f"the function asks for {', '.join(asked)}"
        yield Finding(came, "weights W1, W2, ... only", ACTIVATIONS)
    for call in _with_activations(student.function):
        try:
            lent = Student(call, student.name, student.signature)
            findings = list(penalty_on_activations(lent, cases, lent=True))
        except BrokenCall:
            continue
        if findings:
            yield from findings
            return
    if asked:
        came = f"a line with {', '.join(asked)} in it"
        yield Finding(came, "the L2 penalty alone", COPIED)


def _with_activations(function: Any) -> Iterator[Any]:
    """Yield the ways in which a cost may take A1 and A2: by name, or as further arguments."""
    rng = np.random.default_rng(3)
    A1, A2 = rng.random((4, 6)), rng.random((3, 6))
    named = lend(function, {"A1": A1, "A2": A2}, {"compute_cost": compute_cost}) or function
    yield lambda A3, Y, P, lambd: named(A3, Y, {**P, "A1": A1, "A2": A2}, lambd)
    yield lambda A3, Y, P, lambd: function(A3, Y, P, lambd, A1, A2)
    yield lambda A3, Y, P, lambd: function(A1, A2, A3, Y, P, lambd)
