"""The contracts of the network with dropout, forward and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises import _dropout_network as net
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._dropout_masks import (
    KEEP_ALL,
    Statistics,
    entry,
    tell_sources,
    tell_statistics,
)
from reglib.exercises._dropout_mistakes import (
    CACHE_LAYOUT,
    COPIED,
    FROZEN,
    HIDDEN_ACTIVATION,
    LAST_ACTIVATION,
    NEW_MASK,
    NO_CACHE,
    NO_MASK,
    NO_MASK_BACK,
    NO_PARAMETERS,
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
    UNKNOWN_ACTIVATION,
    UNSEEDED,
)
from reglib.exercises._findings import PAIR_SWAPPED, BrokenCall, Finding, Mistake
from reglib.exercises._random_networks import draw_network, entries
from reglib.exercises._student_function import Student, shape_of
from reglib.exercises._task import Aspect, Task
from reglib.textbook import dropout as reference
from reglib.textbook.network import relu, sigmoid

Edits = tuple[tuple[str, str], ...]


def _layers(*edits: tuple[str, str]) -> tuple[Edits, ...]:
    """Return edits with a {0} for the layer as they are made in both, and in one of them."""
    one, two = (tuple((old.format(i), new.format(i)) for old, new in edits) for i in (1, 2))
    return (one + two, one, two)


_CACHE = "(Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3)"
_COINS = "rng.random(A{0}.shape) < keep_prob"
_COIN = "(rng.random({}.shape) < keep_prob) / keep_prob"
FORWARD_PROPAGATION = Task(
    "forward_propagation_with_dropout(X, parameters, keep_prob, rng)",
    reference=reference.forward_propagation_with_dropout,
    section="The code",
    hints=(
        "Write the network without dropout first: with keep_prob = 1 it should give the same A3.",
        "Two lines more in each hidden layer: draw D, then let A be what D and the scaling leave.",
    ),
    given={"relu": relu, "sigmoid": sigmoid, "dropout_forward": reference.dropout_forward},
    model=f"""
        W1, b1, W2, b2, W3, b3 = (parameters[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
        Z1 = W1 @ X + b1
        A1 = relu(Z1)
        D1 = rng.random(A1.shape) < keep_prob
        A1 = A1 * D1 / keep_prob
        Z2 = W2 @ A1 + b2
        A2 = relu(Z2)
        D2 = rng.random(A2.shape) < keep_prob
        A2 = A2 * D2 / keep_prob
        Z3 = W3 @ A2 + b3
        A3 = sigmoid(Z3)
        return A3, {_CACHE}
    """,
    aspects=(
        Aspect(
            "layers",
            "with keep_prob = 1, A3 is that of the plain network",
            Comparison(
                net.plain_cases,
                "A3",
                call=net.with_all_kept,
                given=lambda X, P, seed: net.given(X, P, KEEP_ALL, seed),
                tell=net.tell_outputs,
            ),
        ),
        Aspect(
            "masks",
            "each entry of D1 and D2 in the cache is 1 with probability keep_prob, else 0",
            Statistics(
                net.mask_cases,
                call=net.mask_statistics,
                given=lambda X, P, rates, seed: net.given(X, P, rates[0], seed),
                tell=tell_statistics("D1", "D2"),
            ),
        ),
        Aspect(
            "scale",
            "each entry of the cache, and A3, follows from the inputs and your own masks",
            Comparison(net.step_cases, call=net.steps, given=net.given, tell=net.tell_steps),
        ),
        Aspect(
            "fresh",
            "every call draws new masks from rng, and from rng alone, one for each layer",
            Comparison(
                net.fresh_cases,
                call=net.both_sources,
                given=lambda X, P, seed: net.given(X, P, 0.5, seed),
                tell=tell_sources("D1", "D2"),
            ),
        ),
    ),
    mistakes=(
        *OF_THE_MASK,
        NO_SCALE.written(*_layers(("D{0} / keep_prob", "D{0}"))),
        FROZEN.written(
            *_layers(("D{0} = rng", f"D{{0}} = {SEEDED}")),
            ("D1 = rng", f"rng = {SEEDED}\nD1 = rng"),
        ),
        OTHER_SOURCE.written(*_layers(("D{0} = rng", f"D{{0}} = {UNSEEDED}"))),
        NOT_ADVANCED.written(("D1 = rng", "import copy\nrng = copy.deepcopy(rng)\nD1 = rng")),
        Mistake(
            "the same numbers for both layers",
            "D1 and D2 are drawn from the same random numbers, so they drop the same places.",
            "Draw both masks from the one rng, one after the other.",
        ).written(
            (
                ("D1 = rng", "seed = rng.integers(2**62)\nD1 = np.random.default_rng(seed)"),
                ("D2 = rng", "D2 = np.random.default_rng(seed)"),
            )
        ),
        ONE_MASK.written(
            _layers(("A{0}.shape)", "(len(A{0}), 1))"))[0],
            _layers(("A{0}.shape)", "A{0}.shape[1:])"))[0],
        ),
        SAME_NUMBER.written(
            _layers(
                (
                    _COINS,
                    "rng.permutation(np.arange(A{0}.size) < round(keep_prob * A{0}.size))"
                    ".reshape(A{0}.shape)",
                )
            )[0]
        ),
        SCALED_MASK.written(_layers(("Z{0}, D{0},", "Z{0}, D{0} / keep_prob,"))[0]),
        Mistake(
            "one hidden layer without dropout",
            "Both hidden layers are dropped, each with a mask of its own; here one keeps all.",
            "Do for the second layer what you do for the first.",
        ).written(
            *_layers((_COINS, "np.ones(A{0}.shape)"))[1:],
            *_layers((_COINS, "np.ones(A{0}.shape)"), ("D{0} / keep_prob", "D{0}"))[1:],
        ),
        NO_MASK.written(*_layers((" * D{0}", "")), _layers((" * D{0} / keep_prob", ""))[0]),
        HIDDEN_ACTIVATION.written(
            *_layers(("relu(Z{0})", "sigmoid(Z{0})")),
            *_layers(("relu(Z{0})", "np.tanh(Z{0})")),
            *_layers(("relu(Z{0})", "Z{0}")),
        ),
        LAST_ACTIVATION.written(
            ("sigmoid(Z3)", "relu(Z3)"), ("sigmoid(Z3)", "np.tanh(Z3)"), ("sigmoid(Z3)", "Z3")
        ),
        Mistake(
            "bias forgotten",
            "A layer has the same Z whatever its bias is.",
            "Z is W @ A + b.",
        ).written(
            *_layers((" + b{0}", "")),
            (" + b3", ""),
            tuple((f" + b{i}", "") for i in (1, 2, 3)),
        ),
        Mistake(
            "dropout on the inputs",
            "Z1 is not W1 @ X + b1 where units are dropped, and is where they are not.",
            "Apply a mask to the hidden layers only.",
        ).written(("W1 @ X", f"W1 @ (X * {_COIN.format('X')})")),
        Mistake(
            "dropout on the output layer",
            "Predictions are dropped, so a probability becomes 0 by chance.",
            "Apply a mask to the hidden layers only.",
        ).written(("sigmoid(Z3)", f"sigmoid(Z3) * {_COIN.format('Z3')}")),
        Mistake(
            "dropped activations not passed on",
            "A layer computes from the activations below it as they were before their mask.",
            "Which A1 belongs in W2 @ A1, and which A2 in W3 @ A2?",
        ).written(*_layers(("@ A{0}", "@ relu(Z{0})"))),
        Mistake(
            "mask or keep_prob on the next layer's Z",
            "Besides A, the Z of the layer above is masked or scaled, which changes it once more.",
            "Mask and scaling act on A1 and A2 alone; Z is W @ A + b of what they leave.",
        ).written(
            *_layers(("@ A{0}", "@ A{0} * keep_prob")),
            ("W2 @ A1 + b2", f"(W2 @ A1 + b2) * {_COIN.format('(b2 + 0 * X[:1])')}"),
        ),
        Mistake(
            "cached before the mask",
            "An A stands in the cache as it was before mask and scaling; the way back needs it as "
            "the next layer saw it.",
            "Put the dropped activations into the cache.",
        ).written(*_layers(("D{0}, A{0},", "D{0}, relu(Z{0}),"))),
        NO_CACHE.written((f", {_CACHE}", "")),
        CACHE_LAYOUT.written(
            ("Z1, D1, A1,", "Z1, A1, D1,"),
            ("(Z1, D1,", "(D1, Z1,"),
            (("A2, W2,", "A2, W3,"), ("A3, W3,", "A3, W2,")),
            ("Z3, A3, W3", "A3, Z3, W3"),
            ("Z3, A3, W3", "Z3, Z3, W3"),
            ((" D1, A1, W1", " A1, W1"), (" D2, A2, W2", " A2, W2")),
        ),
        PAIR_SWAPPED.written((f"A3, {_CACHE}", f"{_CACHE}, A3")),
        UNKNOWN_ACTIVATION,
        NO_PARAMETERS,
        COPIED,
    ),
    right=(
        """
        A, cache = X, []
        for layer in (1, 2):
            W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
            Z = W @ A + b
            A, D = dropout_forward(np.maximum(Z, 0), keep_prob, rng)
            cache += [Z, D, A, W, b]
        Z = parameters["W3"] @ A + parameters["b3"]
        A = 1 / (1 + np.exp(-Z))
        return A, cache + [Z, A, parameters["W3"], parameters["b3"]]
        """,
        """
        p = {k: v.astype(np.float32) for k, v in parameters.items()}
        A, cache = X.astype(np.float32), []
        for W, b in ((p["W1"], p["b1"]), (p["W2"], p["b2"])):
            Z = W @ A + b
            D = rng.binomial(1, keep_prob, Z.shape)
            A = np.where(D, Z * (Z > 0), 0) / np.float32(keep_prob)
            cache += [Z, D, A, W, b]
        Z = p["W3"] @ A + p["b3"]
        A = 1 / (1 + np.exp(-Z))
        return A, tuple([*cache, Z, A, p["W3"], p["b3"]])
        """,
        """
        def hidden(A, W, b, source):
            Z = W @ A + b
            D = np.asfortranarray(source.random(Z.shape) > 1 - keep_prob).astype(float)
            return Z, D, np.maximum(0, Z) * D * (1 / keep_prob), W, b

        one, two = rng.spawn(2)
        first = hidden(X, parameters["W1"], parameters["b1"], one)
        second = hidden(first[2], parameters["W2"], parameters["b2"], two)
        Z3 = parameters["W3"] @ second[2] + parameters["b3"]
        return sigmoid(Z3), first + second + (Z3, sigmoid(Z3), parameters["W3"], parameters["b3"])
        """,
        """
        W1, b1, W2, b2, W3, b3 = parameters.values()
        m = X.shape[1]
        D1, D2 = rng.random((len(b1), m)) < keep_prob, rng.random((len(b2), m)) < keep_prob
        Z1 = W1.dot(X) + b1
        A1 = np.where(D1 & (Z1 > 0), Z1, 0.0) / keep_prob
        Z2 = W2.dot(A1) + b2
        A2 = np.where(D2 & (Z2 > 0), Z2, 0.0) / keep_prob
        Z3 = W3.dot(A2) + b3
        A3 = np.exp(-np.logaddexp(0, -Z3))
        cache = Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3
        return [A3.tolist(), [entry.tolist() for entry in cache]]
        """,
        """
        cache = {"A0": X}
        for i in ("1", "2", "3"):
            cache |= {"W" + i: parameters["W" + i], "b" + i: parameters["b" + i]}
            cache["Z" + i] = cache["W" + i] @ cache["A" + str(int(i) - 1)] + cache["b" + i]
            cache["A" + i] = sigmoid(cache["Z" + i]) if i == "3" else relu(cache["Z" + i])
            if i != "3":
                cache["D" + i] = (rng.uniform(size=cache["A" + i].shape) < keep_prob).astype(int)
                cache["A" + i] *= cache["D" + i] / keep_prob
        order = "Z1 D1 A1 W1 b1 Z2 D2 A2 W2 b2 Z3 A3 W3 b3"
        return cache["A3"], tuple(cache[name] for name in order.split())
        """,
    ),
    diagnose=net.diagnose,
    explain=net.fixed_factor,
)


# backward_propagation_with_dropout


def _backward_cases(rng: np.random.Generator) -> Iterator[Case]:
    # Layers of equal width, so that exchanged masks have the shape that they should.
    for keep_prob, widths, m in (
        (0.4, (3, 6, 6, 2), 8),
        (0.7, (2, 5, 5, 1), 11),
        (0.85, (5, 7, 7, 3), 6),
        (0.6, (4, 9, 9, 2), 1),
    ):
        X, Y, parameters = draw_network(rng, widths, m)
        generator = np.random.default_rng(rng.integers(2**62))
        A3, cache = reference.forward_propagation_with_dropout(X, parameters, keep_prob, generator)
        # Of A3 - Y, a small difference of large numbers, float32 keeps few digits.
        Y = np.where(np.abs(A3 - Y) < 0.1, 1 - Y, Y)
        text = f"{m} examples, layers of {', '.join(map(str, widths[1:]))} units"
        text += f", keep_prob = {keep_prob}"
        yield Case((X, Y, cache, keep_prob), text, {"m": m, "keep_prob": keep_prob})


def _gradients(*names: str) -> Comparison:
    """Return the comparison of the named gradients, laid end to end."""

    def read(student: Student, got: Any, wanted: Any, what: str) -> NDArray:
        if not isinstance(got, dict) or not set(names) <= set(got):
            if got is None:
                student.numbers(None, what)
            came = f"a dict of {', '.join(map(str, got))}" if isinstance(got, dict) else type(got)
            raise BrokenCall(Finding(f"the result is {came}", f"a dict with {', '.join(names)}"))
        parts = []
        for name in names:
            value, shape = got[name], np.shape(wanted[name])
            if shape_of(value) == (1, 1):  # a sum over all units is told by its values
                value = np.broadcast_to(entry(student, value, name), shape)
            parts.append(entry(student, value, name, shape).ravel())
        return np.concatenate(parts)

    def places(X: NDArray, Y: NDArray, cache: Sequence[NDArray], keep_prob: float) -> list[str]:
        shapes = {f"d{name}": np.shape(value) for name, value in zip(net.ORDER, cache, strict=True)}
        return entries({name: shapes[name] for name in names})

    return Comparison(_backward_cases, "the gradients", read=read, places=places)


def _is_random(student: Student) -> Iterator[Finding]:
    """Yield a finding if two calls with the same arguments differ."""
    X, Y, cache, keep_prob = next(_backward_cases(np.random.default_rng(3))).arguments
    first, second = (student(X, Y, cache, keep_prob) for _ in range(2))
    if any(not np.array_equal(first[name], second[name]) for name in first):
        came = "two calls with the same arguments gave different gradients"
        yield Finding(came, "the same gradients: no randomness on the way back", NEW_MASK)


BACKWARD_PROPAGATION = Task(
    "backward_propagation_with_dropout(X, Y, cache, keep_prob)",
    reference=reference.backward_propagation_with_dropout,
    section="The mathematics",
    hints=(
        "Go through the network from its end, one layer at a time: dZ, then dW and db, then dA.",
        "Each step of the way forward has its counterpart: the scaling, the mask, the ReLU.",
    ),
    given={"dropout_backward": reference.dropout_backward},
    model="""
        Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3 = cache
        m = X.shape[1]
        dZ3 = A3 - Y
        dW3 = dZ3 @ A2.T / m
        db3 = np.sum(dZ3, axis=1, keepdims=True) / m
        dA2 = W3.T @ dZ3 * D2 / keep_prob
        dZ2 = dA2 * (A2 > 0)
        dW2 = dZ2 @ A1.T / m
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dA1 = W2.T @ dZ2 * D1 / keep_prob
        dZ1 = dA1 * (A1 > 0)
        dW1 = dZ1 @ X.T / m
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}
    """,
    aspects=(
        Aspect("output", "dW3 and db3 are those of the cross-entropy", _gradients("dW3", "db3")),
        Aspect(
            "hidden",
            "the gradients of layers 2 and 1 pass the same masks and the same scaling",
            _gradients("dW2", "db2", "dW1", "db1"),
        ),
    ),
    mistakes=(
        NO_SCALE_BACK.written(*_layers(("D{0} / keep_prob", "D{0}"))),
        NO_MASK_BACK.written(*_layers((" * D{0}", ""), ("A{0} > 0", "Z{0} > 0"))),
        *OF_THE_FACTOR,
        REVERSED.written(*_layers(("* D{0}", "* (1 - D{0})"))[:1]),
        Mistake(
            "masks of two layers exchanged",
            "Each layer has its own mask: D2 belongs to A2 and D1 to A1.",
            "Follow the gradient backwards: which layer does it reach first?",
        ).written((("* D1", "* D"), ("* D2", "* D1"), ("* D /", "* D2 /"))),
        NEW_MASK.written(*_layers(("* D{0}", f"* ({UNSEEDED}.random(D{{0}}.shape) < keep_prob)"))),
        Mistake(
            "derivative of ReLU forgotten",
            "A gradient flows through units whose input was negative.",
            "Multiply dA by 1 where A is positive and by 0 elsewhere.",
        ).written(*_layers((" * (A{0} > 0)", ""))),
        Mistake(
            "Y - A3 for A3 - Y",
            "Every gradient points the other way, so the cost would grow.",
            "The task says what dZ3 is.",
        ).written(("A3 - Y", "Y - A3")),
        Mistake(
            "1/m missing",
            "The cost is a mean over m examples, and so is its gradient.",
            "Divide dW and db by the number of columns.",
        ).written((" / m", "")),
        Mistake(
            "1/m twice",
            "1/m sits in dZ and again in dW, so hidden layers learn too slowly.",
            "Divide by m in dW and db only.",
        ).written(("A3 - Y", "(A3 - Y) / m")),
        Mistake(
            "m counts something else",
            "m is not the number of examples but that of rows, or of all entries.",
            "Examples are columns: which entry of X.shape counts them?",
        ).written(*(("X.shape[1]", other) for other in ("Y.size", "X.shape[0]", "X.size"))),
        Mistake(
            "mean for sum in db",
            "A mean over the examples divides by m, and then db is divided by m once more.",
            "Divide by m once: either np.sum and / m, or np.mean alone.",
        ).written(("np.sum", "np.mean")),
        Mistake(
            "biases of a layer added up",
            "The sum runs over the units as well, so all biases of a layer get the same gradient.",
            "db has one entry for each unit: along which axis are the examples?",
        ).written(("axis=1, ", ""), ("np.sum(dZ3, axis=1, ", "np.sum(dZ3, ")),
    ),
    right=(
        """
        _, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _ = cache
        m = X.shape[1]
        dZ3 = A3 - Y
        dZ2 = dropout_backward(W3.T @ dZ3, D2, keep_prob) * (A2 > 0)
        dZ1 = dropout_backward(W2.T @ dZ2, D1, keep_prob) * (A1 > 0)
        gradients = {}
        for layer, dZ, A in ((1, dZ1, X), (2, dZ2, A1), (3, dZ3, A2)):
            gradients[f"dW{layer}"] = dZ @ A.T / m
            gradients[f"db{layer}"] = dZ.sum(axis=1, keepdims=True) / m
        return gradients
        """,
        """
        _, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _ = cache
        m = Y.shape[1]
        dZ3 = (A3 - Y) / m
        dA2 = W3.T @ dZ3 / keep_prob
        dA2[D2 == 0] = 0
        dA2[A2 <= 0] = 0
        dA1 = W2.T @ dA2 / keep_prob
        dA1[np.logical_not(D1)] = 0
        dA1[A1 <= 0] = 0
        gradients = {"dW3": dZ3 @ A2.T, "dW2": dA2 @ A1.T, "dW1": dA1 @ X.T}
        gradients["db3"], gradients["db2"] = dZ3.sum(axis=1).reshape(-1, 1), dA2.sum(1)[:, None]
        return gradients | {"db1": dA1 @ np.ones((m, 1))}
        """,
        """
        _, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _ = cache
        m, gradients, dZ = X.shape[1], {"comment": "extra entries do no harm"}, A3 - Y
        for layer, below, W, D in ((3, A2, W3, D2), (2, A1, W2, D1), (1, X, None, None)):
            gradients[f"dW{layer}"] = np.einsum("im,jm->ij", dZ, below) / m
            gradients[f"db{layer}"] = np.einsum("im->i", dZ)[:, np.newaxis] / m
            if W is not None:
                dZ = np.einsum("ij,im->jm", W, dZ) * D / keep_prob * (below > 0)
        return gradients
        """,
        """
        Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3 = cache
        dZ3 = A3 - Y
        dZ2 = np.where(Z2 > 0, np.dot(W3.T, dZ3) * D2 / keep_prob, 0)
        dZ1 = np.where(Z1 > 0, np.dot(W2.T, dZ2) * D1 / keep_prob, 0)
        pairs = {"3": (dZ3, A2), "2": (dZ2, A1), "1": (dZ1, X)}
        out = {"dW" + i: (dZ @ A.T / len(X.T)).tolist() for i, (dZ, A) in pairs.items()}
        return out | {"db" + i: np.mean(dZ, axis=1, keepdims=True) for i, (dZ, _) in pairs.items()}
        """,
        """
        cache = [np.float32(entry) for entry in cache]
        A1, A2, W2, A3, W3 = (cache[i] for i in (2, 7, 8, 11, 12))
        m, p, gradients = X.shape[1], keep_prob, {}
        dZ3 = A3 - np.float32(Y)
        dZ2 = W3.T @ dZ3 * (A2 > 0) / p
        dZ1 = W2.T @ dZ2 * (A1 > 0) / p
        for i, dZ, A in ((3, dZ3, A2), (2, dZ2, A1), (1, dZ1, X)):
            gradients |= {f"dW{i}": dZ @ A.T / m, f"db{i}": dZ.mean(axis=1)[:, None]}
        return gradients
        """,
    ),
    explain=_is_random,
)
