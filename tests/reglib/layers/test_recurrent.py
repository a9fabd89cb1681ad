"""Recurrent layers: masks over time, states that go on, and every path of the way back."""

import numpy as np
import pytest

from reglib import layers, models
from reglib.gradcheck import check_layer

KINDS = {
    "SimpleRNN": (layers.SimpleRNN, {}),
    "LSTM": (layers.LSTM, {}),
    "GRU": (layers.GRU, {}),
    "GRU, reset before": (layers.GRU, {"reset_after": False}),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def pair(kind, rng, shape, **options):
    """Return a layer of Keras and ours with the same weights."""
    import keras

    cls, own = kind
    theirs = getattr(keras.layers, cls.__name__)(3, **own, **options)
    theirs.build(shape)
    weights = [rng.normal(scale=0.5, size=w.shape) for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours = cls(3, **own, **options)
    ours.build(shape)
    ours.set_weights(weights)
    return theirs, ours


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_bias": False, "return_sequences": True},
        {"dropout": 0.3},
        {"dropout": 0.3, "recurrent_dropout": 0.4, "return_sequences": True},
        {"recurrent_dropout": 0.4, "go_backwards": True},
        {"activation": "softsign"},
    ],
    ids=str,
)
def test_gradients_agree_with_differences(kind, options):
    cls, own = kind
    layer = cls(3, seed=1, dtype="float64", **own, **options)
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    check_layer(layer, x, training=True)


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU])
def test_gradients_agree_with_differences_for_other_gates(cls):
    layer = cls(3, activation="elu", recurrent_activation="softplus", dtype="float64")
    check_layer(layer, np.random.default_rng(0).normal(size=(2, 4, 3)), training=True)


MASK = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], dtype=bool)


@pytest.mark.keras
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"zero_output_for_mask": True}])
def test_masked_steps_are_left_out_as_in_keras(kind, return_sequences, options, rng):
    x = rng.normal(size=(3, 5, 2)).astype("float32")
    theirs, ours = pair(kind, rng, x.shape, return_sequences=return_sequences, **options)
    expected = np.asarray(theirs(x, mask=MASK))
    np.testing.assert_allclose(ours(x, mask=MASK), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"zero_output_for_mask": True}, {"go_backwards": True}])
def test_gradients_under_a_mask_agree_with_differences(kind, options, rng):
    cls, own = kind
    layer = cls(3, return_sequences=True, dtype="float64", **own, **options)
    x = rng.normal(size=(3, 5, 2))
    weights = rng.normal(size=(3, 5, 3))
    layer(x)

    def value():
        return np.sum(weights * layer(x, mask=MASK))

    value()
    dx = layer.propagate_back(weights)
    pairs = [(x, dx), *((p.value, p.gradient.copy()) for p in layer.weights)]
    for array, gradient in pairs:
        direction = rng.normal(size=array.shape)
        start, step = array.copy(), 1e-6
        array[...] = start + step * direction
        above = value()
        array[...] = start - step * direction
        below = value()
        array[...] = start
        np.testing.assert_allclose(
            np.vdot(gradient, direction), (above - below) / (2 * step), rtol=1e-6, atol=1e-9
        )


@pytest.mark.keras
def test_a_given_state_is_where_the_walk_starts(kind, rng):
    x = rng.normal(size=(3, 5, 2)).astype("float32")
    theirs, ours = pair(kind, rng, x.shape)
    states = [rng.normal(size=(3, 3)).astype("float32") for _ in range(ours.states)]
    expected = np.asarray(theirs(x, initial_state=states))
    np.testing.assert_allclose(ours(x, initial_state=states), expected, rtol=1e-5, atol=1e-6)


def test_a_stateful_layer_goes_on_where_it_ended(kind, rng):
    cls, own = kind
    layer = cls(3, stateful=True, return_sequences=True, seed=0, **own)
    x = rng.normal(size=(2, 6, 2))
    whole = layer(x)
    layer.reset_state()
    parts = [layer(x[:, :4]), layer(x[:, 4:])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-5, atol=1e-6)
    again = layer(x)
    assert np.abs(again - whole).max() > 1e-3
    layer.reset_state()
    np.testing.assert_array_equal(layer(x), whole)


