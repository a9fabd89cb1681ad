"""Models: layers one after the other, or as a graph; and how they are saved.

A saved model is a NumPy archive: its description as JSON, and one array for each weight. No
pickle, so that opening a stranger's file runs no code.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib import _archive, losses, optimizers
from reglib._timestep_masks import mask_of, masked
from reglib._validation import (
    check_array,
    check_callable,
    check_choice,
    check_instance,
    check_mapping,
    check_sequence,
    check_shape,
    check_text,
    naming,
)
from reglib.layers.base import Layer, Node, deserialize, serialize
from reglib.layers.merging import InputLayer
from reglib.models import training_state
from reglib.models.inputs_and_outputs import (
    Bundle,
    Data,
    Ends,
    JointLoss,
    arrays_of,
    described,
    map_structure,
    names_by_output,
    output_metrics,
    several,
)
from reglib.models.shared_layers import Uses
from reglib.models.trainer import Trainer, every_layer


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

    check_instance("model", model, Trainer, "a model")
    weights = model.get_weights()
    progress, memory = training_state.taken(model)
    description = {
        **_architecture(model),
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


def _architecture(model: Trainer) -> dict[str, Any]:
    return {"class_name": type(model).__name__, "config": model.get_config()}


def _to_json(model: Trainer) -> str:
    """Return the layers and how they are connected, without weights, as text."""
    import json

    return json.dumps(_architecture(model))


def model_from_json(
    json_string: str, custom_objects: Mapping[str, Any] | None = None
) -> Sequential | Model:
    """Return a new model, with fresh weights, from what a model's ``to_json`` returned.

    Parameters
    ----------
    json_string : str
        The text.
    custom_objects : mapping of str to class, optional
        Classes of your own by their names; those of layers are found without it.

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
    >>> text = Sequential([Dense(3, name="hidden"), Dense(1)]).to_json()
    >>> model_from_json(text).get_layer("hidden").units
    3
    """
    import json

    try:
        description = json.loads(check_text("json_string", json_string))
    except json.JSONDecodeError as error:
        raise ValueError(f"json_string must be JSON, got {json_string!r}: {error}") from error
    with naming("json_string"):
        return _revived(description, custom_objects)


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


class Nested(Layer):
    """A model as a layer of another: a part that is made, trained or saved on its own.

    A model that is added to a :class:`Sequential`, or called on a node, becomes one by itself.

    Parameters
    ----------
    model : Sequential or Model
        It has one input and one output. Its layers keep their weights.
    name : str, optional
        By default the model's name if it has one of its own.

    Raises
    ------
    TypeError
        If ``model`` is no model.
    ValueError
        If it has several inputs or outputs.

    Examples
    --------
    >>> from reglib.layers import Dense
    >>> part = Sequential([Dense(3, activation="relu")], name="part")
    >>> Sequential([part, Dense(1)]).get_layer("part").model is part
    True
    """

    def __init__(self, model: Sequential | Model, name: str | None = None, **kwargs: Any) -> None:
        self.model = check_instance("model", model, (Sequential, Model), "a Sequential or a Model")
        if isinstance(model, Model) and len(model.inputs) + len(model.outputs) > 2:
            raise ValueError(
                "model must have one input and one output to be a layer, "
                f"got {len(model.inputs)} and {len(model.outputs)}"
            )
        if name is None and model.name != type(model).__name__.lower():
            name = model.name
        if model.layers:
            kwargs.setdefault("dtype", model.layers[0].dtype)
        if model.built:
            kwargs.setdefault("input_shape", model.input_shape[1:])
        super().__init__(name=name, **kwargs)

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model."""
        return self.model.layers

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change the weights; what is set holds for every layer."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        first = not hasattr(self, "_trainable")
        self._trainable = trainable
        if not (first and trainable):  # a new layer leaves frozen ones as they are
            for layer in self.layers:
                layer.trainable = trainable

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the layers of the model."""
        return tuple(self.layers)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the model, unless it is built."""
        if not self.model.built:
            self.model.build(input_shape)

    def call(self, inputs: NDArray, training: bool = False, mask: NDArray | None = None) -> NDArray:
        """Return the model's outputs, with the mask that its layers leave them."""
        return self.model.forward(masked(inputs, mask), training)

    def compute_mask(self, inputs: NDArray, mask: NDArray | None = None) -> None:
        """Return None: outputs have no mask but the one that they came with."""

    def backward(self, gradient: NDArray) -> NDArray | None:
        """Go back through the model."""
        return self.model.backward(gradient, self.to_inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the model's outputs."""
        return self.model.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the model's description as plain data."""
        return {**super().get_config(), "model": _architecture(self.model)}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Nested:
        """Return a new layer, of a new model, from :meth:`get_config`'s result."""
        if "model" not in check_mapping("config", config):
            raise ValueError(f"config must have a 'model', got {sorted(config) or 'nothing'}")
        return cls(**{**config, "model": _revived(config["model"], custom_objects)})


def _as_layer(model: Trainer) -> Nested:
    """Return the one layer that a model is in others: used twice, it shares its weights."""
    if model.nested is None:
        model.nested = Nested(model)
    return model.nested


def _revived(
    description: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Sequential | Model:
    """Return the model that a class name and a config mean."""
    if not {"class_name", "config"} <= set(check_mapping("model", description)):
        raise ValueError(f"model must have a class_name and a config, got {sorted(description)}")
    theirs = check_mapping("custom_objects", custom_objects or {})
    known = {"Sequential": Sequential, "Model": Model, **theirs}
    check_choice("the model's class", description["class_name"], known)
    cls = known[description["class_name"]]
    return cls.from_config(description["config"], custom_objects=custom_objects)


class Sequential(Trainer):
    """Layers one after the other.

    Parameters
    ----------
    layers : iterable of Layer
        May also be added one by one with :meth:`add`. An ``Input`` may come first: it says
        the shape of one example, and is no layer of the model. Models are layers as well.
    name : str, optional
        What the model is called.
    seed : int, optional
        Makes initial weights, noise layers and shuffling repeatable.

    References
    ----------
    ``keras.Sequential``.

    Examples
    --------
    >>> from reglib.layers import Dense
    >>> model = Sequential([Dense(4, activation="relu"), Dense(1)], seed=0)
    >>> model.compile("sgd", "mse")
    >>> model(np.ones((2, 3))).shape
    (2, 1)
    """

    def __init__(
        self, layers: Iterable[Layer] = (), *, name: str | None = None, seed: int | None = None
    ) -> None:
        super().__init__(name=name, seed=seed)
        self._layers: list[Layer] = []
        self._declared_shape: tuple[int | None, ...] | None = None
        self._first_learning = 0
        for layer in check_sequence("layers", layers, "layers"):
            with naming("layers"):
                self.add(layer)

    save = save_model
    to_json = _to_json
    as_layer = _as_layer

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of the forward pass."""
        return list(self._layers)

    def add(self, layer: Layer | Node) -> None:
        """Append a layer; the model is built at once when its input shape is known.

        Raises
        ------
        TypeError
            If it is no layer.
        ValueError
            If the model holds it already, or a layer within it, or it is an ``Input`` and not
            the first.
        """
        if isinstance(layer, Node) and not layer.parents:
            layer = layer.layer
        if isinstance(layer, Trainer):
            layer = _as_layer(layer)
        if isinstance(layer, InputLayer):
            if self._layers or self._declared_shape is not None:
                raise ValueError("an Input must be the first of a model, got it later")
            self._declared_shape = layer.shape
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"layer must be a reglib layer, got {type(layer).__name__}")
        if getattr(layer, "return_state", False):
            raise ValueError(f"layer {layer.name} must return one array here, not its states too")
        if any(layer is other for other in self._layers):
            raise ValueError(f"layer {layer.name} must be added once, got it again")
        there = set(every_layer(self._layers))
        for each in every_layer([layer]):
            if each in there:  # it would keep what the way back needs of its last call alone
                raise ValueError(f"layer {each.name} must be in one place, got it in another too")
        check_names([*self._layers, layer])
        layer.seed_from(self._seed_for(layer, self._layers))
        self._layers.append(layer)
        self._block = None
        self.built = False
        first = self._declared_shape
        if first is None:
            first = self._layers[0].input_shape
        if first is not None:
            self.build((None, *first))

    def pop(self) -> Layer:
        """Remove the last layer and return it.

        Raises
        ------
        IndexError
            If there is none.
        """
        if not self._layers:
            raise IndexError("the model must have a layer to pop, got none")
        self._block = None
        layer = self._layers.pop()
        self.built = self.built and bool(self._layers)
        return layer

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build every layer for inputs of this shape, batch axis included."""
        if not self._layers:
            raise ValueError("the model must have a layer before it is built, got none")
        shape = check_shape("input_shape", input_shape)
        if self._declared_shape not in (None, shape[1:]):
            raise ValueError(
                f"input_shape must be (batch, ...) with {self._declared_shape} as the Input "
                f"says, got {shape}"
            )
        self._input_shape = shape
        for layer in self._layers:
            layer.ensure_built(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch."""
        if not self.built:
            raise AttributeError("the model has no input_shape before it is built")
        return self._input_shape

    def _input_shapes(self) -> list[tuple[int | None, ...]]:
        return [self._input_shape] if self.built else []

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of the outputs for a batch."""
        return self.compute_output_shape(self.input_shape)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs for inputs of this shape, batch axis included."""
        shape = tuple(input_shape)
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def __call__(self, inputs: ArrayLike | Node, training: bool = False) -> NDArray | Node:
        """Return the outputs for one batch; for a node, that of the model as a layer."""
        if isinstance(inputs, Node):
            return _as_layer(self)(inputs)
        return super().__call__(inputs, training)

    def forward(self, inputs: NDArray, training: bool) -> NDArray:
        """Return the outputs for a batch."""
        for layer in self._layers:
            inputs = layer(inputs, training=training)
        return inputs

    def backward(
        self, gradient: NDArray, to_inputs: bool = False, linked: bool = False
    ) -> NDArray | None:
        """Write every parameter's gradient, from the last layer to the first that learns."""
        first = 0 if to_inputs else self._first_learning
        for number in range(len(self._layers) - 1, first - 1, -1):
            layer = self._layers[number]
            gradient = layer.propagate_back(gradient, to_inputs or number > first, linked)
            linked = False  # only the last layer's activation may be left out
        return gradient

    def shorten_way_back(self) -> None:
        """Note the first layer that learns."""
        _shorten(self._layers)
        learning = [bool(layer.trainable_weights) for layer in self._layers]
        self._first_learning = learning.index(True) if any(learning) else len(learning)

    def _shapes(self) -> Iterator[tuple[Layer, tuple[int | None, ...]]]:
        shape = self._input_shape
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
            yield layer, shape

    def get_config(self) -> dict[str, Any]:
        """Return the layers' descriptions as plain data."""
        config = {"name": self.name, "layers": [serialize(layer) for layer in self._layers]}
        if self.built:
            config["build_input_shape"] = list(self._input_shape)
        return config

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        *,
        seed: int | None = None,
    ) -> Sequential:
        """Return a new model, with fresh weights, from :meth:`get_config`'s result."""
        layers = [_layer(part, custom_objects) for part in _part(config, "layers")]
        model = cls(layers, name=config.get("name"), seed=seed)
        if config.get("build_input_shape"):
            model.build(tuple(config["build_input_shape"]))
        return model


class Model(Trainer):
    """Layers as a graph from inputs to outputs: for residual and parallel branches.

    Parameters
    ----------
    inputs : Node, or list or dict of Node
        From :func:`reglib.layers.Input`.
    outputs : Node, or list or dict of Node
        What layers made of them. Several outputs are several tasks that share what lies before.
    name : str, optional
        What the model is called.
    seed : int, optional
        Makes initial weights, noise layers and shuffling repeatable.

    Raises
    ------
    TypeError
        If an end is no node.
    ValueError
        If the ends are not connected, or two layers have one name, or a layer is used both
        by itself and within another.

    References
    ----------
    ``keras.Model``.

    Notes
    -----
    A model of several inputs takes arrays in a list, or in a dict by the names of the inputs:
    the keys of the dict that the model was made with, else the names of their layers. It is
    the same with the targets, losses and metrics of several outputs.

    A layer that is called on several nodes has one set of weights for all its uses, whose
    gradients add up, as do its penalties on activities; Keras's ``fit`` counts the activities
    of the last use alone.

    Examples
    --------
    >>> from reglib.layers import Add, Dense, DropPath, Input
    >>> trunk = Input((8,))
    >>> branch = DropPath(0.2)(Dense(8, activation="relu")(trunk))
    >>> model = Model(trunk, Dense(1)(Add()([trunk, branch])), seed=0)
    >>> model(np.ones((2, 8))).shape
    (2, 1)
    """

    def __init__(
        self, inputs: Any, outputs: Any, *, name: str | None = None, seed: int | None = None
    ) -> None:
        super().__init__(name=name, seed=seed)
        self._ins, self._outs = Ends("inputs", inputs), Ends("outputs", outputs)
        self._nodes = _in_order(self._outs.nodes)
        self._calls = [node for node in self._nodes if node.index is None]
        sources = [node for node in self._nodes if not node.parents]
        strangers = [node.layer.name for node in sources if node not in self._ins.nodes]
        unused = [node.layer.name for node in self._ins.nodes if node not in sources]
        if strangers or unused:
            raise ValueError(
                f"outputs must be made of {self._ins} alone, and of all of them: "
                f"{', '.join(strangers) or 'none'} came besides, {', '.join(unused) or 'none'} "
                "went unused"
            )
        self._uses = Uses(self._calls)
        layers = self.layers
        for number, layer in enumerate(layers):
            layer.seed_from(self._seed_for(layer, layers[:number]))
        check_names(layers)
        self.build(None)
        self.shorten_way_back()

    save = save_model
    to_json = _to_json
    as_layer = _as_layer

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of the forward pass; those of several uses come once."""
        return list(dict.fromkeys(node.layer for node in self._calls))

    @property
    def last_layer(self) -> Layer:
        """The layer that the outputs come out of; of several outputs, the first one's."""
        return self._outs.nodes[0].layer

    @property
    def inputs(self) -> list[Node]:
        """The nodes that the model starts from."""
        return list(self._ins.nodes)

    @property
    def outputs(self) -> list[Node]:
        """The nodes that the model ends in."""
        return list(self._outs.nodes)

    @property
    def input(self) -> Any:
        """The node or nodes that the model starts from, in the structure that it was given."""
        return self._ins.structure

    @property
    def output(self) -> Any:
        """The node or nodes that the model ends in, in the structure that it was given."""
        return self._outs.structure

    @property
    def input_shape(self) -> Any:
        """The shape of a batch; of several inputs, each one's in their structure."""
        return self._ins.arrange([node.shape for node in self._ins.nodes])

    def _input_shapes(self) -> list[tuple[int | None, ...]]:
        return [node.shape for node in self._ins.nodes]

    @property
    def output_shape(self) -> Any:
        """The shape of the outputs for a batch, in their structure."""
        return self._outs.arrange([node.shape for node in self._outs.nodes])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, for inputs of this shape or of these shapes."""
        several = len(self._ins) > 1
        given = self._ins.values("input_shape", input_shape) if several else [input_shape]
        shapes = dict(zip(self._ins.nodes, map(tuple, given), strict=True))
        for node in self._nodes:
            if node.index is not None:
                shapes[node] = shapes[node.parents[0]][node.index]
            elif node.parents:
                before, _ = node.hand_out([shapes[parent] for parent in node.parents])
                shapes[node] = node.layer.compute_output_shape(before)
        return self._outs.arrange([shapes[node] for node in self._outs.nodes])

    def build(self, input_shape: Any) -> None:
        """Build every layer for the shapes in the graph, which the inputs gave."""
        for node in self._calls:
            if node.parents:
                shapes, _ = node.hand_out([parent.shape for parent in node.parents])
                node.layer.ensure_built(shapes)
        self.built = True

    def forward(self, inputs: Data, training: bool) -> Data:
        """Return the outputs for a batch."""
        values = dict(zip(self._ins.nodes, arrays_of(inputs), strict=True))
        shared = self._uses.layers
        self._uses.begin()
        for node in self._nodes:
            if node.index is not None:
                values[node] = values[node.parents[0]][node.index]
                continue
            given = [values[parent] for parent in node.parents] or [values[node]]
            given, options = node.hand_out(given)
            if node.layer in shared:
                values[node] = self._uses.call(node, given, training, **options)
            else:
                values[node] = node.layer(given, training=training, **options)
        outputs = [values[node] for node in self._outs.nodes]
        return Bundle(outputs) if len(outputs) > 1 else outputs[0]

    def backward(
        self, gradient: Data, to_inputs: bool = False, linked: bool = False
    ) -> Data | None:
        """Write every parameter's gradient; where a branch began, gradients add up."""
        needed = set(self._nodes) if to_inputs else self._learning
        gradients: dict[Node, NDArray] = {}
        sums: dict[Layer, list[NDArray]] = {}

        def add(node: Node, part: NDArray) -> None:
            if node in needed:
                gradients[node] = gradients[node] + part if node in gradients else part

        for node, part in zip(self._outs.nodes, arrays_of(gradient), strict=True):
            add(node, part)
        for node in reversed(self._nodes):
            if node not in needed or not node.parents:
                continue
            if node.index is not None:
                every = gradients.setdefault(node.parents[0], [None] * _number_of_outputs(node))
                every[node.index] = gradients.pop(node)
                continue
            wanted = any(parent in needed for parent in node.parents)
            by_outputs, ends_here = gradients.pop(node), linked and node is self._outs.nodes[0]
            if node.layer in self._uses.layers:
                back = self._uses.backward(node, by_outputs, wanted, ends_here, sums)
            else:
                back = node.layer.propagate_back(by_outputs, wanted, ends_here)
            if node.keyword is not None:
                parts = [back, *node.layer.gradients_of(node.keyword)]
            else:
                parts = back if len(node.parents) > 1 else [back]
            for parent, part in zip(node.parents, parts, strict=True):
                add(parent, part)
        self._uses.end(sums)
        if not to_inputs:
            return None
        back = [gradients[node] for node in self._ins.nodes]
        return Bundle(back) if len(back) > 1 else back[0]

    # Several inputs and outputs.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        *,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
    ) -> None:
        """Choose how to train: optimizer, losses and the metrics to watch.

        Parameters
        ----------
        optimizer : Optimizer or str
            How to step.
        loss : Loss or str, or list or dict of them
            One for all outputs or one for each; an output that a dict leaves out is not
            trained. The sum is logged as ``loss``, each as ``NAME_loss``.
        loss_weights : list or dict of float, optional
            Of each output's loss in the sum.
        metrics : list or dict, optional
            The metrics to watch; of several outputs a list of them for each, logged as
            ``NAME_METRIC``.
        weighted_metrics : list or dict, optional
            Those that count an example as often as its weight says.

        Raises
        ------
        TypeError
            If something is of the wrong kind.
        ValueError
            If a name is unknown, or losses or metrics do not fit the outputs.
        """
        if len(self._outs) > 1:
            joint = JointLoss(self._outs, loss, loss_weights)
            plain = output_metrics(self._outs, metrics)
            weighted = output_metrics(self._outs, weighted_metrics, "weighted_metrics")
            super().compile(
                optimizer, joint, metrics=[*joint.watches(), *plain], weighted_metrics=weighted
            )
            return
        if loss_weights is not None:
            raise ValueError(f"loss_weights must be None for one output, got {loss_weights}")
        if isinstance(metrics, Mapping):
            metrics = several(self._outs.values("metrics", metrics, missing=True)[0])
        if isinstance(weighted_metrics, Mapping):
            of_one = self._outs.values("weighted_metrics", weighted_metrics, missing=True)
            weighted_metrics = several(of_one[0])
        super().compile(
            optimizer,
            self._outs.only("loss", loss),
            metrics=metrics,
            weighted_metrics=weighted_metrics,
        )

    def check_inputs(self, name: str, x: Any) -> Data:
        """Return inputs as finite arrays, one an input."""
        return self._ins.data(name, x, super().check_inputs)

    def check_targets(self, name: str, y: Any) -> Data:
        """Return targets as finite arrays, one an output."""
        return self._outs.data(name, y, super().check_targets)

    def arrange_outputs(self, outputs: Data) -> Any:
        """Return outputs in the structure that the model was made with."""
        return self._outs.arrange(arrays_of(outputs))

    def input_gradient(self, x: Any, y: Any) -> Any:
        """Return the gradient of the loss, noise layers off, with respect to each input."""
        return self._ins.arrange(arrays_of(super().input_gradient(x, y)))

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """Return the outputs for one batch, in the structure that the model was made with.

        For a node it is the node of the model as a layer.
        """
        if isinstance(inputs, Node):
            return _as_layer(self)(inputs)
        x = self._ins.data("inputs", inputs, _loose)
        return self.arrange_outputs(self.forward(x, training=training))

    def shorten_way_back(self) -> None:
        """Note the nodes that learn, or hang on one that does."""
        _shorten(self.layers)
        self._learning: set[Node] = set()
        for node in self._nodes:
            if node.layer.trainable_weights or not self._learning.isdisjoint(node.parents):
                self._learning.add(node)

    def _shapes(self) -> Iterator[tuple[Layer, tuple[int | None, ...]]]:
        shapes = {node.layer: node.shape for node in reversed(self._calls)}  # of the first uses
        for layer in self.layers:
            yield layer, shapes[layer]

    def get_config(self) -> dict[str, Any]:
        """Return the layers' descriptions, and which feeds which, as plain data.

        At a layer's later uses there is the number of the node of its first.
        """
        number = {node: i for i, node in enumerate(self._nodes)}
        first = {node.layer: number[node] for node in reversed(self._calls)}
        nodes = []
        for node, i in number.items():
            known = first[node.layer]
            description = {"layer": serialize(node.layer) if known == i else known}
            description["parents"] = [number[parent] for parent in node.parents]
            for name in ("keyword", "index"):
                if getattr(node, name) is not None:
                    description[name] = getattr(node, name)
            nodes.append(description)
        return {
            "name": self.name,
            "nodes": nodes,
            "inputs": self._ins.structured([number[node] for node in self._ins.nodes]),
            "outputs": self._outs.structured([number[node] for node in self._outs.nodes]),
        }

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        *,
        seed: int | None = None,
    ) -> Model:
        """Return a new model, with fresh weights, from :meth:`get_config`'s result."""
        described = _part(config, "nodes")
        nodes: list[Node] = []
        for description in described:
            layer = description["layer"]
            layer = nodes[layer].layer if isinstance(layer, int) else _layer(layer, custom_objects)
            parents = [nodes[i] for i in description["parents"]]
            nodes.append(
                _drawn(layer, parents, description.get("keyword"), description.get("index"))
            )
        # A model of one input and one output may be described without saying which.
        inputs, outputs = config.get("inputs", 0), config.get("outputs", len(nodes) - 1)
        return cls(
            map_structure(nodes.__getitem__, inputs),
            map_structure(nodes.__getitem__, outputs),
            name=config.get("name"),
            seed=seed,
        )


