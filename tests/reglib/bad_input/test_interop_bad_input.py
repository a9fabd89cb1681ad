"""The way to Keras and back refuses what is no layer and no model."""

import re

import numpy as np
import pytest

from reglib import interop, layers

pytestmark = pytest.mark.keras


@pytest.mark.parametrize("value", [3, "text", None, np.ones(3), layers.Dense], ids=repr)
@pytest.mark.parametrize("function", [interop.to_keras, interop.from_keras])
def test_what_is_no_layer_and_no_model_is_refused(keras, function, value):
    with pytest.raises(TypeError, match="thing must be a layer or model of") as caught:
        function(value)
    assert re.search(rf"got .*{type(value).__name__}", str(caught.value))


def test_a_layer_of_the_own_side_is_refused(keras):
    with pytest.raises(TypeError, match="thing must be a layer or model of reglib, got Dense"):
        interop.to_keras(keras.layers.Dense(2))
    with pytest.raises(TypeError, match="thing must be a layer or model of Keras, got Dense"):
        interop.from_keras(layers.Dense(2))
