"""Assignment 5, dropout: what is kept, what is scaled, and when it is applied.

Any stream of random numbers will do. What holds for every correct dropout is tested instead: the
mask is 0 or 1, the kept fraction is right, the output is ``a * mask / keep_prob``, a generator
gives a new mask at every call, and evaluation changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._networks import draw_network
from reglib.exercises.checking import (
    HARD_CODED,
    SIGMAS,
    SIGNATURE,
    UNDEFINED,
    Aspect,
    Assignment,
    BrokenCall,
    Case,
    Chapter,
    Exercise,
    Finding,
    Mistake,
    Student,
    close,
    compare,
    differ,
    lend,
    show,
    undefined_name,
)
from reglib.textbook import dropout as reference
from reglib.textbook.network import forward_propagation, relu, sigmoid

CHAPTER = Chapter(5, "Dropout", "05-dropout")

#: The rates that a mask is tried at. At 0.78 a normal variate passes for a uniform one.
RATES = (0.2, 0.5, 0.9)

RANDN = Mistake(
    "randn for rand",
    "Normal variates lie below keep_prob with probability Φ(keep_prob), not keep_prob.",
    "Compare uniform numbers from [0, 1) with keep_prob: rng.random gives them.",
)
NOT_THRESHOLDED = Mistake(
    "mask never compared with keep_prob",
    "The raw random numbers multiply the activations, so every unit is shrunk at random and none "
    "is dropped.",
    "A mask answers yes or no for each unit. Which comparison turns a random number into that?",
)
REVERSED = Mistake(
    "keep and drop exchanged",
    "The comparison points the other way, so keep_prob is the fraction that is dropped.",
    "With keep_prob = 0.9, how many of a thousand uniform numbers should be turned into 1?",
)
ONE_MASK = Mistake(
    "one mask for many",
    "Several examples or units share one coin, so they are always dropped together.",
    "Draw as many random numbers as there are activations.",
)
SCALED_MASK = Mistake(
    "scaled mask returned",
    "The mask holds 1 / keep_prob where it should hold 1, so whoever divides by keep_prob later "
    "does it twice.",
    "Keep the mask at 0 and 1, and divide the activations.",
)
NO_MASK = Mistake(
    "mask not applied",
    "The activations come out whole: the mask is drawn, but never used.",
    "Multiply the activations by the mask.",
)
NO_SCALE = Mistake(
    "scaling forgotten",
    "The kept units are as large as before, so the mean of the layer shrinks by keep_prob.",
    "What must the kept units be divided by to make the mean what it was?",
)
MULTIPLIED = Mistake(
    "multiplied by keep_prob",
    "The kept units shrink once more, where they should grow.",
    "The mean after the mask is keep_prob times too small. Undo that.",
)
DROP_RATE = Mistake(
    "divided by the drop rate",
    "The factor is 1 / (1 - keep_prob); at keep_prob = 0.5 nobody notices.",
    "The mean after the mask is keep_prob times what it was. Which factor undoes that?",
)
LEFT_ON = Mistake(
    "dropout left on at evaluation",
    "Units are dropped although training is False, so predictions are noisy.",
    "Return the activations as they are when training is False.",
)
EVALUATION_SCALED = Mistake(
    "scaled at evaluation",
    "Inverted dropout scales during training, so that evaluation needs no factor at all.",
    "Either scale in training or in evaluation. This course scales in training.",
)
FROZEN = Mistake(
    "frozen mask",
    "A seed set inside the function makes every call draw the same mask: the network is pruned "
    "once, and nothing is random any more.",
    "Seed once, outside; inside, only draw from the rng that you are given.",
)
NOT_ADVANCED = Mistake(
    "generator copied",
    "The function draws from a copy of rng, so rng itself never moves on and every step of a "
    "training loop gets the same mask.",
    "Draw from rng itself.",
)
OTHER_SOURCE = Mistake(
    "random numbers from elsewhere",
    "The numbers do not come from rng (np.random.rand has a state of its own), so no seed can "
    "repeat a run.",
    "Call a method of rng: rng.random(shape).",
)
HIDDEN_ACTIVATION = Mistake(
    "other activation in a hidden layer",
    "Hidden layers use ReLU; another function in one of them makes another network.",
    "Compare each layer's activation with the task.",
)
LAST_ACTIVATION = Mistake(
    "other activation in the last layer",
    "The last layer uses the sigmoid: its outputs are probabilities.",
    "Compare the last layer's activation with the task.",
)
UNKNOWN_ACTIVATION = Mistake(
    "activation that does not exist",
    "The function calls an activation that neither you nor the course has defined.",
    "The hidden layers use relu and the last one sigmoid; both are imported at the top.",
)
OUTPUT_DROPPED = Mistake(
    "dropout on the output layer",
    "Predictions are dropped, so a probability becomes 0 by chance.",
    "Apply a mask to the hidden layers only.",
)
NO_CACHE = Mistake(
    "masks not returned",
    "Without the masks in the cache the way back cannot drop the same units.",
    "Return (A3, cache) with the cache that the task describes.",
)
CACHE_LAYOUT = Mistake(
    "other order in the cache",
    "The function for the way back reads the cache by position.",
    "The order is Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3.",
)
NO_PARAMETERS = Mistake(
    "parameters from outside",
    "The weights are read from a variable outside the function, so it can serve one network only.",
    "Take the weights from the argument parameters.",
)
COPIED = Mistake(
    "copied with its faults",
    "A much-copied program that looks like this has more of them: its masks are never compared "
    "with keep_prob, hidden layer 2 uses sigmoid and the last layer srelu, its random numbers do "
    "not come from rng, and it does not return its masks.",
    "Go through your function line by line with the task beside it.",
)
NO_MASK_BACK = Mistake(
    "mask forgotten on the way back",
    "Units that were dropped receive a gradient.",
    "A unit that was silent on the way forward had no effect on the cost.",
)
NO_SCALE_BACK = Mistake(
    "scaling forgotten on the way back",
    "The forward pass divides by keep_prob, and so does its derivative.",
    "Differentiate a * mask / keep_prob with respect to a.",
)
MASKS_SWAPPED = Mistake(
    "masks of two layers exchanged",
    "Each layer has its own mask: D2 belongs to A2 and D1 to A1.",
    "Follow the gradient backwards: which layer does it reach first?",
)
NO_RELU_BACK = Mistake(
    "derivative of ReLU forgotten",
    "A gradient flows through units whose input was negative.",
    "Multiply dA by 1 where A is positive and by 0 elsewhere.",
)
NO_M_BACK = Mistake(
    "1/m missing",
    "The cost is a mean over m examples, and so is its gradient.",
    "Divide dW and db by the number of columns.",
)
TWICE_M = Mistake(
    "1/m twice",
    "1/m sits in dZ and again in dW, so hidden layers learn too slowly.",
    "Divide by m in dW and db only.",
)
SAME_NOISE = Mistake(
    "the same noise n times",
    "All n predictions are equal, because each starts from the same seed.",
    "Pass the one rng on to every call of f; it moves on by itself.",
)
ONE_CALL = Mistake(
    "f not called n times",
    "Each of the n predictions is one call of f with dropout on.",
    "Collect f(x, rng) in a loop of n rounds.",
)
VARIANCE = Mistake(
    "variance for standard deviation",
    "The variance has the square of the prediction's unit.",
    "Take the square root, or use std.",
)
STANDARD_ERROR = Mistake(
    "standard error for standard deviation",
    "Dividing by the square root of n tells how well the mean is known, not how much single "
    "predictions differ.",
    "Return the spread of the n predictions themselves.",
)
WRONG_AXIS = Mistake(
    "averaged over everything",
    "One number came out where each entry of the prediction has its own.",
    "Stack the predictions and average over the first axis only.",
)
SUM = Mistake(
    "sum for mean",
    "The sum of the predictions grows with n.",
    "Divide by the number of predictions, or use mean.",
)
MEDIAN = Mistake(
    "median for mean",
    "The middle prediction is not the average one.",
    "Use mean over the first axis.",
)
OTHER_GENERATORS = Mistake(
    "two generators compared",
    "A training loop uses one generator for all steps. Masks from two generators say nothing "
    "about a function that copies the one it is given.",
    "Call forward twice with the same rng and compare the masks.",
)
SAME_SEED = Mistake(
    "the same seed twice",
    "Two generators with one seed give equal masks in any correct dropout.",
    "Call forward twice with the same rng, without seeding in between.",
)
ALWAYS_SAME_ANSWER = Mistake(
    "one answer for all",
    "The function returns the same answer for frozen and for working dropout.",
    "Compare what two calls of forward return.",
)


# Masks


def _below(t: float) -> float:
    """Return Φ(t), the probability that a standard normal variate is below t."""
    return 0.5 * (1 + erf(t / sqrt(2)))


#: What a wrong comparison keeps, by mistakes: a function of keep_prob.
_KEPT: tuple[tuple[Callable[[float], float], tuple[Mistake, ...]], ...] = (
    (lambda p: 1 - p, (REVERSED,)),
    (_below, (RANDN,)),
    (lambda p: 1 - _below(p), (RANDN, REVERSED)),
    (lambda p: 1 - _below(1 - p), (RANDN,)),
    (lambda p: _below(1 - p), (RANDN, REVERSED)),
)


def _near(rate: float, p: float, n: int) -> bool:
    return abs(rate - p) <= SIGMAS * sqrt(p * (1 - p) / n) + 1e-12


def _binary(mask: NDArray) -> bool:
    return bool(np.all((mask == 0) | (mask == 1)))


def _two_valued(mask: NDArray) -> bool:
    """Say whether a mask holds 0 and one other value: a scaled mask."""
    kept = mask[mask != 0]
    return kept.size > 0 and np.ptp(kept) <= 1e-9 and kept[0] > 0


def _mask_findings(masks: Sequence[tuple[float, NDArray]], what: str) -> Iterator[Finding]:
    """Yield what is wrong with masks that were drawn at several keep_probs."""
    raw = [(p, mask) for p, mask in masks if not _binary(mask)]
    if raw and all(_two_valued(mask) for _, mask in raw):
        p, mask = raw[0]
        yield Finding(
            f"{what} holds 0 and {mask.max():.4g} for keep_prob = {p}", "0 and 1", SCALED_MASK
        )
    elif raw:
        p, mask = raw[0]
        low, high = mask.min(), mask.max()
        came = f"{what} holds {np.unique(mask).size} values from {low:.3g} to {high:.3g}"
        yield Finding(came, "0 and 1 only, or False and True", NOT_THRESHOLDED)
        if low < 0:
            yield Finding(came, "random numbers from [0, 1)", RANDN)
        return
    rates = [(p, float(np.mean(mask != 0)), mask.size) for p, mask in masks]
    if not all(_near(rate, p, n) for p, rate, n in rates):
        yield from _rate_findings(rates, what)
    for p, mask in masks:
        if mask.ndim == 2 and min(mask.shape) > 1 and 0 < np.mean(mask != 0) < 1:
            for shared, whom in ((mask[:, :1], "examples"), (mask[:1], "units")):
                if np.array_equal(mask, np.broadcast_to(shared, mask.shape)):
                    yield Finding(
                        f"all {whom} have the same {what} for keep_prob = {p}",
                        f"every entry of the {mask.shape} is drawn by itself",
                        ONE_MASK,
                    )
                    return


def _rate_findings(rates: Sequence[tuple[float, float, int]], what: str) -> Iterator[Finding]:
    came = "kept " + ", ".join(f"{rate:.1%} with keep_prob = {p}" for p, rate, _ in rates)
    expected = f"the fraction that is 1 in {what} is keep_prob"
    for kept, mistakes in _KEPT:
        if all(_near(rate, kept(p), n) for p, rate, n in rates):
            for mistake in mistakes:
                yield Finding(came, expected, mistake)
            return
    first = rates[0][1]
    same = all(abs(rate - first) < 0.05 for _, rate, _ in rates)
    if same and 0 < first < 1:
        yield Finding(f"{came}: keep_prob makes no difference", expected, HARD_CODED)
    elif same and first == 1:
        yield Finding(f"{came}: nothing is ever dropped", expected)
    else:
        yield Finding(came, expected)


def _scale_finding(
    cases: Sequence[tuple[float, NDArray, NDArray, NDArray]], what: str
) -> Iterator[Finding]:
    """Yield what is wrong with outputs: (keep_prob, activations, mask, output) of each case."""
    clean = [
        (p, a, (mask != 0).astype(float) if _two_valued(mask) else mask, out)
        for p, a, mask, out in cases
    ]
    if all(close(out, a * mask / p) for p, a, mask, out in clean):
        return
    for factor, mistake in (
        (lambda p: 1.0, NO_SCALE),
        (lambda p: p, MULTIPLIED),
        (lambda p: 1 / (1 - p), DROP_RATE),
    ):
        if all(close(out, a * mask * factor(p)) for p, a, mask, out in clean):
            p = clean[0][0]
            yield Finding(
                f"{what} is a * mask * {factor(p):.4g} for keep_prob = {p}",
                f"a * mask * {1 / p:.4g}",
                mistake,
            )
            return
    if all(close(out, a) or close(out, a / p) for p, a, _, out in clean):
        yield Finding(f"{what} has no zero", "zeros where the mask is 0", NO_MASK)
        return
    factors = [float(np.sum(out * a * k) / np.sum((a * k) ** 2)) for _, a, k, out in clean]
    fixed = (
        all(close(out, a * mask * factors[0]) for _, a, mask, out in clean)
        and len({p for p, *_ in clean}) > 1
    )
    if fixed:
        yield Finding(
            f"{what} is a * mask * {factors[0]:.4g}, whatever keep_prob is",
            "a * mask / keep_prob",
            HARD_CODED,
        )
        return
    for p, a, mask, out in clean:
        if not close(out, a * mask / p):
            found = differ(out, a * mask / p, what)
            yield Finding(f"{found.came} (keep_prob = {p})", found.expected)
            return


def _fresh_findings(
    draw: Callable[[np.random.Generator], NDArray], seeds: Sequence[int], what: str
) -> Iterator[Finding]:
    """Yield what is wrong with where the randomness comes from."""
    one = np.random.default_rng(seeds[0])
    first, again = draw(one), draw(one)
    other = draw(np.random.default_rng(seeds[1]))
    repeated = draw(np.random.default_rng(seeds[0]))
    if np.array_equal(first, other):
        yield Finding(
            f"two generators with different seeds gave the same {what}",
            "a new mask at every call",
            FROZEN,
        )
    elif np.array_equal(first, again):
        yield Finding(
            f"two calls with one rng gave the same {what}", "a new mask at every call", NOT_ADVANCED
        )
    elif not np.array_equal(first, repeated):
        yield Finding(
            f"two generators with the same seed gave different {what}",
            f"the same {what}: rng is the only source of randomness",
            OTHER_SOURCE,
        )


def _two_seeds(rng: np.random.Generator) -> tuple[int, int]:
    first, step = rng.integers(1, 2**31, 2)
    return int(first), int(first + step)


# dropout_forward


def _forward(
    student: Student, a: NDArray, keep_prob: float, rng: np.random.Generator, training: bool = True
) -> tuple[NDArray, Any]:
    out, mask = student.pair(student(a, keep_prob, rng, training), "out", "mask")
    return student.numbers(out, "out", a.shape), mask


def _mask_of(student: Student, mask: Any, shape: tuple[int, ...], what: str = "mask") -> NDArray:
    D = student.numbers(mask, what)
    if D.shape != shape and _spread(student, D, shape, what).shape == shape:
        came = f"{what} has shape {D.shape}"
        raise BrokenCall(Finding(came, f"{what} has shape {shape}", ONE_MASK))
    return student.numbers(mask, what, shape)


def _spread(student: Student, mask: Any, shape: tuple[int, ...], what: str) -> NDArray:
    """Return a mask in full, also where one row or column serves all."""
    D = student.numbers(mask, what)
    try:
        return np.broadcast_to(D, shape)
    except ValueError:
        return student.numbers(mask, what, shape)


def _activations(rng: np.random.Generator) -> Iterator[tuple[float, NDArray]]:
    shapes = [(97, 83), (40, 210), (8123,)]
    for keep_prob, i in zip(RATES, rng.permutation(3), strict=True):
        yield keep_prob, rng.standard_normal(shapes[i]) + 0.01


def _forward_mask(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    masks = []
    for keep_prob, a in _activations(rng):
        _, mask = _forward(student, a, keep_prob, np.random.default_rng(rng.integers(2**31)))
        masks.append((keep_prob, _mask_of(student, mask, a.shape)))
    yield from _mask_findings(masks, "mask")


def _forward_scale(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for keep_prob in (0.2, 0.5, 0.9):
        a = rng.standard_normal((int(rng.integers(5, 12)), int(rng.integers(20, 40))))
        out, mask = _forward(student, a, keep_prob, np.random.default_rng(rng.integers(2**31)))
        cases.append((keep_prob, a, _spread(student, mask, a.shape, "mask"), out))
    yield from _scale_finding(cases, "out")


def _forward_fresh(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    a = rng.standard_normal((20, 30))

    def draw(generator: np.random.Generator) -> NDArray:
        return student.numbers(_forward(student, a, 0.5, generator)[1], "mask")

    yield from _fresh_findings(draw, _two_seeds(rng), "mask")


def _forward_evaluation(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for keep_prob in (0.3, 0.5, 0.8):
        a = rng.standard_normal((int(rng.integers(4, 9)), int(rng.integers(30, 60))))
        out, _ = _forward(student, a, keep_prob, np.random.default_rng(7), False)
        cases.append((keep_prob, a, out))
    if all(close(out, a) for _, a, out in cases):
        return
    _, a, out = cases[0]
    if any(np.mean(out == 0) > 0.02 for _, _, out in cases):
        mistake = LEFT_ON
    elif all(close(out, a * p) or close(out, a / p) for p, a, out in cases):
        mistake = EVALUATION_SCALED
    else:
        mistake = None
    found = differ(out, a, "out")
    yield Finding(f"{found.came} (training = False)", f"out equals a: {found.expected}", mistake)


# dropout_backward


def _faulty_backward(
    wrong: frozenset[str], dout: NDArray, mask: NDArray, keep_prob: float
) -> NDArray:
    D = 1 if NO_MASK_BACK.name in wrong else mask
    if REVERSED.name in wrong:
        D = 1 - mask
    return dout * D * _faulty_factor(wrong, keep_prob)


def _faulty_factor(wrong: frozenset[str], keep_prob: float) -> float:
    if NO_SCALE_BACK.name in wrong:
        return 1.0
    if MULTIPLIED.name in wrong:
        return keep_prob
    return 1 / (1 - keep_prob) if DROP_RATE.name in wrong else 1 / keep_prob


def _backward_value(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for keep_prob in (0.25, 0.6, 0.9):
        shape = (int(rng.integers(3, 7)), int(rng.integers(4, 9)))
        mask = rng.random(shape) < 0.5
        mask.flat[:2] = (False, True)
        mask = mask.astype(int) if keep_prob == 0.6 else mask
        text = f"dout of shape {shape} and keep_prob = {keep_prob}"
        arguments = (rng.standard_normal(shape), mask, keep_prob)
        cases.append(Case(arguments, text, {"keep_prob": keep_prob}))
    yield from compare(
        student,
        cases,
        reference.dropout_backward,
        faulty=_faulty_backward,
        mistakes=(NO_SCALE_BACK, NO_MASK_BACK, MULTIPLIED, DROP_RATE, REVERSED),
        together=2,
    )


# forward_propagation_with_dropout


_ORDER = ["Z1", "D1", "A1", "W1", "b1", "Z2", "D2", "A2", "W2", "b2", "Z3", "A3", "W3", "b3"]


def _probability(student: Student, result: Any, shape: tuple[int, ...]) -> NDArray:
    """Return A3, whether or not a cache came with it."""
    if isinstance(result, (tuple, list)) and len(result) == 2:
        result = result[0]
    return student.numbers(result, "A3", shape)


def _cache(student: Student, result: Any) -> dict[str, Any]:
    expected = f"(A3, cache) with cache = ({', '.join(_ORDER)})"
    if isinstance(result, np.ndarray) or result is None:
        shown = "A3 alone" if result is not None else "None"
        raise BrokenCall(Finding(f"{student.name} returned {shown}", expected, NO_CACHE))
    _, cache = student.pair(result, "A3", "cache")
    if not isinstance(cache, (tuple, list)) or len(cache) != len(_ORDER):
        length = f" of {len(cache)}" if isinstance(cache, (tuple, list, dict)) else ""
        came = f"the cache is a {type(cache).__name__}{length}"
        raise BrokenCall(Finding(came, expected, CACHE_LAYOUT))
    return dict(zip(_ORDER, cache, strict=True))


def _net_layers(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    for widths, m in (((3, 6, 4, 1), 7), ((2, 5, 3, 2), 9)):
        X, _, parameters = draw_network(rng, widths, m)
        wanted, _ = forward_propagation(X, parameters)
        result = student(X, parameters, 1.0, np.random.default_rng(rng.integers(2**31)))
        got = _probability(student, result, wanted.shape)
        if not close(got, wanted):
            named = list(_activation_findings(student))
            if not named:
                named = list(_mask_probe(student))
            found = differ(got, wanted, "A3")
            yield from named or [
                Finding(
                    f"{found.came} (with keep_prob = 1, where nothing is dropped)", found.expected
                )
            ]
            return


def _constant_layer(layer: int, value: float, units: int, sign: int) -> dict[str, NDArray]:
    """Return a network whose layer gets ``value`` as Z; the next one gets its A times ``sign``."""
    parameters = {}
    for i in (1, 2, 3):
        factor = 0 if i == layer else sign if i == layer + 1 else 1
        parameters[f"W{i}"] = factor * np.eye(units)
        parameters[f"b{i}"] = np.full((units, 1), value if i == layer else 0.0)
    return parameters


def _logit(A: NDArray) -> NDArray:
    """Return the last layer's Z, if that layer is a sigmoid; else A itself."""
    inside = (A > 0) & (A < 1)
    return np.log(A / (1 - A)) if inside.all() else A


