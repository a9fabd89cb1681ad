"""Classes of one's own, whatever their names, live beside the library's and are found again."""

import numpy as np
import pytest

from reglib import (
    _serialization,
    constraints,
    initializers,
    interop,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    schedules,
)

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


@pytest.fixture(autouse=True)
def nothing_is_left_behind(monkeypatch):
    """What a test defines or registers is forgotten after it."""
    for known in ("_registered", "_registered_names", "_own_classes"):
        monkeypatch.setattr(_serialization, known, dict(getattr(_serialization, known)))


def test_a_dropout_of_ones_own_leaves_the_librarys_alone(tmp_path):
    class Dropout(layers.Layer):
        def call(self, inputs, training=False):
            return 10 * inputs

    model = models.Sequential([layers.Dropout(0.25, input_shape=(4,)), Dropout(name="tenfold")])
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    assert type(twin.layers[0]) is layers.Dropout
    assert type(twin.layers[1]) is Dropout
    np.testing.assert_array_equal(twin(X), 10 * X)


@pytest.mark.parametrize("name", ["Add", "Multiply", "Rescaling"])
def test_arithmetic_on_nodes_uses_the_librarys_layers(name):
    type(name, (layers.Layer,), {"call": lambda self, inputs, training=False: None})
    a = layers.Input((4,))
    b = layers.Activation("relu")(a)
    model = models.Model(a, 3 * a + a * b)
    np.testing.assert_allclose(model(X), 3 * X + X * np.maximum(X, 0), rtol=1e-6)


def test_of_two_definitions_in_one_place_the_latest_counts():
    for factor in (2, 3):

        class Times(layers.Layer):
            def call(self, inputs, training=False, factor=factor):
                return factor * inputs

    twin = layers.deserialize(layers.serialize(Times()))
    np.testing.assert_array_equal(twin(X), 3 * X)


def own_parts():
    """A class of one's own of every kind that a model is made of."""

    class L2(regularizers.Regularizer):
        def __init__(self, rate=0.5):
            self.rate = rate

        def __call__(self, x):
            return self.rate * np.abs(x).max()

        def gradient(self, x):
            return np.zeros_like(x)

        def get_config(self):
            return {"rate": self.rate}

    class MaxNorm(constraints.Constraint):
        def __call__(self, w):
            return np.clip(w, -1, 1)

        def get_config(self):
            return {}

    class Zeros(initializers.Initializer):
        def draw(self, shape, generator):
            return np.full(shape, 0.25)

    class MeanSquaredError(losses.Loss):
        def call(self, y_true, y_pred):
            return 3 * np.square(y_pred - y_true).mean(axis=-1)

        def derivative(self, y_true, y_pred):
            return 6 * (y_pred - y_true) / y_pred.shape[-1]

    class Mean(metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_pred)

    class SGD(optimizers.SGD):
        pass

    class CosineDecay(schedules.LearningRateSchedule):
        def rate(self, step):
            return 0.125

    return L2, MaxNorm, Zeros, MeanSquaredError, Mean, SGD, CosineDecay


def model_of(parts):
    penalty, constraint, initializer, loss, metric, optimizer, schedule = parts
    model = models.Sequential(
        [
            layers.Dense(
                2,
                kernel_initializer=initializer(),
                kernel_regularizer=penalty(rate=0.75),
                kernel_constraint=constraint(),
                input_shape=(4,),
            )
        ]
    )
    model.compile(optimizer(schedule()), loss(), metrics=[metric(name="output")])
    return model


def parts_of(model):
    weights = model.layers[0]
    return (
        *(weights.kernel_regularizer, weights.kernel_constraint, weights.kernel_initializer),
        *(model.loss, model.metrics[0], model.optimizer, model.optimizer._learning_rate),
    )


def test_every_part_of_ones_own_is_found_by_its_module_and_name(tmp_path):
    parts = own_parts()
    model = model_of(parts)
    model.fit(X, X[:, :2], verbose=0)
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    assert tuple(map(type, parts_of(twin))) == parts
    assert twin.layers[0].kernel_regularizer.rate == 0.75
    assert twin.evaluate(X, X[:, :2]) == pytest.approx(model.evaluate(X, X[:, :2]))


