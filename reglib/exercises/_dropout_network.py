"""Dropout in a network of three layers: what outputs and caches tell, whatever the masks are."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, close, show
from reglib.exercises._dropout_masks import (
    KEEP_ALL,
    RATES,
    agreement,
    between,
    binary,
    entry,
    factors,
    of_draws,
    sources,
    spread,
    statistics,
    unscaled,
)
from reglib.exercises._dropout_mistakes import (
    CACHE_LAYOUT,
    COPIED,
    HIDDEN_ACTIVATION,
    LAST_ACTIVATION,
    NO_CACHE,
    NO_PARAMETERS,
    NOT_THRESHOLDED,
    OTHER_SOURCE,
    UNKNOWN_ACTIVATION,
)
from reglib.exercises._findings import (
    HARD_CODED,
    PAIR_SWAPPED,
    SIGNATURE,
    UNDEFINED,
    BrokenCall,
    Finding,
)
from reglib.exercises._random_networks import draw_network
from reglib.exercises._student_function import Student, lend, shape_of, undefined_name
from reglib.textbook.network import forward_propagation, relu, sigmoid

ORDER = ("Z1", "D1", "A1", "W1", "b1", "Z2", "D2", "A2", "W2", "b2", "Z3", "A3", "W3", "b3")
_IN_ORDER = f"the order {', '.join(ORDER)}"
_WITHOUT_MASKS = [name for name in ORDER if name[0] != "D"]


def given(X: Any, parameters: Any, keep_prob: float, seed: int) -> tuple[Any, ...]:
    """Return what the function is called with."""
    return X, parameters, keep_prob, np.random.default_rng(seed)


# What comes back


def _outputs(student: Student, result: Any, shape: tuple[int, ...]) -> NDArray:
    """Return A3, whether or not a cache came with it."""
    if isinstance(result, (tuple, list)) and len(result) == 2:
        if isinstance(result[0], (tuple, list, dict)) and shape_of(result[1]) == shape:
            came = f"the first of the pair is a {type(result[0]).__name__}"
            raise BrokenCall(Finding(came, "the pair (A3, cache)", PAIR_SWAPPED))
        result = result[0]
    return student.numbers(result, "A3", shape)


def _cache(student: Student, result: Any) -> dict[str, Any]:
    if isinstance(result, np.ndarray):
        came = f"{student.name} returned A3 alone"
        raise BrokenCall(Finding(came, "the pair (A3, cache)", NO_CACHE))
    A3, cache = student.pair(result, "A3", "cache")
    if isinstance(A3, (tuple, list, dict)) and isinstance(cache, np.ndarray):
        came = f"the first of the pair is a {type(A3).__name__}"
        raise BrokenCall(Finding(came, "the pair (A3, cache)", PAIR_SWAPPED))
    if not isinstance(cache, (tuple, list)) or len(cache) != len(ORDER):
        length = f" of {len(cache)}" if isinstance(cache, (tuple, list, dict)) else ""
        came = f"the cache is a {type(cache).__name__}{length}"
        raise BrokenCall(Finding(came, f"a tuple in {_IN_ORDER}", CACHE_LAYOUT))
    return dict(zip(ORDER, cache, strict=True))


def _masks(student: Student, cache: dict[str, Any], X: NDArray, parameters: Any) -> list[NDArray]:
    """Return both masks in full; one that stands in another's place is found there."""
    masks = []
    for name, b in (("D1", "b1"), ("D2", "b2")):
        shape = (len(parameters[b]), X.shape[1])
        fits = {other for other in ORDER if shape_of(cache[other]) == shape}
        coins = {o for o in fits if binary(cache[o]) and 0 < np.mean(cache[o]) < 1}
        if coins and not (name in fits and binary(cache[name])):
            came = f"{name} does not hold 0 and 1 alone, {min(coins)} does"
            raise BrokenCall(Finding(came, _IN_ORDER, CACHE_LAYOUT))
        masks.append(spread(student, cache[name], shape, name))
    return masks


# layers


def plain_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield small networks in which nothing is dropped."""
    for widths, m in (((3, 6, 4, 1), 7), ((2, 5, 3, 2), 4)):
        X, _, parameters = draw_network(rng, widths, m)
        yield Case(
            (X, parameters, rng.integers(2**62)), "keep_prob = 1 - 1e-9, where nothing is dropped"
        )


def with_all_kept(student: Student, X: Any, parameters: Any, seed: int) -> NDArray:
    """Return A3, or -1 in all its places if it is wrong because something is dropped or shrunk."""
    plain, _ = forward_propagation(X, parameters)
    result = student(*given(X, parameters, KEEP_ALL, seed))
    A3 = _outputs(student, result, plain.shape)
    if not close(A3, plain):
        with contextlib.suppress(BrokenCall):
            for D in _masks(student, _cache(student, result), X, parameters):
                if np.abs(D - 1).max() > 1e-6:
                    return np.full(A3.shape, -1.0)
    return A3


def tell_outputs(A3: NDArray) -> str:
    """Put A3 into words."""
    return "a mask that is not 1 everywhere" if np.all(A3 == -1) else f"A3 is {show(A3)}"


# masks


def mask_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield a network whose layers are just large enough to tell rates apart."""
    X, _, parameters = draw_network(rng, (3, 20, 24, 1), 20 * int(rng.integers(13, 15)))
    rates = rng.permutation((*RATES, KEEP_ALL)).tolist()
    text = f"keep_prob = {', '.join(f'{rate:.3g}' for rate in rates)}"
    yield Case((X, parameters, rates, rng.integers(2**62)), text)


