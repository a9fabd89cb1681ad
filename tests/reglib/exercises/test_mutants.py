"""No program that differs in one place from a right answer passes, unless it is right as well.

Here a sample is tried; ``python -m tests.reglib.exercises.mutants`` tries all, and runs in CI.
"""

import pytest

from tests.reglib.exercises import mutants
from tests.reglib.exercises.contracts import TASKS

pytestmark = pytest.mark.slow

#: One mutant of so many.
SAMPLE = 25


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_no_mutant_passes_that_is_wrong(task):
    assert mutants.survivors(task, every=SAMPLE) == []


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_programs_that_are_mutated_are_right(task):
    for program in mutants.programs(task):
        assert mutants.survives(task, program)


def test_a_mutant_differs_in_one_place():
    found = dict(mutants.mutants("def double(x, n=2):\n    y = n * x\n    return y"))
    assert "def double(x, n=2): -> def double(x, n=3):" in found
    assert "y = n * x -> y = n + x" in found
    assert "y = n * x -> y = x * x" in found
    assert "y = n * x -> pass" in found
