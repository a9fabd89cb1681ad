"""The short cuts of a training step change its speed and nothing else."""

import numpy as np
import pytest

from reglib import activations, losses
from reglib.layers import Activation, Add, Dense, Dropout, Flatten, Input
from reglib.models import Model, Sequential, trainer


def softmax_model(kind):
    def dense(units, activation=None):
        return Dense(units, activation=activation, dtype="float64")

    last = dense(4, "softmax")
    if kind == "sequential":
        layers = [dense(5, "relu"), Dropout(0.3, dtype="float64"), last]
        return Sequential(layers, seed=0)
    if kind == "single":
        return Sequential([last], seed=0)
    if kind == "activation":
        return Sequential([dense(4), Activation("softmax", dtype="float64")], seed=0)
    inputs = Input((6,))
    branch = dense(6, "tanh")(inputs)
    return Model(inputs, last(Add(dtype="float64")([inputs, branch])), seed=0)


def trained(model, **arguments):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 6)), rng.integers(0, 4, 12)
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(x, y, batch_size=5, epochs=3, verbose=0, **arguments)
    return model.get_weights(), history.history["loss"]


@pytest.mark.parametrize("kind", ["sequential", "single", "activation", "graph"])
@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 2, 12)], ids=["equal", "weighted"])
def test_leaving_out_softmax_and_its_inverse_changes_no_weight(monkeypatch, kind, weight):
    short, loss = trained(softmax_model(kind), sample_weight=weight)
    monkeypatch.setattr(trainer, "_is_linked", lambda *_: False)
    long, expected = trained(softmax_model(kind), sample_weight=weight)
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    for a, b in zip(short, long, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


SPARSE = "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("loss", "last", "linked"),
    [
        (SPARSE, Dense(4, activation="softmax"), True),
        (SPARSE, Activation("softmax"), True),
        (SPARSE, Dense(4), False),
        (SPARSE, Flatten(), False),
        (SPARSE, Dense(4, activation="softmax", activity_regularizer="l2"), False),
        ("mse", Dense(4, activation="softmax"), False),
        (losses.SparseCategoricalCrossentropy(from_logits=True), Dense(4), False),
    ],
)
def test_the_short_cut_is_taken_only_where_it_is_exact(loss, last, linked):
    assert trainer._is_linked(losses.get(loss), last) is linked


def test_a_prediction_below_epsilon_gives_no_gradient_either_way():
    loss = losses.SparseCategoricalCrossentropy()
    p = np.array([[1 - 1e-9, 1e-9], [0.25, 0.75]])
    _, long = loss.value_and_gradient([1, 1], p)
    _, short = loss.value_and_gradient([1, 1], p, linked=True)
    np.testing.assert_array_equal(long[0], 0)
    np.testing.assert_array_equal(short[0], 0)
    np.testing.assert_allclose(short[1], [0.125, -0.125])


def test_a_loss_without_a_link_says_so():
    with pytest.raises(NotImplementedError, match="MeanSquaredError has no link"):
        losses.MeanSquaredError().value_and_gradient([[1.0]], [[1.0]], linked=True)


def test_a_graph_starts_the_same_with_and_without_dropout():
    def kernels(with_dropout):
        inputs = Input((6,))
        hidden = Dense(5)(inputs)
        if with_dropout:
            hidden = Dropout(0.5)(hidden)
        model = Model(inputs, Dense(4)(hidden), seed=3)
        return [w for w in model.get_weights() if w.ndim == 2]

    for a, b in zip(kernels(False), kernels(True), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_is_the_same_whether_the_largest_is_taken_off_first_or_not(dtype, rng):
    z = rng.uniform(-59, 59, size=(20, 7)).astype(dtype)
    shifted = z + np.array(2000 if dtype == "float64" else 64, dtype)
    np.testing.assert_allclose(
        activations.softmax(z),
        activations.softmax(shifted),
        rtol=1e-4 if dtype == "float32" else 1e-9,
    )


def test_softmax_of_huge_inputs_neither_overflows_nor_forgets():
    with np.errstate(all="raise", under="ignore"):
        p = activations.softmax(np.array([[1000.0, 999.0], [-1000.0, -999.0]], "float32"))
    np.testing.assert_allclose(p, [[0.7310586, 0.2689414], [0.2689414, 0.7310586]], rtol=1e-6)


def test_softmax_of_an_empty_batch_is_empty():
    assert activations.softmax(np.zeros((0, 3))).shape == (0, 3)


def test_the_short_cut_does_not_ask_how_outputs_lie_in_memory(rng):
    loss = losses.SparseCategoricalCrossentropy()
    p, labels = activations.softmax(rng.normal(size=(4, 3))), rng.integers(0, 3, 4)
    _, expected = loss.value_and_gradient(labels, p, linked=True)
    _, gradient = loss.value_and_gradient(labels, np.asfortranarray(p), linked=True)
    np.testing.assert_array_equal(gradient, expected)
