"""Models whose layers come one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from reglib._arguments import Dict, List, Seed, Shape, arguments
from reglib._serialization import custom_object_scope
from reglib._typing import ArrayLike, Lengths
from reglib._validation import naming
from reglib.layers.base import Layer, Node, deserialize, serialize
from reglib.layers.inputs import InputLayer
from reglib.models.base import check_names, every_layer
from reglib.models.nested import as_layer, shorten_ways_back
from reglib.models.saving import part_of, save_model, to_json
from reglib.models.trainer import Trainer


@arguments(layers=List("layers"))
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
    >>> import numpy as np
    >>> model(np.ones((2, 3))).shape
    (2, 1)
    """

    def __init__(
        self, layers: Iterable[Layer] = (), *, name: str | None = None, seed: int | None = None
    ) -> None:
        super().__init__(name=name, seed=seed)
        self._layers: list[Layer] = []
        self._input: InputLayer | None = None
        self._first_learning = 0
        self._drawn: list[Node] | None = None
        for layer in layers:
            with naming("layers"):
                self.add(layer)

    save = save_model
    to_json = to_json
    as_layer = as_layer

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
            layer = as_layer(layer)
        if isinstance(layer, InputLayer):
            if self._layers or self._input is not None:
                raise ValueError("an Input must be the first of a model, got it later")
            self._input = layer
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
        layer.sequence = self
        self._block = self._drawn = None
        self.built = False
        first = (self._input or self._layers[0]).input_shape
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
        self._block = self._drawn = None
        layer = self._layers.pop()
        layer.sequence = None
        self.built = self.built and bool(self._layers)
        return layer

    @arguments(input_shape=Shape())
    def build(self, input_shape: Lengths) -> None:
        """Build every layer for inputs of this shape, batch axis included."""
        if not self._layers:
            raise ValueError("the model must have a layer before it is built, got none")
        shape = input_shape
        if self._input is not None and self._input.shape != shape[1:]:
            raise ValueError(
                f"input_shape must be (batch, ...) with {self._input.shape} as the Input "
                f"says, got {shape}"
            )
        self._input_shape = shape
        for layer in self._layers:
            layer.ensure_built(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def _with_input(self) -> list[Layer]:
        """Return the layers, and before them the Input, if there is one."""
        return self._layers if self._input is None else [self._input, *self._layers]

    @property
    def input_shape(self) -> Lengths:
        """The shape of a batch."""
        if not self.built:
            raise AttributeError("the model has no input_shape before it is built")
        return self._input_shape

    def _input_shapes(self) -> list[Lengths]:
        return [self._input_shape] if self.built else []

    # The same layers as a graph, for models of some of them.

    def draw(self) -> list[Node]:
        """Return the node of the inputs, and that of each layer after it."""
        if self._drawn is None:
            dtype = self._layers[0].dtype if self._layers else None
            nodes: list[Any] = [
                Node(InputLayer(self.input_shape[1:], dtype=dtype), (), self.input_shape)
            ]
            for layer in self._layers:
                nodes.append(layer(nodes[-1]))
            self._drawn = nodes
        return self._drawn

    @property
    def input(self) -> Node:
        """The node of the inputs."""
        return self.draw()[0]

    @property
    def output(self) -> Node:
        """The node of the outputs."""
        return self.draw()[-1]

    @property
    def inputs(self) -> list[Node]:
        """The node of the inputs, in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[Node]:
        """The node of the outputs, in a list."""
        return [self.output]

    @property
    def output_shape(self) -> Lengths:
        """The shape of the outputs for a batch."""
        return self.compute_output_shape(self.input_shape)

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs for inputs of this shape, batch axis included."""
        shape = tuple(input_shape)
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def __call__(self, inputs: ArrayLike | Node, training: bool | None = None) -> NDArray | Node:
        """Return the outputs for one batch; for a node, that of the model as a layer."""
        if isinstance(inputs, Node):
            return as_layer(self)(inputs, training=training)
        return super().__call__(inputs, training)

    def forward(self, inputs: Any, training: bool | None) -> NDArray:
        """Return the outputs for a batch."""
        for layer in self._with_input():
            inputs = layer(inputs, training=training)
        return inputs

    def backward(
        self, gradient: Any, to_inputs: bool = False, linked: bool = False
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
        shorten_ways_back(self._layers)
        learning = [bool(layer.unfrozen_weights) for layer in self._layers]
        self._first_learning = learning.index(True) if any(learning) else len(learning)

    def _shapes(self) -> Iterator[tuple[Layer, Lengths]]:
        shape = self._input_shape
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
            yield layer, shape

    def get_config(self) -> dict[str, Any]:
        """Return the layers' descriptions as plain data."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [serialize(layer) for layer in self._with_input()],
        }
        if self.built:
            config["build_input_shape"] = list(self._input_shape)
        return config

    @classmethod
    @arguments(custom_objects=Dict(), seed=Seed())
    def from_config(
        cls,
        config: Mapping[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        *,
        seed: int | None = None,
    ) -> Sequential:
        """Return a new model, with fresh weights, from :meth:`get_config`'s result."""
        with custom_object_scope(custom_objects):
            layers = [deserialize(part) for part in part_of(config, "layers")]
        model = cls(layers, name=config.get("name"), seed=seed)
        model._trainable = config.get("trainable", True)  # the layers know of themselves
        if config.get("build_input_shape"):
            model.build(tuple(config["build_input_shape"]))
        return model
