"""Assignment 5's contract against itself: what is right passes, what is wrong is named."""

import functools
import itertools

import numpy as np
import pytest

from reglib.exercises import _dropout_mistakes as catalog
from reglib.exercises import dropout as contract
from reglib.exercises._findings import (
    HARD_CODED,
    NOT_WRITTEN,
    RETURNS_NOTHING,
    SIGNATURE,
    UNDEFINED,
)
from reglib.exercises.checking import CheckFailed
from reglib.textbook import dropout as reference
from reglib.textbook import relu, sigmoid

EXERCISES = contract.ASSIGNMENT.exercises


# Right answers in other styles


def comparing_the_other_end(a, keep_prob, rng, training=True):
    mask = (rng.random(a.shape) > 1 - keep_prob).astype(int)
    return (a * mask / keep_prob, mask) if training else (a, mask)


def binomial(a, keep_prob, rng, training=True):
    mask = rng.binomial(1, keep_prob, size=a.shape)
    return (np.where(mask, a / keep_prob, 0.0), mask) if training else (a, None)


def in_place(a, keep_prob, rng, training=True):
    mask = rng.uniform(size=a.shape) <= keep_prob
    if training:
        a *= mask
        a /= keep_prob
    return a, mask


def by_choice(a, keep_prob, rng, training=True):
    mask = rng.choice([1.0, 0.0], size=a.shape, p=[keep_prob, 1 - keep_prob])
    return [(a * mask / keep_prob) if training else a.copy(), mask]


def through_float32(a, keep_prob, rng, training=True):
    mask = np.ones_like(a)
    if training:
        mask[rng.random(a.shape, dtype=np.float32) >= keep_prob] = 0
    return a * (mask * (1 / keep_prob if training else 1)), mask


def with_loops(a, keep_prob, rng, training=True):
    flat = a.ravel()
    mask = np.array([rng.random() < keep_prob for _ in flat])
    out = [x / keep_prob if kept else 0 for x, kept in zip(flat, mask, strict=True)]
    out = np.array(out) if training else flat
    return out.reshape(a.shape), mask.reshape(a.shape)


def noisy_and_right(a, keep_prob, rng, training=True):
    import warnings

    warnings.warn("this is only a warning", stacklevel=2)
    return reference.dropout_forward(a, keep_prob, rng, training)


FORWARD = (
    comparing_the_other_end,
    binomial,
    in_place,
    by_choice,
    through_float32,
    with_loops,
    noisy_and_right,
    lambda a, keep_prob, rng, training=True: reference.dropout_forward(a, keep_prob, rng, training),
    functools.partial(reference.dropout_forward),
)


