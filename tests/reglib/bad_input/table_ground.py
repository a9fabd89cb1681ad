"""Activations, initializers, regularizers, constraints and settings: what they refuse."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from reglib import activations, constraints, initializers, regularizers
from tests.reglib.bad_input.vocabulary import (
    CONFIG,
    EMPTY,
    FINITE,
    FLAG,
    NAN,
    NOT_NEGATIVE,
    POSITIVE,
    RANGE,
    RATE,
    RNG,
    SEED,
    TYPE,
    Entry,
    Kind,
    array,
    choice,
    free,
    identifier,
    lengths,
    thing,
)

CUSTOM = Kind("mapping", None, {TYPE: (3, ["a"])}).without(EMPTY, because="there may be none")
Z = array(np.array([[-1.0, 2.0]]), finite=False).without(EMPTY, because="of nothing it is nothing")
AXIS = Kind("integer", -1, {TYPE: ("last", 1.5, None, ("a",)), NAN: (float("nan"),)}).without(
    RANGE, because="every axis has a meaning until the number of axes is known"
)
AXES = Kind("list", None, {TYPE: (3, "ab", ("a",), (1.5,)), RANGE: ((7,),)}).without(
    EMPTY, because="of no axes the product of the lengths is 1"
)
DTYPE = Kind("identifier", "float32", {TYPE: (3, ["a"]), RANGE: ("float99",)})
ARRAY_OF_ANY_LIBRARY = free(
    "on the training path, and with the tensors of any library: the model's weights"
)

NAMED: dict[str, dict[str, Kind]] = {
    "activations": {
        "z": Z,
        "negative_slope": FINITE,
        "max_value": NOT_NEGATIVE,
        "threshold": FINITE,
        "alpha": FINITE,
        "approximate": FLAG,
        "b": NOT_NEGATIVE,
        "default_value": FINITE,
        "axis": AXIS,
    },
    "initializers": {
        "seed": SEED.but(type=("seven", 1.5, [3], True)),
        "shape": lengths((3, 2), low=0),
        "generator": RNG.but(type=(0, "seven", np.random.RandomState)),
        "dtype": DTYPE,
        "mean": FINITE,
        "stddev": NOT_NEGATIVE,
        "minval": FINITE,
        "maxval": FINITE,
        "gain": FINITE,
        "scale": POSITIVE,
        "mode": choice("fan_in"),
        "distribution": choice("normal", "uniform", "truncated_normal", "untruncated_normal"),
        "input_axes": AXES.but(range=()).without(
            RANGE, because="every axis has a meaning until the shape is known"
        ),
        "output_axes": AXES.but(range=()).without(
            RANGE, because="every axis has a meaning until the shape is known"
        ),
    },
    "constraints": {
        "max_value": NOT_NEGATIVE,
        "min_value": NOT_NEGATIVE,
        "rate": RATE,
        "axis": AXIS.but(type=("last", 1.5, None, ("a",), (1.5,))),
        "custom_objects": CUSTOM,
        "w": ARRAY_OF_ANY_LIBRARY,
    },
    "regularizers": {
        "l1": NOT_NEGATIVE,
        "l2": NOT_NEGATIVE,
        "factor": NOT_NEGATIVE,
        "mode": choice("rows"),
        "threshold": NOT_NEGATIVE,
        "strength": NOT_NEGATIVE,
        "custom_objects": CUSTOM,
        "x": ARRAY_OF_ANY_LIBRARY,
    },
}


def _classes(module: Any, base: type) -> list[str]:
    """Return the names of a module's public classes of a kind, the base included."""
    return sorted(
        name
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, base) and name == cls.__name__
        if not name.startswith("_")
    )


def _activation_entries() -> list[Entry]:
    functions = [
        name
        for name, f in vars(activations).items()
        if isinstance(f, activations.Activation) and f.name == name
    ]
    special = {
        "elu": {"alpha": FINITE},
    }
    relu = activations.relu
    return [
        *(
            Entry(
                f"activations.{name}",
                special.get(name, {}),
                call=partial(_call_activation, getattr(activations, name)),
            )
            for name in functions
            if not name.startswith("_")
        ),
        Entry(
            "activations.Activation",
            {
                "name": Kind("text", "mine", {TYPE: (3, ["a"], None), EMPTY: ("",)}),
                "value": Kind("function", relu.value, {TYPE: (3, "text", None)}),
                "gradient": Kind("function", relu.gradient, {TYPE: (3, "text", None)}),
            },
        ),
        Entry(
            "activations.Activation.__call__",
            {
                "arguments": free("the function's own options, each in this table"),
                "options": free("the function's own options, each in this table"),
            },
            call=partial(_call_activation, relu),
        ),
        Entry(
            "activations.get", {"identifier": identifier("relu")}, says={"identifier": "activation"}
        ),
        Entry("activations.serialize", {"activation": thing(relu)}),
        Entry(
            "activations.deserialize", {"config": identifier("relu")}, says={"config": "activation"}
        ),
    ]


