"""The gradient checks pass what is right, catch what is wrong, and leave no trace."""

import numpy as np
import pytest

from reglib.gradcheck import (
    GradientError,
    check_gradient,
    check_layer,
    check_model,
    check_parameters,
    numerical_gradient,
    relative_error,
)
from reglib.layers import Add, Dense, Dropout, Input
from reglib.layers.base import Layer, Parameter
from reglib.models import Model, Sequential
from reglib.regularizers import L1, L2


class WrongDropout(Dropout):
    """Forgets the mask on the way back, as a well-known library does."""

    def backward(self, gradient):
        return gradient


class ForgetsBias(Dense):
    def backward(self, gradient):
        result = super().backward(gradient)
        self.bias.gradient[...] = 0
        return result


class Centered(Layer):
    """Subtracts a running mean that changes at every call in training."""

    def build(self, input_shape):
        self.mean = Parameter(np.ones(input_shape[1:]), name="mean", trainable=False)

    def call(self, inputs, training=False):
        if training:
            self.mean.value *= 0.5
        return inputs * self.mean.value

    def backward(self, gradient):
        return gradient * self.mean.value


def model(*layers, loss="sparse_categorical_crossentropy"):
    built = Sequential(layers, seed=0)
    built.compile("sgd", loss)
    return built


def batch(seed=0, n=16, features=6, classes=4):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)), rng.integers(0, classes, n)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 3)])
def test_numerical_gradient_is_that_of_a_cubic(shape):
    w = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(
        numerical_gradient(lambda v: (v**3).sum(), w), 3 * w**2, rtol=1e-6, atol=1e-8
    )


def test_numerical_gradient_leaves_its_argument_alone_even_if_the_function_writes():
    def scribbles(v):
        v += 1
        return float((v**2).sum())

    w = np.array([1.0, 2.0])
    np.testing.assert_allclose(numerical_gradient(scribbles, w), 2 * (w + 1), rtol=1e-6)
    np.testing.assert_array_equal(w, [1.0, 2.0])


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [([0, 0], [0, 0], 0), ([1, 0], [0, 0], 1), ([3.0], [1.0], 0.5), ([1e-300], [3e-300], 0.5)],
)
def test_relative_error_of_known_pairs(a, b, expected):
    assert relative_error(a, b) == pytest.approx(expected)


def test_relative_error_is_symmetric_and_blind_to_scale():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 3))
    assert relative_error(a, b) == relative_error(b, a)
    assert relative_error(1e200 * a, 1e200 * b) == pytest.approx(relative_error(a, b))


def test_a_right_gradient_of_many_weights_passes_far_below_the_tolerance():
    w = np.random.default_rng(0).normal(size=(100, 100))
    assert check_gradient(lambda v: np.sin(v).sum(), np.cos, w) < 1e-8


@pytest.mark.parametrize("seed", range(20))
def test_one_wrong_entry_among_ten_thousand_is_caught(seed):
    w = np.random.default_rng(seed).normal(size=(100, 100))
    gradient = np.cos(w)
    gradient[3, 7] *= 1.1
    with pytest.raises(GradientError, match=r"relative error of .* above 1e-06"):
        check_gradient(lambda v: np.sin(v).sum(), gradient, w, rng=seed)


@pytest.mark.parametrize("wrong", [0.0, -1.0, 0.5, 1 + 1e-5])
def test_a_wrong_factor_is_caught(wrong):
    with pytest.raises(GradientError):
        check_gradient(lambda v: (v**2).sum(), lambda v: 2 * wrong * v, np.arange(1.0, 5.0))


def test_a_constant_has_gradient_zero():
    assert check_gradient(lambda v: 3.0, np.zeros(4), np.ones(4)) == 0.0


@pytest.mark.parametrize("seed", range(30))
def test_a_kink_between_the_two_points_does_not_accuse_a_right_gradient(seed):
    w = np.random.default_rng(seed).normal(size=50)
    w[:2] = 3e-7, -3e-7  # a step of 1e-6 crosses both
    assert check_gradient(lambda v: np.maximum(v, 0).sum(), w > 0, w, rng=seed) < 1e-6