def network(
    X,
    parameters,
    keep_prob,
    rng,
    *,
    draw=lambda shape, keep_prob, rng: rng.random(shape) < keep_prob,
    scale=lambda A, D, keep_prob: A * D / keep_prob,
    hidden=(relu, relu),
    last=sigmoid,
    drop_output=False,
):
    """The network of the task with switches for what can go wrong."""
    W1, b1, W2, b2, W3, b3 = (parameters[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    Z1 = np.dot(W1, X) + b1
    A1 = hidden[0](Z1)
    D1 = draw(A1.shape, keep_prob, rng)
    A1 = scale(A1, D1, keep_prob)
    Z2 = np.dot(W2, A1) + b2
    A2 = hidden[1](Z2)
    D2 = draw(A2.shape, keep_prob, rng)
    A2 = scale(A2, D2, keep_prob)
    Z3 = np.dot(W3, A2) + b3
    A3 = last(Z3)
    if drop_output:
        A3 = A3 * draw(A3.shape, keep_prob, rng) / keep_prob
    return A3, (Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3)


def variant(**switches):
    return functools.partial(network, **switches)


def as_a_loop(X, parameters, keep_prob, rng):
    A, cache = X, []
    for layer in range(1, len(parameters) // 2 + 1):
        W, b = parameters[f"W{layer}"], parameters[f"b{layer}"]
        Z = W @ A + b
        if layer == len(parameters) // 2:
            A = 1 / (1 + np.exp(-Z))
            cache += [Z, A, W, b]
        else:
            A = np.maximum(Z, 0)
            D = (rng.random(A.shape) < keep_prob).astype(int)
            A *= D
            A /= keep_prob
            cache += [Z, D, A, W, b]
    return A, cache


NETWORKS = (
    network,
    as_a_loop,
    variant(draw=lambda shape, p, rng: rng.binomial(1, p, shape)),
    variant(draw=lambda shape, p, rng: (rng.random(shape) > 1 - p).astype(float)),
    variant(hidden=(lambda Z: Z * (Z > 0), lambda Z: np.where(Z > 0, Z, 0.0))),
    variant(scale=lambda A, D, p: np.where(D, A, 0) * (1 / p)),
)


def backward_by_hand(X, Y, cache, keep_prob):
    (_, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _) = cache
    m = X.shape[1]
    dZ3 = A3 - Y
    gradients = {"dW3": 1.0 / m * np.dot(dZ3, A2.T), "db3": 1.0 / m * dZ3.sum(1, keepdims=True)}
    dA2 = np.dot(W3.T, dZ3) * D2
    dA2 /= keep_prob
    dZ2 = np.multiply(dA2, np.int64(A2 > 0))
    gradients |= {"dW2": 1.0 / m * np.dot(dZ2, A1.T), "db2": 1.0 / m * dZ2.sum(1, keepdims=True)}
    dA1 = np.dot(W2.T, dZ2) * D1
    dA1 /= keep_prob
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    gradients |= {"dW1": 1.0 / m * np.dot(dZ1, X.T), "db1": 1.0 / m * dZ1.sum(1, keepdims=True)}
    return gradients


def backward_zeroing(X, Y, cache, keep_prob):
    (_, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _) = cache
    m = Y.shape[1]
    dZ3 = (A3 - Y) / m
    dA2 = W3.T @ dZ3 / keep_prob
    dA2[D2 == 0] = 0
    dA2[A2 <= 0] = 0
    dA1 = W2.T @ dA2 / keep_prob
    dA1[np.logical_not(D1)] = 0
    dA1[A1 <= 0] = 0
    return {
        "dW3": dZ3 @ A2.T,
        "db3": dZ3.sum(axis=1).reshape(-1, 1),
        "dW2": dA2 @ A1.T,
        "db2": dA2.sum(axis=1)[:, None],
        "dW1": dA1 @ X.T,
        "db1": dA1 @ np.ones((m, 1)),
    }


def backward_einsum(X, Y, cache, keep_prob):
    (_, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _) = cache
    m, gradients, dZ = X.shape[1], {}, A3 - Y
    for layer, below, W, D in ((3, A2, W3, D2), (2, A1, W2, D1), (1, X, None, None)):
        gradients[f"dW{layer}"] = np.einsum("im,jm->ij", dZ, below) / m
        gradients[f"db{layer}"] = np.einsum("im->i", dZ)[:, np.newaxis] / m
        if W is not None:
            dZ = np.einsum("ij,im->jm", W, dZ) * D / keep_prob * (below > 0)
    return gradients


RIGHT = {
    "dropout_forward": FORWARD,
    "dropout_backward": (
        lambda dout, mask, keep_prob: dout * (mask / keep_prob),
        lambda dout, mask, keep_prob: np.where(mask, dout, 0) / keep_prob,
        lambda dout, mask, keep_prob: np.multiply(dout, mask) * (1 / keep_prob),
        lambda dout, mask, keep_prob: (dout * mask / keep_prob).tolist(),
        lambda dout, mask, keep_prob: np.divide(dout, keep_prob, out=dout) * mask,
    ),
    "is_frozen": (
        lambda forward, a, keep_prob, rng: bool(
            np.all(forward(a, keep_prob, rng)[1] == forward(a, keep_prob, rng)[1])
        ),
        lambda forward, a, keep_prob, rng: (
            len({np.asarray(forward(a, keep_prob, rng)[1]).tobytes() for _ in range(3)}) == 1
        ),
        lambda forward, a, keep_prob, rng: np.array_equal(
            forward(a, keep_prob, rng)[0], forward(a, keep_prob, rng)[0]
        ),
        lambda forward, a, keep_prob, rng: int(
            not np.any(np.asarray(forward(a, keep_prob, rng)[1]) != forward(a, keep_prob, rng)[1])
        ),
        lambda forward, a, keep_prob, rng: (
            np.std(
                [np.asarray(forward(a, keep_prob, rng)[1], float) for _ in range(4)], axis=0
            ).max()
            == 0
        ),
    ),
    "forward_propagation_with_dropout": NETWORKS,
    "backward_propagation_with_dropout": (
        backward_by_hand,
        backward_zeroing,
        backward_einsum,
        lambda *a: dict(backward_by_hand(*a), comment="extra entries do no harm"),
        lambda X, Y, cache, keep_prob: reference.backward_propagation_with_dropout(
            X, Y, list(cache), keep_prob
        ),
    ),
    "mc_dropout_predict": (
        reference.mc_dropout_predict,
        lambda f, x, n, rng: (lambda p: (sum(p) / n, np.std(p, axis=0)))(
            [f(x, rng) for _ in range(n)]
        ),
        lambda f, x, n, rng: (lambda p: [p.mean(0), p.std(0, ddof=1)])(
            np.array([f(x, rng) for _ in range(n)])
        ),
        lambda f, x, n, rng: (lambda p: (p.mean(-1), np.sqrt(p.var(-1))))(
            np.stack([f(x, rng) for _ in range(n)], axis=-1)
        ),
        lambda f, x, n, rng: (lambda p: (p.mean(0), np.sqrt((p**2).mean(0) - p.mean(0) ** 2)))(
            np.array([f(x, stream) for stream in rng.spawn(n)])
        ),
    ),
}


def cases_of(table):
    return [(name, case) for name, cases in table.items() for case in cases]


@pytest.mark.parametrize(("name", "answer"), cases_of(RIGHT))
def test_right_answers_in_other_styles_pass(verdict, name, answer):
    assert verdict(EXERCISES[name], answer, seeds=range(5)) is None


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_is_never_accused(verdict, name):
    exercise = EXERCISES[name]
    assert verdict(exercise, exercise.reference, seeds=range(60)) is None


# Wrong answers


def forward_with(draw, scale=lambda a, mask, p: a * mask / p):
    def dropout_forward(a, keep_prob, rng, training=True):
        mask = draw(a.shape, keep_prob, rng)
        return (scale(a, mask, keep_prob) if training else a), mask

    return dropout_forward


def right_mask(shape, p, rng):
    return rng.random(shape) < p


DRAWN_WRONGLY = {
    "randn": (lambda shape, p, rng: rng.standard_normal(shape) < p, {catalog.RANDN}),
    "randn, other end": (
        lambda shape, p, rng: rng.standard_normal(shape) > 1 - p,
        {catalog.RANDN},
    ),
    "> keep_prob": (lambda shape, p, rng: rng.random(shape) > p, {catalog.REVERSED}),
    "randn > keep_prob": (
        lambda shape, p, rng: rng.standard_normal(shape) > p,
        {catalog.RANDN, catalog.REVERSED},
    ),
    "raw": (lambda shape, p, rng: rng.random(shape), {catalog.NOT_THRESHOLDED}),
    "raw randn": (
        lambda shape, p, rng: rng.standard_normal(shape),
        {catalog.NOT_THRESHOLDED, catalog.RANDN},
    ),
    "keep_prob fixed": (lambda shape, p, rng: rng.random(shape) < 0.5, {HARD_CODED}),
    "one column for all": (
        lambda shape, p, rng: (
            np.tile(rng.random((shape[0], 1)) < p, (1, shape[1]))
            if len(shape) == 2
            else rng.random(shape) < p
        ),
        {catalog.ONE_MASK},
    ),
    "one row for all": (
        lambda shape, p, rng: (
            rng.random((1, shape[-1])) < p if len(shape) == 2 else rng.random(shape) < p
        ),
        {catalog.ONE_MASK},
    ),
}

FRESH_WRONGLY = {
    "seed inside": (
        lambda shape, p, rng: np.random.default_rng(3).random(shape) < p,
        catalog.FROZEN,
    ),
    "copy of rng": (
        lambda shape, p, rng: (
            np.random.Generator(
                type(rng.bit_generator)(int(rng.bit_generator.state["state"]["state"]) % 2**60)
            ).random(shape)
            < p
        ),
        catalog.NOT_ADVANCED,
    ),
    "numpy's own state": (
        lambda shape, p, rng: np.random.rand(*shape) < p,  # noqa: NPY002
        catalog.OTHER_SOURCE,
    ),
}


def seeded_globally(shape, p, rng):
    np.random.seed(1)  # noqa: NPY002
    return np.random.rand(*shape) < p  # noqa: NPY002


FRESH_WRONGLY["numpy's own state, seeded"] = (seeded_globally, catalog.FROZEN)

SCALED_WRONGLY = {
    "not at all": (lambda a, mask, p: a * mask, catalog.NO_SCALE),
    "multiplied": (lambda a, mask, p: a * mask * p, catalog.MULTIPLIED),
    "by the drop rate": (lambda a, mask, p: a * mask / (1 - p), catalog.DROP_RATE),
    "mask not applied": (lambda a, mask, p: a / p, catalog.NO_MASK),
    "twice always": (lambda a, mask, p: a * mask * 2, HARD_CODED),
}


def names(mistakes):
    return {mistake.name for mistake in mistakes}


@pytest.mark.parametrize("fault", DRAWN_WRONGLY)
def test_a_wrong_mask_is_named(accused, fault):
    draw, mistakes = DRAWN_WRONGLY[fault]
    assert accused(EXERCISES["dropout_forward"], forward_with(draw), "mask") == names(mistakes)
    answer = variant(draw=draw)
    assert accused(EXERCISES["forward_propagation_with_dropout"], answer, "masks") >= names(
        mistakes
    )


@pytest.mark.parametrize("fault", FRESH_WRONGLY)
def test_a_wrong_source_of_randomness_is_named(accused, fault):
    draw, mistake = FRESH_WRONGLY[fault]
    assert accused(EXERCISES["dropout_forward"], forward_with(draw), "fresh") == {mistake.name}
    answer = variant(draw=draw)
    assert accused(EXERCISES["forward_propagation_with_dropout"], answer, "fresh") == {mistake.name}


@pytest.mark.parametrize("fault", SCALED_WRONGLY)
def test_a_wrong_scale_is_named(accused, fault):
    scale, mistake = SCALED_WRONGLY[fault]
    answer = forward_with(right_mask, scale)
    assert accused(EXERCISES["dropout_forward"], answer, "scale") == {mistake.name}
    answer = variant(scale=scale)
    assert accused(EXERCISES["forward_propagation_with_dropout"], answer, "scale") == {mistake.name}


def test_a_scaled_mask_is_named_and_keeps_the_points_for_the_scale(accused, verdict):
    def answer(a, keep_prob, rng, training=True):
        mask = (rng.random(a.shape) < keep_prob) / keep_prob
        return (a * mask if training else a), mask

    exercise = EXERCISES["dropout_forward"]
    assert accused(exercise, answer, "mask") == {catalog.SCALED_MASK.name}
    assert verdict(exercise, answer, "scale") is None


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda a, p, rng, training=True: forward_with(right_mask)(a, p, rng), catalog.LEFT_ON),
        (
            lambda a, p, rng, training=True: (
                reference.dropout_forward(a, p, rng) if training else (a * p, None)
            ),
            catalog.EVALUATION_SCALED,
        ),
        (
            lambda a, p, rng, training=True: (
                reference.dropout_forward(a, p, rng) if training else (a / p, None)
            ),
            catalog.EVALUATION_SCALED,
        ),
    ],
)
def test_a_wrong_evaluation_is_named(accused, answer, mistake):
    assert accused(EXERCISES["dropout_forward"], answer, "evaluation") == {mistake.name}