def test_every_part_of_ones_own_is_found_by_its_registered_name(tmp_path):
    register = _serialization.register_keras_serializable("course")
    model = model_of([register(part) for part in own_parts()])
    model.save(tmp_path / "model.npz")
    _serialization._own_classes.clear()
    _serialization._registered.clear()
    moved = own_parts()  # as in another module of another day
    _serialization._own_classes.clear()
    for part in moved:
        _serialization.register_keras_serializable("course")(part)
    assert tuple(map(type, parts_of(models.load_model(tmp_path / "model.npz")))) == moved


def test_every_part_of_ones_own_is_found_in_custom_objects(tmp_path):
    parts = own_parts()
    model_of(parts).save(tmp_path / "model.npz")
    _serialization._own_classes.clear()
    with pytest.raises(ValueError, match="register_keras_serializable, or in custom_objects"):
        models.load_model(tmp_path / "model.npz")
    theirs = {part.__name__: part for part in parts}
    twin = models.load_model(tmp_path / "model.npz", custom_objects=theirs)
    assert tuple(map(type, parts_of(twin))) == parts
    with _serialization.custom_object_scope(theirs):
        models.load_model(tmp_path / "model.npz")


def test_a_function_that_is_a_metric_is_found_in_custom_objects(tmp_path):
    def largest(y_true, y_pred):
        return np.max(y_pred, axis=-1)

    model = models.Sequential([layers.Dense(2, input_shape=(4,))])
    model.compile("sgd", "mse", metrics=[largest])
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz", custom_objects={"largest": largest})
    assert twin.evaluate(X, X[:, :2]) == pytest.approx(model.evaluate(X, X[:, :2]))


def test_a_model_of_ones_own_is_found_again(tmp_path):
    class Sequential(models.Sequential):
        pass

    model = Sequential([layers.Dense(2, input_shape=(4,))])
    outer = models.Sequential([model, models.Sequential([layers.Dense(1)])])
    outer.save(tmp_path / "model.npz")
    inner, other = models.load_model(tmp_path / "model.npz").layers
    assert type(inner.model) is Sequential
    assert type(other.model) is models.Sequential


def test_layers_within_layers_are_found_in_custom_objects():
    class Tenfold(layers.Layer):
        def call(self, inputs, training=False):
            return 10 * inputs

    model = models.Sequential(
        [models.Sequential([layers.TimeDistributed(Tenfold(), input_shape=(3, 4))])]
    )
    text = model.to_json()
    _serialization._own_classes.clear()
    with pytest.raises(ValueError, match="got 'Tenfold'"):
        models.model_from_json(text)
    twin = models.model_from_json(text, custom_objects={"Tenfold": Tenfold})
    np.testing.assert_array_equal(twin(np.ones((1, 3, 4))), np.full((1, 3, 4), 10))


def test_a_description_names_no_module_that_would_be_imported():
    for module in ("os", "subprocess", "builtins"):
        description = {"module": module, "class_name": "Popen", "config": {"args": "true"}}
        with pytest.raises(ValueError, match="layer must be one of"):
            layers.deserialize({**description, "registered_name": "Popen"})


def test_description_says_whose_the_class_is():
    class Own(layers.Layer):
        pass

    description = layers.serialize(Own())
    assert (description["module"], description["registered_name"]) == (__name__, "Own")
    _serialization.register_keras_serializable("course", "mine")(Own)
    assert layers.serialize(Own())["registered_name"] == "course>mine"
    assert layers.serialize(layers.Dense(1))["registered_name"] is None


@pytest.mark.keras
def test_a_layer_of_ones_own_is_not_taken_for_one_of_the_other_library(keras):
    class Dropout(layers.Layer):
        pass

    with pytest.raises(ValueError, match=r"that Keras has too, got .*test_own_classes\.Dropout"):
        interop.to_keras(Dropout())

    class Dense(keras.layers.Dense):
        pass

    with pytest.raises(ValueError, match=r"that reglib has too, got .*test_own_classes\.Dense"):
        interop.from_keras(Dense(3))


@pytest.mark.keras
def test_registered_names_are_kerass(keras):
    def mine(z):
        return z

    for saving in (keras.saving, _serialization):
        saving.register_keras_serializable("course")(mine)
        assert saving.get_registered_name(mine) == "course>mine"
        assert saving.get_registered_object("course>mine") is mine
        assert saving.get_registered_object("mine") is None
        assert saving.get_custom_objects().pop("course>mine") is mine
        assert saving.get_registered_name(np.mean) == "mean"
        with saving.custom_object_scope({"half": mine}):
            assert saving.get_registered_object("half") is mine
        with pytest.raises(ValueError, match="get_config"):
            saving.register_keras_serializable()(type("Bare", (), {}))