def test_a_stateful_layer_refuses_another_batch_size(rng):
    layer = layers.LSTM(3, stateful=True)
    layer(rng.normal(size=(4, 5, 2)))
    with pytest.raises(ValueError, match="keeps the batch size until reset_state"):
        layer(rng.normal(size=(2, 5, 2)))


@pytest.mark.keras
@pytest.mark.parametrize("use_bias", [True, False])
def test_the_reset_gate_acts_before_the_product_as_in_keras(use_bias, rng):
    x = rng.normal(size=(3, 5, 2)).astype("float32")
    theirs, ours = pair(KINDS["GRU, reset before"], rng, x.shape, use_bias=use_bias)
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-5, atol=1e-6)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]


@pytest.mark.parametrize("activation", ["relu", "softsign", "elu", "linear"])
@pytest.mark.keras
def test_other_activations_agree_with_keras(kind, activation, rng):
    x = rng.normal(size=(3, 4, 2)).astype("float32")
    options = {} if kind[0] is layers.SimpleRNN else {"recurrent_activation": "hard_sigmoid"}
    theirs, ours = pair(kind, rng, x.shape, activation=activation, **options)
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gates_have_masks_of_their_own_once_the_state_is_dropped(dropout, rng):
    layer = layers.LSTM(3, dropout=dropout, recurrent_dropout=0.4, seed=0)
    layer.build((2, 5, 4))
    masks = layer.draw_masks(200, training=True)
    inputs, state, bias = masks[:, :4], masks[:, 4:-1], masks[:, -1]
    assert (np.unique(bias) == 1).all()
    assert np.isclose(np.unique(state), [0, 1 / 0.6]).all()
    assert (state[0] != state[1]).any()
    kept = [1.0] if dropout == 0 else [0, 1 / 0.7]
    assert np.isclose(np.unique(inputs), kept).all()


def test_one_mask_serves_all_steps_of_a_sequence():
    layer = layers.SimpleRNN(
        64, dropout=0.5, activation="linear", use_bias=False, return_sequences=True, seed=0
    )
    layer.build((1, 6, 64))
    layer.set_weights([np.eye(64), np.zeros((64, 64))])
    outputs = layer(np.ones((8, 6, 64)), training=True)
    assert set(np.unique(outputs)) == {0, 2}
    np.testing.assert_array_equal(outputs, outputs[:, :1] + 0 * outputs)


def test_outputs_are_not_what_the_next_call_writes_to(kind, rng):
    cls, own = kind
    layer = cls(3, return_sequences=True, **own)
    first = layer(rng.normal(size=(2, 4, 3)))
    kept = first.copy()
    layer(rng.normal(size=(2, 4, 3)))
    np.testing.assert_array_equal(first, kept)


def test_new_options_survive_saving(tmp_path, rng):
    model = models.Sequential([layers.GRU(4, reset_after=False, zero_output_for_mask=True)])
    x = rng.normal(size=(2, 5, 3))
    expected = model(x)
    model.save(tmp_path / "gru.npz")
    loaded = models.load_model(tmp_path / "gru.npz")
    np.testing.assert_array_equal(loaded(x), expected)
    assert loaded.layers[0].zero_output_for_mask


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.LSTM(3, activation="softmax"), ValueError, "activation must work on each"),
        (
            lambda: layers.GRU(3, recurrent_activation="softmax"),
            ValueError,
            "recurrent_activation must work on each entry by itself, got softmax",
        ),
        (
            lambda: layers.GRU(3)(np.ones((2, 4, 1)), mask=np.ones((2, 3))),
            ValueError,
            r"mask must have shape \(batch, time\), \(2, 4\), got \(2, 3\)",
        ),
        (
            lambda: layers.GRU(3)(np.ones((2, 4, 1)), mask=[["a"] * 4] * 2),
            TypeError,
            "mask must hold truth values",
        ),
        (
            lambda: layers.LSTM(3)(np.ones((2, 4, 1)), initial_state=[np.ones((2, 3))]),
            ValueError,
            r"initial_state must be 2 of shape \(2, 3\)",
        ),
        (lambda: layers.LSTM(3, stateful="yes"), TypeError, "stateful must be"),
        (lambda: layers.LSTM(3)(layers.Input((4, 1)), mask=MASK), TypeError, "must be an array"),
        (lambda: layers.Dense(3)(np.ones((2, 3)), mask=MASK), TypeError, "mask"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