def _probe(
    student: Student,
    layer: int,
    value: float,
    keep_prob: float,
    *,
    sign: int = 1,
    rng: np.random.Generator | None = None,
) -> NDArray:
    units, m = 12, 25
    X = np.ones((units, m))
    rng = np.random.default_rng(11) if rng is None else rng
    result = student(X, _constant_layer(layer, value, units, sign), keep_prob, rng)
    return _probability(student, result, (units, m))


def _activation_findings(student: Student) -> Iterator[Finding]:
    """Yield layers whose activation is another one, from networks that show just that layer."""
    for value in (0.7, -1.3):
        got = _probe(student, 3, value, 0.5)
        if np.ptp(got) > 1e-9:
            yield Finding(
                f"equal units of the last layer gave {show(got.min())} and {show(got.max())}",
                "no unit of the last layer is dropped or scaled",
                OUTPUT_DROPPED,
            )
            return
        if not close(got, np.full(got.shape, sigmoid(value))):
            yield Finding(
                f"the last layer makes {show(got.flat[0])} of Z3 = {value}",
                f"sigmoid({value}) = {show(sigmoid(value))}",
                LAST_ACTIVATION,
            )
            break
    silent = _logit(_probe(student, 3, 0.0, 1.0))
    # Layer 1 is seen through layer 2: it can be judged only if that one is right.
    for layer in (2, 1):
        # ReLU makes 0 of -1, and no mask and no scale can change that.
        seen = [_logit(_probe(student, layer, -1.0, 1.0, sign=sign)) for sign in (1, -1)]
        if not all(close(out, silent) for out in seen):
            yield Finding(
                f"hidden layer {layer} lets Z{layer} = -1 through",
                "relu(-1) = 0",
                HIDDEN_ACTIVATION,
            )
            return


