"""What is frozen: weights that no step changes, at whatever level it was said, and when."""

import types

import numpy as np
import pytest

from reglib import callbacks, interop, layers, models

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 5)).astype("float32"), RNG.normal(size=(24, 1)).astype("float32")
pytestmark = pytest.mark.keras


@pytest.fixture(params=["reglib", "keras"])
def library(request):
    """Layers and models of one library."""
    if request.param == "reglib":
        return types.SimpleNamespace(layers=layers, models=models)
    return request.getfixturevalue("keras")


def sequence(lib, *within):
    return lib.models.Sequential([lib.layers.Input((5,)), *within])


def graph(lib):
    start = lib.layers.Input((5,))
    return lib.models.Model(start, lib.layers.Dense(1)(lib.layers.Dense(4)(start)))


def transfer(lib):
    return sequence(lib, sequence(lib, lib.layers.Dense(4)), lib.layers.Dense(1))


def counts(thing):
    return len(thing.trainable_weights), len(thing.non_trainable_weights)


@pytest.mark.parametrize("make", [graph, transfer])
def test_a_frozen_model_has_no_trainable_weights_and_is_freed_again(library, make):
    model = make(library)
    model.trainable = False
    assert counts(model) == (0, 4)
    assert not any(layer.trainable for layer in model.layers if counts(layer) != (0, 0))
    model.trainable = True
    assert counts(model) == (4, 0)


def test_a_frozen_part_counts_as_frozen_in_the_whole(library):
    model = transfer(library)
    model.layers[0].trainable = False
    assert counts(model) == (2, 2)
    assert counts(model.layers[0].layers[0]) == (0, 2)


def test_a_layer_that_is_freed_within_a_frozen_part_is_trained_by_the_whole(library):
    part = sequence(library, library.layers.Dense(4), library.layers.Dense(3))
    model = sequence(library, part, library.layers.Dense(1))
    part.trainable = False
    part.layers[1].trainable = True
    assert counts(part) == (0, 4)
    assert counts(model) == (4, 2)


def test_a_layer_that_is_added_to_a_frozen_model_is_frozen_with_it(library):
    model = sequence(library, library.layers.Dense(4))
    model.trainable = False
    model.add(library.layers.Dense(3))
    assert len(model.trainable_weights) == 0
    assert model.layers[-1].trainable


WRAPPERS = {
    "TimeDistributed": (lambda lib, **o: lib.layers.TimeDistributed(lib.layers.Dense(3), **o), 2),
    "Bidirectional": (lambda lib, **o: lib.layers.Bidirectional(lib.layers.LSTM(3), **o), 6),
    "SpectralNormalization": (
        lambda lib, **o: lib.layers.SpectralNormalization(lib.layers.Conv1D(3, 1), **o),
        2,
    ),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_frozen_wrapper_freezes_what_it_wraps(library, wrapper, at_once):
    make, number = WRAPPERS[wrapper]
    layer = make(library, trainable=False) if at_once else make(library)
    layer.build((None, 4, 5))
    layer.trainable = False
    assert len(layer.trainable_weights) == 0
    layer.trainable = True
    assert len(layer.trainable_weights) == number


def test_statistics_stay_untrained_when_a_model_is_freed(library):
    model = sequence(library, library.layers.BatchNormalization())
    model.trainable = False
    model.trainable = True
    assert counts(model) == (2, 2)


def test_frozen_batch_normalization_keeps_its_statistics(library):
    norm = library.layers.BatchNormalization()
    model = sequence(library, norm)
    model.trainable = False
    model(X, training=True)
    np.testing.assert_array_equal(np.asarray(norm.moving_mean), np.zeros(5))


def test_freezing_one_weight_leaves_the_order_of_weights(library):
    layer = library.layers.Dense(4)
    layer.build((None, 5))
    layer.kernel.trainable = False
    assert [tuple(w.shape) for w in layer.weights] == [(5, 4), (4,)]
    assert [w.name for w in layer.trainable_weights] == ["bias"]
    layer.trainable = True
    assert [w.name for w in layer.trainable_weights] == ["kernel", "bias"]


def test_frozen_weights_are_not_penalized_but_their_activities_are(library):
    def loss(**options):
        layer = library.layers.Dense(1, kernel_initializer="ones", **options)
        model = sequence(library, layer)
        model.compile("sgd", "mse")
        if keras_arrays := getattr(library, "ops", None):
            return float(keras_arrays.mean((model(X) - Y) ** 2)) + sum(map(float, model.losses))
        return model.evaluate(X, Y, verbose=0, batch_size=24)

    plain = loss()
    assert loss(kernel_regularizer="l2") > plain
    assert loss(kernel_regularizer="l2", trainable=False) == pytest.approx(plain)
    assert loss(activity_regularizer="l2", trainable=False) > plain


# In steps; Keras's NumPy backend takes none.


def moved(model, train):
    """Return which weights training changes."""
    before = model.get_weights()
    train(model)
    return [bool((a != b).any()) for a, b in zip(before, model.get_weights(), strict=True)]


def fit(model):
    model.fit(X, Y, verbose=0)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.parametrize("first", ["freeze", "compile"])
def test_a_frozen_part_is_not_trained_whether_frozen_before_compile_or_after(library, first):
    model = transfer(library)
    if first == "freeze":
        model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    assert moved(model, fit) == [False, False, True, True]


@pytest.mark.not_on_keras_numpy("cannot train")
def test_a_layer_that_is_freed_within_a_frozen_part_learns(library):
    part = sequence(library, library.layers.Dense(4), library.layers.Dense(3))
    model = sequence(library, part, library.layers.Dense(1))
    part.trainable = False
    part.layers[0].trainable = True
    model.compile("sgd", "mse")
    assert moved(model, fit) == [True, True, False, False, True, True]


def test_a_wrapper_that_is_frozen_as_it_is_made_is_frozen_in_a_model_too():
    # Keras 3.15.1 trains what is in it.
    model = models.Sequential([layers.TimeDistributed(layers.Dense(3), trainable=False)])
    model.build((None, 4, 5))
    assert counts(model) == (0, 2)


@pytest.mark.not_on_keras_numpy("cannot train")
def test_a_model_that_is_frozen_whole_trains_to_no_effect(library):
    model = graph(library)
    model.compile("sgd", "mse")
    model.trainable = False
    assert moved(model, fit) == [False] * 4


def of_ours(make=transfer):
    model = make(types.SimpleNamespace(layers=layers, models=models))
    model.compile("sgd", "mse")
    return model


def test_what_is_frozen_between_two_steps_holds_from_the_next_step_on():
    model = of_ours()
    steps = [lambda m: m.train_step(X, Y), lambda m: m.train_on_batch(X, Y)]
    for step in steps:
        for frozen in (False, True, False):
            model.layers[0].trainable = not frozen
            assert moved(model, step) == [not frozen, not frozen, True, True]


def test_what_a_callback_frees_learns_from_the_next_step_on():
    model = of_ours()
    model.layers[0].trainable = False
    after = []

    def free(epoch, logs):
        after.append(model.get_weights()[0])
        model.layers[0].trainable = epoch >= 1

    hooks = callbacks.LambdaCallback(on_epoch_end=free)
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[hooks])
    assert (after[0] == after[1]).all()
    assert (after[1] != after[2]).any()


