"""Lines that Keras's users write: each does here what it does there, or says that it does not."""

import warnings

import numpy as np
import pytest

from reglib import (
    activations,
    callbacks,
    initializers,
    interop,
    layers,
    models,
    optimizers,
    regularizers,
)
from reglib.textbook import ridge_closed_form

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 4)).astype("float32"), RNG.normal(size=(16, 1)).astype("float32")


# Weights that do not decay.

NAMES = ["kernel", "bias", "gamma", "beta", "moving_mean", "depthwise_kernel"]


@pytest.mark.keras
@pytest.mark.parametrize(
    "patterns",
    [["bias"], ["gamma|beta"], ["gamma|beta", "^bias$"], ["^kernel$"], ["kernel$"], [".*"], ["K"]],
)
def test_names_that_do_not_decay_are_regular_expressions(patterns, keras):
    ours, theirs = optimizers.AdamW(), keras.optimizers.AdamW()
    for optimizer in (ours, theirs):
        optimizer.exclude_from_weight_decay(var_names=patterns)
    parameters = [layers.Parameter([1.0], name=name) for name in NAMES]
    variables = [keras.Variable([1.0], name=name) for name in NAMES]
    decays = [theirs._use_weight_decay(variable) for variable in variables]
    assert [ours.decays(parameter) for parameter in parameters] == decays


def test_a_name_that_is_no_regular_expression_is_refused():
    with pytest.raises(ValueError, match=r"var_names must be regular expressions, got '\('"):
        optimizers.AdamW().exclude_from_weight_decay(var_names=["("])


# The shape of noise.


@pytest.mark.keras
@pytest.mark.parametrize("layer", ["Dropout", "AlphaDropout"])
@pytest.mark.parametrize(
    "noise_shape", [(4,), (1,), (3, 1), (None, 1, None), (6, 1, 1), (1, 1, 1), (3, None)]
)
def test_noise_repeats_over_the_inputs_as_kerass(layer, noise_shape, keras):
    x = np.ones((6, 3, 4), "float32")

    def repeats(outputs):
        outputs = np.asarray(outputs)
        return [bool((outputs == np.take(outputs, [0], axis)).all()) for axis in range(3)]

    try:
        theirs = getattr(keras.layers, layer)(0.5, noise_shape=noise_shape, seed=1)
        expected = repeats(theirs(x, training=True))
    except Exception:
        expected = None
    ours = getattr(layers, layer)(0.5, noise_shape=noise_shape, seed=1)
    if expected is None:
        with pytest.raises(ValueError, match=r"noise_shape of layer .* must repeat over inputs"):
            ours(x, training=True)
    else:
        assert repeats(ours(x, training=True)) == expected


@pytest.mark.parametrize("noise_shape", [(4, 3), (1, 1, 4, 2), (2, 4, 2), (3,), (4, 3, 1)])
@pytest.mark.parametrize("training", [True, False])
def test_a_noise_shape_that_does_not_fit_is_refused_before_training(noise_shape, training):
    layer = layers.Dropout(0.5, noise_shape=noise_shape, name="drop")
    with pytest.raises(ValueError, match=r"noise_shape of layer drop must repeat over inputs of"):
        layer(np.ones((4, 2)), training=training)


def test_a_noise_shape_of_a_fixed_batch_is_refused_for_another_one():
    layer = layers.Dropout(0.5, noise_shape=(4, 1))
    layer(np.ones((4, 2)), training=True)
    with pytest.raises(ValueError, match="noise_shape"):
        layer(np.ones((3, 2)), training=True)


# A kernel of zeros.


@pytest.mark.parametrize("inner", [lambda: layers.Dense(3), lambda: layers.Conv1D(3, 1)])
def test_spectral_normalization_of_zeros_is_zeros(inner):
    layer = inner()
    layer.kernel_initializer = initializers.Zeros()
    wrapped = layers.SpectralNormalization(layer)
    outputs = wrapped(np.ones((2, 5, 4)), training=True)
    back = wrapped.backward(np.ones_like(outputs))
    for array in (outputs, back, layer.kernel.value, layer.kernel.gradient):
        assert np.isfinite(array).all()
    assert not outputs.any()


