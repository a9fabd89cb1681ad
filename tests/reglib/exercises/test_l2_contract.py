"""Assignment 2's contract against itself: what is right passes, what is wrong is named."""

import functools

import numpy as np
import pytest

from reglib.exercises import _penalty_mistakes as shared
from reglib.exercises import l2 as contract
from reglib.exercises._findings import HARD_CODED, SIGNATURE, UNDEFINED
from reglib.textbook import backward_propagation, compute_cost
from reglib.textbook import shrinkage as reference

EXERCISES = contract.ASSIGNMENT.exercises


def entropy(A3, Y):
    return -np.mean(np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3), axis=0))


def in_a_loop(A3, Y, parameters, lambd):
    total = 0
    for name, value in parameters.items():
        if name.startswith("W"):
            total += np.sum(np.square(value))
    return compute_cost(A3, Y) + lambd * total / (2 * Y.shape[1])


def backward(
    X,
    Y,
    cache,
    lambd,
    *,
    data=lambda dW, m: dW / m,
    penalty=lambda W, lambd, m: lambd / m * W,
    db=lambda b, lambd, m: 0,
    skip=(),
    kinked=True,
):
    """Everything by hand, with switches for what can go wrong."""
    _, A1, W1, b1, _, A2, W2, b2, _, A3, W3, b3 = cache
    m, gradients, dZ = X.shape[1], {}, A3 - Y
    for layer, below, W, b in ((3, A2, W3, b3), (2, A1, W2, b2), (1, X, W1, b1)):
        added = 0 if layer in skip else penalty(W, lambd, m)
        gradients[f"dW{layer}"] = data(dZ @ below.T, m) + added
        gradients[f"db{layer}"] = data(dZ.sum(axis=1, keepdims=True), m) + db(b, lambd, m)
        dZ = W.T @ dZ
        dZ = dZ * (below > 0) if kinked else dZ
    return gradients


def added_afterwards(X, Y, cache, lambd):
    gradients = backward_propagation(X, Y, cache)
    for layer in (1, 2, 3):
        gradients[f"dW{layer}"] += (lambd / X.shape[1]) * cache[4 * layer - 2]
    return gradients


def ridge_by_augmentation(X, y, lam):
    rows = np.vstack([X, np.sqrt(lam) * np.eye(X.shape[1])])
    return np.linalg.lstsq(rows, np.concatenate([y, np.zeros(X.shape[1])]), rcond=None)[0]


def ridge_by_svd(X, y, lam):
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    return Vt.T @ (s / (s**2 + lam) * (U.T @ y))


