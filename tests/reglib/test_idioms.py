"""What Keras's users write without thinking: it works here, or says what to write instead."""

import numpy as np
import pytest

import reglib as keras
from reglib import layers, ops

X = np.random.default_rng(0).normal(size=(24, 5)).astype("float32")
Y = X.sum(axis=1)


def compiled(*parts, **options):
    model = keras.Sequential([keras.Input((5,)), *parts, layers.Dense(1)], seed=0)
    model.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    return model


class Half(layers.Layer):
    """Half of the features: it does not say what shape comes out."""

    def call(self, inputs):
        return inputs[..., : inputs.shape[-1] // 2]


def test_the_shape_of_outputs_is_found_where_a_layer_does_not_say_it():
    assert Half()(keras.Input((6,))).shape == (None, 3)
    assert Half()(keras.Input((None, 6))).shape == (None, None, 3)
    assert compiled(Half()).layers[-1].kernel.shape == (2, 1)


def test_what_lies_within_a_layer_is_built_with_it_from_the_models_seed():
    class Wrapped(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(3)

        def call(self, inputs):
            return self.inner(inputs)

        def backward(self, gradient):
            return self.inner.backward(gradient)

    first, second = (compiled(Wrapped()) for _ in range(2))
    assert first.layers[0].inner.kernel.shape == (5, 3)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    first.fit(X, Y)
    assert (first.get_weights()[0] != second.get_weights()[0]).any()


def test_a_missing_way_back_is_told_with_what_to_write():
    with pytest.raises(NotImplementedError, match=r"Half must define backward\(gradient\)"):
        compiled(layers.Dense(4), Half()).fit(X, Y)


def test_a_model_by_subclassing_is_refused_with_the_way_out():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()

    with pytest.raises(NotImplementedError, match=r"Mine .* no automatic differentiation"):
        Mine()


def test_a_loss_that_a_layer_adds_is_refused_with_the_way_out():
    with pytest.raises(NotImplementedError, match="activity_regularizer"):
        layers.Dense(2).add_loss(0.1)


def test_functions_of_numpy_refuse_nodes_and_activations_take_them():
    node = keras.Input((5,))
    with pytest.raises(TypeError, match="mean takes arrays, got <Node"):
        ops.mean(node)
    assert ops.relu(node).layer.activation.name == "relu"
    assert keras.activations.softmax(node).shape == (None, 5)


def test_layers_know_their_inputs_and_outputs_once_they_are_in_a_graph():
    dense = layers.Dense(3)
    with pytest.raises(AttributeError, match="has no output before"):
        dense.output
    node = keras.Input((5,))
    made = dense(node)
    dense(keras.Input((5,)))
    assert dense.output is made
    assert dense.input is node


def test_part_of_a_sequential_model_is_a_model():
    model = compiled(layers.Dense(3, "relu", name="hidden"))
    features = keras.Model(model.inputs, model.get_layer("hidden").output)
    expected = np.maximum(X @ model.layers[0].kernel + model.layers[0].bias, 0)
    np.testing.assert_allclose(features.predict(X), expected, atol=1e-6)
    model.add(layers.Dense(2))
    assert model.output.shape == (None, 2)


def test_weights_are_calculated_with():
    kernel = compiled().layers[0].kernel
    value = kernel.numpy()
    np.testing.assert_array_equal(2 * kernel + 1, 2 * value + 1)
    np.testing.assert_array_equal(X @ kernel, X @ value)
    np.testing.assert_array_equal(kernel[0], value[0])
    kernel.assign_sub(0.5 * kernel)
    kernel.assign_add(value)
    np.testing.assert_allclose(kernel, 1.5 * value)
    assert kernel == kernel
    assert kernel != layers.Variable(kernel)
    assert len(kernel) == 5


def test_the_names_of_weights_go_last():
    layer = layers.Layer()
    assert layer.add_weight((2, 3), "zeros", name="kernel").shape == (2, 3)
    with pytest.raises(TypeError, match="shape must be lengths, got 'kernel'"):
        layer.add_weight("kernel")


def test_initializers_of_ones_own_need_not_know_of_generators():
    class Tenth(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return 0.1 * ops.ones(shape, dtype=dtype)

    layer = layers.Dense(
        2, kernel_initializer=Tenth(), bias_initializer=lambda shape, dtype: [1, 2]
    )
    layer.ensure_built((None, 3))
    np.testing.assert_allclose(layer.kernel, np.full((3, 2), 0.1))
    np.testing.assert_array_equal(layer.bias, [1, 2])


def test_metrics_of_ones_own_keep_variables():
    class Seen(keras.metrics.Metric):
        def __init__(self, name="seen", **options):
            super().__init__(name=name, **options)
            self.total = self.add_weight(name="total", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(len(y_true))

        def result(self):
            return self.total

    history = compiled(metrics=[Seen()]).fit(X, Y, epochs=2).history
    assert history["seen"] == [24.0, 24.0]


def test_the_learning_rate_is_a_number_that_can_be_assigned():
    optimizer = compiled().optimizer
    optimizer.learning_rate.assign(0.5)
    assert optimizer.learning_rate == 0.5
    assert optimizer.learning_rate.numpy() == np.float32(0.5)


def test_shorter_names_are_the_same_classes():
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.GlobalAvgPool1D is layers.GlobalAveragePooling1D
    assert keras.initializers.glorot_uniform is keras.initializers.GlorotUniform


def test_options_of_keras_that_compile_are_taken_and_change_nothing():
    runs = [
        compiled(**options).fit(X, Y, shuffle=False).history
        for options in ({}, {"jit_compile": True}, {"run_eagerly": True})
    ]
    assert runs[0] == runs[1] == runs[2]


def test_inputs_may_be_whole_numbers():
    node = keras.Input((4,), dtype="int32")
    model = keras.Model(node, layers.Embedding(9, 2)(node))
    assert model(np.arange(8).reshape(2, 4)).shape == (2, 4, 2)
    with pytest.raises(ValueError, match=r"dtype must be one of 'float16'.*got 'text'"):
        keras.Input((4,), dtype="text")
