"""Mixup: two examples and their targets are blended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case
from reglib.exercises._findings import Mistake
from reglib.exercises._mixing_facts import (
    COPIED,
    DEEP_COPY,
    ELSEWHERE,
    EXCHANGED_WEIGHTS,
    FROZEN,
    LAM,
    OTHER_PARTNER,
    PARTNER_TWICE,
    SEEDED,
    TARGETS,
    TARGETS_LEFT,
    UNIFORM,
    UNSEEDED,
    Facts,
    alike,
    distinct_images,
    many_calls,
    of_targets,
    partners,
    repeated,
    repeats,
    weights,
    with_generator,
)
from reglib.exercises._student_function import Student
from reglib.exercises._task import Aspect, Task
from reglib.textbook import mixing as reference


def _blend_cases(rng: np.random.Generator) -> Iterator[Case]:
    for shape in ((5, 3, 4), (6, 3, 4, 2), (4, 7)):
        x, y = distinct_images(rng, *shape), rng.dirichlet(np.ones(shape[0] + 1), shape[0])
        text = f"{shape[0]} examples of shape {shape[1:]}, alpha = 2, three calls"
        yield Case((x, y, 2.0, [int(rng.integers(2**40)), 3]), text)


def _blended(student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]) -> NDArray:
    rng = np.random.default_rng(seeds[0])
    A, blends = weights(many_calls(student, x, y, alpha, rng, seeds[1])[0], x)
    ones = np.eye(len(x))
    others = A * (1 - ones)
    one_each = (np.sum(others > 1e-4, axis=2) <= 1).all() and others.min() > -1e-4
    everyone_once = (np.sort(partners(A), axis=1) == np.arange(len(x))).all()
    one_for_all = (partners(A) == partners(A)[:, :1]).mean() > 0.7
    mixed = partners(A) != np.arange(len(x))
    own = A.diagonal(axis1=1, axis2=2)
    one_weight = all(np.ptp(w[m]) < 1e-4 for w, m in zip(own, mixed, strict=True) if m.any())
    summed = np.abs(A.sum(axis=2) - 1).max() < 1e-4
    facts = [blends, summed, one_each, everyone_once, one_for_all, one_weight, not alike(A, ones)]
    return np.array(facts, dtype=float)


def _target_facts(
    student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    mixed, targets = many_calls(student, x, y, alpha, np.random.default_rng(seeds[0]), seeds[1])
    return np.array(of_targets(weights(mixed, x)[0], targets, y), dtype=float)


def _weight_cases(rng: np.random.Generator) -> Iterator[Case]:
    for alpha, calls in ((1e6, 3), (0.5, 80)):
        text = f"alpha = {alpha:g} in {calls} calls"
        yield Case((np.eye(8), np.eye(8), alpha, [int(rng.integers(2**40)), calls]), text)


def _weight_facts(
    student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    A, _ = many_calls(student, x, y, alpha, np.random.default_rng(seeds[0]), seeds[1])
    lam = A.diagonal(axis1=1, axis2=2).min(axis=1)
    if seeds[1] < 10:
        return np.array([np.abs(lam - 0.5).max() < 0.01, 1, 1, 1], dtype=float)
    spread = abs(lam.var() * 4 * (2 * alpha + 1) - 1) < 0.5
    partners_seen = len(set(partners(A)[:, 0].tolist())) > 3
    facts = [abs(lam.mean() - 0.5) < 0.25, lam.min() < 0.4, spread, partners_seen]
    return np.array(facts, dtype=float)


def _fresh_blend_cases(rng: np.random.Generator) -> Iterator[Case]:
    seeds = [int(rng.integers(2**40)), 4]
    yield Case((np.eye(8), np.eye(8), 1.0, seeds), "four calls with 8 examples")


def _fresh_blend(
    student: Student, x: NDArray, y: NDArray, alpha: float, seeds: list[int]
) -> NDArray:
    def draw(student: Student, rng: np.random.Generator) -> list[NDArray]:
        A, _ = many_calls(student, x, y, alpha, rng, seeds[1])
        return [A.diagonal(axis1=1, axis2=2).min(axis=1, keepdims=True), partners(A)]

    return repeats(draw, student, seeds[0])


_PARTNER = "rng.permutation(len(x))"
MIXUP = Task(
    "mixup(x, y, alpha, rng)",
    reference=reference.mixup,
    section="Blend and hide",
    hints=(
        "Take two examples and lam = 0.7, and write down both blends and both targets.",
        "Two draws a call: one weight and one permutation. Each is used for images and for "
        "targets.",
    ),
    model=f"""
        lam = {LAM}
        partner = {_PARTNER}
        mixed = lam * x + (1 - lam) * x[partner]
        targets = lam * y + (1 - lam) * y[partner]
        return mixed, targets
    """,
    aspects=(
        Aspect(
            "blend",
            "each example is blended with one partner of the batch, all with one weight",
            Facts(
                _blend_cases,
                call=_blended,
                given=with_generator,
                unchanged=True,
                names=(
                    "are the results blends of examples?",
                    "do the weights sum to 1?",
                    "is there at most one partner?",
                    "is everyone a partner once?",
                    "is one example the partner of all?",
                    "is there one weight for the batch?",
                    "is anything blended?",
                ),
            ),
        ),
        Aspect(
            "targets",
            "targets are blended as their images are",
            Facts(_blend_cases, call=_target_facts, given=with_generator, names=TARGETS),
        ),
        Aspect(
            "weight",
            "the weight comes from Beta(alpha, alpha), and anyone may be a partner",
            Facts(
                _weight_cases,
                call=_weight_facts,
                given=with_generator,
                names=(
                    "is the mean weight near 1/2?",
                    "are some weights below 1/2?",
                    "have the weights the spread of Beta(alpha, alpha)?",
                    "has the first example many partners?",
                ),
            ),
        ),
        Aspect(
            "fresh",
            "weight and partners come from rng, anew at every call",
            Facts(
                _fresh_blend_cases,
                call=_fresh_blend,
                given=with_generator,
                names=repeated("weights", "partners"),
            ),
        ),
    ),
    mistakes=(
        TARGETS_LEFT.written(("lam * y + (1 - lam) * y[partner]", "y")),
        EXCHANGED_WEIGHTS.written(("lam * y + (1 - lam) *", "(1 - lam) * y + lam *")),
        OTHER_PARTNER.written(
            ("y[partner]", "y[rng.permutation(len(y))]"),
            ("x[partner]", "x[rng.permutation(len(x))]"),
        ),
        Mistake(
            "another weight for the targets",
            "Images and targets are blended with different weights.",
            "Draw the weight once, and use it twice.",
        ).written(("targets = lam", "lam = rng.beta(alpha, alpha)\ntargets = lam")),
        Mistake(
            "one weight for each example",
            "Every example has a weight of its own; the task asks for one for the batch. Keras's "
            "layer draws one for each, and that is a good mixup too.",
            "What size has the weight that you draw?",
        ).written(
            (
                (LAM, "rng.beta(alpha, alpha, len(x))"),
                (
                    "mixed = lam * x + (1 - lam)",
                    "wide = lam.reshape(-1, *[1] * (x.ndim - 1))\nmixed = wide * x + (1 - wide)",
                ),
                ("targets = lam", "lam = lam[:, None]\ntargets = lam"),
            )
        ),
        UNIFORM.written(
            (LAM, "rng.random()"),
            (LAM, "rng.beta(alpha, 1)"),
            (LAM, "rng.beta(1, alpha)"),
            (LAM, "rng.beta(1, 1)"),
            (LAM, "0.5"),
            (LAM, "rng.beta(1 / alpha, 1 / alpha)"),
        ),
        Mistake(
            "weight always above 1/2",
            "The larger of lam and 1 - lam is taken, so an example always keeps the larger share. "
            "MixMatch does so; the task does not.",
            "Use the weight as it was drawn.",
        ).written((LAM, "max(lam := rng.beta(alpha, alpha), 1 - lam)")),
        Mistake(
            "same partners at every call",
            "Everyone has the same partner in every call, such as the one in front or the image at "
            "the other end.",
            "Draw the partners from rng.",
        ).written(
            (_PARTNER, "np.arange(len(x))[::-1]"),
            (_PARTNER, "np.roll(np.arange(len(x)), 1)"),
            (_PARTNER, "np.roll(np.arange(len(x)), -1)"),
            (_PARTNER, f"{SEEDED}.permutation(len(x))"),
        ),
        PARTNER_TWICE.written((_PARTNER, "rng.integers(len(x), size=len(x))")),
        Mistake(
            "one partner for all",
            "The whole batch is blended with one and the same example.",
            "How many partners does a batch of n examples need?",
        ).written((_PARTNER, "rng.integers(len(x))")),
        Mistake(
            "weights that do not sum to 1",
            "Both parts have the same factor, or one has none, so blends are too bright or dark.",
            "For lam = 0.3, with which factor does the partner come in?",
        ).written(
            (("(1 - lam) * x", "lam * x"), ("(1 - lam) * y", "lam * y")),
            (("(1 - lam) * x", "x"), ("(1 - lam) * y", "y")),
            ("(1 - lam) * x", "lam * x"),
            ("(1 - lam) * y", "lam * y"),
        ),
        Mistake(
            "nothing blended",
            "Every example is its own partner.",
            "Index with the permutation.",
        ).written((_PARTNER, "np.arange(len(x))"), "x.copy(), y.copy()"),
        Mistake(
            "images not blended",
            "The targets are blended and the images stay as they were.",
            "Both of the pair are blended in the same way.",
        ).written(("lam * x + (1 - lam) * x[partner]", "x")),
        FROZEN.written(("lam = rng", f"rng = {SEEDED}\nlam = rng")),
        ELSEWHERE.written(
            ("lam = rng", f"rng = {UNSEEDED}\nlam = rng"),
            (LAM, "np.random.beta(alpha, alpha)"),
            (_PARTNER, "np.random.permutation(len(x))"),
        ),
        COPIED.written(("lam = rng", f"{DEEP_COPY}lam = rng")),
    ),
    right=(
        """
        order = rng.permutation(len(x))
        lam = rng.beta(alpha, alpha)
        return x * lam + x[order] * (1.0 - lam), y * lam + y[order] * (1.0 - lam)
        """,
        """
        lam = rng.beta(alpha, alpha)
        order = np.arange(len(x))
        rng.shuffle(order)
        return [a[order] + lam * (a - a[order]) for a in (x, y)]
        """,
        """
        first, second = rng.spawn(2)
        lam = float(first.beta(alpha, alpha))
        order = second.permutation(x.shape[0])
        x, y = x.astype(np.float32), y.astype(np.float32)
        return lam * x + (1 - lam) * x[order], lam * y + (1 - lam) * y[order]
        """,
        """
        lam = 1 - rng.dirichlet([alpha, alpha])[0]
        partner = rng.choice(len(x), size=len(x), replace=False)
        mixed = [lam * a + (1 - lam) * x[j] for a, j in zip(x, partner)]
        targets = [lam * b + (1 - lam) * y[j] for b, j in zip(y, partner)]
        return mixed, targets
        """,
        """
        n = len(x)
        weight = rng.beta(alpha, alpha)
        M = weight * np.eye(n) + (1 - weight) * np.eye(n)[rng.permutation(n)]
        return np.tensordot(M, x, axes=1), M @ y
        """,
        """
        order = np.argsort(rng.random(len(x)))
        lam = rng.beta(alpha, alpha)

        def blend(a):
            return lam * a + (1 - lam) * np.take(a, order, axis=0)

        return blend(x), blend(y)
        """,
    ),
)