RIGHT = {
    "l2_penalty": (
        lambda weights, lam, m: lam / (2 * m) * sum(np.sum(W**2) for W in weights),
        lambda weights, lam, m: (
            np.float32(lam / (2 * m)) * sum(np.sum(np.float32(W) ** 2) for W in weights)
        ),
        lambda weights, lam, m: (1 / m) * (lam / 2) * sum(np.square(W).sum() for W in weights),
        lambda weights, lam, m: (
            lam / 2 / m * np.sum(np.concatenate([W.ravel() for W in weights]) ** 2)
        ),
        lambda weights, lam, m: float(sum(np.linalg.norm(W) ** 2 for W in weights) * lam / (m + m)),
        lambda weights, lam, m: sum(np.vdot(W, W) for W in weights) * lam * 0.5 / m,
        lambda weights, lam, m: np.array([sum((W * W).sum() for W in weights) * lam / (2 * m)]),
    ),
    "compute_cost_with_regularization": (
        in_a_loop,
        lambda A3, Y, P, lambd: (
            entropy(A3, Y)
            + (1 / Y.shape[1])
            * (lambd / 2)
            * (np.sum(P["W1"] ** 2) + np.sum(P["W2"] ** 2) + np.sum(P["W3"] ** 2))
        ),
        lambda A3, Y, P, lambd: (
            compute_cost(A3, Y)
            + sum(
                lambd / (2 * A3.shape[1]) * np.sum(P[f"W{i}"] ** 2)
                for i in range(1, len(P) // 2 + 1)
            )
        ),
        lambda A3, Y, P, lambd: np.squeeze(
            -np.sum(np.log(np.where(Y == 1, A3, 1 - A3))) / Y.shape[1]
            + lambd / Y.shape[1] / 2 * sum(np.linalg.norm(v) ** 2 for k, v in P.items() if "W" in k)
        ),
        lambda A3, Y, P, lambd: reference.compute_cost_with_regularization(A3, Y, P, lambd, "l2"),
    ),
    "backward_propagation_with_regularization": (
        backward,
        added_afterwards,
        functools.partial(backward, penalty=lambda W, lambd, m: W * (lambd * (1 / m))),
        lambda X, Y, cache, lambd: backward(
            X.astype("float32"), Y, [a.astype("float32") for a in cache], lambd
        ),
        lambda X, Y, cache, lambd: {
            k: v for k, v in added_afterwards(X, Y, list(cache), lambd).items() if "Z" not in k
        },
        lambda X, Y, cache, lambd: {k: v.tolist() for k, v in backward(X, Y, cache, lambd).items()},
    ),
    "ridge_closed_form": (
        ridge_by_augmentation,
        ridge_by_svd,
        lambda X, y, lam: np.linalg.inv(X.T @ X + lam * np.identity(X.shape[1])) @ X.T @ y,
        lambda X, y, lam: X.T @ np.linalg.solve(X @ X.T + lam * np.eye(len(y)), y),
        lambda X, y, lam: np.linalg.pinv(X.T.dot(X) + np.diag([lam] * X.shape[1])).dot(X.T.dot(y)),
    ),
    "map_lambda": (
        lambda noise, prior: noise / prior,
        lambda noise_variance, prior_variance: noise_variance * prior_variance**-1,
        lambda noise, prior: 1 / (prior / noise),
        lambda noise, prior: np.float64(noise) / prior,
        lambda noise, prior: np.divide([noise], [prior]),
    ),
}


def penalty_with(total=None, factor=lambda lam, m: lam / (2 * m), layers=slice(None), each=None):
    each = each or (lambda W: np.sum(W**2))
    total = total or (lambda weights: sum(each(W) for W in weights))
    return lambda weights, lam, m: factor(lam, m) * total(weights[layers])


def only_the_last(weights):
    for W in weights:
        total = np.sum(W**2)
    return total


PENALTY_FAULTS = {
    shared.NO_M: {"factor": lambda lam, m: lam / 2},
    shared.NO_HALF: {"factor": lambda lam, m: lam / m},
    shared.DIVISION: {"factor": lambda lam, m: lam / 2 * m},
    shared.NO_LAMBDA: {"factor": lambda lam, m: 1 / (2 * m)},
    shared.ABSOLUTE: {"each": lambda W: np.sum(np.abs(W))},
    shared.NO_ABSOLUTE: {"each": np.sum},
    shared.ROOT: {"each": np.linalg.norm},
    shared.OVERWRITTEN: {"total": only_the_last},
    shared.LAST_SKIPPED: {"layers": slice(None, -1)},
    shared.FIRST_SKIPPED: {"layers": slice(1, None)},
    shared.RETURNED_EARLY: {"layers": slice(0, 1)},
    shared.MEAN: {"each": lambda W: np.mean(W**2)},
}


def cost_with(**switches):
    penalty = penalty_with(**switches)

    def compute_cost_with_regularization(A3, Y, parameters, lambd):
        weights = [parameters[f"W{i}"] for i in (1, 2, 3)]
        return compute_cost(A3, Y) + penalty(weights, lambd, Y.shape[1])

    return compute_cost_with_regularization


def plus(term):
    return lambda A3, Y, P, lambd: (
        compute_cost(A3, Y) + term(A3, [P["W1"], P["W2"], P["W3"]], P, lambd, Y.shape[1])
    )


def on_rows(X, Y, cache, lambd, both):
    """The way back by somebody who takes the number of outputs for that of the examples."""
    m, rows = X.shape[1], Y.shape[0]
    data, whole = backward(X, Y, cache, 0.0), backward(X, Y, cache, lambd)
    factor = m / rows
    return {
        name: data[name] * (factor if both else 1) + (whole[name] - data[name]) * factor
        for name in data
    }


def with_intercept(X, y, lam):
    X, y = X - X.mean(axis=0), y - y.mean()
    return np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ y)


def squares(arrays):
    return sum(np.sum(np.square(a)) for a in arrays)


