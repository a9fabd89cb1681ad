"""Running statistics of batch normalization that are computed anew."""

import numpy as np
import pytest

from reglib import callbacks, layers, models
from reglib.models import renew_batch_statistics

RNG = np.random.default_rng(0)
X = RNG.normal(7, 3, size=(103, 4))


def norm(**options):
    return layers.BatchNormalization(dtype="float64", **options)


def dense(units, **options):
    return layers.Dense(units, dtype="float64", activation="tanh", **options)


def statistics(layer):
    return layer.moving_mean.value, layer.moving_variance.value


def is_exact(layer, inputs):
    axes = tuple(range(inputs.ndim - 1))
    mean, variance = statistics(layer)
    np.testing.assert_allclose(mean, inputs.mean(axis=axes), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(variance, inputs.var(axis=axes), rtol=1e-10)


@pytest.mark.parametrize("batch_size", [None, 1, 10, 103, 500])
def test_statistics_are_those_of_all_data_whatever_the_batches(batch_size):
    model = models.Sequential(
        [norm(input_shape=(4,)), dense(5), layers.Dropout(0.5, dtype="float64"), norm(), dense(2)]
    )
    renew_batch_statistics(model, X, batch_size)
    first, hidden, _, second, _ = model.layers
    is_exact(first, X)
    is_exact(second, hidden(first(X)))


def test_one_call_in_training_mode_would_not_do():
    model = models.Sequential([norm(input_shape=(4,))])
    model(X, training=True)
    assert (np.abs(statistics(model.layers[0])[0]) < 0.1).all()
    renew_batch_statistics(model, X)
    is_exact(model.layers[0], X)


def test_models_within_and_layers_of_two_uses_are_renewed():
    start, shared = layers.Input((4,), dtype="float64"), norm()
    part = models.Sequential([norm(input_shape=(4,))])
    hidden = part(shared(shared(start)))
    model = models.Model(start, hidden)
    for _ in range(300):  # the second use depends on the first, so it takes a few
        renew_batch_statistics(model, X)
    once = X
    seen = []
    for _ in range(2):
        seen.append(once)
        once = shared(once)
    is_exact(shared, np.concatenate(seen))
    is_exact(part.layers[0], once)


def test_images_and_channels_first():
    images = RNG.normal(2, 3, size=(20, 3, 5, 5))
    model = models.Sequential([norm(axis=1, input_shape=(3, 5, 5))])
    renew_batch_statistics(model, images, batch_size=6)
    is_exact(model.layers[0], np.moveaxis(images, 1, -1))


def test_masked_steps_do_not_count():
    x = RNG.normal(3, 2, size=(30, 6, 4))
    x[:, 4:] = 0
    model = models.Sequential([layers.Masking(input_shape=(6, 4), dtype="float64"), norm()])
    renew_batch_statistics(model, x, batch_size=7)
    is_exact(model.layers[1], x[:, :4])


def test_frozen_layers_keep_their_statistics():
    model = models.Sequential([norm(input_shape=(4,), trainable=False)])
    renew_batch_statistics(model, X)
    np.testing.assert_array_equal(statistics(model.layers[0])[0], np.zeros(4))


def test_calls_afterwards_gather_nothing():
    model = models.Sequential([norm(input_shape=(4,))])
    renew_batch_statistics(model, X)
    before = model.predict(X)
    model.predict(1000 + X)
    np.testing.assert_array_equal(model.predict(X), before)
    assert "call" not in vars(model.layers[0])


def test_averaged_weights_predict_better_after_it():
    x = np.random.default_rng(1).normal(size=(200, 3))
    y = x @ [[1.0], [-2.0], [0.5]]
    model = models.Sequential([dense(16), norm(), layers.Dense(1, dtype="float64")], seed=0)
    model.compile("sgd", "mse")
    model.fit(x, y, epochs=5, verbose=0, callbacks=[callbacks.SWA(start_epoch=1)])
    before = model.evaluate(x, y, verbose=0)
    renew_batch_statistics(model, x)
    assert model.evaluate(x, y, verbose=0) < before


def test_bad_arguments_are_refused():
    model = models.Sequential([norm()])
    with pytest.raises(ValueError, match="must be built"):
        renew_batch_statistics(model, X)
    with pytest.raises(TypeError, match="model must be a model"):
        renew_batch_statistics(norm(), X)