def _layer(
    description: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Layer:
    """Return the layer that a description means; a model's layers may be the user's own too."""
    if description["class_name"] == "Nested":
        return Nested.from_config(description["config"], custom_objects)
    return deserialize(description, custom_objects)


def _drawn(
    layer: Layer, parents: list[Node], keyword: str | None = None, index: int | None = None
) -> Node:
    """Return the node of a layer called on others, or on nothing; or of one of its outputs."""
    if not parents:
        return Node(layer, (), layer.batch_shape)
    if index is not None:
        shape = layer.compute_output_shape(parents[0].parents[0].shape)[index]
        return Node(layer, (parents[0],), shape, index=index)
    if keyword is not None:
        drawn = layer(parents[0], **{keyword: parents[1:]})
    else:
        drawn = layer(parents if len(parents) > 1 else parents[0])
    return drawn[0].parents[0] if isinstance(drawn, list) else drawn


def _number_of_outputs(node: Node) -> int:
    """Return how many outputs the layer has whose output a node is."""
    return len(node.layer.compute_output_shape(node.parents[0].parents[0].shape))


def _part(config: Any, name: str) -> list[Any]:
    """Return a list out of a model's config."""
    if name not in check_mapping("config", config):
        raise ValueError(f"config must have {name!r}, got {sorted(config) or 'nothing'}")
    return check_sequence(f"config[{name!r}]", config[name], name)


def _shorten(layers: Iterable[Layer]) -> None:
    """Shorten the ways back of the models among the layers."""
    for layer in layers:
        if isinstance(layer, Nested):
            layer.model.shorten_way_back()


def check_names(layers: Sequence[Layer]) -> None:
    """Refuse two layers of one name: whoever asks for a layer by its name wants one.

    Raises
    ------
    ValueError
        If a name comes twice.
    """
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"layers must have names of their own, got {name!r} twice")


