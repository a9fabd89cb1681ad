"""Layers in front of the first weights take part in training, but not in the way back."""

import numpy as np

from reglib.layers import Dense, Flatten, Layer
from reglib.models import Sequential


class Doubled(Layer):
    def call(self, inputs, training=False):
        return 2 * inputs

    def backward(self, gradient):
        raise NotImplementedError("no gradient passes here")


def test_a_layer_before_the_weights_needs_no_backward(rng):
    model = Sequential([Doubled(), Flatten(), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    history = model.fit(rng.normal(size=(8, 2, 2)), rng.normal(size=(8, 1)), epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_a_frozen_first_layer_ends_the_way_back(rng):
    frozen = Dense(3, trainable=False)
    model = Sequential([Doubled(), frozen, Dense(1)], seed=0)
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    model.fit(x, y, verbose=0)
    before = [array.copy() for array in model.get_weights()]
    model.fit(x, y, verbose=0)
    same = [np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    # Trainable layers first or not: the frozen layer's two arrays stay, the other two move.
    assert same == [True, True, False, False]
