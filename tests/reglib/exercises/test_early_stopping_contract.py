"""What assignment 7's contract promises beside what every contract does."""

import copy

import numpy as np
import pytest

from reglib.exercises import early_stopping as contract
from reglib.exercises._answers import function_of, wrong_answers
from reglib.exercises._findings import NOT_WRITTEN
from reglib.textbook.stopping import EarlyStopping, stop_epoch

RULE = {"stop", "min_delta"}
#: Which aspects some mistakes cost; the others keep their points.
COSTS = [
    (contract.STOP_EPOCH, "one epoch too late", RULE),
    (contract.STOP_EPOCH, "a number where training never stops", {"never"}),
    (contract.STOP_EPOCH, "min_delta ignored", {"min_delta"}),
    (contract.EARLY_STOPPING, "counter not reset", RULE),
    (contract.EARLY_STOPPING, "min_delta ignored", {"min_delta"}),
    (contract.EARLY_STOPPING, "smallest loss for the best", {"min_delta"}),
    (contract.EARLY_STOPPING, "last weights kept", {"restore"}),
    (contract.EARLY_STOPPING, "weights never kept", {"restore"}),
    (contract.EARLY_STOPPING, "latest weights not kept", {"restore"}),
]


@pytest.mark.parametrize(("task", "name", "costs"), COSTS)
def test_a_mistake_costs_only_what_it_breaks(verdict, task, name, costs):
    (mistake,) = (mistake for mistake in task.mistakes if mistake.name == name)
    for text in wrong_answers(task.model, [mistake]):
        answer = function_of(text, task.signature, tuple(task.given.items()))
        broken = {one.name for one in task.aspects if verdict(task, answer, one.name) is not None}
        assert broken == costs


def test_slips_in_three_places_are_all_named(accused):
    class Slips:
        def __init__(self, patience, min_delta=0.0, restore=True):
            self.patience, self.best, self.bad = patience, float("inf"), 0

        def update(self, loss, weights):
            self.weights = weights
            if loss < self.best:
                self.best = loss
            else:
                self.bad += 1
            return self.bad >= self.patience

    assert accused(contract.EARLY_STOPPING, Slips) == {
        "counter not reset",
        "min_delta ignored",
        "last weights kept",
    }


@pytest.mark.parametrize(
    "kept", [lambda w: w[:1], lambda w: w[::-1], lambda w: [0 * one for one in w]]
)
def test_weights_of_no_epoch_are_told_and_called_nothing_else(verdict, kept):
    class Half(EarlyStopping):
        def update(self, loss, weights):
            return super().update(loss, kept(weights))

    failed = verdict(contract.EARLY_STOPPING, Half)
    assert "of no epoch" in str(failed)
    assert not failed.mistakes


def test_a_class_of_which_only_update_is_missing_is_told_so(accused):
    class Half:
        def __init__(self, patience, min_delta=0.0, restore=True):
            self.best, self.weights = np.inf, None

        def update(self, loss, weights):
            raise NotImplementedError

    assert accused(contract.EARLY_STOPPING, Half, "stop") == {NOT_WRITTEN.name}


@pytest.mark.parametrize("keep", [lambda w: w, list, copy.copy])
def test_weights_kept_without_a_copy_are_advised_on_and_pass(capsys, keep):
    program = contract.EARLY_STOPPING.model.replace("copy.deepcopy", "keep")
    answer = function_of(program, "EarlyStopping()", (("keep", keep),))
    contract.check(answer, "restore", name="EarlyStopping")
    assert "keep a copy" in capsys.readouterr().out
    contract.check(EarlyStopping, "restore")
    assert "Note" not in capsys.readouterr().out


def test_the_teaching_class_and_the_function_agree():
    rng = np.random.default_rng(4)
    for patience in (1, 2, 5):
        losses = rng.random(40)
        stopper = EarlyStopping(patience, 0.1)
        stopped = next((i for i, loss in enumerate(losses) if stopper.update(loss)), None)
        assert stopped == stop_epoch(losses, patience, 0.1)
