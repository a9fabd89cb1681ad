"""Models: the same training as Keras from the same weights, and errors that help."""

import numpy as np
import pytest

from reglib import callbacks, layers, models, optimizers, regularizers
from reglib.gradcheck import check_gradient, check_model


def small_model(module_layers, module_models, module_regularizers):
    return module_models.Sequential(
        [
            module_layers.Dense(
                16, activation="relu", kernel_regularizer=module_regularizers.L2(0.01)
            ),
            module_layers.Dense(
                8,
                activation="tanh",
                kernel_regularizer=module_regularizers.L1L2(1e-3, 1e-3),
                activity_regularizer=module_regularizers.L2(1e-3),
            ),
            module_layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.fixture
def classes(rng):
    x = rng.normal(size=(50, 6)).astype("float32")
    return x, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
@pytest.mark.parametrize("weights", ["none", "class_weight", "sample_weight"])
@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_training_agrees_with_keras(optimizer, weights, classes, rng):
    import keras

    x, y = classes
    ours = small_model(layers, models, regularizers)
    theirs = small_model(keras.layers, keras, keras.regularizers)
    ours.compile(
        getattr(optimizers, optimizer)(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    theirs.compile(
        getattr(keras.optimizers, optimizer)(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    ours.build((None, 6))
    theirs.build((None, 6))
    ours.set_weights(theirs.get_weights())
    weighting = {
        "none": {},
        "class_weight": {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
        "sample_weight": {"sample_weight": rng.uniform(0.5, 2, size=50).astype("float32")},
    }
    options = {
        "batch_size": 16,
        "epochs": 5,
        "shuffle": False,
        "validation_split": 0.2,
        "verbose": 0,
        **weighting[weights],
    }
    our_history = ours.fit(x, y, **options).history
    their_history = theirs.fit(x, y, **options).history
    for name, values in their_history.items():
        np.testing.assert_allclose(our_history[name], values, rtol=2e-4, atol=1e-5, err_msg=name)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=2e-5)
    np.testing.assert_allclose(ours.evaluate(x, y), theirs.evaluate(x, y, verbose=0), rtol=1e-4)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_an_lstm_trains_as_in_keras(rng):
    import keras

    x = rng.normal(size=(40, 1, 12)).astype("float32")
    y = x[:, 0, :1]

    def build(module, module_layers):
        return module.Sequential([module_layers.LSTM(5), module_layers.Dense(1)])

    ours, theirs = build(models, layers), build(keras, keras.layers)
    for model, module in ((ours, optimizers), (theirs, keras.optimizers)):
        model.compile(module.RMSprop(learning_rate=0.001, rho=0.9, epsilon=1e-8), "mse")
        model.build((None, 1, 12))
    ours.set_weights(theirs.get_weights())
    options = {"epochs": 10, "shuffle": False, "validation_split": 0.25, "verbose": 0}
    np.testing.assert_allclose(
        ours.fit(x, y, **options).history["val_loss"],
        theirs.fit(x, y, **options).history["val_loss"],
        rtol=1e-4,
    )


def test_a_whole_model_passes_the_gradient_check(rng):
    model = models.Sequential(
        [
            layers.LSTM(4, recurrent_dropout=0.3, dtype="float64", kernel_regularizer="l2"),
            layers.Dropout(0.4, dtype="float64"),
            layers.Dense(5, activation="tanh", activity_regularizer="l2", dtype="float64"),
            layers.Dense(3, activation="softmax", dtype="float64"),
        ],
        seed=3,
    )
    x, y = rng.normal(size=(6, 4, 2)), rng.integers(0, 3, size=6)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert check_model(model, x, y, rtol=1e-6) < 1e-6


def test_a_small_cnn_passes_the_gradient_check(rng):
    double = {"dtype": "float64"}
    model = models.Sequential(
        [
            layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2", **double),
            layers.BatchNormalization(**double),
            layers.SpatialDropout2D(0.3, **double),
            layers.MaxPooling2D(**double),
            layers.Conv2D(4, 2, padding="same", activation="tanh", **double),
            layers.GlobalAveragePooling2D(**double),
            layers.Dense(3, activation="softmax", **double),
        ],
        seed=1,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = rng.normal(size=(5, 8, 8, 1)), rng.integers(0, 3, size=5)
    assert check_model(model, x, y, rtol=1e-6) < 1e-6


def test_the_same_seed_trains_the_same_model(classes):
    def trained(seed):
        model = models.Sequential(
            [layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(3)], seed=seed
        )
        model.compile("adam", "mse")
        model.fit(classes[0], np.eye(3)[classes[1]], epochs=2)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    np.testing.assert_array_equal(trained(5), trained(5))
    assert (trained(5) != trained(6)).any()


def test_validation_split_takes_the_end_before_shuffling(rng):
    x = np.ones((10, 1))
    y = np.r_[np.zeros(8), np.full(2, 100.0)]
    model = models.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.0), "mse")
    history = model.fit(x, y, validation_split=0.2).history
    assert history["loss"] == [0]
    assert history["val_loss"] == [10000]


def test_frozen_layers_keep_their_weights_and_pay_no_penalty(classes):
    frozen = layers.Dense(4, kernel_regularizer="l2", trainable=False)
    model = models.Sequential([frozen, layers.Dense(3, activation="softmax")], seed=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.build((None, 6))
    before = frozen.get_weights()
    history = model.fit(*classes, epochs=2).history
    for array, kept in zip(frozen.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    assert "penalty" not in history


def test_unfreezing_is_seen_by_the_next_fit(classes):
    layer = layers.Dense(4, trainable=False)
    model = models.Sequential([layer, layers.Dense(3, activation="softmax")], seed=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*classes)
    before = layer.get_weights()[0]
    layer.trainable = True
    model.fit(*classes)
    assert (layer.get_weights()[0] != before).any()


def test_two_models_can_share_a_layer(classes):
    x, y = classes
    shared = layers.Dense(4, activation="relu")
    first = models.Sequential([shared, layers.Dense(3, activation="softmax")], seed=0)
    second = models.Sequential([shared, layers.Dense(1)], seed=1)
    first.compile("adam", "sparse_categorical_crossentropy")
    second.compile("adam", "mse")
    first.fit(x, y)
    second.fit(x, y)
    loss_before = first.evaluate(x, y)
    first.fit(x, y, epochs=20)
    assert first.evaluate(x, y) < loss_before


def test_training_on_a_batch_returns_the_logs(classes):
    model = small_model(layers, models, regularizers)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    logs = model.train_on_batch(*classes, return_dict=True)
    assert set(logs) == {"loss", "data_loss", "penalty", "accuracy"}


def test_a_loss_of_nan_is_not_silent(classes):
    model = models.Sequential([layers.Dense(3)], seed=0)
    model.compile(optimizers.SGD(1e30), "mse")
    with (
        np.errstate(all="ignore"),
        pytest.warns(RuntimeWarning, match="the loss is NaN in epoch"),
    ):
        model.fit(classes[0], np.eye(3)[classes[1]], epochs=20)


def test_the_summary_counts_the_weights(capsys):
    model = models.Sequential([layers.LSTM(5, input_shape=(1, 12)), layers.Dense(1)], name="sun")
    model.summary()
    shown = capsys.readouterr().out
    assert "(None, 5)" in shown
    assert "360" in shown
    assert "366 weights: 366 trainable, 0 not" in shown


def test_a_model_that_is_not_built_has_a_summary_without_numbers(capsys):
    models.Sequential([layers.Dense(1, name="only")]).summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].split() == ["only", "(Dense)", "?", "?"]
    assert "not built" in lines[-1]


def test_the_summary_may_list_models_within_and_what_learns():
    part = models.Sequential([layers.Dense(3, name="inside", trainable=False)], name="part")
    lines = []
    model = models.Sequential([layers.Input((2,)), part, layers.Dense(1, name="last")])
    model.summary(print_fn=lines.append, expand_nested=True, show_trainable=True)
    assert [line.split()[0] for line in lines[3:6]] == ["part", "inside", "last"]
    assert [line.split()[-1] for line in lines[2:6]][1:] == ["no", "no", "yes"]


def test_progress_can_be_read_line_by_line(classes, capsys):
    model = small_model(layers, models, regularizers)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*classes, epochs=2, verbose=2)
    assert capsys.readouterr().out.count("Epoch") == 2


X, Y = np.ones((4, 2)), np.ones((4, 1))


def fitted(x=X, y=Y, **options):
    model = models.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    return model.fit(x, y, **options)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fitted(x=np.full((4, 2), np.nan)), ValueError, "x must be finite"),
        (lambda: fitted(y=np.full((4, 1), np.inf)), ValueError, "y must be finite"),
        (lambda: fitted(x=np.empty((0, 2))), ValueError, r"x must not be empty, got shape \(0, 2"),
        (lambda: fitted(y=["a", "b", "c", "d"]), TypeError, "y must hold numbers"),
        (lambda: fitted(y=np.ones((3, 1))), ValueError, "y must have as many examples as x, 4"),
        (lambda: fitted(x=np.ones(4)), ValueError, r"x must have shape \(examples, ...\)"),
        (lambda: fitted(batch_size=-1), ValueError, "batch_size must be at least 1, got -1"),
        (lambda: fitted(epochs=1.5), TypeError, "epochs must be an integer, got 1.5"),
        (lambda: fitted(validation_split=1.0), ValueError, r"validation_split must be in \[0, 1\)"),
        (lambda: fitted(validation_split=0.8), ValueError, "must leave examples on both sides"),
        (
            lambda: fitted(validation_data=(X, np.ones(3))),
            ValueError,
            "validation_data: y must have as many",
        ),
        (lambda: fitted(sample_weight=np.ones(3)), ValueError, "sample_weight must have as many"),
        (lambda: fitted(class_weight={1: -1.0}), ValueError, r"class_weight\[1\] must be"),
        (lambda: fitted(verbose="yes"), ValueError, "verbose must be one of"),
        (
            lambda: models.Sequential([layers.Dense(1)]).fit(X, Y),
            ValueError,
            "must be compiled with a loss before fit",
        ),
        (lambda: models.Sequential([]).build((None, 2)), ValueError, "must have a layer before"),
        (lambda: models.Sequential(["dense"]), TypeError, "layer must be a reglib layer, got str"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_early_stopping_ends_a_fit_and_restores_the_best_weights(rng):
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 1))
    model = models.Sequential([layers.Dense(32, activation="relu"), layers.Dense(1)], seed=0)
    model.compile(optimizers.Adam(0.01), "mse")
    stopper = callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    history = model.fit(x, y, epochs=500, validation_split=0.5, callbacks=[stopper]).history
    assert len(history["val_loss"]) == stopper.stopped_epoch + 1 < 500
    assert model.evaluate(x[20:], y[20:]) == pytest.approx(min(history["val_loss"]), rel=1e-5)


def residual(seed=0, rate=0.3, dtype="float32"):
    """Two residual branches, one with stochastic depth, and a concatenation."""
    start = layers.Input((6,), dtype=dtype)
    trunk = layers.Dense(5, activation="tanh", dtype=dtype)(start)
    branch = layers.Dense(5, activation="tanh", kernel_regularizer="l2", dtype=dtype)(trunk)
    branch = layers.DropPath(rate, dtype=dtype)(branch)
    trunk = layers.Add(dtype=dtype)([trunk, branch])
    both = layers.Concatenate(dtype=dtype)([trunk, branch])
    return models.Model(start, layers.Dense(3, activation="softmax", dtype=dtype)(both), seed=seed)


def test_a_graph_passes_the_gradient_check(rng):
    model = residual(dtype="float64")
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = rng.normal(size=(7, 6)), rng.integers(0, 3, size=7)
    assert check_model(model, x, y, rtol=1e-6) < 1e-6


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_a_graph_agrees_with_keras(classes):
    import keras

    x, y = classes
    ours = residual(rate=0.0)
    start = keras.layers.Input((6,))
    trunk = keras.layers.Dense(5, activation="tanh")(start)
    branch = keras.layers.Dense(5, activation="tanh", kernel_regularizer="l2")(trunk)
    both = keras.layers.Concatenate()([keras.layers.Add()([trunk, branch]), branch])
    theirs = keras.Model(start, keras.layers.Dense(3, activation="softmax")(both))
    ours.set_weights(theirs.get_weights())
    for model in (ours, theirs):
        model.compile("adam", "sparse_categorical_crossentropy")
    options = {"epochs": 5, "shuffle": False, "verbose": 0}
    np.testing.assert_allclose(
        ours.fit(x, y, **options).history["loss"],
        theirs.fit(x, y, **options).history["loss"],
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda n: models.Model("x", n), TypeError, "inputs must be a node"),
        (lambda n: models.Model(layers.Input((6,)), n), ValueError, "outputs must be made of"),
    ],
)
def test_a_graph_without_ends_is_refused(make, error, message):
    outputs = layers.Dense(2)(layers.Input((6,)))
    with pytest.raises(error, match=message):
        make(outputs)


def test_an_input_says_the_shape_of_a_sequential_model(tmp_path):
    model = models.Sequential([layers.Input((6,)), layers.Dense(3), layers.Dense(1)], seed=1)
    given = models.Sequential([layers.Dense(3, input_shape=(6,)), layers.Dense(1)], seed=1)
    assert model.built
    assert len(model.layers) == 2  # the Input is none of them, as in Keras
    for ours, others in zip(model.get_weights(), given.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, others)
    model.save(tmp_path / "model.npz")
    x = np.ones((2, 6))
    np.testing.assert_array_equal(models.load_model(tmp_path / "model.npz")(x), model(x))
    with pytest.raises(ValueError, match="an Input must be the first of a model"):
        model.add(layers.Input((6,)))
    with pytest.raises(TypeError, match="layer must be a reglib layer, got Node"):
        model.add(layers.Dense(2)(layers.Input((6,))))


def every_kind_of_layer():
    return models.Sequential(
        [
            layers.Reshape((8, 8, 1), input_shape=(64,)),
            layers.Conv2D(4, 3, kernel_regularizer=regularizers.L1L2(1e-4, 1e-3)),
            layers.BatchNormalization(),
            layers.SpatialDropout2D(0.1),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.SpectralNormalization(layers.Dense(8, activation="relu")),
            layers.Dense(3, activation="softmax", kernel_constraint="max_norm"),
        ],
        seed=0,
    )


@pytest.mark.parametrize("make", [every_kind_of_layer, residual])
def test_a_saved_model_comes_back_and_trains_on(make, tmp_path, rng):
    model = make()
    x = rng.normal(size=(12, *model.layers[0].input_shape))
    y = rng.integers(0, 3, size=12)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2)
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(twin.predict(x), model.predict(x))
    assert twin.evaluate(x, y) == model.evaluate(x, y)
    twin.fit(x, y)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.npz"]


