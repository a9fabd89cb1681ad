"""Models within models: weights, gradients, penalties, files, and what Keras makes of them."""

import pickle

import numpy as np
import pytest

from reglib import interop, layers, models
from reglib.gradcheck import check_model


def features(dtype="float32"):
    """A part that is made on its own, with a penalty on weights and one on outputs."""
    return models.Sequential(
        [
            layers.Dense(5, "tanh", kernel_regularizer="l2", dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.Dense(4, "tanh", activity_regularizer="l2", dtype=dtype),
        ],
        name="features",
    )


def chain(dtype="float32"):
    return models.Sequential([features(dtype), layers.Dense(2, dtype=dtype)], seed=1)


def graph(dtype="float32"):
    start = layers.Input((3,), dtype=dtype)
    inner = layers.Input((3,), dtype=dtype)
    branch = layers.Dense(4, "tanh", dtype=dtype)(layers.Dropout(0.0, dtype=dtype)(inner))
    within = models.Model(inner, branch, name="branch")
    both = layers.Add(dtype=dtype)([features(dtype)(start), within(start)])
    return models.Model(start, layers.Dense(2, dtype=dtype)(both), seed=1)


@pytest.fixture
def data(rng):
    x = rng.normal(size=(20, 3)).astype("float32")
    return x, np.c_[x[:, 0] * x[:, 1], x[:, 2]]


@pytest.mark.parametrize("make", [chain, graph])
def test_gradients_agree_with_finite_differences(make, data):
    model = make("float64")
    model.compile("sgd", "mse")
    assert check_model(model, *data, rtol=1e-6) < 1e-6


@pytest.mark.parametrize("make", [chain, graph])
def test_a_saved_model_comes_back(make, data, tmp_path):
    model = make()
    model.compile("adam", "mse")
    model.fit(*data, epochs=2)
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(twin.predict(data[0]), model.predict(data[0]))
    assert twin.evaluate(*data) == model.evaluate(*data)
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]


@pytest.mark.keras
@pytest.mark.parametrize("make", [chain, graph])
def test_a_model_goes_to_keras_and_back(make, data, keras):
    model = make()
    model(data[0])
    theirs = interop.to_keras(model)
    assert isinstance(theirs.get_layer("features"), keras.Sequential)
    np.testing.assert_allclose(np.asarray(theirs(data[0])), model(data[0]), rtol=1e-5, atol=1e-6)
    back = interop.from_keras(theirs)
    assert isinstance(back.get_layer("features"), models.Nested)
    np.testing.assert_allclose(back(data[0]), model(data[0]), rtol=1e-5, atol=1e-6)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_training_agrees_with_keras(data, keras):
    ours = chain()
    ours(data[0])
    theirs = interop.to_keras(ours)
    options = {"epochs": 4, "batch_size": 5, "shuffle": False, "verbose": 0}
    for model in (ours, theirs):
        model.compile("sgd", "mse")
    np.testing.assert_allclose(
        ours.fit(*data, **options).history["loss"],
        theirs.fit(*data, **options).history["loss"],
        rtol=1e-4,
    )


def test_the_penalties_of_a_part_count(data):
    model = chain()
    model.compile("sgd", "mse")
    logs = model.train_on_batch(*data, return_dict=True)
    dense, _, last = model.get_layer("features").layers
    model.train_step(*data)
    expected = 0.01 * np.square(dense.kernel.value).sum() + last.activity_penalty
    assert last.activity_penalty > 0
    assert logs["penalty"] > 0
    model.evaluate(*data)
    expected = 0.01 * np.square(dense.kernel.value).sum() + last.activity_penalty
    assert model.penalty() == pytest.approx(expected, rel=1e-5)


