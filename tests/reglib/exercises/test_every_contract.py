"""What every contract promises, tried on the right and wrong answers that it lists itself."""

import pytest

from reglib.exercises._answers import function_of, wrong_answers
from reglib.exercises._comparison import Comparison
from reglib.exercises._findings import NOT_WRITTEN
from reglib.exercises._mixing_facts import Facts
from tests.reglib.exercises.contracts import TASKS

each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
RIGHT = [(task, text) for task in TASKS for text in (task.model, *task.right)]
WRONG = [
    (task, mistake, text)
    for task in TASKS
    for mistake in task.mistakes
    for text in wrong_answers(task.model, [mistake])
]
# Compared with itself on the same draw, the reference cannot be wrong.
BY_CHANCE = [
    (task, aspect)
    for task in TASKS
    for aspect in task.aspects
    if not isinstance(aspect.test, Comparison) or isinstance(aspect.test, Facts)
]


def function(task, text):
    return function_of(text, task.signature, tuple(task.given.items()))


@pytest.mark.parametrize(("task", "text"), RIGHT, ids=lambda it: getattr(it, "name", None))
def test_right_answers_in_other_styles_pass(verdict, task, text):
    assert verdict(task, function(task, text), seeds=range(20)) is None


@each_task
def test_there_are_five_right_answers_in_other_styles(task):
    assert len(task.right) >= 5


@pytest.mark.slow
@pytest.mark.parametrize(("task", "aspect"), BY_CHANCE, ids=lambda it: getattr(it, "name", None))
def test_no_chance_accuses_the_reference(verdict, task, aspect):
    assert verdict(task, task.reference, aspect.name, seeds=range(200)) is None


@pytest.mark.parametrize(
    ("task", "mistake", "text"), WRONG, ids=lambda it: getattr(it, "name", None)
)
def test_each_mistake_is_named_and_no_other(accused, task, mistake, text):
    assert accused(task, function(task, text)) == {mistake.name}


@each_task
def test_each_way_to_make_a_mistake_is_one(task):
    for mistake in task.mistakes:
        assert len(list(wrong_answers(task.model, [mistake]))) == len(mistake.answers), mistake


@each_task
def test_an_untouched_stub_is_told_what_to_do(accused, task):
    def stub(*arguments):
        raise NotImplementedError

    for aspect in task.aspects:
        assert accused(task, stub, aspect.name) == {NOT_WRITTEN.name}
