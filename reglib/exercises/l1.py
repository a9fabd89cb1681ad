"""Assignment 3, L1 and the elastic net: why do subgradients never give exact zeros."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, compare
from reglib.exercises._findings import HARD_CODED, Finding, Mistake
from reglib.exercises._penalty_mistakes import (
    DIVISION,
    LAYER_MISTAKES,
    MEAN,
    NO_ABSOLUTE,
    NO_LAMBDA,
    NO_M,
    SQUARES,
    SUM_FIRST,
    draw_weights,
    faulty_factor,
    faulty_sum,
)
from reglib.exercises._student_function import Student
from reglib.exercises.checking import Aspect, Assignment, Chapter, Exercise
from reglib.textbook import sparsity as reference

CHAPTER = Chapter(3, "L1 and elastic net", "03-l1-and-elastic-net")

L2_HALF = Mistake(
    "1/2 where there is none",
    "The 1/2 belongs to squares: their derivative brings a 2, that of an absolute value does not.",
    "Compare your factor with the formula.",
)
HARD_THRESHOLD = Mistake(
    "hard threshold",
    "Small weights become 0, but the others keep their size; the jump at t is not what minimizes "
    "the penalized cost.",
    "Weights beyond the threshold move towards 0 as well: by how much?",
)
NOT_CLIPPED = Mistake(
    "weights pushed across zero",
    "Every weight moves by t towards 0, so a small one lands on the other side instead of on 0.",
    "What should happen to a weight that is nearer to 0 than t?",
)
NO_SIGN = Mistake(
    "sign lost",
    "Negative weights come back positive, or as 0.",
    "Shrink the size of the weight and give it back its sign.",
)
NOT_SHRUNK = Mistake(
    "nothing shrunk",
    "The weights come back as they were.",
    "Subtract t from the size of each weight.",
)
SCALED = Mistake(
    "multiplied instead of moved",
    "The weights shrink by a factor; that is what L2 does, and it never reaches 0.",
    "L1 moves every weight by the same amount.",
)
NO_LR = Mistake(
    "threshold without the learning rate",
    "The threshold is lam, but the step is only lr long, so the penalty acts too strongly.",
    "Both parts of the cost take a step of the same length: what is lam multiplied by?",
)
THRESHOLD_FIRST = Mistake(
    "threshold before the gradient step",
    "The gradient step moves the zeros away again.",
    "First the gradient step, then the threshold.",
)
SUBGRADIENT = Mistake(
    "subgradient step",
    "lam * sign(w) is added to the gradient: a weight then jumps to and fro over 0 and never "
    "rests there.",
    "Use the soft threshold for the penalty's part.",
)
ASCENT = Mistake(
    "step uphill",
    "The gradient is added, so the loss grows.",
    "Gradient descent subtracts.",
)
NO_GRADIENT = Mistake(
    "gradient ignored",
    "Only the penalty acts; the loss has no say.",
    "Begin with w - lr * grad.",
)
NO_THRESHOLD = Mistake(
    "threshold forgotten",
    "That is a plain gradient step; no weight becomes exactly 0.",
    "Apply the soft threshold to the result of the gradient step.",
)
NO_LR_STEP = Mistake(
    "gradient step without the learning rate",
    "The whole gradient is subtracted.",
    "Multiply the gradient by lr.",
)
EN_NO_HALF = Mistake(
    "1/2 missing before the squares",
    "The squares count twice as much as the task says.",
    "Compare the second term with the formula.",
)
EN_SWAPPED = Mistake(
    "l1_ratio on the wrong term",
    "With l1_ratio = 1 the penalty should be the lasso's, and here it is ridge's.",
    "Put in l1_ratio = 1 and see which term is left.",
)
EN_IGNORED = Mistake(
    "l1_ratio forgotten",
    "Both terms count fully, whatever l1_ratio is.",
    "Each term has a factor that depends on l1_ratio.",
)
EN_ROOT = Mistake(
    "norm for squared norm",
    "The second term takes the square root of the sum of squares.",
    "The formula squares the norm.",
)
MATRIX_NORM = Mistake(
    "norm of a matrix",
    "np.linalg.norm(W, 1) of a matrix is its largest column sum, not the sum of all entries.",
    "Add up the absolute values of all weights yourself.",
)
ONE_DIRECTION = Mistake(
    "t subtracted from negative weights too",
    "A negative weight moves away from 0.",
    "Negative weights move up: the direction is that of -sign(w).",
)
CUT_OFF = Mistake(
    "what is cut off, not what is left",
    "np.clip(w, -t, t) is the part that the threshold takes away.",
    "Subtract it from w.",
)
THRESHOLD_DIVIDED = Mistake(
    "lam divided by the learning rate",
    "The smaller the step, the stronger the threshold; it should be the other way round.",
    "What is lam multiplied by?",
)
GRADIENT_THRESHOLDED = Mistake(
    "threshold on the gradient",
    "Small gradients become 0, not small weights.",
    "Apply the soft threshold to the result of the gradient step.",
)
EN_HALF_BOTH = Mistake(
    "1/2 before both terms",
    "Only the squares carry a 1/2.",
    "Put in l1_ratio = 1 and compare with the formula.",
)
EN_LAMBDA_FIRST = Mistake(
    "lambda on the first term only",
    "The squares do not depend on lambda.",
    "Put the sum of both terms in parentheses before you multiply.",
)
NOT_ZERO = Mistake(
    "small, but not zero",
    "Weights within the threshold come out tiny instead of exactly 0.",
    "np.maximum(..., 0) gives an exact 0.",
)


# l1_penalty

_PENALTY_MISTAKES = (
    SQUARES,
    NO_ABSOLUTE,
    SUM_FIRST,
    MEAN,
    MATRIX_NORM,
    L2_HALF,
    NO_M,
    DIVISION,
    NO_LAMBDA,
    *LAYER_MISTAKES,
)


def _faulty_l1(wrong: frozenset[str], weights: Any, lam: float, m: int) -> float:
    half = L2_HALF.name in wrong or DIVISION.name in wrong
    if MATRIX_NORM.name in wrong:
        return lam / m * sum(float(np.linalg.norm(W, 1)) for W in weights)
    return faulty_factor(wrong, lam, m, half=half) * faulty_sum(wrong, weights, 1)


def _l1_value(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for layers in (3, 1, 4, 2):
        lam, m = float(rng.uniform(0.2, 3)), int(rng.integers(3, 60))
        text = f"{layers} matrices, lam = {lam:.3g} and m = {m}"
        cases.append(Case((draw_weights(rng, layers), lam, m), text, {"m": m, "lam": lam}))
    yield from compare(
        student,
        cases,
        reference.l1_penalty,
        faulty=_faulty_l1,
        mistakes=_PENALTY_MISTAKES,
        what="the penalty",
    )


# soft_threshold


def _threshold(wrong: frozenset[str], w: NDArray, t: float) -> NDArray:
    size = np.abs(w)
    if HARD_THRESHOLD.name in wrong:
        return np.where(size > t, w, 0.0)
    if NOT_CLIPPED.name in wrong:
        return w - t * np.sign(w)
    if NOT_SHRUNK.name in wrong:
        return w
    if SCALED.name in wrong:
        return w * (1 - t)
    if ONE_DIRECTION.name in wrong:
        return np.where(size > t, w - t, 0.0)
    if CUT_OFF.name in wrong:
        return np.clip(w, -t, t)
    shrunk = np.maximum(size - t, 0)
    return shrunk if NO_SIGN.name in wrong else np.sign(w) * shrunk


def _threshold_one_sided(wrong: frozenset[str], w: NDArray, t: float) -> NDArray:
    """As `_threshold`, where a lost sign means that negative weights become 0."""
    return np.maximum(w - t, 0) if NO_SIGN.name in wrong else _threshold(wrong, w, t)


_THRESHOLD_MISTAKES = (
    HARD_THRESHOLD,
    NOT_CLIPPED,
    NO_SIGN,
    SCALED,
    ONE_DIRECTION,
    NOT_SHRUNK,
    CUT_OFF,
)


def _threshold_cases(rng: np.random.Generator, inside: bool) -> Iterator[Case]:
    for shape in ((7,), (3, 4), (2, 3, 2)):
        t = float(rng.uniform(0.3, 0.8))
        size = rng.uniform(0.02, 0.98, shape) * t if inside else rng.uniform(1.05, 4, shape) * t
        sign = rng.choice([-1.0, 1.0], shape)
        sign.flat[:2] = (-1, 1)
        text = f"w of shape {shape}, t = {t:.3g}, |w| {'below' if inside else 'above'} t"
        yield Case((size * sign, t), text, {"t": t})


def _threshold_test(
    inside: bool,
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        cases = list(_threshold_cases(rng, inside))
        if inside:
            cases.append(Case((np.zeros(3), 0.5), "w = 0"))
        for faulty in (_threshold_one_sided, _threshold):
            findings = list(
                compare(
                    student,
                    cases,
                    reference.soft_threshold,
                    faulty=faulty,
                    mistakes=_THRESHOLD_MISTAKES,
                    together=1,
                )
            )
            if not findings or findings[0].mistake is not None:
                break
        yield from findings
        if inside and not findings:
            yield from _exact_zeros(student, cases)

    return test


def _exact_zeros(student: Student, cases: list[Case]) -> Iterator[Finding]:
    for case in cases:
        got = student.numbers(student(*case.arguments), "the result", case.arguments[0].shape)
        if np.any(got != 0):
            yield Finding(f"entries up to {np.abs(got).max():.1g}", "exactly 0", NOT_ZERO)
            return


# proximal_step


def _faulty_step(
    wrong: frozenset[str], w: NDArray, grad: NDArray, lr: float, lam: float
) -> NDArray:
    t = lam if NO_LR.name in wrong else lam / lr if THRESHOLD_DIVIDED.name in wrong else lr * lam
    rate = 1.0 if NO_LR_STEP.name in wrong else lr
    rate = 0.0 if NO_GRADIENT.name in wrong else -rate if ASCENT.name in wrong else rate
    if SUBGRADIENT.name in wrong:
        return w - rate * (grad + lam * np.sign(w))
    if GRADIENT_THRESHOLDED.name in wrong:
        return w - rate * reference.soft_threshold(grad, t / lr)
    if THRESHOLD_FIRST.name in wrong:
        return reference.soft_threshold(w, t) - rate * grad
    stepped = w - rate * grad
    return stepped if NO_THRESHOLD.name in wrong else _threshold(wrong, stepped, t)


_STEP_MISTAKES = (
    SUBGRADIENT,
    NO_LR,
    THRESHOLD_FIRST,
    NO_THRESHOLD,
    HARD_THRESHOLD,
    NOT_CLIPPED,
    ASCENT,
    NO_GRADIENT,
    NO_LR_STEP,
    NO_SIGN,
    SCALED,
    THRESHOLD_DIVIDED,
    GRADIENT_THRESHOLDED,
)


def _step_cases(rng: np.random.Generator, penalized: bool) -> Iterator[Case]:
    for shape in ((9,), (4, 5), (3, 2, 4)):
        w, grad = rng.standard_normal(shape), rng.standard_normal(shape)
        lr, lam = float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.5, 2)) * penalized
        w.flat[:3] = (0.05 * lr, -0.05 * lr, 0)
        grad.flat[:3] = (0.1, 0.1, -0.1)
        text = f"w of shape {shape}, lr = {lr:.3g} and lam = {lam:.3g}"
        yield Case((w, grad, lr, lam), text, {"lr": lr, "lam": lam} if penalized else {"lr": lr})


def _step_test(penalized: bool) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    mistakes = _STEP_MISTAKES if penalized else (ASCENT, NO_GRADIENT, NO_LR_STEP)

    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        yield from compare(
            student,
            _step_cases(rng, penalized),
            reference.proximal_step,
            faulty=_faulty_step,
            mistakes=mistakes,
            together=2,
            what="the new weights",
        )

    return test


# elastic_net_penalty


def _faulty_elastic(wrong: frozenset[str], w: NDArray, lam: float, l1_ratio: float) -> float:
    first, second = l1_ratio, 1 - l1_ratio
    if EN_SWAPPED.name in wrong:
        first, second = second, first
    if EN_IGNORED.name in wrong:
        first = second = 1.0
    if EN_NO_HALF.name not in wrong:
        second = second / 2
    if EN_HALF_BOTH.name in wrong:
        first = first / 2
    add = np.mean if MEAN.name in wrong else np.sum
    absolute, squares = add(np.abs(w)), add(w * w)
    if NO_ABSOLUTE.name in wrong:
        absolute = w.sum()
    if SQUARES.name in wrong:
        absolute = squares
    if EN_ROOT.name in wrong:
        squares = np.sqrt(squares)
    lam = 1.0 if NO_LAMBDA.name in wrong else lam
    if EN_LAMBDA_FIRST.name in wrong:
        return float(lam * first * absolute + second * squares)
    return float(lam * (first * absolute + second * squares))


_ELASTIC_MISTAKES = (
    EN_NO_HALF,
    EN_SWAPPED,
    EN_IGNORED,
    SQUARES,
    NO_ABSOLUTE,
    EN_ROOT,
    NO_LAMBDA,
    MEAN,
    EN_HALF_BOTH,
    EN_LAMBDA_FIRST,
)


def _elastic_test(
    ratios: tuple[float, ...],
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        cases = []
        for ratio, shape in zip(ratios, ((6,), (3, 4), (2, 2, 3)), strict=True):
            lam = float(rng.uniform(0.2, 3))
            text = f"w of shape {shape}, lam = {lam:.3g} and l1_ratio = {ratio}"
            cases.append(Case((rng.normal(0.3, 1, shape), lam, ratio), text, {"lam": lam}))
        yield from compare(
            student,
            cases,
            reference.elastic_net_penalty,
            faulty=_faulty_elastic,
            mistakes=_ELASTIC_MISTAKES,
            together=2,
            what="the penalty",
        )

    return test


ASSIGNMENT = Assignment(
    Exercise(
        "l1_penalty",
        "l1_penalty(weights, lam, m)",
        reference.l1_penalty,
        CHAPTER,
        (Aspect("value", "the result is lam / m times the sum of all |W|", _l1_value),),
        (*_PENALTY_MISTAKES, HARD_CODED),
    ),
    Exercise(
        "soft_threshold",
        "soft_threshold(w, t)",
        reference.soft_threshold,
        CHAPTER,
        (
            Aspect("shrink", "weights beyond t move towards 0 by t", _threshold_test(False)),
            Aspect("zeros", "weights within t become exactly 0", _threshold_test(True)),
        ),
        (*_THRESHOLD_MISTAKES, NOT_ZERO, HARD_CODED),
    ),
    Exercise(
        "proximal_step",
        "proximal_step(w, grad, lr, lam)",
        reference.proximal_step,
        CHAPTER,
        (
            Aspect("step", "with lam = 0 it is a gradient step", _step_test(False)),
            Aspect("penalty", "the step is followed by the right threshold", _step_test(True)),
        ),
        (*_STEP_MISTAKES, HARD_CODED),
    ),
    Exercise(
        "elastic_net_penalty",
        "elastic_net_penalty(w, lam, l1_ratio)",
        reference.elastic_net_penalty,
        CHAPTER,
        (
            Aspect(
                "lasso",
                "with l1_ratio = 1 it is lam times the sum of |w|",
                _elastic_test((1.0,) * 3),
            ),
            Aspect(
                "ridge",
                "with l1_ratio = 0 it is lam / 2 times the sum of w²",
                _elastic_test((0.0,) * 3),
            ),
            Aspect("blend", "l1_ratio blends the two", _elastic_test((0.3, 0.55, 0.8))),
        ),
        (*_ELASTIC_MISTAKES, HARD_CODED),
    ),
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