def test_one_wrong_aspect_leaves_the_points_of_the_others(verdict):
    exercise = EXERCISES["dropout_forward"]
    answer = forward_with(lambda shape, p, rng: rng.standard_normal(shape) < p)
    passed = {a.name for a in exercise.aspects if verdict(exercise, answer, a.name) is None}
    assert passed == {"scale", "fresh", "evaluation"}


@pytest.mark.parametrize(
    ("switches", "mistake"),
    [
        ({"hidden": (relu, sigmoid)}, catalog.HIDDEN_ACTIVATION),
        ({"hidden": (np.tanh, relu)}, catalog.HIDDEN_ACTIVATION),
        ({"last": relu}, catalog.LAST_ACTIVATION),
        ({"last": np.tanh}, catalog.LAST_ACTIVATION),
    ],
)
def test_a_wrong_activation_is_named(accused, switches, mistake):
    exercise = EXERCISES["forward_propagation_with_dropout"]
    assert accused(exercise, variant(**switches), "layers") == {mistake.name}


def test_dropout_on_the_output_is_named(accused):
    exercise = EXERCISES["forward_propagation_with_dropout"]
    answer = variant(drop_output=True)
    assert accused(exercise, answer, "scale") == {catalog.OUTPUT_DROPPED.name}


def test_a_cache_in_another_order_is_named(accused):
    exercise = EXERCISES["forward_propagation_with_dropout"]

    def plain_cache(*arguments):
        A3, (Z1, _, A1, W1, b1, Z2, _, A2, W2, b2, Z3, _, W3, b3) = network(*arguments)
        return A3, (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3)

    assert accused(exercise, plain_cache, "masks") == {catalog.CACHE_LAYOUT.name}


