"""What assignment 5's contract promises beside what every contract does."""

import functools
import itertools

import numpy as np
import pytest

from reglib.exercises import _dropout_mistakes as catalog
from reglib.exercises import dropout
from reglib.exercises._answers import edited, function_of
from reglib.exercises._findings import HARD_CODED, SIGNATURE, UNDEFINED
from reglib.textbook import relu, sigmoid

LAYER, NETWORK = dropout.DROPOUT_FORWARD, dropout.FORWARD_PROPAGATION
BACK, MONTE_CARLO = dropout.BACKWARD_PROPAGATION, dropout.MC_DROPOUT_PREDICT


def altered(task, *edits):
    return function_of(edited(task.model, edits), task.signature, tuple(task.given.items()))


@pytest.mark.parametrize(
    ("task", "edit", "kept"),
    [
        (LAYER, ("rng.random(", "rng.standard_normal("), {"scale", "fresh", "evaluation"}),
        (LAYER, (" < keep_prob", ""), {"scale", "fresh", "evaluation"}),
        (LAYER, ("out = a * mask / keep_prob", "mask = mask / keep_prob; out = a * mask"),
         {"scale", "fresh", "evaluation"}),
        (LAYER, ("training=True", "training=False"), {"mask", "fresh", "evaluation"}),
        (NETWORK, (", (Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3)", ""), {"layers"}),
        (NETWORK, ("W1, b1, Z2", "W1, b1, None"), {"layers", "masks", "fresh"}),
        (NETWORK, ("D2 = rng", "D2 = np.random.default_rng(1)"), {"layers", "masks", "scale"}),
        (BACK, ("D2 / keep_prob", "D2"), {"output"}),
        (MONTE_CARLO, ("f(x, rng)", "f(x, np.random.default_rng(0))"), {"mean", "spread"}),
        (MONTE_CARLO, (".std(axis=0)", ".var(axis=0)"), {"noise", "mean"}),
        (MONTE_CARLO, ("range(n)", "range(1)"), set()),
    ],
)  # fmt: skip
def test_one_fault_leaves_the_points_for_the_rest(verdict, task, edit, kept):
    answer = altered(task, edit)
    assert {one.name for one in task.aspects if verdict(task, answer, one.name) is None} == kept


def test_each_entry_of_the_cache_is_read():
    def answer(X, parameters, keep_prob, rng, place):
        A3, cache = NETWORK.reference(X, parameters, keep_prob, rng)
        return A3, [*cache[:place], cache[place] * 1.01, *cache[place + 1 :]]

    for place in range(14):
        assert not NETWORK.accepts(lambda *given, place=place: answer(*given, place), [0])


def test_entries_of_the_cache_that_have_changed_places_are_told(accused):
    def answer(X, parameters, keep_prob, rng, i, j):
        A3, cache = NETWORK.reference(X, parameters, keep_prob, rng)
        cache = list(cache)
        cache[i], cache[j] = cache[j], cache[i]
        return A3, cache

    for i, j in list(itertools.combinations(range(14), 2))[::5]:
        found = accused(NETWORK, lambda *given, i=i, j=j: answer(*given, i, j), "scale")
        assert found == {catalog.CACHE_LAYOUT.name}, (i, j)


@pytest.mark.parametrize("task", [LAYER, NETWORK])
@pytest.mark.parametrize("seed", ["0", ""])
def test_numbers_from_numpys_own_state_are_told(accused, task, seed):
    edits = [("rng.random(", "np.random.random(")]
    first = "mask = " if task is LAYER else "D1 = "
    if seed:
        edits.append((first, f"np.random.seed({seed}); {first}"))
    mistake = catalog.FROZEN if seed else catalog.OTHER_SOURCE
    assert accused(task, altered(task, *edits)) == {mistake.name}


@pytest.mark.slow
@pytest.mark.parametrize("task", [LAYER, NETWORK, dropout.DROPOUT_BACKWARD])
def test_a_value_written_as_a_number_is_named(accused, task):
    edits = [("< keep_prob", "< 0.7"), ("/ keep_prob", "/ 0.7")]
    answer = altered(task, *edits[task is dropout.DROPOUT_BACKWARD :])
    assert HARD_CODED.name in accused(task, answer)


def test_an_answer_that_counts_its_calls_does_not_know_what_is_asked(verdict):
    for length in range(1, 11):
        in_order = itertools.cycle([False, True] * (length // 2) + [False])

        def answer(forward, a, keep_prob, rng, in_order=in_order):
            forward(a, keep_prob, rng), forward(a, keep_prob, rng)
            return next(in_order)

        assert verdict(dropout.IS_FROZEN, answer, seeds=range(20)) is not None


# The tutorial's dropout, restated with the same faults

FAULTS = {
    catalog.NOT_THRESHOLDED.name,
    catalog.HIDDEN_ACTIVATION.name,
    catalog.OTHER_SOURCE.name,
    catalog.NO_CACHE.name,
}


def tutorials_dropout(arguments, **known):
    scope = {"np": np, "relu": relu, "sigmoid": sigmoid, **known}
    exec(
        f"def forward_propagation_with_dropout({arguments}):\n"
        "    first = relu(parameters['W1'] @ X + parameters['b1'])\n"
        "    first = first * np.random.rand(*first.shape) / keep_prob\n"
        "    second = sigmoid(np.dot(parameters['W2'], first) + parameters['b2'])\n"
        "    second = second * np.random.rand(second.shape[0], second.shape[1]) / keep_prob\n"
        "    return srelu(parameters['W3'] @ second + parameters['b3'])\n",
        scope,
    )
    return scope[NETWORK.name]


@pytest.mark.parametrize(
    ("arguments", "known", "further"),
    [
        ("X, parameters, keep_prob, rng", {}, {UNDEFINED, catalog.UNKNOWN_ACTIVATION}),
        ("X, parameters, keep_prob=0.5", {}, {SIGNATURE, catalog.UNKNOWN_ACTIVATION}),
        (
            "X, keep_prob=0.5",
            {"parameters": {"W1": np.ones((4, 3)), "b1": np.zeros((4, 1))}},
            {SIGNATURE, catalog.UNKNOWN_ACTIVATION, catalog.NO_PARAMETERS},
        ),
        (
            "X, keep_prob, rng",
            {},
            {SIGNATURE, catalog.UNKNOWN_ACTIVATION, catalog.NO_PARAMETERS},
        ),
        ("X, parameters, keep_prob, rng", {"srelu": relu}, {catalog.LAST_ACTIVATION}),
    ],
)
def test_each_fault_of_the_tutorials_dropout_is_named(accused, arguments, known, further):
    answer = tutorials_dropout(arguments, **known)
    assert accused(NETWORK, answer) == FAULTS | {mistake.name for mistake in further}


@pytest.mark.parametrize("arguments", ["X, parameters, keep_prob, rng", "X, keep_prob=0.5"])
def test_its_faults_are_told_where_the_function_cannot_be_looked_into(accused, arguments):
    found = accused(NETWORK, functools.partial(tutorials_dropout(arguments)))
    assert found >= {catalog.COPIED.name, catalog.UNKNOWN_ACTIVATION.name} or (
        found >= {catalog.NO_PARAMETERS.name} and "parameters" not in arguments
    )


def test_a_function_that_is_no_copy_is_not_called_one(accused):
    answer = altered(NETWORK, ("sigmoid(Z3)", "softplus(Z3)"))
    assert accused(NETWORK, answer) == {UNDEFINED.name}