WRONG = {
    "l2_penalty": [
        *((penalty_with(**switches), {fault}, None) for fault, switches in PENALTY_FAULTS.items()),
        (penalty_with(factor=lambda lam, m: lam), {shared.NO_M, shared.NO_HALF}, None),
        (penalty_with(factor=lambda lam, m: lam / (2 * 5)), {HARD_CODED}, None),
        (penalty_with(factor=lambda lam, m: 0.7 / (2 * m)), {HARD_CODED}, None),
        (
            penalty_with(factor=lambda lam, m: lam / m, each=lambda W: np.sum(np.abs(W))),
            {shared.NO_HALF, shared.ABSOLUTE},
            None,
        ),
    ],
    "compute_cost_with_regularization": [
        *(
            (cost_with(**switches), {fault}, "penalty")
            for fault, switches in PENALTY_FAULTS.items()
        ),
        (
            plus(lambda A3, W, P, lambd, m: lambd / (2 * m) * squares(P.values())),
            {shared.BIASES},
            "penalty",
        ),
        (
            plus(lambda A3, W, P, lambd, m: lambd / (2 * m) * np.sum(A3**2)),
            {contract.ACTIVATIONS},
            "penalty",
        ),
        (
            plus(
                lambda A3, W, P, lambd, m: (
                    lambd / (2 * m) * squares(W) + lambd / m * sum(np.abs(w).sum() for w in W)
                )
            ),
            {contract.TWO_PENALTIES},
            "penalty",
        ),
        (plus(lambda A3, W, P, lambd, m: lambd / (2 * 7) * squares(W)), {HARD_CODED}, "penalty"),
        (plus(lambda A3, W, P, lambd, m: squares(W) / (2 * m)), {shared.NO_LAMBDA}, "data"),
        (
            lambda A3, Y, P, lambd: penalty_with()([P["W1"], P["W2"], P["W3"]], lambd, Y.shape[1]),
            {contract.NO_DATA},
            "data",
        ),
        (
            lambda A3, Y, P, lambd: in_a_loop(A3, Y, P, lambd * Y.shape[1]) / Y.shape[1],
            {contract.DATA_TWICE_M},
            "data",
        ),
        (
            lambda A3, Y, P, lambd: compute_cost(A3, Y) * Y.shape[1],
            {contract.DATA_NOT_MEAN},
            "data",
        ),
        (lambda A3, Y, P, lambd: -compute_cost(A3, Y), {contract.DATA_SIGN}, "data"),
        (lambda A3, Y, P, lambd: compute_cost(Y, A3), {contract.LABELS_AND_OUTPUTS}, "data"),
        (
            lambda A3, Y, P, lambd: (
                compute_cost(A3, Y) + penalty_with()([P["W1"], P["W2"], P["W3"]], lambd, len(Y))
            ),
            {contract.ROWS},
            "penalty",
        ),
        (
            plus(lambda A3, W, P, lambd, m: -lambd / (2 * m) * squares(W)),
            {contract.COST_MINUS},
            "penalty",
        ),
    ],
    "backward_propagation_with_regularization": [
        (
            functools.partial(backward, penalty=lambda W, lambd, m: lambd * W),
            {shared.NO_M},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: lambd / (2 * m) * W),
            {contract.HALF_KEPT},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: 2 * lambd / m * W),
            {contract.TWO_KEPT},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: lambd / m / m * W),
            {contract.M_TWICE},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: lambd / 2 * m * W),
            {shared.DIVISION},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: -lambd / m * W),
            {contract.MINUS},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: lambd / m * np.sign(W)),
            {contract.SIGN},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: 0 * W),
            {shared.NO_LAMBDA},
            "penalty",
        ),
        (
            functools.partial(backward, penalty=lambda W, lambd, m: lambd / 9 * W),
            {HARD_CODED},
            "penalty",
        ),
        (
            functools.partial(backward, db=lambda b, lambd, m: lambd / m * b),
            {shared.BIASES},
            "penalty",
        ),
        (functools.partial(backward, skip=(3,)), {shared.LAST_SKIPPED}, "penalty"),
        (functools.partial(backward, skip=(1,)), {shared.FIRST_SKIPPED}, "penalty"),
        (functools.partial(backward, data=lambda dW, m: dW), {contract.NO_M_DATA}, "data"),
        (functools.partial(backward, kinked=False), {contract.NO_RELU}, "data"),
        (functools.partial(on_rows, both=True), {contract.ROWS}, "data"),
        (functools.partial(on_rows, both=False), {contract.ROWS}, "penalty"),
        (
            lambda X, Y, cache, lambd: {
                name: -value for name, value in backward(X, Y, cache, 0.0).items()
            },
            {contract.LABELS_FIRST},
            "data",
        ),
    ],
    "ridge_closed_form": [
        (lambda X, y, lam: np.linalg.solve(X.T @ X + lam, X.T @ y), {contract.NO_IDENTITY}, "tall"),
        (
            lambda X, y, lam: np.linalg.solve(X.T @ X + lam * len(y) * np.eye(X.shape[1]), X.T @ y),
            {contract.LAMBDA_TIMES_M},
            None,
        ),
        (lambda X, y, lam: np.linalg.lstsq(X, y, rcond=None)[0], {contract.NO_RIDGE}, None),
        (
            lambda X, y, lam: np.linalg.solve(X.T @ X - lam * np.eye(X.shape[1]), X.T @ y),
            {contract.RIDGE_MINUS},
            None,
        ),
        (
            lambda X, y, lam: np.linalg.solve(X.T @ X + lam / 2 * np.eye(X.shape[1]), X.T @ y),
            {contract.RIDGE_HALF},
            None,
        ),
        (with_intercept, {contract.INTERCEPT}, None),
    ],
    "map_lambda": [
        (lambda noise, prior: prior / noise, {contract.INVERTED}, None),
        (lambda noise, prior: (noise / prior) ** 0.5, {contract.DEVIATIONS}, None),
        (lambda noise, prior: (noise / prior) ** 2, {contract.VARIANCES_SQUARED}, None),
        (lambda noise, prior: noise / prior / 2, {contract.LAMBDA_HALF}, None),
        (lambda noise, prior: 1 / prior, {contract.NOISE_IGNORED}, None),
        (lambda noise, prior: prior / noise / 2, {contract.INVERTED, contract.LAMBDA_HALF}, None),
    ],
}


