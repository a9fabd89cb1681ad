"""What every contract promises, tried on the right and wrong answers that its own file lists."""

import pytest

from reglib.exercises._findings import NOT_WRITTEN
from tests.reglib.exercises import (
    test_augmentation_contract,
    test_early_stopping_contract,
    test_l1_contract,
    test_l2_contract,
)

CONTRACTS = {
    "augmentation": test_augmentation_contract,
    "early stopping": test_early_stopping_contract,
    "l1": test_l1_contract,
    "l2": test_l2_contract,
}
FUNCTIONS = [(name, f) for name, contract in CONTRACTS.items() for f in contract.EXERCISES]


def answers(table):
    return [
        (name, function, i)
        for name, contract in CONTRACTS.items()
        for function, cases in getattr(contract, table).items()
        for i in range(len(cases))
    ]


@pytest.mark.parametrize(("name", "function", "i"), answers("RIGHT"))
def test_right_answers_in_other_styles_pass(verdict, name, function, i):
    contract = CONTRACTS[name]
    answer = contract.RIGHT[function][i]
    assert verdict(contract.EXERCISES[function], answer, seeds=range(20)) is None


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_there_are_five_right_answers_in_other_styles(name, function):
    assert len(CONTRACTS[name].RIGHT[function]) >= 5


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_the_reference_is_never_accused(verdict, name, function):
    exercise = CONTRACTS[name].EXERCISES[function]
    assert verdict(exercise, exercise.reference, seeds=range(200)) is None


@pytest.mark.parametrize(("name", "function", "i"), answers("WRONG"))
def test_each_mistake_is_named(accused, name, function, i):
    contract = CONTRACTS[name]
    answer, mistakes, aspect = contract.WRONG[function][i]
    named = accused(contract.EXERCISES[function], answer, aspect)
    assert named == {mistake.name for mistake in mistakes}


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_an_untouched_stub_is_told_what_to_do(accused, name, function):
    def stub(*arguments):
        raise NotImplementedError

    exercise = CONTRACTS[name].EXERCISES[function]
    for aspect in exercise.aspects:
        assert accused(exercise, stub, aspect.name) == {NOT_WRITTEN.name}
