"""How models and classes of one's own are written down and found again, under Keras's names."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from reglib import _serialization
from reglib._absent import refuse
from reglib._arguments import Dict, arguments
from reglib._serialization import custom_object_scope as custom_object_scope
from reglib._serialization import get_custom_objects as get_custom_objects
from reglib._serialization import get_registered_name as get_registered_name
from reglib._serialization import get_registered_object as get_registered_object
from reglib._serialization import register_keras_serializable as register_keras_serializable
from reglib.models.saving import load_model as load_model
from reglib.models.saving import save_model as save_model

CustomObjectScope = custom_object_scope

# Where the classes of a kind are, and the base that tells the kind.
_KINDS = {
    "layers": "Layer",
    "models": "BaseModel",
    "regularizers": "Regularizer",
    "constraints": "Constraint",
    "initializers": "Initializer",
    "losses": "Loss",
    "metrics": "Metric",
    "optimizers": "Optimizer",
}


def serialize_keras_object(obj: Any) -> Any:
    """Return the description of an object that has a config; plain data stays as it is.

    Raises
    ------
    TypeError
        If it is neither.

    Examples
    --------
    >>> from reglib.regularizers import L2
    >>> serialize_keras_object(L2(0.1))["class_name"]
    'L2'
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(part) for part in obj]
    if isinstance(obj, dict):
        return {name: serialize_keras_object(part) for name, part in obj.items()}
    for module, base in _KINDS.items():
        if isinstance(obj, getattr(importlib.import_module(f"reglib.{module}"), base)):
            return _serialization.serialize(obj, module)
    raise TypeError(f"obj must be plain data or have a config, got {obj!r}")


@arguments(custom_objects=Dict())
def deserialize_keras_object(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the object that :func:`serialize_keras_object` described.

    Raises
    ------
    ValueError
        If its class is not known.

    Examples
    --------
    >>> from reglib.regularizers import L2
    >>> deserialize_keras_object(serialize_keras_object(L2(0.1)))
    L2(l2=0.1)
    """
    with custom_object_scope(custom_objects):
        if isinstance(config, (list, tuple)):
            return [deserialize_keras_object(part) for part in config]
        if not isinstance(config, dict):
            return config
        if "class_name" not in config:
            return {name: deserialize_keras_object(part) for name, part in config.items()}
        module = str(config.get("module")).removeprefix("keras.")
        if module in _KINDS and hasattr(importlib.import_module(f"reglib.{module}"), "deserialize"):
            return importlib.import_module(f"reglib.{module}").deserialize(config)
        return _serialization.deserialize(config, _model_classes(), "class")


def _model_classes() -> Mapping[str, Any]:
    from reglib.models.base import model_classes

    return model_classes


__getattr__ = partial(refuse, __name__)