# Functions where Keras takes them.


@pytest.mark.parametrize("role", ["kernel", "bias", "activity"])
def test_a_penalty_without_a_derivative_is_refused_at_once(role):
    class WithoutGradient(regularizers.Regularizer):
        def __call__(self, x):
            return np.sum(x)

    for penalty in (lambda w: 0.1 * np.sum(w**2), WithoutGradient(), np.sum):
        with pytest.raises(TypeError, match=rf"{role}_regularizer must have its derivative"):
            layers.Dense(1, **{f"{role}_regularizer": penalty})
        with pytest.raises(TypeError, match="regularizer must have its derivative"):
            layers.Parameter([1.0], regularizer=penalty)


def test_a_constraint_and_an_initializer_may_be_functions():
    layer = layers.Dense(
        1,
        kernel_initializer=lambda shape, dtype=None: np.full(shape, 2.0, dtype),
        kernel_constraint=lambda w: np.minimum(w, 0.5),
    )
    model = models.Sequential([layer])
    model.build((None, 4))
    assert (layer.kernel.value == 2).all()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert (layer.kernel.value <= 0.5).all()


# What inputs are.


@pytest.mark.parametrize("make", ["sequence", "graph", "within"])
@pytest.mark.keras
def test_whole_numbers_may_be_declared(make, keras, tmp_path):
    def model_of(L, M):
        start = L.Input((5,), dtype="int32")
        embedding = L.Embedding(20, 3)
        if make == "graph":
            return M.Model(start, embedding(start))
        within = M.Sequential([start, embedding])
        return (
            within if make == "sequence" else M.Sequential([L.Input((5,), dtype="int32"), within])
        )

    ours, theirs = model_of(layers, models), model_of(keras.layers, keras.models)
    theirs.set_weights(ours.get_weights())
    ids = np.arange(10).reshape(2, 5)
    expected = np.asarray(theirs(ids))
    ours.save(tmp_path / "model.npz")
    for model in (ours, models.clone_model(ours), models.load_model(tmp_path / "model.npz")):
        model.set_weights(ours.get_weights())
        np.testing.assert_array_equal(model(ids), expected)
        np.testing.assert_array_equal(model.predict(ids, verbose=0), expected)
    back = interop.from_keras(interop.to_keras(ours))
    np.testing.assert_array_equal(back(ids), expected)


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint8", "bool"])
@pytest.mark.keras
def test_a_sequence_casts_to_what_its_input_says(dtype, keras):
    x = np.array([[1.75, -0.5, 3.0]])
    x = abs(x) if dtype == "uint8" else x
    outputs = [
        M.Sequential([L.Input((3,), dtype=dtype), L.Rescaling(1.0)])(x)
        for L, M in ((layers, models), (keras.layers, keras.models))
    ]
    np.testing.assert_array_equal(outputs[0], np.asarray(outputs[1]))


def test_arithmetic_on_whole_numbers_is_done_in_floats():
    start = layers.Input((2,), dtype="int32")
    model = models.Model(start, (start + start) * 0.5 - 1)
    np.testing.assert_array_equal(model(np.array([[3, 4]])), [[2.0, 3.0]])


# Messages.


@pytest.mark.parametrize("watch", [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau])
def test_a_monitor_that_is_unknown_is_told_what_the_log_holds(watch):
    model = models.Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=["accuracy"])
    arguments = {"validation_split": 0.5, "callbacks": [watch("val_acc")], "verbose": 0}
    with pytest.raises(ValueError, match="the logs have loss, accuracy, val_loss, val_accuracy"):
        model.fit(X, Y, **arguments)