def test_a_step_before_fit_prepares_itself():
    model = models.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    loss, _, outputs = model.train_step(X, Y)
    assert outputs.shape == (24, 1)
    assert model.train_step(X, Y)[0] < loss


@pytest.mark.parametrize("make", [graph, transfer])
@pytest.mark.parametrize("way", ["saving", "json", "cloning", "Keras"])
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_frozen_outlives(way, make, whole, tmp_path, keras):
    model = of_ours(make)
    (model if whole else model.layers[-2]).trainable = False
    if way == "saving":
        model.save(tmp_path / "model.npz")
        twins = [models.load_model(tmp_path / "model.npz")]
    elif way == "json":
        twins = [models.model_from_json(model.to_json())]
    elif way == "cloning":
        twins = [models.clone_model(model)]
    else:
        theirs = interop.to_keras(model)
        twins = [theirs, interop.from_keras(theirs)]
    for twin in twins:
        assert counts(twin) == counts(model)
        twin.trainable = True
        assert counts(twin) == (4, 0)


# Layers of one's own: weights and layers are found among the attributes.


class Residual(layers.Layer):
    """Adds what a layer within makes, times a weight."""

    def __init__(self, within=None, **kwargs):
        super().__init__(**kwargs)
        self.within = within or [layers.Dense(5)]

    def build(self, input_shape):
        self.scale = layers.Parameter(np.ones(1), name="scale", dtype=self.dtype)

    def call(self, inputs, training=False):
        self.branch = self.within[0](inputs, training=training)
        return inputs + self.scale.value * self.branch

    def backward(self, gradient):
        self.scale.gradient[...] = np.sum(gradient * self.branch)
        return gradient + self.within[0].propagate_back(gradient * self.scale.value)


def test_weights_and_layers_among_the_attributes_are_trained_from_the_first_step_on():
    model = models.Sequential([layers.Input((5,)), Residual(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.train_step(X, Y)
    assert len(model.trainable_weights) == 5
    assert moved(model, lambda m: m.train_step(X, Y)) == [True] * 5


def test_layers_among_the_attributes_are_frozen_with_their_owner():
    layer = Residual()
    layer(X)
    layer.trainable = False
    assert counts(layer) == (0, 3)
    assert not layer.within[0].trainable


@pytest.mark.parametrize("container", [list, tuple, lambda layers: {"a": layers[0]}])
def test_layers_are_found_in_lists_tuples_and_dicts(container):
    class Holder(layers.Layer):
        pass

    holder, within = Holder(), layers.Dense(2)
    holder.parts = container([within])
    assert holder.sublayers() == (within,)
