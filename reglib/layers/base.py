"""What every layer shares: parameters with their gradients beside them, and a call protocol.

A layer has three methods of its own. ``build(input_shape)`` makes the parameters,
``call(inputs, training)`` computes the outputs and keeps what the way back needs, and
``backward(gradient)`` takes the loss's gradient with respect to the outputs, writes each
parameter's gradient and returns the gradient with respect to the inputs.
"""

from __future__ import annotations

import copy
import functools
import inspect
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from reglib import _seeding, _serialization, _twin, config, constraints, initializers, regularizers
from reglib._arguments import Flag, Identifier, Instance, List, Shape, Text, arguments
from reglib._timestep_masks import mask_of, masked
from reglib._typing import ArrayLike, Lengths
from reglib._validation import (
    check_array,
    naming,
    refusing_unknown,
)
from reglib.layers.node import Node as Node
from reglib.layers.parameter import (
    FLOATS,
    HasWeights,
    Trainable,
    checked_dtype,
    differentiable,
    number_dtype,
)
from reglib.layers.parameter import Parameter as Parameter

_names: Counter[str] = Counter()
_OPTION_MODULES = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def snake_case(name: str) -> str:
    """Return a class's name as Keras writes it: ``RandomFlip`` becomes ``random_flip``."""
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _default_name(cls: type) -> str:
    """Return Keras's automatic name: ``dense``, ``dense_1``, ``random_flip``, ..."""
    stem = snake_case(cls.__name__)
    number = _names[stem]
    _names[stem] += 1
    return stem if number == 0 else f"{stem}_{number}"


def restart_names() -> None:
    """Begin anew with the numbers in automatic names."""
    _names.clear()


def _noting(build: Callable) -> Callable:
    """Return a layer's build that notes that it has run, whoever called it.

    Otherwise the first call would build again, and lose weights that were set in between.
    """

    @functools.wraps(build)
    def build_and_note(self: Layer, input_shape: Lengths = (None,)) -> None:
        build(self, _checked_shape(input_shape))
        # A build that another calls by super() is a part of that one.
        if type(self).build is build_and_note:
            self._note_built(tuple(input_shape))

    return build_and_note


def _taking_training(call: Callable) -> Callable:
    """Return a layer's call that may be told whether it is training, though it does not ask."""
    known = inspect.signature(call).parameters.values()
    if any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in known):
        return call

    @functools.wraps(call)
    def call_anyway(self: Layer, *inputs: Any, training: bool = False, **options: Any) -> Any:
        return call(self, *inputs, **options)

    return call_anyway


def _with_derivative(name: str, option: Any) -> Any:
    """Return an option of weights; refuse a penalty that has no derivative."""
    return differentiable(name, option) if name.endswith("regularizer") else option


def _layers_in(value: Any) -> list[Layer]:
    """Return the layers that an attribute is, or holds."""
    if isinstance(value, Layer):
        return [value]
    if isinstance(value, (list, tuple, dict)):
        held = value.values() if isinstance(value, dict) else value
        return [layer for layer in held if isinstance(layer, Layer)]
    return []


def _checked_shape(input_shape: Any) -> Any:
    """Return the shape of inputs, or those of several; a batch may be empty, no other axis."""
    if isinstance(input_shape, (tuple, list)) and isinstance((*input_shape, 0)[0], (tuple, list)):
        return [_checked_shape(one) for one in input_shape]
    shape = Shape(low=0).check("input_shape", input_shape)
    if 0 in shape[1:]:
        raise ValueError(f"input_shape must be lengths of at least 1, got {input_shape!r}")
    return shape


