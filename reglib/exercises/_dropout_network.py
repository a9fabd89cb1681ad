"""Dropout in a network of three layers: what its outputs and its cache give away."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, close, compare, differ, show
from reglib.exercises._dropout_masks import (
    RATES,
    binary,
    faulty_factor,
    fresh_findings,
    mask_findings,
    mask_of,
    scale_findings,
    spread,
    two_seeds,
)
from reglib.exercises._dropout_mistakes import (
    CACHE_LAYOUT,
    CACHED_BEFORE,
    COPIED,
    HIDDEN_ACTIVATION,
    INPUT_DROPPED,
    LABELS_FIRST,
    LAST_ACTIVATION,
    MASKS_SWAPPED,
    NO_BIAS,
    NO_CACHE,
    NO_M_BACK,
    NO_MASK_BACK,
    NO_PARAMETERS,
    NO_RELU_BACK,
    NOT_PASSED_ON,
    NOT_THRESHOLDED,
    OUTPUT_DROPPED,
    REVERSED,
    TWICE_M,
    UNKNOWN_ACTIVATION,
)
from reglib.exercises._findings import (
    PAIR_SWAPPED,
    SIGNATURE,
    UNDEFINED,
    BrokenCall,
    Finding,
    Mistake,
)
from reglib.exercises._random_networks import draw_network, entries
from reglib.exercises._student_function import Student, lend, shape_of, undefined_name
from reglib.textbook import dropout as reference
from reglib.textbook.network import forward_propagation, relu, sigmoid

# forward_propagation_with_dropout

_ORDER = ["Z1", "D1", "A1", "W1", "b1", "Z2", "D2", "A2", "W2", "b2", "Z3", "A3", "W3", "b3"]


def _probability(student: Student, result: Any, shape: tuple[int, ...]) -> NDArray:
    """Return A3, whether or not a cache came with it."""
    if isinstance(result, (tuple, list)) and len(result) == 2:
        if isinstance(result[0], (tuple, list, dict)) and shape_of(result[1]) == shape:
            came = f"the first of the pair is a {type(result[0]).__name__}"
            raise BrokenCall(Finding(came, "the pair (A3, cache)", PAIR_SWAPPED))
        result = result[0]
    return student.numbers(result, "A3", shape)


def _cache(student: Student, result: Any) -> dict[str, Any]:
    expected = f"(A3, cache) with cache = ({', '.join(_ORDER)})"
    if isinstance(result, np.ndarray) or result is None:
        shown = "A3 alone" if result is not None else "None"
        raise BrokenCall(Finding(f"{student.name} returned {shown}", expected, NO_CACHE))
    A3, cache = student.pair(result, "A3", "cache")
    if isinstance(A3, (tuple, list, dict)) and isinstance(cache, np.ndarray):
        came = f"the first of the pair is a {type(A3).__name__}"
        raise BrokenCall(Finding(came, "the pair (A3, cache)", PAIR_SWAPPED))
    if not isinstance(cache, (tuple, list)) or len(cache) != len(_ORDER):
        length = f" of {len(cache)}" if isinstance(cache, (tuple, list, dict)) else ""
        came = f"the cache is a {type(cache).__name__}{length}"
        raise BrokenCall(Finding(came, expected, CACHE_LAYOUT))
    return dict(zip(_ORDER, cache, strict=True))


def net_layers(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    """Yield what is wrong where nothing is dropped."""
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
        if close(got, np.full(got.shape, 0.5)):
            came = f"the last layer puts out 0.5 with a bias of {value}"
            yield Finding(came, f"sigmoid({value}) = {show(sigmoid(value))}", NO_BIAS)
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


def net_masks(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    """Yield what is wrong with the masks in the cache."""
    masks: dict[str, list[tuple[float, NDArray]]] = {"D1": [], "D2": []}
    for keep_prob in RATES:
        n1, n2, m = (int(n) for n in rng.integers((50, 40, 90), (60, 50, 110)))
        X, _, parameters = draw_network(rng, (3, n1, n2, 1), m)
        generator = np.random.default_rng(rng.integers(2**31))
        cache = _cache(student, student(X, parameters, keep_prob, generator))
        D1, A1 = cache["D1"], cache["A1"]
        both = shape_of(D1) == shape_of(A1) == (n1, m)
        if both and binary(np.asarray(A1)) and not binary(np.asarray(D1)):
            came = "where A1 should stand is an array of 0 and 1"
            raise BrokenCall(Finding(came, f"the order {', '.join(_ORDER)}", CACHE_LAYOUT))
        masks["D1"].append((keep_prob, mask_of(student, cache["D1"], (n1, m), "D1")))
        masks["D2"].append((keep_prob, mask_of(student, cache["D2"], (n2, m), "D2")))
    for name, drawn in masks.items():
        yield from mask_findings(drawn, name)


def net_scale(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    """Yield where A1, A2 and A3 do not follow from the masks beside them."""
    layers: list[list[tuple[float, NDArray, NDArray, NDArray]]] = [[], []]
    off_whole = True
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
            mask = spread(student, cache[f"D{i + 1}"], (units, m), f"D{i + 1}")
            below = student.numbers(cache[f"A{i + 1}"], f"A{i + 1}", (units, m))
            layers[i].append((keep_prob, relu(Z), mask, below))
        wanted = sigmoid(parameters["W3"] @ below + parameters["b3"])
        if not close(A3, wanted):
            named = list(_activation_findings(student))
            found = differ(A3, wanted, "A3")
            dropped = layers[1][-1][2] * below / keep_prob
            before = close(A3, sigmoid(parameters["W3"] @ dropped + parameters["b3"]))
            came, mistake = f"{found.came}, given the A2 of your cache", CACHED_BEFORE
            yield from named or [Finding(came, found.expected, mistake if before else None)]
            return
        # What A2 is if A1 has not been dropped for it.
        whole = relu(parameters["W2"] @ layers[0][-1][1] + parameters["b2"])
        off_whole = off_whole and close(below, whole * layers[1][-1][2] / keep_prob)
    for i, cases in enumerate(layers):
        findings = list(scale_findings(cases, f"A{i + 1}"))
        if any(finding.mistake is None for finding in findings):
            named = list(_activation_findings(student))
            if not named and i == 0:
                with contextlib.suppress(BrokenCall):
                    named = list(_inputs_dropped(student, rng, findings[0]))
            if not named and i == 1 and off_whole:
                named = [Finding(findings[0].came, findings[0].expected, NOT_PASSED_ON)]
            findings = named or findings
        yield from findings


def _inputs_dropped(
    student: Student, rng: np.random.Generator, finding: Finding
) -> Iterator[Finding]:
    """Yield the finding by its name if Z1 is right where nothing is dropped, and only there."""
    X, _, parameters = draw_network(rng, (3, 6, 5, 1), 9)
    right = parameters["W1"] @ X + parameters["b1"]
    as_it_should = []
    for keep_prob in (1.0, 0.4):
        cache = _cache(student, student(X, parameters, keep_prob, np.random.default_rng(1)))
        as_it_should.append(close(student.numbers(cache["Z1"], "Z1", right.shape), right))
    if as_it_should == [True, False]:
        yield Finding(finding.came, finding.expected, INPUT_DROPPED)


def net_fresh(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    """Yield what is wrong with where the masks come from."""
    X, _, parameters = draw_network(rng, (3, 20, 15, 1), 30)

    def draw(generator: np.random.Generator) -> NDArray:
        result = student(X, parameters, 0.5, generator)
        if isinstance(result, np.ndarray):
            return _probe(student, 1, 1.0, 0.5, rng=generator)
        return student.numbers(_cache(student, result)["D1"], "D1")

    yield from fresh_findings(draw, two_seeds(rng), "masks")


def net_diagnose(student: Student, broken: BrokenCall) -> Iterator[Finding]:
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
        lambda student: fresh_findings(
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
    factor = faulty_factor(wrong, keep_prob)
    steps = ((3, A2, W3, D2), (2, A1, W2, D1), (1, X, None, None))
    dZ = Y - A3 if LABELS_FIRST.name in wrong else A3 - Y
    if TWICE_M.name in wrong:
        dZ = dZ / m
    gradients = {}
    for layer, below, W, D in steps:
        gradients[f"dW{layer}"] = dZ @ below.T / m
        gradients[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if W is None or D is None:  # the inputs: nothing lies below them
            break
        dA = W.T @ dZ
        if REVERSED.name in wrong:
            D = 1 - D
        dA = dA * factor if NO_MASK_BACK.name in wrong else dA * D * factor
        dZ = dA if NO_RELU_BACK.name in wrong else dA * (below > 0)
    return gradients


def _entries(cache: Sequence[NDArray], names: Sequence[str]) -> list[str]:
    """Return a name for each entry of the named gradients, laid end to end."""
    shapes = {f"d{name}": np.shape(value) for name, value in zip(_ORDER, cache, strict=True)}
    return entries({name: shapes[name] for name in names})


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


def net_backward(
    names: Sequence[str], mistakes: Sequence[Mistake]
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    """Return the test of some gradients, and the mistakes that it looks for."""

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
            what="the gradients",
            places=lambda X, Y, cache, keep_prob: _entries(cache, names),
            together=2,
        )

    return test