def _call_activation(function: Any, z: Any, **options: Any) -> Any:
    """Call with options that make a difference: where there is none, none is looked at."""
    return function(z, **options)


def _initializer_entries() -> list[Entry]:
    glorot = initializers.GlorotUniform
    return [
        *(
            Entry(f"initializers.{name}", {})
            for name in _classes(initializers, initializers.Initializer)
            if name != "Constant"
        ),
        Entry(
            "initializers.Constant",
            {"value": FINITE.but(type=("a lot", 1j, [["a"]], None), nan=(float("nan"), [np.inf]))},
        ),
        *(
            Entry(
                f"initializers.{name}.__call__",
                {} if name == "Initializer" else {"generator": free("there is nothing to draw")},
                call=lambda make=make, **k: make(**k),
            )
            for name, make in (
                ("Initializer", glorot()),
                ("Constant", initializers.Constant(1.0)),
                ("Identity", initializers.Identity()),
            )
        ),
        Entry(
            "initializers.compute_fans",
            {"input_axes": AXES, "output_axes": AXES},
            call=lambda **k: initializers.compute_fans(**_both_axes(k)),
        ),
        Entry(
            "initializers.Initializer.from_config",
            {
                "config": CONFIG.but(good={"seed": 3}).without(
                    EMPTY, because="every argument has a default"
                )
            },
            call=glorot.from_config,
        ),
        Entry(
            "initializers.get",
            {"identifier": identifier("zeros")},
            says={"identifier": "initializer"},
        ),
        Entry("initializers.serialize", {"initializer": thing(glorot()).but(type=(3, "text"))}),
        Entry(
            "initializers.deserialize",
            {"config": CONFIG.but(good={"class_name": "Zeros", "config": {}})},
        ),
    ]


def _both_axes(given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments in which the other axes are good."""
    if {"input_axes", "output_axes"} & set(given):
        return {"input_axes": [0], "output_axes": [1]} | given
    return given


def _penalty_entries() -> list[Entry]:
    weights = array(np.ones((3, 2))).without(EMPTY, because="of nothing it is nothing")
    penalty, constraint = regularizers.L2(), constraints.MaxNorm()
    return [
        *(
            Entry(
                f"regularizers.{name}",
                {w: NOT_NEGATIVE.or_none() for w in ("l1", "l2") if w in name.lower()},
            )
            for name in _classes(regularizers, regularizers.Regularizer)
        ),
        *(
            Entry(f"constraints.{name}", {})
            for name in _classes(constraints, constraints.Constraint)
        ),
        *(
            Entry(f"regularizers.proximal_{name}", {"w": weights})
            for name in ("l1", "l2", "elastic_net")
        ),
        Entry(
            "regularizers.Regularizer.from_config",
            {
                "config": CONFIG.but(good={"l2": 0.1}).without(
                    EMPTY, because="every argument has a default"
                )
            },
            call=regularizers.L2.from_config,
        ),
        Entry(
            "constraints.Constraint.from_config",
            {
                "config": CONFIG.but(good={"max_value": 1}).without(
                    EMPTY, because="every argument has a default"
                )
            },
            call=constraints.MaxNorm.from_config,
        ),
        Entry(
            "regularizers.get", {"identifier": identifier("l2")}, says={"identifier": "regularizer"}
        ),
        Entry(
            "constraints.get",
            {"identifier": identifier("max_norm")},
            says={"identifier": "constraint"},
        ),
        Entry("regularizers.serialize", {"regularizer": thing(penalty).but(type=(3, "text"))}),
        Entry("constraints.serialize", {"constraint": thing(constraint).but(type=(3, "text"))}),
        Entry(
            "regularizers.deserialize",
            {"config": CONFIG.but(good={"class_name": "L2", "config": {}})},
        ),
        Entry(
            "constraints.deserialize",
            {"config": CONFIG.but(good={"class_name": "MaxNorm", "config": {}})},
        ),
    ]


ENTRIES = [
    *_activation_entries(),
    *_initializer_entries(),
    *_penalty_entries(),
    Entry("config.set_floatx", {"dtype": choice("float32").but(range=("int32", "float99"))}),
]
