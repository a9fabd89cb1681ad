"""Each layer refuses what is no array of numbers, and arrays with too few or too many axes."""

import numpy as np
import pytest

from reglib import layers
from reglib.layers.augmentation import AugmentationLayer
from reglib.layers.merging import _Merge
from tests.reglib.bad_input.calls import call, good_arguments

MERGING = {n for n, c in vars(layers).items() if isinstance(c, type) and issubclass(c, _Merge)}
BASES = {"Layer", "AugmentationLayer"}
LAYERS = sorted(
    name
    for name, cls in vars(layers).items()
    if isinstance(cls, type) and issubclass(cls, layers.Layer) and name == cls.__name__ not in BASES
)
# Names of layers by how many axes their inputs have, the batch included.
AXES = {
    "1D": (3,),
    "2D": (4,),
    "RNN": (3,),
    "LSTM": (3,),
    "GRU": (3,),
    "DropBlock": (4,),
    "Dense": (2, 3, 4, 5, 6),
    "DropConnect": (2, 3, 4, 5, 6),
    "Pipeline": (3, 4),
    "TimeDistributed": (3, 4, 5, 6),
    "Bidirectional": (3,),
}
SHAPES = {1: (6,), 2: (6, 6), 3: (2, 6, 6), 4: (2, 6, 6, 3), 5: (2, 4, 4, 4, 3), 6: (2,) * 6}


def axes(name: str) -> tuple[int, ...]:
    """Return how many axes a layer's inputs may have; most layers take any number."""
    if issubclass(getattr(layers, name), AugmentationLayer):
        return (3, 4)
    return next((n for ending, n in AXES.items() if name.endswith(ending)), tuple(SHAPES))


def make(name: str) -> layers.Layer:
    """Return a layer with good arguments."""
    return call(f"layers.{name}", good_arguments(f"layers.{name}"))


WRONG = [(n, rank) for n in LAYERS for rank in SHAPES if rank not in axes(n) and n not in MERGING]


@pytest.mark.parametrize("value", ["text", None, [["a", "b"]]], ids=repr)
@pytest.mark.parametrize("name", LAYERS)
def test_inputs_that_are_no_numbers_are_refused(name, value):
    with pytest.raises(TypeError, match=r"(inputs|images).* (must|of layer)"):
        make(name)([value, value] if name in MERGING else value)


@pytest.mark.parametrize(("name", "rank"), WRONG)
def test_inputs_of_too_few_or_too_many_axes_are_refused(name, rank):
    layer, inputs = make(name), np.ones(SHAPES[rank])
    with pytest.raises(ValueError, match=r"(inputs|images) ?.*must .*got .*\("):
        layer(inputs, training=True)


@pytest.mark.parametrize("name", sorted(MERGING))
def test_merging_layers_refuse_what_does_not_fit_together(name):
    with pytest.raises(TypeError, match=r"inputs of layer .* must be a list of inputs, got"):
        make(name)(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"inputs of layer .* must be .*, got 1"):
        make(name)([np.ones((2, 3))])
    with pytest.raises(ValueError, match=r"inputs of layer .*got .*\(2, 3\)"):
        make(name)([np.ones((2, 3)), np.ones((2, 7, 5))])