BACKWARD = {
    "no scale": (lambda dout, mask, p: dout * mask, catalog.NO_SCALE_BACK),
    "no mask": (lambda dout, mask, p: dout / p, catalog.NO_MASK_BACK),
    "multiplied": (lambda dout, mask, p: dout * mask * p, catalog.MULTIPLIED),
    "drop rate": (lambda dout, mask, p: dout * mask / (1 - p), catalog.DROP_RATE),
    "reversed": (lambda dout, mask, p: dout * (1 - mask) / p, catalog.REVERSED),
    "fixed keep_prob": (lambda dout, mask, p: dout * mask / 0.7, HARD_CODED),
    "nothing returned": (lambda dout, mask, p: None, RETURNS_NOTHING),
}


@pytest.mark.parametrize("fault", BACKWARD)
def test_a_wrong_way_back_is_named(accused, fault):
    answer, mistake = BACKWARD[fault]
    assert accused(EXERCISES["dropout_backward"], answer) == {mistake.name}


def test_two_mistakes_at_once_are_both_named(accused):
    assert accused(EXERCISES["dropout_backward"], lambda dout, mask, p: dout) == {
        catalog.NO_SCALE_BACK.name,
        catalog.NO_MASK_BACK.name,
    }


def backward_with(
    X, Y, cache, keep_prob, *, factor=lambda p: 1 / p, masked=True, m=None, swap=False, kinked=True
):
    (_, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _) = cache
    D1, D2 = (D2, D1) if swap else (D1, D2)
    m, gradients, dZ = m or X.shape[1], {}, A3 - Y
    for layer, below, W, D in ((3, A2, W3, D2), (2, A1, W2, D1), (1, X, None, None)):
        gradients[f"dW{layer}"] = dZ @ below.T / m
        gradients[f"db{layer}"] = dZ.sum(axis=1, keepdims=True) / m
        if W is not None:
            dZ = W.T @ dZ * (D if masked else 1) * factor(keep_prob)
            dZ = dZ * (below > 0) if kinked else dZ
    return gradients


