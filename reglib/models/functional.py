"""Models whose layers are connected as a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from reglib._arguments import Dict, Seed, arguments
from reglib._serialization import custom_object_scope
from reglib._timestep_masks import mask_of, masked
from reglib._typing import Lengths
from reglib._validation import check_array
from reglib.layers.base import Layer, Node, deserialize, serialize
from reglib.models.base import check_names
from reglib.models.inputs_and_outputs import (
    Bundle,
    Data,
    Ends,
    JointLoss,
    arrays_of,
    map_structure,
    output_metrics,
    several,
)
from reglib.models.nested import as_layer, shorten_ways_back
from reglib.models.saving import part_of, save_model, to_json
from reglib.models.shared_layers import Uses
from reglib.models.trainer import Trainer

# A class with a ``call`` of its own would have to be differentiated.
_BY_SUBCLASSING = (
    "{0} cannot be a model by its own call, as reglib has no automatic differentiation: make it "
    "of layers, Model(inputs, outputs), or write a Layer with call and backward"
)


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
    >>> import numpy as np
    >>> model(np.ones((2, 8))).shape
    (2, 1)
    """

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        *,
        name: str | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(name=name, seed=seed)
        if inputs is None and outputs is None and type(self) is not Model:
            raise NotImplementedError(_BY_SUBCLASSING.format(type(self).__name__))
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
    to_json = to_json
    as_layer = as_layer

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

    def _input_shapes(self) -> list[Lengths]:
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
            shapes, _ = node.hand_out([parent.shape for parent in node.parents] or [node.shape])
            node.layer.ensure_built(shapes)
        self.built = True

    def forward(self, inputs: Data, training: bool | None) -> Any:
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
            options["training"] = node.training if training is None else training
            if node.layer in shared:
                values[node] = self._uses.call(node, given, **options)
            else:
                values[node] = node.layer(given, **options)
        outputs = [values[node] for node in self._outs.nodes]
        return Bundle(outputs) if len(outputs) > 1 else outputs[0]

    def backward(self, gradient: Data, to_inputs: bool = False, linked: bool = False) -> Any:
        """Write every parameter's gradient; where a branch began, gradients add up."""
        needed = set(self._nodes) if to_inputs else self._learning
        gradients: dict[Node, Any] = {}  # of several outputs a list
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
            ends_here = linked and node is self._outs.nodes[0]
            parts = self._through(node, gradients.pop(node), needed, ends_here, sums)
            for parent, part in zip(node.parents, parts, strict=True):
                add(parent, part)
        self._uses.end(sums)
        if not to_inputs:
            return None
        back = [gradients[node] for node in self._ins.nodes]
        return Bundle(back) if len(back) > 1 else back[0]

    def _through(
        self,
        node: Node,
        gradient: Any,
        needed: set[Node],
        linked: bool,
        sums: dict[Layer, list[NDArray]],
    ) -> Sequence[NDArray]:
        """Go back through a node's layer; return the gradient by each of its parents."""
        layer: Any = node.layer
        wanted = any(parent in needed for parent in node.parents)
        if layer in self._uses.layers:
            back = self._uses.backward(node, gradient, wanted, linked, sums)
        else:
            back = layer.propagate_back(gradient, wanted, linked)
        if node.keyword is not None:
            return [back, *layer.gradients_of(node.keyword)]
        return back if len(node.parents) > 1 else [back]

    # Several inputs and outputs.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        jit_compile: str | bool = "auto",
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
        run_eagerly, jit_compile : bool
            Change nothing, as nothing is compiled.

        Raises
        ------
        TypeError
            If something is of the wrong kind.
        ValueError
            If a name is unknown, or losses or metrics do not fit the outputs.
        """
        compiling: dict[str, Any] = {"run_eagerly": run_eagerly, "jit_compile": jit_compile}
        if len(self._outs) > 1:
            joint = JointLoss(self._outs, loss, loss_weights)
            plain = [*joint.watches(), *output_metrics(self._outs, metrics)]
            weighted = output_metrics(self._outs, weighted_metrics, "weighted_metrics")
            super().compile(optimizer, joint, None, plain, weighted, **compiling)
            return
        if isinstance(metrics, Mapping):
            metrics = several(self._outs.values("metrics", metrics, missing=True)[0])
        if isinstance(weighted_metrics, Mapping):
            of_one = self._outs.values("weighted_metrics", weighted_metrics, missing=True)
            weighted_metrics = several(of_one[0])
        loss = self._outs.only("loss", loss)
        super().compile(optimizer, loss, loss_weights, metrics, weighted_metrics, **compiling)

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

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the outputs for one batch, in the structure that the model was made with.

        For a node it is the node of the model as a layer.
        """
        if isinstance(inputs, Node):
            return as_layer(self)(inputs, training=training)
        x = self._ins.data("inputs", inputs, _loose)
        return self.arrange_outputs(self.forward(x, training=training))

    def shorten_way_back(self) -> None:
        """Note the nodes that learn, or hang on one that does."""
        shorten_ways_back(self.layers)
        self._learning: set[Node] = set()
        for node in self._nodes:
            if node.layer.unfrozen_weights or not self._learning.isdisjoint(node.parents):
                self._learning.add(node)

    def _shapes(self) -> Iterator[tuple[Layer, Lengths]]:
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
            description: dict[str, Any] = {"layer": serialize(node.layer) if known == i else known}
            description["parents"] = [number[parent] for parent in node.parents]
            for name in Node.options:
                if getattr(node, name) is not None:
                    description[name] = getattr(node, name)
            nodes.append(description)
        return {
            "name": self.name,
            "trainable": self.trainable,
            "nodes": nodes,
            "inputs": self._ins.structured([number[node] for node in self._ins.nodes]),
            "outputs": self._outs.structured([number[node] for node in self._outs.nodes]),
        }

    @classmethod
    @arguments(custom_objects=Dict(), seed=Seed())
    def from_config(
        cls,
        config: Mapping[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        *,
        seed: int | None = None,
    ) -> Model:
        """Return a new model, with fresh weights, from :meth:`get_config`'s result."""
        nodes: list[Node] = []
        with custom_object_scope(custom_objects):
            for description in part_of(config, "nodes"):
                layer = description["layer"]
                layer = nodes[layer].layer if isinstance(layer, int) else deserialize(layer)
                parents = [nodes[i] for i in description["parents"]]
                options = {name: description.get(name) for name in Node.options}
                nodes.append(drawn(layer, parents, **options))
        # A model of one input and one output may be described without saying which.
        inputs, outputs = config.get("inputs", 0), config.get("outputs", len(nodes) - 1)
        model = cls(
            map_structure(nodes.__getitem__, inputs),
            map_structure(nodes.__getitem__, outputs),
            name=config.get("name"),
            seed=seed,
        )
        model._trainable = config.get("trainable", True)  # the layers know of themselves
        return model


def drawn(
    layer: Any,
    parents: list[Node],
    keyword: str | None = None,
    index: int | None = None,
    training: bool | None = None,
) -> Node:
    """Return the node of a layer called on others, or on nothing; or of one of its outputs."""
    if not parents:
        return Node(layer, (), layer.batch_shape)
    if index is not None:
        shape = layer.compute_output_shape(parents[0].parents[0].shape)[index]
        return Node(layer, (parents[0],), shape, index=index)
    if keyword is not None:
        found = layer(parents[0], training=training, **{keyword: parents[1:]})
    else:
        found = layer(parents if len(parents) > 1 else parents[0], training=training)
    return found[0].parents[0] if isinstance(found, list) else found


def _number_of_outputs(node: Node) -> int:
    """Return how many outputs the layer has whose output a node is."""
    return len(node.layer.compute_output_shape(node.parents[0].parents[0].shape))


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
