"""Assignment 5, dropout: what is kept, what is scaled, and when it is applied.

Any stream of random numbers will do. What holds for every correct dropout is tested instead, by
summaries of masks and outputs that do not depend on the stream (``_dropout_masks.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._dropout_evaluation import EVALUATION_COST
from reglib.exercises._dropout_masks import (
    KEEP_ALL,
    RATES,
    Statistics,
    binary,
    entry,
    factors,
    of_draws,
    sources,
    spread,
    statistics,
    tell_factors,
    tell_sources,
    tell_statistics,
    unscaled,
)
from reglib.exercises._dropout_mistakes import (
    FROZEN,
    NEW_MASK,
    NO_MASK,
    NO_MASK_BACK,
    NO_SCALE,
    NO_SCALE_BACK,
    NOT_ADVANCED,
    OF_THE_FACTOR,
    OF_THE_MASK,
    ONE_MASK,
    OTHER_SOURCE,
    REVERSED,
    SAME_NUMBER,
    SCALED_MASK,
    SEEDED,
    UNSEEDED,
)
from reglib.exercises._dropout_network_tasks import BACKWARD_PROPAGATION, FORWARD_PROPAGATION
from reglib.exercises._dropout_of_functions import IS_FROZEN, MC_DROPOUT_PREDICT
from reglib.exercises._findings import PAIR_SWAPPED, BrokenCall, Finding, Mistake
from reglib.exercises._messages import Chapter
from reglib.exercises._student_function import Student, shape_of
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import dropout as reference

# dropout_forward


def _given(a: Any, keep_prob: float, seed: int, *training: bool) -> tuple[Any, ...]:
    return a, keep_prob, np.random.default_rng(seed), *training


def _layer(student: Student, a: NDArray, *more: Any) -> tuple[NDArray, Any]:
    out, mask = student.pair(student(*_given(a, *more)), "out", "mask")
    out = entry(student, out, "out", a.shape)
    if binary(out) and shape_of(mask) == a.shape and not binary(mask):
        came = "the first of the pair holds 0 and 1 only, the second does not"
        raise BrokenCall(Finding(came, "the pair (out, mask)", PAIR_SWAPPED))
    return out, mask


def _mask_cases(rng: np.random.Generator) -> Iterator[Case]:
    r, c = 20 * int(rng.integers(3, 5)), int(rng.integers(90, 110))
    shapes = [(r, c), (c, r), (80, 20, 4), (5400,), (60, 100), (2000,)]
    rates = [*rng.permutation(RATES).tolist(), KEEP_ALL]
    text = f"keep_prob = {', '.join(f'{rate:.3g}' for rate in rates)}"
    arrays = [rng.standard_normal(shape) for shape in shapes]
    yield Case((arrays, rates, rng.integers(2**62)), text)


def _masks(student: Student, arrays: Any, rates: Any, seed: int) -> NDArray:
    masks: list[NDArray] = []
    found = []
    for a, keep_prob in zip(arrays, rates, strict=True):
        _, mask = _layer(student, a, keep_prob, seed + len(masks), True)
        masks.append(D := spread(student, mask, a.shape))
        follows = any(np.array_equal(D != 0, made) for made in (a < keep_prob, a > keep_prob))
        found.append(statistics(keep_prob, D, np.size(mask), follows))
    return of_draws(rates, masks, found=found)


def _scaled(student: Student, a: NDArray, keep_prob: float, *more: Any) -> NDArray:
    out, mask = _layer(student, a, keep_prob, *more)
    return np.array(factors(out, a, unscaled(spread(student, mask, a.shape)), 1 / keep_prob))


def _unchanged(student: Student, a: NDArray, *more: Any) -> NDArray:
    return np.array(factors(_layer(student, a, *more)[0], a))


def _layer_cases(*flags: tuple[bool, ...]) -> Callable[[np.random.Generator], Iterator[Case]]:
    """Return what yields activations, a 0 among them, with what is to be passed for training."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        r, c = (int(n) for n in rng.integers((5, 20), (12, 40)))
        for training in flags:
            rates = rng.permutation((0.2, 0.5, 0.8)).tolist()
            for keep_prob, shape in zip(rates, ((r, c), (90,), (4, r, 9)), strict=True):
                a = rng.standard_normal(shape)
                a.flat[:3] = 0.0, -2.0, 150.0
                text = f"a of shape {shape}, keep_prob = {keep_prob}, training "
                text += f"= {training[0]}" if training else "left out"
                arguments = (a, keep_prob, rng.integers(2**62), *training)
                yield Case(arguments, text, {"keep_prob": keep_prob})

    return cases