@pytest.mark.parametrize("make", [every_kind_of_layer, residual])
def test_a_model_is_made_anew_from_its_text(make):
    model = make()
    twin = models.model_from_json(model.to_json())
    assert twin.to_json() == model.to_json()
    assert [w.shape for w in twin.get_weights()] == [w.shape for w in model.get_weights()]
    for text, message in (("{", "must be JSON"), ("3", "must be a dict"), ("{}", "class_name")):
        with pytest.raises((TypeError, ValueError), match=rf"json_string.*{message}"):
            models.model_from_json(text)


def test_a_saved_model_is_read_without_pickle(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, model=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="must be a model that reglib saved"):
        models.load_model(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="must be a model that reglib saved"):
        models.load_model(path)
    with pytest.raises(FileNotFoundError):
        models.load_model(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("make", [every_kind_of_layer, residual])
def test_a_clone_has_the_layers_and_fresh_weights(make):
    model = make()
    clone = models.clone_model(model, seed=9)
    assert [w.shape for w in clone.get_weights()] == [w.shape for w in model.get_weights()]
    assert any(
        (mine != other).any()
        for mine, other in zip(clone.get_weights(), model.get_weights(), strict=True)
    )


@pytest.mark.parametrize("make", [residual, None])
def test_the_gradient_of_the_inputs_agrees_with_finite_differences(make, rng):
    if make is residual:
        model = residual(rate=0.3, dtype="float64")
    else:
        double = {"dtype": "float64"}
        model = models.Sequential(
            [layers.Dense(5, "tanh", **double), layers.Dense(3, "softmax", **double)], seed=0
        )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = rng.normal(size=(4, 6)), rng.integers(0, 3, size=4)
    gradient = model.input_gradient(x, y)
    check_gradient(lambda v: float(model.loss(y, model.forward(v, False))), gradient, x)


def test_training_goes_back_no_further_than_the_first_layer_that_learns(classes):
    seen = []

    class Watch(layers.Layer):
        def call(self, inputs, training=False):
            return inputs

        def backward(self, gradient):
            seen.append(self.name)
            return gradient

    frozen = layers.Dense(5, trainable=False)
    model = models.Sequential(
        [Watch(name="early"), frozen, layers.Dense(4), Watch(name="late"), layers.Dense(3)]
    )
    model.compile("sgd", "mse")
    model.train_on_batch(classes[0], np.eye(3)[classes[1]])
    assert seen == ["late"]


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_methods_of_one_batch_return_what_keras_returns(rng):
    import keras  # noqa: F401 - which to_keras asks for

    from reglib.interop import to_keras

    x, y = rng.normal(size=(12, 3)).astype("float32"), np.eye(2)[rng.integers(0, 2, size=12)]
    ours = models.Sequential([layers.Dense(2, "softmax")], seed=0)
    ours.build((None, 3))
    ours.compile("sgd", "categorical_crossentropy", metrics=["mae"])
    theirs = to_keras(ours)
    weight, classes = rng.random(12), {0: 0.3, 1: 2.0}
    for options in ({}, {"sample_weight": weight}, {"class_weight": classes}):
        mine, other = ours.train_on_batch(x, y, **options), theirs.train_on_batch(x, y, **options)
        np.testing.assert_allclose(mine, other, rtol=1e-4)
    for options in ({}, {"sample_weight": weight}):
        np.testing.assert_allclose(
            ours.test_on_batch(x, y, **options), theirs.test_on_batch(x, y, **options), rtol=1e-4
        )
    assert list(ours.test_on_batch(x, y, return_dict=True)) == ["loss", "mae"]
    np.testing.assert_allclose(ours.predict_on_batch(x), theirs.predict_on_batch(x), rtol=1e-4)
    with pytest.raises(ValueError, match="at most one may be given"):
        ours.train_on_batch(x, y, weight, classes)


@pytest.mark.keras
def test_a_model_is_popped_until_it_has_no_layers():
    import keras

    for module_models, module_layers in ((keras, keras.layers), (models, layers)):
        model = module_models.Sequential([module_layers.Input((4,)), module_layers.Dense(2)])
        model.pop()
        assert not model.layers
        assert not model.built
        model.add(module_layers.Dense(3))
        assert model.output_shape == (None, 3)
        with pytest.raises(IndexError):
            module_models.Sequential().pop()
    with pytest.raises(IndexError, match="the model must have a layer to pop, got none"):
        models.Sequential().pop()


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
@pytest.mark.parametrize(("initial_epoch", "validation_freq"), [(0, 2), (3, 1), (2, 3), (1, 9)])
def test_epochs_are_counted_and_validated_as_in_keras(initial_epoch, validation_freq, rng):
    import keras

    x = rng.normal(size=(40, 4)).astype("float32")
    y = x[:, :1] - x[:, 1:2]
    weights = [np.full((4, 1), 0.5, "float32"), np.zeros(1, "float32")]
    found = []
    for module_models, module_layers in ((keras, keras.layers), (models, layers)):
        model = module_models.Sequential([module_layers.Input((4,)), module_layers.Dense(1)])
        model.set_weights(weights)
        model.compile("sgd", "mse")
        history = model.fit(
            x,
            y,
            epochs=7,
            initial_epoch=initial_epoch,
            validation_split=0.25,
            validation_freq=validation_freq,
            shuffle=False,
            verbose=0,
        )
        found.append(history)
    theirs, ours = found
    assert ours.epoch == theirs.epoch == list(range(initial_epoch, 7))
    assert ours.history.keys() == theirs.history.keys()
    for name, values in theirs.history.items():
        assert ours.history[name] == pytest.approx(values, rel=1e-4)
    assert len(ours.history.get("val_loss", ())) == 7 // validation_freq - (
        initial_epoch // validation_freq
    )
