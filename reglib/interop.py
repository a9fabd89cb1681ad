"""Layers and whole models to Keras and back, with their weights.

Regularizers, constraints and callbacks need none of this: either library takes the other's.
Import Keras before you call a function of this module; nothing here imports it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from reglib import initializers, layers, models, optimizers
from reglib._twin import hand_over, loaded_keras, to_keras_layer
from reglib._typing import Lengths
from reglib.layers.base import Layer, Node
from reglib.layers.inputs import InputLayer
from reglib.models.inputs_and_outputs import map_structure
from reglib.models.inputs_and_outputs import several as _several

# Layers around others: where Keras keeps those that a configuration names.
_AROUND = {
    "Bidirectional": {"layer": "forward_layer", "backward_layer": "backward_layer"},
    "SpectralNormalization": {"layer": "layer"},
    "TimeDistributed": {"layer": "layer"},
}


def to_keras(thing: Layer | models.Sequential | models.Model) -> Any:
    """Return a Keras layer or model with the same configuration and weights.

    Parameters
    ----------
    thing : Layer, Sequential or Model
        A model that is compiled comes out compiled, with a fresh optimizer.

    Raises
    ------
    ImportError
        If Keras has not been imported.
    TypeError
        If ``thing`` is no layer or model of this library.
    ValueError
        If Keras has no such layer.
    """
    keras = _require_keras()
    if isinstance(thing, models.Nested):
        return _model_to_keras(thing.model, thing.name, keras)
    if isinstance(thing, layers.TimeDistributed) and isinstance(thing.layer, models.Nested):
        return keras.layers.TimeDistributed(to_keras(thing.layer), name=thing.name)
    if isinstance(thing, Layer):
        return to_keras_layer(thing)
    if not isinstance(thing, (models.Sequential, models.Model)):
        raise TypeError(f"thing must be a layer or model of reglib, got {type(thing).__name__}")
    return _model_to_keras(thing, thing.name, keras)


def from_keras(thing: Any) -> Layer | models.Sequential | models.Model:
    """Return a layer or model of this library with the configuration and weights of Keras's.

    Parameters
    ----------
    thing : keras.Layer or keras.Model
        Models come out not compiled.

    Raises
    ------
    ImportError
        If Keras has not been imported.
    TypeError
        If ``thing`` is no layer or model of Keras.
    ValueError
        If a layer, or an option that is set, does not exist here.
    """
    keras = _require_keras()
    ours: models.Sequential | models.Model
    if isinstance(thing, keras.Sequential):
        parts: list[Any] = [_layer_from_keras(part) for part in thing.layers]
        if thing.inputs:
            parts.insert(0, _input_from_keras(thing.inputs[0]))
        ours = models.Sequential(parts, name=thing.name)
        if thing.built:
            ours.build(tuple(thing.input_shape))
    elif isinstance(thing, keras.Model):
        ours = _graph_from_keras(thing)
    elif isinstance(thing, keras.Layer):
        layer = _layer_from_keras(thing)
        if thing.built and thing.weights:
            layer.ensure_built(_built_shape(thing))
            layer.set_weights(thing.get_weights())
        return layer
    else:
        raise TypeError(f"thing must be a layer or model of Keras, got {type(thing).__name__}")
    ours._trainable = thing.trainable  # the layers know of themselves
    if ours.built:
        for mine in _weighted(ours.layers):
            mine.set_weights(thing.get_layer(mine.name).get_weights())
    return ours


def _require_keras() -> Any:
    keras = loaded_keras()
    if keras is None:
        raise ImportError("import keras before you exchange layers or models with it")
    return keras


def _weighted(layers: list[Layer]) -> list[Layer]:
    """Return the layers whose weights are still to be handed over: a model within has its own.

    By their names, because Keras lists the layers of a graph in an order of its own.
    """
    return [layer for layer in layers if layer.weights and not isinstance(layer, models.Nested)]


def _built_shape(layer: Any) -> Lengths:
    return tuple(layer.get_build_config()["input_shape"])


def _accepted(cls: type) -> set[str]:
    """Return the names of all arguments that a layer's constructor takes."""
    return {
        name
        for base in cls.__mro__
        if "__init__" in vars(base)
        for name in inspect.signature(vars(base)["__init__"]).parameters
    } - {"self", "args", "kwargs"}


