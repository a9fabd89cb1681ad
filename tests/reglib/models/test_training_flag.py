"""Whether noise is on: what a call says, else what the graph was drawn with, else the layer."""

import types

import numpy as np
import pytest

from reglib import interop, layers, models

X = np.ones((6, 4, 8), "float32")
LIBRARIES = ["reglib", "keras"]


@pytest.fixture(params=LIBRARIES)
def library(request):
    """Layers and models of one library."""
    if request.param == "reglib":
        return types.SimpleNamespace(layers=layers, models=models)
    return request.getfixturevalue("keras")


pytestmark = pytest.mark.keras


def is_noisy(model, training, x=X):
    """Return whether outputs of ones are something else."""
    outputs = model.predict(x, verbose=0) if training == "predict" else model(x, training=training)
    return bool((np.asarray(outputs) != 1).any())


def monte_carlo(lib, flag=True, layer=None):
    start = lib.layers.Input((4, 8))
    noise = (layer or lib.layers.Dropout)(0.5)
    return lib.models.Model(start, noise(start, training=flag))


def within_a_sequence(lib):
    return lib.models.Sequential([lib.layers.Input((4, 8)), monte_carlo(lib)])


def within_a_graph(lib):
    start = lib.layers.Input((4, 8))
    return lib.models.Model(start, monte_carlo(lib)(start))


def a_sequence_that_is_told(lib):
    start = lib.layers.Input((4, 8))
    part = lib.models.Sequential([lib.layers.Input((4, 8)), lib.layers.Dropout(0.5)])
    return lib.models.Model(start, part(start, training=True))


def told_against_its_own_flag(lib):
    start = lib.layers.Input((4, 8))
    return lib.models.Model(start, monte_carlo(lib, False)(start, training=True))


def over_time_steps(lib):
    start = lib.layers.Input((4, 8))
    return lib.models.Model(
        start, lib.layers.TimeDistributed(lib.layers.Dropout(0.5))(start, training=True)
    )


def a_noisy_model_over_time_steps(lib):
    start = lib.layers.Input((8,))
    part = lib.models.Model(start, lib.layers.Dropout(0.5)(start, training=True))
    return lib.models.Sequential([lib.layers.Input((4, 8)), lib.layers.TimeDistributed(part)])


NOISY = [
    *(monte_carlo, within_a_sequence, within_a_graph, a_sequence_that_is_told),
    *(told_against_its_own_flag, over_time_steps, a_noisy_model_over_time_steps),
]


@pytest.mark.parametrize("make", NOISY)
def test_a_flag_in_the_graph_holds_unless_the_call_says_otherwise(library, make):
    model = make(library)
    assert is_noisy(model, None)
    assert is_noisy(model, True)
    assert not is_noisy(model, False)
    assert not is_noisy(model, "predict")


@pytest.mark.parametrize("layer", ["Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout"])
def test_every_noise_layer_keeps_its_flag(library, layer):
    model = monte_carlo(library, layer=getattr(library.layers, layer))
    assert is_noisy(model, None)
    assert not is_noisy(model, False)


@pytest.mark.parametrize("flag", [None, False])
def test_noise_is_off_where_nobody_says_anything(library, flag):
    model = monte_carlo(library, flag)
    assert not is_noisy(model, None)
    assert is_noisy(model, True)


def test_a_recurrent_layer_keeps_its_flag(library):
    start = library.layers.Input((4, 8))
    outputs = library.layers.LSTM(3, dropout=0.5)(start, training=True)
    model = library.models.Model(start, outputs)
    once, again = (np.asarray(model(X)) for _ in range(2))
    assert (once != again).any()
    once, again = (np.asarray(model(X, training=False)) for _ in range(2))
    assert (once == again).all()


@pytest.mark.parametrize("wrapped", [False, True])
def test_augmentation_is_on_unless_it_is_told_otherwise(library, wrapped):
    images = np.random.default_rng(0).uniform(0, 9, (8, 5, 5, 1)).astype("float32")
    layer = library.layers.RandomTranslation(0.5, 0.5)
    if wrapped:
        layer = library.models.Sequential([layer])
    model = library.models.Sequential([layer])
    assert (np.asarray(model(images)) != images).any()
    assert (np.asarray(model(images, training=False)) == images).all()
    assert (np.asarray(model.predict(images, verbose=0)) == images).all()


@pytest.mark.parametrize("make", NOISY)
@pytest.mark.parametrize("way", ["saving", "json", "cloning", "Keras"])
def test_the_flag_outlives(way, make, tmp_path, keras):
    model = make(types.SimpleNamespace(layers=layers, models=models))
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
        assert is_noisy(twin, None)
        assert not is_noisy(twin, False)


def test_a_shared_layer_has_a_flag_for_each_use():
    start, noise = layers.Input((8,)), layers.Dropout(0.5)
    model = models.Model(start, [noise(start, training=True), noise(start)])
    noisy, clear = model(np.ones((6, 8)))
    assert (noisy != 1).any()
    assert (clear == 1).all()
    # In training both uses draw: the flag gives way to what fit says.
    assert all((outputs != 1).any() for outputs in model(np.ones((6, 8)), training=True))


def test_a_layer_of_ones_own_is_told_none_where_that_is_its_default():
    told = []

    class Listening(layers.Layer):
        def call(self, inputs, training=None):
            told.append(training)
            return inputs

    model = models.Sequential([models.Sequential([Listening()])])
    model.build((None, 2))
    told.clear()  # of calls that find out shapes
    for training in (None, True, False):
        model(np.ones((1, 2)), training=training)
    assert told == [None, True, False]


def test_a_flag_must_be_one():
    start = layers.Input((8,))
    with pytest.raises(TypeError, match="training must be True or False, got 'yes'"):
        layers.Dropout(0.5)(start, training="yes")