def test_without_the_second_look_the_kink_would_accuse():
    w = np.array([3e-7, 1.0])
    numeric = numerical_gradient(lambda v: np.maximum(v, 0).sum(), w)
    assert relative_error(numeric, [1.0, 1.0]) > 0.1


@pytest.mark.parametrize("seed", range(30))
def test_a_wrong_gradient_is_caught_beside_kinks(seed):
    w = np.random.default_rng(seed).normal(size=50)
    w[:2] = 3e-7, -3e-7
    with pytest.raises(GradientError):
        check_gradient(lambda v: np.maximum(v, 0).sum(), 1.01 * (w > 0), w, rng=seed)


def test_l1_at_exact_zeros_passes_only_when_they_are_held():
    w = np.array([1.0, 0.0, -2.0, 0.0])
    # At a zero, the central difference of |w| is 0 as is its subgradient, so tilt it.
    f = lambda v: float(np.abs(v).sum() + np.maximum(v, 0).sum())  # noqa: E731
    gradient = np.sign(w) + (w > 0)
    with pytest.raises(GradientError):
        check_gradient(f, gradient, w)
    assert check_gradient(f, gradient, w, hold_zeros=True) < 1e-6


def test_check_layer_passes_dense_and_dropout():
    x, _ = batch()
    assert check_layer(Dense(3, activation="tanh", dtype="float64"), x) < 1e-6
    assert check_layer(Dropout(0.4, dtype="float64"), x) < 1e-6


def test_check_layer_covers_the_activity_penalty():
    x, _ = batch()
    layer = Dense(3, activity_regularizer=L2(0.3), dtype="float64")
    assert check_layer(layer, x) < 1e-6


def test_a_dropout_without_its_mask_on_the_way_back_is_caught():
    with pytest.raises(GradientError, match="inputs"):
        check_layer(WrongDropout(0.4, dtype="float64"), batch()[0])
    assert check_layer(WrongDropout(0.4, dtype="float64"), batch()[0], training=False) < 1e-6


def test_a_forgotten_parameter_is_named():
    with pytest.raises(GradientError, match="bias"):
        check_layer(ForgetsBias(3, dtype="float64"), batch()[0])


def test_running_averages_are_put_back_between_evaluations_and_afterwards():
    layer = Centered(dtype="float64")
    assert check_layer(layer, batch()[0]) < 1e-6
    np.testing.assert_array_equal(layer.mean.value, 1)


def test_check_layer_leaves_weights_and_generator_as_they_were():
    x, _ = batch()
    layer, dropout = Dense(3, dtype="float64"), Dropout(0.5, seed=1, dtype="float64")
    layer.ensure_built(x.shape)
    before, state = layer.get_weights(), dropout.generator.bit_generator.state
    check_layer(layer, x)
    check_layer(dropout, x)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert dropout.generator.bit_generator.state == state


def test_check_model_passes_dropout_and_penalties():
    net = model(
        Dense(8, activation="relu", kernel_regularizer=L2(0.1), dtype="float64"),
        Dropout(0.5, dtype="float64"),
        Dense(4, activation="softmax", kernel_regularizer=L1(0.01), dtype="float64"),
    )
    x, y = batch()
    assert check_model(net, x, y) < 1e-6
    assert check_model(net, x, y, training=False, sample_weight=np.arange(1.0, 17.0)) < 1e-6


def test_check_model_follows_what_is_trainable_now():
    net = model(Dense(5, dtype="float64"), Dense(4, activation="softmax", dtype="float64"))
    x, y = batch()
    net.layers[0].trainable = False
    assert check_model(net, x, y) < 1e-6
    net.fit(x, y, verbose=0)
    net.layers[0].trainable = True
    assert check_model(net, x, y) < 1e-6


