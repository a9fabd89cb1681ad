"""Whatever Keras refuses in a constructor that both libraries have, reglib refuses as well.

Each argument of each shared class gets every value of a pool, beside good values for the others.
The reverse does not hold: Keras takes much that cannot work until it is used.
"""

import inspect
import warnings

import numpy as np
import pytest

from reglib.deviations import BEHAVIOUR
from tests.reglib.bad_input.calls import INVENTORY, call, good_arguments

pytestmark = pytest.mark.keras

ROOMS = ("callbacks", "constraints", "initializers", "layers", "losses", "metrics", "optimizers")
ROOMS += ("regularizers", "schedules")
POOL = [
    *(-1, 0, 1, 2, 7, -0.5, 0.0, 0.5, 1.0, 1.5, float("nan"), float("inf")),
    *(None, True, False, "nonsense", "", "valid", b"bytes"),
    *((), (1,), (1, 2), (0, 1), (-1, 1), (1, 2, 3), (0.5, 0.1), [], [1], [[1, 2], [3, 4]], ["a"]),
    *({}, {"a": 1}, {"class_name": "NoSuch", "config": {}}),
    *(object(), int, len, np.float32(0.5), np.zeros((2, 2)), 1j),
]
# What Keras refuses and reglib takes, by what reglib.deviations says of it.
DEVIATIONS = {
    "a number of NumPy": lambda argument, value: isinstance(value, np.float32),
    "a whole number": lambda argument, value: (
        argument in ("learning_rate", "momentum", "beta", "threshold") and type(value) is int
    ),
    "thresholds in a tuple": lambda argument, value: (
        argument == "thresholds" and isinstance(value, tuple)
    ),
    "a table of lists": lambda argument, value: argument == "weights" and value == [[1, 2], [3, 4]],
    "shear from its config": lambda argument, value: (
        argument in ("x_factor", "y_factor") and value == (-1, 1)
    ),
}
# Classes whose good arguments here are none in Keras, with the reason.
APART = {
    "callbacks.CallbackList": "it is made by fit, with a model of either library",
    "callbacks.ModelCheckpoint": "its files have the endings of Keras's formats there",
    "layers.InputLayer": "its table has another way to make one",
    "layers.Bidirectional": "it wraps a layer, which is one of the other library",
    "layers.TimeDistributed": "it wraps a layer, which is one of the other library",
    "layers.SpectralNormalization": "it wraps a layer, which is one of the other library",
}
# Arguments that have a default here and none in Keras.
FURTHER = {
    **{f"layers.AveragePooling{rank}D": {"pool_size": 2} for rank in (1, 2, 3)},
}


def shared():
    """Return the names of the classes that both libraries have."""
    return sorted(
        name
        for name, public in INVENTORY.items()
        if name.partition(".")[0] in ROOMS
        and inspect.isclass(public.target)
        and theirs_of(name) is not None
    )


def theirs_of(name):
    import keras

    module, _, cls = name.partition(".")
    home = keras.optimizers if module == "schedules" else keras
    found = getattr(getattr(home, module, None), cls, None)
    return found if inspect.isclass(found) else None


def outcome(function, arguments):
    """Return the error of a call, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(**arguments)
        except Exception as error:  # Keras raises many kinds
            return error
    return None


def refused(name):
    """Return the arguments and values of a class that Keras refuses."""
    theirs, good = theirs_of(name), good_arguments(name) | FURTHER.get(name, {})
    assert outcome(theirs, good) is None, "the good call must work in both: see APART"
    for argument in sorted(INVENTORY[name].parameters.keys() & arguments_of(theirs)):
        for value in POOL:
            if outcome(theirs, good | {argument: value}) is not None:
                yield argument, value, good | {argument: value}


def arguments_of(theirs):
    return inspect.signature(theirs.__init__).parameters.keys()


@pytest.fixture(scope="module")
def taken():
    """Return what Keras refuses and reglib takes, and how many values Keras refuses at all."""
    found, number = [], 0
    for name in sorted(set(shared()) - set(APART)):
        for argument, value, arguments in refused(name):
            number += 1
            if outcome(lambda name=name, **k: call(name, k), arguments) is None:
                found.append((name, argument, value))
    return found, number


def test_what_keras_refuses_is_refused(taken):
    found, number = taken
    assert number > 12_000
    left = [
        f"{name}({argument}={value!r})"
        for name, argument, value in found
        if not any(applies(argument, value) for applies in DEVIATIONS.values())
    ]
    assert not left


@pytest.mark.parametrize("deviation", DEVIATIONS)
def test_no_deviation_is_left_over(deviation, taken):
    assert deviation in BEHAVIOUR
    assert any(DEVIATIONS[deviation](argument, value) for _, argument, value in taken[0])


def test_every_class_that_is_apart_is_shared():
    assert set(APART) <= set(shared())