def _known_part(config: Mapping[str, Any], theirs: Any, ours: type, what: str) -> dict[str, Any]:
    """Return the options that our class has; refuse others unless they are at their default."""
    known = _accepted(ours)
    defaults = inspect.signature(theirs.__init__).parameters
    for option in sorted(set(config) - known):
        value = config[option]
        default = defaults[option].default if option in defaults else None
        harmless: tuple[Any, ...] = (default, None, False, "auto", "channels_last")
        if isinstance(value, (tuple, list)):
            harmless = (*harmless, type(value)([default]) * len(value))
        if value not in harmless:
            raise ValueError(
                f"{what} has {option}={value!r}, which reglib's {ours.__name__} does not know"
            )
    return {option: value for option, value in config.items() if option in known}


def _layer_from_keras(layer: Any) -> Layer:
    """Return a layer of the same name and configuration, without weights."""
    keras = _require_keras()
    if isinstance(layer, keras.Model):
        model: Any = from_keras(layer)
        return models.Nested(model, name=layer.name)
    name = type(layer).__name__
    cls = getattr(layers, name, None)
    is_kerass = type(layer).__module__.partition(".")[0] == "keras"  # one's own has any name
    if not (is_kerass and isinstance(cls, type) and issubclass(cls, Layer)):
        whose = "Keras's " if is_kerass else f"{type(layer).__module__}."
        raise ValueError(f"layer must be one that reglib has too, got {whose}{name}")
    config = _known_part(layer.get_config(), type(layer), cls, f"layer {layer.name}")
    if isinstance(config.get("dtype"), dict):
        config["dtype"] = config["dtype"]["config"]["name"]
    if name == "LayerNormalization":
        # Keras makes a list of one axis once it is built.
        axes = config["axis"]
        config["axis"] = axes[0] if isinstance(axes, (list, tuple)) and len(axes) == 1 else axes
    for within, attribute in _AROUND.get(name, {}).items():
        config[within] = layers.serialize(_layer_from_keras(getattr(layer, attribute)))
    for option, value in config.items():
        if isinstance(value, dict) and value.get("module") == "keras.initializers":
            kind = value["class_name"]
            part = _known_part(
                value["config"],
                getattr(keras.initializers, kind),
                type(initializers.get(kind)),
                f"{option} of layer {layer.name}",
            )
            config[option] = {**value, "config": part}
    return cls.from_config(config)


def _input_from_keras(tensor: Any) -> Node:
    """Return the node that stands for one of Keras's symbolic inputs."""
    return layers.Input(batch_shape=tuple(tensor.shape), dtype=tensor.dtype, name=tensor.name)


def _model_to_keras(model: models.Sequential | models.Model, name: str, keras: Any) -> Any:
    if isinstance(model, models.Sequential):
        theirs = keras.Sequential([to_keras(layer) for layer in model._with_input()], name=name)
        if model.built:
            theirs.build(model.input_shape)
    else:
        theirs = _graph_to_keras(model, name, keras)
    theirs._trainable = model.trainable  # the layers know of themselves
    if model.built:
        for mine in _weighted(model.layers):
            hand_over(mine, theirs.get_layer(mine.name))
    if model.optimizer is not None:
        aims = models.aims(model)
        for watched in ("metrics", "weighted_metrics"):
            aims[watched] = _metrics_to_keras(aims[watched], keras)
        theirs.compile(
            keras.optimizers.deserialize(optimizers.serialize(model.optimizer)),
            map_structure(keras.losses.deserialize, aims.pop("loss")),
            **aims,
        )
    return theirs


def _metrics_to_keras(described: Any, keras: Any) -> Any:
    """Return names as they are and descriptions as Keras's metrics, in the lists they are in."""
    if isinstance(described, list):
        return [_metrics_to_keras(one, keras) for one in described]
    return keras.metrics.deserialize(described) if isinstance(described, dict) else described


def _graph_to_keras(model: models.Model, name: str, keras: Any) -> Any:
    tensors: dict[Node, Any] = {}
    twins = {layer: to_keras(layer) for layer in model.layers if type(layer) is not InputLayer}
    for node in model._nodes:
        if not node.parents:
            tensors[node] = keras.Input(
                batch_shape=node.shape, dtype=node.layer.dtype, name=node.layer.name
            )
            continue
        if node.index is not None:
            tensors[node] = tensors[node.parents[0]][node.index]
            continue
        given, options = node.hand_out([tensors[parent] for parent in node.parents])
        if node.training is not None:
            options["training"] = node.training
        tensors[node] = twins[node.layer](given, **options)
    ins, outs = model._ins, model._outs
    return keras.Model(
        ins.structured([tensors[node] for node in ins.nodes]),
        outs.structured([tensors[node] for node in outs.nodes]),
        name=name,
    )


