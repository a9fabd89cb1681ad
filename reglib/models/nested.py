"""Models as layers of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from reglib._arguments import Dict, Instance, arguments
from reglib._timestep_masks import masked
from reglib._typing import Lengths
from reglib.layers.base import Layer
from reglib.layers.parameter import NUMBERS
from reglib.models.saving import architecture, revived
from reglib.models.trainer import Trainer

if TYPE_CHECKING:
    from reglib.models.functional import Model
    from reglib.models.sequential import Sequential


@arguments(model=Instance(Trainer, "a Sequential or a Model"))
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
    >>> from reglib.models import Sequential
    >>> part = Sequential([Dense(3, activation="relu")], name="part")
    >>> Sequential([part, Dense(1)]).get_layer("part").model is part
    True
    """

    _dtypes = NUMBERS  # of the inputs

    def __init__(self, model: Sequential | Model, name: str | None = None, **kwargs: Any) -> None:
        self.model = model
        if hasattr(model, "inputs") and len(model.inputs) + len(model.outputs) > 2:
            raise ValueError(
                "model must have one input and one output to be a layer, "
                f"got {len(model.inputs)} and {len(model.outputs)}"
            )
        if name is None and model.name != type(model).__name__.lower():
            name = model.name
        first = getattr(model, "_input", None) or next(iter(model.layers), None)
        if first is not None:
            kwargs.setdefault("dtype", first.dtype)
        if model.built:
            kwargs.setdefault("input_shape", model.input_shape[1:])
        super().__init__(name=name, **kwargs)
        if not self._trainable:
            model.trainable = False

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model."""
        return self.model.layers

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change the model's weights."""
        return self.model.trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self.model.trainable = trainable

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the layers of the model."""
        return tuple(self.layers)

    def build(self, input_shape: Lengths) -> None:
        """Build the model, unless it is built."""
        if not self.model.built:
            self.model.build(input_shape)

    def call(
        self, inputs: NDArray, training: bool | None = None, mask: NDArray | None = None
    ) -> NDArray:
        """Return the model's outputs, with the mask that its layers leave them."""
        return self.model.forward(masked(inputs, mask), training)

    def compute_mask(self, inputs: NDArray, mask: NDArray | None = None) -> None:
        """Return None: outputs have no mask but the one that they came with."""

    def backward(self, gradient: NDArray) -> Any:
        """Go back through the model."""
        return self.model.backward(gradient, self.to_inputs)

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the model's outputs."""
        return self.model.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the model's description as plain data."""
        config = super().get_config()
        del config["trainable"]  # which the model knows
        return {**config, "model": architecture(self.model)}

    @classmethod
    @arguments(config=Dict())
    def from_config(cls, config: Mapping[str, Any]) -> Nested:
        """Return a new layer, of a new model, from :meth:`get_config`'s result."""
        if "model" not in config:
            raise ValueError(f"config must have a 'model', got {sorted(config) or 'nothing'}")
        return super().from_config({**config, "model": revived(config["model"])})


def as_layer(model: Trainer) -> Nested:
    """Return the one layer that a model is in others: used twice, it shares its weights."""
    if model.nested is None:
        whole: Any = model  # a Sequential or a Model
        model.nested = Nested(whole)
    return model.nested


def shorten_ways_back(layers: Iterable[Layer]) -> None:
    """Shorten the ways back of the models among the layers."""
    for layer in layers:
        if isinstance(layer, Nested):
            layer.model.shorten_way_back()