def mask_statistics(
    student: Student, X: Any, parameters: Any, rates: Sequence[float], seed: int
) -> NDArray:
    """Return what both masks are like at several rates."""
    drawn = []
    for i, keep_prob in enumerate(rates):
        result = student(*given(X, parameters, keep_prob, seed + i))
        drawn.append(_masks(student, _cache(student, result), X, parameters))
    kinds = list(zip(*drawn, strict=True))
    found = [statistics(p, D, D.size) for masks in kinds for p, D in zip(rates, masks, strict=True)]
    return of_draws(rates, *kinds, found=found)


# scale


def step_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield networks of all shapes, and some that pass equal inputs on as they are."""
    k = int(rng.integers(10, 14))
    kinds = (("W", k), ("b", 1))
    same = {f"{name}{i}": np.eye(k, c) * (c > 1) for i in (1, 2, 3) for name, c in kinds}
    for keep_prob, widths, m in (
        (0.3, (3, 7, 5, 1), 9),
        (0.4, None, 25),
        (0.6, (4, 6, 8, 3), 11),
        (0.7, None, 31),
        (0.8, (2, 9, 7, 2), 1),
    ):
        X, parameters = np.full((k, m), rng.uniform(0.5, 2)), same
        text = "W = 1, b = 0 and equal inputs"
        if widths:
            X, _, parameters = draw_network(rng, widths, m)
            text = f"{m} examples, layers of {', '.join(map(str, widths[1:]))} units"
        arguments = (X, parameters, keep_prob, rng.integers(2**62))
        yield Case(arguments, f"{text}, keep_prob = {keep_prob}")


def steps(student: Student, X: NDArray, parameters: Any, keep_prob: float, seed: int) -> NDArray:
    """Return how each entry of the cache, and A3, follows from those before it and the masks."""
    result = student(*given(X, parameters, keep_prob, seed))
    cache = _cache(student, result)
    masks = [unscaled(D) for D in _masks(student, cache, X, parameters)]
    right = _follow(X, parameters, masks, keep_prob)
    A3 = _outputs(student, result, right["A3"].shape)
    moved = _moved(cache, right)
    if not moved and near(A3, right["A3"]):
        return np.array([0.0] * 13 if np.ptp(X) else [1.0, 1, 0, 0, 0] * 6)
    # Of one example alone, all Z may be positive, and then relu(Z) is no A but Z.
    if np.ptp(X) and X.shape[1] > 1 and all(moved.values()) and near(A3, right["A3"]):
        came = ", ".join(f"{other} stands where {name} should" for name, other in moved.items())
        raise BrokenCall(Finding(came, _IN_ORDER, CACHE_LAYOUT))
    own = dict(zip(("D1", "D2"), masks, strict=True))
    for name in _WITHOUT_MASKS:
        own[name] = entry(student, cache[name], name, right[name].shape)
    if np.ptp(X):
        follow = _follow(X, parameters, masks, keep_prob, own)
        off = [not near(own[name], follow[name]) for name in _WITHOUT_MASKS]
        return np.array([*off, not near(A3, follow["A3"])], dtype=float)
    passed_on = (
        (own["Z1"], X, 1.0),
        (own["A1"] * keep_prob, relu(own["Z1"]), own["D1"]),
        (own["Z2"], own["A1"], 1.0),
        (own["A2"] * keep_prob, relu(own["Z2"]), own["D2"]),
        (own["Z3"], own["A2"], 1.0),
        (A3, sigmoid(own["Z3"]), 1.0),
    )
    return np.array([factors(*one) for one in passed_on]).ravel()


def fixed_factor(student: Student) -> Iterator[Finding]:
    """Yield a finding if the kept units are multiplied by one number, whatever keep_prob is."""
    X, _, parameters = draw_network(np.random.default_rng(3), (3, 20, 30, 1), 40)
    found = []
    for keep_prob in (0.4, 0.6):
        cache = _cache(student, student(*given(X, parameters, keep_prob, 1)))
        D1, _ = _masks(student, cache, X, parameters)
        Z1, A1 = (entry(student, cache[name], name, D1.shape) for name in ("Z1", "A1"))
        found += factors(A1, relu(Z1), unscaled(D1))[:2]
    if np.ptp(found) < 1e-5 and abs(found[0] - 1) > 1e-5:
        came = f"A1 is multiplied by {found[0]:.4g} both with keep_prob = 0.4 and 0.6"
        yield Finding(came, "a factor that follows from keep_prob", HARD_CODED)


def tell_steps(vector: NDArray) -> str:
    """Put the outcome of :func:`steps` into words."""
    if vector.size != 30:
        names = [*_WITHOUT_MASKS, "the A3 that is returned"]
        off = [name for name, wrong in zip(names, vector, strict=True) if wrong]
        more = "not what the entries before, W, b and the masks give"
        return f"{', '.join(off)}: {more}" if off else "each entry follows from those before it"
    texts = []
    for name, row in zip(("Z1", "A1", "Z2", "A2", "Z3", "A3"), vector.reshape(6, 5), strict=True):
        low, high, *rest = row
        if not np.allclose(row, (1, 1, 0, 0, 0)):
            text = f"{name} is {between(low, high)} what it should be"
            texts.append(f"{text}, and not 0 where it should be" if any(rest) else text)
    return ". ".join(texts) or "each entry is what it should be, given those before it"


def _follow(
    X: NDArray, parameters: Any, masks: Sequence[NDArray], keep_prob: float, own: Any = None
) -> dict[str, NDArray]:
    """Return what follows from the masks, or from what stands before it in an own cache."""
    made: dict[str, NDArray] = {}
    A = X
    for layer in (1, 2, 3):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        made |= {f"W{layer}": W, f"b{layer}": b, f"Z{layer}": W @ A + b}
        Z = (own or made)[f"Z{layer}"]
        if layer < 3:
            made[f"D{layer}"] = D = masks[layer - 1]
            made[f"A{layer}"] = relu(Z) * D / keep_prob
        else:
            made["A3"] = sigmoid(Z)
        A = (own or made)[f"A{layer}"]
    return made


def near(value: Any, wanted: NDArray) -> bool:
    """Say whether an array is another one, up to the rounding of the terms of its sums."""
    try:
        got = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return False
    off = 1e-5 * np.abs(wanted).max()
    return got.shape == wanted.shape and bool(np.abs(got - wanted).max() <= off)


def _moved(cache: dict[str, Any], right: dict[str, NDArray]) -> dict[str, str]:
    """Return the names of wrong entries, each with that of the entry that stands there, if any."""
    return {
        name: next((o for o in ORDER if o != name and near(cache[name], right[o])), "")
        for name in ORDER
        if not near(cache[name], right[name])
    }


# fresh


def fresh_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield a network whose hidden layers have the same size."""
    X, _, parameters = draw_network(rng, (3, 40, 40, 1), 35)
    yield Case((X, parameters, rng.integers(2**62)), "two layers of 40 units")


