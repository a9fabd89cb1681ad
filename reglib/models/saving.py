"""How models are written down, saved and found again.

A saved model is a NumPy archive: its description as JSON, and one array for each weight. No
pickle, so that opening a stranger's file runs no code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from reglib import _archive, _serialization, losses, optimizers
from reglib._arguments import Dict, Flag, Instance, List, PathName, Text, arguments
from reglib._validation import (
    naming,
)
from reglib.models import training_state
from reglib.models.base import model_classes
from reglib.models.inputs_and_outputs import JointLoss, described, names_by_output
from reglib.models.trainer import Trainer


@arguments(model=Instance(Trainer, "a model"), filepath=PathName(), overwrite=Flag())
def save_model(model: Trainer, filepath: str | os.PathLike, overwrite: bool = True) -> None:
    """Write a model to a NumPy archive: layers, weights, and how far it has come in training.

    When it is loaded it trains on as if it had not been away: how it was compiled, the memory
    of the optimizer and the states of the random generators go along.

    Parameters
    ----------
    model : Sequential or Model
        It must be built.
    filepath : path
        Where to; ``.npz`` is the usual ending.
    overwrite : bool
        Whether a file that is there may go.

    Raises
    ------
    FileExistsError
        If it may not go.
    FileNotFoundError
        If the folder is missing.
    TypeError
        If a part of it cannot be written down, such as a learning rate that is a function.
    ValueError
        If the model is not built.
    """
    import json  # here, so that importing the library takes little more than NumPy does

    weights = model.get_weights()
    progress, memory = training_state.taken(model)
    description = {
        **architecture(model),
        "compile": None,
        "progress": progress,
    }
    if model.optimizer is not None:
        description["compile"] = {
            "optimizer": optimizers.serialize(model.optimizer),
            **aims(model),
        }
    try:
        model_text = np.array(json.dumps(description))
    except TypeError as error:
        raise TypeError(f"model must have parts that can be written down: {error}") from error
    arrays = {"model": model_text, **_archive.numbered(weights), **memory}
    _archive.write(filepath, overwrite, **arrays)


@arguments(filepath=PathName())
def load_model(
    filepath: str | os.PathLike, custom_objects: Mapping[str, Any] | None = None
) -> Trainer:
    """Return the model that :func:`save_model` wrote.

    Parameters
    ----------
    filepath : path
        Where it is.
    custom_objects : mapping of str to class or function, optional
        Your own by their names. Classes that are defined by then, or were registered by
        ``saving.register_keras_serializable``, are found without it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no model of this library.
    """
    import json

    arrays = _archive.read(filepath, "a model")
    with _archive.refusing(filepath, "a model"):
        description = json.loads(str(arrays["model"]))
        with _serialization.custom_object_scope(custom_objects):
            model = revived(description)
            model.set_weights(_archive.in_order(arrays))
            if description["compile"] is not None:
                model.compile(**description["compile"])
        if "progress" in description:  # which older files do not have
            training_state.resume(model, description["progress"], arrays)
    return model


def to_json(model: Trainer) -> str:
    """Return the layers and how they are connected, without weights, as text."""
    import json

    return json.dumps(architecture(model))


@arguments(json_string=Text())
def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Trainer:
    """Return a new model, with fresh weights, from what a model's ``to_json`` returned.

    Parameters
    ----------
    json_string : str
        The text.
    custom_objects : mapping of str to class or function, optional
        Your own by their names. Classes that are defined by then, or were registered by
        ``saving.register_keras_serializable``, are found without it.

    Raises
    ------
    TypeError
        If it is no string.
    ValueError
        If it describes no model of this library.

    References
    ----------
    ``keras.models.model_from_json``.

    Examples
    --------
    >>> from reglib.layers import Dense
    >>> from reglib.models import Sequential
    >>> text = Sequential([Dense(3, name="hidden"), Dense(1)]).to_json()
    >>> model_from_json(text).get_layer("hidden").units
    3
    """
    import json

    try:
        description = json.loads(json_string)
    except json.JSONDecodeError as error:
        raise ValueError(f"json_string must be JSON, got {json_string!r}: {error}") from error
    with naming("json_string"):
        return revived(description, custom_objects)


def architecture(model: Trainer) -> dict[str, Any]:
    """Return the description of a model without weights: its class and its config."""
    return _serialization.serialize(model, "models")


def revived(
    description: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Trainer:
    """Return the model that a class name and a config mean."""
    if not {"class_name", "config"} <= set(Dict().check("model", description)):
        raise ValueError(f"model must have a class_name and a config, got {sorted(description)}")
    return _serialization.deserialize(
        description, model_classes, "the model's class", custom_objects
    )


@arguments(config=Dict())
def part_of(config: Any, name: str) -> list[Any]:
    """Return a list out of a model's config."""
    if name not in config:
        raise ValueError(f"config must have {name!r}, got {sorted(config) or 'nothing'}")
    return List(name).check(f"config[{name!r}]", config[name])


def aims(model: Trainer) -> dict[str, Any]:
    """Return what a compiled model is after as plain data: arguments of its compile."""
    weighted = model.weighted_metrics
    plain = [metric for metric in model.metrics if metric not in weighted]
    if isinstance(model.loss, JointLoss):
        return {
            **model.loss.get_config(),
            "metrics": names_by_output(model.loss, plain),
            "weighted_metrics": names_by_output(model.loss, weighted),
        }
    return {
        "loss": losses.serialize(model.loss),
        "metrics": [described(metric) for metric in plain],
        "weighted_metrics": [described(metric) for metric in weighted],
    }