@pytest.mark.parametrize(
    ("switches", "mistake"),
    [
        ({"factor": lambda p: 1}, catalog.NO_SCALE_BACK),
        ({"factor": lambda p: p}, catalog.MULTIPLIED),
        ({"factor": lambda p: 1 / (1 - p)}, catalog.DROP_RATE),
        ({"swap": True}, catalog.MASKS_SWAPPED),
        ({"kinked": False}, catalog.NO_RELU_BACK),
        ({"m": 1}, catalog.NO_M_BACK),
        ({"m": 5}, HARD_CODED),
    ],
)
def test_a_wrong_way_back_through_the_network_is_named(accused, switches, mistake):
    answer = functools.partial(backward_with, **switches)
    exercise = EXERCISES["backward_propagation_with_dropout"]
    assert accused(exercise, answer, "hidden") == {mistake.name}


def test_faults_of_the_hidden_layers_leave_the_points_of_the_output(verdict):
    exercise = EXERCISES["backward_propagation_with_dropout"]
    answer = functools.partial(backward_with, factor=lambda p: 1)
    assert verdict(exercise, answer, "output") is None


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (
            lambda f, x, n, rng: (lambda p: (np.mean(p, 0), np.std(p, 0)))(
                [f(x, np.random.default_rng(0)) for _ in range(n)]
            ),
            catalog.SAME_NOISE,
        ),
        (lambda f, x, n, rng: (f(x, rng), np.zeros_like(x)), catalog.ONE_CALL),
        (
            lambda f, x, n, rng: (lambda p: (np.mean(p, 0), np.var(p, 0)))(
                [f(x, rng) for _ in range(n)]
            ),
            catalog.VARIANCE,
        ),
        (
            lambda f, x, n, rng: (lambda p: (np.mean(p, 0), np.std(p, 0) / n**0.5))(
                [f(x, rng) for _ in range(n)]
            ),
            catalog.STANDARD_ERROR,
        ),
        (
            lambda f, x, n, rng: (lambda p: (np.mean(p), np.std(p)))([f(x, rng) for _ in range(n)]),
            catalog.WRONG_AXIS,
        ),
        (
            lambda f, x, n, rng: (lambda p: (np.sum(p, 0), np.std(p, 0)))(
                [f(x, rng) for _ in range(n)]
            ),
            catalog.SUM,
        ),
        (
            lambda f, x, n, rng: (lambda p: (np.median(p, 0), np.std(p, 0)))(
                [f(x, rng) for _ in range(n)]
            ),
            catalog.MEDIAN,
        ),
    ],
)
def test_a_wrong_monte_carlo_prediction_is_named(accused, answer, mistake):
    assert mistake.name in accused(EXERCISES["mc_dropout_predict"], answer)


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda forward, a, p, rng: False, catalog.ALWAYS_SAME_ANSWER),
        (
            lambda forward, a, p, rng: np.array_equal(
                forward(a, p, np.random.default_rng(0))[1],
                forward(a, p, np.random.default_rng(0))[1],
            ),
            catalog.SAME_SEED,
        ),
        (
            lambda forward, a, p, rng: np.array_equal(
                forward(a, p, np.random.default_rng(0))[1],
                forward(a, p, np.random.default_rng(1))[1],
            ),
            catalog.OTHER_GENERATORS,
        ),
    ],
)
def test_a_wrong_test_for_frozen_masks_is_named(accused, answer, mistake):
    assert accused(EXERCISES["is_frozen"], answer) == {mistake.name}


