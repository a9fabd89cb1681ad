"""Assignment 3's contract against itself: what is right passes, what is wrong is named."""

import numpy as np

from reglib.exercises import _penalty_mistakes as shared
from reglib.exercises import l1 as contract
from reglib.exercises._findings import HARD_CODED
from reglib.textbook import sparsity as reference
from reglib.textbook.sparsity import soft_threshold

EXERCISES = contract.ASSIGNMENT.exercises


def by_masks(w, t):
    out = np.zeros_like(w)
    out[w > t] = w[w > t] - t
    out[w < -t] = w[w < -t] + t
    return out


def by_loops(w, t):
    flat = [x - t if x > t else x + t if x < -t else 0 for x in w.ravel()]
    return np.array(flat).reshape(w.shape)


def penalty(factor=lambda lam, m: lam / m, each=lambda W: np.sum(np.abs(W)), layers=slice(None)):
    return lambda weights, lam, m: factor(lam, m) * sum(each(W) for W in weights[layers])


def only_the_last(weights, lam, m):
    for W in weights:
        total = np.sum(np.abs(W))
    return lam / m * total


def elastic(first=lambda r: r, second=lambda r: (1 - r) / 2, one=np.abs, two=np.square):
    return lambda w, lam, r: lam * (first(r) * np.sum(one(w)) + second(r) * np.sum(two(w)))


RIGHT = {
    "l1_penalty": (
        penalty(),
        lambda weights, lam, m: lam * sum(np.linalg.norm(W.ravel(), 1) for W in weights) / m,
        lambda weights, lam, m: (
            (1 / m) * lam * np.abs(np.concatenate([W.ravel() for W in weights])).sum()
        ),
        lambda weights, lam, m: lam / m * sum(np.sum(np.sign(W) * W) for W in weights),
        lambda weights, lam, m: (
            lam / m * sum(abs(x) for W in weights for row in W.tolist() for x in row)
        ),
    ),
    "soft_threshold": (
        by_masks,
        by_loops,
        lambda w, t: w - np.clip(w, -t, t),
        lambda w, t: np.maximum(w - t, 0) - np.maximum(-w - t, 0),
        lambda w, t: np.where(np.abs(w) > t, w - t * np.sign(w), 0),
        lambda w, t: np.copysign(np.maximum(np.abs(w) - t, 0.0), w),
    ),
    "proximal_step": (
        lambda w, grad, lr, lam: by_masks(w - lr * grad, lr * lam),
        lambda w, grad, lr, lam: by_loops(w - grad * lr, lam * lr),
        lambda w, grad, lr, lam: (w - lr * grad) - np.clip(w - lr * grad, -lr * lam, lr * lam),
        lambda w, grad, lr, lam: lr * soft_threshold(w / lr - grad, lam),
        lambda w, grad, lr, lam: soft_threshold(
            np.subtract(w, lr * grad, out=w), lam * lr
        ).tolist(),
    ),
    "elastic_net_penalty": (
        elastic(),
        lambda w, lam, l1_ratio: (
            lam * l1_ratio * np.abs(w).sum() + 0.5 * lam * (1 - l1_ratio) * (w**2).sum()
        ),
        lambda w, lam, r: (
            lam * (r * np.linalg.norm(w.ravel(), 1) + (1 - r) / 2 * np.linalg.norm(w) ** 2)
        ),
        lambda w, lam, r: sum(lam * r * abs(x) + lam * (1 - r) / 2 * x * x for x in w.ravel()),
        lambda w, lam, r: lam * np.sum(r * np.abs(w) + (0.5 - r / 2) * w * w),
    ),
}