def _graph_from_keras(model: Any) -> models.Model:
    """Return the graph: nodes by their layer's name, its use and their place in the outputs.

    Keras's graph has the operations that make masks besides, which go from layer to layer here.
    """
    described = model.get_config()
    mentioned = {
        *map(_origin, _tensors(described["layers"])),
        *_ends_of(described["input_layers"]),
        *_ends_of(described["output_layers"]),
    }
    known = {layer.name: layer for layer in model.layers}
    _check_masks(described["layers"], known)
    nodes: dict[tuple[str, int, int], Node] = {}
    calls = []
    for description in described["layers"]:
        name = description["name"]
        if name not in known:
            continue
        theirs = known[name]
        if not description["inbound_nodes"]:
            nodes[name, 0, 0] = _input_from_keras(theirs.output)
            continue
        layer = _layer_from_keras(theirs)
        # Keras counts the uses of a graph from 1 where its own making is one of them.
        uses = description["inbound_nodes"]
        from_one = any(other == name and number == len(uses) for other, number, _ in mentioned)
        for number, call in enumerate(uses, start=int(from_one)):
            given, states = call["args"][0], call["kwargs"].get("initial_state")
            origins = [_origin(tensor) for tensor in _several(given)]
            origins += [_origin(tensor) for tensor in _several(states)]
            options = {"training": call["kwargs"].get("training")}
            calls.append(((name, number), layer, origins, states is not None, options))
    # A layer's second use may come after layers that are described behind it.
    while calls:
        ready = [call for call in calls if all(origin in nodes for origin in call[2])]
        if not ready:
            missing = {name for call in calls for name, *_ in call[2]} - set(known)
            raise ValueError(f"operations between layers must be layers, got {sorted(missing)}")
        key, layer, origins, from_states, options = ready[0]
        first, *others = parents = [nodes[origin] for origin in origins]
        if from_states:
            options["initial_state"], others = others, []
        drawn = layer(parents if others else first, **options)
        nodes |= {(*key, number): node for number, node in enumerate(_several(drawn))}
        calls = [call for call in calls if call[0] != key]

    def ends(structure: Any) -> Any:
        alone = isinstance(structure, (list, tuple)) and isinstance(structure[0], str)
        if alone:
            return nodes[tuple(structure)]
        return map_structure(ends, structure)

    inputs, outputs = ends(described["input_layers"]), ends(described["output_layers"])
    return models.Model(inputs, outputs, name=model.name)


def _check_masks(described: Sequence[Mapping[str, Any]], known: Mapping[str, Any]) -> None:
    """Refuse a graph in which a layer is given a mask that no layer of it has made.

    What a mask is computed from must be the inputs of a layer that makes masks.
    """
    inputs_of = {
        part["name"]: [_origin(t) for call in part["inbound_nodes"] for t in _tensors(call["args"])]
        for part in described
    }
    masked = {
        origin
        for name, layer in known.items()
        if hasattr(layer, "mask_value") or getattr(layer, "mask_zero", False)
        for origin in inputs_of[name]
    }
    for part in described:
        sources = [
            _origin(t) for c in part["inbound_nodes"] for t in _tensors(c["kwargs"].get("mask"))
        ]
        while sources:
            source = sources.pop()
            if source[0] not in known:
                sources += inputs_of[source[0]]
            elif source not in masked:
                raise ValueError(
                    f"layer {part['name']} must have its mask from Masking or an Embedding, "
                    f"got one made of the outputs of {source[0]}"
                )


def _origin(tensor: Any) -> tuple[str, int, int]:
    """Return the layer's name that a tensor comes out of, the number of its use, and its own."""
    return tuple(tensor["config"]["keras_history"])


def _ends_of(structure: Any) -> list[tuple[str, int, int]]:
    """Return the ends of a graph, in lists and dicts as well, as :func:`_origin` names them."""
    if isinstance(structure, Mapping):
        structure = list(structure.values())
    if isinstance(structure[0], str):
        return [tuple(structure)]
    return [end for part in structure for end in _ends_of(part)]


def _tensors(described: Any) -> list[Mapping[str, Any]]:
    """Return the tensors among described arguments, in lists and dicts as well."""
    if isinstance(described, (list, tuple)):
        return [tensor for part in described for tensor in _tensors(part)]
    if not isinstance(described, Mapping):
        return []
    if described.get("class_name") == "__keras_tensor__":
        return [described]
    return _tensors(list(described.values()))
