"""What assignment 2's contract promises beside what every contract does."""

import numpy as np
import pytest

from reglib.exercises import _findings as general
from reglib.exercises import _penalty_on_activations as catalog
from reglib.exercises import l2
from reglib.exercises._answers import edited, function_of
from reglib.textbook import compute_cost

COST = l2.COMPUTE_COST_WITH_REGULARIZATION
BACKWARD = l2.BACKWARD_PROPAGATION_WITH_REGULARIZATION


def altered(task, *edits):
    return function_of(edited(task.model, edits), task.signature, tuple(task.given.items()))


@pytest.mark.parametrize(
    ("task", "kept", "edit"),
    [
        (COST, "data", ("lambd /", "0 *")),
        (COST, "penalty", ("compute_cost(A3, Y) + ", "")),
        (BACKWARD, "data", ("lambd / m", "0")),
        (BACKWARD, "penalty", ("A3 - Y", "Y - A3")),
        (l2.RIDGE_CLOSED_FORM, "tall", ("return", "assert len(X) >= X.shape[1]; return")),
    ],
)
def test_one_fault_leaves_the_points_for_the_rest(verdict, task, kept, edit):
    answer = altered(task, edit)
    assert verdict(task, answer, kept) is None
    assert verdict(task, answer) is not None


@pytest.mark.parametrize(
    ("task", "edit"),
    [
        (l2.L2_PENALTY, ("/ m", "/ 5")),
        (l2.L2_PENALTY, ("lam /", "0.7 /")),
        (COST, ("/ m", "/ 7")),
        (COST, ("compute_cost(A3, Y)", "compute_cost(A3, Y) * m / 7")),
        (BACKWARD, ("lambd / m", "lambd / 9")),
    ],
)
def test_a_value_written_as_a_number_is_named(accused, task, edit):
    assert accused(task, altered(task, edit)) == {general.HARD_CODED.name}


def test_a_fixed_lambda_is_named_where_lambda_is_always_zero(accused):
    assert accused(COST, altered(COST, ("lambd", "0.7")), "data") == {general.NO_DIFFERENCE.name}


@pytest.mark.parametrize("axis", ["", "keepdims=True", "axis=0, keepdims=True"])
def test_a_bias_gradient_without_its_axis_fails_with_one_output_as_well(accused, axis):
    answer = altered(BACKWARD, ("axis=1, keepdims=True", axis))
    named = accused(BACKWARD, answer)
    assert named == (set() if "axis" in axis else {general.ADDED_UP.name})


def test_two_mistakes_at_once_are_both_named(accused):
    answer = altered(COST, ("W**2", "np.abs(W)"), ('("W1", "W2", "W3")', "parameters"))
    assert accused(COST, answer) == {"absolute values for squares", "biases penalized"}


# The cost that many copy, restated with the same faults: activations squared and called L1


def squares(arrays):
    return sum(np.sum(np.square(a)) for a in arrays)


def copied_cost(A3, Y, parameters, lambd):
    share = 1 / Y.shape[1] * lambd / 2
    first = share * (np.sum(A1**2) + np.sum(A2**2) + np.sum(A3**2))  # noqa: F821
    return compute_cost(A3, Y) + share * squares(parameters[f"W{i}"] for i in (1, 2, 3)) + first


def with_activations(A1, A2, A3, Y, parameters, lambd):
    weights = [parameters[name] for name in ("W1", "W2", "W3")]
    return compute_cost(A3, Y) + lambd / 2 / Y.shape[1] * squares([*weights, A1, A2, A3])


FAULTS = {
    catalog.ACTIVATIONS.name,
    catalog.TWO_PENALTIES.name,
    catalog.SECOND_OF_SQUARES.name,
}


def in_the_notebook(A3, Y, parameters, lambd):
    return with_activations(np.ones((4, 9)), np.ones((3, 9)), A3, Y, parameters, lambd)


def last(A3, Y, parameters, lambd, A1, A2):
    return with_activations(A1, A2, A3, Y, parameters, lambd)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (copied_cost, general.UNDEFINED),
        (in_the_notebook, catalog.OUTSIDE),
        (with_activations, general.SIGNATURE),
        (last, general.SIGNATURE),
    ],
)
def test_each_fault_of_the_copied_cost_is_named(accused, answer, more):
    for aspect in ("penalty", None):
        assert accused(COST, answer, aspect) == FAULTS | {more.name}


def test_weights_of_the_notebook_are_named(accused):
    own = {f"W{i}": np.full((3, 3), i) for i in (1, 2, 3)}
    answer = lambda A3, Y, parameters, lambd: (  # noqa: E731
        compute_cost(A3, Y) + lambd / (2 * Y.shape[1]) * squares(own.values())
    )
    assert accused(COST, answer) == {catalog.OUTSIDE.name}


def test_faults_are_told_where_the_function_cannot_be_looked_into(verdict):
    class Elsewhere:
        def __call__(self, *arguments):
            return copied_cost(*arguments)

    failed = verdict(COST, Elsewhere())
    assert {catalog.ACTIVATIONS.name, catalog.COPIED.name} <= set(failed.mistakes)
    for fault in ("absolute values", "not on activations", "not for two"):
        assert fault in " ".join(str(failed).split())