def test_an_answer_that_counts_its_calls_does_not_know_what_is_asked():
    in_order = itertools.cycle([False, True, True])
    with pytest.raises(CheckFailed, match="is_frozen"):
        EXERCISES["is_frozen"].examine(lambda *_: next(in_order), None, range(20))


@pytest.mark.parametrize("name", EXERCISES)
def test_an_untouched_stub_is_told_what_to_do(verdict, name):
    def stub(*arguments):
        raise NotImplementedError("Not written yet: replace this line with your answer.")

    for aspect in EXERCISES[name].aspects:
        failed = verdict(EXERCISES[name], stub, aspect.name)
        assert failed.mistakes == (NOT_WRITTEN.name,)
        assert "not written yet" in str(failed)


# The tutorial's dropout, restated with the same faults


def tutorials_dropout(X, parameters, keep_prob, rng):
    first = relu(parameters["W1"] @ X + parameters["b1"])
    first = first * np.random.rand(*first.shape)  # noqa: NPY002
    first = first / keep_prob
    second = sigmoid(parameters["W2"] @ first + parameters["b2"])
    second = second * np.random.rand(*second.shape)  # noqa: NPY002
    second = second / keep_prob
    return srelu(parameters["W3"] @ second + parameters["b3"])  # noqa: F821


