"""The library as a whole: its examples are true, and it needs nothing but NumPy."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import reglib

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(reglib.__path__, "reglib.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_are_true(name):
    # An example may use what the public module that it is read in offers.
    module = importlib.import_module(name)
    public = vars(importlib.import_module(".".join(name.split(".")[:2])))
    outcome = doctest.testmod(module, globs={**public, **vars(module)})
    assert outcome.failed == 0


def test_there_are_examples():
    modules = map(importlib.import_module, MODULES)
    assert sum(len(t.examples) for m in modules for t in doctest.DocTestFinder().find(m)) > 150


WITH_NUMPY_ALONE = """
import importlib, sys
for name in ("IPython", "jax", "keras", "matplotlib", "pandas", "scipy", "seaborn", "sklearn",
             "statsmodels", "tqdm"):
    sys.modules[name] = None  # an import of it fails
for name in sys.argv[1:]:
    importlib.import_module(name)
import numpy as np
from reglib import layers, models
model = models.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(1)], seed=0)
model.compile("adam", "mse", metrics=["mae"])
x = np.linspace(-1, 1, 64)[:, None]
history = model.fit(x, x, epochs=60, validation_split=0.25, verbose=1).history
assert history["loss"][-1] < history["loss"][0] / 2

from reglib import callbacks, losses, optimizers
rng = np.random.default_rng(0)
images = rng.random((96, 12, 12, 3), dtype="float32")
labels = np.arange(96) % 2
images[labels == 1, 3:9] += 1
cnn = models.Sequential([
    layers.Rescaling(0.5),
    layers.RandomFlip("horizontal"), layers.RandomRotation(0.05), layers.RandomZoom(0.1),
    layers.RandomContrast(0.2, value_range=(0, 1)), layers.RandomErasing(0.5, value_range=(0, 1)),
    layers.Conv2D(8, 3, activation="relu", kernel_regularizer="l2"),
    layers.BatchNormalization(momentum=0.5),
    layers.MaxPooling2D(), layers.SpatialDropout2D(0.1), layers.GlobalAveragePooling2D(),
    layers.Dense(2, activation="softmax"),
], seed=0)
cnn.compile(optimizers.AdamW(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
watchers = [callbacks.EarlyStopping(patience=20, restore_best_weights=True),
            callbacks.ReduceLROnPlateau(patience=5), callbacks.TerminateOnNaN()]
history = cnn.fit(images, labels, epochs=12, validation_data=(images, labels), verbose=0,
                  callbacks=watchers).history
assert max(history["val_accuracy"]) > 0.9, history["val_accuracy"]

waves = np.sin(np.arange(24) / 3 + 6 * rng.random((64, 1)))[..., None]
rnn = models.Sequential([layers.LSTM(8, recurrent_dropout=0.1), layers.Dense(1)], seed=0)
rnn.compile(optimizers.Adam(0.03), losses.MeanSquaredError())
history = rnn.fit(waves[:, :-1], waves[:, -1], epochs=20, verbose=0).history
assert history["loss"][-1] < history["loss"][0] / 4, history["loss"]
"""


def test_every_module_imports_and_models_of_each_kind_train_with_numpy_alone():
    subprocess.run([sys.executable, "-c", WITH_NUMPY_ALONE, *MODULES], check=True)
