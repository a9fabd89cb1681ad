"""Layers and models go to Keras and back with their weights, and Keras's tensors through ours."""

import subprocess
import sys

import numpy as np
import pytest

import reglib.callbacks
import reglib.constraints
import reglib.optimizers
import reglib.regularizers
from reglib import callbacks, interop, layers, models, optimizers, regularizers

pytestmark = pytest.mark.keras

IMAGES = (3, 8, 8, 2)
SEQUENCES = (3, 5, 4)
ROWS = (3, 6)
LAYERS = {
    "Dense": (lambda: layers.Dense(4, "relu", kernel_regularizer="l2"), ROWS),
    "Activation": (lambda: layers.Activation("selu"), ROWS),
    "Flatten": (lambda: layers.Flatten(), IMAGES),
    "Reshape": (lambda: layers.Reshape((4, -1)), IMAGES),
    "Conv1D": (lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2), SEQUENCES),
    "Conv2D": (lambda: layers.Conv2D(4, 3, strides=2, activation="tanh"), IMAGES),
    "MaxPooling1D": (lambda: layers.MaxPooling1D(2), SEQUENCES),
    "AveragePooling1D": (lambda: layers.AveragePooling1D(2), SEQUENCES),
    "GlobalAveragePooling1D": (lambda: layers.GlobalAveragePooling1D(), SEQUENCES),
    "GlobalMaxPooling1D": (lambda: layers.GlobalMaxPooling1D(), SEQUENCES),
    "GlobalMaxPooling2D": (lambda: layers.GlobalMaxPooling2D(keepdims=True), IMAGES),
    "MaxPooling2D": (lambda: layers.MaxPooling2D(3, 2, "same"), IMAGES),
    "AveragePooling2D": (lambda: layers.AveragePooling2D(2), IMAGES),
    "GlobalAveragePooling2D": (lambda: layers.GlobalAveragePooling2D(), IMAGES),
    "SimpleRNN": (lambda: layers.SimpleRNN(4), SEQUENCES),
    "LSTM": (lambda: layers.LSTM(4, dropout=0.2, return_sequences=True), SEQUENCES),
    "GRU": (lambda: layers.GRU(4, recurrent_dropout=0.2), SEQUENCES),
    "BatchNormalization": (lambda: layers.BatchNormalization(axis=1, momentum=0.9), IMAGES),
    "LayerNormalization": (lambda: layers.LayerNormalization([1, 3], epsilon=1e-4), IMAGES),
    "GroupNormalization": (lambda: layers.GroupNormalization(4, axis=1), IMAGES),
    "ReLU": (lambda: layers.ReLU(1.5, 0.25, 0.5), ROWS),
    "LeakyReLU": (lambda: layers.LeakyReLU(0.25), ROWS),
    "Softmax": (lambda: layers.Softmax((1, 2)), SEQUENCES),
    "SpectralNormalization": (lambda: layers.SpectralNormalization(layers.Dense(4)), ROWS),
    "Dropout": (lambda: layers.Dropout(0.3, seed=1), ROWS),
    "SpatialDropout1D": (lambda: layers.SpatialDropout1D(0.3), SEQUENCES),
    "SpatialDropout2D": (lambda: layers.SpatialDropout2D(0.3), IMAGES),
    "GaussianDropout": (lambda: layers.GaussianDropout(0.3), ROWS),
    "GaussianNoise": (lambda: layers.GaussianNoise(0.3), ROWS),
    "AlphaDropout": (lambda: layers.AlphaDropout(0.3), ROWS),
    "ActivityRegularization": (lambda: layers.ActivityRegularization(0.1, 0.2), ROWS),
}


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras", reason="the `keras` extra is not installed")


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_goes_to_keras_and_back(name, keras, rng):
    make, shape = LAYERS[name]
    x = rng.normal(size=shape).astype("float32")
    ours = make()
    expected = ours(x)
    theirs = interop.to_keras(ours)
    assert type(theirs) is getattr(keras.layers, name)
    np.testing.assert_allclose(np.asarray(theirs(x)), expected, rtol=1e-5, atol=1e-6)
    back = interop.from_keras(theirs)
    np.testing.assert_allclose(back(x), expected, rtol=1e-5, atol=1e-6)
    for key, value in ours.get_config().items():
        if not isinstance(value, (dict, float)):
            assert back.get_config()[key] == value, key


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_takes_a_keras_tensor(name, keras, rng):
    make, shape = LAYERS[name]
    x = rng.normal(size=shape).astype("float32")
    ours = make()
    expected = ours(x)
    tensor = ours(keras.ops.convert_to_tensor(x))
    assert keras.ops.is_tensor(tensor)
    np.testing.assert_allclose(np.asarray(tensor), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.not_on_keras_numpy("cannot train")
def test_our_layers_stand_in_a_functional_keras_model(keras, rng):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    hidden = layers.Dropout(0.5, seed=0)(layers.Dense(8, activation="relu")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    x = rng.normal(size=(32, 6)).astype("float32")
    before = model.evaluate(x, x[:, :1], verbose=0)
    model.fit(x, x[:, :1], epochs=100, verbose=0)
    assert model.evaluate(x, x[:, :1], verbose=0) < before / 2
    training = [np.asarray(model(x, training=True)) for _ in range(2)]
    assert (training[0] != training[1]).any()  # the dropout is alive in training


def chain():
    model = models.Sequential(
        [
            layers.Conv2D(
                3, 3, activation="relu", kernel_regularizer=regularizers.L1L2(1e-3, 1e-3)
            ),
            layers.BatchNormalization(),
            layers.SpatialDropout2D(0.2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", kernel_constraint="max_norm"),
        ],
        seed=0,
    )
    model.build((None, 8, 8, 2))
    return model


def graph():
    start = layers.Input((8, 8, 2))
    trunk = layers.Conv2D(4, 3, padding="same", activation="relu")(start)
    branch = layers.Conv2D(4, 3, padding="same")(layers.Dropout(0.1)(trunk))
    merged = layers.GlobalAveragePooling2D()(layers.Add()([trunk, branch]))
    return models.Model(start, layers.Dense(3, activation="softmax")(merged), seed=0)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.parametrize("make", [chain, graph])
def test_a_model_goes_to_keras_and_back(make, keras, rng):
    ours = make()
    ours.compile(optimizers.AdamW(0.01, weight_decay=0.1), "sparse_categorical_crossentropy")
    x, y = rng.normal(size=(7, 8, 8, 2)).astype("float32"), rng.integers(0, 3, size=7)
    theirs = interop.to_keras(ours)
    np.testing.assert_allclose(theirs.predict(x, verbose=0), ours.predict(x), rtol=1e-4, atol=1e-6)
    assert theirs.evaluate(x, y, verbose=0) == pytest.approx(ours.evaluate(x, y), rel=1e-4)
    assert theirs.optimizer.weight_decay == pytest.approx(0.1)
    theirs.fit(x, y, verbose=0)
    back = interop.from_keras(theirs)
    np.testing.assert_allclose(back.predict(x), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6)


def rows(rng):
    x = rng.normal(size=(24, 4)).astype("float32")
    return x, (x[:, :1] > 0).astype("float32")


def classifier(lib, library_layers, seed, **options):
    hidden = library_layers.Dense(5, activation="tanh", **options)
    return lib([hidden, library_layers.Dense(1, activation="sigmoid")], **seed)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.parametrize(
    ("kind", "name", "arguments"),
    [
        ("regularizer", "L1", (0.1,)),
        ("regularizer", "L2", (0.1,)),
        ("regularizer", "L1L2", (0.1, 0.2)),
        ("regularizer", "OrthogonalRegularizer", (0.1,)),
        ("constraint", "MaxNorm", (0.3,)),
        ("constraint", "UnitNorm", ()),
        ("constraint", "NonNeg", ()),
        ("constraint", "MinMaxNorm", (0.1, 0.3, 0.5)),
    ],
)
def test_a_model_trains_with_what_belongs_to_the_other_library(kind, name, arguments, keras, rng):
    x, y = rows(rng)
    mine, other = (getattr(getattr(lib, f"{kind}s"), name)(*arguments) for lib in (reglib, keras))
    option, losses = f"kernel_{kind}", []
    ours = classifier(models.Sequential, layers, {"seed": 0}, **{option: mine})
    ours.build((None, 4))
    start = ours.get_weights()
    for lib, library_layers, seed in (
        (models.Sequential, layers, {"seed": 0}),
        (keras.Sequential, keras.layers, {}),
    ):
        for thing in (mine, other):
            model = classifier(lib, library_layers, seed, **{option: thing})
            model.build((None, 4))
            model.set_weights(start)
            model.compile("sgd", "binary_crossentropy")
            logs = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
            losses.append(logs["loss"])
    np.testing.assert_allclose(losses[1:], [losses[0]] * 3, rtol=2e-5)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.parametrize("monitor", ["val_loss", "accuracy", "val_accuracy"])
@pytest.mark.parametrize("ours", [False, True])
def test_a_callback_knows_which_way_is_better_in_the_other_librarys_model(
    ours, monitor, keras, rng
):
    x, y = rows(rng)
    if ours:
        stop = keras.callbacks.EarlyStopping(monitor, patience=9)
        model = classifier(models.Sequential, layers, {"seed": 0})
    else:
        stop = callbacks.EarlyStopping(monitor, patience=9)
        model = classifier(keras.Sequential, keras.layers, {})
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    logs = model.fit(x, y, validation_data=(x, y), epochs=3, callbacks=[stop], verbose=0).history
    best = min if monitor == "val_loss" else max
    assert stop.best == pytest.approx(best(logs[monitor]))


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.parametrize("swap_on_epoch", [False, True])
@pytest.mark.parametrize("ours", [False, True])
def test_averaged_weights_are_validated_in_the_other_librarys_model(
    ours, swap_on_epoch, keras, rng
):
    x, y = rows(rng)
    mine = classifier(models.Sequential, layers, {"seed": 0})
    mine.build((None, 4))
    logs = []
    # The callback of the model's own library, then that of the other.
    for lib in (reglib, keras) if ours else (keras, reglib):
        model = models.clone_model(mine) if ours else interop.to_keras(mine)
        model.set_weights(mine.get_weights())
        rule = (reglib if ours else keras).optimizers.SGD(0.5, use_ema=True, ema_momentum=0.8)
        model.compile(rule, "binary_crossentropy")
        swap = [lib.callbacks.SwapEMAWeights(swap_on_epoch)]
        options = {"validation_data": (x, y), "epochs": 3, "shuffle": False, "verbose": 0}
        logs.append(model.fit(x, y, batch_size=8, callbacks=swap, **options).history)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(logs[1][name], logs[0][name], rtol=1e-5, err_msg=name)
    assert logs[0]["loss"] != logs[0]["val_loss"]


@pytest.mark.parametrize("weights_only", [False, True])
def test_a_checkpoint_of_keras_saves_our_models(weights_only, keras, rng, tmp_path):
    x, y = rows(rng)
    model = classifier(models.Sequential, layers, {"seed": 0})
    model.compile("sgd", "binary_crossentropy")
    path = tmp_path / ("best.weights.h5" if weights_only else "best.keras")
    save = keras.callbacks.ModelCheckpoint(
        path, "loss", save_best_only=True, save_weights_only=weights_only
    )
    model.fit(x, y, epochs=2, callbacks=save)
    expected = model.predict(x)
    if not weights_only:
        model = models.load_model(path)
    else:
        model.set_weights([w + 1 for w in model.get_weights()])
        model.load_weights(path)
    np.testing.assert_array_equal(model.predict(x), expected)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda keras: interop.to_keras(layers.DropPath(0.1)),
            ValueError,
            "must be one that Keras has too, got DropPath",
        ),
        (
            lambda keras: interop.from_keras(keras.layers.Conv2DTranspose(3, 3)),
            ValueError,
            "must be one that reglib has too, got Keras's Conv2DTranspose",
        ),
        (
            lambda keras: interop.from_keras(keras.layers.BatchNormalization(renorm=True)),
            ValueError,
            "renorm=True, which reglib's BatchNormalization does not know",
        ),
        (lambda keras: interop.to_keras("dense"), TypeError, "must be a layer or model of reglib"),
        (lambda keras: interop.from_keras("dense"), TypeError, "must be a layer or model of Keras"),
    ],
)
def test_what_cannot_be_exchanged_is_named(call, error, message, keras):
    with pytest.raises(error, match=message):
        call(keras)


def test_keras_is_never_imported():
    code = (
        "import sys, numpy as np\n"
        "from reglib import interop, layers, models\n"
        "m = models.Sequential([layers.Dense(1)]); m.compile('adam', 'mse')\n"
        "m.fit(np.ones((4, 2)), np.ones(4))\n"
        "assert 'keras' not in sys.modules\n"
        "try: interop.to_keras(m)\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "import keras before" in done.stdout