def test_check_model_follows_branches():
    trunk = Input((6,), dtype="float64")
    branch = Dense(6, activation="tanh", dtype="float64")(trunk)
    joined = Add(dtype="float64")([trunk, branch])
    net = Model(trunk, Dense(4, activation="softmax", dtype="float64")(joined), seed=0)
    net.compile("sgd", "sparse_categorical_crossentropy")
    assert check_model(net, *batch()) < 1e-6


def test_check_model_leaves_weights_as_they_were():
    net = model(Dense(4, activation="softmax", dtype="float64"))
    x, y = batch()
    net(x)
    before = net.get_weights()
    check_model(net, x, y)
    for old, new in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_check_model_catches_a_wrong_layer_and_a_wrong_penalty():
    class WrongL2(L2):
        def gradient(self, x):
            return self.l2 * x  # the 2 is missing

    x, y = batch()
    softmax = {"activation": "softmax", "dtype": "float64"}
    with pytest.raises(GradientError, match="kernel"):
        check_model(model(Dense(4, kernel_regularizer=WrongL2(0.5), **softmax)), x, y)
    wrong = model(
        Dense(8, dtype="float64"), WrongDropout(0.5, dtype="float64"), Dense(4, **softmax)
    )
    with pytest.raises(GradientError):
        check_model(wrong, x, y)


def test_check_parameters_names_the_parameter():
    w = Parameter(np.array([3.0, -4.0]), name="kernel")
    w.gradient[...] = 2 * w.value
    assert check_parameters(lambda: float((w.value**2).sum()), [w]) < 1e-6
    w.gradient[0] += 1
    with pytest.raises(GradientError, match="kernel"):
        check_parameters(lambda: float((w.value**2).sum()), [w])
    np.testing.assert_array_equal(w.value, [3.0, -4.0])


def test_float32_is_refused_with_the_cure():
    with pytest.raises(ValueError, match=r'layer must compute in float64, got float32.*dtype="f'):
        check_layer(Dense(2, dtype="float32"), np.ones((2, 2)))
    net = model(Dense(2, activation="softmax", dtype="float32"))
    with pytest.raises(ValueError, match="model must compute in float64"):
        check_model(net, np.ones((2, 2)), np.zeros(2))


def test_an_uncompiled_model_is_refused():
    net = Sequential([Dense(2, dtype="float64")])
    with pytest.raises(ValueError, match="compiled"):
        check_model(net, np.ones((2, 2)), np.zeros(2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: numerical_gradient(np.sum, ["a"]), TypeError, "w must hold numbers"),
        (lambda: numerical_gradient(np.sum, []), ValueError, "w must not be empty"),
        (lambda: numerical_gradient(np.sum, [np.nan]), ValueError, "w must be finite"),
        (lambda: numerical_gradient(np.sum, [1.0], eps=0), ValueError, "eps"),
        (lambda: numerical_gradient(np.sum, [1.0], eps="s"), TypeError, "eps"),
        (lambda: numerical_gradient(lambda v: v, [1.0, 2]), ValueError, "f must return one number"),
        (lambda: numerical_gradient(lambda v: np.nan, [1.0]), ValueError, "f must return a finite"),
        (lambda: numerical_gradient(lambda v: "x", [1.0]), TypeError, "f must return a number"),
        (lambda: relative_error([1.0], [1.0, 2.0]), ValueError, "b must have shape"),
        (lambda: relative_error([np.inf], [1.0]), ValueError, "a must be finite"),
        (lambda: check_gradient(np.sum, [1.0], [1.0, 2.0]), ValueError, "gradient must have shape"),
        (lambda: check_gradient(np.sum, [1.0], [1.0], directions=0), ValueError, "directions"),
        (lambda: check_gradient(np.sum, [1.0], [1.0], directions=1.5), TypeError, "directions"),
        (lambda: check_gradient(np.sum, [1.0], [1.0], rtol=-1), ValueError, "rtol"),
        (lambda: check_layer(Dense(1, dtype="float64"), []), ValueError, "inputs"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
