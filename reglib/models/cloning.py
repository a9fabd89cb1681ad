"""New models of the same layers."""

from __future__ import annotations

import copy
from collections.abc import Callable

from reglib import optimizers
from reglib._arguments import Function, Instance, Seed, arguments
from reglib.layers.base import Layer, Node
from reglib.layers.inputs import InputLayer
from reglib.models.functional import Model, drawn
from reglib.models.inputs_and_outputs import map_structure
from reglib.models.sequential import Sequential


@arguments(model=Instance((Sequential, Model), "a model"), seed=Seed(), clone_function=Function())
def clone_model(
    model: Sequential | Model,
    seed: int | None = None,
    *,
    clone_function: Callable[[Layer], Layer] | None = None,
) -> Sequential | Model:
    """Return a model of the same layers with fresh weights, compiled as the model is.

    Parameters
    ----------
    model : Sequential or Model
        It is left alone.
    seed : int, optional
        Of the new model.
    clone_function : callable, optional
        Takes a layer and returns the one to put in its place: another of its kind, with a
        dropout that is off, say. By default a new one of the same config.

    Raises
    ------
    TypeError
        If ``model`` is no model, or ``clone_function`` returns no layer.

    References
    ----------
    ``keras.models.clone_model``.
    """
    make = _copied if clone_function is None else clone_function

    def made(layer: Layer) -> Layer:
        given = _copied(layer) if isinstance(layer, InputLayer) else make(layer)
        what = "a function that returns layers"
        Instance(Layer, what).check("clone_function", given)
        return given

    clone: Sequential | Model
    if isinstance(model, Sequential):
        clone = type(model)(
            [made(layer) for layer in model._with_input()], name=model.name, seed=seed
        )
        if model.built:
            clone.build(model.input_shape)
    else:
        nodes: dict[Node, Node] = {}
        layers = {layer: made(layer) for layer in model.layers}
        for node in model._nodes:
            parents = [nodes[parent] for parent in node.parents]
            options = {name: getattr(node, name) for name in Node.options}
            nodes[node] = drawn(layers[node.layer], parents, **options)
        inputs = map_structure(nodes.__getitem__, model.input)
        outputs = map_structure(nodes.__getitem__, model.output)
        clone = type(model)(inputs, outputs, name=model.name, seed=seed)
    clone._trainable = model.trainable  # the layers know of themselves
    if model.optimizer is not None:
        clone.optimizer = optimizers.get(optimizers.serialize(model.optimizer))
        clone.loss, clone.metrics, clone.weighted_metrics = copy.deepcopy(
            (model.loss, model.metrics, model.weighted_metrics)
        )
    return clone


def _copied(layer: Layer) -> Layer:
    return type(layer).from_config(layer.get_config())