def _one_shape(rng: np.random.Generator) -> Iterator[Case]:
    yield Case(
        (rng.standard_normal((40, 50)) + 0.01, rng.integers(2**62)),
        "a of shape (40, 50), keep_prob = 0.5",
    )


def _fresh(student: Student, a: NDArray, seed: int) -> NDArray:
    def draw(rng: np.random.Generator) -> list[NDArray]:
        _, mask = student.pair(student(a, 0.5, rng, True), "out", "mask")
        return [spread(student, mask, a.shape)]

    return np.array(sources(draw, seed)[0])


_DRAW = "rng.random(a.shape)"
DROPOUT_FORWARD = Task(
    "dropout_forward(a, keep_prob, rng, training=True)",
    reference=reference.dropout_forward,
    section="The code",
    hints=(
        "Write down for a = [1, 2, 3, 4] and keep_prob = 0.5 what mask and out may be.",
        "A random number for each entry, a comparison, a product and a factor; and an if for "
        "evaluation.",
    ),
    model="""
        def dropout_forward(a, keep_prob, rng, training=True):
            if not training:
                return a, np.ones(a.shape)
            mask = rng.random(a.shape) < keep_prob
            out = a * mask / keep_prob
            return out, mask
    """,
    aspects=(
        Aspect(
            "mask",
            "each entry of mask is 1 with probability keep_prob and 0 otherwise, by itself",
            Statistics(
                _mask_cases,
                call=_masks,
                given=lambda arrays, rates, seed: _given(arrays[0], rates[0], seed, True),
                tell=tell_statistics("mask"),
            ),
        ),
        Aspect(
            "scale",
            "in training, out keeps what your mask keeps, scaled so that its mean stays",
            Comparison(_layer_cases((), (True,)), call=_scaled, given=_given, tell=tell_factors),
        ),
        Aspect(
            "fresh",
            "every call draws a new mask from rng, and from rng alone",
            Comparison(
                _one_shape,
                call=_fresh,
                given=lambda a, seed: _given(a, 0.5, seed, True),
                tell=tell_sources("mask"),
            ),
        ),
        Aspect(
            "evaluation",
            "with training=False, out equals a",
            Comparison(_layer_cases((False,)), call=_unchanged, given=_given, tell=tell_factors),
        ),
    ),
    mistakes=(
        *OF_THE_MASK,
        NO_SCALE.written((" / keep_prob", "")),
        FROZEN.written(("= rng", f"= {SEEDED}")),
        OTHER_SOURCE.written(("= rng", f"= {UNSEEDED}")),
        ONE_MASK.written(
            (_DRAW, "rng.random(a.shape[-1:])"),
            (
                f"{_DRAW} < keep_prob",
                "np.broadcast_to(rng.random(a.shape[1:]), a.shape) < keep_prob",
            ),
            (_DRAW, "rng.random(a.shape[:1] + (1,) * (a.ndim - 1))"),
            (_DRAW, "rng.random()"),
        ),
        SAME_NUMBER.written(
            (
                f"{_DRAW} < keep_prob",
                "rng.permutation(np.arange(a.size) < round(keep_prob * a.size)).reshape(a.shape)",
            ),
            (
                f"{_DRAW} < keep_prob",
                "rng.permutation(np.arange(a.size) < int(keep_prob * a.size)).reshape(a.shape)",
            ),
        ),
        Mistake(
            "activations compared with keep_prob",
            "The mask is made of the activations themselves, so the same units are dropped every "
            "time.",
            "Compare random numbers with keep_prob, one for each activation.",
        ).written((_DRAW, "a"), ((_DRAW, "a"), ("< keep", "> keep"))),
        SCALED_MASK.written(("return out, mask", "return out, mask / keep_prob")),
        NO_MASK.written(("a * mask", "a"), ("a * mask / keep_prob", "a")),
        NOT_ADVANCED.written(("mask = rng", "import copy\n    mask = copy.deepcopy(rng)")),
        Mistake(
            "dropout left on at evaluation",
            "Units are dropped although training is False, so predictions are noisy.",
            "Return the activations as they are when training is False.",
        ).written(("not training", "False")),
        Mistake(
            "dropout off by default",
            "Who leaves training out trains without dropout: the task's signature has "
            "training=True.",
            "Compare your def line with the task's.",
        ).written(
            ("training=True", "training=False"),
            (
                ("training=True", "training=False"),
                ("    if not training:\n        return a, np.ones(a.shape)\n", ""),
                ("return out,", "return out if training else a,"),
            ),
        ),
        Mistake(
            "training and evaluation exchanged",
            "Units are dropped at evaluation and none in training.",
            "For which value of training should out equal a?",
        ).written(("not training", "training")),
        Mistake(
            "scaled at evaluation",
            "Inverted dropout scales during training, so that evaluation needs no factor at all.",
            "Either scale in training or in evaluation. This course scales in training.",
        ).written(("return a,", "return a * keep_prob,"), ("return a,", "return a / keep_prob,")),
    ),
    right=(
        """
        mask = (rng.random(a.shape) > 1 - keep_prob).astype(int)
        return (a * mask / keep_prob, mask) if training else (a, mask)
        """,
        """
        mask = rng.binomial(1, keep_prob, size=a.shape)
        return (np.where(mask, a / keep_prob, 0.0), mask) if training else (a, None)
        """,
        """
        mask = rng.uniform(size=a.shape) <= keep_prob
        if training:
            a *= mask
            a /= keep_prob
        return a, mask
        """,
        """
        mask = rng.choice([1.0, 0.0], size=a.shape, p=[keep_prob, 1 - keep_prob])
        return [(a * mask / keep_prob) if training else a.copy(), mask]
        """,
        """
        a = a.astype("f4")
        mask = np.ones_like(a)
        if training:
            mask[rng.random(a.shape, "f4") >= keep_prob] = 0
        return a * (mask * np.float32(1 / keep_prob if training else 1)), mask
        """,
        """
        child = rng.spawn(1)[0]
        mask = (child.random(a.shape) < keep_prob).astype(np.int8)
        if not training:
            return a.copy(), mask
        return a * mask / keep_prob, mask
        """,
        """
        flat = a.ravel()
        mask = [rng.random() < keep_prob for _ in flat]
        out = [x / keep_prob if kept else 0 for x, kept in zip(flat, mask)]
        out = np.array(out) if training else flat
        return out.reshape(a.shape).tolist(), np.reshape(mask, a.shape)
        """,
        """
        mask = np.asfortranarray(rng.random(a.T.shape).T < keep_prob)
        return (mask * a * (1 / keep_prob), mask) if training else (a, mask)
        """,
    ),
)


