"""The small things that programs need: seeds, classes as vectors, sequences as arrays."""

import numpy as np
import pytest

import reglib
from reglib import layers, models, random, saving, utils


def history(**seeds):
    model = models.Sequential([layers.Dense(4), layers.Dropout(0.5), layers.Dense(1)], **seeds)
    model.compile("sgd", "mse")
    x = np.linspace(-1, 1, 24).reshape(8, 3)
    return model.fit(x, x.sum(axis=1), epochs=2, batch_size=4).history["loss"]


@pytest.fixture(autouse=True)
def unseeded():
    yield
    reglib._seeding.seed_all(None)


def test_one_seed_makes_weights_masks_and_shuffling_repeatable():
    runs = []
    for _ in range(2):
        utils.set_random_seed(5)
        runs.append((history(), random.normal((2,)).tolist()))
    assert runs[0] == runs[1]
    assert history() != runs[0][0]


def test_a_models_own_seed_has_nothing_to_do_with_it():
    before = history(seed=3)
    utils.set_random_seed(5)
    assert history(seed=3) == before


def test_without_a_seed_no_two_runs_are_alike():
    assert history() != history()


@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 2)])
def test_classes_become_vectors(shape):
    classes = np.array([0, 2, 1, 2]).reshape(shape)
    vectors = utils.to_categorical(classes)
    assert vectors.shape == (*(shape[:-1] if shape[-1] == 1 else shape), 3)
    np.testing.assert_array_equal(vectors.argmax(axis=-1).ravel(), classes.ravel())
    np.testing.assert_array_equal(vectors.sum(axis=-1), 1)


@pytest.mark.keras
def test_utils_do_what_those_of_keras_do(keras, rng):
    for classes, number in (([0, 2, 1], None), ([[3], [1]], 5)):
        ours = utils.to_categorical(classes, number)
        theirs = keras.utils.to_categorical(classes, number)
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    x = rng.normal(size=(3, 4))
    for options in ({}, {"order": 1}):  # by another axis than the last, Keras fails
        np.testing.assert_allclose(
            utils.normalize(x, **options), keras.utils.normalize(x, **options)
        )
    sequences = [[1, 2, 3, 4], [5], [6, 7]]
    for options in (
        {},
        {"maxlen": 3},
        {"maxlen": 3, "truncating": "post", "padding": "post"},
        {"maxlen": 6, "value": -1, "dtype": "float32"},
    ):
        ours = utils.pad_sequences(sequences, **options)
        theirs = keras.utils.pad_sequences(sequences, **options)
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: utils.set_random_seed(-1), ValueError, "seed must be"),
        (lambda: utils.set_random_seed("one"), TypeError, "seed must be"),
        (lambda: utils.to_categorical([0, 3], 3), ValueError, r"x must hold classes in \[0, 3\)"),
        (lambda: utils.to_categorical([-1, 1]), ValueError, "x must hold classes"),
        (lambda: utils.to_categorical("a"), TypeError, "x must hold numbers"),
        (lambda: utils.to_categorical([]), ValueError, "x must not be empty"),
        (lambda: utils.to_categorical([1], 0), ValueError, "num_classes must be"),
        (lambda: utils.normalize([[1.0]], axis="last"), TypeError, "axis must be"),
        (lambda: utils.normalize([[1.0]], order=0), ValueError, "order must be"),
        (lambda: utils.normalize([[np.nan]]), ValueError, "x must be finite"),
        (lambda: utils.pad_sequences(3), TypeError, "sequences must be a list"),
        (lambda: utils.pad_sequences([[1]], value="no"), ValueError, "value must be of the dtype"),
        (lambda: utils.pad_sequences([[1]], maxlen=0), ValueError, "maxlen must be"),
        (lambda: utils.pad_sequences([[1]], padding="left"), ValueError, "padding must be"),
        (lambda: utils.pad_sequences([[1]], truncating=1), ValueError, "truncating must be"),
        (lambda: random.normal((2,), seed="one"), TypeError, "seed must be"),
        (lambda: random.uniform("ab"), TypeError, "shape must be"),
        (lambda: random.dropout([1.0], 1.5), ValueError, "rate must be"),
        (lambda: saving.serialize_keras_object(object()), TypeError, "obj must be plain data"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_layers_within_a_config_are_described_and_found_again():
    layer = layers.Dense(3, activation="relu", kernel_regularizer="l2")
    again = saving.deserialize_keras_object(saving.serialize_keras_object({"inner": [layer]}))
    assert again["inner"][0].get_config() == layer.get_config()


def test_names_begin_anew_after_the_session_is_cleared():
    utils.clear_session()
    assert [layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]


def test_a_seed_generator_is_used_up_and_an_integer_is_not():
    source = random.SeedGenerator(0)
    assert random.normal((), seed=source) != random.normal((), seed=source)
    assert random.normal((), seed=0) == random.normal((), seed=0)


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("normal", (1.0, 2.0)),
        ("truncated_normal", (1.0, 2.0)),
        ("uniform", (-1.0, 3.0)),
        ("randint", (-2, 5)),
        ("beta", (0.4, 0.7)),
        ("gamma", (2.0,)),
        ("binomial", (7.0, 0.3)),
    ],
)
def test_distributions_are_those_of_keras(keras, name, arguments):
    n = 20_000
    ours, theirs = (
        np.asarray(getattr(library.random, name)((n,), *arguments, seed=1))
        for library in (reglib, keras)
    )
    assert ours.dtype == theirs.dtype
    deviation = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 5 * deviation * (2 / n) ** 0.5
    np.testing.assert_allclose(ours.std(), deviation, rtol=0.03)
    np.testing.assert_allclose(
        np.quantile(ours, [0.1, 0.9]), np.quantile(theirs, [0.1, 0.9]), atol=0.1
    )


def test_classes_are_drawn_by_their_logits():
    drawn = random.categorical(np.log([[0.2, 0.8], [1.0, 1e-9]]), 4000, seed=0)
    assert drawn.shape == (2, 4000)
    np.testing.assert_allclose(drawn.mean(axis=1), [0.8, 0], atol=0.03)


def test_dropout_keeps_the_mean():
    dropped = random.dropout(np.ones((200, 200)), 0.25, seed=0)
    assert set(np.unique(dropped)) == {0, 1 / 0.75}
    assert abs(dropped.mean() - 1) < 0.02


def test_the_top_of_the_library_has_the_names_that_keras_has_there():
    assert reglib.Sequential is models.Sequential
    assert reglib.Model is models.Model
    assert reglib.Input is layers.Input
    assert reglib.Layer is layers.Layer
    assert {"Sequential", "layers", "ops"} <= set(dir(reglib))
