"""What a model is before it is trained: layers, however connected, and their weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _archive, _seeding, _serialization
from reglib._arguments import Choice, Flag, Function, Integer, List, PathName, Seed, Text, arguments
from reglib._typing import ArrayLike, Lengths
from reglib._validation import (
    check_array,
)
from reglib.layers.base import Layer, Parameter
from reglib.layers.parameter import HasWeights
from reglib.models.inputs_and_outputs import Data
from reglib.models.summary import print_summary

model_classes: dict[str, type[BaseModel]] = {}


@arguments(name=Text(), seed=Seed())
class BaseModel(HasWeights, _serialization.Described):
    """Layers and their weights.

    A subclass gives ``layers``, ``build``, ``forward`` and ``backward``.

    Parameters
    ----------
    name : str, optional
        What the model is called.
    seed : int, optional
        Makes initial weights, noise layers and shuffling repeatable. Layers with a seed of
        their own keep it.
    """

    def __init__(self, *, name: str | None = None, seed: int | None = None) -> None:
        self.name = type(self).__name__.lower() if name is None else name
        sequence = _seeding.sequence(seed)
        shuffling, self._layer_seeds = sequence.spawn(2)
        self.generator = np.random.default_rng(shuffling)
        self.built = False
        self.nested: Any = None  # the layer that the model is within another

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the class, for descriptions of models."""
        super().__init_subclass__(**kwargs)
        if _serialization.is_of_library(cls):
            model_classes[cls.__name__] = cls

    def _seed_for(self, layer: Layer, before: Sequence[Layer]) -> np.random.SeedSequence:
        """Return a seed that depends on the layer's class and its number within that class.

        Not on its place: with or without a dropout layer in between, the same model seed gives
        the same initial weights, so that two methods can be compared on equal terms.
        """
        number = sum(type(other) is type(layer) for other in before)
        return np.random.SeedSequence(
            self._layer_seeds.entropy,
            spawn_key=(*self._layer_seeds.spawn_key, *type(layer).__name__.encode(), number),
        )

    # What a subclass gives.

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of the forward pass."""
        raise NotImplementedError

    @property
    def last_layer(self) -> Layer:
        """The layer that the outputs come out of."""
        return self.layers[-1]

    def build(self, input_shape: Lengths) -> None:
        """Build every layer for inputs of this shape."""
        raise NotImplementedError

    def forward(self, inputs: Any, training: bool | None) -> Any:
        """Return the outputs for a batch; each layer is told of ``training``, unless it is None."""
        raise NotImplementedError

    def backward(self, gradient: Any, to_inputs: bool = False, linked: bool = False) -> Any:
        """Write every parameter's gradient, given the loss's with respect to the outputs.

        With ``to_inputs`` the way back goes to the end, and the gradient of the inputs is
        returned; otherwise it ends at the first layer that learns. ``linked``: the gradient
        given is by the inputs of the last activation.
        """
        raise NotImplementedError

    def shorten_way_back(self) -> None:
        """Note where the way back may end, for the parameters that are trainable now."""
        raise NotImplementedError

    # What a model of several inputs or outputs takes otherwise: bundles instead of arrays.

    def check_inputs(self, name: str, x: Any) -> Data:
        """Return inputs as finite arrays."""
        return check_array(name, x)

    def check_targets(self, name: str, y: Any) -> Data:
        """Return targets as finite arrays."""
        return check_array(name, y)

    def arrange_outputs(self, outputs: Data) -> Any:
        """Return outputs as the user wants them."""
        return outputs

    @arguments(name=Text(), index=Integer())
    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name, or by its place in :attr:`layers`.

        Raises
        ------
        TypeError
            If the name is no string or the place no integer.
        ValueError
            If there is no such layer, or not one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"name or index must be given, got {name} and {index}")
        names = [layer.name for layer in self.layers]
        if index is None:
            index = names.index(Choice(*names).check("name", name))
        elif not -len(names) <= index < len(names):
            raise ValueError(f"index must be that of one of {len(names)} layers, got {index}")
        return self.layers[index]

    # Weights.

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, layer by layer."""
        return [parameter for layer in self.layers for parameter in layer.weights]

    def trainable_parts(self) -> list[Layer]:
        """Return the layers, which are frozen with the model."""
        return self.layers

    def get_weights(self) -> list[NDArray]:
        """Return copies of all weights, layer by layer."""
        self._require_built("get_weights")
        return [array for layer in self.layers for array in layer.get_weights()]

    @arguments(weights=List("arrays"))
    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Overwrite all weights.

        Raises
        ------
        ValueError
            If the number of arrays or a shape is wrong; then nothing is changed.
        """
        self._require_built("set_weights")
        counts = [len(layer.weights) for layer in self.layers]
        if len(weights) != sum(counts):
            raise ValueError(f"weights must be {sum(counts)} arrays, got {len(weights)}")
        for parameter, value in zip(
            (p for layer in self.layers for p in layer.weights), weights, strict=True
        ):
            if np.shape(value) != parameter.shape:
                raise ValueError(
                    f"weights for {parameter.name} must have shape {parameter.shape}, "
                    f"got {np.shape(value)}"
                )
        remaining = iter(weights)
        for layer, count in zip(self.layers, counts, strict=True):
            layer.set_weights([next(remaining) for _ in range(count)])

    @arguments(filepath=PathName(), overwrite=Flag())
    def save_weights(self, filepath: str | os.PathLike, overwrite: bool = True) -> None:
        """Write the weights alone to a NumPy archive.

        Parameters
        ----------
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
        ValueError
            If the model is not built.
        """
        _archive.write(filepath, overwrite, **_archive.numbered(self.get_weights()))

    @arguments(filepath=PathName())
    def load_weights(self, filepath: str | os.PathLike) -> None:
        """Overwrite all weights with those of a file, of :meth:`save_weights` or of a model.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it holds no weights, or others than the model's; then nothing is changed.
        """
        self._require_built("load_weights")
        arrays = _archive.read(filepath, "weights")
        with _archive.refusing(filepath, "weights of such a model"):
            self.set_weights(_archive.in_order(arrays))

    def count_params(self) -> int:
        """Return the number of weights."""
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise ValueError(
                f"the model must be built before {what}: give its first layer an input_shape, "
                "or call build, fit or the model itself"
            )

    # A look at the whole.

    @arguments(print_fn=Function(), expand_nested=Flag(), show_trainable=Flag())
    def summary(
        self,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Print a table of layers, output shapes and numbers of weights."""
        print_summary(self, print_fn, expand_nested, show_trainable)

    def _input_shapes(self) -> list[Lengths]:
        """Return the shape of a batch of each input; nothing before the model is built."""
        raise NotImplementedError

    def _shapes(self) -> Iterator[tuple[Layer, Lengths]]:
        """Yield each layer with the shape of its outputs."""
        raise NotImplementedError


def every_layer(layers: Iterable[Layer]) -> list[Layer]:
    """Return layers and those that they wrap, and what these wrap."""
    return [each for top in layers for each in (top, *every_layer(top.sublayers()))]


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