def test_a_cost_without_its_penalty_keeps_the_points_for_the_data(verdict, accused):
    exercise = EXERCISES["compute_cost_with_regularization"]
    answer = lambda A3, Y, parameters, lambd: compute_cost(A3, Y)  # noqa: E731
    assert verdict(exercise, answer, "data") is None
    assert accused(exercise, answer, "penalty") == {shared.NO_LAMBDA.name}


# The tutorial's cost, restated with the same faults: activations squared and called L1, twice


def tutorials_cost(A3, Y, parameters, lambd):
    share = 1 / Y.shape[1] * lambd / 2
    first = share * (np.sum(A1**2) + np.sum(A2**2) + np.sum(A3**2))  # noqa: F821
    second = share * sum(np.sum(parameters[name] ** 2) for name in ("W1", "W2", "W3"))
    return compute_cost(A3, Y) + second + first


TUTORIALS_FAULTS = {contract.ACTIVATIONS.name, contract.TWO_PENALTIES.name, shared.SQUARES.name}


def test_each_fault_of_the_tutorials_cost_is_named(accused):
    exercise = EXERCISES["compute_cost_with_regularization"]
    assert accused(exercise, tutorials_cost) == TUTORIALS_FAULTS | {UNDEFINED.name}


def test_each_fault_is_named_if_activations_stand_in_the_notebook(accused):
    rng = np.random.default_rng(0)
    A1, A2 = rng.random((4, 9)), rng.random((3, 9))

    def answer(A3, Y, parameters, lambd):
        share = lambd / 2 / Y.shape[1]
        weights = [value for name, value in parameters.items() if name[0] == "W"]
        return compute_cost(A3, Y) + share * (squares(weights) + squares([A1, A2, A3]))

    exercise = EXERCISES["compute_cost_with_regularization"]
    assert accused(exercise, answer, "penalty") == TUTORIALS_FAULTS | {contract.OUTSIDE.name}


@pytest.mark.parametrize("first", [True, False])
def test_each_fault_is_named_if_activations_are_further_arguments(accused, first):
    def body(A1, A2, A3, Y, parameters, lambd):
        share = lambd / 2 / Y.shape[1]
        weights = [value for name, value in parameters.items() if name[0] == "W"]
        return compute_cost(A3, Y) + share * (squares(weights) + squares([A1, A2, A3]))

    if first:
        answer = body
    else:

        def answer(A3, Y, parameters, lambd, A1, A2):
            return body(A1, A2, A3, Y, parameters, lambd)

    exercise = EXERCISES["compute_cost_with_regularization"]
    assert accused(exercise, answer) == TUTORIALS_FAULTS | {SIGNATURE.name}


def test_faults_are_told_where_the_function_cannot_be_looked_into(verdict):
    class Elsewhere:
        def __call__(self, *arguments):
            return tutorials_cost(*arguments)

    failed = verdict(EXERCISES["compute_cost_with_regularization"], Elsewhere())
    assert {contract.ACTIVATIONS.name, contract.COPIED.name} <= set(failed.mistakes)
    for fault in ("absolute values", "not on activations", "not for two"):
        assert fault in " ".join(str(failed).split())


def test_every_mistake_that_the_contracts_list_is_tried_here():
    for name, exercise in EXERCISES.items():
        tried = {mistake for _, mistakes, _ in WRONG[name] for mistake in mistakes}
        if name == "compute_cost_with_regularization":
            tried |= {shared.SQUARES, contract.OUTSIDE, contract.COPIED}
        assert set(exercise.mistakes) <= tried | {HARD_CODED}
