"""What assignment 1's contract promises beside what every contract does."""

import numpy as np
import pytest

from reglib.exercises import gradients as contract
from reglib.exercises._answers import function_of, wrong_answers
from reglib.exercises._gradient_directions import DIRECTIONAL_CHECK
from reglib.gradcheck import relative_error

#: Which aspects some mistakes cost; the others keep their points.
COSTS = [
    (contract.RELATIVE_ERROR, "a constant below the line", {"value"}),
    (contract.RELATIVE_ERROR, "two zero gradients taken for wrong", {"extremes"}),
    (contract.NUMERICAL_GRADIENT, "the dtype of w kept", {"dtype"}),
    (contract.NUMERICAL_GRADIENT, "one-sided difference", {"value", "dtype"}),
    (DIRECTIONAL_CHECK, "divided by half the distance", {"value"}),
    (DIRECTIONAL_CHECK, "one weight at a time", {"direction"}),
    (DIRECTIONAL_CHECK, "another generator", {"direction"}),
]


@pytest.mark.parametrize(("task", "name", "costs"), COSTS)
def test_a_mistake_costs_only_what_it_breaks(verdict, task, name, costs):
    (mistake,) = (mistake for mistake in task.mistakes if mistake.name == name)
    for text in wrong_answers(task.model, [mistake]):
        answer = function_of(text, task.signature, tuple(task.given.items()))
        broken = {one.name for one in task.aspects if verdict(task, answer, one.name) is not None}
        assert broken == costs


def test_a_third_evaluation_is_told(verdict):
    def directional_check(f, grad, w, eps, rng):
        f(w)
        u = rng.standard_normal(w.shape)
        return relative_error((f(w + eps * u) - f(w - eps * u)) / (2 * eps), np.sum(grad * u))

    failed = verdict(DIRECTIONAL_CHECK, directional_check)
    assert "more or fewer than two calls of f" in str(failed)


def test_an_answer_that_never_moves_is_refused_and_does_not_stop_the_check(verdict):
    assert verdict(DIRECTIONAL_CHECK, lambda f, grad, w, eps, rng: 0.0) is not None
    assert verdict(DIRECTIONAL_CHECK, lambda f, grad, w, eps, rng: f(w)) is not None
    assert verdict(DIRECTIONAL_CHECK, lambda f, grad, w, eps, rng: f(w.ravel()[:1])) is not None
