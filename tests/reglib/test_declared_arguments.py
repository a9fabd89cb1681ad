"""The decorator that checks arguments: what it changes, and what it leaves as it was."""

import inspect
import pickle
import traceback

import numpy as np
import pytest

from reglib import layers, regularizers
from reglib._arguments import Array, Choice, GeneratorOrSeed, Integer, Number, arguments


@arguments(rate=Number("[0, 1)"), rng=GeneratorOrSeed(), weights=Array())
def drop(rate, *, rng=0, weights=None):
    """Return what came."""
    return rate, rng, weights


def test_a_bad_value_is_refused_with_its_name():
    with pytest.raises(ValueError, match=r"^rate must be in \[0, 1\), got 1.5$"):
        drop(1.5)
    with pytest.raises(ValueError, match=r"^rate must be in \[0, 1\), got 1.5$"):
        drop(rate=1.5)


def test_the_traceback_ends_one_line_after_the_caller_s():
    with pytest.raises(ValueError, match=r"must be in|is no good") as caught:
        layers.Dropout(1.5)
    lines = [frame.line for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert lines[0] == "layers.Dropout(1.5)"
    assert len(lines) == 2


def test_an_error_of_the_function_itself_keeps_its_traceback():
    @arguments(number=Integer())
    def broken(number):
        raise ValueError(f"{number} is no good")

    with pytest.raises(ValueError, match=r"must be in|is no good") as caught:
        broken(3)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "broken"


def test_none_passes_where_it_is_the_default_and_nowhere_else():
    assert drop(0.5, weights=None)[2] is None
    with pytest.raises(TypeError, match=r"^rate must be a number, got None \(NoneType\)$"):
        drop(None)


def test_what_comes_is_converted_and_so_are_defaults():
    rate, rng, weights = drop(0, weights=[1, 2])
    assert isinstance(rate, float)
    assert isinstance(weights, np.ndarray)
    assert rng.random() == np.random.default_rng(0).random()
    assert drop(0)[1] is not rng  # a generator that was used up would be of no use twice


def test_signature_and_docstring_are_those_of_the_function():
    assert str(inspect.signature(drop)) == "(rate, *, rng=0, weights=None)"
    assert drop.__doc__ == "Return what came."
    assert str(inspect.signature(regularizers.L2)) == "(l2: 'float | None' = 0.01) -> 'None'"


def test_functions_and_objects_can_be_pickled():
    assert pickle.loads(pickle.dumps(drop)) is drop
    assert pickle.loads(pickle.dumps(regularizers.L2(0.5))).l2 == 0.5


def test_only_arguments_that_there_are_can_be_declared():
    with pytest.raises(AssertionError, match="an argument that there is not"):
        arguments(ratio=Number())(lambda rate: rate)


def test_of_two_constraints_one_has_to_hold():
    either = Integer(">= 1") | Choice("epoch")
    assert either.check("save_freq", 3) == 3
    assert either.check("save_freq", "epoch") == "epoch"
    with pytest.raises(ValueError, match="save_freq must be at least 1, got 0"):
        either.check("save_freq", 0)
    with pytest.raises(ValueError, match="save_freq must be one of 'epoch', got 'batch'"):
        either.check("save_freq", "batch")


@pytest.mark.parametrize("text", ["0, 1", "[0 1]", "=> 0", "at least 0"])
def test_an_interval_is_written_as_in_mathematics(text):
    with pytest.raises(AssertionError, match="is no interval"):
        Number(text)
