"""Layers: gradients against finite differences, outputs and weights against Keras."""

import numpy as np
import pytest

from reglib import layers
from reglib.gradcheck import GradientError, check_layer

KINDS = {
    "dense": (lambda **k: layers.Dense(4, activation="tanh", **k), (5, 3)),
    "dense over time": (lambda **k: layers.Dense(4, **k), (2, 6, 3)),
    "dense softmax": (lambda **k: layers.Dense(4, activation="softmax", **k), (5, 3)),
    "dense penalized outputs": (
        lambda **k: layers.Dense(4, activation="sigmoid", activity_regularizer="l2", **k),
        (5, 3),
    ),
    "activation": (lambda **k: layers.Activation("silu", **k), (5, 3)),
    "flatten": (lambda **k: layers.Flatten(**k), (2, 3, 4)),
    "reshape": (lambda **k: layers.Reshape((2, -1), **k), (2, 3, 4)),
    "dropout": (lambda **k: layers.Dropout(0.4, seed=1, **k), (5, 8)),
    "dropout by column": (lambda **k: layers.Dropout(0.4, noise_shape=(1, None), **k), (5, 8)),
    "simple rnn": (lambda **k: layers.SimpleRNN(3, **k), (2, 4, 3)),
    "lstm": (lambda **k: layers.LSTM(3, **k), (2, 4, 3)),
    "lstm with dropout": (lambda **k: layers.LSTM(3, dropout=0.4, seed=1, **k), (2, 4, 3)),
    "lstm with variational dropout": (
        lambda **k: layers.LSTM(3, dropout=0.3, recurrent_dropout=0.4, seed=1, **k),
        (2, 4, 3),
    ),
    "lstm, all steps, backwards": (
        lambda **k: layers.LSTM(3, return_sequences=True, go_backwards=True, **k),
        (2, 4, 3),
    ),
    "gru": (lambda **k: layers.GRU(3, return_sequences=True, **k), (2, 4, 3)),
    "gru with variational dropout": (
        lambda **k: layers.GRU(3, dropout=0.3, recurrent_dropout=0.4, seed=1, **k),
        (2, 4, 3),
    ),
    "gru without bias": (lambda **k: layers.GRU(3, use_bias=False, **k), (2, 4, 3)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_agree_with_finite_differences(kind, rng):
    make, shape = KINDS[kind]
    error = check_layer(make(dtype="float64"), rng.normal(size=shape), rtol=1e-6)
    assert error < 1e-6


@pytest.mark.parametrize("name", ["relu", "elu", "selu", "softplus", "linear"])
def test_activation_gradients_agree_with_finite_differences(name, rng):
    inputs = rng.normal(size=(6, 7)) + 0.01
    assert check_layer(layers.Activation(name, dtype="float64"), inputs, rtol=1e-6) < 1e-6


def test_a_wrong_backward_pass_is_noticed(rng):
    class ForgetfulDropout(layers.Dropout):
        def backward(self, gradient):
            return gradient  # the mask is forgotten on the way back

    with pytest.raises(GradientError):
        check_layer(ForgetfulDropout(0.5, seed=0, dtype="float64"), rng.normal(size=(5, 8)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_rebuilt_from_its_config(kind, rng):
    make, shape = KINDS[kind]
    inputs = rng.normal(size=shape)
    layer = make()
    expected = layer(inputs)
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    twin(inputs)
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(inputs), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_output_shape_is_known_beforehand(kind, rng):
    make, shape = KINDS[kind]
    layer = make()
    promised = layer.compute_output_shape((None, *shape[1:]))
    assert layer(rng.normal(size=shape)).shape[1:] == promised[1:]


@pytest.mark.keras
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize(
    "options", [{}, {"return_sequences": True}, {"go_backwards": True, "use_bias": False}]
)
def test_recurrent_layers_agree_with_keras(name, options, rng):
    import keras

    inputs = rng.normal(size=(3, 5, 4)).astype("float32")
    theirs = getattr(keras.layers, name)(6, **options)
    expected = np.asarray(theirs(inputs))
    ours = getattr(layers, name)(6, **options)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(inputs), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("activation", ["relu", "softmax", "selu", "silu", None])
def test_dense_agrees_with_keras(activation, rng):
    import keras

    inputs = rng.normal(size=(3, 5)).astype("float32")
    theirs = keras.layers.Dense(4, activation=activation)
    expected = np.asarray(theirs(inputs))
    ours = layers.Dense(4, activation=activation)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(inputs), expected, rtol=1e-5, atol=1e-6)


def test_the_forget_gate_starts_open():
    layer = layers.LSTM(3)
    layer(np.zeros((1, 2, 4)))
    assert layer.bias.value.tolist() == [0] * 3 + [1] * 3 + [0] * 6


class TestDropout:
    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
    def test_keeps_the_right_fraction_and_the_mean(self, rate, rng):
        inputs = rng.uniform(1, 2, size=(400, 500))
        outputs = layers.Dropout(rate, seed=3)(inputs, training=True)
        kept = outputs != 0
        bound = 6.5 * np.sqrt(rate * (1 - rate) / inputs.size)
        assert abs(kept.mean() - (1 - rate)) < bound
        np.testing.assert_allclose(outputs[kept], inputs[kept] / (1 - rate), rtol=1e-5)

    def test_evaluation_is_the_identity(self, rng):
        inputs = rng.normal(size=(4, 5)).astype("float32")
        assert layers.Dropout(0.5)(inputs) is inputs

    def test_rate_one_drops_everything(self, rng):
        assert not layers.Dropout(1.0)(rng.normal(size=(4, 5)), training=True).any()

    def test_masks_differ_from_call_to_call_and_repeat_by_seed(self):
        ones = np.ones((4, 50))
        layer, twin = layers.Dropout(0.5, seed=7), layers.Dropout(0.5, seed=7)
        first, second = layer(ones, training=True), layer(ones, training=True)
        assert (first != second).any()
        np.testing.assert_array_equal(twin(ones, training=True), first)
        np.testing.assert_array_equal(twin(ones, training=True), second)

    def test_noise_shape_shares_the_mask(self):
        outputs = layers.Dropout(0.5, noise_shape=(1, None), seed=0)(
            np.ones((6, 40)), training=True
        )
        assert (outputs == outputs[0]).all()
        assert 0 < (outputs[0] != 0).sum() < 40


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Dense(0), ValueError, r"units must be at least 1, got 0"),
        (lambda: layers.Dense(2.5), TypeError, r"units must be an integer, got 2\.5"),
        (lambda: layers.Dense(2, activation="rleu"), ValueError, "activation must be one of"),
        (lambda: layers.Dense(2, activation=np.tanh), TypeError, "activation must be a name or"),
        (
            lambda: layers.Dense(2, kernel_regularizer="l3"),
            ValueError,
            "regularizer must be one of",
        ),
        (lambda: layers.Dense(2)(np.ones(3)), ValueError, r"\(batch, ..., features\), got \(3,\)"),
        (lambda: layers.Dense(2)(np.array([["a"]])), TypeError, "inputs of layer dense.* numbers"),
        (lambda: layers.Dense(2, dtype="float16"), ValueError, "dtype must be one of"),
        (lambda: layers.Dropout(1.5), ValueError, r"rate must be in \[0, 1\], got 1.5"),
        (lambda: layers.Dropout(-0.1), ValueError, r"rate must be in \[0, 1\], got -0.1"),
        (lambda: layers.Dropout("half"), TypeError, "rate must be a number, got 'half'"),
        (lambda: layers.Dropout(np.nan), ValueError, r"rate must be in \[0, 1\], got nan"),
        (lambda: layers.Dropout(0.5, noise_shape=(0, 2)), ValueError, "noise_shape must be"),
        (lambda: layers.LSTM(4)(np.ones((2, 3))), ValueError, r"\(batch, time, features\)"),
        (lambda: layers.LSTM(4, dropout=2), ValueError, r"dropout must be in \[0, 1\], got 2"),
        (lambda: layers.GRU(0), ValueError, "units must be at least 1"),
        (
            lambda: layers.Reshape((3, 5))(np.ones((2, 14))),
            ValueError,
            r"target_shape must hold 14 numbers, got \(3, 5\)",
        ),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_wrong_weights_change_nothing(rng):
    layer = layers.Dense(2)
    layer(rng.normal(size=(3, 4)))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"bias .* must have shape \(2,\), got \(3,\)"):
        layer.set_weights([np.ones((4, 2)), np.ones(3)])
    with pytest.raises(ValueError, match="must be 2 arrays, got 1"):
        layer.set_weights([np.ones((4, 2))])
    for array, kept in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)