def _mask_probe(student: Student) -> Iterator[Finding]:
    """Yield what A3 alone gives away of the masks, where the cache does not show them."""
    for keep_prob in (0.5, 1.0):
        seen = np.round(_logit(_probe(student, 1, 1.0, keep_prob)), 6)
        if np.unique(seen).size > 6:
            yield Finding(
                f"a hidden layer of equal units took {np.unique(seen).size} different values",
                "two values: 0 where a unit is dropped, another where it is kept",
                NOT_THRESHOLDED,
            )
            return


def _net_masks(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    masks: dict[str, list[tuple[float, NDArray]]] = {"D1": [], "D2": []}
    for keep_prob in RATES:
        n1, n2, m = (int(n) for n in rng.integers((50, 40, 90), (60, 50, 110)))
        X, _, parameters = draw_network(rng, (3, n1, n2, 1), m)
        generator = np.random.default_rng(rng.integers(2**31))
        cache = _cache(student, student(X, parameters, keep_prob, generator))
        masks["D1"].append((keep_prob, _mask_of(student, cache["D1"], (n1, m), "D1")))
        masks["D2"].append((keep_prob, _mask_of(student, cache["D2"], (n2, m), "D2")))
    for name, drawn in masks.items():
        yield from _mask_findings(drawn, name)


def _net_scale(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    layers: list[list[tuple[float, NDArray, NDArray, NDArray]]] = [[], []]
    for keep_prob in (0.3, 0.6, 0.9):
        n1, n2, m = (int(n) for n in rng.integers((6, 5, 9), (10, 9, 14)))
        X, _, parameters = draw_network(rng, (3, n1, n2, 1), m)
        generator = np.random.default_rng(rng.integers(2**31))
        result = student(X, parameters, keep_prob, generator)
        A3 = _probability(student, result, (1, m))
        cache = _cache(student, result)
        below = X
        for i, units in enumerate((n1, n2)):
            Z = parameters[f"W{i + 1}"] @ below + parameters[f"b{i + 1}"]
            mask = _spread(student, cache[f"D{i + 1}"], (units, m), f"D{i + 1}")
            below = student.numbers(cache[f"A{i + 1}"], f"A{i + 1}", (units, m))
            layers[i].append((keep_prob, relu(Z), mask, below))
        wanted = sigmoid(parameters["W3"] @ below + parameters["b3"])
        if not close(A3, wanted):
            named = list(_activation_findings(student))
            found = differ(A3, wanted, "A3")
            yield from named or [
                Finding(f"{found.came}, given the A2 of your cache", found.expected)
            ]
            return
    for i, cases in enumerate(layers):
        findings = list(_scale_finding(cases, f"A{i + 1}"))
        unnamed = any(finding.mistake is None for finding in findings)
        yield from (list(_activation_findings(student)) if unnamed else []) or findings


def _net_fresh(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    X, _, parameters = draw_network(rng, (3, 20, 15, 1), 30)

    def draw(generator: np.random.Generator) -> NDArray:
        result = student(X, parameters, 0.5, generator)
        if isinstance(result, np.ndarray):
            return _probe(student, 1, 1.0, 0.5, rng=generator)
        return student.numbers(_cache(student, result)["D1"], "D1")

    yield from _fresh_findings(draw, _two_seeds(rng), "masks")


def _net_diagnose(student: Student, broken: BrokenCall) -> Iterator[Finding]:
    """Yield further faults of a function that broke down, after lending it what it lacks."""
    if broken.finding.mistake is NO_CACHE:
        yield from _black_box(student)
    if broken.finding.mistake not in (SIGNATURE, UNDEFINED):
        return
    lacking: dict[str, None] = {}
    repaired, takes_parameters = _repaired(student, lacking)
    activations = [name for name in lacking if name.endswith("relu")]
    for name in activations:
        yield Finding(f"{name} is not defined", "sigmoid in the last layer", UNKNOWN_ACTIVATION)
    if not takes_parameters or "parameters" in lacking:
        yield Finding(
            f"{student.name} takes no parameters among its arguments",
            student.signature,
            NO_PARAMETERS,
        )
    if repaired is not None:
        for finding in _black_box(repaired):
            # The last activation may be the one that was lent.
            if finding.mistake is not LAST_ACTIVATION or not activations:
                yield finding
    elif "srelu" in lacking or not takes_parameters:
        yield Finding("faults of a program that many have copied", student.signature, COPIED)


def _repaired(student: Student, lacking: dict[str, None]) -> tuple[Student | None, bool]:
    """Return the function with missing names lent and surplus arguments dropped, if it then runs.

    Names can be lent to a function of this process only; elsewhere just the arguments are tried.
    Beside it stands whether the function takes the parameters; ``lacking`` is filled with the
    names that it asked for.
    """
    helpers = {"relu": relu, "sigmoid": sigmoid, "np": np}
    takes_parameters = False
    for take in (
        lambda X, P, p, rng: (X, P, p, rng),
        lambda X, P, p, rng: (X, P, p),
        lambda X, P, p, rng: (X, p, rng),
        lambda X, P, p, rng: (X, p),
    ):
        lent: dict[str, Any] = {}
        with_parameters = take(0, 1, 0, 0)[1] == 1

        def call(X: Any, P: Any, p: float, rng: Any, take: Any = take, lent: Any = lent) -> Any:
            function = lend(student.function, {**lent, "parameters": P}, helpers)
            return (function or student.function)(*take(X, P, p, rng))

        repaired = Student(call, student.name, student.signature)
        # Names are found missing one after the other.
        for _ in range(3):
            try:
                with np.errstate(all="ignore"):
                    _probe(repaired, 3, 0.5, 0.5)
            except BrokenCall as broken:
                if with_parameters and broken.finding.mistake is not SIGNATURE:
                    takes_parameters = True
                name = undefined_name(broken)
                if name is None:
                    break
                lacking[name] = None
                if name in lent or not name.endswith("relu"):
                    break
                lent[name] = relu
            else:
                return repaired, with_parameters
    return None, takes_parameters


def _black_box(student: Student) -> Iterator[Finding]:
    """Yield all that the results of a function without a proper cache give away."""
    rng = np.random.default_rng(5)
    X, _, parameters = draw_network(rng, (3, 20, 15, 1), 30)
    for probe in (
        _activation_findings,
        _mask_probe,
        lambda student: _fresh_findings(
            lambda g: _probe(student, 1, 1.0, 0.5, rng=g), (1, 2), "masks"
        ),
        lambda student: _no_cache(student, student(X, parameters, 0.5, rng)),
    ):
        try:
            yield from probe(student)
        except BrokenCall as broken:
            if broken.finding.mistake is not None:
                yield broken.finding


def _no_cache(student: Student, result: Any) -> Iterable[Finding]:
    _cache(student, result)
    return ()


# backward_propagation_with_dropout


def _faulty_net_backward(
    wrong: frozenset[str], X: NDArray, Y: NDArray, cache: Sequence[NDArray], keep_prob: float
) -> dict[str, NDArray]:
    _, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _ = cache
    m = 1 if NO_M_BACK.name in wrong else X.shape[1]
    if MASKS_SWAPPED.name in wrong and D1.shape == D2.shape:
        D1, D2 = D2, D1
    factor = _faulty_factor(wrong, keep_prob)
    steps = ((3, A2, W3, D2), (2, A1, W2, D1), (1, X, None, None))
    dZ = A3 - Y
    if TWICE_M.name in wrong:
        dZ = dZ / m
    gradients = {}
    for layer, below, W, D in steps:
        gradients[f"dW{layer}"] = dZ @ below.T / m
        gradients[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if W is None:
            break
        dA = W.T @ dZ
        if REVERSED.name in wrong:
            D = 1 - D
        dA = dA * factor if NO_MASK_BACK.name in wrong else dA * D * factor
        dZ = dA if NO_RELU_BACK.name in wrong else dA * (below > 0)
    return gradients


def _gradients(student: Student, names: Sequence[str]) -> Callable[[Any, Any], NDArray]:
    """Return a reader that lays the named gradients end to end."""

    def read(got: Any, wanted: Any) -> NDArray:
        if got is None:
            student.numbers(None, "gradients")
        if not isinstance(got, dict):
            came = f"{student.name} returned {type(got).__name__}"
            raise BrokenCall(Finding(came, "a dict of gradients: dW1, db1, dW2, ..."))
        parts = []
        for name in names:
            if name not in got:
                came = f"the result holds {', '.join(map(str, got))}"
                raise BrokenCall(Finding(came, f"it holds {name}"))
            parts.append(student.numbers(got[name], name, np.shape(wanted[name])).ravel())
        return np.concatenate(parts)

    return read


def _net_backward(
    names: Sequence[str], mistakes: Sequence[Mistake]
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        cases = []
        for keep_prob, (widths, m) in zip(
            (0.4, 0.7, 0.85),
            (((3, 6, 6, 1), 8), ((2, 5, 5, 1), 11), ((4, 7, 7, 1), 6)),
            strict=True,
        ):
            X, Y, parameters = draw_network(rng, widths, m)
            generator = np.random.default_rng(rng.integers(2**31))
            _, cache = reference.forward_propagation_with_dropout(
                X, parameters, keep_prob, generator
            )
            text = f"{m} examples, {widths[1]} hidden units and keep_prob = {keep_prob}"
            quantities = {"m": m, "keep_prob": keep_prob}
            cases.append(Case((X, Y, cache, keep_prob), text, quantities))
        yield from compare(
            student,
            cases,
            reference.backward_propagation_with_dropout,
            faulty=_faulty_net_backward,
            mistakes=mistakes,
            read=_gradients(student, names),
            what=" and ".join(names) if len(names) == 2 else "the gradients dW and db",
            together=2,
        )

    return test


# mc_dropout_predict


def _mc_cases(
    student: Student, rng: np.random.Generator
) -> Iterator[tuple[Any, list[NDArray], int, np.ndarray]]:
    for shape, n in (((4,), 3), ((2, 3), 5)):
        x, w = rng.standard_normal(shape), rng.uniform(1, 2, shape)
        made: list[NDArray] = []

        def f(x: Any, generator: Any, w: NDArray = w, made: list[NDArray] = made) -> NDArray:
            prediction = np.asarray(x) * w * (generator.random(w.shape) < 0.6) / 0.6
            prediction = prediction + 0.1 * generator.random(w.shape)
            made.append(prediction)
            return prediction.copy()

        result = student(f, x, n, np.random.default_rng(rng.integers(2**31)))
        yield result, made, n, x


def _mc_noise(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    for _, made, n, _ in _mc_cases(student, rng):
        if len(made) != n:
            yield Finding(f"f was called {len(made)} times", f"n = {n} calls", ONE_CALL)
            return
        if all(np.array_equal(made[0], other) for other in made[1:]):
            yield Finding(f"all {n} predictions were equal", "n different ones", SAME_NOISE)
            return


def _mc_statistic(
    which: int, what: str, right: Callable[[NDArray], NDArray], wrong: Sequence[Any]
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        results = []
        for result, made, _, x in _mc_cases(student, rng):
            got = student.pair(result, "mean", "standard deviation")[which]
            if not made:
                yield Finding("f was never called", "n calls of f(x, rng)", ONE_CALL)
                return
            if np.size(got) == 1 and x.size > 1:
                yield Finding(f"{what} is one number", f"{what} has shape {x.shape}", WRONG_AXIS)
                return
            results.append((student.numbers(got, what, x.shape), np.stack(made)))
        if all(close(got, right(made)) for got, made in results):
            return
        for function, mistake in wrong:
            if all(close(got, function(made)) for got, made in results):
                if mistake is not None:
                    found = differ(results[0][0], right(results[0][1]), what, mistake)
                    yield found
                return
        got, made = results[0] if not close(results[0][0], right(results[0][1])) else results[1]
        yield differ(got, right(made), f"{what} of the {len(made)} predictions")

    return test


# is_frozen


def _fresh_forward(a: Any, keep_prob: float, rng: Any, training: bool = True) -> Any:
    mask = rng.random(np.shape(a)) < keep_prob
    return np.asarray(a) * mask / keep_prob, mask


def _seeded_forward(a: Any, keep_prob: float, rng: Any, training: bool = True) -> Any:
    mask = np.random.default_rng(1).random(np.shape(a)) < keep_prob
    return np.asarray(a) * mask / keep_prob, mask


def _copied_forward(a: Any, keep_prob: float, rng: Any, training: bool = True) -> Any:
    seed = rng.bit_generator.state["state"]
    seed = seed["state"] if isinstance(seed, dict) else int(np.sum(seed))
    mask = np.random.default_rng(int(seed) % 2**63).random(np.shape(a)) < keep_prob
    return np.asarray(a) * mask / keep_prob, mask


def _is_frozen(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    forwards = (
        ("a dropout that works", _fresh_forward, False),
        ("a dropout with a seed inside", _seeded_forward, True),
        ("a dropout that draws from a copy of rng", _copied_forward, True),
    )
    answers = []
    for _, forward, _ in forwards:
        a = rng.standard_normal((int(rng.integers(12, 20)), 15))
        generator = np.random.default_rng(rng.integers(2**31))
        answer = student(forward, a, 0.5, generator)
        if answer is None:
            student.numbers(None, "the answer")
        if np.size(answer) != 1:
            raise BrokenCall(Finding(f"the answer is {np.shape(answer)}", "True or False"))
        answers.append(bool(np.all(answer)))
    if answers == [wanted for _, _, wanted in forwards]:
        return
    mistake = {
        (False, True, False): OTHER_GENERATORS,
        (True, True, True): SAME_SEED,
        (False, False, False): ALWAYS_SAME_ANSWER,
    }.get(tuple(answers))
    for answer, (what, _, wanted) in zip(answers, forwards, strict=True):
        if answer != wanted:
            yield Finding(f"{answer} for {what}", str(wanted), mistake)
            return


_NAMES = tuple(f"d{kind}{layer}" for layer in (2, 1) for kind in "Wb")

ASSIGNMENT = Assignment(
    Exercise(
        "dropout_forward",
        "dropout_forward(a, keep_prob, rng, training=True)",
        reference.dropout_forward,
        CHAPTER,
        (
            Aspect(
                "mask", "each entry of mask is 1 with probability keep_prob, else 0", _forward_mask
            ),
            Aspect("scale", "out is a * mask / keep_prob", _forward_scale),
            Aspect(
                "fresh", "every call draws a new mask from rng, and from rng alone", _forward_fresh
            ),
            Aspect("evaluation", "with training=False, out equals a", _forward_evaluation),
        ),
        (
            RANDN,
            NOT_THRESHOLDED,
            REVERSED,
            ONE_MASK,
            SCALED_MASK,
            NO_MASK,
            NO_SCALE,
            MULTIPLIED,
            DROP_RATE,
            LEFT_ON,
            EVALUATION_SCALED,
            FROZEN,
            NOT_ADVANCED,
            OTHER_SOURCE,
            HARD_CODED,
        ),
    ),
    Exercise(
        "dropout_backward",
        "dropout_backward(dout, mask, keep_prob)",
        reference.dropout_backward,
        CHAPTER,
        (Aspect("value", "the result is dout * mask / keep_prob", _backward_value),),
        (NO_SCALE_BACK, NO_MASK_BACK, MULTIPLIED, DROP_RATE, REVERSED, HARD_CODED),
    ),
    Exercise(
        "is_frozen",
        "is_frozen(forward, a, keep_prob, rng)",
        reference.is_frozen,
        CHAPTER,
        (
            Aspect(
                "value", "True if two calls of forward with one rng give the same mask", _is_frozen
            ),
        ),
        (OTHER_GENERATORS, SAME_SEED, ALWAYS_SAME_ANSWER),
    ),
    Exercise(
        "forward_propagation_with_dropout",
        "forward_propagation_with_dropout(X, parameters, keep_prob, rng)",
        reference.forward_propagation_with_dropout,
        CHAPTER,
        (
            Aspect("layers", "with keep_prob = 1, A3 is that of the plain network", _net_layers),
            Aspect("masks", "D1 and D2 in the cache are 1 with probability keep_prob", _net_masks),
            Aspect("scale", "A1, A2 and A3 follow from your own masks", _net_scale),
            Aspect("fresh", "every call draws new masks from rng, and from rng alone", _net_fresh),
        ),
        (
            NOT_THRESHOLDED,
            RANDN,
            REVERSED,
            ONE_MASK,
            SCALED_MASK,
            NO_MASK,
            NO_SCALE,
            MULTIPLIED,
            DROP_RATE,
            FROZEN,
            NOT_ADVANCED,
            OTHER_SOURCE,
            HIDDEN_ACTIVATION,
            LAST_ACTIVATION,
            UNKNOWN_ACTIVATION,
            OUTPUT_DROPPED,
            NO_CACHE,
            CACHE_LAYOUT,
            NO_PARAMETERS,
            COPIED,
            HARD_CODED,
        ),
        _net_diagnose,
    ),
    Exercise(
        "backward_propagation_with_dropout",
        "backward_propagation_with_dropout(X, Y, cache, keep_prob)",
        reference.backward_propagation_with_dropout,
        CHAPTER,
        (
            Aspect(
                "output",
                "dW3 and db3 are those of the cross-entropy",
                _net_backward(("dW3", "db3"), (NO_M_BACK, TWICE_M)),
            ),
            Aspect(
                "hidden",
                "the gradients of layers 2 and 1 pass the same masks and the same scaling",
                _net_backward(
                    _NAMES,
                    (
                        NO_SCALE_BACK,
                        NO_MASK_BACK,
                        MULTIPLIED,
                        DROP_RATE,
                        MASKS_SWAPPED,
                        NO_RELU_BACK,
                        NO_M_BACK,
                        TWICE_M,
                        REVERSED,
                    ),
                ),
            ),
        ),
        (
            NO_SCALE_BACK,
            NO_MASK_BACK,
            MULTIPLIED,
            DROP_RATE,
            MASKS_SWAPPED,
            NO_RELU_BACK,
            NO_M_BACK,
            TWICE_M,
            REVERSED,
            HARD_CODED,
        ),
    ),
    Exercise(
        "mc_dropout_predict",
        "mc_dropout_predict(f, x, n, rng)",
        reference.mc_dropout_predict,
        CHAPTER,
        (
            Aspect("noise", "f is called n times, each time with new noise", _mc_noise),
            Aspect(
                "mean",
                "the first result is the mean of the n predictions",
                _mc_statistic(
                    0,
                    "mean",
                    lambda made: made.mean(axis=0),
                    (
                        (lambda made: made.sum(axis=0), SUM),
                        (lambda made: np.median(made, axis=0), MEDIAN),
                    ),
                ),
            ),
            Aspect(
                "spread",
                "the second result is the standard deviation of the n predictions",
                _mc_statistic(
                    1,
                    "standard deviation",
                    lambda made: made.std(axis=0),
                    (
                        (lambda made: made.std(axis=0, ddof=1), None),
                        (lambda made: made.var(axis=0), VARIANCE),
                        (lambda made: made.std(axis=0) / np.sqrt(len(made)), STANDARD_ERROR),
                    ),
                ),
            ),
        ),
        (ONE_CALL, SAME_NOISE, VARIANCE, STANDARD_ERROR, WRONG_AXIS, SUM, MEDIAN),
    ),
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
