"""Every name that reglib shares with Keras has its arguments and defaults, or says why not."""

import inspect

import numpy as np
import pytest

from reglib import (
    activations,
    callbacks,
    constraints,
    deviations,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
)

pytestmark = pytest.mark.keras

MODULES = [
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
]
# Base classes are ours to design; what people call is Keras's.
BASES = {"Callback", "CallbackList", "Constraint", "Initializer", "InputLayer", "Layer", "Loss"}
BASES |= {"Metric", "Optimizer", "Regularizer"}


def arguments(cls):
    """Return a constructor's arguments with defaults, those of its bases included."""
    found = {}
    for base in cls.__mro__:
        if "__init__" in vars(base):
            for name, parameter in inspect.signature(base.__init__).parameters.items():
                if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                    found.setdefault(name, parameter.default)
    return found


def shared():
    import keras

    for module in MODULES:
        home = keras.optimizers if module is schedules else keras
        theirs = getattr(home, module.__name__.rpartition(".")[2])
        for name, cls in vars(module).items():
            if inspect.isclass(cls) and cls.__module__.startswith("reglib") and name not in BASES:
                other = getattr(theirs, name, None)
                if inspect.isclass(other):
                    yield f"{module.__name__}.{name}", cls, other


def test_the_field_is_covered():
    assert len({cls for _, cls, _ in shared()}) > 75


def same(mine, other):
    """Return whether two defaults mean the same: 1 is (1, 1)."""
    return mine == other or (isinstance(other, tuple) and set(other) == {mine})


def test_arguments_and_defaults_are_those_of_keras():
    different, used = {}, set()
    for name, ours, theirs in shared():
        mine = arguments(ours)
        named = inspect.signature(theirs.__init__).parameters.values()
        for parameter in named:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            argument = parameter.name
            if argument not in mine:
                used.add(argument)
                moment = argument.startswith("on_") and "**moments" in str(inspect.signature(ours))
                if argument not in deviations.ARGUMENTS and not moment:
                    different[f"{name}({argument})"] = "missing"
            elif parameter.default is not parameter.empty and not same(
                mine[argument], parameter.default
            ):
                different[f"{name}({argument})"] = (mine[argument], parameter.default)
    assert not different
    unused = set(deviations.ARGUMENTS) - used
    assert not unused, "the table lists what is no deviation any more"


def test_configs_have_the_keys_of_keras():
    """What a Keras config says and ours does not is in the table, or Keras's own bookkeeping."""
    bookkeeping = {"data_format", "seed", "zero_output_for_mask"}
    bookkeeping |= {"loss_scale_factor", "is_legacy_optimizer", "jit_compile", "synchronized"}
    bookkeeping |= {"activity_regularizer"}  # named in our configs only where there is one
    made = {
        "reglib.layers.Dense": (3,),
        "reglib.layers.LSTM": (3,),
        "reglib.layers.GRU": (3,),
        "reglib.layers.Conv2D": (3, 3),
        "reglib.layers.Dropout": (0.5,),
        "reglib.layers.BatchNormalization": (),
        "reglib.optimizers.SGD": (),
        "reglib.optimizers.RMSprop": (),
        "reglib.optimizers.AdamW": (),
        "reglib.losses.Huber": (),
        "reglib.losses.CategoricalCrossentropy": (),
        "reglib.regularizers.L1L2": (),
        "reglib.constraints.MinMaxNorm": (),
    }
    small = ("reglib.losses.", "reglib.metrics.", "reglib.initializers.")
    made |= {name: () for name, _, _ in shared() if name.startswith(small)}
    made["reglib.metrics.MeanMetricWrapper"] = (abs,)
    checked = 0
    for name, ours, theirs in shared():
        if name not in made:
            continue
        checked += 1
        mine, other = (cls(*made[name]).get_config() for cls in (ours, theirs))
        assert set(other) - set(mine) <= bookkeeping | set(deviations.ARGUMENTS), name
    assert checked == len(made)


FUNCTIONS = [losses, metrics]


@pytest.mark.parametrize("module", FUNCTIONS, ids=lambda module: module.__name__)
def test_functions_take_the_arguments_of_keras(module):
    import keras

    theirs = getattr(keras, module.__name__.rpartition(".")[2])
    names = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and "y_true" in inspect.signature(value).parameters
    ]
    assert len(names) >= 5
    for name in names:
        mine, other = (inspect.signature(getattr(m, name)).parameters for m in (module, theirs))
        assert [(p.name, p.default) for p in mine.values()] == [
            (p.name, p.default) for p in other.values()
        ], name


def test_activations_take_the_options_of_keras():
    import keras

    for name in sorted(activations._REGISTRY):
        ours = activations.get(name)
        if ours.value is np.tanh or ours.value is np.exp:  # of NumPy: no options
            continue
        mine = list(inspect.signature(ours.value).parameters.values())[1:]
        other = list(inspect.signature(getattr(keras.activations, name)).parameters.values())[1:]
        assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in other], name
