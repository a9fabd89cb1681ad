"""Layers that a model uses more than once: one set of weights, whose gradients add up."""

import numpy as np
import pytest

from reglib import interop, layers, models
from reglib.gradcheck import check_model
from reglib.models import trainer


def made(cls, *arguments, **options):
    return getattr(layers, cls)(*arguments, dtype="float64", **options)


def in_a_row():
    """One layer twice after itself, with another between, and a third use beside."""
    start, shared = layers.Input((4,), dtype="float64"), made("Dense", 4, "tanh", name="shared")
    trunk = shared(made("Dense", 4, "tanh", name="between")(shared(start)))
    met = made("Add")([trunk, shared(start)])
    return models.Model(start, made("Dense", 2)(met), seed=1), (4,)


def siamese():
    """A model of its own that reads both halves of a sequence, with penalties on what it does."""
    start = layers.Input((6, 3), dtype="float64")
    reader = models.Sequential(
        [
            made("Masking"),
            made("LSTM", 4, kernel_regularizer="l2"),
            made("Dense", 3, "tanh", activity_regularizer="l2"),
        ],
        name="reader",
    )
    halves = [reader(made("Reshape", (6, 3))(start)), reader(made("Dense", 3, "tanh")(start))]
    return models.Model(start, made("Dense", 2)(halves[0] - halves[1]), seed=2), (6, 3)


def images():
    """Convolutions, batch statistics and poolings of several uses."""
    start, shared = layers.Input((6, 6, 2), dtype="float64"), made("Conv2D", 2, 3, padding="same")
    normal, pool = made("BatchNormalization"), made("MaxPooling2D", 2)
    one = pool(normal(shared(start)))
    two = pool(normal(shared(made("Activation", "tanh")(shared(start)))))
    met = made("Flatten")(made("Concatenate")([one, two]))
    return models.Model(start, made("Dense", 2)(met), seed=3), (6, 6, 2)


def within():
    """A model with a shared layer, which is used twice itself."""
    inner = layers.Input((4,), dtype="float64")
    shared = made("Dense", 4, "tanh", bias_regularizer="l1")
    part = models.Model(inner, shared(shared(inner)), name="part")
    start = layers.Input((4,), dtype="float64")
    return models.Model(start, made("Dense", 2)(part(part(start))), seed=4), (4,)


def at_the_end():
    """The outputs come out of a layer that was used before: the first is not the last."""
    start, shared = layers.Input((3,), dtype="float64"), made("Dense", 3, "softmax")
    return models.Model(start, shared(made("Dense", 3)(shared(start))), seed=5), (3,)


GRAPHS = [in_a_row, siamese, images, within, at_the_end]


def compiled(make, rng):
    model, shape = make()
    model.compile("sgd", "categorical_crossentropy" if make is at_the_end else "mse")
    y = rng.random((7, model.output_shape[-1]))
    return model, rng.normal(size=(7, *shape)), y


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("make", GRAPHS)
def test_gradients_of_all_uses_add_up(make, training, rng):
    model, x, y = compiled(make, rng)
    error = check_model(model, x, y, training=training, rtol=1e-6)
    assert error < 1e-6