def test_a_part_can_be_trained_on_its_own_and_frozen(data):
    part = features()
    alone = models.Sequential([part, layers.Dense(2)], seed=0)
    alone.compile("adam", "mse")
    alone.fit(*data)
    before = part.get_weights()
    frozen = alone.get_layer("features")
    frozen.trainable = False
    head = models.Sequential([frozen, layers.Dense(2)], seed=2)
    head.compile("adam", "mse")
    head.fit(*data, epochs=2)
    for array, kept in zip(part.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)  # moving averages included
    assert len(head.trainable_weights) == 2
    frozen.trainable = True
    head.fit(*data)
    assert any((a != b).any() for a, b in zip(part.get_weights(), before, strict=True))


def test_a_clone_is_compiled_and_shares_no_weights(data):
    model = chain()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(*data)
    before = model.get_weights()
    clone = models.clone_model(model, seed=3)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    clone.fit(*data)
    assert set(clone.history.history) == set(model.history.history)
    for array, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)


@pytest.mark.parametrize("make", [chain, graph])
def test_a_clone_may_have_other_layers(make, data):
    def silent(layer):
        if isinstance(layer, layers.Dropout):
            return layers.Dropout(0.5, name=layer.name)
        config = layer.get_config()
        return type(layer).from_config({**config, "name": f"other_{layer.name}"})

    clone = models.clone_model(make(), clone_function=silent)
    assert "other_features" in [layer.name for layer in clone.layers]
    clone(data[0])


def test_a_user_s_own_layer_is_found_by_its_name(tmp_path, data):
    class Twice(layers.Layer):
        def call(self, inputs, training=False):
            return 2 * inputs

        def backward(self, gradient):
            return 2 * gradient

    model = models.Sequential([models.Sequential([Twice()]), layers.Dense(2)], seed=0)
    model(data[0])
    model.save(tmp_path / "own.npz")
    twin = models.load_model(tmp_path / "own.npz", custom_objects={"Twice": Twice})
    np.testing.assert_array_equal(twin(data[0]), model(data[0]))


def test_the_shape_of_the_outputs_is_known():
    model = chain()
    assert model.compute_output_shape((None, 3)) == (None, 2)
    assert not hasattr(model, "input_shape")
    model.build((None, 3))
    assert model.input_shape == (None, 3)
    assert model.output_shape == (None, 2)
    assert models.Sequential([model, layers.Dense(1)]).output_shape == (None, 1)
    assert graph().compute_output_shape((7, 3)) == (7, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: models.Nested("features"), TypeError, "model must be a Sequential or a Model"),
        (
            lambda: models.Sequential([layers.Input((3,)), layers.Dense(1)]).build((None, 4)),
            ValueError,
            r"input_shape must be \(batch, ...\) with \(3,\) as the Input says, got \(None, 4\)",
        ),
        (
            lambda: models.clone_model(chain(), clone_function=lambda layer: None),
            TypeError,
            "clone_function must be a function that returns layers, got None",
        ),
        (
            lambda: models.Sequential.from_config(
                {"layers": [{"class_name": "Sequentially", "config": {}}]}
            ),
            ValueError,
            "layer must be one of",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_cannot_be_a_layer_is_refused():
    start, part = layers.Input((3,)), features()
    inside = part.layers[0]
    with pytest.raises(ValueError, match=f"layer {inside.name} must be in one place"):
        models.Model(start, layers.Concatenate()([part(start), inside(start)]))
    two = models.Model(start, [layers.Dense(1)(start), layers.Dense(1)(start)])
    with pytest.raises(ValueError, match="must have one input and one output to be a layer"):
        models.Sequential([two])


def test_a_model_can_be_pickled(data):
    model = chain()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(*data)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict(data[0]), model.predict(data[0]))
    assert twin.fit(*data).history == model.fit(*data).history


def test_a_sequential_that_has_only_an_input_yet_can_be_nested():
    inner = models.Sequential()
    inner.add(layers.Input(shape=(16,)))
    model = models.Sequential([inner])
    inner.add(layers.Dense(2))
    assert model.predict(np.ones((3, 16), "float32")).shape == (3, 2)