# dropout_backward


def _passed_back(student: Student, dout: NDArray, mask: NDArray, keep_prob: float) -> NDArray:
    back = student.numbers(student(dout, mask, keep_prob), "the gradient", dout.shape)
    return np.array(factors(back, dout, mask))


def _way_back(rng: np.random.Generator) -> Iterator[Case]:
    r, c = (int(n) for n in rng.integers((8, 15), (12, 20)))
    for keep_prob, shape in zip((0.25, 0.6, 0.7), ((r, c), (160,), (3, r, 9)), strict=True):
        dout = rng.standard_normal(shape)
        dout.flat[0] = 0
        text = f"dout of shape {shape}, keep_prob = {keep_prob}"
        yield Case((dout, rng.random(shape) < 0.5, keep_prob), text, {"keep_prob": keep_prob})


DROPOUT_BACKWARD = Task(
    "dropout_backward(dout, mask, keep_prob)",
    reference=reference.dropout_backward,
    section="The mathematics",
    hints=(
        "What happens to a unit's gradient where the unit was dropped, and where it was kept?",
        "The way forward multiplies each activation by a number; its derivative is that number.",
    ),
    model="dout * mask / keep_prob",
    aspects=(
        Aspect(
            "value",
            "the gradient passes through the mask and the scaling of the forward pass",
            Comparison(_way_back, call=_passed_back, tell=tell_factors),
        ),
    ),
    mistakes=(
        NO_SCALE_BACK.written((" / keep_prob", "")),
        NO_MASK_BACK.written((" * mask", "")),
        *OF_THE_FACTOR,
        REVERSED.written(("mask", "(1 - mask)")),
        NEW_MASK.written(
            ("* mask", "* (np.random.default_rng().random(mask.shape) < keep_prob)"),
            ("* mask", "* mask * (np.random.default_rng().random(mask.shape) < keep_prob)"),
        ),
    ),
    right=(
        "dout * (mask / keep_prob)",
        "np.where(mask, dout, 0) / keep_prob",
        "np.multiply(dout, mask) * (1 / keep_prob)",
        "(dout * mask / keep_prob).tolist()",
        "np.divide(dout, keep_prob, out=dout) * mask",
        """
        dout = dout.astype("f4")
        return dout * mask / np.float32(keep_prob)
        """,
        """
        dout[~mask] = 0
        return dout / keep_prob
        """,
    ),
)


ASSIGNMENT = Assignment(
    Chapter(5, "Dropout", "05-dropout"),
    DROPOUT_FORWARD,
    DROPOUT_BACKWARD,
    IS_FROZEN,
    FORWARD_PROPAGATION,
    BACKWARD_PROPAGATION,
    MC_DROPOUT_PREDICT,
    EVALUATION_COST,
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