def _loose(name: str, x: Any) -> NDArray:
    """Return inputs for a look, which may be empty or not finite, as an array."""
    return masked(check_array(name, x, allow_empty=True, allow_nan=True), mask_of(x))


def _in_order(ends: Sequence[Node]) -> list[Node]:
    """Return all nodes that lead to the ends, each after its parents."""
    order: list[Node] = []

    def visit(node: Node) -> None:
        if node not in order:
            for parent in node.parents:
                visit(parent)
            order.append(node)

    for end in ends:
        visit(end)
    return order


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
    check_instance("model", model, (Sequential, Model), "a model")
    make = _copied if clone_function is None else check_callable("clone_function", clone_function)

    def made(layer: Layer) -> Layer:
        given = _copied(layer) if isinstance(layer, InputLayer) else make(layer)
        what = "a function that returns layers"
        check_instance("clone_function", given, Layer, what)
        return given

    if isinstance(model, Sequential):
        clone = type(model)([made(layer) for layer in model.layers], name=model.name, seed=seed)
        if model.built:
            clone.build(model.input_shape)
    else:
        nodes: dict[Node, Node] = {}
        layers = {layer: made(layer) for layer in model.layers}
        for node in model._nodes:
            parents = [nodes[parent] for parent in node.parents]
            nodes[node] = _drawn(layers[node.layer], parents, node.keyword, node.index)
        inputs = map_structure(nodes.__getitem__, model.input)
        outputs = map_structure(nodes.__getitem__, model.output)
        clone = type(model)(inputs, outputs, name=model.name, seed=seed)
    if model.optimizer is not None:
        clone.optimizer = optimizers.get(optimizers.serialize(model.optimizer))
        clone.loss, clone.metrics, clone.weighted_metrics = copy.deepcopy(
            (model.loss, model.metrics, model.weighted_metrics)
        )
    return clone


def _copied(layer: Layer) -> Layer:
    return type(layer).from_config(layer.get_config())


def load_model(
    filepath: str | os.PathLike, custom_objects: Mapping[str, Any] | None = None
) -> Sequential | Model:
    """Return the model that :func:`save_model` wrote.

    Parameters
    ----------
    filepath : path
        Where it is.
    custom_objects : mapping of str to class, optional
        Classes of your own by their names; those of layers are found without it.

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
        model = _revived(description, custom_objects)
        model.set_weights(_archive.in_order(arrays))
        if description["compile"] is not None:
            model.compile(**description["compile"])
        if "progress" in description:  # which older files do not have
            training_state.resume(model, description["progress"], arrays)
    return model