TUTORIALS_FAULTS = {
    catalog.NOT_THRESHOLDED.name,
    catalog.HIDDEN_ACTIVATION.name,
    catalog.UNKNOWN_ACTIVATION.name,
    catalog.OTHER_SOURCE.name,
    catalog.NO_CACHE.name,
}


def test_each_fault_of_the_tutorials_dropout_is_named(accused):
    exercise = EXERCISES["forward_propagation_with_dropout"]
    assert accused(exercise, tutorials_dropout) == TUTORIALS_FAULTS | {UNDEFINED.name}


def test_each_fault_is_named_if_the_missing_activation_is_supplied(accused):
    exercise = EXERCISES["forward_propagation_with_dropout"]

    def answer(X, parameters, keep_prob, rng):
        scope = {**globals(), "srelu": relu}
        exec(  # the same function, with the name that it lacks
            "import types\nf = types.FunctionType(tutorials_dropout.__code__, globals())", scope
        )
        return scope["f"](X, parameters, keep_prob, rng)

    expected = TUTORIALS_FAULTS - {catalog.UNKNOWN_ACTIVATION.name}
    assert accused(exercise, answer) == expected | {catalog.LAST_ACTIVATION.name}


@pytest.mark.parametrize(
    ("arguments", "further"),
    [
        ("X, parameters, keep_prob=0.5", set()),
        ("X, keep_prob=0.5", {catalog.NO_PARAMETERS.name}),
        ("X, keep_prob, rng", {catalog.NO_PARAMETERS.name}),
    ],
)
@pytest.mark.parametrize("network_in_the_notebook", [True, False])
def test_each_fault_is_named_with_the_tutorials_own_arguments(
    accused, arguments, further, network_in_the_notebook
):
    scope = dict(globals())
    if network_in_the_notebook:
        scope["parameters"] = {"W1": np.ones((4, 3)), "b1": np.zeros((4, 1))}
    exec(
        f"def dropout({arguments}):\n"
        "    first = relu(parameters['W1'] @ X + parameters['b1'])\n"
        "    first = first * np.random.rand(*first.shape) / keep_prob\n"
        "    second = sigmoid(parameters['W2'] @ first + parameters['b2'])\n"
        "    second = second * np.random.rand(*second.shape) / keep_prob\n"
        "    return srelu(parameters['W3'] @ second + parameters['b3'])\n",
        scope,
    )
    found = accused(EXERCISES["forward_propagation_with_dropout"], scope["dropout"])
    assert found == TUTORIALS_FAULTS | further | {SIGNATURE.name}


def test_faults_are_told_where_the_function_cannot_be_looked_into(verdict):
    class Elsewhere:
        def __call__(self, *arguments):
            return tutorials_dropout(*arguments)

    failed = verdict(EXERCISES["forward_propagation_with_dropout"], Elsewhere())
    assert catalog.COPIED.name in failed.mistakes
    for fault in ("never compared", "sigmoid", "rng", "return its masks"):
        assert fault in " ".join(str(failed).split())
