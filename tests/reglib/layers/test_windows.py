"""Convolutions and poolings of any geometry: Keras's numbers, and channels first like last."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import layers

# Keras on JAX compiles every operation anew for each shape.
EXAMPLES = 60 if os.environ.get("KERAS_BACKEND") == "numpy" else 12
KINDS = ["Conv", "MaxPooling", "AveragePooling"]


@st.composite
def geometries(draw):
    """A layer's class, its arguments, and the shape of inputs with the channels last."""
    rank = draw(st.integers(1, 2))
    kind = draw(st.sampled_from(KINDS))
    size = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    options = {
        "strides": draw(st.integers(1, 3)),
        "padding": draw(st.sampled_from(["same", "valid"])),
    }
    channels = draw(st.sampled_from([2, 4]))
    if kind == "Conv":
        options |= {"filters": 4, "kernel_size": size, "groups": draw(st.sampled_from([1, 2]))}
        if rank == 1 and draw(st.booleans()):
            options["padding"] = "causal"
        if options["strides"] == 1:
            options["dilation_rate"] = draw(st.integers(1, 2))
    else:
        options["pool_size"] = size
    lengths = [draw(st.integers(5, 8)) for _ in range(rank)]
    return f"{kind}{rank}D", options, (2, *lengths, channels)


@pytest.mark.keras
@settings(max_examples=EXAMPLES, deadline=None)
@given(geometry=geometries(), seed=st.integers(0, 9))
def test_outputs_are_those_of_keras(geometry, seed):
    keras = pytest.importorskip("keras")
    name, options, shape = geometry
    inputs = np.random.default_rng(seed).normal(size=shape).astype("float32")
    ours = getattr(layers, name)(**options)
    got = ours(inputs)
    theirs = getattr(keras.layers, name)(**options)
    theirs.build(shape)
    theirs.set_weights(ours.get_weights())
    expected = np.asarray(theirs(inputs))
    assert got.shape == expected.shape == ours.compute_output_shape(shape)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(geometry=geometries(), seed=st.integers(0, 9))
def test_channels_first_give_the_same_with_the_axes_turned(geometry, seed):
    name, options, shape = geometry
    inputs = np.random.default_rng(seed).normal(size=shape)
    last = getattr(layers, name)(**options, dtype="float64")
    first = getattr(layers, name)(**options, data_format="channels_first", dtype="float64")
    outputs = last(inputs)
    turned = np.moveaxis(inputs, -1, 1)
    first(turned)
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(first(turned), np.moveaxis(outputs, -1, 1))
    gradient = last.propagate_back(outputs)
    np.testing.assert_allclose(
        first.propagate_back(np.moveaxis(outputs, -1, 1)), np.moveaxis(gradient, -1, 1)
    )
    for mine, other in zip(first.weights, last.weights, strict=True):
        np.testing.assert_allclose(mine.gradient, other.gradient)
