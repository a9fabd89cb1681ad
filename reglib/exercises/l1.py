"""Assignment 3, L1 and the elastic net: why do subgradients never give exact zeros."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._findings import Mistake
from reglib.exercises._lasso_fit import LASSO_FIT
from reglib.exercises._messages import Chapter
from reglib.exercises._penalty_mistakes import (
    DIVISION,
    FIRST_ONLY,
    FIRST_SKIPPED,
    HARD_THRESHOLD,
    LAST_ONLY,
    LAST_SKIPPED,
    MEAN,
    NO_ABSOLUTE,
    NO_LAMBDA,
    NO_M,
    NO_RATE,
    ROOT,
    SQUARES,
    SUBGRADIENT,
    SUM_FIRST,
    THRESHOLD_FIRST,
    UPHILL,
    draw_weights,
)
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import sparsity as reference

L2_HALF = Mistake(
    "1/2 where there is none",
    "The 1/2 belongs to squares: their derivative brings a 2, that of an absolute value does not.",
    "Compare your factor with the formula.",
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
SCALED = Mistake(
    "multiplied instead of moved",
    "The weights shrink by a factor; that is what L2 does, and it never reaches 0.",
    "L1 moves every weight by the same amount.",
)
AWAY = Mistake(
    "moved away from 0",
    "The weights beyond the threshold grow instead of shrinking.",
    "Which sign takes a weight nearer to 0?",
)


def _penalty_cases(rng: np.random.Generator) -> Iterator[Case]:
    for layers in (3, 1, 4, 2):
        lam, m = float(rng.uniform(0.2, 3)), int(rng.integers(3, 60))
        text = f"{layers} matrices, lam = {lam:.3g} and m = {m}"
        yield Case((draw_weights(rng, layers), lam, m), text, {"m": m, "lam": lam})


L1_PENALTY = Task(
    "l1_penalty(weights, lam, m)",
    reference=reference.l1_penalty,
    section="The mathematics",
    hints=(
        "What number should a single matrix give? Then add up the layers.",
        "The absolute value of each entry, then the sum over entries and layers, then the factor.",
    ),
    model="""
        total = 0
        for W in weights:
            total += np.sum(np.abs(W))
        return lam / m * total
    """,
    aspects=(
        Aspect(
            "value",
            "the penalty adds up the absolute values of all weights, times lambda over m",
            Comparison(_penalty_cases, "the penalty"),
        ),
    ),
    mistakes=(
        SQUARES.written(("np.abs(W)", "W**2")),
        NO_ABSOLUTE.written(("np.abs(W)", "W")),
        SUM_FIRST.written(
            ("np.sum(np.abs(W))", "np.abs(np.sum(W))"),
            (("np.abs(W)", "W"), ("* total", "* abs(total)")),
        ),
        MEAN.written(("np.sum(", "np.mean(")),
        Mistake(
            "norm of a matrix",
            "np.linalg.norm(W, 1) of a matrix is its largest column sum, and np.linalg.norm(W) the "
            "root of its squares; neither is the sum of all absolute values.",
            "Add up the absolute values of all weights yourself.",
        ).written(
            ("np.sum(np.abs(W))", "np.linalg.norm(W, 1)"),
            ("np.sum(np.abs(W))", "np.linalg.norm(W)"),
        ),
        L2_HALF.written(("lam /", "lam / 2 /")),
        NO_M.written((" / m", "")),
        DIVISION.written(("lam / m", "lam / 2 * m")),
        NO_LAMBDA.written(("lam /", "1 /")),
        LAST_SKIPPED.written(("in weights", "in weights[:-1]")),
        FIRST_SKIPPED.written(("in weights", "in weights[1:]")),
        FIRST_ONLY.written(("\nreturn", "\n    return")),
        LAST_ONLY.written(("+=", "=")),
    ),
    right=(
        "lam / m * sum(np.sum(np.abs(W)) for W in weights)",
        "lam * sum(np.linalg.norm(W.ravel(), 1) for W in weights) / m",
        "(1 / m) * lam * np.abs(np.concatenate([W.ravel() for W in weights])).sum()",
        "lam / m * sum(np.sum(np.sign(W) * W) for W in weights)",
        "lam / m * sum(abs(x) for W in weights for row in W.tolist() for x in row)",
    ),
)


def _beyond(rng: np.random.Generator) -> Iterator[Case]:
    for shape, t in (((7,), rng.uniform(0.3, 0.8)), ((3, 4), 0.0), ((2, 3, 2), rng.uniform(1, 2))):
        w = rng.choice([-1.0, 1.0], shape) * rng.uniform(1.05, 4, shape) * (t or 1.0)
        w.flat[:2] = (-2 * t - 0.1, 2 * t + 0.1)
        yield Case((w, float(t)), f"w of shape {shape}, t = {t:.3g}, |w| above t")


def _within(rng: np.random.Generator) -> Iterator[Case]:
    for shape in ((7,), (3, 4), (2, 3, 2)):
        t = float(rng.uniform(0.3, 0.8))
        w = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.02, 0.98, shape) * t
        w.flat[:4] = (-t / 2, t / 2, t, -t)
        yield Case((w, t), f"w of shape {shape}, t = {t:.3g}, |w| at most t")
    yield Case((np.zeros(3), 0.5), "w = 0")


_SHRUNK = "np.maximum(np.abs(w) - t, 0)"
SOFT_THRESHOLD = Task(
    "soft_threshold(w, t)",
    reference=reference.soft_threshold,
    section="The proximal step",
    hints=(
        "Take one weight, w = 2 and then w = -2, with t = 0.5: where should each land?",
        "A weight has a sign and a size. Which of the two does the threshold change, and how "
        "small may it get?",
    ),
    model=f"np.sign(w) * {_SHRUNK}",
    aspects=(
        Aspect("shrink", "weights beyond t move towards 0 by t", Comparison(_beyond)),
        Aspect("zeros", "weights within t become exactly 0", Comparison(_within, exact_zeros=True)),
    ),
    mistakes=(
        HARD_THRESHOLD.written("np.where(np.abs(w) > t, w, 0.0)", "np.where(abs(w) >= t, w, 0.0)"),
        NOT_CLIPPED.written((_SHRUNK, "(np.abs(w) - t)")),
        NO_SIGN.written(("np.sign(w) * ", ""), "np.maximum(w - t, 0)"),
        SCALED.written("w * (1 - t)", "w / (1 + t)"),
        Mistake(
            "t subtracted from negative weights too",
            "A negative weight moves away from 0.",
            "Negative weights move up: the direction is that of -sign(w).",
        ).written("np.where(np.abs(w) > t, w - t, 0.0)"),
        AWAY.written("np.sign(w) * (np.abs(w) + t) * (np.abs(w) > t)", "w + t * np.sign(w)"),
        Mistake(
            "nothing shrunk",
            "The weights come back as they were.",
            "Subtract t from the size of each weight.",
        ).written("w"),
        Mistake(
            "what is cut off, not what is left",
            "np.clip(w, -t, t) is the part that the threshold takes away.",
            "Subtract it from w.",
        ).written("np.clip(w, -t, t)"),
        Mistake(
            "t halved",
            "The weights move by t / 2; the 1/2 before the square is gone in its derivative.",
            "Which v makes v - w + t sign(v) zero?",
        ).written(("- t", "- t / 2")),
        Mistake(
            "small, but not zero",
            "Weights within the threshold come out tiny instead of exactly 0.",
            "np.maximum(..., 0) gives an exact 0.",
        ).written((_SHRUNK, "np.maximum(np.abs(w) - t, 1e-12)"), f"np.sign(w) * {_SHRUNK} + 1e-12"),
        Mistake(
            "weights within t left as they are",
            "Only weights beyond the threshold move; those within it should become 0.",
            "What is left of a weight that is smaller than t?",
        ).written(
            "np.where(np.abs(w) > t, w - t * np.sign(w), w)",
            "np.where(np.abs(w) >= t, w - t * np.sign(w), w)",
        ),
        Mistake(
            "np.max for np.maximum",
            "np.max finds the largest entry; its second argument is an axis.",
            "np.maximum(a, 0) compares entry by entry.",
        ).written(("np.maximum", "np.max")),
    ),
    right=(
        """
        out = np.zeros_like(w)
        out[w > t] = w[w > t] - t
        out[w < -t] = w[w < -t] + t
        return out
        """,
        """
        flat = [x - t if x > t else x + t if x < -t else 0 for x in w.ravel()]
        return np.array(flat).reshape(w.shape)
        """,
        "w - np.clip(w, -t, t)",
        "np.maximum(w - t, 0) - np.maximum(-w - t, 0)",
        "np.where(np.abs(w) > t, w - t * np.sign(w), 0)",
        "np.copysign(np.maximum(np.abs(w) - t, 0.0), w)",
    ),
)


def _step_cases(rng: np.random.Generator, penalized: bool) -> Iterator[Case]:
    for shape in ((9,), (4, 5), (3, 2, 4)):
        w, grad = rng.standard_normal(shape), rng.standard_normal(shape)
        lr, lam = float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.5, 2)) * penalized
        w.flat[:3] = (0.05 * lr, -0.05 * lr, 0)
        grad.flat[:3] = (0.1, 0.1, -0.1)
        text = f"w of shape {shape}, lr = {lr:.3g} and lam = {lam:.3g}"
        yield Case((w, grad, lr, lam), text, {"lr": lr, "lam": lam} if penalized else {"lr": lr})


_STEP = "soft_threshold(w - lr * grad, lr * lam)"
PROXIMAL_STEP = Task(
    "proximal_step(w, grad, lr, lam)",
    reference=reference.proximal_step,
    section="The proximal step",
    hints=(
        "Two steps in turn: the first knows only the loss, the second only the penalty.",
        "Your soft_threshold does the second step. Its t follows from lam and from the length of "
        "the step.",
    ),
    given={"soft_threshold": reference.soft_threshold},
    model=f"return {_STEP}",
    aspects=(
        Aspect(
            "step",
            "without a penalty it is a gradient step",
            Comparison(lambda rng: _step_cases(rng, False), "the new weights"),
        ),
        Aspect(
            "penalty",
            "after the gradient step, the penalty's threshold acts with the same learning rate",
            Comparison(lambda rng: _step_cases(rng, True), "the new weights", exact_zeros=True),
        ),
    ),
    mistakes=(
        SUBGRADIENT.written((_STEP, "w - lr * (grad + lam * np.sign(w))")),
        Mistake(
            "penalty counted twice",
            "lam * sign(w) is added to the gradient, and the threshold follows as well.",
            "grad is that of the loss alone: the threshold is all that the penalty does.",
        ).written(("grad", "(grad + lam * np.sign(w))")),
        NO_RATE.written(("lr * lam", "lam")),
        Mistake(
            "threshold without lambda",
            "The threshold is the learning rate alone, whatever the strength of the penalty is.",
            "With lam = 0, which weights should the threshold set to 0?",
        ).written(("lr * lam", "lr")),
        Mistake(
            "threshold halved",
            "The weights move by half of what the penalty asks for.",
            "The 1/2 belongs to squares.",
        ).written(("lr * lam", "lr * lam / 2")),
        Mistake(
            "lam divided by the learning rate",
            "The smaller the step, the stronger the threshold; it should be the other way round.",
            "What is lam multiplied by?",
        ).written(("lr * lam", "lam / lr")),
        THRESHOLD_FIRST.written((_STEP, "soft_threshold(w, lr * lam) - lr * grad")),
        Mistake(
            "threshold on the gradient",
            "Small gradients become 0, not small weights.",
            "Apply the soft threshold to the result of the gradient step.",
        ).written((_STEP, "w - lr * soft_threshold(grad, lam)")),
        Mistake(
            "threshold forgotten",
            "That is a plain gradient step; no weight becomes exactly 0.",
            "Apply the soft threshold to the result of the gradient step.",
        ).written((_STEP, "w - lr * grad")),
        HARD_THRESHOLD.written(
            (_STEP, "np.where(np.abs(w - lr * grad) > lr * lam, w - lr * grad, 0)")
        ),
        NOT_CLIPPED.written((_STEP, "w - lr * grad - lr * lam * np.sign(w - lr * grad)")),
        NO_SIGN.written(
            (_STEP, f"np.abs({_STEP})"), (_STEP, "np.maximum(w - lr * (grad + lam), 0)")
        ),
        SCALED.written((_STEP, "(1 - lr * lam) * (w - lr * grad)")),
        UPHILL.written(("w - lr", "w + lr")),
        Mistake(
            "gradient ignored",
            "Only the penalty acts; the loss has no say.",
            "Begin with w - lr * grad.",
        ).written((" - lr * grad", "")),
        Mistake(
            "gradient step without the learning rate",
            "The whole gradient is subtracted.",
            "Multiply the gradient by lr.",
        ).written(("lr * grad", "grad")),
    ),
    right=(
        """
        v = w - lr * grad
        out = np.zeros_like(v)
        out[v > lr * lam] = v[v > lr * lam] - lr * lam
        out[v < -lr * lam] = v[v < -lr * lam] + lr * lam
        return out
        """,
        """
        steps = (w - grad * lr).ravel().tolist()
        t = lam * lr
        return np.array([max(abs(x) - t, 0) * (1 if x > 0 else -1) for x in steps]).reshape(w.shape)
        """,
        "(w - lr * grad) - np.clip(w - lr * grad, -lr * lam, lr * lam)",
        "lr * soft_threshold(w / lr - grad, lam)",
        "soft_threshold(np.subtract(w, lr * grad, out=w), lam * lr).tolist()",
    ),
)


def _blends(ratios: tuple[float, ...]) -> Comparison:
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        signs = rng.permutation([1, 1, -1, -1])
        for ratio, shape, sign in zip(
            ratios, ((6,), (3, 4), (2, 2, 3), (5, 1)), signs, strict=True
        ):
            lam, w = float(rng.uniform(0.2, 3)), rng.standard_normal(shape)
            w *= sign * np.sign(w.sum())  # what cancels may do so on either side of 0
            text = f"w of shape {shape}, lam = {lam:.3g} and l1_ratio = {ratio}"
            yield Case((w, lam, ratio), text, {"lam": lam})

    return Comparison(cases, "the penalty")


_RIDGE = "(1 - l1_ratio) / 2 * np.sum(w**2)"
ELASTIC_NET_PENALTY = Task(
    "elastic_net_penalty(w, lam, l1_ratio)",
    reference=reference.elastic_net_penalty,
    section="Elastic net",
    hints=(
        "Put in l1_ratio = 1, then 0: which term should be left, with which factor?",
        "Compute the sum of |w| and the sum of w squared, each into a name of its own; then blend "
        "them.",
    ),
    model=f"lam * (l1_ratio * np.sum(np.abs(w)) + {_RIDGE})",
    aspects=(
        Aspect("lasso", "with l1_ratio = 1 it is the lasso's penalty", _blends((1.0,) * 4), 0.5),
        Aspect("ridge", "with l1_ratio = 0 it is the penalty of ridge", _blends((0.0,) * 4), 0.5),
        Aspect("blend", "l1_ratio blends the two", _blends((0.3, 0.55, 0.8, 0.4))),
    ),
    mistakes=(
        Mistake(
            "1/2 missing before the squares",
            "The squares count twice as much as the task says.",
            "Compare the second term with the formula.",
        ).written((" / 2", "")),
        Mistake(
            "/ 2 on l1_ratio alone",
            "1 - l1_ratio / 2 is not (1 - l1_ratio) / 2.",
            "Put in l1_ratio = 1: what should be left of the second term?",
        ).written(("(1 - l1_ratio) / 2", "(1 - l1_ratio / 2)")),
        Mistake(
            "l1_ratio on the wrong term",
            "With l1_ratio = 1 the penalty should be the lasso's, and here it is ridge's.",
            "Put in l1_ratio = 1 and see which term is left.",
        ).written("lam * ((1 - l1_ratio) * np.sum(np.abs(w)) + l1_ratio / 2 * np.sum(w**2))"),
        Mistake(
            "l1_ratio forgotten",
            "Both terms count fully, whatever l1_ratio is.",
            "Each term has a factor that depends on l1_ratio.",
        ).written((("l1_ratio * ", ""), ("(1 - l1_ratio)", "1"))),
        SQUARES.written(("np.abs(w)", "w**2")),
        NO_ABSOLUTE.written(("np.abs(w)", "w")),
        SUM_FIRST.written(("np.sum(np.abs(w))", "np.abs(np.sum(w))")),
        ROOT.written(("np.sum(w**2)", "np.sqrt(np.sum(w**2))")),
        NO_LAMBDA.written(("lam * ", "")),
        MEAN.written(("np.sum(", "np.mean(")),
        Mistake(
            "1/2 before both terms",
            "Only the squares carry a 1/2.",
            "Put in l1_ratio = 1 and compare with the formula.",
        ).written(("l1_ratio * ", "l1_ratio / 2 * ")),
        Mistake(
            "lambda on the first term only",
            "The squares do not depend on lambda.",
            "Put the sum of both terms in parentheses before you multiply.",
        ).written((("lam * (", "lam * "), ("**2))", "**2)"))),
    ),
    right=(
        "lam * l1_ratio * np.abs(w).sum() + 0.5 * lam * (1 - l1_ratio) * (w**2).sum()",
        """
        one, two = np.linalg.norm(w.ravel(), 1), np.linalg.norm(w)
        return lam * (l1_ratio * one + (1 - l1_ratio) / 2 * two**2)
        """,
        "sum(lam * l1_ratio * abs(x) + lam * (1 - l1_ratio) / 2 * x * x for x in w.ravel())",
        "lam * np.sum(l1_ratio * np.abs(w) + (0.5 - l1_ratio / 2) * w * w)",
        """
        def lasso(w):
            return np.abs(w).sum()

        def ridge(w):
            return np.dot(w.ravel(), w.ravel()) / 2

        return lam * l1_ratio * lasso(w) + lam * (1 - l1_ratio) * ridge(w)
        """,
    ),
)

ASSIGNMENT = Assignment(
    Chapter(3, "L1 and elastic net", "03-l1-and-elastic-net"),
    L1_PENALTY,
    SOFT_THRESHOLD,
    PROXIMAL_STEP,
    ELASTIC_NET_PENALTY,
    LASSO_FIT,
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
