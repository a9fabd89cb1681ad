"""Layers' twins in Keras: the same configuration and weights, for calls on Keras's tensors.

Keras is used only when it has been imported by somebody else.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

import numpy as np

from reglib._serialization import is_of_library


def loaded_keras() -> ModuleType | None:
    """Return the module ``keras`` if the program has imported it."""
    return sys.modules.get("keras")


def is_keras_tensor(x: Any) -> bool:
    """Return whether ``x`` is a tensor of Keras or its backend, symbolic ones included."""
    keras = loaded_keras()
    if keras is None or isinstance(x, (np.ndarray, np.generic)):
        return False
    return isinstance(x, keras.KerasTensor) or keras.ops.is_tensor(x)


def to_keras_layer(layer: Any, *, keep_name: bool = True) -> Any:
    """Return a new Keras layer of the same class name, configuration and weights.

    Without ``keep_name`` Keras numbers the layer among its own.

    Raises
    ------
    ImportError
        If Keras has not been imported.
    ValueError
        If Keras has no such layer.
    """
    keras = loaded_keras()
    if keras is None:
        raise ImportError("import keras before a layer is turned into one of Keras's")
    name = type(layer).__name__
    if not (is_of_library(type(layer)) and hasattr(keras.layers, name)):
        whose = "" if is_of_library(type(layer)) else f"{type(layer).__module__}."
        raise ValueError(f"layer must be one that Keras has too, got {whose}{name}")
    config = layer.get_config()
    if not keep_name:
        del config["name"]
    if config.get("trainable"):
        del config["trainable"]  # the default, which some of Keras's constructors do not take
    theirs = keras.layers.deserialize(
        {"module": "keras.layers", "class_name": name, "config": config}
    )
    if layer.built and layer.weights:
        theirs.build(layer.built_shape)
        hand_over(layer, theirs)
    return theirs


def hand_over(layer: Any, theirs: Any) -> None:
    """Give a layer of Keras the weights of ours."""
    theirs.set_weights(layer.get_weights())
    if hasattr(theirs, "finalize_state"):
        theirs.finalize_state()  # Normalization computes with copies of its weights


def call_twin(layer: Any, inputs: Any, training: bool | None, **options: Any) -> Any:
    """Return what the layer's twin makes of a Keras tensor; the twin is made once and kept."""
    if layer.keras_twin is None:
        # Our automatic names and Keras's are counted apart, so a graph could meet one twice.
        layer.keras_twin = to_keras_layer(layer, keep_name=layer.is_named)
    takes_it = "training" in inspect.signature(layer.keras_twin.call).parameters
    if training is not None and takes_it:
        options["training"] = training
    return layer.keras_twin(inputs, **options)