@arguments(
    activity_regularizer=Identifier(regularizers.get),
    trainable=Flag(),
    dtype=Identifier(number_dtype),  # what a layer takes of it, its constructor says
    name=Text(),
    input_shape=Shape(),
)
class Layer(HasWeights, _serialization.Described):
    """Base of all layers.

    Parameters
    ----------
    activity_regularizer : Regularizer, str or None
        Penalty on the outputs; it is divided by the batch size, as in Keras.
    trainable : bool
        Whether an optimizer may change the parameters.
    dtype : str, optional
        What inputs are cast to and parameters are made of; by default
        :func:`reglib.config.floatx`.
    name : str, optional
        By default the class's name in lower case, numbered.
    input_shape : tuple, optional
        The shape of one example, for the first layer of a model.

    References
    ----------
    Keras 3, ``keras.layers.Layer``.
    """

    @refusing_unknown
    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: str | None = None,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
    ) -> None:
        self.activity_regularizer = differentiable("activity_regularizer", activity_regularizer)
        self._trainable = trainable  # what lies within is left as it is
        self.dtype = config.floatx() if dtype is None else checked_dtype(dtype, self._dtypes)
        self.numpy_dtype = np.dtype(self.dtype)
        self.is_named = name is not None
        self.name = _default_name(type(self)) if name is None else name
        self.input_shape = input_shape
        self.built = False
        self.built_shape: Lengths | None = None
        self.keras_twin: Any = None
        self.to_inputs = True
        self.activity_penalty = 0.0
        self._weight_options: list[str] = []
        # Of each kind, in the order that they were made: freezing one moves none of them.
        self._trainable_parameters: list[Parameter] = []
        self._other_parameters: list[Parameter] = []
        self._generator: np.random.Generator | None = None
        self.first_node: Node | None = None
        self.sequence: Any = None  # the Sequential that it was added to

    # The library's own classes by their names; Node calculates with some of them.
    library: ClassVar[dict[str, type[Layer]]] = {}
    # What ``training`` means where nobody says it, as the signature of ``call`` has it; None: it
    # is left to the layers within.
    _default_training: ClassVar[bool | None] = False
    _dtypes: ClassVar[tuple[str, ...]] = FLOATS
    # Whether the outputs have a mask where the inputs have one; a layer may set it for itself.
    supports_masking = False
    _computes_mask = False
    _takes_mask = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the class, and note what its methods take."""
        super().__init_subclass__(**kwargs)
        if _serialization.is_of_library(cls):
            Layer.library[cls.__name__] = cls
        if "compute_mask" in vars(cls):
            cls.supports_masking = vars(cls).get("supports_masking", True)
            cls._computes_mask = True
        if "call" in vars(cls):
            parameters = inspect.signature(cls.call).parameters
            cls._takes_mask = "mask" in parameters
            cls._default_training = False
            if "training" in parameters:
                cls._default_training = parameters["training"].default
        if "build" in vars(cls):
            cls.build = _noting(cls.build)  # type: ignore[method-assign]
        if "call" in vars(cls):
            cls.call = _taking_training(cls.call)  # type: ignore[method-assign]

    # What a layer overrides. Where it has several inputs, these are lists of arrays.

    def build(self, input_shape: Lengths) -> None:
        """Make the parameters for inputs of this shape (batch axis included)."""

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Return the outputs, and keep what :meth:`backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} must define call")

    def backward(self, gradient: NDArray) -> Any:
        """Write the parameters' gradients and return the gradient with respect to the inputs."""
        raise NotImplementedError(
            f"{type(self).__name__} must define backward(gradient), which writes the gradient of "
            "each of its weights and returns that of its inputs: reglib has no automatic "
            "differentiation"
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, batch axis included.

        A layer of your own need not define it: it is called on zeros to find out.
        """
        if _serialization.is_of_library(type(self)):
            return tuple(input_shape)
        return self._shape_for_zeros(input_shape)

    def _shape_for_zeros(self, input_shape: Any) -> Lengths:
        """Return the shape of a copy's outputs for zeros; what grows with the inputs is None."""
        found = []
        for length in (2, 3):  # for None
            # Only the copy is built: the model's seed is to decide how this one starts.
            twin = copy.deepcopy(self, {id(self.first_node): None, id(self.sequence): None})
            found.append(np.shape(twin(_zeros(input_shape, length), training=False)))
        return tuple(a if a == b else None for a, b in zip(*found, strict=True))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs: that of the inputs, unless a layer knows better."""
        return mask

    def _wants_mask(self, inputs: NDArray, mask: NDArray) -> bool:
        """Return whether :meth:`call` is given the mask that the inputs come with."""
        return self._takes_mask

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the layers that this one wraps: its attributes, also those in lists and dicts."""
        return tuple(layer for value in list(vars(self).values()) for layer in _layers_in(value))

    # What every layer offers.

    def __call__(self, inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the outputs for a batch; the first call builds the parameters.

        A :class:`Node` instead of a batch gives a node: so functional models are drawn. Without
        ``training``, noise is off and augmentation on; a model that has layers of both kinds
        tells them the same. A
        tensor of Keras is handed to the layer's twin in Keras. Some layers take options, such
        as the ``mask`` of a recurrent one. Outputs of a layer that masks time steps, or of one
        that passes a mask on, have the mask in their attribute ``mask``.

        Raises
        ------
        TypeError
            If ``inputs`` holds no numbers.

        Warns
        -----
        UserWarning
            If inputs have a mask and the layer does not support masking: it ends there.
        """
        mask = None
        if type(inputs) is not np.ndarray:  # as what one layer hands to the next mostly is
            if isinstance(inputs, Node):
                if options:
                    raise TypeError(f"inputs must be an array for {', '.join(options)}, got a Node")
                shape = self.compute_output_shape(inputs.shape)
                return Node(self, (inputs,), shape, training=training)
            if _twin.is_keras_tensor(inputs):
                return _twin.call_twin(self, inputs, training, **options)
            mask = mask_of(inputs)
        inputs = self.cast(inputs)
        if not self.built:
            self.ensure_built(inputs.shape)
        training = self._told(training)
        if options or self._computes_mask or mask is not None:
            return self._call_with_mask(inputs, mask, training, **options)
        return self._finish(self.call(inputs, training=training))

    def _told(self, training: bool | None) -> Any:
        """Return what :meth:`call` is told, where the caller may have said nothing."""
        return self._default_training if training is None else bool(training)

    def _call_with_mask(
        self, inputs: Any, inherited: Any, training: bool | None, **options: Any
    ) -> NDArray:
        """Call with a mask given or else inherited, and give the outputs theirs."""
        mask = options.get("mask")
        if mask is None:
            mask = inherited
            if mask is not None and self._wants_mask(inputs, mask):
                options["mask"] = mask
        outputs = self._finish(self.call(inputs, training=training, **options))
        if self.supports_masking:
            # A layer that has made the mask in passing has put it there already.
            if mask_of(outputs) is None:
                outputs = masked(outputs, self.compute_mask(inputs, mask))
        elif inherited is not None:
            warnings.warn(
                f"layer {self.name} does not support masking: the mask of its inputs ends here",
                stacklevel=3,
            )
        return outputs

    def cast(self, inputs: ArrayLike) -> NDArray:
        """Return the inputs as an array of the layer's dtype, refusing what holds no numbers."""
        if type(inputs) is np.ndarray and inputs.dtype == self.numpy_dtype:
            return inputs  # what one layer hands to the next
        inputs = np.asarray(inputs)
        if inputs.dtype.kind not in "biuf":
            raise TypeError(
                f"inputs of layer {self.name} must hold numbers, got dtype {inputs.dtype}"
            )
        return inputs.astype(self.dtype, copy=False)

    def _finish(self, outputs: NDArray) -> NDArray:
        """Measure the activity penalty of the outputs, if there is one, and return them."""
        if self.activity_regularizer is not None:
            self._outputs = np.asarray(outputs)
            penalty = float(self.activity_regularizer(self._outputs))
            self.activity_penalty = penalty / max(len(outputs), 1)
        return outputs

    def propagate_back(self, gradient: Any, to_inputs: bool = True, linked: bool = False) -> Any:
        """Return :meth:`backward` of the gradient plus that of the activity penalty.

        Without ``to_inputs`` a layer may leave out the gradient of its inputs and return None:
        nobody needs that of the first layer that learns. ``linked`` means that the gradient is
        by the inputs of the layer's activation already; only for layers with ``backward_linear``.
        """
        self.to_inputs = to_inputs
        if linked:
            return self.backward_linear(gradient)  # type: ignore[attr-defined]
        if self.activity_regularizer is not None:
            penalty_gradient = self.activity_regularizer.gradient(self._outputs)
            gradient = gradient + penalty_gradient / max(len(self._outputs), 1)
        return self.backward(gradient)

    def ensure_built(self, input_shape: Any) -> None:
        """Build once; a later call with the parameters in place does nothing."""
        if not self.built:
            shape = _checked_shape(input_shape)
            self.build(shape)
            self._note_built(tuple(shape))
            own = not _serialization.is_of_library(type(self))
            if own and not all(layer.built for layer in self.sublayers()):
                self.call(_zeros(shape, 2), training=False)  # builds what lies within

    @property
    def output(self) -> Node:
        """The node of the outputs, where the layer was first used in a graph.

        Raises
        ------
        AttributeError
            If it was used in none yet.
        """
        return self._node("output")

    @property
    def input(self) -> Node | list[Node] | None:
        """The node of the inputs, or the nodes, where the layer was first used in a graph."""
        parents = self._node("input").parents
        return parents[0] if len(parents) == 1 else list(parents) or self.first_node

    def _node(self, what: str) -> Node:
        if self.first_node is None and self.sequence is not None and self.sequence.built:
            self.sequence.draw()
        if self.first_node is None:
            raise AttributeError(
                f"layer {self.name} has no {what} before it is called on a node, or is in a model "
                "that is built"
            )
        return self.first_node

    @property
    def compute_dtype(self) -> str:
        """The dtype that the layer computes in."""
        return self.dtype

    variable_dtype = compute_dtype

    def add_loss(self, loss: Any) -> None:
        """Refuse: nobody would have the gradient.

        Raises
        ------
        NotImplementedError
            Always; it says what to use.
        """
        raise NotImplementedError(
            f"layer {self.name} cannot add a loss, as reglib has no automatic differentiation: "
            "give it an activity_regularizer with __call__ and gradient"
        )

    def _note_built(self, shape: Lengths) -> None:
        """Note that the layer is built, and which of its attributes are parameters of its own."""
        self.built_shape, self.built = shape, True
        known = set(map(id, self.weights))
        for value in list(vars(self).values()):
            if isinstance(value, Parameter) and id(value) not in known:
                self._keep(value)
        if not self.trainable:
            self.trainable = False  # what it is made of now, too

    def _keep(self, parameter: Parameter) -> None:
        kind = self._trainable_parameters if parameter.trainable else self._other_parameters
        kind.append(parameter)

    def set_weight_options(self, **options: Any) -> None:
        """Keep how weights start, are penalized and constrained, under Keras's names.

        ``kernel_regularizer="l2"`` becomes the attribute ``kernel_regularizer``, an ``L2``; so
        :meth:`add_weight` finds it, and :meth:`get_config` describes it.
        """
        for name, value in options.items():
            module = _OPTION_MODULES[name.rpartition("_")[2]]
            with naming(name):
                setattr(self, name, _with_derivative(name, module.get(value)))
            self._weight_options.append(name)

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str = "variable",
        *,
        options: str | None = None,
    ) -> Parameter:
        """Make, remember and return the parameter ``name``, with the options given or kept for it.

        The names of those that are kept begin with ``options``, by default with ``name``. Without
        an initializer weights start as ``"glorot_uniform"``. Randomness comes from the layer's
        generator.
        """
        if isinstance(shape, str):
            raise TypeError(f"shape must be lengths, got {shape!r}: name={shape!r} gives a name")
        dtype = self.dtype if dtype is None else checked_dtype(dtype)
        given = {"initializer": initializer, "regularizer": regularizer, "constraint": constraint}
        for role, option in given.items():
            kept = getattr(self, f"{options or name}_{role}", None)
            found = kept if option is None else _OPTION_MODULES[role].get(option)
            given[role] = _with_derivative(role, found)
        start = given.pop("initializer") or initializers.GlorotUniform()
        parameter = Parameter(
            self._started(start, tuple(shape), dtype),
            name=name,
            trainable=trainable,
            dtype=dtype,
            **given,
        )
        self._keep(parameter)
        return parameter

    def _started(self, start: Callable, shape: tuple[int, ...], dtype: str) -> NDArray:
        """Return initial weights; an initializer of your own draws from where it likes."""
        if "generator" in inspect.signature(start).parameters:
            return start(shape, dtype=dtype, generator=self.generator)
        return np.asarray(start(shape, dtype=dtype), dtype)

    @property
    def generator(self) -> np.random.Generator:
        """The layer's own source of randomness: from its seed, else its model's, else fresh."""
        if self._generator is None:
            self._generator = _seeding.generator(getattr(self, "seed", None))
        return self._generator

    def seed_from(self, sequence: np.random.SeedSequence) -> None:
        """Draw randomness from ``sequence``, unless the layer has a seed of its own."""
        own, *rest = sequence.spawn(1 + len(self.sublayers()))
        if getattr(self, "seed", None) is None:
            self._generator = np.random.default_rng(own)
        for layer, child in zip(self.sublayers(), rest, strict=True):
            layer.seed_from(child)

    def trainable_parts(self) -> tuple[Trainable, ...]:
        """Return the parameters that were made to be trained, and the layers within."""
        return (*self._trainable_parameters, *self.sublayers())

    @property
    def weights(self) -> list[Parameter]:
        """All parameters in Keras's order: own trainable, own others, those of wrapped layers."""
        own = self._trainable_parameters + self._other_parameters
        return own + [p for layer in self.sublayers() for p in layer.weights]

    def get_weights(self) -> list[NDArray]:
        """Return copies of all parameters' values, in the order of :attr:`weights`."""
        return [parameter.numpy() for parameter in self.weights]

    @arguments(weights=List("arrays"))
    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Overwrite all parameters.

        Raises
        ------
        ValueError
            If the number of arrays or a shape is wrong.
        """
        mine = self.weights
        weights = [
            check_array(
                f"weights[{number}] of layer {self.name}", value, allow_empty=True, allow_nan=True
            )
            for number, value in enumerate(weights)
        ]
        if len(weights) != len(mine):
            raise ValueError(
                f"weights of layer {self.name} must be {len(mine)} arrays, got {len(weights)}"
            )
        shapes = [value.shape for value in weights]
        for parameter, shape in zip(mine, shapes, strict=True):
            if shape != parameter.shape:
                raise ValueError(
                    f"weights for {parameter.name} of layer {self.name} must have shape "
                    f"{parameter.shape}, got {shape}"
                )
        for parameter, value in zip(mine, weights, strict=True):
            parameter.assign(value)

    def count_params(self) -> int:
        """Return the number of weights."""
        return sum(parameter.value.size for parameter in self.weights)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config_ = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        if self.activity_regularizer is not None:
            config_["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        for name in self._weight_options:
            module = _OPTION_MODULES[name.rpartition("_")[2]]
            config_[name] = module.serialize(getattr(self, name))
        return config_

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _zeros(shape: Any, length: int) -> Any:
    """Return zeros of the shape of inputs, or of several, with a length for None."""
    if shape and isinstance(shape[0], (tuple, list)):
        return [_zeros(one, length) for one in shape]
    return np.zeros([length if n is None else n for n in shape], config.floatx())


@arguments(layer=Instance(Layer, "a layer"))
def serialize(layer: Layer) -> dict[str, Any]:
    """Return Keras's description of a layer, as plain data.

    Examples
    --------
    >>> serialize(Layer(name="plain"))["class_name"]
    'Layer'
    """
    return _serialization.serialize(layer, "layers")


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Layer:
    """Return the layer that a description means, of the course or of your own.

    Raises
    ------
    ValueError
        If the class is unknown.
    """
    return _serialization.deserialize(config, Layer.library, "layer", custom_objects)