def both_sources(student: Student, X: Any, parameters: Any, seed: int) -> NDArray:
    """Return where both masks come from, and how far they agree with each other."""

    def draw(rng: np.random.Generator) -> list[NDArray]:
        result = student(X, parameters, 0.5, rng)
        return _masks(student, _cache(student, result), X, parameters)

    found, (D1, D2) = sources(draw, seed)
    return np.array([*found, agreement(D1, D2)])


# A program that many have copied


def _rand(*shape: int) -> NDArray:
    return np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)


def diagnose(student: Student, broken: BrokenCall) -> Iterator[Finding]:
    """Yield all faults of a much-copied program if that is what was handed in.

    It is lent the names that it lacks and numbers that are not random; then its result tells.
    """
    if broken.finding.mistake not in (NO_CACHE, SIGNATURE, UNDEFINED):
        return
    X, _, P = draw_network(np.random.default_rng(5), (3, 6, 5, 2), 4)
    first = relu(P["W1"] @ X + P["b1"]) * _rand(6, 4) / 0.5
    second = sigmoid(P["W2"] @ first + P["b2"]) * _rand(5, 4) / 0.5
    copied = relu(P["W3"] @ second + P["b3"])
    numpy = types.SimpleNamespace(**{**vars(np), "random": types.SimpleNamespace(rand=_rand)})
    helpers = {"relu": relu, "sigmoid": sigmoid, "srelu": relu}
    # A function of another process can be lent nothing; its errors tell what it lacks.
    function = lend(student.function, {"np": numpy, "parameters": P}, helpers) or student.function
    rng, lacking = np.random.default_rng(1), set()
    for arguments in ((X, P, 0.5, rng), (X, P, 0.5), (X, 0.5, rng), (X, 0.5)):
        try:
            result = student.guard(function, *arguments)
        except BrokenCall as again:
            lacking.add(undefined_name(again))
            continue
        if near(result, copied):
            known = "srelu" in getattr(student.function, "__globals__", {})
            faults = [LAST_ACTIVATION if known else UNKNOWN_ACTIVATION, HIDDEN_ACTIVATION]
            faults += [NOT_THRESHOLDED, OTHER_SOURCE, NO_CACHE]
            for fault in faults + [NO_PARAMETERS] * (arguments[1] is not P):
                yield Finding("faults of a much-copied program", student.signature, fault)
            return
    for name, faults in (("parameters", [NO_PARAMETERS]), ("srelu", [UNKNOWN_ACTIVATION, COPIED])):
        for fault in faults if name in lacking else ():
            yield Finding(f"{name} is neither an argument nor defined", student.signature, fault)