@pytest.mark.keras
@pytest.mark.parametrize("make", ["Dense", "Activation", "Softmax"])
def test_softmax_of_a_single_output_warns(make, keras):
    for L in (layers, keras.layers):
        layer = {
            "Dense": lambda L: L.Dense(1, "softmax"),
            "Activation": lambda L: L.Activation("softmax"),
            "Softmax": lambda L: L.Softmax(),
        }[make](L)
        with pytest.warns(UserWarning, match="softmax over axis -1"):
            layer(np.ones((2, 1)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            L.Activation("softmax")(np.ones((2, 2)))
    with pytest.warns(UserWarning, match="a single output needs a sigmoid"):
        activations.softmax(np.ones((2, 1)))


@pytest.mark.parametrize("lam", [0, 1e-300, 1e-20, 1e-17])
@pytest.mark.parametrize("scale", [1, 1e-6, 1e6])
def test_ridge_of_dependent_columns_and_a_vanishing_strength_is_refused(lam, scale):
    column = RNG.normal(size=(20, 1))
    dependent = np.hstack([column, 3 * column, RNG.normal(size=(20, 1))]) * scale
    with pytest.raises(ValueError, match=r"lam must be above 0, by more than"):
        ridge_closed_form(dependent, Y[:, 0].repeat(2)[:20], lam * scale**2)


@pytest.mark.parametrize("lam", [1e-6, 1.0])
def test_ridge_of_dependent_columns_has_a_solution_where_the_strength_counts(lam):
    column, y = RNG.normal(size=(20, 1)), RNG.normal(size=20)
    w = ridge_closed_form(np.hstack([column, column]), y, lam)
    assert w[0] == pytest.approx(w[1], rel=1e-6)
    gradient = 2 * column.T @ (column @ w[:1] + column @ w[1:] - y) + 2 * lam * w[0]
    assert abs(gradient[0]) < 1e-8


def test_ridge_minds_no_units():
    X_, y = RNG.normal(size=(20, 3)), RNG.normal(size=20)
    units = np.array([1.0, 1e-9, 1e9])
    np.testing.assert_allclose(
        ridge_closed_form(X_ * units, y, 0) * units, ridge_closed_form(X_, y, 0), rtol=1e-8
    )


# Files of another format.


@pytest.fixture
def model():
    model = models.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("m.keras", lambda m, path: m.save(path)),
        ("m.keras", lambda m, path: models.save_model(m, path)),
        ("m.h5", lambda m, path: m.save(path)),
        ("m.weights.h5", lambda m, path: m.save_weights(path)),
        (
            "m.keras",
            lambda m, path: m.fit(X, Y, callbacks=[callbacks.ModelCheckpoint(path)], verbose=0),
        ),
        (
            "m.weights.h5",
            lambda m, path: m.fit(
                X, Y, callbacks=[callbacks.ModelCheckpoint(path, save_weights_only=True)], verbose=0
            ),
        ),
    ],
)
def test_a_file_that_is_called_as_kerass_is_written_with_a_word(name, write, model, tmp_path):
    path = tmp_path / name
    with pytest.warns(UserWarning, match=rf"{name} will be a NumPy archive .* call it m\.npz"):
        write(model, str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if "weights" in name:
            model.load_weights(path)
        else:
            models.load_model(path)


def test_a_file_that_is_called_npz_is_written_without_a_word(model, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save(tmp_path / "model.npz")
        model.save_weights(tmp_path / "weights.npz")


@pytest.mark.keras
def test_a_file_of_keras_is_refused_with_the_way_to_read_it(model, tmp_path, keras):
    theirs = interop.to_keras(model)
    theirs.save(tmp_path / "theirs.keras")
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    with pytest.raises(ValueError, match=r"Keras wrote it: .* interop\.from_keras"):
        models.load_model(tmp_path / "theirs.keras")
    with pytest.raises(ValueError, match=r"Keras wrote it: .* interop\.from_keras"):
        model.load_weights(tmp_path / "theirs.weights.h5")