@pytest.mark.parametrize("make", GRAPHS)
def test_a_training_step_goes_down_the_gradient_of_all_uses(make, rng):
    """The step that fit takes, with the last activation left out of the way back, is that one."""
    model, x, y = compiled(make, rng)
    twin = models.clone_model(model, seed=0)
    twin.set_weights(model.get_weights())
    model.train_on_batch(x, y)
    before = twin.get_weights()
    twin._prepare(x)
    outputs = twin.forward(x, training=True)
    twin.backward(twin.loss.gradient(y, outputs))
    gradients = {id(p): p.gradient.copy() for p in twin.trainable_weights}
    for parameter, old, new in zip(twin.weights, before, model.get_weights(), strict=True):
        if id(parameter) in gradients:
            gradient = gradients[id(parameter)]
            if parameter.regularizer is not None:
                gradient = gradient + parameter.regularizer.gradient(parameter.value)
            np.testing.assert_allclose(new, old - 0.01 * gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("make", GRAPHS)
def test_the_gradient_of_the_inputs_comes_through_all_uses(make, rng):
    model, x, y = compiled(make, rng)
    step = rng.normal(size=x.shape)
    slope = np.sum(model.input_gradient(x, y) * step)

    def loss(scale):
        outputs = model.forward(x + scale * step, training=False)
        penalties = [
            layer.activity_penalty for top in model.layers for layer in (top, *top.sublayers())
        ]
        return float(model.loss(y, outputs)) + sum(penalties)

    np.testing.assert_allclose(slope, (loss(1e-6) - loss(-1e-6)) / 2e-6, rtol=1e-6)


def test_shared_weights_are_counted_kept_and_shown_once(rng):
    model, _ = in_a_row()
    assert [layer.name for layer in model.layers].count("shared") == 1
    assert len(model.get_weights()) == 6
    assert model.count_params() == 2 * 20 + 10
    lines = []
    model.summary(print_fn=lines.append)
    assert sum("shared" in line for line in lines) == 1
    assert "50 weights" in lines[-1]


def test_the_penalty_on_activities_counts_every_use(rng):
    start, shared = layers.Input((3,)), layers.Dense(3, activity_regularizer="l2", name="shared")
    model = models.Model(start, shared(shared(start)), seed=0)
    model.compile("sgd", "mse")
    x = rng.normal(size=(5, 3)).astype("float32")
    first = model.layers[1](x)
    expected = 0.01 * (np.sum(first**2) + np.sum(model.layers[1](first) ** 2)) / 5
    assert model.train_on_batch(x, x, return_dict=True)["penalty"] == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.parametrize("make", GRAPHS)
def test_a_saved_model_comes_back_with_its_uses(make, tmp_path, rng):
    model, x, y = compiled(make, rng)
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "model.npz")
    for twin in (models.load_model(tmp_path / "model.npz"), models.clone_model(model)):
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(twin.predict(x), model.predict(x))
        assert twin.evaluate(x, y) == model.evaluate(x, y)
        assert len(twin.weights) == len(model.weights)


@pytest.mark.keras
@pytest.mark.parametrize("make", GRAPHS)
def test_a_model_goes_to_keras_and_back_with_its_uses(make, keras, rng):
    model, x, _ = compiled(make, rng)
    theirs = interop.to_keras(model)
    assert len(theirs.weights) == len(model.weights)
    np.testing.assert_allclose(np.asarray(theirs(x)), model.predict(x), rtol=1e-4, atol=1e-5)
    back = interop.from_keras(theirs)
    np.testing.assert_allclose(back.predict(x), model.predict(x), rtol=1e-4, atol=1e-5)


@pytest.mark.keras
@pytest.mark.not_on_keras_numpy("does not train")
@pytest.mark.parametrize("make", [in_a_row, siamese])
def test_training_is_that_of_keras(make, keras, rng):
    model, x, y = compiled(make, rng)
    x, y = x.astype("float32"), y.astype("float32")
    for layer in trainer.every_layer(model.layers):
        # Keras's fit counts the activities of the last use alone, its layer's losses all.
        layer.activity_regularizer = None
    theirs = interop.to_keras(model)
    for _ in range(3):
        ours = model.train_on_batch(x, y)
        np.testing.assert_allclose(ours, theirs.train_on_batch(x, y), rtol=1e-4)
    for layer in model.layers:  # which Keras lists in another order
        others = theirs.get_layer(layer.name).get_weights()
        for mine, other in zip(layer.get_weights(), others, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


def test_a_layer_within_another_cannot_be_used_beside_it():
    start, part = layers.Input((3,)), models.Sequential([layers.Dense(3, name="inside")])
    with pytest.raises(ValueError, match="layer inside must be in one place, got it in another"):
        models.Model(start, layers.Add()([part(start), part.layers[0](start)]))


def test_a_layer_within_two_others_cannot_follow_itself():
    inner = layers.Dense(3, name="inside")
    model = models.Sequential([layers.TimeDistributed(inner)])
    for beside in (layers.TimeDistributed(inner), inner, layers.SpectralNormalization(inner)):
        with pytest.raises(ValueError, match="layer inside must be in one place, got it in anoth"):
            model.add(beside)
    assert len(model.layers) == 1