WRONG = {
    "l1_penalty": [
        (penalty(each=lambda W: np.sum(W**2)), {shared.SQUARES}, None),
        (
            penalty(each=lambda W: np.sum(W**2), factor=lambda lam, m: lam / 2 / m),
            {shared.SQUARES, contract.L2_HALF},
            None,
        ),
        (penalty(each=np.sum), {shared.NO_ABSOLUTE}, None),
        (penalty(each=lambda W: abs(np.sum(W))), {shared.SUM_FIRST}, None),
        (penalty(factor=lambda lam, m: lam / (2 * m)), {contract.L2_HALF}, None),
        (penalty(factor=lambda lam, m: lam), {shared.NO_M}, None),
        (penalty(factor=lambda lam, m: lam / 2 * m), {shared.DIVISION}, None),
        (penalty(factor=lambda lam, m: 1 / m), {shared.NO_LAMBDA}, None),
        (penalty(factor=lambda lam, m: lam / 11), {HARD_CODED}, None),
        (penalty(layers=slice(None, -1)), {shared.LAST_SKIPPED}, None),
        (penalty(layers=slice(1, None)), {shared.FIRST_SKIPPED}, None),
        (only_the_last, {shared.OVERWRITTEN}, None),
        (penalty(layers=slice(0, 1)), {shared.RETURNED_EARLY}, None),
        (
            lambda weights, lam, m: lam / m * sum(np.mean(np.abs(W)) for W in weights),
            {shared.MEAN},
            None,
        ),
        (
            lambda weights, lam, m: lam / m * sum(np.linalg.norm(W, 1) for W in weights),
            {contract.MATRIX_NORM},
            None,
        ),
    ],
    "soft_threshold": [
        (lambda w, t: np.where(np.abs(w) > t, w, 0), {contract.HARD_THRESHOLD}, "shrink"),
        (lambda w, t: np.maximum(np.abs(w) - t, 0), {contract.NO_SIGN}, "shrink"),
        (lambda w, t: np.maximum(w - t, 0), {contract.NO_SIGN}, "shrink"),
        (lambda w, t: w - t * np.sign(w), {contract.NOT_CLIPPED}, "zeros"),
        (lambda w, t: w * (1 - t), {contract.SCALED}, "zeros"),
        (lambda w, t: w * (1 - t), {contract.SCALED}, "shrink"),
        (lambda w, t: w, {contract.NOT_SHRUNK}, "zeros"),
        (lambda w, t: soft_threshold(w, t) + 1e-12, {contract.NOT_ZERO}, "zeros"),
        (lambda w, t: by_masks(w, 0.5), set(), "shrink"),
        (lambda w, t: np.where(np.abs(w) > t, w - t, 0), {contract.ONE_DIRECTION}, "shrink"),
        (lambda w, t: np.clip(w, -t, t), {contract.CUT_OFF}, "shrink"),
    ],
    "proximal_step": [
        (lambda w, g, lr, lam: w - lr * (g + lam * np.sign(w)), {contract.SUBGRADIENT}, "penalty"),
        (lambda w, g, lr, lam: soft_threshold(w - lr * g, lam), {contract.NO_LR}, "penalty"),
        (
            lambda w, g, lr, lam: soft_threshold(w, lr * lam) - lr * g,
            {contract.THRESHOLD_FIRST},
            "penalty",
        ),
        (lambda w, g, lr, lam: w - lr * g, {contract.NO_THRESHOLD}, "penalty"),
        (
            lambda w, g, lr, lam: np.where(np.abs(w - lr * g) > lr * lam, w - lr * g, 0),
            {contract.HARD_THRESHOLD},
            "penalty",
        ),
        (
            lambda w, g, lr, lam: w - lr * g - lr * lam * np.sign(w - lr * g),
            {contract.NOT_CLIPPED},
            "penalty",
        ),
        (
            lambda w, g, lr, lam: np.abs(soft_threshold(w - lr * g, lr * lam)),
            {contract.NO_SIGN},
            "penalty",
        ),
        (lambda w, g, lr, lam: soft_threshold(w + lr * g, lr * lam), {contract.ASCENT}, "step"),
        (lambda w, g, lr, lam: soft_threshold(w, lr * lam), {contract.NO_GRADIENT}, "step"),
        (lambda w, g, lr, lam: soft_threshold(w - g, lr * lam), {contract.NO_LR_STEP}, "step"),
        (
            lambda w, g, lr, lam: soft_threshold(w - g, lam),
            {contract.NO_LR_STEP, contract.NO_LR},
            "penalty",
        ),
        (
            lambda w, g, lr, lam: soft_threshold(w - lr * g, lam / lr),
            {contract.THRESHOLD_DIVIDED},
            "penalty",
        ),
        (
            lambda w, g, lr, lam: w - lr * soft_threshold(g, lam),
            {contract.GRADIENT_THRESHOLDED},
            "penalty",
        ),
        (lambda w, g, lr, lam: (1 - lr * lam) * (w - lr * g), {contract.SCALED}, "penalty"),
    ],
    "elastic_net_penalty": [
        (elastic(second=lambda r: 1 - r), {contract.EN_NO_HALF}, "blend"),
        (elastic(second=lambda r: 1 - r), {contract.EN_NO_HALF}, "ridge"),
        (elastic(first=lambda r: 1 - r, second=lambda r: r / 2), {contract.EN_SWAPPED}, "blend"),
        (elastic(first=lambda r: 1, second=lambda r: 0.5), {contract.EN_IGNORED}, "blend"),
        (elastic(one=np.square), {shared.SQUARES}, "lasso"),
        (elastic(one=lambda w: w), {shared.NO_ABSOLUTE}, "lasso"),
        (
            lambda w, lam, r: lam * (r * np.abs(w).sum() + (1 - r) / 2 * np.linalg.norm(w)),
            {contract.EN_ROOT},
            "ridge",
        ),
        (lambda w, lam, r: elastic()(w, 1.0, r), {shared.NO_LAMBDA}, "blend"),
        (lambda w, lam, r: elastic()(w, 0.3, r), {HARD_CODED}, "blend"),
        (lambda w, lam, r: elastic()(w, lam, r) / w.size, {shared.MEAN}, "blend"),
        (elastic(first=lambda r: r / 2), {contract.EN_HALF_BOTH}, "blend"),
        (
            lambda w, lam, r: lam * r * np.abs(w).sum() + (1 - r) / 2 * np.sum(w**2),
            {contract.EN_LAMBDA_FIRST},
            "blend",
        ),
    ],
}


def test_a_plain_gradient_step_keeps_the_points_for_the_step(verdict):
    answer = lambda w, grad, lr, lam: w - lr * grad  # noqa: E731
    assert verdict(EXERCISES["proximal_step"], answer, "step") is None


def test_the_textbooks_subgradient_never_rests_at_zero_and_its_proximal_step_does():
    w = proximal = np.array([1.0, 0.05])
    for _ in range(50):
        w = w - 0.1 * (np.array([0.2, 0.0]) + 0.3 * np.sign(w))
        proximal = reference.proximal_step(proximal, np.array([0.2, 0.0]), 0.1, 0.3)
    assert np.count_nonzero(w) == 2
    assert proximal[1] == 0


def test_every_mistake_that_the_contracts_list_is_tried_here():
    for name, exercise in EXERCISES.items():
        tried = {mistake for _, mistakes, _ in WRONG[name] for mistake in mistakes}
        assert set(exercise.mistakes) <= tried | {HARD_CODED}
